#include "client.h"
#include "latency.h"
#include "workload.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/// The same answer as a short connection has.
static const struct request request = {.answer_bytes = 1024};

/// Far more than are open at the rates that this is for, unless the proxy has stalled.
enum { MOST_OPEN = 4096 };

void run_steady(double rate, double seconds) {
    struct client *clients = calloc(MOST_OPEN, sizeof *clients);
    double *opened_at = calloc(MOST_OPEN, sizeof *opened_at);
    unsigned *free_numbers = calloc(MOST_OPEN, sizeof *free_numbers);
    struct latencies *latencies = calloc(1, sizeof *latencies);
    unsigned free_count = MOST_OPEN;
    for (unsigned number = 0; number < MOST_OPEN; number++) free_numbers[number] = MOST_OPEN - 1 - number;
    begin();
    double start = now(), moment = start, longest = 0;
    unsigned long long opened = 0;

    struct epoll_event events[64];
    while (moment < start + seconds || free_count < MOST_OPEN) {
        for (; moment < start + seconds && opened < (moment - start) * rate; opened++) {
            if (free_count == 0) errx(1, "%u connections have had no answer", MOST_OPEN);
            unsigned number = free_numbers[--free_count];
            opened_at[number] = now();
            open_client(&clients[number], number, request);
        }
        // A millisecond is as exact as the rate has to be.
        int ready = epoll_wait(poller, events, 64, 1);
        if (ready < 0) err(1, "epoll_wait");
        moment = now();
        if (moment > start + seconds + 10) errx(1, "%u connections have had no answer for ten seconds", MOST_OPEN - free_count);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            if (read_answer(&clients[number], number) != ENDED) continue;
            close(clients[number].descriptor);
            free_numbers[free_count++] = number;
            double taken = now() - opened_at[number];
            count_latency(latencies, (uint64_t)(taken * 1e9));
            if (taken > longest) longest = taken;
        }
    }
    printf("{\"connections\": %llu, \"seconds\": %.6f, \"p50Microseconds\": %.1f, \"p99Microseconds\": %.1f, \"longestMicroseconds\": %.1f}\n",
           opened, moment - start, latency_at(latencies, 0.5) / 1e3, latency_at(latencies, 0.99) / 1e3, longest * 1e6);
    free(latencies);
    free(free_numbers);
    free(opened_at);
    free(clients);
}
