/* Owns what the dashboard keeps of each CVE in its list: what a row shows, in few bytes. */
#include "applets/dash_cve_list.h"

#include "applets/cves.h"
#include "lib/clock.h"
#include "lib/dyad.h"
#include "lib/err.h"

#include <math.h>
#include <stdlib.h>

struct cve_list *cve_list_new(void)
{
	struct cve_list *l = xcalloc(1, sizeof(*l));

	l->arena = arena_new(0);
	return l;
}

void cve_list_free(struct cve_list *l)
{
	if (!l)
		return;
	arena_free(l->arena);
	free(l);
}

/* Fixed on the branch comes first, then in mainline, then not at all; within each by version. */
static uint64_t fix_order(const Verdict *v)
{
	const KernelVersion *k = v->fixed ? v->fixed : v->mainline_fixed;
	uint64_t rank = v->fixed ? 0 : k ? 1 : 2;

	if (!k)
		return rank << 60;
	return rank << 60 | (uint64_t)(k->major & 0xfff) << 48 | (uint64_t)(k->minor & 0xffff) << 32 |
	       (uint64_t)(k->patch & 0xfff) << 20 | (uint64_t)((k->stable + k->patch) & 0xfff) << 8 |
	       (k->has_rc ? k->rc & 0x7f : 0x80);
}

bool cve_verdict_open(const Verdict *v)
{
	return v->verdict == VERDICT_KIND__AFFECTED || v->verdict == VERDICT_KIND__UNKNOWN;
}

/* The first of the worst: affected, then unknown. NULL where there is none. */
const Verdict *cve_verdict_worst(const Cve *cve)
{
	static const VerdictKind order[] = { VERDICT_KIND__AFFECTED, VERDICT_KIND__UNKNOWN };

	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		for (size_t i = 0; i < cve->n_verdicts; i++)
			if (cve->verdicts[i]->verdict == order[k])
				return cve->verdicts[i];
	return cve->n_verdicts ? cve->verdicts[0] : NULL;
}

const char *cve_livepatch_word(unsigned livepatch)
{
	static const char *const words[] = {
		[LIVE_NONE] = "",
		[LIVE_WITHDRAWN] = "withdrawn",
		[LIVE_REJECTED] = "rejected",
		[LIVE_SUBMITTED] = "submitted",
		[LIVE_PARTLY] = "partly",
		[LIVE_APPROVED] = "approved",
	};

	return words[livepatch < ARRAY_LEN(words) ? livepatch : LIVE_NONE];
}

static unsigned livepatch_of(const Verdict *v)
{
	static const unsigned states[] = {
		[PATCH_STATE__SUBMITTED] = LIVE_SUBMITTED,
		[PATCH_STATE__APPROVED] = LIVE_APPROVED,
		[PATCH_STATE__REJECTED] = LIVE_REJECTED,
		[PATCH_STATE__WITHDRAWN] = LIVE_WITHDRAWN,
	};

	return v->has_livepatch && (unsigned)v->livepatch < ARRAY_LEN(states) ? states[v->livepatch] : LIVE_NONE;
}

/* Approved is what every kernel that needs it has; short of that, what is nearest to it. */
static unsigned livepatch_of_all(const Cve *cve)
{
	unsigned best = LIVE_NONE, worst = LIVE_APPROVED;
	bool open = cve_verdict_open(cve_verdict_worst(cve));

	for (size_t i = 0; i < cve->n_verdicts; i++) {
		unsigned one = livepatch_of(cve->verdicts[i]);

		if (open && !cve_verdict_open(cve->verdicts[i]))
			continue;
		best = MAX_OF(best, one);
		worst = MIN_OF(worst, one);
	}
	return best == LIVE_APPROVED && worst != LIVE_APPROVED ? LIVE_PARTLY : best;
}

void cve_list_add(struct cve_list *l, const Cve *cve)
{
	const Verdict *shown = cve_verdict_worst(cve);
	struct cve_row *r;

	if (!shown || !cve->id)
		return;
	r = arena_grow(l->arena, (void **)&l->rows, &l->n, sizeof(*r));
	for (size_t i = 0; i < cve->n_verdicts; i++)
		r->kernels += cve_verdict_open(cve->verdicts[i]);
	r->id = arena_strdup(l->arena, cve->id);
	r->key = cve_key(cve->id, strlen(cve->id));
	r->title = cve->title ? arena_strdup(l->arena, cve->title) : NULL;
	r->tenths = cve->has_severity ? (int16_t)lround(cve->severity * 10) : -1;
	r->verdict = (uint8_t)shown->verdict;
	r->livepatch = (uint8_t)livepatch_of_all(cve);
	r->fixed = shown->fixed != NULL;
	r->fix_order = fix_order(shown);
	if (!cve->published || !clock_parse(cve->published, &r->published) || r->published < 0)
		r->published = 0;
	/* Neighbours often have the same fix. */
	r->fix = cves_fix_word(l->arena, shown);
}
