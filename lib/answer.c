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

/* Against what CVEs are judged. */
struct judging {
	struct db *db;
	const struct db_target *targets;
	size_t n;
	const struct db_path_set *compiled; /* by each target's build; NULL: each path is asked for */
	struct db_livepatches livepatches;
};

struct answer {
	struct db *db;
	struct db_scan *scan;
	struct answer_ask ask;
	struct arena *own; /* unless ask.keep is there */
	struct db_batch batch;
	size_t at; /* the next of the batch */
	struct tally *tallies;
	struct judging judging;
	struct arena *kept; /* what the judging needs */
};

static void tally_init(struct tally *t, const struct db_target *target, bool least_score)
{
	answer_summary__init(&t->sum);
	kernel_version__init(&t->newest);
	t->sum.config = target->config;
	t->sum.version = (KernelVersion *)(uintptr_t)&target->version; /* protobuf-c's fields are not const */
	t->sum.has_affected = t->sum.has_not_compiled = t->sum.has_unknown = t->sum.has_not_affected = true;
	t->sum.has_fixed = true;
	t->sum.has_unscored = least_score;
	t->sum.has_built = target->config != NULL;
	t->sum.built = target->profiled;
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

/* What each build compiled, read whole: the files of every CVE are held against it. */
static int read_compiled(struct judging *j, struct arena *a)
{
	struct db_path_set *sets = arena_alloc(a, j->n * sizeof(*sets));
	int err = db_begin_read(j->db);

	for (size_t i = 0; !err && i < j->n; i++)
		if (j->targets[i].profiled)
			err = db_compiled_set(j->db, a, &j->targets[i], &sets[i]);
	db_rollback(j->db);
	j->compiled = sets;
	return err;
}

int answer_open(struct answer **out, struct db *db, const struct answer_ask *ask)
{
	struct answer *ans = xcalloc(1, sizeof(*ans));
	int err;

	ans->db = db;
	ans->ask = *ask;
	ans->judging = (struct judging){ .db = db, .targets = ask->targets, .n = ask->n_targets };
	ans->batch.more = true;
	ans->tallies = xcalloc(MAX_OF(ask->n_targets, 1u), sizeof(*ans->tallies));
	for (size_t i = 0; i < ask->n_targets; i++)
		tally_init(&ans->tallies[i], &ask->targets[i], ask->min_score > 0);
	if (!ask->keep)
		ans->own = arena_new(0);
	ans->kept = arena_new(0);
	if ((err = db_livepatches(db, ans->kept, NULL, &ans->judging.livepatches)) ||
	    (err = read_compiled(&ans->judging, ans->kept)) || (err = db_scan_begin(db, ask->brief, &ans->scan)))
		answer_close(ans);
	else
		*out = ans;
	return err;
}

/* Configs of one version, listed one after another, differ in what they compile alone. */
static bool same_version(const struct db_target *targets, size_t i)
{
	return i > 0 && kver_cmp(&targets[i].version, &targets[i - 1].version) == 0;
}

static void note_newest(struct tally *t, const Cve *cve)
{
	const KernelVersion *v = cve_newest_on_line(cve, t->sum.version);

	if (v && (!t->sum.newest || kver_cmp(v, t->sum.newest) > 0)) {
		t->newest = *v;
		t->sum.newest = &t->newest;
	}
}

/* The target before has the same version. */
static void share_newest(struct tally *t)
{
	t->newest = t[-1].newest;
	t->sum.newest = t[-1].sum.newest ? &t->newest : NULL;
}

static void count(struct tally *t, const Verdict *v)
{
	t->sum.affected += v->verdict == VERDICT_KIND__AFFECTED;
	t->sum.not_compiled += v->verdict == VERDICT_KIND__NOT_COMPILED;
	t->sum.unknown += v->verdict == VERDICT_KIND__UNKNOWN;
	t->sum.not_affected += v->verdict == VERDICT_KIND__NOT_AFFECTED;
	t->sum.fixed += v->fixed && (v->verdict == VERDICT_KIND__AFFECTED || v->verdict == VERDICT_KIND__UNKNOWN);
}

/* What the files of a fix say of the builds of one version and tree. */
struct evidence {
	bool known;
	bool whole; /* each commit of the fix has files here, or the record's stand in for them */
	int64_t tree;
	size_t n;
	struct db_fix_file *files;
	const char **reasons; /* of a build that compiles the file, made when there is one */
	VerdictKind verdict;  /* of a build that compiles none of them */
	const char *reason;
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

static unsigned count_old(const struct evidence *e)
{
	unsigned n = 0;

	for (size_t i = 0; i < e->n; i++)
		n += !e->files[i].created;
	return n;
}

static struct db_fix_file *find_path(const struct evidence *e, int64_t path)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->files[i].path == path)
			return &e->files[i];
	return NULL;
}

/* Each path once. What one commit of a fix creates the fix creates, whatever others do to it. */
static void pool_files(struct arena *a, struct evidence *e, size_t n, struct db_fix_file *files)
{
	if (e->n == 0) {
		e->n = n;
		e->files = files;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct db_fix_file *there = find_path(e, files[i].path);

		if (there)
			there->created |= files[i].created;
		else
			*(struct db_fix_file *)arena_grow(a, (void **)&e->files, &e->n, sizeof(*e->files)) = files[i];
	}
}

/* The files are those of the fix on the branch, else of mainline's; those that the record names stand in for a commit whose patch is not
 * stored. */
static int find_files(struct db *db, struct arena *a, const Cve *cve, const Verdict *v, struct evidence *e)
{
	const char **commits = v->n_fix_commits ? v->fix_commits : v->mainline_commits;
	size_t n = v->n_fix_commits ? v->n_fix_commits : v->n_mainline_commits, found;
	struct db_fix_file *files;
	bool lacking = n == 0;
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		found = 0;
		files = NULL;
		err = db_fix_files(db, a, commits[i], e->tree, &found, &files);
		lacking |= found == 0;
		pool_files(a, e, found, files);
	}
	e->whole = !lacking;
	if (!err && (lacking || count_old(e) == 0)) {
		found = 0;
		files = NULL;
		err = db_record_files(db, a, cve->id, e->tree, &found, &files);
		e->whole |= found > 0;
		pool_files(a, e, found, files);
	}
	e->reasons = arena_alloc(a, e->n * sizeof(*e->reasons));
	return err;
}

/* What a build that compiles none of the files means: NOT_COMPILED needs proof. Files that the fix creates prove nothing. */
static void weigh(struct arena *a, const Verdict *v, struct evidence *e)
{
	const struct db_fix_file *absent = NULL;
	bool compilable = false;

	for (size_t i = 0; i < e->n; i++) {
		const struct db_fix_file *f = &e->files[i];

		if (f->created)
			continue;
		if (!f->in_tree && !absent)
			absent = f;
		compilable |= is_compilable(f->name);
	}
	if (absent) {
		e->verdict = VERDICT_KIND__UNKNOWN;
		e->reason = arena_printf(a, "path not in this tree: %s; %s", shown(a, absent->name), v->reason);
	} else if (!compilable || !e->whole) {
		e->verdict = VERDICT_KIND__AFFECTED;
		e->reason = arena_printf(a, "cannot be told from files; %s", v->reason);
	} else {
		e->verdict = VERDICT_KIND__NOT_COMPILED;
		e->reason = arena_printf(a, "none of the %u files of the fix is compiled", count_old(e));
	}
}

/* The first of the files that target i compiles; e->n when it compiles none. */
static int find_compiled(const struct judging *j, size_t i, const struct evidence *e, size_t *at)
{
	bool compiled = false;
	int err = 0;

	for (*at = 0; *at < e->n; ++*at) {
		int64_t path = e->files[*at].path;

		if (j->compiled)
			compiled = db_path_set_has(&j->compiled[i], path);
		else
			err = db_is_compiled(j->db, j->targets[i].id, path, &compiled);
		if (err || compiled)
			break;
	}
	return err;
}

/* One that was dropped since the target was looked up proves nothing. */
static bool has_profile(const struct judging *j, size_t i)
{
	return j->targets[i].profiled && (!j->compiled || j->compiled[i].bits);
}

/* An affected version is not yet an affected kernel. v is the verdict on the version. */
static int judge_build(const struct judging *j, struct arena *a, const Cve *cve, size_t i, struct evidence *e, Verdict *v)
{
	const struct db_target *t = &j->targets[i];
	size_t at;
	int err;

	if (!has_profile(j, i)) {
		v->verdict = VERDICT_KIND__UNKNOWN;
		v->reason = arena_printf(a, "no complete build profile yet; %s", v->reason);
		return 0;
	}
	if (!e->known || e->tree != t->tree) {
		*e = (struct evidence){ .known = true, .tree = t->tree };
		if ((err = find_files(j->db, a, cve, v, e)))
			return err;
		weigh(a, v, e);
	}
	if ((err = find_compiled(j, i, e, &at)))
		return err;
	if (at == e->n) {
		v->verdict = e->verdict;
		v->reason = e->reason;
		return 0;
	}
	if (!e->reasons[at])
		e->reasons[at] = arena_printf(a, "%s is compiled; %s", shown(a, e->files[at].name), v->reason);
	v->reason = e->reasons[at];
	return 0;
}

static int judge_targets(const struct judging *j, struct arena *a, Cve *cve)
{
	Verdict plain;
	struct evidence e = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < j->n; i++) {
		Verdict *v = PB_ADD(a, cve, verdicts, verdict);

		if (!same_version(j->targets, i)) {
			plain = (Verdict)VERDICT__INIT;
			cve_judge(a, cve, &j->targets[i].version, &plain);
			e.known = false;
		}
		*v = plain;
		v->config = j->targets[i].config;
		if (j->targets[i].id && v->verdict == VERDICT_KIND__AFFECTED)
			err = judge_build(j, a, cve, i, &e, v);
		db_livepatch_judge(&j->livepatches, a, cve->id, v);
	}
	return err;
}

int answer_judge(struct db *db, struct arena *a, Cve *cve, const struct db_target *targets, size_t n)
{
	struct judging j = { .db = db, .targets = targets, .n = n };
	int err = db_livepatches(db, a, cve->id, &j.livepatches);

	return err ? err : judge_targets(&j, a, cve);
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
	int err = judge_targets(&ans->judging, a, cve);

	for (size_t i = 0; i < ask->n_targets && !err; i++) {
		struct tally *t = &ans->tallies[i];
		bool here = open_for(ask, cve->verdicts[i]);

		if (same_version(ask->targets, i))
			share_newest(t);
		else
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
