/* The canvas: widths, edges, marks, hostile text, boxes, ASCII; and the names of keys and colours. */
#include "lib/canvas.h"
#include "lib/err.h"
#include "lib/event.h"
#include "lib/look.h"
#include "lib/str.h"
#include "tap.h"

static struct canvas canvas;

static const char *shown(bool styles)
{
	static struct buf out;

	buf_reset(&out);
	canvas_dump(&canvas, &out, styles);
	return buf_str(&out);
}

static void fresh(int rows, int cols)
{
	canvas_resize(&canvas, rows, cols);
	canvas.ascii = false;
}

/* Draws into one row and tells what it shows. */
static const char *row_of(int cols, int col, const char *text)
{
	fresh(1, cols);
	canvas_puts(&canvas, 0, col, 0, text);
	return shown(false);
}

static const struct {
	uint32_t rune;
	int width;
} widths[] = {
	{ 'a', 1 },     { 0xe9, 1 },   { 0x301, 0 },  { 0x4e00, 2 }, { 0x3042, 2 }, { 0xac00, 2 },  { 0xff01, 2 },
	{ 0x1f600, 2 }, { 0x2500, 1 }, { 0x0e31, 0 }, { 0xfe0f, 0 }, { 0x2026, 1 }, { 0x20000, 2 }, { 0x10ffff, 1 },
	{ 0x1161, 0 },  { 0x1100, 2 }, { 0x300, 0 },  { 0x2ff, 1 },  { 0x36f, 0 },  { 0x370, 1 },   { 0x3fffd, 2 },
};

static void test_widths(void)
{
	bool good = true;

	for (size_t i = 0; i < ARRAY_LEN(widths); i++)
		if (rune_width(widths[i].rune) != widths[i].width) {
			printf("# U+%04X is %d wide\n", widths[i].rune, rune_width(widths[i].rune));
			good = false;
		}
	ok(good, "widths of characters");
	is_int(text_columns("a日本e\u0301", strlen("a日本e\u0301")), 6, "columns of a text");
	is_int(text_columns("\033[", 2), 5, "of an escape byte as it is shown");
	is_int(text_columns("\tx", 2), 9, "of a tab");
	is_int((long long)text_fit("日本語", 9, 5, NULL), 6, "what fits, wide");
	is_int((long long)text_fit("abe\u0301x", 6, 3, NULL), 5, "a mark stays with its character");
	is_int((long long)text_fit("ab\033", 3, 4, NULL), 2, "an escape fits whole or not at all");
}

static void test_edges(void)
{
	is_str(row_of(4, 0, "abcdef"), "abcd\n", "cut at the right");
	is_str(row_of(4, -2, "abcdef"), "cdef\n", "cut at the left");
	is_str(row_of(4, 1, "日本"), " 日\n", "a wide character halved by the right edge is a blank");
	is_str(row_of(4, -1, "日本"), " 本\n", "halved by the left edge, too");
	is_str(row_of(4, 0, "e\u0301\u0301\u0301x"), "e\u0301\u0301x\n", "marks: two are kept");
	is_str(row_of(2, 0, "xe\u0301"), "xe\u0301\n", "a mark at the right edge stays");
	is_str(row_of(3, 0, "\u0301x"), " \u0301x\n", "a mark alone stands on a blank");
	is_str(row_of(20, 0, "a\033[31mb\xff\u202e"), "a\\x1b[31mb\\xff\\u{202\n", "hostile text is made printable");
	is_str(row_of(12, 0, "a\tb"), "a       b\n", "a tab goes to its stop");
	is_str(row_of(12, -4, "a\tb"), "    b\n", "counted from the text's beginning");
	fresh(2, 6);
	is_int(canvas_puts(&canvas, 0, 1, 0, "ab"), 3, "the column behind");
	is_int(canvas_puts(&canvas, 0, 1, 0, "abcdefgh"), 6, "or the edge");
	canvas_puts(&canvas, 5, 0, 0, "below");
	canvas_puts(&canvas, -1, 0, 0, "above");
	is_str(shown(false), " abcde\n\n", "nothing above and below");
}

static void test_halves(void)
{
	row_of(6, 0, "日本語");
	canvas_puts(&canvas, 0, 1, 0, "x");
	is_str(shown(false), " x本語\n", "the left half of an overwritten wide character goes");
	row_of(6, 0, "日本語");
	canvas_puts(&canvas, 0, 2, 0, "x");
	is_str(shown(false), "日x 語\n", "and the right half");
	row_of(6, 0, "日本語");
	canvas_puts(&canvas, 0, 1, 0, "字");
	is_str(shown(false), " 字 語\n", "both, under another wide one");
}

static void test_clip(void)
{
	struct rect before;

	fresh(3, 8);
	before = canvas_clip(&canvas, rect_of(1, 2, 1, 3));
	for (int row = 0; row < 3; row++)
		canvas_puts(&canvas, row, 0, 1, "abcdefgh");
	canvas_unclip(&canvas, before);
	is_str(shown(true), "\n  cde\n\n\n..aaa\n\n", "only inside of the clip");
	canvas_add_style(&canvas, rect_of(0, 3, 3, 1), STYLE_REVERSE);
	canvas_restyle(&canvas, rect_of(1, 4, 1, 9), 2);
	is_str(shown(true), "\n  cde\n\n...*\n..aAbbbb\n...*\n", "styles");
	is_int(canvas_fit(&canvas, 0, 1, 5, 0, "abcdefgh", 8), 6, "fit returns the column behind");
	canvas_fit(&canvas, 2, 0, 4, 0, "abcd", 4);
	is_str(shown(false), " abcd…\n  cde\nabcd\n", "and cuts with a sign only where it must");
	canvas_fit(&canvas, 0, 0, 4, 0, "日本語", 9);
	is_str(shown(false), "日…cd…\n  cde\nabcd\n", "before a wide character that does not fit");
}

static void test_box(void)
{
	fresh(3, 12);
	canvas_box(&canvas, rect_of(0, 0, 3, 12), 0, "Title");
	is_str(shown(false), "┌ Title ───┐\n│          │\n└──────────┘\n", "a box");
	canvas_box(&canvas, rect_of(0, 0, 3, 12), 0, "A longer title");
	is_str(shown(false), "┌ A lon… ──┐\n│          │\n└──────────┘\n", "a title that is cut");
	canvas.ascii = true;
	canvas_box(&canvas, rect_of(0, 0, 3, 12), 0, "日é…");
	is_str(shown(false), "+ ???~ ----+\n|          |\n+----------+\n", "in ASCII");
	canvas_box(&canvas, rect_of(0, 0, 1, 1), 0, "x");
	is_str(shown(false), "+ ???~ ----+\n|          |\n+----------+\n", "no room, no box");
}

static void test_compare(void)
{
	struct canvas other = { 0 };
	int row = -1, col = -1;

	fresh(2, 4);
	canvas_resize(&other, 2, 4);
	is_int(canvas_compare(&canvas, &other, &row, &col), 0, "equal");
	canvas_puts(&other, 1, 2, 0, "xy");
	is_int(canvas_compare(&canvas, &other, &row, &col), 2, "two cells differ");
	ok(row == 1 && col == 2, "and the first is told");
	canvas_resize(&other, 2, 5);
	is_int(canvas_compare(&canvas, &other, NULL, NULL), -1, "other sizes");
	canvas_free(&other);
}

static const struct {
	const char *name, *shown;
} keys[] = {
	{ "q", "q" },
	{ "H", "H" },
	{ "shift-h", "H" },
	{ "<Enter>", "<Enter>" },
	{ "enter", "<Enter>" },
	{ "ctrl-c", "ctrl-c" },
	{ "<Ctrl-C>", "ctrl-c" },
	{ "c-d", "ctrl-d" },
	{ "<F1>", "<F1>" },
	{ "f12", "<F12>" },
	{ "<esc>", "<Esc>" },
	{ "shift-<Tab>", "shift-<Tab>" },
	{ "<BackTab>", "shift-<Tab>" },
	{ "space", "<Space>" },
	{ " ", "<Space>" },
	{ "PageDown", "<PgDn>" },
	{ "-", "-" },
	{ "ctrl--", "ctrl--" },
	{ "<", "<" },
	{ "é", "é" },
	{ "shift-?", "?" },
	{ "ctrl+x", "ctrl-x" },
};

static const char *const no_keys[] = { "", "F13", "F0", "alt-x", "hyper-x", "<>", "qq", "\x1b", "\xff", "ctrl-" };

static void test_keys(void)
{
	char name[KEY_NAME_MAX];
	uint32_t key, again;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		bool read = key_parse(keys[i].name, &key);

		is_str(read ? key_print(name, key) : NULL, keys[i].shown, keys[i].name);
		ok(read && key_parse(name, &again) && again == key, "  and is read back");
	}
	for (size_t i = 0; i < ARRAY_LEN(no_keys); i++)
		ok(!key_parse(no_keys[i], &key), "no key: %zu", i);
	ok(key_types(TKEY_SPACE) == ' ' && key_types('x') == 'x' && !key_types(TKEY_UP) && !key_types('x' | TKEY_CTRL),
	   "what a key types");
}

static void test_looks(void)
{
	const char *wrong = NULL;
	struct look look;

	ok(look_parse("bold bright-red on blue", &look, &wrong) && look.fg == 9 && look.bg == 4 && look.flags == STYLE_BOLD,
	   "words");
	ok(look_parse("#ff0000 reverse underline", &look, &wrong) && look.fg == 196 && look.bg == COLOUR_DEFAULT &&
		   look.flags == (STYLE_REVERSE | STYLE_UNDERLINE),
	   "a colour by its parts");
	ok(look_parse("208 on default", &look, &wrong) && look.fg == 208 && look.bg == COLOUR_DEFAULT, "a number");
	ok(!look_parse("bold mauve", &look, &wrong) && strcmp(wrong, "mauve") == 0, "what is wrong is told");
	ok(!look_parse("256", &look, &wrong) && !look_parse("#12345", &look, &wrong) &&
		   !look_parse("red on on blue", &look, &wrong),
	   "and refused");
	is_int(colour_reduce(196, 256), 196, "256 colours");
	is_int(colour_reduce(196, 16), 9, "16: the nearest");
	is_int(colour_reduce(196, 8), 1, "8: without its brightness");
	is_int(colour_reduce(9, 8), 1, "8 of 16");
	is_int(colour_reduce(9, 0), COLOUR_DEFAULT, "none");
	is_int(colour_reduce(244, 8), 0, "a grey");
}

int main(void)
{
	test_widths();
	test_edges();
	test_halves();
	test_clip();
	test_box();
	test_compare();
	test_keys();
	test_looks();
	canvas_free(&canvas);
	return done();
}
