/* A connection's bytes, plain or TLS, over one non-blocking socket; and who is at the other end. */
#ifndef TUXTAPE_TLS_H
#define TUXTAPE_TLS_H

#include "lib/arena.h"
#include "lib/base.h"

/* Parsed certificates and keys: made before forks, read-only after. */
struct tls_conf;

struct tls_how {
	bool server;
	const char *cert_path, *key_path; /* PEM: own chain and its key; NULL: none (clients only) */
	const char *
		ca_path; /* whom to trust, PEM; NULL: a server asks clients for no certificate, a client trusts TLS_SYSTEM_CA */
	const char *crl_path; /* revocation list, PEM or DER; NULL: none. Only with ca_path. */
};

#define TLS_SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

/* Reads the files. *warning is a line in the arena about what will soon be, or is a little, wrong (a revocation list past its next
 * update, an own certificate that ends within two weeks, a key that others can read, ...), else NULL. ERR_USAGE where the paths do
 * not go together; ERR_INPUT, ERR_NOTFOUND, ERR_SYS with the path. */
int tls_conf_new(struct tls_conf **conf, const struct tls_how *how, struct arena *a, const char **warning);
void tls_conf_free(struct tls_conf *conf);

/* A connection. */
struct tls;

/* Whom the other end's certificate names. For plain connections and nameless clients all is empty. */
struct tls_peer {
	bool named;        /* there is a certificate, and it holds */
	char name[65];     /* common name; printable ASCII, of a client never empty */
	char role[33];     /* organisational unit; "" where it has none */
	char serial[65];   /* hexadecimal, lower case, as `tuxtape cert list` shows it */
	int64_t not_after; /* seconds since 1970 */
};

/* A connection over fd, which belongs to it from here on, even when this fails; it becomes non-blocking, with TCP_NODELAY. conf NULL:
 * plain. host: the name or number that the client dialled, for SNI and verification; NULL for servers. conf must outlive *t.
 * ERR_SYS. */
int tls_open(struct tls **t, int fd, const struct tls_conf *conf, const char *host);

/* The whole handshake; nothing to do for plain. ERR_NET: too late, or closed; ERR_PEER: the other end speaks no TLS, or a broken
 * one; ERR_DENIED: one end refused the other's certificate, with the reason. */
int tls_handshake(struct tls *t, int timeout_ms);

/* Never NULL; lives as long as t. */
const struct tls_peer *tls_peer(const struct tls *t);

/* Judges the peer's certificate by a newer conf (other CA, other revocation list, the present time). 0 for plain connections;
 * ERR_DENIED with the reason when it no longer holds. */
int tls_recheck(struct tls *t, const struct tls_conf *conf);

int tls_fd(const struct tls *t);

/* Bytes have been received that tls_read has not given yet: read before polling the descriptor. */
bool tls_pending(const struct tls *t);

/* As many bytes as are there, at most n; never blocks. *got 0: nothing now. ERR_NET "closed" at the end, in whichever way it came;
 * ERR_PEER for garbage. */
int tls_read(struct tls *t, void *to, size_t n, size_t *got);

/* Writes all of it. ERR_NET when the peer makes no room for stall_ms, or has closed. */
int tls_write(struct tls *t, const void *p, size_t n, int stall_ms);

/* Says goodbye as well as it can without waiting, and closes the descriptor; NULL is fine. */
void tls_close(struct tls *t);

#endif
