/* Any bytes on a canvas, at any place: nothing unprintable gets into a cell, no wide character is left in halves, what fits is what is drawn. */
#include "fuzz.h"

#include "lib/canvas.h"
#include "lib/str.h"

#include <stdlib.h>

#define ROWS 4
#define COLS 24

static void check(const struct canvas *c)
{
	for (int row = 0; row < ROWS; row++)
		for (int col = 0; col < COLS; col++) {
			const struct cell *cell = &c->cells[row * COLS + col];
			bool right = col > 0 && cell[-1].width == 2;

			if (right != (cell->width == 0) || (cell->width == 2 && col + 1 == COLS))
				abort();
			if (cell->width && (cell->rune < 0x20 || (cell->rune >= 0x7f && cell->rune < 0xa0)))
				abort();
			if (cell->width && cell->width != MAX_OF(rune_width(cell->rune), 1))
				abort();
		}
}

/* The dump is text that str_printable leaves as it is. */
static void check_dump(const struct canvas *c)
{
	struct buf dump = { 0 }, printable = { 0 };

	canvas_dump(c, &dump, true);
	str_printable_lines(&printable, dump.data, dump.len);
	if (dump.len != printable.len || memcmp(dump.data, printable.data, dump.len) != 0)
		abort();
	buf_free(&dump);
	buf_free(&printable);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct canvas c = { 0 };
	const char *s = (const char *)data + 4;
	int used = 0, width;
	size_t fits;

	if (n < 4)
		return 0;
	n -= 4;
	canvas_resize(&c, ROWS, COLS);
	c.ascii = data[3] & 1;
	canvas_text(&c, 0, (signed char)data[0] % 40, 1, s, n);
	canvas_fit(&c, 1, data[1] % COLS, data[2] % 30, 2, s, n);
	canvas_text(&c, data[3] % ROWS, (signed char)data[2] % 40, 3, s, n);
	width = data[1] % 50 + 1;
	fits = text_fit(s, n, width, &used);
	if (fits > n || used > width || used != text_columns(s, fits))
		abort();
	if (used <= COLS && canvas_text(&c, 2, 0, 0, s, fits) != used)
		abort();
	check(&c);
	check_dump(&c);
	canvas_free(&c);
	return 0;
}
