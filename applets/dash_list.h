/* A list of rows as a pane: order, filter, search, cursor, drawing. The rows are the page's. */
#ifndef TUXTAPE_DASH_LIST_H
#define TUXTAPE_DASH_LIST_H

#include "lib/buf.h"
#include "lib/canvas.h"

#define DASH_NO_ROW SIZE_MAX
#define DASH_UNSORTED (-1)

struct dash_column {
	const char *title;
	int width;    /* columns that it wants at least */
	int share;    /* its part of the room that is left over; 0: none */
	bool right;   /* numbers */
	int drop;     /* where room is short, columns vanish from the highest number down; 0: never */
	int from;     /* columns that the list must have for this one to be shown while the list is not sorted by it */
	bool reverse; /* sorting by it begins with the highest */
};

struct dash_cell {
	struct buf text; /* empty when handed out; any bytes */
	unsigned style;
};

/* What a page supplies of its rows, which are numbered from 0. All functions are pure. */
struct dash_rows {
	const struct dash_column *columns;
	size_t n_columns;
	size_t (*count)(const void *data);
	void (*cell)(const void *data, size_t row, size_t column, struct dash_cell *out);

	/* The order within a column: by number first, then by compare (NULL: none), then by row. NULL: the list cannot be sorted. */
	uint64_t (*sort_key)(const void *data, size_t row, size_t column);
	int (*compare)(const void *data, size_t a, size_t b, size_t column);

	/* What makes a row the same one after its data came anew; NULL: its number. */
	uint64_t (*id)(const void *data, size_t row);

	/* The page's own filter; NULL: all are shown. */
	bool (*shown)(const void *data, size_t row);
};

struct dash_list {
	const struct dash_rows *rows;
	const void *data;
	uint32_t *order; /* all rows in their order */
	uint32_t *view;  /* those that are shown */
	size_t n, n_view;
	size_t cursor, top; /* places in view */
	int sort;           /* a column, or DASH_UNSORTED */
	bool reverse;
	struct buf filter, search; /* lower case */
	struct buf hay;            /* the text of all rows, lower case */
	size_t *hay_at;            /* where each row's begins; one more than rows */
	size_t n_hay;
	uint64_t cursor_id; /* of the row with the cursor, from when it was put there */
	int height;         /* rows that are seen; set by dash_list_layout */
};

void dash_list_init(struct dash_list *l, const struct dash_rows *rows, const void *data);
void dash_list_free(struct dash_list *l);

/* After rows came (whole false: the rows before are as they were) or anything changed. The cursor stays on its row. */
void dash_list_update(struct dash_list *l, bool whole);

/* Tells how many rows are seen, and scrolls so that the cursor is. */
void dash_list_layout(struct dash_list *l, int height);

/* The row with the cursor, DASH_NO_ROW where there is none. */
size_t dash_list_row(const struct dash_list *l);

/* Moves the cursor by so many rows; stops at the ends. */
void dash_list_move(struct dash_list *l, long by);
/* Scrolls; the cursor stays where it can. */
void dash_list_scroll(struct dash_list *l, long by);
/* Moves the cursor to a row of the page, if it is shown. */
bool dash_list_goto(struct dash_list *l, size_t row);

void dash_list_filter(struct dash_list *l, const char *text);
void dash_list_sort(struct dash_list *l, int column, bool reverse);

/* From place `from` of the view on, forward or back, round the ends: the first row that holds the text moves the cursor there. False where
 * none does; the cursor stays. An empty text is found nowhere. */
bool dash_list_search(struct dash_list *l, const char *text, size_t from, bool forward);

/* Draws heading and rows; the first row of r is the heading. `message` is shown where there are no rows. */
void dash_list_draw(const struct dash_list *l, struct canvas *c, struct rect r, bool focus, const char *message,
		    unsigned style);

/* The column under a screen column of r, DASH_UNSORTED where there is none. */
int dash_list_column_at(const struct dash_list *l, struct rect r, int col);

/* Appends n bytes with ASCII in lower case: what is searched in, and for. */
void dash_lower(struct buf *out, const char *s, size_t n);

/* Marks each occurrence of the lower-case text in what stands at row, col (n bytes of s). */
void dash_mark_matches(struct canvas *c, int row, int col, const char *s, size_t n, const struct buf *text);

#endif
