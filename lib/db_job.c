/* Owns the queries on the build queue. Refuses whatever does not come from the holder of the lease. */
#include "lib/db_job.h"

#include "lib/clock.h"
#include "lib/db_config.h"
#include "lib/err.h"

#define REASON_MOST 8192 /* bytes of a reason and log tail that are kept */

static int transaction(struct db *db, int (*act)(struct db *db, void *ctx), void *ctx)
{
	int err = db_begin(db);

	if (err)
		return err;
	if ((err = act(db, ctx)) || (err = db_commit(db)))
		db_rollback(db);
	return err;
}

static int changed_rows(struct db *db, int64_t *n)
{
	return db_number(db, n, "SELECT changes()", "");
}

/* Superseded jobs end here; a builder that has one notices by its lease. */
static int supersede(struct db *db, const KernelConfig *c)
{
	char now[CLOCK_TEXT];

	return db_run(db,
		      "UPDATE job SET state = 6, ended_at = ?, error = 'superseded by revision ' || ? "
		      "WHERE config = ? AND state <= 3 AND revision <> ?",
		      "sisi", clock_print(now, clock_now()), (int64_t)c->revision, c->name, (int64_t)c->revision);
}

/* A job that is not over keeps its log however many came after it: its builder goes on with the line that it knows to be next. */
static int prune_logs(struct db *db)
{
	return db_run(db,
		      "DELETE FROM job_line WHERE job <= (SELECT coalesce(max(job), 0) FROM job) - ? "
		      "AND job NOT IN (SELECT job FROM job WHERE state <= 3)",
		      "i", (int64_t)JOB_LOGS_KEPT);
}

static int put_job(struct db *db, const Job *job, int64_t place)
{
	return db_put(db, "job", &job->base, "place", "i", place);
}

int db_job_add(struct db *db, const KernelConfig *c, const char *asked_by, uint64_t *id)
{
	Job job = JOB__INIT;
	char now[CLOCK_TEXT];
	int64_t last;
	int err;

	if ((err = supersede(db, c)) ||
	    (err = db_number(db, &last, "SELECT coalesce(max(place), 0) FROM job WHERE state = 1", "")))
		return err;
	job.config = c->name;
	job.version = c->version;
	job.ref = c->ref;
	job.has_revision = job.has_state = job.has_attempt = job.has_lost = job.has_lines = true;
	job.revision = c->revision;
	job.state = JOB_STATE__QUEUED;
	job.asked_by = asked_by;
	job.queued_at = clock_print(now, clock_now());
	if ((err = put_job(db, &job, last + 1)) || (err = db_number(db, &last, "SELECT last_insert_rowid()", "")))
		return err;
	*id = (uint64_t)last;
	return prune_logs(db);
}

int db_job_open(struct db *db, const char *config, uint32_t revision, uint64_t *job)
{
	int64_t n = 0;
	int err = db_number(db, &n, "SELECT coalesce(max(job), 0) FROM job WHERE config = ? AND revision = ? AND state <= 3",
			    "si", config, (int64_t)revision);

	*job = (uint64_t)n;
	return err;
}

static int select_job(struct db *db, struct arena *a, uint64_t id, Job **out)
{
	struct db_rows *rows;
	int err = db_select(db, &rows, &job__descriptor, NULL, NULL, "FROM job AS m WHERE m.job = ?", "i", (int64_t)id);

	if (err)
		return err;
	*out = db_next(rows) ? db_message(rows, a, &job__descriptor) : NULL;
	return db_end(rows);
}

int db_job_get(struct db *db, struct arena *a, uint64_t id, Job **out)
{
	int err = select_job(db, a, id, out);

	return err || *out ? err : fail(ERR_NOTFOUND, "there is no job %llu", (unsigned long long)id);
}

struct leasing {
	struct arena *arena;
	const char *builder;
	const struct db_lease_clock *clock;
	Job **job;
};

static int lease_first(struct db *db, void *ctx)
{
	struct leasing *l = ctx;
	char now[CLOCK_TEXT];
	int64_t id = 0;
	int err;

	*l->job = NULL;
	if ((err = db_number(db, &id, "SELECT job FROM job WHERE state = 1 ORDER BY place LIMIT 1", "")))
		return err == ERR_NOTFOUND ? 0 : err;
	err = db_run(db,
		     "UPDATE job SET state = 2, attempt = attempt + 1, builder = ?, started_at = ?, ended_at = NULL, "
		     "phase = NULL, error = NULL, lines = 0, lease_boot = ?, lease_at = ? WHERE job = ?",
		     "sssii", l->builder, clock_print(now, clock_now()), l->clock->boot, l->clock->now, id);
	/* Each attempt has a log of its own. */
	if (err || (err = db_run(db, "DELETE FROM job_line WHERE job = ?", "i", id)))
		return err;
	return db_job_get(db, l->arena, (uint64_t)id, l->job);
}

int db_job_lease(struct db *db, struct arena *a, const char *builder, const struct db_lease_clock *clock, Job **job)
{
	struct leasing l = { .arena = a, .builder = builder, .clock = clock, .job = job };
	int64_t waiting = 0;
	int err = db_number(db, &waiting, "SELECT count(*) FROM job WHERE state = 1", "");

	*job = NULL;
	/* Idle builders ask often: only a job that is there is worth the write lock. */
	return err || waiting == 0 ? err : transaction(db, lease_first, &l);
}

int db_job_check(struct db *db, const struct db_lease *l)
{
	struct arena *a = arena_new(0);
	Job *job = NULL;
	int err = db_job_get(db, a, l->job, &job);

	if (err)
		goto out;
	if (job->state == JOB_STATE__CANCELLED)
		err = fail(ERR_DENIED, "job %llu was cancelled", (unsigned long long)l->job);
	else if (job->state != JOB_STATE__LEASED && job->state != JOB_STATE__BUILDING)
		err = fail(ERR_DENIED, "job %llu is not out for building", (unsigned long long)l->job);
	else if (job->attempt != l->attempt || !job->builder || strcmp(job->builder, l->builder) != 0)
		err = fail(ERR_DENIED, "attempt %u of job %llu is not %s's to report: attempt %u is with %s", l->attempt,
			   (unsigned long long)l->job, l->builder, job->attempt, job->builder ? job->builder : "nobody");
out:
	arena_free(a);
	return err;
}

struct change {
	const struct db_lease *lease;
	const struct db_lease_clock *clock;
	const char *text;
	size_t n;
	const ProtobufCBinaryData *lines;
	const BuildProfile *profile;
};

static int renew(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	int err = db_job_check(db, c->lease);

	return err ? err
		   : db_run(db, "UPDATE job SET lease_boot = ?, lease_at = ? WHERE job = ?", "sii", c->clock->boot,
			    c->clock->now, (int64_t)c->lease->job);
}

int db_job_renew(struct db *db, const struct db_lease *lease, const struct db_lease_clock *clock)
{
	struct change c = { .lease = lease, .clock = clock };

	return transaction(db, renew, &c);
}

static int set_phase(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	int err = db_job_check(db, c->lease);

	return err ? err
		   : db_run(db, "UPDATE job SET state = 3, phase = ? WHERE job = ?", "si", c->text, (int64_t)c->lease->job);
}

int db_job_phase(struct db *db, const struct db_lease *lease, const char *phase)
{
	struct change c = { .lease = lease, .text = phase };

	return transaction(db, set_phase, &c);
}

static int add_lines(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	int64_t job = (int64_t)c->lease->job, last = 0;
	int err;

	if ((err = db_job_check(db, c->lease)) ||
	    (err = db_number(db, &last, "SELECT lines FROM job WHERE job = ?", "i", job)))
		return err;
	for (size_t i = 0; !err && i < c->n && last < JOB_LINES_MOST; i++)
		err = db_run(db, "INSERT INTO job_line (job, line, text) VALUES (?, ?, ?)", "iib", job, ++last, c->lines[i]);
	return err ? err : db_run(db, "UPDATE job SET lines = ? WHERE job = ?", "ii", last, job);
}

int db_job_log(struct db *db, const struct db_lease *lease, size_t n, const ProtobufCBinaryData *lines)
{
	struct change c = { .lease = lease, .n = n, .lines = lines };

	return transaction(db, add_lines, &c);
}

static int end_job(struct db *db, const struct db_lease *lease, JobState state, const char *why)
{
	char now[CLOCK_TEXT];

	return db_run(db, "UPDATE job SET state = ?, ended_at = ?, error = substr(?, 1, ?), phase = NULL WHERE job = ?",
		      "issii", (int64_t)state, clock_print(now, clock_now()), why, (int64_t)REASON_MOST,
		      (int64_t)lease->job);
}

static int store_done(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	struct arena *a = arena_new(0);
	Job *job;
	int err;

	if (!(err = db_job_check(db, c->lease)) && !(err = db_job_get(db, a, c->lease->job, &job)) &&
	    !(err = db_profile_put(db, job->config, c->profile)))
		err = end_job(db, c->lease, JOB_STATE__DONE, NULL);
	arena_free(a);
	return err;
}

int db_job_done(struct db *db, const struct db_lease *lease, const BuildProfile *profile)
{
	struct change c = { .lease = lease, .profile = profile };

	return transaction(db, store_done, &c);
}

static int store_failed(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	int err = db_job_check(db, c->lease);

	return err ? err : end_job(db, c->lease, JOB_STATE__FAILED, c->text);
}

int db_job_failed(struct db *db, const struct db_lease *lease, const char *why)
{
	struct change c = { .lease = lease, .text = why };

	return transaction(db, store_failed, &c);
}

static int give_up(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	int err = db_job_check(db, c->lease);

	return err ? err : db_run(db, "UPDATE job SET lease_at = NULL WHERE job = ?", "i", (int64_t)c->lease->job);
}

int db_job_give_up(struct db *db, const struct db_lease *lease)
{
	struct change c = { .lease = lease };

	return transaction(db, give_up, &c);
}

/* A lease without a time was given up. One of this boot counts from its last renewal, but not from before the server began, when nobody could renew it; a lease of
 * another boot counts from the server's start. */
#define OVER                   \
	"state IN (2, 3) AND " \
	"(lease_at IS NULL OR (CASE WHEN lease_boot = ?1 THEN max(lease_at, ?2) ELSE ?2 END) + ?3 < ?4)"

struct expiry {
	const struct db_lease_clock *clock;
	unsigned *n;
};

static int return_jobs(struct db *db, void *ctx)
{
	const struct expiry *e = ctx;
	const struct db_lease_clock *k = e->clock;
	char now[CLOCK_TEXT];
	int64_t failed = 0, front = 0, returned = 0;
	int err;

	clock_print(now, clock_now());
	if ((err = db_run(db,
			  "UPDATE job SET state = 5, lost = lost + 1, ended_at = ?5, phase = NULL, "
			  "error = 'its builder was lost ' || (lost + 1) || ' times, last ' || coalesce(builder, '?') "
			  "WHERE " OVER " AND lost + 1 >= ?6",
			  "siiisi", k->boot, k->server_start, k->lease, k->now, now, (int64_t)JOB_LOST_MOST)) ||
	    (err = changed_rows(db, &failed)) ||
	    (err = db_number(db, &front, "SELECT coalesce(min(place), 1) FROM job WHERE state = 1", "")) ||
	    (err = db_run(db, "UPDATE job SET state = 1, lost = lost + 1, place = ?5 - 1, phase = NULL WHERE " OVER, "siiii",
			  k->boot, k->server_start, k->lease, k->now, front)) ||
	    (err = changed_rows(db, &returned)))
		return err;
	*e->n = (unsigned)(failed + returned);
	return 0;
}

int db_job_expire(struct db *db, const struct db_lease_clock *k, unsigned *n)
{
	struct expiry e = { .clock = k, .n = n };
	int64_t over = 0;
	int err = db_number(db, &over, "SELECT count(*) FROM job WHERE " OVER, "siii", k->boot, k->server_start, k->lease,
			    k->now);

	*n = 0;
	return err || over == 0 ? err : transaction(db, return_jobs, &e);
}

struct order {
	uint64_t job, again;
	const char *who;
};

static int cancel(struct db *db, void *ctx)
{
	struct order *o = ctx;
	char now[CLOCK_TEXT];
	int64_t n = 0;
	int err;

	if ((err = db_run(db,
			  "UPDATE job SET state = 6, ended_at = ?, error = 'cancelled by ' || ?, phase = NULL "
			  "WHERE job = ? AND state <= 3",
			  "ssi", clock_print(now, clock_now()), o->who, (int64_t)o->job)) ||
	    (err = changed_rows(db, &n)))
		return err;
	return n ? 0 : fail(ERR_STATE, "job %llu is over already", (unsigned long long)o->job);
}

int db_job_cancel(struct db *db, uint64_t job, const char *who)
{
	struct order o = { .job = job, .who = who };

	return transaction(db, cancel, &o);
}

int db_job_cancel_all(struct db *db, const char *config, const char *who)
{
	char now[CLOCK_TEXT];

	return db_run(db,
		      "UPDATE job SET state = 6, ended_at = ?, error = 'cancelled by ' || ?, phase = NULL "
		      "WHERE config = ? AND state <= 3",
		      "sss", clock_print(now, clock_now()), who, config);
}

/* The current revision is built: an older one would be superseded at once. */
static int retry(struct db *db, void *ctx)
{
	struct order *o = ctx;
	struct arena *a = arena_new(0);
	KernelConfig *config;
	Job *job;
	uint64_t open;
	int err;

	if ((err = db_job_get(db, a, o->job, &job)) || (err = db_config_get(db, a, job->config, &config)) ||
	    (err = db_job_open(db, config->name, config->revision, &open)))
		goto out;
	if (open)
		err = fail(ERR_STATE, "config %s has an open job already: %llu", config->name, (unsigned long long)open);
	else
		err = db_job_add(db, config, o->who, &o->again);
out:
	arena_free(a);
	return err;
}

int db_job_retry(struct db *db, uint64_t job, const char *who, uint64_t *again)
{
	struct order o = { .job = job, .who = who };
	int err = transaction(db, retry, &o);

	*again = o.again;
	return err;
}

int db_job_list(struct db *db, struct arena *a, const FetchJobsRequest *ask, JobList *list)
{
	struct db_rows *rows;
	int err = db_select(db, &rows, &job__descriptor, NULL, NULL,
			    "FROM job AS m WHERE (?1 IS NULL OR m.config = ?1) AND (?2 = 0 OR m.job = ?2) "
			    "AND (?3 = 0 OR m.state <= 3) ORDER BY m.job DESC LIMIT ?4",
			    "siii", ask->config, (int64_t)ask->job, (int64_t)ask->open_only,
			    (int64_t)(ask->most ? ask->most : 100));

	if (err)
		return err;
	while (db_next(rows))
		PB_ADD_MSG(a, list, jobs, db_message(rows, a, &job__descriptor));
	return db_end(rows);
}

int db_job_lines(struct db *db, struct arena *a, uint64_t job, uint64_t from, unsigned most, uint64_t *first, size_t *n,
		 ProtobufCBinaryData **lines)
{
	struct db_rows *rows;
	int err = db_query(db, &rows, "SELECT text, line FROM job_line WHERE job = ? AND line >= ? ORDER BY line LIMIT ?",
			   "iii", (int64_t)job, (int64_t)from, (int64_t)most);

	*first = from;
	*n = 0;
	*lines = NULL;
	if (err)
		return err;
	while (db_next(rows)) {
		ProtobufCBinaryData text = db_bytes(rows, 0);

		if (*n == 0)
			*first = (uint64_t)db_int(rows, 1);
		pb_add_bytes(a, n, lines, text.data, text.len);
	}
	return db_end(rows);
}

int db_builder_put(struct db *db, const BuilderInfo *builder)
{
	return db_put(db, "builder", &builder->base, "", "");
}

int db_builder_job(struct db *db, const char *name, uint64_t job)
{
	return db_run(db, "UPDATE builder SET job = nullif(?, 0) WHERE name = ?", "is", (int64_t)job, name);
}

int db_builder_check(struct db *db, const char *name, uint64_t worker)
{
	int64_t now = 0;
	int err = db_number(db, &now, "SELECT worker FROM builder WHERE name = ? AND connected", "s", name);

	if ((err && err != ERR_NOTFOUND) || (uint64_t)now == worker)
		return err;
	return fail(ERR_DENIED, "builder %s has registered again from elsewhere", name);
}

/* Only the worker that serves it may say so: the builder may be back by another one already. */
int db_builder_gone(struct db *db, const char *name, uint64_t worker)
{
	char now[CLOCK_TEXT];

	return db_run(db, "UPDATE builder SET connected = 0, job = NULL, seen_at = ? WHERE name = ? AND worker = ?", "ssi",
		      clock_print(now, clock_now()), name, (int64_t)worker);
}

int db_builders_reset(struct db *db)
{
	return db_run(db, "UPDATE builder SET connected = 0, job = NULL WHERE connected <> 0", "");
}

int db_builder_list(struct db *db, struct arena *a, BuilderList *list)
{
	struct db_rows *rows;
	int err = db_select(db, &rows, &builder_info__descriptor, NULL, NULL, "FROM builder AS m ORDER BY m.name", "");

	if (err)
		return err;
	while (db_next(rows))
		PB_ADD_MSG(a, list, builders, db_message(rows, a, &builder_info__descriptor));
	return db_end(rows);
}
