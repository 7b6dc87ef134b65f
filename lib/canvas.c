/* Owns the cells of a screen and the placing of text in them. Refuses to draw outside of the clip, to let a control character into a cell,
 * and to leave half a wide character behind. */
#include "lib/canvas.h"

#include "lib/err.h"
#include "lib/str.h"

#include <stdarg.h>
#include <stdlib.h>

#define TAB 8

/* Text on its way into cells, one printable character at a time. */
struct reader {
	const char *s;
	size_t n, at;
	struct buf escape; /* what an unprintable character became */
	size_t escape_at;
	size_t from; /* where in s the last character began */
};

struct rect rect_within(struct rect a, struct rect b)
{
	int top = MAX_OF(a.row, b.row), left = MAX_OF(a.col, b.col);
	int bottom = MIN_OF(a.row + a.rows, b.row + b.rows), right = MIN_OF(a.col + a.cols, b.col + b.cols);

	return rect_of(top, left, MAX_OF(bottom - top, 0), MAX_OF(right - left, 0));
}

bool rect_holds(struct rect r, int row, int col)
{
	return row >= r.row && row < r.row + r.rows && col >= r.col && col < r.col + r.cols;
}

static struct cell *cell_at(const struct canvas *c, int row, int col)
{
	return &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
}

static const struct cell blank = { .rune = ' ', .width = 1 };

void canvas_resize(struct canvas *c, int rows, int cols)
{
	size_t n;

	rows = MIN_OF(MAX_OF(rows, 1), CANVAS_SIDE_MOST);
	cols = MIN_OF(MAX_OF(cols, 1), CANVAS_SIDE_MOST);
	n = (size_t)rows * (size_t)cols;
	c->cells = xrealloc(c->cells, n * sizeof(*c->cells));
	c->rows = rows;
	c->cols = cols;
	c->clip = rect_of(0, 0, rows, cols);
	for (size_t i = 0; i < n; i++)
		c->cells[i] = blank;
}

void canvas_free(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){ 0 };
}

struct rect canvas_clip(struct canvas *c, struct rect r)
{
	struct rect before = c->clip;

	c->clip = rect_within(before, r);
	return before;
}

void canvas_unclip(struct canvas *c, struct rect before)
{
	c->clip = before;
}

/* The other half of a wide character that is about to be overwritten becomes a blank. */
static void unpair(struct canvas *c, int row, int col)
{
	struct cell *cell = cell_at(c, row, col);

	if (cell->width == 0 && col > 0) {
		cell[-1].rune = ' ';
		cell[-1].width = 1;
		memset(cell[-1].marks, 0, sizeof(cell[-1].marks));
	} else if (cell->width == 2 && col + 1 < c->cols) {
		cell[1] = blank;
		cell[1].style = cell->style;
	}
}

static void set_cell(struct canvas *c, int row, int col, uint32_t rune, int width, unsigned style)
{
	unpair(c, row, col);
	*cell_at(c, row, col) = (struct cell){ .rune = rune, .style = (uint16_t)style, .width = (uint16_t)width };
}

void canvas_clear(struct canvas *c, struct rect r, unsigned style)
{
	r = rect_within(r, c->clip);
	for (int row = r.row; row < r.row + r.rows; row++)
		for (int col = r.col; col < r.col + r.cols; col++)
			set_cell(c, row, col, ' ', 1, style);
}

/* Signs that the screens use, and what stands for them where there is ASCII alone. */
static const struct {
	uint32_t rune;
	char plain;
} stand_ins[] = {
	{ 0x2500, '-' }, { 0x2502, '|' }, { 0x250c, '+' },  { 0x2510, '+' },  { 0x2514, '+' }, { 0x2518, '+' },
	{ 0x2026, '~' }, { 0x25b2, '^' }, { 0x25bc, 'v' },  { 0x2191, '^' },  { 0x2193, 'v' }, { 0x2190, '<' },
	{ 0x2192, '>' }, { 0x2588, '#' }, { 0x2591, '.' },  { 0x2022, '*' },  { 0x00b7, '.' }, { 0x2713, 'x' },
	{ 0x2013, '-' }, { 0x2014, '-' }, { 0x2018, '\'' }, { 0x2019, '\'' }, { 0x201c, '"' }, { 0x201d, '"' },
};

static uint32_t plain_rune(uint32_t rune)
{
	if (rune < 0x80)
		return rune;
	for (size_t i = 0; i < ARRAY_LEN(stand_ins); i++)
		if (stand_ins[i].rune == rune)
			return (unsigned char)stand_ins[i].plain;
	return '?';
}

/* The next printable character; false at the end. */
static bool next_rune(struct reader *r, uint32_t *rune)
{
	size_t len;

	if (r->escape_at < r->escape.len) {
		len = str_utf8_next(r->escape.data + r->escape_at, r->escape.len - r->escape_at, rune);
		r->escape_at += len;
		return true;
	}
	if (r->at >= r->n)
		return false;
	r->from = r->at;
	*rune = (unsigned char)r->s[r->at];
	if ((*rune >= 0x20 && *rune < 0x7f) || *rune == '\t') {
		r->at++;
		return true;
	}
	len = str_utf8_next(r->s + r->at, r->n - r->at, rune);
	len = MAX_OF(len, (size_t)1);
	buf_reset(&r->escape);
	str_printable(&r->escape, r->s + r->at, len);
	r->at += len;
	r->escape_at = str_utf8_next(r->escape.data, r->escape.len, rune);
	return true;
}

static void add_mark(struct canvas *c, int row, int col, uint32_t mark)
{
	struct cell *cell;

	if (c->ascii || !rect_holds(c->clip, row, col))
		return;
	cell = cell_at(c, row, col);
	for (size_t i = 0; i < CANVAS_MARKS; i++)
		if (!cell->marks[i]) {
			cell->marks[i] = mark;
			return;
		}
}

/* One character of one or two columns; only what the clip shows of it. */
static void place(struct canvas *c, int row, int col, uint32_t rune, int width, unsigned style)
{
	bool first = rect_holds(c->clip, row, col), second = width == 2 && rect_holds(c->clip, row, col + 1);

	if (c->ascii)
		rune = plain_rune(rune);
	if (first && second && !c->ascii) {
		set_cell(c, row, col, rune, 1, style);
		set_cell(c, row, col + 1, 0, 0, style);
		cell_at(c, row, col)->width = 2;
		return;
	}
	if (width == 2 && !c->ascii)
		rune = ' ';
	if (first)
		set_cell(c, row, col, rune, 1, style);
	if (second)
		set_cell(c, row, col + 1, rune, 1, style);
}

/* Columns to the next tab stop, which are counted from the beginning of the text. */
static int tab_width(int used)
{
	return TAB - used % TAB;
}

int canvas_text(struct canvas *c, int row, int col, unsigned style, const char *s, size_t n)
{
	struct reader r = { .s = s, .n = n };
	int start = col, right = c->clip.col + c->clip.cols, base = col;
	uint32_t rune;

	while (col <= right && next_rune(&r, &rune)) {
		int width = rune == '\t' ? tab_width(col - start) : rune_width(rune);

		if (width == 0 && col > start) {
			add_mark(c, row, base, rune);
			continue;
		}
		if (col >= right)
			break;
		base = col;
		if (rune == '\t') {
			for (int i = 0; i < width && col + i < right; i++)
				place(c, row, col + i, ' ', 1, style);
		} else if (width == 0) {
			/* A mark with nothing before it stands on a blank. */
			place(c, row, col, ' ', width = 1, style);
			add_mark(c, row, col, rune);
		} else {
			place(c, row, col, rune, width, style);
		}
		col += width;
	}
	buf_free(&r.escape);
	return MIN_OF(col, MAX_OF(right, start));
}

int canvas_puts(struct canvas *c, int row, int col, unsigned style, const char *s)
{
	return canvas_text(c, row, col, style, s, strlen(s));
}

int canvas_printf(struct canvas *c, int row, int col, unsigned style, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	col = canvas_text(c, row, col, style, buf_str(&text), text.len);
	buf_free(&text);
	return col;
}

/* How many bytes fit into cols columns, and whether that is all. */
static size_t fit(const char *s, size_t n, int cols, int *used, bool *all)
{
	struct reader r = { .s = s, .n = n };
	size_t fits = 0;
	int columns = 0;
	uint32_t rune;

	*used = 0;
	*all = true;
	while (next_rune(&r, &rune)) {
		int width = rune == '\t' ? tab_width(columns) : rune_width(rune);

		columns += width == 0 && columns == 0 ? 1 : width;
		if (columns > cols) {
			*all = false;
			break;
		}
		/* An escape counts when the whole of it fits. */
		if (r.escape_at >= r.escape.len) {
			fits = r.at;
			*used = columns;
		}
	}
	buf_free(&r.escape);
	return fits;
}

size_t text_fit(const char *s, size_t n, int cols, int *used)
{
	int columns;
	bool all;
	size_t fits = fit(s, n, cols, &columns, &all);

	if (used)
		*used = columns;
	return fits;
}

int text_columns(const char *s, size_t n)
{
	int columns;
	bool all;

	fit(s, n, INT32_MAX / 2, &columns, &all);
	return columns;
}

int canvas_fit(struct canvas *c, int row, int col, int cols, unsigned style, const char *s, size_t n)
{
	struct rect before = canvas_clip(c, rect_of(row, col, 1, MAX_OF(cols, 0)));
	int used;
	bool all;

	fit(s, n, cols, &used, &all);
	if (all || cols < 1) {
		canvas_text(c, row, col, style, s, n);
	} else {
		n = fit(s, n, cols - 1, &used, &all);
		canvas_text(c, row, col, style, s, n);
		canvas_puts(c, row, col + used, style, "\xe2\x80\xa6");
	}
	canvas_unclip(c, before);
	return col + cols;
}

void canvas_restyle(struct canvas *c, struct rect r, unsigned style)
{
	r = rect_within(r, c->clip);
	for (int row = r.row; row < r.row + r.rows; row++)
		for (int col = r.col; col < r.col + r.cols; col++)
			cell_at(c, row, col)->style = (uint16_t)style;
}

void canvas_add_style(struct canvas *c, struct rect r, unsigned flags)
{
	r = rect_within(r, c->clip);
	for (int row = r.row; row < r.row + r.rows; row++)
		for (int col = r.col; col < r.col + r.cols; col++)
			cell_at(c, row, col)->style |= (uint16_t)flags;
}

void canvas_box(struct canvas *c, struct rect r, unsigned style, const char *title)
{
	int bottom = r.row + r.rows - 1, right = r.col + r.cols - 1;

	if (r.rows < 2 || r.cols < 2)
		return;
	for (int col = r.col + 1; col < right; col++) {
		place(c, r.row, col, 0x2500, 1, style);
		place(c, bottom, col, 0x2500, 1, style);
	}
	for (int row = r.row + 1; row < bottom; row++) {
		place(c, row, r.col, 0x2502, 1, style);
		place(c, row, right, 0x2502, 1, style);
	}
	place(c, r.row, r.col, 0x250c, 1, style);
	place(c, r.row, right, 0x2510, 1, style);
	place(c, bottom, r.col, 0x2514, 1, style);
	place(c, bottom, right, 0x2518, 1, style);
	if (title && r.cols > 6) {
		int used, most = r.cols - 6;
		size_t n = strlen(title);

		text_fit(title, n, most, &used);
		canvas_fit(c, r.row, r.col + 2, most, style, title, n);
		canvas_puts(c, r.row, r.col + 1, style, " ");
		/* canvas_fit blanks nothing behind a short title: the line goes on there. */
		canvas_puts(c, r.row, r.col + 2 + (text_columns(title, n) > most ? most : used), style, " ");
	}
}

void canvas_thumb(struct canvas *c, struct rect r, size_t top, size_t seen, size_t all, unsigned style)
{
	size_t room = (size_t)MAX_OF(r.rows, 0), length, at;

	if (all <= seen || room == 0)
		return;
	length = MAX_OF(room * seen / all, (size_t)1);
	at = (room - MIN_OF(length, room)) * MIN_OF(top, all - seen) / (all - seen);
	for (size_t i = 0; i < length; i++)
		place(c, r.row + (int)(at + i), r.col + r.cols, 0x2588, 1, style);
}

void buf_add_rune(struct buf *out, uint32_t rune)
{
	char s[4];
	size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

	if (n == 1) {
		buf_addc(out, (char)rune);
		return;
	}
	for (size_t i = n - 1; i > 0; i--, rune >>= 6)
		s[i] = (char)(0x80 | (rune & 0x3f));
	s[0] = (char)((0xf00 >> n & 0xff) | rune);
	buf_add(out, s, n);
}

static void dump_row(const struct canvas *c, struct buf *out, int row)
{
	size_t end = out->len;

	for (int col = 0; col < c->cols; col++) {
		const struct cell *cell = cell_at(c, row, col);

		if (cell->width == 0)
			continue;
		buf_add_rune(out, cell->rune);
		for (size_t i = 0; i < CANVAS_MARKS && cell->marks[i]; i++)
			buf_add_rune(out, cell->marks[i]);
		if (cell->rune != ' ' || cell->marks[0])
			end = out->len;
	}
	out->len = end;
	buf_addc(out, '\n');
}

static char style_letter(unsigned style)
{
	static const char upper[] = "*ABCDEFGHIJKLMNOPQRSTUVWXYZ", lower[] = ".abcdefghijklmnopqrstuvwxyz";
	unsigned id = style & STYLE_MASK;

	if (id >= sizeof(lower) - 1)
		return '?';
	return style & STYLE_REVERSE ? upper[id] : lower[id];
}

static void dump_styles(const struct canvas *c, struct buf *out, int row)
{
	size_t end = out->len;

	for (int col = 0; col < c->cols; col++) {
		buf_addc(out, style_letter(cell_at(c, row, col)->style));
		if (out->data[out->len - 1] != '.')
			end = out->len;
	}
	out->len = end;
	buf_addc(out, '\n');
}

void canvas_dump(const struct canvas *c, struct buf *out, bool styles)
{
	for (int row = 0; row < c->rows; row++)
		dump_row(c, out, row);
	for (int row = 0; styles && row < c->rows; row++)
		dump_styles(c, out, row);
}

int canvas_compare(const struct canvas *a, const struct canvas *b, int *row, int *col)
{
	int differ = 0;

	if (a->rows != b->rows || a->cols != b->cols)
		return -1;
	for (int i = 0; i < a->rows * a->cols; i++) {
		if (memcmp(&a->cells[i], &b->cells[i], sizeof(a->cells[i])) == 0)
			continue;
		if (differ++ == 0 && row)
			*row = i / a->cols;
		if (differ == 1 && col)
			*col = i % a->cols;
	}
	return differ;
}
