/* Memory with one owner: allocate piece by piece, drop all at once. */
#ifndef TUXTAPE_ARENA_H
#define TUXTAPE_ARENA_H

#include "lib/base.h"

struct arena;

/* A new arena. ceiling is the most bytes it hands out, 0 for no limit. Release with arena_free. */
struct arena *arena_new(size_t ceiling);

/* Drops everything allocated, keeps the arena (and its first block) for further use. */
void arena_reset(struct arena *a);

/* Like arena_reset, with a new ceiling. */
void arena_reset_ceiling(struct arena *a, size_t ceiling);

/* Drops the arena; NULL is fine. */
void arena_free(struct arena *a);

/* n zeroed bytes aligned for any type. NULL only where the ceiling would be passed: callers that set no ceiling need not
 * check. */
void *arena_alloc(struct arena *a, size_t n);

/* Copies, NUL-terminated (one byte more than n is allocated). */
void *arena_memdup(struct arena *a, const void *p, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Room for a growing array: returns where item number *n goes and counts it. *items moves as the array doubles. Start with
 * NULL and 0. The item is zeroed. */
void *arena_grow(struct arena *a, void **items, size_t *n, size_t item_size);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#endif
