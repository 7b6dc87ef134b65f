/* Owns lists: their order, what of them is shown, and how. Refuses to look at rows that are not seen, save once when they come, for the text
 * that search and filter look through: a key on a long list must cost next to nothing. */
#include "applets/dash_list.h"

#include "applets/dash_style.h"
#include "lib/err.h"

#include <stdlib.h>

#define COLUMNS_MOST 16
#define GAP 2 /* blanks between columns */

void dash_lower(struct buf *out, const char *s, size_t n)
{
	char *to = buf_reserve(out, n);

	for (size_t i = 0; i < n; i++)
		to[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]);
	to[n] = '\0';
	out->len += n;
}

void dash_list_init(struct dash_list *l, const struct dash_rows *rows, const void *data)
{
	*l = (struct dash_list){ .rows = rows, .data = data, .sort = DASH_UNSORTED, .height = 1 };
	dash_list_update(l, true);
}

void dash_list_free(struct dash_list *l)
{
	free(l->order);
	free(l->view);
	free(l->hay_at);
	buf_free(&l->filter);
	buf_free(&l->search);
	buf_free(&l->hay);
	*l = (struct dash_list){ 0 };
}

/* ---- What is searched in */

static void add_hay(struct dash_list *l, size_t row)
{
	struct dash_cell cell = { 0 };

	for (size_t i = 0; i < l->rows->n_columns; i++) {
		buf_reset(&cell.text);
		l->rows->cell(l->data, row, i, &cell);
		dash_lower(&l->hay, buf_str(&cell.text), cell.text.len);
		/* What nobody types keeps a match from reaching over two columns. */
		buf_addc(&l->hay, '\n');
	}
	buf_free(&cell.text);
}

static void update_hay(struct dash_list *l, bool whole)
{
	if (whole || l->n_hay > l->n) {
		l->n_hay = 0;
		buf_reset(&l->hay);
	}
	l->hay_at = xrealloc(l->hay_at, (l->n + 1) * sizeof(*l->hay_at));
	for (; l->n_hay < l->n; l->n_hay++) {
		l->hay_at[l->n_hay] = l->hay.len;
		add_hay(l, l->n_hay);
	}
	l->hay_at[l->n] = l->hay.len;
}

static bool holds(const struct dash_list *l, size_t row, const char *text, size_t n)
{
	const char *hay = buf_str(&l->hay) + l->hay_at[row];

	return memmem(hay, l->hay_at[row + 1] - l->hay_at[row], text, n) != NULL;
}

/* ---- Order and filter */

struct keyed {
	uint64_t key;
	uint32_t row;
};

static const struct dash_list *sorting; /* qsort hands nothing down */

static int compare_keyed(const void *pa, const void *pb)
{
	const struct keyed *a = pa, *b = pb;
	const struct dash_list *l = sorting;
	int order = a->key < b->key ? -1 : a->key > b->key;

	if (order == 0 && l->rows->compare)
		order = l->rows->compare(l->data, a->row, b->row, (size_t)l->sort);
	if (order == 0)
		return a->row < b->row ? -1 : a->row > b->row;
	return l->reverse ? -order : order;
}

static void sort_rows(struct dash_list *l)
{
	struct keyed *keyed;

	l->order = xrealloc(l->order, (l->n + 1) * sizeof(*l->order));
	if (l->sort == DASH_UNSORTED || !l->rows->sort_key) {
		for (size_t i = 0; i < l->n; i++)
			l->order[i] = (uint32_t)i;
		return;
	}
	keyed = xmalloc((l->n + 1) * sizeof(*keyed));
	for (size_t i = 0; i < l->n; i++)
		keyed[i] = (struct keyed){ l->rows->sort_key(l->data, i, (size_t)l->sort), (uint32_t)i };
	sorting = l;
	qsort(keyed, l->n, sizeof(*keyed), compare_keyed);
	for (size_t i = 0; i < l->n; i++)
		l->order[i] = keyed[i].row;
	free(keyed);
}

/* Chooses from `from`, which may be the view itself. */
static void choose(struct dash_list *l, const uint32_t *from, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t row = from[i];

		if (l->filter.len && !holds(l, row, l->filter.data, l->filter.len))
			continue;
		if (!l->rows->shown || l->rows->shown(l->data, row))
			l->view[kept++] = row;
	}
	l->n_view = kept;
}

static uint64_t row_id(const struct dash_list *l, size_t row)
{
	return l->rows->id ? l->rows->id(l->data, row) : row;
}

static void put_cursor(struct dash_list *l, size_t at)
{
	l->cursor = l->n_view ? MIN_OF(at, l->n_view - 1) : 0;
	if (l->n_view)
		l->cursor_id = row_id(l, l->view[l->cursor]);
	dash_list_layout(l, l->height);
}

bool dash_list_goto(struct dash_list *l, size_t row)
{
	for (size_t i = 0; i < l->n_view; i++)
		if (l->view[i] == row) {
			put_cursor(l, i);
			return true;
		}
	return false;
}

/* Puts the cursor back on the row that it was on; where that has gone, it stays at its place. */
static void find_again(struct dash_list *l, bool had)
{
	for (size_t i = 0; had && i < l->n_view; i++)
		if (row_id(l, l->view[i]) == l->cursor_id) {
			put_cursor(l, i);
			return;
		}
	put_cursor(l, l->cursor);
}

void dash_list_update(struct dash_list *l, bool whole)
{
	/* Who has not moved yet sees the top, whatever comes in there. */
	bool had = l->n_view && l->cursor > 0;

	l->n = l->rows->count(l->data);
	update_hay(l, whole);
	sort_rows(l);
	l->view = xrealloc(l->view, (l->n + 1) * sizeof(*l->view));
	choose(l, l->order, l->n);
	find_again(l, had);
}

void dash_list_filter(struct dash_list *l, const char *text)
{
	struct buf now = { 0 };
	bool had = l->n_view > 0, narrower;

	dash_lower(&now, text, strlen(text));
	/* What a longer text leaves is among what the shorter one left. */
	narrower = l->filter.len && memmem(now.data, now.len, l->filter.data, l->filter.len);
	buf_free(&l->filter);
	l->filter = now;
	choose(l, narrower ? l->view : l->order, narrower ? l->n_view : l->n);
	find_again(l, had);
}

void dash_list_sort(struct dash_list *l, int column, bool reverse)
{
	bool had = l->n_view && l->cursor > 0;

	if (!l->rows->sort_key || column >= (int)l->rows->n_columns)
		return;
	l->sort = column;
	l->reverse = reverse;
	sort_rows(l);
	choose(l, l->order, l->n);
	find_again(l, had);
}

/* ---- Cursor */

size_t dash_list_row(const struct dash_list *l)
{
	return l->n_view ? l->view[l->cursor] : DASH_NO_ROW;
}

void dash_list_layout(struct dash_list *l, int height)
{
	size_t seen = (size_t)MAX_OF(height, 1);

	l->height = (int)seen;
	if (l->cursor < l->top)
		l->top = l->cursor;
	if (l->cursor >= l->top + seen)
		l->top = l->cursor - seen + 1;
	if (l->top + seen > l->n_view)
		l->top = l->n_view > seen ? l->n_view - seen : 0;
}

static size_t moved(size_t at, long by, size_t end)
{
	if (by < 0)
		return at > (size_t)-by ? at - (size_t)-by : 0;
	return MIN_OF(at + (size_t)by, end ? end - 1 : 0);
}

void dash_list_move(struct dash_list *l, long by)
{
	put_cursor(l, moved(l->cursor, by, l->n_view));
}

void dash_list_scroll(struct dash_list *l, long by)
{
	size_t seen = (size_t)l->height, cursor;

	l->top = moved(l->top, by, l->n_view > seen ? l->n_view - seen + 1 : 1);
	cursor = MAX_OF(l->cursor, l->top);
	put_cursor(l, MIN_OF(cursor, l->top + seen - 1));
}

bool dash_list_search(struct dash_list *l, const char *text, size_t from, bool forward)
{
	buf_reset(&l->search);
	dash_lower(&l->search, text, strlen(text));
	for (size_t i = 0; l->search.len && i < l->n_view; i++) {
		size_t at = (forward ? from + i : from + l->n_view - i) % l->n_view;

		if (holds(l, l->view[at], l->search.data, l->search.len)) {
			put_cursor(l, at);
			return true;
		}
	}
	return false;
}

/* ---- Drawing */

struct places {
	int col[COLUMNS_MOST], width[COLUMNS_MOST]; /* width 0: the column is dropped */
};

static int wanted(const struct dash_list *l, const struct places *p)
{
	int sum = 0;

	for (size_t i = 0; i < l->rows->n_columns; i++)
		if (p->width[i])
			sum += p->width[i] + (sum ? GAP : 0);
	return sum;
}

/* Drops what may be dropped until the rest fits, but never the column that gives the order; false when nothing more can be. */
static bool drop_one(const struct dash_list *l, struct places *p)
{
	size_t worst = 0;
	int drop = 0;

	for (size_t i = 0; i < l->rows->n_columns; i++)
		if (p->width[i] && l->sort != (int)i && l->rows->columns[i].drop > drop) {
			worst = i;
			drop = l->rows->columns[i].drop;
		}
	if (drop)
		p->width[worst] = 0;
	return drop > 0;
}

static void place_columns(const struct dash_list *l, struct rect r, struct places *p)
{
	const struct dash_column *columns = l->rows->columns;
	size_t n = MIN_OF(l->rows->n_columns, (size_t)COLUMNS_MOST);
	int shares = 0, spare, at = r.col;

	*p = (struct places){ 0 };
	for (size_t i = 0; i < n; i++)
		p->width[i] = columns[i].from <= r.cols || l->sort == (int)i ? columns[i].width : 0;
	while (wanted(l, p) > r.cols && drop_one(l, p))
		;
	for (size_t i = 0; i < n; i++)
		shares += p->width[i] ? columns[i].share : 0;
	spare = MAX_OF(r.cols - wanted(l, p), 0);
	for (size_t i = 0; i < n; i++) {
		if (!p->width[i])
			continue;
		if (columns[i].share) {
			int more = spare * columns[i].share / shares;

			p->width[i] += more;
			spare -= more;
			shares -= columns[i].share;
		}
		p->col[i] = at;
		p->width[i] = MIN_OF(p->width[i], MAX_OF(r.col + r.cols - at, 0));
		at += p->width[i] + GAP;
	}
}

int dash_list_column_at(const struct dash_list *l, struct rect r, int col)
{
	struct places p;

	place_columns(l, r, &p);
	for (size_t i = 0; i < MIN_OF(l->rows->n_columns, (size_t)COLUMNS_MOST); i++)
		if (p.width[i] && col >= p.col[i] && col < p.col[i] + p.width[i] + GAP)
			return (int)i;
	return DASH_UNSORTED;
}

/* Where the cell's text begins: numbers stand at the right. */
static int align(const struct dash_column *column, const struct buf *text, int width)
{
	int columns = column->right ? text_columns(buf_str(text), text->len) : width;

	return MAX_OF(width - columns, 0);
}

static void draw_heading(const struct dash_list *l, struct canvas *c, struct rect r, const struct places *p)
{
	struct buf text = { 0 };

	canvas_clear(c, rect_of(r.row, r.col, 1, r.cols), ST_HEADER);
	for (size_t i = 0; i < l->rows->n_columns && i < COLUMNS_MOST; i++) {
		const struct dash_column *column = &l->rows->columns[i];
		int indent;

		if (!p->width[i])
			continue;
		buf_reset(&text);
		buf_adds(&text, column->title);
		if (l->sort == (int)i)
			buf_adds(&text, l->reverse ? "\xe2\x96\xbc" : "\xe2\x96\xb2");
		indent = align(column, &text, p->width[i]);
		canvas_fit(c, r.row, p->col[i] + indent, p->width[i] - indent, ST_HEADER, text.data, text.len);
	}
	buf_free(&text);
}

static bool same_bytes(const char *s, const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		char small = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]);

		if (small != text->data[i])
			return false;
	}
	return true;
}

void dash_mark_matches(struct canvas *c, int row, int col, const char *s, size_t n, const struct buf *text)
{
	/* What is far behind the right edge cannot be seen, and a line may be long. */
	n = text_fit(s, n, MAX_OF(c->cols - col, 0), NULL);
	for (size_t i = 0; text->len && i + text->len <= n; i++)
		if (same_bytes(s + i, text)) {
			int at = text_columns(s, i);

			canvas_restyle(c, rect_of(row, col + at, 1, text_columns(s, i + text->len) - at), ST_MATCH);
			i += text->len - 1;
		}
}

static void draw_row(const struct dash_list *l, struct canvas *c, int at, size_t row, const struct places *p,
		     struct dash_cell *cell)
{
	for (size_t i = 0; i < l->rows->n_columns && i < COLUMNS_MOST; i++) {
		struct rect before;
		int indent;

		if (!p->width[i])
			continue;
		buf_reset(&cell->text);
		cell->style = ST_PLAIN;
		l->rows->cell(l->data, row, i, cell);
		indent = align(&l->rows->columns[i], &cell->text, p->width[i]);
		canvas_fit(c, at, p->col[i] + indent, p->width[i] - indent, cell->style, buf_str(&cell->text),
			   cell->text.len);
		before = canvas_clip(c, rect_of(at, p->col[i], 1, p->width[i]));
		dash_mark_matches(c, at, p->col[i] + indent, buf_str(&cell->text), cell->text.len, &l->search);
		dash_mark_matches(c, at, p->col[i] + indent, buf_str(&cell->text), cell->text.len, &l->filter);
		canvas_unclip(c, before);
	}
}

void dash_list_draw(const struct dash_list *l, struct canvas *c, struct rect r, bool focus, const char *message,
		    unsigned style)
{
	struct rect before = canvas_clip(c, r);
	struct dash_cell cell = { 0 };
	struct places places;

	place_columns(l, r, &places);
	draw_heading(l, c, r, &places);
	for (int i = 1; i < r.rows && l->top + (size_t)i - 1 < l->n_view; i++) {
		size_t at = l->top + (size_t)i - 1;

		draw_row(l, c, r.row + i, l->view[at], &places, &cell);
		if (at == l->cursor)
			canvas_add_style(c, rect_of(r.row + i, r.col, 1, r.cols),
					 focus ? STYLE_REVERSE : STYLE_BOLD | STYLE_UNDERLINE);
	}
	if (l->n_view == 0)
		canvas_fit(c, r.row + 1, r.col, r.cols, style, message, strlen(message));
	buf_free(&cell.text);
	canvas_unclip(c, before);
}
