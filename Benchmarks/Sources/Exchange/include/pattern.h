#pragma once
#include <stdint.h>

/// At least this many bytes can be read from wherever `pattern_at` points.
#define PATTERN_SLICE (256 * 1024)

/// Fills the table behind `pattern_at`; call it once, before anything else here.
void make_pattern(void);

/// The bytes that the origin with this number sends from `offset` of its answer on.
///
/// They differ from place to place and from origin to origin, so that a byte lost, doubled or moved, and an answer
/// from the wrong origin, are seen by comparing. They repeat, to stay in the cache: count as well as compare.
const uint8_t *pattern_at(unsigned origin, uint64_t offset);
