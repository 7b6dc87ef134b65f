/* Owns the rule that says what a CVE means for a version, and the sentence that explains it. Refuses to look at one pair
 * alone: a fix fixes the whole CVE on its branch. */
#include "lib/cve.h"

#include "lib/kver.h"

#define SHORT_DIGITS 12

/* Stands for an introduction that nobody knows: it comes before every release and is on every line. */
static const KernelVersion since_always = KERNEL_VERSION__INIT;

static const KernelVersion *introduced_of(const CveInstance *in)
{
	return in->introduced ? in->introduced : &since_always;
}

static bool has_fix(const CveInstance *in)
{
	return in->fixed && in->fixed->has_major;
}

/* True when v's release line passes through the event: mainline up to where v branched off, then v's own releases. For a v
 * that is itself a candidate, mainline ends at v. */
static bool on_line(const KernelVersion *event, const KernelVersion *v)
{
	if (!event->has_major)
		return true;
	return kver_cmp(event, v) <= 0 && (kver_is_mainline(event) || kver_same_line(event, v));
}

/* The instance with the latest introduction on v's line, the first of equals; NULL when none is on it. */
static const CveInstance *latest_introduction(const Cve *cve, const KernelVersion *v)
{
	const CveInstance *latest = NULL;

	for (size_t i = 0; i < cve->n_instances; i++) {
		const CveInstance *in = cve->instances[i];

		if (on_line(introduced_of(in), v) && (!latest || kver_cmp(introduced_of(in), introduced_of(latest)) > 0))
			latest = in;
	}
	return latest;
}

/* The lowest fixed version on v's line at or after `since`: the release that made v whole. */
static const KernelVersion *fix_behind(const Cve *cve, const KernelVersion *v, const KernelVersion *since)
{
	const KernelVersion *lowest = NULL;

	for (size_t i = 0; i < cve->n_instances; i++) {
		const KernelVersion *fix = cve->instances[i]->fixed;

		if (has_fix(cve->instances[i]) && on_line(fix, v) && kver_cmp(fix, since) >= 0 &&
		    (!lowest || kver_cmp(fix, lowest) < 0))
			lowest = fix;
	}
	return lowest;
}

/* The lowest fixed version above v, on v's own branch or in mainline. */
static KernelVersion *fix_ahead(const Cve *cve, const KernelVersion *v, bool mainline)
{
	KernelVersion *lowest = NULL;

	for (size_t i = 0; i < cve->n_instances; i++) {
		KernelVersion *fix = cve->instances[i]->fixed;

		if (has_fix(cve->instances[i]) && kver_cmp(fix, v) > 0 &&
		    (mainline ? kver_is_mainline(fix) : kver_same_line(fix, v)) && (!lowest || kver_cmp(fix, lowest) < 0))
			lowest = fix;
	}
	return lowest;
}

/* The lowest introduction that v's branch or mainline meets after v; NULL when there is none. */
static const KernelVersion *introduction_ahead(const Cve *cve, const KernelVersion *v)
{
	const KernelVersion *lowest = NULL;

	for (size_t i = 0; i < cve->n_instances; i++) {
		const KernelVersion *in = introduced_of(cve->instances[i]);

		if (kver_cmp(in, v) > 0 && (kver_is_mainline(in) || kver_same_line(in, v)) &&
		    (!lowest || kver_cmp(in, lowest) < 0))
			lowest = in;
	}
	return lowest;
}

static bool lists(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

/* Appends s to a list of the verdict unless it is absent or there already. */
static void add_once(struct arena *a, const char ***list, size_t *n, const char *s)
{
	if (s && !lists(*list, *n, s))
		*(const char **)arena_grow(a, (void **)list, n, sizeof(**list)) = s;
}

static bool fixed_at(const CveInstance *in, const KernelVersion *fix)
{
	return has_fix(in) && kver_cmp(in->fixed, fix) == 0;
}

static void add_commits(struct arena *a, const Cve *cve, const KernelVersion *fix, const char ***list, size_t *n)
{
	for (size_t i = 0; fix && i < cve->n_instances; i++)
		if (fixed_at(cve->instances[i], fix))
			add_once(a, list, n, cve->instances[i]->fix_commit);
}

/* True for an instance that says v stays open: introduced on v's line and never fixed. */
static bool is_open(const CveInstance *in, const KernelVersion *v)
{
	return !has_fix(in) && on_line(introduced_of(in), v);
}

/* The titles of an affected version without any fix ahead: those without a fix, or, where the dyad names fixes of other
 * branches only, those of the introduction that makes it affected. */
static void add_open_titles(struct arena *a, const Cve *cve, const KernelVersion *introduced, Verdict *out)
{
	for (size_t i = 0; i < cve->n_instances; i++)
		if (is_open(cve->instances[i], out->version))
			add_once(a, &out->titles, &out->n_titles, cve->instances[i]->title);
	for (size_t i = 0, open = out->n_titles; !open && i < cve->n_instances; i++)
		if (kver_cmp(introduced_of(cve->instances[i]), introduced) == 0)
			add_once(a, &out->titles, &out->n_titles, cve->instances[i]->title);
}

static void add_titles(struct arena *a, const Cve *cve, const CveInstance *cause, Verdict *out)
{
	const KernelVersion *fix = out->fixed ? out->fixed : out->mainline_fixed;

	/* What made it whole matters then, not what others wait for. */
	if (out->verdict == VERDICT_KIND__NOT_AFFECTED)
		fix = cause ? fix_behind(cve, out->version, introduced_of(cause)) : NULL;
	if (!fix && out->verdict == VERDICT_KIND__AFFECTED)
		add_open_titles(a, cve, introduced_of(cause), out);
	for (size_t i = 0; fix && i < cve->n_instances; i++)
		if (fixed_at(cve->instances[i], fix))
			add_once(a, &out->titles, &out->n_titles, cve->instances[i]->title);
}

/* A stable introduction is called a backport only when mainline has one, too. */
static bool is_backport(const Cve *cve, const KernelVersion *introduced)
{
	if (kver_is_mainline(introduced))
		return false;
	for (size_t i = 0; i < cve->n_instances; i++)
		if (kver_is_mainline(introduced_of(cve->instances[i])))
			return true;
	return false;
}

static const char *say_introduced(struct arena *a, const Cve *cve, const CveInstance *cause)
{
	const KernelVersion *v = introduced_of(cause);
	char text[KVER_TEXT_MAX];

	if (!v->has_major)
		return "vulnerable since always";
	if (is_backport(cve, v))
		return arena_printf(a, "introduced in %s by a backport", kver_text(text, v));
	if (!cause->introduced_commit)
		return arena_printf(a, "introduced in %s", kver_text(text, v));
	return arena_printf(a, "introduced in %s (by %.*s)", kver_text(text, v), SHORT_DIGITS, cause->introduced_commit);
}

static const char *say_affected(struct arena *a, const Cve *cve, const CveInstance *cause, const Verdict *out)
{
	const char *introduced = say_introduced(a, cve, cause);
	char text[KVER_TEXT_MAX];

	if (out->fixed)
		return arena_printf(a, "%s, fixed on this branch in %s", introduced, kver_text(text, out->fixed));
	if (out->mainline_fixed)
		return arena_printf(a, "%s, no fix on this branch; mainline fix in %s", introduced,
				    kver_text(text, out->mainline_fixed));
	return arena_printf(a, "%s, no fix on this branch and none in mainline", introduced);
}

static const char *say_not_introduced(struct arena *a, const Cve *cve, const KernelVersion *v)
{
	const KernelVersion *later = introduction_ahead(cve, v);
	char text[KVER_TEXT_MAX];

	if (!later)
		return "not introduced on this branch";
	return arena_printf(a, "introduced later, in %s", kver_text(text, later));
}

/* Sets verdict, introduced and reason. fixed and mainline_fixed are set. */
static void decide(struct arena *a, const Cve *cve, const CveInstance *cause, Verdict *out)
{
	const KernelVersion *fix = cause ? fix_behind(cve, out->version, introduced_of(cause)) : NULL;
	char text[KVER_TEXT_MAX];

	out->verdict = VERDICT_KIND__NOT_AFFECTED;
	if (cve->n_instances == 0) {
		out->verdict = VERDICT_KIND__UNKNOWN;
		out->reason = "no valid version data";
	} else if (!cause) {
		out->reason = say_not_introduced(a, cve, out->version);
	} else if (fix) {
		out->reason = arena_printf(a, "fixed in %s", kver_text(text, fix));
	} else {
		out->verdict = VERDICT_KIND__AFFECTED;
		out->introduced = cause->introduced;
		out->reason = say_affected(a, cve, cause, out);
	}
}

void cve_judge(struct arena *a, const Cve *cve, const KernelVersion *v, Verdict *out)
{
	const CveInstance *cause = latest_introduction(cve, v);

	out->version = arena_memdup(a, v, sizeof(*v));
	out->has_verdict = true;
	out->introduced = NULL;
	out->fixed = fix_ahead(cve, v, false);
	out->mainline_fixed = fix_ahead(cve, v, true);
	out->n_fix_commits = out->n_mainline_commits = out->n_titles = 0;
	decide(a, cve, cause, out);
	add_commits(a, cve, out->fixed, &out->fix_commits, &out->n_fix_commits);
	add_commits(a, cve, out->mainline_fixed, &out->mainline_commits, &out->n_mainline_commits);
	add_titles(a, cve, cause, out);
}

const KernelVersion *cve_newest_on_line(const Cve *cve, const KernelVersion *v)
{
	const KernelVersion *newest = NULL;

	for (size_t i = 0; i < cve->n_instances; i++) {
		const KernelVersion *ends[] = { cve->instances[i]->introduced, cve->instances[i]->fixed };

		for (size_t k = 0; k < ARRAY_LEN(ends); k++)
			if (ends[k] && kver_same_line(ends[k], v) && (!newest || kver_cmp(ends[k], newest) > 0))
				newest = ends[k];
	}
	return newest;
}
