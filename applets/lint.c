/* tuxtape lint: what in a patch will not survive being turned into a livepatch. Owns the options; the rules stand in lib/lint*.c. */
#include "applets/patch.h"

#include "lib/err.h"

#include <stdio.h>
#include <unistd.h>

struct lint_options {
	struct applet_common common;
	struct client_options client;
	const char *db, *kernel, *config, *linux_repo;
	bool json;
};

#define O(field) offsetof(struct lint_options, field)
static const struct opt options[] = {
	{ "kernel", 'k', OPT_STRING, O(kernel), "VERSION", "kernel that the patch is for", NULL, .flag_only = true },
	{ "config", 'c', OPT_STRING, O(config), "NAME", "config that the patch is for", NULL, .flag_only = true },
	{ "linux-repo", 0, OPT_PATH, O(linux_repo), "DIR", "clone of the kernel to read the tree from; only read",
	  "~/.cache/tuxtape-dashboard/git/linux" },
	{ "db", 0, OPT_PATH, O(db), "FILE", "database to read the config from", "~/.cache/tuxtape-server/db.db3",
	  .alias = "db-path" },
	CLIENT_OPTIONS(struct lint_options),
	{ "json", 0, OPT_FLAG, O(json), NULL, "print JSON", .flag_only = true },
	APPLET_COMMON_KERNEL(struct lint_options),
	OPT_END,
};
#undef O

/* The version of a config that is named together with one is that one. */
static int find_kernel(const struct lint_options *o, struct arena *a, struct patch_kernel *k)
{
	KernelVersion *version = NULL;
	struct source source = { 0 };
	int err;

	if (!o->kernel && !o->config)
		return fail(ERR_USAGE, "say which kernel the patch is for: --kernel VERSION, --config NAME, or both");
	if (o->kernel && (err = patch_version(a, o->kernel, &version)))
		return err;
	*k = (struct patch_kernel){ .version = version };
	if (!o->config)
		return 0;
	if (!(err = source_open(&source, &applet_lint, &o->common, o->db, &o->client, a)))
		err = patch_kernel_of(&source, a, o->config, NULL, k);
	source_close(&source);
	if (!err && version) {
		k->version = version;
		k->ref = NULL;
	}
	return err;
}

static int lint_file(const struct lint_options *o, struct arena *a, const char *path, bool *degraded)
{
	struct buf text = { 0 };
	struct patch_kernel kernel;
	struct repo *repo = NULL;
	PatchCheck *check;
	struct diff diff;
	const char *why;
	int err;

	if ((err = find_kernel(o, a, &kernel)))
		return err;
	err = strcmp(path, "-") == 0 ? buf_read_fd(&text, STDIN_FILENO, DIFF_MOST) : buf_read_file(&text, path, DIFF_MOST);
	if (!err && (err = patch_read(a, buf_str(&text), text.len, &diff)))
		err = fail_in(err, "%s", path);
	if (err) {
		buf_free(&text);
		return err;
	}
	patch_clone(a, o->linux_repo, &repo, &why);
	if (!(err = patch_check(a, &diff, &kernel, repo, why, &check))) {
		if (o->json)
			applet_print_json(&check->base);
		else
			patch_print_check(a, check);
		*degraded = !check->commit;
		err = patch_judge(a, check);
	}
	repo_close(repo);
	buf_free(&text);
	return err;
}

static int lint_main(int argc, char **argv)
{
	struct lint_options o = { 0 };
	struct arena *a = arena_new(0);
	bool degraded = false;
	int err = applet_begin(&applet_lint, &o, &argc, argv, a);
	int code;

	if (!err && argc != 2)
		err = fail(ERR_USAGE, "lint takes one PATCH, a file or -; see tuxtape lint --help");
	if (!err)
		err = lint_file(&o, a, argv[1], &degraded);
	code = applet_end(err);
	arena_free(a);
	return code == EXIT_DONE && degraded ? EXIT_DEGRADED : code;
}

const struct applet applet_lint = {
	.name = "lint",
	.summary = "check a patch: what keeps it from becoming a livepatch, and does it apply",
	.synopsis = "PATCH --kernel VERSION | --config NAME [OPTION]...",
	.options = options,
	.options_size = sizeof(struct lint_options),
	.common = offsetof(struct lint_options, common),
	.run = lint_main,
};
