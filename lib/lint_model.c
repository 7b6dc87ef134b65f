/* Owns the reading of a patch for the rules: each file's two sides as C, from the tree where there is one and the patch fits it, else
 * from the hunks; and which items the patch touches. Judges nothing. */
#include "lib/lint_model.h"

#include "lib/bound.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/pb.h"
#include "lib/str.h"

#include <stdlib.h>

/* Words of a call that make its name. */
#define CALL_WORDS 2

/* Bytes of files that are read whole: their tokens take some thirty times as much, and no livepatch touches a tenth of it. */
#define WHOLE_MOST (16u << 20)

static bool is_c(const char *path)
{
	return str_ends(path, ".c") || str_ends(path, ".h");
}

bool lint_is_header(const char *path)
{
	return str_ends(path, ".h");
}

bool lint_is_code(const char *path)
{
	static const char *const suffixes[] = { ".c", ".h", ".S", ".s", ".rs" };
	static const char *const apart[] = { "tools/", "samples/", "scripts/", "Documentation/", "usr/" };

	for (size_t i = 0; i < ARRAY_LEN(apart); i++)
		if (str_starts(path, apart[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (str_ends(path, suffixes[i]))
			return true;
	return false;
}

bool lint_uses_klp_build(const struct lint *l)
{
	const KernelVersion *v = l->in->version;

	return v && v->has_major && (v->major > 6 || (v->major == 6 && v->minor >= 19));
}

/* ---- Tokens */

bool lint_tok_starts(const struct ctok *t, const char *prefix)
{
	size_t n = strlen(prefix);

	return t->len >= n && memcmp(t->s, prefix, n) == 0;
}

bool lint_tok_ends(const struct ctok *t, const char *suffix)
{
	size_t n = strlen(suffix);

	return t->len >= n && memcmp(t->s + t->len - n, suffix, n) == 0;
}

bool lint_same_tokens(const struct lint_side *x, size_t x_from, size_t x_to, const struct lint_side *y, size_t y_from,
		      size_t y_to)
{
	if (x_to - x_from != y_to - y_from)
		return false;
	for (size_t i = 0; i < x_to - x_from; i++) {
		const struct ctok *p = &x->c.toks[x_from + i], *q = &y->c.toks[y_from + i];

		if (p->len != q->len || memcmp(p->s, q->s, p->len) != 0)
			return false;
	}
	return true;
}

const struct ctok *lint_find_word(const struct lint_side *s, const struct citem *item, bool (*fits)(const struct ctok *t))
{
	for (size_t i = item->first; i < item->end; i++)
		if (s->c.toks[i].kind == CTOK_IDENT && fits(&s->c.toks[i]))
			return &s->c.toks[i];
	return NULL;
}

const struct lint_side *lint_side_of(const struct lint_touch *t)
{
	return t->now ? &t->file->now : &t->file->old;
}

const struct citem *lint_item_of(const struct lint_touch *t)
{
	return t->now ? t->now : t->old;
}

/* ---- Names */

/* MACRO(first second */
static const char *call_key(struct arena *a, const struct cfile *c, const struct citem *call)
{
	const char *key = call->name;
	int words = 0;

	for (size_t i = call->body; i < call->end && words < CALL_WORDS; i++) {
		if (c->toks[i].kind != CTOK_IDENT)
			continue;
		key = arena_printf(a, "%s %.*s", key, (int)c->toks[i].len, c->toks[i].s);
		words++;
	}
	return key;
}

static int compare_names(const void *p, const void *q)
{
	const struct lint_name *x = p, *y = q;
	int order;

	if (x->item->kind != y->item->kind)
		return x->item->kind < y->item->kind ? -1 : 1;
	if ((order = strcmp(x->key, y->key)))
		return order;
	return x->item->first < y->item->first ? -1 : x->item->first > y->item->first;
}

static int compare_calls(const void *p, const void *q)
{
	return strcmp(((const struct lint_name *)p)->key, ((const struct lint_name *)q)->key);
}

static void index_calls(struct arena *a, struct lint_side *s)
{
	for (size_t i = 0; i < s->c.n_items; i++) {
		const struct citem *item = &s->c.items[i];
		const struct ctok *word;
		struct lint_name *call;

		if (item->kind != CITEM_CALL || item->body + 1 >= item->end)
			continue;
		word = &s->c.toks[item->body + 1];
		if (word->kind != CTOK_IDENT)
			continue;
		call = arena_grow(a, (void **)&s->calls, &s->n_calls, sizeof(*s->calls));
		*call = (struct lint_name){ arena_memdup(a, word->s, word->len), item, 0 };
	}
	if (s->n_calls)
		qsort(s->calls, s->n_calls, sizeof(*s->calls), compare_calls);
}

static void index_names(struct arena *a, struct lint_side *s)
{
	s->n_names = s->c.n_items;
	s->names = arena_alloc(a, (s->n_names + 1) * sizeof(*s->names));
	for (size_t i = 0; i < s->n_names; i++) {
		const struct citem *item = &s->c.items[i];

		s->names[i].item = item;
		s->names[i].key = item->kind == CITEM_CALL ? call_key(a, &s->c, item) : item->name;
	}
	if (s->n_names)
		qsort(s->names, s->n_names, sizeof(*s->names), compare_names);
	for (size_t i = 1; i < s->n_names; i++)
		if (s->names[i].item->kind == s->names[i - 1].item->kind &&
		    strcmp(s->names[i].key, s->names[i - 1].key) == 0)
			s->names[i].order = s->names[i - 1].order + 1;
	s->name_of = arena_alloc(a, (s->n_names + 1) * sizeof(const struct lint_name *));
	for (size_t i = 0; i < s->n_names; i++)
		s->name_of[s->names[i].item - s->c.items] = &s->names[i];
	index_calls(a, s);
}

/* What is looked for among the names. */
struct name_key {
	enum citem_kind kind;
	const char *key;
	size_t order;
};

static int compare_key(const void *p, const void *q)
{
	const struct name_key *k = p;
	const struct lint_name *n = q;
	int way;

	if (k->kind != n->item->kind)
		return k->kind < n->item->kind ? -1 : 1;
	if ((way = strcmp(k->key, n->key)))
		return way;
	return (k->order > n->order) - (k->order < n->order);
}

static const struct lint_name *find_name(const struct lint_side *s, enum citem_kind kind, const char *key, size_t order)
{
	const struct name_key k = { kind, key, order };

	return s->n_names ? bsearch(&k, s->names, s->n_names, sizeof(*s->names), compare_key) : NULL;
}

static bool is_sorted_before(const void *name, const void *key)
{
	return strcmp(((const struct lint_name *)name)->key, key) < 0;
}

const struct citem *lint_call_of(const struct lint_side *s, const char *word, bool (*fits)(const char *macro))
{
	size_t i = bound(s->calls, s->n_calls, sizeof(*s->calls), word, is_sorted_before);

	for (; i < s->n_calls && strcmp(s->calls[i].key, word) == 0; i++)
		if (fits(s->calls[i].item->name))
			return s->calls[i].item;
	return NULL;
}

/* ---- Sides */

/* One side of a hunk as a text of its own. */
static void read_piece(struct lint *l, struct lint_side *s, const struct diff_hunk *h, enum diff_kind other, uint32_t start)
{
	struct buf text = { 0 };
	const char *own;

	for (size_t i = 0; i < h->n_lines; i++) {
		if (h->lines[i].kind == other)
			continue;
		buf_add(&text, h->lines[i].text, h->lines[i].len);
		buf_addc(&text, '\n');
	}
	own = arena_memdup(l->a, buf_str(&text), text.len);
	cfile_read_piece(l->a, h->section, h->section_len, own, text.len, start, &s->c);
	buf_free(&text);
}

static void read_pieces(struct lint *l, struct lint_file *f)
{
	for (size_t i = 0; i < f->diff->n_hunks; i++) {
		const struct diff_hunk *h = &f->diff->hunks[i];

		read_piece(l, &f->old, h, DIFF_ADD, h->old_start);
		read_piece(l, &f->now, h, DIFF_DELETE, h->new_start);
	}
}

/* Both sides as the tree has them. *placed gets where the hunks went; NULL where the patch does not fit this file. */
static int read_whole(struct lint *l, struct lint_file *f, const ApplyFile **placed)
{
	struct diff one = { .files = (struct diff_file *)f->diff, .n_files = 1 };
	ApplyResult *result = pb_new(l->a, &apply_result__descriptor);
	struct tree_file old = { 0 };
	struct apply_tree after;
	int err;

	*placed = NULL;
	if ((err = apply_check(l->a, &one, l->in->tree, result, &after)) || !apply_is_good(result->state))
		return err;
	if (f->diff->old_path && (err = l->in->tree->read(l->in->tree->ctx, l->a, f->diff->old_path, &old)))
		return err;
	l->n_whole += old.len;
	if (old.len)
		cfile_read(l->a, old.data, old.len, &f->old.c);
	for (size_t i = 0; i < after.n_outputs; i++)
		if (after.outputs[i].data && strcmp(after.outputs[i].path, f->path) == 0)
			cfile_read(l->a, after.outputs[i].data, after.outputs[i].len, &f->now.c);
	*placed = result->files[0];
	f->whole = true;
	return 0;
}

/* ---- Lines */

static void add_line(struct lint *l, struct lint_file *f, const struct diff_line *d, uint32_t number, uint32_t now)
{
	const struct lint_side *s = d->kind == DIFF_ADD ? &f->now : &f->old;
	struct lint_line *line = arena_grow(l->a, (void **)&f->lines, &f->n_lines, sizeof(*line));

	*line = (struct lint_line){ .diff = d,
				    .number = number,
				    .now = now,
				    .first = cfile_token_at(&s->c, number),
				    .end = cfile_token_at(&s->c, number + 1),
				    .item = cfile_item_at(&s->c, number) };
	line->end = MAX_OF(line->first, line->end);
	if (d->kind == DIFF_DELETE)
		*(uint32_t *)arena_grow(l->a, (void **)&f->gone, &f->n_gone, sizeof(*f->gone)) = number;
}

/* The changed lines with their numbers on the side where they stand. */
static void read_lines(struct lint *l, struct lint_file *f, const ApplyFile *placed)
{
	int64_t shift = 0;

	for (size_t i = 0; i < f->diff->n_hunks; i++) {
		const struct diff_hunk *h = &f->diff->hunks[i];
		int64_t now = placed ? (int64_t)placed->hunks[i]->line : (h->new_count ? h->new_start : h->new_start + 1);
		int64_t old = placed ? now - shift : (h->old_count ? h->old_start : h->old_start + 1);

		for (size_t k = 0; k < h->n_lines; k++) {
			const struct diff_line *d = &h->lines[k];

			if (d->kind != DIFF_CONTEXT)
				add_line(l, f, d, (uint32_t)MAX_OF(d->kind == DIFF_ADD ? now : old, 1),
					 (uint32_t)MAX_OF(now, 1));
			old += d->kind != DIFF_ADD;
			now += d->kind != DIFF_DELETE;
		}
		shift += (int64_t)h->new_count - (int64_t)h->old_count;
	}
}

/* The item of the other side that bears the same name. */
static const struct citem *counterpart(const struct lint_side *from, const struct lint_side *to, const struct citem *item)
{
	const struct lint_name *own = from->name_of[item - from->c.items], *other;

	if (!*own->key)
		return NULL;
	other = find_name(to, item->kind, own->key, own->order);
	return other ? other->item : NULL;
}

static void add_touch(struct lint *l, struct lint_file *f, const struct citem *old, const struct citem *now, uint32_t line)
{
	struct lint_touch *t = arena_grow(l->a, (void **)&f->touches, &f->n_touches, sizeof(*t));

	*t = (struct lint_touch){ f, old, now, line };
}

/* Each touched item once: seen_old and seen_now hold a mark for each item. */
static void read_touches(struct lint *l, struct lint_file *f)
{
	bool *seen_old = arena_alloc(l->a, f->old.c.n_items + 1), *seen_now = arena_alloc(l->a, f->now.c.n_items + 1);

	for (size_t i = 0; i < f->n_lines; i++) {
		const struct lint_line *line = &f->lines[i];
		bool adds = line->diff->kind == DIFF_ADD;
		const struct lint_side *own = adds ? &f->now : &f->old, *across = adds ? &f->old : &f->now;
		const struct citem *other;

		if (line->first == line->end || !line->item)
			continue;
		if ((adds ? seen_now : seen_old)[line->item - own->c.items])
			continue;
		(adds ? seen_now : seen_old)[line->item - own->c.items] = true;
		if ((other = counterpart(own, across, line->item)))
			(adds ? seen_old : seen_now)[other - across->c.items] = true;
		add_touch(l, f, adds ? other : line->item, adds ? line->item : other, line->number);
	}
}

static int read_file(struct lint *l, struct lint_file *f)
{
	const ApplyFile *placed = NULL;
	int err = 0;

	if (f->diff->binary || !is_c(f->path) || !lint_is_code(f->path))
		return 0;
	l->cut |= l->in->tree && l->n_whole > WHOLE_MOST;
	if (l->in->tree && !l->cut && (err = read_whole(l, f, &placed)))
		return err;
	if (!f->whole)
		read_pieces(l, f);
	index_names(l->a, &f->old);
	index_names(l->a, &f->now);
	read_lines(l, f, placed);
	read_touches(l, f);
	return 0;
}

int lint_read(struct lint *l)
{
	const struct diff *d = l->in->diff;
	int err = 0;

	l->n_files = d->n_files;
	l->files = arena_alloc(l->a, (l->n_files + 1) * sizeof(*l->files));
	for (size_t i = 0; !err && i < l->n_files; i++) {
		l->files[i].diff = &d->files[i];
		l->files[i].path = diff_path(&d->files[i]);
		err = read_file(l, &l->files[i]);
	}
	if (!err && l->in->tree && !l->apply) {
		l->apply = pb_new(l->a, &apply_result__descriptor);
		err = apply_check(l->a, d, l->in->tree, l->apply, NULL);
	}
	return err;
}
