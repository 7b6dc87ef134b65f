/* The end that calls: what it makes of right and wrong answers; and both ends calling each other at once. */
#include "lib/rpc.h"
#include "lib/err.h"
#include "lib/frame.h"
#include "rpcpair.h"

#include <sys/wait.h>

/* ---- Calling */

static int call_health(struct rpc *r, int timeout_ms, HealthInfo **h)
{
	Nothing nothing = NOTHING__INIT;

	return rpc_call(r, RPC_HEALTH, &nothing.base, arena, timeout_ms, h);
}

/* An answer that is there already when the call is made. */
static void wrong_answer(unsigned id, unsigned status, const char *message, int want, const char *text, const char *what)
{
	HealthInfo *h;
	int peer, err;
	struct rpc *r = pair(&peer, true, NULL);

	send_frame(peer, id, RPC_HEALTH, status, message, strlen(message));
	err = call_health(r, PATIENCE, &h);
	ok(err == want && strstr(err_text(), text), "%s: %s", what, err ? err_text() : "no error");
	drop(r, peer);
}

static void test_calling(void)
{
	HealthInfo *h = NULL;
	struct frame f;
	int peer, err;
	char *m;
	struct rpc *r = pair(&peer, true, NULL);

	send_frame(peer, 1, RPC_HEALTH, FRAME_OK, "\x10\x05", 2);
	is_int(call_health(r, PATIENCE, &h), 0, "a call");
	ok(h && h->uptime_seconds == 5, "  and its answer");
	ok(recv_frame(peer, &f, &m) && f.id == 1 && f.method == RPC_HEALTH && f.status == FRAME_REQUEST, "  what went out");
	for (int kind = ERR_USAGE; kind < ERR_KINDS; kind++) {
		send_frame(peer, 1 + 2 * (unsigned)kind, RPC_HEALTH, FRAME_ERROR + (unsigned)kind, "over there", 10);
		err = call_health(r, PATIENCE, &h);
		ok(err == kind && strcmp(err_text(), "over there") == 0, "an error: %s", err_kind_name(kind));
	}
	ok(!rpc_calling(r), "no call is open");
	close(peer);
	err = call_health(r, PATIENCE, &h);
	ok(err == ERR_NET && strcmp(err_text(), "closed") == 0, "the far end is gone");
	drop(r, -1);
	r = pair(&peer, true, NULL);
	err = call_health(r, 30, &h);
	ok(err == ERR_NET && strstr(err_text(), "Health: no answer"), "no answer in time: %s", err_text());
	drop(r, peer);
	wrong_answer(1, 200, "new kind", ERR_PEER, "new kind", "an error of an unknown kind");
	wrong_answer(3, FRAME_OK, "", ERR_PEER, "not open", "an answer to another call");
	wrong_answer(1, FRAME_MORE, "", ERR_PEER, "not expected", "a record where one answer is due");
	wrong_answer(1, 7, "", ERR_PEER, "not expected", "a status that there is not");
	wrong_answer(1, FRAME_OK, "\xff", ERR_PEER, "cannot be read", "an answer that is malformed");
}

static void test_reading_stream(void)
{
	FetchCvesRequest q = FETCH_CVES_REQUEST__INIT;
	FetchCvesEnd *end = NULL;
	enum rpc_news news = RPC_END;
	struct frame f;
	Cve *cve = NULL;
	int peer;
	char *m;
	struct rpc *r = pair(&peer, true, NULL);

	is_int(rpc_cancel(r), 0, "nothing to cancel");
	is_int(waiting(peer), 0, "  and nothing is sent");
	is_int(rpc_start(r, RPC_FETCH_CVES, &q.base), 0, "a stream is asked for");
	recv_frame(peer, &f, &m);
	is_int(rpc_start(r, RPC_HEALTH, &q.base), ERR_USAGE, "a second one is not");
	is_int(waiting(peer), 0, "  and nothing is sent");
	ok(rpc_next(r, arena, 0, &news, &cve) == 0 && news == RPC_NOTHING, "nothing has come");
	send_frame(peer, 1, RPC_FETCH_CVES, FRAME_MORE, "\x0a\x01x", 3);
	ok(rpc_next(r, arena, PATIENCE, &news, &cve) == 0 && news == RPC_RECORD && strcmp(cve->id, "x") == 0, "a record");
	is_int(rpc_cancel(r), 0, "cancelled");
	ok(recv_frame(peer, &f, &m) && f.id == 1 && f.status == FRAME_CANCEL && f.length == 0, "  which is said");
	ok(rpc_calling(r), "the call is open until its end");
	send_frame(peer, 1, RPC_FETCH_CVES, FRAME_OK, "\x0a\x02\x18\x07", 4);
	ok(rpc_next(r, arena, PATIENCE, &news, &end) == 0 && news == RPC_END, "the end comes");
	ok(end && end->n_summaries == 1 && end->summaries[0]->affected == 7, "  with the message of the end");
	ok(!rpc_calling(r), "  and then it is not open");
	drop(r, peer);
}

static void test_hello(void)
{
	VersionInfo you = VERSION_INFO__INIT, *peer_says = NULL;
	int peer;
	struct rpc *r = pair(&peer, true, NULL);

	you.has_protocol = true;
	you.protocol = RPC_PROTOCOL;
	you.you = "alice";
	send_message(peer, 1, RPC_VERSION, FRAME_OK, &you.base);
	is_int(rpc_hello(r, "test", arena, PATIENCE, &peer_says), 0, "a greeting");
	is_str(peer_says->you, "alice", "  and what comes back");
	drop(r, peer);
	r = pair(&peer, true, NULL);
	you.protocol = RPC_PROTOCOL + 1;
	send_message(peer, 1, RPC_VERSION, FRAME_OK, &you.base);
	is_int(rpc_hello(r, "test", arena, PATIENCE, &peer_says), ERR_PEER, "another protocol");
	ok(strstr(err_text(), "upgrade"), "  with what to do: %s", err_text());
	drop(r, peer);
	/* Who serves nothing says so. */
	r = pair(&peer, true, NULL);
	send_frame(peer, 2, RPC_HEALTH, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "a call of an end that serves nothing");
	expect(peer, 2, FRAME_ERROR + ERR_USAGE, "not served at this end", "  is an error");
	drop(r, peer);
}

/* ---- Both ways at once */

static int calls; /* that handlers served */

HANDLER(greeting)
{
	VersionInfo me = VERSION_INFO__INIT;

	me.has_protocol = true;
	me.protocol = RPC_PROTOCOL;
	return rpc_reply(call, &me.base);
}

HANDLER(alive)
{
	calls++;
	return 0;
}

static const struct rpc_service greets = { .handlers = { [RPC_VERSION] = greeting, [RPC_HEALTH] = alive } };

/* Looks out for more while it serves: answers to the own call come. */
HANDLER(looks_out)
{
	BuildResult result = BUILD_RESULT__INIT;
	int err = rpc_pause(call, 0);

	calls++;
	return err ? err : rpc_reply(call, &result.base);
}

/* A stream during which frames come as `plan` says: a digit is a record of that id, 'b' a call of the peer's, 'e' the end. */
static int read_planned(const char *plan, struct buf *ids)
{
	static const struct rpc_service builds = { .handlers = { [RPC_BUILD_KERNEL] = looks_out } };
	FetchCvesRequest q = FETCH_CVES_REQUEST__INIT;
	enum rpc_news news = RPC_NOTHING;
	unsigned id = 0;
	void *message;
	int peer, err;
	struct rpc *r = pair(&peer, true, &builds);

	calls = 0;
	err = rpc_start(r, RPC_FETCH_CVES, &q.base);
	for (; *plan; plan++) {
		const char record[] = { 0x0a, 1, *plan };

		if (*plan == 'b')
			send_frame(peer, id += 2, RPC_BUILD_KERNEL, FRAME_REQUEST, NULL, 0);
		else
			send_frame(peer, 1, RPC_FETCH_CVES, *plan == 'e' ? FRAME_OK : FRAME_MORE, record,
				   *plan == 'e' ? 0 : 3);
	}
	alarm(30);
	while (!err && news != RPC_END) {
		err = rpc_next(r, arena, -1, &news, &message);
		if (!err && news == RPC_RECORD)
			buf_adds(ids, ((const Cve *)message)->id);
	}
	alarm(0);
	drop(r, peer);
	return err;
}

/* Records that come before, while and after a call of the peer's is served keep their order, and none waits for more to come. */
static void test_kept_answers(void)
{
	struct buf ids = { 0 };

	is_int(read_planned("1b23e", &ids), 0, "a call of the peer's in the middle of a stream");
	is_str(buf_str(&ids), "123", "  the records come in order, none late");
	is_int(calls, 1, "  and the call is served");
	is_int(read_planned("1b2b3e", &ids), ERR_PEER, "a second call of the peer's while one is served is a breach");
	buf_free(&ids);
}

HANDLER(dawdles)
{
	calls++;
	usleep(20000);
	return 0;
}

/* A peer that calls without end does not keep this end from what else it has to do; its own answer, behind the calls, still comes. */
static void test_flood(void)
{
	static const struct rpc_service slow = { .handlers = { [RPC_HEALTH] = dawdles } };
	FetchCvesRequest q = FETCH_CVES_REQUEST__INIT;
	enum rpc_news news = RPC_RECORD;
	void *message;
	int peer, err;
	struct rpc *r = pair(&peer, true, &slow);

	calls = 0;
	err = rpc_start(r, RPC_FETCH_CVES, &q.base);
	for (unsigned i = 1; i <= 20; i++)
		send_frame(peer, 2 * i, RPC_HEALTH, FRAME_REQUEST, NULL, 0);
	send_frame(peer, 1, RPC_FETCH_CVES, FRAME_OK, NULL, 0);
	ok(!err && !rpc_next(r, arena, 50, &news, &message) && news == RPC_NOTHING && calls > 0 && calls < 10,
	   "a flood of calls is served as long as there is time (%d of 20)", calls);
	calls = 0;
	ok(!rpc_next(r, arena, 0, &news, &message) && news == RPC_NOTHING && calls == 1, "  or one, where there is none");
	for (unsigned i = 0; !err && news != RPC_END && i < 20; i++)
		err = rpc_next(r, arena, 0, &news, &message);
	ok(!err && news == RPC_END, "  and this end's answer comes after them");
	drop(r, peer);
}

/* The builder's end: while it serves BuildKernel it asks for Health, and sends what it has. */
HANDLER(build_and_ask)
{
	const BuildKernelRequest *q = (const BuildKernelRequest *)request;
	BuildEvent event = BUILD_EVENT__INIT;
	BuildResult result = BUILD_RESULT__INIT;
	HealthInfo *h;
	int err = 0;

	for (unsigned i = 0; i < 5 && !err; i++) {
		event.phase = arena_printf(arena, "phase %u of job %u", i, (unsigned)q->job);
		if (!(err = rpc_record(call, &event.base)))
			err = call_health(rpc_of(call), PATIENCE, &h);
	}
	result.has_complete = true;
	result.complete = !err;
	result.error = err ? err_text() : NULL;
	return rpc_reply(call, &result.base);
}

/* The dialled end: asks the dialler to build while the dialler's WatchJob is open. */
HANDLER(build_meanwhile)
{
	BuildKernelRequest q = BUILD_KERNEL_REQUEST__INIT;
	enum rpc_news news = RPC_NOTHING;
	struct rpc *r = rpc_of(call);
	JobLines lines = JOB_LINES__INIT;
	Job job = JOB__INIT;
	void *message;
	int err;

	q.has_job = true;
	q.job = 7;
	if ((err = rpc_record(call, &lines.base)) || (err = rpc_start(r, RPC_BUILD_KERNEL, &q.base)))
		return err;
	while (!err && news != RPC_END)
		err = rpc_next(r, arena, PATIENCE, &news, &message);
	if (err)
		return err;
	job.phase = ((const BuildResult *)message)->error;
	return rpc_reply(call, &job.base);
}

HANDLER(build_quietly)
{
	BuildResult result = BUILD_RESULT__INIT;
	BuildEvent event = BUILD_EVENT__INIT;
	int err;

	if ((err = rpc_record(call, &event.base)) || (err = rpc_pause(call, 5)))
		return err;
	result.error = "built while you watched";
	return rpc_reply(call, &result.base);
}

/* The child is the end that dialled; the parent the one that was. */
static pid_t child_dials(const struct rpc_service *s, int (*live)(struct rpc *), struct rpc **ours,
			 const struct rpc_service *own)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		abort();
	fflush(stdout);
	if ((pid = fork()) == 0) {
		struct rpc *r;

		close(fds[0]);
		alarm(60);
		r = end_on(fds[1], true, s);
		_exit(live(r));
	}
	close(fds[1]);
	*ours = end_on(fds[0], false, own);
	return pid;
}

static int serve_until_end(struct rpc *r)
{
	VersionInfo *peer;
	bool served;

	if (rpc_hello(r, "builder", arena, PATIENCE, &peer))
		return 1;
	while (rpc_serve(r, PATIENCE, &served) == 0)
		if (!served)
			return 2;
	return strcmp(err_text(), "closed") == 0 ? 0 : 3;
}

static int watch(struct rpc *r)
{
	WatchJobRequest q = WATCH_JOB_REQUEST__INIT;
	enum rpc_news news = RPC_NOTHING;
	unsigned records = 0;
	VersionInfo *peer;
	void *message;
	int err;

	if ((err = rpc_hello(r, "watcher", arena, PATIENCE, &peer)) || (err = rpc_start(r, RPC_WATCH_JOB, &q.base)))
		return 1;
	while (!err && news != RPC_END) {
		err = rpc_next(r, arena, PATIENCE, &news, &message);
		records += news == RPC_RECORD;
	}
	if (err || records != 1)
		return 2;
	return ((const Job *)message)->phase && strcmp(((const Job *)message)->phase, "built while you watched") == 0 ? 0
														      : 3;
}

/* Health while BuildKernel is served, as builders do. */
static void test_health_while_building(void)
{
	static const struct rpc_service builder = { .handlers = { [RPC_BUILD_KERNEL] = build_and_ask } };
	BuildKernelRequest q = BUILD_KERNEL_REQUEST__INIT;
	enum rpc_news news = RPC_NOTHING;
	unsigned events = 0;
	void *message = NULL;
	struct rpc *r;
	bool served;
	pid_t pid = child_dials(&builder, serve_until_end, &r, &greets);
	int status, err = rpc_serve(r, PATIENCE, &served);

	calls = 0;
	q.has_job = true;
	q.job = 7;
	if (!err)
		err = rpc_start(r, RPC_BUILD_KERNEL, &q.base);
	while (!err && news != RPC_END) {
		err = rpc_next(r, arena, PATIENCE, &news, &message);
		events += news == RPC_RECORD;
	}
	ok(!err && events == 5, "the end that was dialled calls the one that dialled: %s", err ? err_text() : "ok");
	ok(!err && ((const BuildResult *)message)->complete, "  whose own calls are served meanwhile");
	is_int(calls, 5, "  each of them");
	rpc_free(r);
	waitpid(pid, &status, 0);
	is_int(status, 0, "  and the other end saw an orderly end");
}

static void test_call_back(void)
{
	static const struct rpc_service watcher = { .handlers = { [RPC_BUILD_KERNEL] = build_quietly } };
	static const struct rpc_service calls_back = {
		.handlers = { [RPC_VERSION] = greeting, [RPC_WATCH_JOB] = build_meanwhile }
	};
	struct rpc *r;
	bool served;
	pid_t pid = child_dials(&watcher, watch, &r, &calls_back);
	int status, err;

	err = rpc_serve(r, PATIENCE, &served);
	if (!err)
		err = rpc_serve(r, PATIENCE, &served);
	ok(!err, "a call back while a call of the dialler is open: %s", err ? err_text() : "ok");
	waitpid(pid, &status, 0);
	is_int(status, 0, "  both get their answers");
	rpc_free(r);
}

int main(void)
{
	arena = arena_new(0);
	test_calling();
	test_reading_stream();
	test_hello();
	test_kept_answers();
	test_flood();
	test_health_while_building();
	test_call_back();
	arena_free(arena);
	return done();
}
