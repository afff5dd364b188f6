#pragma once
#include <stdbool.h>

/// A pipe through which bytes go from socket to socket without entering this process.
struct pipe {
    int read_end, write_end;
};

/// What one splice can move. With pipes of the default 64 KiB a gigabyte costs twice the processor time.
enum { PIPE_BYTES = 1 << 20 };

/// Takes an empty pipe from the pool, or makes one. False when the process has no descriptors left.
bool borrow_pipe(struct pipe *pipe);

/// Takes an empty pipe back. One that still holds bytes must be closed instead.
void return_pipe(struct pipe pipe);

void close_pipe(struct pipe pipe);
