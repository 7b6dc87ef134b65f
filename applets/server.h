/* What the files of the server applet share. */
#ifndef TUXTAPE_SERVER_H
#define TUXTAPE_SERVER_H

#include "applets/applet.h"
#include "applets/server_board.h"
#include "lib/db_job.h"
#include "lib/role.h"
#include "lib/rpc.h"

#include <signal.h>

struct server_options {
	struct applet_common common;
	const char *db;
	struct opt_list addresses, roles;
	bool tls, insecure, allow_empty, allow_self_review;
	const char *cert_path, *key_path, *ca_path, *crl_path, *linux_repo;
	uint64_t max_clients, max_per_address, spare, handshake_timeout, idle_timeout, stall_timeout, drain_timeout, lease,
		approvals;
};

#define LISTENERS_MOST 32

/* The server as its parent set it up; each worker has a copy. */
struct server {
	const struct server_options *opts;
	struct arena *arena;  /* for the whole run */
	struct tls_conf *tls; /* NULL: plain */
	struct board *board;
	int listeners[LISTENERS_MOST];
	size_t n_listeners;
	char boot[64];   /* this machine's boot id */
	int64_t started; /* CLOCK_BOOTTIME, ms */
};

/* The calls of one method on a connection that went well, behind the first. */
struct repeats {
	bool began;
	uint64_t calls, records, ms;
};

/* A connection as its worker sees it. Everything about the client hangs here and is dropped with it. */
struct client {
	const struct server *server;
	struct rpc *rpc;
	struct db *db;
	struct arena *arena; /* for one call; reset after it */
	HealthInfo *health;  /* as read last, in an arena of its own: monitors ask often */
	struct arena *health_arena;
	int64_t health_version; /* of the data it was read from */
	char name[128];         /* who it is, as far as is known */
	char address[128];
	enum role role;
	const char *refusal; /* why it has none */
	bool refused;        /* garbage came: the worker ends with this connection */
	bool on_unix;        /* over a Unix socket: never TLS */
	bool local;          /* on plain loopback, where nobody is told apart */
	unsigned slot;
	const char *program; /* what it says it is; in `who` */
	struct arena *who;
	struct builder_end *builder; /* registered as a builder; NULL */
	const char *remark;          /* what the log's line on the call under way says besides; static; NULL */
	struct repeats repeats[RPC_METHODS];
};

/* Set by signals in a worker: leave as soon as the call under way is over; read the certificates again. */
extern volatile sig_atomic_t server_stop, server_reread;

/* The listeners and the pool of workers, until SIGTERM. */
int server_run(struct server *s);

/* A worker's life: connections one after another. Does not return. */
NORETURN void server_work(struct server *s, unsigned slot);

/* Sets up a client from its connection: name and role, by certificate, by the socket's credentials, or because it is local. ERR_DENIED. */
int server_identify(struct client *c, int fd);

/* The client's database, opened when it is first wanted. */
int server_db(struct client *c, struct db **db);

/* Told after each change that this client made: what was read before is old. */
void server_wrote(struct client *c);

/* 0, or ERR_DENIED with who, what and which role it takes. */
int server_allow(void *client, unsigned method);

/* The role that a method takes at least; the table is in one place. */
enum role server_least_role(unsigned method);

/* What leases are counted by, now. */
struct db_lease_clock server_clock(const struct server *s);

/* What the server does for its clients, by method. */
extern int (*const server_handlers[RPC_METHODS])(void *client, struct rpc_call *call, const ProtobufCMessage *request);

/* The handlers, a file a noun. */
#define SERVER_HANDLER(name) int name(void *client, struct rpc_call *call, const ProtobufCMessage *request)
SERVER_HANDLER(serve_version);
SERVER_HANDLER(serve_health);
SERVER_HANDLER(serve_cves);
SERVER_HANDLER(serve_cve);
SERVER_HANDLER(serve_patch);
SERVER_HANDLER(serve_config_list);
SERVER_HANDLER(serve_config);
SERVER_HANDLER(serve_config_put);
SERVER_HANDLER(serve_config_delete);
SERVER_HANDLER(serve_jobs);
SERVER_HANDLER(serve_register);
SERVER_HANDLER(serve_watch);
SERVER_HANDLER(serve_cancel);
SERVER_HANDLER(serve_retry);
SERVER_HANDLER(serve_builders);
SERVER_HANDLER(serve_rebuild);
SERVER_HANDLER(serve_submit);
SERVER_HANDLER(serve_review);
SERVER_HANDLER(serve_withdraw);
SERVER_HANDLER(serve_patches);
SERVER_HANDLER(serve_patch_record);
SERVER_HANDLER(serve_audit);

/* A registered builder's turn: looks for a job and sees it through. 0, or the error that ends the connection. */
int server_builder_turn(struct client *c);
void server_builder_free(struct client *c);

/* A sign of life of a registered builder: renews the lease of the job that it has. */
int server_builder_alive(struct client *c);

#endif
