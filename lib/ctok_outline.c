/* Owns the outline of a C file: where items begin and end, and their names. It reads both branches of #if, and takes a brace in the first
 * column as the end of whatever is open, as kernel style has it; so one odd macro costs one item, not the rest of the file. */
#include "lib/ctok.h"
#include "lib/ctok_outline.h"

#include <stdlib.h>

#define NONE SIZE_MAX
/* How far a static local's declaration is followed. */
#define LOCAL_MOST 96
/* Conditionals nested deeper than this are not told apart. */
#define CONDITIONS_MOST 64

enum place {
	AT_FILE,
	IN_BODY,
	IN_TYPE,
	IN_VALUE,
};

/* What is read at file scope since the last item ended. */
struct decl {
	size_t first; /* NONE: nothing yet */
	size_t name;  /* the word before the first parenthesis */
	size_t tag;   /* struct, union, enum */
	size_t body;
	bool assigned, type_body, is_typedef;
};

struct state {
	enum place place;
	int depth, paren;
	struct decl d;
};

struct outline {
	struct arena *a;
	struct cfile *f;
	struct state now;
	struct state conditions[CONDITIONS_MOST]; /* what was open at each #if */
	size_t n_conditions;
	size_t i, end;
	bool piece;   /* nothing is known of what stands around: indentation counts */
	bool section; /* inside what the section line opened */
};

static const struct decl no_decl = { NONE, NONE, NONE, NONE, false, false, false };

/* Words with parentheses that name no function. */
static const char *const attributes[] = {
	"__attribute__",
	"__attribute",
	"__printf",
	"__scanf",
	"__aligned",
	"__section",
	"__acquires",
	"__releases",
	"__must_hold",
	"__cond_acquires",
	"__alias",
	"typeof",
	"__typeof__",
	"_Alignas",
	"__alloc_size",
	"__assume_aligned",
	"__counted_by",
	"__guarded_by",
	"__diagnose_as",
	"__no_sanitize",
	"__align",
	"__bitwise__",
	"__nonnull",
	"__copy",
	"__error",
	"__compiletime_error",
	"__visible",
	"__realloc_size",
	"__compiletime_warning",
	"__cacheline_aligned_in_smp",
	"__diag_ignore",
	"asm",
	"__asm__",
	"__aligned_largest",
};

static const char *const type_words[] = { "int",   "void",   "char", "long",  "short", "unsigned", "signed", "bool",
					  "const", "sizeof", "if",   "while", "for",   "switch",   "return", "do" };

static bool is_one_of(const struct ctok *t, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ctok_is(t, words[i]))
			return true;
	return false;
}

static const struct ctok *tok(const struct outline *o, size_t i)
{
	return &o->f->toks[i];
}

static bool is_word(const struct outline *o, size_t i)
{
	return i < o->end && tok(o, i)->kind == CTOK_IDENT && !tok(o, i)->directive;
}

static bool is_punct(const struct outline *o, size_t i, char c)
{
	return i < o->end && tok(o, i)->kind == CTOK_PUNCT && *tok(o, i)->s == c;
}

static const char *text_of(const struct outline *o, size_t i)
{
	return arena_memdup(o->a, tok(o, i)->s, tok(o, i)->len);
}

/* ---- Items */

/* The index that the item which begins at token first gets: that of the last item, where that one goes on in another branch. */
static size_t next_item(const struct outline *o, size_t first)
{
	size_t n = o->f->n_items;

	return n - (n && o->f->items[n - 1].first == first);
}

static struct citem *add_item(struct outline *o, enum citem_kind kind, size_t end)
{
	const struct decl *d = &o->now.d;
	size_t at = next_item(o, d->first);
	struct citem *item = at < o->f->n_items ? &o->f->items[at]
						: arena_grow(o->a, (void **)&o->f->items, &o->f->n_items, sizeof(*item));

	*item = (struct citem){ .kind = kind,
				.name = "",
				.first_line = tok(o, d->first)->line,
				.last_line = tok(o, end - 1)->line,
				.first = d->first,
				.body = d->body != NONE ? d->body : end,
				.end = end };
	return item;
}

static struct citem *add_note(struct outline *o, enum citem_kind kind, const char *name, size_t first, size_t end)
{
	struct citem *note = arena_grow(o->a, (void **)&o->f->notes, &o->f->n_notes, sizeof(*note));

	*note = (struct citem){ .kind = kind,
				.name = name,
				.first_line = tok(o, first)->line,
				.last_line = tok(o, end - 1)->line,
				.first = first,
				.body = end,
				.end = end,
				.scope = NONE };
	return note;
}

/* SYSCALL_DEFINE3(open, ...) { } makes a function that people call open; other macros name theirs in the same place. */
static void name_function(struct outline *o, struct citem *item)
{
	size_t name = o->now.d.name;

	if (name == NONE)
		return;
	item->name = text_of(o, name);
	if (memmem(item->name, strlen(item->name), "DEFINE", 6) && is_punct(o, name + 1, '(') && is_word(o, name + 2)) {
		item->macro = item->name;
		item->name = text_of(o, name + 2);
	}
}

/* The word in int (*word)(void), NONE where there is none. */
static size_t pointer_name(const struct outline *o, size_t from, size_t to)
{
	for (size_t i = from; i + 2 < to; i++)
		if (is_punct(o, i, '(') && is_punct(o, i + 1, '*') && is_word(o, i + 2))
			return i + 2;
	return NONE;
}

/* The last word before the value, the bounds or the end: int x[3] = ... */
static void name_data(struct outline *o, struct citem *item)
{
	size_t stop = o->now.d.body != NONE && o->now.d.assigned ? o->now.d.body : item->end;
	size_t pointer = pointer_name(o, item->first, stop);
	int paren = 0;

	if (pointer != NONE) {
		item->name = text_of(o, pointer);
		return;
	}
	for (size_t i = item->first; i < stop; i++) {
		if (is_punct(o, i, '[') || (is_punct(o, i, ',') && paren == 0))
			break;
		paren += is_punct(o, i, '(');
		paren -= is_punct(o, i, ')');
		if (is_word(o, i) && !is_one_of(tok(o, i), attributes, ARRAY_LEN(attributes)) && paren <= 1 &&
		    !(tok(o, i)->len > 2 && memcmp(tok(o, i)->s, "__", 2) == 0 && *item->name))
			item->name = text_of(o, i);
	}
}

static void name_type(struct outline *o, struct citem *item)
{
	const struct decl *d = &o->now.d;
	size_t pointer = d->type_body ? NONE : pointer_name(o, item->first, item->body);

	if (pointer != NONE) {
		item->name = text_of(o, pointer);
		return;
	}
	for (size_t i = d->tag == NONE ? item->first : d->tag + 1; i < item->body; i++)
		if (is_word(o, i) && !is_one_of(tok(o, i), attributes, ARRAY_LEN(attributes)))
			item->name = text_of(o, i);
	/* typedef struct { } name; */
	for (size_t i = item->end; !*item->name && i > item->body; i--)
		if (is_word(o, i - 1))
			item->name = text_of(o, i - 1);
}

/* Is this nothing but MACRO(arguments), perhaps with storage words in front? */
static bool is_call(const struct outline *o)
{
	const struct decl *d = &o->now.d;

	if (d->name == NONE || d->assigned)
		return false;
	for (size_t i = d->first; i < d->name; i++)
		if (!ctok_is(tok(o, i), "static") && !ctok_is(tok(o, i), "extern"))
			return false;
	return true;
}

static void name_prototype(struct outline *o, struct citem *item)
{
	item->name = text_of(o, o->now.d.name);
}

static void name_call(struct outline *o, struct citem *item)
{
	name_prototype(o, item);
	item->body = o->now.d.name + 1;
}

static void (*const namers[])(struct outline *o, struct citem *item) = {
	[CITEM_FUNCTION] = name_function, [CITEM_PROTOTYPE] = name_prototype, [CITEM_TYPE] = name_type,
	[CITEM_DATA] = name_data,         [CITEM_CALL] = name_call,
};

static enum citem_kind kind_of(const struct outline *o)
{
	const struct decl *d = &o->now.d;

	if (o->now.place == IN_BODY)
		return CITEM_FUNCTION;
	if (d->assigned || o->now.place == IN_VALUE)
		return CITEM_DATA;
	if (d->type_body || d->is_typedef || o->now.place == IN_TYPE)
		return CITEM_TYPE;
	if (is_call(o))
		return CITEM_CALL;
	return d->name != NONE ? CITEM_PROTOTYPE : CITEM_DATA;
}

/* Ends the declaration before token end. */
static void finish(struct outline *o, size_t end)
{
	if (o->now.d.first != NONE && end > o->now.d.first) {
		enum citem_kind kind = kind_of(o);

		namers[kind](o, add_item(o, kind, end));
	}
	o->now = (struct state){ AT_FILE, 0, 0, no_decl };
	o->section = false;
}

/* ---- Directives */

/* An unfinished item from the first branch is not continued by the second one, which begins where the first began. */
static void other_branch(struct outline *o, size_t at)
{
	struct state *before;

	if (!o->n_conditions || o->n_conditions > CONDITIONS_MOST)
		return;
	before = &o->conditions[o->n_conditions - 1];
	if (before->place == AT_FILE && o->now.place != AT_FILE) {
		struct state keep = *before;

		finish(o, at);
		o->now = keep;
		/* What stood before #if has become part of the first branch's item. */
		o->now.d = no_decl;
		o->now.paren = 0;
		return;
	}
	o->now.depth = before->depth;
	o->now.paren = before->paren;
	if (before->place != AT_FILE && o->now.place == AT_FILE && o->now.d.first == NONE &&
	    next_item(o, before->d.first) < o->f->n_items)
		o->now = *before;
}

static void push_condition(struct outline *o)
{
	if (o->n_conditions < CONDITIONS_MOST)
		o->conditions[o->n_conditions] = o->now;
	o->n_conditions++;
}

static void take_include(struct outline *o, size_t hash, size_t end)
{
	const char *s, *e;

	if (hash + 2 >= end)
		return;
	s = tok(o, hash + 2)->s;
	e = tok(o, end - 1)->s + tok(o, end - 1)->len;
	if (e - s >= 2 && (*s == '<' || *s == '"'))
		add_note(o, CITEM_INCLUDE, arena_memdup(o->a, s + 1, (size_t)(e - s - 2)), hash, end);
}

/* Reads the directive at token i; returns the first token behind it. */
static size_t take_directive(struct outline *o, size_t i)
{
	size_t end = i + 1;
	const struct ctok *word;

	while (end < o->end && tok(o, end)->directive &&
	       !(is_punct(o, end, '#') && tok(o, end)->line != tok(o, end - 1)->line))
		end++;
	if (i + 1 >= end)
		return end;
	word = tok(o, i + 1);
	if (ctok_is(word, "if") || ctok_is(word, "ifdef") || ctok_is(word, "ifndef"))
		push_condition(o);
	else if (ctok_is(word, "else") || ctok_is(word, "elif"))
		other_branch(o, i);
	else if (ctok_is(word, "endif"))
		o->n_conditions -= o->n_conditions > 0;
	else if (ctok_is(word, "include"))
		take_include(o, i, end);
	else if (ctok_is(word, "define") && i + 2 < end)
		add_note(o, CITEM_MACRO, text_of(o, i + 2), i, end);
	return end;
}

/* ---- Inside functions */

/* static int a, b = 3; static DEFINE_MUTEX(m); */
static void take_static_local(struct outline *o, size_t i)
{
	size_t name = NONE, most = MIN_OF(o->end, i + LOCAL_MOST);
	int paren = 0;

	for (size_t k = i + 1; k < most; k++) {
		bool ends = is_punct(o, k, ';') || is_punct(o, k, '=') || is_punct(o, k, '{') || is_punct(o, k, '}');

		if (is_punct(o, k, '(') && is_word(o, k - 1) &&
		    !is_one_of(tok(o, k - 1), attributes, ARRAY_LEN(attributes)) &&
		    !is_one_of(tok(o, k - 1), type_words, ARRAY_LEN(type_words)) && is_word(o, k + 1)) {
			/* A macro makes it; behind the type where there are several arguments: DEFINE_PER_CPU(int, x). */
			name = k + 1;
			if (memmem(tok(o, k - 1)->s, tok(o, k - 1)->len, "PER_CPU", 7))
				while (k + 2 < most && !is_punct(o, k + 2, ')') && !is_punct(o, k + 2, ';'))
					name = ++k + 1;
			ends = true;
		}
		paren += is_punct(o, k, '(') || is_punct(o, k, '[');
		paren -= is_punct(o, k, ')') || is_punct(o, k, ']');
		if (is_word(o, k) && paren == 0 &&
		    !(name != NONE && memcmp(tok(o, k)->s, "__", MIN_OF(tok(o, k)->len, 2u)) == 0))
			name = k;
		if (name != NONE && (ends || (is_punct(o, k, ',') && paren == 0)))
			add_note(o, CITEM_STATIC_LOCAL, text_of(o, name), i, k + 1)->scope = next_item(o, o->now.d.first);
		if (ends)
			return;
	}
}

static bool begins_statement(const struct outline *o, size_t i)
{
	const struct ctok *before = i ? tok(o, i - 1) : NULL;

	return !before || before->directive || (before->kind == CTOK_PUNCT && strchr(";{}:)", *before->s));
}

/* A word in the first column of a piece that is no label: what was open is over, though its end stands outside the piece. */
static bool begins_item(const struct outline *o, size_t i)
{
	return o->piece && tok(o, i)->at_margin && is_word(o, i) && !is_punct(o, i + 1, ':');
}

/* One token inside braces. Returns the number of the next one. */
static size_t take_inside(struct outline *o, size_t i)
{
	const struct ctok *t = tok(o, i);

	if (begins_item(o, i)) {
		finish(o, i);
		return i;
	}
	if (is_punct(o, i, '{')) {
		o->now.depth++;
	} else if (is_punct(o, i, '}')) {
		o->now.depth = t->at_margin ? 0 : o->now.depth - (o->now.depth > (o->section ? 1 : 0));
		if (o->now.depth > 0)
			return i + 1;
		if (o->now.place == IN_BODY) {
			finish(o, i + 1);
			return i + 1;
		}
		o->now.d.type_body |= o->now.place == IN_TYPE;
		o->now.place = AT_FILE;
		o->section = false;
	} else if (o->now.place == IN_BODY && t->kind == CTOK_IDENT && ctok_is(t, "static") && begins_statement(o, i)) {
		take_static_local(o, i);
	}
	return i + 1;
}

/* ---- At file scope */

static void open_brace(struct outline *o, size_t i)
{
	struct decl *d = &o->now.d;

	o->now.depth = 1;
	if (d->assigned) {
		o->now.place = IN_VALUE;
		return;
	}
	if (d->body == NONE)
		d->body = i;
	o->now.place = d->tag != NONE && d->name == NONE ? IN_TYPE : IN_BODY;
	/* extern "C" { */
	if (d->name == NONE && d->tag == NONE && d->first != NONE && ctok_is(tok(o, d->first), "extern"))
		o->now = (struct state){ AT_FILE, 0, 0, no_decl };
}

static bool is_shouting(const struct ctok *t)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->s[i] >= 'a' && t->s[i] <= 'z')
			return false;
	return true;
}

/* MACRO(x) without a semicolon, and something new on the next line. */
static bool ends_without_semicolon(const struct outline *o, size_t i)
{
	const struct decl *d = &o->now.d;

	return o->now.paren == 0 && is_call(o) && is_shouting(tok(o, d->name)) && i + 1 < o->end && is_word(o, i + 1) &&
	       tok(o, i + 1)->line != tok(o, i)->line && !is_one_of(tok(o, i + 1), attributes, ARRAY_LEN(attributes));
}

static void take_open_paren(struct outline *o, size_t i)
{
	struct decl *d = &o->now.d;

	if (o->now.paren++ || d->name != NONE || d->assigned || i == d->first || !is_word(o, i - 1) || !is_punct(o, i, '('))
		return;
	if (!is_one_of(tok(o, i - 1), attributes, ARRAY_LEN(attributes)) &&
	    !is_one_of(tok(o, i - 1), type_words, ARRAY_LEN(type_words)))
		d->name = i - 1;
}

static void take_word(struct outline *o, size_t i)
{
	struct decl *d = &o->now.d;
	const struct ctok *t = tok(o, i);

	if (o->now.paren)
		return;
	if (d->tag == NONE && d->name == NONE && (ctok_is(t, "struct") || ctok_is(t, "union") || ctok_is(t, "enum")))
		d->tag = i;
	d->is_typedef |= ctok_is(t, "typedef");
}

/* A parenthesis that was never closed: what begins an item in the first column begins one. */
static bool is_lost(const struct outline *o, size_t i)
{
	const struct ctok *t = tok(o, i);

	return o->now.paren && t->at_margin && t->kind == CTOK_IDENT &&
	       (ctok_is(t, "static") || ctok_is(t, "extern") || ctok_is(t, "typedef"));
}

static void take_punctuation(struct outline *o, size_t i)
{
	char c = *tok(o, i)->s;

	if (c == '(' || c == '[') {
		take_open_paren(o, i);
	} else if (c == ')' || c == ']') {
		o->now.paren -= o->now.paren > 0;
		if (ends_without_semicolon(o, i))
			finish(o, i + 1);
	} else if (c == '{' && o->now.paren == 0) {
		open_brace(o, i);
	} else if (c == '{') {
		o->now.paren++;
	} else if (c == '}') {
		o->now.paren -= o->now.paren > 0;
	} else if (c == '=' && o->now.paren == 0 && !o->now.d.assigned) {
		o->now.d.assigned = true;
		o->now.d.body = i;
	} else if (c == ';' && o->now.paren == 0) {
		finish(o, i + 1);
	}
}

static size_t take_at_file(struct outline *o, size_t i)
{
	const struct ctok *t = tok(o, i);

	if (is_lost(o, i))
		o->now = (struct state){ AT_FILE, 0, 0, no_decl };
	if (o->now.d.first == NONE) {
		if (t->kind != CTOK_IDENT || (o->piece && !t->at_margin))
			return i + 1;
		o->now.d.first = i;
	}
	if (t->kind == CTOK_PUNCT)
		take_punctuation(o, i);
	else if (t->kind == CTOK_IDENT)
		take_word(o, i);
	return i + 1;
}

static void outline_tokens(struct outline *o)
{
	o->now = (struct state){ AT_FILE, 0, 0, no_decl };
	o->end = o->f->n_toks;
	while (o->i < o->end) {
		if (tok(o, o->i)->directive)
			o->i = take_directive(o, o->i);
		else if (o->now.place == AT_FILE)
			o->i = take_at_file(o, o->i);
		else
			o->i = take_inside(o, o->i);
	}
	finish(o, o->end);
}

void cfile_read(struct arena *a, const char *text, size_t n, struct cfile *out)
{
	struct outline o = { .a = a, .f = out, .i = out->n_toks };

	ctok_read(a, text, n, 1, out);
	outline_tokens(&o);
}

/* ---- Pieces */

/* What a section line lacks to open what it begins: a prototype may go on behind it, a brace may stand below it. */
static char *open_section(struct arena *a, const char *s, size_t n)
{
	char *text = arena_alloc(a, n * 2 + 2), *to = text;
	int paren = 0;
	bool call = false, brace = false;

	for (size_t i = 0; i < n; i++) {
		paren += s[i] == '(';
		paren -= s[i] == ')';
		call |= s[i] == '(';
		brace |= s[i] == '{';
		*to++ = s[i];
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
		n--;
	/* Behind a label stands code of a function that nobody names. */
	if (n && s[n - 1] == ':')
		return memset(text, 0, 1);
	if (brace || n == 0 || s[n - 1] == ';')
		return text;
	while (paren-- > 0)
		*to++ = ')';
	if (call || memmem(s, n, "struct ", 7) || memmem(s, n, "union ", 6) || memmem(s, n, "enum ", 5))
		*to = '{';
	return text;
}

/* Does the piece begin inside a comment? */
static bool begins_in_comment(const char *text, size_t n)
{
	const char *close = memmem(text, n, "*/", 2), *open = memmem(text, n, "/*", 2);
	size_t i = 0;

	if (close && (!open || close < open))
		return true;
	while (i < n && (text[i] == ' ' || text[i] == '\t'))
		i++;
	return i + 1 < n && text[i] == '*' && (text[i + 1] == ' ' || text[i + 1] == '\n' || text[i + 1] == '\t');
}

void cfile_read_piece(struct arena *a, const char *section, size_t section_len, const char *text, size_t n,
		      uint32_t first_line, struct cfile *out)
{
	struct outline o = { .a = a, .f = out, .i = out->n_toks, .piece = true };
	const char *opened = open_section(a, section, section_len);

	ctok_read(a, opened, strlen(opened), first_line ? first_line - 1 : 0, out);
	o.section = o.i < out->n_toks;
	if (begins_in_comment(text, n)) {
		const char *close = memmem(text, n, "*/", 2), *end = close ? close + 2 : text + n;

		for (const char *s = text; s < end; s++)
			first_line += *s == '\n';
		n -= (size_t)(end - text);
		text = end;
	}
	ctok_read(a, text, n, first_line, out);
	outline_tokens(&o);
}
