/* Owns the queries on livepatches. Every change is one transaction: the state machine is asked, the rows and the entry of the audit log are
 * written, or nothing is. */
#include "lib/db_patch.h"

#include "lib/apply.h"
#include "lib/clock.h"
#include "lib/db_audit.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/kver.h"

#include <stdlib.h>

const char *patch_target(struct arena *a, const char *config, const KernelVersion *version)
{
	char text[KVER_TEXT_MAX];

	return config ? arena_printf(a, "config %s", config) : arena_printf(a, "version %s", kver_text(text, version));
}

/* ---- Reading */

static int select_one(struct db_rows *rows, struct arena *a, PatchRecord **out)
{
	*out = db_next(rows) ? db_message(rows, a, &patch_record__descriptor) : NULL;
	return db_end(rows);
}

static int read_commits(struct db *db, struct arena *a, PatchRecord *r)
{
	struct db_rows *rows;
	int err = db_query(db, &rows, "SELECT fix_commit FROM patch_commit WHERE patch = ? ORDER BY fix_commit", "i",
			   (int64_t)r->patch);

	return err ? err : db_texts(rows, a, &r->n_fix_commits, &r->fix_commits);
}

int db_patch_brief(struct db *db, struct arena *a, uint64_t patch, PatchRecord **out)
{
	struct db_rows *rows;
	int err;

	if ((err = db_select(db, &rows, &patch_record__descriptor, NULL, NULL, "FROM patch AS m WHERE m.patch = ?", "i",
			     (int64_t)patch)) ||
	    (err = select_one(rows, a, out)))
		return err;
	if (!*out)
		return fail(ERR_NOTFOUND, "there is no patch %llu; `tuxtape patch list` shows them",
			    (unsigned long long)patch);
	return read_commits(db, a, *out);
}

static int take_check(struct arena *a, ProtobufCBinaryData packed, PatchRevision *v)
{
	v->check = pb_unpack(a, &patch_check__descriptor, packed.data, packed.len);
	return v->check ? 0 : fail(ERR_DB, "the check of revision %u cannot be read", v->revision);
}

static int take_revision(struct db_rows *rows, struct arena *a, PatchRevision *v)
{
	ProtobufCBinaryData note = db_bytes(rows, 5);

	v->has_revision = v->has_nameless = v->has_size = true;
	v->revision = (uint32_t)db_int(rows, 0);
	v->sha256 = arena_strdup(a, db_text(rows, 1));
	v->author = arena_strdup(a, db_text(rows, 2));
	v->nameless = db_int(rows, 3);
	v->submitted_at = arena_strdup(a, db_text(rows, 4));
	if ((v->has_note = !db_is_null(rows, 5)))
		v->note = pb_bytes(a, note.data, note.len);
	v->size = (uint64_t)db_int(rows, 6);
	return take_check(a, db_bytes(rows, 7), v);
}

static int read_revisions(struct db *db, struct arena *a, PatchRecord *r)
{
	struct db_rows *rows;
	int err = db_query(db, &rows,
			   "SELECT revision, sha256, author, nameless, submitted_at, note, length(body), checked "
			   "FROM patch_revision WHERE patch = ? ORDER BY revision",
			   "i", (int64_t)r->patch);
	int bad = 0;

	if (err)
		return err;
	while (!bad && db_next(rows))
		bad = take_revision(rows, a, PB_ADD(a, r, revisions, patch_revision));
	err = db_end(rows);
	return bad ? bad : err;
}

/* What is deployed is what was read: contents that do not give their SHA-256 are none. */
static int check_body(const PatchRevision *v, uint64_t patch, const char *sum)
{
	char own[HASH_TEXT];

	if (strcmp(hash_text(own, v->body.data, v->body.len), sum) == 0)
		return 0;
	return fail(ERR_DB, "revision %u of patch %llu was changed: its contents do not give its SHA-256", v->revision,
		    (unsigned long long)patch);
}

static int read_body(struct db *db, struct arena *a, uint64_t patch, PatchRevision *v)
{
	struct db_rows *rows;
	int bad = 0, err = db_query(db, &rows, "SELECT body, sha256 FROM patch_revision WHERE patch = ? AND revision = ?",
				    "ii", (int64_t)patch, (int64_t)v->revision);

	if (err)
		return err;
	if ((v->has_body = db_next(rows))) {
		v->body = pb_bytes(a, db_bytes(rows, 0).data, db_bytes(rows, 0).len);
		bad = check_body(v, patch, db_text(rows, 1));
	}
	err = db_end(rows);
	return bad ? bad : err;
}

static int read_reviews(struct db *db, struct arena *a, PatchRecord *r)
{
	struct db_rows *rows;
	int err = db_select(db, &rows, &patch_review__descriptor, NULL, NULL,
			    "FROM patch_review AS m WHERE m.patch = ? ORDER BY m.review", "i", (int64_t)r->patch);

	if (err)
		return err;
	while (db_next(rows))
		PB_ADD_MSG(a, r, opinions, db_message(rows, a, &patch_review__descriptor));
	return db_end(rows);
}

int db_patch_get(struct db *db, struct arena *a, uint64_t patch, uint32_t revision, PatchRecord **out)
{
	int err;

	if ((err = db_patch_brief(db, a, patch, out)) || (err = read_revisions(db, a, *out)) ||
	    (err = read_reviews(db, a, *out)))
		return err;
	if (revision == 0)
		revision = (*out)->revision;
	if (revision > (*out)->n_revisions)
		return fail(ERR_NOTFOUND, "patch %llu has no revision %u: its newest is %u", (unsigned long long)patch,
			    revision, (*out)->revision);
	return read_body(db, a, patch, (*out)->revisions[revision - 1]);
}

int db_patch_list(struct db *db, struct arena *a, const FetchPatchesRequest *r, const char *who, size_t *n,
		  uint64_t **patches)
{
	const char *version = r->version ? patch_target(a, NULL, r->version) : NULL;
	struct db_rows *rows;
	int err = db_query(db, &rows,
			   "SELECT patch FROM patch WHERE (?1 = 0 OR state = ?1) AND (?2 IS NULL OR cve_id = ?2) "
			   "AND (?3 IS NULL OR config = ?3) AND (?4 IS NULL OR target = ?4) AND (?5 IS NULL OR author = ?5) "
			   "ORDER BY submitted_at DESC, patch DESC",
			   "issss", (int64_t)(r->has_state ? r->state : 0), r->cve_id, r->config, version,
			   r->mine ? who : NULL);

	*n = 0;
	*patches = NULL;
	if (err)
		return err;
	while (db_next(rows))
		*(uint64_t *)arena_grow(a, (void **)patches, n, sizeof(**patches)) = (uint64_t)db_int(rows, 0);
	return db_end(rows);
}

/* A config that has moved on to another version or tag has no livepatch any more: the one that was approved is for another tree. */
#define STILL_MEANT                                                                                                       \
	"(m.config IS NULL OR EXISTS (SELECT 1 FROM kernel_config AS k WHERE k.name = m.config AND "                      \
	"coalesce(k.ref, 'v' || k.version__major || '.' || k.version__minor || coalesce('.' || k.version__patch, '') || " \
	"coalesce('.' || k.version__stable, '') || coalesce('-rc' || k.version__rc, '')) = m.ref "                        \
	"AND k.version__major = m.version__major AND k.version__minor = m.version__minor AND k.version__patch IS "        \
	"m.version__patch AND k.version__stable IS m.version__stable AND k.version__rc IS m.version__rc))"

int db_patch_deployable(struct db *db, struct arena *a, const char *cve_id, const char *fix_commit, const char *config,
			const KernelVersion *version, PatchRevision *out)
{
	int64_t patch = 0, revision = 0;
	const char *target = patch_target(a, config, version);
	int err = db_number(db, &patch,
			    "SELECT m.patch FROM patch AS m JOIN patch_commit AS c USING (patch) WHERE m.cve_id = ? "
			    "AND c.fix_commit = ? AND m.target = ? AND m.state = 2 AND " STILL_MEANT " ORDER BY patch DESC",
			    "sss", cve_id, fix_commit, target);

	if (err)
		return err == ERR_NOTFOUND ? 0 : err;
	if ((err = db_number(db, &revision, "SELECT revision FROM patch WHERE patch = ?", "i", patch)))
		return err;
	out->has_revision = true;
	out->revision = (uint32_t)revision;
	return read_body(db, a, (uint64_t)patch, out);
}

/* ---- Changes */

static struct patch_actor actor_of(const struct db_actor *who, const PatchRecord *r, bool author_nameless)
{
	return (struct patch_actor){
		.name = who->name,
		.role = who->role,
		.author = r ? r->author : NULL,
		.told_apart = !who->nameless && !author_nameless,
		.allow_self_review = who->allow_self_review,
	};
}

/* What every entry of the audit log begins with. */
static void audit_begin(struct buf *what, const char *action, const struct db_actor *who, const char *now)
{
	audit_say(what, "at", now);
	audit_say(what, "action", action);
	audit_say(what, "who", who->name);
	audit_say(what, "role", role_name(who->role));
	if (who->nameless)
		audit_say(what, "identity", "none");
}

static void audit_patch(struct buf *what, struct arena *a, const PatchRecord *r, int before)
{
	audit_say_number(what, "patch", r->patch);
	audit_say(what, "cve", r->cve_id);
	audit_say(what, "fix", r->fix_commit);
	audit_say(what, "target", patch_target(a, r->config, r->version));
	audit_say_number(what, "revision", r->revision);
	audit_say(what, "sha256", r->sha256);
	audit_say(what, "from", patch_state_word(before));
	audit_say(what, "to", patch_state_word((int)r->state));
}

static void audit_text(struct buf *what, const char *key, ProtobufCBinaryData text)
{
	char sum[HASH_TEXT];

	if (text.len)
		audit_say(what, key, hash_text(sum, text.data, text.len));
}

/* Stores the record as it is now. */
static int put_record(struct db *db, struct arena *a, PatchRecord *r)
{
	int64_t id;
	int err = db_put(db, "patch", &r->base, "target", "s", patch_target(a, r->config, r->version));

	if (err || r->has_patch)
		return err;
	if ((err = db_number(db, &id, "SELECT last_insert_rowid()", "")))
		return err;
	r->has_patch = true;
	r->patch = (uint64_t)id;
	return 0;
}

static int put_commits(struct db *db, const PatchRecord *r)
{
	int err = db_run(db, "DELETE FROM patch_commit WHERE patch = ?", "i", (int64_t)r->patch);

	for (size_t i = 0; !err && i < r->n_fix_commits; i++)
		err = db_run(db, "INSERT OR IGNORE INTO patch_commit (patch, fix_commit) VALUES (?, ?)", "is",
			     (int64_t)r->patch, r->fix_commits[i]);
	return err;
}

static int put_revision(struct db *db, const PatchRecord *r, const struct db_submission *s, bool nameless)
{
	struct buf packed = { 0 };
	ProtobufCBinaryData check;
	int64_t id = (int64_t)r->patch;
	int err;

	pb_pack(&packed, &s->check->base);
	check = (ProtobufCBinaryData){ .len = packed.len, .data = (uint8_t *)packed.data };
	err = db_run(
		db,
		"INSERT INTO patch_revision (patch, revision, sha256, author, nameless, submitted_at, note, checked, body) "
		"VALUES (?, ?, ?, ?, ?, ?, nullif(?, x''), ?, ?)",
		"iissisbbb", id, (int64_t)r->revision, r->sha256, r->author, (int64_t)nameless, r->submitted_at, s->note,
		check, s->body);
	buf_free(&packed);
	return err;
}

/* What the newest revision says of itself. */
static void fill_record(struct arena *a, PatchRecord *r, const struct db_submission *s, const struct db_actor *who)
{
	const PatchCheck *c = s->check;
	char now[CLOCK_TEXT], sum[HASH_TEXT];

	r->cve_id = s->cve_id;
	r->fix_commit = s->fix_commit;
	r->title = s->title;
	r->config = c->config;
	r->version = c->version;
	r->ref = c->ref;
	r->has_revision = r->has_approvals = r->has_self_reviewed = true;
	r->revision++;
	r->sha256 = arena_strdup(a, hash_text(sum, s->body.data, s->body.len));
	r->author = who->name;
	r->submitted_at = arena_strdup(a, clock_print(now, clock_now()));
	r->approvals = 0;
	r->self_reviewed = false;
	if ((r->has_apply = c->apply && c->apply->has_state))
		r->apply = c->apply->state;
	r->has_blocks = r->has_warns = r->has_reviews = true;
	r->blocks = c->lint->blocks;
	r->warns = c->lint->warns;
	r->reviews = c->lint->reviews;
	r->n_fix_commits = s->n_commits;
	r->fix_commits = s->commits;
}

static int find_record(struct db *db, struct arena *a, const struct db_submission *s, PatchRecord **out)
{
	struct db_rows *rows;
	int err = db_select(db, &rows, &patch_record__descriptor, NULL, NULL,
			    "FROM patch AS m WHERE m.cve_id = ? AND m.fix_commit = ? AND m.target = ?", "sss", s->cve_id,
			    s->fix_commit, patch_target(a, s->check->config, s->check->version));

	return err ? err : select_one(rows, a, out);
}

/* An author who hands in the same again by mistake does not undo an approval. Where the check finds something else, it is no mistake. */
static int check_news(struct db *db, const PatchRecord *r, const struct db_submission *s)
{
	char sum[HASH_TEXT];
	struct buf packed = { 0 };
	ProtobufCBinaryData check;
	int64_t same = 0;
	int err;

	if (r->state != PATCH_STATE__SUBMITTED && r->state != PATCH_STATE__APPROVED)
		return 0;
	pb_pack(&packed, &s->check->base);
	check = (ProtobufCBinaryData){ .len = packed.len, .data = (uint8_t *)packed.data };
	err = db_number(
		db, &same,
		"SELECT count(*) FROM patch_revision WHERE patch = ? AND revision = ? AND sha256 = ? AND checked = ?",
		"iisb", (int64_t)r->patch, (int64_t)r->revision, hash_text(sum, s->body.data, s->body.len), check);
	buf_free(&packed);
	if (err || !same)
		return err;
	return fail(ERR_STATE, "patch %llu has these very bytes as its revision %u, which is %s: there is nothing new",
		    (unsigned long long)r->patch, r->revision, patch_state_word((int)r->state));
}

int db_patch_submit(struct db *db, struct arena *a, const struct db_submission *s, const struct db_actor *who,
		    PatchRecord **out)
{
	struct patch_actor actor;
	struct buf what = { 0 };
	PatchRecord *r;
	int before, to, err;
	bool self;

	if ((err = find_record(db, a, s, &r)))
		return err;
	before = r ? (int)r->state : PATCH_NONE;
	actor = actor_of(who, r, false);
	if ((err = patch_step(before, PATCH_SUBMIT, &actor, &to, &self)) || (r && (err = check_news(db, r, s))))
		return err;
	if (!r)
		r = pb_new(a, &patch_record__descriptor);
	fill_record(a, r, s, who);
	r->has_state = true;
	r->state = (PatchState)to;
	if ((err = put_record(db, a, r)) || (err = put_commits(db, r)) || (err = put_revision(db, r, s, who->nameless)))
		return err;
	audit_begin(&what, patch_action_word(PATCH_SUBMIT), who, r->submitted_at);
	audit_patch(&what, a, r, before);
	audit_say(&what, "apply", r->has_apply ? apply_state_name(r->apply) : "unchecked");
	audit_say_number(&what, "blocks", r->blocks);
	audit_text(&what, "note", s->note);
	err = db_audit_add(db, a, buf_str(&what));
	buf_free(&what);
	*out = r;
	return err;
}

/* ---- Reviews */

static int check_revision(const PatchRecord *r, const ReviewPatchRequest *q)
{
	unsigned long long id = (unsigned long long)r->patch;

	if (!q->has_revision || !q->sha256 || !q->has_kind)
		return fail(ERR_USAGE, "a review names the revision, its SHA-256, and whether it approves or rejects");
	if (q->kind != REVIEW_KIND__APPROVE && q->kind != REVIEW_KIND__REJECT)
		return fail(ERR_USAGE, "a review approves or rejects");
	if (q->revision != r->revision)
		return fail(ERR_STATE,
			    "the review is of revision %u of patch %llu, which is outdated: read revision %u, by %s",
			    q->revision, id, r->revision, r->author);
	if (strcmp(q->sha256, r->sha256) != 0)
		return fail(ERR_STATE, "revision %u of patch %llu has other contents than the review names: read it again",
			    r->revision, id);
	return 0;
}

/* What nobody may approve. */
static int check_soundness(const PatchRecord *r, const ReviewPatchRequest *q)
{
	unsigned long long id = (unsigned long long)r->patch;

	if (!r->has_apply && !q->accept_unchecked)
		return fail(ERR_STATE, "the server had no tree to apply patch %llu to: who approves says --accept-unchecked",
			    id);
	if (r->has_apply && r->apply == APPLY_STATE__APPLY_ALREADY)
		return fail(ERR_STATE, "patch %llu is in its kernel already: there is nothing to deploy", id);
	if (r->has_apply && !apply_is_good(r->apply))
		return fail(ERR_STATE, "patch %llu does not apply to its kernel (%s): it cannot be approved", id,
			    apply_state_name(r->apply));
	if (r->blocks)
		return fail(ERR_STATE, "patch %llu has %u finding%s that block%s: it cannot be approved as it is", id,
			    r->blocks, r->blocks == 1 ? "" : "s", r->blocks == 1 ? "s" : "");
	return 0;
}

/* One person counts once. */
static int count_approvals(struct db *db, const PatchRecord *r, const char *who, int64_t *others, bool *again)
{
	int64_t own = 0;
	int err = db_number(
		db, &own, "SELECT count(*) FROM patch_review WHERE patch = ? AND revision = ? AND kind = 1 AND reviewer = ?",
		"iis", (int64_t)r->patch, (int64_t)r->revision, who);

	*again = own > 0;
	return err ? err
		   : db_number(db, others,
			       "SELECT count(DISTINCT reviewer) FROM patch_review WHERE patch = ? AND revision = ? AND kind "
			       "= 1 "
			       "AND reviewer <> ?",
			       "iis", (int64_t)r->patch, (int64_t)r->revision, who);
}

static int approve(struct db *db, PatchRecord *r, const ReviewPatchRequest *q, const struct db_actor *who, int to)
{
	int64_t others = 0;
	bool again = false;
	int err;

	if ((err = check_soundness(r, q)) || (err = count_approvals(db, r, who->name, &others, &again)))
		return err;
	if (again)
		return fail(ERR_STATE, "%s has approved revision %u of patch %llu already: another reviewer is wanted",
			    who->name, r->revision, (unsigned long long)r->patch);
	r->approvals = (uint32_t)others + 1;
	if (r->approvals >= who->approvals)
		r->state = (PatchState)to;
	return 0;
}

static int store_review(struct db *db, const PatchRecord *r, const ReviewPatchRequest *q, const struct db_actor *who,
			bool self, const char *now)
{
	PatchReview v = PATCH_REVIEW__INIT;

	v.has_revision = v.has_kind = v.has_self_review = v.has_accepted_unchecked = true;
	v.revision = r->revision;
	v.sha256 = r->sha256;
	v.reviewer = who->name;
	v.kind = q->kind;
	v.has_comment = q->comment.len > 0;
	v.comment = q->comment;
	v.reviewed_at = now;
	v.self_review = self;
	v.accepted_unchecked = q->kind == REVIEW_KIND__APPROVE && !r->has_apply && q->accept_unchecked;
	return db_put(db, "patch_review", &v.base, "patch", "i", (int64_t)r->patch);
}

static int author_is_nameless(struct db *db, const PatchRecord *r, bool *nameless)
{
	int64_t n = 0;
	int err = db_number(db, &n, "SELECT nameless FROM patch_revision WHERE patch = ? AND revision = ?", "ii",
			    (int64_t)r->patch, (int64_t)r->revision);

	*nameless = n != 0;
	return err;
}

struct change {
	struct arena *arena;
	const ReviewPatchRequest *review;
	const WithdrawPatchRequest *withdrawal;
	const struct db_actor *who;
	PatchRecord **out;
};

/* The parts that every change of a record has: where it stands, and whether this may be done. */
static int step_record(struct db *db, struct change *c, uint64_t patch, enum patch_action action, int *to, bool *self)
{
	struct patch_actor actor;
	bool nameless = false;
	int err;

	if ((err = db_patch_brief(db, c->arena, patch, c->out)) || (err = author_is_nameless(db, *c->out, &nameless)))
		return err;
	actor = actor_of(c->who, *c->out, nameless);
	if ((err = patch_step((int)(*c->out)->state, action, &actor, to, self)))
		return fail_in(err, "patch %llu", (unsigned long long)patch);
	return 0;
}

static int review(struct db *db, struct change *c)
{
	const ReviewPatchRequest *q = c->review;
	enum patch_action action = q->kind == REVIEW_KIND__APPROVE ? PATCH_APPROVE : PATCH_REJECT;
	struct buf what = { 0 };
	char now[CLOCK_TEXT];
	PatchRecord *r;
	int before, to = 0, err;
	bool self = false;

	if ((err = db_patch_brief(db, c->arena, q->patch, c->out)) || (err = check_revision(*c->out, q)) ||
	    (err = step_record(db, c, q->patch, action, &to, &self)))
		return err;
	r = *c->out;
	before = (int)r->state;
	if (action == PATCH_APPROVE && (err = approve(db, r, q, c->who, to)))
		return err;
	if (action == PATCH_REJECT)
		r->state = (PatchState)to;
	r->self_reviewed |= self;
	clock_print(now, clock_now());
	if ((err = store_review(db, r, q, c->who, self, now)) || (err = put_record(db, c->arena, r)))
		return err;
	audit_begin(&what, patch_action_word(action), c->who, now);
	audit_patch(&what, c->arena, r, before);
	if (self)
		audit_say(&what, "self-review", "yes");
	if (action == PATCH_APPROVE && !r->has_apply)
		audit_say(&what, "unchecked", "accepted");
	audit_text(&what, "comment", q->comment);
	err = db_audit_add(db, c->arena, buf_str(&what));
	buf_free(&what);
	return err;
}

static int withdraw(struct db *db, struct change *c)
{
	struct buf what = { 0 };
	char now[CLOCK_TEXT];
	int before, to = 0, err;
	bool self;

	if ((err = step_record(db, c, c->withdrawal->patch, PATCH_WITHDRAW, &to, &self)))
		return err;
	before = (int)(*c->out)->state;
	(*c->out)->state = (PatchState)to;
	if ((err = put_record(db, c->arena, *c->out)))
		return err;
	audit_begin(&what, patch_action_word(PATCH_WITHDRAW), c->who, clock_print(now, clock_now()));
	audit_patch(&what, c->arena, *c->out, before);
	audit_text(&what, "comment", c->withdrawal->comment);
	err = db_audit_add(db, c->arena, buf_str(&what));
	buf_free(&what);
	return err;
}

static int transaction(struct db *db, int (*act)(struct db *db, struct change *c), struct change *c)
{
	int err = db_begin(db);

	if (!err && ((err = act(db, c)) || (err = db_commit(db))))
		db_rollback(db);
	return err;
}

int db_patch_review(struct db *db, struct arena *a, const ReviewPatchRequest *r, const struct db_actor *who,
		    PatchRecord **out)
{
	struct change c = { .arena = a, .review = r, .who = who, .out = out };

	return transaction(db, review, &c);
}

int db_patch_withdraw(struct db *db, struct arena *a, const WithdrawPatchRequest *r, const struct db_actor *who,
		      PatchRecord **out)
{
	struct change c = { .arena = a, .withdrawal = r, .who = who, .out = out };

	return transaction(db, withdraw, &c);
}

/* ---- For answers about CVEs */

static int by_cve(const void *a, const void *b)
{
	const struct db_livepatch *x = a, *y = b;

	return strcmp(x->cve_id, y->cve_id);
}

int db_livepatches(struct db *db, struct arena *a, const char *cve_id, struct db_livepatches *out)
{
	struct db_rows *rows;
	int err = db_query(db, &rows,
			   "SELECT m.cve_id, m.target, c.fix_commit, m.patch, m.state FROM patch AS m "
			   "JOIN patch_commit AS c USING (patch) WHERE (?1 IS NULL OR m.cve_id = ?1) AND " STILL_MEANT,
			   "s", cve_id);

	*out = (struct db_livepatches){ 0 };
	if (err)
		return err;
	while (db_next(rows)) {
		struct db_livepatch *l = arena_grow(a, (void **)&out->items, &out->n, sizeof(*l));

		*l = (struct db_livepatch){
			.cve_id = arena_strdup(a, db_text(rows, 0)),
			.target = arena_strdup(a, db_text(rows, 1)),
			.fix_commit = arena_strdup(a, db_text(rows, 2)),
			.patch = (uint64_t)db_int(rows, 3),
			.state = (int)db_int(rows, 4),
		};
	}
	if (out->n)
		qsort(out->items, out->n, sizeof(*out->items), by_cve);
	return db_end(rows);
}

static bool is_wanted(const Verdict *v, const char *commit)
{
	for (size_t i = 0; i < v->n_fix_commits; i++)
		if (strcmp(v->fix_commits[i], commit) == 0)
			return true;
	return false;
}

static bool is_approved(const struct db_livepatch *l, const char *target)
{
	return l->state == PATCH_STATE__APPROVED && strcmp(l->target, target) == 0;
}

/* Whether a patch holds no fix commit of the branch at all. */
static bool is_of_another_branch(const struct db_livepatch *first, const struct db_livepatch *end, uint64_t patch,
				 const Verdict *v)
{
	for (const struct db_livepatch *l = first; l < end; l++)
		if (l->patch == patch && is_wanted(v, l->fix_commit))
			return false;
	return true;
}

/* True when what is approved holds every fix commit of the branch. One made from another branch's fix alone stands for all of them: a
 * reviewer has judged it for this kernel. One that holds a part of the branch's is that part, whatever else it names. */
static bool is_covered(const struct db_livepatch *first, const struct db_livepatch *end, const char *target,
		       const Verdict *v)
{
	size_t met = 0;

	for (size_t i = 0; i < v->n_fix_commits; i++)
		for (const struct db_livepatch *l = first; l < end; l++)
			if (is_approved(l, target) && strcmp(l->fix_commit, v->fix_commits[i]) == 0) {
				met++;
				break;
			}
	if (v->n_fix_commits && met == v->n_fix_commits)
		return true;
	for (const struct db_livepatch *l = first; l < end; l++)
		if (is_approved(l, target) && is_of_another_branch(first, end, l->patch, v))
			return true;
	return false;
}

void db_livepatch_judge(const struct db_livepatches *known, struct arena *a, const char *cve_id, Verdict *v)
{
	const struct db_livepatch key = { .cve_id = cve_id }, *first, *end, *best = NULL;
	const char *target;
	bool covered;

	if (known->n == 0 || !(first = bsearch(&key, known->items, known->n, sizeof(key), by_cve)))
		return;
	while (first > known->items && strcmp(first[-1].cve_id, cve_id) == 0)
		first--;
	for (end = first; end < known->items + known->n && strcmp(end->cve_id, cve_id) == 0;)
		end++;
	target = patch_target(a, v->config, v->version);
	covered = is_covered(first, end, target, v);
	for (const struct db_livepatch *l = first; l < end; l++)
		if (strcmp(l->target, target) == 0 && (l->state == PATCH_STATE__APPROVED) == covered &&
		    (!best || l->patch > best->patch))
			best = l;
	if (!best)
		return;
	v->has_livepatch = v->has_livepatch_id = true;
	v->livepatch = (PatchState)best->state;
	v->livepatch_id = best->patch;
}
