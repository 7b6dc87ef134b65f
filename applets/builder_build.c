/* Owns a build: checkout, configure, make, collect, each step a program of its own whose output is the log. Refuses a config that could
 * run programs, machines without the tools, and too small a disk, before anything is started. */
#include "applets/builder.h"

#include "lib/err.h"
#include "lib/file.h"
#include "lib/kconfig.h"
#include "lib/kver.h"
#include "lib/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINES_KEPT 200000u
#define LOG_KEPT (32u << 20) /* bytes of the log that are kept; what a build prints beyond is read and dropped */
#define LINE_MOST 4096       /* bytes; a longer line is cut in pieces */
#define PATHS_MOST (64u << 20)
#define TAIL_LINES 40 /* of the log, behind the reason of a failure */

static void add_line(struct build *b, const char *s, size_t n)
{
	if (b->n_lines >= LINES_KEPT || b->log_bytes + n > LOG_KEPT) {
		b->skipped++;
		return;
	}
	b->log_bytes += n;
	pb_add_bytes(b->arena, &b->n_lines, &b->lines, s, n);
}

static void note(struct build *b, const char *text)
{
	add_line(b, text, strlen(text));
}

/* The last lines of the log and the reason before them. */
static void fail_build(struct build *b, const char *why)
{
	struct buf text = { 0 };
	size_t from = b->n_lines > TAIL_LINES ? b->n_lines - TAIL_LINES : 0;

	buf_adds(&text, why);
	for (size_t i = from; i < b->n_lines; i++)
		buf_printf(&text, "\n%.*s", (int)b->lines[i].len, (const char *)b->lines[i].data);
	b->error = arena_strdup(b->arena, buf_str(&text));
	b->step = BUILD_OVER;
	buf_free(&text);
}

bool build_over(const struct build *b)
{
	return b->step == BUILD_OVER;
}

void build_abandon(struct build *b, const char *why)
{
	if (b->running)
		proc_stop(&b->proc);
	b->running = false;
	if (!build_over(b))
		fail_build(b, why);
}

void build_free(struct build *b)
{
	if (!b)
		return;
	if (b->running)
		proc_stop(&b->proc);
	buf_free(&b->partial);
	arena_free(b->arena);
	free(b);
}

/* ---- Before */

static int check_tools(struct build *b)
{
	struct kbuild_need *needs;
	size_t n;
	int err = kbuild_missing_tools(b->arena, (const char *)b->config->body.data, b->config->body.len, &needs, &n);

	if (err || n == 0)
		return err;
	return fail(ERR_SYS, "this builder lacks %s", kbuild_needs_text(b->arena, needs, n));
}

static int prepare(struct build *b)
{
	const struct builder_options *o = b->opts;
	const char *builds = arena_printf(b->arena, "%s/builds", o->work_dir);
	int64_t oldest = o->max_age ? (int64_t)time(NULL) - (int64_t)(o->max_age / 1000) : 0;
	int err;

	if ((err = kconfig_check((const char *)b->config->body.data, b->config->body.len)) || (err = check_tools(b)) ||
	    (err = file_make_parents(b->dir)) || (err = kbuild_check_space(builds, o->need_bytes)))
		return err;
	/* The same attempt's directory may be there from a builder that was killed. */
	if ((err = kbuild_dir_remove(b->dir)) && err != ERR_NOTFOUND)
		return err;
	if (kbuild_dirs_prune(builds, (size_t)o->keep, oldest, NULL))
		log_note("old builds: %s", err_text());
	return kbuild_dir_make(b->dir);
}

struct build *build_new(const struct builder_options *o, const BuildKernelRequest *r)
{
	struct build *b = xcalloc(1, sizeof(*b));
	char version[KVER_TEXT_MAX];

	b->opts = o;
	b->arena = arena_new(0);
	b->job = r->job;
	b->attempt = r->attempt;
	b->began = now_ms();
	b->config = pb_copy(b->arena, &r->config->base);
	b->dir = arena_printf(b->arena, "%s/builds/job-%llu-%u", o->work_dir, (unsigned long long)r->job, r->attempt);
	b->tree = arena_printf(b->arena, "%s/tree", b->dir);
	b->ref = b->config->ref ? arena_strdup(b->arena, b->config->ref)
				: arena_printf(b->arena, "v%s", kver_text(version, b->config->version));
	b->phase = "checking";
	if (!kconfig_name_ok(b->config->name ? b->config->name : "") || !b->config->version)
		fail_build(b, "the server sent a job that makes no sense");
	else if (prepare(b))
		fail_build(b, err_text());
	return b;
}

/* ---- The steps */

static struct kbuild_place place_of(const struct build *b)
{
	return (struct kbuild_place){
		.tree = b->tree,
		.home = arena_printf(b->arena, "%s/home", b->dir),
		.jobs = (unsigned)b->opts->jobs,
		.nice = 5,
		.grace_ms = (int)b->opts->grace,
	};
}

/* The checkout is a program, too: it takes seconds, may have to fetch, and can be killed. */
static void checkout_step(const struct build *b, struct proc_how *how)
{
	const struct builder_options *o = b->opts;
	const char **argv = arena_alloc(b->arena, 16 * sizeof(*argv));
	size_t n = 0;

	argv[n++] = "/proc/self/exe";
	argv[n++] = "builder";
	argv[n++] = "checkout";
	argv[n++] = "--linux-repo";
	argv[n++] = o->linux_repo;
	argv[n++] = "--linux-url";
	argv[n++] = o->linux_url;
	if (o->ca_file) {
		argv[n++] = "--ca-file";
		argv[n++] = o->ca_file;
	}
	argv[n++] = "--";
	argv[n++] = b->ref;
	argv[n++] = b->dir;
	*how = (struct proc_how){ .argv = argv, .grace_ms = (int)o->grace };
}

static int write_config(struct build *b)
{
	const char *path = arena_printf(b->arena, "%s/.config", b->tree);
	FILE *f = fopen(path, "we");
	int err = 0;

	if (!f)
		return fail(ERR_SYS, "%s: %s", path, strerror(errno));
	if (fwrite(b->config->body.data, 1, b->config->body.len, f) != b->config->body.len)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	if (fclose(f) && !err)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	return err;
}

static const char *const phases[] = {
	[BUILD_CHECKOUT] = "checking out",
	[BUILD_CONFIGURE] = "configuring",
	[BUILD_MAKE] = "building",
	[BUILD_COLLECT] = "collecting",
	[BUILD_OVER] = "over",
};

static int start_step(struct build *b)
{
	struct kbuild_place place = place_of(b);
	struct proc_how how;
	int err;

	b->phase = phases[b->step];
	if (b->step == BUILD_CHECKOUT) {
		checkout_step(b, &how);
	} else {
		if (b->step == BUILD_CONFIGURE && (err = write_config(b)))
			return err;
		kbuild_step(b->arena, &place, b->step == BUILD_CONFIGURE ? KBUILD_CONFIGURE : KBUILD_MAKE, &how);
	}
	if ((err = proc_start(&b->proc, &how)))
		return err;
	b->running = true;
	return 0;
}

/* ---- After each step */

static int read_checkout(struct build *b)
{
	struct buf text = { 0 };
	int err = buf_read_file(&text, arena_printf(b->arena, "%s/commit", b->dir), 64);

	if (!err)
		snprintf(b->commit, sizeof(b->commit), "%.40s", buf_str(&text));
	buf_reset(&text);
	if (!err && !(err = buf_read_file(&text, arena_printf(b->arena, "%s/paths", b->dir), PATHS_MOST)))
		for (size_t at = 0; at < text.len; at += strlen(text.data + at) + 1)
			*(const char **)arena_grow(b->arena, (void **)&b->paths, &b->n_paths,
						   sizeof(*b->paths)) = arena_strdup(b->arena, text.data + at);
	buf_free(&text);
	return err;
}

/* kconfig changes what does not fit the tree; who put the config must see that. */
static int tell_differences(struct build *b)
{
	struct kconfig_change *changes;
	struct buf used = { 0 };
	size_t n;
	int err = buf_read_file(&used, arena_printf(b->arena, "%s/.config", b->tree), KCONFIG_MOST);

	if (err)
		return err;
	n = kconfig_diff(b->arena, (const char *)b->config->body.data, b->config->body.len, used.data, used.len, &changes);
	note(b, n ? arena_printf(b->arena, "config: %zu options differ from what was submitted:", n)
		  : "config: used as it was submitted");
	for (size_t i = 0; i < n; i++)
		note(b,
		     arena_printf(b->arena, "config: %s: %s -> %s", changes[i].option,
				  changes[i].before ? changes[i].before : "n", changes[i].after ? changes[i].after : "n"));
	buf_free(&used);
	return 0;
}

static int collect(struct build *b)
{
	struct kbuild_tree tree = {
		.dir = b->tree, .tracked = b->paths, .n_tracked = b->n_paths, .min_files = (size_t)b->opts->min_files
	};
	uint64_t began = now_ms();
	int err = kbuild_profile(b->arena, &tree, &b->profile);

	if (!err)
		note(b, arena_printf(b->arena, "profile: %zu files of the tree are compiled, collected in %.1f s; %s",
				     b->profile.n_compiled, (double)(now_ms() - began) / 1000, b->profile.release));
	return err;
}

static int conclude_step(struct build *b)
{
	if (b->step == BUILD_CHECKOUT)
		return read_checkout(b);
	if (b->step == BUILD_CONFIGURE)
		return tell_differences(b);
	return 0;
}

/* The program of the step is over. */
static void finish_step(struct build *b)
{
	char status[PROC_TEXT];

	if (b->partial.len)
		add_line(b, b->partial.data, b->partial.len);
	buf_reset(&b->partial);
	proc_stop(&b->proc);
	b->running = false;
	if (!WIFEXITED(b->proc.status) || WEXITSTATUS(b->proc.status) != 0)
		fail_build(b, arena_printf(b->arena, "%s failed: %s", b->phase, proc_status_text(status, b->proc.status)));
	else if (conclude_step(b))
		fail_build(b, err_text());
	else
		b->step++;
}

/* ---- The log */

static void split_lines(struct build *b)
{
	char *at = b->partial.data, *end = at + b->partial.len, *nl;

	while (at < end && (nl = memchr(at, '\n', (size_t)(end - at)))) {
		add_line(b, at, (size_t)(nl - at));
		at = nl + 1;
	}
	for (; end - at >= LINE_MOST; at += LINE_MOST)
		add_line(b, at, LINE_MOST);
	b->partial.len = (size_t)(end - at);
	memmove(b->partial.data, at, b->partial.len);
}

/* False at the end of the output. */
static bool read_output(struct build *b)
{
	ssize_t n = read(b->proc.fd, buf_reserve(&b->partial, 16384), 16384);

	if (n > 0) {
		b->partial.len += (size_t)n;
		split_lines(b);
	}
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Signs of life renew the lease of a build that hangs as of any other, so nobody but the builder would ever end it. */
static void stop_overdue(struct build *b)
{
	uint64_t most = b->opts->build_timeout;

	if (most && !build_over(b) && now_ms() - b->began > most)
		build_abandon(b, arena_printf(b->arena, "the build was not over after %s (--build-timeout): killed while %s",
					      opt_duration_text(b->arena, most), b->phase));
}

void build_pump(struct build *b, int timeout_ms, int other_fd)
{
	struct pollfd fds[2] = { { .fd = -1, .events = POLLIN }, { .fd = other_fd, .events = POLLIN } };

	stop_overdue(b);
	if (!build_over(b) && !b->running && b->step < BUILD_COLLECT && start_step(b))
		fail_build(b, err_text());
	if (b->step == BUILD_COLLECT) {
		b->phase = phases[BUILD_COLLECT];
		if (collect(b))
			fail_build(b, err_text());
		b->step = BUILD_OVER;
	}
	if (b->running)
		fds[0].fd = b->proc.fd;
	if (poll(fds, 2, build_over(b) ? 0 : timeout_ms) <= 0 || !fds[0].revents)
		return;
	if (!read_output(b))
		finish_step(b);
}
