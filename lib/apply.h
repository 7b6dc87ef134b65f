/* Placing a patch on contents, as git apply does: no fuzz, whitespace exact, hunks may have moved. */
#ifndef TUXTAPE_APPLY_H
#define TUXTAPE_APPLY_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/buf.h"
#include "lib/diff.h"

#include "proto/tuxtape.pb-c.h"

enum tree_kind {
	TREE_ABSENT,
	TREE_FILE,
	TREE_SYMLINK,
	TREE_DIRECTORY,
	TREE_SUBMODULE,
};

/* What stands at a path. */
struct tree_file {
	enum tree_kind kind;
	uint32_t mode; /* as git keeps it; 0: unknown */
	/* Of a file its contents, of a link its target, of a submodule "Subproject commit ID\n"; empty for the rest. */
	const char *data;
	size_t len;
};

/* Who reads a tree: a git commit, a directory, a table in a test. read fills *out; data lives as long as the arena. What is not
 * there is no error: TREE_ABSENT. Errors of read end the caller's work and are handed on. */
struct tree_reader {
	int (*read)(void *ctx, struct arena *a, const char *path, struct tree_file *out);
	void *ctx;
};

/* The contents that a patch gives one path; data NULL where it is gone. */
struct apply_output {
	const char *path;
	const char *data;
	size_t len;
	uint32_t mode; /* 0: unknown */
};

/* What a patch leaves: one entry for each path that it touches, in order of first touch. */
struct apply_tree {
	struct apply_output *outputs;
	size_t n_outputs;
};

/* Judges the patch on the tree as `git apply --check` does (git 2.39, core.whitespace as shipped, no --unidiff-zero) and fills *out.
 * A patch that does not apply is no error: the state says so. tree_after, unless NULL, gets what it leaves when the state is CLEAN or
 * OFFSET. ERR_INPUT where placing would take too long (contents made of one line over and over); errors of the reader. */
int apply_check(struct arena *a, const struct diff *d, const struct tree_reader *tree, ApplyResult *out,
		struct apply_tree *tree_after);

/* The hunks of one file on a text of n bytes: appends the result. ERR_INPUT where they do not apply, with the first hunk and line. */
int apply_patch_to_text(const struct diff_file *f, const char *text, size_t n, struct buf *out);

/* True for CLEAN and OFFSET. */
bool apply_is_good(ApplyState state);

/* The word for a state: "clean", "conflict", ... */
const char *apply_state_name(ApplyState state);

#endif
