/* Placing patches: what git apply says of whole trees. The verdicts on files with no moves, links or deletions are compared with git
 * itself in t/0610-apply.t; here is what that cannot show. */
#include "lib/apply.h"
#include "lib/buf.h"
#include "lib/diff.h"
#include "lib/err.h"
#include "lib/pb.h"
#include "tap.h"

#include <time.h>

static struct arena *arena;

/* A tree as a table; the last entry has no path. */
struct entry {
	const char *path;
	enum tree_kind kind;
	const char *data;
};

static int read_table(void *ctx, struct arena *a UNUSED, const char *path, struct tree_file *out)
{
	const struct entry *e = ctx;
	size_t n = strlen(path);

	if (strcmp(path, "broken") == 0)
		return fail(ERR_GIT, "broken");
	for (; e->path; e++) {
		if (strcmp(e->path, path) == 0) {
			*out = (struct tree_file){ e->kind, 0, e->data ? e->data : "", e->data ? strlen(e->data) : 0 };
			return 0;
		}
		if (strncmp(e->path, path, n) == 0 && e->path[n] == '/')
			out->kind = TREE_DIRECTORY;
	}
	return 0;
}

static struct apply_tree after;

static ApplyResult *check(const char *patch, const struct entry *table)
{
	struct tree_reader tree = { read_table, (void *)table };
	ApplyResult *r = pb_new(arena, &apply_result__descriptor);
	struct diff d;

	if (diff_parse(arena, patch, strlen(patch), &d) || apply_check(arena, &d, &tree, r, &after)) {
		printf("# %s\n", err_text());
		return NULL;
	}
	return r;
}

#define S(name) APPLY_STATE__APPLY_##name
#define X "--- a/x\n+++ b/x\n"
#define GIT_X "diff --git a/x b/x\n"
#define CHANGE "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
#define CHANGED(path) "diff --git a/" path " b/" path "\n--- a/" path "\n+++ b/" path "\n" CHANGE
#define RENAME(from, to) "diff --git a/" from " b/" to "\nsimilarity index 100%\nrename from " from "\nrename to " to "\n"
#define CREATE(path, text) \
	"diff --git a/" path " b/" path "\nnew file mode 100644\n--- /dev/null\n+++ b/" path "\n@@ -0,0 +1 @@\n+" text "\n"
#define DELETE(path, text)                                                                                                 \
	"diff --git a/" path " b/" path "\ndeleted file mode 100644\n--- a/" path "\n+++ /dev/null\n@@ -1 +0,0 @@\n-" text \
	"\n"

static const struct entry tree[] = {
	{ "x", TREE_FILE, "a\nb\nc\n" },
	{ "patched", TREE_FILE, "a\nB\nc\n" },
	{ "low", TREE_FILE, "0\n0\n0\na\nb\nc\n0\n" },
	{ "d/y", TREE_FILE, "y\n" },
	{ "link", TREE_SYMLINK, "d" },
	{ "sub", TREE_SUBMODULE, "Subproject commit 1111111111111111111111111111111111111111\n" },
	{ "one", TREE_FILE, "1\n" },
	{ NULL, TREE_ABSENT, NULL },
};

static const struct {
	const char *patch;
	ApplyState state;
	const char *what, *why;
} cases[] = {
	{ X CHANGE, S(CLEAN), "a change", NULL },
	{ "--- a/patched\n+++ b/patched\n" CHANGE, S(ALREADY), "a change that is there", "every hunk" },
	{ "--- a/low\n+++ b/low\n@@ -2,3 +2,3 @@\n a\n-b\n+B\n c\n", S(OFFSET), "a change elsewhere", "2 lines below" },
	{ "--- a/low\n+++ b/low\n" CHANGE, S(CONFLICT), "a hunk of line 1 belongs to the beginning",
	  "belongs to the beginning or the end" },
	{ "--- a/low\n+++ b/low\n@@ -4,2 +4,2 @@\n a\n-b\n+B\n", S(CONFLICT), "one without context behind to the end",
	  "hunk 1" },
	{ X "@@ -1,3 +1,3 @@\n a\n-q\n+B\n c\n", S(CONFLICT), "other contents", "line 2 differs from line 5 of the patch" },
	{ X "@@ -2,3 +2,4 @@\n b\n c\n+C\n d\n", S(CONFLICT), "contents that end too early", "the file ends at line 4" },
	{ "--- a/z\n+++ b/z\n" CHANGE, S(MISSING), "a file that is not there", "z: no such file" },
	{ "--- a/d/z\n+++ b/d/z\n" CHANGE, S(MISSING), "in a directory that is", "d/z: no such file" },
	{ "--- a/d\n+++ b/d\n" CHANGE, S(WRONG_TYPE), "a directory", "it is a directory" },
	{ "--- a/x/y\n+++ b/x/y\n" CHANGE, S(WRONG_TYPE), "a file below a file", "no directory" },
	{ "--- a/link/y\n+++ b/link/y\n" CHANGE, S(BEYOND_SYMLINK), "a file beyond a link", "symbolic link" },
	{ CREATE("link/z", "z"), S(BEYOND_SYMLINK), "a new file beyond a link", "symbolic link" },
	{ CREATE("link/d/z", "z"), S(BEYOND_SYMLINK), "and deep beyond it", "symbolic link" },
	{ "diff --git a/x b/x\nindex 1..2 120000\n--- a/x\n+++ b/x\n" CHANGE, S(WRONG_TYPE), "a file where a link should be",
	  "another kind" },
	{ "diff --git a/link b/link\nindex 1..2 100644\n--- a/link\n+++ b/link\n" CHANGE, S(WRONG_TYPE),
	  "a link where a file should be", "kind" },
	{ "diff --git a/link b/link\nindex 1..2 120000\n--- a/link\n+++ b/link\n@@ -1 +1 @@\n-d\n\\ No newline at end of "
	  "file\n"
	  "+e\n\\ No newline at end of file\n",
	  S(CLEAN), "a link's target", NULL },
	{ "diff --git a/sub b/sub\nindex 1..2 160000\n--- a/sub\n+++ b/sub\n@@ -1 +1 @@\n"
	  "-Subproject commit 1111111111111111111111111111111111111111\n+Subproject commit "
	  "2222222222222222222222222222222222222222\n",
	  S(CLEAN), "a submodule's commit", NULL },
	{ "diff --git a/x b/x\nold mode 100644\nnew mode 120000\n", S(WRONG_TYPE), "a file made a link in one step",
	  "without deleting" },
	{ "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", S(CLEAN), "a mode", NULL },
	{ CREATE("new", "n"), S(CLEAN), "a new file", NULL },
	{ CREATE("x", "n"), S(EXISTS), "a new file that is there", "a file of that name" },
	{ CREATE("one", "1"), S(ALREADY), "with the same contents", "there already" },
	{ CREATE("d", "n"), S(EXISTS), "a new file where a directory is", "a directory of that name" },
	{ CREATE("new", "n") CREATE("new", "n"), S(EXISTS), "a new file twice", "an earlier part" },
	{ "--- a/new\n+++ b/new\n@@ -0,0 +1 @@\n+n\n", S(CLEAN), "diff -u may mean a new file", NULL },
	{ DELETE("one", "1"), S(CLEAN), "a file that goes", NULL },
	{ DELETE("x", "a"), S(CONFLICT), "that has more in it: the hunk ends not at its end", "hunk 1" },
	{ "diff --git a/x b/x\ndeleted file mode 100644\n", S(LEFTOVER), "that has something in it", "more than that" },
	{ DELETE("gone", "1"), S(ALREADY), "that is gone", NULL },
	{ GIT_X "index 1..2\nGIT binary patch\nliteral 0\n", S(BINARY), "a binary patch", "binary" },
	{ RENAME("x", "y"), S(CLEAN), "a new name", NULL },
	{ RENAME("x", "one"), S(EXISTS), "a name that is taken", "of that name" },
	{ RENAME("x", "one") RENAME("one", "x"), S(CLEAN), "two that swap their names", NULL },
	{ RENAME("x", "y") CHANGED("x"), S(MISSING), "a change of a name that went", "takes it away" },
	{ RENAME("x", "y") CHANGED("y"), S(CLEAN), "a change under the new name", NULL },
	{ "diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n" CHANGED("x"), S(CLEAN),
	  "a copy and a change", NULL },
	{ DELETE("one", "1") CREATE("one", "2"), S(CLEAN), "a file that goes and comes", NULL },
	{ X CHANGE X "@@ -1,3 +1,3 @@\n a\n-B\n+D\n c\n", S(CLEAN), "a file changed twice", NULL },
	{ X CHANGE X CHANGE, S(CONFLICT), "the same change twice", NULL },
	{ X CHANGE "--- a/patched\n+++ b/patched\n" CHANGE, S(CONFLICT), "half of it there", "1 of its 2 files" },
	{ X CHANGE "--- a/z\n+++ b/z\n" CHANGE, S(MISSING), "one of two files missing", "z: no such file" },
	{ "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+d\n\\ No newline at end of "
	  "file\n" CREATE("l/z", "z"),
	  S(BEYOND_SYMLINK), "a link that the patch itself makes", "made by this patch" },
	{ "diff --git a/link b/link\ndeleted file mode 120000\n--- a/link\n+++ /dev/null\n@@ -1 +0,0 @@\n-d\n\\ No newline "
	  "at end of file\n" CREATE("link/z", "z"),
	  S(CLEAN), "a directory where the patch takes the link away", NULL },
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const ApplyResult *r;

		arena_reset(arena);
		r = check(cases[i].patch, tree);
		ok(r && r->state == cases[i].state, "%s: %s", cases[i].what, apply_state_name(cases[i].state));
		if (r && r->state != cases[i].state)
			printf("# got %s: %s\n", apply_state_name(r->state), r->reason ? r->reason : "");
		if (cases[i].why && r)
			ok(r->reason && strstr(r->reason, cases[i].why), "because: %s", r->reason ? r->reason : "");
		ok(r && (after.n_outputs > 0) == apply_is_good(r->state), "and a tree is given when it applies");
	}
}

static const struct apply_output *output(const char *path)
{
	for (size_t i = 0; i < after.n_outputs; i++)
		if (strcmp(after.outputs[i].path, path) == 0)
			return &after.outputs[i];
	return NULL;
}

static void test_outputs(void)
{
	arena_reset(arena);
	check(RENAME("x", "y") CHANGED("y") DELETE("one", "1"), tree);
	is_int((long long)after.n_outputs, 3, "three paths are touched");
	is_str(output("y")->data, "a\nB\nc\n", "one is made");
	ok(!output("x")->data && !output("one")->data, "two go");
	check("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", tree);
	is_int(output("x")->mode, 0100755, "a new mode");
	is_str(output("x")->data, "a\nb\nc\n", "with the old contents");
}

static void test_hunks(void)
{
	static const struct entry table[] = { { "f", TREE_FILE, "1\n2\n3\n4\n5\n6\n7\n8\n9\n0\na\nb\nc\nd\n" },
					      { NULL, TREE_ABSENT, NULL } };
	static const char patch[] = "--- a/f\n+++ b/f\n@@ -2,3 +2,4 @@\n 2\n+x\n 3\n 4\n@@ -5,3 +6,3 @@\n 5\n-q\n+Q\n 7\n@@ "
				    "-7,3 +8,3 @@\n 0\n-a\n+A\n b\n"
				    "@@ -30,3 +30,2 @@\n 8\n-E\n 9\n";
	const ApplyFile *f;

	arena_reset(arena);
	f = check(patch, table)->files[0];
	is_int(f->state, S(CONFLICT), "a file with a hunk that does not fit");
	is_int((long long)f->n_hunks, 4, "all hunks are judged");
	ok(f->hunks[0]->state == S(CLEAN) && f->hunks[0]->line == 2 && !f->hunks[0]->has_offset, "one fits");
	ok(f->hunks[1]->state == S(CONFLICT) && f->hunks[1]->patch_line == 10, "one does not");
	is_int((long long)f->hunks[1]->line, 7, "from line 7 on, where most of it is alike");
	ok(f->hunks[1]->wanted.len == 1 && *f->hunks[1]->wanted.data == 'q' && *f->hunks[1]->found.data == '6',
	   "what differs");
	ok(f->hunks[2]->state == S(OFFSET) && f->hunks[2]->offset == 3 && f->hunks[2]->line == 11, "one fits elsewhere");
	ok(f->hunks[3]->state == S(ALREADY), "one is there already");
}

/* Two places at one distance: git takes the one below. A last line without a newline is found in a line that has one. */
static void test_search(void)
{
	static const struct entry table[] = { { "f", TREE_FILE, "0\na\nb\nc\n-\na\nb\nc\n0\n" },
					      { "open", TREE_FILE, "1\n2\n3\n" },
					      { NULL, TREE_ABSENT, NULL } };
	const ApplyFile *f;

	arena_reset(arena);
	f = check("--- a/f\n+++ b/f\n@@ -4,3 +4,3 @@\n a\n-b\n+B\n c\n", table)->files[0];
	ok(f->state == S(OFFSET) && f->hunks[0]->line == 6, "of two places at one distance the one below");
	f = check("--- a/open\n+++ b/open\n@@ -2,2 +2,2 @@\n-2\n+4\n 3\n\\ No newline at end of file\n", table)->files[0];
	is_int(f->state, S(CLEAN), "context without a newline is content with a line");
	f = check("--- a/open\n+++ b/open\n@@ -2,2 +2,2 @@\n 2\n-3\n\\ No newline at end of file\n+4\n", table)->files[0];
	is_int(f->state, S(CONFLICT), "a change at the end is not");
}

static void test_text(void)
{
	struct buf out = { 0 };
	struct diff d;

	arena_reset(arena);
	diff_parse(arena, X CHANGE, strlen(X CHANGE), &d);
	is_int(apply_patch_to_text(d.files, "a\nb\nc\nd", 7, &out), 0, "hunks on a text");
	is_str(buf_str(&out), "a\nB\nc\nd", "give a text");
	buf_reset(&out);
	is_int(apply_patch_to_text(d.files, "a\nb\n", 4, &out), ERR_INPUT, "or a refusal");
	ok(strstr(err_text(), "x: hunk 1 does not fit"), "that names file and hunk: %s", err_text());
	is_int((long long)out.len, 0, "and nothing is appended");
	buf_free(&out);
}

static void test_reader_error(void)
{
	struct tree_reader reader = { read_table, (void *)tree };
	ApplyResult r = APPLY_RESULT__INIT;
	static const char patch[] = "--- a/broken\n+++ b/broken\n" CHANGE;
	struct diff d;

	arena_reset(arena);
	diff_parse(arena, patch, strlen(patch), &d);
	is_int(apply_check(arena, &d, &reader, &r, NULL), ERR_GIT, "errors of the reader are handed on");
}

/* Contents and hunk are one line over and over, with another at the hunk's end: the search would take hours. */
static void test_hostile(void)
{
	struct buf patch = { 0 }, text = { 0 };
	struct entry table[] = { { "x", TREE_FILE, NULL }, { NULL, TREE_ABSENT, NULL } };
	struct tree_reader reader = { read_table, table };
	ApplyResult r = APPLY_RESULT__INIT;
	clock_t began = clock();
	struct diff d;

	for (int i = 0; i < 400000; i++)
		buf_adds(&text, "\n");
	table[0].data = text.data;
	buf_adds(&patch, X "@@ -5,100002 +5,100003 @@\n");
	for (int i = 0; i < 100000; i++)
		buf_adds(&patch, "\n");
	buf_adds(&patch, " end\n+x\n \n");
	arena_reset(arena);
	is_int(diff_parse(arena, patch.data, patch.len, &d), 0, "a hostile patch is read");
	is_int(apply_check(arena, &d, &reader, &r, NULL), ERR_INPUT, "and given up");
	ok(strstr(err_text(), "takes too long"), "with the reason");
	ok((double)(clock() - began) / CLOCKS_PER_SEC < 60, "in bounded time");
	buf_free(&patch);
	buf_free(&text);
}

int main(void)
{
	arena = arena_new(0);
	test_cases();
	test_outputs();
	test_hunks();
	test_search();
	test_text();
	test_reader_error();
	test_hostile();
	arena_free(arena);
	return done();
}
