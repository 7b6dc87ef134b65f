/* Owns the joining of database and timeline rule. Leaves nothing out silently: what it does not list it counts. */
#include "lib/answer.h"

#include "lib/cve.h"
#include "lib/db_cve.h"
#include "lib/db_patch.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/str.h"

#include <stdlib.h>

/* What the answer keeps of a target. */
struct tally {
	AnswerSummary sum;
	KernelVersion newest;
};

struct answer {
	struct db *db;
	struct db_scan *scan;
	struct answer_ask ask;
	struct arena *own; /* unless ask.keep is there */
	struct db_batch batch;
	size_t at; /* the next of the batch */
	struct tally *tallies;
	struct db_livepatches livepatches;
	struct arena *kept; /* the livepatches */
};

static void tally_init(struct tally *t, const struct db_target *target)
{
	answer_summary__init(&t->sum);
	kernel_version__init(&t->newest);
	t->sum.config = target->config;
	t->sum.version = (KernelVersion *)(uintptr_t)&target->version; /* protobuf-c's fields are not const */
	t->sum.has_affected = t->sum.has_not_compiled = t->sum.has_unknown = t->sum.has_not_affected = true;
	t->sum.has_fixed = t->sum.has_unscored = true;
}

int answer_targets(struct db *db, struct arena *a, size_t n_configs, const char *const *configs,
		   const KernelVersion *version, bool all, size_t *n, struct db_target **targets)
{
	int err = 0;

	*n = 0;
	*targets = NULL;
	if (version && (!version->has_major || !kver_is_valid(version)))
		return fail(ERR_USAGE,
			    "kernel_version is none: major and minor always, the others only where they say something");
	if (n_configs && version)
		return fail(ERR_USAGE, "configs and a kernel version at once: ask for one of them");
	if (version) {
		struct db_target *t = arena_grow(a, (void **)targets, n, sizeof(**targets));

		t->version = *version;
		return 0;
	}
	if (n_configs == 0)
		return all ? db_targets(db, a, n, targets) : 0;
	for (size_t i = 0; !err && i < n_configs; i++)
		err = db_target(db, a, configs[i], arena_grow(a, (void **)targets, n, sizeof(**targets)));
	return err;
}

int answer_request(struct db *db, struct arena *a, const FetchCvesRequest *r, struct answer_ask *ask)
{
	struct db_target *targets;
	int err;

	*ask = (struct answer_ask){ .min_score = r->min_score,
				    .brief = r->brief,
				    .not_compiled = r->include_not_compiled,
				    .undeployed = r->exclude_deployable_patched };
	if (!(r->min_score >= 0 && r->min_score <= 10))
		return fail(ERR_USAGE, "min_score: scores go from 0.0 to 10.0");
	if (r->exclude_unpatched && r->exclude_patched)
		return fail(ERR_USAGE, "without the patched and without the unpatched nothing is left");
	ask->fix = r->exclude_unpatched ? ANSWER_FIXED : r->exclude_patched ? ANSWER_UNFIXED : ANSWER_ANY;
	err = answer_targets(db, a, r->n_configs, r->configs, r->kernel_version, true, &ask->n_targets, &targets);
	ask->targets = targets;
	return err;
}

int answer_open(struct answer **out, struct db *db, const struct answer_ask *ask)
{
	struct answer *ans = xcalloc(1, sizeof(*ans));
	int err;

	ans->db = db;
	ans->ask = *ask;
	ans->batch.more = true;
	ans->tallies = xcalloc(MAX_OF(ask->n_targets, 1u), sizeof(*ans->tallies));
	for (size_t i = 0; i < ask->n_targets; i++)
		tally_init(&ans->tallies[i], &ask->targets[i]);
	if (!ask->keep)
		ans->own = arena_new(0);
	ans->kept = arena_new(0);
	if ((err = db_livepatches(db, ans->kept, NULL, &ans->livepatches)) ||
	    (err = db_scan_begin(db, ask->brief, &ans->scan)))
		answer_close(ans);
	else
		*out = ans;
	return err;
}

static void note_newest(struct tally *t, const Cve *cve)
{
	const KernelVersion *v = cve_newest_on_line(cve, t->sum.version);

	if (v && (!t->sum.newest || kver_cmp(v, t->sum.newest) > 0)) {
		t->newest = *v;
		t->sum.newest = &t->newest;
	}
}

static void count(struct tally *t, const Verdict *v)
{
	t->sum.affected += v->verdict == VERDICT_KIND__AFFECTED;
	t->sum.not_compiled += v->verdict == VERDICT_KIND__NOT_COMPILED;
	t->sum.unknown += v->verdict == VERDICT_KIND__UNKNOWN;
	t->sum.not_affected += v->verdict == VERDICT_KIND__NOT_AFFECTED;
	t->sum.fixed += v->verdict != VERDICT_KIND__NOT_AFFECTED && v->fixed;
}

/* What the files of a fix say of a build. */
struct evidence {
	struct arena *arena;
	unsigned files;        /* that the fix does not create */
	const char *compiled;  /* one that was */
	const char *not_there; /* one that the tree does not have */
	bool compilable;       /* one of them could be */
};

static bool is_compilable(ProtobufCBinaryData path)
{
	static const char *const endings[] = { ".c", ".S", ".h", ".rs", ".dts" };

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t n = strlen(endings[i]);

		if (path.len > n && memcmp(path.data + path.len - n, endings[i], n) == 0)
			return true;
	}
	return false;
}

/* A path in a sentence: kernel history has names that are not UTF-8. */
static const char *shown(struct arena *a, ProtobufCBinaryData path)
{
	struct buf out = { 0 };
	const char *text;

	str_printable(&out, (const char *)path.data, path.len);
	text = arena_strdup(a, buf_str(&out));
	buf_free(&out);
	return text;
}

/* Goes on until a compiled file is found: nothing more is asked then. */
static bool weigh_file(void *ctx, const struct db_fix_file *f)
{
	struct evidence *e = ctx;

	if (f->kind == FILE_KIND__COMPILED)
		e->compiled = shown(e->arena, f->name);
	if (f->created)
		return !e->compiled;
	e->files++;
	if (!f->in_tree && !e->not_there)
		e->not_there = shown(e->arena, f->name);
	e->compilable |= is_compilable(f->name);
	return !e->compiled;
}

/* The files are those of the fix on the branch, else of mainline's; where no such patch is stored, those that the record names. */
static int weigh(struct db *db, const Cve *cve, const Verdict *v, const struct db_target *t, struct evidence *e)
{
	const char **commits = v->n_fix_commits ? v->fix_commits : v->mainline_commits;
	size_t n = v->n_fix_commits ? v->n_fix_commits : v->n_mainline_commits;
	int err = 0;

	for (size_t i = 0; !err && i < n && !e->compiled; i++)
		err = db_fix_files(db, commits[i], t->id, t->tree, weigh_file, e);
	if (!err && !e->compiled && e->files == 0)
		err = db_record_files(db, cve->id, t->id, t->tree, weigh_file, e);
	return err;
}

/* An affected version is not yet an affected kernel: NOT_COMPILED needs proof. */
static int judge_build(struct db *db, struct arena *a, const Cve *cve, const struct db_target *t, Verdict *v)
{
	struct evidence e = { .arena = a };
	int err;

	if (!t->profiled) {
		v->verdict = VERDICT_KIND__UNKNOWN;
		v->reason = arena_printf(a, "no complete build profile yet; %s", v->reason);
		return 0;
	}
	if ((err = weigh(db, cve, v, t, &e)))
		return err;
	if (e.compiled) {
		v->reason = arena_printf(a, "%s is compiled; %s", e.compiled, v->reason);
	} else if (e.not_there) {
		v->verdict = VERDICT_KIND__UNKNOWN;
		v->reason = arena_printf(a, "path not in this tree: %s; %s", e.not_there, v->reason);
	} else if (!e.compilable) {
		v->reason = arena_printf(a, "cannot be told from files; %s", v->reason);
	} else {
		v->verdict = VERDICT_KIND__NOT_COMPILED;
		v->reason = arena_printf(a, "none of the %u files of the fix is compiled", e.files);
	}
	return 0;
}

static int judge_targets(struct db *db, struct arena *a, Cve *cve, const struct db_target *targets, size_t n,
			 const struct db_livepatches *livepatches)
{
	Verdict plain = VERDICT__INIT;
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		Verdict *v = PB_ADD(a, cve, verdicts, verdict);

		/* Configs of one version, listed one after another, differ in what they compile alone. */
		if (i > 0 && kver_cmp(&targets[i].version, &targets[i - 1].version) == 0)
			*v = plain;
		else
			cve_judge(a, cve, &targets[i].version, v);
		plain = *v;
		v->config = targets[i].config;
		if (targets[i].id && v->verdict == VERDICT_KIND__AFFECTED)
			err = judge_build(db, a, cve, &targets[i], v);
		db_livepatch_judge(livepatches, a, cve->id, v);
	}
	return err;
}

int answer_judge(struct db *db, struct arena *a, Cve *cve, const struct db_target *targets, size_t n)
{
	struct db_livepatches livepatches;
	int err = db_livepatches(db, a, cve->id, &livepatches);

	return err ? err : judge_targets(db, a, cve, targets, n, &livepatches);
}

static bool open_for(const struct answer_ask *ask, const Verdict *v)
{
	if (v->verdict == VERDICT_KIND__NOT_AFFECTED || (v->verdict == VERDICT_KIND__NOT_COMPILED && !ask->not_compiled))
		return false;
	if (ask->undeployed && v->has_livepatch && v->livepatch == PATCH_STATE__APPROVED)
		return false;
	return ask->fix == ANSWER_ANY || (ask->fix == ANSWER_FIXED) == (v->fixed != NULL);
}

static bool named_by_verdict(const Cve *cve, const CveInstance *in)
{
	for (size_t i = 0; i < cve->n_verdicts; i++)
		for (size_t k = 0; k < cve->verdicts[i]->n_titles; k++)
			if (strcmp(cve->verdicts[i]->titles[k], in->title) == 0)
				return true;
	return false;
}

/* Of the pairs those stay that matter for some target; of pairs with one title, the first. */
static void keep_what_matters(Cve *cve)
{
	size_t n = 0;

	for (size_t i = 0; i < cve->n_instances; i++) {
		CveInstance *in = cve->instances[i];
		bool again = false;

		for (size_t k = 0; k < n; k++)
			again |= strcmp(cve->instances[k]->title, in->title) == 0;
		if (!again && named_by_verdict(cve, in))
			cve->instances[n++] = in;
	}
	cve->n_instances = n;
}

/* Judges for every target; *listed when the CVE belongs into the answer. */
static int judge(struct answer *ans, struct arena *a, Cve *cve, bool *listed)
{
	const struct answer_ask *ask = &ans->ask;
	bool scored = ask->min_score <= 0 || (cve->has_severity && cve->severity >= ask->min_score);
	bool open = ask->n_targets == 0;
	int err = judge_targets(ans->db, a, cve, ask->targets, ask->n_targets, &ans->livepatches);

	for (size_t i = 0; i < ask->n_targets && !err; i++) {
		struct tally *t = &ans->tallies[i];
		bool here = open_for(ask, cve->verdicts[i]);

		note_newest(t, cve);
		count(t, cve->verdicts[i]);
		t->sum.unscored += here && !scored && !cve->has_severity;
		open |= here;
	}
	*listed = open && scored;
	return err;
}

static int add_files(struct db *db, struct arena *a, Cve *cve)
{
	int err = db_program_files(db, a, cve);

	for (size_t i = 0; !err && i < cve->n_instances; i++)
		err = db_instance_files(db, a, cve, cve->instances[i]);
	return err;
}

/* Reads a batch and leaves in it what is listed. */
static int next_batch(struct answer *ans, struct arena *a)
{
	size_t n = 0;
	int err;

	ans->at = 0;
	if ((err = db_scan_next(ans->scan, a, &ans->batch)) || (err = db_begin_read(ans->db)))
		return err;
	for (size_t i = 0; !err && i < ans->batch.n; i++) {
		Cve *cve = ans->batch.cves[i];
		bool listed;

		if ((err = judge(ans, a, cve, &listed)) || !listed)
			continue;
		if (ans->ask.n_targets)
			keep_what_matters(cve);
		if (!ans->ask.brief)
			err = add_files(ans->db, a, cve);
		ans->batch.cves[n++] = cve;
	}
	ans->batch.n = n;
	db_rollback(ans->db);
	return err;
}

int answer_next(struct answer *ans, Cve **out)
{
	struct arena *a = ans->ask.keep ? ans->ask.keep : ans->own;
	int err;

	*out = NULL;
	while (ans->at == ans->batch.n && ans->batch.more) {
		if (ans->own)
			arena_reset(ans->own);
		if ((err = next_batch(ans, a)))
			return err;
	}
	if (ans->at < ans->batch.n)
		*out = ans->batch.cves[ans->at++];
	return 0;
}

const AnswerSummary *answer_summary(const struct answer *ans, size_t target)
{
	return &ans->tallies[target].sum;
}

void answer_close(struct answer *ans)
{
	if (!ans)
		return;
	db_scan_end(ans->scan);
	arena_free(ans->own);
	arena_free(ans->kept);
	free(ans->tallies);
	free(ans);
}
