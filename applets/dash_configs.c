/* Owns the page of kernel configs: what the server has, how their builds stand, and looking at, comparing and exporting them. */
#include "applets/dash_pages.h"

#include "applets/words.h"
#include "lib/err.h"
#include "lib/kconfig.h"
#include "lib/kver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PANE_LIST, PANE_DETAILS };
enum { ASK_OTHER = 1, ASK_FILE, ASK_DELETE }; /* popups */
enum { COL_NAME, COL_VERSION, COL_REV, COL_BUILD, COL_FILES, COL_OPEN, COL_RELEASE };
enum want { WANT_NOTHING, WANT_VIEW, WANT_EXPORT, WANT_DIFF_FIRST, WANT_DIFF_SECOND };

struct configs {
	struct dash_data *data;
	struct arena *arena, *counts_arena, *body_arena;
	ConfigList *list;     /* NULL: not known yet */
	FetchCvesEnd *counts; /* NULL: not known yet */
	uint32_t list_request, counts_request, body_request, delete_request;
	enum want want; /* the contents that are asked for */
	char *name, *other, *file;
	KernelConfig *first; /* of a comparison */
};

static const ConfigInfo *config_of(const struct configs *p, size_t row)
{
	return p->list && row < p->list->n_configs ? p->list->configs[row] : NULL;
}

static const AnswerSummary *count_of(const struct configs *p, const char *name)
{
	for (size_t i = 0; p->counts && i < p->counts->n_summaries; i++)
		if (p->counts->summaries[i]->config && strcmp(p->counts->summaries[i]->config, name) == 0)
			return p->counts->summaries[i];
	return NULL;
}

/* ---- The list */

static size_t count(const void *data)
{
	const struct configs *p = data;

	return p->list ? p->list->n_configs : 0;
}

static void build_cell(const ConfigInfo *c, struct dash_cell *out)
{
	static const unsigned styles[] = {
		[JOB_STATE__QUEUED] = ST_WARNING, [JOB_STATE__LEASED] = ST_WARNING, [JOB_STATE__BUILDING] = ST_WARNING,
		[JOB_STATE__DONE] = ST_GOOD,      [JOB_STATE__FAILED] = ST_ERROR,   [JOB_STATE__CANCELLED] = ST_DIM,
	};

	buf_adds(&out->text, c->has_job_state ? job_state_word(c->job_state) : "-");
	out->style = c->has_job_state && (size_t)c->job_state < ARRAY_LEN(styles) ? styles[c->job_state] : ST_PLAIN;
}

static void cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct configs *p = data;
	const ConfigInfo *c = config_of(p, row);
	const AnswerSummary *sum = count_of(p, c->name);

	if (column == COL_NAME)
		buf_adds(&out->text, c->name);
	else if (column == COL_VERSION)
		kver_print(&out->text, c->version);
	else if (column == COL_REV)
		buf_printf(&out->text, "%u", c->revision);
	else if (column == COL_BUILD)
		build_cell(c, out);
	else if (column == COL_FILES && c->has_compiled_files)
		buf_printf(&out->text, "%llu", (unsigned long long)c->compiled_files);
	else if (column == COL_OPEN && sum)
		buf_printf(&out->text, "%llu", (unsigned long long)sum->affected + sum->unknown);
	else if (column == COL_RELEASE && c->release)
		buf_adds(&out->text, c->release);
	else
		buf_adds(&out->text, "-");
}

static uint64_t version_key(const KernelVersion *v)
{
	return v ? (uint64_t)v->major << 48 | (uint64_t)v->minor << 32 | (uint64_t)(v->patch & 0xff) << 24 |
			       (v->stable & 0xffff) << 8
		 : 0;
}

static uint64_t sort_key(const void *data, size_t row, size_t column)
{
	const struct configs *p = data;
	const ConfigInfo *c = config_of(p, row);
	const AnswerSummary *sum = count_of(p, c->name);
	const uint64_t keys[] = { 0,
				  version_key(c->version),
				  c->revision,
				  (uint64_t)c->job_state,
				  c->compiled_files,
				  sum ? sum->affected + sum->unknown : 0,
				  0 };

	return keys[column];
}

static int compare(const void *data, size_t a, size_t b, size_t column)
{
	return column == COL_NAME || column == COL_RELEASE ? strcmp(config_of(data, a)->name, config_of(data, b)->name) : 0;
}

/* A number that a name has, whatever row it is in (FNV-1a). */
static uint64_t row_id(const void *data, size_t row)
{
	uint64_t h = 1469598103934665603u;

	for (const char *s = config_of(data, row)->name; *s; s++)
		h = (h ^ (uint8_t)*s) * 1099511628211u;
	return h;
}

static const struct dash_column columns[] = {
	[COL_NAME] = { .title = "Config", .width = 16, .share = 2 },
	[COL_VERSION] = { .title = "Version", .width = 10, .reverse = true },
	[COL_REV] = { .title = "Rev", .width = 4, .right = true, .drop = 3 },
	[COL_BUILD] = { .title = "Build", .width = 10 },
	[COL_FILES] = { .title = "Files", .width = 7, .right = true, .reverse = true, .drop = 2 },
	[COL_OPEN] = { .title = "CVEs", .width = 6, .right = true, .reverse = true },
	[COL_RELEASE] = { .title = "Release", .width = 12, .share = 1, .drop = 1 },
};

static const struct dash_rows rows = {
	.columns = columns,
	.n_columns = ARRAY_LEN(columns),
	.count = count,
	.cell = cell,
	.sort_key = sort_key,
	.compare = compare,
	.id = row_id,
};

/* ---- Details */

static void add_counts(const AnswerSummary *sum, struct dash_text *out)
{
	char newest[KVER_TEXT_MAX];

	dash_text_field(out, "CVEs open", sum->affected ? ST_HIGH : ST_GOOD, "%llu", (unsigned long long)sum->affected);
	dash_text_field(out, "CVEs unknown", sum->unknown ? ST_WARNING : ST_PLAIN, "%llu", (unsigned long long)sum->unknown);
	dash_text_field(out, "With a fix", ST_PLAIN, "%llu of these have one on this branch",
			(unsigned long long)sum->fixed);
	dash_text_field(out, "CVEs not compiled", ST_PLAIN, "%llu", (unsigned long long)sum->not_compiled);
	if (sum->newest)
		dash_text_field(out, "Newest release", ST_PLAIN, "%s", kver_text(newest, sum->newest));
}

static void details_text(const struct configs *p, const ConfigInfo *c, struct dash_text *out)
{
	char version[KVER_TEXT_MAX], age[DASH_AGE];
	const AnswerSummary *sum = count_of(p, c->name);

	dash_text_add(out, ST_HEADER, "%s", c->name);
	dash_text_field(out, "Version", ST_PLAIN, "%s%s%s", kver_text(version, c->version), c->ref ? ", tag " : "",
			c->ref ? c->ref : "");
	dash_text_field(out, "Revision", ST_PLAIN, "%u, %llu bytes, put %s ago by %s", c->revision,
			(unsigned long long)c->size, dash_age(p->data, age, c->put_at),
			c->put_by ? c->put_by : "nobody known");
	if (c->has_job)
		dash_text_field(out, "Newest build", c->job_state == JOB_STATE__FAILED ? ST_ERROR : ST_PLAIN, "job %llu, %s",
				(unsigned long long)c->job, job_state_word(c->job_state));
	if (c->profiled)
		dash_text_field(out, "Build profile", ST_GOOD, "%llu files compiled, by %s %s ago",
				(unsigned long long)c->compiled_files, c->built_by ? c->built_by : "?",
				dash_age(p->data, age, c->built_at));
	else
		dash_text_field(out, "Build profile", ST_WARNING, "none yet: what is not compiled cannot be told");
	if (c->release)
		dash_text_field(out, "Release", ST_PLAIN, "%s", c->release);
	if (c->compiler)
		dash_text_field(out, "Compiler", ST_PLAIN, "%s", c->compiler);
	if (sum)
		add_counts(sum, out);
}

static void show_details(struct dash *d, struct configs *p)
{
	struct dash_text *t = dash_text_of(d, PANE_DETAILS);
	const ConfigInfo *c = config_of(p, dash_row(d, PANE_LIST));

	dash_text_reset(t);
	if (c)
		details_text(p, c, t);
	dash_changed(d, PANE_DETAILS);
}

static void moved(struct dash *d, void *data, unsigned pane, size_t row UNUSED)
{
	if (pane == PANE_LIST) {
		show_details(d, data);
		dash_fresh(d, PANE_DETAILS);
	}
}

/* ---- Asking */

static void ask(struct dash *d, struct configs *p)
{
	Nothing q = NOTHING__INIT;

	if (!p->list_request)
		p->list_request = dash_call(d, RPC_FETCH_KERNEL_CONFIGS_METADATA, &q.base);
}

/* The closing message counts all CVEs; a high least score keeps the list before it short. */
static void ask_counts(struct dash *d, struct configs *p)
{
	FetchCvesRequest q = FETCH_CVES_REQUEST__INIT;

	dash_cancel(d, p->counts_request);
	q.has_brief = q.brief = true;
	q.has_min_score = true;
	q.min_score = 10.0;
	p->counts_request = dash_call(d, RPC_FETCH_CVES, &q.base);
}

static void ask_body(struct dash *d, struct configs *p, const char *name, enum want want)
{
	ConfigName q = CONFIG_NAME__INIT;

	dash_cancel(d, p->body_request);
	q.name = name;
	p->want = want;
	p->body_request = dash_call(d, RPC_FETCH_KERNEL_CONFIG, &q.base);
}

static void opened(struct dash *d, void *data)
{
	dash_set_message(d, PANE_LIST, ST_DIM, "loading...");
	ask(d, data);
	ask_counts(d, data);
}

/* ---- Answers */

static bool same_profiles(const ConfigList *a, const ConfigList *b)
{
	bool same = a && b && a->n_configs == b->n_configs;

	for (size_t i = 0; same && i < a->n_configs; i++)
		same = strcmp(a->configs[i]->name, b->configs[i]->name) == 0 &&
		       a->configs[i]->revision == b->configs[i]->revision &&
		       a->configs[i]->profiled == b->configs[i]->profiled;
	return same;
}

static void list_answered(struct dash *d, struct configs *p, const struct dash_answer *a)
{
	p->list_request = 0;
	if (a->state != DASH_DONE || !a->message) {
		dash_set_message(d, PANE_LIST, ST_ERROR, a->text);
		return;
	}
	if (p->list && !same_profiles(p->list, a->message))
		ask_counts(d, p);
	arena_reset(p->arena);
	p->list = pb_copy(p->arena, a->message);
	dash_set_message(d, PANE_LIST, 0, NULL);
	dash_changed(d, PANE_LIST);
	show_details(d, p);
}

static void counts_answered(struct dash *d, struct configs *p, const struct dash_answer *a)
{
	if (a->state == DASH_MORE)
		return;
	p->counts_request = 0;
	if (a->state != DASH_DONE || !a->message)
		return;
	arena_reset(p->counts_arena);
	p->counts = pb_copy(p->counts_arena, a->message);
	dash_changed(d, PANE_LIST);
	show_details(d, p);
}

/* ---- Views of contents */

static const struct dash_pane_def text_panes[] = { { .title = "Config", .empty = "nothing" } };

struct text_view {
	struct buf text;
	char *title;
};

static void text_opened(struct dash *d, void *data)
{
	struct text_view *v = data;

	dash_set_title(d, 0, v->title);
	if (v->text.len)
		dash_text_lines(dash_text_of(d, 0), ST_PLAIN, v->text.data, v->text.len);
	dash_changed(d, 0);
}

static void text_closed(struct dash *d, void *data)
{
	struct text_view *v = data;

	(void)d;
	buf_free(&v->text);
	free(v->title);
	free(v);
}

static const struct dash_page text_page = {
	.title = "Config",
	.panes = text_panes,
	.n_panes = 1,
	.opened = text_opened,
	.closed = text_closed,
};

static void open_config(struct dash *d, const KernelConfig *c)
{
	struct text_view *v = xcalloc(1, sizeof(*v));
	char version[KVER_TEXT_MAX];

	v->title = xasprintf("%s of %s, revision %u", c->name, kver_text(version, c->version), c->revision);
	buf_add(&v->text, c->body.data, c->body.len);
	dash_push(d, &text_page, v);
}

static void open_diff(struct dash *d, struct configs *p, const KernelConfig *a, const KernelConfig *b)
{
	struct text_view *v = xcalloc(1, sizeof(*v));
	struct kconfig_change *changes;
	size_t n = kconfig_diff(p->body_arena, (const char *)a->body.data, a->body.len, (const char *)b->body.data,
				b->body.len, &changes);

	v->title = xasprintf("%zu options differ: %s -> %s", n, a->name, b->name);
	for (size_t i = 0; i < n; i++)
		buf_printf(&v->text, "%s: %s -> %s\n", changes[i].option, changes[i].before ? changes[i].before : "n",
			   changes[i].after ? changes[i].after : "n");
	if (n == 0)
		buf_adds(&v->text, "the same options in both\n");
	dash_push(d, &text_page, v);
}

static void write_config(struct dash *d, struct configs *p, const KernelConfig *c)
{
	int err = dash_write_new(p->file, c->body.data, c->body.len);

	if (err == ERR_DENIED)
		dash_alert(d, ST_ERROR, "%s is there already: nothing is written", p->file);
	else if (err)
		dash_alert(d, ST_ERROR, "%s", err_text());
	else
		dash_alert(d, ST_GOOD, "%s of %zu bytes is written to %s", c->name, c->body.len, p->file);
}

static void body_answered(struct dash *d, struct configs *p, const struct dash_answer *a)
{
	const KernelConfig *c = a->message;
	enum want want = p->want;

	p->body_request = 0;
	p->want = WANT_NOTHING;
	if (a->state != DASH_DONE || !c) {
		dash_alert(d, ST_ERROR, "%s", a->text);
	} else if (want == WANT_VIEW) {
		open_config(d, c);
	} else if (want == WANT_EXPORT) {
		write_config(d, p, c);
	} else if (want == WANT_DIFF_FIRST) {
		arena_reset(p->body_arena);
		p->first = pb_copy(p->body_arena, &c->base);
		ask_body(d, p, p->other, WANT_DIFF_SECOND);
	} else if (want == WANT_DIFF_SECOND) {
		open_diff(d, p, p->first, c);
	}
}

static void delete_answered(struct dash *d, struct configs *p, const struct dash_answer *a)
{
	p->delete_request = 0;
	if (a->state == DASH_FAILED)
		dash_alert(d, ST_ERROR, "%s", a->text);
	else
		dash_alert(d, ST_GOOD, "the config is deleted");
	ask(d, p);
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct configs *p = data;

	if (r->id == p->list_request)
		list_answered(d, p, a);
	else if (r->id == p->counts_request)
		counts_answered(d, p, a);
	else if (r->id == p->body_request)
		body_answered(d, p, a);
	else if (r->id == p->delete_request)
		delete_answered(d, p, a);
}

static void told(struct dash *d, void *data, unsigned news)
{
	if (news == NEWS_TICK || news == NEWS_CONNECTED)
		ask(d, data);
	if (news == NEWS_DATA || news == NEWS_CONNECTED)
		ask_counts(d, data);
}

/* ---- What a person does */

static void choose_other(struct dash *d, struct configs *p)
{
	const char **items = xcalloc(p->list->n_configs, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < p->list->n_configs; i++)
		if (strcmp(p->list->configs[i]->name, p->name) != 0)
			items[n++] = p->list->configs[i]->name;
	if (n)
		dash_choose(d, ASK_OTHER, "Compare with", items, n, 0);
	else
		dash_alert(d, ST_WARNING, "there is no other config to compare it with");
	free(items);
}

/* What is deleted is gone: that is said before. */
static void ask_delete(struct dash *d, const ConfigInfo *c)
{
	char version[KVER_TEXT_MAX];
	char *text = xasprintf(
		"Delete %s of %s and its build profile from the server? Builds of it that wait or run are cancelled. "
		"There is no way back; n and then x writes it to a file first.",
		c->name, kver_text(version, c->version));

	dash_confirm(d, ASK_DELETE, "Delete", text);
	free(text);
}

static void delete_named(struct dash *d, struct configs *p)
{
	ConfigName q = CONFIG_NAME__INIT;

	q.name = p->name;
	p->delete_request = dash_call(d, RPC_DELETE_KERNEL_CONFIG, &q.base);
}

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct configs *p = data;

	if (said->yes && said->tag == ASK_DELETE)
		delete_named(d, p);
	if (!said->yes || !*said->text)
		return;
	if (said->tag == ASK_OTHER) {
		dash_keep(&p->other, said->text);
		ask_body(d, p, p->name, WANT_DIFF_FIRST);
	} else {
		arena_reset(p->body_arena);
		dash_keep(&p->file, dash_in_home(p->body_arena, said->text));
		ask_body(d, p, p->name, WANT_EXPORT);
	}
}

static void act_on(struct dash *d, struct configs *p, const ConfigInfo *c, unsigned action)
{
	char *file;

	dash_keep(&p->name, c->name);
	if (action == ACT_SELECT) {
		ask_body(d, p, p->name, WANT_VIEW);
	} else if (action == ACT_COMPARE) {
		choose_other(d, p);
	} else if (action == ACT_EXPORT) {
		file = xasprintf("%s.config", c->name);
		dash_prompt(d, ASK_FILE, "Write it to", file);
		free(file);
	} else if (action == ACT_DELETE) {
		ask_delete(d, c);
	} else if (action == ACT_CVES) {
		dash_keep(&p->data->look_at, c->name);
		dash_show_tab(d, &dash_cves_page);
		dash_tell(d, NEWS_LOOK);
	} else if (action == ACT_JOB && c->has_job) {
		dash_open_job(d, c->job);
	} else if (action == ACT_JOB) {
		dash_alert(d, ST_WARNING, "%s has no build", c->name);
	}
}

static void act(struct dash *d, void *data, unsigned action)
{
	static const ConfigList none = CONFIG_LIST__INIT;
	struct configs *p = data;
	const ConfigInfo *c = config_of(p, dash_row(d, PANE_LIST));

	if (action == ACT_ADD) {
		dash_open_versions(d, p->data, p->list ? p->list : &none);
	} else if (action == ACT_RELOAD) {
		ask(d, p);
		ask_counts(d, p);
	} else if (c) {
		act_on(d, p, c, action);
	} else {
		dash_alert(d, ST_WARNING, "there is no config");
	}
}

/* ---- Life */

void *dash_configs_new(struct dash_data *data)
{
	struct configs *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->arena = arena_new(0);
	p->counts_arena = arena_new(0);
	p->body_arena = arena_new(0);
	return p;
}

static void closed(struct dash *d, void *data)
{
	struct configs *p = data;

	(void)d;
	arena_free(p->arena);
	arena_free(p->counts_arena);
	arena_free(p->body_arena);
	free(p->name);
	free(p->other);
	free(p->file);
	free(p);
}

static const struct dash_pane_def panes[] = {
	[PANE_LIST] = { .title = "Configs",
			.rows = &rows,
			.sort = COL_NAME,
			.empty = "no config yet: a makes one from a kernel version" },
	[PANE_DETAILS] = { .title = "Details", .wrap = true, .empty = "no config chosen" },
};

static const unsigned actions[] = { ACT_SELECT, ACT_ADD,    ACT_CVES,   ACT_JOB, ACT_COMPARE,
				    ACT_EXPORT, ACT_DELETE, ACT_RELOAD, ACT_NONE };

const struct dash_page dash_configs_page = {
	.title = "Configs",
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
