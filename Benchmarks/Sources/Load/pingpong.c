#include "client.h"
#include "latency.h"
#include "workload.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

/// An answer as short as the messages, so that the connection never looks like a bulk transfer.
static const struct request request = {.answer_bytes = 64, .then_echo = true};

/// What goes to the origin and comes back: different each time and on each connection.
struct message {
    uint64_t sequence;
    uint64_t connection;
    uint64_t filler[6];
};

/// A long connection and the message that is under way on it.
struct player {
    struct client client;
    struct message sent;
    size_t returned_bytes;
    uint64_t sent_at;
};

static uint64_t nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void send_ping(struct player *player, unsigned number) {
    struct message *message = &player->sent;
    message->sequence++;
    message->connection = number;
    for (unsigned i = 0; i < 6; i++) message->filler[i] = (message->sequence + number) * 0x9e3779b97f4a7c15 + i;
    player->returned_bytes = 0;
    player->sent_at = nanoseconds();
    if (send(player->client.descriptor, message, sizeof *message, MSG_NOSIGNAL) != sizeof *message)
        fail(number, &player->client, "a message found no room");
}

/// True when the whole message is back.
static bool receive_pong(struct player *player, unsigned number) {
    struct message returned;
    size_t rest = sizeof returned - player->returned_bytes;
    ssize_t count = recv(player->client.descriptor, &returned, rest, 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count <= 0) fail(number, &player->client, count < 0 ? strerror(errno) : "ended while a message was under way");
    if (memcmp(&returned, (const char *)&player->sent + player->returned_bytes, (size_t)count) != 0)
        fail(number, &player->client, "a message came back changed");
    player->returned_bytes += (size_t)count;
    return player->returned_bytes == sizeof returned;
}

static void connect_players(struct player *players, unsigned connections) {
    for (unsigned number = 0; number < connections; number++) open_client(&players[number].client, number, request);
    struct epoll_event events[64];
    for (unsigned answered = 0; answered < connections;) {
        int ready = wait_for_events(events, 64);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            if (read_answer(&players[number].client, number) == ANSWERED) answered++;
        }
    }
}

void run_pingpong(unsigned connections, double seconds) {
    struct player *players = calloc(connections, sizeof *players);
    struct latencies *latencies = calloc(1, sizeof *latencies);
    connect_players(players, connections);
    begin();
    double start = now(), end = start + seconds, moment = start;
    unsigned playing = connections;
    for (unsigned number = 0; number < connections; number++) send_ping(&players[number], number);

    struct epoll_event events[64];
    while (playing > 0) {
        int ready = wait_for_events(events, 64);
        moment = now();
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            struct player *player = &players[number];
            if (!receive_pong(player, number)) continue;
            count_latency(latencies, nanoseconds() - player->sent_at);
            if (moment < end)
                send_ping(player, number);
            else
                playing--;
        }
    }
    printf("{\"roundTrips\": %llu, \"seconds\": %.6f, \"p50Microseconds\": %.1f, \"p99Microseconds\": %.1f}\n",
           (unsigned long long)latencies->total, moment - start, latency_at(latencies, 0.5) / 1e3,
           latency_at(latencies, 0.99) / 1e3);
    free(latencies);
    free(players);
}
