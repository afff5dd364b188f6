#pragma once
#include "pipes.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// One of the two connections of a flow, and what was read from it but not yet written to the other.
///
/// The two sides of a flow are neighbours in one slab: the client's at an even index, the origin's at the next. An
/// idle flow is these two structs and nothing else: it holds neither buffer nor pipe.
struct side {
    int descriptor;
    /// Grows whenever the place is vacated, so that a late event for a closed flow is recognised.
    uint32_t generation;

    /// Set by an edge-triggered event, cleared by the read or write that would have blocked.
    bool readable : 1, writable : 1;
    /// The other end has closed its direction; whatever it sent is already in the socket.
    bool end_announced : 1;
    /// All that the other end sent has been read.
    bool ended : 1;
    /// We have closed our direction.
    bool shut : 1;
    /// The origin's connection does not stand yet.
    bool connecting : 1;
    /// epoll reports room to write as well.
    bool reports_room : 1;
    /// What is read here comes in quantities worth a splice.
    bool bulk : 1;

    /// What a short write left over, from `rest_offset` on; allocated only as long as there is some.
    uint8_t *rest;
    uint32_t rest_offset, rest_bytes;

    /// Bytes in the pipe, which is ours only while there are some.
    uint32_t piped_bytes;
    struct pipe pipe;
};

extern struct side *sides;

/// The side that this one is relayed to.
static inline uint32_t other(uint32_t index) { return index ^ 1; }

/// Reserves room for as many flows as the process can have descriptors for, and makes the epoll.
void prepare_flows(uint32_t capacity);

/// What an event carries: the generation in the upper half, the index in the lower.
uint64_t tag_of(uint32_t index);

/// The descriptor of the epoll.
extern int poller;

/// Takes over an accepted client and begins to connect to its origin.
void open_flow(int client, const struct sockaddr_in *origin);

/// The origin's connection stands: from now on the client is listened to as well.
void join_flow(uint32_t origin_index);

/// Asks epoll to report room to write; it stays asked for.
void report_room(uint32_t index);

/// Closes both connections at once and gives the place back.
void close_flow(uint32_t index);
