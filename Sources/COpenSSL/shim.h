// OpenSSL 3: one inline function for each macro that Swift does not see.
#pragma once
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static inline long copenssl_ctx_set_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_mode(context, mode);
}

static inline long copenssl_ctx_clear_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_clear_mode(context, mode);
}

static inline int copenssl_ctx_set_min_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline long copenssl_ctx_set_session_cache_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_session_cache_mode(context, mode);
}

static inline long copenssl_ctx_set_read_ahead(SSL_CTX *context, long on) {
    return SSL_CTX_set_read_ahead(context, on);
}

static inline long copenssl_set_server_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name);
}

static inline unsigned long copenssl_name_rfc2253(void) {
    return XN_FLAG_RFC2253;
}

// What was written to a memory BIO, which keeps it.
static inline long copenssl_bio_text(BIO *bio, char **text) {
    return BIO_get_mem_data(bio, text);
}

// NULL when there are none; to be freed.
static inline GENERAL_NAMES *copenssl_alternative_names(const X509 *certificate) {
    return X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static inline int copenssl_name_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}

// GEN_URI or GEN_DNS and the text, which the list keeps; -1 for any other kind.
static inline int copenssl_name(const GENERAL_NAMES *names, int index, const unsigned char **text, int *count) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name->type != GEN_URI && name->type != GEN_DNS) return -1;
    *text = ASN1_STRING_get0_data(name->d.ia5);
    *count = ASN1_STRING_length(name->d.ia5);
    return name->type;
}

static inline uint64_t copenssl_op_no_renegotiation(void) {
    return SSL_OP_NO_RENEGOTIATION;
}
