#include "cldns.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <ldns/ldns.h>

// Ours, beyond the numbers of ldns_status.
enum { NO_ROOM = 10001, OTHER_ANSWER };

// RFC 8945 section 10: how far two clocks may be apart.
enum { FUDGE_SECONDS = 300 };

const char *cldns_problem(long code) {
    switch (-code) {
    case NO_ROOM: return "the message is too long";
    case OTHER_ANSWER: return "the answer is to another question";
    default: {
        const char *words = ldns_get_errorstr_by_id((ldns_status)-code);
        return words ? words : "unknown error";
    }
    }
}

// --- writing

static ldns_status sign(ldns_pkt *packet, const char *key, const char *algorithm, const char *secret) {
    if (!key) return LDNS_STATUS_OK;
    char dotted[32];
    snprintf(dotted, sizeof dotted, "%s.", algorithm);
    return ldns_pkt_tsig_sign(packet, key, secret, FUDGE_SECONDS, dotted, NULL);
}

// Writes a packet, which is freed.
static long finish(
    ldns_pkt *packet, uint16_t id, const char *key, const char *algorithm, const char *secret, uint8_t *into, size_t room) {
    ldns_pkt_set_id(packet, id);
    ldns_status status = sign(packet, key, algorithm, secret);
    uint8_t *wire = NULL;
    size_t count = 0;
    if (status == LDNS_STATUS_OK) status = ldns_pkt2wire(&wire, packet, &count);
    ldns_pkt_free(packet);
    long answer = -(long)status;
    if (status == LDNS_STATUS_OK) {
        answer = count <= room ? (long)count : -NO_ROOM;
        if (count <= room) memcpy(into, wire, count);
    }
    free(wire);
    return answer;
}

long cldns_query(
    uint16_t id, const char *name, const char *type, int recursive, const char *key, const char *algorithm, const char *secret,
    uint8_t *into, size_t room) {
    ldns_rdf *owner = ldns_dname_new_frm_str(name);
    if (!owner) return -(long)LDNS_STATUS_INVALID_STR;
    ldns_pkt *packet = ldns_pkt_query_new(owner, ldns_get_rr_type_by_name(type), LDNS_RR_CLASS_IN, recursive ? LDNS_RD : 0);
    if (!packet) {
        ldns_rdf_deep_free(owner);
        return -(long)LDNS_STATUS_MEM_ERR;
    }
    return finish(packet, id, key, algorithm, secret, into, room);
}

// One record from `name ttl class type data`; the line is cut up.
static ldns_status record(char *line, ldns_rr **made) {
    char *rest = line;
    char *name = strsep(&rest, " "), *ttl = strsep(&rest, " "), *class = strsep(&rest, " "), *type = strsep(&rest, " ");
    if (!type) return LDNS_STATUS_SYNTAX_ERR;
    ldns_rr *rr = NULL;
    if (rest) {
        size_t length = strlen(name) + strlen(ttl) + strlen(type) + strlen(rest) + 8;
        char *text = malloc(length);
        if (!text) return LDNS_STATUS_MEM_ERR;
        snprintf(text, length, "%s %s IN %s %s", name, ttl, type, rest);
        ldns_status status = ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL);
        free(text);
        if (status != LDNS_STATUS_OK) return status;
    } else {
        ldns_rdf *owner = ldns_dname_new_frm_str(name);
        if (!owner) return LDNS_STATUS_INVALID_STR;
        rr = ldns_rr_new();
        if (!rr) {
            ldns_rdf_deep_free(owner);
            return LDNS_STATUS_MEM_ERR;
        }
        ldns_rr_set_owner(rr, owner);
        ldns_rr_set_type(rr, ldns_get_rr_type_by_name(type));
        ldns_rr_set_ttl(rr, (uint32_t)strtoul(ttl, NULL, 10));
    }
    ldns_rr_set_class(rr, ldns_get_rr_class_by_name(class));
    *made = rr;
    return LDNS_STATUS_OK;
}

// The records of some lines.
static ldns_status records(const char *lines, ldns_rr_list *list) {
    char *copy = strdup(lines);
    if (!copy) return LDNS_STATUS_MEM_ERR;
    ldns_status status = LDNS_STATUS_OK;
    char *rest = copy, *line;
    while (status == LDNS_STATUS_OK && (line = strsep(&rest, "\n"))) {
        if (!*line) continue;
        ldns_rr *rr = NULL;
        status = record(line, &rr);
        if (status == LDNS_STATUS_OK && !ldns_rr_list_push_rr(list, rr)) {
            ldns_rr_free(rr);
            status = LDNS_STATUS_MEM_ERR;
        }
    }
    free(copy);
    return status;
}

long cldns_update(
    uint16_t id, const char *zone, const char *prerequisites, const char *changes, const char *key, const char *algorithm,
    const char *secret, uint8_t *into, size_t room) {
    ldns_rr_list *before = ldns_rr_list_new(), *after = ldns_rr_list_new();
    ldns_rdf *apex = ldns_dname_new_frm_str(zone);
    ldns_status status = before && after && apex ? LDNS_STATUS_OK : LDNS_STATUS_INVALID_STR;
    if (status == LDNS_STATUS_OK) status = records(prerequisites, before);
    if (status == LDNS_STATUS_OK) status = records(changes, after);
    ldns_pkt *packet = NULL;
    if (status == LDNS_STATUS_OK) {
        // The packet takes the apex, and copies of the records.
        packet = ldns_update_pkt_new(apex, LDNS_RR_CLASS_IN, before, after, NULL);
        if (packet) {
            apex = NULL;
            ldns_pkt_set_rd(packet, false);
        } else {
            status = LDNS_STATUS_MEM_ERR;
        }
    }
    ldns_rr_list_deep_free(before);
    ldns_rr_list_deep_free(after);
    if (apex) ldns_rdf_deep_free(apex);
    return packet ? finish(packet, id, key, algorithm, secret, into, room) : -(long)status;
}

// --- reading

// Text that is written into room that is given.
struct text {
    uint8_t *into;
    size_t count, room;
    bool is_full;
};

static void add(struct text *text, const char *words) {
    size_t length = strlen(words);
    if (text->is_full || length > text->room - text->count) {
        text->is_full = true;
        return;
    }
    memcpy(text->into + text->count, words, length);
    text->count += length;
}

// Adds what ldns made of something, and frees it.
static void take(struct text *text, char *words) {
    add(text, words ? words : "?");
    free(words);
}

static bool is_same_name(const ldns_rdf *left, const ldns_rdf *right) {
    return left && right && ldns_dname_compare(left, right) == 0;
}

// Whether an answer is to this request, and to no other that looks like it.
static bool is_answer(const ldns_pkt *answer, const ldns_pkt *request) {
    if (!ldns_pkt_qr(answer) || ldns_pkt_id(answer) != ldns_pkt_id(request)) return false;
    if (ldns_pkt_get_opcode(answer) != ldns_pkt_get_opcode(request)) return false;
    const ldns_rr *asked = ldns_rr_list_rr(ldns_pkt_question(request), 0);
    const ldns_rr *repeated = ldns_rr_list_rr(ldns_pkt_question(answer), 0);
    if (!repeated) {
        // An answer to an update need not repeat its zone (RFC 2136 section 3.8), nor a refusal its question; what brings records must.
        return ldns_pkt_get_opcode(answer) == LDNS_PACKET_UPDATE || ldns_pkt_get_rcode(answer) != LDNS_RCODE_NOERROR;
    }
    return asked && ldns_rr_get_type(asked) == ldns_rr_get_type(repeated) && ldns_rr_get_class(asked) == ldns_rr_get_class(repeated)
        && is_same_name(ldns_rr_owner(asked), ldns_rr_owner(repeated));
}

static void add_signature(
    struct text *text, ldns_pkt *answer, const uint8_t *wire, size_t count, const ldns_pkt *request, const char *key,
    const char *secret) {
    const ldns_rr *signature = ldns_pkt_tsig(answer), *asked = ldns_pkt_tsig(request);
    if (!key || !asked || !signature) return add(text, "none");
    // Algorithm, time, fudge, signature, original ID, error, other data.
    if (ldns_rr_rd_count(signature) < 7 || ldns_rr_rd_count(asked) < 7) return add(text, "bad");
    uint16_t error = ldns_rdf2native_int16(ldns_rr_rdf(signature, 5));
    if (error) {
        // Most of these cannot be signed, since there is no key in common.
        char number[8];
        snprintf(number, sizeof number, "%u", error);
        return add(text, number);
    }
    if (!is_same_name(ldns_rr_rdf(signature, 0), ldns_rr_rdf(asked, 0))) return add(text, "bad");
    bool is_good = ldns_pkt_tsig_verify(answer, (uint8_t *)wire, count, key, secret, ldns_rr_rdf(asked, 3));
    add(text, is_good ? "good" : "bad");
}

static void add_records(struct text *text, const ldns_rr_list *list) {
    for (size_t index = 0; index < ldns_rr_list_rr_count(list) && !text->is_full; index++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, index);
        if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN) continue;
        take(text, ldns_rdf2str(ldns_rr_owner(rr)));
        char ttl[16];
        snprintf(ttl, sizeof ttl, " %u ", ldns_rr_ttl(rr));
        add(text, ttl);
        take(text, ldns_rr_type2str(ldns_rr_get_type(rr)));
        for (size_t field = 0; field < ldns_rr_rd_count(rr); field++) {
            add(text, " ");
            take(text, ldns_rdf2str(ldns_rr_rdf(rr, field)));
        }
        add(text, "\n");
    }
}

long cldns_read(
    const uint8_t *answer, size_t count, const uint8_t *request, size_t request_count, const char *key, const char *secret,
    uint8_t *into, size_t room) {
    ldns_pkt *asked = NULL, *answered = NULL;
    ldns_status status = ldns_wire2pkt(&asked, request, request_count);
    if (status == LDNS_STATUS_OK) status = ldns_wire2pkt(&answered, answer, count);
    long outcome = -(long)status;
    if (status == LDNS_STATUS_OK && !is_answer(answered, asked)) {
        outcome = -OTHER_ANSWER;
    } else if (status == LDNS_STATUS_OK) {
        struct text text = { .into = into, .room = room };
        char head[32];
        snprintf(head, sizeof head, "%d %d %d ", (int)ldns_pkt_get_rcode(answered), ldns_pkt_aa(answered), ldns_pkt_tc(answered));
        add(&text, head);
        add_signature(&text, answered, answer, count, asked, key, secret);
        add(&text, "\n");
        add_records(&text, ldns_pkt_answer(answered));
        outcome = text.is_full ? -NO_ROOM : (long)text.count;
    }
    if (asked) ldns_pkt_free(asked);
    if (answered) ldns_pkt_free(answered);
    return outcome;
}
