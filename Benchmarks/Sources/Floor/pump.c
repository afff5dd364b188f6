#include "pump.h"

#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/// Where small transfers pass through. One for all flows: nothing stays in it.
static uint8_t scratch[64 * 1024];

/// A first read as full as this is the start of a bulk transfer, which splice carries for less.
/// The direction then stays so: no workload of the benchmark turns from bulk to small messages.
enum { BULK_BYTES = 32 * 1024 };

/// What a step of the pump leaves to do.
enum step {
    /// The next step may succeed.
    GO_ON,
    /// Nothing, until an event.
    WAIT,
    /// The flow has ended or failed; it has to be closed.
    CLOSE,
};

/// After a write that would have blocked.
static enum step wait_for_room(uint32_t sink) {
    sides[sink].writable = false;
    report_room(sink);
    return WAIT;
}

/// Writes what an earlier write left over.
static enum step write_rest(struct side *side, uint32_t sink) {
    ssize_t count = send(sides[sink].descriptor, side->rest + side->rest_offset, side->rest_bytes, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN ? wait_for_room(sink) : CLOSE;
    side->rest_offset += (uint32_t)count;
    side->rest_bytes -= (uint32_t)count;
    if (side->rest_bytes > 0) return wait_for_room(sink);
    free(side->rest);
    return GO_ON;
}

/// Writes what is in the pipe.
static enum step drain_pipe(struct side *side, uint32_t sink) {
    ssize_t count = splice(side->pipe.read_end, NULL, sides[sink].descriptor, NULL, side->piped_bytes,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (count < 0) return errno == EAGAIN ? wait_for_room(sink) : CLOSE;
    side->piped_bytes -= (uint32_t)count;
    if (side->piped_bytes == 0) return_pipe(side->pipe);
    return GO_ON;
}

/// All that came was passed on: passes the end on too, and closes the flow when both directions have ended.
static enum step pass_end(uint32_t sink) {
    struct side *opposite = &sides[sink];
    if (opposite->ended && opposite->rest_bytes == 0 && opposite->piped_bytes == 0) return CLOSE;
    if (!opposite->shut) {
        opposite->shut = true;
        shutdown(opposite->descriptor, SHUT_WR);
    }
    return WAIT;
}

static enum step fill_pipe(struct side *side) {
    struct pipe pipe;
    if (!borrow_pipe(&pipe)) return CLOSE;
    ssize_t count =
        splice(side->descriptor, NULL, pipe.write_end, NULL, PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    int error = errno;
    if (count > 0) {
        side->pipe = pipe;
        side->piped_bytes = (uint32_t)count;
        return GO_ON;
    }
    return_pipe(pipe);
    if (count == 0) {
        side->ended = true;
        return GO_ON;
    }
    // The pipe is empty, so it is the socket that would block.
    if (error != EAGAIN) return CLOSE;
    side->readable = false;
    return WAIT;
}

/// Reads into the scratch buffer and writes from it at once.
static enum step copy(struct side *side, uint32_t sink) {
    ssize_t count = recv(side->descriptor, scratch, sizeof scratch, 0);
    if (count == 0) {
        side->ended = true;
        return GO_ON;
    }
    if (count < 0) {
        if (errno != EAGAIN) return CLOSE;
        side->readable = false;
        return WAIT;
    }
    if (count >= BULK_BYTES) side->bulk = true;
    if (count < (ssize_t)sizeof scratch) {
        // The socket is empty. Saying so now spares a read that would only find EAGAIN, or the end.
        side->readable = false;
        side->ended = side->end_announced;
    }
    // Held back for the FIN that `pass_end` sends next: one packet instead of two.
    int more = side->ended ? MSG_MORE : 0;
    ssize_t written = send(sides[sink].descriptor, scratch, (size_t)count, MSG_NOSIGNAL | more);
    if (written < 0 && errno != EAGAIN) return CLOSE;
    if (written < 0) written = 0;
    if (written == count) return side->readable || side->ended ? GO_ON : WAIT;

    side->rest_bytes = (uint32_t)(count - written);
    side->rest_offset = 0;
    side->rest = malloc(side->rest_bytes);
    if (!side->rest) {
        side->rest_bytes = 0;
        return CLOSE;
    }
    memcpy(side->rest, scratch + written, side->rest_bytes);
    return wait_for_room(sink);
}

static enum step next_step(struct side *side, uint32_t sink) {
    if (side->rest_bytes > 0) return sides[sink].writable ? write_rest(side, sink) : WAIT;
    if (side->piped_bytes > 0) return sides[sink].writable ? drain_pipe(side, sink) : WAIT;
    if (side->ended) return pass_end(sink);
    // Reading only what can be written is all the backpressure there is.
    if (!side->readable || !sides[sink].writable) return WAIT;
    return side->bulk ? fill_pipe(side) : copy(side, sink);
}

bool pump(uint32_t index) {
    for (;;) switch (next_step(&sides[index], other(index))) {
        case GO_ON: continue;
        case WAIT: return true;
        case CLOSE: close_flow(index); return false;
        }
}
