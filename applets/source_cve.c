/* Owns reading the fix of an instance from a database or a server. */
#include "applets/client.h"

#include "lib/answer.h"
#include "lib/db_cve.h"
#include "lib/dyad.h"
#include "lib/err.h"

/* Puts the chunks together again. */
static int fetch_fix(struct source *s, struct arena *a, const char *title, Fix **out)
{
	FetchPatchRequest r = FETCH_PATCH_REQUEST__INIT;
	Fix *fix = pb_new(a, &fix__descriptor);
	struct buf patch = { 0 };
	enum rpc_news news = RPC_NOTHING;
	int err;

	r.title = title;
	err = rpc_start(s->rpc, RPC_FETCH_PATCH, &r.base);
	while (!err && news != RPC_END) {
		PatchChunk *chunk;

		if ((err = rpc_next(s->rpc, a, s->timeout_ms, &news, &chunk)) || news == RPC_END)
			break;
		if (news == RPC_NOTHING) {
			err = fail(ERR_NET, "no answer within %d ms", s->timeout_ms);
			break;
		}
		if (chunk->fix_commit) {
			fix->fix_commit = chunk->fix_commit;
			fix->has_state = chunk->has_state;
			fix->state = chunk->state;
			fix->has_subject = chunk->has_subject;
			fix->subject = chunk->subject;
		}
		fix->has_patch |= chunk->has_raw;
		buf_add(&patch, chunk->raw.data, chunk->raw.len);
	}
	fix->patch = pb_bytes(a, buf_str(&patch), patch.len);
	buf_free(&patch);
	*out = fix;
	return err;
}

static int load_fix(struct source *s, struct arena *a, const char *title, Fix **out)
{
	const char *id, *commit;
	Fix *fix;
	int err;

	/* As with `cves show`: an operand that can be no title is misuse. */
	if ((err = dyad_split_title(a, title, &id, &commit)))
		return err == ERR_INPUT ? ERR_USAGE : err;
	if (strcmp(commit, "nofix") == 0)
		return fail(ERR_NOTFOUND, "%s: there is no fix for this instance", title);
	if (s->rpc)
		return fetch_fix(s, a, title, out);
	if ((err = db_fix_get(s->db, a, id, commit, &fix)))
		return err;
	/* The same fields as come over the wire, so that scripts see one answer. */
	*out = pb_new(a, &fix__descriptor);
	(*out)->fix_commit = fix->fix_commit;
	(*out)->has_state = true;
	(*out)->state = fix->state;
	(*out)->has_subject = fix->has_subject;
	(*out)->subject = fix->subject;
	(*out)->has_patch = fix->has_patch;
	(*out)->patch = fix->patch;
	return 0;
}

int source_patch(struct source *s, struct arena *a, const char *title, Fix **out)
{
	static const char *const why[] = {
		[FIX_STATE__FIX_MISSING] =
			"the clone of the kernel does not have that commit; fetch and run `tuxtape parse` again",
		[FIX_STATE__FIX_ROOT] = "that commit has no parent to differ from",
		[FIX_STATE__FIX_MERGE] = "that commit is a merge",
	};
	int err;

	if ((err = load_fix(s, a, title, out)))
		return err;
	if ((*out)->state != FIX_STATE__FIX_STORED)
		return fail(ERR_NOTFOUND, "%s: no patch: %s", title,
			    (*out)->state < ARRAY_LEN(why) && why[(*out)->state] ? why[(*out)->state]
										 : "its state is not known here");
	return 0;
}

int source_cve(struct source *s, struct arena *a, const FetchCveRequest *r, Cve **cve)
{
	struct db_target *targets;
	size_t n;
	int err;

	if (s->rpc)
		return rpc_call(s->rpc, RPC_FETCH_CVE, &r->base, a, s->timeout_ms, cve);
	if ((err = db_begin_read(s->db)))
		return err;
	if (!(err = answer_targets(s->db, a, r->n_configs, r->configs, r->kernel_version, false, &n, &targets)) &&
	    !(err = db_cve_get(s->db, a, r->id, cve)))
		err = answer_judge(s->db, a, *cve, targets, n);
	db_rollback(s->db);
	return err;
}
