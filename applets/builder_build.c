/* Owns a build: making room, checkout, configure, make, collect, each step a process of its own whose output is the log, so that nothing
 * of it keeps the builder from the server and all of it can be killed. Refuses a config that could
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
#define PROFILE_MOST (64u << 20)
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

/* A result can wait. Where the deadline came first it stays, and there is no result. */
static void end_build(struct build *b)
{
	b->step = BUILD_OVER;
	proc_deadline_set(b->deadline, 0);
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
	end_build(b);
	buf_free(&text);
}

bool build_over(const struct build *b)
{
	return b->step == BUILD_OVER;
}

void build_extend(struct build *b, int64_t until)
{
	proc_deadline_set(b->deadline, build_over(b) ? 0 : until);
}

bool build_expired(const struct build *b)
{
	return proc_deadline_came(b->deadline);
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
	proc_deadline_free(b->deadline);
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

static const char *builds_of(const struct build *b)
{
	return arena_printf(b->arena, "%s/builds", b->opts->work_dir);
}

static int prepare(struct build *b)
{
	int err;

	if ((err = kconfig_check((const char *)b->config->body.data, b->config->body.len)) || (err = check_tools(b)) ||
	    (err = file_make_parents(b->dir)))
		return err;
	return kbuild_check_space(builds_of(b), b->opts->need_bytes);
}

struct build *build_new(const struct builder_options *o, const BuildKernelRequest *r, int64_t until)
{
	struct build *b = xcalloc(1, sizeof(*b));
	char version[KVER_TEXT_MAX];

	b->opts = o;
	b->arena = arena_new(0);
	b->deadline = proc_deadline_new();
	proc_deadline_set(b->deadline, until);
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

/* What one of our own processes prints without an end of line is why it failed. */
static int say_why(int err)
{
	if (err)
		dprintf(STDOUT_FILENO, "%s", err_text());
	return err ? 1 : 0;
}

/* Trees of kernels have a hundred thousand files: removing them may take longer than a lease. */
static int clear(void *build)
{
	struct build *b = build;
	const struct builder_options *o = b->opts;
	int64_t oldest = o->max_age ? (int64_t)time(NULL) - (int64_t)(o->max_age / 1000) : 0;
	/* The same attempt's directory may be there from a builder that was killed. */
	int err = kbuild_dir_remove(b->dir);

	if (err && err != ERR_NOTFOUND)
		return say_why(err);
	if (kbuild_dirs_prune(builds_of(b), (size_t)o->keep, oldest, NULL))
		dprintf(STDOUT_FILENO, "old builds: %s\n", err_text());
	return say_why(kbuild_dir_make(b->dir));
}

static void own_step(struct build *b, int (*run)(void *build), struct proc_how *how)
{
	const char **argv = arena_alloc(b->arena, 2 * sizeof(*argv));

	argv[0] = b->phase;
	argv[1] = NULL;
	*how = (struct proc_how){ .argv = argv, .run = run, .ctx = b };
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

static int write_file(const char *path, const void *data, size_t n)
{
	FILE *f = fopen(path, "we");
	int err = 0;

	if (!f)
		return fail(ERR_SYS, "%s: %s", path, strerror(errno));
	if (fwrite(data, 1, n, f) != n)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	if (fclose(f) && !err)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	return err;
}

/* As the server wants it. */
static void to_message(const struct kbuild_profile *from, struct arena *a, BuildProfile *to)
{
	static const FileKind kinds[] = {
		[KBUILD_COMPILED] = FILE_KIND__COMPILED,
		[KBUILD_GENERATED] = FILE_KIND__GENERATED,
		[KBUILD_HOST] = FILE_KIND__HOST_ONLY,
	};

	for (size_t i = 0; i < from->n_files; i++) {
		BuildFile *f = PB_ADD(a, to, files, build_file);

		f->has_path = f->has_kind = true;
		f->path = pb_bytes(a, from->files[i].path, strlen(from->files[i].path));
		f->kind = kinds[from->files[i].kind];
	}
	to->release = from->release;
	to->compiler = from->compiler;
	to->has_vmlinux_size = true;
	to->vmlinux_size = from->vmlinux_size;
	to->build_id = *from->build_id ? from->build_id : NULL;
	to->n_modules = from->n_modules;
	to->modules = from->modules;
}

static const char *profile_path(const struct build *b)
{
	return arena_printf(b->arena, "%s/profile", b->dir);
}

/* Leaves the profile beside the tree. */
static int collect(void *build)
{
	struct build *b = build;
	struct kbuild_tree tree = {
		.dir = b->tree, .tracked = b->paths, .n_tracked = b->n_paths, .min_files = (size_t)b->opts->min_files
	};
	BuildProfile message = BUILD_PROFILE__INIT;
	struct kbuild_profile profile;
	struct buf packed = { 0 };
	uint64_t began = now_ms();
	int err;

	if ((err = kbuild_profile(b->arena, &tree, &profile)))
		return say_why(err);
	to_message(&profile, b->arena, &message);
	pb_pack(&packed, &message.base);
	if ((err = write_file(profile_path(b), packed.data, packed.len)))
		return say_why(err);
	dprintf(STDOUT_FILENO, "profile: %zu files of the tree are compiled, collected in %.1f s; %s\n", profile.n_compiled,
		(double)(now_ms() - began) / 1000, profile.release);
	return 0;
}

static const char *const phases[] = {
	[BUILD_CLEAR] = "making room", [BUILD_CHECKOUT] = "checking out", [BUILD_CONFIGURE] = "configuring",
	[BUILD_MAKE] = "building",     [BUILD_COLLECT] = "collecting",
};

static int start_step(struct build *b)
{
	struct kbuild_place place = place_of(b);
	struct proc_how how;
	int err;

	b->phase = phases[b->step];
	if (b->step == BUILD_CLEAR) {
		own_step(b, clear, &how);
	} else if (b->step == BUILD_CHECKOUT) {
		checkout_step(b, &how);
	} else if (b->step == BUILD_COLLECT) {
		own_step(b, collect, &how);
	} else {
		if (b->step == BUILD_CONFIGURE && (err = write_file(arena_printf(b->arena, "%s/.config", b->tree),
								    b->config->body.data, b->config->body.len)))
			return err;
		kbuild_step(b->arena, &place, b->step == BUILD_CONFIGURE ? KBUILD_CONFIGURE : KBUILD_MAKE, &how);
	}
	how.deadline = b->deadline;
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

static int read_profile(struct build *b)
{
	struct buf text = { 0 };
	int err = buf_read_file(&text, profile_path(b), PROFILE_MOST);

	if (!err && !(b->profile = pb_unpack(b->arena, &build_profile__descriptor, text.data, text.len)))
		err = fail(ERR_INPUT, "%s: the profile cannot be read", profile_path(b));
	buf_free(&text);
	return err;
}

static int conclude_step(struct build *b)
{
	if (b->step == BUILD_CHECKOUT)
		return read_checkout(b);
	if (b->step == BUILD_CONFIGURE)
		return tell_differences(b);
	if (b->step == BUILD_COLLECT)
		return read_profile(b);
	/* Whoever runs the builder has to see what it cannot remove. */
	if (b->step == BUILD_CLEAR && b->n_lines)
		log_note("%.*s", (int)b->lines[0].len, (const char *)b->lines[0].data);
	return 0;
}

/* What a step that failed has to say: one of our own has its reason in the rest of its output. */
static const char *why_failed(struct build *b)
{
	bool own = b->step == BUILD_CLEAR || b->step == BUILD_COLLECT;
	char status[PROC_TEXT];

	if (own && b->partial.len)
		return arena_memdup(b->arena, b->partial.data, b->partial.len);
	return arena_printf(b->arena, "%s failed: %s", b->phase, proc_status_text(status, b->proc.status));
}

/* The process of the step is over. */
static void finish_step(struct build *b)
{
	const char *why = NULL;

	proc_stop(&b->proc);
	b->running = false;
	if (!WIFEXITED(b->proc.status) || WEXITSTATUS(b->proc.status) != 0)
		why = why_failed(b);
	else if (b->partial.len)
		add_line(b, b->partial.data, b->partial.len);
	buf_reset(&b->partial);
	if (why || conclude_step(b))
		fail_build(b, why ? why : err_text());
	else if (++b->step == BUILD_OVER)
		end_build(b);
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
	if (!build_over(b) && !b->running && start_step(b))
		fail_build(b, err_text());
	if (b->running)
		fds[0].fd = b->proc.fd;
	if (poll(fds, 2, build_over(b) ? 0 : timeout_ms) <= 0 || !fds[0].revents)
		return;
	if (!read_output(b))
		finish_step(b);
}
