// The near end of the traffic: plays one workload against a proxy, and checks every answer.
//
//     load short    CONCURRENCY SECONDS NAME=ADDRESS:PORT…
//     load bulk     CONCURRENCY BYTES   NAME=ADDRESS:PORT…
//     load pingpong CONNECTIONS SECONDS NAME=ADDRESS:PORT…
//     load idle     CONNECTIONS         NAME=ADDRESS:PORT…
//     load pulse    CONNECTIONS SECONDS NAME=ADDRESS:PORT…
//     load steady   RATE SECONDS        NAME=ADDRESS:PORT…
//     load flood    RATE SECONDS ADDRESSES NAME=ADDRESS:PORT
//
// NAME is sent as the server name; ADDRESS:PORT is where the proxy takes connections for it. The names must come in
// the order in which the origin was given them, since each of its origins answers with its own bytes.
//
// Says "ready", waits for a line on standard input, plays, prints its figures as JSON, waits for the end of standard
// input and closes what is still open. Any wrong, missing or surplus byte ends it with a message and status 1.

#include "client.h"
#include "workload.h"

#include <err.h>
#include <pattern.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void begin(void) {
    puts("ready");
    fflush(stdout);
    int character;
    while ((character = getchar()) != '\n')
        if (character == EOF) exit(0);
}

static void wait_for_the_end_of_input(void) {
    fflush(stdout);
    while (getchar() != EOF) continue;
}

static double number_from(const char *argument) {
    char *end;
    double number = strtod(argument, &end);
    if (*end || !(number > 0)) errx(64, "'%s': expected a number greater than 0", argument);
    return number;
}

int main(int count, char **arguments) {
    bool idle = count > 1 && strcmp(arguments[1], "idle") == 0;
    bool flood = count > 1 && strcmp(arguments[1], "flood") == 0;
    int first_target = idle ? 3 : flood ? 5 : 4;
    if (count <= first_target)
        errx(64, "usage: load short|bulk|pingpong|pulse CONNECTIONS SECONDS|BYTES NAME=ADDRESS:PORT...\n"
                 "       load idle CONNECTIONS NAME=ADDRESS:PORT...\n"
                 "       load steady RATE SECONDS NAME=ADDRESS:PORT...\n"
                 "       load flood RATE SECONDS ADDRESSES NAME=ADDRESS:PORT");
    unsigned target_count = (unsigned)(count - first_target);
    struct named_address *targets = calloc(target_count, sizeof *targets);
    for (unsigned i = 0; i < target_count; i++) targets[i] = parse_named_address(arguments[first_target + (int)i]);
    make_pattern();
    prepare_clients(targets, target_count);

    const char *workload = arguments[1];
    unsigned connections = (unsigned)number_from(arguments[2]);
    if (idle)
        run_idle(connections);
    else if (strcmp(workload, "short") == 0)
        run_short(connections, number_from(arguments[3]));
    else if (strcmp(workload, "bulk") == 0)
        run_bulk(connections, (unsigned long long)number_from(arguments[3]));
    else if (strcmp(workload, "pingpong") == 0)
        run_pingpong(connections, number_from(arguments[3]));
    else if (strcmp(workload, "pulse") == 0)
        run_pulse(connections, number_from(arguments[3]));
    else if (strcmp(workload, "steady") == 0)
        run_steady(number_from(arguments[2]), number_from(arguments[3]));
    else if (flood)
        run_flood(number_from(arguments[2]), number_from(arguments[3]), (unsigned)number_from(arguments[4]), &targets[0]);
    else
        errx(64, "'%s': expected short, bulk, pingpong, idle, pulse, steady or flood", workload);
    wait_for_the_end_of_input();
    return 0;
}
