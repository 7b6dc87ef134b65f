/* Owns an upstream fix on its way to the screen, chunk by chunk. Refuses more than a patch may have. */
#include "applets/dash_fix.h"

#include "lib/diff.h"
#include "lib/err.h"
#include "lib/str.h"

#include <stdlib.h>

void dash_fix_free(struct dash_fix *f)
{
	char **texts[] = { &f->title, &f->subject, &f->commit, &f->why };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		dash_keep(texts[i], NULL);
	buf_free(&f->raw);
}

bool dash_fix_ask(struct dash *d, struct dash_fix *f, const char *title)
{
	FetchPatchRequest q = FETCH_PATCH_REQUEST__INIT;

	dash_cancel(d, f->request);
	f->request = 0;
	f->there = false;
	buf_reset(&f->raw);
	dash_keep(&f->title, title);
	dash_keep(&f->why, NULL);
	if (!f->title || str_ends(f->title, "-nofix"))
		return false;
	q.title = f->title;
	f->request = dash_call(d, RPC_FETCH_PATCH, &q.base);
	return true;
}

static const char *why_not(FixState state)
{
	static const char *const words[] = {
		[FIX_STATE__FIX_MISSING] = "the server's clone of the kernel does not have this commit",
		[FIX_STATE__FIX_ROOT] = "the commit has no parent to differ from",
		[FIX_STATE__FIX_MERGE] = "the commit is a merge: it has several parents",
	};

	return state > 0 && state < ARRAY_LEN(words) ? words[state] : NULL;
}

static void take_chunk(struct dash_fix *f, const PatchChunk *c)
{
	if (c->has_state) {
		char *subject = c->has_subject ? xasprintf("%.*s", (int)c->subject.len, (char *)c->subject.data) : NULL;

		dash_keep(&f->commit, c->fix_commit);
		dash_keep(&f->subject, subject);
		dash_keep(&f->why, why_not(c->state));
		free(subject);
	}
	if (c->has_raw && f->raw.len + c->raw.len <= DIFF_MOST)
		buf_add(&f->raw, c->raw.data, c->raw.len);
}

enum dash_fix_news dash_fix_answered(struct dash_fix *f, const struct dash_request *r, const struct dash_answer *a)
{
	if (!f->request || r->id != f->request)
		return FIX_OTHERS;
	if (a->state == DASH_MORE) {
		if (a->message)
			take_chunk(f, a->message);
		return FIX_GROWS;
	}
	f->request = 0;
	f->there = a->state == DASH_DONE;
	return f->there ? FIX_HERE : FIX_FAILED;
}

void dash_fix_text(const struct dash_fix *f, struct dash_text *out)
{
	if (!f->there)
		return;
	dash_text_field(out, "Commit", ST_PLAIN, "%s", f->commit ? f->commit : "?");
	if (f->subject)
		dash_text_field(out, "Subject", ST_PLAIN, "%s", f->subject);
	dash_text_add(out, ST_PLAIN, "%s", "");
	if (f->why)
		dash_text_add(out, ST_WARNING, "%s", f->why);
	else if (f->raw.len == 0)
		dash_text_add(out, ST_DIM, "the commit changes nothing");
	else
		dash_text_diff(out, f->raw.data, f->raw.len);
}

void dash_diff_answered(struct dash *d, struct buf *diff, const char *title, const struct dash_answer *a)
{
	const struct dash_bytes *bytes = a->message;
	struct dash_text *t;

	if (a->state == DASH_FAILED) {
		dash_alert(d, ST_ERROR, "%s", a->text);
	} else if (a->state == DASH_MORE) {
		buf_add(diff, bytes->data, bytes->n);
	} else {
		t = dash_show_text(d, title);
		dash_text_diff(t, buf_str(diff), diff->len);
		if (diff->len == 0)
			dash_text_add(t, ST_DIM, "nothing differs");
	}
}
