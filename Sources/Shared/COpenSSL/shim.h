// What Swift cannot import from libssl: macros, variadic functions, and a callback that is simplest in its own language.
#pragma once
#include <string.h>
#include <time.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline EVP_PKEY *openssl_make_p256_key(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"); }

// Adds an extension to a certificate that signs itself. `value` is in the configuration syntax of x509v3_config(5).
static inline int openssl_add_extension(X509 *certificate, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    if (extension == NULL) return 0;
    int added = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

// ALPN: http/1.1 when the client offers it; else the handshake goes on without a protocol, as for a client without ALPN.
static inline int openssl_choose_http11(
    SSL *connection, const unsigned char **chosen, unsigned char *length, const unsigned char *offered, unsigned count, void *unused) {
    (void)connection, (void)unused;
    for (unsigned at = 0; at < count && offered[at] < count - at; at += 1u + offered[at]) {
        if (offered[at] == 8 && memcmp(offered + at + 1, "http/1.1", 8) == 0) {
            *chosen = offered + at + 1;
            *length = 8;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

// TLS 1.2 and later, nothing remembered between connections, nothing kept for idle ones. 1, or 0 when libssl refuses.
static inline int openssl_prepare_server(SSL_CTX *context) {
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) return 0;
    if (SSL_CTX_set_num_tickets(context, 0) != 1) return 0;
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // A write that has to be tried again may come from another address, and may end after a part.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, openssl_choose_http11, NULL);
    return 1;
}

// The client's end of the channel: TLS 1.3, nothing remembered between connections. `peer` is the name that the other end's certificate must
// have, in a chain to what the context trusts; NULL: whoever it is (SSL_get_peer_cert_chain tells). 1, or 0 when libssl refuses.
static inline int openssl_prepare_client(SSL_CTX *context, const char *peer) {
    if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) return 0;
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (peer == NULL) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        return 1;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(rules, peer, 0);
}

// A client that asks whether somebody answers, and not who: TLS 1.2 and later, nothing verified, and nothing refused for being weak, which is
// between the other end and its devices. 1, or 0 when libssl refuses.
static inline int openssl_prepare_probe(SSL_CTX *context) {
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) return 0;
    SSL_CTX_set_security_level(context, 0);
    if (SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0") != 1) return 0;
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                     SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    return 1;
}

// SNI: whom a client calls. To be said before the handshake.
static inline int openssl_set_server_name(SSL *connection, const char *name) {
    return (int)SSL_set_tlsext_host_name(connection, name);
}

// Whether the certificate that the other end has shown has this DNS name. Who has signed it is not looked at.
static inline int openssl_peer_has_name(SSL *connection, const char *name) {
    X509 *certificate = SSL_get1_peer_certificate(connection);
    if (certificate == NULL) return 0;
    int has = X509_check_host(certificate, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL);
    X509_free(certificate);
    return has == 1;
}

// The DNS names of the certificate that the other end has shown, one to a line, as many as there is room for; with question marks in place of
// what is not visible ASCII. The number of octets.
static inline long openssl_peer_names(SSL *connection, unsigned char *into, long room) {
    X509 *certificate = SSL_get1_peer_certificate(connection);
    if (certificate == NULL) return 0;
    GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    X509_free(certificate);
    if (names == NULL) return 0;
    long count = 0;
    for (int at = 0; at < sk_GENERAL_NAME_num(names); at++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(names, at);
        if (name->type != GEN_DNS) continue;
        const unsigned char *octets = ASN1_STRING_get0_data(name->d.dNSName);
        long length = ASN1_STRING_length(name->d.dNSName);
        if (length >= room - count) break;
        for (long index = 0; index < length; index++) into[count++] = octets[index] > ' ' && octets[index] < 0x7F ? octets[index] : '?';
        into[count++] = '\n';
    }
    GENERAL_NAMES_free(names);
    return count;
}

// The certificate of a PEM file that ends a chain or stands alone: the first there is. NULL when there is none.
static inline X509 *openssl_pem_certificate(const unsigned char *text, int count) {
    BIO *source = BIO_new_mem_buf(text, count);
    if (source == NULL) return NULL;
    X509 *certificate = PEM_read_bio_X509(source, NULL, NULL, NULL);
    BIO_free(source);
    return certificate;
}

// A key that is encrypted is refused: nobody is there to be asked for its password.
static inline int openssl_no_password(char *into, int count, int writes, void *unused) {
    (void)into, (void)count, (void)writes, (void)unused;
    return -1;
}
static inline EVP_PKEY *openssl_pem_key(const unsigned char *text, int count) {
    BIO *source = BIO_new_mem_buf(text, count);
    if (source == NULL) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(source, NULL, openssl_no_password, NULL);
    BIO_free(source);
    return key;
}

// What `write` puts into a BIO, as octets of our own: how many there are; as many as fit are copied.
static inline long openssl_copy(BIO *source, unsigned char *into, long room) {
    char *octets = NULL;
    long count = BIO_get_mem_data(source, &octets);
    if (count > 0 && count <= room) memcpy(into, octets, (size_t)count);
    return count;
}
// A key (PKCS #8) and a certificate behind it, as PEM. The number of octets, or 0.
static inline long openssl_write_identity(EVP_PKEY *key, X509 *certificate, unsigned char *into, long room) {
    BIO *sink = BIO_new(BIO_s_mem());
    if (sink == NULL) return 0;
    long count = 0;
    if ((key == NULL || PEM_write_bio_PKCS8PrivateKey(sink, key, NULL, NULL, 0, NULL, NULL) == 1) && PEM_write_bio_X509(sink, certificate) == 1)
        count = openssl_copy(sink, into, room);
    BIO_free(sink);
    return count <= room ? count : 0;
}
// A request for a certificate for `key` (PKCS #10, DER). The number of octets, or 0.
static inline long openssl_write_request(EVP_PKEY *key, unsigned char *into, long room) {
    X509_REQ *request = X509_REQ_new();
    if (request == NULL) return 0;
    int count = 0;
    if (X509_REQ_set_version(request, 0) == 1 && X509_REQ_set_pubkey(request, key) == 1 && X509_REQ_sign(request, key, EVP_sha256()) > 0) {
        count = i2d_X509_REQ(request, NULL);
        if (count > 0 && count <= room) i2d_X509_REQ(request, &into);
    }
    X509_REQ_free(request);
    return count > 0 && count <= room ? count : 0;
}

// Seconds since 1970.
static inline int64_t openssl_seconds(const ASN1_TIME *time) {
    struct tm parts;
    memset(&parts, 0, sizeof parts);
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

// The one URI among the names of a certificate. Its length, or 0 when there is none, more than one, or no room.
static inline long openssl_uri(X509 *certificate, unsigned char *into, long room) {
    GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (names == NULL) return 0;
    long count = 0;
    int found = 0;
    for (int at = 0; at < sk_GENERAL_NAME_num(names); at++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(names, at);
        if (name->type != GEN_URI) continue;
        found++;
        count = ASN1_STRING_length(name->d.uniformResourceIdentifier);
        if (count <= room) memcpy(into, ASN1_STRING_get0_data(name->d.uniformResourceIdentifier), (size_t)count);
    }
    GENERAL_NAMES_free(names);
    return found == 1 && count <= room ? count : 0;
}

// The certificate with this SHA-256 among those that the other end of a connection has shown; the caller frees it. NULL when there is none.
static inline X509 *openssl_shown_certificate(SSL *connection, const unsigned char *fingerprint) {
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(connection);
    for (int at = 0; chain != NULL && at < sk_X509_num(chain); at++) {
        X509 *certificate = sk_X509_value(chain, at);
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned length = 0;
        if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1 || length != 32) continue;
        if (memcmp(digest, fingerprint, 32) == 0 && X509_up_ref(certificate) == 1) return certificate;
    }
    return NULL;
}
