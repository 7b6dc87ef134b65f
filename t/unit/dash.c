/* The dashboard's engine: lists, texts, requests, popups, views, the mouse, and that nothing
 * that a person may do breaks it. */
#include "applets/dash_engine.h"
#include "tap.h"

/* ---- A page of numbered rows */

struct row {
	uint64_t id;
	const char *name;
	unsigned number;
};

struct data {
	struct row rows[200];
	size_t n;
	unsigned moved, closed, acts;
	size_t last_row;
	uint32_t asked;
	char said[80], answer[80];
	unsigned lines;
	const char *text;
	bool even; /* only rows with an even number */
};

static size_t count(const void *data)
{
	return ((const struct data *)data)->n;
}

static unsigned cells_asked;

static void cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct row *r = &((const struct data *)data)->rows[row];

	cells_asked++;
	if (column == 0)
		buf_adds(&out->text, r->name);
	else
		buf_printf(&out->text, "%u", r->number);
}

static uint64_t sort_key(const void *data, size_t row, size_t column)
{
	return column ? ((const struct data *)data)->rows[row].number : 0;
}

static int compare(const void *data, size_t a, size_t b, size_t column)
{
	const struct row *rows = ((const struct data *)data)->rows;

	return column ? 0 : strcmp(rows[a].name, rows[b].name);
}

static uint64_t id(const void *data, size_t row)
{
	return ((const struct data *)data)->rows[row].id;
}

static bool is_shown(const void *data, size_t row)
{
	const struct data *t = data;

	return !t->even || t->rows[row].number % 2 == 0;
}

static const struct dash_column columns[] = {
	{ .title = "Name", .width = 14, .share = 1 },
	{ .title = "Number", .width = 7, .right = true, .drop = 1, .reverse = true },
};

static const struct dash_rows rows = {
	.columns = columns,
	.n_columns = ARRAY_LEN(columns),
	.count = count,
	.cell = cell,
	.sort_key = sort_key,
	.compare = compare,
	.id = id,
	.shown = is_shown,
};

static void text(const void *data, struct dash_text *out)
{
	const struct data *t = data;

	if (t->text)
		dash_text_lines(out, ST_PLAIN, t->text, strlen(t->text));
	for (unsigned i = 0; i < t->lines; i++)
		dash_text_add(out, ST_PLAIN, "line %u", i);
}

static void moved(struct dash *d, void *data, unsigned pane, size_t row)
{
	struct data *t = data;

	(void)d;
	(void)pane;
	t->moved++;
	t->last_row = row;
}

static const struct dash_page second;

static void act(struct dash *d, void *data, unsigned action)
{
	static const char *const items[] = { "apple", "pear", "pineapple" };
	struct data *t = data;

	t->acts++;
	if (action == ACT_RELOAD)
		t->asked = dash_ask(d, 1, t->last_row, "row");
	else if (t->acts == 1)
		dash_confirm(d, 1, "Sure?", "Really?");
	else if (t->acts == 2)
		dash_prompt(d, 2, "Name", "a");
	else if (t->acts == 3)
		dash_choose(d, 3, "Fruit", items, 3, 1);
	else
		dash_push(d, &second, data);
}

static void said(struct dash *d, void *data, const struct dash_said *s)
{
	struct data *t = data;

	(void)d;
	snprintf(t->said, sizeof(t->said), "%u %d %s", s->tag, s->yes, s->text);
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct data *t = data;

	if (a->message)
		t->text = a->message;
	dash_fresh(d, 1);
	snprintf(t->answer, sizeof(t->answer), "%u %s %d %s", r->kind, r->text ? r->text : "-", (int)a->state,
		 a->text ? a->text : "-");
}

static void closed(struct dash *d, void *data)
{
	(void)d;
	((struct data *)data)->closed++;
}

static const struct dash_pane_def panes[] = {
	{ .title = "Rows", .rows = &rows, .sort = DASH_UNSORTED, .empty = "no rows" },
	{ .title = "Text", .text = text, .wrap = true, .follow = true, .empty = "no text" },
};
static const unsigned actions[] = { ACT_SELECT, ACT_RELOAD, ACT_NONE };
static const struct dash_page first = {
	.title = "First",
	.panes = panes,
	.n_panes = 2,
	.actions = actions,
	.moved = moved,
	.act = act,
	.said = said,
	.answered = answered,
	.closed = closed,
};
static const struct dash_page second = {
	.title = "Second",
	.panes = &panes[1],
	.n_panes = 1,
	.actions = actions,
	.act = act,
	.answered = answered,
	.closed = closed,
};

static const struct dash_page compared = { .title = "Compared", .panes = panes, .n_panes = 2, .beside = true };

static const struct dash_pane_def three[] = {
	{ .title = "Rows", .rows = &rows, .sort = DASH_UNSORTED },
	{ .title = "Upstream", .text = text },
	{ .title = "Before", .text = text, .shares = true },
	{ .title = "Now", .text = text },
};
static const struct dash_page shared = { .title = "Shared", .panes = three, .n_panes = 4, .above = true, .closed = closed };

static struct data data;
static struct dash *dash;
static struct canvas canvas;

static void fill(void)
{
	static char names[200][16];

	data = (struct data){ .n = 100 };
	for (size_t i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "Row-%03zu", i);
		data.rows[i] = (struct row){ i + 1000, names[i], (unsigned)(i * 7 % 100) };
	}
}

static void size(int rows_, int cols)
{
	struct event e = { .kind = EVENT_RESIZE, .row = rows_, .col = cols };

	canvas_resize(&canvas, rows_, cols);
	dash_event(dash, &e);
}

static void begin(void)
{
	struct dash_keymap keys;

	fill();
	dash_keymap_default(&keys);
	dash_free(dash);
	dash = dash_new(&keys);
	fill();
	dash_add_tab(dash, &first, &data);
	dash_add_tab(dash, &second, &data);
	dash_add_tab(dash, &compared, &data);
	size(24, 80);
}

static void press(const char *names)
{
	char copy[200], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", names);
	for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		struct event e = { .kind = EVENT_KEY };

		if (!key_parse(name, &e.key))
			printf("# '%s' is no key\n", name);
		dash_event(dash, &e);
	}
}

static bool shows(const char *what)
{
	struct buf out = { 0 };
	bool found;

	dash_settle(dash);
	dash_draw(dash, &canvas);
	canvas_dump(&canvas, &out, false);
	found = strstr(out.data, what) != NULL;
	if (!found)
		printf("# no '%s' in:\n%s", what, out.data);
	buf_free(&out);
	return found;
}

static bool hides(const char *what)
{
	struct buf out = { 0 };
	bool found;

	dash_settle(dash);
	dash_draw(dash, &canvas);
	canvas_dump(&canvas, &out, false);
	found = strstr(out.data, what) != NULL;
	buf_free(&out);
	return !found;
}

/* ---- Lists */

static void test_moving(void)
{
	begin();
	is_int((long long)dash_row(dash, 0), 0, "the cursor begins at the top");
	press("j j <Down> k");
	is_int((long long)dash_row(dash, 0), 2, "j, arrows, k");
	press("G");
	is_int((long long)dash_row(dash, 0), 99, "G");
	press("j <PgDn>");
	is_int((long long)dash_row(dash, 0), 99, "no further");
	press("<PgUp>");
	is_int((long long)dash_row(dash, 0), 91, "a page up");
	press("ctrl-u");
	is_int((long long)dash_row(dash, 0), 87, "half a page up");
	press("g k");
	is_int((long long)dash_row(dash, 0), 0, "g, and no further");
	is_int((long long)data.last_row, 0, "the page hears of it");
	data.moved = 0;
	press("j k");
	is_int(data.moved, 2, "once for each row");
	press("<Esc>");
	is_int(data.moved, 2, "and not where nothing moved");
	ok(shows("Row-000"), "drawn");
	size(24, 22);
	ok(hides("Number") && shows("Row-000"), "where it is narrow, a column goes");
}

/* What a key costs must not grow with the rows that are not seen. */
static void test_cost(void)
{
	begin();
	data.n = 200;
	dash_changed(dash, 0);
	dash_settle(dash);
	for (const char *const *key = (const char *const[]){ "j", "G", "/", "9", "<Esc>", "f", "0", "<Esc>", "S", NULL };
	     *key; key++) {
		cells_asked = 0;
		press(*key);
		dash_draw(dash, &canvas);
		ok(cells_asked <= 8 * 2, "%s looks at the rows that are seen, and no others: %u cells", *key, cells_asked);
	}
	cells_asked = 0;
	dash_grown(dash, 0);
	dash_settle(dash);
	is_int(cells_asked, 0, "rows that were there are not looked at again when more come");
}

static void test_identity(void)
{
	begin();
	press("j j");
	/* Rows come in before; the cursor stays on its row, which is the fourth now. */
	memmove(&data.rows[1], &data.rows[0], 100 * sizeof(data.rows[0]));
	data.rows[0] = (struct row){ 1, "new", 5 };
	data.n++;
	dash_changed(dash, 0);
	dash_settle(dash);
	is_int((long long)dash_row(dash, 0), 3, "the cursor stays on its row");
	data.n = 2;
	dash_changed(dash, 0);
	dash_settle(dash);
	is_int((long long)dash_row(dash, 0), 1, "or near its place when that is gone");
	data.n = 0;
	dash_changed(dash, 0);
	ok(shows("no rows"), "an empty list says so");
	ok(dash_row(dash, 0) == DASH_NO_ROW, "and has no row");
	ok(data.last_row == DASH_NO_ROW, "which the page hears");
	dash_set_message(dash, 0, ST_ERROR, "it failed");
	ok(shows("it failed"), "or what the page says");
}

static void test_sort(void)
{
	begin();
	press("s G");
	ok(shows("Sort by"), "a choice of columns");
	press("<Esc> s <Down> <Enter>");
	ok(shows("Number\xe2\x96\xbc"), "sorted, the highest first");
	is_int(data.rows[dash_row(dash, 0)].number, 99, "the first row");
	press("S");
	is_int(data.rows[dash_row(dash, 0)].number, 0, "the other way round");
	press("s <Up> <Enter> S");
	is_str(data.rows[dash_row(dash, 0)].name, "Row-099", "by text");
}

static void test_search(void)
{
	begin();
	press("/ 0 5");
	is_int((long long)dash_row(dash, 0), 5, "search goes along");
	press("7");
	is_int((long long)dash_row(dash, 0), 57, "as one types");
	press("x");
	is_int((long long)dash_row(dash, 0), 0, "nothing found: back where it began");
	press("<Backspace> <Enter> n");
	is_int((long long)dash_row(dash, 0), 57, "n goes round");
	press("<Esc> /");
	press("r o w - 0 1 <Enter> n n N");
	is_int((long long)dash_row(dash, 0), 11, "case does not matter; n and N");
	press("g / 0 9 <Esc>");
	is_int((long long)dash_row(dash, 0), 0, "Esc takes it back");
	press("n");
	ok(shows("nothing was searched"), "and forgets it");
}

static void test_filter(void)
{
	begin();
	press("f 9 9");
	ok(shows("Row-099") && shows("[99]") && shows("of 100"), "only rows that hold the text");
	is_int((long long)dash_row(dash, 0), 57, "in any column");
	press("9");
	ok(shows("no row passes"), "none");
	press("<Backspace> <Enter> j");
	is_int((long long)dash_row(dash, 0), 99, "moving in what is left");
	press("<Esc>");
	is_int((long long)dash_row(dash, 0), 99, "the cursor stays on its row when the filter goes");
	ok(shows("100/100"), "and all are there");
	data.even = true;
	dash_changed(dash, 0);
	ok(shows("/50 of 100"), "the page's own filter");
	press("f 4 <Enter> g");
	ok(hides("Row-007") && shows("Row-006") && shows("Row-004"), "and a text, both at once");
}

/* ---- Texts */

static void test_text(void)
{
	begin();
	data.text = "A line that is longer than the pane and has to be wrapped between two of its words, wherever that may "
		    "be in the text";
	dash_changed(dash, 1);
	size(24, 60);
	ok(shows("has to be") && shows("wherever"), "wrapped");
	press("<Tab> w");
	ok(hides("wherever"), "w cuts");
	press("l l l l l l l");
	ok(shows("wherever"), "l goes to the right");
	data.text = NULL;
	data.lines = 50;
	dash_changed(dash, 1);
	press("h h h h h h h");
	press("G");
	ok(shows("line 49"), "the end");
	data.lines = 60;
	dash_grown(dash, 1);
	ok(shows("line 59"), "a text that follows stays at its end");
	press("g");
	data.lines = 70;
	dash_grown(dash, 1);
	ok(shows("line 0"), "but not when one has gone up");
	press("/ 4 5 <Enter>");
	ok(shows("line 45"), "search");
	press("<Esc> g / l i n e <Enter> n n n");
	ok(hides("line 0 ") && shows("line 3"), "n goes on from the last match");
	press("z");
	ok(shows("(2/2)"), "z: the pane alone");
	press("<Esc> <Esc> <Esc> g");
	press("<Tab> g <Tab>");
	ok(shows("line 0"), "the top");
	press("J");
	ok(hides("line 0 ") && shows("line 3"), "J scrolls the text from the list");
	press("K");
	ok(shows("line 0"), "K back");
}

/* A log grows at its end; what is there is not looked at again, and narrow panes hold it, too. */
static void test_growing(void)
{
	struct dash_text t = { .wrap = true, .follow = true, .at_end = true };

	for (unsigned i = 0; i < 100; i++) {
		dash_text_add(&t, ST_PLAIN, "line %u of a log", i);
		dash_text_layout(&t, 10, 5);
	}
	is_int((long long)t.n_pieces, 200, "each line on two rows");
	is_int((long long)t.top, 195, "the end is seen");
	dash_text_move(&t, -10);
	dash_text_add(&t, ST_PLAIN, "one more");
	dash_text_layout(&t, 10, 5);
	is_int((long long)t.top, 185, "or where one has gone");
	dash_text_layout(&t, 80, 5);
	is_int((long long)t.n_pieces, 101, "wider");
	dash_text_layout(&t, 1, 5);
	ok(t.n_pieces > 1000, "one column");
	dash_text_reset(&t);
	dash_text_field(&t, "Label", ST_GOOD, "%s", "value\nwith two lines");
	dash_text_layout(&t, 80, 5);
	is_int((long long)t.n_pieces, 2, "another text");
	ok(t.lines[0].label == 7 && t.lines[1].label == 0, "with a label");
	dash_text_free(&t);
}

/* ---- Requests */

static void test_requests(void)
{
	struct dash_answer more = { .state = DASH_MORE, .message = "part" },
			   end = { .state = DASH_DONE, .message = "whole" };
	struct dash_answer failed = { .state = DASH_FAILED, .text = "no luck" };
	const struct dash_request *r;
	uint32_t one;

	begin();
	press("j R");
	is_int((long long)dash_waiting(dash), 1, "one request");
	r = dash_next_request(dash);
	ok(r && r->id == data.asked && r->kind == 1 && r->number == 1 && strcmp(r->text, "row") == 0, "as it was asked");
	ok(!dash_next_request(dash), "given once");
	one = r->id;
	dash_answer(dash, one, &more);
	is_str(data.answer, "1 row 0 -", "a part");
	ok(shows("part"), "is shown");
	dash_answer(dash, one, &end);
	is_str(data.answer, "1 row 1 -", "the end");
	is_int((long long)dash_waiting(dash), 0, "nothing is outstanding");
	data.answer[0] = '\0';
	dash_answer(dash, one, &failed);
	is_str(data.answer, "", "an answer too many is dropped");
	press("R");
	dash_cancel(dash, data.asked);
	ok(!dash_next_request(dash), "one that was not taken is cancelled without a word");
	press("R");
	r = dash_next_request(dash);
	one = r->id;
	dash_cancel(dash, one);
	r = dash_next_request(dash);
	ok(r && r->kind == DASH_CANCEL && r->number == one, "one that was taken is cancelled");
	dash_answer(dash, one, &failed);
	is_str(data.answer, "", "and its answer dropped");
	press("ctrl-l");
	r = dash_next_request(dash);
	ok(r && r->kind == DASH_REDRAW, "ctrl-l asks for all to be drawn");
	press("ctrl-z");
	r = dash_next_request(dash);
	ok(r && r->kind == DASH_SUSPEND, "ctrl-z for a stop");
	is_int((long long)dash_waiting(dash), 0, "which nobody answers");
}

/* ---- Popups, views, tabs */

static void test_popups(void)
{
	begin();
	press("<Enter>");
	ok(shows("Really?") && shows("y yes"), "a question");
	press("j x <Enter>");
	is_str(data.said, "", "which other keys do not answer");
	press("y");
	is_str(data.said, "1 1 ", "y does");
	press("<Enter> b <Enter>");
	is_str(data.said, "2 1 ab", "a prompt");
	press("<Enter>");
	ok(shows("3 of 3"), "a choice");
	press("p i n <Enter>");
	is_str(data.said, "3 1 pineapple", "narrowed down by typing");
	data.acts = 2;
	press("<Enter> p <Esc>");
	ok(strncmp(data.said, "3 0", 3) == 0, "cancelled");
	press("?");
	ok(shows("ask for what is shown again") && hides("fg in the shell"), "help");
	press("G");
	ok(shows("fg in the shell"), "scrolled to its end");
	press("q");
	ok(!dash_ended(dash) && hides("fg in the shell"), "q closes the help alone");
	press("q");
	ok(dash_ended(dash), "and the dashboard after it");
}

static void test_views(void)
{
	begin();
	data.acts = 3;
	press("<Enter> q");
	ok(shows("Rows") && !dash_ended(dash), "q closes a view");
	press("<Enter> Q");
	ok(dash_ended(dash), "Q leaves from wherever one is");
	begin();
	data.acts = 3;
	press("<Enter>");
	ok(shows("Text") && hides("Rows"), "a view above the page");
	press("R <Esc>");
	ok(shows("Rows") && data.closed == 1, "Esc closes it");
	is_int((long long)dash_waiting(dash), 0, "with what it asked for");
	press("L");
	ok(hides("Rows"), "the tab on the right");
	press("L");
	ok(shows("\xe2\x94\x90\xe2\x94\x8c Text"), "two panes beside each other");
	press("L");
	ok(shows("Rows") && hides("\xe2\x94\x90\xe2\x94\x8c Text"), "round to the first");
	press("2");
	ok(hides("Rows"), "by number");
	press("9");
	ok(shows("9 does nothing here; ? shows all keys"), "a key that is bound to nothing says so");
	press("H");
	ok(shows("Rows"), "the tab on the left");
}

static void begin_shared(void)
{
	begin();
	dash_add_tab(dash, &shared, &data);
	press("4");
}

/* Two panes that have one place where the screen is narrow. */
static void test_sharing(void)
{
	begin_shared();
	ok(shows("Upstream") && hides("Before") && shows("Now") && hides("(1/"), "one of the two, and nothing is missing");
	press("<Tab> <Tab>");
	is_int(dash_focus(dash), 3, "the other has no turn");
	ok(dash_swap(dash) && hides("Upstream") && shows("Before") && shows("Now"), "until they change places");
	is_int(dash_focus(dash), 3, "which leaves the focus where it was");
	press("shift-<Tab>");
	is_int(dash_focus(dash), 2, "it has a turn now");
	ok(dash_swap(dash), "back");
	is_int(dash_focus(dash), 1, "with the focus, where one of them has it");
	size(24, 150);
	ok(shows("Upstream") && shows("Before") && shows("Now") && !dash_swap(dash), "each has its own on a wide screen");
	press("<Tab>");
	size(24, 149);
	ok(hides("Upstream") && shows("Before"), "the one with the focus stays when that goes");
	press("z");
	ok(shows("Before (2/3)"), "alone");
	press("z");
	dash_hide(dash, 2, true);
	ok(shows("Upstream") && hides("Before") && !dash_swap(dash), "one that is hidden is not there");
	is_int(dash_focus(dash), 1, "nor has it the focus");
	dash_hide(dash, 3, true);
	ok(shows("Upstream") && hides("Now"), "nor has another");
	press("<Tab> <Tab>");
	is_int(dash_focus(dash), 1, "two are left");
	data.n = 3;
	dash_changed(dash, 0);
	dash_hide(dash, 3, false);
	size(50, 100);
	size(50, 100);
	ok(shows("Row-002 ") && hides("Row-003"), "three rows");
	press("J");
	size(10, 40);
	ok(shows("Upstream (2/3)"), "a small screen has one pane");
}

static void test_alerts(void)
{
	struct event tick = { .kind = EVENT_TICK, .now_ms = 1000 };

	begin();
	dash_set_status(dash, ST_DIM, "server here");
	ok(shows("server here"), "the status");
	dash_event(dash, &tick);
	dash_alert(dash, ST_GOOD, "done %d", 1);
	ok(shows("done 1") && hides("server here"), "an alert stands in its place");
	is_int(dash_timeout(dash), 6000, "and tells when it goes");
	tick.now_ms = 6999;
	dash_event(dash, &tick);
	ok(shows("done 1"), "not before");
	tick.now_ms = 7000;
	dash_event(dash, &tick);
	ok(shows("server here"), "but then");
	is_int(dash_timeout(dash), -1, "nothing more to wait for");
	dash_alert(dash, ST_ERROR, "bad \033[31m");
	tick.now_ms = 700000;
	dash_event(dash, &tick);
	ok(shows("bad \\x1b[31m"), "an error stays, made printable");
	press("j");
	ok(shows("server here"), "until the next key");
}

static void click(int row, int col)
{
	struct event e = { .kind = EVENT_CLICK, .row = row, .col = col };

	dash_event(dash, &e);
}

static void test_mouse(void)
{
	struct event wheel = { .kind = EVENT_WHEEL, .row = 5, .col = 5, .delta = 1 };

	begin();
	click(5, 5);
	is_int((long long)dash_row(dash, 0), 2, "a click chooses a row");
	is_int(data.acts, 0, "and opens nothing");
	click(5, 5);
	is_int(data.acts, 1, "a second one opens it");
	press("n");
	dash_event(dash, &wheel);
	ok(shows("Row-003") && hides("Row-002"), "the wheel scrolls");
	click(2, 75);
	ok(shows("Number\xe2\x96\xbc"), "a click on a heading sorts");
	click(2, 75);
	ok(shows("Number\xe2\x96\xb2"), "and again, the other way round");
	click(15, 5);
	is_int(dash_focus(dash), 1, "a click moves the focus");
	click(0, 14);
	ok(hides("Rows"), "a click on a tab");
}

/* ---- Anything at all */

static uint32_t random_state = 12345;

static uint32_t random_number(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

static void random_event(struct event *e)
{
	uint32_t what = random_number(100);

	*e = (struct event){ .kind = EVENT_KEY, .now_ms = random_number(100000) };
	if (what < 50)
		e->key = " jkgGnN/fsSwzhlHL[]12?RyYabc&q"[random_number(30)];
	else if (what < 80)
		e->key = TKEY_ENTER + random_number(30);
	else if (what < 90)
		e->key = random_number(0x120000) | (random_number(8) << 24);
	else
		e->kind = (enum event_kind)(EVENT_CLICK + random_number(3));
	e->row = (int)random_number(70) - 2;
	e->col = (int)random_number(220) - 2;
	e->delta = random_number(2) ? 1 : -1;
	if (e->kind == EVENT_RESIZE) {
		e->row = MAX_OF(e->row, 1);
		e->col = MAX_OF(e->col, 1);
		canvas_resize(&canvas, e->row, e->col);
	}
}

static void random_answers(void)
{
	const struct dash_request *r;

	while ((r = dash_next_request(dash))) {
		struct dash_answer a = { .state = random_number(3),
					 .message = "e\u0301日\n\033[31m text",
					 .text = "failed" };
		uint32_t number = r->id;

		dash_answer(dash, number, &a);
		a.state = DASH_DONE;
		dash_answer(dash, number, &a);
	}
}

static void test_anything(void)
{
	begin_shared();
	for (int i = 0; i < 30000; i++) {
		struct event e;

		random_event(&e);
		dash_event(dash, &e);
		if (i % 7 == 0) {
			data.n = random_number(200);
			data.lines = random_number(100);
			dash_changed(dash, random_number(4));
			dash_hide(dash, random_number(4), random_number(2));
			dash_swap(dash);
			dash_settle(dash);
		}
		dash_draw(dash, &canvas);
		random_answers();
		if (dash_ended(dash) || i % 5000 == 4999)
			begin_shared();
	}
	ok(true, "30000 random events");
}

int main(void)
{
	test_moving();
	test_cost();
	test_identity();
	test_sort();
	test_search();
	test_filter();
	test_text();
	test_growing();
	test_requests();
	test_popups();
	test_views();
	test_sharing();
	test_alerts();
	test_mouse();
	test_anything();
	dash_free(dash);
	canvas_free(&canvas);
	return done();
}
