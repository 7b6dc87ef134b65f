/* Handing a patch of one's own in to review: for which kernel, with which words. */
#ifndef TUXTAPE_DASH_SUBMIT_H
#define TUXTAPE_DASH_SUBMIT_H

#include "applets/dash_data.h"

/* Starts from { 0 }; release with dash_submit_free. */
struct dash_submit {
	char *title, *path;      /* of the instance, and of the patch for it */
	struct arena *arena;     /* of the targets */
	const Verdict **targets; /* config NULL: a version; the last entry, NULL, is for a version that is typed */
	size_t n_targets;
	const char *config; /* chosen; NULL: a version */
	KernelVersion version;
	uint32_t request;
};

void dash_submit_free(struct dash_submit *s);

/* Asks for the kernel among those that cve was judged for, `first` (may be NULL) before the others, then for a note. Popups have the tags
 * from `tag` on, three of them. */
void dash_submit_begin(struct dash *d, struct dash_submit *s, unsigned tag, const Cve *cve, const Verdict *first,
		       const char *title, const char *path);

/* What was said in one of these popups. */
void dash_submit_said(struct dash *d, struct dash_submit *s, unsigned tag, const struct dash_said *said);

/* The server's answer; shows what it found where that is in the way, and tells of the new livepatch. */
void dash_submit_answered(struct dash *d, struct dash_submit *s, const struct dash_answer *a);

#endif
