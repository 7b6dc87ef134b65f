/* Owns the list of kernel versions that a config can be made for, and the questions before it is made. */
#include "applets/dash_new.h"

#include "lib/err.h"
#include "lib/kconfig.h"
#include "lib/kver.h"

#include <stdlib.h>

enum { ASK_BASE = 1, ASK_CONFIG, ASK_FILE, ASK_FILE_AS_IS, ASK_NAME };

struct versions {
	struct dash_data *data;
	struct arena *arena;
	ConfigList *known;
	const char **tags;
	size_t n;
	bool candidates;
	uint32_t request;
	struct new_how how; /* as far as it was answered */
};

static size_t count(const void *data)
{
	return ((const struct versions *)data)->n;
}

static bool is_candidate(const char *tag)
{
	return strstr(tag, "-rc") != NULL;
}

static void cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct versions *p = data;
	const char *tag = p->tags[row];
	size_t used = 0;

	out->style = is_candidate(tag) ? ST_DIM : ST_PLAIN;
	if (column == 0) {
		buf_adds(&out->text, tag + 1);
		return;
	}
	for (size_t i = 0; i < p->known->n_configs; i++) {
		char version[KVER_TEXT_MAX];

		if (strcmp(kver_text(version, p->known->configs[i]->version), tag + 1) == 0)
			buf_printf(&out->text, "%s%s", used++ ? ", " : "", p->known->configs[i]->name);
	}
}

static bool shown(const void *data, size_t row)
{
	const struct versions *p = data;

	return p->candidates || !is_candidate(p->tags[row]);
}

static const struct dash_column columns[] = {
	{ .title = "Version", .width = 14 },
	{ .title = "Configs of it", .width = 10, .share = 1 },
};

static const struct dash_rows rows = {
	.columns = columns,
	.n_columns = ARRAY_LEN(columns),
	.count = count,
	.cell = cell,
	.shown = shown,
};

static void opened(struct dash *d, void *data)
{
	struct versions *p = data;

	dash_set_message(d, 0, ST_DIM, "reading the clone's tags...");
	p->request = dash_local(d, LOCAL_TAGS, "", 0);
}

static void add_tags(struct versions *p, const struct dash_bytes *b)
{
	for (size_t at = 0; at < b->n;) {
		size_t k = strcspn(b->data + at, "\n");

		/* A frame's message ends where the next frame begins, so the length is what counts. */
		k = MIN_OF(k, b->n - at);
		*(const char **)arena_grow(p->arena, (void **)&p->tags, &p->n,
					   sizeof(*p->tags)) = arena_memdup(p->arena, b->data + at, k);
		at += k + 1;
	}
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct versions *p = data;
	char *text;

	if (r->id != p->request)
		return;
	if (a->state == DASH_MORE) {
		add_tags(p, a->message);
		dash_grown(d, 0);
	} else if (a->state == DASH_FAILED) {
		text = xasprintf("%s: --linux-repo names a clone of the kernel; `git clone --bare` makes one", a->text);
		dash_set_message(d, 0, ST_ERROR, text);
		free(text);
	} else {
		dash_set_message(d, 0, 0, NULL);
	}
}

/* ---- Questions */

static const char *const bases[] = {
	[NEW_DEFAULTS] = "make menuconfig, from the version's defaults",
	[NEW_CONFIG] = "make menuconfig, from a config of the server",
	[NEW_FILE] = "make menuconfig, from a file",
	[NEW_AS_IS] = "a file as it is",
};

static void ask_config(struct dash *d, struct versions *p)
{
	const char **items = xcalloc(p->known->n_configs + 1, sizeof(*items));

	for (size_t i = 0; i < p->known->n_configs; i++)
		items[i] = p->known->configs[i]->name;
	if (p->known->n_configs)
		dash_choose(d, ASK_CONFIG, "Begin with", items, p->known->n_configs, 0);
	else
		dash_alert(d, ST_WARNING, "the server has no config to begin with");
	free(items);
}

static void ask_name(struct dash *d, const char *initial)
{
	dash_prompt(d, ASK_NAME, "Name of the new config", initial);
}

static void base_chosen(struct dash *d, struct versions *p, size_t choice)
{
	p->how.base = (enum new_base)choice;
	if (choice == NEW_CONFIG)
		ask_config(d, p);
	else if (choice == NEW_FILE || choice == NEW_AS_IS)
		dash_prompt(d, ASK_FILE, "File with the config", "");
	else
		ask_name(d, "");
}

static void name_said(struct dash *d, struct versions *p, const char *name)
{
	if (!kconfig_name_ok(name)) {
		dash_alert(d, ST_ERROR,
			   "a name is letters, digits and . _ + -, at most 64, and begins with a letter or digit");
		ask_name(d, name);
		return;
	}
	p->how.name = arena_strdup(p->arena, name);
	p->how.replaces = 0;
	for (size_t i = 0; i < p->known->n_configs; i++)
		if (strcmp(p->known->configs[i]->name, name) == 0)
			p->how.replaces = p->known->configs[i]->revision;
	dash_open_new(d, p->data, &p->how);
}

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct versions *p = data;

	if (!said->yes)
		return;
	if (said->tag == ASK_BASE) {
		base_chosen(d, p, said->choice);
	} else if (said->tag == ASK_NAME) {
		name_said(d, p, said->text);
	} else {
		p->how.from = arena_strdup(p->arena, said->text);
		ask_name(d, said->tag == ASK_CONFIG ? said->text : "");
	}
}

static void act(struct dash *d, void *data, unsigned action)
{
	struct versions *p = data;
	size_t row = dash_row(d, 0);
	char *title;

	if (action == ACT_PRERELEASES) {
		p->candidates = !p->candidates;
		dash_set_title(d, 0, p->candidates ? "Versions, release candidates too" : NULL);
		dash_changed(d, 0);
	} else if (action == ACT_RELOAD) {
		p->n = 0;
		dash_changed(d, 0);
		opened(d, p);
	} else if (row != DASH_NO_ROW) {
		p->how = (struct new_how){ .tag = p->tags[row] };
		title = xasprintf("A config of %s", p->tags[row] + 1);
		dash_menu(d, ASK_BASE, title, bases, ARRAY_LEN(bases), 0);
		free(title);
	}
}

static void closed(struct dash *d, void *data)
{
	struct versions *p = data;

	(void)d;
	arena_free(p->arena);
	free(p);
}

static const struct dash_pane_def panes[] = {
	{ .title = "Versions", .rows = &rows, .sort = DASH_UNSORTED, .empty = "the clone has no release" },
};

static const unsigned actions[] = { ACT_SELECT, ACT_PRERELEASES, ACT_RELOAD, ACT_NONE };

static const struct dash_page page = {
	.title = "Versions",
	.panes = panes,
	.n_panes = 1,
	.actions = actions,
	.opened = opened,
	.act = act,
	.answered = answered,
	.said = said_,
	.closed = closed,
};

void dash_open_versions(struct dash *d, struct dash_data *data, const ConfigList *known)
{
	struct versions *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->arena = arena_new(0);
	p->known = pb_copy(p->arena, &known->base);
	dash_push(d, &page, p);
}
