/* Owns the connection to an origin: its proxy, the certificates it trusts, how progress is told, how long silence is borne, and the one
 * line that is said when it fails. Refuses to show a password, and to write on when the disk is nearly full. */
#include "lib/repo_fetch.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define TELL_MS 100
#define STALL_MS (300u * 1000)

/* An origin that falls silent would be waited for without end. The signal makes the blocked read return. */

static volatile sig_atomic_t stalled;

static void on_alarm(int signal UNUSED)
{
	stalled = 1;
}

static void watch(uint64_t ms)
{
	/* Once more each second: a signal between two reads is lost. */
	struct itimerval t = { .it_interval = { .tv_sec = ms ? 1 : 0 },
			       .it_value = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) } };

	setitimer(ITIMER_REAL, &t, NULL);
}

static uint64_t patience(const struct origin *o)
{
	return o->how->stall_ms ? o->how->stall_ms : STALL_MS;
}

/* Who a URL says one is, and with which password, is shown to nobody. */
static const char *show_url(struct arena *a, const char *url)
{
	const char *host = strstr(url, "://"), *at;

	if (!host)
		return url;
	host += 3;
	at = memrchr(host, '@', strcspn(host, "/"));
	return at ? arena_printf(a, "%.*s***%s", (int)(host - url), url, at) : url;
}

static bool is_local(const char *url)
{
	return str_starts(url, "file://") || url[strcspn(url, ":/")] != ':';
}

static bool disk_said_no(const char *said)
{
	static const int numbers[] = { ENOSPC, EDQUOT, EROFS, EACCES, EPERM, EMFILE, EIO };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (strstr(said, strerror(numbers[i])))
			return true;
	return false;
}

int origin_refused(const struct origin *o, int code)
{
	const char *said = git_said(), *secret = strstr(o->how->url, "://");
	const git_error *e = git_error_last();

	if (o->cramped)
		return fail(ERR_SYS, "%s: the disk is nearly full: nothing more is fetched", o->how->path);
	if (stalled)
		return fail(ERR_NET, "%s: silent for %llu s: given up", o->shown,
			    (unsigned long long)(patience(o) + 999) / 1000);
	/* A URL with a password may stand in the text. */
	if (secret && o->shown != o->how->url && strstr(said, secret + 3))
		said = "not understood";
	if (code == GIT_ECERTIFICATE || (e && e->klass == GIT_ERROR_SSL))
		return fail(ERR_NET, "%s: its certificate is not trusted by %s: %s", o->shown,
			    o->how->ca_file ? o->how->ca_file : "this machine (see --ca-file)", said);
	if (o->step && e && e->klass == GIT_ERROR_OS && disk_said_no(said))
		return fail(ERR_SYS, "%s: %s", o->how->path, said);
	return fail(ERR_NET, "%s: %s", o->shown, said);
}

static void tell(struct origin *o, const char *step, uint64_t done, uint64_t total, uint64_t bytes)
{
	o->told_ms = now_ms();
	watch(patience(o));
	if (o->how->progress.report)
		o->how->progress.report(o->how->progress.ctx, step, done, total, bytes);
}

/* Called for each object that arrives and for each delta that is resolved then. */
static int on_transfer(const git_indexer_progress *p, void *ctx)
{
	struct origin *o = ctx;
	bool all_here = p->total_objects && p->received_objects == p->total_objects;

	if (now_ms() - o->told_ms < TELL_MS)
		return 0;
	if (all_here && p->total_deltas)
		tell(o, arena_printf(o->arena, "%s, deltas", o->step), p->indexed_deltas, p->total_deltas,
		     p->received_bytes);
	else
		tell(o, o->step, p->received_objects, p->total_objects, p->received_bytes);
	o->cramped = clone_is_cramped(o->how->path);
	return o->cramped ? GIT_EUSER : 0;
}

/* The origin counts objects before it sends them. */
static int on_origin_says(const char *text UNUSED, int n UNUSED, void *ctx)
{
	struct origin *o = ctx;

	if (now_ms() - o->told_ms >= TELL_MS)
		tell(o, o->step, 0, 0, 0);
	return 0;
}

static git_remote_callbacks callbacks(struct origin *o)
{
	git_remote_callbacks c = GIT_REMOTE_CALLBACKS_INIT;

	c.transfer_progress = on_transfer;
	c.sideband_progress = on_origin_says;
	c.payload = o;
	return c;
}

static git_proxy_options proxy(void)
{
	git_proxy_options p = GIT_PROXY_OPTIONS_INIT;

	p.type = GIT_PROXY_AUTO;
	return p;
}

void origin_hang_up(struct origin *o)
{
	if (o->remote)
		git_remote_disconnect(o->remote);
	git_remote_free(o->remote);
	o->remote = NULL;
}

int origin_dial(struct origin *o, git_repository *git)
{
	git_remote_create_options options = GIT_REMOTE_CREATE_OPTIONS_INIT;
	git_remote_callbacks c = callbacks(o);
	git_proxy_options p = proxy();
	int code;

	if (o->remote)
		return 0;
	if (o->local && access(o->how->url + (str_starts(o->how->url, "file://") ? 7 : 0), F_OK) < 0)
		return fail(ERR_NET, "%s: %s", o->how->url, strerror(errno));
	tell(o, "connecting", 0, 0, 0);
	/* The URL is taken as it was given: no insteadOf, which libgit2 1.5 looks up at the cost of 20 KB lost for each line of config. */
	options.repository = git;
	options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	code = git_remote_create_with_opts(&o->remote, o->how->url, &options);
	if (code == 0)
		code = git_remote_connect(o->remote, GIT_DIRECTION_FETCH, &c, &p, NULL);
	if (code < 0) {
		int err = origin_refused(o, code);

		origin_hang_up(o);
		return err;
	}
	return 0;
}

int origin_get(struct origin *o, const git_strarray *names, const char *step)
{
	git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
	int code, err = 0;

	o->step = step;
	options.callbacks = callbacks(o);
	options.proxy_opts = proxy();
	options.update_fetchhead = 0;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	tell(o, step, 0, 0, 0);
	/* What comes is made durable before a ref names it. */
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	code = git_remote_download(o->remote, names, &options);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 0);
	if (code < 0)
		err = origin_refused(o, code);
	o->step = NULL;
	origin_hang_up(o);
	return err;
}

/* Which certificates are trusted is a setting of the process. */
static int trust(const struct origin *o)
{
	const char *file = o->how->ca_file;

	if (!file || !str_starts(o->how->url, "https://"))
		return 0;
	if (access(file, R_OK) < 0)
		return fail(ERR_SYS, "certificates to trust: %s: %s", file, strerror(errno));
	if (git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, NULL) < 0)
		return fail(ERR_INPUT, "%s: no certificates to trust (PEM): %s", file, git_said());
	return 0;
}

int origin_open(struct origin *o, const struct repo_sync *how, struct arena *a)
{
	struct sigaction act = { .sa_handler = on_alarm };

	*o = (struct origin){ .how = how, .arena = a };
	o->shown = show_url(a, how->url);
	o->local = is_local(how->url);
	stalled = 0;
	sigaction(SIGALRM, &act, &o->alarm_before);
	return trust(o);
}

void origin_close(struct origin *o)
{
	origin_hang_up(o);
	watch(0);
	sigaction(SIGALRM, &o->alarm_before, NULL);
}
