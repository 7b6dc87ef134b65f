/* Owns popups: what they hold, the keys they take, how they look. Refuses nothing; a question is answered by y alone, so that a key typed
 * too often does no harm. */
#include "applets/dash_popup.h"

#include "applets/dash_list.h"
#include "applets/dash_style.h"
#include "lib/err.h"
#include "lib/event.h"

#include <stdlib.h>

#define WIDE 72 /* columns that a popup takes at most, unless its text is a help */

void dash_popup_close(struct dash_popup *p)
{
	free(p->title);
	free(p->items);
	free(p->view);
	arena_free(p->items_arena);
	buf_free(&p->edit.text);
	dash_text_free(&p->text);
	*p = (struct dash_popup){ 0 };
}

static void open_popup(struct dash_popup *p, enum popup_kind kind, const char *title)
{
	dash_popup_close(p);
	p->kind = kind;
	p->title = xstrdup(title);
	p->text.wrap = true;
}

void dash_popup_confirm(struct dash_popup *p, const char *title, const char *question)
{
	open_popup(p, POPUP_CONFIRM, title);
	dash_text_lines(&p->text, ST_PLAIN, question, strlen(question));
}

void dash_popup_prompt(struct dash_popup *p, const char *title, const char *initial)
{
	open_popup(p, POPUP_PROMPT, title);
	dash_edit_set(&p->edit, initial);
}

void dash_popup_text(struct dash_popup *p, const char *title)
{
	open_popup(p, POPUP_TEXT, title);
}

/* ---- Choosing */

static void match_items(struct dash_popup *p)
{
	struct buf typed = { 0 }, small = { 0 };

	dash_lower(&typed, buf_str(&p->edit.text), p->edit.text.len);
	p->n_view = 0;
	for (size_t i = 0; i < p->n_items; i++) {
		buf_reset(&small);
		dash_lower(&small, p->items[i], strlen(p->items[i]));
		if (typed.len == 0 || memmem(small.data, small.len, typed.data, typed.len))
			p->view[p->n_view++] = i;
	}
	p->cursor = p->top = 0;
	buf_free(&typed);
	buf_free(&small);
}

void dash_popup_choose(struct dash_popup *p, const char *title, const char *const *items, size_t n, size_t chosen)
{
	open_popup(p, POPUP_CHOOSE, title);
	p->items_arena = arena_new(0);
	p->items = xcalloc(n + 1, sizeof(*p->items));
	p->view = xcalloc(n + 1, sizeof(*p->view));
	for (size_t i = 0; i < n; i++)
		p->items[i] = arena_strdup(p->items_arena, items[i]);
	p->n_items = n;
	match_items(p);
	if (chosen < n)
		p->cursor = chosen;
}

void dash_popup_menu(struct dash_popup *p, const char *title, const char *const *items, size_t n, size_t chosen)
{
	dash_popup_choose(p, title, items, n, chosen);
	p->menu = true;
}

size_t dash_popup_choice(const struct dash_popup *p)
{
	return p->cursor < p->n_view ? p->view[p->cursor] : SIZE_MAX;
}

/* Rows above the items: the frame, and what is typed. */
static int head_rows(const struct dash_popup *p)
{
	return p->menu ? 1 : 3;
}

static int list_height(const struct dash_popup *p)
{
	return MAX_OF(p->r.rows - head_rows(p) - 1, 1);
}

static void show_cursor(struct dash_popup *p)
{
	size_t seen = (size_t)list_height(p);

	if (p->cursor < p->top)
		p->top = p->cursor;
	if (p->cursor >= p->top + seen)
		p->top = p->cursor - seen + 1;
}

static void move_choice(struct dash_popup *p, long by)
{
	if (by < 0)
		p->cursor = p->cursor > (size_t)-by ? p->cursor - (size_t)-by : 0;
	else
		p->cursor = MIN_OF(p->cursor + (size_t)by, p->n_view ? p->n_view - 1 : 0);
	show_cursor(p);
}

/* ---- Place */

static int wanted_rows(const struct dash_popup *p)
{
	switch (p->kind) {
	case POPUP_CHOOSE:
		return (int)MIN_OF(p->n_items, (size_t)CANVAS_SIDE_MOST) + head_rows(p) + 1;
	case POPUP_CONFIRM:
		return (int)MIN_OF(p->text.n_pieces, (size_t)CANVAS_SIDE_MOST) + 4;
	case POPUP_TEXT:
		return (int)MIN_OF(p->text.n_pieces, (size_t)CANVAS_SIDE_MOST) + 2;
	default:
		return 3;
	}
}

void dash_popup_layout(struct dash_popup *p, int rows, int cols)
{
	int width = MIN_OF(cols >= 24 ? cols - 4 : cols, WIDE), height, most = rows >= 10 ? rows - 2 : rows;

	if (p->kind == POPUP_CONFIRM || p->kind == POPUP_TEXT)
		dash_text_layout(&p->text, width - 4, most - 2);
	height = MIN_OF(wanted_rows(p), most);
	p->r = rect_of((rows - height) / 2, (cols - width) / 2, height, width);
	if (p->kind == POPUP_CONFIRM || p->kind == POPUP_TEXT)
		dash_text_layout(&p->text, width - 4, height - 2 - (p->kind == POPUP_CONFIRM ? 2 : 0));
	if (p->kind == POPUP_CHOOSE)
		show_cursor(p);
}

/* ---- Keys */

struct move {
	uint32_t key;
	long by; /* rows, or pages where page is set */
	bool page;
};

static const struct move moves[] = {
	{ TKEY_DOWN, 1, false },       { TKEY_UP, -1, false },
	{ 'n' | TKEY_CTRL, 1, false }, { 'p' | TKEY_CTRL, -1, false },
	{ TKEY_PAGE_DOWN, 1, true },   { TKEY_PAGE_UP, -1, true },
	{ TKEY_TAB, 1, false },        { TKEY_TAB | TKEY_SHIFT, -1, false },
};

static const struct move text_moves[] = {
	{ 'j', 1, false },
	{ 'k', -1, false },
	{ TKEY_SPACE, 1, true },
	{ 'g', -1000000, false },
	{ 'G', 1000000, false },
	{ TKEY_HOME, -1000000, false },
	{ TKEY_END, 1000000, false },
	{ 'd' | TKEY_CTRL, 1, true },
	{ 'u' | TKEY_CTRL, -1, true },
};

static long move_of(uint32_t key, int page)
{
	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (moves[i].key == key)
			return moves[i].by * (moves[i].page ? page : 1);
	return 0;
}

static long text_move_of(uint32_t key, int page)
{
	for (size_t i = 0; i < ARRAY_LEN(text_moves); i++)
		if (text_moves[i].key == key)
			return text_moves[i].by * (text_moves[i].page ? page : 1);
	return move_of(key, page);
}

static enum popup_result key_confirm(struct dash_popup *p, uint32_t key)
{
	if (key == 'y' || key == 'Y')
		return POPUP_ACCEPTED;
	if (key == 'n' || key == 'N' || key == 'q')
		return POPUP_CANCELLED;
	dash_text_move(&p->text, text_move_of(key, p->text.height));
	return POPUP_STAYS;
}

/* The number before an item takes it. */
static enum popup_result key_menu(struct dash_popup *p, uint32_t key)
{
	if (key == 'q')
		return POPUP_CANCELLED;
	if (key == TKEY_SPACE)
		return POPUP_ACCEPTED;
	if (key < '1' || key > '9' || key - '1' >= p->n_items) {
		move_choice(p, text_move_of(key, list_height(p)));
		return POPUP_STAYS;
	}
	p->cursor = key - '1';
	return POPUP_ACCEPTED;
}

static enum popup_result key_choose(struct dash_popup *p, uint32_t key)
{
	long by = move_of(key, list_height(p));
	bool changed;

	if (key == TKEY_ENTER)
		return p->n_view ? POPUP_ACCEPTED : POPUP_STAYS;
	if (p->menu)
		return key_menu(p, key);
	if (by)
		move_choice(p, by);
	else if (dash_edit_key(&p->edit, key, &changed) && changed)
		match_items(p);
	return POPUP_STAYS;
}

static enum popup_result key_prompt(struct dash_popup *p, uint32_t key)
{
	bool changed;

	if (key == TKEY_ENTER)
		return POPUP_ACCEPTED;
	dash_edit_key(&p->edit, key, &changed);
	return POPUP_STAYS;
}

static enum popup_result key_text(struct dash_popup *p, uint32_t key)
{
	if (key == 'q' || key == '?' || key == TKEY_ENTER || key == TKEY_F1)
		return POPUP_CANCELLED;
	dash_text_move(&p->text, text_move_of(key, p->text.height));
	return POPUP_STAYS;
}

enum popup_result dash_popup_key(struct dash_popup *p, uint32_t key)
{
	static enum popup_result (*const keys[])(struct dash_popup *, uint32_t) = {
		[POPUP_CONFIRM] = key_confirm,
		[POPUP_PROMPT] = key_prompt,
		[POPUP_CHOOSE] = key_choose,
		[POPUP_TEXT] = key_text,
	};

	if (key == TKEY_ESC || key == ('c' | TKEY_CTRL))
		return POPUP_CANCELLED;
	return keys[p->kind](p, key);
}

enum popup_result dash_popup_click(struct dash_popup *p, int row, int col)
{
	size_t at = p->top + (size_t)MAX_OF(row - p->r.row - head_rows(p), 0);

	if (!rect_holds(p->r, row, col))
		return p->kind == POPUP_TEXT ? POPUP_CANCELLED : POPUP_STAYS;
	if (p->kind != POPUP_CHOOSE || row < p->r.row + head_rows(p) || row >= p->r.row + p->r.rows - 1 || at >= p->n_view)
		return POPUP_STAYS;
	p->cursor = at;
	return POPUP_ACCEPTED;
}

void dash_popup_wheel(struct dash_popup *p, int delta)
{
	if (p->kind == POPUP_CHOOSE)
		move_choice(p, delta);
	else
		dash_text_move(&p->text, delta * 3L);
}

/* ---- Drawing */

static void draw_items(const struct dash_popup *p, struct canvas *c, struct rect in)
{
	for (int i = 0; i < list_height(p) && p->top + (size_t)i < p->n_view; i++) {
		size_t number = p->top + (size_t)i;
		const char *item = p->items[p->view[number]];
		int row = p->r.row + head_rows(p) + i, col = in.col;

		if (p->menu && number < 9)
			canvas_printf(c, row, col, ST_KEY, "%zu", number + 1);
		col += p->menu ? 3 : 0;
		canvas_fit(c, row, col, in.col + in.cols - col, ST_PLAIN, item, strlen(item));
		if (number == p->cursor)
			canvas_add_style(c, rect_of(row, in.col, 1, in.cols), STYLE_REVERSE);
	}
}

static void draw_choose(const struct dash_popup *p, struct canvas *c, struct rect in)
{
	draw_items(p, c, in);
	if (p->menu)
		return;
	dash_edit_draw(&p->edit, c, in.row, in.col, in.cols, ST_PLAIN);
	canvas_clear(c, rect_of(in.row + 1, in.col, 1, in.cols), ST_PLAIN);
	if (p->n_view == 0)
		canvas_puts(c, in.row + 2, in.col, ST_DIM, "nothing like that");
	canvas_printf(c, in.row + 1, in.col, ST_DIM, "%zu of %zu; type to narrow down", p->n_view, p->n_items);
}

static void draw_confirm(const struct dash_popup *p, struct canvas *c, struct rect in)
{
	int row = in.row + in.rows - 1, col;

	dash_text_draw(&p->text, c, rect_of(in.row, in.col, in.rows - 2, in.cols));
	col = canvas_puts(c, row, in.col, ST_KEY, "y");
	col = canvas_puts(c, row, col, ST_PLAIN, " yes  ");
	col = canvas_puts(c, row, col, ST_KEY, "n");
	canvas_puts(c, row, col, ST_PLAIN, " no");
}

static void draw_prompt(const struct dash_popup *p, struct canvas *c, struct rect in)
{
	dash_edit_draw(&p->edit, c, in.row, in.col, in.cols, ST_PLAIN);
}

static void draw_text(const struct dash_popup *p, struct canvas *c, struct rect in)
{
	dash_text_draw(&p->text, c, in);
}

void dash_popup_draw(const struct dash_popup *p, struct canvas *c)
{
	static void (*const draw[])(const struct dash_popup *, struct canvas *, struct rect) = {
		[POPUP_CONFIRM] = draw_confirm,
		[POPUP_PROMPT] = draw_prompt,
		[POPUP_CHOOSE] = draw_choose,
		[POPUP_TEXT] = draw_text,
	};
	struct rect in = rect_of(p->r.row + 1, p->r.col + 2, p->r.rows - 2, p->r.cols - 4), before;

	canvas_clear(c, p->r, ST_PLAIN);
	canvas_box(c, p->r, ST_POPUP, p->title);
	if (p->kind == POPUP_CHOOSE)
		canvas_thumb(c, rect_of(p->r.row + head_rows(p), in.col, list_height(p), in.cols + 1), p->top,
			     (size_t)list_height(p), p->n_view, ST_POPUP);
	else
		canvas_thumb(c, rect_of(in.row, in.col, p->text.height, in.cols + 1), p->text.top, (size_t)p->text.height,
			     p->text.n_pieces, ST_POPUP);
	before = canvas_clip(c, in);
	draw[p->kind](p, c, in);
	canvas_unclip(c, before);
}
