/* A world of certificates for the tests of lib/tls: good, old, early, revoked and foreign ones, in a directory of their own; and two ends
 * of a connection, of which one is a child. Each test program owns one world. */
#ifndef TUXTAPE_TLS_WORLD_H
#define TUXTAPE_TLS_WORLD_H

#include "lib/tls_ca.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/tls_sign.h"
#include "tap.h"

#include <ftw.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY 86400
#define PATIENCE 10000

static struct arena *arena;
static char top[] = "/tmp/tuxtape-tls.XXXXXX";

static const char *in(const char *name)
{
	return arena_printf(arena, "%s/%s", top, name);
}

/* ---- Certificates of every kind */

struct made {
	const char *name, *subject, *ca; /* ca: directory of the signer */
	int from, to;                    /* days from now */
	bool server;
	const char *hosts[6];
};

static const struct made certificates[] = {
	{ "server", "CN=server,OU=server", "ca", -1, 300, true, { "Localhost", "*.example.org", "127.0.0.1", "::1" } },
	{ "alice", "CN=alice,OU=viewer", "ca", -1, 300, false, { NULL } },
	{ "bob", "CN=bob,OU=author", "ca", -1, 300, false, { NULL } },
	{ "nobody", "OU=viewer", "ca", -1, 300, false, { NULL } },
	{ "old", "CN=old,OU=viewer", "ca", -9, -2, false, { NULL } },
	{ "early", "CN=early,OU=viewer", "ca", 2, 9, false, { NULL } },
	{ "stranger", "CN=alice,OU=admin", "other", -1, 300, false, { NULL } },
	{ "old-server", "CN=server", "ca", -9, -2, true, { "localhost" } },
	{ "early-server", "CN=server", "ca", 2, 9, true, { "localhost" } },
	{ "strange-server", "CN=server", "other", -1, 300, true, { "localhost" } },
	{ "bare-server", "CN=localhost", "ca", -1, 300, true, { NULL } },
	{ "brief-server", "CN=brief", "ca", -1, 3, true, { "localhost" } },
};

static void make(const struct made *m)
{
	struct buf pem = { 0 };
	mbedtls_x509_crt ca;
	mbedtls_pk_context ca_key, key;
	struct sign_order o = {
		.subject = m->subject,
		.subject_key = &key,
		.ca = &ca,
		.ca_key = &ca_key,
		.serial = { 0x41 },
		.not_before = clock_now() + (int64_t)m->from * DAY,
		.not_after = clock_now() + (int64_t)m->to * DAY,
		.server = m->server,
		.hosts = m->hosts,
	};
	bool open_to_others;
	int bad;

	mbedtls_x509_crt_init(&ca);
	mbedtls_pk_init(&ca_key);
	mbedtls_pk_init(&key);
	tls_random(NULL, o.serial + 1, SIGN_SERIAL - 1);
	/* A number with its first bit set has a zero byte before it, in the certificate and in the list. */
	if (strcmp(m->name, "bob") == 0)
		o.serial[0] = 0x91;
	while (m->hosts[o.n_hosts])
		o.n_hosts++;
	if (tls_load_certs(&ca, in(arena_printf(arena, "%s/ca.crt", m->ca)), &bad) ||
	    tls_load_key(&ca_key, in(arena_printf(arena, "%s/ca.key", m->ca)), &open_to_others) || sign_new_key(&key) ||
	    sign_cert(&pem, &o) || file_replace(in(arena_printf(arena, "%s.crt", m->name)), pem.data, pem.len, 0644))
		ok(false, "%s: %s", m->name, err_text());
	buf_reset(&pem);
	if (sign_key_pem(&pem, &key) || file_replace(in(arena_printf(arena, "%s.key", m->name)), pem.data, pem.len, 0600))
		ok(false, "%s: %s", m->name, err_text());
	buf_free(&pem);
	mbedtls_x509_crt_free(&ca);
	mbedtls_pk_free(&ca_key);
	mbedtls_pk_free(&key);
}

/* A revocation list of the CA that names the certificate; NULL: nobody. */
static void make_crl(const char *path, const char *ca_dir, const char *revoked, int next_days)
{
	Certificate c, *all[] = { &c };
	struct buf der = { 0 };
	mbedtls_x509_crt ca, cert;
	mbedtls_pk_context key;
	char serial[65], when[CLOCK_TEXT];
	bool open_to_others;
	int bad;

	mbedtls_x509_crt_init(&ca);
	mbedtls_x509_crt_init(&cert);
	mbedtls_pk_init(&key);
	certificate__init(&c);
	if (revoked && !tls_load_certs(&cert, in(revoked), &bad))
		tls_serial_text(serial, &cert);
	c.serial = serial;
	c.revoked = clock_print(when, clock_now());
	if (tls_load_certs(&ca, in(arena_printf(arena, "%s/ca.crt", ca_dir)), &bad) ||
	    tls_load_key(&key, in(arena_printf(arena, "%s/ca.key", ca_dir)), &open_to_others) ||
	    sign_crl(&der, &ca, &key, all, revoked ? 1 : 0, clock_now() - 100 * DAY,
		     clock_now() + (int64_t)next_days * DAY) ||
	    file_replace(in(path), der.data, der.len, 0644))
		ok(false, "%s: %s", path, err_text());
	buf_free(&der);
	mbedtls_x509_crt_free(&ca);
	mbedtls_x509_crt_free(&cert);
	mbedtls_pk_free(&key);
}

static void make_world(void)
{
	const char *until;

	if (ca_init(in("ca"), 0, arena, &until) || ca_init(in("other"), 0, arena, &until))
		ok(false, "ca_init: %s", err_text());
	for (size_t i = 0; i < ARRAY_LEN(certificates); i++)
		make(&certificates[i]);
	make_crl("bob.crl", "ca", "bob.crt", 30);
	make_crl("server.crl", "ca", "server.crt", 30);
	make_crl("stale.crl", "ca", "bob.crt", -3);
	make_crl("empty.crl", "ca", NULL, 30);
	make_crl("other.crl", "other", "bob.crt", 30);
	/* Somebody who may not sign lists does. */
	if (mkdir(in("leaf"), 0700) < 0 || symlink("../alice.crt", in("leaf/ca.crt")) < 0 ||
	    symlink("../alice.key", in("leaf/ca.key")) < 0)
		ok(false, "links");
	make_crl("leaf.crl", "leaf", "bob.crt", 30);
}

/* ---- Confs */

static const char *path_of(const char *name, const char *suffix)
{
	return name ? arena_printf(arena, "%s/%s%s", top, name, suffix) : NULL;
}

static const char *warning;

static struct tls_conf *conf_of(bool server, const char *name, const char *ca, const char *crl)
{
	struct tls_how how = {
		.server = server,
		.cert_path = path_of(name, ".crt"),
		.key_path = path_of(name, ".key"),
		.ca_path = path_of(ca, "/ca.crt"),
		.crl_path = path_of(crl, ""),
	};
	struct tls_conf *conf;

	if (tls_conf_new(&conf, &how, arena, &warning))
		ok(false, "tls_conf_new %s: %s", name ? name : "-", err_text());
	return conf;
}

/* ---- Two ends */

struct outcome {
	int err;
	char text[512];
	struct tls_peer peer;
};

static void note(struct outcome *o, int err, const struct tls *t)
{
	*o = (struct outcome){ .err = err };
	snprintf(o->text, sizeof(o->text), "%s", err ? err_text() : "");
	if (t)
		o->peer = *tls_peer(t);
}

/* The other end, in a child: act() does its part and what it returns is its outcome. */
struct other {
	pid_t pid;
	int pipe;
};

static struct other start(int ends[2], const struct tls_conf *conf, int (*act)(struct tls *t))
{
	struct other other;
	struct outcome o;
	struct tls *t;
	int out[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 || pipe(out) < 0)
		exit(1);
	fflush(stdout);
	other.pid = fork();
	if (other.pid == 0) {
		int err;

		alarm(60);
		close(ends[0]);
		err = tls_open(&t, ends[1], conf, NULL);
		if (!err)
			err = tls_handshake(t, PATIENCE);
		if (!err && act)
			err = act(t);
		note(&o, err, t);
		tls_close(t);
		if (write(out[1], &o, sizeof(o)) != sizeof(o))
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	close(out[1]);
	other.pipe = out[0];
	return other;
}

static void finish(struct other other, struct outcome *o)
{
	if (read(other.pipe, o, sizeof(*o)) != sizeof(*o))
		note(o, fail(ERR_SYS, "the other end died"), NULL);
	close(other.pipe);
	waitpid(other.pid, NULL, 0);
}

static void has(const struct outcome *o, int err, const char *text, const char *what)
{
	bool good = o->err == err && strstr(o->text, text);

	ok(good, "%s", what);
	if (!good)
		printf("# got:  %s: %s\n# want: %s: %s\n", err_kind_name(o->err), o->text, err_kind_name(err), text);
}

/* ---- The end */

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED, struct FTW *at UNUSED)
{
	return remove(path);
}

static void remove_world(void)
{
	nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	arena = arena_new(0);
	if (!mkdtemp(top))
		exit(1);
	make_world();
}

static int end(void)
{
	remove_world();
	arena_free(arena);
	return done();
}

#endif
