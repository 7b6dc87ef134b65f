/* Looking for a place in what is sorted. */
#ifndef TUXTAPE_BOUND_H
#define TUXTAPE_BOUND_H

#include "lib/base.h"

/* The place of the first of n items of that size that does not come before the key; n where all do. Every item that comes before it stands
 * ahead of those that do not. */
size_t bound(const void *items, size_t n, size_t size, const void *key, bool (*before)(const void *item, const void *key));

#endif
