/* Dyads: the pairs that are read, the lines that are refused, titles and CVE numbers. */
#include "lib/dyad.h"
#include "lib/kver.h"
#include "lib/err.h"
#include "tap.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "0123456789abcdef0123456789abcdef01234567"

static struct arena *arena;
static Cve cve;
static ReadResult said;

static size_t parse_bytes(const char *text, size_t n)
{
	arena_reset(arena);
	cve__init(&cve);
	read_result__init(&said);
	cve.id = "CVE-2024-1234";
	return dyad_parse(arena, text, n, "dir/x.dyad", &cve, &said);
}

static size_t parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static bool place_is(size_t i, const char *place)
{
	return i < said.n_complaints && said.complaints[i]->has_place && said.complaints[i]->place.len == strlen(place) &&
	       memcmp(said.complaints[i]->place.data, place, strlen(place)) == 0;
}

static void test_pairs(void)
{
	char text[KVER_TEXT_MAX];
	const CveInstance *in;

	is_int((long long)parse("# dyad version: 1.2.0\n#\n5.15:" A ":6.1.172:" C "\n\n6.6:" A ":0:0\n0:0:6.9:" B
				"\n0:0:0:0\n"),
	       4, "four pairs");
	is_int((long long)cve.n_instances, 4, "four instances");
	is_int((long long)said.n_complaints, 0, "no complaint");
	in = cve.instances[0];
	is_str(kver_text(text, in->introduced), "5.15", "introduced");
	is_str(in->introduced_commit, A, "introduced by");
	is_str(kver_text(text, in->fixed), "6.1.172", "fixed");
	is_str(in->fix_commit, C, "fixed by");
	is_str(in->title, "CVE-2024-1234-5.15-0123456789ab", "title");
	in = cve.instances[1];
	ok(in->introduced && !in->fixed && !in->fix_commit, "no fix: absent");
	is_str(in->title, "CVE-2024-1234-6.6-nofix", "its title");
	in = cve.instances[2];
	ok(!in->introduced && !in->introduced_commit && in->fixed, "nobody knows since when: absent");
	is_str(in->title, "CVE-2024-1234-2.6.12-bbbbbbbbbbbb", "its title");
	in = cve.instances[3];
	ok(!in->introduced && !in->fixed, "neither end known");
	is_str(in->title, "CVE-2024-1234-2.6.12-nofix", "its title");
	is_int((long long)parse("7.1-rc2:" A ":7.2-rc3:" B), 1, "no newline at the end");
	is_str(cve.instances[0]->title, "CVE-2024-1234-7.1-rc2-bbbbbbbbbbbb", "candidate in a title");
	is_int((long long)parse(""), 0, "an empty file has no pair");
	is_int((long long)parse("# only\n# comments"), 0, "nor have comments");
	is_int((long long)said.n_complaints, 0, "and both are no complaint");
}

static void test_appends(void)
{
	static const char more[] = "6.1:" A ":6.2:" C "\n";

	parse("5.1:" A ":5.2:" B "\n");
	is_int((long long)dyad_parse(arena, more, strlen(more), "again", &cve, &said), 1, "counts this text's pairs only");
	is_int((long long)cve.n_instances, 2, "and appends them");
}

static const struct {
	const char *line, *why;
} malformed[] = {
	{ "garbage", "4 fields, this line 1" },
	{ "5.1:" A ":5.2", "4 fields, this line 3" },
	{ "5.1:" A ":5.2:" B ":", "4 fields, this line 5" },
	{ "5.1:" A ":5.2:" B ":1:2:3:4:5", "4 fields, this line 9" },
	{ ":::", "introduced version" },
	{ "5.1:" A ":5.2:" B "\r", "fixed commit is not 40" },
	{ "5.1:" A ":5.2\r:" B, "fixed version" },
	{ "\r", "this line 1" },
	{ "5.1:" A ":5.2:\x1b[31m" B, "fixed commit" },
	{ "\x1b]0;x:" A ":5.2:" B, "introduced version" },
	{ "5.1:" A ":5.2:", "fixed commit is not 40" },
	{ "5.1::5.2:" B, "introduced commit is not 40" },
	{ "5.1:" A ":5.2:0", "fixed version without its commit" },
	{ "5.1:0:5.2:" B, "introduced version without its commit" },
	{ "0:" A ":5.2:" B, "introduced commit without its version" },
	{ "5.1:" A ":0:" B, "fixed commit without its version" },
	{ "5.1:AAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:5.2:" B, "lower-case" },
	{ "5.1:" A "a:5.2:" B, "introduced commit is not 40" },
	{ "5.1:" A ":5.2:" B B B B B B, "fixed commit is not 40" },
	{ "5.1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:5.2:" B, "introduced commit is not 40" },
	{ "5.1:gggggggggggggggggggggggggggggggggggggggg:5.2:" B, "introduced commit is not 40" },
	{ "5.01:" A ":5.2:" B, "leading zero" },
	{ "5.1:" A ":5:" B, "missing" },
	{ " 5.1:" A ":5.2:" B, "introduced version" },
	{ "5.1:" A ":5.2:" B " ", "fixed commit" },
	{ "v5.1:" A ":5.2:" B, "introduced version" },
};

/* True when the complaint ends with the line in quotes, cut at 80 bytes. */
static bool quotes(const char *what, const char *line)
{
	struct buf want = { 0 };
	bool found;

	buf_printf(&want, ": \"%.80s\"%s", line, strlen(line) > 80 ? "..." : "");
	found = strlen(what) > want.len && strcmp(what + strlen(what) - want.len, want.data) == 0;
	buf_free(&want);
	return found;
}

static void test_malformed(void)
{
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		struct buf text = { 0 };
		const char *what;

		buf_printf(&text, "# head\n5.1:" A ":5.3:" C "\n%s\n6.6:" A ":0:0\n", malformed[i].line);
		is_int((long long)parse(text.data), 2, "its neighbours are kept");
		is_int((long long)said.n_complaints, 1, "one complaint");
		ok(place_is(0, "dir/x.dyad:3"), "with file and line");
		what = said.n_complaints ? said.complaints[0]->what : "";
		ok(strstr(what, malformed[i].why) != NULL, "malformed line %zu says why", i);
		ok(quotes(what, malformed[i].line), "and quotes the line");
		buf_free(&text);
	}
}

static void test_bytes(void)
{
	static const char nul[] = "5.1:" A ":5.2\0:" B "\n5.1:" A ":5.3:" C "\n";
	static const char nul_in_sha[] = "5.1:" A ":5.2:bbbb\0bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n";
	static const char only_nul[] = "\0";

	is_int((long long)parse_bytes(nul, sizeof(nul) - 1), 1, "a NUL byte spoils its line only");
	ok(place_is(0, "dir/x.dyad:1"), "which is complained about");
	ok(strstr(said.complaints[0]->what, ":5.2?:b") != NULL, "the quote shows where the NUL was");
	is_int((long long)parse_bytes(nul_in_sha, sizeof(nul_in_sha) - 1), 0, "a NUL byte in a commit");
	is_int((long long)parse_bytes(only_nul, 1), 0, "a file of one NUL byte");
	is_int((long long)said.n_complaints, 1, "is a malformed line");
}

static void test_long_lines(void)
{
	struct buf text = { 0 };

	for (int i = 0; i < DYAD_LINE_MAX + 1; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\n5.1:" A ":5.3:" C "\n");
	is_int((long long)parse(text.data), 1, "an over-long line spoils nothing else");
	ok(strstr(said.complaints[0]->what, "line of 1025 bytes") != NULL, "is named");
	is_int((long long)strspn(strchr(said.complaints[0]->what, '"') + 1, "x"), 80, "and quoted up to 80 bytes");
	ok(strstr(said.complaints[0]->what, "x\"...") != NULL, "with a mark that it was cut");
	buf_reset(&text);
	buf_adds(&text, "0:0:5.2:" B);
	for (int i = 0; i < DYAD_LINE_MAX; i++)
		buf_addc(&text, '0');
	is_int((long long)parse(text.data), 0, "even where its start looks right");
	buf_reset(&text);
	buf_addc(&text, '#');
	for (int i = 0; i < DYAD_LINE_MAX; i++)
		buf_addc(&text, 'x');
	parse(text.data);
	is_int((long long)said.n_complaints, 0, "a long comment is a comment");
	buf_free(&text);
}

static void test_place_bytes(void)
{
	parse("one\ntwo\n# three\n\nfive");
	is_int((long long)said.n_complaints, 3, "each malformed line is named");
	ok(place_is(0, "dir/x.dyad:1") && place_is(1, "dir/x.dyad:2") && place_is(2, "dir/x.dyad:5"),
	   "comments and empty lines count");
	is_str(said.complaints[2]->what, "a pair has 4 fields, this line 1: \"five\"", "the whole complaint");
}

static const struct {
	const char *title, *id, *commit;
} titles[] = {
	{ "CVE-2024-1234-5.15-0123456789ab", "CVE-2024-1234", "0123456789ab" },
	{ "CVE-2024-12345-7.1-rc2-bbbbbbbbbbbb", "CVE-2024-12345", "bbbbbbbbbbbb" },
	{ "CVE-2024-1234-2.6.12-nofix", "CVE-2024-1234", "nofix" },
	{ "CVE-2024-1234-5.15-" C, "CVE-2024-1234", C },
	{ "CVE-2024-1234-any-thing-0123456789ab", "CVE-2024-1234", "0123456789ab" },
	{ "CVE-2024-1234-0123456789ab", "CVE-2024-1234", "0123456789ab" },
	{ "CVE-2024-1234-5.15-0123456789a", NULL, NULL },
	{ "CVE-2024-1234-5.15-0123456789aB", NULL, NULL },
	{ "CVE-2024-1234-5.15-" C "0", NULL, NULL },
	{ "CVE-2024-1234-5.15-", NULL, NULL },
	{ "CVE-2024-1234", NULL, NULL },
	{ "CVE-2024-123-5.15-0123456789ab", NULL, NULL },
	{ "CVE-2024-1234x-0123456789ab", NULL, NULL },
	{ "xCVE-2024-1234-5.15-0123456789ab", NULL, NULL },
	{ "CVE", NULL, NULL },
	{ "", NULL, NULL },
};

static void test_split_title(void)
{
	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		const char *id = NULL, *commit = NULL;
		int err = dyad_split_title(arena, titles[i].title, &id, &commit);

		is_int(err, titles[i].id ? 0 : ERR_INPUT, titles[i].title);
		is_str(id, titles[i].id, "its CVE");
		is_str(commit, titles[i].commit, "its commit");
	}
}

static const struct {
	const char *id;
	unsigned long long key;
} keys[] = {
	{ "CVE-2024-1234", 20240001234 },
	{ "CVE-2024-0001", 20240000001 },
	{ "CVE-1999-99999", 19990099999 },
	{ "CVE-2026-1234567", 20261234567 },
	{ "CVE-2024-123", 0 },
	{ "CVE-2024-12345678", 0 },
	{ "CVE-2024-01234", 0 },
	{ "CVE-0024-1234", 0 },
	{ "CVE-20245-1234", 0 },
	{ "CVE-202-12345", 0 },
	{ "CVE-2024_12345", 0 },
	{ "cve-2024-1234", 0 },
	{ "CVE-2024-12a4", 0 },
	{ "CVE-2024-1234 ", 0 },
	{ "CVE-2024-1234.dyad", 0 },
	{ "CVE-2024-", 0 },
	{ "", 0 },
};

static void test_keys(void)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		is_int((long long)cve_key(keys[i].id, strlen(keys[i].id)), (long long)keys[i].key, keys[i].id);
		if (keys[i].key)
			is_str(cve_id_of_key(arena, keys[i].key), keys[i].id, "and back");
	}
	ok(cve_key("CVE-2024-9999", 13) < cve_key("CVE-2024-10000", 14), "numbers sort as numbers");
	ok(cve_key("CVE-2023-1234567", 16) < cve_key("CVE-2024-0001", 13), "years come first");
	is_int((long long)cve_key("CVE-2024-1234.dyad", 13), 20240001234, "n bytes are read, not more");
}

int main(void)
{
	arena = arena_new(0);
	test_pairs();
	test_appends();
	test_malformed();
	test_bytes();
	test_long_lines();
	test_place_bytes();
	test_split_title();
	test_keys();
	arena_free(arena);
	return done();
}
