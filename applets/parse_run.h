/* One run of the parser: its state, and the recipe. */
#ifndef TUXTAPE_PARSE_RUN_H
#define TUXTAPE_PARSE_RUN_H

#include "applets/parse.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/pool.h"

struct parse_run {
	const struct parse_options *opts;
	struct parse_setting *setting;
	struct arena *arena; /* for the whole run */
	struct arena *batch; /* reset for each event */
	struct pool *pool;
	struct db *db;
	unsigned jobs;
	uint64_t started_ms;
	bool kernel_lent;    /* another applet's clone: read, not fetched */
	bool kernel_missing; /* there is no clone, and none can be had now */
	bool degraded;       /* exit 3 */
	bool anything;       /* rows were changed */
	bool nvd_alone;      /* NVD is waited for, nothing else */
	struct log_phase phase;
	uint64_t done, total;   /* of the phase */
	ListResult *listing;    /* what is to be read */
	size_t next;            /* the next id or commit to give out */
	const char **extra_ids; /* CVEs of one's own, sorted */
	size_t n_extra;
	const char **commits; /* fix commits whose patches are wanted, in reading order */
	size_t n_commits;
	struct span {
		size_t next, end;
	} * spans; /* a worker's own run of commits */
	ParseSummary sum;
};

/* Opens the database and does the whole run. What is stored stays stored when it fails half way. */
int parse_everything(struct parse_run *run);

/* Reads --extra's directory into the database. Part of parse_everything. */
int parse_extra(struct parse_run *run);

/* Lists the CVEs of --extra's directory into extra_ids. */
int parse_extra_list(struct parse_run *run);

/* To be called in a transaction that changes CVEs or patches: until the run has come to its end, the database holds a state of which no commit is
 * known, and the next run has to read everything. */
int parse_note_change(struct parse_run *run);

/* Says with -v how far a phase has come. */
void parse_mark(const char *phase, uint64_t done, uint64_t total);

/* Names what was malformed and takes note of it for the exit code. */
void parse_complain(struct parse_run *run, size_t n, Complaint *const *complaints);

#endif
