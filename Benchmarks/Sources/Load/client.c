#include "client.h"

#include <err.h>
#include <errno.h>
#include <pattern.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int poller;
static const struct named_address *targets;
static unsigned target_count;

/// Of every such stretch of an answer, the first part is compared with the pattern and the rest only counted, without
/// even copying it: reading two gigabytes must cost less than relaying them.
enum { STRETCH = 1 << 20, COMPARED = 64 * 1024 };

/// How much one client may read before the others have their turn.
enum { READ_BUDGET = 2 << 20 };

void prepare_clients(const struct named_address *all, unsigned count) {
    targets = all;
    target_count = count;
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) err(1, "epoll_create1");
}

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void fail(unsigned number, const struct client *client, const char *reason) {
    errx(1, "connection %u to %s, after %llu bytes: %s", number, targets[client->target].name,
         (unsigned long long)client->received, reason);
}

/// False when the connection does not stand yet.
static bool send_hello(struct client *client, unsigned number) {
    uint8_t hello[HELLO_BYTES];
    write_hello(hello, targets[client->target].name, client->request);
    ssize_t count = send(client->descriptor, hello, sizeof hello, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return false;
    // A new connection has room for all of it.
    if (count != sizeof hello) fail(number, client, count < 0 ? strerror(errno) : "the hello found no room");
    client->hello_sent = true;
    return true;
}

static void watch(struct client *client, unsigned number, int operation, uint32_t interest) {
    struct epoll_event event = {.events = interest, .data.u32 = number};
    if (epoll_ctl(poller, operation, client->descriptor, &event) < 0) err(1, "epoll_ctl");
}

void open_client(struct client *client, unsigned number, struct request request) {
    *client = (struct client){.target = number % target_count, .request = request};
    client->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->descriptor < 0) err(1, "socket");
    const struct sockaddr_in *address = &targets[client->target].address;
    if (connect(client->descriptor, (const struct sockaddr *)address, sizeof *address) < 0 && errno != EINPROGRESS)
        fail(number, client, strerror(errno));
    // On the loopback interface the connection usually stands by now.
    bool sent = send_hello(client, number);
    watch(client, number, EPOLL_CTL_ADD, sent ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

/// Reads what comes next of the answer; checks it; answers what `recv` did.
static ssize_t read_part(struct client *client, unsigned number) {
    static uint8_t buffer[COMPARED];
    uint64_t in_stretch = client->received % STRETCH;
    if (in_stretch >= COMPARED)
        return recv(client->descriptor, NULL, STRETCH - in_stretch, MSG_TRUNC);

    ssize_t count = recv(client->descriptor, buffer, COMPARED - in_stretch, 0);
    if (count > 0 && memcmp(buffer, pattern_at(client->target, client->received), (size_t)count) != 0)
        fail(number, client, "what came next is not what the origin sent");
    return count;
}

enum progress read_answer(struct client *client, unsigned number) {
    if (!client->hello_sent) {
        if (send_hello(client, number)) watch(client, number, EPOLL_CTL_MOD, EPOLLIN);
        return PARTIAL;
    }
    for (uint64_t limit = client->received + READ_BUDGET; client->received < limit;) {
        ssize_t count = read_part(client, number);
        if (count < 0 && errno == EAGAIN) return PARTIAL;
        if (count < 0) fail(number, client, strerror(errno));
        if (count == 0) {
            if (client->received != client->request.answer_bytes) fail(number, client, "ended too early");
            return ENDED;
        }
        client->received += (uint64_t)count;
        if (client->received > client->request.answer_bytes) fail(number, client, "more came than the origin sent");
        if (client->received == client->request.answer_bytes && client->request.then_echo) return ANSWERED;
    }
    return PARTIAL;
}

int wait_for_events(struct epoll_event *events, int capacity) {
    int ready = epoll_wait(poller, events, capacity, 10000);
    if (ready < 0) err(1, "epoll_wait");
    if (ready == 0) errx(1, "nothing has arrived for ten seconds");
    return ready;
}
