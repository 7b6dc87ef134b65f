/* Owns a worker process: it takes connections one after another and serves each to its end. Refuses to take another after one that
 * sent garbage, so that nothing of one client can reach the next. */
#include "applets/server.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/sock.h"
#include "version.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MOST 200
#define MEMORY_MOST (2ul << 30) /* address space: a runaway request ends its worker, not the machine */

#define TICK_MS 1000 /* a signal that comes just before a wait is noticed this late */

volatile sig_atomic_t server_stop, server_reread;

/* The certificates that this worker was forked with are old: it ends with its client. */
static bool stale;

int (*const server_handlers[RPC_METHODS])(void *client, struct rpc_call *call, const ProtobufCMessage *request) = {
	[RPC_VERSION] = serve_version,
	[RPC_HEALTH] = serve_health,
	[RPC_FETCH_CVES] = serve_cves,
	[RPC_FETCH_CVE] = serve_cve,
	[RPC_FETCH_PATCH] = serve_patch,
	[RPC_FETCH_KERNEL_CONFIGS_METADATA] = serve_config_list,
	[RPC_FETCH_KERNEL_CONFIG] = serve_config,
	[RPC_PUT_KERNEL_CONFIG] = serve_config_put,
	[RPC_DELETE_KERNEL_CONFIG] = serve_config_delete,
	[RPC_FETCH_JOBS] = serve_jobs,
	[RPC_REGISTER_KERNEL_BUILDER] = serve_register,
	[RPC_WATCH_JOB] = serve_watch,
	[RPC_CANCEL_JOB] = serve_cancel,
	[RPC_RETRY_JOB] = serve_retry,
	[RPC_FETCH_BUILDERS] = serve_builders,
	[RPC_REBUILD_CONFIGS] = serve_rebuild,
	[RPC_SUBMIT_PATCH] = serve_submit,
	[RPC_REVIEW_PATCH] = serve_review,
	[RPC_WITHDRAW_PATCH] = serve_withdraw,
	[RPC_FETCH_PATCHES] = serve_patches,
	[RPC_FETCH_PATCH_RECORD] = serve_patch_record,
	[RPC_FETCH_AUDIT] = serve_audit,
};

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		server_reread = 1;
	else
		server_stop = 1;
}

static sigset_t unblocked;

static void block_signals(bool block)
{
	sigset_t set = unblocked;

	if (block) {
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGHUP);
	}
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void catch_signals(void)
{
	static const int signals[] = { SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = on_signal };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &act, NULL);
	/* ^C reaches the whole group: the parent decides what becomes of the workers. */
	signal(SIGINT, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&unblocked);
	block_signals(true);
}

/* A value of a log line: as it is, or in quotes where it could be taken for more than one. */
static const char *word(struct arena *a, const char *s)
{
	struct buf out = { 0 };
	const char *quoted;

	if (*s && s[strcspn(s, " \t\"\\=")] == '\0')
		return s;
	buf_addc(&out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(&out, '\\');
		buf_addc(&out, *s);
	}
	buf_addc(&out, '"');
	quoted = arena_strdup(a, out.data);
	buf_free(&out);
	return quoted;
}

/* Who calls what, which every line on calls begins with. */
static const char *call_words(const struct client *c, unsigned method)
{
	return arena_printf(c->arena, "who=%s role=%s from=%s method=%s", word(c->arena, c->name), role_name(c->role),
			    word(c->arena, c->address), rpc_method_name(method));
}

/* What dashboards ask again and again, and the signs of life of builders. */
static bool is_polled(unsigned method)
{
	static const unsigned polled[] = { RPC_HEALTH, RPC_FETCH_JOBS, RPC_FETCH_BUILDERS, RPC_FETCH_KERNEL_CONFIGS_METADATA,
					   RPC_FETCH_PATCHES };

	for (size_t i = 0; i < ARRAY_LEN(polled); i++)
		if (polled[i] == method)
			return true;
	return false;
}

/* Of those, when they go well, the first on a connection has a line, the others one together: a log is read by people. */
static bool is_repeated(struct client *c, unsigned method, uint64_t records, uint64_t ms, int err)
{
	struct repeats *r;

	if (err || log_level() >= LOG_VERBOSE || !is_polled(method))
		return false;
	r = &c->repeats[method];
	if (!r->began) {
		r->began = true;
		return false;
	}
	r->calls++;
	r->records += records;
	r->ms += ms;
	return true;
}

static void log_repeats(struct client *c)
{
	for (unsigned method = 0; method < RPC_METHODS; method++) {
		const struct repeats *r = &c->repeats[method];

		if (r->calls)
			log_note("%s repeats=%llu records=%llu ms=%llu status=ok", call_words(c, method),
				 (unsigned long long)r->calls, (unsigned long long)r->records, (unsigned long long)r->ms);
	}
}

/* One line for each call: who, what, how much, how long, and how it ended. */
static void log_call(void *client, unsigned method, uint64_t records, uint64_t ms, int err)
{
	struct client *c = client;
	const char *status = err ? word(c->arena, err_kind_name(err)) : "ok";

	if (!is_repeated(c, method, records, ms, err))
		log_note("%s%s%s records=%llu ms=%llu status=%s%s%s", call_words(c, method), c->remark ? " " : "",
			 c->remark ? c->remark : "", (unsigned long long)records, (unsigned long long)ms, status,
			 err ? " error=" : "", err ? word(c->arena, err_text()) : "");
	c->remark = NULL;
	arena_reset(c->arena);
}

/* The certificates may be new, and the peer's may be revoked by now. */
static int reread_certificates(struct client *c)
{
	struct tls_how how = {
		.server = true,
		.cert_path = c->server->opts->cert_path,
		.key_path = c->server->opts->key_path,
		.ca_path = c->server->opts->ca_path,
		.crl_path = c->server->opts->crl_path,
	};
	struct tls_conf *conf = NULL;
	const char *warning;
	int err;

	server_reread = 0;
	stale = true;
	if (!c->server->tls || tls_conf_new(&conf, &how, c->arena, &warning))
		return 0; /* The parent has said what is wrong with the files; what was read before holds. */
	err = tls_recheck(rpc_tls(c->rpc), conf);
	tls_conf_free(conf);
	return err;
}

/* A client that asks nothing for a while costs little: the database goes, and with it most of the worker's memory. */
static void rest(struct client *c)
{
	if (!c->db)
		return;
	db_close(c->db);
	c->db = NULL;
	c->health = NULL;
	malloc_trim(0);
}

/* Serves until the peer leaves, breaks the rules, stays silent too long, or the server goes down. */
static int serve_calls(struct client *c)
{
	uint64_t idle = c->server->opts->idle_timeout, last = now_ms(), limit;
	bool served;
	int err = 0;

	while (!err && !server_stop) {
		if (server_reread && (err = reread_certificates(c)))
			break;
		if (c->builder) {
			err = server_builder_turn(c);
			continue;
		}
		limit = rpc_greeted(c->rpc) ? idle : MIN_OF(idle, c->server->opts->handshake_timeout);
		err = rpc_serve(c->rpc, (int)MIN_OF(limit, (uint64_t)TICK_MS), &served);
		if (err)
			break;
		if (served)
			last = now_ms();
		else
			rest(c);
		if (now_ms() - last >= limit)
			err = fail(ERR_NET, "silent for %llu ms", (unsigned long long)limit);
	}
	return err;
}

/* Who has no role is told why in answer to the first call, and that is all. */
static int serve_client(struct client *c, int fd)
{
	bool served = false;
	int err = server_identify(c, fd);

	if (!err)
		return serve_calls(c);
	c->role = ROLE_NONE;
	c->refusal = arena_strdup(c->who, err_text());
	rpc_serve(c->rpc, (int)c->server->opts->handshake_timeout, &served);
	return fail(err, "%s", c->refusal);
}

static bool is_orderly_end(int err)
{
	return err == 0 || (err == ERR_NET && strcmp(err_text(), "closed") == 0);
}

static void one_client(struct server *s, unsigned slot, int fd, struct client *c)
{
	struct rpc_service service = { .allow = server_allow, .over = log_call, .ctx = c };
	struct tls *t = NULL;
	int err;

	memcpy(service.handlers, server_handlers, sizeof(service.handlers));
	/* On a Unix socket the kernel says who is there, and nobody can listen in. */
	if ((err = tls_open(&t, fd, c->on_unix ? NULL : s->tls, NULL)) ||
	    (err = tls_handshake(t, (int)s->opts->handshake_timeout))) {
		tls_close(t);
		goto out;
	}
	board_set(s->board, slot, SLOT_SERVING);
	c->rpc = rpc_new(t, false, &service);
	rpc_set_stall(c->rpc, (int)s->opts->stall_timeout);
	err = serve_client(c, fd);
	log_repeats(c);
	server_builder_free(c);
	rpc_free(c->rpc);
out:
	c->refused = err == ERR_PEER;
	if (!is_orderly_end(err))
		log_note("who=%s from=%s connection ended: %s: %s", word(c->arena, *c->name ? c->name : "-"),
			 word(c->arena, c->address), err_kind_name(err), err_text());
}

/* Waits for a connection on any listener; -1 when a signal came first, or another worker was quicker. */
static int accept_one(const struct server *s)
{
	struct pollfd fds[LISTENERS_MOST];
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);

	for (size_t i = 0; i < s->n_listeners; i++)
		fds[i] = (struct pollfd){ .fd = s->listeners[i], .events = POLLIN };
	/* Signals come in here and nowhere between the look at their flags and this wait. */
	if (ppoll(fds, s->n_listeners, NULL, &unblocked) <= 0)
		return -1;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (fds[i].revents) {
			int fd = accept4(s->listeners[i], (struct sockaddr *)&from, &size, SOCK_CLOEXEC);

			if (fd < 0)
				continue;
			sock_keep_alive(fd);
			return fd;
		}
	return -1;
}

/* The parent makes new spares when it hears that they run short. */
static void take_slot(struct server *s, unsigned slot, const char *address, unsigned *same)
{
	*same = board_take(s->board, slot, address);
	if (board_count(s->board, SLOT_IDLE) < s->opts->spare)
		kill(getppid(), SIGUSR1);
}

static void take_client(struct server *s, unsigned slot, int fd, bool *refused)
{
	struct client c = { .server = s, .slot = slot, .arena = arena_new(0), .who = arena_new(0) };
	bool loopback = sock_fd_is_loopback(fd);
	struct sock_peer peer = { 0 };
	unsigned same;

	if (sock_peer(&peer, fd)) {
		/* It left before it was looked at. */
		close(fd);
		fd = -1;
	}
	snprintf(c.address, sizeof(c.address), "%s", peer.text);
	c.on_unix = peer.local;
	take_slot(s, slot, c.address, &same);
	if (fd >= 0 && same > s->opts->max_per_address && !loopback) {
		log_note("from=%s connection refused: more than %llu at once", c.address,
			 (unsigned long long)s->opts->max_per_address);
		close(fd);
	} else if (fd >= 0) {
		one_client(s, slot, fd, &c);
	}
	*refused = c.refused;
	db_close(c.db);
	arena_free(c.arena);
	arena_free(c.who);
	arena_free(c.health_arena);
	board_set(s->board, slot, SLOT_IDLE);
}

/* True when the burst is over that made so many workers: this one may go. */
static bool too_many_idle(const struct server *s)
{
	return board_count(s->board, SLOT_IDLE) > 2 * s->opts->spare + 8;
}

void server_work(struct server *s, unsigned slot)
{
	struct rlimit memory = { MEMORY_MOST, MEMORY_MOST };
	bool refused = false;
	unsigned n = 0;

	catch_signals();
	if (!SANITIZED)
		setrlimit(RLIMIT_AS, &memory);
	while (n < CONNECTIONS_MOST && !server_stop && !server_reread && !stale && !refused && !(n && too_many_idle(s))) {
		int fd = accept_one(s);

		if (fd >= 0) {
			block_signals(false);
			take_client(s, slot, fd, &refused);
			block_signals(true);
			n++;
		}
	}
	/* No exit handlers: what they would flush belongs to the parent. */
	_exit(0);
}

int serve_version(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const VersionInfo *peer = (const VersionInfo *)request;
	struct client *c = client;
	VersionInfo me = VERSION_INFO__INIT;

	/* For the test that a crash takes one client with it. */
	if (SANITIZED && peer->program && strcmp(peer->program, "crash") == 0)
		abort();
	c->program = arena_strdup(c->who, peer->program ? peer->program : "unknown");
	me.program = "tuxtape " TUXTAPE_VERSION;
	me.has_protocol = true;
	me.protocol = RPC_PROTOCOL;
	me.you = c->name;
	me.role = role_name(c->role);
	if (!peer->has_protocol || peer->protocol != RPC_PROTOCOL)
		return fail(ERR_PEER, "this end speaks protocol %u, the caller %u: upgrade the older", RPC_PROTOCOL,
			    peer->protocol);
	return rpc_reply(call, &me.base);
}
