/* tuxtape patch: from a raw fix to an approved livepatch. Owns the verbs and options; drafts stand in patch_draft.c and patch_work.c, what the
 * server keeps in patch_review.c and patch_audit.c. */
#include "applets/patch.h"

#include "lib/err.h"
#include "lib/str.h"

#include <stdio.h>

static const char *const states[] = { "submitted", "approved", "rejected", "withdrawn", NULL };

#define O(field) offsetof(struct patch_options, field)
static const struct opt options[] = {
	{ "kernel", 'k', OPT_LIST, O(kernels), "VERSION", "kernel that the patch is for; may be repeated", NULL,
	  .flag_only = true, .verbs = "new edit check port submit list diff export" },
	{ "config", 'c', OPT_LIST, O(configs), "NAME", "config that the patch is for; may be repeated", NULL,
	  .flag_only = true, .verbs = "new edit check port submit list diff export" },
	{ "to", 0, OPT_STRING, O(to), "VERSION", "kernel to bring the patch to", NULL, .flag_only = true, .verbs = "port" },
	{ "message", 'm', OPT_STRING, O(message), "TEXT", "what to say", NULL, .flag_only = true,
	  .verbs = "submit review withdraw" },
	{ "approve", 0, OPT_FLAG, O(approve), NULL, "approve", .flag_only = true, .verbs = "review" },
	{ "reject", 0, OPT_FLAG, O(reject), NULL, "reject", .flag_only = true, .verbs = "review" },
	{ "revision", 0, OPT_NUMBER, O(revision), "N", "revision that is meant; the newest unless given", "0",
	  .most = UINT32_MAX, .flag_only = true, .verbs = "review show diff export port" },
	{ "since", 0, OPT_NUMBER, O(since), "N", "compare with this revision, not with the raw fix", "0", .most = UINT32_MAX,
	  .flag_only = true, .verbs = "diff" },
	{ "approved", 0, OPT_FLAG, O(approved), NULL, "compare with the revision that was approved last", .flag_only = true,
	  .verbs = "diff" },
	{ "accept-unchecked", 0, OPT_FLAG, O(accept_unchecked), NULL,
	  "approve though the server had no tree to apply the patch to", .flag_only = true, .verbs = "review" },
	{ "state", 0, OPT_WORD, O(state), "STATE", "only submitted, approved, rejected or withdrawn", NULL, states,
	  .flag_only = true, .verbs = "list" },
	{ "cve", 0, OPT_STRING, O(cve), "CVE-ID", "only those for this CVE", NULL, .flag_only = true, .verbs = "list" },
	{ "mine", 0, OPT_FLAG, O(mine), NULL, "only those whose newest revision is one's own", .flag_only = true,
	  .verbs = "list" },
	{ "verify", 0, OPT_FLAG, O(verify), NULL, "check that nothing in the log was changed", .flag_only = true,
	  .verbs = "audit" },
	{ "head", 0, OPT_STRING, O(head), "HASH", "and that it holds the entry with this head", NULL, .flag_only = true,
	  .verbs = "audit" },
	{ "drafts", 0, OPT_PATH, O(drafts), "DIR", "where one's own drafts are", "~/.local/share/tuxtape/patches" },
	{ "linux-repo", 0, OPT_PATH, O(linux_repo), "DIR", "clone of the kernel to apply patches to; only read",
	  "~/.cache/tuxtape-dashboard/git/linux" },
	{ "db", 0, OPT_PATH, O(db), "FILE", "database to read", "~/.cache/tuxtape-server/db.db3", .alias = "db-path",
	  .verbs = "new edit check port list show diff export audit" },
	CLIENT_OPTIONS(struct patch_options),
	{ "json", 0, OPT_FLAG, O(json), NULL, "print JSON", .flag_only = true,
	  .verbs = "edit check submit list show review withdraw audit" },
	APPLET_COMMON_KERNEL(struct patch_options),
	OPT_END,
};
#undef O

static const struct verb {
	struct applet_verb words;
	bool number; /* the operand must be the number of a patch */
	int (*run)(struct patch_run *r);
} verbs[] = {
	{ { "new", 1, 1, "TITLE or CVE-ID" }, false, patch_new },
	{ { "edit", 1, 1, "TITLE" }, false, patch_edit },
	{ { "check", 1, 1, "TITLE or FILE" }, false, patch_check_verb },
	{ { "port", 1, 1, "TITLE, FILE or ID" }, false, patch_port },
	{ { "submit", 1, 1, "TITLE or FILE" }, false, patch_submit },
	{ { "list", 0, 0, "no operand" }, false, patch_list },
	{ { "show", 1, 1, "ID" }, true, patch_show },
	{ { "diff", 1, 1, "ID, TITLE or FILE" }, false, patch_diff },
	{ { "review", 1, 1, "ID" }, true, patch_review },
	{ { "withdraw", 1, 1, "ID" }, true, patch_withdraw },
	{ { "export", 1, 1, "ID or TITLE" }, false, patch_export },
	{ { "audit", 0, 0, "no operand" }, false, patch_audit },
};

int patch_source(struct patch_run *r)
{
	if (r->source.db || r->source.rpc)
		return 0;
	return source_open(&r->source, &applet_patch, &r->o->common, r->o->db, &r->o->client, r->arena);
}

static int run_verb(struct patch_run *r, int argc, char **argv)
{
	size_t verb;
	int err = applet_find_verb(&applet_patch, &r->o->common, verbs, ARRAY_LEN(verbs), sizeof(verbs[0]), argc, argv,
				   &verb);

	if (err)
		return err;
	r->arg = argc > 2 ? argv[2] : NULL;
	if (r->arg && !str_to_u64(r->arg, INT64_MAX, &r->id) && verbs[verb].number)
		return fail(ERR_USAGE, "'%s' is not the number of a patch; `tuxtape patch list` shows them", r->arg);
	return verbs[verb].run(r);
}

static int patch_main(int argc, char **argv)
{
	struct patch_options o = { 0 };
	struct patch_run r = { .arena = arena_new(0), .o = &o };
	int err = applet_begin(&applet_patch, &o, &argc, argv, r.arena);
	int code;

	if (!err)
		err = run_verb(&r, argc, argv);
	source_close(&r.source);
	code = applet_end(err);
	arena_free(r.arena);
	return code == EXIT_DONE && r.degraded ? EXIT_DEGRADED : code;
}

const struct applet applet_patch = {
	.name = "patch",
	.summary = "livepatches: new, edit, check, port, submit, list, show, diff, review, withdraw, export, audit",
	.synopsis = "new TITLE | CVE-ID [--kernel VERSION | --config NAME] [OPTION]...\npatch edit TITLE [OPTION]...\n"
		    "patch check TITLE | FILE [OPTION]...\npatch port TITLE | FILE | ID --to VERSION [OPTION]...\n"
		    "patch submit TITLE | FILE -m TEXT [OPTION]...\npatch list [OPTION]...\npatch show ID [OPTION]...\n"
		    "patch diff ID | TITLE | FILE [OPTION]...\npatch review ID --approve | --reject -m TEXT [OPTION]...\n"
		    "patch withdraw ID [-m TEXT] [OPTION]...\npatch export ID | TITLE --kernel VERSION [OPTION]...\npatch "
		    "audit [--verify [--head HASH]] "
		    "[OPTION]...",
	.options = options,
	.options_size = sizeof(struct patch_options),
	.common = offsetof(struct patch_options, common),
	.run = patch_main,
};
