/* Owns the answers about CVEs and their patches. No transaction is open while a peer is waited for. */
#include "applets/server.h"

#include "lib/answer.h"
#include "lib/db_cve.h"
#include "lib/db_patch.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/log.h"
#include "version.h"

#define CHUNK (256u << 10) /* bytes of a patch in one frame */

int server_db(struct client *c, struct db **db)
{
	int err = c->db ? 0 : db_open(&c->db, c->server->opts->db, DB_WRITE, c->arena, NULL);

	*db = c->db;
	return err;
}

static int send_answer(struct rpc_call *call, struct answer *ans, size_t n_targets)
{
	FetchCvesEnd end = FETCH_CVES_END__INIT;
	AnswerSummary *sums[64], **list = sums;
	struct arena *a = NULL;
	Cve *cve;
	int err;

	while (!(err = answer_next(ans, &cve)) && cve)
		if ((err = rpc_record(call, &cve->base)))
			return err;
	if (err)
		return err;
	if (n_targets > ARRAY_LEN(sums)) {
		a = arena_new(0);
		list = arena_alloc(a, n_targets * sizeof(*list));
	}
	for (size_t i = 0; i < n_targets; i++)
		list[i] = (AnswerSummary *)(uintptr_t)answer_summary(ans, i);
	end.n_summaries = n_targets;
	end.summaries = list;
	err = rpc_reply(call, &end.base);
	arena_free(a);
	return err;
}

int serve_cves(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	struct client *c = client;
	struct answer_ask ask;
	struct answer *ans = NULL;
	struct db *db;
	int err;

	if ((err = server_db(c, &db)) || (err = answer_request(db, c->arena, (const FetchCvesRequest *)request, &ask)))
		return err;
	if (!(err = answer_open(&ans, db, &ask)))
		err = send_answer(call, ans, ask.n_targets);
	answer_close(ans);
	return err;
}

int serve_cve(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const FetchCveRequest *r = (const FetchCveRequest *)request;
	struct client *c = client;
	struct db_target *targets;
	size_t n;
	struct db *db;
	Cve *cve;
	int err;

	if (!r->id || cve_key(r->id, strlen(r->id)) == 0)
		return fail(ERR_USAGE, "'%s' is not a CVE id such as CVE-2024-26581", r->id ? r->id : "");
	if ((err = server_db(c, &db)) ||
	    (err = answer_targets(db, c->arena, r->n_configs, r->configs, r->kernel_version, false, &n, &targets)) ||
	    (err = db_begin_read(db)))
		return err;
	if (!(err = db_cve_get(db, c->arena, r->id, &cve)))
		err = answer_judge(db, c->arena, cve, targets, n);
	db_rollback(db);
	return err ? err : rpc_reply(call, &cve->base);
}

static int send_bytes(struct rpc_call *call, ProtobufCBinaryData bytes, bool deployable, PatchChunk *first)
{
	size_t at = 0;
	int err;

	do {
		PatchChunk chunk = PATCH_CHUNK__INIT, *out = first ? first : &chunk;
		ProtobufCBinaryData part = { .data = bytes.data + at, .len = MIN_OF(bytes.len - at, (size_t)CHUNK) };

		if (deployable) {
			out->has_deployable = true;
			out->deployable = part;
		} else {
			out->has_raw = true;
			out->raw = part;
		}
		if ((err = rpc_record(call, &out->base)))
			return err;
		first = NULL;
		at += part.len;
	} while (at < bytes.len);
	return 0;
}

/* The approved livepatch for the config or version that was named. */
static int find_deployable(struct client *c, struct db *db, const FetchPatchRequest *r, const char *id, const Fix *fix,
			   PatchRevision *out)
{
	struct db_target *targets;
	size_t n;
	int err;

	patch_revision__init(out);
	if (!r->config && !r->kernel_version)
		return 0;
	if ((err = answer_targets(db, c->arena, r->config ? 1 : 0, &r->config, r->kernel_version, false, &n, &targets)))
		return err;
	return db_patch_deployable(db, c->arena, id, fix->fix_commit, targets[0].config, &targets[0].version, out);
}

static int send_patches(struct rpc_call *call, PatchChunk *first, const Fix *fix, const PatchRevision *deployable)
{
	int err = 0;

	if ((first->has_raw_size = fix->has_patch))
		first->raw_size = fix->patch.len;
	if ((first->has_deployable_size = deployable->has_body))
		first->deployable_size = deployable->body.len;
	if (!fix->has_patch && !deployable->has_body)
		return rpc_record(call, &first->base);
	if (fix->has_patch) {
		err = send_bytes(call, fix->patch, false, first);
		first = NULL;
	}
	if (!err && deployable->has_body)
		err = send_bytes(call, deployable->body, true, first);
	return err;
}

int serve_patch(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const FetchPatchRequest *r = (const FetchPatchRequest *)request;
	PatchChunk first = PATCH_CHUNK__INIT;
	PatchRevision deployable;
	struct client *c = client;
	const char *id, *commit;
	struct db *db;
	Fix *fix;
	int err;

	if (!r->title || dyad_split_title(c->arena, r->title, &id, &commit))
		return fail(ERR_USAGE, "'%s' is not the title of an instance", r->title ? r->title : "");
	if (strcmp(commit, "nofix") == 0)
		return fail(ERR_NOTFOUND, "%s: there is no fix for this instance", r->title);
	if ((err = server_db(c, &db)) || (err = db_fix_get(db, c->arena, id, commit, &fix)) ||
	    (err = find_deployable(c, db, r, id, fix, &deployable)))
		return err;
	first.title = r->title;
	first.fix_commit = fix->fix_commit;
	first.has_state = true;
	first.state = fix->state;
	first.has_subject = fix->has_subject;
	first.subject = fix->subject;
	return send_patches(call, &first, fix, &deployable);
}

static int count_builders(struct client *c, struct db *db, HealthInfo *h)
{
	FetchJobsRequest open = FETCH_JOBS_REQUEST__INIT;
	BuilderList builders = BUILDER_LIST__INIT;
	JobList jobs = JOB_LIST__INIT;
	int err;

	open.has_open_only = open.has_most = true;
	open.open_only = true;
	open.most = 100000;
	if ((err = db_job_list(db, c->arena, &open, &jobs)) || (err = db_builder_list(db, c->arena, &builders)))
		return err;
	for (size_t i = 0; i < jobs.n_jobs; i++)
		h->queued_jobs += jobs.jobs[i]->state == JOB_STATE__QUEUED;
	for (size_t i = 0; i < builders.n_builders; i++)
		h->builders += builders.builders[i]->connected;
	return 0;
}

void server_wrote(struct client *c)
{
	c->health = NULL;
}

/* What Health says of the data changes only when somebody has written. */
static int read_health(struct client *c, struct db *db)
{
	HealthInfo *h;
	int64_t version, cves;
	int err;

	if ((err = db_data_version(db, &version)) || (c->health && version == c->health_version))
		return err;
	if (!c->health_arena)
		c->health_arena = arena_new(0);
	arena_reset(c->health_arena);
	h = pb_new(c->health_arena, &health_info__descriptor);
	if ((err = db_cve_count(db, &cves)) || (err = count_builders(c, db, h)) ||
	    (err = db_meta_get(db, c->health_arena, "based_on_vulns_commit", &h->vulns_commit)) ||
	    (err = db_meta_get(db, c->health_arena, "based_on_vulns_time", &h->vulns_time)) ||
	    (err = db_meta_get(db, c->health_arena, "last_run", &h->last_run)) ||
	    (err = db_meta_get(db, c->health_arena, "nvd_newest", &h->nvd_newest)))
		return err;
	h->has_cves = h->has_queued_jobs = h->has_builders = true;
	h->cves = (uint64_t)cves;
	c->health = h;
	c->health_version = version;
	return 0;
}

int serve_health(void *client, struct rpc_call *call, const ProtobufCMessage *request UNUSED)
{
	struct client *c = client;
	const struct board *b = c->server->board;
	HealthInfo h = HEALTH_INFO__INIT;
	struct db *db;
	int err;

	/* Builders ask as a sign of life, and have no right to know what is in the database. */
	if (c->role >= ROLE_VIEWER) {
		if ((err = server_db(c, &db)) || (err = read_health(c, db)))
			return err;
		h = *c->health;
	}
	h.program = "tuxtape " TUXTAPE_VERSION;
	h.has_uptime_seconds = h.has_clients = h.has_max_clients = h.has_idle_workers = true;
	h.uptime_seconds = (now_ms() - (uint64_t)b->started) / 1000;
	h.clients = board_clients(b);
	h.max_clients = (uint32_t)c->server->opts->max_clients;
	h.idle_workers = board_count(b, SLOT_IDLE);
	if (c->builder && (err = server_builder_alive(c)))
		return err;
	return rpc_reply(call, &h.base);
}
