#include "latency.h"
#include "player.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

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
