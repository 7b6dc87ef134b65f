/* Owns the page of livepatches: the list as the server has it, and which of it is shown. Refuses to lose what is on the screen: a list that comes
 * anew takes its place when it is whole. */
#include "applets/dash_pages.h"

#include "applets/dash_check.h"
#include "applets/words.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/patch_state.h"

#include <stdlib.h>

enum { PANE_LIST, PANE_DETAILS };
enum { ASK_SHOW = 1 }; /* popups */
enum { COL_ID, COL_CVE, COL_TARGET, COL_STATE, COL_REVISION, COL_AUTHOR, COL_APPLIES, COL_LINT };
enum { SHOW_ALL, SHOW_MINE, SHOW_TO_REVIEW, SHOW_APPROVED };

#define ROWS_A_TICK 100 /* a list with so many more is asked for a tick less often */

struct patches {
	struct dash_data *data;
	struct arena *arena, *coming_arena;
	PatchList *now, *coming; /* now NULL: not known yet; coming NULL: none is under way */
	uint32_t request;
	bool again;   /* it changed while it came */
	size_t ticks; /* since it was asked for */
	size_t row;   /* with the cursor */
	unsigned show;
};

/* ---- Rows */

static size_t count(const void *data)
{
	const struct patches *p = data;

	return p->now ? p->now->n_patches : 0;
}

static const PatchRecord *record_of(const struct patches *p, size_t row)
{
	return p->now && row < p->now->n_patches ? p->now->patches[row] : NULL;
}

static unsigned state_style(PatchState state)
{
	return state == PATCH_STATE__APPROVED    ? ST_GOOD
	       : state == PATCH_STATE__SUBMITTED ? ST_WARNING
	       : state == PATCH_STATE__REJECTED  ? ST_ERROR
						 : ST_DIM;
}

static unsigned lint_style(const PatchRecord *r)
{
	return r->blocks ? ST_ERROR : r->warns ? ST_WARNING : ST_PLAIN;
}

static void cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const PatchRecord *r = record_of(data, row);

	out->style = column == COL_STATE     ? state_style(r->state)
		     : column == COL_APPLIES ? dash_apply_style(r->has_apply, r->apply)
		     : column == COL_LINT    ? lint_style(r)
					     : ST_PLAIN;
	if (column == COL_ID) {
		buf_printf(&out->text, "%llu", (unsigned long long)r->patch);
	} else if (column == COL_CVE) {
		buf_adds(&out->text, r->cve_id ? r->cve_id : "?");
	} else if (column == COL_TARGET) {
		if (r->config)
			buf_printf(&out->text, "%s ", r->config);
		kver_print(&out->text, r->version);
	} else if (column == COL_STATE) {
		buf_adds(&out->text, patch_state_word((int)r->state));
	} else if (column == COL_REVISION) {
		buf_printf(&out->text, "%u", r->revision);
	} else if (column == COL_AUTHOR) {
		buf_adds(&out->text, r->author ? r->author : "?");
	} else if (column == COL_APPLIES) {
		buf_adds(&out->text, dash_apply_word(r->has_apply, r->apply));
	} else {
		buf_printf(&out->text, "%u/%u/%u", r->blocks, r->warns, r->reviews);
	}
}

static uint64_t id_of(const void *data, size_t row)
{
	return record_of(data, row)->patch;
}

static uint64_t version_key(const KernelVersion *v)
{
	return !v ? 0 : (uint64_t)v->major << 40 | (uint64_t)v->minor << 24 | (v->stable + v->patch);
}

static uint64_t sort_key(const void *data, size_t row, size_t column)
{
	const PatchRecord *r = record_of(data, row);
	const uint64_t keys[] = {
		[COL_ID] = r->patch,
		[COL_CVE] = r->cve_id ? cve_key(r->cve_id, strlen(r->cve_id)) : 0,
		[COL_TARGET] = r->config ? UINT64_MAX : version_key(r->version),
		[COL_STATE] = r->state,
		[COL_REVISION] = r->revision,
		[COL_AUTHOR] = 0,
		[COL_APPLIES] = r->has_apply ? r->apply : 0,
		[COL_LINT] = (uint64_t)r->blocks << 40 | (uint64_t)r->warns << 20 | r->reviews,
	};

	return keys[column];
}

static int compare(const void *data, size_t a, size_t b, size_t column)
{
	const PatchRecord *x = record_of(data, a), *y = record_of(data, b);
	const char *const texts[2][2] = { { x->config ? x->config : "", y->config ? y->config : "" },
					  { x->author ? x->author : "", y->author ? y->author : "" } };
	const char *const *t = texts[column == COL_AUTHOR];

	return column != COL_AUTHOR && column != COL_TARGET ? 0 : strcmp(t[0], t[1]);
}

/* Over plain loopback nobody is told apart, and all that is there may be to review. */
static bool is_mine(const struct patches *p, const PatchRecord *r)
{
	return p->data->you && r->author && strcmp(p->data->you, r->author) == 0;
}

static bool is_to_review(const struct patches *p, const PatchRecord *r)
{
	bool told_apart = !p->data->you || strcmp(p->data->you, "local") != 0;

	return r->state == PATCH_STATE__SUBMITTED && !(told_apart && is_mine(p, r));
}

static bool shown(const void *data, size_t row)
{
	const struct patches *p = data;
	const PatchRecord *r = record_of(p, row);

	return p->show == SHOW_MINE        ? is_mine(p, r)
	       : p->show == SHOW_TO_REVIEW ? is_to_review(p, r)
	       : p->show == SHOW_APPROVED  ? r->state == PATCH_STATE__APPROVED
					   : true;
}

static const struct dash_column columns[] = {
	[COL_ID] = { .title = "ID", .width = 4, .right = true, .reverse = true },
	[COL_CVE] = { .title = "CVE", .width = 14, .reverse = true },
	[COL_TARGET] = { .title = "For", .width = 13, .share = 2 },
	[COL_STATE] = { .title = "State", .width = 9 },
	[COL_REVISION] = { .title = "Rev", .width = 3, .right = true, .reverse = true, .drop = 4 },
	[COL_AUTHOR] = { .title = "Author", .width = 8, .share = 1, .drop = 3 },
	[COL_APPLIES] = { .title = "Applies", .width = 8, .share = 1, .drop = 1 },
	[COL_LINT] = { .title = "Lint", .width = 5, .reverse = true, .drop = 2 },
};

static const struct dash_rows rows = {
	.columns = columns,
	.n_columns = ARRAY_LEN(columns),
	.count = count,
	.cell = cell,
	.sort_key = sort_key,
	.compare = compare,
	.id = id_of,
	.shown = shown,
};

/* ---- Details */

static void record_text(const struct patches *p, const PatchRecord *r, struct dash_text *out)
{
	struct arena *a = arena_new(0);
	char age[DASH_AGE];

	dash_text_field(out, "Made from", ST_PLAIN, "%s", r->title ? r->title : "?");
	dash_text_field(out, "For", ST_PLAIN, "%s", target_word(a, r->config, r->version));
	dash_text_field(out, "State", state_style(r->state), "%s, %u approval%s%s", patch_state_word((int)r->state),
			r->approvals, r->approvals == 1 ? "" : "s", r->self_reviewed ? ", by self-review" : "");
	dash_text_field(out, "Revision", ST_PLAIN, "%u, by %s, %s ago", r->revision, r->author ? r->author : "?",
			dash_age(p->data, age, r->submitted_at));
	dash_text_field(out, "Applies", dash_apply_style(r->has_apply, r->apply), "%s",
			dash_apply_word(r->has_apply, r->apply));
	dash_text_field(out, "Lint", lint_style(r), "%u block, %u warn, %u ask the reviewer", r->blocks, r->warns,
			r->reviews);
	for (size_t i = 0; i < r->n_fix_commits; i++)
		dash_text_field(out, "Fix commit", ST_PLAIN, "%s", r->fix_commits[i]);
	dash_text_field(out, "SHA-256", ST_PLAIN, "%s", r->sha256 ? r->sha256 : "?");
	arena_free(a);
}

static void details_text(const void *data, struct dash_text *out)
{
	const struct patches *p = data;
	const PatchRecord *r = record_of(p, p->row);

	if (r)
		record_text(p, r, out);
}

static void moved(struct dash *d, void *data, unsigned pane, size_t row)
{
	struct patches *p = data;

	if (pane != PANE_LIST)
		return;
	p->row = row;
	dash_fresh(d, PANE_DETAILS);
}

/* ---- Asking */

static void drop_coming(struct patches *p)
{
	arena_free(p->coming_arena);
	p->coming_arena = NULL;
	p->coming = NULL;
}

static void ask(struct dash *d, struct patches *p)
{
	FetchPatchesRequest q = FETCH_PATCHES_REQUEST__INIT;

	p->ticks = 0;
	p->again = p->request != 0;
	if (p->request)
		return;
	drop_coming(p);
	p->coming_arena = arena_new(0);
	p->coming = pb_new(p->coming_arena, &patch_list__descriptor);
	p->request = dash_call(d, RPC_FETCH_PATCHES, &q.base);
}

static void show_title(struct dash *d, const struct patches *p)
{
	static const char *const titles[] = {
		[SHOW_ALL] = "Livepatches",
		[SHOW_MINE] = "Livepatches | mine",
		[SHOW_TO_REVIEW] = "Livepatches | to review",
		[SHOW_APPROVED] = "Livepatches | approved",
	};

	dash_set_title(d, PANE_LIST, titles[p->show]);
}

static void show_message(struct dash *d, const struct patches *p)
{
	const char *text = "nobody has handed in a livepatch yet: on tab 1, e edits a fix, and i hands it in";

	if (!p->now)
		text = "loading...";
	else if (p->now->n_patches)
		text = p->show ? "none of these: o shows others" : "none passes f (filter)";
	dash_set_message(d, PANE_LIST, ST_DIM, text);
}

static void opened(struct dash *d, void *data)
{
	struct patches *p = data;

	show_title(d, p);
	show_message(d, p);
	ask(d, p);
}

/* ---- Answers */

static void list_whole(struct dash *d, struct patches *p)
{
	bool first = !p->now, other = first || !pb_equal(&p->now->base, &p->coming->base);

	if (other) {
		arena_free(p->arena);
		p->arena = p->coming_arena;
		p->now = p->coming;
		p->coming_arena = NULL;
		dash_changed(d, PANE_LIST);
		dash_changed(d, PANE_DETAILS);
	}
	drop_coming(p);
	show_message(d, p);
	if (other && !first)
		dash_tell(d, NEWS_PATCHES);
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct patches *p = data;

	if (r->id != p->request)
		return;
	if (a->state == DASH_MORE) {
		if (a->message)
			PB_ADD_MSG(p->coming_arena, p->coming, patches, pb_copy(p->coming_arena, a->message));
		return;
	}
	p->request = 0;
	if (a->state == DASH_DONE)
		list_whole(d, p);
	else
		dash_set_message(d, PANE_LIST, ST_ERROR, a->text);
	if (p->again && a->state == DASH_DONE)
		ask(d, p);
}

static void told(struct dash *d, void *data, unsigned news)
{
	struct patches *p = data;
	bool due = news == NEWS_TICK && !p->request && ++p->ticks > count(p) / ROWS_A_TICK;

	if (news == NEWS_CONNECTED || news == NEWS_PATCHES || due)
		ask(d, p);
}

/* ---- What a person chooses */

static const char *const shows[] = {
	[SHOW_ALL] = "all",
	[SHOW_MINE] = "mine: whose newest revision is yours",
	[SHOW_TO_REVIEW] = "to review: submitted, and not by you",
	[SHOW_APPROVED] = "approved",
};

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct patches *p = data;

	if (!said->yes || said->choice >= ARRAY_LEN(shows))
		return;
	p->show = (unsigned)said->choice;
	show_title(d, p);
	show_message(d, p);
	dash_changed(d, PANE_LIST);
}

static void act(struct dash *d, void *data, unsigned action)
{
	struct patches *p = data;
	const PatchRecord *r = record_of(p, dash_row(d, PANE_LIST));

	if (action == ACT_SHOW)
		dash_choose(d, ASK_SHOW, "Show", shows, ARRAY_LEN(shows), p->show);
	else if (action == ACT_RELOAD)
		ask(d, p);
	else if (!r)
		dash_alert(d, ST_WARNING, "there is no livepatch");
	else
		dash_open_review(d, p->data, r->patch);
}

/* ---- Life */

void *dash_patches_new(struct dash_data *data)
{
	struct patches *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->row = DASH_NO_ROW;
	return p;
}

static void closed(struct dash *d, void *data)
{
	struct patches *p = data;

	(void)d;
	drop_coming(p);
	arena_free(p->arena);
	free(p);
}

static const struct dash_pane_def panes[] = {
	[PANE_LIST] = { .title = "Livepatches", .rows = &rows, .sort = COL_ID, .empty = "no livepatch" },
	[PANE_DETAILS] = { .title = "Details", .text = details_text, .wrap = true, .empty = "no livepatch chosen" },
};

static const unsigned actions[] = { ACT_SELECT, ACT_SHOW, ACT_RELOAD, ACT_NONE };

const struct dash_page dash_patches_page = {
	.title = "Patches",
	.panes = panes,
	.n_panes = ARRAY_LEN(panes),
	.actions = actions,
	.opened = opened,
	.moved = moved,
	.act = act,
	.answered = answered,
	.said = said_,
	.told = told,
	.closed = closed,
};
