/* repo.h's verbs on the command line, for the shell tests and the benchmark. */
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/repo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CACHE (96u << 20)
#define FILE_MOST (16u << 20)

static int patch_of(struct repo *r, struct arena *a, const char *commit, bool named)
{
	Fix *fix = pb_new(a, &fix__descriptor);
	int err = repo_fix(r, a, commit, fix);

	if (err)
		return err;
	if (named && fix->patch.len)
		printf("%s\n", commit);
	fwrite(fix->patch.data, 1, fix->patch.len, stdout);
	return 0;
}

/* patch REPO COMMIT: the patch alone. */
static int do_patch(struct repo *r, char **arg)
{
	struct arena *a = arena_new(0);
	int err = patch_of(r, a, arg[0], false);

	arena_free(a);
	return err;
}

/* fix REPO COMMIT: state, subject and files. */
static int do_fix(struct repo *r, char **arg)
{
	static const char *const states[] = { "none", "stored", "missing", "root", "merge" };
	struct arena *a = arena_new(0);
	Fix *fix = pb_new(a, &fix__descriptor);
	int err = repo_fix(r, a, arg[0], fix);

	if (!err) {
		printf("%s %zu\n%.*s\n", states[fix->state], fix->message.len, (int)fix->subject.len,
		       (char *)fix->subject.data);
		for (size_t i = 0; i < fix->n_files; i++)
			printf("%.*s\n", (int)fix->files[i].len, (char *)fix->files[i].data);
	}
	arena_free(a);
	return err;
}

static size_t read_ids(char (**ids)[REPO_HEX])
{
	char line[256];
	size_t n = 0;

	*ids = NULL;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strlen(line) >= REPO_HEX)
			continue;
		*ids = xrealloc(*ids, (n + 1) * sizeof(**ids));
		strcpy((*ids)[n++], line);
	}
	return n;
}

/* patches REPO: each commit of standard input and its patch, as git diff-tree --stdin -p prints them. */
static int do_patches(struct repo *r, char **arg UNUSED)
{
	struct arena *a = arena_new(0);
	char(*ids)[REPO_HEX];
	size_t n = read_ids(&ids);
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		err = patch_of(r, a, ids[i], true);
		arena_reset(a);
	}
	free(ids);
	arena_free(a);
	return err;
}

static int do_sort(struct repo *r, char **arg UNUSED)
{
	char(*ids)[REPO_HEX];
	size_t n = read_ids(&ids);

	repo_sort_for_reading(r, ids, n);
	for (size_t i = 0; i < n; i++)
		puts(ids[i]);
	free(ids);
	return 0;
}

static int print_change(void *ctx, const char *path, bool there)
{
	int *left = ctx;

	printf("%c %s\n", there ? '+' : '-', path);
	return --*left == 0 ? ERR_USAGE : 0;
}

/* changes REPO OLD|- NEW DIR [MOST] */
static int do_changes(struct repo *r, char **arg)
{
	int left = arg[3] ? atoi(arg[3]) : -1;

	return repo_changes(r, strcmp(arg[0], "-") == 0 ? NULL : arg[0], arg[1], arg[2], print_change, &left);
}

/* file REPO COMMIT PATH [MOST] */
static int do_file(struct repo *r, char **arg)
{
	struct buf out = { 0 };
	int err = repo_file(r, arg[0], arg[1], arg[2] ? (size_t)atoi(arg[2]) : FILE_MOST, &out);

	fwrite(buf_str(&out), 1, out.len, stdout);
	buf_free(&out);
	return err;
}

/* files REPO COMMIT: the bytes of all files named on standard input, summed. */
static int do_files(struct repo *r, char **arg)
{
	struct buf out = { 0 };
	char path[4096];
	size_t sum = 0;
	int err = 0;

	while (!err && fgets(path, sizeof(path), stdin)) {
		path[strcspn(path, "\n")] = '\0';
		err = repo_file(r, arg[0], path, FILE_MOST, &out);
		sum += out.len;
		buf_reset(&out);
	}
	printf("%zu\n", sum);
	buf_free(&out);
	return err;
}

/* tip REPO [head] */
static int do_tip(struct repo *r, char **arg)
{
	char tip[REPO_HEX];
	int err = repo_tip(r, arg[0] != NULL, tip);

	if (!err)
		puts(tip);
	return err;
}

static int do_time(struct repo *r, char **arg)
{
	char iso[CLOCK_TEXT];
	int err = repo_commit_time(r, arg[0], iso);

	if (!err)
		puts(iso);
	return err;
}

static int do_ancestor(struct repo *r, char **arg)
{
	puts(repo_is_ancestor(r, arg[0], arg[1]) ? "yes" : "no");
	return 0;
}

static int do_fingerprint(const char *path)
{
	uint64_t print;
	int err = repo_fingerprint(path, &print);

	if (!err)
		printf("%" PRIu64 "\n", print);
	return err;
}

static void report(void *ctx UNUSED, const char *step, uint64_t objects, uint64_t total, uint64_t bytes)
{
	fprintf(stderr, "step %s %" PRIu64 "/%" PRIu64 " %" PRIu64 "\n", step, objects, total, bytes);
}

/* fetch PATH URL KIND [NEED_BYTES [CA_FILE|- [STALL_MS]]] */
static int do_fetch(const char *path, char **arg)
{
	struct repo_sync how = { .path = path, .url = arg[0], .need = arg[1], .progress = { .report = report } };
	char tip[REPO_HEX];
	bool changed;
	int err;

	if (arg[2])
		how.need_bytes = strtoull(arg[2], NULL, 10);
	if (arg[2] && arg[3] && strcmp(arg[3], "-") != 0)
		how.ca_file = arg[3];
	if (arg[2] && arg[3] && arg[4])
		how.stall_ms = strtoull(arg[4], NULL, 10);
	if (!(err = repo_fetch(&how, &changed, tip)))
		printf("%s %s\n", changed ? "changed" : "same", tip);
	return err;
}

static const struct verb {
	const char *name;
	int args;
	int (*run)(struct repo *r, char **arg);
} verbs[] = {
	{ "patch", 1, do_patch },     { "patches", 0, do_patches },   { "fix", 1, do_fix },     { "sort", 0, do_sort },
	{ "changes", 3, do_changes }, { "file", 2, do_file },         { "files", 1, do_files }, { "tip", 0, do_tip },
	{ "time", 1, do_time },       { "ancestor", 2, do_ancestor }, { "open", 0, NULL },
};

static int run(int argc, char **argv)
{
	struct repo *r;
	int err = repo_setup(CACHE);

	if (err)
		return err;
	if (strcmp(argv[1], "fingerprint") == 0)
		return do_fingerprint(argv[2]);
	if (strcmp(argv[1], "fetch") == 0 && argc >= 5)
		return do_fetch(argv[2], argv + 3);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0 || argc < 3 + verbs[i].args)
			continue;
		if (!(err = repo_open(&r, argv[2])) && verbs[i].run)
			err = verbs[i].run(r, argv + 3);
		repo_close(r);
		return err;
	}
	return fail(ERR_USAGE, "no such verb, or too few operands: %s", argv[1]);
}

int main(int argc, char **argv)
{
	int err;

	if (argc < 3)
		return EXIT_MISUSE;
	if ((err = run(argc, argv)))
		fprintf(stderr, "%s: %s\n", err_kind_name(err), err_text());
	return err_exit_code(err);
}
