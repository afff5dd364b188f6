#include "pipes.h"

#include <fcntl.h>
#include <unistd.h>

/// A pipe is held only while bytes are in it, so that even thousands of busy flows share a few.
enum { POOLED = 256 };

static struct pipe pool[POOLED];
static int pooled;

bool borrow_pipe(struct pipe *pipe) {
    if (pooled > 0) {
        *pipe = pool[--pooled];
        return true;
    }
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return false;
    // Refused to an unprivileged user beyond his share; a smaller pipe is slower, not wrong.
    fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    *pipe = (struct pipe){.read_end = ends[0], .write_end = ends[1]};
    return true;
}

void return_pipe(struct pipe pipe) {
    if (pooled < POOLED)
        pool[pooled++] = pipe;
    else
        close_pipe(pipe);
}

void close_pipe(struct pipe pipe) {
    close(pipe.read_end);
    close(pipe.write_end);
}
