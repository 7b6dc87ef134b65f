/* Owns the reading of certificates, keys and revocation lists from files, and mbedtls's configuration. Refuses a key that does not
 * fit its certificate, a revocation list that none of the CAs has signed, TLS below 1.2, tickets, resumption and renegotiation. */
#include "lib/tls_mbed.h"

#include "lib/clock.h"
#include "lib/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_MOST (8u << 20)
#define WARN_DAYS 14

int tls_random(void *unused UNUSED, unsigned char *out, size_t n)
{
	while (n) {
		ssize_t got = getrandom(out, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		/* The kernel has no other error for a sane call, and to go on without randomness is no choice. */
		if (got <= 0)
			abort();
		out += got;
		n -= (size_t)got;
	}
	return 0;
}

const char *tls_reason(char text[TLS_REASON], int code)
{
	mbedtls_strerror(code, text, TLS_REASON);
	return text;
}

int64_t tls_seconds(const mbedtls_x509_time *when)
{
	struct tm tm = {
		.tm_year = when->year - 1900,
		.tm_mon = when->mon - 1,
		.tm_mday = when->day,
		.tm_hour = when->hour,
		.tm_min = when->min,
		.tm_sec = when->sec,
	};

	return timegm(&tm);
}

/* ---- Files. mbedtls wants PEM with its NUL counted, DER without. */

static size_t counted(const struct buf *text)
{
	return text->len + (strstr(buf_str(text), "-----BEGIN ") != NULL);
}

int tls_load_certs(mbedtls_x509_crt *chain, const char *path, int *bad)
{
	struct buf text = { 0 };
	char reason[TLS_REASON];
	int err = buf_read_file(&text, path, FILE_MOST);
	int said;

	*bad = 0;
	if (err)
		goto out;
	said = mbedtls_x509_crt_parse(chain, (const unsigned char *)buf_str(&text), counted(&text));
	if (said < 0 || chain->raw.len == 0)
		err = fail(ERR_INPUT, "%s: no certificate: %s", path, said ? tls_reason(reason, said) : "the file is empty");
	else
		*bad = said;
out:
	buf_free(&text);
	return err;
}

/* Version 3 blinds what it computes while it reads a key, and wants randomness for that. */
static int parse_key(mbedtls_pk_context *key, const struct buf *text)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
	return mbedtls_pk_parse_key(key, (const unsigned char *)buf_str(text), counted(text), NULL, 0);
#else
	return mbedtls_pk_parse_key(key, (const unsigned char *)buf_str(text), counted(text), NULL, 0, tls_random, NULL);
#endif
}

bool tls_key_fits(const mbedtls_x509_crt *cert, mbedtls_pk_context *key)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
	return mbedtls_pk_check_pair(&cert->pk, key) == 0;
#else
	return mbedtls_pk_check_pair(&cert->pk, key, tls_random, NULL) == 0;
#endif
}

int tls_load_key(mbedtls_pk_context *key, const char *path, bool *open_to_others)
{
	struct buf text = { 0 };
	char reason[TLS_REASON];
	struct stat st;
	int err = buf_read_file(&text, path, FILE_MOST);
	int said = err ? 0 : parse_key(key, &text);

	*open_to_others = stat(path, &st) == 0 && (st.st_mode & 077);
	if (said == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || said == MBEDTLS_ERR_PK_PASSWORD_MISMATCH)
		err = fail(ERR_INPUT, "%s: the key is encrypted; write it without a passphrase and protect the file", path);
	else if (said)
		err = fail(ERR_INPUT, "%s: no private key: %s", path, tls_reason(reason, said));
	if (text.data)
		explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return err;
}

static bool signed_by(const mbedtls_x509_crl *crl, const mbedtls_x509_crt *ca)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(crl->sig_md);
	unsigned char sum[MBEDTLS_MD_MAX_SIZE];

	if (!md || !(tls_profile.allowed_mds & MBEDTLS_X509_ID_FLAG(crl->sig_md)) ||
	    crl->issuer_raw.len != ca->subject_raw.len ||
	    memcmp(crl->issuer_raw.p, ca->subject_raw.p, ca->subject_raw.len) != 0 ||
	    mbedtls_x509_crt_check_key_usage(ca, MBEDTLS_X509_KU_CRL_SIGN) || mbedtls_md(md, crl->tbs.p, crl->tbs.len, sum))
		return false;
	return mbedtls_pk_verify_ext(crl->sig_pk, crl->sig_opts, (mbedtls_pk_context *)&ca->pk, crl->sig_md, sum,
				     mbedtls_md_get_size(md), crl->sig.p, crl->sig.len) == 0;
}

int tls_load_crl(mbedtls_x509_crl *crl, const char *path, const mbedtls_x509_crt *ca)
{
	struct buf text = { 0 };
	char reason[TLS_REASON];
	int err = buf_read_file(&text, path, FILE_MOST);
	int said;

	if (err)
		goto out;
	said = mbedtls_x509_crl_parse(crl, (const unsigned char *)buf_str(&text), counted(&text));
	if (said || crl->raw.len == 0)
		err = fail(ERR_INPUT, "%s: no revocation list: %s", path,
			   said ? tls_reason(reason, said) : "the file is empty");
	for (const mbedtls_x509_crl *one = crl; one && !err; one = one->next) {
		const mbedtls_x509_crt *signer = ca;

		while (signer && !signed_by(one, signer))
			signer = signer->next;
		if (!signer)
			err = fail(ERR_INPUT, "%s: the revocation list is not signed by one of the CAs", path);
	}
out:
	buf_free(&text);
	return err;
}

/* ---- What all connections of a conf share */

/* Fastest first: mbedtls's P-256 takes a third of the time of its other curves, and its ChaCha20-Poly1305 passes a record in 39 us
 * where AES-GCM, without the newest instructions, takes 65. The server's order decides. */
static const int suites[] = {
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	0,
};

/* With version 3, TLS 1.3 stays off: its key exchange draws randomness from PSA's generator, which is one for the process and would
 * be the same in all its forked children. */
#if MBEDTLS_VERSION_NUMBER < 0x03000000
static const mbedtls_ecp_group_id curves[] = {
	MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP384R1,
	MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_NONE,
};
static const int hashes[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512, MBEDTLS_MD_NONE };

static void limit(mbedtls_ssl_config *c)
{
	mbedtls_ssl_conf_curves(c, curves);
	mbedtls_ssl_conf_sig_hashes(c, hashes);
	mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
}
#else
static const uint16_t groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

static void limit(mbedtls_ssl_config *c)
{
	mbedtls_ssl_conf_groups(c, groups);
	mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_max_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
}
#endif

static int set_up(struct tls_conf *conf)
{
	mbedtls_ssl_config *c = &conf->ssl;
	char reason[TLS_REASON];
	int said = mbedtls_ssl_config_defaults(c, conf->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
					       MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

	if (!said && conf->has_own)
		said = mbedtls_ssl_conf_own_cert(c, &conf->own, &conf->key);
	if (said)
		return fail(ERR_SYS, "set up TLS: %s", tls_reason(reason, said));
	mbedtls_ssl_conf_rng(c, tls_random, NULL);
	mbedtls_ssl_conf_ciphersuites(c, suites);
	mbedtls_ssl_conf_cert_profile(c, &tls_profile);
	mbedtls_ssl_conf_authmode(c, conf->has_ca ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
	/* Revocation is tls_judge's. */
	if (conf->has_ca)
		mbedtls_ssl_conf_ca_chain(c, &conf->ca, NULL);
	limit(c);
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C)
	mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
	mbedtls_ssl_conf_renegotiation(c, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
	return 0;
}

/* ---- A conf from its files */

static void warn(struct buf *warnings, const char *path, const char *text)
{
	buf_printf(warnings, "%s%s: %s", warnings->len ? "; " : "", path, text);
}

static void warn_of_end(struct buf *warnings, const char *path, const mbedtls_x509_crt *cert)
{
	int64_t end = tls_seconds(&cert->valid_to), now = clock_now();
	char when[CLOCK_TEXT], text[128];

	clock_print(when, end);
	if (end < now)
		snprintf(text, sizeof(text), "this certificate expired at %s, and will be refused", when);
	else
		snprintf(text, sizeof(text), "this certificate ends soon, at %s", when);
	if (end < now + WARN_DAYS * 86400)
		warn(warnings, path, text);
}

static int load_own(struct tls_conf *conf, const struct tls_how *how, struct buf *warnings)
{
	bool open_to_others;
	int bad, err;

	if (!how->cert_path != !how->key_path)
		return fail(ERR_USAGE, "%s: a certificate and its key go together; the %s is missing",
			    how->cert_path ? how->cert_path : how->key_path, how->cert_path ? "key" : "certificate");
	if (!how->cert_path)
		return how->server ? fail(ERR_USAGE, "a TLS server needs a certificate and its key; see tuxtape-cert(1)")
				   : 0;
	if ((err = tls_load_certs(&conf->own, how->cert_path, &bad)) ||
	    (err = tls_load_key(&conf->key, how->key_path, &open_to_others)))
		return err;
	if (bad)
		return fail(ERR_INPUT, "%s: a certificate of the chain cannot be read", how->cert_path);
	if (!tls_key_fits(&conf->own, &conf->key))
		return fail(ERR_INPUT, "%s is not the key of %s", how->key_path, how->cert_path);
	if (how->server && !tls_made_for(&conf->own, true))
		return fail(ERR_INPUT,
			    "%s is not made for a server (no extended key usage serverAuth): no client would accept it",
			    how->cert_path);
	conf->has_own = true;
	if (open_to_others)
		warn(warnings, how->key_path, "others can read this key; chmod 600 would help");
	warn_of_end(warnings, how->cert_path, &conf->own);
	if (!tls_made_for(&conf->own, how->server))
		warn(warnings, how->cert_path,
		     "not made for a client (no extended key usage clientAuth), so servers will refuse it");
	return 0;
}

static int load_ca(struct tls_conf *conf, const struct tls_how *how, struct buf *warnings)
{
	const char *path = how->ca_path ? how->ca_path : TLS_SYSTEM_CA;
	int bad, err;

	if (how->server && !how->ca_path)
		return how->crl_path ? fail(ERR_USAGE, "%s: a revocation list needs the CA that signed it", how->crl_path)
				     : 0;
	err = tls_load_certs(&conf->ca, path, &bad);
	if (err == ERR_NOTFOUND && !how->ca_path)
		return fail(ERR_NOTFOUND, "%s: there is none; name the CA's certificate, or install ca-certificates", path);
	if (err)
		return err;
	if (bad && how->ca_path)
		warn(warnings, path, "some of the certificates cannot be read");
	conf->has_ca = true;
	conf->ca_path = xstrdup(path);
	return 0;
}

static int load_crl(struct tls_conf *conf, const struct tls_how *how, struct buf *warnings)
{
	char when[CLOCK_TEXT], text[160];
	int err;

	if (!how->crl_path)
		return 0;
	if ((err = tls_load_crl(&conf->crl, how->crl_path, &conf->ca)))
		return err;
	conf->has_crl = true;
	for (const mbedtls_x509_crl *one = &conf->crl; one; one = one->next)
		if (one->next_update.year && tls_seconds(&one->next_update) < clock_now()) {
			snprintf(text, sizeof(text),
				 "this revocation list should have been renewed by %s; `tuxtape cert crl` makes a new one",
				 clock_print(when, tls_seconds(&one->next_update)));
			warn(warnings, how->crl_path, text);
		}
	return 0;
}

int tls_conf_new(struct tls_conf **conf, const struct tls_how *how, struct arena *a, const char **warning)
{
	struct tls_conf *c = xcalloc(1, sizeof(*c));
	struct buf warnings = { 0 };
	int err;

	c->server = how->server;
	mbedtls_x509_crt_init(&c->own);
	mbedtls_x509_crt_init(&c->ca);
	mbedtls_x509_crl_init(&c->crl);
	mbedtls_pk_init(&c->key);
	mbedtls_ssl_config_init(&c->ssl);
	*conf = NULL;
	*warning = NULL;
	if ((err = load_own(c, how, &warnings)) || (err = load_ca(c, how, &warnings)) ||
	    (err = load_crl(c, how, &warnings)) || (err = set_up(c)))
		goto out;
	if (warnings.len)
		*warning = arena_strdup(a, buf_str(&warnings));
	*conf = c;
	c = NULL;
out:
	tls_conf_free(c);
	buf_free(&warnings);
	return err;
}

void tls_conf_free(struct tls_conf *conf)
{
	if (!conf)
		return;
	mbedtls_ssl_config_free(&conf->ssl);
	mbedtls_x509_crt_free(&conf->own);
	mbedtls_x509_crt_free(&conf->ca);
	mbedtls_x509_crl_free(&conf->crl);
	mbedtls_pk_free(&conf->key);
	free(conf->ca_path);
	free(conf);
}
