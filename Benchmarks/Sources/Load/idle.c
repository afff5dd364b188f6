#include "client.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

/// The same answer as a short connection has, but the origin does not close after it.
static const struct request request = {.answer_bytes = 1024, .then_echo = true};

/// Connections being made at a time: below every proxy's listen backlog, so that no SYN is dropped and sent again
/// after a second.
enum { CONCURRENCY = 256 };

void run_idle(unsigned connections) {
    struct client *clients = calloc(connections, sizeof *clients);
    begin();
    double start = now();
    unsigned opened = 0, answered = 0;
    struct epoll_event events[64];
    while (answered < connections) {
        for (; opened < connections && opened - answered < CONCURRENCY; opened++)
            open_client(&clients[opened], opened, request);
        int ready = wait_for_events(events, 64);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            struct client *client = &clients[number];
            if (client->received == request.answer_bytes)
                fail(number, client, "an idle connection did not keep silent");
            if (read_answer(client, number) == ANSWERED) answered++;
        }
    }
    printf("{\"connections\": %u, \"seconds\": %.6f}\n", connections, now() - start);
    free(clients);
}
