/* Owns the judgement of the other end's certificate: signer, time, revocation, use, name. Refuses to take a common name for a host
 * name, and a certificate for a use that it was not made for. The chain of signatures is mbedtls's work; names, use and revocation
 * are looked at here, since 2.28 knows no numeric names, lets a missing use pass, and verifies the list's signature at each handshake. */
#include "lib/tls_mbed.h"

#include "lib/clock.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#define SAN_DNS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2)
#define SAN_IP (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7)

const mbedtls_x509_crt_profile tls_profile = {
	.allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
	.allowed_pks = 0xFFFFFFF,
	.allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
			  MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
	.rsa_min_bitlen = 2048,
};

/* ---- Extensions. mbedtls has walked them once already, so they are well formed; each length is checked all the same. */

bool tls_find_extension(const mbedtls_x509_crt *cert, const char *oid, size_t oid_len, const unsigned char **value,
			size_t *n)
{
	unsigned char *p = cert->v3_ext.p, *end, *next;
	size_t len;

	if (!p)
		return false;
	end = p + cert->v3_ext.len;
	if (mbedtls_asn1_get_tag(&p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE))
		return false;
	for (; p < end; p = next) {
		bool same;
		int critical;

		if (mbedtls_asn1_get_tag(&p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE))
			return false;
		next = p + len;
		if (mbedtls_asn1_get_tag(&p, next, &len, MBEDTLS_ASN1_OID))
			return false;
		same = len == oid_len && memcmp(p, oid, len) == 0;
		p += len;
		if (same) {
			mbedtls_asn1_get_bool(&p, next, &critical); /* optional */
			*value = p;
			if (mbedtls_asn1_get_tag(&p, next, n, MBEDTLS_ASN1_OCTET_STRING))
				return false;
			*value = p;
			return true;
		}
	}
	return false;
}

bool tls_made_for(const mbedtls_x509_crt *cert, bool for_server)
{
	const char *oid = for_server ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;
	const unsigned char *p;
	size_t n;

	/* mbedtls takes a certificate without the extension as fit for everything. */
	return tls_find_extension(cert, MBEDTLS_OID_EXTENDED_KEY_USAGE, MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), &p,
				  &n) &&
	       mbedtls_x509_crt_check_extended_key_usage(cert, oid, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) == 0;
}

/* ---- Names. A host is a DNS name, of which case and a last dot mean nothing, or a number. */

struct wanted {
	const char *name;
	size_t name_len;
	unsigned char raw[16];
	size_t raw_len; /* 4, 16, or 0 where it is no number */
};

static void read_wanted(struct wanted *w, const char *host)
{
	char number[INET6_ADDRSTRLEN];
	size_t n = strcspn(host, "%"); /* a zone is this machine's affair */

	*w = (struct wanted){ .name = host, .name_len = strlen(host) };
	if (w->name_len && host[w->name_len - 1] == '.')
		w->name_len--;
	if (n >= sizeof(number))
		return;
	memcpy(number, host, n);
	number[n] = '\0';
	w->raw_len = inet_pton(AF_INET, number, w->raw) == 1 ? 4 : inet_pton(AF_INET6, number, w->raw) == 1 ? 16 : 0;
}

/* A star stands for exactly one whole label, the first. */
static bool dns_matches(const struct wanted *w, const char *pattern, size_t n)
{
	const char *name = w->name, *dot;
	size_t name_len = w->name_len;

	if (w->raw_len || n == 0)
		return false;
	if (n > 2 && pattern[0] == '*' && pattern[1] == '.') {
		dot = memchr(name, '.', name_len);
		if (!dot || dot == name)
			return false;
		name_len -= (size_t)(dot - name);
		name = dot;
		pattern++;
		n--;
	}
	return n == name_len && strncasecmp(pattern, name, n) == 0;
}

static bool entry_matches(const struct wanted *w, int tag, const unsigned char *p, size_t n)
{
	if (tag == SAN_DNS)
		return dns_matches(w, (const char *)p, n);
	return tag == SAN_IP && w->raw_len && n == w->raw_len && memcmp(p, w->raw, n) == 0;
}

static void print_entry(struct buf *out, int tag, const unsigned char *p, size_t n)
{
	char number[INET6_ADDRSTRLEN];

	if (tag != SAN_DNS && tag != SAN_IP)
		return;
	buf_adds(out, out->len ? ", " : "");
	if (tag == SAN_DNS)
		str_printable(out, (const char *)p, n);
	else if ((n == 4 || n == 16) && inet_ntop(n == 4 ? AF_INET : AF_INET6, p, number, sizeof(number)))
		buf_adds(out, number);
}

/* Whether the certificate names the host; all its names are appended to out. */
static bool names_host(const mbedtls_x509_crt *cert, const char *host, struct buf *out)
{
	struct wanted wanted;
	const unsigned char *value;
	unsigned char *p, *end;
	size_t n;
	bool found = false;

	read_wanted(&wanted, host);
	if (!tls_find_extension(cert, MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), &value,
				&n))
		return false;
	p = (unsigned char *)value; /* mbedtls's readers of ASN.1 do not write */
	end = p + n;
	if (mbedtls_asn1_get_tag(&p, end, &n, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE))
		return false;
	end = p + n;
	while (p < end) {
		int tag = *p++;

		if (mbedtls_asn1_get_len(&p, end, &n))
			return false;
		found = found || entry_matches(&wanted, tag, p, n);
		print_entry(out, tag, p, n);
		p += n;
	}
	return found;
}

/* ---- Who it is */

void tls_serial_text(char text[65], const mbedtls_x509_crt *cert)
{
	const unsigned char *p = cert->serial.p;
	size_t n = cert->serial.len;

	for (; n > 1 && *p == 0; n--)
		p++;
	str_hex(text, p, MIN_OF(n, (size_t)32));
}

static bool copy_name(char *to, size_t size, const mbedtls_asn1_named_data *part)
{
	const unsigned char *p = part->val.p;
	size_t n = part->val.len;

	if (n == 0 || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] > '~')
			return false;
	memcpy(to, p, n);
	to[n] = '\0';
	return true;
}

static bool is_part(const mbedtls_asn1_named_data *part, const char *oid, size_t oid_len)
{
	return part->oid.len == oid_len && memcmp(part->oid.p, oid, oid_len) == 0;
}

bool tls_read_peer(struct tls_peer *peer, const mbedtls_x509_crt *cert, const char **wrong)
{
	unsigned names = 0, roles = 0;
	bool good = true;

	*peer = (struct tls_peer){ .named = true, .not_after = tls_seconds(&cert->valid_to) };
	tls_serial_text(peer->serial, cert);
	for (const mbedtls_asn1_named_data *part = &cert->subject; part && part->oid.p; part = part->next)
		if (is_part(part, MBEDTLS_OID_AT_CN, MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN)))
			good = copy_name(peer->name, sizeof(peer->name), part) && ++names == 1 && good;
		else if (is_part(part, MBEDTLS_OID_AT_ORG_UNIT, MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_ORG_UNIT)))
			good = copy_name(peer->role, sizeof(peer->role), part) && ++roles == 1 && good;
	*wrong = names == 0  ? "has no common name that could be shown"
		 : names > 1 ? "has two common names"
		 : roles > 1 ? "has two organisational units"
			     : "names its owner in bytes that are not printable ASCII, or in too many";
	return good && names == 1;
}

/* ---- The judgement */

/* The list's signature was verified when it was read. A list past its next update still revokes whom it names. */
static bool is_revoked(const struct tls_conf *conf, const mbedtls_x509_crt *cert)
{
	for (const mbedtls_x509_crl *crl = conf->has_crl ? &conf->crl : NULL; crl; crl = crl->next)
		if (crl->issuer_raw.len == cert->issuer_raw.len && crl->issuer_raw.len &&
		    memcmp(crl->issuer_raw.p, cert->issuer_raw.p, cert->issuer_raw.len) == 0 &&
		    mbedtls_x509_crt_is_revoked(cert, crl))
			return true;
	return false;
}

static void say_whose(struct buf *out, const mbedtls_x509_crt *cert, int depth)
{
	char name[128];

	buf_adds(out, depth ? "the CA certificate " : "the certificate of ");
	if (mbedtls_x509_dn_gets(name, sizeof(name), &cert->subject) <= 0)
		snprintf(name, sizeof(name), "?");
	str_printable(out, name, strlen(name));
}

/* The weightiest reason first: what an unknown signer says of time and use is worth nothing. */
static void say_why(struct buf *out, const struct tls_verdict *v, const mbedtls_x509_crt *cert, uint32_t flags,
		    const char *names, const char *wrong)
{
	char when[CLOCK_TEXT], issuer[128];

	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) {
		if (mbedtls_x509_dn_gets(issuer, sizeof(issuer), &cert->issuer) <= 0)
			snprintf(issuer, sizeof(issuer), "?");
		buf_adds(out, " is signed by somebody else (");
		str_printable(out, issuer, strlen(issuer));
		buf_printf(out, "), who is not in %s", v->conf->ca_path);
	} else if (flags & MBEDTLS_X509_BADCERT_REVOKED) {
		buf_adds(out, " has been revoked");
	} else if (flags & MBEDTLS_X509_BADCERT_EXPIRED) {
		buf_printf(out, " expired at %s", clock_print(when, tls_seconds(&cert->valid_to)));
	} else if (flags & MBEDTLS_X509_BADCERT_FUTURE) {
		buf_printf(out, " is not yet valid, but from %s on; are both clocks right?",
			   clock_print(when, tls_seconds(&cert->valid_from)));
	} else if (flags & (MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_KEY_USAGE)) {
		buf_printf(out, " is not made for a %s (extended key usage %s)", v->conf->server ? "client" : "server",
			   v->conf->server ? "clientAuth" : "serverAuth");
	} else if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) {
		buf_printf(out, " is for %s, not for %s",
			   *names ? names : "no host at all (it has no subject alternative name)",
			   v->host ? v->host : "a host without a name");
	} else if (wrong) {
		buf_printf(out, " %s", wrong);
	} else {
		buf_printf(out, " has a weak or unknown key or signature (0x%x)", (unsigned)flags);
	}
}

int tls_judge(void *ctx, mbedtls_x509_crt *cert, int depth, uint32_t *flags)
{
	struct tls_verdict *v = ctx;
	struct buf names = { 0 }, text = { 0 };
	const char *wrong = NULL;
	struct tls_peer peer;

	/* mbedtls would take the common name for the host's. */
	*flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if (is_revoked(v->conf, cert))
		*flags |= MBEDTLS_X509_BADCERT_REVOKED;
	if (depth == 0 && !tls_made_for(cert, !v->conf->server))
		*flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
	if (depth == 0 && !v->conf->server && !(v->host && names_host(cert, v->host, &names)))
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if (depth == 0 && v->conf->server && !tls_read_peer(&peer, cert, &wrong))
		*flags |= MBEDTLS_X509_BADCERT_OTHER;
	/* The walk goes from the root to the leaf; what is wrong with a CA is wrong with all below. */
	if (*flags && !v->flags) {
		say_whose(&text, cert, depth);
		say_why(&text, v, cert, *flags, buf_str(&names), wrong);
		snprintf(v->reason, sizeof(v->reason), "%s", buf_str(&text));
	}
	v->flags |= *flags;
	buf_free(&names);
	buf_free(&text);
	return 0;
}
