/* rpctool ADDRESS COMMAND [ARGUMENTS]: what no verb of tuxtape does to a server.
 *   methods          each method with an empty request, a line each: "NAME KIND", the kind of error, or "ok"
 *   health N         N Health calls over one connection; prints calls a second
 *   cves VERSION     FetchCves, brief, for one kernel version; prints milliseconds to the first record and to the end, the number of
 *                    records and their mean size in bytes. "cves all" takes every CVE and nothing away, "cves all brief" what lists
 *                    show of each. The connection stays until standard input ends
 *   pool N [asked]   N connections at once, each greeted (and asked for its health), idle until standard input ends
 *   storm N TITLE    N connections one after another, in two children: each asks for a patch and leaves; prints rates
 *   connect N        the same, each asking for the health of the server
 *   crash            the call that kills the worker of a server built with sanitizers
 * TLS by the variables CERT, KEY and CA. */
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/rpc.h"
#include "lib/sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN 2
#define TIMEOUT_MS 20000

static struct sock_addr addr;
static struct tls_conf *conf;

static int failed(const char *what)
{
	fprintf(stderr, "rpctool: %s: %s\n", what, err_text());
	return 1;
}

/* Milliseconds, finer than now_ms. */
static double fine_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int connect_plain(struct rpc **r)
{
	struct tls *t = NULL;
	int fd, err;

	if ((err = sock_dial(&fd, &addr, TIMEOUT_MS)))
		return err;
	if ((err = tls_open(&t, fd, conf, addr.host)) || (err = tls_handshake(t, TIMEOUT_MS))) {
		tls_close(t);
		return err;
	}
	*r = rpc_new(t, true, NULL);
	return 0;
}

static int connect_greeted(struct rpc **r, struct arena *a, const char *program)
{
	VersionInfo *peer;
	int err = connect_plain(r);

	if (!err && (err = rpc_hello(*r, program, a, TIMEOUT_MS, &peer))) {
		rpc_free(*r);
		*r = NULL;
	}
	return err;
}

/* Streams are read to their end; an error of the far end is the answer. */
static const char *kind_of(struct rpc *r, struct arena *a, unsigned method)
{
	ProtobufCMessage *request = pb_new(a, tuxtape__descriptor.methods[method].input);
	enum rpc_news news = RPC_NOTHING;
	void *message;
	int err = rpc_start(r, method, request);

	while (!err && news != RPC_END)
		if (!(err = rpc_next(r, a, TIMEOUT_MS, &news, &message)) && news == RPC_NOTHING)
			return "silent";
	return err ? err_kind_name(err) : "ok";
}

static int all_methods(struct arena *a)
{
	/* Version is the greeting, and a registered builder may no longer ask. */
	for (unsigned m = 1; m < RPC_METHODS; m++) {
		struct rpc *r = NULL;

		if (connect_greeted(&r, a, "rpctool"))
			return failed("connect");
		printf("%s %s\n", rpc_method_name(m), kind_of(r, a, m));
		rpc_free(r);
	}
	return 0;
}

static void wait_for_end(void)
{
	char c;

	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

static int ask_health(struct rpc *r, struct arena *a)
{
	Nothing nothing = NOTHING__INIT;
	HealthInfo *h;

	return rpc_call(r, RPC_HEALTH, &nothing.base, a, TIMEOUT_MS, &h);
}

static int many_calls(struct arena *a, unsigned n)
{
	struct arena *each = arena_new(0);
	struct rpc *r = NULL;
	double began;

	if (connect_greeted(&r, a, "rpctool"))
		return failed("connect");
	began = fine_ms();
	for (unsigned i = 0; i < n; i++) {
		arena_reset(each);
		if (ask_health(r, each))
			return failed("Health");
	}
	printf("%.0f\n", n * 1000.0 / (fine_ms() - began));
	rpc_free(r);
	arena_free(each);
	return 0;
}

/* One FetchCves to its end. *bytes NULL: the time is what matters. */
static int fetch_cves(struct rpc *r, const FetchCvesRequest *q, double *first, double *last, size_t *n, size_t *bytes)
{
	struct arena *each = arena_new(0);
	enum rpc_news news = RPC_NOTHING;
	double began = fine_ms();
	int err = rpc_start(r, RPC_FETCH_CVES, &q->base);
	ProtobufCMessage *m;

	*n = 0;
	while (!err && news != RPC_END) {
		arena_reset(each);
		if ((err = rpc_next(r, each, TIMEOUT_MS, &news, &m)) || news == RPC_END)
			continue;
		if (news == RPC_NOTHING)
			err = fail(ERR_NET, "no answer");
		else if ((*n)++ == 0)
			*first = fine_ms() - began;
		if (!err && bytes)
			*bytes += protobuf_c_message_get_packed_size(m);
	}
	*last = fine_ms() - began;
	arena_free(each);
	return err;
}

/* On a connection that has asked nothing before, as a client's is. */
static int all_cves(struct arena *a, const char *version, bool brief)
{
	FetchCvesRequest q = FETCH_CVES_REQUEST__INIT;
	KernelVersion v = KERNEL_VERSION__INIT;
	double first = 0, last = 0, waste;
	size_t n, again, bytes = 0;
	struct rpc *r = NULL;

	q.has_brief = true;
	q.brief = brief;
	if (strcmp(version, "all") != 0) {
		if (kver_parse(&v, version, strlen(version)))
			return failed(version);
		q.kernel_version = &v;
	}
	if (connect_greeted(&r, a, "rpctool"))
		return failed("connect");
	if (fetch_cves(r, &q, &first, &last, &n, NULL) || fetch_cves(r, &q, &waste, &waste, &again, &bytes))
		return failed("FetchCves");
	printf("%.2f %.2f %zu %zu\n", first, last, n, bytes / MAX_OF(again, (size_t)1));
	wait_for_end();
	rpc_free(r);
	return n == 0 || n != again;
}

static int idle_pool(struct arena *a, unsigned n, bool asked)
{
	struct rpc **all = xcalloc(n, sizeof(*all));

	for (unsigned i = 0; i < n; i++) {
		if (connect_greeted(&all[i], a, "rpctool"))
			return failed("connect");
		if (asked && ask_health(all[i], a))
			return failed("Health");
	}
	printf("ready\n");
	wait_for_end();
	for (unsigned i = 0; i < n; i++)
		rpc_free(all[i]);
	free(all);
	return 0;
}

static int ask_patch(struct rpc *r, struct arena *a, const char *title)
{
	FetchPatchRequest q = FETCH_PATCH_REQUEST__INIT;
	enum rpc_news news = RPC_NOTHING;
	void *message;
	int err;

	q.title = title;
	err = rpc_start(r, RPC_FETCH_PATCH, &q.base);
	while (!err && news != RPC_END)
		if (!(err = rpc_next(r, a, TIMEOUT_MS, &news, &message)) && news == RPC_NOTHING)
			err = fail(ERR_NET, "no answer");
	return err;
}

/* Comes, asks and leaves. */
static int visit(const char *title, double *ms)
{
	struct arena *a = arena_new(0);
	double began = fine_ms();
	struct rpc *r = NULL;
	int err;

	if (!(err = connect_greeted(&r, a, "rpctool")))
		err = title ? ask_patch(r, a, title) : ask_health(r, a);
	*ms = fine_ms() - began;
	rpc_free(r);
	arena_free(a);
	return err;
}

static void storm_child(const char *title, unsigned n, int out)
{
	for (unsigned i = 0; i < n; i++) {
		double ms;

		if (visit(title, &ms))
			_exit(failed("visit"));
		if (write(out, &ms, sizeof(ms)) != sizeof(ms))
			_exit(1);
	}
	_exit(0);
}

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int storm(unsigned n, const char *title)
{
	double *all = xcalloc(n, sizeof(*all));
	double began = fine_ms();
	unsigned got = 0;
	int fds[2], status, bad = 0;

	if (pipe(fds) < 0)
		return 1;
	for (unsigned i = 0; i < CHILDREN; i++)
		if (fork() == 0)
			storm_child(title, n / CHILDREN, fds[1]);
	close(fds[1]);
	while (got < n && read(fds[0], &all[got], sizeof(*all)) == sizeof(*all))
		got++;
	while (wait(&status) > 0)
		bad |= status;
	qsort(all, got, sizeof(*all), compare_doubles);
	printf("%.0f a second, 99th percentile %.1f ms\n", got * 1000.0 / (fine_ms() - began),
	       got ? all[got - 1 - got / 100] : 0);
	return bad || got == 0;
}

static int crash(struct arena *a)
{
	struct rpc *r = NULL;

	if (connect_greeted(&r, a, "crash") == 0)
		return 1;
	return 0;
}

static int run(struct arena *a, int argc, char **argv)
{
	unsigned n = argc > 3 ? (unsigned)atoi(argv[3]) : 0;

	if (strcmp(argv[2], "methods") == 0)
		return all_methods(a);
	if (strcmp(argv[2], "health") == 0)
		return many_calls(a, n);
	if (strcmp(argv[2], "pool") == 0)
		return idle_pool(a, n, argc > 4);
	if (strcmp(argv[2], "cves") == 0 && argc > 3)
		return all_cves(a, argv[3], strcmp(argv[3], "all") != 0 || argc > 4);
	if (strcmp(argv[2], "connect") == 0)
		return storm(n, NULL);
	if (strcmp(argv[2], "storm") == 0 && argc > 4)
		return storm(n, argv[4]);
	if (strcmp(argv[2], "crash") == 0)
		return crash(a);
	return 2;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct tls_how how = { .cert_path = getenv("CERT"), .key_path = getenv("KEY"), .ca_path = getenv("CA") };
	const char *warning;
	int code;

	if (argc < 3 || sock_parse(&addr, argv[1]))
		return 2;
	if (how.ca_path && tls_conf_new(&conf, &how, a, &warning))
		return failed("certificates");
	code = run(a, argc, argv);
	tls_conf_free(conf);
	arena_free(a);
	return code;
}
