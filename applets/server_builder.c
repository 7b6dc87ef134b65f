/* Owns the server's end of a builder: it registers, gets jobs over the connection that it dialled, and reports. Refuses results from
 * anybody but the holder of the lease. What a build says is kept in memory and stored in one transaction at its end. */
#include "applets/server.h"

#include "lib/clock.h"
#include "lib/db_config.h"
#include "lib/err.h"
#include "lib/kconfig.h"
#include "lib/log.h"
#include "lib/str.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_MS 100               /* between two looks at the queue */
#define PROFILE_MOST (128u << 20) /* bytes of one profile in memory */
#define WHAT_MOST 1000000u        /* files, or paths, of one profile */
#define LOG_MOST (64u << 20)      /* bytes of one attempt\'s log */
#define LINE_MOST 4096

struct builder_end {
	char name[128];
	struct db_lease lease; /* job 0: idle */
	struct arena *profile_arena, *message_arena;
	BuildProfile *profile;
	uint64_t log_bytes; /* stored of this attempt */
	bool cancelled;     /* the builder was told */
	int64_t version;    /* of the data when the lease was looked at last */
	uint64_t heard;     /* when the builder last said anything, ms */
};

struct db_lease_clock server_clock(const struct server *s)
{
	return (struct db_lease_clock){
		.boot = s->boot,
		.now = clock_boot_ms(),
		.server_start = s->started,
		.lease = (int64_t)s->opts->lease,
	};
}

/* A certificate's owner may run several builders, which bear its name and a dot or dash and more. */
static bool may_bear(const struct client *c, const char *name)
{
	size_t n = strlen(c->name);

	return c->local || (strncmp(name, c->name, n) == 0 && (name[n] == '\0' || name[n] == '.' || name[n] == '-'));
}

static int put_builder(struct client *c, struct db *db, const RegisterKernelBuilderRequest *r, const char *name,
		       uint64_t job)
{
	BuilderInfo info = BUILDER_INFO__INIT;
	char now[CLOCK_TEXT];

	info.name = name;
	info.has_cores = r->has_cores;
	info.cores = r->cores;
	info.compiler = r->compiler;
	info.program = c->program;
	info.address = c->address;
	info.has_connected = info.connected = info.has_worker = true;
	info.worker = (uint64_t)getpid();
	info.has_job = job > 0;
	info.job = job;
	info.since = info.seen_at = clock_print(now, clock_now());
	return db_builder_put(db, &info);
}

int serve_register(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const RegisterKernelBuilderRequest *r = (const RegisterKernelBuilderRequest *)request;
	struct client *c = client;
	RegisterKernelBuilderReply reply = REGISTER_KERNEL_BUILDER_REPLY__INIT;
	const char *name = r->name ? r->name : c->name;
	struct db_lease_clock clock = server_clock(c->server);
	struct builder_end *b;
	struct db *db;
	int err;

	if (c->builder)
		return fail(ERR_USAGE, "this connection is registered as builder %s already", c->builder->name);
	if (!kconfig_name_ok(name))
		return fail(ERR_INPUT, "'%s' is not a builder's name: letters, digits and . _ + -, at most 64", name);
	if (!may_bear(c, name))
		return fail(ERR_DENIED, "builder '%s' is refused: the certificate says %s, so %s or %s-SOMETHING", name,
			    c->name, c->name, c->name);
	if ((err = server_db(c, &db)))
		return err;
	b = xcalloc(1, sizeof(*b));
	snprintf(b->name, sizeof(b->name), "%s", name);
	b->profile_arena = arena_new(PROFILE_MOST);
	b->message_arena = arena_new(0);
	b->heard = now_ms();
	c->builder = b;
	b->lease = (struct db_lease){ .job = r->held_job, .attempt = r->held_attempt, .builder = b->name };
	reply.has_held = true;
	/* The builder counts its lease from here. */
	reply.held = r->held_job && db_job_renew(db, &b->lease, &clock) == 0;
	if (!reply.held)
		b->lease.job = 0;
	reply.has_lease_ms = true;
	reply.lease_ms = c->server->opts->lease;
	if ((err = put_builder(c, db, r, name, b->lease.job)))
		return err;
	board_set(c->server->board, c->slot, SLOT_LONG);
	return rpc_reply(call, &reply.base);
}

/* A sign of life renews the lease. One that is lost meanwhile is found by the next look at the job. */
int server_builder_alive(struct client *c)
{
	struct db_lease_clock clock = server_clock(c->server);
	struct builder_end *b = c->builder;
	int err = 0;

	b->heard = now_ms();
	if (b->lease.job)
		err = db_job_renew(c->db, &b->lease, &clock);
	return err == ERR_DENIED ? 0 : err;
}

void server_builder_free(struct client *c)
{
	struct builder_end *b = c->builder;

	if (!b)
		return;
	if (c->db)
		db_builder_gone(c->db, b->name, (uint64_t)getpid());
	arena_free(b->profile_arena);
	arena_free(b->message_arena);
	free(b);
	c->builder = NULL;
}

/* Hands a leased job to the builder: the config's contents as they are in that revision. */
static int start_build(struct client *c, const Job *job)
{
	BuildKernelRequest r = BUILD_KERNEL_REQUEST__INIT;
	struct builder_end *b = c->builder;
	int err;

	b->lease = (struct db_lease){ .job = job->job, .attempt = job->attempt, .builder = b->name };
	b->cancelled = false;
	b->log_bytes = 0;
	b->version = -1;
	arena_reset(b->profile_arena);
	b->profile = pb_new(b->profile_arena, &build_profile__descriptor);
	r.has_job = r.has_attempt = r.has_from_line = true;
	r.job = job->job;
	r.attempt = job->attempt;
	r.from_line = job->lines;
	err = db_config_get(c->db, c->arena, job->config, &r.config);
	if (err == ERR_NOTFOUND) {
		/* Deleted since the job was given out; the job has been cancelled with it, or is failed here. */
		b->lease.job = 0;
		err = db_job_failed(c->db, &(struct db_lease){ job->job, job->attempt, b->name }, err_text());
		return err == ERR_DENIED ? 0 : err;
	}
	if (err || (err = db_tree_commits(c->db, c->arena, &r.n_known_commits, &r.known_commits)) ||
	    (err = db_builder_job(c->db, b->name, job->job)))
		return err;
	return rpc_start(c->rpc, RPC_BUILD_KERNEL, &r.base);
}

/* The job that the builder still holds, or the next one of the queue. */
static int look_for_job(struct client *c)
{
	struct db_lease_clock clock = server_clock(c->server);
	struct builder_end *b = c->builder;
	bool served;
	Job *job = NULL;
	int err;

	if (b->lease.job)
		err = db_job_get(c->db, c->arena, b->lease.job, &job);
	else
		err = db_job_lease(c->db, c->arena, b->name, &clock, &job);
	if (!err && job)
		err = start_build(c, job);
	arena_reset(c->arena);
	if (err || job)
		return err;
	return rpc_serve(c->rpc, LOOK_MS, &served);
}

/* Lists are appended, what else is there is set. The arena has a ceiling: NULL from it ends the build. */
static int take_part(struct builder_end *b, const BuildProfile *part)
{
	BuildProfile *p = b->profile, *copy = pb_copy(b->profile_arena, &part->base);

	/* Room for the lists to grow is kept, since the arena gives nothing beyond its ceiling. */
	if (!copy || arena_used(b->profile_arena) > PROFILE_MOST / 2 || p->n_files + part->n_files > WHAT_MOST ||
	    p->n_tree_paths + part->n_tree_paths > WHAT_MOST)
		return fail(ERR_INPUT, "the profile of %s has more files than any kernel", b->name);
	for (size_t i = 0; i < copy->n_files; i++)
		PB_ADD_MSG(b->profile_arena, p, files, copy->files[i]);
	for (size_t i = 0; i < copy->n_tree_paths; i++)
		*(ProtobufCBinaryData *)arena_grow(b->profile_arena, (void **)&p->tree_paths, &p->n_tree_paths,
						   sizeof(*p->tree_paths)) = copy->tree_paths[i];
	for (size_t i = 0; i < copy->n_modules; i++)
		PB_ADD_STR(b->profile_arena, p, modules, copy->modules[i]);
	for (unsigned i = 0; i < build_profile__descriptor.n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &build_profile__descriptor.fields[i];

		if (f->label != PROTOBUF_C_LABEL_REPEATED && pb_has(&copy->base, f))
			pb_set(&p->base, f, &copy->base);
	}
	return 0;
}

/* A log is for people: what is more than they can read is not kept. */
static int take_lines(struct client *c, const BuildEvent *e)
{
	struct builder_end *b = c->builder;
	size_t n = 0;

	for (; n < e->n_lines && b->log_bytes < LOG_MOST; n++) {
		e->lines[n].len = MIN_OF(e->lines[n].len, (size_t)LINE_MOST);
		b->log_bytes += e->lines[n].len;
	}
	return n ? db_job_log(c->db, &b->lease, n, e->lines) : 0;
}

static int take_event(struct client *c, const BuildEvent *e)
{
	struct builder_end *b = c->builder;
	int err = 0;

	if (e->phase)
		err = db_job_phase(c->db, &b->lease, e->phase);
	if (!err && e->n_lines)
		err = take_lines(c, e);
	if (!err && e->part)
		err = take_part(b, e->part);
	/* A job that was cancelled or given to another goes on telling until it has stopped. */
	return err == ERR_DENIED ? 0 : err;
}

/* A path of a tree: relative, without empty parts, dots or control bytes; any other is a lie or a fault. */
static bool is_tree_path(ProtobufCBinaryData path)
{
	const char *s = (const char *)path.data;
	size_t part = 0;

	if (path.len == 0 || path.len > PATH_MAX)
		return false;
	for (size_t i = 0; i <= path.len; i++) {
		size_t n = i - part;

		if (i < path.len && s[i] != '/') {
			if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
				return false;
			continue;
		}
		if (n == 0 || (n == 1 && s[part] == '.') || (n == 2 && s[part] == '.' && s[part + 1] == '.'))
			return false;
		part = i + 1;
	}
	return true;
}

static int check_profile(const BuildProfile *p)
{
	if (!p->commit || !str_is_hex(p->commit, 40) || p->n_files == 0)
		return fail(ERR_INPUT, "a result without a profile");
	for (size_t i = 0; i < p->n_files; i++)
		if (!is_tree_path(p->files[i]->path) || p->files[i]->kind < FILE_KIND__COMPILED ||
		    p->files[i]->kind > FILE_KIND__GENERATED)
			return fail(ERR_INPUT, "the builder reports '%.*s', which is no file of a tree",
				    (int)p->files[i]->path.len, (const char *)p->files[i]->path.data);
	for (size_t i = 0; i < p->n_tree_paths; i++)
		if (!is_tree_path(p->tree_paths[i]))
			return fail(ERR_INPUT, "the builder reports '%.*s' as a path of the tree", (int)p->tree_paths[i].len,
				    (const char *)p->tree_paths[i].data);
	return 0;
}

/* Stores how the build ended, and says so in the log when the result is not the builder's to give. */
static int take_result(struct client *c, const BuildResult *r)
{
	struct builder_end *b = c->builder;
	const char *why = NULL; /* it failed */
	char now[CLOCK_TEXT];
	int err;

	b->profile->builder = b->name;
	b->profile->built_at = clock_print(now, clock_now());
	if (r->complete && check_profile(b->profile))
		why = err_text();
	else if (!r->complete)
		why = r->error ? r->error : "the builder gave no reason";
	err = why ? db_job_failed(c->db, &b->lease, why) : db_job_done(c->db, &b->lease, b->profile);
	if (err == ERR_DENIED || err == ERR_NOTFOUND) {
		log_note("builder=%s job=%llu attempt=%u result refused: %s", b->name, (unsigned long long)b->lease.job,
			 b->lease.attempt, err_text());
		err = 0;
	} else if (!err) {
		log_note("builder=%s job=%llu attempt=%u %s", b->name, (unsigned long long)b->lease.job, b->lease.attempt,
			 why ? "failed" : "done");
	}
	b->lease.job = 0;
	return err ? err : db_builder_job(c->db, b->name, 0);
}

/* A job that is this builder's no longer is stopped. */
static int look_at_lease(struct client *c)
{
	struct builder_end *b = c->builder;
	int64_t version;
	int err;

	if ((err = db_data_version(c->db, &version)) || version == b->version)
		return err;
	b->version = version;
	if ((err = db_builder_check(c->db, b->name, (uint64_t)getpid())))
		return err;
	err = db_job_check(c->db, &b->lease);
	if (err != ERR_DENIED && err != ERR_NOTFOUND)
		return err;
	if (b->cancelled)
		return 0;
	b->cancelled = true;
	return rpc_cancel(c->rpc);
}

/* The builder ended the call with an error. Who gives a job up has to register again, lest one that is going down gets the next. */
static int take_error(struct client *c, int kind)
{
	struct db_lease_clock clock = server_clock(c->server);
	struct builder_end *b = c->builder;
	BuildResult r = BUILD_RESULT__INIT;
	unsigned returned;
	int err;

	r.error = arena_strdup(b->message_arena, err_text());
	if (kind != ERR_NET)
		return take_result(c, &r);
	log_note("builder=%s job=%llu attempt=%u given up: %s", b->name, (unsigned long long)b->lease.job, b->lease.attempt,
		 r.error);
	if (!(err = db_job_give_up(c->db, &b->lease)))
		err = db_job_expire(c->db, &clock, &returned);
	b->lease.job = 0;
	return err && err != ERR_DENIED && err != ERR_NOTFOUND ? err : fail(ERR_NET, "builder %s gave its job up", b->name);
}

static int hear_build(struct client *c)
{
	struct builder_end *b = c->builder;
	enum rpc_news news;
	void *message;
	int err;

	arena_reset(b->message_arena);
	err = rpc_next(c->rpc, b->message_arena, LOOK_MS, &news, &message);
	if (err)
		return rpc_calling(c->rpc) ? err : take_error(c, err);
	if (news != RPC_NOTHING)
		b->heard = now_ms();
	if (news == RPC_RECORD && (err = take_event(c, message))) {
		/* The story cannot be believed: the job is failed, and the builder has to register again. */
		if (err == ERR_INPUT)
			db_job_failed(c->db, &b->lease, err_text());
		return err;
	}
	return news == RPC_END ? take_result(c, message) : look_at_lease(c);
}

int server_builder_turn(struct client *c)
{
	struct builder_end *b = c->builder;

	if (now_ms() - b->heard > 2 * c->server->opts->lease)
		return fail(ERR_NET, "builder %s was silent for two leases", b->name);
	return rpc_calling(c->rpc) ? hear_build(c) : look_for_job(c);
}
