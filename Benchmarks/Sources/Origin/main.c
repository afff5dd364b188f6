// The far end of the traffic: answers every connection whose ClientHello names the origin that it reached.
//
//     origin NAME=ADDRESS:PORT…
//
// One thread. Says "ready" on standard output once it listens. A hello that is not, to the byte, what a client would
// have sent to this origin is answered with a reset: a proxy that routes wrongly or damages bytes must not look fast.

#include <address.h>
#include <err.h>
#include <errno.h>
#include <hello.h>
#include <netinet/tcp.h>
#include <pattern.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/// One connection that a proxy made to us; found by its descriptor.
struct session {
    unsigned origin;
    size_t hello_bytes;
    uint8_t hello[HELLO_BYTES];
    struct request request;
    uint64_t answered;
    /// Whether epoll already knows the descriptor, and whether it waits for room to send.
    bool registered, waits_for_room;
};

static struct named_address *origins;
static int *listeners;
static unsigned origin_count;
static struct session *sessions;
static int poller;

/// Enough at once to be cheap, little enough to let the other connections have their turn.
static const size_t answer_budget = 1 << 20;

static void close_session(int descriptor) { close(descriptor); }

/// A reset instead of an orderly end, so that the client sees that something is wrong.
static void refuse_session(int descriptor, const char *reason) {
    warnx("%s: refused: %s", origins[sessions[descriptor].origin].name, reason);
    struct linger at_once = {.l_onoff = 1};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(descriptor);
}

static void wait_for(int descriptor, bool room) {
    struct session *session = &sessions[descriptor];
    if (session->registered && session->waits_for_room == room) return;
    struct epoll_event event = {.events = room ? EPOLLOUT : EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(poller, session->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) < 0)
        err(1, "epoll_ctl");
    session->registered = true;
    session->waits_for_room = room;
}

static void echo(int descriptor) {
    char message[4096];
    ssize_t count = recv(descriptor, message, sizeof message, 0);
    if (count < 0 && errno == EAGAIN) return wait_for(descriptor, false);
    if (count <= 0) return close_session(descriptor);
    // One message of a few bytes is under way at a time, so there is always room for it.
    if (send(descriptor, message, (size_t)count, MSG_NOSIGNAL) != count)
        return refuse_session(descriptor, "an echo found no room");
    wait_for(descriptor, false);
}

static void answer(int descriptor) {
    struct session *session = &sessions[descriptor];
    size_t budget = answer_budget;
    while (session->answered < session->request.answer_bytes && budget > 0) {
        uint64_t rest = session->request.answer_bytes - session->answered;
        size_t slice = rest < PATTERN_SLICE ? (size_t)rest : PATTERN_SLICE;
        ssize_t count = send(descriptor, pattern_at(session->origin, session->answered), slice, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) break;
        if (count < 0) return close_session(descriptor);
        session->answered += (uint64_t)count;
        budget -= (size_t)count < budget ? (size_t)count : budget;
    }
    if (session->answered < session->request.answer_bytes) return wait_for(descriptor, true);
    if (session->request.then_echo) return wait_for(descriptor, false);
    close_session(descriptor);
}

static void read_hello(int descriptor) {
    struct session *session = &sessions[descriptor];
    ssize_t count =
        recv(descriptor, session->hello + session->hello_bytes, sizeof session->hello - session->hello_bytes, 0);
    if (count < 0 && errno == EAGAIN) return wait_for(descriptor, false);
    // Silence is no fault: whoever waits for us to listen connects and leaves.
    if (count <= 0) return close_session(descriptor);
    session->hello_bytes += (size_t)count;
    if (session->hello_bytes < HELLO_BYTES) return wait_for(descriptor, false);

    session->request = read_request(session->hello);
    uint8_t expected[HELLO_BYTES];
    write_hello(expected, origins[session->origin].name, session->request);
    if (memcmp(session->hello, expected, sizeof expected) != 0)
        return refuse_session(descriptor, "the hello is damaged, or names another origin");
    answer(descriptor);
}

static void serve(int descriptor) {
    struct session *session = &sessions[descriptor];
    if (session->hello_bytes < HELLO_BYTES) return read_hello(descriptor);
    if (session->answered < session->request.answer_bytes) return answer(descriptor);
    echo(descriptor);
}

static void accept_sessions(unsigned origin) {
    for (;;) {
        int descriptor = accept4(listeners[origin], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            if (errno == EAGAIN) return;
            if (errno == ECONNABORTED) continue;
            err(1, "accept4");
        }
        struct session *session = &sessions[descriptor];
        session->origin = origin;
        session->hello_bytes = 0;
        session->answered = 0;
        session->registered = false;
        // The hello is already here (TCP_DEFER_ACCEPT), and a short answer needs no epoll at all.
        read_hello(descriptor);
    }
}

static int listen_at(const struct sockaddr_in *address) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, seconds = 5;
    // Accepted sockets inherit TCP_NODELAY.
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds) < 0 ||
        bind(descriptor, (const struct sockaddr *)address, sizeof *address) < 0 || listen(descriptor, 16384) < 0)
        err(1, "cannot listen on port %d", ntohs(address->sin_port));
    return descriptor;
}

int main(int count, char **arguments) {
    if (count < 2) errx(64, "usage: origin NAME=ADDRESS:PORT...");
    make_pattern();
    struct rlimit descriptors;
    getrlimit(RLIMIT_NOFILE, &descriptors);
    sessions = calloc(descriptors.rlim_cur, sizeof *sessions);
    origin_count = (unsigned)count - 1;
    origins = calloc(origin_count, sizeof *origins);
    listeners = calloc(origin_count, sizeof *listeners);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!sessions || !origins || !listeners || poller < 0) err(1, "cannot start");

    // An event carries a descriptor: of a listener, or of a session.
    for (unsigned origin = 0; origin < origin_count; origin++) {
        origins[origin] = parse_named_address(arguments[origin + 1]);
        listeners[origin] = listen_at(&origins[origin].address);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = listeners[origin]};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, listeners[origin], &event) < 0) err(1, "epoll_ctl");
    }
    puts("ready");
    fflush(stdout);

    struct epoll_event events[256];
    for (;;) {
        int ready = epoll_wait(poller, events, 256, -1);
        if (ready < 0 && errno != EINTR) err(1, "epoll_wait");
        for (int i = 0; i < ready; i++) {
            int descriptor = events[i].data.fd;
            // The listeners were opened first, one after another.
            unsigned origin = (unsigned)(descriptor - listeners[0]);
            if (origin < origin_count)
                accept_sessions(origin);
            else
                serve(descriptor);
        }
    }
}
