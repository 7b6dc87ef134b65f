/* What the files of the parse applet share. */
#ifndef TUXTAPE_PARSE_H
#define TUXTAPE_PARSE_H

#include "applets/applet.h"
#include "lib/pool.h"

struct parse_options {
	struct applet_common common;
	const char *db, *vulns_repo, *linux_repo, *vulns_url, *linux_url, *ca_file;
	const char *nvd_url, *nvd_key_file, *extra, *prefer_score;
	uint64_t fetch_timeout, nvd_pause, nvd_timeout, nvd_backoff, nvd_tries, nvd_fresh, nvd_page, jobs, batch;
	bool no_fetch, no_nvd, full, dry_run, json;
};

/* The tasks of parse's worker processes, in the order of parse_methods. */
enum parse_method { PARSE_FETCH, PARSE_LIST, PARSE_READ, PARSE_SORT, PARSE_PATCH, PARSE_NVD, PARSE_METHODS };

/* What workers are told before they are forked. */
struct parse_setting {
	const struct parse_options *opts;
	const char *vulns_repo, *linux_repo; /* the repositories in use */
	const char *nvd_header;              /* "apiKey: ...", or NULL */
};

extern const struct pool_method parse_methods[PARSE_METHODS];

/* A worker's task: mirrors NVD's records from where the task says, a page a result. */
int parse_nvd_work(void *setting, struct arena *a, const ProtobufCMessage *task, struct pool_out *out);

/* Reads one CVE from the texts of its files into a new Cve; json and cvss may be empty. where is put before "ID.dyad" in complaints. */
Cve *parse_one(struct arena *a, const char *id, const char *where, const char *origin, const struct buf texts[3],
	       ReadResult *said);

/* The files beside each other that make a CVE, in the order of texts[]. */
extern const char *const parse_suffixes[3];
#define PARSE_FILE_MOST (4u << 20) /* bytes; the largest real record has 20 KB, the largest dyad 60 KB */

#endif
