/* What the dashboard's pages share: asking the server and this machine, and what is known of both. */
#ifndef TUXTAPE_DASH_DATA_H
#define TUXTAPE_DASH_DATA_H

#include "applets/dash_end.h"
#include "applets/dash_engine.h"
#include "applets/dash_term.h"

/* What dash_tell tells the pages. */
enum dash_news {
	NEWS_CONNECTED, /* after there was no connection: what failed is to be asked again */
	NEWS_LOST,      /* there is no connection now */
	NEWS_TICK,      /* a while has passed: what changes by itself is to be asked again */
	NEWS_DATA,      /* the server has other data on CVEs */
	NEWS_PATCHES,   /* livepatches came, or were reviewed */
	NEWS_LOOK,      /* a person wants to see the CVEs of the config look_at */
};

struct dash_asked {
	uint32_t id;
	enum link_channel channel;
	bool cancelled;
};

struct dash_data {
	struct dash_link *link;
	const char *server;      /* its address */
	const char *trees;       /* directory for checkouts */
	const char *patches;     /* directory of the user's own patches */
	int64_t wall;            /* what time it is, where a script says so; else 0 */
	bool connected, greeted; /* now; ever */
	bool broken;             /* a process beside this one has ended */
	char *you, *role, *why;  /* NULL: not known */
	char *vulns_time, *made_from;
	char *look_at; /* the config of NEWS_LOOK */
	uint64_t cves;
	struct dash_asked *asked; /* what is not answered */
	size_t n_asked;
	struct arena *arena; /* of one answer */
};

/* Bytes as the message of an answer from this machine. */
struct dash_bytes {
	const char *data;
	size_t n;
};

/* As dash_server's `self`; link, server and directories are set by the caller. */
void dash_data_init(struct dash_data *data);
void dash_data_free(struct dash_data *data);
extern const struct dash_server dash_data_server; /* self is to be filled in */

/* Asks the server; the answer's messages are those of the method, r->kind is the method. */
uint32_t dash_call(struct dash *d, unsigned method, const ProtobufCMessage *request);
/* Asks this machine (enum dash_local is r->kind); the answer's messages are struct dash_bytes. */
uint32_t dash_local(struct dash *d, unsigned job, const void *data, size_t n);

/* Seconds since 1970 now, for ages. */
int64_t dash_now(const struct dash_data *data);

/* "12 days", or "?" where the time is absent or no time. Returns text. */
#define DASH_AGE 32
const char *dash_age(const struct dash_data *data, char text[DASH_AGE], const char *iso);

/* True where a failed request failed for want of a connection, which comes back by itself. */
bool dash_is_lost(const struct dash_answer *answer);

/* Replaces *at by a copy; NULL is fine. */
void dash_keep(char **at, const char *text);

#endif
