/* The build queue: every transition is one transaction, and a result is taken from the lease's holder alone. */
#ifndef TUXTAPE_DB_JOB_H
#define TUXTAPE_DB_JOB_H

#include "lib/db.h"

#define JOB_LOST_MOST 3        /* lost attempts after which a job is failed */
#define JOB_LINES_MOST 200000u /* of one log; what comes after is not kept */
#define JOB_LOGS_KEPT 50       /* newest jobs that keep their log; who is not over keeps it anyway */

/* Who has a job: both must agree with what is stored. */
struct db_lease {
	uint64_t job;
	uint32_t attempt;
	const char *builder;
};

/* What leases are counted by: milliseconds of CLOCK_BOOTTIME, told apart by the machine's boot, so that neither a jump of the wall
 * clock nor a reboot gives a job out twice. server_start is when this server began: no lease counts from before. */
struct db_lease_clock {
	const char *boot;
	int64_t now, server_start;
	int64_t lease; /* how long one lasts */
};

/* Queues a build of a config's current revision; jobs of older revisions that are open are cancelled. *job gets its number. Needs an
 * open transaction. */
int db_job_add(struct db *db, const KernelConfig *config, const char *asked_by, uint64_t *job);

/* The open job of a config's revision; 0 where there is none. */
int db_job_open(struct db *db, const char *config, uint32_t revision, uint64_t *job);

/* Gives the first job of the queue to a builder. *job is NULL when there is none. One transaction. */
int db_job_lease(struct db *db, struct arena *a, const char *builder, const struct db_lease_clock *clock, Job **job);

/* Whether the lease still holds: ERR_DENIED where somebody else has the job, another attempt runs, or it is over. */
int db_job_check(struct db *db, const struct db_lease *lease);

/* Renews a lease; the same errors. One transaction. */
int db_job_renew(struct db *db, const struct db_lease *lease, const struct db_lease_clock *clock);

/* The builder has begun, or says what it does now. The same errors. One transaction. */
int db_job_phase(struct db *db, const struct db_lease *lease, const char *phase);

/* Appends lines of the log. The same errors. One transaction. */
int db_job_log(struct db *db, const struct db_lease *lease, size_t n, const ProtobufCBinaryData *lines);

/* Ends a job as done (with its profile), or as failed with a reason. The same errors, and those of db_profile_put. One transaction. */
int db_job_done(struct db *db, const struct db_lease *lease, const BuildProfile *profile);
int db_job_failed(struct db *db, const struct db_lease *lease, const char *why);

/* The builder cannot go on: the lease is over at once, and the job is lost, not failed. The same errors. One transaction. */
int db_job_give_up(struct db *db, const struct db_lease *lease);

/* Returns jobs whose leases are over to the front of the queue, or fails them after JOB_LOST_MOST lost attempts. *n counts them. One
 * transaction, and none where there is nothing to do. */
int db_job_expire(struct db *db, const struct db_lease_clock *clock, unsigned *n);

/* Cancels an open job, or queues an ended one anew. ERR_NOTFOUND; ERR_STATE where its state does not allow it. One transaction. */
int db_job_cancel(struct db *db, uint64_t job, const char *who);
int db_job_retry(struct db *db, uint64_t job, const char *who, uint64_t *again);

/* Cancels every open job of a config. Needs an open transaction. */
int db_job_cancel_all(struct db *db, const char *config, const char *who);

int db_job_get(struct db *db, struct arena *a, uint64_t job, Job **out); /* ERR_NOTFOUND */
int db_job_list(struct db *db, struct arena *a, const FetchJobsRequest *ask, JobList *list);

/* Lines of a log from number `from` on (they count from 1), at most `most`. *first is the number of the first that is there, which is
 * later where the log before it was dropped; the others follow without a gap. Without lines it is `from`. */
int db_job_lines(struct db *db, struct arena *a, uint64_t job, uint64_t from, unsigned most, uint64_t *first, size_t *n,
		 ProtobufCBinaryData **lines);

/* Who builds. connected is cleared for all when the server starts. */
int db_builder_put(struct db *db, const BuilderInfo *builder);
int db_builder_job(struct db *db, const char *name, uint64_t job); /* 0: none */
/* ERR_DENIED when another worker serves the builder by now. */
int db_builder_check(struct db *db, const char *name, uint64_t worker);
int db_builder_gone(struct db *db, const char *name, uint64_t worker);
int db_builders_reset(struct db *db);
int db_builder_list(struct db *db, struct arena *a, BuilderList *list);

#endif
