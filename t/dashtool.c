/* Pages made of numbers and of a file's lines, for the tests of the dashboard's engine:
 *   dashtool [--script FILE] [--rows N] [--lines FILE] [--config FILE] [--fail] [--guard] [--run COMMAND] [--bench KEY...]
 * Answers come through a pipe, as they would from a server. */
#include "applets/dash_script.h"

#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/toml.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ASK_LIST = 1, ASK_DETAIL };

struct tool {
	uint64_t rows;
	const char *script, *lines, *config, *run;
	bool fail, guard;
	int wake[2]; /* a byte for each request that is to be answered */
	struct waiting {
		uint32_t id;
		unsigned kind;
		uint64_t number;
	} waiting[256];
	size_t n_waiting;
};

static struct tool tool = { .rows = 300 };

/* ---- A list of invented CVEs */

struct cves {
	size_t n;
	uint32_t detail_request;
	size_t detail; /* the row whose details are here */
};

static unsigned score_of(size_t row)
{
	unsigned mixed = (unsigned)(row * 2654435761u);

	return mixed % 7 == 0 ? 0 : mixed % 100 + 1;
}

static const struct dash_column cve_columns[] = {
	{ .title = "CVE", .width = 15 },
	{ .title = "Score", .width = 6, .right = true, .reverse = true },
	{ .title = "State", .width = 8, .drop = 1 },
	{ .title = "Title", .width = 10, .share = 1, .drop = 2 },
};

static size_t cve_count(const void *data)
{
	return ((const struct cves *)data)->n;
}

static void cve_cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	static const char *const states[] = { "none", "draft", "approved" };
	static const char *const words[] = { "net",       "usb", "ext4", "日本語のドライバ", "caf\u00e9 e\u0301te\u0301",
					     "drm/amdgpu" };
	unsigned score = score_of(row);

	(void)data;
	if (column == 0)
		buf_printf(&out->text, "CVE-%zu-%05zu", 2020 + row % 6, row);
	else if (column == 1 && score)
		buf_printf(&out->text, "%u.%u", score / 10, score % 10);
	else if (column == 1)
		buf_adds(&out->text, "-");
	else if (column == 2)
		buf_adds(&out->text, states[row % 3]);
	else
		buf_printf(&out->text, "%s: fix use after free number %zu", words[row % ARRAY_LEN(words)], row);
	out->style = column == 1 ? dash_score_style((int)score) : ST_PLAIN;
}

static uint64_t cve_sort_key(const void *data, size_t row, size_t column)
{
	(void)data;
	return column == 0 ? (2020 + row % 6) << 32 | row : column == 1 ? score_of(row) : column == 2 ? row % 3 : row;
}

static const struct dash_rows cve_rows = {
	.columns = cve_columns,
	.n_columns = ARRAY_LEN(cve_columns),
	.count = cve_count,
	.cell = cve_cell,
	.sort_key = cve_sort_key,
};

static void cve_details(const void *data, struct dash_text *out)
{
	const struct cves *c = data;
	unsigned score;

	if (c->detail == DASH_NO_ROW)
		return;
	score = score_of(c->detail);
	dash_text_field(out, "Number", ST_PLAIN, "%zu", c->detail);
	dash_text_field(out, "Score", dash_score_style((int)score), "%u.%u", score / 10, score % 10);
	dash_text_add(
		out, ST_PLAIN,
		"\nIn the Linux kernel, the following vulnerability has been resolved: a reference is dropped twice when "
		"the device goes away while a request is pending, which frees memory that is still in use.");
}

static const char diff[] =
	"diff --git a/net/core/dev.c b/net/core/dev.c\nindex 0123..4567 100644\n--- a/net/core/dev.c\n"
	"+++ b/net/core/dev.c\n@@ -1,5 +1,6 @@ int dev(void)\n \tint err;\n \n-\tput(dev);\n+\tif (!gone)\n+\t\tput(dev);\n"
	" \treturn err; /* a long line of a comment that goes on and on, past the edge of any pane there is, to the very "
	"end */\n";

static void cve_diff(const void *data, struct dash_text *out)
{
	if (((const struct cves *)data)->detail != DASH_NO_ROW)
		dash_text_diff(out, diff, strlen(diff));
}

static void cve_opened(struct dash *d, void *data)
{
	(void)data;
	dash_set_message(d, 0, ST_DIM, "loading...");
	dash_ask(d, ASK_LIST, tool.rows, NULL);
}

static void cve_moved(struct dash *d, void *data, unsigned pane, size_t row)
{
	struct cves *c = data;

	dash_cancel(d, c->detail_request);
	c->detail_request = 0;
	if (pane == 0 && row != DASH_NO_ROW)
		c->detail_request = dash_ask(d, ASK_DETAIL, row, NULL);
}

static void cve_answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct cves *c = data;

	if (a->state == DASH_FAILED) {
		dash_set_message(d, 0, ST_ERROR, a->text);
		dash_alert(d, ST_ERROR, "%s", a->text);
		return;
	}
	if (r->kind == ASK_LIST) {
		c->n = *(const size_t *)a->message;
		dash_grown(d, 0);
		if (a->state == DASH_DONE)
			dash_set_message(d, 0, 0, NULL);
		return;
	}
	c->detail = r->number;
	dash_fresh(d, 1);
	dash_fresh(d, 2);
}

static const struct dash_pane_def instance_panes[] = {
	{ .title = "Diff", .text = cve_diff, .empty = "no patch" },
};

static void instance_closed(struct dash *d, void *data)
{
	free(data);
	dash_alert(d, ST_GOOD, "closed");
}

static void instance_act(struct dash *d, void *data, unsigned action)
{
	const char *argv[] = { "sh", "-c", tool.run ? tool.run : "true", NULL };

	(void)data;
	if (action == ACT_SELECT)
		dash_run(d, 0, argv);
}

static void run_answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	(void)data;
	(void)r;
	if (a->state == DASH_FAILED)
		dash_alert(d, ST_ERROR, "%s", a->text);
	else
		dash_alert(d, ST_GOOD, "the program ended with %d", WIFEXITED(a->status) ? WEXITSTATUS(a->status) : -1);
}

static const unsigned select_only[] = { ACT_SELECT, ACT_NONE };

static const struct dash_page instance_page = {
	.title = "Instance",
	.panes = instance_panes,
	.n_panes = ARRAY_LEN(instance_panes),
	.actions = select_only,
	.act = instance_act,
	.answered = run_answered,
	.closed = instance_closed,
};

static void cve_act(struct dash *d, void *data, unsigned action)
{
	struct cves *c = data, *one;

	if (action == ACT_RELOAD) {
		c->n = 0;
		dash_changed(d, 0);
		cve_opened(d, data);
	} else if (dash_row(d, 0) != DASH_NO_ROW) {
		one = xcalloc(1, sizeof(*one));
		one->detail = dash_row(d, 0);
		dash_push(d, &instance_page, one);
	}
}

static const struct dash_pane_def cve_panes[] = {
	{ .title = "CVEs", .rows = &cve_rows, .sort = 1, .empty = "no CVE" },
	{ .title = "Details", .text = cve_details, .wrap = true, .empty = "no CVE chosen" },
	{ .title = "Diff", .text = cve_diff, .empty = "no CVE chosen" },
};

static const unsigned cve_actions[] = { ACT_SELECT, ACT_RELOAD, ACT_NONE };

static const struct dash_page cve_page = {
	.title = "CVEs",
	.panes = cve_panes,
	.n_panes = ARRAY_LEN(cve_panes),
	.actions = cve_actions,
	.opened = cve_opened,
	.moved = cve_moved,
	.act = cve_act,
	.answered = cve_answered,
};

/* ---- The lines of a file, whatever bytes they hold */

struct lines {
	struct buf text;
	size_t at[1000], len[1000], n;
};

static size_t line_count(const void *data)
{
	return ((const struct lines *)data)->n;
}

static void line_cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct lines *l = data;

	if (column == 0)
		buf_printf(&out->text, "%zu", row + 1);
	else
		buf_add(&out->text, l->text.data + l->at[row], l->len[row]);
}

static const struct dash_column line_columns[] = {
	{ .title = "Line", .width = 4, .right = true },
	{ .title = "Text", .width = 10, .share = 1 },
};

static const struct dash_rows line_rows = {
	.columns = line_columns,
	.n_columns = ARRAY_LEN(line_columns),
	.count = line_count,
	.cell = line_cell,
};

static void line_text(const void *data, struct dash_text *out)
{
	const struct lines *l = data;

	dash_text_lines(out, ST_PLAIN, buf_str(&l->text), l->text.len);
}

static const struct dash_pane_def line_panes[] = {
	{ .title = "Lines", .rows = &line_rows, .sort = DASH_UNSORTED, .empty = "no line" },
	{ .title = "All of it", .text = line_text, .wrap = true },
};

static const struct dash_page line_page = {
	.title = "Lines",
	.panes = line_panes,
	.n_panes = ARRAY_LEN(line_panes),
};

static int read_lines(struct lines *l, const char *path)
{
	int err = buf_read_file(&l->text, path, 0);

	for (size_t at = 0; !err && at < l->text.len && l->n < ARRAY_LEN(l->at); l->n++) {
		const char *end = memchr(l->text.data + at, '\n', l->text.len - at);

		l->at[l->n] = at;
		l->len[l->n] = end ? (size_t)(end - (l->text.data + at)) : l->text.len - at;
		at += l->len[l->n] + 1;
	}
	return err;
}

/* ---- Popups, and a log that grows */

static const char *const popups[] = { "confirm", "prompt", "choose", "text", "note", "error", "log", "crash" };

struct popups {
	unsigned log;
};

static size_t popup_count(const void *data)
{
	(void)data;
	return ARRAY_LEN(popups);
}

static void popup_cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	(void)data;
	(void)column;
	buf_adds(&out->text, popups[row]);
}

static const struct dash_column popup_columns[] = { { .title = "What", .width = 10, .share = 1 } };

static const struct dash_rows popup_rows = {
	.columns = popup_columns,
	.n_columns = 1,
	.count = popup_count,
	.cell = popup_cell,
};

static void popup_log(const void *data, struct dash_text *out)
{
	const struct popups *p = data;

	for (unsigned i = 0; i < p->log; i++)
		dash_text_add(out, ST_PLAIN, "log line %u", i + 1);
}

static const struct dash_pane_def popup_panes[] = {
	{ .title = "Popups", .rows = &popup_rows, .sort = DASH_UNSORTED },
	{ .title = "Log", .text = popup_log, .follow = true, .empty = "nothing logged" },
};

static void popup_act(struct dash *d, void *data, unsigned action)
{
	static const char *const colours[] = { "red", "green", "blue", "bluegreen" };
	struct popups *p = data;
	size_t row = dash_row(d, 0);

	(void)action;
	if (row == 0)
		dash_confirm(d, 7, "Really?",
			     "Shall this be done, although it cannot be undone, and takes a line that is long enough to "
			     "be wrapped in every window?");
	else if (row == 1)
		dash_prompt(d, 8, "Name", "caf\u00e9");
	else if (row == 2)
		dash_choose(d, 9, "Colour", colours, ARRAY_LEN(colours), 1);
	else if (row == 3)
		dash_text_add(dash_show_text(d, "To read"), ST_PLAIN, "Some lines\nto read.");
	else if (row == 4)
		dash_alert(d, ST_GOOD, "all is well");
	else if (row == 5)
		dash_alert(d, ST_ERROR, "it failed: \033[31mred\033[0m");
	else if (row == 6)
		p->log += 20;
	else
		raise(SIGSEGV);
	dash_grown(d, 1);
}

static void popup_said(struct dash *d, void *data, const struct dash_said *said)
{
	(void)data;
	dash_alert(d, ST_GOOD, "%u: %s '%s'", said->tag, said->yes ? "yes" : "no", said->text);
}

static const struct dash_page popup_page = {
	.title = "Popups",
	.panes = popup_panes,
	.n_panes = ARRAY_LEN(popup_panes),
	.actions = select_only,
	.act = popup_act,
	.said = popup_said,
};

/* ---- The server: answers come when the pipe is read */

static void server_take(void *self, struct dash *d, const struct dash_request *r)
{
	(void)d;
	(void)self;
	if (r->kind == DASH_CANCEL) {
		for (size_t i = 0; i < tool.n_waiting; i++)
			if (tool.waiting[i].id == r->number)
				tool.waiting[i].kind = DASH_CANCEL;
		return;
	}
	if (tool.n_waiting == ARRAY_LEN(tool.waiting))
		abort();
	tool.waiting[tool.n_waiting++] = (struct waiting){ r->id, r->kind, r->number };
	if (write(tool.wake[1], "", 1) != 1)
		abort();
}

static int server_fd(void *self)
{
	(void)self;
	return tool.wake[0];
}

static void answer_one(struct dash *d, const struct waiting *w)
{
	struct dash_answer a = { .state = DASH_MORE };
	size_t n;

	if (tool.fail) {
		a.state = DASH_FAILED;
		a.text = "the server is out of reach: connection refused";
	} else if (w->kind == ASK_LIST) {
		for (n = 0; n < w->number; n += MIN_OF((size_t)1000, w->number - n)) {
			a.message = &n;
			dash_answer(d, w->id, &a);
		}
		a.message = &n;
		a.state = DASH_DONE;
	} else {
		a.state = w->kind == DASH_CANCEL ? DASH_FAILED : DASH_DONE;
		a.text = "cancelled";
	}
	dash_answer(d, w->id, &a);
}

static void server_ready(void *self, struct dash *d)
{
	char bytes[256];
	struct waiting now[ARRAY_LEN(tool.waiting)];
	size_t n = tool.n_waiting;

	(void)self;
	if (read(tool.wake[0], bytes, sizeof(bytes)) < 0)
		abort();
	memcpy(now, tool.waiting, n * sizeof(*now));
	tool.n_waiting = 0;
	for (size_t i = 0; i < n; i++)
		answer_one(d, &now[i]);
}

static const struct dash_server server = { .take = server_take, .fd = server_fd, .ready = server_ready };

/* ---- How long does a key take? */

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1000000;
}

/* Each key is pressed `times` times; the slowest is told, and the mean. */
static int bench(struct dash *d, char **keys)
{
	struct canvas c = { 0 };
	struct event e = { .kind = EVENT_RESIZE, .row = 60, .col = 200 };

	canvas_resize(&c, 60, 200);
	dash_event(d, &e);
	for (const struct dash_request *r; (r = dash_next_request(d));)
		server_take(NULL, d, r);
	server_ready(NULL, d);
	dash_settle(d);
	for (; *keys; keys++) {
		double worst = 0, all = 0;

		e.kind = EVENT_KEY;
		if (!key_parse(*keys, &e.key))
			return fail(ERR_USAGE, "'%s' names no key", *keys);
		for (int i = 0; i < 20; i++) {
			double start = cpu_ms(), took;

			dash_event(d, &e);
			dash_draw(d, &c);
			took = cpu_ms() - start;
			worst = MAX_OF(worst, took);
			all += took;
		}
		printf("%s %.3f %.3f\n", *keys, all / 20, worst);
	}
	canvas_free(&c);
	return 0;
}

/* ---- Start */

static int read_config(const char *path, struct dash_keymap *keys, struct look looks[ST_COUNT], struct arena *a)
{
	struct buf text = { 0 };
	struct toml *root;
	int err = buf_read_file(&text, path, 0);

	if (!err && !(err = toml_parse(a, buf_str(&text), text.len, path, &root)) &&
	    !(err = dash_keymap_read(keys, root, path)))
		err = dash_looks_read(looks, root, path);
	buf_free(&text);
	return err;
}

static int run(char **bench_keys)
{
	struct arena *a = arena_new(0);
	struct look looks[ST_COUNT];
	struct dash_keymap keys;
	struct cves cves = { .detail = DASH_NO_ROW };
	struct lines *lines = xcalloc(1, sizeof(*lines));
	struct popups pops = { 0 };
	struct dash *d = NULL;
	int err = 0;

	dash_keymap_default(&keys);
	dash_looks_default(looks);
	if (pipe(tool.wake) < 0)
		abort();
	if (tool.config)
		err = read_config(tool.config, &keys, looks, a);
	if (!err && tool.lines)
		err = read_lines(lines, tool.lines);
	if (!err) {
		d = dash_new(&keys);
		dash_add_tab(d, &cve_page, &cves);
		dash_add_tab(d, &line_page, lines);
		dash_add_tab(d, &popup_page, &pops);
		dash_set_status(d, ST_DIM, "local, plain, data of a moment ago");
		if (bench_keys)
			err = bench(d, bench_keys);
		else
			err = tool.script ? dash_script(d, tool.script, &server) : dash_term(d, looks, &server);
	}
	dash_free(d);
	buf_free(&lines->text);
	free(lines);
	arena_free(a);
	if (err)
		log_error("%s", err_text());
	return err_exit_code(err);
}

/* The table of actions and the keys of each, for the man page's test. */
static int print_actions(void)
{
	for (unsigned i = 1; i < ACT_COUNT; i++)
		printf("%s\t%s\t%s\n", dash_actions[i].name, dash_actions[i].keys, dash_actions[i].help);
	return 0;
}

int main(int argc, char **argv)
{
	bool drawer = true;
	int code = 0, i;

	log_setup("dashtool", LOG_NORMAL);
	for (i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--fail") == 0)
			tool.fail = true;
		else if (strcmp(argv[i], "--guard") == 0)
			tool.guard = true;
		else if (strcmp(argv[i], "--actions") == 0)
			return print_actions();
		else if (strcmp(argv[i], "--bench") == 0)
			return run(argv + i + 1);
		else if (strcmp(argv[i++], "--script") == 0)
			tool.script = value;
		else if (strcmp(argv[i - 1], "--rows") == 0)
			tool.rows = strtoull(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--lines") == 0)
			tool.lines = value;
		else if (strcmp(argv[i - 1], "--config") == 0)
			tool.config = value;
		else if (strcmp(argv[i - 1], "--run") == 0)
			tool.run = value;
		else
			return EXIT_MISUSE;
	}
	if (tool.guard && dash_divide(&drawer, &code)) {
		log_error("%s", err_text());
		return EXIT_MISUSE;
	}
	return drawer ? run(NULL) : code;
}
