/* Owns the review of a livepatch: the raw fix, what was approved last and the patch side by side, what the server found of it, its history, and
 * what a reviewer or its author decides. Refuses to send a decision that does not name what was shown. */
#include "applets/dash_pages.h"

#include "applets/dash_approved.h"
#include "applets/dash_check.h"
#include "applets/dash_fix.h"
#include "applets/words.h"
#include "lib/err.h"
#include "lib/patch_state.h"

#include <stdlib.h>

enum { PANE_CHECK, PANE_RAW, PANE_APPROVED, PANE_PATCH };
enum { ASK_UNCHECKED = 1, ASK_COMMENT, ASK_SURE, ASK_OTHER }; /* popups, the first three in their order */

#define COMPARED_MOST (FRAME_MOST - 4096u) /* bytes of two patches: they go to another process in one frame */
#define UNCHECKED_WORD "accept-unchecked"

/* What is being decided, of what was shown when it began. */
struct decision {
	enum patch_action action;
	uint32_t revision;
	char *sha256, *comment;
	bool unchecked; /* accepted by name that nothing was applied */
};

struct review {
	struct dash_data *data;
	uint64_t patch;
	struct arena *arena;
	PatchRecord *record; /* NULL: not here yet */
	uint32_t request, change_request;
	struct dash_fix fix;
	struct dash_approved approved;
	struct decision decision;
	uint32_t other_request, diff_request; /* to compare with */
	struct buf diff;
};

/* The revision whose patch came along; NULL where none did. */
static const PatchRevision *body_of(const PatchRecord *r)
{
	for (size_t i = 0; r && i < r->n_revisions; i++)
		if (r->revisions[i]->has_body)
			return r->revisions[i];
	return NULL;
}

/* The one that is shown. */
static const PatchRevision *newest(const struct review *p)
{
	return body_of(p->record);
}

/* ---- Texts */

static void add_quoted(struct dash_text *out, ProtobufCBinaryData text)
{
	if (text.len)
		dash_text_lines(out, ST_LABEL, (const char *)text.data, text.len);
}

static void add_state(const struct review *p, const PatchRevision *v, struct dash_text *out)
{
	const PatchRecord *r = p->record;
	char age[DASH_AGE];

	dash_text_field(out, "State", ST_HEADER, "%s, %u approval%s%s", patch_state_word((int)r->state), r->approvals,
			r->approvals == 1 ? "" : "s", r->self_reviewed ? ", by self-review" : "");
	dash_text_field(out, "Revision", ST_PLAIN, "%u, %llu bytes, by %s%s, %s ago", v->revision,
			(unsigned long long)v->size, v->author ? v->author : "?",
			v->nameless ? " (who is not told apart)" : "", dash_age(p->data, age, v->submitted_at));
	add_quoted(out, v->note);
}

static void add_history(const struct review *p, struct dash_text *out)
{
	const PatchRecord *r = p->record;
	char age[DASH_AGE];

	dash_text_add(out, ST_HEADER, "\nHistory");
	for (size_t i = 0; i < r->n_revisions; i++) {
		const PatchRevision *v = r->revisions[i];

		dash_text_add(out, ST_PLAIN, "Revision %u by %s, %s ago, SHA-256 %s", v->revision,
			      v->author ? v->author : "?", dash_age(p->data, age, v->submitted_at),
			      v->sha256 ? v->sha256 : "?");
		if (v != newest(p))
			add_quoted(out, v->note);
		for (size_t k = 0; k < r->n_opinions; k++) {
			const PatchReview *o = r->opinions[k];

			if (o->revision != v->revision)
				continue;
			dash_text_add(out, o->kind == REVIEW_KIND__APPROVE ? ST_GOOD : ST_ERROR, "  %s by %s, %s ago%s%s",
				      o->kind == REVIEW_KIND__APPROVE ? "approved" : "rejected",
				      o->reviewer ? o->reviewer : "?", dash_age(p->data, age, o->reviewed_at),
				      o->self_review ? "; self-review" : "", o->accepted_unchecked ? "; unchecked" : "");
			add_quoted(out, o->comment);
		}
	}
}

static void check_text(const void *data, struct dash_text *out)
{
	const struct review *p = data;
	const PatchRevision *v = newest(p);

	if (!v)
		return;
	add_state(p, v, out);
	if (v->check)
		dash_check_text(v->check, out);
	add_history(p, out);
	dash_text_add(out, ST_HEADER, "\nMore");
	dash_text_field(out, "Made from", ST_PLAIN, "%s", p->record->title ? p->record->title : "?");
	for (size_t i = 0; i < p->record->n_fix_commits; i++)
		dash_text_field(out, "Fix commit", ST_PLAIN, "%s", p->record->fix_commits[i]);
	if (v->check)
		dash_check_skipped(v->check, out);
}

static void raw_text(const void *data, struct dash_text *out)
{
	dash_fix_text(&((const struct review *)data)->fix, out);
}

static void approved_text(const void *data, struct dash_text *out)
{
	dash_approved_text(&((const struct review *)data)->approved, out);
}

static void patch_text(const void *data, struct dash_text *out)
{
	const PatchRevision *v = newest(data);

	if (v)
		dash_check_diff(v->check, v->body, out);
}

/* ---- Asking */

static void ask(struct dash *d, struct review *p)
{
	FetchPatchRecordRequest q = FETCH_PATCH_RECORD_REQUEST__INIT;

	if (p->request)
		return;
	q.has_patch = true;
	q.patch = p->patch;
	p->request = dash_call(d, RPC_FETCH_PATCH_RECORD, &q.base);
}

static void ask_fix(struct dash *d, struct review *p)
{
	bool asked = dash_fix_ask(d, &p->fix, p->record->title);

	dash_set_message(d, PANE_RAW, ST_DIM, asked ? "loading..." : "no fix");
}

/* In the panes that the record fills: what the one beside them says is its own affair. */
static void say(struct dash *d, unsigned style, const char *text)
{
	for (unsigned i = PANE_CHECK; i <= PANE_PATCH; i++)
		if (i != PANE_APPROVED)
			dash_set_message(d, i, style, text);
}

static void opened(struct dash *d, void *data)
{
	struct review *p = data;
	char *title = xasprintf("Patch %llu", (unsigned long long)p->patch);

	dash_set_title(d, PANE_CHECK, title);
	free(title);
	say(d, ST_DIM, "loading...");
	dash_approved_drop(d, &p->approved);
	ask(d, p);
}

static void show_titles(struct dash *d, const struct review *p)
{
	const PatchRecord *r = p->record;
	struct arena *a = arena_new(0);

	dash_set_title(d, PANE_CHECK,
		       arena_printf(a, "Patch %llu: %s for %s", (unsigned long long)r->patch, r->cve_id ? r->cve_id : "?",
				    target_word(a, r->config, r->version)));
	dash_set_title(d, PANE_PATCH, arena_printf(a, "Revision %u", r->revision));
	arena_free(a);
}

/* ---- Answers */

static void record_answered(struct dash *d, struct review *p, const struct dash_answer *a)
{
	uint32_t before = p->record ? p->record->revision : 0;

	p->request = 0;
	if (a->state != DASH_DONE || !a->message) {
		say(d, ST_DIM, "not here");
		dash_set_message(d, PANE_CHECK, ST_ERROR, a->text ? a->text : "the answer cannot be read");
		if (p->record && !dash_is_lost(a))
			dash_alert(d, ST_ERROR, "%s", a->text ? a->text : "the answer cannot be read");
		return;
	}
	arena_reset(p->arena);
	p->record = pb_copy(p->arena, a->message);
	say(d, 0, NULL);
	for (unsigned i = PANE_CHECK; i <= PANE_PATCH; i++)
		dash_changed(d, i);
	show_titles(d, p);
	dash_approved_beside(d, &p->approved, p->record);
	if (before && before != p->record->revision) {
		dash_fresh(d, PANE_PATCH);
		dash_alert(d, ST_WARNING, "revision %u has come, by %s", p->record->revision,
			   p->record->author ? p->record->author : "?");
	}
	if (!p->fix.there && !p->fix.request)
		ask_fix(d, p);
}

static void change_answered(struct dash *d, struct review *p, const struct dash_answer *a)
{
	const PatchRecord *r = a->message;

	p->change_request = 0;
	if (a->state == DASH_FAILED) {
		dash_alert(d, ST_ERROR, "%s", a->text);
		return;
	}
	if (r)
		dash_alert(d, ST_GOOD, "patch %llu: revision %u, %s, %u approval%s%s", (unsigned long long)r->patch,
			   r->revision, patch_state_word((int)r->state), r->approvals, r->approvals == 1 ? "" : "s",
			   r->self_reviewed ? ", by self-review" : "");
	dash_tell(d, NEWS_PATCHES);
}

static void told(struct dash *d, void *data, unsigned news)
{
	struct review *p = data;

	if (news == NEWS_CONNECTED || news == NEWS_PATCHES)
		ask(d, p);
}

/* ---- Comparing with the upstream fix or an earlier revision */

static void choose_other(struct dash *d, const struct review *p)
{
	size_t n = p->record ? p->record->n_revisions : 0;
	struct arena *a = arena_new(0);
	const char **items = arena_alloc(a, (n + 1) * sizeof(*items));

	items[0] = "the upstream fix";
	for (size_t i = 1; i < n; i++)
		items[i] = arena_printf(a, "revision %zu", i);
	if (n)
		dash_choose(d, ASK_OTHER, "What differs from", items, n, n - 1);
	arena_free(a);
}

static void compare_with(struct dash *d, struct review *p, const void *other, size_t n)
{
	const PatchRevision *v = newest(p);
	struct buf message = { 0 };

	if (!v || n + v->body.len > COMPARED_MOST) {
		dash_alert(d, ST_WARNING, "these are too large to be compared here; `tuxtape patch diff` does it");
		return;
	}
	buf_printf(&message, "%s.patch", p->record->title ? p->record->title : "livepatch");
	buf_addc(&message, '\0');
	buf_printf(&message, "%zu", n);
	buf_addc(&message, '\0');
	buf_add(&message, other, n);
	buf_add(&message, v->body.data, v->body.len);
	buf_reset(&p->diff);
	p->diff_request = dash_local(d, LOCAL_DIFF_TEXTS, message.data, message.len);
	buf_free(&message);
}

static void other_chosen(struct dash *d, struct review *p, size_t choice)
{
	FetchPatchRecordRequest q = FETCH_PATCH_RECORD_REQUEST__INIT;

	if (choice == 0 && !p->fix.there) {
		dash_alert(d, ST_WARNING, "the upstream fix is not here");
	} else if (choice == 0) {
		compare_with(d, p, buf_str(&p->fix.raw), p->fix.raw.len);
	} else {
		q.has_patch = q.has_revision = true;
		q.patch = p->patch;
		q.revision = (uint32_t)choice;
		p->other_request = dash_call(d, RPC_FETCH_PATCH_RECORD, &q.base);
	}
}

static void other_answered(struct dash *d, struct review *p, const struct dash_answer *a)
{
	const PatchRecord *r = a->message;
	const PatchRevision *other = body_of(r);

	p->other_request = 0;
	if (other)
		compare_with(d, p, other->body.data, other->body.len);
	else
		dash_alert(d, ST_ERROR, "%s", a->text ? a->text : "the revision came without its contents");
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct review *p = data;
	enum dash_fix_news news = dash_fix_answered(&p->fix, r, a);

	if (news == FIX_FAILED)
		dash_set_message(d, PANE_RAW, ST_ERROR, a->text);
	if (news == FIX_HERE)
		dash_fresh(d, PANE_RAW);
	if (dash_approved_answered(d, &p->approved, r, a))
		return;
	if (r->id == p->request)
		record_answered(d, p, a);
	else if (r->id == p->change_request)
		change_answered(d, p, a);
	else if (r->id == p->other_request)
		other_answered(d, p, a);
	else if (r->id == p->diff_request)
		dash_diff_answered(d, &p->diff, "This revision, and what it has in place of the other", a);
}

/* ---- Deciding */

static const struct {
	unsigned act;
	enum patch_action action;
	const char *title; /* of its question */
	const char *ask;   /* for the comment */
} decisions[] = {
	{ ACT_APPROVE, PATCH_APPROVE, "Approve", "Approve: what have you looked at?" },
	{ ACT_REJECT, PATCH_REJECT, "Reject", "Reject: why?" },
	{ ACT_WITHDRAW, PATCH_WITHDRAW, "Withdraw", "Withdraw: why? (may be empty)" },
};

static const char *title_of(const struct decision *c, bool ask)
{
	for (size_t i = 0; i < ARRAY_LEN(decisions); i++)
		if (decisions[i].action == c->action)
			return ask ? decisions[i].ask : decisions[i].title;
	return "";
}

static void drop_decision(struct decision *c)
{
	free(c->sha256);
	free(c->comment);
	*c = (struct decision){ 0 };
}

static void ask_unchecked(struct dash *d)
{
	dash_prompt(d, ASK_UNCHECKED, "The server applied it to no tree: type " UNCHECKED_WORD, "");
}

static void decide(struct dash *d, struct review *p, enum patch_action action)
{
	const PatchRevision *v = newest(p);
	struct decision *c = &p->decision;

	if (!v || !v->sha256) {
		dash_alert(d, ST_WARNING, "the patch is not here yet");
		return;
	}
	drop_decision(c);
	*c = (struct decision){ .action = action, .revision = v->revision, .sha256 = xstrdup(v->sha256) };
	if (action == PATCH_APPROVE && !p->record->has_apply)
		ask_unchecked(d);
	else
		dash_prompt(d, ASK_COMMENT, title_of(c, true), "");
}

static void unchecked_said(struct dash *d, struct review *p, const char *text)
{
	if (strcmp(text, UNCHECKED_WORD) != 0) {
		ask_unchecked(d);
		dash_alert(d, ST_ERROR, "'%s' is not %s; Esc leaves it", text, UNCHECKED_WORD);
		return;
	}
	p->decision.unchecked = true;
	dash_prompt(d, ASK_COMMENT, title_of(&p->decision, true), "");
}

static void comment_said(struct dash *d, struct review *p, const char *text)
{
	struct decision *c = &p->decision;
	char *question;

	if (!*text && c->action != PATCH_WITHDRAW) {
		dash_prompt(d, ASK_COMMENT, title_of(c, true), "");
		dash_alert(d, ST_ERROR, "a review says why, in a line; Esc leaves it");
		return;
	}
	dash_keep(&c->comment, text);
	question = xasprintf("%s revision %u of patch %llu?\n\nSHA-256\n%s\n%s%s%s", title_of(c, false), c->revision,
			     (unsigned long long)p->patch, c->sha256,
			     c->unchecked ? "\nNothing was applied: it is accepted unchecked.\n" : "", *text ? "\n" : "",
			     text);
	dash_confirm(d, ASK_SURE, title_of(c, false), question);
	free(question);
}

static void send(struct dash *d, struct review *p)
{
	const struct decision *c = &p->decision;
	ProtobufCBinaryData comment = { .data = (uint8_t *)c->comment, .len = strlen(c->comment) };
	WithdrawPatchRequest w = WITHDRAW_PATCH_REQUEST__INIT;
	ReviewPatchRequest q = REVIEW_PATCH_REQUEST__INIT;

	w.has_patch = q.has_patch = true;
	w.patch = q.patch = p->patch;
	w.has_comment = q.has_comment = true;
	w.comment = q.comment = comment;
	q.has_revision = q.has_kind = q.has_accept_unchecked = true;
	q.revision = c->revision;
	q.sha256 = c->sha256;
	q.kind = c->action == PATCH_APPROVE ? REVIEW_KIND__APPROVE : REVIEW_KIND__REJECT;
	q.accept_unchecked = c->unchecked;
	p->change_request = c->action == PATCH_WITHDRAW ? dash_call(d, RPC_WITHDRAW_PATCH, &w.base)
							: dash_call(d, RPC_REVIEW_PATCH, &q.base);
}

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct review *p = data;

	if (!said->yes)
		return;
	if (said->tag == ASK_UNCHECKED)
		unchecked_said(d, p, said->text);
	else if (said->tag == ASK_OTHER)
		other_chosen(d, p, said->choice);
	else if (said->tag == ASK_COMMENT)
		comment_said(d, p, said->text);
	else
		send(d, p);
}

static void act(struct dash *d, void *data, unsigned action)
{
	struct review *p = data;

	if (action == ACT_RELOAD)
		ask(d, p);
	if (action == ACT_COMPARE)
		choose_other(d, p);
	if (action == ACT_APPROVED)
		dash_approved_swap(d, &p->approved);
	for (size_t i = 0; i < ARRAY_LEN(decisions); i++)
		if (decisions[i].act == action)
			decide(d, p, decisions[i].action);
}

/* ---- Life */

static void closed(struct dash *d, void *data)
{
	struct review *p = data;

	(void)d;
	drop_decision(&p->decision);
	dash_fix_free(&p->fix);
	dash_approved_free(&p->approved);
	buf_free(&p->diff);
	arena_free(p->arena);
	free(p);
}

static const struct dash_pane_def panes[] = {
	[PANE_CHECK] = { .title = "Patch", .text = check_text, .wrap = true },
	[PANE_RAW] = { .title = "Upstream fix", .text = raw_text },
	[PANE_APPROVED] = { .title = "Approved", .text = approved_text, .shares = true },
	[PANE_PATCH] = { .title = "Livepatch", .text = patch_text },
};

static const unsigned actions[] = { ACT_APPROVE, ACT_REJECT, ACT_WITHDRAW, ACT_COMPARE, ACT_APPROVED, ACT_RELOAD, ACT_NONE };

static const struct dash_page page = {
	.title = "Review",
	.panes = panes,
	.n_panes = ARRAY_LEN(panes),
	.above = true,
	.actions = actions,
	.opened = opened,
	.act = act,
	.answered = answered,
	.said = said_,
	.told = told,
	.closed = closed,
};

void dash_open_review(struct dash *d, struct dash_data *data, uint64_t patch)
{
	struct review *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->patch = patch;
	p->arena = arena_new(0);
	p->approved.pane = PANE_APPROVED;
	dash_push(d, &page, p);
}
