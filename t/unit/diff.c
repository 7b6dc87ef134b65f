/* Unified diffs: what is read of them, what is passed over, and what is refused, with its line. */
#include "lib/buf.h"
#include "lib/diff.h"
#include "lib/err.h"
#include "tap.h"

#include <time.h>

#define ID_A "1111111111111111111111111111111111111111"
#define ID_B "2222222222222222222222222222222222222222"

static struct arena *arena;
static struct diff diff;

static int parse_bytes(const char *text, size_t n)
{
	arena_reset(arena);
	return diff_parse(arena, text, n, &diff);
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static bool line_is(const struct diff_hunk *h, size_t i, enum diff_kind kind, const char *text)
{
	return i < h->n_lines && h->lines[i].kind == kind && h->lines[i].len == strlen(text) &&
	       memcmp(h->lines[i].text, text, strlen(text)) == 0;
}

static const char whole[] = "From " ID_A " Mon Sep 17 00:00:00 2001\n"
			    "From: A <a@example.org>\n"
			    "Subject: [PATCH] x: y\n"
			    "\n"
			    "Text.\n"
			    "lint-OK:  7 \t because \t\n"
			    "Lint-ok:\n"
			    "---\n"
			    " a/x.c | 3 ++-\n"
			    "\n"
			    "diff --git a/a/x.c b/a/x.c\n"
			    "index " ID_A ".." ID_B " 100644\n"
			    "--- a/a/x.c\n"
			    "+++ b/a/x.c\n"
			    "@@ -10,4 +10,5 @@ static int f(void)\n"
			    " one\n"
			    "-two\n"
			    "+zwei\n"
			    "+drei\n"
			    "\n"
			    " four\r\n"
			    "@@ -20 +21 @@\n"
			    "-last\n"
			    "\\ No newline at end of file\n"
			    "+letzte\n"
			    "\\ Kein Zeilenumbruch am Dateiende.\n"
			    "-- \n"
			    "2.39.5\n"
			    "\n";

static void test_whole(void)
{
	const struct diff_file *f;
	const struct diff_hunk *h;
	struct diff_text value;
	size_t at = 0;

	is_int(parse(whole), 0, "a mailed patch");
	is_int((long long)diff.n_files, 1, "one file");
	is_int((long long)diff.n_header, 10, "lines of the header");
	f = diff.files;
	is_str(f->old_path, "a/x.c", "old path");
	is_str(f->new_path, "a/x.c", "new path");
	is_str(f->old_id, ID_A, "old id");
	is_str(f->new_id, ID_B, "new id");
	is_int(f->old_mode, 0100644, "mode of the index line");
	is_int(f->line, 11, "line of the file");
	ok(!f->created && !f->deleted && !f->renamed && !f->copied && !f->binary, "nothing else is said");
	is_int((long long)f->n_hunks, 2, "two hunks");
	h = f->hunks;
	is_int(h->line, 15, "line of the hunk");
	ok(h->old_start == 10 && h->old_count == 4 && h->new_start == 10 && h->new_count == 5, "its ranges");
	is_int((long long)h->section_len, 18, "its section");
	ok(memcmp(h->section, "static int f(void)", 18) == 0, "whose text");
	is_int((long long)h->n_lines, 6, "its lines");
	ok(line_is(h, 0, DIFF_CONTEXT, "one") && line_is(h, 1, DIFF_DELETE, "two") && line_is(h, 2, DIFF_ADD, "zwei"),
	   "kinds and texts");
	ok(line_is(h, 4, DIFF_CONTEXT, ""), "an empty line without its blank");
	ok(line_is(h, 5, DIFF_CONTEXT, "four\r"), "a carriage return stays");
	is_int(h->lines[5].line, 21, "line of a line");
	ok(h->leading == 1 && h->trailing == 2, "context is counted");
	h = f->hunks + 1;
	ok(h->old_count == 1 && h->new_count == 1 && h->section_len == 0, "a range of one line");
	ok(h->lines[0].no_newline && h->lines[1].no_newline, "no newline at the end, in any language");
	ok(diff_header_value(&diff, "Subject", &at, &value) && value.len == 12, "a value of the header");
	at = 0;
	ok(diff_header_value(&diff, "Lint-ok", &at, &value) && value.len == 11 &&
		   memcmp(value.text, "7 \t because", 11) == 0,
	   "its blanks are cut, its key has no case");
	ok(diff_header_value(&diff, "Lint-ok", &at, &value) && value.len == 0, "the next one is empty");
	ok(!diff_header_value(&diff, "Lint-ok", &at, &value), "and the last");
}

#define H "@@ -1 +1 @@\n-a\n+b\n"

static void test_kinds(void)
{
	parse("diff --git a/x b/x\nnew file mode 100755\nindex 000..111\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+b\n");
	ok(diff.files->created == DIFF_YES && !diff.files->old_path && diff.files->new_mode == 0100755, "a new file");
	parse("diff --git a/x b/x\ndeleted file mode 100644\nindex 111..000\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\n");
	ok(diff.files->deleted == DIFF_YES && !diff.files->new_path && diff.files->old_mode == 0100644, "a deleted file");
	is_str(diff_path(diff.files), "x", "known by its old name");
	is_int(parse("diff --git a/x b/x\nnew file mode 100644\nindex 0..0\n"), 0, "an empty new file");
	is_str(diff.files->new_path, "x", "whose name stands in the first line alone");
	parse("diff --git a/x b/y\nsimilarity index 87%\nrename from x\nrename to y\n");
	ok(diff.files->renamed && diff.files->similarity == 87, "a renamed file");
	is_str(diff.files->old_path, "x", "from");
	is_str(diff.files->new_path, "y", "to");
	parse("diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n");
	ok(diff.files->copied && diff.files->similarity == 100, "a copied file");
	parse("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n");
	ok(diff.files->old_mode == 0100644 && diff.files->new_mode == 0100755 && diff.files->n_hunks == 0, "a mode");
	parse("diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n");
	ok(diff.files->binary, "a binary file");
	parse("diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZQzU|?i`U}s=p0ssI200961\n\nliteral "
	      "0\nHcmV?d00001\n\n"
	      "diff --git a/y b/y\n--- a/y\n+++ b/y\n" H);
	ok(diff.n_files == 2 && diff.files[0].binary && !diff.files[1].binary, "a binary patch, and a file behind it");
	parse("--- a/x\t2024-01-01 00:00:00\n+++ b/x\t2024-01-02 00:00:00\n" H);
	ok(diff.n_files == 1 && strcmp(diff.files->old_path, "x") == 0, "diff -u, with dates");
	parse("--- a/x.orig\n+++ b/x\n" H);
	is_str(diff.files->old_path, "x", "diff -u: the second name is the file's");
	parse("--- a/x\t1970-01-01 00:00:00.000000000 +0000\n+++ b/x\t2024-01-02 00:00:00\n@@ -0,0 +1 @@\n+b\n");
	ok(diff.files->created == DIFF_YES && !diff.files->old_path, "diff -uN: a new file is from 1970");
	parse("--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+b\n");
	ok(diff.files->created == DIFF_PERHAPS, "diff -u of nothing leaves open whether the file was there");
}

static void test_names(void)
{
	parse("diff --git \"a/\\303\\244 \\\"\\t\\\\\" \"b/\\303\\244 \\\"\\t\\\\\"\nnew file mode 100644\n");
	is_str(diff.files->new_path, "\303\244 \"\t\\", "a quoted name");
	parse("diff --git \"a/\\a\\b\\n\\v\\f\\r\" \"b/\\a\\b\\n\\v\\f\\r\"\nnew file mode 100644\n");
	is_str(diff.files->new_path, "\a\b\n\v\f\r", "all its letters");
	parse("diff --git a/a b/c b/a b/c\nnew file mode 100644\n");
	is_str(diff.files->new_path, "a b/c", "a name with a blank is found by its being there twice");
	parse("diff --git a/x y b/x y\n--- a/x y\t\n+++ b/x y\t\n" H);
	is_str(diff.files->new_path, "x y", "a tab ends a name with a blank");
	parse("diff --git i/x w/x\n--- i/x\n+++ w/x\n" H);
	is_str(diff.files->new_path, "x", "other prefixes");
	parse("diff --git \"a/x\\303\\244\" b/y\nrename from \"x\\303\\244\"\nrename to y\n");
	is_str(diff.files->old_path, "x\303\244", "one half quoted");
}

static void test_garbage(void)
{
	is_int(parse("bla\n@@ bla\ndiff --git bla\nbla\n--- a/x\nbla\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n" H
		     "bla\n+++ b/y\n--- a/y\n"),
	       0, "text around files is passed over");
	is_int((long long)diff.n_files, 1, "one file");
	is_int(parse("--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- x\n+++ y\n@@ -5 +5 @@\n-a\n+b\n"), 0,
	       "lines that look like headers inside a hunk");
	ok(diff.files->n_hunks == 2 && line_is(diff.files->hunks, 0, DIFF_DELETE, "-- x"), "are lines");
}

static const struct {
	const char *text, *why;
} malformed[] = {
	{ "", "no file is changed" },
	{ "hello\n", "no file is changed" },
	{ "diff --git a/x b/x\n", "no file is changed" },
	{ "@@ -1 +1 @@\n-a\n+b\n", "line 1: a hunk without a file" },
	{ "diff --git a/x b/x\nindex 1..2 100644\n", "line 1: a file of which nothing changes" },
	{ "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n", "line 5: the patch ends inside a hunk" },
	{ "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b", "line 5: the patch ends inside a hunk" },
	{ "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\nb\n", "line 5: does not fit the counts" },
	{ "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n-b\n", "line 5: does not fit the counts" },
	{ "--- a/x\n+++ b/x\n@@ -1 +2 @@\n+a\n+b\n", "line 5: does not fit the counts" },
	{ "--- a/x\n+++ b/x\n@@ -1 +1 @@\n a\n", "line 3: a hunk that changes nothing" },
	{ "--- a/x\n+++ b/x\n@@ -0,0 +0,0 @@\n", "line 3: a hunk that changes nothing" },
	{ "--- a/x\n+++ b/x\n@@ -1,x +1 @@\n-a\n+b\n", "line 3: malformed hunk header" },
	{ "--- a/x\n+++ b/x\n@@ -1 +1\n-a\n+b\n", "line 3: malformed hunk header" },
	{ "--- a/x\n+++ b/x\n@@ -99999999999 +1 @@\n-a\n+b\n", "line 3: malformed hunk header" },
	{ "--- a/x\n+++ b/x\n" H "@@ -9 +9 @\n-a\n+b\n", "line 6: malformed hunk header" },
	{ "--- a//etc/passwd\n+++ b//etc/passwd\n" H, "line 1: a path that leads out" },
	{ "--- a/../x\n+++ b/../x\n" H, "line 1: a path that leads out" },
	{ "--- a/x\n+++ b/y/../../x\n" H, "line 2: a path that leads out" },
	{ "--- a/./x\n+++ b/./x\n" H, "line 1: a path that leads out" },
	{ "--- a/x//y\n+++ b/x//y\n" H, "line 1: a path that leads out" },
	{ "--- a/x/\n+++ b/x/\n" H, "line 1: a path that leads out" },
	{ "--- a/.git/config\n+++ b/.git/config\n" H, "line 1: a path that leads out" },
	{ "--- a/x/.GIT/y\n+++ b/x/.GIT/y\n" H, "line 1: a path that leads out" },
	{ "diff --git a/../x b/../x\nnew file mode 100644\n", "line 1: a path that leads out" },
	{ "diff --git a/x b/y\nrename from x\nrename to ../y\n", "line 3: a path that leads out" },
	{ "diff --git a/x b/y\nrename from /x\nrename to y\n", "line 2: a path that leads out" },
	{ "--- x\n+++ x\n" H, "line 1: no file name here" },
	{ "--- \"a/x\n+++ b/x\n" H, "line 1: no file name here" },
	{ "--- \"a/\\q\"\n+++ b/x\n" H, "line 1: no file name here" },
	{ "--- \"a/\\000\"\n+++ b/x\n" H, "line 1: no file name here" },
	{ "--- a/x\r\n+++ b/x\r\n@@ -1 +1 @@\r\n-a\r\n+b\r\n", "line 1: the name ends with a carriage return" },
	{ "diff --git a/x b/x\nnew file mode 100644\n--- a/x\n+++ b/x\n" H, "line 3: expected /dev/null" },
	{ "diff --git a/x b/x\n--- /dev/null\n+++ b/x\n" H, "line 2: /dev/null without a header" },
	{ "diff --git a/x b/x\nrename from x\nrename to y\n--- a/x\n+++ b/z\n" H, "line 5: another name" },
	{ "diff --git a/x b/y\nindex 1..2\nBinary files differ\n", "line 1: the header lacks the file's name" },
	{ "diff --git a/x b/x\nnew file mode 100644\ndeleted file mode 100644\n", "line 1: the header says two things" },
	{ "diff --git a/x b/x\nold mode 9\nnew mode 100644\n", "line 2: not a file mode" },
	{ "diff --git a/x b/x\nnew file mode 777777777777\n", "line 2: not a file mode" },
	{ "diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n" H,
	  "line 1: a new file that depends on old contents" },
	{ "diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n" H,
	  "line 1: a deleted file that still has contents" },
	{ "--- a/x\n+++ b/x\n" H "@@ -9 +9 @@\n-a\n", "line 8: the patch ends inside a hunk" },
};

static void test_malformed(void)
{
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		int err = parse(malformed[i].text);

		ok(err == ERR_INPUT && strstr(err_text(), malformed[i].why), "refused: %s", malformed[i].why);
		if (err != ERR_INPUT || !strstr(err_text(), malformed[i].why))
			printf("# case %zu: %s\n", i, err ? err_text() : "accepted");
	}
	is_int(parse_bytes(whole, DIFF_MOST + 1), ERR_INPUT, "a patch too large is refused unread");
}

/* Every prefix of a patch is read or refused, never read past. */
static void test_prefixes(void)
{
	size_t good = 0;

	for (size_t n = 0; n < strlen(whole); n++) {
		char *exact = malloc(n ? n : 1);

		memcpy(exact, whole, n);
		good += parse_bytes(exact, n) == 0;
		free(exact);
	}
	ok(good > 10, "prefixes are read where a hunk has ended");
}

static void test_large(void)
{
	struct buf text = { 0 };
	clock_t began;

	buf_adds(&text, "--- a/x\n+++ b/x\n");
	for (int i = 1; i < 250000; i++)
		buf_printf(&text, "@@ -%d +%d @@\n-a\n+b\n", i, i);
	began = clock();
	is_int(parse_bytes(text.data, text.len), 0, "a quarter of a million hunks");
	is_int((long long)diff.files->n_hunks, 249999, "all of them");
	ok((double)(clock() - began) / CLOCKS_PER_SEC < 5, "in linear time");
	buf_free(&text);
}

int main(void)
{
	arena = arena_new(0);
	test_whole();
	test_kinds();
	test_names();
	test_garbage();
	test_malformed();
	test_prefixes();
	test_large();
	arena_free(arena);
	return done();
}
