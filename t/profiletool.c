/* kbuild.h's verbs on the command line, for the shell tests. */
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/kbuild.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONFIG_MOST (4u << 20)
#define GRACE_MS 300

static const char *const *read_lines(struct arena *a, char *text, size_t *n)
{
	const char **lines = NULL;

	*n = 0;
	for (char *at = text, *end; at && *at; at = end) {
		end = strchr(at, '\n');
		if (end)
			*end++ = '\0';
		*(const char **)arena_grow(a, (void **)&lines, n, sizeof(*lines)) = at;
	}
	return lines;
}

static void print_profile(const struct kbuild_profile *p)
{
	for (size_t i = 0; i < p->n_files; i++)
		printf("%s %s\n", kbuild_kind_name(p->files[i].kind), p->files[i].path);
	for (size_t i = 0; i < p->n_modules; i++)
		printf("module: %s\n", p->modules[i]);
	printf("compiler: %s\nrelease: %s\nbuild id: %s\nvmlinux: %" PRIu64 "\ncompiled: %zu\n", p->compiler, p->release,
	       p->build_id, p->vmlinux_size, p->n_compiled);
}

/* profile DIR TRACKED_LIST MIN_FILES */
static int do_profile(struct arena *a, char **arg)
{
	struct kbuild_tree tree = { .dir = arg[0], .min_files = strtoul(arg[2], NULL, 10) };
	struct kbuild_profile profile;
	struct buf list = { 0 };
	int err = buf_read_file(&list, arg[1], 0);

	if (!err) {
		tree.tracked = read_lines(a, list.data, &tree.n_tracked);
		err = kbuild_profile(a, &tree, &profile);
	}
	if (!err)
		print_profile(&profile);
	buf_free(&list);
	return err;
}

static volatile sig_atomic_t cancelled;

static void on_signal(int sig UNUSED)
{
	cancelled = 1;
}

/* Copies what the step prints until it ends; SIGINT cancels it. */
static int stream(const struct proc_how *how)
{
	char piece[4096], text[PROC_TEXT];
	struct proc p;
	ssize_t n;
	int err = proc_start(&p, how);

	if (err)
		return err;
	while ((n = read(p.fd, piece, sizeof(piece))) != 0) {
		if (n > 0 && fwrite(piece, 1, (size_t)n, stdout))
			fflush(stdout);
		if (cancelled)
			proc_cancel(&p);
	}
	while (!proc_ended(&p))
		usleep(1000);
	printf("%s: %s\n", how->argv[1], proc_status_text(text, p.status));
	err = WIFEXITED(p.status) && WEXITSTATUS(p.status) == 0 ? 0 : fail(ERR_SYS, "make: %s", text);
	proc_stop(&p);
	return err;
}

/* make TREE HOME JOBS */
static int do_make(struct arena *a, char **arg)
{
	struct kbuild_place place = { .tree = arg[0], .home = arg[1], .jobs = (unsigned)atoi(arg[2]), .grace_ms = GRACE_MS };
	struct sigaction action = { .sa_handler = on_signal };
	int err = 0;

	sigaction(SIGINT, &action, NULL);
	for (int step = 0; !err && step < KBUILD_STEPS; step++) {
		struct proc_how how;

		kbuild_step(a, &place, (enum kbuild_step)step, &how);
		err = stream(&how);
	}
	return err;
}

/* needs CONFIG_FILE */
static int do_needs(struct arena *a, char **arg)
{
	struct kbuild_need *list;
	struct buf config = { 0 };
	size_t n;
	int err = buf_read_file(&config, arg[0], CONFIG_MOST);

	if (!err && !(err = kbuild_missing_tools(a, buf_str(&config), config.len, &list, &n)))
		printf("%s\n", kbuild_needs_text(a, list, n));
	buf_free(&config);
	return err;
}

static const struct verb {
	const char *name;
	int args;
	int (*run)(struct arena *a, char **arg);
} verbs[] = {
	{ "profile", 3, do_profile },
	{ "make", 3, do_make },
	{ "needs", 1, do_needs },
};

int main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	int err = fail(ERR_USAGE, "no such verb, or too few operands");

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (argc >= 2 && strcmp(argv[1], verbs[i].name) == 0 && argc >= 2 + verbs[i].args)
			err = verbs[i].run(a, argv + 2);
	if (err)
		fprintf(stderr, "%s: %s\n", err_kind_name(err), err_text());
	arena_free(a);
	return err_exit_code(err);
}
