// DNS messages as octets, made and read by ldns: queries, updates (RFC 2136), and the signatures of both (TSIG, RFC 8945).
//
// Nothing here waits, opens a socket, or keeps anything between two calls, so it may be called from any thread. Texts end in NUL; what
// is NULL where a key is wanted means that the message is not signed. A call answers how many octets it has written into `into`, or
// a negative number that cldns_problem puts into words.
#pragma once
#include <stddef.h>
#include <stdint.h>

// A query for the records of one name and type, which asks for no recursion unless `recursive` is not 0.
long cldns_query(
    uint16_t id, const char *name, const char *type, int recursive, const char *key, const char *algorithm, const char *secret,
    uint8_t *into, size_t room);

// An update of `zone`. Prerequisites and changes are lines `name ttl class type data`, the data left out where RFC 2136 has none.
long cldns_update(
    uint16_t id, const char *zone, const char *prerequisites, const char *changes, const char *key, const char *algorithm,
    const char *secret, uint8_t *into, size_t room);

// Reads the answer to `request`, which a cldns_query or cldns_update has written.
//
// What is written is a text: a line `rcode authoritative truncated signature`, then a line `name ttl type data` for each record of the
// answer section. The signature is `none`, `good`, `bad`, or the number of a TSIG error. What answers another request is a problem.
long cldns_read(
    const uint8_t *answer, size_t count, const uint8_t *request, size_t request_count, const char *key, const char *secret,
    uint8_t *into, size_t room);

// What a negative answer means.
const char *cldns_problem(long code);
