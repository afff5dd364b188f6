#include "client.h"
#include "workload.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/// How long a stranger stays who is not sent away, in seconds.
static const double stay = 1;

/// Strangers that are there at a time, if there are descriptors for so many.
enum { MOST_STRANGERS = 16384 };

/// Opened between two looks at events, so that neither waits long for the other.
enum { BATCH = 64 };

enum { NOBODY = UINT32_MAX };

/// Somebody who says a hello and waits for what comes of it.
struct stranger {
    int descriptor;
    bool said;
    bool answered;
    double leaves_at;
    /// In the order of their coming, which is that of their leaving.
    unsigned before, after;
};

struct crowd {
    const struct named_address *target;
    unsigned addresses;
    uint8_t hello[HELLO_BYTES];
    struct stranger *strangers;
    unsigned *free_numbers;
    unsigned free_count, capacity;
    unsigned oldest, newest;
    unsigned long long opened, said, reset, closed, answered, unheard, without_port;
};

static void leave(struct crowd *crowd, unsigned number) {
    struct stranger *stranger = &crowd->strangers[number];
    // With a reset, so that no port waits for a minute.
    struct linger at_once = {.l_onoff = 1};
    setsockopt(stranger->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(stranger->descriptor);
    if (stranger->before == NOBODY) crowd->oldest = stranger->after;
    else crowd->strangers[stranger->before].after = stranger->after;
    if (stranger->after == NOBODY) crowd->newest = stranger->before;
    else crowd->strangers[stranger->after].before = stranger->before;
    crowd->free_numbers[crowd->free_count++] = number;
}

/// Says the hello as soon as the connection stands; false when the stranger was sent away meanwhile.
static bool say(struct crowd *crowd, struct stranger *stranger) {
    ssize_t count = send(stranger->descriptor, crowd->hello, sizeof crowd->hello, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return true;
    if (count < 0) return false;
    stranger->said = true;
    crowd->said++;
    return true;
}

static int connect_from(struct crowd *crowd, uint32_t source) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) err(1, "socket");
    int on = 1;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(descriptor, (const struct sockaddr *)&own, sizeof own) < 0) err(1, "bind");
    const struct sockaddr_in *address = &crowd->target->address;
    if (connect(descriptor, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EINPROGRESS)
        return descriptor;
    if (errno != EADDRNOTAVAIL) err(1, "connect");
    close(descriptor);
    return -1;
}

static void come(struct crowd *crowd, double moment) {
    // From 127.128.0.1 on: none of these is anybody else's.
    uint32_t source = 0x7f800001u + (uint32_t)(crowd->opened % crowd->addresses);
    int descriptor = connect_from(crowd, source);
    crowd->opened++;
    if (descriptor < 0) {
        crowd->without_port++;
        return;
    }
    unsigned number = crowd->free_numbers[--crowd->free_count];
    struct stranger *stranger = &crowd->strangers[number];
    *stranger = (struct stranger){
        .descriptor = descriptor, .leaves_at = moment + stay, .before = crowd->newest, .after = NOBODY};
    if (crowd->newest == NOBODY) crowd->oldest = number;
    else crowd->strangers[crowd->newest].after = number;
    crowd->newest = number;
    if (!say(crowd, stranger)) {
        crowd->reset++;
        return leave(crowd, number);
    }
    struct epoll_event event = {.events = stranger->said ? EPOLLIN : EPOLLIN | EPOLLOUT, .data.u32 = number};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) < 0) err(1, "epoll_ctl");
}

static void hear(struct crowd *crowd, unsigned number, uint32_t events) {
    struct stranger *stranger = &crowd->strangers[number];
    if (!stranger->said && !(events & (EPOLLERR | EPOLLHUP))) {
        bool is_here = say(crowd, stranger);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
        if (is_here && stranger->said && epoll_ctl(poller, EPOLL_CTL_MOD, stranger->descriptor, &event) < 0)
            err(1, "epoll_ctl");
        if (is_here) return;
        crowd->reset++;
        return leave(crowd, number);
    }
    static char answer[4096];
    ssize_t count = recv(stranger->descriptor, answer, sizeof answer, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count > 0) {
        if (!stranger->answered) crowd->answered++;
        stranger->answered = true;
        return;
    }
    if (count < 0) crowd->reset++;
    else crowd->closed++;
    leave(crowd, number);
}

static struct crowd make_crowd(unsigned addresses, const struct named_address *target) {
    struct rlimit descriptors;
    getrlimit(RLIMIT_NOFILE, &descriptors);
    struct crowd crowd = {.target = target, .addresses = addresses, .capacity = MOST_STRANGERS, .oldest = NOBODY, .newest = NOBODY};
    // Some are for whatever else a process has open.
    if (descriptors.rlim_cur < crowd.capacity + 64) crowd.capacity = (unsigned)descriptors.rlim_cur - 64;
    crowd.free_count = crowd.capacity;
    crowd.strangers = calloc(crowd.capacity, sizeof *crowd.strangers);
    crowd.free_numbers = calloc(crowd.capacity, sizeof *crowd.free_numbers);
    for (unsigned number = 0; number < crowd.capacity; number++) crowd.free_numbers[number] = number;
    write_hello(crowd.hello, target->name, (struct request){.answer_bytes = 0});
    return crowd;
}

void run_flood(double rate, double seconds, unsigned addresses, const struct named_address *target) {
    struct crowd crowd = make_crowd(addresses, target);
    begin();
    double start = now(), moment = start;
    struct epoll_event events[256];
    while (moment < start + seconds) {
        for (unsigned batch = 0; batch < BATCH && crowd.free_count > 0 && (double)crowd.opened < (moment - start) * rate; batch++)
            come(&crowd, moment);
        bool is_behind = crowd.free_count > 0 && (double)crowd.opened < (moment - start) * rate;
        int ready = epoll_wait(poller, events, 256, is_behind ? 0 : 1);
        if (ready < 0) err(1, "epoll_wait");
        for (int i = 0; i < ready; i++) hear(&crowd, events[i].data.u32, events[i].events);
        moment = now();
        while (crowd.oldest != NOBODY && crowd.strangers[crowd.oldest].leaves_at <= moment) {
            if (!crowd.strangers[crowd.oldest].said) crowd.unheard++;
            leave(&crowd, crowd.oldest);
        }
    }
    printf("{\"seconds\": %.6f, \"opened\": %llu, \"said\": %llu, \"reset\": %llu, \"closed\": %llu, \"answered\": %llu, "
           "\"unheard\": %llu, \"withoutPort\": %llu}\n",
           moment - start, crowd.opened, crowd.said, crowd.reset, crowd.closed, crowd.answered, crowd.unheard, crowd.without_port);
    while (crowd.oldest != NOBODY) leave(&crowd, crowd.oldest);
    free(crowd.free_numbers);
    free(crowd.strangers);
}
