#pragma once
#include <stdint.h>

/// How often each latency was seen, to a precision of 1/32: as in HdrHistogram, each power of two is cut into 32.
struct latencies {
    uint64_t counts[64 * 32];
    uint64_t total;
};

void count_latency(struct latencies *latencies, uint64_t nanoseconds);

/// The latency, in nanoseconds, that the given share (0 to 1) of all did not exceed.
double latency_at(const struct latencies *latencies, double share);
