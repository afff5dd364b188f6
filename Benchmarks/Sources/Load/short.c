#include "client.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/// About what a server sends back first in TLS 1.3 when the session is resumed, and a small answer with it.
static const struct request request = {.answer_bytes = 1024};

void run_short(unsigned concurrency, double seconds) {
    struct client *clients = calloc(concurrency, sizeof *clients);
    begin();
    double start = now(), end = start + seconds, moment = start;
    unsigned long long finished = 0;
    unsigned open = concurrency;
    for (unsigned number = 0; number < concurrency; number++) open_client(&clients[number], number, request);

    struct epoll_event events[64];
    while (open > 0) {
        int ready = wait_for_events(events, 64);
        moment = now();
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            if (read_answer(&clients[number], number) != ENDED) continue;
            close(clients[number].descriptor);
            finished++;
            if (moment < end)
                open_client(&clients[number], number, request);
            else
                open--;
        }
    }
    printf("{\"connections\": %llu, \"seconds\": %.6f}\n", finished, moment - start);
    free(clients);
}
