/* tuxtape builder: registers with a server, is called over the connection that it dialled, builds kernels and tells what each
 * compiled. Owns the connection and the lease: a build whose lease could not be renewed in time is killed. */
#include "applets/builder.h"
#include "applets/kernel_clone.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/str.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define PART_FILES 4000 /* of a profile, in one record */
#define LINES_AT_ONCE 500
#define LOOK_MS 50 /* between two looks at program and connection */

#define O(field) offsetof(struct builder_options, field)
static const struct opt options[] = {
	{ "server", 's', OPT_STRING, O(client.server), "ADDRESS", "server to build for: HOST:PORT or unix:PATH",
	  "127.0.0.1:50051", .alias = "tuxtape-server-url" },
	CLIENT_SETTINGS(struct builder_options),
	{ "linux-repo", 0, OPT_PATH, O(linux_repo), "DIR", "clone of the kernel that has the tags",
	  "~/.cache/tuxtape-kernel-builder/git/linux" },
	{ "linux-url", 0, OPT_STRING, O(linux_url), "URL", "where tags that it lacks are fetched from",
	  "https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git" },
	{ "ca-file", 0, OPT_PATH, O(ca_file), "FILE", "certificates to trust when fetching (PEM)", NULL },
	{ "work-dir", 0, OPT_PATH, O(work_dir), "DIR", "where builds are made", "~/.cache/tuxtape-kernel-builder" },
	{ "name", 0, OPT_STRING, O(name), "NAME", "name of this builder; else the host's", NULL },
	{ "jobs", 'j', OPT_NUMBER, O(jobs), "N", "what make -j gets; 0: one a core", "0", .most = 4096 },
	{ "min-files", 0, OPT_NUMBER, O(min_files), "N", "a profile with fewer compiled files is not believed", "500",
	  .least = 1 },
	{ "need-space", 0, OPT_NUMBER, O(need_bytes), "BYTES", "free space that a build wants before it begins",
	  "8000000000" },
	{ "keep", 0, OPT_NUMBER, O(keep), "N", "build directories kept besides the one in use", "1", .most = 1000 },
	{ "max-age", 0, OPT_DURATION, O(max_age), "TIME", "build directories older than this go, too; 0: none for its age",
	  "7d" },
	{ "build-timeout", 0, OPT_DURATION, O(build_timeout), "TIME", "a build that takes longer is killed; 0: none is",
	  "12h" },
	{ "kill-grace", 0, OPT_DURATION, O(grace), "TIME", "time that a cancelled build has to end by itself", "5s" },
	{ "sign-of-life", 0, OPT_DURATION, O(sign_of_life), "TIME", "renew the lease after so much silence", "30s",
	  .least = 1 },
	{ "retry-pause", 0, OPT_DURATION, O(retry_pause), "TIME", "wait before dialling again; doubles", "1s", .least = 1 },
	{ "retry-most", 0, OPT_DURATION, O(retry_most), "TIME", "the longest such wait", "1m", .least = 1 },
	{ "once", 0, OPT_FLAG, O(once), NULL, "leave after one job", .flag_only = true },
	{ "addr", 'a', OPT_STRING, O(old_address), "ADDRESS", "accepted and ignored: a builder listens no more", NULL,
	  .flag_only = true },
	{ "url", 'u', OPT_STRING, O(old_url), "URL", "accepted and ignored, likewise", NULL, .flag_only = true },
	APPLET_COMMON(struct builder_options),
	OPT_END,
};
#undef O

struct builder {
	const struct builder_options *o;
	struct arena *arena; /* for one connection */
	char name[65], compiler[256];
	struct rpc *rpc;
	struct build *build; /* under way, or kept until its result is taken */
	bool ended;          /* one job was handed in, whatever came of it */
	bool confirmed;      /* and the server has dealt with the result */
	bool failed;
	uint64_t lease_ms;
	int64_t renewed;    /* ms of CLOCK_BOOTTIME of the last question that the server answered */
	uint64_t asked;     /* ms of CLOCK_MONOTONIC of the last sign of life */
	int64_t asked_boot; /* the same by CLOCK_BOOTTIME */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig UNUSED)
{
	stop = 1;
}

/* ---- The lease */

/* When what runs has to end, for build_extend: after two thirds of the lease. */
static int64_t lease_end(const struct builder *b)
{
	return b->lease_ms ? b->renewed + (int64_t)(b->lease_ms * 2 / 3) : 0;
}

/* The lease counts from when it was asked for: an answer may have been long on its way. */
static void renew(struct builder *b, int64_t asked)
{
	b->renewed = asked;
	if (b->build)
		build_extend(b->build, lease_end(b));
}

/* Sends a sign of life when it is time, and takes the answer to the last. */
static int live(struct builder *b)
{
	Nothing nothing = NOTHING__INIT;
	enum rpc_news news;
	void *message;
	int err;

	if (rpc_calling(b->rpc)) {
		if ((err = rpc_next(b->rpc, b->arena, 0, &news, &message)))
			return err;
		if (news == RPC_END)
			renew(b, b->asked_boot);
		else if (rpc_calling(b->rpc) && now_ms() - b->asked > b->o->client.timeout)
			return fail(ERR_NET, "the server does not answer");
		return 0;
	}
	if (now_ms() - b->asked < MIN_OF(b->o->sign_of_life, b->lease_ms / 3))
		return 0;
	b->asked = now_ms();
	b->asked_boot = clock_boot_ms();
	return rpc_start(b->rpc, RPC_HEALTH, &nothing.base);
}

/* Two thirds of the lease without the server: it may soon give the job to another, so nobody here may go on with it. What ran is killed
 * by then, or is now. The build has not failed: nothing is handed in, and another attempt follows. */
static bool guard_lease(struct builder *b)
{
	if (!b->build || !build_expired(b->build))
		return true;
	log_note("job %llu: the lease could not be renewed for two thirds of it; the build is killed",
		 (unsigned long long)b->build->job);
	build_free(b->build);
	b->build = NULL;
	return false;
}

/* ---- Telling */

static int send_log(struct build *b, struct rpc_call *call, size_t *sent, const char **phase)
{
	BuildEvent e = BUILD_EVENT__INIT;
	int err;

	if (*phase != b->phase)
		e.phase = *phase = b->phase;
	while (e.phase || *sent < b->n_lines) {
		e.n_lines = MIN_OF(b->n_lines - *sent, (size_t)LINES_AT_ONCE);
		e.lines = b->lines + *sent;
		if ((err = rpc_record(call, &e.base)))
			return err;
		*sent += e.n_lines;
		e.phase = NULL;
	}
	return 0;
}

static int send_part(struct rpc_call *call, BuildProfile *part)
{
	BuildEvent e = BUILD_EVENT__INIT;

	e.part = part;
	return rpc_record(call, &e.base);
}

static int send_files(const struct build *b, struct rpc_call *call)
{
	int err = 0;

	for (size_t i = 0; !err && i < b->profile->n_files; i += PART_FILES) {
		BuildProfile part = BUILD_PROFILE__INIT;

		part.n_files = MIN_OF(b->profile->n_files - i, (size_t)PART_FILES);
		part.files = b->profile->files + i;
		err = send_part(call, &part);
	}
	return err;
}

static int send_paths(const struct build *b, struct rpc_call *call, struct arena *a)
{
	int err = 0;

	for (size_t i = 0; !err && i < b->n_paths;) {
		BuildProfile part = BUILD_PROFILE__INIT;

		arena_reset(a);
		for (; i < b->n_paths && part.n_tree_paths < PART_FILES; i++)
			pb_add_bytes(a, &part.n_tree_paths, &part.tree_paths, b->paths[i], strlen(b->paths[i]));
		err = send_part(call, &part);
	}
	return err;
}

static int send_profile(const struct build *b, struct rpc_call *call, const BuildKernelRequest *r)
{
	struct arena *a = arena_new(0);
	BuildProfile head = *b->profile;
	bool known = false;
	int err;

	for (size_t i = 0; i < r->n_known_commits; i++)
		known |= strcmp(r->known_commits[i], b->commit) == 0;
	head.n_files = 0;
	head.commit = b->commit;
	head.ref = b->ref;
	head.has_revision = true;
	head.revision = b->config->revision;
	if (!(err = send_part(call, &head)) && !(err = send_files(b, call)) && !known)
		err = send_paths(b, call, a);
	arena_free(a);
	return err;
}

static int send_result(struct builder *b, struct rpc_call *call, const BuildKernelRequest *r)
{
	BuildResult result = BUILD_RESULT__INIT;
	int err;

	result.has_complete = true;
	result.complete = !b->build->error;
	result.error = b->build->error;
	if (result.complete && (err = send_profile(b->build, call, r)))
		return err;
	b->ended = true;
	b->failed = !result.complete;
	log_note("job %llu, config %s: %s", (unsigned long long)r->job, r->config->name,
		 result.complete ? "complete"
				 : arena_printf(b->build->arena, "%.*s", (int)strcspn(result.error, "\n"), result.error));
	return rpc_reply(call, &result.base);
}

/* ---- BuildKernel */

static bool is_held(const struct builder *b, const BuildKernelRequest *r)
{
	return b->build && b->build->job == r->job && b->build->attempt == r->attempt;
}

/* Sees the build through as long as the connection lasts; a connection that breaks leaves it going on. */
static int build_kernel(void *ctx, struct rpc_call *call, const ProtobufCMessage *request)
{
	const BuildKernelRequest *r = (const BuildKernelRequest *)request;
	struct builder *b = ctx;
	const char *phase = NULL;
	size_t sent;
	int err = 0;

	if (!r->config || !r->config->name || !r->config->has_body)
		return fail(ERR_INPUT, "a job without a config");
	if (!is_held(b, r)) {
		build_free(b->build);
		log_note("job %llu: config %s, attempt %u", (unsigned long long)r->job, r->config->name, r->attempt);
		b->build = build_new(b->o, r, lease_end(b));
	}
	sent = MIN_OF((size_t)r->from_line, b->build->n_lines);
	while (!err && !stop) {
		build_pump(b->build, LOOK_MS, tls_fd(rpc_tls(b->rpc)));
		if (!guard_lease(b))
			return fail(ERR_NET, "the server was out of reach for two thirds of the lease");
		if ((err = send_log(b->build, call, &sent, &phase)) || (err = live(b)))
			break;
		if (build_over(b->build))
			return send_result(b, call, r);
		err = rpc_pause(call, 0);
	}
	/* Cancelled by the server: nobody wants it any more. */
	if (err == ERR_PEER)
		build_abandon(b->build, "cancelled");
	return err ? err : fail(ERR_NET, "this builder is going down");
}

/* ---- The connection */

static int hail(struct builder *b)
{
	RegisterKernelBuilderRequest q = REGISTER_KERNEL_BUILDER_REQUEST__INIT;
	RegisterKernelBuilderReply *reply;
	int err;

	q.name = b->name;
	q.has_cores = true;
	q.cores = (uint32_t)b->o->jobs;
	q.compiler = b->compiler;
	if (b->build) {
		q.has_held_job = q.has_held_attempt = true;
		q.held_job = b->build->job;
		q.held_attempt = b->build->attempt;
	}
	/* Connecting may have taken long. */
	guard_lease(b);
	b->asked_boot = clock_boot_ms();
	if ((err = rpc_call(b->rpc, RPC_REGISTER_KERNEL_BUILDER, &q.base, b->arena, (int)b->o->client.timeout, &reply)))
		return err;
	b->lease_ms = reply->lease_ms;
	b->asked = now_ms();
	if (b->build && reply->held) {
		b->ended = false;
	} else if (b->build) {
		/* A result that was handed in has been dealt with. */
		b->confirmed = b->ended;
		if (!b->ended)
			log_note("job %llu is this builder's no longer", (unsigned long long)b->build->job);
		build_free(b->build);
		b->build = NULL;
	}
	renew(b, b->asked_boot);
	log_note("registered with %s as %s", b->o->client.server, b->name);
	return 0;
}

/* The server answers in order: what comes back for a call made after the result says that the result is dealt with. */
static int confirm(struct builder *b)
{
	Nothing nothing = NOTHING__INIT;
	enum rpc_news news;
	HealthInfo *health;
	void *message;
	int err;

	if (rpc_calling(b->rpc)) {
		if ((err = rpc_next(b->rpc, b->arena, (int)b->o->client.timeout, &news, &message)))
			return err;
		if (news == RPC_NOTHING)
			return fail(ERR_NET, "the server does not answer");
	}
	if ((err = rpc_call(b->rpc, RPC_HEALTH, &nothing.base, b->arena, (int)b->o->client.timeout, &health)))
		return err;
	b->confirmed = true;
	return 0;
}

static int serve_server(struct builder *b)
{
	bool served;
	int err = 0;

	while (!err && !stop && !(b->o->once && b->ended))
		if (!(err = live(b)))
			err = rpc_serve(b->rpc, 500, &served);
	return err || stop ? err : confirm(b);
}

static int one_connection(struct builder *b, bool *registered)
{
	struct rpc_service service = { .handlers = { [RPC_BUILD_KERNEL] = build_kernel }, .ctx = b };
	int err;

	arena_reset(b->arena);
	if (!(err = client_dial(&b->o->client, b->arena, &service, &b->rpc, NULL)) && !(err = hail(b))) {
		*registered = true;
		err = serve_server(b);
	}
	rpc_free(b->rpc);
	b->rpc = NULL;
	return err;
}

/* Waits with the build going on. Many builders of a server that was down must not all come back at once. */
static void wait_and_build(struct builder *b, uint64_t pause)
{
	uint16_t dice = 0;
	uint64_t until;

	if (getrandom(&dice, sizeof(dice), 0) < 0)
		dice = 0;
	until = now_ms() + pause / 2 + pause * dice / 65536;
	while (!stop && now_ms() < until) {
		if (b->build) {
			build_pump(b->build, LOOK_MS, -1);
			guard_lease(b);
		}
		if (!b->build || build_over(b->build))
			usleep(LOOK_MS * 1000);
	}
}

static bool is_worth_another_try(int err)
{
	return err == 0 || err == ERR_NET || err == ERR_PEER || err == ERR_DB || err == ERR_SYS;
}

static int run(struct builder *b)
{
	uint64_t pause = b->o->retry_pause;
	int err = 0;

	while (!stop && !(b->o->once && b->confirmed)) {
		bool registered = false;

		err = one_connection(b, &registered);
		if (stop || (b->o->once && b->confirmed))
			return 0;
		/* Who is refused at the door is told so; one who was registered may only have been replaced. */
		if (!registered && !is_worth_another_try(err))
			return err;
		log_note("connection lost: %s", err_text());
		pause = registered ? b->o->retry_pause : MIN_OF(pause * 2, b->o->retry_most);
		wait_and_build(b, pause);
	}
	return 0;
}

/* ---- Starting */

static int set_name(struct builder *b)
{
	char host[65] = "";

	if (!b->o->name && gethostname(host, sizeof(host) - 1) < 0)
		return fail(ERR_SYS, "gethostname: %s", strerror(errno));
	snprintf(b->name, sizeof(b->name), "%s", b->o->name ? b->o->name : host);
	return 0;
}

static int set_compiler(struct builder *b)
{
	static const char *const argv[] = { "gcc", "--version", NULL };
	struct proc_how how = { .argv = argv };
	struct buf text = { 0 };
	int status, err = proc_run(&how, &text, 65536, 10000, &status);

	if (err == ERR_NOTFOUND)
		err = fail(ERR_SYS, "there is no gcc here: a builder needs it (package gcc)");
	snprintf(b->compiler, sizeof(b->compiler), "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
	buf_free(&text);
	return err;
}

/* Without a clone that it can read, or make, a builder would take job after job, and fail each. */
static int check_clone(const struct builder_options *o, struct arena *a)
{
	bool lent;
	const char *path = kernel_clone_find(a, o->linux_repo, &lent);
	int err = kernel_clone_check(a, path);

	return err == ERR_NOTFOUND ? kernel_clone_check_place(path) : err;
}

static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
}

static int build_for_server(struct builder_options *o, struct arena *a)
{
	struct builder b = { .o = o, .arena = arena_new(0) };
	char here[PATH_MAX];
	int err;

	if (o->old_address || o->old_url)
		log_note("--addr and --url have no effect: a builder dials the server and listens no more");
	if (o->jobs == 0)
		o->jobs = (uint64_t)MAX_OF(sysconf(_SC_NPROCESSORS_ONLN), 1L);
	if (*o->work_dir != '/' && getcwd(here, sizeof(here)))
		o->work_dir = arena_printf(a, "%s/%s", here, o->work_dir);
	catch_signals();
	if (!(err = check_clone(o, a)) && !(err = set_name(&b)) && !(err = set_compiler(&b)))
		err = run(&b);
	if (!err && b.ended && b.failed && o->once)
		err = fail(ERR_INPUT, "the job failed");
	build_free(b.build);
	arena_free(b.arena);
	return err;
}

static int builder_main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct builder_options o = { 0 };
	int err = applet_begin(&applet_builder, &o, &argc, argv, a);
	int code;

	if (!err && argc > 1 && strcmp(argv[1], "checkout") == 0)
		err = argc == 4 ? builder_checkout(&o, a, argv[2], argv[3])
				: fail(ERR_USAGE, "builder checkout takes TAG DIR");
	else if (!err && argc > 1)
		err = fail(ERR_USAGE, "operand '%s' is not understood; see tuxtape builder --help", argv[1]);
	else if (!err)
		err = build_for_server(&o, a);
	code = applet_end(err);
	arena_free(a);
	return code;
}

static const char *const aliases[] = { "tuxtape-kernel-builder", NULL };

const struct applet applet_builder = {
	.name = "builder",
	.aliases = aliases,
	.summary = "build the kernels of a server's queue and tell what each compiled",
	.synopsis = "[OPTION]...\nbuilder checkout TAG DIR [OPTION]...",
	.options = options,
	.options_size = sizeof(struct builder_options),
	.common = offsetof(struct builder_options, common),
	.serves = true,
	.run = builder_main,
};
