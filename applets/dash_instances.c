/* Owns the view of a CVE's instances: each with the diff of its fix, and one's own patch beside it; and the editing of that. Refuses to touch what a user has
 * edited: a fresh start sets the old file aside, and is asked for. */
#include "applets/dash_pages.h"

#include "applets/dash_approved.h"
#include "applets/dash_check.h"
#include "applets/dash_fix.h"
#include "applets/dash_submit.h"
#include "applets/editor.h"
#include "applets/words.h"
#include "lib/err.h"
#include "lib/kver.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PANE_LIST, PANE_DIFF, PANE_APPROVED, PANE_OWN };
enum { ASK_HOW = 1, ASK_SUBMIT }; /* popups; the last stands for several */
enum { HOW_GO_ON, HOW_COMPARE, HOW_FRESH };
enum { COL_MINE, COL_TITLE, COL_INTRODUCED, COL_FIXED };

#define PATCH_MOST (64u << 20)
#define SHOWN_MOST (8u << 20) /* a server takes less */

struct instances {
	struct dash_data *data;
	struct arena *arena;
	Cve *cve;
	const char *start;     /* title to begin with */
	bool edit;             /* once its patch is there */
	const Verdict *kernel; /* that the CVE is looked at for; NULL: none */
	uint32_t config_request, check_request, diff_request;
	struct dash_fix fix;
	struct dash_approved approved;
	struct buf own; /* the user's patch, where it is no longer the fix */
	struct dash_submit submit;
	char *path; /* of the file that is edited */
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

/* True for those that decide for the kernel that is looked at. */
static bool decides(const struct instances *p, const char *title)
{
	for (size_t i = 0; title && p->kernel && i < p->kernel->n_titles; i++)
		if (strcmp(p->kernel->titles[i], title) == 0)
			return true;
	return false;
}

static void cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct instances *p = data;
	const CveInstance *i = p->cve->instances[row];

	if (column == COL_MINE) {
		buf_printf(&out->text, "%s %s", decides(p, i->title) ? "*" : " ", have_own(p, i->title) ? "own" : "");
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
	[COL_MINE] = { .title = "", .width = 5, .drop = 2 },
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
	dash_fix_text(&((const struct instances *)data)->fix, out);
}

static void approved_text(const void *data, struct dash_text *out)
{
	dash_approved_text(&((const struct instances *)data)->approved, out);
}

static void own_text(const void *data, struct dash_text *out)
{
	const struct instances *p = data;

	if (p->own.len)
		dash_text_diff(out, buf_str(&p->own), p->own.len);
}

/* ---- What the user made of a fix, beside it and what was approved for this kernel */

static void hide_own(struct dash *d, struct instances *p)
{
	dash_hide(d, PANE_OWN, true);
	dash_approved_drop(d, &p->approved);
}

/* True where there is a patch that is not the fix as it came. One that cannot be read is, and says why. */
static bool read_own(struct dash *d, struct instances *p)
{
	char *path = p->fix.there ? patch_path(p, p->fix.title) : NULL;
	bool there = path && access(path, F_OK) == 0;

	buf_reset(&p->own);
	dash_set_message(d, PANE_OWN, ST_DIM, "it is empty");
	if (there && buf_read_file(&p->own, path, SHOWN_MOST)) {
		buf_reset(&p->own);
		dash_set_message(d, PANE_OWN, ST_ERROR, err_text());
	}
	free(path);
	return there && !(p->own.len == p->fix.raw.len && memcmp(buf_str(&p->own), buf_str(&p->fix.raw), p->own.len) == 0);
}

static void show_own(struct dash *d, struct instances *p)
{
	if (!read_own(d, p)) {
		hide_own(d, p);
		return;
	}
	dash_hide(d, PANE_OWN, false);
	dash_changed(d, PANE_OWN);
	dash_approved_find(d, &p->approved, p->cve->id, p->fix.commit, p->kernel);
}

static bool title_is(const struct instances *p, size_t row, const char *title)
{
	return p->cve->instances[row]->title && strcmp(p->cve->instances[row]->title, title) == 0;
}

static void moved(struct dash *d, void *data, unsigned pane, size_t row)
{
	struct instances *p = data;
	bool asked;

	if (pane != PANE_LIST || row == DASH_NO_ROW)
		return;
	if (!p->fix.title || !title_is(p, row, p->fix.title)) {
		hide_own(d, p);
		dash_fresh(d, PANE_OWN);
	}
	asked = dash_fix_ask(d, &p->fix, p->cve->instances[row]->title);
	dash_fresh(d, PANE_DIFF);
	dash_set_message(d, PANE_DIFF, asked ? ST_DIM : ST_WARNING, asked ? "loading..." : "nobody has fixed this yet");
}

static void opened(struct dash *d, void *data)
{
	struct instances *p = data;

	hide_own(d, p);
	for (size_t i = 0; p->start && i < p->cve->n_instances; i++)
		if (title_is(p, i, p->start))
			dash_goto(d, PANE_LIST, i);
}

/* ---- Editing */

static void run_editor(struct dash *d, struct instances *p)
{
	struct arena *a = arena_new(0);

	dash_run(d, 0, editor_argv(a, p->path));
	arena_free(a);
}

static bool write_raw(struct dash *d, const struct instances *p)
{
	if (dash_write_new(p->path, buf_str(&p->fix.raw), p->fix.raw.len)) {
		dash_alert(d, ST_ERROR, "%s", err_text());
		return false;
	}
	dash_changed(d, PANE_LIST);
	return true;
}

/* True where the user has changed nothing in it. */
static bool is_raw(const struct instances *p)
{
	struct buf own = { 0 };
	bool same = !buf_read_file(&own, p->path, PATCH_MOST) && own.len == p->fix.raw.len &&
		    memcmp(buf_str(&own), buf_str(&p->fix.raw), own.len) == 0;

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
	bool there;

	if (!p->fix.there || p->fix.why) {
		dash_alert(d, ST_WARNING, "%s",
			   p->fix.why       ? p->fix.why
			   : p->fix.request ? "the upstream fix is not here yet"
					    : "nobody has fixed this yet: there is no patch to edit");
		return;
	}
	free(p->path);
	p->path = patch_path(p, p->fix.title);
	there = p->path && access(p->path, F_OK) == 0;
	if (!p->path)
		dash_alert(d, ST_ERROR, "the instance's name cannot be that of a file");
	else if (there ? is_raw(p) : write_raw(d, p))
		run_editor(d, p);
	else if (there)
		dash_menu(d, ASK_HOW, "You have edited this patch before", hows, ARRAY_LEN(hows), HOW_GO_ON);
}

static void compare(struct dash *d, struct instances *p)
{
	struct buf message = { 0 };

	buf_add(&message, p->path, strlen(p->path) + 1);
	buf_add(&message, buf_str(&p->fix.raw), p->fix.raw.len);
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
	if (!write_raw(d, p)) {
		/* There is no fresh one: yours is where it was. */
		rename(aside, p->path);
		return;
	}
	dash_alert(d, ST_GOOD, "yours is kept as %s", aside);
	run_editor(d, p);
}

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct instances *p = data;

	if (said->yes && said->tag >= ASK_SUBMIT)
		dash_submit_said(d, &p->submit, ASK_SUBMIT, said);
	if (!said->yes || said->tag != ASK_HOW)
		return;
	if (said->choice == HOW_COMPARE)
		compare(d, p);
	else if (said->choice == HOW_FRESH)
		fresh(d, p);
	else
		run_editor(d, p);
}

/* The patch is checked for the kernel that is looked at, with what is known of it. */
static void check_for(struct dash *d, struct instances *p, const KernelConfig *config)
{
	struct buf message = { 0 };

	buf_add(&message, p->path, strlen(p->path) + 1);
	if (config)
		pb_pack(&message, &config->base);
	p->check_request = dash_local(d, LOCAL_CHECK, message.data, message.len);
	buf_free(&message);
}

static void check_by_version(struct dash *d, struct instances *p)
{
	KernelConfig k = KERNEL_CONFIG__INIT;

	k.name = p->kernel->config;
	k.version = p->kernel->version;
	check_for(d, p, &k);
}

/* A config's tag and options are the server's to tell. */
static void begin_check(struct dash *d, struct instances *p)
{
	ConfigName q = CONFIG_NAME__INIT;

	if (!p->kernel) {
		check_for(d, p, NULL);
	} else if (!p->kernel->config) {
		check_by_version(d, p);
	} else {
		q.name = p->kernel->config;
		p->config_request = dash_call(d, RPC_FETCH_KERNEL_CONFIG, &q.base);
	}
}

static void config_answered(struct dash *d, struct instances *p, const struct dash_answer *a)
{
	p->config_request = 0;
	if (a->state == DASH_DONE && a->message)
		check_for(d, p, a->message);
	else
		check_by_version(d, p);
}

static void editor_ended(struct dash *d, struct instances *p, const struct dash_answer *a)
{
	show_own(d, p);
	if (a->state == DASH_FAILED)
		dash_alert(d, ST_ERROR, "%s; $VISUAL or $EDITOR names another editor", a->text);
	else if (WIFSIGNALED(a->status))
		dash_alert(d, ST_ERROR, "the editor was ended by signal %d; what it has written is in %s",
			   WTERMSIG(a->status), p->path);
	else if (WEXITSTATUS(a->status))
		dash_alert(d, ST_ERROR, "the editor ended with %d; what it has written is in %s", WEXITSTATUS(a->status),
			   p->path);
	else
		begin_check(d, p);
}

/* ---- Answers */

static void fix_answered(struct dash *d, struct instances *p, enum dash_fix_news news, const struct dash_answer *a)
{
	bool then_edit = p->edit;

	if (news == FIX_GROWS)
		return;
	p->edit = false;
	dash_set_message(d, PANE_DIFF, ST_ERROR, news == FIX_FAILED ? a->text : NULL);
	dash_fresh(d, PANE_DIFF);
	if (news == FIX_HERE)
		show_own(d, p);
	if (news == FIX_HERE && then_edit)
		edit(d, p);
}

/* Says what is in it, and shows what is in its way. */
static void check_answered(struct dash *d, struct instances *p, const struct dash_answer *a)
{
	const struct dash_bytes *bytes = a->message;
	struct arena *arena;
	const PatchCheck *c;
	size_t n;

	if (a->state == DASH_FAILED) {
		dash_alert(d, ST_ERROR, "%s%s", a->status == ERR_INPUT ? "your patch is broken: " : "", a->text);
		return;
	}
	arena = arena_new(0);
	n = strlen(bytes->data) + 1;
	c = n < bytes->n ? pb_unpack(arena, &patch_check__descriptor, bytes->data + n, bytes->n - n) : NULL;
	if (c && (c->lint->n_findings || dash_check_is_bad(c)))
		dash_check_show(c, d, arena_printf(arena, "Your patch for %s", target_word(arena, c->config, c->version)));
	if (!c)
		dash_alert(d, ST_GOOD, "%s: %s", bytes->data, p->path);
	else
		dash_alert(d, dash_apply_style(c->apply, c->apply ? c->apply->state : APPLY_STATE__APPLY_CLEAN),
			   "%s, %s%s%s: %s", bytes->data, dash_apply_word(c->apply, c->apply ? c->apply->state : 0),
			   c->apply ? " on " : "", c->apply ? c->ref : "", p->path);
	arena_free(arena);
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct instances *p = data;

	enum dash_fix_news news = dash_fix_answered(&p->fix, r, a);

	if (dash_approved_answered(d, &p->approved, r, a))
		return;
	if (news != FIX_OTHERS)
		fix_answered(d, p, news, a);
	else if (r->kind == DASH_RUN)
		editor_ended(d, p, a);
	else if (r->id == p->config_request)
		config_answered(d, p, a);
	else if (r->id == p->submit.request)
		dash_submit_answered(d, &p->submit, a);
	else if (r->id == p->diff_request)
		dash_diff_answered(d, &p->diff, "Yours, and what it has in place of the upstream fix", a);
	else if (r->id == p->check_request)
		check_answered(d, p, a);
}

static void told(struct dash *d, void *data, unsigned news)
{
	struct instances *p = data;

	if (news == NEWS_CONNECTED && !p->fix.there && !p->fix.request)
		moved(d, p, PANE_LIST, dash_row(d, PANE_LIST));
	else if ((news == NEWS_CONNECTED || news == NEWS_PATCHES) && p->fix.there)
		show_own(d, p);
}

static void submit(struct dash *d, struct instances *p)
{
	size_t row = dash_row(d, PANE_LIST);
	const char *title = row == DASH_NO_ROW ? NULL : p->cve->instances[row]->title;
	char *path = title ? patch_path(p, title) : NULL;

	if (!path || access(path, F_OK) != 0)
		dash_alert(d, ST_WARNING, "there is no patch of yours for this yet: e edits the fix");
	else
		dash_submit_begin(d, &p->submit, ASK_SUBMIT, p->cve, p->kernel, title, path);
	free(path);
}

static void act(struct dash *d, void *data, unsigned action)
{
	struct instances *p = data;

	if (action == ACT_EDIT)
		edit(d, p);
	else if (action == ACT_SUBMIT)
		submit(d, p);
	else if (action == ACT_SELECT)
		dash_set_focus(d, PANE_DIFF);
	else if (action == ACT_RELOAD)
		moved(d, p, PANE_LIST, dash_row(d, PANE_LIST));
	else if (action == ACT_APPROVED)
		dash_approved_swap(d, &p->approved);
}

/* ---- Life */

static void closed(struct dash *d, void *data)
{
	struct instances *p = data;

	(void)d;
	dash_fix_free(&p->fix);
	dash_approved_free(&p->approved);
	buf_free(&p->own);
	dash_submit_free(&p->submit);
	free(p->path);
	buf_free(&p->diff);
	arena_free(p->arena);
	free(p);
}

static const struct dash_pane_def panes[] = {
	[PANE_LIST] = { .title = "Instances", .rows = &rows, .sort = DASH_UNSORTED, .empty = "no instance" },
	[PANE_DIFF] = { .title = "Upstream fix", .text = diff_text, .empty = "no instance chosen" },
	[PANE_APPROVED] = { .title = "Approved", .text = approved_text, .shares = true },
	[PANE_OWN] = { .title = "Your patch", .text = own_text },
};

static const unsigned actions[] = { ACT_SELECT, ACT_EDIT, ACT_SUBMIT, ACT_APPROVED, ACT_RELOAD, ACT_NONE };

static const struct dash_page page = {
	.title = "Instances",
	.panes = panes,
	.n_panes = ARRAY_LEN(panes),
	.above = true,
	.actions = actions,
	.opened = opened,
	.moved = moved,
	.act = act,
	.answered = answered,
	.said = said_,
	.told = told,
	.closed = closed,
};

void dash_open_instances(struct dash *d, struct dash_data *data, const Cve *cve, const char *title, const Verdict *kernel,
			 bool then_edit)
{
	struct instances *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->arena = arena_new(0);
	p->cve = pb_copy(p->arena, &cve->base);
	p->start = title ? arena_strdup(p->arena, title) : NULL;
	for (size_t i = 0; kernel && i < cve->n_verdicts; i++)
		if (cve->verdicts[i] == kernel)
			p->kernel = p->cve->verdicts[i];
	p->edit = then_edit;
	p->approved.pane = PANE_APPROVED;
	dash_push(d, &page, p);
}
