/* Owns the livepatch workflow as clients see it. Trusts no client for what a patch is: the server parses, applies and lints it itself, on its
 * own clone, before it opens a transaction. */
#include "applets/server.h"

#include "applets/kernel_clone.h"
#include "lib/db_audit.h"
#include "lib/db_cve.h"
#include "lib/db_patch.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/patch_check.h"
#include "lib/str.h"

#include <malloc.h>

#define CACHE (64u << 20)
#define TARGETS_MOST 64
#define AUDIT_AT_ONCE 500
#define NOTE_MOST 65536

/* A submission on its way. */
struct submit {
	struct client *client;
	const SubmitPatchRequest *request;
	struct arena *arena;
	struct db *db;
	struct repo *repo;
	const char *no_repo; /* why there is none */
	struct diff diff;
	const char *cve_id, *fix_commit;
	size_t n_commits;
	const char **commits;
	SubmitPatchReply reply;
};

static struct db_actor actor_of(const struct client *c)
{
	return (struct db_actor){
		.name = c->name,
		.role = c->role,
		.nameless = c->local,
		.allow_self_review = c->server->opts->allow_self_review,
		.approvals = (uint32_t)c->server->opts->approvals,
	};
}

/* The head goes to the log, too: a chain in a file proves nothing to one who can rewrite the file. */
static void log_head(struct db *db, struct arena *a)
{
	AuditEntry *e;

	if (db_audit_newest(db, a, &e) == 0 && e)
		log_note("audit entry=%llu head=%s", (unsigned long long)e->entry, e->head);
}

static void open_clone(struct submit *s)
{
	bool lent;
	const char *path = kernel_clone_find(s->arena, s->client->server->opts->linux_repo, &lent);

	if (repo_setup_small(CACHE) || repo_open(&s->repo, path)) {
		s->repo = NULL;
		s->no_repo = arena_printf(s->arena, "the server has no clone of the kernel: %s", err_text());
	}
}

static int check_request(const SubmitPatchRequest *r)
{
	if (!r->title || !r->has_body || r->body.len == 0)
		return fail(ERR_USAGE, "a submission needs the title of an instance and a patch");
	if (r->n_configs + r->n_versions == 0)
		return fail(ERR_USAGE, "say what the patch is for: configs, versions, or both");
	if (r->n_configs + r->n_versions > TARGETS_MOST)
		return fail(ERR_USAGE, "a patch for more than %d configs and versions at once", TARGETS_MOST);
	if (r->note.len > NOTE_MOST)
		return fail(ERR_INPUT, "a note of more than %d bytes", NOTE_MOST);
	for (size_t i = 0; i < r->n_versions; i++)
		if (!r->versions[i]->has_major || !r->versions[i]->has_minor)
			return fail(ERR_USAGE, "a kernel version has a major and a minor number");
	return 0;
}

/* What the patch's header says that it holds counts where these are fix commits of the CVE. */
static int take_commits(struct submit *s)
{
	struct diff_text value;
	size_t at = 0;
	Cve *cve;
	int err = db_cve_get(s->db, s->arena, s->cve_id, &cve);

	if (err)
		return err;
	*(const char **)arena_grow(s->arena, (void **)&s->commits, &s->n_commits, sizeof(*s->commits)) = s->fix_commit;
	while (s->n_commits < TARGETS_MOST && diff_header_value(&s->diff, "Upstream-commit", &at, &value))
		for (size_t i = 0; i < cve->n_instances; i++) {
			const char *commit = cve->instances[i]->fix_commit;

			if (!commit || strlen(commit) != value.len || memcmp(commit, value.text, value.len) != 0 ||
			    strcmp(commit, s->fix_commit) == 0)
				continue;
			*(const char **)arena_grow(s->arena, (void **)&s->commits, &s->n_commits,
						   sizeof(*s->commits)) = commit;
			break;
		}
	return 0;
}

static int find_fix(struct submit *s)
{
	const char *commit;
	Fix *fix;
	int err;

	if (dyad_split_title(s->arena, s->request->title, &s->cve_id, &commit))
		return fail(ERR_USAGE, "'%s' is not the title of an instance", s->request->title);
	if (strcmp(commit, "nofix") == 0)
		return fail(ERR_USAGE,
			    "%s: a livepatch is made from a fix, and there is none; name an instance that has one",
			    s->request->title);
	if ((err = db_fix_get(s->db, s->arena, s->cve_id, commit, &fix)))
		return err;
	s->fix_commit = fix->fix_commit;
	return take_commits(s);
}

static int check_target(struct submit *s, const char *config, const KernelVersion *version)
{
	struct patch_kernel kernel;
	PatchCheck *check;
	int err;

	for (size_t i = 0; i < s->reply.n_checks; i++)
		if (strcmp(patch_target(s->arena, s->reply.checks[i]->config, s->reply.checks[i]->version),
			   patch_target(s->arena, config, version)) == 0)
			return fail(ERR_USAGE, "%s is named twice", patch_target(s->arena, config, version));
	if ((err = patch_kernel_read(s->db, s->arena, config, version, &kernel)) ||
	    (err = patch_check(s->arena, &s->diff, &kernel, s->repo, s->no_repo, &check)))
		return err;
	PB_ADD_MSG(s->arena, &s->reply, checks, check);
	return 0;
}

static int check_targets(struct submit *s)
{
	const SubmitPatchRequest *r = s->request;
	int err = 0;

	for (size_t i = 0; !err && i < r->n_configs; i++)
		err = check_target(s, r->configs[i], NULL);
	for (size_t i = 0; !err && i < r->n_versions; i++)
		err = check_target(s, NULL, r->versions[i]);
	return err;
}

/* All targets or none. */
static int store(struct submit *s)
{
	struct db_actor who = actor_of(s->client);
	struct db_submission sub = {
		.cve_id = s->cve_id,
		.fix_commit = s->fix_commit,
		.title = s->request->title,
		.n_commits = s->n_commits,
		.commits = s->commits,
		.body = s->request->body,
		.note = s->request->note,
	};
	int err = db_begin(s->db);

	for (size_t i = 0; !err && i < s->reply.n_checks; i++) {
		PatchRecord *record;

		sub.check = s->reply.checks[i];
		/* Seen by the test that kills a server in the middle. */
		log_verbose("mark submit %zu/%zu", i, s->reply.n_checks);
		if (!(err = db_patch_submit(s->db, s->arena, &sub, &who, &record)))
			PB_ADD_MSG(s->arena, &s->reply, patches, record);
	}
	if (err || (err = db_commit(s->db))) {
		db_rollback(s->db);
		return err;
	}
	log_head(s->db, s->arena);
	return 0;
}

int serve_submit(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	struct client *c = client;
	struct submit s = { .client = c,
			    .request = (const SubmitPatchRequest *)request,
			    .arena = c->arena,
			    .reply = SUBMIT_PATCH_REPLY__INIT };
	int err;

	c->remark = s.request->check_only ? "check_only=true" : NULL;
	if ((err = check_request(s.request)) || (err = server_db(c, &s.db)) ||
	    (err = patch_read(s.arena, (const char *)s.request->body.data, s.request->body.len, &s.diff)) ||
	    (err = find_fix(&s)))
		return err;
	open_clone(&s);
	if (!(err = check_targets(&s)) && !s.request->check_only)
		err = store(&s);
	repo_close(s.repo);
	/* A large patch takes hundreds of megabytes for a moment: what was freed goes back at once. */
	malloc_trim(0);
	return err ? err : rpc_reply(call, &s.reply.base);
}

/* What every review and withdrawal begins and ends with. */
static int begin_change(struct client *c, ProtobufCBinaryData comment, struct db **db)
{
	if (comment.len > NOTE_MOST)
		return fail(ERR_INPUT, "a comment of more than %d bytes", NOTE_MOST);
	return server_db(c, db);
}

static int end_change(struct client *c, struct rpc_call *call, struct db *db, int err, const PatchRecord *record)
{
	if (err)
		return err;
	log_head(db, c->arena);
	return rpc_reply(call, &record->base);
}

int serve_review(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const ReviewPatchRequest *r = (const ReviewPatchRequest *)request;
	struct client *c = client;
	struct db_actor who = actor_of(c);
	PatchRecord *record = NULL;
	struct db *db = NULL;
	int err = begin_change(c, r->comment, &db);

	if (!err)
		err = db_patch_review(db, c->arena, r, &who, &record);
	return end_change(c, call, db, err, record);
}

int serve_withdraw(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const WithdrawPatchRequest *r = (const WithdrawPatchRequest *)request;
	struct client *c = client;
	struct db_actor who = actor_of(c);
	PatchRecord *record = NULL;
	struct db *db = NULL;
	int err = begin_change(c, r->comment, &db);

	if (!err)
		err = db_patch_withdraw(db, c->arena, r, &who, &record);
	return end_change(c, call, db, err, record);
}

int serve_patches(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	struct client *c = client;
	struct arena *each = arena_new(0);
	uint64_t *patches;
	struct db *db;
	size_t n = 0;
	int err;

	if (!(err = server_db(c, &db)))
		err = db_patch_list(db, c->arena, (const FetchPatchesRequest *)request, c->name, &n, &patches);
	for (size_t i = 0; !err && i < n; i++) {
		PatchRecord *record;

		arena_reset(each);
		if (!(err = db_patch_brief(db, each, patches[i], &record)))
			err = rpc_record(call, &record->base);
	}
	arena_free(each);
	return err;
}

int serve_patch_record(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const FetchPatchRecordRequest *r = (const FetchPatchRecordRequest *)request;
	struct client *c = client;
	PatchRecord *record;
	struct db *db;
	int err;

	if ((err = server_db(c, &db)) || (err = db_begin_read(db)))
		return err;
	err = db_patch_get(db, c->arena, r->patch, r->revision, &record);
	db_rollback(db);
	return err ? err : rpc_reply(call, &record->base);
}

int serve_audit(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	struct client *c = client;
	struct arena *batch = arena_new(0);
	uint64_t from = MAX_OF(((const FetchAuditRequest *)request)->from, 1u);
	AuditList list;
	struct db *db;
	int err = server_db(c, &db);

	do {
		audit_list__init(&list);
		arena_reset(batch);
		if (!err)
			err = db_audit_list(db, batch, from, AUDIT_AT_ONCE, &list);
		for (size_t i = 0; !err && i < list.n_entries; i++) {
			err = rpc_record(call, &list.entries[i]->base);
			from = list.entries[i]->entry + 1;
		}
	} while (!err && list.n_entries == AUDIT_AT_ONCE);
	arena_free(batch);
	return err;
}
