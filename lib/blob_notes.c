/* Owns the file of notes on blobs: its bytes, its bound, and which notes go when it is full. Refuses a file that is not, to the bit, one that
 * it wrote: what is left then is an empty one, and the caller finds out again. */
#include "lib/blob_notes.h"

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/hash.h"

#include <stdlib.h>

/* title; sum of all that follows; number of notes; for each by ascending id: id, length of its text; the texts in the same order. Numbers are
 * big-endian. */
#define TITLE_SIZE 16
#define SUM_SIZE 8
#define HEAD_SIZE (TITLE_SIZE + SUM_SIZE + 4)
#define ENTRY_SIZE (BLOB_NOTES_ID + 4)

struct note {
	uint8_t id[BLOB_NOTES_ID];
	uint32_t len;
	const char *text;
	bool used;
};

struct blob_notes {
	struct blob_notes_how how;
	struct arena *arena;
	struct buf file;
	struct note *old, *added; /* old: sorted by id */
	size_t n_old, n_added;
};

static void put(char *to, uint64_t v, size_t bytes)
{
	for (; bytes; v >>= 8)
		to[--bytes] = (char)(v & 0xff);
}

static uint64_t get(const char *from, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | (uint8_t)from[i];
	return v;
}

/* The first bytes of a file of that title that goes on, behind them, as this one does. */
static void write_start(const struct blob_notes *b, const struct buf *file, char start[TITLE_SIZE + SUM_SIZE])
{
	const size_t n = TITLE_SIZE + SUM_SIZE;

	memset(start, 0, n);
	memcpy(start, b->how.title, MIN_OF(strlen(b->how.title), (size_t)TITLE_SIZE));
	put(start + TITLE_SIZE, hash_mix(HASH_MIX_START, file->data + n, file->len - n), SUM_SIZE);
}

static int compare_ids(const void *p, const void *q)
{
	return memcmp(((const struct note *)p)->id, ((const struct note *)q)->id, BLOB_NOTES_ID);
}

/* ---- Reading */

static bool is_whole(const struct blob_notes *b)
{
	char start[TITLE_SIZE + SUM_SIZE];

	if (b->file.len < HEAD_SIZE)
		return false;
	write_start(b, &b->file, start);
	return memcmp(b->file.data, start, sizeof(start)) == 0;
}

/* The sum says that nothing was damaged, not that it was written well. */
static bool take_notes(struct blob_notes *b)
{
	const char *entry = b->file.data + HEAD_SIZE;
	size_t n = get(entry - 4, 4), left = b->file.len - HEAD_SIZE;
	const char *text;

	if (n > left / ENTRY_SIZE)
		return false;
	text = entry + n * ENTRY_SIZE;
	left -= n * ENTRY_SIZE;
	b->old = arena_alloc(b->arena, (n + 1) * sizeof(*b->old));
	for (size_t i = 0; i < n; i++, entry += ENTRY_SIZE) {
		struct note *note = &b->old[i];

		memcpy(note->id, entry, BLOB_NOTES_ID);
		note->len = (uint32_t)get(entry + BLOB_NOTES_ID, 4);
		note->text = text;
		if (note->len > left || (i && compare_ids(note - 1, note) >= 0))
			return false;
		text += note->len;
		left -= note->len;
	}
	b->n_old = n;
	return left == 0;
}

struct blob_notes *blob_notes_open(const struct blob_notes_how *how)
{
	struct blob_notes *b = xcalloc(1, sizeof(*b));

	b->how = *how;
	b->arena = arena_new(0);
	if (how->path && !(buf_read_file(&b->file, how->path, how->most) == 0 && is_whole(b) && take_notes(b)))
		b->n_old = 0;
	return b;
}

bool blob_notes_find(struct blob_notes *b, const uint8_t id[BLOB_NOTES_ID], struct buf *out)
{
	struct note key = { .len = 0 }, *found;

	memcpy(key.id, id, BLOB_NOTES_ID);
	found = b->n_old ? bsearch(&key, b->old, b->n_old, sizeof(*b->old), compare_ids) : NULL;
	if (!found)
		return false;
	found->used = true;
	buf_add(out, found->text, found->len);
	return true;
}

/* ---- Writing */

void blob_notes_add(struct blob_notes *b, const uint8_t id[BLOB_NOTES_ID], const char *text, size_t n)
{
	struct note *note;

	if (!b->how.path || n > b->how.most)
		return;
	note = arena_grow(b->arena, (void **)&b->added, &b->n_added, sizeof(*b->added));
	memcpy(note->id, id, BLOB_NOTES_ID);
	note->text = arena_memdup(b->arena, text, n);
	note->len = (uint32_t)n;
}

struct selection {
	struct note *notes;
	size_t n, bytes, most;
};

static void keep(struct selection *s, const struct note *note)
{
	if (s->bytes + ENTRY_SIZE + note->len > s->most)
		return;
	s->bytes += ENTRY_SIZE + note->len;
	s->notes[s->n++] = *note;
}

/* What was of use this time is likely to be so next time. The same file stands at several places of a tree: one note is kept. */
static void select_notes(struct blob_notes *b, struct selection *s)
{
	*s = (struct selection){ .bytes = HEAD_SIZE, .most = b->how.most };
	s->notes = arena_alloc(b->arena, (b->n_old + b->n_added) * sizeof(*s->notes));
	qsort(b->added, b->n_added, sizeof(*b->added), compare_ids);
	for (size_t i = 0; i < b->n_added; i++)
		if (i == 0 || compare_ids(&b->added[i - 1], &b->added[i]) != 0)
			keep(s, &b->added[i]);
	for (size_t i = 0; i < b->n_old; i++)
		if (b->old[i].used)
			keep(s, &b->old[i]);
	for (size_t i = 0; i < b->n_old; i++)
		if (!b->old[i].used)
			keep(s, &b->old[i]);
	qsort(s->notes, s->n, sizeof(*s->notes), compare_ids);
}

static void write_notes(const struct blob_notes *b, const struct selection *s, struct buf *out)
{
	char head[HEAD_SIZE] = { 0 }, entry[ENTRY_SIZE];

	put(head + HEAD_SIZE - 4, s->n, 4);
	buf_add(out, head, sizeof(head));
	for (size_t i = 0; i < s->n; i++) {
		memcpy(entry, s->notes[i].id, BLOB_NOTES_ID);
		put(entry + BLOB_NOTES_ID, s->notes[i].len, 4);
		buf_add(out, entry, sizeof(entry));
	}
	for (size_t i = 0; i < s->n; i++)
		buf_add(out, s->notes[i].text, s->notes[i].len);
	write_start(b, out, out->data);
}

int blob_notes_save(struct blob_notes *b)
{
	struct selection chosen;
	struct buf out = { 0 };
	int err;

	if (b->n_added == 0)
		return 0;
	if ((err = file_make_parents(b->how.path)))
		return err;
	select_notes(b, &chosen);
	write_notes(b, &chosen, &out);
	err = file_replace(b->how.path, out.data, out.len, 0600);
	buf_free(&out);
	return err;
}

void blob_notes_free(struct blob_notes *b)
{
	if (!b)
		return;
	arena_free(b->arena);
	buf_free(&b->file);
	free(b);
}
