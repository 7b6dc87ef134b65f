/* git repositories by libgit2: open, clone, fetch, read trees and blobs, make the patch of a commit. */
#ifndef TUXTAPE_REPO_H
#define TUXTAPE_REPO_H

#include "lib/apply.h"
#include "lib/arena.h"
#include "lib/base.h"
#include "lib/buf.h"
#include "lib/pb.h"

#define REPO_HEX 41 /* a commit id in hexadecimal, with its NUL */
#define REPO_ID 20  /* bytes of an object's id */

struct repo;

/* Once a process, before anything else here; the process's large-tree cache is cache_bytes. ERR_GIT. */
int repo_setup(size_t cache_bytes);

/* The same for a process with a limit on its address space: packs are mapped a little at a time. */
int repo_setup_small(size_t cache_bytes);

/* Opens a bare or a checked-out repository, of whatever owner, from that path alone (no search upwards). ERR_NOTFOUND where
 * there is nothing at the path, ERR_GIT where it is no repository. */
int repo_open(struct repo **r, const char *path);

/* True when a fetch has completed at path, or somebody else has put a repository there. */
void repo_close(struct repo *r);

struct repo_progress {
	void (*report)(void *ctx, const char *step, uint64_t objects, uint64_t total, uint64_t bytes);
	void *ctx;
};

struct repo_sync {
	const char *path;    /* the repository; made when missing */
	const char *url;     /* where it comes from */
	const char *ca_file; /* PEM bundle for https, NULL: the system's */
	const char *need;    /* "vulns" or "linux": which way to fetch */
	uint64_t need_bytes; /* free space a first clone wants; checked before it, ERR_SYS in one line; 0: not checked */
	uint64_t stall_ms;   /* how long the origin may be silent before it is given up; 0: five minutes */
	struct repo_progress progress;
};

/* Clones or fetches. A first clone of "linux" takes release tags in ascending steps, then all heads, each step kept, so that a
 * killed run is resumed by the next one. A bare repository of ours is a mirror; one with a work tree, or one that the user
 * put there by hand, is written in refs/tuxtape/ and objects only. Sets *changed when any ref moved. tip gets the commit
 * that the origin's HEAD names. ERR_NET, ERR_GIT, ERR_SYS. */
int repo_fetch(const struct repo_sync *how, bool *changed, char tip[REPO_HEX]);

/* The tip to read: what the last fetch of this repository recorded (refs/tuxtape/tip), else HEAD; with head_only, HEAD. */
int repo_tip(struct repo *r, bool head_only, char tip[REPO_HEX]);

/* The committer time of a commit, ISO 8601 UTC ("2026-08-14T09:30:00Z"). ERR_NOTFOUND. */
int repo_commit_time(struct repo *r, const char *commit, char iso[32]);

/* True when `old` is known and an ancestor of (or the same as) `now`. */
bool repo_is_ancestor(struct repo *r, const char *old, const char *now);

/* Calls visit for each blob path below dir that differs between the trees of two commits (no renames); old NULL: every path. dir has no
 * slash at its end. There: in the new tree. A nonzero return of visit stops and is returned. */
int repo_changes(struct repo *r, const char *old, const char *now, const char *dir,
		 int (*visit)(void *ctx, const char *path, bool there), void *ctx);

/* Appends the contents of a file of a commit's tree. ERR_NOTFOUND where there is none; ERR_INPUT where it is larger than most. */
int repo_file(struct repo *r, const char *commit, const char *path, size_t most, struct buf *out);

/* The same in two steps, for those who may know already what is in a blob: the id of a file of a commit's tree, and what is in that blob. */
int repo_file_id(struct repo *r, const char *commit, const char *path, uint8_t id[REPO_ID]);
int repo_blob(struct repo *r, const uint8_t id[REPO_ID], size_t most, struct buf *out);

/* A commit's tree as a tree_reader's ctx. repo_tree_read is its read: what stands at a path, links and folders included; what is not there
 * is TREE_ABSENT. ERR_GIT, ERR_INPUT. */
struct repo_tree {
	struct repo *repo;
	const char *commit;
};
int repo_tree_read(void *ctx, struct arena *a, const char *path, struct tree_file *out);

/* Merges the changes from base to theirs into ours, as git does; appends the result, conflicts between <<<<<<< and >>>>>>> with the given
 * labels, and sets *conflicts. Any side may be NULL (n 0): empty. ERR_GIT; ERR_INPUT for what is no text. */
struct repo_side {
	const char *data;
	size_t n;
	const char *label;
};
int repo_merge(struct buf *out, const struct repo_side *base, const struct repo_side *ours, const struct repo_side *theirs,
	       bool *conflicts);

/* Appends the unified diff (three lines of context, a/ and b/) from old to now of the file at path; NULL data: it is not there. Nothing where
 * they are equal. Takes no repository, but repo_setup. ERR_GIT. */
int repo_diff(struct buf *out, const char *path, const struct repo_side *old, const struct repo_side *now, uint32_t mode);

/* The commit that a tag (or, failing that, a branch) names; in other people's clones also those below refs/tuxtape/. ERR_NOTFOUND. */
int repo_ref(struct repo *r, const char *ref, char commit[REPO_HEX]);

/* Calls visit for the name of each tag ("v6.1.9"), in no order; in other people's clones those below refs/tuxtape/ come, too. A nonzero
 * return of visit stops and is returned. ERR_GIT. */
int repo_tags(struct repo *r, int (*visit)(void *ctx, const char *tag), void *ctx);

/* Writes the tree of a commit into a directory that is there and empty: files, modes, links; no index, no work tree of anybody. Calls
 * report (may be NULL) now and then with the files written. Dates are those of the writing. ERR_SYS, ERR_GIT. */
int repo_checkout(struct repo *r, const char *commit, const char *dir, void (*report)(void *ctx, uint64_t files), void *ctx);

/* A number that changes when packs, loose objects or refs of the repository changed: what was missing may be there now. */
int repo_fingerprint(const char *path, uint64_t *print);

/* Orders commits so that reading them one after another keeps delta bases warm; unknown ones come last. In place. */
void repo_sort_for_reading(struct repo *r, char (*commits)[REPO_HEX], size_t n);

/* Makes the patch of a commit into fix (commit, state, subject, message, patch, files), in the arena. Byte for byte what
 * `git diff-tree -p --no-renames --full-index --no-commit-id COMMIT` of git 2.39 prints in a bare repository without attributes.
 * Missing, root and merge commits are states, no errors. ERR_GIT for a broken repository. */
int repo_fix(struct repo *r, struct arena *a, const char *commit, Fix *fix);

#endif
