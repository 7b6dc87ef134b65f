/* Owns the page of CVEs: the list as it streams in, what of it is shown, and the details of the one under the cursor. Refuses to lose what is
 * on the screen: a list that comes anew takes its place when it is whole. */
#include "applets/dash_cve_list.h"
#include "applets/dash_pages.h"

#include "applets/cves.h"
#include "applets/words.h"
#include "lib/clock.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/patch_state.h"
#include "lib/str.h"

#include <stdlib.h>

enum { PANE_LIST, PANE_KERNELS, PANE_DETAILS };
enum { ASK_KERNEL = 1, ASK_VERSION, ASK_SEVERITY, ASK_FIX }; /* popups */
enum { FIX_ANY, FIX_THERE, FIX_NOT_THERE };
enum { COL_CVE, COL_SCORE, COL_VERDICT, COL_FIX, COL_LIVEPATCH, COL_KERNELS, COL_DATE, COL_TITLE };
enum then { THEN_NOTHING, THEN_OPEN, THEN_EDIT }; /* when the details are there */

struct detail {
	uint64_t key; /* 0: none */
	struct arena *arena;
	Cve *cve;
	const char *subject; /* of the fix; NULL: not known */
};

#define DETAILS_KEPT 64

struct cves_page {
	struct dash_data *data;
	char *config;    /* chosen; NULL: all, or a version */
	bool by_version; /* `version` is chosen */
	KernelVersion version;
	struct arena *configs_arena;
	ConfigList *configs; /* NULL: not known yet */
	uint64_t configs_print;
	struct cve_list *now, *coming; /* now NULL: nothing is there yet */
	bool whole;                    /* `now` is all of it */
	AnswerSummary sum;             /* of the one kernel, or of the first */
	size_t n_sums;
	int least; /* tenths of a score; 0: any */
	int fix;
	bool not_compiled, undeployed;
	uint32_t list_request, configs_request, detail_request, subject_request;
	struct detail details[DETAILS_KEPT], *detail;
	size_t next_detail;
	uint64_t wanted; /* key of the CVE under the cursor */
	enum then then;
};

/* ---- Lists */

static const struct cve_row *row_of(const void *data, size_t row)
{
	const struct cves_page *p = data;

	return p->now && row < p->now->n ? &p->now->rows[row] : NULL;
}

static size_t count(const void *data)
{
	const struct cves_page *p = data;

	return p->now ? p->now->n : 0;
}

static unsigned state_style(unsigned verdict)
{
	return verdict == VERDICT_KIND__NOT_COMPILED ? ST_DIM : verdict == VERDICT_KIND__UNKNOWN ? ST_WARNING : ST_PLAIN;
}

static unsigned livepatch_style(unsigned livepatch)
{
	return livepatch == LIVE_APPROVED ? ST_GOOD : livepatch == LIVE_SUBMITTED ? ST_WARNING : ST_PLAIN;
}

static void cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct cve_row *r = row_of(data, row);
	char date[CLOCK_TEXT];

	if (!r)
		return;
	out->style = column == COL_SCORE       ? dash_score_style(r->tenths)
		     : column == COL_LIVEPATCH ? livepatch_style(r->livepatch)
					       : state_style(r->verdict);
	if (column == COL_CVE)
		buf_adds(&out->text, r->id);
	else if (column == COL_SCORE && r->tenths >= 0)
		buf_printf(&out->text, "%d.%d", r->tenths / 10, r->tenths % 10);
	else if (column == COL_SCORE)
		buf_adds(&out->text, "-");
	else if (column == COL_VERDICT)
		buf_adds(&out->text, verdict_word(r->verdict));
	else if (column == COL_FIX)
		buf_adds(&out->text, r->fix);
	else if (column == COL_LIVEPATCH)
		buf_adds(&out->text, cve_livepatch_word(r->livepatch));
	else if (column == COL_KERNELS)
		buf_printf(&out->text, "%u", r->kernels);
	else if (column == COL_DATE)
		buf_printf(&out->text, "%.10s", r->published ? clock_print(date, r->published) : "-");
	else if (r->title)
		buf_adds(&out->text, r->title);
}

static uint64_t sort_key(const void *data, size_t row, size_t column)
{
	const struct cve_row *r = row_of(data, row);
	const uint64_t keys[] = { r->key,     (uint64_t)(r->tenths + 1), r->verdict, r->fix_order, r->livepatch,
				  r->kernels, (uint64_t)r->published,    0 };

	return keys[MIN_OF(column, ARRAY_LEN(keys) - 1)];
}

static int compare(const void *data, size_t a, size_t b, size_t column)
{
	const struct cve_row *x = row_of(data, a), *y = row_of(data, b);

	return column == COL_TITLE ? strcmp(x->title ? x->title : "", y->title ? y->title : "") : 0;
}

static uint64_t row_id(const void *data, size_t row)
{
	return row_of(data, row)->key;
}

static bool shown(const void *data, size_t row)
{
	const struct cves_page *p = data;
	const struct cve_row *r = row_of(data, row);

	return (p->not_compiled || r->verdict != VERDICT_KIND__NOT_COMPILED) && (p->least == 0 || r->tenths >= p->least) &&
	       (p->fix == FIX_ANY || r->fixed == (p->fix == FIX_THERE)) && (!p->undeployed || r->livepatch != LIVE_APPROVED);
}

static const struct dash_column columns[] = {
	[COL_CVE] = { .title = "CVE", .width = 16, .reverse = true },
	[COL_SCORE] = { .title = "Score", .width = 6, .right = true, .reverse = true },
	[COL_VERDICT] = { .title = "Verdict", .width = 12, .drop = 1 },
	[COL_FIX] = { .title = "Fixed in", .width = 13, .drop = 2 },
	[COL_LIVEPATCH] = { .title = "Livepatch", .width = 9, .reverse = true },
	[COL_KERNELS] = { .title = "Kernels", .width = 8, .right = true, .reverse = true, .drop = 4 },
	[COL_DATE] = { .title = "Published", .width = 10, .reverse = true, .drop = 5, .from = 130 },
	[COL_TITLE] = { .title = "Title", .width = 12, .share = 1, .drop = 3 },
};

static const struct dash_rows list_rows = {
	.columns = columns,
	.n_columns = ARRAY_LEN(columns),
	.count = count,
	.cell = cell,
	.sort_key = sort_key,
	.compare = compare,
	.id = row_id,
	.shown = shown,
};

/* ---- The kernels that it is in */

static size_t kernel_count(const void *data)
{
	const struct cves_page *p = data;

	return p->detail ? p->detail->cve->n_verdicts : 0;
}

static void kernel_cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct cves_page *p = data;
	const Verdict *v = p->detail->cve->verdicts[row];
	struct arena *a = arena_new(0);

	out->style = column == 2 && v->verdict == VERDICT_KIND__AFFECTED ? ST_HIGH : state_style(v->verdict);
	if (column == 0 && v->config)
		buf_adds(&out->text, v->config);
	else if (column == 0)
		buf_adds(&out->text, "any config");
	else if (column == 1)
		kver_print(&out->text, v->version);
	else if (column == 2)
		buf_adds(&out->text, verdict_word(v->verdict));
	else if (column == 3)
		buf_adds(&out->text, v->verdict == VERDICT_KIND__NOT_AFFECTED ? "-" : cves_fix_word(a, v));
	else if (v->has_livepatch)
		buf_adds(&out->text, patch_state_word((int)v->livepatch));
	arena_free(a);
}

static const struct dash_column kernel_columns[] = {
	{ .title = "Config", .width = 12, .share = 1 },
	{ .title = "Version", .width = 10, .drop = 2 },
	{ .title = "Verdict", .width = 12 },
	{ .title = "Fixed in", .width = 14, .drop = 1 },
	{ .title = "Livepatch", .width = 9, .drop = 3 },
};

static const struct dash_rows kernel_rows = {
	.columns = kernel_columns,
	.n_columns = ARRAY_LEN(kernel_columns),
	.count = kernel_count,
	.cell = kernel_cell,
};

/* ---- Details */

static void details_text(const void *data, struct dash_text *out)
{
	const struct cves_page *p = data;

	if (p->detail)
		dash_cve_text(p->data, p->detail->cve, p->detail->subject, out);
}

static void drop_details(struct cves_page *p)
{
	for (size_t i = 0; i < DETAILS_KEPT; i++) {
		arena_free(p->details[i].arena);
		p->details[i] = (struct detail){ 0 };
	}
	p->detail = NULL;
}

/* None of them is found again; the one on the screen stays there until its successor comes. */
static void expire_details(struct cves_page *p)
{
	for (size_t i = 0; i < DETAILS_KEPT; i++)
		p->details[i].key = 0;
}

static struct detail *find_detail(struct cves_page *p, uint64_t key)
{
	for (size_t i = 0; i < DETAILS_KEPT; i++)
		if (key && p->details[i].key == key)
			return &p->details[i];
	return NULL;
}

static struct detail *keep_detail(struct cves_page *p, const Cve *cve)
{
	struct detail *d = &p->details[p->next_detail++ % DETAILS_KEPT];

	arena_free(d->arena);
	*d = (struct detail){ .key = cve_key(cve->id, strlen(cve->id)), .arena = arena_new(0) };
	d->cve = pb_copy(d->arena, &cve->base);
	return d;
}

static const Verdict *chosen_verdict(const struct cves_page *p, const Cve *cve)
{
	for (size_t i = 0; i < cve->n_verdicts; i++)
		if (p->config && cve->verdicts[i]->config && strcmp(cve->verdicts[i]->config, p->config) == 0)
			return cve->verdicts[i];
	return cve_verdict_worst(cve);
}

static const char *chosen_title(const struct cves_page *p, const Cve *cve)
{
	const Verdict *v = chosen_verdict(p, cve);

	return v && v->n_titles ? v->titles[0] : cve->n_instances ? cve->instances[0]->title : NULL;
}

static void ask_subject(struct dash *d, struct cves_page *p)
{
	FetchPatchRequest q = FETCH_PATCH_REQUEST__INIT;

	q.title = chosen_title(p, p->detail->cve);
	if (q.title && !str_ends(q.title, "-nofix"))
		p->subject_request = dash_call(d, RPC_FETCH_PATCH, &q.base);
}

static void do_then(struct dash *d, struct cves_page *p)
{
	enum then then = p->then;
	const struct detail *t = p->detail;

	p->then = THEN_NOTHING;
	if (then != THEN_NOTHING && t->cve->n_instances == 0)
		dash_alert(d, ST_WARNING, "%s has no instance: no pair in its record is valid", t->cve->id);
	else if (then != THEN_NOTHING)
		dash_open_instances(d, p->data, t->cve, chosen_title(p, t->cve), chosen_verdict(p, t->cve),
				    then == THEN_EDIT);
}

/* In the panes that tell of the CVE under the cursor; NULL: none. */
static void tell_detail(struct dash *d, unsigned style, const char *text)
{
	dash_set_message(d, PANE_KERNELS, style, text);
	dash_set_message(d, PANE_DETAILS, style, text);
}

static void show_detail(struct dash *d, struct cves_page *p, struct detail *t)
{
	p->detail = t;
	tell_detail(d, 0, NULL);
	dash_fresh(d, PANE_KERNELS);
	dash_fresh(d, PANE_DETAILS);
	if (!t->subject)
		ask_subject(d, p);
	do_then(d, p);
}

static void ask_detail(struct dash *d, struct cves_page *p, const char *id)
{
	FetchCveRequest q = FETCH_CVE_REQUEST__INIT;
	size_t n = p->configs ? p->configs->n_configs : 0, k = 0;
	const char **names = xcalloc(n + 1, sizeof(*names));

	q.id = id;
	if (p->by_version)
		q.kernel_version = &p->version;
	/* The one that is looked at comes first. */
	if (p->config)
		names[k++] = p->config;
	for (size_t i = 0; i < n; i++)
		if (!p->config || strcmp(p->configs->configs[i]->name, p->config) != 0)
			names[k++] = p->configs->configs[i]->name;
	q.n_configs = p->by_version ? 0 : k;
	q.configs = names;
	p->detail_request = dash_call(d, RPC_FETCH_CVE, &q.base);
	if (!p->detail)
		tell_detail(d, ST_DIM, "loading...");
	free(names);
}

static void cancel_details(struct dash *d, struct cves_page *p)
{
	dash_cancel(d, p->detail_request);
	dash_cancel(d, p->subject_request);
	p->detail_request = p->subject_request = 0;
	p->then = THEN_NOTHING;
}

static void moved(struct dash *d, void *data, unsigned pane, size_t row)
{
	struct cves_page *p = data;
	const struct cve_row *r = row_of(p, row);
	struct detail *t;

	if (pane != PANE_LIST)
		return;
	cancel_details(d, p);
	p->wanted = r ? r->key : 0;
	if (!r) {
		p->detail = NULL;
		tell_detail(d, 0, NULL);
		dash_fresh(d, PANE_KERNELS);
		dash_fresh(d, PANE_DETAILS);
	} else if ((t = find_detail(p, r->key))) {
		show_detail(d, p, t);
	} else {
		/* What is there stays until the new comes: that takes a moment, and nothing flickers. */
		ask_detail(d, p, r->id);
	}
}

/* ---- Asking for the list */

static void show_title(struct dash *d, struct cves_page *p)
{
	struct buf t = { 0 };
	char version[KVER_TEXT_MAX];

	if (p->by_version)
		buf_printf(&t, "CVEs of %s", kver_text(version, &p->version));
	else if (p->config)
		buf_printf(&t, "CVEs of %s", p->config);
	else
		buf_printf(&t, "CVEs of all configs");
	if (p->whole && p->n_sums == 1)
		buf_printf(&t, ": %llu open, %llu not compiled, %llu unknown", (unsigned long long)p->sum.affected,
			   (unsigned long long)p->sum.not_compiled, (unsigned long long)p->sum.unknown);
	if (p->least)
		buf_printf(&t, " | score %d.0 and above", p->least / 10);
	if (p->fix)
		buf_printf(&t, p->fix == FIX_THERE ? " | with a fix" : " | without a fix");
	if (p->undeployed)
		buf_adds(&t, " | no approved livepatch");
	if (p->not_compiled)
		buf_adds(&t, " | not compiled, too");
	dash_set_title(d, PANE_LIST, buf_str(&t));
	buf_free(&t);
}

static void show_message(struct dash *d, struct cves_page *p)
{
	const char *text = "no CVE is open here";

	if (!p->whole)
		text = "loading...";
	else if (p->now && p->now->n)
		text = "no CVE passes v (severity), u (fixed), o (livepatch), m (not compiled) and f (filter)";
	else if (!p->by_version && !p->config && p->configs && p->configs->n_configs == 0)
		text = "no config on the server yet: c looks at a version, tab 2 makes a config";
	dash_set_message(d, PANE_LIST, ST_DIM, text);
}

static void ask_list(struct dash *d, struct cves_page *p)
{
	FetchCvesRequest q = FETCH_CVES_REQUEST__INIT;

	dash_cancel(d, p->list_request);
	cve_list_free(p->coming == p->now ? NULL : p->coming);
	p->coming = cve_list_new();
	if (!p->now || !p->whole) {
		cve_list_free(p->now);
		p->now = p->coming;
		dash_changed(d, PANE_LIST);
	}
	if (p->by_version)
		q.kernel_version = &p->version;
	q.n_configs = p->config ? 1 : 0;
	q.configs = (const char **)&p->config;
	q.has_brief = q.brief = true;
	q.has_include_not_compiled = q.include_not_compiled = true;
	p->list_request = dash_call(d, RPC_FETCH_CVES, &q.base);
	show_message(d, p);
}

static void ask_configs(struct dash *d, struct cves_page *p)
{
	Nothing q = NOTHING__INIT;

	if (!p->configs_request)
		p->configs_request = dash_call(d, RPC_FETCH_KERNEL_CONFIGS_METADATA, &q.base);
}

/* Another kernel: nothing of what is there holds. */
static void start_again(struct dash *d, struct cves_page *p)
{
	cancel_details(d, p);
	drop_details(p);
	p->whole = false;
	p->n_sums = 0;
	show_title(d, p);
	dash_fresh(d, PANE_KERNELS);
	dash_fresh(d, PANE_DETAILS);
	ask_list(d, p);
	dash_fresh(d, PANE_LIST);
}

/* NULL: all configs. */
static void look_at(struct dash *d, struct cves_page *p, const char *config)
{
	dash_keep(&p->config, config);
	p->by_version = false;
	start_again(d, p);
}

static void opened(struct dash *d, void *data)
{
	struct cves_page *p = data;

	show_title(d, p);
	ask_configs(d, p);
	ask_list(d, p);
}

/* ---- Answers */

static void list_whole(struct dash *d, struct cves_page *p, const FetchCvesEnd *end)
{
	bool replaced = p->now != p->coming;

	p->list_request = 0;
	p->whole = true;
	p->n_sums = end ? end->n_summaries : 0;
	if (p->n_sums)
		p->sum = *end->summaries[0];
	p->sum.config = NULL;
	p->sum.version = p->sum.newest = NULL;
	if (replaced) {
		cve_list_free(p->now);
		p->now = p->coming;
		/* What is told of the one under the cursor may be another thing now. */
		expire_details(p);
		dash_changed(d, PANE_LIST);
		for (size_t i = 0; i < p->now->n; i++)
			if (p->now->rows[i].key == p->wanted)
				ask_detail(d, p, p->now->rows[i].id);
	}
	p->coming = NULL;
	show_title(d, p);
	show_message(d, p);
}

static void list_answered(struct dash *d, struct cves_page *p, const struct dash_answer *a)
{
	if (a->state == DASH_MORE && a->message) {
		cve_list_add(p->coming, a->message);
		if (p->coming == p->now)
			dash_grown(d, PANE_LIST);
	} else if (a->state == DASH_DONE) {
		list_whole(d, p, a->message);
	} else if (a->state == DASH_FAILED) {
		p->list_request = 0;
		if (p->coming != p->now)
			cve_list_free(p->coming);
		p->coming = NULL;
		dash_set_message(d, PANE_LIST, ST_ERROR, a->text);
		if (!dash_is_lost(a))
			dash_alert(d, ST_ERROR, "%s", a->text);
	}
}

/* A number that changes when what the server would say of the configs' CVEs does. */
static uint64_t print_of(const ConfigList *list)
{
	uint64_t h = 1469598103934665603u; /* FNV-1a */
	struct buf text = { 0 };

	for (size_t i = 0; i < list->n_configs; i++) {
		const ConfigInfo *c = list->configs[i];

		buf_printf(&text, "%s %u %d %s;", c->name, c->revision, c->profiled, c->built_at ? c->built_at : "");
	}
	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (uint8_t)text.data[i]) * 1099511628211u;
	buf_free(&text);
	return h;
}

static void configs_answered(struct dash *d, struct cves_page *p, const struct dash_answer *a)
{
	bool first = !p->configs;
	uint64_t print;

	p->configs_request = 0;
	if (a->state != DASH_DONE || !a->message)
		return;
	arena_reset(p->configs_arena);
	p->configs = pb_copy(p->configs_arena, a->message);
	print = print_of(p->configs);
	if (!first && print != p->configs_print && !p->by_version)
		ask_list(d, p);
	p->configs_print = print;
	show_message(d, p);
}

static void detail_answered(struct dash *d, struct cves_page *p, const struct dash_answer *a)
{
	const Cve *cve = a->message;

	p->detail_request = 0;
	if (a->state == DASH_FAILED) {
		p->detail = NULL;
		tell_detail(d, ST_ERROR, a->text);
		dash_fresh(d, PANE_KERNELS);
		dash_fresh(d, PANE_DETAILS);
		if (p->then != THEN_NOTHING)
			dash_alert(d, ST_ERROR, "%s", a->text);
		p->then = THEN_NOTHING;
	} else if (cve && cve->id) {
		show_detail(d, p, keep_detail(p, cve));
	}
}

/* The subject comes with the first chunk; the patch itself is not wanted here. */
static void subject_answered(struct dash *d, struct cves_page *p, const struct dash_answer *a)
{
	const PatchChunk *chunk = a->state == DASH_MORE ? a->message : NULL;

	if (chunk && p->detail && !p->detail->subject) {
		p->detail->subject = chunk->has_subject
					     ? arena_memdup(p->detail->arena, chunk->subject.data, chunk->subject.len)
					     : "?";
		dash_changed(d, PANE_DETAILS);
		dash_cancel(d, p->subject_request);
	}
	p->subject_request = 0;
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct cves_page *p = data;

	if (r->id == p->list_request)
		list_answered(d, p, a);
	else if (r->id == p->configs_request)
		configs_answered(d, p, a);
	else if (r->id == p->detail_request)
		detail_answered(d, p, a);
	else if (r->id == p->subject_request)
		subject_answered(d, p, a);
}

static void told(struct dash *d, void *data, unsigned news)
{
	struct cves_page *p = data;

	if (news == NEWS_TICK)
		ask_configs(d, p);
	else if (news == NEWS_LOOK)
		look_at(d, p, p->data->look_at);
	else if (news == NEWS_DATA || news == NEWS_CONNECTED || news == NEWS_PATCHES)
		ask_list(d, p);
}

/* ---- What a person chooses */

static void choose_kernel(struct dash *d, struct cves_page *p)
{
	size_t n = p->configs ? p->configs->n_configs : 0, chosen = p->by_version ? n + 1 : 0;
	const char **items = xcalloc(n + 2, sizeof(*items));

	items[0] = "all configs";
	for (size_t i = 0; i < n; i++) {
		items[i + 1] = p->configs->configs[i]->name;
		if (p->config && strcmp(p->config, items[i + 1]) == 0)
			chosen = i + 1;
	}
	items[n + 1] = "a kernel version...";
	dash_choose(d, ASK_KERNEL, "Look at", items, n + 2, chosen);
	free(items);
}

static void kernel_chosen(struct dash *d, struct cves_page *p, const struct dash_said *said)
{
	size_t n = p->configs ? p->configs->n_configs : 0;

	if (said->choice == n + 1) {
		char version[KVER_TEXT_MAX];

		dash_prompt(d, ASK_VERSION, "Kernel version, such as 6.1.170",
			    p->by_version ? kver_text(version, &p->version) : "");
		return;
	}
	look_at(d, p, said->choice ? said->text : NULL);
}

static void version_said(struct dash *d, struct cves_page *p, const char *text)
{
	KernelVersion v;
	const char *suffix;

	if (kver_parse_user(&v, text, &suffix)) {
		dash_prompt(d, ASK_VERSION, "Kernel version, such as 6.1.170", text);
		dash_alert(d, ST_ERROR, "%s", err_text());
		return;
	}
	if (*suffix)
		dash_alert(d, ST_WARNING, "'%s' is left out: it is judged as the plain version", suffix);
	dash_keep(&p->config, NULL);
	p->version = v;
	p->by_version = true;
	start_again(d, p);
}

static const struct {
	const char *text;
	int least;
} severities[] = { { "any, and those not scored", 0 },
		   { "4.0 and above (medium)", 40 },
		   { "7.0 and above (high)", 70 },
		   { "9.0 and above (critical)", 90 } };

static void choose_severity(struct dash *d, struct cves_page *p)
{
	const char *items[ARRAY_LEN(severities)];
	size_t chosen = 0;

	for (size_t i = 0; i < ARRAY_LEN(severities); i++) {
		items[i] = severities[i].text;
		if (severities[i].least == p->least)
			chosen = i;
	}
	dash_menu(d, ASK_SEVERITY, "Score", items, ARRAY_LEN(items), chosen);
}

static const char *const fixes[] = { "all", "with a fix on the branch", "without a fix on the branch" };

static void filters_changed(struct dash *d, struct cves_page *p)
{
	show_title(d, p);
	show_message(d, p);
	dash_changed(d, PANE_LIST);
}

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct cves_page *p = data;

	if (!said->yes)
		return;
	if (said->tag == ASK_KERNEL) {
		kernel_chosen(d, p, said);
	} else if (said->tag == ASK_VERSION) {
		version_said(d, p, said->text);
	} else if (said->tag == ASK_SEVERITY && said->choice < ARRAY_LEN(severities)) {
		p->least = severities[said->choice].least;
		filters_changed(d, p);
	} else if (said->tag == ASK_FIX) {
		p->fix = (int)said->choice;
		filters_changed(d, p);
	}
}

/* Opens the CVE under the cursor once its details are here. */
static void open_row(struct dash *d, struct cves_page *p, enum then then)
{
	if (!p->wanted)
		return;
	p->then = then;
	if (p->detail && p->detail->key == p->wanted)
		do_then(d, p);
	else if (!p->detail_request)
		ask_detail(d, p, row_of(p, dash_row(d, PANE_LIST))->id);
}

static void act(struct dash *d, void *data, unsigned action)
{
	struct cves_page *p = data;

	if (action == ACT_SELECT) {
		open_row(d, p, THEN_OPEN);
	} else if (action == ACT_EDIT) {
		open_row(d, p, THEN_EDIT);
	} else if (action == ACT_CONFIG) {
		choose_kernel(d, p);
	} else if (action == ACT_SEVERITY) {
		choose_severity(d, p);
	} else if (action == ACT_FIXED) {
		dash_menu(d, ASK_FIX, "Show", fixes, ARRAY_LEN(fixes), (size_t)p->fix);
	} else if (action == ACT_NOT_COMPILED) {
		p->not_compiled = !p->not_compiled;
		filters_changed(d, p);
	} else if (action == ACT_SHOW) {
		p->undeployed = !p->undeployed;
		filters_changed(d, p);
	} else if (action == ACT_RELOAD) {
		ask_configs(d, p);
		ask_list(d, p);
	}
}

/* ---- Life */

void *dash_cves_new(struct dash_data *data, const char *config, const KernelVersion *version)
{
	struct cves_page *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->configs_arena = arena_new(0);
	p->by_version = version != NULL;
	if (version)
		p->version = *version;
	else
		dash_keep(&p->config, config);
	return p;
}

static void closed(struct dash *d, void *data)
{
	struct cves_page *p = data;

	(void)d;
	cve_list_free(p->coming == p->now ? NULL : p->coming);
	cve_list_free(p->now);
	drop_details(p);
	arena_free(p->configs_arena);
	free(p->config);
	free(p);
}

static const struct dash_pane_def panes[] = {
	[PANE_LIST] = { .title = "CVEs", .rows = &list_rows, .sort = COL_SCORE, .empty = "no CVE" },
	[PANE_KERNELS] = { .title = "In the kernels",
			   .rows = &kernel_rows,
			   .sort = DASH_UNSORTED,
			   .empty = "no CVE chosen" },
	[PANE_DETAILS] = { .title = "Details", .text = details_text, .wrap = true, .empty = "no CVE chosen" },
};

static const unsigned actions[] = { ACT_SELECT, ACT_EDIT,         ACT_CONFIG, ACT_SEVERITY, ACT_FIXED,
				    ACT_SHOW,   ACT_NOT_COMPILED, ACT_RELOAD, ACT_NONE };

const struct dash_page dash_cves_page = {
	.title = "CVEs",
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
