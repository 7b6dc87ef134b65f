/* What a CA signs: certificates and revocation lists as bytes. Private to lib/tls_ca.c and lib/tls_sign.c. */
#ifndef TUXTAPE_TLS_SIGN_H
#define TUXTAPE_TLS_SIGN_H

#include "lib/tls_mbed.h"

#include "lib/pb.h"

#define SIGN_SERIAL 16 /* bytes of a serial number */

/* A new ECDSA P-256 key in *key (initialised by the caller). ERR_SYS. */
int sign_new_key(mbedtls_pk_context *key);

/* Appends the key in PEM. ERR_SYS. */
int sign_key_pem(struct buf *out, mbedtls_pk_context *key);

struct sign_order {
	const char *subject;             /* "CN=alice,OU=viewer" */
	mbedtls_pk_context *subject_key; /* the public half is used */
	const mbedtls_x509_crt *ca;      /* the issuer; NULL: a CA certificate, signed with its own key */
	mbedtls_pk_context *ca_key;
	unsigned char serial[SIGN_SERIAL];
	int64_t not_before, not_after;
	bool server;
	const char *const *hosts; /* DNS names and numbers */
	size_t n_hosts;
};

/* Appends the certificate in PEM. ERR_SYS. */
int sign_cert(struct buf *out, const struct sign_order *order);

/* Appends the revocation list in DER: those of `all` that are revoked. ERR_SYS; ERR_INPUT where the CA's
 * certificate lacks a key identifier. */
int sign_crl(struct buf *out, const mbedtls_x509_crt *ca, mbedtls_pk_context *ca_key, Certificate *const *all, size_t n,
	     int64_t now, int64_t next_update);

#endif
