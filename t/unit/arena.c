/* Arenas: what is handed out is zeroed, aligned and apart; a ceiling holds; a reset gives the memory back. */
#include "lib/arena.h"
#include "tap.h"

static bool all_are(const unsigned char *p, size_t n, unsigned char value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* Sizes around what a block holds, more than one block in all. */
static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 32767, 32768, 32769, 1, 200000, 3 };

static void test_pieces(struct arena *a)
{
	unsigned char *pieces[ARRAY_LEN(sizes)];
	bool zeroed = true, aligned = true, apart = true;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		pieces[i] = arena_alloc(a, sizes[i]);
		zeroed &= all_are(pieces[i], sizes[i], 0);
		aligned &= (uintptr_t)pieces[i] % _Alignof(max_align_t) == 0;
		memset(pieces[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		apart &= all_are(pieces[i], sizes[i], (unsigned char)(i + 1));
	ok(zeroed, "bytes are zeroed");
	ok(aligned, "and aligned for any type");
	ok(apart, "and no piece lies in another");
	ok(arena_used(a) >= 32767 + 32768 + 32769 + 200000, "what was handed out is counted");
}

static void test_reset(struct arena *a)
{
	unsigned char *first;

	arena_reset(a);
	is_int((long long)arena_used(a), 0, "a reset drops everything");
	first = arena_alloc(a, 1000);
	memset(first, 0xff, 1000);
	arena_reset(a);
	ok(arena_alloc(a, 1000) == first, "the first block is used again");
	ok(all_are(first, 1000, 0), "zeroed again");
	arena_reset(a);
	arena_alloc(a, 1 << 20);
	arena_reset(a);
	ok(arena_alloc(a, 16) != NULL, "so is an arena whose first piece was large");
}

static void test_ceiling(void)
{
	struct arena *a = arena_new(1000);
	size_t got = 0;

	while (got < 5000 && arena_alloc(a, 100))
		got += 100;
	ok(got >= 800 && got <= 1000, "a ceiling of 1000 holds (%zu)", got);
	ok(arena_used(a) <= 1000, "in what is counted, too");
	ok(!arena_alloc(a, 500) && !arena_alloc(a, SIZE_MAX) && !arena_alloc(a, SIZE_MAX - 8), "whatever is asked for");
	ok(!arena_memdup(a, "", SIZE_MAX) &&
		   !arena_strdup(a,
				 "a text that is longer than what is left of it all, which is less than one hundred bytes. "
				 "There may be some left, though not so many as this."),
	   "copies keep to it");
	ok(!arena_printf(a, "%500s", ""), "and formatted text");
	arena_reset_ceiling(a, 5000);
	ok(arena_alloc(a, 4000) != NULL, "a new ceiling");
	ok(!arena_alloc(a, 4000), "holds as well");
	arena_reset_ceiling(a, 0);
	ok(arena_alloc(a, 1 << 20) != NULL, "none is none");
	ok(!arena_alloc(a, SIZE_MAX), "but the end of the address space");
	arena_free(a);
	arena_free(NULL);
}

static void test_copies(struct arena *a)
{
	char bytes[] = "ab\0cd", *copy = arena_memdup(a, bytes, 5);

	ok(memcmp(copy, "ab\0cd", 6) == 0 && copy != bytes, "bytes, with a NUL behind them");
	is_str(arena_memdup(a, NULL, 0), "", "none at all");
	copy = arena_memdup(a, "sixteen letters!", 16);
	memset(arena_alloc(a, 16), 'x', 16);
	is_str(copy, "sixteen letters!", "the NUL is nobody else's byte");
	is_str(arena_strdup(a, "text"), "text", "a string");
	is_str(arena_printf(a, "%s-%03d", "x", 7), "x-007", "formatted text");
	is_int((long long)strlen(arena_printf(a, "%70000s", "x")), 70000, "longer than a block");
}

static void test_grow(struct arena *a)
{
	unsigned *items = NULL;
	size_t n = 0;
	bool zeroed = true, kept = true;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned *item = arena_grow(a, (void **)&items, &n, sizeof(*items));

		zeroed &= *item == 0 && item == items + i;
		*item = i;
		arena_strdup(a, "between");
	}
	for (unsigned i = 0; i < 1000; i++)
		kept &= items[i] == i;
	is_int((long long)n, 1000, "an array grows and counts");
	ok(zeroed, "each new item is zeroed, and the last");
	ok(kept, "what it held moves along");
}

static void test_grow_ceiling(void)
{
	struct arena *a = arena_new(1000);
	unsigned *items = NULL;
	size_t n = 0;

	while (n < 1000 && arena_grow(a, (void **)&items, &n, sizeof(*items)))
		items[n - 1] = 7;
	ok(n >= 64 && n < 250, "an array stops below the ceiling (%zu)", n);
	ok(items[0] == 7 && items[n - 1] == 7, "and keeps what it has");
	arena_free(a);
}

int main(void)
{
	struct arena *a = arena_new(0);

	test_pieces(a);
	test_reset(a);
	test_ceiling();
	test_copies(a);
	test_grow(a);
	test_grow_ceiling();
	arena_free(a);
	return done();
}
