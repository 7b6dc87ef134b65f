/* Owns libgit2's work on two or three texts: the three-way merge and the diff of a file. No repository is read. */
#include "lib/repo_git.h"

#include "lib/err.h"

static git_merge_file_input input_of(const struct repo_side *side, const char *path)
{
	git_merge_file_input in = GIT_MERGE_FILE_INPUT_INIT;

	in.ptr = side->data ? side->data : "";
	in.size = side->data ? side->n : 0;
	in.path = path;
	in.mode = 0100644;
	return in;
}

int repo_merge(struct buf *out, const struct repo_side *base, const struct repo_side *ours, const struct repo_side *theirs,
	       bool *conflicts)
{
	git_merge_file_options how = GIT_MERGE_FILE_OPTIONS_INIT;
	git_merge_file_input b = input_of(base, "f"), o = input_of(ours, "f"), t = input_of(theirs, "f");
	git_merge_file_result merged = { 0 };

	how.ancestor_label = base->label;
	how.our_label = ours->label;
	how.their_label = theirs->label;
	how.flags = GIT_MERGE_FILE_STYLE_DIFF3;
	if (git_merge_file(&merged, &b, &o, &t, &how) < 0)
		return fail(ERR_GIT, "the merge fails: %s", git_said());
	*conflicts = !merged.automergeable;
	buf_add(out, merged.ptr, merged.len);
	git_merge_file_result_free(&merged);
	return 0;
}

static int print_line(const git_diff_delta *delta UNUSED, const git_diff_hunk *hunk UNUSED, const git_diff_line *line,
		      void *ctx)
{
	struct buf *out = ctx;

	/* The header is written by hand: two buffers have no modes and names of their own. */
	if (line->origin == GIT_DIFF_LINE_FILE_HDR)
		return 0;
	if (line->origin == GIT_DIFF_LINE_CONTEXT || line->origin == GIT_DIFF_LINE_ADDITION ||
	    line->origin == GIT_DIFF_LINE_DELETION)
		buf_addc(out, line->origin);
	buf_add(out, line->content, line->content_len);
	return 0;
}

static void add_header(struct buf *out, const char *path, const struct repo_side *old, const struct repo_side *now,
		       uint32_t mode)
{
	buf_printf(out, "diff --git a/%s b/%s\n", path, path);
	if (!old->data)
		buf_printf(out, "new file mode %06o\n", mode ? mode : 0100644);
	if (!now->data)
		buf_printf(out, "deleted file mode %06o\n", mode ? mode : 0100644);
	buf_printf(out, old->data ? "--- a/%s\n" : "--- /dev/null\n", path);
	buf_printf(out, now->data ? "+++ b/%s\n" : "+++ /dev/null\n", path);
}

int repo_diff(struct buf *out, const char *path, const struct repo_side *old, const struct repo_side *now, uint32_t mode)
{
	git_diff_options how = GIT_DIFF_OPTIONS_INIT;
	git_patch *patch = NULL;
	struct buf hunks = { 0 };
	int err = 0;

	how.flags = GIT_DIFF_INDENT_HEURISTIC | GIT_DIFF_FORCE_TEXT;
	if (git_patch_from_buffers(&patch, old->data ? old->data : "", old->data ? old->n : 0, path,
				   now->data ? now->data : "", now->data ? now->n : 0, path, &how) < 0 ||
	    git_patch_print(patch, print_line, &hunks) < 0)
		err = fail(ERR_GIT, "%s: no diff: %s", path, git_said());
	if (!err && hunks.len) {
		add_header(out, path, old, now, mode);
		buf_add(out, hunks.data, hunks.len);
	}
	git_patch_free(patch);
	buf_free(&hunks);
	return err;
}
