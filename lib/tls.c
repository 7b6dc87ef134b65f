/* Owns a connection's bytes, plain or TLS: one non-blocking socket and mbedtls's state over it. Refuses plain text where TLS was
 * agreed on, and TLS where plain text was. */
#include "lib/tls_mbed.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Small records come two or three to a packet; large ones go round the buffer. */
#define AHEAD 4096
/* How long, and for how many bytes, a refused peer is listened to, so that the alert reaches it. */
#define LINGER_MS 300
#define LINGER_MOST (256u << 10)

/* The first byte of a TLS record (RFC 8446, section 5.1). */
enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };

struct tls {
	int fd;
	const struct tls_conf *conf; /* NULL: plain */
	char *host;                  /* what the client dialled; NULL */
	struct tls_peer peer;
	struct tls_verdict verdict;
	mbedtls_ssl_context ssl;
	bool shaken;            /* the handshake is through */
	int broken;             /* mbedtls's code for what ended the reading */
	int number;             /* errno of the last failed recv or send */
	unsigned char first[4]; /* the first bytes received */
	unsigned first_n;
	unsigned ahead_at, ahead_n;
	unsigned char ahead[]; /* AHEAD bytes; none for plain */
};

/* ---- Bytes between mbedtls and the socket */

static bool would_block(int number)
{
	return number == EAGAIN || number == EWOULDBLOCK;
}

static ssize_t receive(struct tls *t, void *to, size_t n)
{
	ssize_t got;

	do
		got = recv(t->fd, to, n, 0);
	while (got < 0 && errno == EINTR);
	t->number = got < 0 ? errno : 0;
	for (ssize_t i = 0; i < got && t->first_n < sizeof(t->first); i++)
		t->first[t->first_n++] = ((const unsigned char *)to)[i];
	return got;
}

static int code_of(const struct tls *t, int wanted)
{
	return would_block(t->number) ? wanted : MBEDTLS_ERR_NET_CONN_RESET;
}

static int on_receive(void *ctx, unsigned char *to, size_t n)
{
	struct tls *t = ctx;
	ssize_t got;

	if (t->ahead_at == t->ahead_n) {
		if (n >= AHEAD) {
			got = receive(t, to, n);
			return got < 0 ? code_of(t, MBEDTLS_ERR_SSL_WANT_READ) : (int)got;
		}
		t->ahead_at = t->ahead_n = 0;
		got = receive(t, t->ahead, AHEAD);
		if (got <= 0)
			return got < 0 ? code_of(t, MBEDTLS_ERR_SSL_WANT_READ) : 0;
		t->ahead_n = (unsigned)got;
	}
	n = MIN_OF(n, (size_t)(t->ahead_n - t->ahead_at));
	memcpy(to, t->ahead + t->ahead_at, n);
	t->ahead_at += (unsigned)n;
	return (int)n;
}

static ssize_t transmit(struct tls *t, const void *p, size_t n)
{
	ssize_t sent;

	do
		sent = send(t->fd, p, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	t->number = sent < 0 ? errno : 0;
	return sent;
}

static int on_send(void *ctx, const unsigned char *p, size_t n)
{
	struct tls *t = ctx;
	ssize_t sent = transmit(t, p, n);

	return sent < 0 ? code_of(t, MBEDTLS_ERR_SSL_WANT_WRITE) : (int)sent;
}

/* Until the socket is ready or the time is over: true, false. What poll itself has against the socket, the next call says better. */
static bool wait_for(int fd, short events, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = now_ms();
		int got = poll(&p, 1, now < until ? (int)MIN_OF(until - now, (uint64_t)INT32_MAX) : 0);

		if (got > 0)
			return true;
		if (got == 0 || errno != EINTR)
			return false;
	}
}

/* ---- Opening */

static int set_up(struct tls *t)
{
	mbedtls_ssl_context *ssl = &t->ssl;
	struct in6_addr raw;
	bool number = t->host && (inet_pton(AF_INET, t->host, &raw) == 1 || strchr(t->host, ':'));
	char reason[TLS_REASON];
	int said = mbedtls_ssl_setup(ssl, &t->conf->ssl);

	/* SNI takes names alone (RFC 6066, section 3); what the certificate must say is tls_judge's affair. */
	if (!said && !t->conf->server)
		said = mbedtls_ssl_set_hostname(ssl, number ? NULL : t->host);
	if (said)
		return fail(ERR_SYS, "set up TLS: %s", tls_reason(reason, said));
	t->verdict = (struct tls_verdict){ .conf = t->conf, .host = t->host };
	mbedtls_ssl_set_verify(ssl, tls_judge, &t->verdict);
	mbedtls_ssl_set_bio(ssl, t, on_send, on_receive, NULL);
	return 0;
}

int tls_open(struct tls **to, int fd, const struct tls_conf *conf, const char *host)
{
	struct tls *t = xcalloc(1, sizeof(*t) + (conf ? AHEAD : 0));
	int flags = fcntl(fd, F_GETFL), yes = 1;
	int err = 0;

	*to = NULL;
	t->fd = fd;
	t->conf = conf;
	t->host = host ? xstrdup(host) : NULL;
	mbedtls_ssl_init(&t->ssl);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		err = fail(ERR_SYS, "connection: %s", strerror(errno));
	/* Frames are whole thoughts; a Unix socket refuses this and needs it not. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (!err && conf)
		err = set_up(t);
	if (err) {
		tls_close(t);
		return err;
	}
	*to = t;
	return 0;
}

/* ---- The handshake */

/* What an alert says, to the end that receives it (RFC 8446, section 6.2). `ours`: our certificate was refused. */
static const struct alert {
	unsigned char number;
	bool ours;
	const char *text;
} alerts[] = {
	{ MBEDTLS_SSL_ALERT_MSG_NO_CERT, true, "it demands a certificate" },
	{ MBEDTLS_SSL_ALERT_MSG_BAD_CERT, true, "it is not for the name that was dialled, or malformed" },
	{ MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, true, "it is not made for this use" },
	{ MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED, true, "it has been revoked" },
	{ MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, true, "it has expired" },
	{ MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, true, "it is not yet valid, or does not hold for another reason" },
	{ MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA, true, "it is signed by somebody whom the other end does not trust" },
	{ MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED, true, "access denied" },
	{ MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, false, "no common ground (ciphers, curves)" },
	{ MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION, false, "no common version of TLS" },
};

static int explain_alert(const struct tls *t)
{
	unsigned char number = t->ssl.in_msg ? t->ssl.in_msg[1] : 0;
	const char *who = t->conf->server ? "client" : "server";
	const struct alert *alert = NULL;

	for (size_t i = 0; i < ARRAY_LEN(alerts) && !alert; i++)
		if (alerts[i].number == number)
			alert = &alerts[i];
	/* Before TLS 1.3 there is no alert of its own for a certificate that did not come. */
	if (!t->conf->server && !t->conf->has_own && number != MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION)
		return fail(ERR_DENIED,
			    "the server ended the handshake (TLS alert %u): it demands a client certificate; whoever keeps "
			    "its CA makes one with `tuxtape cert issue NAME --role ROLE`",
			    number);
	if (alert && alert->ours)
		return fail(ERR_DENIED, "the %s refused this end's certificate: %s (TLS alert %u)", who, alert->text,
			    number);
	return fail(ERR_PEER, "the %s ended the handshake: %s (TLS alert %u)", who,
		    alert ? alert->text : "for a reason of its own", number);
}

/* Our own frames begin with two or three zero bytes, every other text protocol with a printable one. */
static bool looks_plain(const struct tls *t)
{
	return t->first_n && (t->first[0] == 0 || (t->first[0] > ' ' && t->first[0] <= '~'));
}

static bool looks_tls(const struct tls *t)
{
	return t->first_n && (t->first[0] == RECORD_HANDSHAKE || t->first[0] == RECORD_ALERT);
}

static int explain_handshake(struct tls *t, int code)
{
	char reason[TLS_REASON];

	if (t->verdict.flags)
		return fail(ERR_DENIED, "%s", t->verdict.reason);
	if (code == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE)
		return fail(ERR_DENIED, "the client has no certificate; `tuxtape cert issue NAME --role ROLE` makes one");
	if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
		return explain_alert(t);
	if (looks_plain(t))
		return fail(ERR_PEER, "plain text where TLS was expected; does the other end know that this is TLS?");
	if (t->first_n && !looks_tls(t))
		return fail(ERR_PEER, "neither TLS nor text: the first byte is 0x%02x", t->first[0]);
	if (code == MBEDTLS_ERR_NET_CONN_RESET && t->number != ECONNRESET && t->number != EPIPE)
		return fail(ERR_NET, "TLS handshake: %s", strerror(t->number));
	if (code == MBEDTLS_ERR_NET_CONN_RESET || code == MBEDTLS_ERR_SSL_CONN_EOF ||
	    code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return fail(ERR_NET, "closed during the TLS handshake%s", t->first_n ? "" : "; is TLS spoken there?");
	return fail(ERR_PEER, "TLS handshake: %s", tls_reason(reason, code));
}

/* Bytes that nobody has read turn the closing of a socket into a reset, which overtakes the alert that says why. */
static void linger(struct tls *t)
{
	uint64_t until = now_ms() + LINGER_MS;
	unsigned char waste[4096];
	size_t all = 0;

	shutdown(t->fd, SHUT_WR);
	while (all < LINGER_MOST && wait_for(t->fd, POLLIN, until)) {
		ssize_t got = receive(t, waste, sizeof(waste));

		if (got == 0 || (got < 0 && !would_block(t->number)))
			return;
		all += got > 0 ? (size_t)got : 0;
	}
}

static int give_up(struct tls *t, int code)
{
	int err = explain_handshake(t, code);

	/* mbedtls says nothing to a client that came without a certificate. */
	if (code == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE)
		mbedtls_ssl_send_alert_message(&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
					       MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
	if (err != ERR_NET)
		linger(t);
	return err;
}

int tls_handshake(struct tls *t, int timeout_ms)
{
	uint64_t until = now_ms() + (uint64_t)MAX_OF(timeout_ms, 0);
	const mbedtls_x509_crt *cert;
	const char *wrong;
	int code;

	if (!t->conf)
		return 0;
	while ((code = mbedtls_ssl_handshake(&t->ssl))) {
		if (code != MBEDTLS_ERR_SSL_WANT_READ && code != MBEDTLS_ERR_SSL_WANT_WRITE)
			return give_up(t, code);
		if (wait_for(t->fd, code == MBEDTLS_ERR_SSL_WANT_READ ? POLLIN : POLLOUT, until))
			continue;
		if (looks_plain(t))
			return give_up(t, code);
		return fail(ERR_NET, "no TLS handshake within %d ms", timeout_ms);
	}
	t->shaken = true;
	cert = mbedtls_ssl_get_peer_cert(&t->ssl);
	/* A server's common name is for show, so what is wrong with it does not matter; a client's was looked at by tls_judge. */
	if (cert)
		tls_read_peer(&t->peer, cert, &wrong);
	return 0;
}

const struct tls_peer *tls_peer(const struct tls *t)
{
	return &t->peer;
}

int tls_recheck(struct tls *t, const struct tls_conf *conf)
{
	struct tls_verdict verdict = { .conf = conf, .host = t->host };
	const mbedtls_x509_crt *cert = t->shaken ? mbedtls_ssl_get_peer_cert(&t->ssl) : NULL;
	char reason[TLS_REASON];
	uint32_t flags;
	int said;

	if (!t->conf || !conf->has_ca)
		return 0;
	if (!cert)
		return fail(ERR_DENIED, "the client has no certificate, and one is demanded now");
	said = mbedtls_x509_crt_verify_with_profile((mbedtls_x509_crt *)cert, (mbedtls_x509_crt *)&conf->ca, NULL,
						    &tls_profile, NULL, &flags, tls_judge, &verdict);
	if (verdict.flags)
		return fail(ERR_DENIED, "%s", verdict.reason);
	return said ? fail(ERR_DENIED, "the certificate does not hold: %s", tls_reason(reason, said)) : 0;
}

/* ---- Bytes */

int tls_fd(const struct tls *t)
{
	return t->fd;
}

bool tls_pending(const struct tls *t)
{
	/* mbedtls asks for more only when it has used up what was read ahead, so bytes are left there only while it had no need. */
	return t->conf && !t->broken && (mbedtls_ssl_get_bytes_avail(&t->ssl) || t->ahead_at < t->ahead_n);
}

static int read_plain(struct tls *t, void *to, size_t n, size_t *got)
{
	ssize_t had = receive(t, to, n);

	if (looks_tls(t))
		return fail(ERR_PEER, "TLS where plain text was expected");
	if (had > 0) {
		*got = (size_t)had;
		return 0;
	}
	if (had < 0 && would_block(t->number))
		return 0;
	return fail(ERR_NET, "closed");
}

static int explain_read(const struct tls *t)
{
	char reason[TLS_REASON];

	if (t->broken == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
		return fail(ERR_PEER, "the other end broke off (TLS alert %u)", t->ssl.in_msg ? t->ssl.in_msg[1] : 0);
	if (t->broken == MBEDTLS_ERR_SSL_CONN_EOF || t->broken == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ||
	    t->broken == MBEDTLS_ERR_NET_CONN_RESET)
		return fail(ERR_NET, "closed");
	return fail(ERR_PEER, "TLS: %s", tls_reason(reason, t->broken));
}

int tls_read(struct tls *t, void *to, size_t n, size_t *got)
{
	*got = 0;
	if (!t->conf)
		return read_plain(t, to, n, got);
	while (*got < n && !t->broken) {
		int code = mbedtls_ssl_read(&t->ssl, (unsigned char *)to + *got, n - *got);

		if (code > 0)
			*got += (size_t)code;
		else if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE)
			return 0;
		else
			t->broken = code ? code : MBEDTLS_ERR_SSL_CONN_EOF;
	}
	/* What came before the end is given first. */
	return *got || n == 0 ? 0 : explain_read(t);
}

static int cannot_write(const struct tls *t, int code, int stall_ms)
{
	char reason[TLS_REASON];

	if (code == MBEDTLS_ERR_SSL_WANT_WRITE)
		return fail(ERR_NET, "the other end takes nothing for %d ms", stall_ms);
	if (code == MBEDTLS_ERR_NET_CONN_RESET && (t->number == EPIPE || t->number == ECONNRESET))
		return fail(ERR_NET, "closed");
	if (code == MBEDTLS_ERR_NET_CONN_RESET)
		return fail(ERR_NET, "%s", strerror(t->number));
	return fail(ERR_PEER, "TLS: %s", tls_reason(reason, code));
}

/* Bytes that were taken, or a code of mbedtls. */
static int write_some(struct tls *t, const void *p, size_t n)
{
	size_t most = MIN_OF(n, (size_t)1 << 20);
	ssize_t sent;

	if (t->conf)
		return mbedtls_ssl_write(&t->ssl, p, most);
	sent = transmit(t, p, most);
	return sent < 0 ? code_of(t, MBEDTLS_ERR_SSL_WANT_WRITE) : (int)sent;
}

int tls_write(struct tls *t, const void *p, size_t n, int stall_ms)
{
	const unsigned char *at = p;

	while (n) {
		int code = write_some(t, at, n);

		if (code > 0) {
			at += code;
			n -= (size_t)code;
		} else if (code != MBEDTLS_ERR_SSL_WANT_WRITE ||
			   !wait_for(t->fd, POLLOUT, now_ms() + (uint64_t)MAX_OF(stall_ms, 0))) {
			return cannot_write(t, code, stall_ms);
		}
	}
	return 0;
}

void tls_close(struct tls *t)
{
	if (!t)
		return;
	if (t->conf && t->shaken && t->broken != MBEDTLS_ERR_NET_CONN_RESET)
		mbedtls_ssl_close_notify(&t->ssl);
	mbedtls_ssl_free(&t->ssl);
	close(t->fd);
	free(t->host);
	free(t);
}
