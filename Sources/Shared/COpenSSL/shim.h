// What Swift cannot import from libssl: macros, variadic functions, and a callback that is simplest in its own language.
#pragma once
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
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
