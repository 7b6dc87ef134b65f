/* Owns the blocks behind an arena. Refuses to pass its ceiling: that is how a hostile message is bounded. */
#include "lib/arena.h"

#include "lib/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE (32 * 1024)
#define ALIGNMENT 16

struct block {
	struct block *older;
	size_t size, used;
	_Alignas(ALIGNMENT) char data[];
};

struct arena {
	struct block *newest;
	size_t used, ceiling;
};

static struct block *block_new(size_t size, struct block *older)
{
	struct block *b = xmalloc(sizeof(*b) + size);

	b->older = older;
	b->size = size;
	b->used = 0;
	return b;
}

struct arena *arena_new(size_t ceiling)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->ceiling = ceiling;
	return a;
}

void arena_reset(struct arena *a)
{
	/* The oldest block is kept: an arena reset for each record then costs no malloc. */
	while (a->newest && a->newest->older) {
		struct block *b = a->newest;
		a->newest = b->older;
		free(b);
	}
	if (a->newest && a->newest->size > BLOCK_SIZE) {
		free(a->newest);
		a->newest = NULL;
	}
	if (a->newest)
		a->newest->used = 0;
	a->used = 0;
}

void arena_reset_ceiling(struct arena *a, size_t ceiling)
{
	arena_reset(a);
	a->ceiling = ceiling;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	free(a->newest);
	free(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->newest;
	size_t need;
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	need = (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (a->ceiling && need > a->ceiling - MIN_OF(a->used, a->ceiling))
		return NULL;
	if (!b || b->size - b->used < need)
		b = a->newest = block_new(MAX_OF(need, (size_t)BLOCK_SIZE), b);
	p = b->data + b->used;
	b->used += need;
	a->used += need;
	return memset(p, 0, n);
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
	char *copy = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char line[256]; /* long enough for nearly all: they are formatted once */
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	if ((size_t)n < sizeof(line))
		return arena_memdup(a, line, (size_t)n);
	if (!(s = arena_alloc(a, (size_t)n + 1)))
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void *arena_grow(struct arena *a, void **items, size_t *n, size_t item_size)
{
	/* The capacity is never stored: it is the power of two at or above the count, eight at least. */
	if (*n == 0 || (*n >= 8 && (*n & (*n - 1)) == 0)) {
		size_t cap = *n < 8 ? 8 : *n * 2;
		char *more = arena_alloc(a, cap * item_size);

		if (!more)
			return NULL;
		if (*n)
			memcpy(more, *items, *n * item_size);
		*items = more;
	}
	return (char *)*items + item_size * (*n)++;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
