/* The place of a key among sorted items: between, at either end, among equals, in nothing. */
#include "lib/bound.h"
#include "tap.h"

static bool is_less(const void *item, const void *key)
{
	return *(const int *)item < *(const int *)key;
}

int main(void)
{
	static const int items[] = { 2, 4, 4, 4, 9 };
	static const struct {
		int key, place;
	} tries[] = { { 1, 0 }, { 2, 0 }, { 3, 1 }, { 4, 1 }, { 5, 4 }, { 9, 4 }, { 10, 5 } };

	for (size_t i = 0; i < ARRAY_LEN(tries); i++)
		is_int((long long)bound(items, ARRAY_LEN(items), sizeof(*items), &tries[i].key, is_less), tries[i].place,
		       "where it goes");
	is_int((long long)bound(items, 1, sizeof(*items), &tries[6].key, is_less), 1, "behind the only one");
	is_int((long long)bound(NULL, 0, sizeof(*items), &tries[0].key, is_less), 0, "into nothing");
	return done();
}
