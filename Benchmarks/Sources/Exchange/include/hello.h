#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The TLS record with the ClientHello is always this long: what browsers padded theirs to before post-quantum
/// key shares, and room enough for any of our names.
#define HELLO_BYTES 517

/// What the client asks of the origin.
///
/// It travels in the `random` field of the ClientHello, where no proxy looks, so that nothing but the hello has to
/// be sent and a proxy needs only one configuration for all workloads.
struct request {
    /// How much of its pattern the origin sends.
    uint64_t answer_bytes;
    /// After the answer: send back all that arrives (true), or close (false).
    bool then_echo;
};

/// Writes the ClientHello, `HELLO_BYTES` long, in which `name` is the server name. A TLS 1.3 server accepts it.
void write_hello(uint8_t *hello, const char *name, struct request request);

/// Reads the request back from a hello, whose other bytes are not looked at.
struct request read_request(const uint8_t *hello);
