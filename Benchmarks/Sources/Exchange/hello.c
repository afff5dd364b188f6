#include "hello.h"

#include <endian.h>
#include <string.h>

// The record header (5 bytes), the handshake header (4) and the legacy version (2) come before the random.
enum { RANDOM_OFFSET = 11, RANDOM_BYTES = 32 };

/// Appends to a hello.
struct writer {
    uint8_t *next;
};

static void put8(struct writer *writer, unsigned value) { *writer->next++ = (uint8_t)value; }

static void put16(struct writer *writer, unsigned value) {
    put8(writer, value >> 8);
    put8(writer, value & 0xff);
}

static void put_bytes(struct writer *writer, const void *bytes, size_t count) {
    memcpy(writer->next, bytes, count);
    writer->next += count;
}

/// Leaves room for a 16-bit length, which `end_block` fills in.
static uint8_t *begin_block(struct writer *writer) {
    uint8_t *start = writer->next;
    writer->next += 2;
    return start;
}

static void end_block(struct writer *writer, uint8_t *start) {
    size_t bytes = (size_t)(writer->next - start) - 2;
    start[0] = (uint8_t)(bytes >> 8);
    start[1] = (uint8_t)bytes;
}

static uint8_t *begin_extension(struct writer *writer, unsigned type) {
    put16(writer, type);
    return begin_block(writer);
}

static void put_extension(struct writer *writer, unsigned type, const void *body, size_t bytes) {
    uint8_t *extension = begin_extension(writer, type);
    put_bytes(writer, body, bytes);
    end_block(writer, extension);
}

static void put_server_name(struct writer *writer, const char *name) {
    uint8_t *extension = begin_extension(writer, 0);
    uint8_t *list = begin_block(writer);
    put8(writer, 0);  // host_name
    uint8_t *host = begin_block(writer);
    put_bytes(writer, name, strlen(name));
    end_block(writer, host);
    end_block(writer, list);
    end_block(writer, extension);
}

static void put_key_share(struct writer *writer) {
    uint8_t *extension = begin_extension(writer, 51);
    uint8_t *shares = begin_block(writer);
    put16(writer, 0x001d);  // x25519, for which nearly any 32 bytes are a public key
    uint8_t *key = begin_block(writer);
    for (unsigned i = 0; i < 32; i++) put8(writer, 9 + i * 7);
    end_block(writer, key);
    end_block(writer, shares);
    end_block(writer, extension);
}

static void put_extensions(struct writer *writer, const char *name, const uint8_t *hello_end) {
    put_extension(writer, 0x0a0a, "", 0);  // GREASE, RFC 8701
    put_server_name(writer, name);
    put_extension(writer, 23, "", 0);                                            // extended_master_secret
    put_extension(writer, 0xff01, "\0", 1);                                      // renegotiation_info
    put_extension(writer, 10, "\0\x06\0\x1d\0\x17\0\x18", 8);                    // supported_groups
    put_extension(writer, 11, "\1\0", 2);                                        // ec_point_formats
    put_extension(writer, 35, "", 0);                                            // session_ticket
    put_extension(writer, 16, "\0\x0c\x02h2\x08http/1.1", 14);                   // ALPN
    put_extension(writer, 5, "\1\0\0\0\0", 5);                                   // status_request
    put_extension(writer, 13, "\0\x0c\4\3\x08\4\4\1\5\3\x08\5\x08\6", 14);       // signature_algorithms
    put_key_share(writer);
    put_extension(writer, 45, "\1\1", 2);                                        // psk_key_exchange_modes
    put_extension(writer, 43, "\4\3\4\3\3", 5);                                  // supported_versions: 1.3, 1.2
    uint8_t *padding = begin_extension(writer, 21);
    memset(writer->next, 0, (size_t)(hello_end - writer->next));
    writer->next += hello_end - writer->next;
    end_block(writer, padding);
}

static void put_random(struct writer *writer, struct request request) {
    uint8_t random[RANDOM_BYTES] = "........ of a benchmark's client";
    uint64_t answer_bytes = htole64(request.answer_bytes);
    memcpy(random, &answer_bytes, sizeof answer_bytes);
    random[8] = request.then_echo;
    put_bytes(writer, random, sizeof random);
}

void write_hello(uint8_t *hello, const char *name, struct request request) {
    struct writer writer = {hello};
    put8(&writer, 22);  // handshake
    put16(&writer, 0x0301);
    uint8_t *record = begin_block(&writer);
    put8(&writer, 1);  // client_hello
    put8(&writer, 0);  // the upper byte of a 24-bit length
    uint8_t *handshake = begin_block(&writer);
    put16(&writer, 0x0303);
    put_random(&writer, request);
    put8(&writer, 32);  // a session identifier, as browsers send for middleboxes
    for (unsigned i = 0; i < 32; i++) put8(&writer, 0x40 + i);
    uint8_t *suites = begin_block(&writer);
    put_bytes(&writer, "\x13\1\x13\2\x13\3\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9\xcc\xa8", 18);
    end_block(&writer, suites);
    put16(&writer, 0x0100);  // one compression method: none
    uint8_t *extensions = begin_block(&writer);
    put_extensions(&writer, name, hello + HELLO_BYTES);
    end_block(&writer, extensions);
    end_block(&writer, handshake);
    end_block(&writer, record);
}

struct request read_request(const uint8_t *hello) {
    uint64_t answer_bytes;
    memcpy(&answer_bytes, hello + RANDOM_OFFSET, sizeof answer_bytes);
    return (struct request){
        .answer_bytes = le64toh(answer_bytes),
        .then_echo = hello[RANDOM_OFFSET + sizeof answer_bytes] != 0,
    };
}
