/* Owns the frame around the panes: tabs, status, footer, and what is drawn in which order. Refuses to change anything: state in, cells out. */
#include "applets/dash_own.h"

#include "lib/str.h"

#include <stdio.h>

void dash_tab_columns(const struct dash *d, int at[DASH_TABS_MOST + 1])
{
	int col = 0;

	for (size_t i = 0; i < d->n_tabs; i++) {
		const struct view *v = d->tabs[i];

		while (v->below)
			v = v->below;
		at[i] = col;
		/* " 1 Title " */
		col += 4 + text_columns(v->def->title, strlen(v->def->title));
	}
	at[d->n_tabs] = col;
}

static void draw_tabs(const struct dash *d, struct canvas *c)
{
	int at[DASH_TABS_MOST + 1];

	dash_tab_columns(d, at);
	for (size_t i = 0; i < d->n_tabs; i++) {
		const struct view *v = d->tabs[i];

		while (v->below)
			v = v->below;
		canvas_printf(c, 0, at[i], i == d->front ? ST_TAB_FRONT : ST_TAB, " %zu %s ", i + 1, v->def->title);
	}
	if (at[d->n_tabs] + 9 <= c->cols)
		canvas_puts(c, 0, c->cols - 8, ST_DIM, "tuxtape");
}

/* ---- Panes */

/* "Details (2/3)" where not all panes are seen. */
static void pane_title(const struct view *v, const struct pane *p, struct buf *out)
{
	unsigned seen = 0, all = dash_panes_before(v, v->n);

	for (unsigned i = 0; i < v->n; i++)
		seen += v->panes[i].seen;
	buf_adds(out, p->title ? p->title : p->def->title);
	if (seen < all)
		buf_printf(out, " (%u/%u)", dash_panes_before(v, (unsigned)(p - v->panes)) + 1, all);
}

static const char *empty_text(const struct pane *p, unsigned *style)
{
	*style = ST_DIM;
	if (p->list.n && !p->message)
		return "no row passes the filters";
	if (!p->message)
		return p->def->empty ? p->def->empty : "nothing here";
	*style = p->message_style;
	return p->message;
}

static void draw_pane(const struct view *v, const struct pane *p, bool focus, struct canvas *c)
{
	unsigned style = focus ? ST_FOCUS : ST_BORDER, message_style;
	struct rect in = pane_inside(p);
	const char *message = empty_text(p, &message_style);
	struct buf title = { 0 };

	pane_title(v, p, &title);
	canvas_box(c, p->r, style, buf_str(&title));
	buf_free(&title);
	if (pane_is_list(p)) {
		dash_list_draw(&p->list, c, in, focus, message, message_style);
		canvas_thumb(c, rect_of(in.row + 1, in.col, in.rows - 1, in.cols), p->list.top, (size_t)p->list.height,
			     p->list.n_view, style);
		return;
	}
	dash_text_draw(&p->text, c, in);
	canvas_thumb(c, in, p->text.top, (size_t)p->text.height, p->text.n_pieces, style);
	if (p->text.n == 0)
		canvas_fit(c, in.row, in.col, in.cols, message_style, message, strlen(message));
}

/* ---- Status line and footer */

static void list_place(const struct dash_list *l, struct buf *out)
{
	if (l->sort != DASH_UNSORTED)
		buf_printf(out, "by %s  ", l->rows->columns[l->sort].title);
	if (l->filter.len)
		buf_printf(out, "[%s]  ", l->filter.data);
	buf_printf(out, "%zu/%zu", l->n_view ? l->cursor + 1 : 0, l->n_view);
	if (l->n_view != l->n)
		buf_printf(out, " of %zu", l->n);
}

static void text_place(const struct dash_text *t, struct buf *out)
{
	size_t seen = (size_t)MAX_OF(t->height, 1), last = t->n_pieces > seen ? t->n_pieces - seen : 0;

	buf_printf(out, "%zu%%", last ? t->top * 100 / last : 100);
}

/* Where one is in the pane with the focus; returns the column where it begins. */
static int draw_place(const struct dash *d, struct canvas *c, int row)
{
	const struct pane *p = dash_focused(d);
	struct buf text = { 0 };
	int width, col = c->cols;

	if (p && pane_is_list(p))
		list_place(&p->list, &text);
	else if (p)
		text_place(&p->text, &text);
	width = text_columns(buf_str(&text), text.len);
	if (text.len && width + 1 < c->cols) {
		col = c->cols - width - 1;
		canvas_text(c, row, col, ST_STATUS, text.data, text.len);
	}
	buf_free(&text);
	return col - 1;
}

/* Takes the rows of status and footer, broken at a blank: what went wrong is to be read to its end. */
static void draw_long_alert(const struct dash *d, struct canvas *c, int row)
{
	const char *s = d->alert;
	size_t n = strlen(s), first = text_fit(s, n, c->cols, NULL), at = first;

	while (at > 0 && s[at] != ' ')
		at--;
	at = at ? at : first;
	canvas_clear(c, rect_of(row, 0, 2, c->cols), ST_PLAIN);
	canvas_text(c, row, 0, d->alert_style, s, at);
	s += at + (s[at] == ' ');
	canvas_fit(c, row + 1, 0, c->cols, d->alert_style, s, strlen(s));
}

/* False where an alert is longer than its place. */
static bool draw_status(const struct dash *d, struct canvas *c, int row)
{
	int right = draw_place(d, c, row), col;

	if (d->line_mode != LINE_NONE) {
		col = canvas_puts(c, row, 0, ST_KEY, d->line_mode == LINE_SEARCH ? "/" : "filter: ");
		dash_edit_draw(&d->line, c, row, col, MAX_OF(right - col, 1), d->line_found ? ST_PLAIN : ST_ERROR);
	} else if (d->alert) {
		canvas_fit(c, row, 0, right, d->alert_style, d->alert, strlen(d->alert));
		return text_columns(d->alert, strlen(d->alert)) <= right;
	} else if (d->status) {
		canvas_fit(c, row, 0, right, d->status_style, d->status, strlen(d->status));
	}
	return true;
}

static bool has_two_in_one_place(const struct view *v)
{
	for (unsigned i = 0; i < v->n; i++)
		if (v->panes[i].away && !v->panes[i].hidden)
			return true;
	return false;
}

/* Is there something for it to do? Only for what the footer shows. */
static bool footer_shows(const struct dash *d, unsigned action)
{
	const struct view *v = dash_front(d);
	const struct pane *p = dash_focused(d);

	if (!dash_actions[action].label || !dash_applies(d, action))
		return false;
	if (action == ACT_NEXT_PANE || action == ACT_ZOOM)
		return v && dash_panes_before(v, v->n) > 1;
	if (action == ACT_APPROVED)
		return v && has_two_in_one_place(v);
	if (action == ACT_SORT)
		return p && p->list.rows && p->list.rows->sort_key;
	if (action == ACT_BACK)
		return v && (v->below || v->zoom || v->focus ||
			     (p && (p->list.search.len || p->list.filter.len || p->text.search.len)));
	return true;
}

/* "<Enter>" is "Enter" where there is no doubt that it is a key. */
static void footer_key(const struct dash *d, unsigned action, struct buf *out)
{
	buf_reset(out);
	dash_keymap_keys(&d->keys, action, 1, out);
	if (out->len > 2 && out->data[0] == '<') {
		memmove(out->data, out->data + 1, out->len - 2);
		out->len -= 2;
		out->data[out->len] = '\0';
	}
}

/* Draws "key word" where it ends before `right`; returns the column for the next. */
static int footer_item(struct canvas *c, int row, int col, int right, const char *key, const char *word)
{
	int width = text_columns(key, strlen(key)) + 1 + text_columns(word, strlen(word));

	if (!*key || col + width > right)
		return col;
	col = canvas_puts(c, row, col, ST_KEY, key);
	return canvas_printf(c, row, col, ST_PLAIN, " %s", word) + 2;
}

/* The way to the help and the way out always have their place; the rest gets what is left. */
static const unsigned always_shown[] = { ACT_HELP, ACT_QUIT };

static int footer_ends(const struct dash *d, struct canvas *c, int row)
{
	struct buf key = { 0 };
	int width = 0, col;

	for (size_t i = 0; i < ARRAY_LEN(always_shown); i++) {
		footer_key(d, always_shown[i], &key);
		if (key.len)
			width += text_columns(key.data, key.len) + (int)strlen(dash_actions[always_shown[i]].label) + 3;
	}
	width = MAX_OF(width - 2, 0);
	col = c->cols - width;
	for (size_t i = 0; i < ARRAY_LEN(always_shown); i++) {
		footer_key(d, always_shown[i], &key);
		col = footer_item(c, row, col, c->cols, buf_str(&key), dash_actions[always_shown[i]].label);
	}
	buf_free(&key);
	return c->cols - width - 2;
}

static void popup_footer(const struct dash *d, struct canvas *c, int row)
{
	enum popup_kind kind = d->line_mode != LINE_NONE ? POPUP_PROMPT : d->popup.kind;
	int col = 0;

	if (kind == POPUP_CONFIRM)
		col = footer_item(c, row, col, c->cols, "y", "yes");
	else if (kind != POPUP_TEXT)
		col = footer_item(c, row, col, c->cols, "Enter", "accept");
	footer_item(c, row, col, c->cols, "Esc", kind == POPUP_TEXT ? "close" : "cancel");
}

static void draw_footer(const struct dash *d, struct canvas *c, int row)
{
	struct buf key = { 0 };
	int col = 0, right;

	if (d->line_mode != LINE_NONE || d->popup.kind != POPUP_NONE) {
		popup_footer(d, c, row);
		return;
	}
	right = footer_ends(d, c, row);
	for (unsigned i = 1; i < ACT_COUNT; i++) {
		if (!footer_shows(d, i) || i == ACT_HELP || i == ACT_QUIT)
			continue;
		footer_key(d, i, &key);
		col = footer_item(c, row, col, right, buf_str(&key), dash_actions[i].label);
	}
	buf_free(&key);
}

void dash_draw(const struct dash *d, struct canvas *c)
{
	const struct view *v = dash_front(d);

	canvas_clear(c, rect_of(0, 0, c->rows, c->cols), ST_PLAIN);
	if (c->rows < 5 || c->cols < 20) {
		canvas_puts(c, 0, 0, ST_PLAIN, "the window is too small");
		return;
	}
	draw_tabs(d, c);
	for (unsigned i = 0; v && i < v->n; i++)
		if (v->panes[i].seen)
			draw_pane(v, &v->panes[i], v->focus == i && d->popup.kind == POPUP_NONE, c);
	draw_footer(d, c, c->rows - 1);
	if (!draw_status(d, c, c->rows - 2) && d->popup.kind == POPUP_NONE)
		draw_long_alert(d, c, c->rows - 2);
	if (d->popup.kind != POPUP_NONE)
		dash_popup_draw(&d->popup, c);
}
