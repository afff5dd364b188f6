# Starting, watching and stopping processes, for deploy/quickstart/run.
# shellcheck shell=bash

# Where the output of each goes.
: "${logs:?}"

declare -A pids=()
# In seconds, for what starts and what stops: however slow a machine is, only a fault takes so long.
patience=120

# start NAME COMMAND…: runs a command in the background, its output in $logs/NAME.log.
# A session of its own keeps the terminal's Ctrl-C from it: we stop everything ourselves, in order. Should we be killed in
# a way that nothing can catch, the kernel (pdeathsig) ends it.
start() {
    local name=$1
    shift
    setsid setpriv --pdeathsig TERM -- "$@" </dev/null >"$logs/$name.log" 2>&1 &
    pids[$name]=$!
}

is_running() { [ -n "${pids[$1]:-}" ] && kill -0 "${pids[$1]}" 2>/dev/null; }

# fail SENTENCE [NAME]: says what went wrong, with the end of NAME's log, and ends; what runs is stopped on the way out.
fail() {
    echo >&2
    echo "quickstart: $1" >&2
    if [ -n "${2:-}" ] && [ -s "$logs/$2.log" ]; then
        echo "The end of $logs/$2.log:" >&2
        tail -n 20 "$logs/$2.log" | sed 's/^/  | /' >&2
    fi
    exit 1
}

# until_ready NAME COMMAND…: waits until a command succeeds; fails when NAME ends, or after $patience.
until_ready() {
    local name=$1 deadline=$((SECONDS + patience))
    shift
    until "$@" >/dev/null 2>&1; do
        is_running "$name" || fail "$name ended while it was starting" "$name"
        [ "$SECONDS" -lt "$deadline" ] || fail "$name is not ready after $patience s ($*)" "$name"
        sleep 0.1
    done
}

# stop NAME…: asks these processes to end, all at once, and waits; whoever overstays $patience is killed, and that is said.
stop() {
    local name began=$SECONDS stopping=()
    for name; do
        is_running "$name" || continue
        kill -TERM "${pids[$name]}" 2>/dev/null || continue
        stopping+=("$name")
    done
    for name in "${stopping[@]}"; do
        while is_running "$name" && [ $((SECONDS - began)) -lt "$patience" ]; do sleep 0.05; done
        if is_running "$name"; then
            kill -KILL "${pids[$name]}" 2>/dev/null || true
            wait "${pids[$name]}" 2>/dev/null || true
            echo "  $name did not end in time and was killed"
        else
            wait "${pids[$name]}" 2>/dev/null || true
            echo "  $name stopped"
        fi
        unset "pids[$name]"
    done
}

# watch NAME…: waits until one of the processes ends, which none should, and fails with its name. Those that are named may: somebody tries
# what happens then, and SIGUSR1 starts them again (`restart NAME`).
watch() {
    local gone name may=" $* "
    trap restart_ended USR1
    while true; do
        gone=
        wait -n -p gone "${pids[@]}" 2>/dev/null || true
        # Without a number (wait takes the variable away, then) it was the signal.
        [ -n "${gone:-}" ] || continue
        for name in "${!pids[@]}"; do
            [ "${pids[$name]}" = "$gone" ] || continue
            [[ $may == *" $name "* ]] || fail "$name ended by itself" "$name"
            unset "pids[$name]"
            ended+=("$name")
            echo "$name has ended. To start it again: kill -USR1 $$"
        done
    done
}

ended=()

restart_ended() {
    local name
    for name in "${ended[@]}"; do
        restart "$name"
        echo "$name runs again, as process ${pids[$name]}."
    done
    ended=()
}
