/* JSON: records, .cvss files and NVD's pages, whole and broken; messages on the way out. */
#include "lib/err.h"
#include "lib/json.h"
#include "tap.h"

#define UUID "f4215fc3-5b6b-47ff-a258-f7189bd81038"
#define HIGH "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H" /* 7.8 */
#define V30 "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"  /* 9.8 */
#define V40 "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
#define V20 "AV:L/AC:L/Au:N/C:C/I:C/A:C"
#define META "\"cveMetadata\": {\"cveId\": \"CVE-2024-1234\"}"
#define RECORD(cna) "{\"containers\": {\"cna\": {" cna "}}, " META "}"

static struct arena *arena;
static Cve cve;
static ReadResult said;
static NvdPage page;

static void start(void)
{
	arena_reset(arena);
	cve__init(&cve);
	read_result__init(&said);
	cve.id = "CVE-2024-1234";
}

static bool record_bytes(const char *text, size_t n)
{
	start();
	return json_cve_record(arena, text, n, "dir/x.json", "vulns", &cve, &said);
}

static bool record(const char *text)
{
	return record_bytes(text, strlen(text));
}

static void cvss(const char *text)
{
	json_cvss_file(arena, text, strlen(text), "dir/x.cvss", "vulns", &cve, &said);
}

static int nvd_bytes(const char *text, size_t n)
{
	arena_reset(arena);
	nvd_page__init(&page);
	return json_nvd_page(arena, text, n, &page);
}

static int nvd(const char *text)
{
	return nvd_bytes(text, strlen(text));
}

/* True when complaint i stands at that place and its text holds why. */
static bool complains(size_t n, Complaint **list, size_t i, const char *place, const char *why)
{
	bool good = i < n && list[i]->has_place && list[i]->place.len == strlen(place) &&
		    memcmp(list[i]->place.data, place, strlen(place)) == 0 && strstr(list[i]->what, why);

	if (!good && i < n)
		printf("# %.*s: %s\n", (int)list[i]->place.len, (const char *)list[i]->place.data, list[i]->what);
	return good;
}

static bool said_that(const char *place, const char *why)
{
	return said.n_complaints == 1 && complains(said.n_complaints, said.complaints, 0, place, why);
}

static bool page_said(const char *place, const char *why)
{
	return page.n_complaints == 1 && complains(page.n_complaints, page.complaints, 0, place, why);
}

static bool is_score(size_t i, const char *source, const char *version, const char *vector, int tenths)
{
	const Score *s = i < cve.n_scores ? cve.scores[i] : NULL;

	return s && strcmp(s->cve_id, "CVE-2024-1234") == 0 && strcmp(s->origin, "vulns") == 0 &&
	       (source ? s->source && strcmp(s->source, source) == 0 : !s->source) && strcmp(s->version, version) == 0 &&
	       strcmp(s->vector, vector) == 0 && s->has_base_score && (int)(s->base_score * 10 + 0.5) == tenths;
}

static bool is_file(size_t i, const char *path)
{
	return i < cve.n_program_files && cve.program_files[i].len == strlen(path) &&
	       memcmp(cve.program_files[i].data, path, strlen(path)) == 0;
}

static void test_record(void)
{
	ok(record(RECORD("\"providerMetadata\": {\"orgId\": \"" UUID "\", \"dateUpdated\": \"2026-05-01T10:00:00.000Z\"},"
			 "\"title\": \"net: fix\", \"descriptions\": [{\"lang\": \"es\", \"value\": \"hola\"},"
			 "{\"lang\": \"en\", \"value\": \"first\\nsecond \\ud83d\\ude00\"}, {\"lang\": \"en\", \"value\": "
			 "\"later\"}],"
			 "\"affected\": [{\"programFiles\": [\"a.c\", \"b.c\"], \"versions\": [{\"version\": \"0\"}]}, "
			 "{\"repo\": \"x\"},"
			 "{\"programFiles\": [\"b.c\", \"c.c\"]}],"
			 "\"metrics\": [{\"format\": \"CVSS\", \"cvssV3_1\": {\"vectorString\": \"" HIGH
			 "\", \"baseScore\": 1}},"
			 "{\"other\": {\"type\": \"x\"}},"
			 "{\"cvssV2_0\": {\"vectorString\": \"" V20 "\", \"baseScore\": 7.2},"
			 "\"cvssV3_0\": {\"vectorString\": \"" V30 "\"}, \"cvssV4_0\": {\"vectorString\": \"" V40
			 "\", \"baseScore\": 8.5}}]")),
	   "a record");
	is_int((long long)said.n_complaints, 0, "without complaint");
	is_str(cve.title, "net: fix", "title");
	is_str(cve.description, "first\nsecond \xf0\x9f\x98\x80", "the first English description");
	is_int((long long)cve.n_program_files, 3, "each file once");
	ok(is_file(0, "a.c") && is_file(1, "b.c") && is_file(2, "c.c"), "in order");
	is_int((long long)cve.n_scores, 4, "scores of all versions");
	ok(is_score(0, UUID, "3.1", HIGH, 78), "3.1 is computed, whatever is stated");
	ok(is_score(1, UUID, "3.0", V30, 98), "3.0 is computed, too");
	ok(is_score(2, UUID, "4.0", V40, 85), "4.0 as stated");
	ok(is_score(3, UUID, "2.0", V20, 72), "2.0 as stated");
	is_str(cve.n_scores ? cve.scores[0]->as_of : "", "2026-05-01T10:00:00.000Z", "as of");

	ok(!cve.published, "records of the kernel's CNA have no time");
	ok(record("{\"cveMetadata\": {\"cveId\": \"CVE-2024-1234\", \"datePublished\": \"2026-04-01T10:00:00.000Z\"}}") &&
		   cve.published,
	   "others");
	is_str(cve.published, "2026-04-01T10:00:00.000Z", "may");

	ok(record("{\"cveMetadata\": {\"cveID\": \"CVE-2024-1234\"}}"), "cveID is taken, too");
	ok(!cve.title && !cve.description && !cve.n_program_files && !cve.n_scores, "what is missing stays absent");
	is_int((long long)said.n_complaints, 0, "and is no complaint");
	ok(record(RECORD("\"title\": \"\", \"descriptions\": null, \"affected\": []")) && !cve.title && !said.n_complaints,
	   "so is what is empty");
	record(RECORD("\"descriptions\": [{\"lang\": \"en-US\", \"value\": \"yes\"}]"));
	is_str(cve.description, "yes", "en-US is English");
	record(RECORD("\"descriptions\": [{\"lang\": \"eng\", \"value\": \"no\"}, {\"lang\": \"ENX\", \"value\": \"no\"}]"));
	is_str(cve.description, NULL, "other languages are not");
}

static const struct {
	const char *text, *place, *why;
} useless[] = {
	{ "", "dir/x.json:1", "no JSON" },
	{ "garbage", "dir/x.json:1", "no JSON" },
	{ "{\n\n\"a\": \"cut he", "dir/x.json:3", "no JSON" },
	{ "{\"a\": 1,\n}", "dir/x.json:2", "no JSON" },
	{ RECORD("") "x", "dir/x.json:1", "no JSON" },
	{ "[1]", "dir/x.json", "not an object" },
	{ "7", "dir/x.json:1", "no JSON" },
	{ "{}", "dir/x.json", "does not say of which CVE" },
	{ "{\"cveMetadata\": {}}", "dir/x.json", "does not say of which CVE" },
	{ "{\"cveMetadata\": {\"cveId\": \"CVE-2024-12345\"}}", "dir/x.json", "record of \"CVE-2024-12345\"" },
	{ "{\"cveMetadata\": {\"cveId\": \"CVE-2024-1234\", \"cveID\": \"CVE-1\"}}", "dir/x.json", "record of \"CVE-1\"" },
};

static void test_useless(void)
{
	struct buf deep = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
		ok(!record(useless[i].text), "record %zu is no use", i);
		ok(said_that(useless[i].place, useless[i].why), "which one complaint says: %s", useless[i].why);
		ok(!cve.title && !cve.n_scores && !cve.n_program_files, "and the CVE is untouched");
	}
	ok(!record("{\"cveMetadata\": {\"cveId\": 5}}") && said.n_complaints == 2, "an id of another type is none");
	for (int i = 0; i < 64; i++)
		buf_adds(&deep, "{\"a\":");
	ok(!record(deep.data) && said_that("dir/x.json:1", "no JSON"), "64 levels are read");
	buf_adds(&deep, "\n[");
	ok(!record(deep.data) && said_that("dir/x.json:2", "more than 64 levels"), "65 are refused");
	for (int i = 0; i < 1 << 20; i++)
		buf_addc(&deep, '[');
	ok(!record(deep.data) && said_that("dir/x.json:2", "more than 64 levels"), "and a million");
	buf_free(&deep);
	record(RECORD(
		"\"title\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[\""));
	is_int((long long)said.n_complaints, 0, "brackets in a string are text");
}

static const struct {
	const char *cna, *title, *why;
} replaced[] = {
	{ "\"title\": \"Gr\xf6\xdf"
	  "e\"",
	  "Gr\xef\xbf\xbd\xef\xbf\xbd"
	  "e",
	  "not UTF-8" },
	{ "\"title\": \"a\\u0000b\"",
	  "a\xef\xbf\xbd"
	  "b",
	  "\\u0000" },
	{ "\"\\u0000\": 1, \"title\": \"kept\"", "kept", "" },
	{ "\"title\": \"a\\ud800b\"",
	  "a\xef\xbf\xbd"
	  "b",
	  "Unicode" },
	{ "\"title\": \"a\\udc00\\ud800\\u0041\"",
	  "a\xef\xbf\xbd\xef\xbf\xbd"
	  "A",
	  "Unicode" },
	{ "\"title\": \"tab\there\"", "tab\there", "control character" },
	{ "\"title\": \"kept\", \"n\": 1e999", "kept", "overflow" },
	{ "\"n\": [-1e999, 1e5, -3, 0.5], \"title\": \"1e999 \\\\ \\\" \xff\"", "1e999 \\ \" \xef\xbf\xbd", "" },
	{ "\"title\": \"first\", \"title\": \"last\"", "last", "the last one counts" },
};

static void test_replaced(void)
{
	static const char nul[] = RECORD("\"title\": \"a\0b\"");

	for (size_t i = 0; i < ARRAY_LEN(replaced); i++) {
		struct buf text = { 0 };

		buf_printf(&text, "{\"containers\":\n {\"cna\": {%s}}, " META "}", replaced[i].cna);
		ok(record(text.data), "broken record %zu goes in", i);
		is_str(cve.title, replaced[i].title, "its title");
		ok(said_that("dir/x.json:2", replaced[i].why), "and one complaint names the line");
		buf_free(&text);
	}
	ok(record_bytes(nul, sizeof(nul) - 1) && said.n_complaints == 1, "a NUL byte in a string");
	is_str(cve.title,
	       "a\xef\xbf\xbd"
	       "b",
	       "is replaced");
	ok(!record("{\"n\": 1e999,\n\"x\": nul}") && said_that("dir/x.json:2", "no JSON"),
	   "what is broken beyond that is refused at its own place");
}

static const struct {
	const char *cna, *why;
} wrong[] = {
	{ "\"title\": 5", "containers.cna.title is not a string" },
	{ "\"title\": {}", "containers.cna.title is not a string" },
	{ "\"descriptions\": \"x\"", "containers.cna.descriptions is not an array" },
	{ "\"descriptions\": [[]]", "descriptions[] is not an object" },
	{ "\"descriptions\": [{\"lang\": 1, \"value\": \"x\"}]", "descriptions[].lang is not a string" },
	{ "\"descriptions\": [{\"lang\": \"en\", \"value\": []}]", "descriptions[].value is not a string" },
	{ "\"affected\": {}", "containers.cna.affected is not an array" },
	{ "\"affected\": [1]", "affected[] is not an object" },
	{ "\"affected\": [{\"programFiles\": \"a.c\"}]", "affected[].programFiles is not an array" },
	{ "\"affected\": [{\"programFiles\": [7]}]", "programFiles[] is not a string" },
	{ "\"providerMetadata\": 1", "providerMetadata is not an object" },
	{ "\"providerMetadata\": {\"orgId\": []}", "orgId is not a string" },
	{ "\"providerMetadata\": {\"dateUpdated\": \"soon\"}", "dateUpdated is no time: \"soon\"" },
	{ "\"metrics\": true", "metrics is not an array" },
	{ "\"metrics\": [\"x\"]", "metrics[] is not an object" },
	{ "\"metrics\": [{\"cvssV3_1\": \"x\"}]", "metrics[].cvssV3_1 is not an object" },
	{ "\"metrics\": [{\"cvssV3_1\": {}}]", "cvssV3_1 has no vectorString" },
	{ "\"metrics\": [{\"cvssV3_1\": {\"vectorString\": \"CVSS:3.1/AV:L\"}}]", "AC is missing" },
	{ "\"metrics\": [{\"cvssV3_1\": {\"vectorString\": \"" V30 "\"}}]", "is no CVSS 3.1 vector" },
	{ "\"metrics\": [{\"cvssV4_0\": {\"vectorString\": \"CVSS:4.0/AV:L\", \"baseScore\": 5}}]",
	  "is no CVSS 4.0 vector" },
	{ "\"metrics\": [{\"cvssV2_0\": {\"vectorString\": \"AV:L\", \"baseScore\": 5}}]", "is no CVSS 2.0 vector" },
	{ "\"metrics\": [{\"cvssV2_0\": {\"vectorString\": \"" V20 "\"}}]", "baseScore is no number from 0 to 10" },
	{ "\"metrics\": [{\"cvssV2_0\": {\"vectorString\": \"" V20 "\", \"baseScore\": \"9\"}}]", "baseScore is no number" },
	{ "\"metrics\": [{\"cvssV4_0\": {\"vectorString\": \"" V40 "\", \"baseScore\": 10.1}}]", "baseScore is no number" },
	{ "\"metrics\": [{\"cvssV4_0\": {\"vectorString\": \"" V40 "\", \"baseScore\": -1}}]", "baseScore is no number" },
	{ "\"metrics\": [{\"cvssV4_0\": {\"vectorString\": \"" V40 "\", \"baseScore\": 1e300}}]", "baseScore is no number" },
};

static void test_wrong_types(void)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct buf text = { 0 };

		buf_printf(&text, RECORD("%s, \"x_end\": 1"), wrong[i].cna);
		ok(record(text.data), "wrong type %zu does not spoil the record", i);
		ok(said_that("dir/x.json", wrong[i].why), "and is named: %s", wrong[i].why);
		is_int((long long)cve.n_scores, 0, "no score comes of it");
		buf_free(&text);
	}
	ok(record("{\"containers\": 5, " META "}") && said_that("dir/x.json", "containers is not an object"),
	   "containers of another type");
	ok(record(RECORD("\"affected\": [{\"programFiles\": [1, \"a.c\"]}, 7, {\"programFiles\": [\"b.c\"]}]")) &&
		   is_file(0, "a.c") && is_file(1, "b.c"),
	   "the good beside the bad goes in");
}

static void test_large(void)
{
	struct buf text = { 0 };
	size_t before;

	buf_adds(&text, "{" META ", \"containers\": {\"cna\": {\"title\": \"");
	before = text.len;
	while (text.len < (4u << 20))
		buf_adds(&text, "0123456789abcdef");
	before = text.len - before;
	buf_adds(&text, "\"}}}");
	ok(record(text.data), "a text of 4 MiB");
	is_int((long long)strlen(cve.title), (long long)before, "is taken whole");
	buf_reset(&text);
	buf_adds(&text, "{" META ", \"containers\": {\"cna\": {\"affected\": [{\"programFiles\": [\"a.c\"");
	for (int i = 0; i < 100000; i++)
		buf_adds(&text, ",1");
	buf_adds(&text, ", \"b.c\"]}]}}}");
	ok(record(text.data) && is_file(1, "b.c"), "a hundred thousand wrong types");
	is_int((long long)said.n_complaints, 100, "are not complained about one by one");
	ok(complains(said.n_complaints, said.complaints, 99, "dir/x.json", "further complaints are left out"),
	   "which the last one says");
	buf_free(&text);
}

static void test_appends(void)
{
	Complaint *c;

	start();
	c = PB_ADD(arena, &said, complaints, complaint);
	c->what = "earlier";
	json_cve_record(arena, "x", 1, "dir/y.json", "vulns", &cve, &said);
	cvss("x\n");
	is_int((long long)said.n_complaints, 3, "complaints are appended");
	is_str(said.complaints[0]->what, "earlier", "to those there are");
}

/* ---- .cvss */

static void test_cvss(void)
{
	start();
	cvss(UUID " " HIGH "\n\nAV:L - local\n\nAC:L - plain\n\n");
	ok(cve.n_scores == 1 && is_score(0, UUID, "3.1", HIGH, 78), "a score");
	is_str(cve.n_scores ? cve.scores[0]->reasoning : "", "AV:L - local\n\nAC:L - plain", "with its reasoning");
	is_int((long long)said.n_complaints, 0, "no complaint");

	record(RECORD("\"providerMetadata\": {\"orgId\": \"" UUID
		      "\"}, \"metrics\": [{\"cvssV3_1\": {\"vectorString\": \"" HIGH "\"}}]"));
	cvss(UUID "\t" HIGH "\n\n# Two of one bug.\n" UUID " " V40 "\n\nAV:L - local\n# kept");
	is_int((long long)cve.n_scores, 2, "the record's score is not doubled");
	is_str(cve.scores[0]->reasoning, "AV:L - local\n# kept", "but completed");
	ok(cve.scores[1]->vector && strcmp(cve.scores[1]->vector, V40) == 0 && !cve.scores[1]->has_base_score,
	   "4.0 alone states no score");
	is_str(cve.scores[1]->reasoning, "AV:L - local\n# kept", "the reasoning is of all headers");
	cvss("me@example.org " HIGH);
	ok(cve.n_scores == 3 && is_score(2, "me@example.org", "3.1", HIGH, 78), "another source's score is another");
	is_str(cve.scores[2]->reasoning, NULL, "no reasoning: absent");
	cvss(UUID " " V30 "\n" UUID " " V30 "\n");
	is_int((long long)cve.n_scores, 4, "a header that stands twice is one score");
	cvss("");
	cvss("\n\n# nothing\n");
	is_int((long long)(said.n_complaints + cve.n_scores), 4, "an empty file says nothing");
}

static const struct {
	const char *text, *place, *why;
} bad_cvss[] = {
	{ UUID " CVSS:3.1/AV:X/AC:?\nwhy\n", "dir/x.cvss:1", "\"AV:X\" is unknown" },
	{ "\n# c\n" UUID " CVSS:3.1/AV:X\n", "dir/x.cvss:3", "is unknown" },
	{ UUID "\n", "dir/x.cvss:1", "two words" },
	{ UUID " " HIGH " x\n", "dir/x.cvss:1", "two words" },
	{ UUID " " HIGH "\r\n", "dir/x.cvss:1", "unknown" },
	{ "words without a vector\n\nAV:L - why\n", "dir/x.cvss:1", "two words" },
	{ "AV:L - why\n", "dir/x.cvss:1", "two words" },
	{ UUID " nonsense\n", "dir/x.cvss:1", "is no CVSS vector" },
	{ UUID " CVSS:5.0/AV:L\n", "dir/x.cvss:1", "is no CVSS vector" },
	{ UUID " CVSS:4.0/AV:L\n", "dir/x.cvss:1", "is no CVSS 4.0 vector" },
};

static void test_bad_cvss(void)
{
	struct buf long_vector = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bad_cvss); i++) {
		start();
		cvss(bad_cvss[i].text);
		ok(cve.n_scores == 0 && said_that(bad_cvss[i].place, bad_cvss[i].why), "malformed .cvss %zu", i);
	}
	start();
	cvss("first\n" UUID " CVSS:3.1/x\n" UUID " " HIGH "\n\nwhy\n");
	ok(said.n_complaints == 2 && is_score(0, UUID, "3.1", HIGH, 78), "the good header beside two bad ones goes in");
	is_str(cve.n_scores ? cve.scores[0]->reasoning : "", "why", "with the reasoning");
	start();
	cvss(UUID " " HIGH "\n\nGr\xf6\xdf"
		  "er\n");
	ok(said_that("dir/x.cvss", "not UTF-8"), "bytes that are not UTF-8 are said");
	is_str(cve.scores[0]->reasoning,
	       "Gr\xef\xbf\xbd\xef\xbf\xbd"
	       "er",
	       "and replaced");
	start();
	buf_adds(&long_vector, UUID " " HIGH "/E:");
	for (int i = 0; i < 1000; i++)
		buf_addc(&long_vector, 'x');
	cvss(long_vector.data);
	ok(cve.n_scores == 0 && said_that("dir/x.cvss:1", "is no CVSS vector"), "a vector without end is none");
	buf_free(&long_vector);
}

/* ---- NVD */

#define PAGE(start, total, records)                                                   \
	"{\"resultsPerPage\": 1, \"startIndex\": " start ", \"totalResults\": " total \
	", \"format\": \"NVD_CVE\", \"timestamp\": \"2026-08-14T16:45:24.592\", "     \
	"\"vulnerabilities\": [" records "]}"
#define ENTRY(id, modified, metrics)                                                                            \
	"{\"cve\": {\"id\": \"" id "\", \"lastModified\": \"" modified "\", \"vulnStatus\": \"Nobody knows\", " \
	"\"metrics\": {" metrics "}}}"
#define METRIC(source, vector, score)                                                                    \
	"{\"source\": \"" source "\", \"type\": \"Primary\", \"cvssData\": {\"vectorString\": \"" vector \
	"\", \"baseScore\": " score "}}"
#define MAY "2026-05-01T00:00:00.000"
#define JUNE "2026-06-01T00:00:00.000"

static bool is_nvd_score(size_t i, const char *id, const char *source, const char *vector, int tenths)
{
	const Score *s = i < page.n_scores ? page.scores[i] : NULL;

	return s && strcmp(s->cve_id, id) == 0 && strcmp(s->origin, "nvd") == 0 && strcmp(s->source, source) == 0 &&
	       strcmp(s->type, "Primary") == 0 && strcmp(s->vector, vector) == 0 && s->has_base_score &&
	       (int)(s->base_score * 10 + 0.5) == tenths;
}

#define V2_METRICS "\"cvssMetricV2\": [" METRIC("nvd@nist.gov", V20, "7.2") "]"
#define V31_METRICS "\"cvssMetricV31\": [" METRIC("nvd@nist.gov", HIGH, "1") ", " METRIC("x@y", HIGH, "7.8") "]"
#define V40_METRICS "\"cvssMetricV40\": [" METRIC("x@y", V40, "8.5") "]"
#define PUBLISHED(id, when) "{\"cve\": {\"id\": \"" id "\", \"published\": " when "}}"
#define SCORED ENTRY("CVE-2024-1234", JUNE, V2_METRICS ", " V31_METRICS ", " V40_METRICS ", \"ssvcV203\": [{}]")
#define UNSCORED ENTRY("CVE-2023-9001", MAY, "")
#define OLDER ENTRY("CVE-2023-9002", MAY, "\"cvssMetricV30\": [" METRIC("a@b", V30, "0") "]")

static void test_page(void)
{
	is_int(nvd(PAGE("4", "13778", SCORED ", " UNSCORED ", " OLDER)), 0, "a page");
	is_int((long long)page.n_complaints, 0, "without complaint");
	ok(page.has_start && page.start == 4 && page.has_total && page.total == 13778, "start and total");
	ok(page.has_records && page.records == 3, "records");
	is_str(page.newest, JUNE, "the newest change");
	is_str(page.timestamp, "2026-08-14T16:45:24.592", "NVD's clock");
	ok(page.n_cve_ids == 3 && strcmp(page.cve_ids[0], "CVE-2024-1234") == 0 &&
		   strcmp(page.cve_ids[1], "CVE-2023-9001") == 0,
	   "every record's id, unscored ones too");
	is_int((long long)page.n_scores, 5, "all scores");
	ok(is_nvd_score(0, "CVE-2024-1234", "nvd@nist.gov", HIGH, 78), "3.1 first, computed");
	ok(is_nvd_score(1, "CVE-2024-1234", "x@y", HIGH, 78), "another source's");
	ok(is_nvd_score(2, "CVE-2024-1234", "x@y", V40, 85), "4.0 as stated");
	ok(is_nvd_score(3, "CVE-2024-1234", "nvd@nist.gov", V20, 72), "2.0 as stated");
	ok(is_nvd_score(4, "CVE-2023-9002", "a@b", V30, 98), "3.0 computed");
	is_str(page.scores[0]->version, "3.1", "version");
	is_str(page.scores[0]->as_of, JUNE, "as of the record's last change");

	nvd(PAGE("0", "3", UNSCORED ", " PUBLISHED("CVE-2024-1111", "\"" MAY "\"") ", " PUBLISHED("CVE-2024-2222", "null")));
	ok(page.n_published == 3 && !*page.published[0] && !*page.published[2],
	   "a time for each record, empty where it has none");
	is_str(page.published[1], MAY, "as it is stated");

	ok(nvd(PAGE("0", "2", OLDER ", " SCORED)) == 0 && page.newest && strcmp(page.newest, JUNE) == 0,
	   "the newest change wherever it stands");

	is_int(nvd(PAGE("0", "0", "")), 0, "an empty page of an empty window");
	ok(page.has_records && page.records == 0 && !page.newest && !page.n_cve_ids, "has nothing");
	is_int(nvd(PAGE("8", "8", "")), 0, "so has one behind the end");
}

static const char *const no_pages[] = {
	"",
	"<html>Sign in</html>",
	"{}",
	"[]",
	"{\"startIndex\": 0, \"totalResults\": 1, \"vulnerabilities\": [",
	"{\"startIndex\": 0, \"totalResults\": 1}",
	"{\"startIndex\": 0, \"totalResults\": 1, \"vulnerabilities\": {}}",
	"{\"startIndex\": 0, \"vulnerabilities\": [{}]}",
	"{\"totalResults\": 1, \"vulnerabilities\": [{}]}",
	PAGE("0", "-1", "{}"),
	PAGE("0", "\"1\"", "{}"),
	PAGE("0", "99999999999999999999", "{}"),
	PAGE("0", "1e999", "{}"),
	PAGE("0", "8", ""),
	PAGE("4", "8", ""),
};

static void test_no_pages(void)
{
	for (size_t i = 0; i < ARRAY_LEN(no_pages); i++) {
		is_int(nvd(no_pages[i]), ERR_PEER, no_pages[i]);
		ok(!page.has_total && !page.n_complaints && !page.has_records, "and the page is as it was");
	}
}

static const struct {
	const char *record, *place, *why;
	bool kept;
} bad_records[] = {
	{ "5", "NVD record 2", "not an object", false },
	{ "{\"cve\": {\"id\": \"CVE-24-1\"}}", "NVD record 2", "of no CVE", false },
	{ "{}", "NVD record 2", "of no CVE", false },
	{ ENTRY("CVE-2023-9001", MAY, ""), "NVD record 2", "CVE-2023-9001 stands twice", false },
	{ ENTRY("CVE-2024-1234", "yesterday", ""), "NVD CVE-2024-1234", "lastModified is no time", true },
	{ ENTRY("CVE-2024-1234", "2026-05-01T00:00:00.00000000000000000000", ""), "NVD CVE-2024-1234", "is no time", true },
	{ PUBLISHED("CVE-2024-1234", "\"soon\""), "NVD CVE-2024-1234", "published is no time", true },
	{ "{\"cve\": {\"id\": \"CVE-2024-1234\", \"metrics\": []}}", "NVD CVE-2024-1234", "metrics is not an object", true },
	{ ENTRY("CVE-2024-1234", MAY, "\"cvssMetricV31\": {}"), "NVD CVE-2024-1234", "cvssMetricV31 is not an array", true },
	{ ENTRY("CVE-2024-1234", MAY, "\"cvssMetricV31\": [7]"), "NVD CVE-2024-1234", "cvssMetricV31 is not an object",
	  true },
	{ ENTRY("CVE-2024-1234", MAY, "\"cvssMetricV31\": [{}]"), "NVD CVE-2024-1234", "cvssData is not an object", true },
	{ ENTRY("CVE-2024-1234", MAY, "\"cvssMetricV31\": [{\"cvssData\": {}}]"), "NVD CVE-2024-1234", "no vectorString",
	  true },
	{ ENTRY("CVE-2024-1234", MAY, "\"cvssMetricV31\": [" METRIC("a", "CVSS:3.1/AV:N", "5") "]"), "NVD CVE-2024-1234",
	  "is missing", true },
	{ ENTRY("CVE-2024-1234", MAY, "\"cvssMetricV2\": [" METRIC("a", V20, "11") "]"), "NVD CVE-2024-1234", "from 0 to 10",
	  true },
};

static void test_bad_records(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_records); i++) {
		struct buf text = { 0 };

		buf_printf(&text, PAGE("0", "3", "%s, %s, %s"), ENTRY("CVE-2023-9001", MAY, ""), bad_records[i].record,
			   ENTRY("CVE-2023-9003", MAY, "\"cvssMetricV31\": [" METRIC("a", HIGH, "7.8") "]"));
		is_int(nvd(text.data), 0, "a page with one bad record");
		ok(page_said(bad_records[i].place, bad_records[i].why), "which is named: %s", bad_records[i].why);
		is_int((long long)page.n_cve_ids, bad_records[i].kept ? 3 : 2, "the others go in");
		ok(page.n_scores == 1 && page.records == 3, "and are counted");
		buf_free(&text);
	}
	is_int(nvd(PAGE("0", "2",
			"{\"cve\": {\"id\": \"CVE-2024-1234\", \"x\": \"\xf6\\ud800\"}}, " ENTRY("CVE-2024-1235", MAY, ""))),
	       0, "a page with bytes that are not UTF-8");
	ok(page.n_cve_ids == 2 && page_said("NVD:1", "not UTF-8"), "goes in, and is complained about");
}

/* ---- Printing */

static const char *quoted(const char *s, size_t n)
{
	struct buf out = { 0 };
	const char *text;

	json_quote(&out, s, n);
	text = arena_strdup(arena, out.data);
	buf_free(&out);
	return text;
}

static void test_quote(void)
{
	is_str(quoted("", 0), "\"\"", "nothing");
	is_str(quoted("a\"b\\c/", 6), "\"a\\\"b\\\\c/\"", "quote and backslash");
	is_str(quoted("\b\f\n\r\t\x1b\x7f", 7), "\"\\b\\f\\n\\r\\t\\u001b\\u007f\"", "control characters");
	is_str(quoted("a\0b", 3), "\"a\\u0000b\"", "NUL");
	is_str(quoted("Gr\xc3\xb6\xc3\x9f", 6), "\"Gr\xc3\xb6\xc3\x9f\"", "UTF-8 stays");
	is_str(quoted("Gr\xf6", 3), "\"Gr\xef\xbf\xbd\"", "what is none is replaced");
	is_str(quoted("\xf0\x9f\x98\x80", 4), "\"\xf0\x9f\x98\x80\"", "four bytes");
	is_str(quoted("\xf0\x9f\x98", 3), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "cut");
	is_str(quoted("\xe2\x80\xae\xc2\x9b", 5), "\"\\u202e\\u009b\"", "what acts on a terminal is escaped");
	is_str(quoted("\xf3\xa0\x81\x81", 4), "\"\\udb40\\udc41\"", "as a pair where it must");
}

static const char *printed(const ProtobufCMessage *m, int indent)
{
	struct buf out = { 0 };
	const char *text;

	json_print(&out, m, indent);
	text = arena_strdup(arena, out.data);
	buf_free(&out);
	return text;
}

static void test_print(void)
{
	KernelVersion v = { PROTOBUF_C_MESSAGE_INIT(&kernel_version__descriptor),
			    .has_major = true,
			    .major = 6,
			    .has_minor = true,
			    .minor = 1,
			    .has_stable = true,
			    .stable = 55 };
	Verdict verdict = VERDICT__INIT;
	JobList jobs = JOB_LIST__INIT;
	CveInstance *in;

	start();
	is_str(printed(&jobs.base, 0), "{\"jobs\":[]}", "what is a list is one when it is empty");
	is_str(printed(&jobs.base, 2), "{\n  \"jobs\": []\n}", "indented, too");
	is_str(printed(&cve.base, 0), "{\"id\":\"CVE-2024-1234\"}", "what is absent is left out");
	cve.id = NULL;
	is_str(printed(&cve.base, 0), "{}", "down to nothing");
	is_str(printed(&cve.base, 2), "{}", "indented, too");
	cve.title = "";
	cve.has_severity = true;
	cve.severity = 0;
	is_str(printed(&cve.base, 0), "{\"title\":\"\",\"severity\":0.0}", "0.0 and the empty text are there");
	cve.severity = 9.8;
	in = PB_ADD(arena, &cve, instances, cve_instance);
	in->introduced = &v;
	pb_add_bytes(arena, &in->n_affected_files, &in->affected_files, "a\xff", 2);
	pb_add_bytes(arena, &in->n_affected_files, &in->affected_files, "b", 1);
	is_str(printed(&cve.base, 0),
	       "{\"title\":\"\",\"severity\":9.8,\"instances\":[{\"introduced\":\"6.1.55\","
	       "\"affected_files\":[\"a\xef\xbf\xbd\",\"b\"]}]}",
	       "messages, versions and bytes");
	is_str(printed(&cve.base, 2),
	       "{\n  \"title\": \"\",\n  \"severity\": 9.8,\n  \"instances\": [\n    {\n      \"introduced\": \"6.1.55\",\n"
	       "      \"affected_files\": [\n        \"a\xef\xbf\xbd\",\n        \"b\"\n      ]\n    }\n  ]\n}",
	       "indented");
	verdict.has_verdict = true;
	verdict.verdict = VERDICT_KIND__NOT_COMPILED;
	is_str(printed(&verdict.base, 0), "{\"verdict\":\"not-compiled\"}", "enums");
	verdict.verdict = (VerdictKind)99;
	is_str(printed(&verdict.base, 0), "{\"verdict\":99}", "of an unknown kind");
}

static void test_print_scalars(void)
{
	ParseSummary sum = PARSE_SUMMARY__INIT;
	Fix fix = FIX__INIT;
	protobuf_c_boolean created[] = { true, false };

	sum.has_rebuilt = sum.has_new_ = sum.has_seconds = true;
	sum.new_ = UINT64_MAX;
	sum.seconds = 0.0419;
	is_str(printed(&sum.base, 0), "{\"rebuilt\":false,\"new\":18446744073709551615,\"seconds\":0.042}", "scalars");
	sum.has_rebuilt = sum.has_new_ = false;
	sum.seconds = -1.5;
	is_str(printed(&sum.base, 0), "{\"seconds\":-1.500}", "negative");
	sum.seconds = 1e300;
	is_str(printed(&sum.base, 0), "{\"seconds\":null}", "beyond reason");
	fix.has_patch = fix.has_subject = true;
	fix.patch = (ProtobufCBinaryData){ 4, (uint8_t[]){ 0xff, 0, 'a', '\n' } };
	fix.subject = (ProtobufCBinaryData){ 1, (uint8_t[]){ 0xff } };
	fix.n_created = 2;
	fix.created = created;
	is_str(printed(&fix.base, 0),
	       "{\"subject\":\"\xef\xbf\xbd\",\"patch_base64\":\"/wBhCg==\",\"created\":[true,false]}",
	       "a patch keeps every byte");
	fix.patch.len = 0;
	fix.has_subject = false;
	fix.n_created = 0;
	is_str(printed(&fix.base, 0), "{\"patch_base64\":\"\"}", "an empty one is there");
}

int main(void)
{
	arena = arena_new(0);
	test_record();
	test_useless();
	test_replaced();
	test_wrong_types();
	test_large();
	test_appends();
	test_cvss();
	test_bad_cvss();
	test_page();
	test_no_pages();
	test_bad_records();
	test_quote();
	test_print();
	test_print_scalars();
	arena_free(arena);
	return done();
}
