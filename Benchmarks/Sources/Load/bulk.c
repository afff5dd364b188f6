#include "client.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

void run_bulk(unsigned concurrency, unsigned long long bytes) {
    struct client *clients = calloc(concurrency, sizeof *clients);
    struct request request = {.answer_bytes = bytes / concurrency};
    begin();
    double start = now();
    for (unsigned number = 0; number < concurrency; number++) open_client(&clients[number], number, request);

    struct epoll_event events[64];
    for (unsigned open = concurrency; open > 0;) {
        int ready = wait_for_events(events, 64);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            if (read_answer(&clients[number], number) != ENDED) continue;
            close(clients[number].descriptor);
            open--;
        }
    }
    printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", bytes / concurrency * concurrency, now() - start);
    free(clients);
}
