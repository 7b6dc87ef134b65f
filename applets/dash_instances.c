/* Owns the view of a CVE's instances: each with the diff of its fix, and the editing of one's own patch. Refuses to touch what a user has
 * edited: a fresh start sets the old file aside, and is asked for. */
#include "applets/dash_pages.h"

#include "lib/err.h"
#include "lib/kver.h"
#include "lib/str.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PANE_LIST, PANE_DIFF };
enum { ASK_HOW = 1 };
enum { HOW_GO_ON, HOW_COMPARE, HOW_FRESH };
enum { COL_MINE, COL_TITLE, COL_INTRODUCED, COL_FIXED };

#define PATCH_MOST (64u << 20)

struct instances {
	struct dash_data *data;
	struct arena *arena;
	Cve *cve;
	const char *start; /* title to begin with */
	bool edit;         /* once its patch is there */
	uint32_t patch_request, check_request, diff_request;
	char *title; /* of the instance whose patch this is */
	struct buf raw;
	char *subject, *commit, *why; /* of the fix; why there is no patch */
	bool there;                   /* the raw patch is whole */
	char *path;                   /* of the file that is edited */
	struct buf diff;
};

/* ---- Instances */

static size_t count(const void *data)
{
	return ((const struct instances *)data)->cve->n_instances;
}

/* Titles come from the server: one that is no plain name gets no file. NULL then. */
static char *patch_path(const struct instances *p, const char *title)
{
	if (!title || *title == '.' || !*title || strlen(title) > 200 ||
	    title[strspn(title, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")])
		return NULL;
	return xasprintf("%s/%s.patch", p->data->patches, title);
}

static bool have_own(const struct instances *p, const char *title)
{
	char *path = patch_path(p, title);
	bool there = path && access(path, F_OK) == 0;

	free(path);
	return there;
}

static void cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct instances *p = data;
	const CveInstance *i = p->cve->instances[row];

	if (column == COL_MINE) {
		buf_adds(&out->text, have_own(p, i->title) ? "own" : "");
		out->style = ST_GOOD;
	} else if (column == COL_TITLE) {
		buf_adds(&out->text, i->title ? i->title : "?");
	} else if (column == COL_INTRODUCED && !i->introduced) {
		buf_adds(&out->text, "always");
	} else if (column == COL_INTRODUCED) {
		kver_print(&out->text, i->introduced);
	} else if (i->fixed) {
		kver_print(&out->text, i->fixed);
	} else {
		buf_adds(&out->text, "no fix");
		out->style = ST_WARNING;
	}
}

static const struct dash_column columns[] = {
	[COL_MINE] = { .title = "", .width = 4, .drop = 2 },
	[COL_TITLE] = { .title = "Instance", .width = 30, .share = 1 },
	[COL_INTRODUCED] = { .title = "Introduced", .width = 11, .drop = 1 },
	[COL_FIXED] = { .title = "Fixed", .width = 11 },
};

static const struct dash_rows rows = {
	.columns = columns,
	.n_columns = ARRAY_LEN(columns),
	.count = count,
	.cell = cell,
};

static void diff_text(const void *data, struct dash_text *out)
{
	const struct instances *p = data;

	if (!p->there)
		return;
	dash_text_field(out, "Commit", ST_PLAIN, "%s", p->commit ? p->commit : "?");
	if (p->subject)
		dash_text_field(out, "Subject", ST_PLAIN, "%s", p->subject);
	dash_text_add(out, ST_PLAIN, "%s", "");
	if (p->why)
		dash_text_add(out, ST_WARNING, "%s", p->why);
	else if (p->raw.len == 0)
		dash_text_add(out, ST_DIM, "the commit changes nothing");
	else
		dash_text_diff(out, p->raw.data, p->raw.len);
}

static void moved(struct dash *d, void *data, unsigned pane, size_t row)
{
	struct instances *p = data;
	FetchPatchRequest q = FETCH_PATCH_REQUEST__INIT;

	if (pane != PANE_LIST || row == DASH_NO_ROW)
		return;
	dash_cancel(d, p->patch_request);
	p->patch_request = 0;
	p->there = false;
	buf_reset(&p->raw);
	dash_keep(&p->title, p->cve->instances[row]->title);
	dash_keep(&p->why, NULL);
	dash_fresh(d, PANE_DIFF);
	if (!p->title || str_ends(p->title, "-nofix")) {
		dash_set_message(d, PANE_DIFF, ST_WARNING, "nobody has fixed this yet");
		return;
	}
	dash_set_message(d, PANE_DIFF, ST_DIM, "loading...");
	q.title = p->title;
	p->patch_request = dash_call(d, RPC_FETCH_PATCH, &q.base);
}

static void opened(struct dash *d, void *data)
{
	struct instances *p = data;

	for (size_t i = 0; p->start && i < p->cve->n_instances; i++)
		if (p->cve->instances[i]->title && strcmp(p->cve->instances[i]->title, p->start) == 0)
			dash_goto(d, PANE_LIST, i);
}

/* ---- Editing */

static void run_editor(struct dash *d, struct instances *p)
{
	struct arena *a = arena_new(0);

	dash_run(d, 0, dash_editor(a, p->path));
	arena_free(a);
}

static void write_and_edit(struct dash *d, struct instances *p)
{
	if (dash_write_new(p->path, buf_str(&p->raw), p->raw.len)) {
		dash_alert(d, ST_ERROR, "%s", err_text());
		return;
	}
	dash_changed(d, PANE_LIST);
	run_editor(d, p);
}

/* True where the user has changed nothing in it. */
static bool is_raw(const struct instances *p)
{
	struct buf own = { 0 };
	bool same = !buf_read_file(&own, p->path, PATCH_MOST) && own.len == p->raw.len &&
		    memcmp(buf_str(&own), buf_str(&p->raw), own.len) == 0;

	buf_free(&own);
	return same;
}

static const char *const hows[] = {
	[HOW_GO_ON] = "go on with your patch",
	[HOW_COMPARE] = "see what you changed in the upstream fix",
	[HOW_FRESH] = "start afresh from the upstream fix (yours is kept as .bak)",
};

static void edit(struct dash *d, struct instances *p)
{
	if (!p->there || p->why) {
		dash_alert(d, ST_WARNING, "%s",
			   p->why             ? p->why
			   : p->patch_request ? "the upstream fix is not here yet"
					      : "nobody has fixed this yet: there is no patch to edit");
		return;
	}
	free(p->path);
	p->path = patch_path(p, p->title);
	if (!p->path)
		dash_alert(d, ST_ERROR, "the instance's name cannot be that of a file");
	else if (access(p->path, F_OK) != 0)
		write_and_edit(d, p);
	else if (is_raw(p))
		run_editor(d, p);
	else
		dash_choose(d, ASK_HOW, "You have edited this patch before", hows, ARRAY_LEN(hows), HOW_GO_ON);
}

static void compare(struct dash *d, struct instances *p)
{
	struct buf message = { 0 };

	buf_add(&message, p->path, strlen(p->path) + 1);
	buf_add(&message, buf_str(&p->raw), p->raw.len);
	buf_reset(&p->diff);
	p->diff_request = dash_local(d, LOCAL_DIFF, message.data, message.len);
	buf_free(&message);
}

static void fresh(struct dash *d, struct instances *p)
{
	char aside[DASH_BACKUP];

	if (dash_set_aside(p->path, aside)) {
		dash_alert(d, ST_ERROR, "%s", err_text());
		return;
	}
	dash_alert(d, ST_GOOD, "yours is kept as %s", aside);
	write_and_edit(d, p);
}

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct instances *p = data;

	if (!said->yes || said->tag != ASK_HOW)
		return;
	if (said->choice == HOW_COMPARE)
		compare(d, p);
	else if (said->choice == HOW_FRESH)
		fresh(d, p);
	else
		run_editor(d, p);
}

static void editor_ended(struct dash *d, struct instances *p, const struct dash_answer *a)
{
	if (a->state == DASH_FAILED)
		dash_alert(d, ST_ERROR, "%s; $VISUAL or $EDITOR names another editor", a->text);
	else if (WIFSIGNALED(a->status))
		dash_alert(d, ST_ERROR, "the editor was ended by signal %d; what it has written is in %s",
			   WTERMSIG(a->status), p->path);
	else if (WEXITSTATUS(a->status))
		dash_alert(d, ST_ERROR, "the editor ended with %d; what it has written is in %s", WEXITSTATUS(a->status),
			   p->path);
	else
		p->check_request = dash_local(d, LOCAL_CHECK, p->path, strlen(p->path) + 1);
}

/* ---- Answers */

static const char *why_not(FixState state)
{
	static const char *const words[] = {
		[FIX_STATE__FIX_MISSING] = "the server's clone of the kernel does not have this commit",
		[FIX_STATE__FIX_ROOT] = "the commit has no parent to differ from",
		[FIX_STATE__FIX_MERGE] = "the commit is a merge: it has several parents",
	};

	return state > 0 && state < ARRAY_LEN(words) ? words[state] : NULL;
}

static void patch_answered(struct dash *d, struct instances *p, const struct dash_answer *a)
{
	const PatchChunk *c = a->message;

	if (a->state == DASH_FAILED) {
		p->patch_request = 0;
		p->edit = false;
		dash_set_message(d, PANE_DIFF, ST_ERROR, a->text);
		return;
	}
	if (a->state == DASH_MORE) {
		if (c && c->has_state) {
			char *subject = c->has_subject ? xasprintf("%.*s", (int)c->subject.len, (char *)c->subject.data)
						       : NULL;

			dash_keep(&p->commit, c->fix_commit);
			dash_keep(&p->subject, subject);
			dash_keep(&p->why, why_not(c->state));
			free(subject);
		}
		if (c && c->has_raw && p->raw.len + c->raw.len <= PATCH_MOST)
			buf_add(&p->raw, c->raw.data, c->raw.len);
		return;
	}
	p->patch_request = 0;
	p->there = true;
	dash_set_message(d, PANE_DIFF, 0, NULL);
	dash_fresh(d, PANE_DIFF);
	if (p->edit)
		edit(d, p);
	p->edit = false;
}

static void diff_answered(struct dash *d, struct instances *p, const struct dash_answer *a)
{
	const struct dash_bytes *bytes = a->message;
	struct dash_text *t;

	if (a->state == DASH_FAILED) {
		dash_alert(d, ST_ERROR, "%s", a->text);
	} else if (a->state == DASH_MORE) {
		buf_add(&p->diff, bytes->data, bytes->n);
	} else {
		t = dash_show_text(d, "Yours, and what it has in place of the upstream fix");
		dash_text_diff(t, buf_str(&p->diff), p->diff.len);
		if (p->diff.len == 0)
			dash_text_add(t, ST_DIM, "nothing differs");
	}
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct instances *p = data;

	if (r->kind == DASH_RUN)
		editor_ended(d, p, a);
	else if (r->id == p->patch_request)
		patch_answered(d, p, a);
	else if (r->id == p->diff_request)
		diff_answered(d, p, a);
	else if (r->id == p->check_request && a->state == DASH_FAILED)
		dash_alert(d, ST_ERROR, "your patch is broken: %s", a->text);
	else if (r->id == p->check_request && a->state == DASH_DONE)
		dash_alert(d, ST_GOOD, "%.*s: %s", (int)((const struct dash_bytes *)a->message)->n,
			   ((const struct dash_bytes *)a->message)->data, p->path);
}

static void told(struct dash *d, void *data, unsigned news)
{
	struct instances *p = data;

	if (news == NEWS_CONNECTED && !p->there && !p->patch_request)
		moved(d, p, PANE_LIST, dash_row(d, PANE_LIST));
}

static void act(struct dash *d, void *data, unsigned action)
{
	struct instances *p = data;

	if (action == ACT_EDIT)
		edit(d, p);
	else if (action == ACT_SELECT)
		dash_set_focus(d, PANE_DIFF);
	else if (action == ACT_RELOAD)
		moved(d, p, PANE_LIST, dash_row(d, PANE_LIST));
}

/* ---- Life */

static void closed(struct dash *d, void *data)
{
	struct instances *p = data;
	char **texts[] = { &p->title, &p->subject, &p->commit, &p->why, &p->path };

	(void)d;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		dash_keep(texts[i], NULL);
	buf_free(&p->raw);
	buf_free(&p->diff);
	arena_free(p->arena);
	free(p);
}

static const struct dash_pane_def panes[] = {
	[PANE_LIST] = { .title = "Instances", .rows = &rows, .sort = DASH_UNSORTED, .empty = "no instance" },
	[PANE_DIFF] = { .title = "Upstream fix", .text = diff_text, .empty = "no instance chosen" },
};

static const unsigned actions[] = { ACT_SELECT, ACT_EDIT, ACT_RELOAD, ACT_NONE };

static const struct dash_page page = {
	.title = "Instances",
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

void dash_open_instances(struct dash *d, struct dash_data *data, const Cve *cve, const char *title, bool then_edit)
{
	struct instances *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->arena = arena_new(0);
	p->cve = pb_copy(p->arena, &cve->base);
	p->start = title ? arena_strdup(p->arena, title) : NULL;
	p->edit = then_edit;
	dash_push(d, &page, p);
}
