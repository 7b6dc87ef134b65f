/* Owns the pane with the last approved revision of a livepatch: which one that is, and how it comes. Refuses to ask twice for what it has: what
 * was approved does not change. */
#include "applets/dash_approved.h"

#include "applets/dash_check.h"
#include "applets/words.h"
#include "lib/err.h"

#include <stdlib.h>

void dash_approved_free(struct dash_approved *a)
{
	arena_free(a->arena);
	free(a->commit);
	free(a->candidates);
}

/* ---- Which one */

/* The last opinion on a revision counts: what was approved too early may have been rejected since. */
static bool is_approved(const PatchRecord *r, uint32_t revision)
{
	for (size_t i = r->n_opinions; i-- > 0;)
		if (r->opinions[i]->revision == revision)
			return r->opinions[i]->kind == REVIEW_KIND__APPROVE;
	return false;
}

/* 0 where there is none, as of a livepatch that was withdrawn. */
static uint32_t last_approved(const PatchRecord *r)
{
	uint32_t last = 0;

	for (size_t i = 0; i < r->n_revisions && r->state != PATCH_STATE__WITHDRAWN; i++)
		if (r->revisions[i]->revision > last && is_approved(r, r->revisions[i]->revision))
			last = r->revisions[i]->revision;
	return last;
}

static const PatchRevision *body_in(const PatchRecord *r, uint32_t revision)
{
	for (size_t i = 0; r && i < r->n_revisions; i++)
		if (r->revisions[i]->revision == revision && r->revisions[i]->has_body)
			return r->revisions[i];
	return NULL;
}

/* ---- Showing it */

static void hide(struct dash *d, struct dash_approved *a)
{
	dash_cancel(d, a->request);
	a->request = 0;
	a->patch = 0;
	a->revision = 0;
	a->body = NULL;
	dash_hide(d, a->pane, true);
}

static void take_body(struct dash *d, struct dash_approved *a, const PatchRevision *v)
{
	a->arena = a->arena ? a->arena : arena_new(0);
	arena_reset(a->arena);
	a->body = pb_copy(a->arena, &v->base);
	dash_set_message(d, a->pane, ST_DIM, "empty");
	dash_fresh(d, a->pane);
}

static void ask_body(struct dash *d, struct dash_approved *a)
{
	FetchPatchRecordRequest q = FETCH_PATCH_RECORD_REQUEST__INIT;

	dash_set_message(d, a->pane, ST_DIM, "loading...");
	dash_fresh(d, a->pane);
	q.has_patch = q.has_revision = true;
	q.patch = a->patch;
	q.revision = a->revision;
	a->request = dash_call(d, RPC_FETCH_PATCH_RECORD, &q.base);
}

static void show(struct dash *d, struct dash_approved *a, const PatchRecord *r, uint32_t revision, const char *title)
{
	const PatchRevision *v = body_in(r, revision);
	bool same = a->patch == r->patch && a->revision == revision;

	dash_hide(d, a->pane, false);
	dash_set_title(d, a->pane, title);
	if (same && (a->body || a->request))
		return;
	hide(d, a);
	dash_hide(d, a->pane, false);
	a->patch = r->patch;
	a->revision = revision;
	if (v)
		take_body(d, a, v);
	else
		ask_body(d, a);
}

void dash_approved_beside(struct dash *d, struct dash_approved *a, const PatchRecord *r)
{
	uint32_t last = last_approved(r);
	char *title;

	if (last == 0 || last == r->revision) {
		hide(d, a);
		return;
	}
	title = xasprintf("Approved: revision %u", last);
	show(d, a, r, last, title);
	free(title);
}

static void body_answered(struct dash *d, struct dash_approved *a, const struct dash_answer *answer)
{
	const PatchRevision *v = body_in(answer->message, a->revision);

	a->request = 0;
	if (v)
		take_body(d, a, v);
	else
		dash_set_message(d, a->pane, ST_ERROR,
				 answer->text ? answer->text : "the revision came without its contents");
}

/* ---- Finding the livepatch */

static void forget_candidates(struct dash *d, struct dash_approved *a)
{
	dash_cancel(d, a->list_request);
	dash_cancel(d, a->record_request);
	a->list_request = a->record_request = 0;
	a->n = a->at = 0;
}

void dash_approved_find(struct dash *d, struct dash_approved *a, const char *cve_id, const char *commit,
			const Verdict *kernel)
{
	FetchPatchesRequest q = FETCH_PATCHES_REQUEST__INIT;

	forget_candidates(d, a);
	dash_keep(&a->commit, commit);
	q.cve_id = cve_id;
	q.config = kernel ? kernel->config : NULL;
	q.version = kernel && !kernel->config ? kernel->version : NULL;
	a->list_request = dash_call(d, RPC_FETCH_PATCHES, &q.base);
}

static void note_candidate(struct dash_approved *a, const PatchRecord *r)
{
	for (size_t i = 0; a->commit && i < r->n_fix_commits; i++)
		if (strcmp(r->fix_commits[i], a->commit) == 0) {
			a->candidates = xrealloc(a->candidates, (a->n + 1) * sizeof(*a->candidates));
			a->candidates[a->n++] = r->patch;
			return;
		}
}

static void ask_candidate(struct dash *d, struct dash_approved *a)
{
	FetchPatchRecordRequest q = FETCH_PATCH_RECORD_REQUEST__INIT;

	if (a->at == a->n) {
		hide(d, a);
		return;
	}
	q.has_patch = true;
	q.patch = a->candidates[a->at++];
	a->record_request = dash_call(d, RPC_FETCH_PATCH_RECORD, &q.base);
}

static void candidate_answered(struct dash *d, struct dash_approved *a, const PatchRecord *r)
{
	uint32_t last = last_approved(r);
	struct arena *arena;

	if (last == 0) {
		ask_candidate(d, a);
		return;
	}
	arena = arena_new(0);
	show(d, a, r, last,
	     arena_printf(arena, "Approved: revision %u for %s", last, target_word(arena, r->config, r->version)));
	arena_free(arena);
}

/* What was found before stays, whatever goes wrong: without a connection, that comes back by itself. */
static void find_answered(struct dash *d, struct dash_approved *a, const struct dash_request *r,
			  const struct dash_answer *answer)
{
	if (answer->state == DASH_MORE) {
		if (answer->message)
			note_candidate(a, answer->message);
		return;
	}
	*(r->id == a->list_request ? &a->list_request : &a->record_request) = 0;
	if (answer->state == DASH_FAILED) {
		if (!dash_is_lost(answer))
			dash_alert(d, ST_ERROR, "%s", answer->text);
	} else if (r->kind == RPC_FETCH_PATCHES) {
		ask_candidate(d, a);
	} else if (answer->message) {
		candidate_answered(d, a, answer->message);
	}
}

/* ---- For the page */

void dash_approved_drop(struct dash *d, struct dash_approved *a)
{
	forget_candidates(d, a);
	hide(d, a);
}

bool dash_approved_answered(struct dash *d, struct dash_approved *a, const struct dash_request *r,
			    const struct dash_answer *answer)
{
	if (r->id == a->request)
		body_answered(d, a, answer);
	else if (r->id == a->list_request || r->id == a->record_request)
		find_answered(d, a, r, answer);
	else
		return false;
	return true;
}

void dash_approved_text(const struct dash_approved *a, struct dash_text *out)
{
	if (a->body)
		dash_check_diff(a->body->check, a->body->body, out);
}

void dash_approved_swap(struct dash *d, const struct dash_approved *a)
{
	if (dash_swap(d))
		return;
	dash_alert(d, ST_WARNING, "%s",
		   a->revision ? "both are on the screen" : "there is no approved revision to show beside this");
}
