/* The linter on the command line, for the shell tests and the real world: linttool [-t REPO COMMIT] [-k VERSION] [-n NAME] [-s] [PATCH...].
 * Patches are the operands, or one name a line on standard input. -s: one line a patch, "NAME rules...". */
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/lint.h"
#include "lib/pb.h"
#include "lib/repo.h"
#include "lib/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CACHE (96u << 20)
#define FILE_MOST (64u << 20)

static struct repo_tree at;
static bool brief;
static double slowest;

static void print_finding(const LintFinding *f)
{
	struct buf text = { 0 };

	buf_printf(&text, "%s %s ", f->id, lint_level_name(f->level));
	if (f->has_file)
		str_printable(&text, (const char *)f->file.data, f->file.len);
	if (f->has_line)
		buf_printf(&text, ":%llu", (unsigned long long)f->line);
	buf_printf(&text, "%s%s%s", f->has_file ? " " : "", f->why, f->from_diff ? " [diff]" : "");
	if (f->has_suppressed) {
		buf_adds(&text, " [ok: ");
		str_printable(&text, (const char *)f->suppressed.data, f->suppressed.len);
		buf_addc(&text, ']');
	}
	puts(buf_str(&text));
	buf_free(&text);
}

static void print_brief(const char *name, const LintResult *r)
{
	const char *slash = strrchr(name, '/');
	uint32_t bits[2] = { 0 };

	printf("%s", slash ? slash + 1 : name);
	for (size_t i = 0; i < r->n_findings; i++)
		bits[r->findings[i]->rule / 32] |= 1u << r->findings[i]->rule % 32;
	for (uint32_t n = 0; n < 64; n++)
		if (bits[n / 32] & (1u << n % 32))
			printf(" %u", n);
	putchar('\n');
}

static int lint_one(struct lint_input *in, const char *name)
{
	struct arena *a = arena_new(0);
	struct buf text = { 0 };
	struct diff diff;
	struct timespec began, ended;
	LintResult *result = pb_new(a, &lint_result__descriptor);
	int err;

	in->diff = &diff;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
	if (!(err = buf_read_file(&text, name, FILE_MOST)) && !(err = diff_parse(a, buf_str(&text), text.len, &diff)))
		err = lint_patch(a, in, result);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	slowest = MAX_OF(slowest,
			 (double)(ended.tv_sec - began.tv_sec) * 1e3 + (double)(ended.tv_nsec - began.tv_nsec) / 1e6);
	if (err)
		fprintf(stderr, "%s: %s\n", name, err_text());
	else if (brief)
		print_brief(name, result);
	for (size_t i = 0; !err && !brief && i < result->n_findings; i++)
		print_finding(result->findings[i]);
	buf_free(&text);
	arena_free(a);
	return err;
}

static int open_tree(const char *path, const char *id)
{
	int err = repo_setup(CACHE);

	at.commit = id;
	return err ? err : repo_open(&at.repo, path);
}

static int take_options(int argc, char **argv, struct lint_input *in, KernelVersion *version)
{
	static struct tree_reader tree = { repo_tree_read, &at };
	int option, err;

	while ((option = getopt(argc, argv, "t:k:n:s")) != -1) {
		switch (option) {
		case 't':
			if (optind >= argc || (err = open_tree(optarg, argv[optind++])))
				return optind >= argc ? fail(ERR_USAGE, "-t REPO COMMIT") : err;
			in->tree = &tree;
			break;
		case 'k':
			if ((err = kver_parse(version, optarg, strlen(optarg))))
				return err;
			in->version = version;
			break;
		case 'n':
			in->module_name = optarg;
			break;
		case 's':
			brief = true;
			break;
		default:
			return fail(ERR_USAGE, "linttool [-t REPO COMMIT] [-k VERSION] [-n NAME] [-s] [PATCH...]");
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct lint_input in = { 0 };
	KernelVersion version;
	char line[4096];
	int err = take_options(argc, argv, &in, &version), bad = 0;

	if (err)
		fprintf(stderr, "%s: %s\n", err_kind_name(err), err_text());
	for (int i = optind; !err && i < argc; i++)
		bad = lint_one(&in, argv[i]) ? ERR_INPUT : bad;
	while (!err && optind == argc && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		bad = lint_one(&in, line) ? ERR_INPUT : bad;
	}
	if (brief)
		fprintf(stderr, "slowest: %.1f ms\n", slowest);
	repo_close(at.repo);
	return err_exit_code(err ? err : bad);
}
