#include "latency.h"
#include "player.h"
#include "workload.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/// From one message to the next: often enough to meet a pause of a millisecond, seldom enough to leave the processor to the proxy.
enum { INTERVAL_NANOSECONDS = 250000 };

/// The longest way of a message is told for each stretch of this length.
enum { SLOT_NANOSECONDS = 10000000 };

/// The number that the timer's events carry; no player has it.
enum { TIMER = UINT32_MAX };

static int start_timer(void) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct timespec interval = {.tv_nsec = INTERVAL_NANOSECONDS};
    struct itimerspec times = {.it_interval = interval, .it_value = interval};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = TIMER};
    if (timer < 0 || timerfd_settime(timer, 0, &times, NULL) < 0 ||
        epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event) < 0)
        err(1, "timerfd");
    return timer;
}

/// The longest ways, in microseconds, by the slot in which the message was sent.
struct slots {
    uint64_t start;
    unsigned count;
    uint32_t *longest;
};

static void note_way(struct slots *slots, uint64_t sent_at, uint64_t way) {
    uint64_t slot = (sent_at - slots->start) / SLOT_NANOSECONDS;
    if (slot < slots->count && way / 1000 > slots->longest[slot]) slots->longest[slot] = (uint32_t)(way / 1000);
}

static void print_slots(const struct slots *slots, const struct latencies *latencies) {
    printf("{\"start\": %.6f, \"slotSeconds\": %.3f, \"roundTrips\": %llu, \"p50Microseconds\": %.1f, \"p99Microseconds\": %.1f, "
           "\"longestMicroseconds\": [",
           (double)slots->start / 1e9, SLOT_NANOSECONDS / 1e9, (unsigned long long)latencies->total,
           latency_at(latencies, 0.5) / 1e3, latency_at(latencies, 0.99) / 1e3);
    for (unsigned slot = 0; slot < slots->count; slot++) printf("%s%u", slot ? "," : "", slots->longest[slot]);
    puts("]}");
}

/// Sends a message on the next connection that has none under way: one that has tells of a pause by itself.
static bool send_next(struct player *players, bool *waits, unsigned connections, unsigned *next) {
    for (unsigned i = 0; i < connections; i++) {
        unsigned number = (*next + i) % connections;
        if (waits[number]) continue;
        send_ping(&players[number], number);
        waits[number] = true;
        *next = number + 1;
        return true;
    }
    return false;
}

void run_pulse(unsigned connections, double seconds) {
    struct player *players = calloc(connections, sizeof *players);
    bool *waits = calloc(connections, sizeof *waits);
    struct latencies *latencies = calloc(1, sizeof *latencies);
    connect_players(players, connections);
    begin();
    struct slots slots = {.start = nanoseconds(), .count = (unsigned)(seconds * 1e9 / SLOT_NANOSECONDS)};
    slots.longest = calloc(slots.count, sizeof *slots.longest);
    uint64_t end = slots.start + (uint64_t)slots.count * SLOT_NANOSECONDS;
    int timer = start_timer();
    unsigned under_way = 0, next = 0;

    struct epoll_event events[64];
    for (uint64_t moment = slots.start; moment < end || under_way > 0;) {
        int ready = wait_for_events(events, 64);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            moment = nanoseconds();
            if (number == TIMER) {
                uint64_t ticks;
                if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) err(1, "timerfd");
                if (moment < end && send_next(players, waits, connections, &next)) under_way++;
            } else if (receive_pong(&players[number], number)) {
                uint64_t way = moment - players[number].sent_at;
                count_latency(latencies, way);
                note_way(&slots, players[number].sent_at, way);
                waits[number] = false;
                under_way--;
            }
        }
    }
    print_slots(&slots, latencies);
    close(timer);
    free(slots.longest);
    free(latencies);
    free(waits);
    free(players);
}
