/* C files: items stand in order and none overlaps another, tokens stand inside the text; as a whole and as pieces. */
#include "fuzz.h"
#include "lib/ctok.h"

#include <stdlib.h>

static void check(const struct cfile *f)
{
	for (size_t i = 0; i < f->n_items; i++) {
		const struct citem *c = &f->items[i];

		if (c->first >= c->end || c->end > f->n_toks || c->body > c->end || c->first_line > c->last_line || !c->name)
			abort();
		if (i && f->items[i - 1].end > c->first)
			abort();
	}
	for (size_t i = 0; i < f->n_notes; i++) {
		const struct citem *c = &f->notes[i];

		if (c->first >= c->end || c->end > f->n_toks || !c->name)
			abort();
		if (c->kind == CITEM_STATIC_LOCAL && c->scope > f->n_items)
			abort();
	}
}

/* Questions about any line must have an answer that fits. */
static void ask(const struct cfile *f)
{
	uint32_t last = f->n_toks ? f->toks[f->n_toks - 1].line : 1;

	for (uint32_t line = 0; line < last + 2 && line < 200; line++) {
		const struct citem *c = cfile_item_at(f, line);

		if (c && (c->first_line > line || c->last_line < line))
			abort();
		if (cfile_token_at(f, line) > f->n_toks)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	struct cfile whole = { 0 }, piece = { 0 };
	const char *text = (const char *)data;
	const char *nl = n ? memchr(text, '\n', n) : NULL;
	size_t section = nl ? (size_t)(nl - text) : n;

	cfile_read(a, text, n, &whole);
	check(&whole);
	ask(&whole);
	cfile_read_piece(a, text, section, text + section, n - section, 10, &piece);
	check(&piece);
	cfile_read_piece(a, text, section, text + n / 2, n - n / 2, (uint32_t)n + 20, &piece);
	check(&piece);
	arena_free(a);
	return 0;
}
