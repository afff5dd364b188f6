#pragma once
#include "client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/// On the monotonic clock.
uint64_t nanoseconds(void);

/// Connects all, and returns when each has had its first answer.
void connect_players(struct player *players, unsigned connections);

void send_ping(struct player *player, unsigned number);

/// True when the whole message is back.
bool receive_pong(struct player *player, unsigned number);
