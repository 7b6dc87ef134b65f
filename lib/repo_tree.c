/* Owns the reading of raw tree objects: entries, folders, what differs between two trees. Refuses malformed trees and paths longer
 * than any kernel has. libgit2's own tree objects are not used: they cost several times as much as the bytes themselves. */
#include "lib/repo_git.h"

#include "lib/err.h"

#include <limits.h>
#include <stdio.h>

#define MODE_FOLDER 0040000u
#define DEEPEST 256

static unsigned canonical_mode(unsigned mode)
{
	switch (mode & 0170000) {
	case 0100000:
		return mode & 0100 ? 0100755 : 0100644;
	case 0120000:
		return 0120000;
	case 0040000:
		return MODE_FOLDER;
	default:
		return 0160000;
	}
}

int tree_next(const struct object *tree, size_t *at, struct tree_entry *e)
{
	const uint8_t *p = tree->data + *at, *end = tree->data + tree->len, *nul;
	unsigned mode = 0;

	if (p == end)
		return 0;
	for (; p < end && *p >= '0' && *p <= '7' && mode < 01000000; p++)
		mode = mode * 8 + (*p - '0');
	if (p == end || *p++ != ' ' || !(nul = memchr(p, '\0', (size_t)(end - p))) || nul == p || end - nul <= GIT_OID_RAWSZ)
		return -1;
	e->name = (const char *)p;
	e->name_len = (size_t)(nul - p);
	e->mode = canonical_mode(mode);
	memcpy(e->id.id, nul + 1, GIT_OID_RAWSZ);
	*at = (size_t)(nul + 1 + GIT_OID_RAWSZ - tree->data);
	return 1;
}

bool tree_is_folder(const struct tree_entry *e)
{
	return e->mode == MODE_FOLDER;
}

/* git sorts a folder as if its name ended with a slash. */
static int compare_names(const struct tree_entry *a, const struct tree_entry *b)
{
	size_t n = MIN_OF(a->name_len, b->name_len);
	int c = memcmp(a->name, b->name, n);
	unsigned char ca, cb;

	if (c)
		return c;
	ca = (unsigned char)a->name[n];
	cb = (unsigned char)b->name[n];
	if (ca == '\0' && tree_is_folder(a))
		ca = '/';
	if (cb == '\0' && tree_is_folder(b))
		cb = '/';
	return ca - cb;
}

struct walk {
	struct repo *repo;
	const struct tree_visit *visit;
	char path[PATH_MAX];
	unsigned depth;
};

static int walk_trees(struct walk *w, const git_oid *old, const git_oid *now, size_t path_len);

static int walk_pair(struct walk *w, const struct tree_entry *old, const struct tree_entry *now, size_t path_len)
{
	const struct tree_entry *e = old ? old : now;

	if (old && now && old->mode == now->mode && memcmp(old->id.id, now->id.id, GIT_OID_RAWSZ) == 0)
		return 0;
	if (path_len + e->name_len + 2 > sizeof(w->path))
		return fail(ERR_GIT, "%s: a path of more than %zu bytes", w->repo->path, sizeof(w->path));
	memcpy(w->path + path_len, e->name, e->name_len + 1);
	if (!tree_is_folder(e))
		return w->visit->visit(w->visit->ctx, w->path, old, now);
	path_len += e->name_len;
	w->path[path_len++] = '/';
	return walk_trees(w, old ? &old->id : NULL, now ? &now->id : NULL, path_len);
}

static int malformed(const struct walk *w, const git_oid *id)
{
	char hex[REPO_HEX];

	return fail(ERR_GIT, "%s: tree %s is malformed", w->repo->path, git_oid_tostr(hex, sizeof(hex), id));
}

static int merge_entries(struct walk *w, const struct object *a, const struct object *b, size_t path_len, bool *broken_a)
{
	struct tree_entry ea, eb;
	size_t at_a = 0, at_b = 0;
	int got_a = tree_next(a, &at_a, &ea), got_b = tree_next(b, &at_b, &eb);
	int err = 0;

	while (got_a + got_b > 0 && got_a >= 0 && got_b >= 0) {
		int c = !got_a ? 1 : !got_b ? -1 : compare_names(&ea, &eb);

		if ((err = walk_pair(w, c <= 0 ? &ea : NULL, c >= 0 ? &eb : NULL, path_len)))
			return err;
		if (c <= 0)
			got_a = tree_next(a, &at_a, &ea);
		if (c >= 0)
			got_b = tree_next(b, &at_b, &eb);
	}
	*broken_a = got_a < 0;
	return got_a < 0 || got_b < 0 ? -1 : 0;
}

static int walk_trees(struct walk *w, const git_oid *old, const git_oid *now, size_t path_len)
{
	struct object a = { .data = (const uint8_t *)"" }, b = a;
	bool broken_a = false;
	int err;

	if (w->depth == DEEPEST)
		return fail(ERR_GIT, "%s: folders nest deeper than %d", w->repo->path, DEEPEST);
	w->depth++;
	if ((old && object_read(w->repo, old, GIT_OBJECT_TREE, &a)) ||
	    (now && object_read(w->repo, now, GIT_OBJECT_TREE, &b))) {
		/* A commit is here, its tree is not: the repository is broken or partial, nothing was merely asked for in vain. */
		err = ERR_GIT;
		goto out;
	}
	err = merge_entries(w, &a, &b, path_len, &broken_a);
	if (err < 0)
		err = malformed(w, broken_a ? old : now);
out:
	object_release(&a);
	object_release(&b);
	w->depth--;
	return err;
}

int tree_compare(struct repo *r, const git_oid *old, const git_oid *now, const char *prefix, const struct tree_visit *v)
{
	struct walk w = { .repo = r, .visit = v };
	size_t n = strlen(prefix);

	if (old && now && git_oid_equal(old, now))
		return 0;
	if (n + 2 > sizeof(w.path))
		return fail(ERR_GIT, "%s: a path of more than %zu bytes", r->path, sizeof(w.path));
	memcpy(w.path, prefix, n + 1);
	return walk_trees(&w, old, now, n);
}

int tree_folder(struct repo *r, const git_oid *tree, const char *dir, git_oid *id)
{
	*id = *tree;
	while (*dir) {
		size_t n = strcspn(dir, "/"), at = 0;
		struct tree_entry e;
		struct object o;
		bool found = false;
		int err = object_read(r, id, GIT_OBJECT_TREE, &o);

		if (err)
			return err;
		while (!found && tree_next(&o, &at, &e) > 0)
			found = e.name_len == n && memcmp(e.name, dir, n) == 0 && tree_is_folder(&e);
		*id = found ? e.id : *id;
		object_release(&o);
		if (!found)
			return fail(ERR_NOTFOUND, "%s: no folder %.*s", r->path, (int)n, dir);
		dir += n + (dir[n] == '/');
	}
	return 0;
}

struct changes {
	int (*visit)(void *ctx, const char *path, bool there);
	void *ctx;
};

static int visit_change(void *ctx, const char *path, const struct tree_entry *old UNUSED, const struct tree_entry *now)
{
	const struct changes *c = ctx;

	return c->visit(c->ctx, path, now != NULL);
}

/* Sets *side to id, or to NULL where that commit has no such folder. */
static int find_side(struct repo *r, const char *commit, const char *dir, git_oid *id, git_oid **side)
{
	git_oid tree;
	int err = commit_tree(r, commit, &tree);

	if (err)
		return err;
	err = tree_folder(r, &tree, dir, id);
	*side = err ? NULL : id;
	return err == ERR_NOTFOUND ? 0 : err;
}

int repo_changes(struct repo *r, const char *old, const char *now, const char *dir,
		 int (*visit)(void *ctx, const char *path, bool there), void *ctx)
{
	struct changes changes = { visit, ctx };
	struct tree_visit v = { visit_change, &changes };
	git_oid old_id, now_id, *old_side = NULL, *now_side;
	char prefix[PATH_MAX];
	int err;

	if ((old && (err = find_side(r, old, dir, &old_id, &old_side))) ||
	    (err = find_side(r, now, dir, &now_id, &now_side)))
		return err;
	snprintf(prefix, sizeof(prefix), "%s%s", dir, *dir ? "/" : "");
	return tree_compare(r, old_side, now_side, prefix, &v);
}
