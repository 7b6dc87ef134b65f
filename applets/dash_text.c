/* Owns texts in panes: their lines, how they wrap, what is seen of them. Refuses to measure a line twice for one width. */
#include "applets/dash_text.h"

#include "applets/dash_list.h"
#include "applets/dash_style.h"
#include "lib/err.h"
#include "lib/str.h"

#include <stdlib.h>

#define SIDEWAYS_MOST 100000 /* columns */

/* The highest top that still fills the pane. */
static size_t last_top(const struct dash_text *t)
{
	size_t seen = (size_t)MAX_OF(t->height, 1);

	return t->n_pieces > seen ? t->n_pieces - seen : 0;
}

void dash_text_free(struct dash_text *t)
{
	buf_free(&t->body);
	buf_free(&t->search);
	free(t->lines);
	free(t->pieces);
	*t = (struct dash_text){ 0 };
}

void dash_text_reset(struct dash_text *t)
{
	t->at_end = t->top >= last_top(t);
	buf_reset(&t->body);
	t->n = 0;
	t->n_pieces = 0;
	t->n_wrapped = 0;
}

static void add_line(struct dash_text *t, size_t at, size_t len, unsigned style, size_t label)
{
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->lines = xrealloc(t->lines, t->room * sizeof(*t->lines));
	}
	t->lines[t->n++] = (struct text_line){ at, len, (uint16_t)style, (uint16_t)MIN_OF(label, (size_t)UINT16_MAX) };
}

static unsigned style_same(const char *s UNUSED, size_t n UNUSED, unsigned style)
{
	return style;
}

static unsigned style_diff(const char *s, size_t n, unsigned style UNUSED)
{
	static const struct {
		const char *start;
		unsigned style;
	} kinds[] = {
		{ "+++ ", ST_DIFF_HEAD },    { "--- ", ST_DIFF_HEAD },     { "@@ ", ST_HUNK },
		{ "+", ST_ADDED },           { "-", ST_REMOVED },          { "diff ", ST_DIFF_HEAD },
		{ "index ", ST_DIFF_HEAD },  { "new file", ST_DIFF_HEAD }, { "deleted file", ST_DIFF_HEAD },
		{ "Binary ", ST_DIFF_HEAD },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t k = strlen(kinds[i].start);

		if (n >= k && memcmp(s, kinds[i].start, k) == 0)
			return kinds[i].style;
	}
	return ST_PLAIN;
}

/* Lines of what was added to the body from `from` on; the first begins with a label of so many bytes. */
static void split(struct dash_text *t, size_t from, unsigned style, size_t label,
		  unsigned (*style_of)(const char *, size_t, unsigned))
{
	do {
		const char *s = buf_str(&t->body) + from, *end = memchr(s, '\n', t->body.len - from);
		size_t n = end ? (size_t)(end - s) : t->body.len - from;

		/* A carriage return before the newline is the line end of other systems. */
		add_line(t, from, n > 0 && s[n - 1] == '\r' ? n - 1 : n, style_of(s, n, style), label);
		label = 0;
		from += n + 1;
	} while (from < t->body.len);
}

static void add_block(struct dash_text *t, unsigned style, const char *s, size_t n,
		      unsigned (*style_of)(const char *, size_t, unsigned))
{
	size_t from = t->body.len;

	buf_add(&t->body, s, n);
	if (n == 0 || s[n - 1] != '\n')
		buf_addc(&t->body, '\n');
	split(t, from, style, 0, style_of);
}

void dash_text_lines(struct dash_text *t, unsigned style, const char *s, size_t n)
{
	add_block(t, style, s, n, style_same);
}

void dash_text_diff(struct dash_text *t, const char *s, size_t n)
{
	add_block(t, ST_PLAIN, s, n, style_diff);
}

void dash_text_add(struct dash_text *t, unsigned style, const char *fmt, ...)
{
	size_t from = t->body.len;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&t->body, fmt, ap);
	va_end(ap);
	buf_addc(&t->body, '\n');
	split(t, from, style, 0, style_same);
}

void dash_text_field(struct dash_text *t, const char *label, unsigned style, const char *fmt, ...)
{
	size_t from = t->body.len, n;
	va_list ap;

	buf_printf(&t->body, "%s: ", label);
	n = t->body.len - from;
	va_start(ap, fmt);
	buf_vprintf(&t->body, fmt, ap);
	va_end(ap);
	buf_addc(&t->body, '\n');
	split(t, from, style, n, style_same);
}

/* ---- Wrapping */

static void add_piece(struct dash_text *t, size_t line, size_t at, size_t len)
{
	if (t->n_pieces == t->pieces_room) {
		t->pieces_room = t->pieces_room ? t->pieces_room * 2 : 64;
		t->pieces = xrealloc(t->pieces, t->pieces_room * sizeof(*t->pieces));
	}
	t->pieces[t->n_pieces++] = (struct text_piece){ line, at, len };
}

/* How much of s goes onto one row: up to the last blank that fits, or as much as fits. */
static size_t piece_of(const char *s, size_t n, int width)
{
	size_t fits = text_fit(s, n, width, NULL), at;
	uint32_t rune;

	if (fits >= n)
		return n;
	for (at = fits; at > 0 && s[at] != ' '; at--)
		;
	if (at > 0)
		return at;
	/* One character that is wider than the pane still has to go somewhere. */
	return fits ? fits : MAX_OF(str_utf8_next(s, n, &rune), (size_t)1);
}

static void wrap_line(struct dash_text *t, size_t i)
{
	const struct text_line *line = &t->lines[i];
	size_t at = line->at, left = line->len;

	do {
		size_t n = t->wrap ? piece_of(t->body.data + at, left, t->width) : left;

		add_piece(t, i, at, n);
		at += n;
		left -= n;
		/* The blank at which the line was broken is not shown. */
		if (left > 0 && t->body.data[at] == ' ') {
			at++;
			left--;
		}
	} while (left > 0);
}

/* Only lines that are new: a log of a hundred thousand grows line by line. */
static void wrap_new(struct dash_text *t)
{
	for (; t->n_wrapped < t->n; t->n_wrapped++)
		wrap_line(t, t->n_wrapped);
}

static void wrap_all(struct dash_text *t)
{
	t->n_pieces = 0;
	t->n_wrapped = 0;
	wrap_new(t);
}

void dash_text_layout(struct dash_text *t, int width, int height)
{
	bool at_end = t->follow && (t->n_pieces ? t->top >= last_top(t) : t->at_end);

	width = MAX_OF(width, 1);
	t->height = MAX_OF(height, 1);
	if (t->width != width) {
		t->width = width;
		t->n_pieces = 0;
		t->n_wrapped = 0;
	}
	wrap_new(t);
	if (at_end || t->top > last_top(t))
		t->top = last_top(t);
}

void dash_text_move(struct dash_text *t, long by)
{
	size_t last = last_top(t);

	if (by < 0)
		t->top = t->top > (size_t)-by ? t->top - (size_t)-by : 0;
	else
		t->top = MIN_OF(t->top + (size_t)by, last);
}

/* To the right, up to the end of the longest line that is seen. No line has more columns than bytes. */
void dash_text_move_sideways(struct dash_text *t, int by)
{
	size_t longest = 0;
	int most;

	for (size_t i = t->top; i < t->n_pieces && i < t->top + (size_t)t->height; i++)
		longest = MAX_OF(longest, t->pieces[i].len);
	most = MAX_OF((int)MIN_OF(longest, (size_t)SIDEWAYS_MOST) - t->width, t->left);
	t->left = MAX_OF(MIN_OF(t->left + by, most), 0);
}

void dash_text_wrap(struct dash_text *t, bool wrap)
{
	size_t line = t->top < t->n_pieces ? t->pieces[t->top].line : 0, at = 0;

	t->wrap = wrap;
	t->left = 0;
	wrap_all(t);
	while (at < t->n_pieces && t->pieces[at].line < line)
		at++;
	t->top = MIN_OF(at, last_top(t));
}

/* ---- Search */

/* Where in a piece the match is; SIZE_MAX: nowhere. */
static size_t match_in(const struct dash_text *t, const struct text_piece *p, struct buf *small)
{
	const char *at;

	buf_reset(small);
	dash_lower(small, t->body.data + p->at, p->len);
	at = memmem(small->data, small->len, t->search.data, t->search.len);
	return at ? (size_t)(at - small->data) : SIZE_MAX;
}

/* A match beyond the edge of the pane is moved to. */
static void show_match(struct dash_text *t, size_t piece, size_t at)
{
	const char *s = t->body.data + t->pieces[piece].at;
	int col = text_columns(s, at), end = col + text_columns(s + at, t->search.len);

	t->top = t->found = piece;
	if (!t->wrap && (col < t->left || end > t->left + t->width))
		t->left = MAX_OF(col - t->width / 2, 0);
}

size_t dash_text_from(const struct dash_text *t)
{
	return t->search.len && t->found >= t->top && t->found < t->top + (size_t)MAX_OF(t->height, 1) ? t->found : t->top;
}

bool dash_text_search(struct dash_text *t, const char *text, size_t from, bool here, bool forward)
{
	struct buf small = { 0 };
	size_t found = SIZE_MAX;

	buf_reset(&t->search);
	dash_lower(&t->search, text, strlen(text));
	for (size_t i = here ? 0 : 1; t->search.len && i <= t->n_pieces && t->n_pieces && found == SIZE_MAX; i++) {
		size_t piece = (forward ? from + i : from + t->n_pieces - i % t->n_pieces) % t->n_pieces;

		found = match_in(t, &t->pieces[piece], &small);
		if (found != SIZE_MAX)
			show_match(t, piece, found);
	}
	buf_free(&small);
	return found != SIZE_MAX;
}

/* ---- Drawing */

static void draw_piece(const struct dash_text *t, struct canvas *c, struct rect r, int row, const struct text_piece *p)
{
	const struct text_line *line = &t->lines[p->line];
	const char *s = t->body.data + p->at;
	int col = r.col - t->left;

	canvas_text(c, row, col, line->style, s, p->len);
	if (p->at == line->at && line->label)
		canvas_restyle(c, rect_of(row, col, 1, text_columns(s, line->label)), ST_LABEL);
	dash_mark_matches(c, row, col, s, p->len, &t->search);
	/* What goes on behind the edge is told by a sign. */
	if (!t->wrap && text_fit(s, p->len, t->left + r.cols, NULL) < p->len)
		canvas_puts(c, row, r.col + r.cols - 1, ST_DIM, "\xe2\x86\x92");
}

void dash_text_draw(const struct dash_text *t, struct canvas *c, struct rect r)
{
	struct rect before = canvas_clip(c, r);

	for (int i = 0; i < r.rows && t->top + (size_t)i < t->n_pieces; i++)
		draw_piece(t, c, r, r.row + i, &t->pieces[t->top + (size_t)i]);
	canvas_unclip(c, before);
}
