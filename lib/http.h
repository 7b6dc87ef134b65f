/* HTTP GET by libcurl, with a pause between requests, bounded retries and back-off. */
#ifndef TUXTAPE_HTTP_H
#define TUXTAPE_HTTP_H

#include "lib/base.h"
#include "lib/buf.h"

struct http;

/* The strings must stay until http_free. */
struct http_how {
	const char *ca_file; /* PEM bundle, trusted alone; NULL: the system's */
	uint64_t pause_ms;   /* least time from the start of one request to the next, tries and redirects included */
	uint64_t timeout_ms; /* for a whole request */
	unsigned tries;      /* at most, each request */
	uint64_t backoff_ms; /* before the second try; doubles, give or take a quarter, up to 32 times this */
	const char *user_agent;
	const char *header; /* one header line with a secret ("apiKey: ..."), never in a text; NULL */
};

/* Cheap: libcurl starts with the first request. ERR_INPUT, ERR_NOTFOUND or ERR_SYS where ca_file is no readable PEM file; ERR_INPUT
 * where header is more than a line. */
int http_new(struct http **h, const struct http_how *how);
void http_free(struct http *h);

struct http_answer {
	int status;        /* of the last try; 0: no answer at all */
	struct buf body;   /* at most 64 MiB */
	char message[256]; /* NVD's `message` header, made printable */
};

/* Fetches url, again after 403, 429, 5xx (Retry-After honoured, at most 32 times backoff_ms), no connection, a closed connection,
 * half a body or a time-out, until it gets 200 or tries are used up. 404 is returned at once: callers know what it means. 0 with
 * answer->status 200 or 404; ERR_INPUT where url is not one of http or https; ERR_NET else, the text naming url's host, status and
 * message. Follows at most five redirects, none to another host or port or from https to http. Each request has a connection of
 * its own. */
int http_get(struct http *h, const char *url, struct http_answer *answer);
void http_answer_free(struct http_answer *answer);

#endif
