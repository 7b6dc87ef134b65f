/* An upstream fix as a page shows it: asked for by the title of its instance, kept whole. */
#ifndef TUXTAPE_DASH_FIX_H
#define TUXTAPE_DASH_FIX_H

#include "applets/dash_data.h"

/* Starts from { 0 }; release with dash_fix_free. */
struct dash_fix {
	uint32_t request;             /* 0: none is under way */
	char *title;                  /* of the instance; NULL: none */
	char *subject, *commit, *why; /* why there is no patch; NULL where there is one */
	struct buf raw;               /* the patch */
	bool there;                   /* all of it has come */
};

void dash_fix_free(struct dash_fix *f);

/* Forgets what was there and asks for another one; false where the title (NULL: none) has no fix to ask for. */
bool dash_fix_ask(struct dash *d, struct dash_fix *f, const char *title);

/* Takes an answer: FIX_OTHERS where it is not to this request. */
enum dash_fix_news { FIX_OTHERS, FIX_GROWS, FIX_FAILED, FIX_HERE };
enum dash_fix_news dash_fix_answered(struct dash_fix *f, const struct dash_request *r, const struct dash_answer *a);

/* Commit, subject and diff, or why there is none; nothing before it is there. */
void dash_fix_text(const struct dash_fix *f, struct dash_text *out);

/* The answer to LOCAL_DIFF or LOCAL_DIFF_TEXTS: gathered in diff, which was empty, then shown under the title. */
void dash_diff_answered(struct dash *d, struct buf *diff, const char *title, const struct dash_answer *a);

#endif
