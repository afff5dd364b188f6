#include "pattern.h"

#include <string.h>

/// The answers repeat after this many bytes: small enough for any processor's second-level cache.
enum { PERIOD = 128 * 1024 };

/// How far apart in the pattern the answers of two origins begin.
enum { ORIGIN_STEP = 4096 + 4 };

static uint8_t pattern[PERIOD + PATTERN_SLICE];

void make_pattern(void) {
    for (uint32_t position = 0; position < sizeof pattern; position += sizeof position) {
        // Knuth's multiplicative hash: neighbouring words look nothing alike.
        uint32_t word = (position % PERIOD) / sizeof position * 2654435761u;
        memcpy(pattern + position, &word, sizeof word);
    }
}

const uint8_t *pattern_at(unsigned origin, uint64_t offset) {
    return pattern + (offset + origin * (uint64_t)ORIGIN_STEP) % PERIOD;
}
