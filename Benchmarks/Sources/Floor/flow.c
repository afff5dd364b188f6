#include "flow.h"

#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NONE = UINT32_MAX };

struct side *sides;
int poller;

static uint32_t capacity;
/// Places never used yet begin here. Their pages are not touched before, and cost nothing.
static uint32_t untouched;
/// Vacated places, the latest first: its memory is still in the cache. `rest_offset` links them.
static uint32_t vacant = NONE;

void prepare_flows(uint32_t flows) {
    capacity = flows * 2;
    sides = calloc(capacity, sizeof *sides);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!sides || poller < 0) err(1, "cannot start");
}

uint64_t tag_of(uint32_t index) { return (uint64_t)sides[index].generation << 32 | index; }

static void watch(uint32_t index, int operation, uint32_t interest) {
    struct epoll_event event = {.events = interest | EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = tag_of(index)};
    epoll_ctl(poller, operation, sides[index].descriptor, &event);
}

/// The index of the client's side, or NONE when the slab is full.
static uint32_t take_place(void) {
    uint32_t index = vacant;
    if (index != NONE) {
        vacant = sides[index].rest_offset;
        sides[index].rest_offset = 0;
        return index;
    }
    if (untouched == capacity) return NONE;
    index = untouched;
    untouched += 2;
    return index;
}

static void vacate(uint32_t index) {
    struct side *side = &sides[index];
    if (side->rest_bytes > 0) free(side->rest);
    if (side->piped_bytes > 0) close_pipe(side->pipe);
    *side = (struct side){.generation = side->generation + 1};
}

void open_flow(int client, const struct sockaddr_in *address) {
    int origin = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    uint32_t index = origin < 0 ? NONE : take_place();
    if (index == NONE) {
        if (origin >= 0) close(origin);
        close(client);
        return;
    }
    // The answer to SYN-ACK is not sent by itself: it goes out with the hello, one packet fewer.
    int off = 0;
    setsockopt(origin, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);

    // The hello is here already (TCP_DEFER_ACCEPT).
    struct side *sides_of_flow = &sides[index];
    sides_of_flow[0].descriptor = client;
    sides_of_flow[0].readable = sides_of_flow[0].writable = true;
    sides_of_flow[1].descriptor = origin;
    sides_of_flow[1].connecting = sides_of_flow[1].reports_room = true;
    if (connect(origin, (const struct sockaddr *)address, sizeof *address) < 0 && errno != EINPROGRESS)
        return close_flow(index);
    watch(index + 1, EPOLL_CTL_ADD, EPOLLOUT);
}

void join_flow(uint32_t origin_index) {
    struct side *origin = &sides[origin_index];
    origin->connecting = false;
    origin->writable = true;
    int on = 1;
    setsockopt(origin->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Only now: before, nothing could be done about what the client's events say.
    watch(other(origin_index), EPOLL_CTL_ADD, 0);
}

void report_room(uint32_t index) {
    if (sides[index].reports_room) return;
    sides[index].reports_room = true;
    watch(index, EPOLL_CTL_MOD, EPOLLOUT);
}

void close_flow(uint32_t index) {
    uint32_t client = index & ~1u;
    close(sides[client].descriptor);
    close(sides[client + 1].descriptor);
    vacate(client);
    vacate(client + 1);
    sides[client].rest_offset = vacant;
    vacant = client;
}
