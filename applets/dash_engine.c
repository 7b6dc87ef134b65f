/* Owns the dashboard's state: tabs, views, panes, requests. Refuses to call a page for what it does not see, and answers to nobody. */
#include "applets/dash_own.h"

#include "lib/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ALERT_MS 6000
#define BODY_TOP 1 /* rows above and below the panes: tabs; status and footer */
#define BODY_REST 3
#define SIDE_BY_SIDE 150 /* from so many columns on, details stand beside the list, and no two panes have one place */
#define SMALL_ROWS 12    /* below, one pane has the screen */
#define SMALL_COLS 50
#define DETAIL_COLS 36 /* what a detail pane wants at least */
#define DETAIL_ROWS 4
#define LIST_FRAME 3 /* rows of a list's frame and head */

struct view *dash_front(const struct dash *d)
{
	return d->n_tabs ? d->tabs[d->front] : NULL;
}

static struct view *current(const struct dash *d)
{
	return d->calling ? d->calling : dash_front(d);
}

struct pane *dash_focused(const struct dash *d)
{
	struct view *v = dash_front(d);

	return v && v->n ? &v->panes[v->focus] : NULL;
}

static struct pane *pane_of(const struct dash *d, unsigned pane)
{
	struct view *v = current(d);

	return v && pane < v->n ? &v->panes[pane] : NULL;
}

bool pane_is_list(const struct pane *p)
{
	return p->def->rows != NULL;
}

struct rect pane_inside(const struct pane *p)
{
	return rect_of(p->r.row + 1, p->r.col + 1, MAX_OF(p->r.rows - 2, 0), MAX_OF(p->r.cols - 2, 0));
}

/* ---- Life */

struct dash *dash_new(const struct dash_keymap *keys)
{
	struct dash *d = xcalloc(1, sizeof(*d));

	d->keys = *keys;
	d->rows = 24;
	d->cols = 80;
	return d;
}

static struct view *view_new(const struct dash_page *def, void *data, struct view *below)
{
	struct view *v = xcalloc(1, sizeof(*v));

	v->def = def;
	v->data = data;
	v->below = below;
	v->n = (unsigned)MIN_OF(def->n_panes, (size_t)DASH_PANES_MOST);
	for (unsigned i = 0; i < v->n; i++) {
		struct pane *p = &v->panes[i];

		p->def = &def->panes[i];
		p->state = PANE_CHANGED;
		if (pane_is_list(p)) {
			dash_list_init(&p->list, p->def->rows, data);
			if (p->def->sort != DASH_UNSORTED)
				dash_list_sort(&p->list, p->def->sort, p->def->rows->columns[p->def->sort].reverse);
		}
		p->text.wrap = p->def->wrap;
		p->text.follow = p->text.at_end = p->def->follow;
	}
	return v;
}

static void forget_requests(struct dash *d, const struct view *v);

static void view_free(struct dash *d, struct view *v)
{
	DASH_CALL(d, v, closed);
	forget_requests(d, v);
	if (d->popup_view == v) {
		dash_popup_close(&d->popup);
		d->popup_view = NULL;
	}
	for (unsigned i = 0; i < v->n; i++) {
		dash_list_free(&v->panes[i].list);
		dash_text_free(&v->panes[i].text);
		free(v->panes[i].title);
		free(v->panes[i].message);
	}
	free(v);
}

static void pending_free(struct pending *p)
{
	free((char *)p->r.text);
	for (char **arg = p->r.argv; arg && *arg; arg++)
		free(*arg);
	free(p->r.argv);
	free(p);
}

void dash_free(struct dash *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_tabs; i++)
		while (d->tabs[i]) {
			struct view *v = d->tabs[i];

			d->tabs[i] = v->below;
			view_free(d, v);
		}
	for (size_t i = 0; i < d->n_pending; i++)
		pending_free(d->pending[i]);
	free(d->pending);
	dash_popup_close(&d->popup);
	buf_free(&d->line.text);
	free(d->alert);
	free(d->status);
	free(d);
}

void dash_add_tab(struct dash *d, const struct dash_page *def, void *data)
{
	if (d->n_tabs < DASH_TABS_MOST)
		d->tabs[d->n_tabs++] = view_new(def, data, NULL);
}

/* The tab in which a view is uppermost; the front one where it is in none. */
static size_t tab_of(const struct dash *d, const struct view *v)
{
	for (size_t i = 0; i < d->n_tabs; i++)
		if (d->tabs[i] == v)
			return i;
	return d->front;
}

void dash_push(struct dash *d, const struct dash_page *def, void *data)
{
	size_t tab = tab_of(d, current(d));

	d->tabs[tab] = view_new(def, data, d->tabs[tab]);
}

static bool close_in(struct dash *d, size_t tab)
{
	struct view *v = d->tabs[tab];

	if (!v || !v->below)
		return false;
	d->tabs[tab] = v->below;
	view_free(d, v);
	if (d->calling == v)
		d->calling = d->tabs[tab];
	return true;
}

bool dash_close_view(struct dash *d)
{
	return close_in(d, d->front);
}

void dash_pop(struct dash *d)
{
	close_in(d, tab_of(d, current(d)));
}

static const struct dash_page *page_of(const struct view *v)
{
	while (v->below)
		v = v->below;
	return v->def;
}

void dash_show_tab(struct dash *d, const struct dash_page *page)
{
	for (size_t i = 0; i < d->n_tabs; i++)
		if (page_of(d->tabs[i]) == page) {
			while (close_in(d, i))
				;
			d->front = i;
			return;
		}
}

bool dash_ended(const struct dash *d)
{
	return d->ended;
}

/* ---- Requests */

static struct pending *queue_bytes(struct dash *d, struct view *v, unsigned kind, uint64_t number, const void *data,
				   size_t n)
{
	struct pending *p = xcalloc(1, sizeof(*p));
	char *copy = data ? xmalloc(n + 1) : NULL;

	if (copy) {
		memcpy(copy, data, n);
		copy[n] = '\0';
	}

	/* 0 is no id. */
	if (++d->last_id == 0)
		d->last_id = 1;
	p->r = (struct dash_request){ .id = d->last_id, .kind = kind, .number = number, .text = copy, .size = n };
	p->view = v;
	d->pending = xrealloc(d->pending, (d->n_pending + 1) * sizeof(struct pending *));
	d->pending[d->n_pending++] = p;
	return p;
}

static struct pending *queue(struct dash *d, struct view *v, unsigned kind, uint64_t number, const char *text)
{
	return queue_bytes(d, v, kind, number, text, text ? strlen(text) : 0);
}

static void drop_pending(struct dash *d, size_t i)
{
	pending_free(d->pending[i]);
	memmove(&d->pending[i], &d->pending[i + 1], (d->n_pending - i - 1) * sizeof(struct pending *));
	d->n_pending--;
}

uint32_t dash_ask(struct dash *d, unsigned kind, uint64_t number, const char *text)
{
	return queue(d, current(d), kind, number, text)->r.id;
}

uint32_t dash_ask_bytes(struct dash *d, unsigned kind, uint64_t number, const void *data, size_t n)
{
	return queue_bytes(d, current(d), kind, number, data, n)->r.id;
}

uint32_t dash_run(struct dash *d, uint64_t number, const char *const argv[])
{
	struct pending *p = queue(d, current(d), DASH_RUN, number, NULL);
	size_t n = 0;

	while (argv[n])
		n++;
	p->r.argv = xcalloc(n + 1, sizeof(*p->r.argv));
	for (size_t i = 0; i < n; i++)
		p->r.argv[i] = xstrdup(argv[i]);
	return p->r.id;
}

void dash_lasts(struct dash *d, uint32_t id)
{
	for (size_t i = 0; i < d->n_pending; i++)
		d->pending[i]->lasts |= d->pending[i]->r.id == id;
}

static void cancel_at(struct dash *d, size_t i)
{
	uint32_t id = d->pending[i]->r.id;
	bool taken = d->pending[i]->taken;

	if (!taken) {
		drop_pending(d, i);
		return;
	}
	d->pending[i]->view = NULL;
	queue(d, NULL, DASH_CANCEL, id, NULL);
}

void dash_cancel(struct dash *d, uint32_t id)
{
	for (size_t i = 0; i < d->n_pending; i++)
		if (d->pending[i]->r.id == id && d->pending[i]->view) {
			cancel_at(d, i);
			return;
		}
}

static void forget_requests(struct dash *d, const struct view *v)
{
	for (size_t i = d->n_pending; i-- > 0;)
		if (d->pending[i]->view == v)
			cancel_at(d, i);
}

const struct dash_request *dash_next_request(struct dash *d)
{
	const struct dash_request *next = NULL;

	for (size_t i = 0; i < d->n_pending; i++) {
		struct pending *p = d->pending[i];

		if (p->taken && p->r.kind >= DASH_NO_ANSWER) {
			drop_pending(d, i--);
		} else if (!p->taken && !next) {
			p->taken = true;
			next = &p->r;
		}
	}
	return next;
}

void dash_answer(struct dash *d, uint32_t id, const struct dash_answer *answer)
{
	for (size_t i = 0; i < d->n_pending; i++) {
		struct pending *p = d->pending[i];

		if (p->r.id != id || !p->taken || p->r.kind >= DASH_NO_ANSWER)
			continue;
		/* The page may ask for more, which moves the table, so p is taken out of it before. */
		if (answer->state != DASH_MORE) {
			memmove(&d->pending[i], &d->pending[i + 1], (d->n_pending - i - 1) * sizeof(struct pending *));
			d->n_pending--;
		}
		if (p->view)
			DASH_CALL(d, p->view, answered, &p->r, answer);
		if (answer->state != DASH_MORE)
			pending_free(p);
		return;
	}
}

size_t dash_waiting(const struct dash *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_pending; i++)
		n += d->pending[i]->r.kind < DASH_NO_ANSWER && !d->pending[i]->lasts;
	return n;
}

/* ---- What pages say of their panes */

static void dirty(struct dash *d, unsigned pane, int state)
{
	struct pane *p = pane_of(d, pane);

	if (p && (int)p->state < state)
		p->state = state;
}

void dash_grown(struct dash *d, unsigned pane)
{
	dirty(d, pane, PANE_GROWN);
}

void dash_changed(struct dash *d, unsigned pane)
{
	dirty(d, pane, PANE_CHANGED);
}

void dash_fresh(struct dash *d, unsigned pane)
{
	struct pane *p = pane_of(d, pane);

	if (!p)
		return;
	p->state = PANE_CHANGED;
	p->told = false;
	p->list.cursor = p->list.top = 0;
	p->text.top = 0;
	p->text.left = 0;
}

struct dash_text *dash_text_of(struct dash *d, unsigned pane)
{
	struct pane *p = pane_of(d, pane);

	return p && !pane_is_list(p) ? &p->text : NULL;
}

static void replace(char **at, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*at);
	*at = copy;
}

void dash_set_message(struct dash *d, unsigned pane, unsigned style, const char *text)
{
	struct pane *p = pane_of(d, pane);

	if (!p)
		return;
	replace(&p->message, text);
	p->message_style = style;
}

void dash_set_title(struct dash *d, unsigned pane, const char *title)
{
	struct pane *p = pane_of(d, pane);

	if (p)
		replace(&p->title, title);
}

void dash_hide(struct dash *d, unsigned pane, bool hidden)
{
	struct pane *p = pane_of(d, pane);

	if (p && pane > 0)
		p->hidden = hidden;
}

unsigned dash_focus(const struct dash *d)
{
	const struct view *v = current(d);

	return v ? v->focus : 0;
}

void dash_set_focus(struct dash *d, unsigned pane)
{
	if (pane_of(d, pane))
		current(d)->focus = pane;
}

size_t dash_row(const struct dash *d, unsigned pane)
{
	const struct pane *p = pane_of(d, pane);

	return p && pane_is_list(p) ? dash_list_row(&p->list) : DASH_NO_ROW;
}

bool dash_goto(struct dash *d, unsigned pane, size_t row)
{
	struct pane *p = pane_of(d, pane);

	return p && pane_is_list(p) && dash_list_goto(&p->list, row);
}

void dash_alert(struct dash *d, unsigned style, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	replace(&d->alert, buf_str(&text));
	d->alert_style = style;
	d->alert_until = style == ST_ERROR ? 0 : d->now_ms + ALERT_MS;
	buf_free(&text);
}

void dash_set_status(struct dash *d, unsigned style, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	replace(&d->status, buf_str(&text));
	d->status_style = style;
	buf_free(&text);
}

void dash_tell(struct dash *d, unsigned news)
{
	for (size_t i = 0; i < d->n_tabs; i++)
		for (struct view *v = d->tabs[i]; v; v = v->below)
			if (v->opened)
				DASH_CALL(d, v, told, news);
}

int dash_timeout(const struct dash *d)
{
	if (!d->alert || d->alert_until == 0)
		return -1;
	return d->alert_until > d->now_ms ? (int)(d->alert_until - d->now_ms) : 0;
}

/* ---- Popups */

static void own_popup(struct dash *d, enum popup_owner owner, unsigned tag)
{
	d->owner = owner;
	d->popup.tag = tag;
	d->popup_view = current(d);
	d->line_mode = LINE_NONE;
}

void dash_confirm(struct dash *d, unsigned tag, const char *title, const char *question)
{
	dash_popup_confirm(&d->popup, title, question);
	own_popup(d, OWNER_PAGE, tag);
}

void dash_prompt(struct dash *d, unsigned tag, const char *title, const char *initial)
{
	dash_popup_prompt(&d->popup, title, initial);
	own_popup(d, OWNER_PAGE, tag);
}

void dash_choose(struct dash *d, unsigned tag, const char *title, const char *const *items, size_t n, size_t chosen)
{
	dash_popup_choose(&d->popup, title, items, n, chosen);
	own_popup(d, OWNER_PAGE, tag);
}

void dash_menu(struct dash *d, unsigned tag, const char *title, const char *const *items, size_t n, size_t chosen)
{
	dash_popup_menu(&d->popup, title, items, n, chosen);
	own_popup(d, OWNER_PAGE, tag);
}

struct dash_text *dash_show_text(struct dash *d, const char *title)
{
	dash_popup_text(&d->popup, title);
	own_popup(d, OWNER_TEXT, 0);
	return &d->popup.text;
}

void dash_open_sort(struct dash *d)
{
	const struct pane *p = dash_focused(d);
	const char *items[16];
	size_t n = 0;

	if (!p || !pane_is_list(p) || !p->def->rows->sort_key)
		return;
	for (; n < p->def->rows->n_columns && n < ARRAY_LEN(items); n++)
		items[n] = p->def->rows->columns[n].title;
	dash_popup_menu(&d->popup, "Sort by", items, n, p->list.sort >= 0 ? (size_t)p->list.sort : 0);
	own_popup(d, OWNER_SORT, 0);
}

/* ---- Layout */

unsigned dash_panes_before(const struct view *v, unsigned end)
{
	unsigned n = 0;

	for (unsigned i = 0; i < end; i++)
		n += !v->panes[i].away;
	return n;
}

/* The second of two panes that have one place; 0 where no two have. */
static unsigned sharing(const struct dash *d, const struct view *v)
{
	for (unsigned i = 1; i < v->n && d->cols < SIDE_BY_SIDE; i++)
		if (v->panes[i].def->shares && !v->panes[i].hidden && !v->panes[i - 1].hidden)
			return i;
	return 0;
}

bool dash_swap(struct dash *d)
{
	struct view *v = current(d);
	unsigned second = v ? sharing(d, v) : 0;

	if (second == 0)
		return false;
	v->swapped = !v->swapped;
	if (v->focus == second || v->focus == second - 1)
		v->focus = v->swapped ? second : second - 1;
	return true;
}

/* Which panes have a place. The one with the focus keeps its own, whatever becomes of the screen's size. */
static void choose_panes(const struct dash *d, struct view *v)
{
	unsigned second = sharing(d, v);

	if (second && (v->focus == second || v->focus == second - 1))
		v->swapped = v->focus == second;
	for (unsigned i = 0; i < v->n; i++)
		v->panes[i].away = v->panes[i].hidden || (second && i == (v->swapped ? second - 1 : second));
	while (v->focus && v->panes[v->focus].away)
		v->focus--;
}

static void place_one(struct view *v, struct rect body)
{
	v->panes[v->focus].r = body;
	v->panes[v->focus].seen = true;
}

/* Shares `r` among the panes from `first` on, beside each other or one above the other. */
static void share(struct view *v, unsigned first, struct rect r, bool beside)
{
	unsigned left = dash_panes_before(v, v->n) - dash_panes_before(v, first);

	for (unsigned i = first; i < v->n; i++) {
		struct rect part = r;

		if (v->panes[i].away)
			continue;
		if (beside) {
			part.cols = r.cols / (int)left;
			r.col += part.cols;
			r.cols -= part.cols;
		} else {
			part.rows = r.rows / (int)left;
			r.row += part.rows;
			r.rows -= part.rows;
		}
		left--;
		v->panes[i].r = part;
		v->panes[i].seen = true;
	}
}

/* One of the details has all their room where it does not do for each. */
static void place_details(struct view *v, int details, struct rect r)
{
	unsigned one = v->focus ? v->focus : 1;

	while (v->panes[one].away)
		one++;
	if (r.cols / details >= DETAIL_COLS && r.cols > r.rows) {
		share(v, 1, r, true);
	} else if (r.rows / details >= DETAIL_ROWS) {
		share(v, 1, r, false);
	} else {
		v->panes[one].r = r;
		v->panes[one].seen = true;
	}
}

static void place_panes(struct dash *d, struct view *v)
{
	struct rect body = rect_of(BODY_TOP, 0, MAX_OF(d->rows - BODY_REST, 1), d->cols), main = body, rest = body;
	bool above;
	int n;

	for (unsigned i = 0; i < v->n; i++)
		v->panes[i].seen = false;
	if (v->n == 0)
		return;
	choose_panes(d, v);
	n = (int)dash_panes_before(v, v->n);
	above = v->def->above && n > 2;
	if (n < 2 || v->zoom || body.rows < SMALL_ROWS || body.cols < SMALL_COLS) {
		place_one(v, body);
		return;
	}
	if (v->def->beside && body.cols / n >= DETAIL_COLS) {
		share(v, 0, body, true);
		return;
	}
	if (body.cols >= SIDE_BY_SIDE && !above) {
		main.cols = body.cols * 55 / 100;
		rest.col += main.cols;
		rest.cols -= main.cols;
		share(v, 1, rest, false);
	} else {
		main.rows = body.rows * (above ? 40 : 55) / 100;
		/* What is compared below has the room that a short list does not need. */
		if (above && pane_is_list(&v->panes[0]))
			main.rows = MIN_OF(main.rows,
					   (int)MIN_OF(MAX_OF(v->panes[0].list.n_view, (size_t)1), (size_t)d->rows) +
						   LIST_FRAME);
		rest.row += main.rows;
		rest.rows -= main.rows;
		place_details(v, n - 1, rest);
	}
	v->panes[0].r = main;
	v->panes[0].seen = true;
}

static void refresh(struct view *v, struct pane *p)
{
	if (pane_is_list(p)) {
		dash_list_update(&p->list, p->state == PANE_CHANGED);
	} else if (p->def->text) {
		dash_text_reset(&p->text);
		p->def->text(v->data, &p->text);
	}
	p->state = PANE_CLEAN;
}

/* Tells the page where the cursor of a list is, once for each row that it comes to rest on. */
static bool tell_moved(struct dash *d, struct view *v, unsigned i)
{
	struct pane *p = &v->panes[i];
	size_t row = dash_list_row(&p->list);
	uint64_t id = row != DASH_NO_ROW ? p->list.cursor_id : 0;

	if (p->told && (p->told_row == DASH_NO_ROW) == (row == DASH_NO_ROW) && p->told_id == id)
		return false;
	p->told = true;
	p->told_row = row;
	p->told_id = id;
	DASH_CALL(d, v, moved, i, row);
	return true;
}

static bool settle_panes(struct dash *d, struct view *v)
{
	bool told = false;

	for (unsigned i = 0; i < v->n; i++) {
		struct pane *p = &v->panes[i];
		struct rect in;

		if (p->state != PANE_CLEAN)
			refresh(v, p);
		in = pane_inside(p);
		if (p->seen && pane_is_list(p))
			dash_list_layout(&p->list, in.rows - 1);
		else if (p->seen)
			dash_text_layout(&p->text, in.cols, in.rows);
		if (pane_is_list(p) && tell_moved(d, v, i))
			told = true;
		/* The page may have put another view in front. */
		if (dash_front(d) != v)
			return true;
	}
	return told;
}

void dash_settle(struct dash *d)
{
	/* What a page does on hearing of the cursor may change its panes again; a page that never comes to rest is cut short. */
	for (int round = 0; round < 4; round++) {
		struct view *v = dash_front(d);

		if (!v)
			return;
		if (!v->opened) {
			v->opened = true;
			DASH_CALL(d, v, opened);
			continue;
		}
		place_panes(d, v);
		if (!settle_panes(d, v))
			break;
	}
	if (d->popup.kind != POPUP_NONE)
		dash_popup_layout(&d->popup, d->rows, d->cols);
}
