/* A text as a pane: lines with styles, wrapped or cut, scrolled, searched. */
#ifndef TUXTAPE_DASH_TEXT_H
#define TUXTAPE_DASH_TEXT_H

#include "lib/buf.h"
#include "lib/canvas.h"

struct dash_text {
	struct buf body;
	struct text_line {
		size_t at, len;        /* in body */
		uint16_t style, label; /* the first `label` bytes are shown as a label */
	} * lines;
	struct text_piece {
		size_t line, at, len; /* what stands on one row of the screen; at and len in body */
	} * pieces;
	size_t n, n_pieces, room, pieces_room;
	size_t n_wrapped;  /* lines that are in pieces already */
	size_t top;        /* the first piece that is seen */
	size_t found;      /* the piece with the last match */
	bool at_end;       /* a text that follows was at its end when it was reset */
	int left;          /* columns scrolled to the right, where lines are cut */
	int width, height; /* as laid out; width 0: not yet */
	bool wrap, follow; /* follow: a text that grows stays at its end, once it is there */
	struct buf search;
};

void dash_text_free(struct dash_text *t);

/* Begins anew; the place is kept for a text like the one before. */
void dash_text_reset(struct dash_text *t);

/* One line; what it holds may come from anywhere, and newlines end lines as everywhere. */
void dash_text_add(struct dash_text *t, unsigned style, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "label: value" with the label in its own style; the value may have many lines. */
void dash_text_field(struct dash_text *t, const char *label, unsigned style, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Many lines in one style. */
void dash_text_lines(struct dash_text *t, unsigned style, const char *s, size_t n);
/* A unified diff, each line in the style of what it is. */
void dash_text_diff(struct dash_text *t, const char *s, size_t n);

/* Fits the text into so many columns and rows. */
void dash_text_layout(struct dash_text *t, int width, int height);
void dash_text_move(struct dash_text *t, long by);
void dash_text_move_sideways(struct dash_text *t, int by);
/* Turns wrapping on or off; the line on top stays on top. */
void dash_text_wrap(struct dash_text *t, bool wrap);

/* Where a search goes on from: the last match while it is seen, else the top. */
size_t dash_text_from(const struct dash_text *t);

/* From the piece behind (or before) `from` on, round the ends; `here` looks at `from`, too. False where there is none. */
bool dash_text_search(struct dash_text *t, const char *text, size_t from, bool here, bool forward);

void dash_text_draw(const struct dash_text *t, struct canvas *c, struct rect r);

#endif
