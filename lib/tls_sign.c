/* Owns the bytes of certificates and revocation lists (RFC 5280), signed with ECDSA and SHA-256. mbedtls writes certificates but for two
 * extensions, and knows nothing of writing lists. ASN.1 is written from its end towards its beginning, as mbedtls's writers do. */
#include "lib/tls_sign.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CERT_ROOM (32u << 10)
#define SAN_ROOM (10u << 10)

static int cannot(const char *what, int code)
{
	char reason[TLS_REASON];

	return fail(ERR_SYS, "%s: %s", what, tls_reason(reason, code));
}

/* ---- Writing backwards */

struct der {
	unsigned char *start, *p, *end;
	int bad; /* the first error's code */
};

static void put(struct der *d, int written)
{
	if (written < 0 && !d->bad)
		d->bad = written;
}

static void put_raw(struct der *d, const void *p, size_t n)
{
	put(d, mbedtls_asn1_write_raw_buffer(&d->p, d->start, p, n));
}

/* Length and tag before all that was written since `behind` was the position. */
static void wrap(struct der *d, const unsigned char *behind, int tag)
{
	put(d, mbedtls_asn1_write_len(&d->p, d->start, (size_t)(behind - d->p)));
	put(d, mbedtls_asn1_write_tag(&d->p, d->start, (unsigned char)tag));
}

static void put_tagged(struct der *d, int tag, const void *p, size_t n)
{
	const unsigned char *behind = d->p;

	put_raw(d, p, n);
	wrap(d, behind, tag);
}

#define SEQUENCE (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define CONTEXT(n) (MBEDTLS_ASN1_CONTEXT_SPECIFIC | (n))

static void put_oid(struct der *d, const char *oid, size_t n)
{
	put_tagged(d, MBEDTLS_ASN1_OID, oid, n);
}

/* "20260814164524" is what mbedtls wants; years from 2050 on are written with all four digits. */
#define STAMP 15
static void print_stamp(char text[STAMP], int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	if (strftime(text, STAMP, "%Y%m%d%H%M%S", &tm) == 0)
		text[0] = '\0';
}

static void put_time(struct der *d, int64_t seconds)
{
	bool brief;
	char text[STAMP + 1];

	print_stamp(text, seconds);
	memcpy(text + STAMP - 1, "Z", 2);
	brief = memcmp(text, "2050", 4) < 0;
	put_tagged(d, brief ? MBEDTLS_ASN1_UTC_TIME : MBEDTLS_ASN1_GENERALIZED_TIME, text + (brief ? 2 : 0),
		   strlen(text) - (brief ? 2 : 0));
}

/* A positive INTEGER: a zero byte goes before a first bit that is set. */
static void put_number(struct der *d, const unsigned char *p, size_t n)
{
	const unsigned char *behind = d->p;

	for (; n > 1 && *p == 0; n--)
		p++;
	put_raw(d, p, n);
	if (*p & 0x80)
		put_raw(d, "", 1);
	wrap(d, behind, MBEDTLS_ASN1_INTEGER);
}

/* ecdsa-with-SHA256 has no parameters, not even NULL (RFC 5758, section 3.2). */
static void put_algorithm(struct der *d)
{
	const unsigned char *behind = d->p;

	put_oid(d, MBEDTLS_OID_ECDSA_SHA256, MBEDTLS_OID_SIZE(MBEDTLS_OID_ECDSA_SHA256));
	wrap(d, behind, SEQUENCE);
}

/* ---- Keys */

int sign_new_key(mbedtls_pk_context *key)
{
	int said = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

	if (!said)
		said = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), tls_random, NULL);
	return said ? cannot("make a key", said) : 0;
}

int sign_key_pem(struct buf *out, mbedtls_pk_context *key)
{
	unsigned char pem[1024];
	int said = mbedtls_pk_write_key_pem(key, pem, sizeof(pem));

	if (!said)
		buf_adds(out, (const char *)pem);
	explicit_bzero(pem, sizeof(pem));
	return said ? cannot("write a key", said) : 0;
}

static int sign(mbedtls_pk_context *key, const unsigned char *p, size_t n, unsigned char *sig, size_t size, size_t *len)
{
	unsigned char sum[32];
	int said = mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), p, n, sum);

	if (said)
		return said;
#if MBEDTLS_VERSION_NUMBER < 0x03000000
	(void)size; /* at least MBEDTLS_PK_SIGNATURE_MAX_SIZE, as it asks for */
	return mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, sum, sizeof(sum), sig, len, tls_random, NULL);
#else
	return mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, sum, sizeof(sum), sig, size, len, tls_random, NULL);
#endif
}

/* ---- Certificates */

static int set_serial(mbedtls_x509write_cert *w, const unsigned char serial[SIGN_SERIAL])
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
	mbedtls_mpi number;
	int said;

	mbedtls_mpi_init(&number);
	said = mbedtls_mpi_read_binary(&number, serial, SIGN_SERIAL);
	if (!said)
		said = mbedtls_x509write_crt_set_serial(w, &number);
	mbedtls_mpi_free(&number);
	return said;
#else
	return mbedtls_x509write_crt_set_serial_raw(w, (unsigned char *)serial, SIGN_SERIAL);
#endif
}

/* The issuer's name exactly as its own certificate writes it, so that names can be compared as bytes. */
static int set_issuer(mbedtls_x509write_cert *w, const mbedtls_x509_crt *ca)
{
	for (const mbedtls_asn1_named_data *part = &ca->subject; part && part->oid.p; part = part->next) {
		mbedtls_asn1_named_data *copy = mbedtls_asn1_store_named_data(&w->issuer, (const char *)part->oid.p,
									      part->oid.len, part->val.p, part->val.len);

		if (!copy)
			return MBEDTLS_ERR_X509_ALLOC_FAILED;
		copy->val.tag = part->val.tag;
	}
	return 0;
}

static int set_use(mbedtls_x509write_cert *w, bool server)
{
	unsigned char room[32];
	struct der d = { .start = room, .p = room + sizeof(room), .end = room + sizeof(room) };

	put_oid(&d, server ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
	wrap(&d, d.end, SEQUENCE);
	return d.bad ? d.bad
		     : mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_EXTENDED_KEY_USAGE,
							   MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0, d.p,
							   (size_t)(d.end - d.p));
}

static void put_host(struct der *d, const char *host)
{
	unsigned char raw[16];

	if (inet_pton(AF_INET, host, raw) == 1)
		put_tagged(d, CONTEXT(7), raw, 4);
	else if (inet_pton(AF_INET6, host, raw) == 1)
		put_tagged(d, CONTEXT(7), raw, 16);
	else
		put_tagged(d, CONTEXT(2), host, strlen(host));
}

static int set_hosts(mbedtls_x509write_cert *w, const char *const *hosts, size_t n)
{
	unsigned char room[SAN_ROOM];
	struct der d = { .start = room, .p = room + sizeof(room), .end = room + sizeof(room) };

	while (n)
		put_host(&d, hosts[--n]);
	wrap(&d, d.end, SEQUENCE);
	return d.bad ? d.bad
		     : mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_SUBJECT_ALT_NAME,
							   MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, d.p,
							   (size_t)(d.end - d.p));
}

static int set_all(mbedtls_x509write_cert *w, const struct sign_order *o)
{
	char from[STAMP], to[STAMP];
	int said;

	print_stamp(from, o->not_before);
	print_stamp(to, o->not_after);
	mbedtls_x509write_crt_set_version(w, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(w, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(w, o->subject_key);
	mbedtls_x509write_crt_set_issuer_key(w, o->ca ? o->ca_key : o->subject_key);
	if ((said = set_serial(w, o->serial)) || (said = mbedtls_x509write_crt_set_validity(w, from, to)) ||
	    (said = mbedtls_x509write_crt_set_subject_name(w, o->subject)) ||
	    (said = o->ca ? set_issuer(w, o->ca) : mbedtls_x509write_crt_set_issuer_name(w, o->subject)) ||
	    (said = mbedtls_x509write_crt_set_basic_constraints(w, !o->ca, 0)) ||
	    (said = mbedtls_x509write_crt_set_subject_key_identifier(w)) ||
	    (said = mbedtls_x509write_crt_set_authority_key_identifier(w)))
		return said;
	if (!o->ca)
		return mbedtls_x509write_crt_set_key_usage(w, MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN);
	if ((said = mbedtls_x509write_crt_set_key_usage(w, MBEDTLS_X509_KU_DIGITAL_SIGNATURE)) ||
	    (said = set_use(w, o->server)))
		return said;
	return o->n_hosts ? set_hosts(w, o->hosts, o->n_hosts) : 0;
}

int sign_cert(struct buf *out, const struct sign_order *o)
{
	unsigned char *pem = xmalloc(CERT_ROOM);
	mbedtls_x509write_cert w;
	int said;

	mbedtls_x509write_crt_init(&w);
	said = set_all(&w, o);
	if (!said)
		said = mbedtls_x509write_crt_pem(&w, pem, CERT_ROOM, tls_random, NULL);
	if (!said)
		buf_adds(out, (const char *)pem);
	mbedtls_x509write_crt_free(&w);
	free(pem);
	return said ? cannot("write a certificate", said) : 0;
}

/* ---- Revocation lists */

static unsigned char digit(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void put_entry(struct der *d, const Certificate *c)
{
	const unsigned char *behind = d->p;
	unsigned char serial[32] = { 0 };
	size_t n = strlen(c->serial) / 2;
	int64_t when = 0;

	for (size_t i = 0; i < n; i++)
		serial[i] = (unsigned char)(digit(c->serial[2 * i]) << 4 | digit(c->serial[2 * i + 1]));
	clock_parse(c->revoked, &when);
	put_time(d, when);
	put_number(d, serial, n);
	wrap(d, behind, SEQUENCE);
}

static void put_extension(struct der *d, const unsigned char *behind, const char *oid, size_t n)
{
	wrap(d, behind, MBEDTLS_ASN1_OCTET_STRING);
	put_oid(d, oid, n);
	wrap(d, behind, SEQUENCE);
}

/* Both are demanded by RFC 5280, section 5.2. The number is the time in milliseconds: it grows, and signing takes longer than one. */
static void put_extensions(struct der *d, const unsigned char *key_id, size_t n)
{
	const unsigned char *behind = d->p, *all = d->p;
	unsigned char raw[8];
	struct timespec now;
	uint64_t number;

	clock_gettime(CLOCK_REALTIME, &now);
	number = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	for (int i = 7; i >= 0; i--, number >>= 8)
		raw[i] = (unsigned char)(number & 0xff);
	put_number(d, raw, sizeof(raw));
	put_extension(d, behind, MBEDTLS_OID_CRL_NUMBER, MBEDTLS_OID_SIZE(MBEDTLS_OID_CRL_NUMBER));
	behind = d->p;
	put_tagged(d, CONTEXT(0), key_id, n);
	wrap(d, behind, SEQUENCE);
	put_extension(d, behind, MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER,
		      MBEDTLS_OID_SIZE(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER));
	wrap(d, all, SEQUENCE);
	wrap(d, all, CONTEXT(MBEDTLS_ASN1_CONSTRUCTED | 0));
}

static bool find_key_id(const mbedtls_x509_crt *ca, const unsigned char **id, size_t *n)
{
	unsigned char *p;

	if (!tls_find_extension(ca, MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER),
				id, n))
		return false;
	p = (unsigned char *)*id; /* mbedtls's readers of ASN.1 do not write */
	if (mbedtls_asn1_get_tag(&p, p + *n, n, MBEDTLS_ASN1_OCTET_STRING))
		return false;
	*id = p;
	return true;
}

static int finish(struct buf *out, const struct der *body, mbedtls_pk_context *key)
{
	size_t n = (size_t)(body->end - body->p), len = 0;
	size_t room = n + 512;
	unsigned char sig[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	unsigned char *all = xmalloc(room);
	struct der d = { .start = all, .p = all + room, .end = all + room };

	d.bad = sign(key, body->p, n, sig, sizeof(sig), &len);
	if (!d.bad) {
		put(&d, mbedtls_asn1_write_bitstring(&d.p, d.start, sig, len * 8));
		put_algorithm(&d);
		put_raw(&d, body->p, n);
		wrap(&d, d.end, SEQUENCE);
	}
	if (!d.bad)
		buf_add(out, d.p, (size_t)(d.end - d.p));
	free(all);
	return d.bad ? cannot("write a revocation list", d.bad) : 0;
}

int sign_crl(struct buf *out, const mbedtls_x509_crt *ca, mbedtls_pk_context *ca_key, Certificate *const *all, size_t n,
	     int64_t now, int64_t next_update)
{
	size_t room = 1024 + ca->subject_raw.len + 64 * n, id_len;
	unsigned char *bytes;
	const unsigned char *id, *behind;
	struct der d;
	int err;

	if (!find_key_id(ca, &id, &id_len))
		return fail(ERR_INPUT,
			    "the CA's certificate has no subject key identifier; was it made by `tuxtape cert init`?");
	bytes = xmalloc(room);
	d = (struct der){ .start = bytes, .p = bytes + room, .end = bytes + room };
	put_extensions(&d, id, id_len);
	behind = d.p;
	while (n--)
		if (all[n]->revoked)
			put_entry(&d, all[n]);
	/* A list that revokes nobody has no such field, rather than an empty one. */
	if (d.p != behind)
		wrap(&d, behind, SEQUENCE);
	put_time(&d, next_update);
	put_time(&d, now);
	put_raw(&d, ca->subject_raw.p, ca->subject_raw.len);
	put_algorithm(&d);
	put(&d, mbedtls_asn1_write_int(&d.p, d.start, 1)); /* version 2 */
	wrap(&d, d.end, SEQUENCE);
	err = d.bad ? cannot("write a revocation list", d.bad) : finish(out, &d, ca_key);
	free(bytes);
	return err;
}
