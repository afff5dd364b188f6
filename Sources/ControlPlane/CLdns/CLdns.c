#include "CLdns.h"

#include <ldns/ldns.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(char *reason, size_t size, const char *what, const char *why) {
  if (size) snprintf(reason, size, "%s%s%s", what, why ? ": " : "", why ? why : "");
}

static ldns_resolver *resolver_at(const char *address, uint16_t port, int timeout_milliseconds) {
  ldns_resolver *resolver = ldns_resolver_new();
  if (!resolver) return NULL;
  ldns_rdf *server = ldns_rdf_new_frm_str(strchr(address, ':') ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A, address);
  if (!server || ldns_resolver_push_nameserver(resolver, server) != LDNS_STATUS_OK) {
    ldns_rdf_deep_free(server);
    ldns_resolver_deep_free(resolver);
    return NULL;
  }
  ldns_rdf_deep_free(server);
  struct timeval timeout = {.tv_sec = timeout_milliseconds / 1000, .tv_usec = timeout_milliseconds % 1000 * 1000};
  ldns_resolver_set_port(resolver, port);
  ldns_resolver_set_timeout(resolver, timeout);
  ldns_resolver_set_retry(resolver, 1);
  ldns_resolver_set_retrans(resolver, 0);
  ldns_resolver_set_fail(resolver, true);
  ldns_resolver_set_defnames(resolver, false);
  ldns_resolver_set_dnsrch(resolver, false);
  return resolver;
}

// A record without data, for what RFC 2136 says by class alone.
static ldns_rr *bare_record(const char *name, const char *type, ldns_rr_class class) {
  ldns_rdf *owner = ldns_dname_new_frm_str(name);
  ldns_rr *record = owner ? ldns_rr_new() : NULL;
  if (!record) {
    ldns_rdf_deep_free(owner);
    return NULL;
  }
  ldns_rr_set_owner(record, owner);
  ldns_rr_set_type(record, ldns_get_rr_type_by_name(type));
  ldns_rr_set_class(record, class);
  ldns_rr_set_ttl(record, 0);
  return record;
}

static ldns_rr *whole_record(const char *text) {
  ldns_rr *record = NULL;
  return ldns_rr_new_frm_str(&record, text, 0, NULL, NULL) == LDNS_STATUS_OK ? record : NULL;
}

// Adds one line to the list that it belongs to. 0 when it cannot be read.
static int add_line(char *line, ldns_rr_list *prerequisites, ldns_rr_list *updates) {
  char kind = line[0];
  if (!kind || line[1] != ' ') return 0;
  char *rest = line + 2;
  ldns_rr *record = NULL;
  if (kind == '=' || kind == '+') {
    record = whole_record(rest);
    // "Exists with this value" is said by a TTL of 0.
    if (record && kind == '=') ldns_rr_set_ttl(record, 0);
  } else if (kind == '!' || kind == '-') {
    char *type = strchr(rest, ' ');
    if (!type) return 0;
    *type++ = 0;
    record = bare_record(rest, type, kind == '!' ? LDNS_RR_CLASS_NONE : LDNS_RR_CLASS_ANY);
  }
  if (!record) return 0;
  ldns_rr_list *list = kind == '=' || kind == '!' ? prerequisites : updates;
  if (ldns_rr_list_push_rr(list, record)) return 1;
  ldns_rr_free(record);
  return 0;
}

static int send_update(ldns_resolver *resolver, ldns_pkt *query, const struct ddirect_dns_key *key, char *reason,
                       size_t reason_size) {
  // The key has to be the resolver's: it checks the answer by it.
  ldns_resolver_set_tsig_keyname(resolver, key->name);
  ldns_resolver_set_tsig_algorithm(resolver, key->algorithm);
  ldns_resolver_set_tsig_keydata(resolver, key->secret);
  ldns_pkt_set_random_id(query);
  if (ldns_update_pkt_tsig_add(query, resolver) != LDNS_STATUS_OK) {
    say(reason, reason_size, "the update cannot be signed; is the key base 64?", NULL);
    return DDIRECT_DNS_MALFORMED;
  }
  ldns_pkt *answer = NULL;
  ldns_status status = ldns_send(&answer, resolver, query);
  int result;
  if (status == LDNS_STATUS_CRYPTO_TSIG_BOGUS || status == LDNS_STATUS_CRYPTO_TSIG_ERR) {
    // Servers answer an unknown key unsigned, and ldns tells no more of it than this.
    say(reason, reason_size, "the server's answer is not signed by the key: it has another one, or none of this name", NULL);
    result = DDIRECT_DNS_BAD_SIGNATURE;
  } else if (status != LDNS_STATUS_OK || !answer) {
    say(reason, reason_size, "no answer", ldns_get_errorstr_by_id(status));
    result = DDIRECT_DNS_NO_ANSWER;
  } else {
    result = ldns_pkt_get_rcode(answer);
  }
  ldns_pkt_free(answer);
  return result;
}

int ddirect_dns_update(const char *address, uint16_t port, const char *zone, const struct ddirect_dns_key *key,
                       const char *lines, int timeout_milliseconds, char *reason, size_t reason_size) {
  // ldns writes to its sockets without MSG_NOSIGNAL.
  signal(SIGPIPE, SIG_IGN);
  if (reason_size) reason[0] = 0;
  int result = DDIRECT_DNS_MALFORMED;
  char *text = strdup(lines), *line, *rest = text;
  ldns_resolver *resolver = resolver_at(address, port, timeout_milliseconds);
  ldns_rr_list *prerequisites = ldns_rr_list_new(), *updates = ldns_rr_list_new(), *none = ldns_rr_list_new();
  ldns_rdf *apex = ldns_dname_new_frm_str(zone);
  ldns_pkt *query = NULL;
  if (!text || !resolver || !prerequisites || !updates || !none || !apex) {
    say(reason, reason_size, "out of memory, or a name that is none", NULL);
    goto end;
  }
  while ((line = strsep(&rest, "\n"))) {
    if (!*line) continue;
    if (!add_line(line, prerequisites, updates)) {
      say(reason, reason_size, "this cannot be put into an update", line);
      goto end;
    }
  }
  // The packet takes copies of the lists' records, and the apex for its own.
  query = ldns_update_pkt_new(apex, LDNS_RR_CLASS_IN, prerequisites, updates, none);
  if (!query) {
    say(reason, reason_size, "the update cannot be made", NULL);
    goto end;
  }
  apex = NULL;
  ldns_resolver_set_usevc(resolver, true);
  result = send_update(resolver, query, key, reason, reason_size);
end:
  ldns_pkt_free(query);
  ldns_rdf_deep_free(apex);
  ldns_rr_list_deep_free(prerequisites);
  ldns_rr_list_deep_free(updates);
  ldns_rr_list_deep_free(none);
  if (resolver) ldns_resolver_deep_free(resolver);
  free(text);
  return result;
}

// Writes the records of the answer that are of the name and type that were asked for.
static int write_records(ldns_pkt *answer, const ldns_rdf *name, ldns_rr_type type, char *out, size_t size) {
  ldns_rr_list *list = ldns_pkt_answer(answer);
  size_t used = 0;
  for (size_t index = 0; list && index < ldns_rr_list_rr_count(list); index++) {
    ldns_rr *record = ldns_rr_list_rr(list, index);
    if (ldns_rr_get_type(record) != type || ldns_dname_compare(ldns_rr_owner(record), name) != 0) continue;
    if (ldns_rr_rd_count(record) < 1) continue;
    char *value = ldns_rdf2str(ldns_rr_rdf(record, 0));
    if (!value) return 0;
    int count = snprintf(out + used, size - used, "%u %s\n", ldns_rr_ttl(record), value);
    free(value);
    if (count < 0 || (size_t)count >= size - used) return 0;
    used += (size_t)count;
  }
  return 1;
}

int ddirect_dns_query(const char *address, uint16_t port, const char *name, const char *type, int recursive,
                      int over_tcp, int timeout_milliseconds, char *records, size_t records_size, int *is_authoritative,
                      char *reason, size_t reason_size) {
  signal(SIGPIPE, SIG_IGN);
  if (reason_size) reason[0] = 0;
  if (records_size) records[0] = 0;
  *is_authoritative = 0;
  int result = DDIRECT_DNS_MALFORMED;
  ldns_rr_type number = ldns_get_rr_type_by_name(type);
  ldns_resolver *resolver = resolver_at(address, port, timeout_milliseconds);
  ldns_rdf *owner = ldns_dname_new_frm_str(name);
  ldns_pkt *answer = NULL;
  if (!resolver || !owner) {
    say(reason, reason_size, "out of memory, or a name that is none", NULL);
    goto end;
  }
  ldns_resolver_set_usevc(resolver, over_tcp != 0);
  ldns_status status =
      ldns_resolver_send(&answer, resolver, owner, number, LDNS_RR_CLASS_IN, recursive ? LDNS_RD : 0);
  if (status != LDNS_STATUS_OK || !answer) {
    say(reason, reason_size, "no answer", ldns_get_errorstr_by_id(status));
    result = DDIRECT_DNS_NO_ANSWER;
    goto end;
  }
  *is_authoritative = ldns_pkt_aa(answer);
  if (!write_records(answer, owner, number, records, records_size)) {
    say(reason, reason_size, "the answer is too long", NULL);
    goto end;
  }
  result = ldns_pkt_get_rcode(answer);
end:
  ldns_pkt_free(answer);
  ldns_rdf_deep_free(owner);
  if (resolver) ldns_resolver_deep_free(resolver);
  return result;
}
