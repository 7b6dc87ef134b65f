/* Owns a commit's tree as the patch code reads it: what stands at a path, files, links and folders alike. Refuses files beyond any that a
 * kernel has. */
#include "lib/repo_git.h"

#include "lib/err.h"

#define FILE_MOST (64u << 20)

/* Where a part of the path is looked for. 1 found, 0 not there, -1 malformed. */
static int find_entry(const struct object *tree, const char *name, size_t n, struct tree_entry *e)
{
	size_t at = 0;
	int got;

	while ((got = tree_next(tree, &at, e)) > 0)
		if (e->name_len == n && memcmp(e->name, name, n) == 0)
			return 1;
	return got;
}

/* Sets *e to the entry at path; *found false where there is none. */
static int walk_path(struct repo *r, const git_oid *root, const char *path, struct tree_entry *e, bool *found)
{
	git_oid id = *root;

	*found = false;
	for (;;) {
		size_t n = strcspn(path, "/");
		struct object tree;
		int err = object_read(r, &id, GIT_OBJECT_TREE, &tree), got;

		if (err)
			return fail(ERR_GIT, "%s", err_text());
		got = find_entry(&tree, path, n, e);
		e->name = NULL;
		object_release(&tree);
		if (got < 0)
			return fail(ERR_GIT, "%s: a tree is malformed", r->path);
		if (got == 0)
			return 0;
		path += n;
		if (*path == '\0') {
			*found = true;
			return 0;
		}
		path++;
		if (!tree_is_folder(e))
			return 0;
		id = e->id;
	}
}

static int take_blob(struct repo *r, struct arena *a, const struct tree_entry *e, const char *path, struct tree_file *out)
{
	struct object o;

	if (object_read(r, &e->id, GIT_OBJECT_BLOB, &o))
		return fail(ERR_GIT, "%s", err_text());
	if (o.len > FILE_MOST) {
		object_release(&o);
		return fail(ERR_INPUT, "%s: larger than %u bytes", path, FILE_MOST);
	}
	out->data = arena_memdup(a, o.data, o.len);
	out->len = o.len;
	object_release(&o);
	return 0;
}

int repo_tree_read(void *ctx, struct arena *a, const char *path, struct tree_file *out)
{
	const struct repo_tree *t = ctx;
	struct tree_entry e = { 0 };
	char hex[REPO_HEX];
	git_oid root;
	bool found;
	int err;

	*out = (struct tree_file){ .kind = TREE_ABSENT };
	if ((err = commit_tree(t->repo, t->commit, &root)) || (err = walk_path(t->repo, &root, path, &e, &found)) || !found)
		return err;
	out->mode = e.mode;
	out->kind = tree_is_folder(&e)              ? TREE_DIRECTORY
		    : (e.mode & 0170000) == 0120000 ? TREE_SYMLINK
		    : (e.mode & 0170000) == 0160000 ? TREE_SUBMODULE
						    : TREE_FILE;
	if (out->kind == TREE_SUBMODULE) {
		out->data = arena_printf(a, "Subproject commit %s\n", git_oid_tostr(hex, sizeof(hex), &e.id));
		out->len = strlen(out->data);
		return 0;
	}
	return out->kind == TREE_DIRECTORY ? 0 : take_blob(t->repo, a, &e, path, out);
}

int repo_setup_small(size_t cache_bytes)
{
	int err = repo_setup(cache_bytes);

	if (err)
		return err;
	/* A pack of 5 GB is looked at through small windows: the process has an address-space limit. */
	if (git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)(16u << 20)) < 0 ||
	    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)(256u << 20)) < 0)
		return fail(ERR_GIT, "libgit2 does not take its settings: %s", git_said());
	return 0;
}
