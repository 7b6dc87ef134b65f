/* Owns the reading of TOML 1.0 text into a tree. Refuses dates and times, which no setting of tuxtape needs, and whatever the language
 * does not allow, with file and line. */
#include "lib/toml.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/str.h"

#include <errno.h>
#include <stdlib.h>

#define DEPTH_MOST 32

struct reader {
	struct arena *arena;
	const char *text, *where;
	size_t n, at;
	unsigned line, depth;
	struct buf scratch; /* the string that is being read */
};

static int bad(const struct reader *r, const char *what)
{
	return fail(ERR_INPUT, "%s:%u: %s", r->where, r->line, what);
}

static int peek(const struct reader *r)
{
	return r->at < r->n ? (unsigned char)r->text[r->at] : -1;
}

static bool looking_at(const struct reader *r, const char *s)
{
	size_t k = strlen(s);

	return r->n - r->at >= k && memcmp(r->text + r->at, s, k) == 0;
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t')
		r->at++;
}

/* Blanks, a comment, then the end of the line or of the text. */
static int end_line(struct reader *r)
{
	skip_blanks(r);
	if (peek(r) == '#')
		while (peek(r) >= 0 && peek(r) != '\n') {
			int c = peek(r);
			uint32_t rune;
			size_t n = str_utf8_next(r->text + r->at, r->n - r->at, &rune);

			if ((c < 0x20 && c != '\t' && !(c == '\r' && looking_at(r, "\r\n"))) || c == 0x7f)
				return bad(r, "a control character in a comment");
			if (n == 0)
				return bad(r, "a comment that is not UTF-8");
			r->at += n;
		}
	if (looking_at(r, "\r\n"))
		r->at++;
	if (peek(r) < 0)
		return 0;
	if (peek(r) != '\n')
		return bad(r, "something behind the value that does not belong there");
	r->at++;
	r->line++;
	return 0;
}

/* Blanks, comments and line ends, as arrays allow them between values. */
static int skip_lines(struct reader *r)
{
	int err = 0;

	skip_blanks(r);
	while (!err && (peek(r) == '#' || peek(r) == '\n' || looking_at(r, "\r\n"))) {
		err = end_line(r);
		skip_blanks(r);
	}
	return err;
}

static void add_rune(struct buf *out, uint32_t c)
{
	char s[4];
	size_t n;

	if (c < 0x80) {
		s[0] = (char)c;
		n = 1;
	} else {
		n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		for (size_t i = n - 1; i > 0; i--, c >>= 6)
			s[i] = (char)(0x80 | (c & 0x3f));
		s[0] = (char)((0xf00 >> n & 0xff) | c);
	}
	buf_add(out, s, n);
}

static int read_escape(struct reader *r)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	int c = peek(r);
	const char *known = c > 0 ? strchr(names, c) : NULL;
	unsigned digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
	uint32_t rune = 0;

	r->at++;
	if (known) {
		buf_addc(&r->scratch, values[known - names]);
		return 0;
	}
	if (digits == 0)
		return bad(r, "an escape that TOML does not know");
	for (unsigned i = 0; i < digits; i++, r->at++) {
		const char *hex = "0123456789abcdef0123456789ABCDEF";
		const char *at = peek(r) > 0 ? strchr(hex, peek(r)) : NULL;

		if (!at)
			return bad(r, "an escape with too few hexadecimal digits");
		rune = rune << 4 | (uint32_t)((at - hex) & 15);
	}
	if (rune == 0 || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		return bad(r, "an escape that is no character");
	add_rune(&r->scratch, rune);
	return 0;
}

/* A backslash at the end of a line joins it with the next text. */
static bool skip_folded(struct reader *r)
{
	size_t at = r->at;

	while (at < r->n && (r->text[at] == ' ' || r->text[at] == '\t' || r->text[at] == '\r'))
		at++;
	if (at >= r->n || r->text[at] != '\n')
		return false;
	for (; at < r->n && (r->text[at] == ' ' || r->text[at] == '\t' || r->text[at] == '\r' || r->text[at] == '\n'); at++)
		r->line += r->text[at] == '\n';
	r->at = at;
	return true;
}

/* One character, or one escape, of a string between quotes. */
static int read_string_part(struct reader *r, bool escapes, bool lines)
{
	int c = peek(r);
	uint32_t rune;
	size_t n;

	if (c == '\\' && escapes) {
		r->at++;
		if (lines && skip_folded(r))
			return 0;
		return read_escape(r);
	}
	if (c == '\n' && lines)
		r->line++;
	else if (c < 0 || (c == '\n' && !lines))
		return bad(r, "a string that does not end");
	else if ((c < 0x20 && c != '\t' && !(lines && looking_at(r, "\r\n"))) || c == 0x7f)
		return bad(r, "a control character in a string");
	n = str_utf8_next(r->text + r->at, r->n - r->at, &rune);
	if (n == 0)
		return bad(r, "a string that is not UTF-8");
	buf_add(&r->scratch, r->text + r->at, n);
	r->at += n;
	return 0;
}

static int read_string(struct reader *r, const char **out, bool may_span)
{
	char quote = r->text[r->at], end[4] = { quote, '\0', '\0', '\0' };
	bool lines;
	int err = 0;

	memset(end, quote, 3);
	lines = may_span && looking_at(r, end);
	if (!lines)
		end[1] = '\0';
	r->at += strlen(end);
	if (lines && looking_at(r, "\r\n"))
		r->at++;
	if (lines && peek(r) == '\n') {
		r->at++;
		r->line++;
	}
	buf_reset(&r->scratch);
	while (!err && !looking_at(r, end))
		err = read_string_part(r, quote == '"', lines);
	if (err)
		return err;
	r->at += strlen(end);
	/* Up to two quotes may stand right before the closing three. */
	for (int i = 0; lines && i < 2 && peek(r) == quote; i++, r->at++)
		buf_addc(&r->scratch, quote);
	*out = arena_memdup(r->arena, r->scratch.data, r->scratch.len);
	return 0;
}

static bool bare_char(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int read_key(struct reader *r, const char **key)
{
	size_t start = r->at;

	if (peek(r) == '"' || peek(r) == '\'')
		return read_string(r, key, false);
	while (bare_char(peek(r)))
		r->at++;
	if (r->at == start)
		return bad(r, "a key was expected");
	*key = arena_memdup(r->arena, r->text + start, r->at - start);
	return 0;
}

static struct toml *find(const struct toml *t, const char *key)
{
	for (struct toml *c = t->child; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

const struct toml *toml_get(const struct toml *t, const char *key)
{
	return t && t->kind == TOML_TABLE ? find(t, key) : NULL;
}

static struct toml *append(struct reader *r, struct toml *to, const char *key, enum toml_kind kind)
{
	struct toml *node = arena_alloc(r->arena, sizeof(*node)), **at = &to->child;

	*node = (struct toml){ .kind = kind, .line = r->line, .key = key };
	while (*at)
		at = &(*at)->next;
	return *at = node;
}

/* Where the path of a header or of a dotted key goes on from a key that is there. NULL where it must not: what was written as
 * a value is whole, and a dotted key adds only to what dotted keys have made. */
static struct toml *step_into(struct toml *there, enum toml_made by)
{
	if (by == TOML_BY_DOTTED_KEY)
		return there->kind == TOML_TABLE && there->made == TOML_BY_DOTTED_KEY ? there : NULL;
	if (there->made == TOML_BY_VALUE)
		return NULL;
	/* [[a]] then [a.b] means the newest element of a. */
	if (there->kind == TOML_ARRAY)
		for (there = there->child; there->next; there = there->next)
			;
	return there;
}

/* Walks "a.b.c" from *table, making tables that are missing, and leaves the last key to the caller. */
static int read_path(struct reader *r, struct toml **table, const char **last, enum toml_made by)
{
	int err = read_key(r, last);

	skip_blanks(r);
	for (unsigned depth = 1; !err && peek(r) == '.'; depth++) {
		struct toml *next = find(*table, *last);

		if (depth >= DEPTH_MOST)
			return bad(r, "tables nested too deep");
		if (next)
			next = step_into(next, by);
		else
			(next = append(r, *table, *last, TOML_TABLE))->made = by;
		if (!next)
			return fail(ERR_INPUT, "%s:%u: '%s' is set already and cannot be added to", r->where, r->line,
				    *last);
		*table = next;
		r->at++;
		skip_blanks(r);
		err = read_key(r, last);
		skip_blanks(r);
	}
	return err;
}

static int read_value(struct reader *r, struct toml *node);

static int read_array(struct reader *r, struct toml *node)
{
	int err;

	node->kind = TOML_ARRAY;
	r->at++;
	while (!(err = skip_lines(r)) && peek(r) != ']') {
		if ((err = read_value(r, append(r, node, NULL, TOML_STRING))) || (err = skip_lines(r)))
			return err;
		if (peek(r) == ',')
			r->at++;
		else if (peek(r) != ']')
			return bad(r, "',' or ']' was expected in the array");
	}
	r->at++;
	return err;
}

static int read_pair(struct reader *r, struct toml *table);

static int read_inline_table(struct reader *r, struct toml *node)
{
	int err;

	node->kind = TOML_TABLE;
	r->at++;
	skip_blanks(r);
	if (peek(r) == '}') {
		r->at++;
		return 0;
	}
	for (;;) {
		skip_blanks(r);
		if ((err = read_pair(r, node)))
			return err;
		skip_blanks(r);
		if (peek(r) != ',' && peek(r) != '}')
			return bad(r, "',' or '}' was expected in the inline table");
		if (r->text[r->at++] == '}')
			return 0;
	}
}

static bool is_digit_at(const struct reader *r, size_t at, bool hex)
{
	int c = at < r->n ? (unsigned char)r->text[at] : 0;

	return (c >= '0' && c <= '9') || (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

/* Digits with single underscores between them go to scratch without those. */
static int take_number_text(struct reader *r)
{
	bool hex = looking_at(r, "0x");
	size_t start = r->at;

	buf_reset(&r->scratch);
	while (bare_char(peek(r)) || peek(r) == '+' || peek(r) == '.' || peek(r) == ':') {
		if (peek(r) == '_') {
			if (r->at == start || !is_digit_at(r, r->at - 1, hex) || !is_digit_at(r, r->at + 1, hex))
				return bad(r, "an underscore that is not between digits");
		} else {
			buf_addc(&r->scratch, r->text[r->at]);
		}
		r->at++;
	}
	return r->at == start ? bad(r, "a value was expected") : 0;
}

static bool is_float_text(const char *s)
{
	size_t whole, part;

	s += *s == '+' || *s == '-';
	if (strcmp(s, "inf") == 0 || strcmp(s, "nan") == 0)
		return true;
	whole = strspn(s, "0123456789");
	if (whole == 0 || (whole > 1 && *s == '0'))
		return false;
	s += whole;
	/* An integer that is too large is no float. */
	if (*s == '\0')
		return false;
	if (*s == '.') {
		part = strspn(++s, "0123456789");
		if (part == 0)
			return false;
		s += part;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		part = strspn(s, "0123456789");
		if (part == 0)
			return false;
		s += part;
	}
	return *s == '\0';
}

static bool int_of_text(const char *s, int64_t *out)
{
	static const struct {
		const char *prefix, *digits;
		int base;
	} forms[] = {
		{ "0x", "0123456789abcdefABCDEF", 16 }, { "0o", "01234567", 8 }, { "0b", "01", 2 }, { "", "0123456789", 10 }
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		bool decimal = forms[i].base == 10;
		const char *digits = s + strlen(forms[i].prefix) + (decimal && (*s == '+' || *s == '-'));
		char *end;

		if (!str_starts(s, forms[i].prefix))
			continue;
		if (!*digits || strspn(digits, forms[i].digits) != strlen(digits) ||
		    (decimal && *digits == '0' && digits[1]))
			return false;
		errno = 0;
		*out = strtoll(decimal ? s : digits, &end, forms[i].base);
		return errno == 0 && *end == '\0';
	}
	return false;
}

static int read_number(struct reader *r, struct toml *node)
{
	const char *s;
	int err = take_number_text(r);

	if (err)
		return err;
	s = buf_str(&r->scratch);
	if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0) {
		node->kind = TOML_BOOL;
		node->truth = *s == 't';
		return 0;
	}
	if (int_of_text(s, &node->integer)) {
		node->kind = TOML_INT;
		return 0;
	}
	if (!is_float_text(s))
		return bad(r, strchr(s, ':') || (strlen(s) >= 10 && s[4] == '-')
				      ? "dates and times are not read here; quote them"
				      : "not a value: strings want quotes");
	node->kind = TOML_FLOAT;
	node->real = strtod(s, NULL);
	return 0;
}

static int read_value(struct reader *r, struct toml *node)
{
	int c = peek(r), err;

	if (c == '"' || c == '\'') {
		node->kind = TOML_STRING;
		return read_string(r, &node->string, true);
	}
	if (c != '[' && c != '{')
		return read_number(r, node);
	if (++r->depth > DEPTH_MOST)
		return bad(r, "values nested too deep");
	err = c == '[' ? read_array(r, node) : read_inline_table(r, node);
	r->depth--;
	return err;
}

static int read_pair(struct reader *r, struct toml *table)
{
	const char *key;
	int err = read_path(r, &table, &key, TOML_BY_DOTTED_KEY);

	if (err)
		return err;
	if (peek(r) != '=')
		return bad(r, "'=' was expected behind the key");
	if (find(table, key))
		return fail(ERR_INPUT, "%s:%u: '%s' is set twice", r->where, r->line, key);
	r->at++;
	skip_blanks(r);
	return read_value(r, append(r, table, key, TOML_STRING));
}

/* [a.b]: a table, once; one that [a.b.c] implied may still be opened. */
static struct toml *open_table(struct reader *r, struct toml *parent, const char *key)
{
	struct toml *there = find(parent, key);

	if (there && (there->kind != TOML_TABLE || there->made != TOML_BY_PATH))
		return NULL;
	if (!there)
		there = append(r, parent, key, TOML_TABLE);
	there->made = TOML_BY_HEADER;
	return there;
}

/* [[a.b]]: one more table in an array that such headers alone fill. */
static struct toml *open_element(struct reader *r, struct toml *parent, const char *key)
{
	struct toml *there = find(parent, key);

	if (there && (there->kind != TOML_ARRAY || there->made != TOML_BY_HEADER))
		return NULL;
	if (!there)
		there = append(r, parent, key, TOML_ARRAY);
	there->made = TOML_BY_HEADER;
	there = append(r, there, NULL, TOML_TABLE);
	there->made = TOML_BY_HEADER;
	return there;
}

static int read_header(struct reader *r, struct toml *root, struct toml **table)
{
	bool array = looking_at(r, "[[");
	const char *key, *end = array ? "]]" : "]";
	struct toml *parent = root;
	int err;

	r->at += strlen(end);
	skip_blanks(r);
	if ((err = read_path(r, &parent, &key, TOML_BY_PATH)))
		return err;
	if (!looking_at(r, end))
		return bad(r, "']' was expected behind the table's name");
	r->at += strlen(end);
	*table = array ? open_element(r, parent, key) : open_table(r, parent, key);
	return *table ? 0 : fail(ERR_INPUT, "%s:%u: '%s' is set twice", r->where, r->line, key);
}

int toml_parse(struct arena *a, const char *text, size_t n, const char *where, struct toml **root)
{
	struct reader r = { .arena = a, .text = text, .n = n, .where = where, .line = 1 };
	struct toml top = { .kind = TOML_TABLE }, *table;
	int err = 0;

	table = *root = arena_memdup(a, &top, sizeof(top));
	while (!err && !(err = skip_lines(&r)) && peek(&r) >= 0) {
		err = peek(&r) == '[' ? read_header(&r, *root, &table) : read_pair(&r, table);
		if (!err)
			err = end_line(&r);
	}
	buf_free(&r.scratch);
	return err;
}
