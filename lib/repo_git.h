/* The libgit2 door: the only includer of <git2.h>. Private to lib/repo*.c, which between them own all use of libgit2:
 * repo.c opens and reads, repo_tree.c walks trees, repo_patch.c makes patches, repo_fetch.c clones and fetches. */
#ifndef TUXTAPE_REPO_GIT_H
#define TUXTAPE_REPO_GIT_H

#include "lib/repo.h"

#include <git2.h>

/* An object's raw bytes, as long as it is not released. */
struct object {
	git_odb_object *own;
	const uint8_t *data;
	size_t len;
};

/* The folder that repo_file read last: files are asked for folder by folder, in the order of the tree. */
struct folder {
	char commit[REPO_HEX];
	char *dir;
	struct object tree;
	size_t at; /* the entry found last: the next one is mostly behind it */
};

struct repo {
	git_repository *git;
	git_odb *odb;
	char *path;
	struct folder folder;
	struct buf patch;
};

/* What libgit2 said last, as one line. */
const char *git_said(void);

/* Reads an object of that type. ERR_NOTFOUND where the repository lacks it, ERR_GIT. Release with object_release. */
int object_read(struct repo *r, const git_oid *id, git_object_t type, struct object *o);
void object_release(struct object *o);

/* What a raw commit says. The message points into the object. */
struct commit_head {
	git_oid tree, parent;
	unsigned parents;
	const char *message;
	size_t message_len;
};

/* False where the bytes are no commit. */
bool commit_parse(const struct object *o, struct commit_head *head);

/* The tree of a commit in hexadecimal. ERR_NOTFOUND, ERR_GIT. */
int commit_tree(struct repo *r, const char *commit, git_oid *tree);

/* An entry of a raw tree; mode is canonical, as git compares it. */
struct tree_entry {
	const char *name; /* NUL-terminated, inside the tree's bytes */
	size_t name_len;
	unsigned mode;
	git_oid id;
};

/* The entry at *at, which moves behind it. 1, 0 at the end, -1 where the tree is malformed. */
int tree_next(const struct object *tree, size_t *at, struct tree_entry *e);

bool tree_is_folder(const struct tree_entry *e);

/* Called for each path that differs and is no folder, in git's order. old or now is NULL where that side lacks it. */
struct tree_visit {
	int (*visit)(void *ctx, const char *path, const struct tree_entry *old, const struct tree_entry *now);
	void *ctx;
};

/* Compares two trees, either may be NULL (empty); prefix starts the paths, "" or with a slash at its end. A nonzero return of
 * visit stops and is returned. */
int tree_compare(struct repo *r, const git_oid *old, const git_oid *now, const char *prefix, const struct tree_visit *v);

/* The folder at dir (no slash at its end; "" is the tree itself) below a tree. ERR_NOTFOUND where there is none. */
int tree_folder(struct repo *r, const git_oid *tree, const char *dir, git_oid *id);

#endif
