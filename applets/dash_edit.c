/* Owns the editing of one line. Refuses control characters and lines of more than a kilobyte. */
#include "applets/dash_edit.h"

#include "lib/event.h"
#include "lib/str.h"

#define LINE_MOST 1024

void dash_edit_set(struct dash_edit *e, const char *text)
{
	buf_reset(&e->text);
	str_utf8_replace(&e->text, text, strlen(text));
	e->at = e->text.len;
}

/* Characters and their marks go together: a step never ends before a mark. */
static size_t step_right(const struct dash_edit *e, size_t at)
{
	uint32_t rune = 0;

	do {
		at += str_utf8_next(e->text.data + at, e->text.len - at, &rune);
	} while (at < e->text.len && str_utf8_next(e->text.data + at, e->text.len - at, &rune) && rune_width(rune) == 0);
	return at;
}

static size_t step_left(const struct dash_edit *e, size_t at)
{
	size_t before = 0;

	for (size_t i = 0; i < at; i = step_right(e, i))
		before = i;
	return before;
}

static void cut(struct dash_edit *e, size_t from, size_t to)
{
	if (from >= to)
		return;
	memmove(e->text.data + from, e->text.data + to, e->text.len - to + 1);
	e->text.len -= to - from;
	e->at = from;
}

static void insert(struct dash_edit *e, uint32_t rune)
{
	struct buf one = { 0 };

	buf_add_rune(&one, rune);
	if (e->text.len + one.len <= LINE_MOST && str_utf8_next(one.data, one.len, &rune)) {
		buf_reserve(&e->text, one.len);
		memmove(e->text.data + e->at + one.len, e->text.data + e->at, e->text.len - e->at);
		memcpy(e->text.data + e->at, one.data, one.len);
		e->text.len += one.len;
		e->text.data[e->text.len] = '\0';
		e->at += one.len;
	}
	buf_free(&one);
}

static size_t word_start(const struct dash_edit *e)
{
	size_t at = e->at;

	while (at > 0 && e->text.data[at - 1] == ' ')
		at--;
	while (at > 0 && e->text.data[at - 1] != ' ')
		at--;
	return at;
}

static void move_home(struct dash_edit *e)
{
	e->at = 0;
}

static void move_end(struct dash_edit *e)
{
	e->at = e->text.len;
}

static void move_left(struct dash_edit *e)
{
	e->at = step_left(e, e->at);
}

static void move_right(struct dash_edit *e)
{
	if (e->at < e->text.len)
		e->at = step_right(e, e->at);
}

static void cut_before(struct dash_edit *e)
{
	cut(e, step_left(e, e->at), e->at);
}

static void cut_under(struct dash_edit *e)
{
	if (e->at < e->text.len)
		cut(e, e->at, step_right(e, e->at));
}

static void cut_all_before(struct dash_edit *e)
{
	cut(e, 0, e->at);
}

static void cut_rest(struct dash_edit *e)
{
	cut(e, e->at, e->text.len);
}

static void cut_word(struct dash_edit *e)
{
	cut(e, word_start(e), e->at);
}

static const struct {
	uint32_t key;
	void (*act)(struct dash_edit *);
} keys[] = {
	{ TKEY_LEFT, move_left },       { TKEY_RIGHT, move_right },     { TKEY_HOME, move_home },
	{ TKEY_END, move_end },         { 'a' | TKEY_CTRL, move_home }, { 'e' | TKEY_CTRL, move_end },
	{ TKEY_BACKSPACE, cut_before }, { TKEY_DELETE, cut_under },     { 'u' | TKEY_CTRL, cut_all_before },
	{ 'k' | TKEY_CTRL, cut_rest },  { 'w' | TKEY_CTRL, cut_word },
};

bool dash_edit_key(struct dash_edit *e, uint32_t key, bool *changed)
{
	size_t before = e->text.len;
	uint32_t rune = key_types(key);

	*changed = false;
	if (rune) {
		insert(e, rune);
		*changed = e->text.len != before;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].key == key) {
			keys[i].act(e);
			*changed = e->text.len != before;
			return true;
		}
	return false;
}

void dash_edit_draw(const struct dash_edit *e, struct canvas *c, int row, int col, int cols, unsigned style)
{
	struct rect before = canvas_clip(c, rect_of(row, col, 1, cols));
	const char *s = buf_str(&e->text);
	int at = text_columns(s, e->at);
	int shift = MAX_OF(at - cols + 1, 0);
	int under = e->at < e->text.len ? text_columns(s + e->at, step_right(e, e->at) - e->at) : 1;

	canvas_clear(c, rect_of(row, col, 1, cols), style);
	canvas_text(c, row, col - shift, style, s, e->text.len);
	canvas_add_style(c, rect_of(row, col + at - shift, 1, MAX_OF(under, 1)), STYLE_REVERSE);
	canvas_unclip(c, before);
}
