/* tuxtape server: serves the database, the build queue and, to builders, work. Owns the order of starting: what is wrong is said before
 * the first client is taken. Refuses plain connections from other machines unless it is told that they are wanted. */
#include "applets/kernel_clone.h"
#include "applets/server.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define O(field) offsetof(struct server_options, field)
/* The longest time that poll(2) takes. */
#define TIME_MOST ((uint64_t)INT32_MAX)

#define TAKE_TRIES 20
#define TAKE_PAUSE_MS 50

static const struct opt options[] = {
	{ "db", 'd', OPT_PATH, O(db), "FILE", "database to serve", "~/.cache/tuxtape-server/db.db3", .alias = "db-path" },
	{ "listen", 's', OPT_LIST, O(addresses), "ADDRESS",
	  "where to listen: HOST:PORT or unix:PATH; may be given more than once", "127.0.0.1:50051", .alias = "addr" },
	{ "tls", 't', OPT_FLAG, O(tls), NULL, "speak TLS on TCP; needs the next two" },
	{ "tls-cert-path", 0, OPT_PATH, O(cert_path), "FILE", "the server's certificate and those above it (PEM)", NULL },
	{ "tls-key-path", 0, OPT_PATH, O(key_path), "FILE", "its key (PEM, mode 0600)", NULL },
	{ "tls-ca-path", 0, OPT_PATH, O(ca_path), "FILE",
	  "demand client certificates, and trust those that this CA signed (PEM)", NULL },
	{ "tls-crl-path", 0, OPT_PATH, O(crl_path), "FILE", "certificates that the CA has revoked", NULL },
	{ "roles", 0, OPT_LIST, O(roles), "USER=ROLE",
	  "role of a user of this machine on a Unix socket; [roles] in the config file", NULL },
	{ "max-clients", 0, OPT_NUMBER, O(max_clients), "N", "connections served at once", "256", .least = 1,
	  .most = 100000 },
	{ "max-per-address", 0, OPT_NUMBER, O(max_per_address), "N", "of these from one address; loopback is exempt", "256",
	  .least = 1 },
	{ "spare", 0, OPT_NUMBER, O(spare), "N", "idle workers kept ready", "4", .least = 1, .most = 1024 },
	{ "handshake-timeout", 0, OPT_DURATION, O(handshake_timeout), "TIME", "time that a TLS handshake may take", "10s",
	  .least = 1, .most = TIME_MOST },
	{ "idle-timeout", 0, OPT_DURATION, O(idle_timeout), "TIME", "silent clients are dropped after this", "10m",
	  .least = 1, .most = TIME_MOST },
	{ "stall-timeout", 0, OPT_DURATION, O(stall_timeout), "TIME",
	  "clients that take no byte of an answer for so long are dropped", "30s", .least = 1, .most = TIME_MOST },
	{ "drain-timeout", 0, OPT_DURATION, O(drain_timeout), "TIME",
	  "time that calls under way have when the server goes down", "10s", .most = TIME_MOST },
	{ "lease", 0, OPT_DURATION, O(lease), "TIME", "a builder that is silent for so long has lost its job", "90s",
	  .least = 1, .most = TIME_MOST },
	{ "linux-repo", 0, OPT_PATH, O(linux_repo), "DIR",
	  "clone of the kernel that submitted patches are applied to; only read", "~/.cache/tuxtape-server/git/linux" },
	{ "approvals", 0, OPT_NUMBER, O(approvals), "N", "reviewers whose approval a livepatch takes", "1", .least = 1,
	  .most = 100 },
	{ "allow-self-review", 0, OPT_FLAG, O(allow_self_review), NULL,
	  "on plain loopback, where nobody is told apart, approvals count, marked as such" },
	{ "insecure", 0, OPT_FLAG, O(insecure), NULL, "allow plain connections from other machines: nameless viewers" },
	{ "allow-empty", 0, OPT_FLAG, O(allow_empty), NULL,
	  "serve a database that no parse has filled; make it when missing" },
	APPLET_COMMON(struct server_options),
	OPT_END,
};
#undef O

static int check_options(const struct server_options *o)
{
	if (o->tls && (!o->cert_path || !o->key_path))
		return fail(ERR_USAGE,
			    "--tls needs --tls-cert-path and --tls-key-path: `tuxtape cert init` and `tuxtape cert "
			    "issue NAME --role server --host HOST` make them");
	if (!o->tls && (o->cert_path || o->key_path || o->ca_path || o->crl_path))
		return fail(ERR_USAGE, "certificates are named, but not --tls");
	if (o->crl_path && !o->ca_path)
		return fail(ERR_USAGE, "--tls-crl-path needs --tls-ca-path, whose certificates it revokes");
	for (size_t i = 0; i < o->roles.n; i++) {
		const char *equals = strchr(o->roles.items[i], '=');
		enum role role = equals ? role_parse(equals + 1) : ROLE_NONE;

		if (role == ROLE_NONE || role == ROLE_BUILDER)
			return fail(ERR_USAGE, "[roles] '%s': USER=ROLE, the role one of viewer, author, reviewer, admin",
				    o->roles.items[i]);
	}
	return 0;
}

/* The database is opened, brought up to date and closed before workers are forked. */
static int check_database(const struct server_options *o, struct arena *a)
{
	const char *note = NULL, *last_run = NULL;
	struct db *db = NULL;
	int err = db_open(&db, o->db, o->allow_empty ? DB_CREATE : DB_MIGRATE, a, &note);

	if (err)
		return err;
	log_note("serving %s", o->db);
	if (note)
		log_note("%s", note);
	if (!(err = db_meta_get(db, a, "last_run", &last_run)) && !last_run && !o->allow_empty)
		err = fail(ERR_NOTFOUND, "%s: no parse has filled it: run `tuxtape parse --db %s`, or --allow-empty", o->db,
			   o->db);
	db_close(db);
	return err;
}

/* The builders of an earlier server are gone. To be called with the address taken: one that cannot have it must not forget those of the
 * server that has it. */
static int forget_builders(const struct server_options *o, struct arena *a)
{
	struct db *db = NULL;
	int err;

	if (!(err = db_open(&db, o->db, DB_WRITE, a, NULL)))
		err = db_builders_reset(db);
	db_close(db);
	return err;
}

/* The clone may come later: it is opened for each submission. */
static void look_for_clone(const struct server_options *o, struct arena *a)
{
	bool lent;

	if (kernel_clone_check(a, kernel_clone_find(a, o->linux_repo, &lent)))
		log_note("%s; patches are stored unchecked, and nobody can approve one without --accept-unchecked; see "
			 "--linux-repo",
			 err_text());
}

static int load_certificates(struct server *s)
{
	const struct server_options *o = s->opts;
	struct tls_how how = { .server = true,
			       .cert_path = o->cert_path,
			       .key_path = o->key_path,
			       .ca_path = o->ca_path,
			       .crl_path = o->crl_path };
	const char *warning = NULL;
	int err;

	if (!o->tls)
		return 0;
	if (!(err = tls_conf_new(&s->tls, &how, s->arena, &warning)) && warning)
		log_note("%s", warning);
	return err;
}

static int check_plain(const struct server *s, const struct sock_addr *addr, const char *text)
{
	if (s->tls || addr->local)
		return 0;
	if (sock_is_loopback(addr)) {
		log_note("%s is plain: every user of this machine is trusted as admin; on shared machines use -s unix:PATH",
			 text);
		return 0;
	}
	if (!s->opts->insecure)
		return fail(
			ERR_USAGE,
			"%s is no loopback address and there is no --tls: anybody could read along; see `tuxtape cert`, or "
			"say --insecure",
			text);
	log_note("%s is plain and open to other machines (--insecure): their users are nameless viewers, those of this "
		 "machine "
		 "admins",
		 text);
	return 0;
}

/* The workers of a server that was killed hold its sockets for a moment longer than it lives. */
static int take_address(struct server *s, const struct sock_addr *addr, size_t *n)
{
	int err;

	for (unsigned tries = 0;; tries++) {
		err = sock_listen(addr, s->listeners + s->n_listeners, LISTENERS_MOST - s->n_listeners, n);
		if (err != ERR_DENIED || tries == TAKE_TRIES)
			return err;
		usleep(TAKE_PAUSE_MS * 1000);
	}
}

static int listen_on(struct server *s, const char *text)
{
	struct sock_addr addr;
	size_t n = 0;
	int err;

	if ((err = sock_parse(&addr, text)) || (err = check_plain(s, &addr, text)))
		return err;
	if ((addr.tls == SOCK_TLS_YES && !s->tls) || (addr.tls == SOCK_TLS_NO && s->tls))
		return fail(ERR_USAGE, "%s says one thing, --tls another", text);
	if ((err = take_address(s, &addr, &n)))
		return err;
	for (size_t i = 0; i < n; i++) {
		uint16_t port = sock_port(s->listeners[s->n_listeners + i]);

		if (port && port != addr.port)
			log_note("listening on %s, port %u", text, port);
		else
			log_note("listening on %s", text);
	}
	s->n_listeners += n;
	return 0;
}

/* Sockets that systemd passes take the place of those that the options name. */
static int listen_all(struct server *s)
{
	int err = sock_activated(s->listeners, LISTENERS_MOST, &s->n_listeners);

	if (err)
		return err;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (!s->tls && !s->opts->insecure && !sock_fd_is_loopback(s->listeners[i]))
			return fail(ERR_USAGE,
				    "a socket that systemd passed is open to other machines, and there is no --tls; see "
				    "--insecure");
	if (s->n_listeners)
		log_note("%zu sockets come from systemd", s->n_listeners);
	if (s->n_listeners)
		return 0;
	for (size_t i = 0; i < s->opts->addresses.n && !err && s->n_listeners < LISTENERS_MOST; i++)
		err = listen_on(s, s->opts->addresses.items[i]);
	return err;
}

static int read_boot_id(struct server *s)
{
	struct buf text = { 0 };
	int err = buf_read_file(&text, "/proc/sys/kernel/random/boot_id", 64);

	snprintf(s->boot, sizeof(s->boot), "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
	buf_free(&text);
	return err;
}

static int serve(struct server *s)
{
	const struct server_options *o = s->opts;
	int err;

	if ((err = check_options(o)) || (err = check_database(o, s->arena)) || (err = load_certificates(s)) ||
	    (err = read_boot_id(s)))
		return err;
	look_for_clone(o, s->arena);
	s->started = server_clock(s).now;
	if ((err = listen_all(s)) || (err = forget_builders(o, s->arena)) ||
	    (err = board_new(&s->board, (unsigned)(o->max_clients + o->spare))))
		return err;
	return server_run(s);
}

static int server_main(int argc, char **argv)
{
	struct server_options o = { 0 };
	struct server s = { .opts = &o, .arena = arena_new(0) };
	int err = applet_begin(&applet_server, &o, &argc, argv, s.arena);
	int code;

	if (!err && argc > 1)
		err = fail(ERR_USAGE, "operand '%s' is not understood; see tuxtape server --help", argv[1]);
	if (!err)
		err = serve(&s);
	code = applet_end(err);
	tls_conf_free(s.tls);
	arena_free(s.arena);
	return code;
}

static const char *const aliases[] = { "tuxtape-server", NULL };

const struct applet applet_server = {
	.name = "server",
	.aliases = aliases,
	.summary = "serve the database, the build queue and patches over the network",
	.synopsis = "[OPTION]...",
	.options = options,
	.options_size = sizeof(struct server_options),
	.common = offsetof(struct server_options, common),
	.serves = true,
	.run = server_main,
};
