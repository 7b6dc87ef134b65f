/* The last approved revision of a livepatch, in a pane of its own beside what is to become of it: a newer revision, or a draft. */
#ifndef TUXTAPE_DASH_APPROVED_H
#define TUXTAPE_DASH_APPROVED_H

#include "applets/dash_data.h"

/* Starts from { .pane = N }, the page's pane, which `shares`; release with dash_approved_free. */
struct dash_approved {
	unsigned pane;
	uint64_t patch;
	uint32_t revision;   /* 0: none is shown */
	uint32_t request;    /* for what is shown */
	struct arena *arena; /* of what came of it */
	PatchRevision *body; /* NULL: not here yet */

	/* Of dash_approved_find. */
	uint32_t list_request, record_request;
	char *commit;         /* that a livepatch is wanted for */
	uint64_t *candidates; /* livepatches, newest change first, which are asked for one by one */
	size_t n, at;
};

void dash_approved_free(struct dash_approved *a);

/* Shows what was approved last of the record, once it has come, unless the newest revision is it; else hides the pane. What is shown already
 * stays. */
void dash_approved_beside(struct dash *d, struct dash_approved *a, const PatchRecord *r);

/* The same for a draft: of the CVE's livepatches that hold the fix commit, for the kernel (NULL: for any) that a verdict is on. */
void dash_approved_find(struct dash *d, struct dash_approved *a, const char *cve_id, const char *commit,
			const Verdict *kernel);

/* Hides the pane, and waits for nothing any more. */
void dash_approved_drop(struct dash *d, struct dash_approved *a);

/* Takes an answer; false where it is not to this. */
bool dash_approved_answered(struct dash *d, struct dash_approved *a, const struct dash_request *r,
			    const struct dash_answer *answer);

/* The pane's text. */
void dash_approved_text(const struct dash_approved *a, struct dash_text *out);

/* ACT_APPROVED. */
void dash_approved_swap(struct dash *d, const struct dash_approved *a);

#endif
