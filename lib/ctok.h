/* C source as tokens, and the outline of a file: which functions, types, data and macros stand where. Good enough for kernel code
 * that has not been preprocessed: both branches of #if are read. */
#ifndef TUXTAPE_CTOK_H
#define TUXTAPE_CTOK_H

#include "lib/arena.h"
#include "lib/base.h"

enum ctok_kind {
	CTOK_IDENT,
	CTOK_NUMBER,
	CTOK_STRING, /* with its quotes; character constants, too */
	CTOK_PUNCT,  /* one byte */
};

struct ctok {
	const char *s;
	uint32_t len;
	uint32_t line;
	enum ctok_kind kind;
	bool at_margin; /* in the first column of its line */
	bool directive; /* on the line of a #directive, continuations included */
};

enum citem_kind {
	CITEM_FUNCTION,
	CITEM_PROTOTYPE,
	CITEM_TYPE, /* struct, union or enum with its members; typedefs */
	CITEM_DATA,
	CITEM_CALL,         /* a macro used at file scope: module_init(x); DEFINE_MUTEX(y); */
	CITEM_MACRO,        /* #define */
	CITEM_INCLUDE,      /* #include; the name is what stands between <> or "" */
	CITEM_STATIC_LOCAL, /* a static object inside a function */
};

/* Tokens are named by their index. [first, end) are those of the whole item, [first, body) those before its { or =, [args, ...) those behind
 * the ( of a call. */
struct citem {
	enum citem_kind kind;
	const char *name;  /* of a CALL the macro's; "" for an anonymous type */
	const char *macro; /* of a function that a macro makes (SYSCALL_DEFINE3): that macro; else NULL */
	uint32_t first_line, last_line;
	size_t first, body, end;
	size_t scope; /* of a static local: the index of its function in items */
};

struct cfile {
	struct ctok *toks;
	size_t n_toks;
	struct citem *items; /* at file scope, in order, none overlapping another */
	size_t n_items;
	struct citem *notes; /* macros, includes and static locals, wherever they stand */
	size_t n_notes;
};

/* Reads a whole file of n bytes, any bytes; adds to *out, which starts from { 0 }. All in the arena but the tokens' text, which stays
 * where it is. Linear in n. */
void cfile_read(struct arena *a, const char *text, size_t n, struct cfile *out);

/* Reads a piece of a file, such as one side of a hunk, that begins at line first_line. section is the text behind the hunk's @@ (a line above
 * the piece that opens something, perhaps), "" for none. What is open at either end is taken to end there. Pieces are to be added in order. */
void cfile_read_piece(struct arena *a, const char *section, size_t section_len, const char *text, size_t n,
		      uint32_t first_line, struct cfile *out);

/* The item in which a line stands, NULL between items. */
const struct citem *cfile_item_at(const struct cfile *f, uint32_t line);

/* The first item of that kind and name, NULL where there is none. */
const struct citem *cfile_find(const struct cfile *f, enum citem_kind kind, const char *name);

/* True when the identifier stands among the tokens before the item's body: its attributes, type and name. */
bool citem_has_word(const struct cfile *f, const struct citem *item, const char *word);

/* How often the identifier stands in the item, all of it. */
size_t citem_count(const struct cfile *f, const struct citem *item, const char *word);

/* The number of the first token on that line or behind it. */
size_t cfile_token_at(const struct cfile *f, uint32_t line);

bool ctok_is(const struct ctok *t, const char *text);

#endif
