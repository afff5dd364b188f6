#pragma once
#include <stdbool.h>
#include <stdint.h>

/// Moves what can be moved from this side to the other. False when that has ended the flow, which is then closed.
bool pump(uint32_t index);
