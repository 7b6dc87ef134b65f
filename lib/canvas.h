/* A grid of cells: what a screen shows, without a screen. Pure; lib/tui.c puts it on a terminal, tests print it. */
#ifndef TUXTAPE_CANVAS_H
#define TUXTAPE_CANVAS_H

#include "lib/base.h"
#include "lib/buf.h"

#define CANVAS_MARKS 2        /* combining characters kept for a cell; more are dropped */
#define CANVAS_SIDE_MOST 1000 /* rows and columns; larger terminals are drawn in part */

/* A style is a number below 64 that a palette gives colours to, and any of these. */
enum {
	STYLE_MASK = 0x3f,
	STYLE_REVERSE = 0x40,
	STYLE_BOLD = 0x80,
	STYLE_UNDERLINE = 0x100,
};

struct cell {
	uint32_t rune; /* 0: the right half of the wide character before it */
	uint32_t marks[CANVAS_MARKS];
	uint16_t style;
	uint16_t width; /* columns: 1 or 2; 0 for a right half */
};

struct rect {
	int row, col, rows, cols;
};

struct canvas {
	int rows, cols;
	bool ascii;       /* the terminal shows ASCII alone: lines and signs have stand-ins, other characters become '?' */
	struct rect clip; /* nothing is drawn outside of it */
	struct cell *cells;
};

/* Columns that a character takes: 0, 1 or 2. The table is our own, so that every machine draws the same. */
int rune_width(uint32_t rune);

/* Starts from { 0 }, or changes the size; cells are blank and the clip is everything afterwards. Sizes are brought into 1 and
 * CANVAS_SIDE_MOST. Release with canvas_free. */
void canvas_resize(struct canvas *c, int rows, int cols);
void canvas_free(struct canvas *c);

/* Blanks the cells of r (within the clip). */
void canvas_clear(struct canvas *c, struct rect r, unsigned style);

/* Narrows the clip to r and returns the one before, to be put back with canvas_unclip. */
struct rect canvas_clip(struct canvas *c, struct rect r);
void canvas_unclip(struct canvas *c, struct rect before);

/* Draws n bytes of text from anywhere, made printable as str_printable does; a tab is a blank. What is outside of the clip is cut; a wide
 * character that an edge halves shows as blanks. Reads no more than the clip can show. Returns the column behind the text, or the
 * clip's right edge when it was cut there. */
int canvas_text(struct canvas *c, int row, int col, unsigned style, const char *s, size_t n);
int canvas_puts(struct canvas *c, int row, int col, unsigned style, const char *s);
int canvas_printf(struct canvas *c, int row, int col, unsigned style, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The same in at most `cols` columns: longer text ends with "…". Returns col + cols. */
int canvas_fit(struct canvas *c, int row, int col, int cols, unsigned style, const char *s, size_t n);

/* Gives the cells of r another style; what stands in them stays. */
void canvas_restyle(struct canvas *c, struct rect r, unsigned style);
/* Adds flags (STYLE_REVERSE, ...) to the styles of r. */
void canvas_add_style(struct canvas *c, struct rect r, unsigned flags);

/* A frame along the edges of r, with a title in the upper one (NULL for none). */
void canvas_box(struct canvas *c, struct rect r, unsigned style, const char *title);

/* A thumb in the column to the right of r, where `all` is more than the `seen` from `top` on. */
void canvas_thumb(struct canvas *c, struct rect r, size_t top, size_t seen, size_t all, unsigned style);

/* Columns that canvas_text would use for all of s. */
int text_columns(const char *s, size_t n);

/* How many bytes of s fit into `cols` columns; *used gets the columns they take (may be NULL). Never splits a character from its marks. */
size_t text_fit(const char *s, size_t n, int cols, int *used);

/* Appends the rows as UTF-8 text, trailing blanks cut, a newline behind each. With styles, a second block follows: a letter a cell ('a' is
 * style 1, '.' style 0, upper case where reversed), rows without any style empty. */
void canvas_dump(const struct canvas *c, struct buf *out, bool styles);

/* How many cells differ; -1 where the sizes do. *row and *col get the first place (may be NULL). */
int canvas_compare(const struct canvas *a, const struct canvas *b, int *row, int *col);

/* The intersection; no area where there is none. */
struct rect rect_within(struct rect a, struct rect b);
bool rect_holds(struct rect r, int row, int col);
static inline struct rect rect_of(int row, int col, int rows, int cols)
{
	return (struct rect){ row, col, rows, cols };
}

/* Appends a character as UTF-8. */
void buf_add_rune(struct buf *out, uint32_t rune);

#endif
