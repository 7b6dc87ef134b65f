/* Owns the words of C: comments, strings, numbers, directives. Refuses no byte: what is no C is punctuation, and what is never closed
 * ends with its line or with the file. */
#include "lib/ctok.h"

#include "lib/bound.h"
#include "lib/ctok_outline.h"

struct lexer {
	struct arena *a;
	struct cfile *out;
	const char *at, *end;
	uint32_t line;
	bool margin, directive;
};

static bool is_word_start(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static void add_token(struct lexer *x, const char *s, enum ctok_kind kind)
{
	struct ctok *t = arena_grow(x->a, (void **)&x->out->toks, &x->out->n_toks, sizeof(*t));

	*t = (struct ctok){ .s = s,
			    .len = (uint32_t)(x->at - s),
			    .line = x->line,
			    .kind = kind,
			    .at_margin = x->margin,
			    .directive = x->directive };
	x->margin = false;
}

static void newline(struct lexer *x)
{
	x->at++;
	x->line++;
	x->margin = true;
	x->directive = false;
}

/* A backslash before the line's end: the line goes on. */
static bool skip_continuation(struct lexer *x)
{
	const char *nl = x->at + 1;

	if (*x->at != '\\')
		return false;
	if (nl < x->end && *nl == '\r')
		nl++;
	if (nl >= x->end || *nl != '\n')
		return false;
	x->at = nl + 1;
	x->line++;
	x->margin = false;
	return true;
}

static void skip_block_comment(struct lexer *x)
{
	for (x->at += 2; x->at < x->end; x->at++) {
		if (*x->at == '\n')
			x->line++;
		if (*x->at == '*' && x->at + 1 < x->end && x->at[1] == '/') {
			x->at += 2;
			break;
		}
	}
	x->margin = false;
}

static void skip_line_comment(struct lexer *x)
{
	while (x->at < x->end && *x->at != '\n')
		if (!skip_continuation(x))
			x->at++;
}

static bool skip_comment(struct lexer *x)
{
	if (*x->at != '/' || x->at + 1 == x->end)
		return false;
	if (x->at[1] == '*')
		skip_block_comment(x);
	else if (x->at[1] == '/')
		skip_line_comment(x);
	else
		return false;
	return true;
}

static void take_quoted(struct lexer *x)
{
	const char *s = x->at;
	uint32_t line = x->line;
	char quote = *x->at++;

	while (x->at < x->end && *x->at != quote && *x->at != '\n') {
		if (skip_continuation(x))
			continue;
		x->at += *x->at == '\\' && x->at + 1 < x->end && x->at[1] != '\n' ? 2 : 1;
	}
	if (x->at < x->end && *x->at == quote)
		x->at++;
	add_token(x, s, CTOK_STRING);
	x->out->toks[x->out->n_toks - 1].line = line;
}

static void take_run(struct lexer *x, enum ctok_kind kind)
{
	const char *s = x->at;

	while (x->at < x->end && (is_word_start((unsigned char)*x->at) || is_digit((unsigned char)*x->at)))
		x->at++;
	add_token(x, s, kind);
}

static void take_punct(struct lexer *x)
{
	if (*x->at == '#' && (x->out->n_toks == 0 || x->out->toks[x->out->n_toks - 1].line != x->line))
		x->directive = true;
	x->at++;
	add_token(x, x->at - 1, CTOK_PUNCT);
}

void ctok_read(struct arena *a, const char *text, size_t n, uint32_t first_line, struct cfile *out)
{
	struct lexer x = { .a = a, .out = out, .at = text, .end = text + n, .line = first_line, .margin = true };

	while (x.at < x.end) {
		unsigned char c = (unsigned char)*x.at;

		if (c == '\n') {
			newline(&x);
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
			x.at++;
			x.margin = false;
		} else if (skip_continuation(&x) || skip_comment(&x)) {
			continue;
		} else if (c == '"' || c == '\'') {
			take_quoted(&x);
		} else if (is_word_start(c) || is_digit(c)) {
			take_run(&x, is_digit(c) ? CTOK_NUMBER : CTOK_IDENT);
		} else {
			take_punct(&x);
		}
	}
}

bool ctok_is(const struct ctok *t, const char *text)
{
	return strlen(text) == t->len && memcmp(t->s, text, t->len) == 0;
}

/* ---- Questions */

static bool ends_above(const void *item, const void *line)
{
	return ((const struct citem *)item)->last_line < *(const uint32_t *)line;
}

const struct citem *cfile_item_at(const struct cfile *f, uint32_t line)
{
	size_t i = bound(f->items, f->n_items, sizeof(*f->items), &line, ends_above);

	return i < f->n_items && f->items[i].first_line <= line ? &f->items[i] : NULL;
}

const struct citem *cfile_find(const struct cfile *f, enum citem_kind kind, const char *name)
{
	for (size_t i = 0; i < f->n_items; i++)
		if (f->items[i].kind == kind && strcmp(f->items[i].name, name) == 0)
			return &f->items[i];
	return NULL;
}

bool citem_has_word(const struct cfile *f, const struct citem *item, const char *word)
{
	for (size_t i = item->first; i < item->body; i++)
		if (f->toks[i].kind == CTOK_IDENT && !f->toks[i].directive && ctok_is(&f->toks[i], word))
			return true;
	return false;
}

size_t citem_count(const struct cfile *f, const struct citem *item, const char *word)
{
	size_t n = 0;

	for (size_t i = item->first; i < item->end; i++)
		n += f->toks[i].kind == CTOK_IDENT && ctok_is(&f->toks[i], word);
	return n;
}

static bool is_above(const void *tok, const void *line)
{
	return ((const struct ctok *)tok)->line < *(const uint32_t *)line;
}

size_t cfile_token_at(const struct cfile *f, uint32_t line)
{
	return bound(f->toks, f->n_toks, sizeof(*f->toks), &line, is_above);
}
