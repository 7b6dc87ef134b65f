/* TOML: whatever is accepted is a tree of valid text, of bounded depth, whose lines lie in the file; a refusal says where. */
#include "fuzz.h"
#include "lib/err.h"
#include "lib/str.h"
#include "lib/toml.h"

#include <stdlib.h>

/* Headers, dotted keys and values may each go as deep as 32. */
#define DEPTH_BOUND (3 * 32 * 32)

static void check_text(const char *s)
{
	uint32_t rune;

	for (size_t n = strlen(s), len; n; s += len, n -= len)
		if (!(len = str_utf8_next(s, n, &rune)))
			abort();
}

static void check_tree(const struct toml *t, unsigned lines, unsigned depth)
{
	if (depth > DEPTH_BOUND)
		abort();
	for (const struct toml *c = t->child; c; c = c->next) {
		if (c->line < 1 || c->line > lines || !c->key != (t->kind == TOML_ARRAY))
			abort();
		if (c->key && toml_get(t, c->key) != c)
			abort();
		if (c->key)
			check_text(c->key);
		if (c->kind == TOML_STRING)
			check_text(c->string);
		if (c->child && c->kind != TOML_TABLE && c->kind != TOML_ARRAY)
			abort();
		check_tree(c, lines, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	struct toml *root;
	unsigned lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += data[i] == '\n';
	if (toml_parse(a, (const char *)data, n, "fuzz", &root) == 0)
		check_tree(root, lines, 0);
	else if (!str_starts(err_text(), "fuzz:") || err_text()[5] < '1' || err_text()[5] > '9')
		abort();
	arena_free(a);
	return 0;
}
