/* tuxtape cves: what is open in a kernel, everything known of one CVE, and the raw patch of a fix. Owns the words and columns that
 * people see; the verdicts come from lib/answer.c. */
#include "applets/cves.h"
#include "applets/words.h"

#include "lib/answer.h"
#include "lib/buf.h"
#include "lib/db_cve.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"

#include <stdio.h>
#include <unistd.h>

#define O(field) offsetof(struct cves_options, field)
static const struct opt options[] = {
	{ "db", 0, OPT_PATH, O(db), "FILE", "database to read", "~/.cache/tuxtape-server/db.db3", .alias = "db-path" },
	{ "kernel", 'k', OPT_STRING, O(kernel), "VERSION", "kernel to judge for: 6.1.170, 6.12, 7.2-rc4", NULL,
	  .flag_only = true },
	{ "config", 'c', OPT_LIST, O(configs), "NAME",
	  "config to judge for, by the files that its build compiled; may be repeated", NULL, .flag_only = true },
	CLIENT_OPTIONS(struct cves_options),
	{ "min-score", 0, OPT_DECIMAL, O(min_score), "SCORE", "leave out what is scored lower, or not at all", "0",
	  .most = 10 },
	{ "fixed-only", 0, OPT_FLAG, O(fixed_only), NULL, "only CVEs with a fix on the kernel's own branch",
	  .flag_only = true },
	{ "unfixed-only", 0, OPT_FLAG, O(unfixed_only), NULL, "only CVEs without one", .flag_only = true },
	{ "exclude-livepatched", 0, OPT_FLAG, O(not_livepatched), NULL,
	  "leave out CVEs with an approved livepatch for the kernel", .flag_only = true },
	{ "include-not-compiled", 0, OPT_FLAG, O(not_compiled), NULL,
	  "list CVEs whose files the config does not compile, too", .flag_only = true },
	{ "count", 0, OPT_FLAG, O(count), NULL, "print how many there are, a line each kernel, and no list",
	  .flag_only = true },
	{ "sort", 0, OPT_WORD, O(sort), "ORDER",
	  "score (highest first), id, fix (version it is fixed in), or date (newest first)", "score", cves_sorts },
	{ "json", 0, OPT_FLAG, O(json), NULL, "print JSON", .flag_only = true },
	APPLET_COMMON_KERNEL(struct cves_options),
	OPT_END,
};
#undef O

/* Takes a version as people write it; what is ignored of it is said. */
static int read_version(const struct cves_options *o, KernelVersion *v)
{
	char text[KVER_TEXT_MAX];
	const char *suffix;
	int err;

	if ((err = kver_parse_user(v, o->kernel, &suffix)))
		return err == ERR_INPUT ? ERR_USAGE : err;
	if (*suffix)
		log_note("'%s' is judged as plain %s: distribution kernels carry backports that nobody here knows of",
			 o->kernel, kver_text(text, v));
	return 0;
}

/* What is asked about: a version, or configs. */
static int read_kernel(const struct cves_options *o, KernelVersion *v, KernelVersion **version)
{
	*version = NULL;
	if (o->kernel && o->configs.n)
		return fail(ERR_USAGE, "--kernel and --config: say one of them");
	if (!o->kernel)
		return 0;
	*version = v;
	return read_version(o, v);
}

static int list(struct source *s, struct arena *a, const struct cves_options *o)
{
	FetchCvesRequest r = FETCH_CVES_REQUEST__INIT;
	KernelVersion version;
	int err;

	if (!o->kernel && o->configs.n == 0)
		return fail(
			ERR_USAGE,
			"say for which kernel: --kernel VERSION or --config NAME (or: cves show CVE-ID, cves patch TITLE)");
	if (o->fixed_only && o->unfixed_only)
		return fail(ERR_USAGE, "--fixed-only and --unfixed-only leave nothing together");
	if ((err = read_kernel(o, &version, &r.kernel_version)))
		return err;
	r.n_configs = o->configs.n;
	r.configs = o->configs.items;
	r.has_exclude_unpatched = r.exclude_unpatched = o->fixed_only;
	r.has_exclude_patched = r.exclude_patched = o->unfixed_only;
	r.has_exclude_deployable_patched = r.exclude_deployable_patched = o->not_livepatched;
	r.has_include_not_compiled = r.include_not_compiled = o->not_compiled;
	r.has_brief = r.brief = !o->json;
	r.has_min_score = o->min_score > 0;
	r.min_score = o->min_score;
	return cves_list(s, a, o, &r);
}

static int show_cve(struct source *s, struct arena *a, const struct cves_options *o, const char *id)
{
	FetchCveRequest r = FETCH_CVE_REQUEST__INIT;
	KernelVersion version;
	Cve *cve;
	int err;

	id = cve_id_typed(a, id);
	if (cve_key(id, strlen(id)) == 0)
		return fail(ERR_USAGE, "'%s' is not a CVE id such as CVE-2024-26581", id);
	if ((err = read_kernel(o, &version, &r.kernel_version)))
		return err;
	r.id = id;
	r.n_configs = o->configs.n;
	r.configs = o->configs.items;
	if ((err = source_cve(s, a, &r, &cve)))
		return err;
	if (o->json)
		applet_print_json(&cve->base);
	else
		cves_print_one(a, cve);
	return 0;
}

static int show_patch(struct source *s, struct arena *a, const struct cves_options *o, const char *title)
{
	Fix *fix;
	int err;

	if ((err = source_patch(s, a, cve_id_typed(a, title), &fix)))
		return err;
	if (o->json)
		applet_print_json(&fix->base);
	else
		words_print_patch(fix->patch);
	return 0;
}

static int run_verb(struct arena *a, const struct cves_options *o, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : NULL;
	bool show = verb && strcmp(verb, "show") == 0, patch = verb && strcmp(verb, "patch") == 0;
	struct source s = { 0 };
	int err;

	if (verb && !show && !patch)
		return fail(ERR_USAGE, "'%s' is not a verb of cves: show or patch, or none to list", verb);
	if (verb && argc != 3)
		return fail(ERR_USAGE, "cves %s takes one %s", verb, show ? "CVE-ID" : "TITLE");
	if (!(err = source_open(&s, &applet_cves, &o->common, o->db, &o->client, a)))
		err = show ? show_cve(&s, a, o, argv[2]) : patch ? show_patch(&s, a, o, argv[2]) : list(&s, a, o);
	source_close(&s);
	return err;
}

static int cves_main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct cves_options o = { 0 };
	int err = applet_begin(&applet_cves, &o, &argc, argv, a);
	int code;

	if (!err)
		err = run_verb(a, &o, argc, argv);
	code = applet_end(err);
	arena_free(a);
	return code;
}

const struct applet applet_cves = {
	.name = "cves",
	.summary = "the CVEs open in a kernel, one CVE in full, or the raw patch of a fix",
	.synopsis = "--kernel VERSION | --config NAME [OPTION]...\ncves show CVE-ID [--kernel VERSION | --config NAME] "
		    "[OPTION]...\ncves patch TITLE [OPTION]...",
	.options = options,
	.options_size = sizeof(struct cves_options),
	.common = offsetof(struct cves_options, common),
	.run = cves_main,
};
