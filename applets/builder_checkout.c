/* Owns the checkout of a tag for a build. Refuses to write any repository but the builder's own, and that only to fetch. */
#include "applets/builder.h"
#include "applets/kernel_clone.h"

#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/repo.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define TREE_CACHE (64u << 20)
#define CLONE_NEEDS ((uint64_t)8 << 30)

static void report_fetch(void *ctx UNUSED, const char *step, uint64_t objects, uint64_t total, uint64_t bytes UNUSED)
{
	log_verbose("fetch %s: %llu of %llu objects", step, (unsigned long long)objects, (unsigned long long)total);
}

static void report_files(void *ctx UNUSED, uint64_t files)
{
	log_verbose("%llu files", (unsigned long long)files);
}

/* The tag's commit; fetched first where our own clone lacks it. */
static int find_commit(const struct builder_options *o, struct arena *a, const char *ref, struct repo **r,
		       char commit[REPO_HEX])
{
	struct repo_sync how = { .url = o->linux_url,
				 .ca_file = o->ca_file,
				 .need = "linux",
				 .need_bytes = CLONE_NEEDS,
				 .progress = { report_fetch, NULL } };
	char tip[REPO_HEX];
	bool lent, changed;
	int err;

	how.path = kernel_clone_find(a, o->linux_repo, &lent);
	err = repo_open(r, how.path);
	if (!err && (err = repo_ref(*r, ref, commit)) != ERR_NOTFOUND)
		return err;
	if (lent)
		return fail(ERR_NOTFOUND, "%s is lent by another applet and has no tag %s: its owner has to fetch it",
			    how.path, ref);
	log_note("%s: fetching, for tag %s", how.path, ref);
	repo_close(*r);
	*r = NULL;
	if ((err = repo_fetch(&how, &changed, tip)) || (err = repo_open(r, how.path)))
		return err;
	return repo_ref(*r, ref, commit);
}

static int add_path(void *ctx, const char *path, bool there UNUSED)
{
	return fwrite(path, 1, strlen(path) + 1, ctx) == strlen(path) + 1 ? 0 : fail(ERR_SYS, "%s", strerror(errno));
}

/* One path after another, each with its NUL. */
static int write_paths(struct repo *r, const char *commit, const char *path)
{
	FILE *f = fopen(path, "we");
	int err;

	if (!f)
		return fail(ERR_SYS, "%s: %s", path, strerror(errno));
	err = repo_changes(r, NULL, commit, "", add_path, f);
	if (fclose(f) && !err)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	return err;
}

static int write_commit(const char *path, const char *commit)
{
	FILE *f = fopen(path, "we");
	int err = 0;

	if (!f || fprintf(f, "%s\n", commit) < 0)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	if (f && fclose(f) && !err)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	return err;
}

static int make_folder(const char *path)
{
	return mkdir(path, 0755) < 0 ? fail(ERR_SYS, "%s: %s", path, strerror(errno)) : 0;
}

int builder_checkout(const struct builder_options *o, struct arena *a, const char *ref, const char *dir)
{
	const char *tree = arena_printf(a, "%s/tree", dir);
	struct repo *r = NULL;
	char commit[REPO_HEX];
	int err;

	if ((err = repo_setup(TREE_CACHE)) || (err = find_commit(o, a, ref, &r, commit)) ||
	    (err = file_make_parents(tree)) || (err = make_folder(tree)) ||
	    (err = make_folder(arena_printf(a, "%s/home", dir))) ||
	    (err = repo_checkout(r, commit, tree, report_files, NULL)) ||
	    (err = write_paths(r, commit, arena_printf(a, "%s/paths", dir))) ||
	    (err = write_commit(arena_printf(a, "%s/commit", dir), commit)))
		goto out;
	log_note("%s is commit %.12s", ref, commit);
out:
	repo_close(r);
	return err;
}
