#pragma once
#include <address.h>
#include <hello.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/// One connection to the proxy under test, from its hello to the end of the answer.
struct client {
    int descriptor;
    /// Which of the targets, and so which origin must answer.
    unsigned target;
    struct request request;
    bool hello_sent;
    /// Bytes of the answer so far, all of them counted and some compared.
    uint64_t received;
};

/// What is left to do with a client after its socket was read.
enum progress {
    /// More of the answer is to come.
    PARTIAL,
    /// The answer is complete, and the origin goes on by echoing.
    ANSWERED,
    /// The answer is complete, and the connection is at its end. The descriptor is still open.
    ENDED,
};

/// The descriptor of the epoll that all clients are registered with.
extern int poller;

/// Makes the epoll, and remembers where clients connect to: client `n` goes to target `n` modulo their number.
void prepare_clients(const struct named_address *targets, unsigned target_count);

/// Connects, and sends the hello as soon as the connection stands. Events of the client carry `number`.
void open_client(struct client *client, unsigned number, struct request request);

/// Deals with an event of a client whose answer is not complete. What it read is checked; any fault ends the process.
enum progress read_answer(struct client *client, unsigned number);

/// Waits for events, and ends the process when none comes for ten seconds: the proxy has stalled.
int wait_for_events(struct epoll_event *events, int capacity);

/// Ends the process with a message about a client.
void fail(unsigned number, const struct client *client, const char *reason) __attribute__((noreturn));

/// Seconds on the monotonic clock.
double now(void);
