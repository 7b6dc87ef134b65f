/* Owns the binary search for a place, which bsearch(3) does not give. */
#include "lib/bound.h"

size_t bound(const void *items, size_t n, size_t size, const void *key, bool (*before)(const void *item, const void *key))
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (before((const char *)items + middle * size, key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
