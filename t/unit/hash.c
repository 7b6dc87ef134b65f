/* SHA-256: the examples of FIPS 180-4, in one piece and in many. */
#include "lib/hash.h"
#include "tap.h"

static const struct {
	const char *text, *sum;
} examples[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void test_million(void)
{
	static const char want[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
	static char all[1000000];
	char text[HASH_TEXT];
	uint8_t one[HASH_SIZE], pieces[HASH_SIZE];
	struct hash *h = hash_new();

	memset(all, 'a', sizeof(all));
	is_str(hash_text(text, all, sizeof(all)), want, "a million a");
	for (size_t at = 0, n = 1; at < sizeof(all); at += n, n = n * 3 % 4099 + 1)
		hash_add(h, all + at, n < sizeof(all) - at ? n : sizeof(all) - at);
	hash_end(h, pieces);
	hash_of(one, all, sizeof(all));
	ok(memcmp(one, pieces, HASH_SIZE) == 0, "in pieces the same");
	h = hash_new();
	hash_add(h, "x", 1);
	hash_free(h);
	hash_free(NULL);
}

/* Sums from its authors' test vectors. */
static void test_mix(void)
{
	ok(hash_mix(HASH_MIX_START, "", 0) == 0xcbf29ce484222325u, "the mix of nothing");
	ok(hash_mix(HASH_MIX_START, "a", 1) == 0xaf63dc4c8601ec8cu, "of a");
	ok(hash_mix(HASH_MIX_START, "foobar", 6) == 0x85944171f73967e8u, "of foobar");
	ok(hash_mix(hash_mix(HASH_MIX_START, "foo", 3), "bar", 3) == 0x85944171f73967e8u, "  in pieces");
}

int main(void)
{
	char text[HASH_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		is_str(hash_text(text, examples[i].text, strlen(examples[i].text)), examples[i].sum, examples[i].text);
	test_million();
	test_mix();
	return done();
}
