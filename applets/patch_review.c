/* Owns what is seen and done of patches that a server keeps: lists, records, differences, reviews. Refuses to approve what the reviewer has
 * not named. */
#include "applets/patch.h"

#include "applets/words.h"
#include "lib/db_cve.h"
#include "lib/db_patch.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"

#include <stdio.h>

/* ---- Reading, from a database or a server */

static int read_record(struct patch_run *r, uint64_t id, uint32_t revision, PatchRecord **out)
{
	FetchPatchRecordRequest q = FETCH_PATCH_RECORD_REQUEST__INIT;
	int err = patch_source(r);

	if (err)
		return err;
	if (r->source.db)
		return db_patch_get(r->source.db, r->arena, id, revision, out);
	q.has_patch = q.has_revision = true;
	q.patch = id;
	q.revision = revision;
	return rpc_call(r->source.rpc, RPC_FETCH_PATCH_RECORD, &q.base, r->arena, r->source.timeout_ms, out);
}

int patch_gather(struct patch_run *r, unsigned method, const ProtobufCMessage *q, void ***items, size_t *n)
{
	enum rpc_news news = RPC_NOTHING;
	void *message;
	int err = rpc_start(r->source.rpc, method, q);

	while (!err) {
		if ((err = rpc_next(r->source.rpc, r->arena, r->source.timeout_ms, &news, &message)) || news == RPC_END)
			return err;
		if (news == RPC_NOTHING)
			return fail(ERR_NET, "no answer within %d s", r->source.timeout_ms / 1000);
		*(void **)arena_grow(r->arena, (void **)items, n, sizeof(**items)) = message;
	}
	return err;
}

int patch_records(struct patch_run *r, const FetchPatchesRequest *q, PatchList *out)
{
	uint64_t *ids;
	size_t n;
	int err = patch_source(r);

	if (err)
		return err;
	if (!r->source.db)
		return patch_gather(r, RPC_FETCH_PATCHES, &q->base, (void ***)&out->patches, &out->n_patches);
	if (q->mine)
		return fail(ERR_USAGE, "--mine: a database does not know who asks; ask a server");
	err = db_patch_list(r->source.db, r->arena, q, NULL, &n, &ids);
	for (size_t i = 0; !err && i < n; i++) {
		PatchRecord *record;

		if (!(err = db_patch_brief(r->source.db, r->arena, ids[i], &record)))
			PB_ADD_MSG(r->arena, out, patches, record);
	}
	return err;
}

/* ---- list */

static const char *apply_word(const PatchRecord *p)
{
	return p->has_apply ? apply_state_name(p->apply) : "unchecked";
}

static const char *target_of(struct arena *a, const PatchRecord *p)
{
	return patch_target(a, p->config, p->version);
}

const char *patch_shown(struct arena *a, const char *text)
{
	struct buf out = { 0 };
	const char *copy;

	str_printable(&out, text, strlen(text));
	copy = arena_strdup(a, buf_str(&out));
	buf_free(&out);
	return copy;
}

static void print_list(struct arena *a, const PatchList *list)
{
	if (list->n_patches)
		printf("%4s %-9s %3s %-10s %-8s %-20s %-12s %s\n", "ID", "STATE", "REV", "APPLIES", "B/W/R", "TARGET",
		       "AUTHOR", "TITLE");
	for (size_t i = 0; i < list->n_patches; i++) {
		const PatchRecord *p = list->patches[i];
		char levels[40];

		snprintf(levels, sizeof(levels), "%u/%u/%u", p->blocks, p->warns, p->reviews);
		printf("%4llu %-9s %3u %-10s %-8s %-20s %-12s %s\n", (unsigned long long)p->patch,
		       patch_state_word((int)p->state), p->revision, apply_word(p), levels, target_of(a, p),
		       patch_shown(a, p->author), patch_shown(a, p->title));
	}
}

static int fill_filters(struct patch_run *r, FetchPatchesRequest *q)
{
	if (r->o->configs.n + r->o->kernels.n > 1)
		return fail(ERR_USAGE, "list: one config or one kernel");
	q->config = r->o->configs.n ? r->o->configs.items[0] : NULL;
	q->cve_id = r->o->cve ? cve_id_typed(r->arena, r->o->cve) : NULL;
	q->has_mine = q->mine = r->o->mine;
	if (q->cve_id && cve_key(q->cve_id, strlen(q->cve_id)) == 0)
		return fail(ERR_USAGE, "--cve: '%s' is not a CVE id", r->o->cve);
	if ((q->has_state = r->o->state != NULL))
		q->state = (PatchState)patch_state_parse(r->o->state);
	return r->o->kernels.n ? patch_version(r->arena, r->o->kernels.items[0], &q->version) : 0;
}

int patch_list(struct patch_run *r)
{
	FetchPatchesRequest q = FETCH_PATCHES_REQUEST__INIT;
	PatchList list = PATCH_LIST__INIT;
	int err;

	if ((err = fill_filters(r, &q)) || (err = patch_records(r, &q, &list)))
		return err;
	if (r->o->json)
		applet_print_json(&list.base);
	else
		print_list(r->arena, &list);
	return 0;
}

/* ---- show */

static void add_row(struct buf *out, const char *label, const char *text)
{
	buf_printf(out, "%-12s", label);
	str_printable(out, text, strlen(text));
	buf_addc(out, '\n');
}

static void add_quoted(struct buf *out, ProtobufCBinaryData text)
{
	struct buf lines = { 0 };

	if (!text.len)
		return;
	str_printable_lines(&lines, (const char *)text.data, text.len);
	for (const char *p = buf_str(&lines); *p;) {
		size_t n = strcspn(p, "\n");

		buf_printf(out, "    %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
	buf_free(&lines);
}

static void add_revision(struct buf *out, struct arena *a, const PatchRevision *v)
{
	buf_printf(out, "\nRevision %u, %llu bytes, by %s%s, %s, %s\n    SHA-256 %s\n", v->revision,
		   (unsigned long long)v->size, patch_shown(a, v->author), v->nameless ? " (who is not told apart)" : "",
		   v->submitted_at, patch_apply_word(v->check), v->sha256);
	add_quoted(out, v->note);
}

static void add_opinion(struct buf *out, struct arena *a, const PatchReview *v)
{
	buf_printf(out, "\n%s of revision %u by %s, %s%s%s\n", v->kind == REVIEW_KIND__APPROVE ? "Approval" : "Rejection",
		   v->revision, patch_shown(a, v->reviewer), v->reviewed_at,
		   v->self_review ? "; self-review: nobody vouches that author and reviewer are two people" : "",
		   v->accepted_unchecked ? "; accepted unchecked" : "");
	add_quoted(out, v->comment);
}

static void print_record(struct arena *a, const PatchRecord *p, const PatchRevision *meant)
{
	struct buf out = { 0 };

	buf_printf(&out, "%-12s%llu\n%-12s%s%s\n", "Patch", (unsigned long long)p->patch, "State",
		   patch_state_word((int)p->state), p->self_reviewed ? ", by self-review" : "");
	add_row(&out, "CVE", p->cve_id);
	add_row(&out, "Made from", p->title);
	add_row(&out, "Target", target_of(a, p));
	for (size_t i = 0; i < p->n_fix_commits; i++)
		add_row(&out, i ? "" : "Fixes", p->fix_commits[i]);
	buf_printf(&out, "%-12s%u of revision %u\n", "Approvals", p->approvals, p->revision);
	for (size_t i = 0; i < p->n_revisions; i++)
		add_revision(&out, a, p->revisions[i]);
	for (size_t i = 0; i < p->n_opinions; i++)
		add_opinion(&out, a, p->opinions[i]);
	printf("%s\nCheck of revision %u\n", buf_str(&out), meant->revision);
	buf_free(&out);
	fflush(stdout);
	patch_print_check(a, meant->check);
}

/* The revision whose body came along. */
static const PatchRevision *meant_revision(const PatchRecord *p)
{
	for (size_t i = 0; i < p->n_revisions; i++)
		if (p->revisions[i]->has_body)
			return p->revisions[i];
	return NULL;
}

int patch_revision(struct patch_run *r, uint64_t id, uint32_t revision, PatchRecord **p, const PatchRevision **v)
{
	int err = read_record(r, id, revision, p);

	*v = err ? NULL : meant_revision(*p);
	return err || *v ? err : fail(ERR_PEER, "patch %llu came without its contents", (unsigned long long)id);
}

int patch_show(struct patch_run *r)
{
	const PatchRevision *v;
	PatchRecord *p;
	int err = patch_revision(r, r->id, (uint32_t)r->o->revision, &p, &v);

	if (err)
		return err;
	if (r->o->json)
		applet_print_json(&p->base);
	else
		print_record(r->arena, p, v);
	return 0;
}

/* Puts the deployable chunks together. */
static int gather_deployable(struct patch_run *r, const FetchPatchRequest *q, struct buf *out)
{
	void **chunks = NULL;
	size_t n = 0;
	int err = patch_gather(r, RPC_FETCH_PATCH, &q->base, &chunks, &n);

	for (size_t i = 0; !err && i < n; i++)
		buf_add(out, ((PatchChunk *)chunks[i])->deployable.data, ((PatchChunk *)chunks[i])->deployable.len);
	return err;
}

static int read_deployable(struct patch_run *r, const FetchPatchRequest *q, struct buf *out)
{
	PatchRevision v = PATCH_REVISION__INIT;
	const char *id, *commit;
	Fix *fix;
	int err;

	if (!r->source.db)
		return gather_deployable(r, q, out);
	if ((err = dyad_split_title(r->arena, q->title, &id, &commit)) ||
	    (err = db_fix_get(r->source.db, r->arena, id, commit, &fix)) ||
	    (err = db_patch_deployable(r->source.db, r->arena, id, fix->fix_commit, q->config, q->kernel_version, &v)))
		return err;
	buf_add(out, v.body.data, v.body.len);
	return 0;
}

/* The deployable patch of an instance for one kernel. */
static int export_title(struct patch_run *r)
{
	FetchPatchRequest q = FETCH_PATCH_REQUEST__INIT;
	const char *id, *commit;
	struct buf patch = { 0 };
	int err;

	if (dyad_split_title(r->arena, r->arg, &id, &commit))
		return fail(ERR_USAGE, "'%s' is neither the number of a patch nor the title of an instance", r->arg);
	if (r->o->configs.n + r->o->kernels.n != 1)
		return fail(ERR_USAGE, "export %s: say for which one kernel: --kernel VERSION or --config NAME", r->arg);
	q.title = r->arg;
	q.config = r->o->configs.n ? r->o->configs.items[0] : NULL;
	if ((r->o->kernels.n && (err = patch_version(r->arena, r->o->kernels.items[0], &q.kernel_version))) ||
	    (err = patch_source(r)))
		return err;
	if (!(err = read_deployable(r, &q, &patch)) && patch.len == 0)
		err = fail(ERR_NOTFOUND, "%s: no approved livepatch for that kernel", r->arg);
	if (!err)
		words_print_patch((ProtobufCBinaryData){ .data = (uint8_t *)patch.data, .len = patch.len });
	buf_free(&patch);
	return err;
}

/* What may be deployed is what was approved; another revision must be named. */
int patch_export(struct patch_run *r)
{
	const PatchRevision *v;
	PatchRecord *p;
	int err;

	if (!r->id)
		return export_title(r);
	if ((err = patch_revision(r, r->id, (uint32_t)r->o->revision, &p, &v)))
		return err;
	if (!r->o->revision && p->state != PATCH_STATE__APPROVED)
		return fail(ERR_NOTFOUND,
			    "patch %llu is %s, not approved: name a revision with --revision to have it all the same",
			    (unsigned long long)p->patch, patch_state_word((int)p->state));
	words_print_patch(v->body);
	return 0;
}

/* ---- diff */

static int print_diff(const char *name, ProtobufCBinaryData old, ProtobufCBinaryData now)
{
	struct repo_side a = { .data = (const char *)old.data, .n = old.len },
			 b = { .data = (const char *)now.data, .n = now.len };
	struct buf out = { 0 };
	int err = repo_setup(1u << 20);

	if (!err && !(err = repo_diff(&out, name, &a, &b, 0)))
		words_print_patch((ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)buf_str(&out), .len = out.len });
	if (!err && out.len == 0)
		log_note("no difference");
	buf_free(&out);
	return err;
}

/* The newest revision that a reviewer has approved; 0: there is none. */
static uint32_t approved_revision(const PatchRecord *p)
{
	uint32_t newest = 0;

	for (size_t i = 0; i < p->n_opinions; i++)
		if (p->opinions[i]->kind == REVIEW_KIND__APPROVE)
			newest = MAX_OF(newest, p->opinions[i]->revision);
	return newest;
}

static int read_approved(struct patch_run *r, uint64_t id, ProtobufCBinaryData *body)
{
	const PatchRevision *v;
	uint32_t revision;
	PatchRecord *p;
	int err = patch_revision(r, id, 0, &p, &v);

	if (err)
		return err;
	if (!(revision = approved_revision(p)))
		return fail(ERR_NOTFOUND, "no revision of patch %llu was ever approved", (unsigned long long)id);
	if ((err = patch_revision(r, id, revision, &p, &v)))
		return err;
	*body = v->body;
	return 0;
}

/* Against the raw fix, or with --since or --approved against an earlier revision. */
static int diff_record(struct patch_run *r)
{
	const PatchRevision *v, *before;
	ProtobufCBinaryData approved;
	PatchRecord *p, *older;
	Fix *fix;
	int err = patch_revision(r, r->id, (uint32_t)r->o->revision, &p, &v);

	if (err)
		return err;
	if (r->o->since) {
		if ((err = patch_revision(r, r->id, (uint32_t)r->o->since, &older, &before)))
			return err;
		return print_diff(p->title, before->body, v->body);
	}
	if (r->o->approved)
		return (err = read_approved(r, r->id, &approved)) ? err : print_diff(p->title, approved, v->body);
	if ((err = source_patch(&r->source, r->arena, p->title, &fix)))
		return err;
	return print_diff(p->title, fix->patch, v->body);
}

/* The patch that the draft was, or will be, handed in as: of its CVE and the first kernel that it is for. */
static int find_record_of(struct patch_run *r, const struct draft *d, uint64_t *id)
{
	FetchPatchesRequest q = FETCH_PATCHES_REQUEST__INIT;
	PatchList list = PATCH_LIST__INIT;
	size_t n_configs, n_versions;
	KernelVersion **versions;
	const char **configs, *commit;
	int err;

	if ((err = draft_targets(r, d, &n_configs, &configs, &n_versions, &versions)) ||
	    (err = dyad_split_title(r->arena, d->title, &q.cve_id, &commit)))
		return err;
	q.config = n_configs ? configs[0] : NULL;
	q.version = n_configs ? NULL : versions[0];
	if ((err = patch_records(r, &q, &list)))
		return err;
	for (size_t i = 0; i < list.n_patches; i++)
		if (strncmp(list.patches[i]->fix_commit, commit, strlen(commit)) == 0) {
			*id = list.patches[i]->patch;
			return 0;
		}
	return fail(ERR_NOTFOUND, "%s was never handed in for %s", d->title, patch_target(r->arena, q.config, q.version));
}

static int diff_with_approved(struct patch_run *r, const struct draft *d, ProtobufCBinaryData text)
{
	ProtobufCBinaryData approved;
	uint64_t id;
	int err;

	if ((err = find_record_of(r, d, &id)) || (err = read_approved(r, id, &approved)))
		return err;
	return print_diff(d->title, approved, text);
}

int patch_diff(struct patch_run *r)
{
	ProtobufCBinaryData text;
	struct draft d;
	Fix *fix;
	int err;

	if (r->o->since && (r->o->approved || !r->id))
		return fail(ERR_USAGE,
			    r->id ? "diff: --since or --approved, not both" : "diff: --since takes the number of a patch");
	if (r->id)
		return diff_record(r);
	if ((err = draft_read(r, r->arg, &d)))
		return err;
	if ((err = draft_title(&d)))
		return err;
	text = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)d.text, .len = d.len };
	if ((err = patch_source(r)))
		return err;
	if (r->o->approved)
		return diff_with_approved(r, &d, text);
	if ((err = source_patch(&r->source, r->arena, d.title, &fix)))
		return err;
	return print_diff(d.title, fix->patch, text);
}

/* ---- review, withdraw */

static ProtobufCBinaryData message_bytes(const struct patch_run *r)
{
	const char *m = r->o->message ? r->o->message : "";

	return (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)m, .len = strlen(m) };
}

static void print_outcome(struct patch_run *r, const PatchRecord *p)
{
	if (r->o->json)
		applet_print_json(&p->base);
	else
		printf("patch %llu: revision %u, %s, %u approval%s%s\n", (unsigned long long)p->patch, p->revision,
		       patch_state_word((int)p->state), p->approvals, p->approvals == 1 ? "" : "s",
		       p->self_reviewed ? ", by self-review" : "");
}

/* An approval is of what was read: once there are several revisions, the reviewer says which. */
static int choose_revision(struct patch_run *r, struct rpc *rpc, PatchRecord **p, const PatchRevision **v)
{
	FetchPatchRecordRequest q = FETCH_PATCH_RECORD_REQUEST__INIT;
	int err;

	q.has_patch = q.has_revision = true;
	q.patch = r->id;
	q.revision = (uint32_t)r->o->revision;
	if ((err = rpc_call(rpc, RPC_FETCH_PATCH_RECORD, &q.base, r->arena, (int)r->o->client.timeout, p)))
		return err;
	if (!r->o->revision && (*p)->revision > 1)
		return fail(ERR_USAGE, "patch %llu has %u revisions: say which you have read, --revision N",
			    (unsigned long long)r->id, (*p)->revision);
	*v = meant_revision(*p);
	return *v ? 0 : fail(ERR_PEER, "patch %llu came without its contents", (unsigned long long)r->id);
}

static int send_review(struct patch_run *r, struct rpc *rpc, PatchRecord **p)
{
	ReviewPatchRequest q = REVIEW_PATCH_REQUEST__INIT;
	const PatchRevision *v = NULL;
	int err = choose_revision(r, rpc, p, &v);

	if (err)
		return err;
	q.has_patch = q.has_revision = q.has_kind = q.has_comment = q.has_accept_unchecked = true;
	q.patch = r->id;
	q.revision = v->revision;
	q.sha256 = v->sha256;
	q.kind = r->o->approve ? REVIEW_KIND__APPROVE : REVIEW_KIND__REJECT;
	q.comment = message_bytes(r);
	q.accept_unchecked = r->o->accept_unchecked;
	return rpc_call(rpc, RPC_REVIEW_PATCH, &q.base, r->arena, (int)r->o->client.timeout, p);
}

int patch_review(struct patch_run *r)
{
	struct rpc *rpc = NULL;
	PatchRecord *p;
	int err;

	if (r->o->approve == r->o->reject)
		return fail(ERR_USAGE, "review: say either --approve or --reject");
	if (!r->o->message)
		return fail(ERR_USAGE, "review: say why: -m TEXT");
	if (!(err = client_dial(&r->o->client, r->arena, NULL, &rpc, NULL)))
		err = send_review(r, rpc, &p);
	rpc_free(rpc);
	if (!err)
		print_outcome(r, p);
	return err;
}

int patch_withdraw(struct patch_run *r)
{
	WithdrawPatchRequest q = WITHDRAW_PATCH_REQUEST__INIT;
	PatchRecord *p;
	int err;

	q.has_patch = q.has_comment = true;
	q.patch = r->id;
	q.comment = message_bytes(r);
	if (!(err = client_ask(&r->o->client, r->arena, RPC_WITHDRAW_PATCH, &q.base, &p)))
		print_outcome(r, p);
	return err;
}
