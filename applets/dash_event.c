/* Owns what keys and the mouse do: one function an action, found through the table. Refuses to do anything for a key that is bound to
 * nothing, and tells how help is found when that happens. */
#include "applets/dash_own.h"

#include <stdlib.h>

#define SIDEWAYS 8 /* columns that a text moves to the side */
#define WHEEL 3

bool dash_applies(const struct dash *d, unsigned action)
{
	const struct view *v = dash_front(d);
	const struct pane *p = dash_focused(d);
	unsigned where = dash_actions[action].where;

	if (where & ON_ALWAYS || (p && where & ON_LIST && pane_is_list(p)) || (p && where & ON_TEXT && !pane_is_list(p)))
		return true;
	for (const unsigned *own = v && where & ON_PAGE ? v->def->actions : NULL; own && *own; own++)
		if (*own == action)
			return true;
	return false;
}

/* ---- Moving */

static void move_by(struct dash *d, long rows)
{
	struct pane *p = dash_focused(d);

	if (!p)
		return;
	if (pane_is_list(p))
		dash_list_move(&p->list, rows);
	else
		dash_text_move(&p->text, rows);
}

static long page_rows(const struct dash *d)
{
	const struct pane *p = dash_focused(d);

	return !p ? 1 : pane_is_list(p) ? p->list.height : p->text.height;
}

static void act_scroll_down(struct dash *d)
{
	move_by(d, 1);
}

static void act_scroll_up(struct dash *d)
{
	move_by(d, -1);
}

static void act_page_down(struct dash *d)
{
	move_by(d, page_rows(d));
}

static void act_page_up(struct dash *d)
{
	move_by(d, -page_rows(d));
}

static void act_half_down(struct dash *d)
{
	move_by(d, MAX_OF(page_rows(d) / 2, 1));
}

static void act_half_up(struct dash *d)
{
	move_by(d, -MAX_OF(page_rows(d) / 2, 1));
}

static void act_top(struct dash *d)
{
	move_by(d, -INT32_MAX);
}

static void act_bottom(struct dash *d)
{
	move_by(d, INT32_MAX);
}

/* The first text that is seen beside the list. */
static void move_detail(struct dash *d, long rows)
{
	struct view *v = dash_front(d);

	for (unsigned i = 0; v && i < v->n; i++)
		if (v->panes[i].seen && !pane_is_list(&v->panes[i])) {
			dash_text_move(&v->panes[i].text, rows);
			return;
		}
}

static void act_detail_down(struct dash *d)
{
	move_detail(d, WHEEL);
}

static void act_detail_up(struct dash *d)
{
	move_detail(d, -WHEEL);
}

/* ---- Panes and tabs */

static void focus_by(struct dash *d, unsigned by)
{
	struct view *v = dash_front(d);

	if (!v || !v->n)
		return;
	do
		v->focus = (v->focus + by) % v->n;
	while (v->panes[v->focus].away && v->focus);
}

static void act_next_pane(struct dash *d)
{
	focus_by(d, 1);
}

static void act_previous_pane(struct dash *d)
{
	const struct view *v = dash_front(d);

	focus_by(d, v ? v->n - 1 : 0);
}

static bool cut_text(const struct pane *p)
{
	return p && !pane_is_list(p) && !p->text.wrap;
}

/* In a text with cut lines, left and right move the text; at its left edge, left goes on to the pane before. */
static void act_pane_left(struct dash *d)
{
	struct pane *p = dash_focused(d);

	if (cut_text(p) && p->text.left > 0)
		dash_text_move_sideways(&p->text, -SIDEWAYS);
	else
		act_previous_pane(d);
}

static void act_pane_right(struct dash *d)
{
	struct pane *p = dash_focused(d);

	if (cut_text(p))
		dash_text_move_sideways(&p->text, SIDEWAYS);
	else
		act_next_pane(d);
}

static void act_zoom(struct dash *d)
{
	struct view *v = dash_front(d);

	if (v)
		v->zoom = !v->zoom;
}

static void to_tab(struct dash *d, size_t tab)
{
	if (tab < d->n_tabs)
		d->front = tab;
}

static void act_tab_left(struct dash *d)
{
	to_tab(d, d->front ? d->front - 1 : d->n_tabs - 1);
}

static void act_tab_right(struct dash *d)
{
	to_tab(d, d->front + 1 < d->n_tabs ? d->front + 1 : 0);
}

static void act_tab_1(struct dash *d)
{
	to_tab(d, 0);
}

static void act_tab_2(struct dash *d)
{
	to_tab(d, 1);
}

static void act_tab_3(struct dash *d)
{
	to_tab(d, 2);
}

static void act_tab_4(struct dash *d)
{
	to_tab(d, 3);
}

/* ---- Search, filter, sort */

static void open_line(struct dash *d, enum line_mode mode, const char *text)
{
	const struct pane *p = dash_focused(d);

	d->line_mode = mode;
	d->line_found = true;
	d->line_from = pane_is_list(p) ? p->list.cursor : p->text.top;
	dash_edit_set(&d->line, text);
}

static void act_search(struct dash *d)
{
	open_line(d, LINE_SEARCH, "");
}

static void act_filter(struct dash *d)
{
	open_line(d, LINE_FILTER, buf_str(&dash_focused(d)->list.filter));
}

static const struct buf *search_of(const struct pane *p)
{
	return pane_is_list(p) ? &p->list.search : &p->text.search;
}

/* text is copied: it may be the pane's own, which a search writes anew. */
static bool search(struct pane *p, const char *text, size_t from, bool here, bool forward)
{
	struct buf copy = { 0 };
	size_t n = p->list.n_view;
	bool found;

	buf_adds(&copy, text);
	if (!pane_is_list(p))
		found = dash_text_search(&p->text, buf_str(&copy), from, here, forward);
	else
		found = dash_list_search(&p->list, buf_str(&copy),
					 here || !n ? from
					 : forward  ? from + 1
						    : from + n - 1,
					 forward);
	buf_free(&copy);
	return found;
}

static void search_again(struct dash *d, bool forward)
{
	struct pane *p = dash_focused(d);
	const struct buf *text = search_of(p);

	if (text->len == 0)
		dash_alert(d, ST_WARNING, "nothing was searched yet");
	else if (!search(p, text->data, pane_is_list(p) ? p->list.cursor : dash_text_from(&p->text), false, forward))
		dash_alert(d, ST_WARNING, "not found: %s", buf_str(text));
}

static void act_search_next(struct dash *d)
{
	search_again(d, true);
}

static void act_search_previous(struct dash *d)
{
	search_again(d, false);
}

static void act_sort_reverse(struct dash *d)
{
	struct pane *p = dash_focused(d);

	if (p->list.sort != DASH_UNSORTED)
		dash_list_sort(&p->list, p->list.sort, !p->list.reverse);
	else
		dash_open_sort(d);
}

static void act_wrap(struct dash *d)
{
	struct pane *p = dash_focused(d);

	dash_text_wrap(&p->text, !p->text.wrap);
}

/* ---- The rest */

/* Whatever is open or set closes, one thing at a time. */
static void act_back(struct dash *d)
{
	struct view *v = dash_front(d);
	struct pane *p = dash_focused(d);

	if (p && search_of(p)->len) {
		search(p, "", 0, true, true);
	} else if (p && p->list.filter.len) {
		dash_list_filter(&p->list, "");
	} else if (v && v->zoom) {
		v->zoom = false;
	} else if (!dash_close_view(d) && v) {
		v->focus = 0;
	}
}

static void act_quit_all(struct dash *d)
{
	d->ended = true;
}

static void act_quit(struct dash *d)
{
	if (!dash_close_view(d))
		d->ended = true;
}

static void act_clear_screen(struct dash *d)
{
	dash_ask(d, DASH_REDRAW, 0, NULL);
}

static void act_suspend(struct dash *d)
{
	dash_ask(d, DASH_SUSPEND, 0, NULL);
}

static void help_rows(const struct dash *d, struct dash_text *t, unsigned where, const char *title)
{
	struct buf keys = { 0 };
	bool any = false;

	for (unsigned i = 1; i < ACT_COUNT; i++) {
		/* An action of lists and texts stands once, with those of lists. */
		unsigned first = dash_actions[i].where & -dash_actions[i].where;

		if (first != where || (where == ON_PAGE && !dash_applies(d, i)))
			continue;
		if (!any)
			dash_text_add(t, ST_HEADER, "%s%s", t->n ? "\n" : "", title);
		any = true;
		buf_reset(&keys);
		dash_keymap_keys(&d->keys, i, 3, &keys);
		dash_text_add(t, ST_PLAIN, "  %-23s %s", keys.len ? keys.data : "(no key)", dash_actions[i].help);
	}
	buf_free(&keys);
}

void dash_open_help(struct dash *d)
{
	struct dash_text *t = dash_show_text(d, "Keys");

	help_rows(d, t, ON_PAGE, "On this page");
	help_rows(d, t, ON_LIST, "In lists and texts");
	help_rows(d, t, ON_TEXT, "In texts");
	help_rows(d, t, ON_ALWAYS, "Everywhere");
}

static void (*const handlers[ACT_COUNT])(struct dash *) = {
	[ACT_SCROLL_DOWN] = act_scroll_down,
	[ACT_SCROLL_UP] = act_scroll_up,
	[ACT_PAGE_DOWN] = act_page_down,
	[ACT_PAGE_UP] = act_page_up,
	[ACT_HALF_DOWN] = act_half_down,
	[ACT_HALF_UP] = act_half_up,
	[ACT_TOP] = act_top,
	[ACT_BOTTOM] = act_bottom,
	[ACT_NEXT_PANE] = act_next_pane,
	[ACT_PREVIOUS_PANE] = act_previous_pane,
	[ACT_PANE_LEFT] = act_pane_left,
	[ACT_PANE_RIGHT] = act_pane_right,
	[ACT_ZOOM] = act_zoom,
	[ACT_TAB_LEFT] = act_tab_left,
	[ACT_TAB_RIGHT] = act_tab_right,
	[ACT_TAB_1] = act_tab_1,
	[ACT_TAB_2] = act_tab_2,
	[ACT_TAB_3] = act_tab_3,
	[ACT_TAB_4] = act_tab_4,
	[ACT_SEARCH] = act_search,
	[ACT_SEARCH_NEXT] = act_search_next,
	[ACT_SEARCH_PREVIOUS] = act_search_previous,
	[ACT_FILTER] = act_filter,
	[ACT_SORT] = dash_open_sort,
	[ACT_SORT_REVERSE] = act_sort_reverse,
	[ACT_WRAP] = act_wrap,
	[ACT_BACK] = act_back,
	[ACT_HELP] = dash_open_help,
	[ACT_QUIT] = act_quit,
	[ACT_QUIT_ALL] = act_quit_all,
	[ACT_DETAIL_DOWN] = act_detail_down,
	[ACT_DETAIL_UP] = act_detail_up,
	[ACT_CLEAR_SCREEN] = act_clear_screen,
	[ACT_SUSPEND] = act_suspend,
};

static void perform(struct dash *d, unsigned action)
{
	struct view *v = dash_front(d);

	if (!dash_applies(d, action))
		return;
	if (dash_actions[action].where & ON_PAGE)
		DASH_CALL(d, v, act, action);
	else if (handlers[action])
		handlers[action](d);
}

/* ---- Keys */

static void line_changed(struct dash *d)
{
	struct pane *p = dash_focused(d);
	const char *text = buf_str(&d->line.text);

	if (d->line_mode == LINE_FILTER) {
		dash_list_filter(&p->list, text);
		d->line_found = p->list.n_view > 0 || p->list.n == 0;
		return;
	}
	d->line_found = search(p, text, d->line_from, true, true) || !*text;
	if (!d->line_found || !*text) {
		/* Nothing found, or nothing asked: the place is as before. */
		if (pane_is_list(p))
			dash_list_move(&p->list, (long)d->line_from - (long)p->list.cursor);
		else
			p->text.top = d->line_from;
	}
}

static void line_key(struct dash *d, uint32_t key)
{
	bool changed, leave = key == TKEY_ESC || key == ('c' | TKEY_CTRL);

	/* As in other programs, taking back more than was typed leaves the line. */
	if (key == TKEY_BACKSPACE && d->line.text.len == 0)
		leave = true;
	if (leave) {
		dash_edit_set(&d->line, "");
		line_changed(d);
	}
	if (leave || key == TKEY_ENTER) {
		d->line_mode = LINE_NONE;
		return;
	}
	/* The arrows move in the list below while one types. */
	if (key == TKEY_DOWN || key == TKEY_UP)
		move_by(d, key == TKEY_DOWN ? 1 : -1);
	else if (dash_edit_key(&d->line, key, &changed) && changed)
		line_changed(d);
}

static void sort_chosen(struct dash *d, size_t column)
{
	struct pane *p = dash_focused(d);

	if (p && pane_is_list(p) && column < p->def->rows->n_columns)
		dash_list_sort(&p->list, (int)column, p->def->rows->columns[column].reverse);
}

/* The popup has ended: it is taken away before anyone hears of it, because they may open the next. */
static void popup_ended(struct dash *d, bool yes)
{
	struct dash_popup done = d->popup;
	struct view *v = d->popup_view;
	enum popup_owner owner = d->owner;
	size_t choice = dash_popup_choice(&done);
	struct dash_said said = { .tag = done.tag, .yes = yes, .choice = choice, .text = buf_str(&done.edit.text) };

	if (done.kind == POPUP_CHOOSE && choice != SIZE_MAX)
		said.text = done.items[choice];
	d->popup = (struct dash_popup){ 0 };
	d->popup_view = NULL;
	if (owner == OWNER_SORT && yes)
		sort_chosen(d, choice);
	else if (owner == OWNER_PAGE && v)
		DASH_CALL(d, v, said, &said);
	dash_popup_close(&done);
}

static void popup_result(struct dash *d, enum popup_result result)
{
	if (result != POPUP_STAYS)
		popup_ended(d, result == POPUP_ACCEPTED);
}

static void says_nothing(struct dash *d, uint32_t key)
{
	struct buf help = { 0 };
	char name[KEY_NAME_MAX];

	if (dash_keymap_keys(&d->keys, ACT_HELP, 1, &help))
		dash_alert(d, ST_DIM, "%s does nothing here; %s shows all keys", key_print(name, key), help.data);
	buf_free(&help);
}

static void key_event(struct dash *d, uint32_t key)
{
	unsigned action = dash_keymap_find(&d->keys, key);
	/* Whatever is open, the terminal's own keys work. */
	bool always = action == ACT_SUSPEND || action == ACT_CLEAR_SCREEN;

	if (d->alert_until == 0 || action == ACT_BACK) {
		free(d->alert);
		d->alert = NULL;
	}
	if (d->line_mode != LINE_NONE && !always)
		line_key(d, key);
	else if (d->popup.kind != POPUP_NONE && !always)
		popup_result(d, dash_popup_key(&d->popup, key));
	else if (action != ACT_NONE && dash_applies(d, action))
		perform(d, action);
	else
		says_nothing(d, key);
}

/* ---- The mouse */

static void click_tabs(struct dash *d, int col)
{
	int at[DASH_TABS_MOST + 1];

	dash_tab_columns(d, at);
	for (size_t i = 0; i < d->n_tabs; i++)
		if (col >= at[i] && col < at[i + 1])
			to_tab(d, i);
}

static void click_list(struct dash *d, struct pane *p, int row, int col)
{
	struct rect in = pane_inside(p);
	size_t at = p->list.top + (size_t)MAX_OF(row - in.row - 1, 0);
	int column;

	if (row == in.row) {
		column = dash_list_column_at(&p->list, in, col);
		if (column >= 0 && column == p->list.sort)
			dash_list_sort(&p->list, column, !p->list.reverse);
		else if (column >= 0)
			sort_chosen(d, (size_t)column);
		return;
	}
	if (at >= p->list.n_view)
		return;
	/* A click on the row with the cursor opens it. */
	if (at == p->list.cursor)
		perform(d, ACT_SELECT);
	else
		dash_list_move(&p->list, (long)at - (long)p->list.cursor);
}

static struct pane *pane_at(const struct dash *d, int row, int col, unsigned *number)
{
	struct view *v = dash_front(d);

	for (unsigned i = 0; v && i < v->n; i++)
		if (v->panes[i].seen && rect_holds(v->panes[i].r, row, col)) {
			*number = i;
			return &v->panes[i];
		}
	return NULL;
}

static void click_event(struct dash *d, int row, int col)
{
	unsigned number = 0;
	struct pane *p = pane_at(d, row, col, &number);
	struct view *v = dash_front(d);
	bool inside, had;

	if (d->popup.kind != POPUP_NONE) {
		popup_result(d, dash_popup_click(&d->popup, row, col));
		return;
	}
	d->line_mode = LINE_NONE;
	if (row == 0)
		click_tabs(d, col);
	if (!p || !v)
		return;
	inside = rect_holds(pane_inside(p), row, col);
	had = v->focus == number;
	v->focus = number;
	/* The first click into another pane chooses, and opens nothing. */
	if (inside && pane_is_list(p) && (had || p->list.top + (size_t)(row - p->r.row - 2) != p->list.cursor))
		click_list(d, p, row, col);
}

static void wheel_event(struct dash *d, const struct event *e)
{
	unsigned number;
	struct pane *p = pane_at(d, e->row, e->col, &number);

	if (d->popup.kind != POPUP_NONE)
		dash_popup_wheel(&d->popup, e->delta);
	else if (p && pane_is_list(p))
		dash_list_scroll(&p->list, (long)e->delta * WHEEL);
	else if (p)
		dash_text_move(&p->text, (long)e->delta * WHEEL);
}

static void resize_event(struct dash *d, const struct event *e)
{
	d->rows = MIN_OF(MAX_OF(e->row, 1), CANVAS_SIDE_MOST);
	d->cols = MIN_OF(MAX_OF(e->col, 1), CANVAS_SIDE_MOST);
}

void dash_event(struct dash *d, const struct event *e)
{
	d->now_ms = MAX_OF(d->now_ms, e->now_ms);
	if (d->alert && d->alert_until && d->now_ms >= d->alert_until) {
		free(d->alert);
		d->alert = NULL;
	}
	dash_settle(d);
	if (e->kind == EVENT_KEY)
		key_event(d, e->key);
	else if (e->kind == EVENT_CLICK)
		click_event(d, e->row, e->col);
	else if (e->kind == EVENT_WHEEL)
		wheel_event(d, e);
	else if (e->kind == EVENT_RESIZE)
		resize_event(d, e);
	else if (e->kind == EVENT_END)
		d->ended = true;
	dash_settle(d);
}
