/* Text: nothing hostile is left in what is made printable, and nothing harmless is lost; numbers, base64, distances. */
#include "lib/str.h"
#include "tap.h"

/* Each string with its length, as NUL may be in it. */
#define BYTES(s) (s), sizeof(s) - 1

static const struct {
	const char *text;
	size_t n;
	const char *printable, *lines;
} shown[] = {
	{ BYTES(""), "", NULL },
	{ BYTES("plain text ~"), "plain text ~", NULL },
	{ BYTES("Gr\xc3\xb6\xc3\x9f"
		"e \xe6\xbc\xa2 \xf0\x9f\x90\xa7"),
	  "Gr\xc3\xb6\xc3\x9f"
	  "e \xe6\xbc\xa2 \xf0\x9f\x90\xa7",
	  NULL },
	{ BYTES("a\nb\tc"), "a\\x0ab\\x09c", "a\nb\tc" },
	{ BYTES("a\r\n"), "a\\x0d\\x0a", "a\\x0d\n" },
	{ BYTES("\x1b[31mred\x07"), "\\x1b[31mred\\x07", NULL },
	{ BYTES("nul\0nul"), "nul\\x00nul", NULL },
	{ BYTES("del\x7f"), "del\\x7f", NULL },
	{ BYTES("c1 \xc2\x9b"
		"2J"),
	  "c1 \\u{9b}2J", NULL },
	{ BYTES("bare c1 \x9b"
		"2J"),
	  "bare c1 \\x9b2J", NULL },
	{ BYTES("soft\xc2\xad"), "soft\\u{ad}", NULL },
	{ BYTES("nbsp\xc2\xa0!"), "nbsp\xc2\xa0!", NULL },
	{ BYTES("\xe2\x80\xaetxt.exe"), "\\u{202e}txt.exe", NULL },
	{ BYTES("\xe2\x81\xa6isolate\xe2\x81\xa9"), "\\u{2066}isolate\\u{2069}", NULL },
	{ BYTES("zero\xe2\x80\x8bwidth"), "zero\\u{200b}width", NULL },
	{ BYTES("line\xe2\x80\xa8sep"), "line\\u{2028}sep", NULL },
	{ BYTES("\xef\xbb\xbf"
		"bom"),
	  "\\u{feff}bom", NULL },
	{ BYTES("tag\xf3\xa0\x81\x81"), "tag\\u{e0041}", NULL },
	{ BYTES("latin1 \xe9t\xe9"), "latin1 \\xe9t\\xe9", NULL },
	{ BYTES("overlong \xc0\xaf \xe0\x80\xaf"), "overlong \\xc0\\xaf \\xe0\\x80\\xaf", NULL },
	{ BYTES("surrogate \xed\xa0\x80"), "surrogate \\xed\\xa0\\x80", NULL },
	{ BYTES("beyond \xf4\x90\x80\x80 \xf8\x88"), "beyond \\xf4\\x90\\x80\\x80 \\xf8\\x88", NULL },
	{ BYTES("cut \xe2\x80"), "cut \\xe2\\x80", NULL },
};

static void test_printable(void)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		buf_reset(&out);
		str_printable(&out, shown[i].text, shown[i].n);
		is_str(buf_str(&out), shown[i].printable, shown[i].printable);
		buf_reset(&out);
		str_printable_lines(&out, shown[i].text, shown[i].n);
		is_str(buf_str(&out), shown[i].lines ? shown[i].lines : shown[i].printable, "by lines");
	}
	buf_free(&out);
}

/* Whatever the bytes are, what comes out holds no control character and is UTF-8. */
static void test_printable_bytes(void)
{
	struct buf out = { 0 };
	size_t bad = 0;

	for (int first = 0; first < 256; first++)
		for (int second = 0; second < 256; second++) {
			char two[2] = { (char)first, (char)second };
			uint32_t rune;

			buf_reset(&out);
			str_printable(&out, two, 2);
			for (size_t at = 0, n; at < out.len; at += n) {
				n = str_utf8_next(out.data + at, out.len - at, &rune);
				bad += n == 0 || rune < 0x20 || (rune >= 0x7f && rune < 0xa0);
				n += n == 0;
			}
		}
	is_int((long long)bad, 0, "no pair of bytes gets through as a control character");
	buf_free(&out);
}

static const struct {
	const char *text;
	size_t n, len;
	uint32_t rune;
} runes[] = {
	{ BYTES("A"), 1, 'A' },
	{ BYTES("\0"), 1, 0 },
	{ BYTES("\x7f"), 1, 0x7f },
	{ BYTES("\xc2\x80"), 2, 0x80 },
	{ BYTES("\xdf\xbf!"), 2, 0x7ff },
	{ BYTES("\xe0\xa0\x80"), 3, 0x800 },
	{ BYTES("\xed\x9f\xbf"), 3, 0xd7ff },
	{ BYTES("\xee\x80\x80"), 3, 0xe000 },
	{ BYTES("\xef\xbf\xbf"), 3, 0xffff },
	{ BYTES("\xf0\x90\x80\x80"), 4, 0x10000 },
	{ BYTES("\xf4\x8f\xbf\xbf"), 4, 0x10ffff },
	{ BYTES(""), 0, 0 },
	{ BYTES("\x80"), 0, 0 },
	{ BYTES("\xc1\xbf"), 0, 0 },
	{ BYTES("\xe0\x9f\xbf"), 0, 0 },
	{ BYTES("\xf0\x8f\xbf\xbf"), 0, 0 },
	{ BYTES("\xed\xa0\x80"), 0, 0 },
	{ BYTES("\xed\xbf\xbf"), 0, 0 },
	{ BYTES("\xf4\x90\x80\x80"), 0, 0 },
	{ BYTES("\xfe\xbf\xbf\xbf\xbf\xbf"), 0, 0 },
	{ BYTES("\xff"), 0, 0 },
	{ "\xc3\xa9", 1, 0, 0 },
	{ BYTES("\xe2\x82!"), 0, 0 },
	{ "\xf0\x9f\x90\xa7", 3, 0, 0 },
};

static void test_utf8(void)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(runes); i++) {
		uint32_t rune = 0;

		is_int((long long)str_utf8_next(runes[i].text, runes[i].n, &rune), (long long)runes[i].len,
		       "length of a sequence");
		if (runes[i].len)
			is_int(rune, runes[i].rune, "and its character");
	}
	str_utf8_replace(&out, BYTES("a\xff"
				     "b\0c\xe2\x82\xac\xc3"));
	is_str(buf_str(&out),
	       "a\xef\xbf\xbd"
	       "b\xef\xbf\xbd"
	       "c\xe2\x82\xac\xef\xbf\xbd",
	       "what is not UTF-8 is replaced, and NUL");
	buf_free(&out);
}

static const struct {
	const char *text;
	uint64_t most;
	bool good;
	uint64_t value;
} numbers[] = {
	{ "0", 0, true, 0 },
	{ "007", 10, true, 7 },
	{ "10", 10, true, 10 },
	{ "11", 10, false, 0 },
	{ "9", 5, false, 0 },
	{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, false, 0 },
	{ "99999999999999999999999", UINT64_MAX, false, 0 },
	{ "", 10, false, 0 },
	{ "+1", 10, false, 0 },
	{ "-1", UINT64_MAX, false, 0 },
	{ " 1", 10, false, 0 },
	{ "1 ", 10, false, 0 },
	{ "1.0", 10, false, 0 },
	{ "0x1", 10, false, 0 },
	{ "1\xb2", UINT64_MAX, false, 0 },
};

static void test_numbers(void)
{
	uint32_t small = 7;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t v = 77;

		ok(str_to_u64(numbers[i].text, numbers[i].most, &v) == numbers[i].good, "the number '%s'", numbers[i].text);
		ok(v == (numbers[i].good ? numbers[i].value : 77), "its value, or none");
	}
	ok(str_to_u32("4294967295", &small) && small == UINT32_MAX, "the largest of 32 bits");
	ok(!str_to_u32("4294967296", &small) && small == UINT32_MAX, "and no larger one");
}

/* RFC 4648, section 10, and what its alphabet ends with. */
static const struct {
	const char *text;
	size_t n;
	const char *base64;
} base64[] = {
	{ BYTES(""), "" },
	{ BYTES("f"), "Zg==" },
	{ BYTES("fo"), "Zm8=" },
	{ BYTES("foo"), "Zm9v" },
	{ BYTES("foob"), "Zm9vYg==" },
	{ BYTES("fooba"), "Zm9vYmE=" },
	{ BYTES("foobar"), "Zm9vYmFy" },
	{ BYTES("\xff\xff\xff"), "////" },
	{ BYTES("\xfb\xef\xbe"), "++++" },
	{ BYTES("\0"), "AA==" },
};

static void test_base64(void)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(base64); i++) {
		buf_reset(&out);
		str_base64(&out, base64[i].text, base64[i].n);
		is_str(buf_str(&out), base64[i].base64, base64[i].base64);
	}
	buf_free(&out);
}

static void test_words(void)
{
	static const struct {
		const char *a, *b;
		unsigned far;
	} pairs[] = {
		{ "", "", 0 },     { "abc", "abc", 0 },        { "", "abc", 3 },
		{ "abc", "", 3 },  { "kitten", "sitting", 3 }, { "no-fech", "no-fetch", 1 },
		{ "ab", "ba", 2 }, { "flaw", "lawn", 2 },
	};
	char long_word[65];

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		is_int(str_distance(pairs[i].a, pairs[i].b), pairs[i].far, pairs[i].b);
		is_int(str_distance(pairs[i].b, pairs[i].a), pairs[i].far, "and back");
	}
	memset(long_word, 'x', 64);
	long_word[64] = '\0';
	ok(str_distance(long_word, "x") > 100 && str_distance("x", long_word) > 100, "a word of 64 bytes is far from all");
	is_int(str_distance(long_word + 1, "x"), 62, "one of 63 is measured");
	ok(str_starts("abc", "") && str_starts("abc", "abc") && !str_starts("abc", "abcd") && !str_starts("abc", "b"),
	   "starts");
	ok(str_ends("abc", "") && str_ends("abc", "abc") && !str_ends("bc", "abc") && !str_ends("abc", "b"), "ends");
	ok(str_is_hex("0123456789abcdef", 16) && str_is_hex("", 0), "lower-case hexadecimal");
	ok(!str_is_hex("ABC", 3) && !str_is_hex("abc", 4) && !str_is_hex("abcg", 4) && !str_is_hex("abc", 2),
	   "and what is none");
}

int main(void)
{
	test_printable();
	test_printable_bytes();
	test_utf8();
	test_numbers();
	test_base64();
	test_words();
	return done();
}
