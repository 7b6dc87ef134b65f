/* Patches: what is read keeps its counts and names nothing outside the tree, applies to what its own old side is, and can be linted. */
#include "fuzz.h"
#include "lib/apply.h"
#include "lib/diff.h"
#include "lib/lint.h"
#include "lib/pb.h"

#include <stdlib.h>

static void check_hunk(const struct diff_hunk *h)
{
	uint64_t old = 0, now = 0;

	for (size_t i = 0; i < h->n_lines; i++) {
		old += h->lines[i].kind != DIFF_ADD;
		now += h->lines[i].kind != DIFF_DELETE;
	}
	if (old != h->old_count || now != h->new_count || h->leading + h->trailing >= h->n_lines)
		abort();
}

static void check_file(const struct diff_file *f)
{
	if ((!f->old_path && !f->new_path) || (f->old_path && !diff_path_is_safe(f->old_path)) ||
	    (f->new_path && !diff_path_is_safe(f->new_path)))
		abort();
	for (size_t i = 0; i < f->n_hunks; i++)
		check_hunk(&f->hunks[i]);
}

/* Every path holds the old side of the first hunk of the first file. */
static int read_old_side(void *ctx, struct arena *a UNUSED, const char *path UNUSED, struct tree_file *out)
{
	const struct buf *text = ctx;

	out->kind = strlen(path) % 3 == 0                        ? TREE_ABSENT
		    : strchr(path, '/') || strlen(path) % 3 == 1 ? TREE_FILE
								 : TREE_DIRECTORY;
	out->data = buf_str(text);
	out->len = out->kind == TREE_FILE ? text->len : 0;
	return 0;
}

static void make_old_side(const struct diff_file *f, struct buf *text)
{
	for (size_t i = 0; f->n_hunks && i < f->hunks[0].n_lines; i++) {
		const struct diff_line *l = &f->hunks[0].lines[i];

		if (l->kind == DIFF_ADD)
			continue;
		buf_add(text, l->text, l->len);
		if (!l->no_newline)
			buf_addc(text, '\n');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	struct buf text = { 0 };
	struct tree_reader tree = { read_old_side, &text };
	struct diff d;

	if (diff_parse(a, (const char *)data, n, &d) == 0) {
		struct lint_input in = { .diff = &d };
		LintResult *alone = pb_new(a, &lint_result__descriptor), *whole = pb_new(a, &lint_result__descriptor);
		ApplyResult *result = pb_new(a, &apply_result__descriptor);

		for (size_t i = 0; i < d.n_files; i++)
			check_file(&d.files[i]);
		make_old_side(&d.files[0], &text);
		if (apply_check(a, &d, &tree, result, NULL) == 0 && result->n_files != d.n_files)
			abort();
		if (lint_patch(a, &in, alone))
			abort();
		in.tree = &tree;
		lint_patch(a, &in, whole);
	}
	buf_free(&text);
	arena_free(a);
	return 0;
}
