/* Owns what clients see and do of the build queue. */
#include "applets/server.h"

#include "lib/err.h"

#include <stdio.h>

#define WATCH_PAUSE_MS 100 /* between two looks at the database */
#define LINES_AT_ONCE 1000

int serve_jobs(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	struct client *c = client;
	JobList list = JOB_LIST__INIT;
	struct db *db;
	int err;

	if ((err = server_db(c, &db)) || (err = db_job_list(db, c->arena, (const FetchJobsRequest *)request, &list)))
		return err;
	return rpc_reply(call, &list.base);
}

int serve_builders(void *client, struct rpc_call *call, const ProtobufCMessage *request UNUSED)
{
	struct client *c = client;
	BuilderList list = BUILDER_LIST__INIT;
	struct db *db;
	int err;

	if ((err = server_db(c, &db)) || (err = db_builder_list(db, c->arena, &list)))
		return err;
	return rpc_reply(call, &list.base);
}

static bool is_over(const Job *job)
{
	return job->state >= JOB_STATE__DONE;
}

/* Where a watcher is. A job that is given out again begins its log anew, which the watcher sees by the attempt. */
struct watch {
	struct db *db;
	struct arena *arena;
	uint64_t job, next;
	bool more; /* as many lines as fit were sent last: there may be others */
	bool once;
	uint32_t attempt;
	JobState state;
	char phase[128]; /* as told last */
};

static bool told_already(const struct watch *w, const Job *job)
{
	return job->state == w->state && job->attempt == w->attempt &&
	       strncmp(job->phase ? job->phase : "", w->phase, sizeof(w->phase) - 1) == 0;
}

/* Sends the next lines, and where the job stands when that changed. */
static int send_news(struct watch *w, struct rpc_call *call, Job **job)
{
	JobLines news = JOB_LINES__INIT;
	bool told;
	int err;

	arena_reset(w->arena);
	if ((err = db_job_get(w->db, w->arena, w->job, job)))
		return err;
	if ((*job)->attempt != w->attempt && w->attempt)
		w->next = 1;
	told = told_already(w, *job);
	w->attempt = (*job)->attempt;
	w->state = (*job)->state;
	snprintf(w->phase, sizeof(w->phase), "%s", (*job)->phase ? (*job)->phase : "");
	if ((err = db_job_lines(w->db, w->arena, w->job, w->next, LINES_AT_ONCE, &news.first, &news.n_lines, &news.lines)))
		return err;
	w->more = news.n_lines == LINES_AT_ONCE;
	if (told && news.n_lines == 0)
		return 0;
	news.has_first = true;
	news.job = told ? NULL : *job;
	w->next = news.first + news.n_lines;
	return rpc_record(call, &news.base);
}

static int follow(struct watch *w, struct rpc_call *call)
{
	int64_t before = -1, version;
	Job *job;
	int err;

	for (;;) {
		if ((err = db_data_version(w->db, &version)))
			return err;
		if (version != before && (err = send_news(w, call, &job)))
			return err;
		if (version != before && w->more)
			continue;
		if (version != before && (w->once || is_over(job)))
			return rpc_reply(call, &job->base);
		before = version;
		if (server_stop)
			return fail(ERR_NET, "the server is going down");
		if (server_reread)
			return fail(ERR_NET, "certificates are read again: connect anew");
		if ((err = rpc_pause(call, WATCH_PAUSE_MS)))
			return err;
	}
}

int serve_watch(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const WatchJobRequest *r = (const WatchJobRequest *)request;
	struct client *c = client;
	struct watch w = { .arena = arena_new(0), .job = r->job, .next = MAX_OF(r->from_line, 1u), .once = r->once };
	int err;

	if (!(err = server_db(c, &w.db)))
		err = follow(&w, call);
	arena_free(w.arena);
	return err;
}

/* Authors cancel and retry what they asked for; admins anything. */
static int may_change(struct client *c, struct db *db, uint64_t id)
{
	Job *job;
	int err = db_job_get(db, c->arena, id, &job);

	if (err || c->role >= ROLE_ADMIN || (job->asked_by && strcmp(job->asked_by, c->name) == 0))
		return err;
	return fail(ERR_DENIED, "job %llu is %s's: changing it takes the role admin", (unsigned long long)id,
		    job->asked_by ? job->asked_by : "nobody");
}

int serve_cancel(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const JobId *r = (const JobId *)request;
	struct client *c = client;
	struct db *db;
	int err;

	if ((err = server_db(c, &db)) || (err = may_change(c, db, r->job)) || (err = db_job_cancel(db, r->job, c->name)))
		return err;
	server_wrote(c);
	return rpc_reply(call, NULL);
}

int serve_retry(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const JobId *r = (const JobId *)request;
	struct client *c = client;
	JobId again = JOB_ID__INIT;
	struct db *db;
	int err;

	again.has_job = true;
	if ((err = server_db(c, &db)) || (err = may_change(c, db, r->job)) ||
	    (err = db_job_retry(db, r->job, c->name, &again.job)))
		return err;
	server_wrote(c);
	return rpc_reply(call, &again.base);
}
