#include "latency.h"

/// Below 32 ns every value is its own bucket; above, the five bits after the leading one choose it.
static unsigned bucket_of(uint64_t nanoseconds) {
    if (nanoseconds < 32) return (unsigned)nanoseconds;
    unsigned exponent = 63 - (unsigned)__builtin_clzll(nanoseconds);
    return (exponent - 4) * 32 + (unsigned)(nanoseconds >> (exponent - 5) & 31);
}

/// The middle of a bucket.
static double value_of(unsigned bucket) {
    if (bucket < 32) return bucket;
    unsigned exponent = bucket / 32 + 4;
    return (double)(1ull << (exponent - 5)) * (32.5 + bucket % 32);
}

void count_latency(struct latencies *latencies, uint64_t nanoseconds) {
    latencies->counts[bucket_of(nanoseconds)]++;
    latencies->total++;
}

double latency_at(const struct latencies *latencies, double share) {
    double wanted = share * (double)latencies->total;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < sizeof latencies->counts / sizeof *latencies->counts; bucket++) {
        seen += latencies->counts[bucket];
        if (seen > 0 && (double)seen >= wanted) return value_of(bucket);
    }
    return 0;
}
