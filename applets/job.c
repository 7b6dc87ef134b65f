/* tuxtape job: the build queue. Owns the verbs; a watched log goes to stdout, made printable on a terminal. */
#include "applets/client.h"

#include "applets/words.h"
#include "lib/db_job.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"

#include <stdio.h>
#include <unistd.h>

struct job_options {
	struct applet_common common;
	struct client_options client;
	const char *db, *config;
	uint64_t from, most;
	bool open, json;
};

#define O(field) offsetof(struct job_options, field)
static const struct opt options[] = {
	{ "config", 'c', OPT_STRING, O(config), "NAME", "jobs of this config alone", NULL, .flag_only = true,
	  .verbs = "list" },
	{ "open", 0, OPT_FLAG, O(open), NULL, "only what is queued or being built", .flag_only = true, .verbs = "list" },
	{ "most", 'n', OPT_NUMBER, O(most), "N", "at most so many, newest first", "100", .least = 1, .most = 100000,
	  .flag_only = true, .verbs = "list" },
	{ "from", 0, OPT_NUMBER, O(from), "LINE", "first line wanted", "1", .least = 1, .flag_only = true,
	  .verbs = "watch log" },
	{ "db", 0, OPT_PATH, O(db), "FILE", "database to read", "~/.cache/tuxtape-server/db.db3", .alias = "db-path",
	  .verbs = "list log builders" },
	CLIENT_OPTIONS(struct job_options),
	{ "json", 0, OPT_FLAG, O(json), NULL, "print JSON", .flag_only = true, .verbs = "list builders retry" },
	APPLET_COMMON_KERNEL(struct job_options),
	OPT_END,
};
#undef O

struct run {
	struct arena *arena;
	const struct job_options *o;
	struct source source; /* of verbs that read */
	uint64_t job;
};

static void print_jobs(const JobList *list)
{
	if (list->n_jobs)
		printf("%5s %-24s %-12s %4s %-10s %3s %-20s %s\n", "JOB", "CONFIG", "VERSION", "REV", "STATE", "TRY",
		       "QUEUED", "BUILDER");
	for (size_t i = 0; i < list->n_jobs; i++) {
		const Job *j = list->jobs[i];
		char version[KVER_TEXT_MAX];

		printf("%5llu %-24s %-12s %4u %-10s %3u %-20s %s\n", (unsigned long long)j->job, j->config,
		       kver_text(version, j->version), j->revision, job_state_word(j->state), j->attempt,
		       j->queued_at ? j->queued_at : "-", j->builder ? j->builder : "-");
	}
}

static int list(struct run *r)
{
	FetchJobsRequest q = FETCH_JOBS_REQUEST__INIT;
	JobList *list = pb_new(r->arena, &job_list__descriptor);
	int err;

	q.config = r->o->config;
	q.has_open_only = q.open_only = r->o->open;
	q.has_most = true;
	q.most = (uint32_t)r->o->most;
	if (r->source.db)
		err = db_job_list(r->source.db, r->arena, &q, list);
	else
		err = rpc_call(r->source.rpc, RPC_FETCH_JOBS, &q.base, r->arena, r->source.timeout_ms, &list);
	if (err)
		return err;
	if (r->o->json)
		applet_print_json(&list->base);
	else
		print_jobs(list);
	return 0;
}

static void print_builders(const BuilderList *list)
{
	if (list->n_builders)
		printf("%-24s %-9s %5s %5s %-20s %s\n", "BUILDER", "STATE", "CORES", "JOB", "SINCE", "COMPILER");
	for (size_t i = 0; i < list->n_builders; i++) {
		const BuilderInfo *b = list->builders[i];
		struct buf compiler = { 0 };
		char job[24] = "-";

		if (b->has_job)
			snprintf(job, sizeof(job), "%llu", (unsigned long long)b->job);
		if (b->compiler)
			str_printable(&compiler, b->compiler, strlen(b->compiler));
		printf("%-24s %-9s %5u %5s %-20s %s\n", b->name, b->connected ? "connected" : "gone", b->cores, job,
		       b->connected || !b->seen_at ? b->since : b->seen_at, buf_str(&compiler));
		buf_free(&compiler);
	}
}

static int builders(struct run *r)
{
	BuilderList *list = pb_new(r->arena, &builder_list__descriptor);
	Nothing q = NOTHING__INIT;
	int err;

	if (r->source.db)
		err = db_builder_list(r->source.db, r->arena, list);
	else
		err = rpc_call(r->source.rpc, RPC_FETCH_BUILDERS, &q.base, r->arena, r->source.timeout_ms, &list);
	if (err)
		return err;
	if (r->o->json)
		applet_print_json(&list->base);
	else
		print_builders(list);
	return 0;
}

static void print_line(ProtobufCBinaryData line)
{
	struct buf shown = { 0 };

	if (isatty(STDOUT_FILENO))
		str_printable(&shown, (const char *)line.data, line.len);
	else
		buf_add(&shown, line.data, line.len);
	buf_addc(&shown, '\n');
	fwrite(shown.data, 1, shown.len, stdout);
	buf_free(&shown);
}

/* How a job ended, as words and exit: what failed has failed here, too. */
static int tell_end(const Job *job)
{
	if (job->state == JOB_STATE__DONE)
		log_note("job %llu: done by %s", (unsigned long long)job->job, job->builder ? job->builder : "?");
	else
		return fail(ERR_INPUT, "job %llu %s: %.*s", (unsigned long long)job->job, job_state_word(job->state),
			    job->error ? (int)strcspn(job->error, "\n") : 1, job->error ? job->error : "?");
	return 0;
}

static void print_news(const JobLines *news)
{
	for (size_t i = 0; i < news->n_lines; i++)
		print_line(news->lines[i]);
	if (news->job)
		log_verbose("job %llu: %s%s%s", (unsigned long long)news->job->job, job_state_word(news->job->state),
			    news->job->phase ? ", " : "", news->job->phase ? news->job->phase : "");
	fflush(stdout);
}

/* Prints the log as it comes from a server; *job is where it stands at the end of that. */
static int print_log(struct run *r, struct rpc *rpc, bool once, Job **job)
{
	WatchJobRequest q = WATCH_JOB_REQUEST__INIT;
	struct arena *each = arena_new(0);
	enum rpc_news news = RPC_NOTHING;
	void *message;
	int err;

	q.has_job = q.has_from_line = q.has_once = true;
	q.job = r->job;
	q.from_line = r->o->from;
	q.once = once;
	err = rpc_start(rpc, RPC_WATCH_JOB, &q.base);
	while (!err && news != RPC_END) {
		arena_reset(each);
		if ((err = rpc_next(rpc, each, -1, &news, &message)))
			break;
		if (news == RPC_RECORD)
			print_news(message);
	}
	if (!err)
		*job = pb_copy(r->arena, message);
	arena_free(each);
	return err;
}

static int watch(struct run *r)
{
	struct rpc *rpc = NULL;
	Job *job;
	int err;

	if (!(err = client_dial(&r->o->client, r->arena, NULL, &rpc, NULL)) && !(err = print_log(r, rpc, false, &job)))
		err = tell_end(job);
	rpc_free(rpc);
	return err;
}

/* What there is of a log now; it does not wait for more. */
static int log_lines(struct run *r)
{
	uint64_t next = r->o->from, first;
	Job *job;
	size_t n;
	int err;

	if (!r->source.db)
		return print_log(r, r->source.rpc, true, &job);
	if ((err = db_job_get(r->source.db, r->arena, r->job, &job)))
		return err;
	do {
		struct arena *each = arena_new(0);
		ProtobufCBinaryData *lines;

		err = db_job_lines(r->source.db, each, r->job, next, 1000, &first, &n, &lines);
		for (size_t i = 0; !err && i < n; i++)
			print_line(lines[i]);
		next = first + n;
		arena_free(each);
	} while (!err && n == 1000);
	return err;
}

static int cancel(struct run *r)
{
	JobId q = JOB_ID__INIT;
	Nothing *reply;

	q.has_job = true;
	q.job = r->job;
	return client_ask(&r->o->client, r->arena, RPC_CANCEL_JOB, &q.base, &reply);
}

static int retry(struct run *r)
{
	JobId q = JOB_ID__INIT, *reply;
	int err;

	q.has_job = true;
	q.job = r->job;
	if ((err = client_ask(&r->o->client, r->arena, RPC_RETRY_JOB, &q.base, &reply)))
		return err;
	if (r->o->json)
		applet_print_json(&reply->base);
	else
		printf("job %llu\n", (unsigned long long)reply->job);
	return 0;
}

#define ONE_JOB "the number of one job"
static const struct verb {
	struct applet_verb words;
	bool reads;
	int (*run)(struct run *r);
} verbs[] = {
	{ { "list", 0, 0, "no operand" }, true, list }, { { "watch", 1, 1, ONE_JOB }, false, watch },
	{ { "log", 1, 1, ONE_JOB }, true, log_lines },  { { "builders", 0, 0, "no operand" }, true, builders },
	{ { "cancel", 1, 1, ONE_JOB }, false, cancel }, { { "retry", 1, 1, ONE_JOB }, false, retry },
};

static int run_verb(struct run *r, int argc, char **argv)
{
	size_t verb;
	int err = applet_find_verb(&applet_job, &r->o->common, verbs, ARRAY_LEN(verbs), sizeof(verbs[0]), argc, argv, &verb);

	if (err)
		return err;
	if (argc > 2 && !str_to_u64(argv[2], UINT64_MAX / 2, &r->job))
		return fail(ERR_USAGE, "'%s' is not the number of a job; `tuxtape job list` shows them", argv[2]);
	if (verbs[verb].reads)
		err = source_open(&r->source, &applet_job, &r->o->common, r->o->db, &r->o->client, r->arena);
	if (!err)
		err = verbs[verb].run(r);
	source_close(&r->source);
	return err;
}

static int job_main(int argc, char **argv)
{
	struct job_options o = { 0 };
	struct run r = { .arena = arena_new(0), .o = &o };
	int err = applet_begin(&applet_job, &o, &argc, argv, r.arena);
	int code;

	if (!err)
		err = run_verb(&r, argc, argv);
	code = applet_end(err);
	arena_free(r.arena);
	return code;
}

const struct applet applet_job = {
	.name = "job",
	.summary = "the build queue: list, watch, log, cancel, retry, builders",
	.synopsis = "list [OPTION]...\njob watch JOB [OPTION]...\njob log JOB [OPTION]...\njob cancel JOB [OPTION]...\njob "
		    "retry JOB "
		    "[OPTION]...\njob builders [OPTION]...",
	.options = options,
	.options_size = sizeof(struct job_options),
	.common = offsetof(struct job_options, common),
	.run = job_main,
};
