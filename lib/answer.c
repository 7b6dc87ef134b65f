/* Owns the joining of database and timeline rule. Leaves nothing out silently: what it does not list it counts. */
#include "lib/answer.h"

#include "lib/cve.h"
#include "lib/db_cve.h"
#include "lib/err.h"
#include "lib/kver.h"

#include <stdlib.h>

/* What the answer keeps of a target. */
struct tally {
	AnswerSummary sum;
	KernelVersion newest;
};

struct answer {
	struct db_scan *scan;
	struct answer_ask ask;
	struct arena *own; /* unless ask.keep is there */
	struct db_batch batch;
	size_t at; /* the next of the batch */
	struct tally *tallies;
};

static void tally_init(struct tally *t, const struct answer_target *target)
{
	answer_summary__init(&t->sum);
	kernel_version__init(&t->newest);
	t->sum.config = target->config;
	t->sum.version = (KernelVersion *)(uintptr_t)&target->version; /* protobuf-c's fields are not const */
	t->sum.has_affected = t->sum.has_not_compiled = t->sum.has_unknown = t->sum.has_not_affected = true;
	t->sum.has_fixed = t->sum.has_unscored = true;
}

int answer_open(struct answer **out, struct db *db, const struct answer_ask *ask)
{
	struct answer *ans = xcalloc(1, sizeof(*ans));
	int err;

	ans->ask = *ask;
	ans->batch.more = true;
	ans->tallies = xcalloc(MAX_OF(ask->n_targets, 1u), sizeof(*ans->tallies));
	for (size_t i = 0; i < ask->n_targets; i++)
		tally_init(&ans->tallies[i], &ask->targets[i]);
	if (!ask->keep)
		ans->own = arena_new(0);
	if ((err = db_scan_begin(db, ask->brief, &ans->scan)))
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

static bool open_for(const struct answer_ask *ask, const Verdict *v)
{
	if (v->verdict == VERDICT_KIND__NOT_AFFECTED)
		return false;
	return ask->fix == ANSWER_ANY || (ask->fix == ANSWER_FIXED) == (v->fixed != NULL);
}

/* Judges for every target; true when the CVE is to be listed. */
static bool judge(struct answer *ans, struct arena *a, Cve *cve)
{
	const struct answer_ask *ask = &ans->ask;
	bool scored = ask->min_score <= 0 || (cve->has_severity && cve->severity >= ask->min_score);
	bool open = ask->n_targets == 0;

	for (size_t i = 0; i < ask->n_targets; i++) {
		struct tally *t = &ans->tallies[i];
		Verdict *v = PB_ADD(a, cve, verdicts, verdict);
		bool listed;

		note_newest(t, cve);
		cve_judge(a, cve, &ask->targets[i].version, v);
		v->config = ask->targets[i].config;
		count(t, v);
		listed = open_for(ask, v);
		t->sum.unscored += listed && !scored && !cve->has_severity;
		open |= listed;
	}
	return open && scored;
}

int answer_next(struct answer *ans, Cve **out)
{
	struct arena *a = ans->ask.keep ? ans->ask.keep : ans->own;
	int err;

	for (*out = NULL;;) {
		while (ans->at < ans->batch.n) {
			Cve *cve = ans->batch.cves[ans->at++];

			if (judge(ans, a, cve)) {
				*out = cve;
				return 0;
			}
		}
		if (!ans->batch.more)
			return 0;
		if (ans->own)
			arena_reset(ans->own);
		ans->at = 0;
		if ((err = db_scan_next(ans->scan, a, &ans->batch)))
			return err;
	}
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
	free(ans->tallies);
	free(ans);
}
