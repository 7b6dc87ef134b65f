/* apply.h's verdicts on the command line, for the tests that compare them with git's, and the random cases they are compared on. */
#include "lib/apply.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE (96u << 20)
#define FILE_MOST (64u << 20)

/* ---- Readers */

static int read_directory(void *ctx, struct arena *a, const char *path, struct tree_file *out)
{
	const char *full = arena_printf(a, "%s/%s", (const char *)ctx, path);
	struct buf text = { 0 };
	char target[4096];
	struct stat st;
	ssize_t n;
	int err = 0;

	if (lstat(full, &st))
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(ERR_SYS, "%s: %s", full, strerror(errno));
	out->mode = S_ISREG(st.st_mode) ? (st.st_mode & 0100 ? 0100755 : 0100644) : st.st_mode & S_IFMT;
	if (S_ISDIR(st.st_mode)) {
		out->kind = TREE_DIRECTORY;
	} else if (S_ISLNK(st.st_mode)) {
		out->kind = TREE_SYMLINK;
		n = readlink(full, target, sizeof(target));
		out->data = arena_memdup(a, target, (size_t)n);
		out->len = (size_t)n;
	} else {
		out->kind = TREE_FILE;
		err = buf_read_file(&text, full, FILE_MOST);
		out->data = arena_memdup(a, buf_str(&text), text.len);
		out->len = text.len;
	}
	buf_free(&text);
	return err;
}

/* ---- Verdicts */

struct judged {
	struct arena *a;
	struct buf text;
	struct diff diff;
	ApplyResult result;
	struct apply_tree after;
};

static int judge(struct judged *j, const char *patch, const struct tree_reader *tree)
{
	int err;

	apply_result__init(&j->result);
	if ((err = buf_read_file(&j->text, patch, FILE_MOST)) ||
	    (err = diff_parse(j->a, buf_str(&j->text), j->text.len, &j->diff)))
		return err;
	return apply_check(j->a, &j->diff, tree, &j->result, &j->after);
}

static void judged_free(struct judged *j)
{
	buf_free(&j->text);
	arena_free(j->a);
}

/* As git apply --check -v says it. */
static void print_offsets(const ApplyResult *r)
{
	for (size_t i = 0; i < r->n_files; i++) {
		for (size_t k = 0; k < r->files[i]->n_hunks; k++) {
			const ApplyHunk *h = r->files[i]->hunks[k];

			if (h->has_offset)
				printf("Hunk #%u succeeded at %llu (offset %lld line%s).\n", h->number,
				       (unsigned long long)h->line, (long long)h->offset, h->offset == 1 ? "" : "s");
		}
	}
}

/* check DIR PATCH: the state, then the offsets of its hunks. */
static int do_check(char **arg)
{
	struct judged j = { .a = arena_new(0) };
	struct tree_reader tree = { read_directory, arg[0] };
	int err = judge(&j, arg[1], &tree);

	if (!err) {
		printf("%s\n", apply_state_name(j.result.state));
		if (j.result.reason)
			fprintf(stderr, "%s\n", j.result.reason);
		print_offsets(&j.result);
	}
	judged_free(&j);
	return err;
}

static int write_output(const char *dir, const struct apply_output *o)
{
	char *path = xasprintf("%s/%s", dir, o->path);
	FILE *f;
	int err = 0;

	if (!o->data) {
		unlink(path);
	} else if (!(err = file_make_parents(path))) {
		unlink(path);
		f = fopen(path, "w");
		if (!f || fwrite(o->data, 1, o->len, f) != o->len || fclose(f))
			err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	}
	free(path);
	return err;
}

/* apply DIR PATCH: changes the files. */
static int do_apply(char **arg)
{
	struct judged j = { .a = arena_new(0) };
	struct tree_reader tree = { read_directory, arg[0] };
	int err = judge(&j, arg[1], &tree);

	if (!err && !apply_is_good(j.result.state))
		err = fail(ERR_INPUT, "%s", j.result.reason);
	for (size_t i = 0; !err && i < j.after.n_outputs; i++)
		err = write_output(arg[0], &j.after.outputs[i]);
	judged_free(&j);
	return err;
}

/* commit REPO COMMIT: for each patch named on standard input "NAME STATE". */
static int do_commit(char **arg)
{
	struct repo_tree c = { .commit = arg[1] };
	struct tree_reader tree = { repo_tree_read, &c };
	char name[4096];
	int err;

	if ((err = repo_setup(CACHE)) || (err = repo_open(&c.repo, arg[0])))
		return err;
	while (!err && fgets(name, sizeof(name), stdin)) {
		struct judged j = { .a = arena_new(0) };

		name[strcspn(name, "\n")] = '\0';
		if (!(err = judge(&j, name, &tree)))
			printf("%s %s\n", name, apply_state_name(j.result.state));
		else
			fail_in(err, "%s", name);
		judged_free(&j);
	}
	repo_close(c.repo);
	return err;
}

/* ---- Random cases */

static uint64_t seed;

static unsigned pick(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % below);
}

#define LINES_MOST 128

/* A text of few words, so that hunks fit in many places. */
struct text {
	int words[LINES_MOST];
	int n;
	bool open; /* no newline at its end */
};

static void make_text(struct text *t, unsigned words)
{
	t->n = (int)pick(40);
	for (int i = 0; i < t->n; i++)
		t->words[i] = (int)pick(words);
	t->open = pick(6) == 0;
}

static void edit_text(struct text *t, unsigned words, unsigned edits)
{
	while (edits--) {
		int at = (int)pick((unsigned)t->n + 1), kind = (int)pick(3);
		size_t behind = (size_t)(t->n - at) * sizeof(t->words[0]);

		if (kind == 0 && t->n < LINES_MOST) {
			memmove(t->words + at + 1, t->words + at, behind);
			t->words[at] = (int)pick(words);
			t->n++;
		} else if (kind == 1 && at < t->n) {
			memmove(t->words + at, t->words + at + 1, behind - sizeof(t->words[0]));
			t->n--;
		} else if (at < t->n) {
			t->words[at] = (int)pick(words);
		}
	}
	if (pick(12) == 0)
		t->open = !t->open;
}

static int write_text(const char *dir, const char *side, const struct text *t)
{
	/* A line may be another with a blank behind it, or be empty. */
	static const char *const words[] = { "a",           "b",   "a ", "",  "\tif (x)", "}",   "\t\treturn 0;",
					     "int f(void)", "b\t", "ab", "{", " a",       "x\r", "goto out",
					     "y",           "z" };
	char *path = xasprintf("%s/%s/f", dir, side);
	FILE *f;
	int err = file_make_parents(path);

	f = err ? NULL : fopen(path, "w");
	for (int i = 0; f && i < t->n; i++)
		fprintf(f, "%s%s", words[t->words[i]], t->open && i == t->n - 1 ? "" : "\n");
	if (!err && (!f || fclose(f)))
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	free(path);
	return err;
}

/* One case: a, b, c are three states of a file, t is what the patches a-b and b-c are tried on. */
static int make_case(const char *dir)
{
	unsigned words = 2 + pick(15);
	struct text a, b, c, t;
	int err = 0;

	words = MIN_OF(words, 16u);
	make_text(&a, words);
	b = a;
	edit_text(&b, words, 1 + pick(5));
	c = b;
	edit_text(&c, words, 1 + pick(3));
	t = pick(4) ? a : pick(2) ? b : c;
	if (pick(3))
		edit_text(&t, words, pick(5));
	if (pick(8) && !err)
		err = write_text(dir, "a", &a);
	if (pick(12) && !err)
		err = write_text(dir, "b", &b);
	if (pick(12) && !err)
		err = write_text(dir, "c", &c);
	if (pick(10) && !err)
		err = write_text(dir, "t", &t);
	return err;
}

/* random SEED COUNT DIR: DIR/N/{a,b,c,t}/f, each of which may be missing. */
static int do_random(char **arg)
{
	int count = atoi(arg[1]), err = 0;

	seed = strtoull(arg[0], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
	for (int i = 0; !err && i < count; i++) {
		char *dir = xasprintf("%s/%d", arg[2], i);

		err = make_case(dir);
		for (const char *side = "abct"; !err && *side; side++) {
			char *path = xasprintf("%s/%c/f", dir, *side);

			err = file_make_parents(path);
			free(path);
		}
		free(dir);
	}
	return err;
}

/* cases DIR COUNT: the state of DIR/N/t under DIR/N/p for all N, "N STATE", or "N refused" where the patch is malformed. The offsets go
 * to DIR/N/offsets, what it leaves to DIR/N/mine. */
static int do_cases(char **arg)
{
	int count = atoi(arg[1]), err = 0;

	for (int i = 0; !err && i < count; i++) {
		struct judged j = { .a = arena_new(0) };
		char *patch = xasprintf("%s/%d/p", arg[0], i), *dir = xasprintf("%s/%d/t", arg[0], i);
		char *mine = xasprintf("%s/%d/mine", arg[0], i);
		struct tree_reader tree = { read_directory, dir };

		if (judge(&j, patch, &tree)) {
			printf("%d refused\n", i);
		} else {
			printf("%d %s\n", i, apply_state_name(j.result.state));
			fprintf(stderr, "case %d\n", i);
			fflush(stdout);
			for (size_t k = 0; !err && k < j.after.n_outputs; k++)
				err = write_output(mine, &j.after.outputs[k]);
		}
		free(mine);
		free(dir);
		free(patch);
		judged_free(&j);
	}
	return err;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} verbs[] = {
	{ "check", 2, do_check },   { "apply", 2, do_apply }, { "commit", 2, do_commit },
	{ "random", 3, do_random }, { "cases", 2, do_cases },
};

int main(int argc, char **argv)
{
	int err = fail(ERR_USAGE, "no such verb, or too few operands");

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0 && argc == 2 + verbs[i].args)
			err = verbs[i].run(argv + 2);
	if (err)
		fprintf(stderr, "%s: %s\n", err_kind_name(err), err_text());
	return err_exit_code(err);
}
