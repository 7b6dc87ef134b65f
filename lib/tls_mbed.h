/* What lib/tls*.c share: mbedtls itself, what differs between its versions 2.28 and 3.6, and certificates. Private to them. */
#ifndef TUXTAPE_TLS_MBED_H
#define TUXTAPE_TLS_MBED_H

/* Version 3 renames the members of its structs unless this is said. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include "lib/buf.h"
#include "lib/tls.h"

#include <mbedtls/asn1.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

struct tls_conf {
	bool server;
	bool has_own, has_ca, has_crl;
	char *ca_path; /* for what is said of certificates that others have signed */
	mbedtls_x509_crt own, ca;
	mbedtls_x509_crl crl;
	mbedtls_pk_context key;
	mbedtls_ssl_config ssl;
};

/* getrandom(2) alone, in the form that mbedtls wants: processes that are forked from one another share nothing of it. */
int tls_random(void *unused, unsigned char *out, size_t n);

/* What an error code of mbedtls means. Returns text. */
#define TLS_REASON 160
const char *tls_reason(char text[TLS_REASON], int code);

/* Seconds since 1970. */
int64_t tls_seconds(const mbedtls_x509_time *when);

/* The certificates of a PEM or DER file, appended to *chain (initialised by the caller). *bad counts those that cannot be read beside
 * others that can. ERR_INPUT, ERR_NOTFOUND, ERR_SYS with the path. */
int tls_load_certs(mbedtls_x509_crt *chain, const char *path, int *bad);

/* A private key (initialised by the caller). *open_to_others: its mode lets others read it. Errors as above. */
int tls_load_key(mbedtls_pk_context *key, const char *path, bool *open_to_others);

/* A revocation list (initialised by the caller), which one of the CAs must have signed. Errors as above. */
int tls_load_crl(mbedtls_x509_crl *crl, const char *path, const mbedtls_x509_crt *ca);

/* Whether the private key is the certificate's. */
bool tls_key_fits(const mbedtls_x509_crt *cert, mbedtls_pk_context *key);

/* The value of an extension (inside its OCTET STRING); false where the certificate has none. */
bool tls_find_extension(const mbedtls_x509_crt *cert, const char *oid, size_t oid_len, const unsigned char **p, size_t *n);

/* The use that the other end's certificate must be made for. */
bool tls_made_for(const mbedtls_x509_crt *cert, bool for_server);

/* The serial number in hexadecimal, without leading zero bytes, cut to fit. */
void tls_serial_text(char text[65], const mbedtls_x509_crt *cert);

/* Common name, organisational unit, serial and end of a certificate. False where it has no common name, two of one kind, or
 * anything but printable ASCII in them; *wrong then says what. */
bool tls_read_peer(struct tls_peer *peer, const mbedtls_x509_crt *cert, const char **wrong);

/* The judgement of one certificate: filled while mbedtls walks the chain. */
struct tls_verdict {
	const struct tls_conf *conf;
	const char *host; /* that the certificate must name; NULL where the peer is a client */
	uint32_t flags;   /* MBEDTLS_X509_BADCERT_*, of the whole chain */
	char reason[384]; /* "the certificate of alice has been revoked"; set when flags are */
};

/* The callback for mbedtls (verify, f_vrfy); ctx is a struct tls_verdict. */
int tls_judge(void *ctx, mbedtls_x509_crt *cert, int depth, uint32_t *flags);

/* What is accepted in signatures and keys. */
extern const mbedtls_x509_crt_profile tls_profile;

#endif
