/* TOML 1.0 config files: text into a tree of tables. Dates and times are refused by name; everything else is read. */
#ifndef TUXTAPE_TOML_H
#define TUXTAPE_TOML_H

#include "lib/arena.h"
#include "lib/base.h"

/* How a table or array came to be, which decides whether it may grow; for the parser alone. */
enum toml_made { TOML_BY_VALUE, TOML_BY_PATH, TOML_BY_HEADER, TOML_BY_DOTTED_KEY };

enum toml_kind { TOML_TABLE, TOML_ARRAY, TOML_STRING, TOML_INT, TOML_FLOAT, TOML_BOOL };

struct toml {
	enum toml_kind kind;
	unsigned line;      /* where it was set, from 1 */
	const char *key;    /* NULL in arrays and at the root */
	const char *string; /* TOML_STRING: NUL-terminated UTF-8 without inner NUL */
	int64_t integer;    /* TOML_INT */
	double real;        /* TOML_FLOAT */
	bool truth;         /* TOML_BOOL */
	struct toml *child; /* TOML_TABLE, TOML_ARRAY: the first */
	struct toml *next;  /* the sibling behind it */
	enum toml_made made;
};

/* Parses n bytes. *root is a table in the arena. ERR_INPUT with "where:LINE: what" (nesting deeper than 32, a key set twice,
 * bad escapes, bare control bytes, invalid UTF-8, ...). Pure. */
int toml_parse(struct arena *a, const char *text, size_t n, const char *where, struct toml **root);

/* The child of a table by key, NULL where there is none (or t is NULL or no table). */
const struct toml *toml_get(const struct toml *t, const char *key);

#endif
