// What Swift's Glibc module cannot reach: GNU-only calls, variadic functions, macros, and relaxed atomic counters.
// Every call answers as the kernel does, with a negative errno, so that nothing in Swift can overwrite errno before it is read.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

// The importer reads these headers without _GNU_SOURCE.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern int pipe2(int *, int);
extern ssize_t splice(int, int64_t *, int, int64_t *, size_t, unsigned);
extern int memfd_create(const char *, unsigned);
extern int mkostemp(char *, int);
extern int pthread_setname_np(pthread_t, const char *);
extern ssize_t pwritev2(int, const struct iovec *, int, off_t, int);

#define KERNEL_ANSWER(call) ({ long answer = (long)(call); answer < 0 ? -(long)errno : answer; })

// --- descriptors

static inline long linux_close(int fd) { return KERNEL_ANSWER(close(fd)); }
static inline long linux_read(int fd, void *into, size_t count) { return KERNEL_ANSWER(read(fd, into, count)); }
static inline long linux_write(int fd, const void *from, size_t count) { return KERNEL_ANSWER(write(fd, from, count)); }
static inline long linux_set_nonblocking(int fd) { return KERNEL_ANSWER(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)); }
static inline long linux_set_close_on_exec(int fd) { return KERNEL_ANSWER(fcntl(fd, F_SETFD, FD_CLOEXEC)); }
static inline long linux_eventfd(void) { return KERNEL_ANSWER(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

static inline long linux_pread(int fd, void *into, size_t count, size_t offset) {
    return KERNEL_ANSWER(pread(fd, into, count, (off_t)offset));
}
// Memory that is a file: it lives for as long as anyone holds its descriptor.
static inline long linux_memory_file(const char *name) { return KERNEL_ANSWER(memfd_create(name, 1 /* MFD_CLOEXEC */)); }
static inline long linux_open_reading(const char *path) { return KERNEL_ANSWER(open(path, O_RDONLY | O_CLOEXEC)); }
static inline long linux_file_size(int fd) { return KERNEL_ANSWER(lseek(fd, 0, SEEK_END)); }
static inline long linux_sync(int fd) { return KERNEL_ANSWER(fsync(fd)); }
// A new file of this process's own beside where it will be: mode 0600, the last six characters of the template chosen.
static inline long linux_open_temporary(char *template) { return KERNEL_ANSWER(mkostemp(template, O_CLOEXEC)); }
static inline long linux_rename(const char *from, const char *to) { return KERNEL_ANSWER(rename(from, to)); }
// A new folder for its owner alone; one that is there already is fine.
static inline long linux_make_folder(const char *path) {
    long answer = KERNEL_ANSWER(mkdir(path, 0700));
    return answer == -EEXIST ? 0 : answer;
}
// Gives an open file to the owner of the folder: what root puts there is for whoever runs the daemon. Others can give nothing away.
static inline long linux_give_to_owner_of(const char *folder, int fd) {
    struct stat of;
    if (geteuid() != 0) return 0;
    if (stat(folder, &of) < 0) return -(long)errno;
    return KERNEL_ANSWER(fchown(fd, of.st_uid, of.st_gid));
}
static inline long linux_unlink(const char *path) { return KERNEL_ANSWER(unlink(path)); }

// --- sockets

static inline long linux_socket(int family) {
    return KERNEL_ANSWER(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}
static inline long linux_accept(int fd) { return KERNEL_ANSWER(accept4(fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC)); }
static inline long linux_accept_from(int fd, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return KERNEL_ANSWER(accept4(fd, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}
static inline long linux_receive(int fd, void *into, size_t count) { return KERNEL_ANSWER(recv(fd, into, count, 0)); }
static inline long linux_send(int fd, const void *from, size_t count, int more) {
    return KERNEL_ANSWER(send(fd, from, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
}
static inline long linux_connect(int fd, const struct sockaddr_storage *to, unsigned length) {
    return KERNEL_ANSWER(connect(fd, (const struct sockaddr *)to, length));
}
static inline long linux_bind(int fd, const struct sockaddr_storage *to, unsigned length) {
    return KERNEL_ANSWER(bind(fd, (const struct sockaddr *)to, length));
}
static inline long linux_listen(int fd, int backlog) { return KERNEL_ANSWER(listen(fd, backlog)); }
// On a listening socket: new connections are refused from now on, while the descriptor stays valid for those who still hold it.
static inline long linux_stop_listening(int fd) { return KERNEL_ANSWER(shutdown(fd, SHUT_RDWR)); }
static inline long linux_shutdown_writing(int fd) { return KERNEL_ANSWER(shutdown(fd, SHUT_WR)); }
static inline long linux_local_address(int fd, struct sockaddr_storage *into) {
    socklen_t length = sizeof *into;
    return KERNEL_ANSWER(getsockname(fd, (struct sockaddr *)into, &length));
}
static inline long linux_peer_address(int fd, struct sockaddr_storage *into) {
    socklen_t length = sizeof *into;
    return KERNEL_ANSWER(getpeername(fd, (struct sockaddr *)into, &length));
}
static inline long linux_set_option(int fd, int level, int name, int value) {
    return KERNEL_ANSWER(setsockopt(fd, level, name, &value, sizeof value));
}
static inline long linux_get_option(int fd, int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) < 0 ? -(long)errno : value;
}
// 1 for a stream socket that listens.
static inline int linux_is_listening(int fd) {
    return linux_get_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 && linux_get_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
}
// Of a socket that listens: connections that wait to be accepted, and how many may (tcp_info has them there).
static inline long linux_accept_queue(int fd, uint32_t *waiting, uint32_t *limit) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -(long)errno;
    if (info.tcpi_state != TCP_LISTEN) return -EINVAL;
    *waiting = info.tcpi_unacked;
    *limit = info.tcpi_sacked;
    return 0;
}
// The connect's outcome as 0 or a negative errno (SO_ERROR gives it positive).
static inline long linux_connect_outcome(int fd) {
    long value = linux_get_option(fd, SOL_SOCKET, SO_ERROR);
    return value > 0 ? -value : value;
}
// A close after this sends RST instead of FIN.
static inline long linux_reset_on_close(int fd) {
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    return KERNEL_ANSWER(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
}
// Bytes on their way: none of a connection that is no more, whose count stands still for ever.
static inline long linux_unsent_bytes(int fd) {
    int value = 0;
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (ioctl(fd, SIOCOUTQ, &value) < 0) return -(long)errno;
    if (value > 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state == TCP_CLOSE) return 0;
    return value;
}
// A Unix socket of datagrams, each of which arrives whole or not at all.
static inline long linux_datagram_socket(void) {
    return KERNEL_ANSWER(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}
// Writes as much as is taken at once, whatever kind of descriptor it is and whoever shares it: -EAGAIN for nothing.
static inline long linux_write_now(int fd, const void *from, size_t count) {
    struct pollfd ready = { .fd = fd, .events = POLLOUT };
    ssize_t sent = send(fd, from, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0 || errno != ENOTSOCK) return sent < 0 ? -(long)errno : sent;
    // A pipe that is ready takes PIPE_BUF bytes without waiting (pipe(7)); a file never waits.
    if (poll(&ready, 1, 0) <= 0) return -EAGAIN;
    if (count > PIPE_BUF) count = PIPE_BUF;
    // Another process may have filled the pipe meanwhile. Kernels before 6.4 cannot be asked not to wait for a pipe.
    struct stat of;
    if (fstat(fd, &of) == 0 && S_ISFIFO(of.st_mode)) {
        struct iovec part = { .iov_base = (void *)from, .iov_len = count };
        sent = pwritev2(fd, &part, 1, -1, 8 /* RWF_NOWAIT */);
        if (sent >= 0 || errno != EOPNOTSUPP) return sent < 0 ? -(long)errno : sent;
    }
    return KERNEL_ANSWER(write(fd, from, count));
}
// Whether both lead to the same file, pipe, socket or terminal.
static inline int linux_is_same_file(int one, int other) {
    struct stat of_one, of_other;
    return fstat(one, &of_one) == 0 && fstat(other, &of_other) == 0 && of_one.st_dev == of_other.st_dev
        && of_one.st_ino == of_other.st_ino;
}
// Connects a Unix socket; a leading '@' means an abstract name.
static inline long linux_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    size_t length = strlen(path);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length + 1);
    return KERNEL_ANSWER(connect(fd, (struct sockaddr *)&address, sizeof address));
}

// --- changes of this machine's addresses (rtnetlink(7))

static inline long linux_watch_addresses(void) {
    struct sockaddr_nl own;
    long fd = KERNEL_ANSWER(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (fd < 0) return fd;
    memset(&own, 0, sizeof own);
    own.nl_family = AF_NETLINK;
    own.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    long answer = KERNEL_ANSWER(bind((int)fd, (struct sockaddr *)&own, sizeof own));
    if (answer < 0) {
        close((int)fd);
        return answer;
    }
    return fd;
}
// Reads and forgets what has come. Each message only says that there is something to look at; some may have been
// dropped (ENOBUFS).
static inline void linux_drain_addresses(int fd) {
    char room[8192];
    while (recv(fd, room, sizeof room, 0) > 0 || errno == ENOBUFS) {}
}

// --- descriptors in flight (unix(7), SCM_RIGHTS)

// Both ends of a connected pair in one number, or a negative errno.
static inline int64_t linux_message_pair(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) return -(int64_t)errno;
    return (int64_t)ends[1] << 32 | (uint32_t)ends[0];
}
// The kernel takes up to 253 descriptors with one message (SCM_MAX_FD).
#define LINUX_MOST_DESCRIPTORS 253
static inline long linux_send_descriptors(int fd, const int *descriptors, unsigned count) {
    union { struct cmsghdr head; char room[CMSG_SPACE(LINUX_MOST_DESCRIPTORS * sizeof(int))]; } control;
    char byte = 0;
    struct iovec part = { .iov_base = &byte, .iov_len = 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (count > LINUX_MOST_DESCRIPTORS) return -EINVAL;
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), descriptors, count * sizeof(int));
    return KERNEL_ANSWER(sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}
// The descriptors of the next message: how many, 0 when there is no further message, or a negative errno.
static inline long linux_receive_descriptors(int fd, int *descriptors) {
    union { struct cmsghdr head; char room[CMSG_SPACE(LINUX_MOST_DESCRIPTORS * sizeof(int))]; } control;
    char byte;
    struct iovec part = { .iov_base = &byte, .iov_len = 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    long answer = KERNEL_ANSWER(recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    if (answer == -EAGAIN || answer == 0) return 0;
    if (answer < 0) return answer;
    // Some were dropped, for want of descriptors here: whatever follows would be taken for others.
    if (message.msg_flags & MSG_CTRUNC) {
        struct cmsghdr *cut = CMSG_FIRSTHDR(&message);
        if (cut && cut->cmsg_level == SOL_SOCKET && cut->cmsg_type == SCM_RIGHTS)
            for (size_t at = 0; CMSG_LEN((at + 1) * sizeof(int)) <= cut->cmsg_len; at++) {
                int one;
                memcpy(&one, CMSG_DATA(cut) + at * sizeof(int), sizeof one);
                close(one);
            }
        return -EMFILE;
    }
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) return -EPROTO;
    unsigned count = (unsigned)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(descriptors, CMSG_DATA(head), count * sizeof(int));
    return count;
}

// --- splice

static inline long linux_splice(int from, int to, size_t count) {
    return KERNEL_ANSWER(splice(from, 0, to, 0, count, 1 /* SPLICE_F_MOVE */ | 2 /* SPLICE_F_NONBLOCK */));
}
static inline long linux_pipe_capacity(int fd) { return KERNEL_ANSWER(fcntl(fd, 1032 /* F_GETPIPE_SZ */)); }
// An empty pipe of at least so many bytes: both ends in one number (read end low, write end high), or a negative errno.
// Beyond the user's share of pipe memory a pipe is made all the same, of 8 KiB, and F_SETPIPE_SZ is refused: that
// counts as no pipe.
static inline int64_t linux_pipe(int capacity) {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return -(int64_t)errno;
    long answer = KERNEL_ANSWER(fcntl(ends[1], 1031 /* F_SETPIPE_SZ */, capacity));
    if (linux_pipe_capacity(ends[1]) < capacity) {
        close(ends[0]);
        close(ends[1]);
        return answer < 0 ? answer : -EPERM;
    }
    return (int64_t)ends[1] << 32 | (uint32_t)ends[0];
}

// --- epoll

static inline long linux_epoll_create(void) { return KERNEL_ANSWER(epoll_create1(EPOLL_CLOEXEC)); }
static inline long linux_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = tag;
    return KERNEL_ANSWER(epoll_ctl(epoll, operation, fd, &event));
}
// A wait that ends early, as when the process was stopped and goes on (signal(7)), says nothing of what has come
// meanwhile; so that is asked for. Whoever judges others by the clock behind the wait would call them silent.
static inline long linux_epoll_wait(int epoll, struct epoll_event *into, int count, int milliseconds) {
    int ready = epoll_wait(epoll, into, count, milliseconds);
    if (ready < 0 && errno == EINTR) ready = epoll_wait(epoll, into, count, 0);
    return KERNEL_ANSWER(ready);
}
static inline uint64_t linux_event_tag(const struct epoll_event *event) { return event->data.u64; }

static inline long linux_poll(struct pollfd *descriptors, unsigned long count, int milliseconds) {
    int ready = poll(descriptors, count, milliseconds);
    if (ready < 0 && errno == EINTR) ready = poll(descriptors, count, 0);
    return KERNEL_ANSWER(ready);
}

// --- time, limits, threads, signals

static inline uint64_t linux_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
static inline uint64_t linux_realtime_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
// To write to a connection that is no more is an error like others. send(2) can be told so call by call; splice(2) cannot.
static inline void linux_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }
static inline void linux_block_signals(void) {
    sigset_t all;
    sigemptyset(&all);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGINT);
    sigaddset(&all, SIGHUP);
    sigprocmask(SIG_BLOCK, &all, 0);
    linux_ignore_broken_pipes();
}
// The number of a pending signal of those blocked above, or 0 after so many milliseconds.
static inline int linux_await_signal(unsigned milliseconds) {
    sigset_t all;
    struct timespec wait = { .tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000 };
    sigemptyset(&all);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGINT);
    sigaddset(&all, SIGHUP);
    int signal = sigtimedwait(&all, 0, &wait);
    return signal > 0 ? signal : 0;
}
// Pages that are never touched cost nothing.
static inline void *linux_reserve_memory(size_t bytes) {
    void *memory = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? 0 : memory;
}

// --- counters: one thread adds, any thread reads

static inline void linux_counter_add(uint64_t *counter, uint64_t amount) {
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + amount, __ATOMIC_RELAXED);
}
static inline uint64_t linux_counter_read(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }

// --- words that any thread changes. Each is for itself, so none orders another.

static inline int linux_word_replace(uint64_t *word, uint64_t old, uint64_t new) {
    return __atomic_compare_exchange_n(word, &old, new, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
// Whoever sees a mark that was set sees what was written before it.
static inline void linux_mark_set(uint64_t *mark, uint64_t value) { __atomic_store_n(mark, value, __ATOMIC_RELEASE); }
static inline uint64_t linux_mark_read(const uint64_t *mark) { return __atomic_load_n(mark, __ATOMIC_ACQUIRE); }
static inline uint64_t linux_word_add(uint64_t *word, uint64_t amount) {
    return __atomic_add_fetch(word, amount, __ATOMIC_RELAXED);
}

#undef KERNEL_ANSWER
