/* The timeline rule: hand-made odd cases, then random small CVEs against a state machine that plays sorted events. */
#include "lib/cve.h"
#include "lib/dyad.h"
#include "lib/kver.h"
#include "tap.h"

static struct arena *arena;

/* Replaces each @LETTER of a short dyad by 40 digits of it, so that cases stay readable. */
static void expand(struct buf *out, const char *dyad)
{
	for (; *dyad; dyad++) {
		if (*dyad != '@') {
			buf_addc(out, *dyad == ' ' ? '\n' : *dyad);
			continue;
		}
		dyad++;
		for (int i = 0; i < 40; i++)
			buf_addc(out, *dyad);
	}
}

static Cve *read_cve(const char *dyad)
{
	ReadResult said = READ_RESULT__INIT;
	Cve *cve = pb_new(arena, &cve__descriptor);
	struct buf text = { 0 };

	cve->id = "CVE-2024-1234";
	expand(&text, dyad);
	dyad_parse(arena, buf_str(&text), text.len, "test", cve, &said);
	if (said.n_complaints)
		ok(false, "%s", said.complaints[0]->what);
	buf_free(&text);
	return cve;
}

static KernelVersion version(const char *s)
{
	KernelVersion v;

	if (kver_parse(&v, s, strlen(s)))
		ok(false, "%s is no version", s);
	return v;
}

static void join(struct buf *out, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%.*s", i ? "," : "", (int)strspn(list[i], "0123456789abcdef") == 40 ? 1 : 100, list[i]);
}

static const char *const verdict_words[] = {
	[VERDICT_KIND__AFFECTED] = "affected",
	[VERDICT_KIND__UNKNOWN] = "unknown",
	[VERDICT_KIND__NOT_AFFECTED] = "not",
};

/* The verdict in one line: "affected INTRODUCED FIXED(COMMITS) MAINLINE(COMMITS)", commits as single digits. */
static const char *summary(const Verdict *v)
{
	char text[KVER_TEXT_MAX];
	static struct buf b;

	buf_reset(&b);
	buf_printf(&b, "%s %s ", verdict_words[v->verdict], v->introduced ? kver_text(text, v->introduced) : "-");
	buf_printf(&b, "%s(", v->fixed ? kver_text(text, v->fixed) : "-");
	join(&b, v->fix_commits, v->n_fix_commits);
	buf_printf(&b, ") %s(", v->mainline_fixed ? kver_text(text, v->mainline_fixed) : "-");
	join(&b, v->mainline_commits, v->n_mainline_commits);
	buf_addc(&b, ')');
	return b.data;
}

#define BACKPORT "6.1.55:@a:6.1.81:@b 6.6:@c:6.6.29:@d 6.6:@c:6.9:@e"
#define AGAIN "4.12:@a:4.18:@b 5.8:@c:5.10.219:@d 5.8:@c:6.1.93:@e 5.8:@c:6.10:@f"
#define BACKWARDS "5.10:@a:5.2:@b 5.10:@a:5.10.110:@c 5.10:@a:5.15.33:@d"
#define SEVERAL "5.4:@a:6.1.20:@d 5.15:@b:6.1.20:@d 6.0:@c:6.1.20:@d 5.4:@a:6.3:@e 5.15:@b:6.3:@e"
#define TWO_FIXES "5.4:@a:6.1.20:@d 5.4:@a:6.1.20:@b 5.4:@a:6.1.30:@c 5.4:@a:6.2:@e 5.4:@a:6.2:@f 5.4:@a:6.4:@c"

static const struct {
	const char *what, *dyad, *version, *want, *reason, *titles;
} cases[] = {
	{ "plain, open", "5.15:@a:6.1.172:@b 5.15:@a:6.9:@c", "6.1.170", "affected 5.15 6.1.172(b) 6.9(c)",
	  "introduced in 5.15 (by aaaaaaaaaaaa), fixed on this branch in 6.1.172", "CVE-2024-1234-5.15-bbbbbbbbbbbb" },
	{ "plain, fixed", "5.15:@a:6.1.81:@b 5.15:@a:6.9:@c", "6.1.170", "not - -() 6.9(c)", "fixed in 6.1.81",
	  "CVE-2024-1234-5.15-bbbbbbbbbbbb" },
	{ "fixed in this very release", "5.15:@a:6.1.81:@b 5.15:@a:6.9:@c", "6.1.81", "not - -() 6.9(c)", "fixed in 6.1.81",
	  NULL },
	{ "fixed in mainline before the branch", "5.15:@a:5.19:@c", "6.1.5", "not - -() -()", "fixed in 5.19",
	  "CVE-2024-1234-5.15-cccccccccccc" },
	{ "introduced later", "6.6:@a:6.9:@c", "6.1.5", "not - -() 6.9(c)", "introduced later, in 6.6", "" },
	{ "introduced in the release itself", "6.1.5:@a:6.1.9:@c", "6.1.5", "affected 6.1.5 6.1.9(c) -()",
	  "introduced in 6.1.5 (by aaaaaaaaaaaa), fixed on this branch in 6.1.9", NULL },
	{ "another branch's introduction", "5.15.3:@a:5.15.9:@b", "6.1.5", "not - -() -()", "not introduced on this branch",
	  "" },
	{ "another branch's fix is none", "5.10:@a:5.15.9:@b 5.10:@a:6.9:@c", "6.1.5", "affected 5.10 -() 6.9(c)",
	  "introduced in 5.10 (by aaaaaaaaaaaa), no fix on this branch; mainline fix in 6.9",
	  "CVE-2024-1234-5.10-cccccccccccc" },
	{ "backport: before it", BACKPORT, "6.1.54", "not - 6.1.81(b) 6.9(e)", "introduced later, in 6.1.55", NULL },
	{ "backport: within", BACKPORT, "6.1.60", "affected 6.1.55 6.1.81(b) 6.9(e)",
	  "introduced in 6.1.55 by a backport, fixed on this branch in 6.1.81", NULL },
	{ "backport: behind", BACKPORT, "6.1.81", "not - -() 6.9(e)", "fixed in 6.1.81", NULL },
	{ "backport without a fix", "6.1.55:@a:0:0 6.6:@c:6.9:@e", "6.1.60", "affected 6.1.55 -() 6.9(e)",
	  "introduced in 6.1.55 by a backport, no fix on this branch; mainline fix in 6.9",
	  "CVE-2024-1234-6.6-eeeeeeeeeeee" },
	{ "window without a release", "6.1:@a:6.1:@b", "6.1", "not - -() -()", "fixed in 6.1",
	  "CVE-2024-1234-6.1-bbbbbbbbbbbb" },
	{ "the same on a branch", "6.1.5:@a:6.1.5:@b", "6.1.5", "not - -() -()", "fixed in 6.1.5",
	  "CVE-2024-1234-6.1.5-bbbbbbbbbbbb" },
	{ "again: first time", AGAIN, "4.17", "affected 4.12 -() 4.18(b)",
	  "introduced in 4.12 (by aaaaaaaaaaaa), no fix on this branch; mainline fix in 4.18", NULL },
	{ "again: between", AGAIN, "5.4.200", "not - -() 6.10(f)", "fixed in 4.18", NULL },
	{ "again: second time", AGAIN, "6.1.90", "affected 5.8 6.1.93(e) 6.10(f)",
	  "introduced in 5.8 (by cccccccccccc), fixed on this branch in 6.1.93", "CVE-2024-1234-5.8-eeeeeeeeeeee" },
	{ "again: behind", AGAIN, "6.1.93", "not - -() 6.10(f)", "fixed in 6.1.93", NULL },
	{ "backwards: the early fix clears nothing", BACKWARDS, "5.10.50", "affected 5.10 5.10.110(c) -()",
	  "introduced in 5.10 (by aaaaaaaaaaaa), fixed on this branch in 5.10.110", NULL },
	{ "backwards: mainline", BACKWARDS, "6.1", "affected 5.10 -() -()",
	  "introduced in 5.10 (by aaaaaaaaaaaa), no fix on this branch and none in mainline",
	  "CVE-2024-1234-5.10-bbbbbbbbbbbb,CVE-2024-1234-5.10-cccccccccccc,CVE-2024-1234-5.10-dddddddddddd" },
	{ "backwards: before", BACKWARDS, "5.1", "not - -() 5.2(b)", "introduced later, in 5.10", NULL },
	{ "since always", "0:0:6.1.9:@b 0:0:6.3:@c", "6.1.2", "affected - 6.1.9(b) 6.3(c)",
	  "vulnerable since always, fixed on this branch in 6.1.9", "CVE-2024-1234-2.6.12-bbbbbbbbbbbb" },
	{ "since always, fixed", "0:0:6.1.9:@b 0:0:6.3:@c", "6.1.9", "not - -() 6.3(c)", "fixed in 6.1.9", NULL },
	{ "since always, never fixed", "0:0:0:0", "2.6.32", "affected - -() -()",
	  "vulnerable since always, no fix on this branch and none in mainline", "CVE-2024-1234-2.6.12-nofix" },
	{ "since always and introduced again", "0:0:4.1:@b 5.2:@a:5.9:@c", "5.4.1", "affected 5.2 -() 5.9(c)",
	  "introduced in 5.2 (by aaaaaaaaaaaa), no fix on this branch; mainline fix in 5.9", NULL },
	{ "candidate: before", "7.2-rc2:@a:7.2-rc5:@b", "7.2-rc1", "not - 7.2-rc5(b) 7.2-rc5(b)",
	  "introduced later, in 7.2-rc2", NULL },
	{ "candidate: within", "7.2-rc2:@a:7.2-rc5:@b", "7.2-rc4", "affected 7.2-rc2 7.2-rc5(b) 7.2-rc5(b)",
	  "introduced in 7.2-rc2 (by aaaaaaaaaaaa), fixed on this branch in 7.2-rc5", "CVE-2024-1234-7.2-rc2-bbbbbbbbbbbb" },
	{ "candidate: behind", "7.2-rc2:@a:7.2-rc5:@b", "7.2-rc5", "not - -() -()", "fixed in 7.2-rc5", NULL },
	{ "candidate: the release behind it", "6.9:@a:7.2-rc5:@b", "7.2", "not - -() -()", "fixed in 7.2-rc5", NULL },
	{ "candidate: the release ahead is no past", "6.9:@a:7.2:@b", "7.2-rc4", "affected 6.9 7.2(b) 7.2(b)",
	  "introduced in 6.9 (by aaaaaaaaaaaa), fixed on this branch in 7.2", NULL },
	{ "a mainline release's branch", "6.9:@a:6.12.7:@b 6.9:@a:6.13:@c", "6.12", "affected 6.9 6.12.7(b) 6.13(c)",
	  "introduced in 6.9 (by aaaaaaaaaaaa), fixed on this branch in 6.12.7", NULL },
	{ "several introductions: the latest counts", SEVERAL, "6.1.10", "affected 6.0 6.1.20(d) 6.3(e)",
	  "introduced in 6.0 (by cccccccccccc), fixed on this branch in 6.1.20",
	  "CVE-2024-1234-5.4-dddddddddddd,CVE-2024-1234-5.15-dddddddddddd,CVE-2024-1234-6.0-dddddddddddd" },
	{ "several introductions: one fix for all", SEVERAL, "6.1.20", "not - -() 6.3(e)", "fixed in 6.1.20", NULL },
	{ "several fixes: the lowest with all its commits", TWO_FIXES, "6.1.10", "affected 5.4 6.1.20(d,b) 6.2(e,f)", NULL,
	  "CVE-2024-1234-5.4-dddddddddddd,CVE-2024-1234-5.4-bbbbbbbbbbbb" },
	{ "several fixes: the lowest clears", TWO_FIXES, "6.1.20", "not - 6.1.30(c) 6.2(e,f)", "fixed in 6.1.20", NULL },
	{ "several fixes: those of the past are gone", TWO_FIXES, "6.2.5", "not - -() 6.4(c)", "fixed in 6.2", NULL },
	{ "dead branch", "5.15:@a:6.1.81:@b 5.15:@a:6.6.20:@c 5.15:@a:6.9:@d", "6.5.3", "affected 5.15 -() 6.9(d)",
	  "introduced in 5.15 (by aaaaaaaaaaaa), no fix on this branch; mainline fix in 6.9",
	  "CVE-2024-1234-5.15-dddddddddddd" },
	{ "no mainline fix", "5.15:@a:6.1.81:@b", "6.5.3", "affected 5.15 -() -()",
	  "introduced in 5.15 (by aaaaaaaaaaaa), no fix on this branch and none in mainline",
	  "CVE-2024-1234-5.15-bbbbbbbbbbbb" },
	{ "one introduction open, another fixed elsewhere", "5.15:@a:6.1.81:@b 5.15:@a:0:0 6.6:@c:0:0", "6.5.3",
	  "affected 5.15 -() -()", NULL, "CVE-2024-1234-5.15-nofix" },
	{ "a fix covers the introductions it is not printed beside", "5.10:@a:6.1.5:@b 5.15:@c:0:0", "6.1.5",
	  "not - -() -()", "fixed in 6.1.5", "CVE-2024-1234-5.10-bbbbbbbbbbbb" },
	{ "one fix commit and introduction twice", "5.10:@a:6.1.5:@b 5.10:@c:6.1.5:@b", "6.1.2",
	  "affected 5.10 6.1.5(b) -()", "introduced in 5.10 (by aaaaaaaaaaaa), fixed on this branch in 6.1.5",
	  "CVE-2024-1234-5.10-bbbbbbbbbbbb" },
	{ "2.6.N are lines of their own", "2.6.20:@a:2.6.32.9:@b 2.6.20:@a:2.6.34:@c", "2.6.32.5",
	  "affected 2.6.20 2.6.32.9(b) 2.6.34(c)",
	  "introduced in 2.6.20 (by aaaaaaaaaaaa), fixed on this branch in 2.6.32.9", NULL },
	{ "2.6.N, the next line", "2.6.20:@a:2.6.32.9:@b 2.6.20:@a:2.6.34:@c", "2.6.33.1", "affected 2.6.20 -() 2.6.34(c)",
	  NULL, NULL },
	{ "numbers, not texts", "5.9:@a:5.10:@b", "5.9.5", "affected 5.9 -() 5.10(b)", NULL, NULL },
	{ "without a pair", "", "6.1.5", "unknown - -() -()", "no valid version data", "" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		KernelVersion v = version(cases[i].version);
		Verdict out = VERDICT__INIT;
		struct buf titles = { 0 };

		cve_judge(arena, read_cve(cases[i].dyad), &v, &out);
		is_str(summary(&out), cases[i].want, cases[i].what);
		if (cases[i].reason)
			is_str(out.reason, cases[i].reason, "its reason");
		join(&titles, out.titles, out.n_titles);
		if (cases[i].titles)
			is_str(buf_str(&titles), cases[i].titles, "its titles");
		ok(out.has_verdict && out.version && kver_cmp(out.version, &v) == 0, "it names the version");
		buf_free(&titles);
	}
}

static void test_reused(void)
{
	KernelVersion v = version("6.1.60");
	Verdict out = VERDICT__INIT;
	Cve *unfixed = read_cve("5.15:@a:0:0");

	out.config = "web";
	cve_judge(arena, read_cve(BACKPORT), &v, &out);
	cve_judge(arena, unfixed, &v, &out);
	is_str(summary(&out), "affected 5.15 -() -()", "a verdict used again keeps nothing of the last");
	is_int((long long)out.n_titles, 1, "nor its titles");
	is_str(out.config, "web", "the config is the caller's");
	ok(out.introduced == unfixed->instances[0]->introduced, "introduced points into the CVE");
	ok(out.version != &v, "the version is a copy");
}

static void test_empty_versions(void)
{
	/* What a peer or the database may hand over: a message "0" in place of an absent one, commits and titles missing. */
	Cve *cve = read_cve("5.15:@a:6.1.81:@b");
	CveInstance *in = cve->instances[0];
	KernelVersion zero = KERNEL_VERSION__INIT, v = version("6.1.60");
	Verdict out = VERDICT__INIT;

	in->introduced_commit = in->fix_commit = in->title = NULL;
	cve_judge(arena, cve, &v, &out);
	is_str(summary(&out), "affected 5.15 6.1.81() -()", "without commits");
	is_str(out.reason, "introduced in 5.15, fixed on this branch in 6.1.81", "its reason");
	is_int((long long)out.n_titles, 0, "without a title");
	in->introduced = in->fixed = &zero;
	cve_judge(arena, cve, &v, &out);
	is_str(out.reason, "vulnerable since always, no fix on this branch and none in mainline", "0 is absent");
	ok(!out.fixed, "on the right, too");
	cve_judge(arena, read_cve("5.15:@a:6.1.81:@b"), &zero, &out);
	is_int(out.verdict, VERDICT_KIND__NOT_AFFECTED, "the version 0 is on no line");
}

static const struct {
	const char *dyad, *version, *newest;
} newest[] = {
	{ "5.15:@a:6.1.81:@b 5.15:@a:6.1.9:@c 5.15:@a:6.9:@d", "6.1.200", "6.1.81" },
	{ "6.1.90:@a:6.9:@d", "6.1.2", "6.1.90" },
	{ "6.1:@a:6.9:@d", "6.1.2", "6.1" },
	{ "6.1-rc2:@a:6.9:@d 6.1:@b:0:0", "6.1-rc1", "6.1" },
	{ "5.15:@a:6.9:@d", "6.1.2", "0" },
	{ "0:0:0:0", "6.1.2", "0" },
	{ "", "6.1.2", "0" },
};

static void test_newest(void)
{
	for (size_t i = 0; i < ARRAY_LEN(newest); i++) {
		KernelVersion v = version(newest[i].version);
		char text[KVER_TEXT_MAX];

		is_str(kver_text(text, cve_newest_on_line(read_cve(newest[i].dyad), &v)), newest[i].newest,
		       "newest on the line");
	}
}

/* The model knows no KernelVersion. Every release there is stands in one table, in order, with its branch. */
static const struct {
	const char *text;
	int branch;
	bool mainline;
} releases[] = {
	{ "5.1-rc1", 1, true }, { "5.1-rc2", 1, true }, { "5.1", 1, true },     { "5.1.1", 1, false }, { "5.1.2", 1, false },
	{ "5.1.3", 1, false },  { "5.2-rc1", 2, true }, { "5.2-rc2", 2, true }, { "5.2", 2, true },    { "5.2.1", 2, false },
	{ "5.2.2", 2, false },  { "5.3-rc1", 3, true }, { "5.3", 3, true },     { "5.3.1", 3, false }, { "5.3.2", 3, false },
};

#define RELEASES ((int)ARRAY_LEN(releases))
#define ABSENT (-1)

struct model_pair {
	int introduced, fixed; /* places in releases, or ABSENT */
};

static unsigned random_state;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 1103515245u + 12345u;
	return (random_state >> 16) % n;
}

static bool on_the_road(int release, int v)
{
	return release <= v && (releases[release].mainline || releases[release].branch == releases[v].branch);
}

/* Walks every release from the first to v; at each, introductions are played before fixes. */
static bool model_affected(const struct model_pair *pairs, size_t n, int v)
{
	bool vulnerable = false;

	for (size_t i = 0; i < n; i++)
		vulnerable = vulnerable || pairs[i].introduced == ABSENT;
	for (int at = 0; at <= v; at++) {
		if (!on_the_road(at, v))
			continue;
		for (size_t i = 0; i < n; i++)
			vulnerable = vulnerable || pairs[i].introduced == at;
		for (size_t i = 0; i < n; i++)
			vulnerable = vulnerable && pairs[i].fixed != at;
	}
	return vulnerable;
}

/* The first release behind v, on its branch or in mainline, that carries a fix. */
static const char *model_fix(const struct model_pair *pairs, size_t n, int v, bool mainline)
{
	for (int at = v + 1; at < RELEASES; at++) {
		if (mainline ? !releases[at].mainline : releases[at].branch != releases[v].branch)
			continue;
		for (size_t i = 0; i < n; i++)
			if (pairs[i].fixed == at)
				return releases[at].text;
	}
	return "0";
}

static size_t random_pairs(struct model_pair *pairs, struct buf *dyad)
{
	size_t n = 1 + random_below(5);

	for (size_t i = 0; i < n; i++) {
		struct model_pair *p = &pairs[i];

		p->introduced = random_below(12) == 0 ? ABSENT : (int)random_below(ARRAY_LEN(releases));
		p->fixed = random_below(5) == 0 ? ABSENT : (int)random_below(ARRAY_LEN(releases));
		buf_printf(dyad, "%s:%s:", p->introduced == ABSENT ? "0" : releases[p->introduced].text,
			   p->introduced == ABSENT ? "0" : "@a");
		buf_printf(dyad, "%s:%s ", p->fixed == ABSENT ? "0" : releases[p->fixed].text,
			   p->fixed == ABSENT ? "0" : "@b");
	}
	return n;
}

static bool agrees(const Cve *cve, const struct model_pair *pairs, size_t n, int at)
{
	KernelVersion v = version(releases[at].text);
	char fixed[KVER_TEXT_MAX], mainline[KVER_TEXT_MAX];
	Verdict out = VERDICT__INIT;

	cve_judge(arena, cve, &v, &out);
	return (out.verdict == VERDICT_KIND__AFFECTED) == model_affected(pairs, n, at) && out.reason && *out.reason &&
	       strcmp(kver_text(fixed, out.fixed), model_fix(pairs, n, at, false)) == 0 &&
	       strcmp(kver_text(mainline, out.mainline_fixed), model_fix(pairs, n, at, true)) == 0;
}

static void test_model(void)
{
	unsigned wrong = 0, affected = 0;

	random_state = 20260821;
	for (int round = 0; round < 5000; round++) {
		struct model_pair pairs[5];
		struct buf dyad = { 0 };
		size_t n = random_pairs(pairs, &dyad);
		const Cve *cve;

		arena_reset(arena);
		cve = read_cve(dyad.data);
		for (int at = 0; at < RELEASES; at++) {
			affected += model_affected(pairs, n, at);
			if (!agrees(cve, pairs, n, at) && ++wrong <= 5)
				printf("# %s at %s\n", dyad.data, releases[at].text);
		}
		buf_free(&dyad);
	}
	is_int(wrong, 0, "the rule agrees with the state machine");
	ok(affected > 15000 && affected < 60000, "which said both: affected %u times", affected);
}

int main(void)
{
	arena = arena_new(0);
	test_cases();
	test_reused();
	test_empty_versions();
	test_newest();
	test_model();
	arena_free(arena);
	return done();
}
