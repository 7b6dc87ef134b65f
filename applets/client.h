/* What every verb that speaks to a server shares: connection settings, dialling, asking. */
#ifndef TUXTAPE_CLIENT_H
#define TUXTAPE_CLIENT_H

#include "applets/applet.h"
#include "lib/db.h"
#include "lib/rpc.h"

struct client_options {
	const char *server;
	bool tls;
	const char *cert_path, *key_path, *ca_path, *crl_path;
	uint64_t timeout;
};

/* Rows of an option table for a struct that holds `struct client_options client`. */
#define CLIENT_SETTINGS(type)                                                                                                    \
	{ "tls", 't', OPT_FLAG, offsetof(type, client.tls), NULL, "speak TLS; https:// and unix: say it themselves" },           \
		{ "tls-cert-path", 0, OPT_PATH, offsetof(type, client.cert_path), "FILE", "one's own certificate (PEM)", NULL }, \
		{ "tls-key-path", 0, OPT_PATH, offsetof(type, client.key_path), "FILE", "its key (PEM, mode 0600)", NULL },      \
		{ "tls-ca-path", 0,                                                                                              \
		  OPT_PATH,      offsetof(type, client.ca_path),                                                                 \
		  "FILE",        "CA that the server's certificate must come from; else the system's",                           \
		  NULL },                                                                                                        \
		{ "tls-crl-path",                                                                                                \
		  0,                                                                                                             \
		  OPT_PATH,                                                                                                      \
		  offsetof(type, client.crl_path),                                                                               \
		  "FILE",                                                                                                        \
		  "certificates that it has revoked",                                                                            \
		  NULL },                                                                                                        \
	{                                                                                                                        \
		"timeout", 0, OPT_DURATION, offsetof(type, client.timeout), "TIME",                                              \
			"time that connecting, and each answer, may take", "30s", .least = 1, .most = INT32_MAX                  \
	}

#define CLIENT_OPTIONS(type)                                          \
	{ "server",          's',                                     \
	  OPT_STRING,        offsetof(type, client.server),           \
	  "ADDRESS",         "server to ask: HOST:PORT or unix:PATH", \
	  "127.0.0.1:50051", .alias = "server-url" },                 \
		CLIENT_SETTINGS(type)

/* A connection that is open and greeted. service: what this end does for the server, NULL for nothing. ERR_NET, ERR_DENIED, ERR_PEER, each
 * with the server's address. *you, when not NULL, gets the server's words on who the caller is, in the arena. */
int client_dial(const struct client_options *o, struct arena *a, const struct rpc_service *service, struct rpc **rpc,
		VersionInfo **you);

/* One call, with the time-out of the options; connects, asks, and leaves. */
int client_ask(const struct client_options *o, struct arena *a, unsigned method, const ProtobufCMessage *request,
	       void *reply);

/* Where a reading verb reads: a database on this machine, or a server. */
struct source {
	struct db *db;   /* NULL: the server */
	struct rpc *rpc; /* NULL: the database */
	int timeout_ms;
};

/* Opens what the options name: --db or --server where one was given, else the local database if it is there, else the server that is
 * configured; a line says which, and how old its data is. */
int source_open(struct source *s, const struct applet *applet, const struct applet_common *common, const char *db,
		const struct client_options *client, struct arena *a);
void source_close(struct source *s);

/* The fix of an instance with its patch. ERR_USAGE for what is no title, ERR_NOTFOUND with the reason where there is no patch. */
int source_patch(struct source *s, struct arena *a, const char *title, Fix **out);

/* One CVE with everything, judged for what the request names. */
int source_cve(struct source *s, struct arena *a, const FetchCveRequest *r, Cve **cve);

#endif
