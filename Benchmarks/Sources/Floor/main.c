// The limit that the proxies are compared with: a relay that does as little as a relay on Linux can.
//
//     floor LISTEN_ADDRESS:PORT=ORIGIN_ADDRESS:PORT…
//
// One thread, one edge-triggered epoll; small transfers through one buffer, bulk by splice; each listener has its one
// origin. It does not look at what it carries, has no timeouts, no names, no counters and no budget per flow, and so
// shows what these cost a proxy that has them.

#include "flow.h"
#include "pump.h"

#include <address.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

struct listener {
    int descriptor;
    struct sockaddr_in origin;
};

/// Tags from here on belong to listeners; the slab never grows so large.
static const uint32_t first_listener = 0x80000000;

/// Connections accepted from one listener before the flows have their turn again.
enum { ACCEPT_BUDGET = 256 };

static int listen_at(const struct sockaddr_in *address) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, seconds = 5;
    // Accepted sockets inherit TCP_NODELAY, and are handed over only once the hello is in them.
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds) < 0 ||
        bind(descriptor, (const struct sockaddr *)address, sizeof *address) < 0 || listen(descriptor, 16384) < 0)
        err(1, "cannot listen on port %d", ntohs(address->sin_port));
    return descriptor;
}

static struct listener parse_listener(const char *argument) {
    char *copy = strdup(argument);
    char *equals = strchr(copy, '=');
    if (!equals) errx(64, "'%s': expected LISTEN_ADDRESS:PORT=ORIGIN_ADDRESS:PORT", argument);
    *equals = 0;
    struct sockaddr_in address = parse_address(copy);
    struct listener listener = {.descriptor = listen_at(&address), .origin = parse_address(equals + 1)};
    free(copy);
    return listener;
}

static void accept_flows(const struct listener *listener) {
    for (int i = 0; i < ACCEPT_BUDGET; i++) {
        int client = accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) return;
        open_flow(client, &listener->origin);
    }
}

static void handle(uint32_t index, uint32_t events) {
    struct side *side = &sides[index];
    // A reset or a refusal: nothing more can pass in either direction.
    if (events & EPOLLERR) return close_flow(index);
    if (side->connecting) {
        if (!(events & EPOLLOUT)) return;
        join_flow(index);
        pump(other(index));
        return;
    }
    if (events & EPOLLRDHUP) side->end_announced = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) side->readable = true;
    bool has_room_again = events & EPOLLOUT && !side->writable;
    if (events & EPOLLOUT) side->writable = true;
    if (side->readable && !pump(index)) return;
    if (has_room_again) pump(other(index));
}

int main(int count, char **arguments) {
    if (count < 2) errx(64, "usage: floor LISTEN_ADDRESS:PORT=ORIGIN_ADDRESS:PORT...");
    signal(SIGPIPE, SIG_IGN);  // splice has no MSG_NOSIGNAL
    struct rlimit descriptors;
    getrlimit(RLIMIT_NOFILE, &descriptors);
    prepare_flows((uint32_t)descriptors.rlim_cur / 2);

    uint32_t listener_count = (uint32_t)count - 1;
    struct listener *listeners = calloc(listener_count, sizeof *listeners);
    for (uint32_t i = 0; i < listener_count; i++) {
        listeners[i] = parse_listener(arguments[i + 1]);
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = first_listener + i};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, listeners[i].descriptor, &event) < 0) err(1, "epoll_ctl");
    }

    struct epoll_event events[512];
    for (;;) {
        int ready = epoll_wait(poller, events, 512, -1);
        if (ready < 0 && errno != EINTR) err(1, "epoll_wait");
        for (int i = 0; i < ready; i++) {
            uint32_t index = (uint32_t)events[i].data.u64;
            if (index >= first_listener)
                accept_flows(&listeners[index - first_listener]);
            else if (events[i].data.u64 == tag_of(index))
                handle(index, events[i].events);
        }
    }
}
