/* CVSS: scores against the specification's examples, parts, severities, and which score is shown. */
#include "lib/cvss.h"
#include "lib/err.h"
#include "tap.h"

static struct arena *arena;

/* The examples documents of CVSS 3.0 and 3.1, and NVD's scores of well-known CVEs. */
static const struct {
	const char *what, *metrics, *score31, *score30;
} published[] = {
	{ "CVE-2013-1937", "AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1", "6.1" },
	{ "CVE-2013-0375", "AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", "6.4", "6.4" },
	{ "CVE-2014-3566", "AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", "3.1", "3.1" },
	{ "CVE-2012-1516", "AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "9.9", "9.9" },
	{ "CVE-2009-0783", "AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", "4.2", "4.2" },
	{ "CVE-2012-0384", "AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "8.8", "8.8" },
	{ "CVE-2015-1098", "AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "7.8", "7.8" },
	{ "CVE-2014-0160", "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "7.5", "7.5" },
	{ "CVE-2014-6271", "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "9.8", "9.8" },
	{ "CVE-2008-1447", "AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", "6.8", "6.8" },
	{ "CVE-2014-2005", "AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "6.8", "6.8" },
	{ "CVE-2010-0467", "AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:N/A:N", "5.8", "5.8" },
	{ "CVE-2012-1342", "AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:L/A:N", "5.8", "5.8" },
	{ "CVE-2013-6014", "AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", "9.3", "9.3" },
	{ "CVE-2014-9253", "AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", "5.4", "5.4" },
	{ "CVE-2011-1265", "AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "8.8", "8.8" },
	{ "CVE-2014-2019", "AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", "4.6", "4.6" },
	{ "CVE-2015-0970", "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "8.8", "8.8" },
	{ "CVE-2014-0224", "AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N", "7.4", "7.4" },
	{ "CVE-2012-5376", "AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H", "9.6", "9.6" },
	{ "CVE-2016-1645", "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "8.8", "8.8" },
	{ "CVE-2016-0128", "AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:N", "6.8", "6.8" },
	{ "CVE-2016-2118", "AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H", "7.5", "7.5" },
	{ "CVE-2021-44228", "AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0", "10.0" },
	{ "CVE-2022-0847", "AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "7.8", "7.8" },
	{ "CVE-2016-5195", "AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H", "7.0", "7.0" },
	{ "CVE-2017-5754", "AV:L/AC:H/PR:L/UI:N/S:C/C:H/I:N/A:N", "5.6", "5.6" },
	{ "kernel crash", "AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H", "5.5", "5.5" },
	{ "kernel race", "AV:L/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:H", "4.7", "4.7" },
	{ "remote crash", "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "7.5", "7.5" },
	{ "both limited", "AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:L/A:N", "7.2", "7.2" },
	{ "no impact", "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "0.0", "0.0" },
	{ "no impact, scope changed", "AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N", "0.0", "0.0" },
	{ "least", "AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "1.6", "1.6" },
};

static void is_score(const char *prefix, const char *metrics, const char *want, const char *what)
{
	struct buf vector = { 0 };
	double score = -1;
	char text[16];

	buf_printf(&vector, "%s%s", prefix, metrics);
	is_int(cvss_base_score(vector.data, &score), 0, what);
	snprintf(text, sizeof(text), "%.1f", score);
	is_str(text, want, vector.data);
	buf_free(&vector);
}

static void test_scores(void)
{
	for (size_t i = 0; i < ARRAY_LEN(published); i++) {
		is_score("CVSS:3.1/", published[i].metrics, published[i].score31, published[i].what);
		is_score("CVSS:3.0/", published[i].metrics, published[i].score30, published[i].what);
	}
	is_score("CVSS:3.1/", "A:H/I:H/C:H/S:U/UI:N/PR:L/AC:L/AV:L", "7.8", "metrics in any order");
	is_score("CVSS:3.1/", "AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/RC:C/CR:L/MAV:N/MS:C", "7.8",
		 "temporal and environmental metrics change nothing");
}

/* The two ways to round agree on every base vector when both are exact; a hair above a tenth would show here. */
static void test_roundings_agree(void)
{
	static const char *const metrics[] = { "AV:NALP", "AC:LH", "PR:NLH", "UI:NR", "S:UC", "C:NLH", "I:NLH", "A:NLH" };
	unsigned differing = 0, count = 0;

	for (unsigned long n = 0; n < 4 * 2 * 3 * 2 * 2 * 27; n++) {
		char v30[100] = "CVSS:3.0", v31[100] = "CVSS:3.1";
		unsigned long rest = n;
		double s30 = -1, s31 = -2;

		for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
			int key = (int)(strchr(metrics[i], ':') - metrics[i]);
			size_t letters = strlen(metrics[i]) - (size_t)key - 1;
			char letter = metrics[i][(size_t)key + 1 + rest % letters];

			rest /= letters;
			snprintf(v30 + strlen(v30), 10, "/%.*s:%c", key, metrics[i], letter);
			snprintf(v31 + strlen(v31), 10, "/%.*s:%c", key, metrics[i], letter);
		}
		cvss_base_score(v30, &s30);
		cvss_base_score(v31, &s31);
		differing += s30 != s31;
		count++;
	}
	is_int(count, 2592, "all base vectors");
	is_int(differing, 0, "score the same in 3.0 and 3.1");
}

#define GOOD "AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"

static const char *const bad_vectors[] = {
	"",
	"CVSS:3.1",
	"CVSS:3.1/",
	GOOD,
	"CVSS:3.2/" GOOD,
	"cvss:3.1/" GOOD,
	" CVSS:3.1/" GOOD,
	"CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
	"AV:N/AC:L/Au:N/C:P/I:P/A:P",
	"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H",
	"CVSS:3.1/" GOOD "/AV:L",
	"CVSS:3.1/" GOOD "/AV:N",
	"CVSS:3.1/" GOOD "/E:U/E:U",
	"CVSS:3.1/" GOOD "/",
	"CVSS:3.1/" GOOD "/XX:Y",
	"CVSS:3.1/" GOOD "/AV",
	"CVSS:3.1//" GOOD,
	"CVSS:3.1/AV:X/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
	"CVSS:3.1/AV:/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
	"CVSS:3.1/AV:LL/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
	"CVSS:3.1/av:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
	"CVSS:3.1/AV=L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
	"CVSS:3.1/" GOOD "\n",
};

static void test_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_vectors); i++) {
		double score = 5;

		is_int(cvss_base_score(bad_vectors[i], &score), ERR_INPUT, "refused");
		ok(score == 5, "and the score left alone: vector %zu", i);
	}
	cvss_base_score("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H", &(double){ 0 });
	ok(strstr(err_text(), "A is missing") != NULL, "a missing metric is named");
	cvss_base_score("CVSS:3.1/" GOOD "/AV:N", &(double){ 0 });
	ok(strstr(err_text(), "\"AV:N\" is unknown or stands twice") != NULL, "a doubled metric is named");
}

static void test_versions(void)
{
	is_str(cvss_version("CVSS:3.1/" GOOD), "3.1", "3.1");
	is_str(cvss_version("CVSS:3.0/" GOOD), "3.0", "3.0");
	is_str(cvss_version("CVSS:4.0/AV:L"), "4.0", "4.0");
	is_str(cvss_version("AV:N/AC:L/Au:N/C:P/I:P/A:P"), "2.0", "2.0 has no prefix");
	is_str(cvss_version("AV:N/AC:L/Au:N/C:P/I:P"), NULL, "half a vector without a prefix");
	is_str(cvss_version(GOOD), NULL, "metrics of 3.1 without its prefix");
	is_str(cvss_version("CVSS:5.0/" GOOD), NULL, "a version to come");
	is_str(cvss_version("CVSS:3.1"), NULL, "a prefix without its slash");
	is_str(cvss_version(""), NULL, "nothing");
}

static const struct {
	const char *version;
	double score;
	const char *word;
} severities[] = {
	{ "3.1", 0.0, "NONE" },      { "3.1", 0.1, "LOW" },   { "3.1", 3.9, "LOW" },     { "3.1", 4.0, "MEDIUM" },
	{ "3.0", 6.9, "MEDIUM" },    { "3.1", 7.0, "HIGH" },  { "3.1", 8.9, "HIGH" },    { "3.1", 9.0, "CRITICAL" },
	{ "4.0", 10.0, "CRITICAL" }, { "2.0", 0.0, "LOW" },   { "2.0", 3.9, "LOW" },     { "2.0", 4.0, "MEDIUM" },
	{ "2.0", 7.0, "HIGH" },      { "2.0", 10.0, "HIGH" }, { NULL, 9.8, "CRITICAL" },
};

static void test_severities(void)
{
	for (size_t i = 0; i < ARRAY_LEN(severities); i++)
		is_str(cvss_severity(severities[i].version, severities[i].score), severities[i].word, severities[i].word);
}

/* The eight parts in the order of the Cve, "-" for absent. */
static const char *parts_of(const char *vector)
{
	Cve cve = CVE__INIT;
	static struct buf b;

	cve.scope = cve.user_interaction = "old";
	cvss_parts(arena, vector, &cve);
	buf_reset(&b);
	const char *parts[] = {
		cve.attack_vector, cve.attack_complexity,      cve.privileges_required, cve.user_interaction,
		cve.scope,         cve.confidentiality_impact, cve.integrity_impact,    cve.availability_impact
	};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_printf(&b, "%s%s", i ? " " : "", parts[i] ? parts[i] : "-");
	return b.data;
}

static void test_parts(void)
{
	is_str(parts_of("CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:L/A:N"), "LOCAL HIGH LOW NONE UNCHANGED HIGH LOW NONE",
	       "3.1");
	is_str(parts_of("CVSS:3.0/AV:P/AC:L/PR:H/UI:R/S:C/C:N/I:H/A:L"), "PHYSICAL LOW HIGH REQUIRED CHANGED NONE HIGH LOW",
	       "3.0");
	is_str(parts_of("CVSS:3.1/AV:A/AC:L/PR:N/UI:R/S:C/C:N/I:H/A:L"),
	       "ADJACENT_NETWORK LOW NONE REQUIRED CHANGED NONE HIGH LOW", "adjacent, no privileges");
	is_str(parts_of("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:L/VA:N/SC:L/SI:N/SA:H/E:P/U:Amber/MSI:S"),
	       "NETWORK LOW NONE PASSIVE - HIGH LOW NONE", "4.0 has no scope; the vulnerable system's impacts count");
	is_str(parts_of("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:H/VI:L/VA:N/SC:L/SI:N/SA:H"),
	       "NETWORK LOW NONE ACTIVE - HIGH LOW NONE", "4.0, active");
	is_str(parts_of("AV:L/AC:M/Au:S/C:P/I:C/A:N/E:POC/RL:OF/TD:ND"), "LOCAL MEDIUM SINGLE - - PARTIAL COMPLETE NONE",
	       "2.0");
	is_str(parts_of("AV:N/AC:H/Au:M/C:N/I:N/A:C"), "NETWORK HIGH MULTIPLE - - NONE NONE COMPLETE", "2.0, multiple");
	is_str(parts_of("AV:A/AC:L/Au:N/C:N/I:N/A:C"), "ADJACENT_NETWORK LOW NONE - - NONE NONE COMPLETE", "2.0, adjacent");
	is_str(parts_of("CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:L"), "- - - - - - - -", "malformed: all absent");
	is_str(parts_of(NULL), "- - - - - - - -", "no vector: all absent");
}

#define KERNEL_VULNS "f4215fc3-5b6b-47ff-a258-f7189bd81038"
#define KERNEL_NVD "416baaa9-dc9f-4396-8d5f-8c081fb06d67"
#define NIST "nvd@nist.gov"

/* What a score is in the tests of the policy: the base score is its place in the list, from 1. */
struct given {
	const char *origin, *source, *type, *version;
};

static double choose(const char *prefer, const struct given *given, size_t n)
{
	Cve cve = CVE__INIT;

	for (size_t i = 0; i < n; i++) {
		Score *s = PB_ADD(arena, &cve, scores, score);

		s->origin = given[i].origin;
		s->source = given[i].source;
		s->type = given[i].type;
		s->version = given[i].version;
		s->has_base_score = true;
		s->base_score = (double)(i + 1);
	}
	cvss_choose(arena, prefer, &cve);
	return cve.has_severity ? cve.severity : 0;
}

#define CHOOSE(prefer, ...) \
	choose(prefer, (const struct given[]){ __VA_ARGS__ }, ARRAY_LEN(((const struct given[]){ __VA_ARGS__ })))

static void test_policy(void)
{
	struct given cna = { "vulns", KERNEL_VULNS, NULL, "3.1" }, cna_by_nvd = { "nvd", KERNEL_NVD, "Secondary", "3.1" };
	struct given nvd = { "nvd", NIST, "Primary", "3.1" }, nvd2 = { "nvd", NIST, "Primary", "2.0" };
	struct given nvd3 = { "nvd", NIST, "Primary", "3.0" }, nvd4 = { "nvd", NIST, "Primary", "4.0" };
	struct given nvd_second = { "nvd", NIST, "Secondary", "3.1" };
	struct given other = { "nvd", "cisa", "Secondary", "3.1" }, extra = { "extra", KERNEL_VULNS, NULL, "3.1" };
	struct given other_first = { "nvd", "redhat", "Primary", "3.1" };
	struct given nobody = { "extra", NULL, NULL, "3.1" };

	ok(CHOOSE("nvd", cna, nvd) == 2, "nvd is preferred");
	ok(CHOOSE("cna", nvd, cna) == 2, "cna is preferred");
	ok(CHOOSE("nvd", cna) == 1, "the CNA where NVD has none");
	ok(CHOOSE("cna", nvd) == 1, "NVD where the CNA has none");
	ok(CHOOSE("nvd", cna, nvd2) == 2, "the side goes before the version");
	ok(CHOOSE("nvd", nvd2, nvd4, nvd3, nvd) == 4, "3.1 before all");
	ok(CHOOSE("nvd", nvd2, nvd4, nvd3) == 3, "3.0 before 4.0");
	ok(CHOOSE("nvd", nvd2, nvd4) == 2, "4.0 before 2.0");
	ok(CHOOSE("nvd", nvd_second, nvd) == 2, "Primary before Secondary");
	ok(CHOOSE("nvd", nvd_second, nvd3) == 1, "the version goes before the type");
	ok(CHOOSE("cna", other, cna_by_nvd) == 2, "the kernel CNA before others");
	ok(CHOOSE("cna", cna_by_nvd, other_first) == 2, "the type goes before the CNA");
	ok(CHOOSE("cna", other_first, cna) == 2, "the kernel CNA's own record is not Secondary");
	ok(CHOOSE("cna", cna_by_nvd, cna) == 2, "vulns before nvd");
	ok(CHOOSE("cna", cna, extra) == 2, "extra before vulns");
	ok(CHOOSE("cna", nvd, nobody) == 2, "a source unnamed counts as a CNA");
	ok(CHOOSE("cna", cna, cna) == 1, "else as listed");
}

static void test_choice_is_complete(void)
{
	Cve cve = CVE__INIT;
	Score *s = PB_ADD(arena, &cve, scores, score);

	*s = (Score){
		.base = s->base, .source = NIST, .version = "3.1", .vector = "CVSS:3.1/" GOOD, .has_base_score = true
	};
	s->base_score = 7.8;
	s->as_of = "2026-08-01T00:00:00";
	cvss_choose(arena, "nvd", &cve);
	ok(cve.has_severity && cve.severity == 7.8, "severity");
	is_str(cve.vector, "CVSS:3.1/" GOOD, "vector");
	is_str(cve.cvss_version, "3.1", "version");
	is_str(cve.score_source, NIST, "source");
	is_str(cve.score_as_of, "2026-08-01T00:00:00", "age");
	is_str(cve.attack_vector, "LOCAL", "a part");
	s->base_score = 0.0;
	cvss_choose(arena, "nvd", &cve);
	ok(cve.has_severity && cve.severity == 0, "a score of 0.0 is a score");
	s->base_score = 10.1;
	cvss_choose(arena, "nvd", &cve);
	ok(!cve.has_severity, "a score above 10 is none");
	s->base_score = 5;
	cvss_choose(arena, "nvd", &cve);
	s->has_base_score = false;
	cvss_choose(arena, "nvd", &cve);
	ok(!cve.has_severity && !cve.vector && !cve.cvss_version && !cve.score_source && !cve.score_as_of &&
		   !cve.attack_vector,
	   "without a score all are cleared");
	s->has_base_score = true;
	cvss_choose(arena, "nvd", &cve);
	cve.n_scores = 0;
	cvss_choose(arena, "nvd", &cve);
	ok(!cve.has_severity && !cve.vector && !cve.attack_vector, "also when the list is empty");
}

int main(void)
{
	arena = arena_new(0);
	test_scores();
	test_roundings_agree();
	test_refused();
	test_versions();
	test_severities();
	test_parts();
	test_policy();
	test_choice_is_complete();
	arena_free(arena);
	return done();
}
