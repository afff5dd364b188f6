// DNS by ldns, for the control plane: updates (RFC 2136) signed by TSIG (RFC 8945), and questions to one server.
//
// Text goes in and comes out, so that nothing of ldns's memory is anybody else's business. Every call blocks, for as long as its timeout allows,
// and may be made from any thread.
#ifndef DDIRECT_CLDNS_H
#define DDIRECT_CLDNS_H

#include <stddef.h>
#include <stdint.h>

// What is answered instead of an RCODE (which is 0 or more) when there is none. `reason` then says why, in words.
enum {
  DDIRECT_DNS_NOT_SENT = -1,    // nothing has reached the server
  DDIRECT_DNS_NO_ANSWER = -2,   // it may have reached the server
  DDIRECT_DNS_BAD_SIGNATURE = -3,  // the answer, if it is one, is not signed by the key
  DDIRECT_DNS_MALFORMED = -4,   // what was asked for cannot be put into a message
};

struct ddirect_dns_key {
  const char *name;
  const char *algorithm;        // with its final dot, as in "hmac-sha256."
  const char *secret;           // base 64
};

// Sends one update of `zone` over TCP, and answers the RCODE. Every line of `lines` is one record of the message:
//
//   "= RR"          prerequisite: together with the other such lines of its name and type, RR is all that there is (2.4.2)
//   "! NAME TYPE"   prerequisite: there is no record of this name and type (2.4.3)
//   "- NAME TYPE"   update: delete all records of this name and type (2.5.2)
//   "+ RR"          update: add RR (2.5.1)
//
// RR is a record in the form of a zone file, NAME has its final dot.
int ddirect_dns_update(const char *address, uint16_t port, const char *zone, const struct ddirect_dns_key *key,
                       const char *lines, int timeout_milliseconds, char *reason, size_t reason_size);

// Asks one server for the records of a name and type, without recursion, and answers the RCODE. `records` gets a line "TTL VALUE" for each record
// of that name and type in the answer. `is_authoritative` is what the server says of itself.
int ddirect_dns_query(const char *address, uint16_t port, const char *name, const char *type, int recursive,
                      int over_tcp, int timeout_milliseconds, char *records, size_t records_size, int *is_authoritative,
                      char *reason, size_t reason_size);

#endif
