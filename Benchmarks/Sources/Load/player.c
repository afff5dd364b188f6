#include "player.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

/// An answer as short as the messages, so that the connection never looks like a bulk transfer.
static const struct request request = {.answer_bytes = 64, .then_echo = true};

uint64_t nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void send_ping(struct player *player, unsigned number) {
    struct message *message = &player->sent;
    message->sequence++;
    message->connection = number;
    for (unsigned i = 0; i < 6; i++) message->filler[i] = (message->sequence + number) * 0x9e3779b97f4a7c15 + i;
    player->returned_bytes = 0;
    player->sent_at = nanoseconds();
    if (send(player->client.descriptor, message, sizeof *message, MSG_NOSIGNAL) != sizeof *message)
        fail(number, &player->client, "a message found no room");
}

bool receive_pong(struct player *player, unsigned number) {
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

void connect_players(struct player *players, unsigned connections) {
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
