/* The end that serves: what it does with right and wrong frames, and with peers that are slow, silent or gone. */
#include "lib/rpc.h"
#include "lib/err.h"
#include "lib/frame.h"
#include "lib/log.h"
#include "rpcpair.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* What the handlers of the end under test saw, and are to do. */
static struct {
	unsigned calls, overs;
	unsigned method;      /* of the last over */
	uint64_t records, ms; /* of the last over */
	int err;              /* of the last over */
	int fail_with;        /* answer with this kind */
	int peer;             /* descriptor of the raw end */
	unsigned n;           /* records to send */
	size_t size;          /* of each, in bytes */
	int seen[4];          /* bytes in the raw end at certain moments */
	char text[256];
} sight;

/* ---- Handlers of the end under test */

HANDLER(greeting)
{
	VersionInfo me = VERSION_INFO__INIT;

	me.has_protocol = true;
	me.protocol = RPC_PROTOCOL;
	return rpc_reply(call, &me.base);
}

HANDLER(one_answer)
{
	const FetchCveRequest *q = (const FetchCveRequest *)request;
	Cve cve = CVE__INIT;

	sight.calls++;
	cve.id = q->id;
	return sight.fail_with ? fail(sight.fail_with, "%s is not here", q->id) : rpc_reply(call, &cve.base);
}

HANDLER(no_answer)
{
	sight.calls++;
	return 0;
}

/* n records of a size; what has reached the other end after the first, the second and the last is noted. */
HANDLER(stream)
{
	char *text = arena_alloc(arena, sight.size + 1);
	FetchCvesEnd end = FETCH_CVES_END__INIT;
	Cve cve = CVE__INIT;
	int err = 0;

	sight.calls++;
	memset(text, 'x', sight.size);
	cve.description = text;
	for (unsigned i = 0; i < sight.n && !err; i++) {
		err = rpc_record(call, &cve.base);
		if (i < 2)
			sight.seen[i] = waiting(sight.peer);
	}
	sight.seen[2] = waiting(sight.peer);
	if (!err)
		err = rpc_flush(call);
	sight.seen[3] = waiting(sight.peer);
	return err ? err : rpc_reply(call, &end.base);
}

/* The caller changes its mind after the first record. */
HANDLER(cancelled_stream)
{
	PatchChunk chunk = PATCH_CHUNK__INIT;
	int err;

	sight.calls++;
	if ((err = rpc_record(call, &chunk.base)))
		return fail(err, "too early: %s", err_text());
	send_frame(sight.peer, 77, RPC_FETCH_PATCH, FRAME_CANCEL, NULL, 0);
	if ((err = rpc_flush(call)))
		return fail(err, "another call was cancelled: %s", err_text());
	send_frame(sight.peer, 3, RPC_FETCH_PATCH, FRAME_CANCEL, NULL, 0);
	err = rpc_flush(call);
	snprintf(sight.text, sizeof(sight.text), "%s", err ? err_text() : "not cancelled");
	return err;
}

HANDLER(second_call)
{
	PatchChunk chunk = PATCH_CHUNK__INIT;
	int err;

	send_frame(sight.peer, 5, RPC_HEALTH, FRAME_REQUEST, NULL, 0);
	err = rpc_record(call, &chunk.base);
	snprintf(sight.text, sizeof(sight.text), "%s", err ? err_text() : "not noticed");
	return err;
}

HANDLER(pauses)
{
	uint64_t began = now_ms();
	int err;

	if ((err = rpc_pause(call, 30)))
		return err;
	sight.seen[0] = (int)(now_ms() - began);
	send_frame(sight.peer, 3, RPC_WATCH_JOB, FRAME_CANCEL, NULL, 0);
	return rpc_pause(call, PATIENCE);
}

static int allow_all_but_jobs(void *ctx UNUSED, unsigned method)
{
	return method == RPC_FETCH_JOBS ? fail(ERR_DENIED, "jobs are secret") : 0;
}

static void note_over(void *ctx UNUSED, unsigned method, uint64_t records, uint64_t ms, int err)
{
	sight.overs++;
	sight.method = method;
	sight.records = records;
	sight.ms = ms;
	sight.err = err;
}

static const struct rpc_service service = {
	.handlers = {
		[RPC_VERSION] = greeting,
		[RPC_HEALTH] = no_answer,
		[RPC_FETCH_CVES] = stream,
		[RPC_FETCH_CVE] = one_answer,
		[RPC_FETCH_PATCH] = cancelled_stream,
		[RPC_PUT_KERNEL_CONFIG] = no_answer,
		[RPC_FETCH_JOBS] = no_answer,
		[RPC_WATCH_JOB] = pauses,
		[RPC_REBUILD_CONFIGS] = second_call,
	},
	.allow = allow_all_but_jobs,
	.over = note_over,
};

/* A pair whose handlers have seen nothing yet. */
static struct rpc *serving(int *peer)
{
	struct rpc *r;

	memset(&sight, 0, sizeof(sight));
	r = pair(peer, false, &service);
	sight.peer = *peer;
	return r;
}

static void greet(struct rpc *r, int peer)
{
	VersionInfo me = VERSION_INFO__INIT;
	struct frame f;
	bool served;
	char *m;

	send_message(peer, 1, RPC_VERSION, FRAME_REQUEST, &me.base);
	if (rpc_serve(r, PATIENCE, &served) || !served || !rpc_greeted(r) || !recv_frame(peer, &f, &m) ||
	    f.status != FRAME_OK)
		abort();
	sight.calls = sight.overs = 0;
}

/* ---- Serving */

static void test_unary(void)
{
	FetchCveRequest q = FETCH_CVE_REQUEST__INIT;
	struct frame f;
	char *m = NULL;
	Cve *cve;
	int peer;
	struct rpc *r = serving(&peer);

	greet(r, peer);
	q.id = "CVE-2024-26581";
	send_message(peer, 3, RPC_FETCH_CVE, FRAME_REQUEST, &q.base);
	serve(r, 0, "a call is served");
	ok(recv_frame(peer, &f, &m) && f.id == 3 && f.method == RPC_FETCH_CVE && f.status == FRAME_OK,
	   "its answer has its number");
	cve = pb_unpack(arena, &cve__descriptor, m, f.length);
	is_str(cve ? cve->id : NULL, q.id, "and the message");
	ok(sight.overs == 1 && sight.method == RPC_FETCH_CVE && !sight.err && !sight.records, "the end is told");
	send_frame(peer, 5, RPC_HEALTH, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "a handler that says nothing");
	expect(peer, 5, FRAME_OK, NULL, "closes with an empty answer");
	drop(r, peer);
}

/* Errors of a call leave the connection as it is. */
static void test_errors(void)
{
	FetchCveRequest q = FETCH_CVE_REQUEST__INIT;
	int peer;
	struct rpc *r = serving(&peer);

	greet(r, peer);
	q.id = "CVE-1";
	for (int kind = ERR_USAGE; kind < ERR_KINDS; kind++) {
		sight.fail_with = kind;
		send_message(peer, 3, RPC_FETCH_CVE, FRAME_REQUEST, &q.base);
		serve(r, 0, err_kind_name(kind));
		expect(peer, 3, FRAME_ERROR + (unsigned)kind, "CVE-1 is not here", "  goes over the wire");
		is_int(sight.err, kind, "  and is told");
	}
	send_frame(peer, 5, 4711, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "a method that there is not");
	expect(peer, 5, FRAME_ERROR + ERR_USAGE, "no method number 4711", "  is an error");
	send_frame(peer, 7, RPC_BUILD_KERNEL, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "a method that is not served here");
	expect(peer, 7, FRAME_ERROR + ERR_USAGE, "BuildKernel is not served at this end", "  is an error");
	sight.calls = 0;
	send_frame(peer, 9, RPC_FETCH_JOBS, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "a method that is not allowed");
	expect(peer, 9, FRAME_ERROR + ERR_DENIED, "jobs are secret", "  is an error");
	is_int(sight.calls, 0, "  and its handler is not called");
	send_frame(peer, 11, RPC_FETCH_CVE, FRAME_REQUEST, "\xff\xff\xff", 3);
	serve(r, 0, "a request that cannot be read");
	expect(peer, 11, FRAME_ERROR + ERR_INPUT, "FetchCve: the request cannot be read", "  is an error");
	send_frame(peer, 13, RPC_HEALTH, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "and the connection goes on");
	expect(peer, 13, FRAME_OK, NULL, "  as before");
	drop(r, peer);
}

/* A short request must not become a thousand times its size in memory; an honest one of the same length is served. */
static void test_ceiling(void)
{
	struct buf many = { 0 };
	int peer, size = 1 << 20;
	struct rpc *r = serving(&peer);

	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	greet(r, peer);
	for (unsigned i = 0; i < 30000; i++)
		buf_add(&many, "\x12\x00", 2);
	send_frame(peer, 3, RPC_FETCH_CVE, FRAME_REQUEST, many.data, many.len);
	serve(r, 0, "60 KB of empty texts");
	expect(peer, 3, FRAME_ERROR + ERR_INPUT, "too much memory", "  pass the ceiling");
	is_int(sight.calls, 0, "  and no handler is called");
	buf_reset(&many);
	buf_add(&many, "\x0a\xe0\xd4\x03", 4);
	for (unsigned i = 0; i < 60000; i++)
		buf_addc(&many, 'x');
	send_frame(peer, 5, RPC_FETCH_CVE, FRAME_REQUEST, many.data, many.len);
	serve(r, 0, "60 KB of one text");
	expect(peer, 5, FRAME_OK, NULL, "  are served");
	buf_free(&many);
	drop(r, peer);
}

/* A pair that has greeted. Where an answer is to come the end under test has asked; *id is that of the call. */
static struct rpc *open_call(int *peer, bool asked, unsigned *id)
{
	FetchCvesRequest q = FETCH_CVES_REQUEST__INIT;
	struct rpc *r = serving(peer);
	struct frame f;
	char *m;

	greet(r, *peer);
	*id = 3;
	if (!asked)
		return r;
	if (rpc_start(r, RPC_FETCH_CVES, &q.base) || !recv_frame(*peer, &f, &m))
		abort();
	*id = f.id;
	return r;
}

/* Each limit by the header alone: what it announces is not waited for. */
static void test_lengths(void)
{
	static const struct {
		unsigned method, status;
		uint32_t most;
	} limits[] = {
		{ RPC_FETCH_CVES, FRAME_REQUEST, 1u << 20 }, { RPC_PUT_KERNEL_CONFIG, FRAME_REQUEST, 8u << 20 },
		{ 4711, FRAME_REQUEST, 1u << 20 },           { RPC_HEALTH, FRAME_CANCEL, 0 },
		{ RPC_HEALTH, FRAME_ERROR + ERR_DB, 4096 },  { RPC_HEALTH, FRAME_OK, 16u << 20 },
		{ RPC_FETCH_CVES, FRAME_MORE, 16u << 20 },
	};
	unsigned id;
	bool served;
	int peer;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		bool asked = limits[i].status != FRAME_REQUEST && limits[i].status != FRAME_CANCEL;
		struct rpc *r = open_call(&peer, asked, &id);

		send_header(peer, id, limits[i].method, limits[i].status, limits[i].most);
		if (limits[i].most)
			ok(rpc_serve(r, 0, &served) == 0 && !served, "%u bytes are waited for", limits[i].most);
		drop(r, peer);
		r = open_call(&peer, asked, &id);
		send_header(peer, id, limits[i].method, limits[i].status, limits[i].most + 1);
		refuse(r, ERR_PEER, "at most", "a byte more is not");
		expect(peer, id, FRAME_ERROR + ERR_PEER, "at most", "and the peer is told");
		drop(r, peer);
	}
}

/* Who has said nothing yet could else make this end keep 16 MiB for an answer that nobody asked for. */
static void test_unasked(void)
{
	static const unsigned statuses[] = { FRAME_MORE, FRAME_OK, 9, FRAME_ERROR + ERR_DB };
	unsigned id;
	int peer;

	for (size_t i = 0; i < 2 * ARRAY_LEN(statuses); i++) {
		bool asked = i >= ARRAY_LEN(statuses);
		struct rpc *r = asked ? open_call(&peer, true, &id) : serving(&peer);

		/* To no question, or to another. */
		send_header(peer, asked ? id + 2 : 2, RPC_FETCH_CVES, statuses[i % ARRAY_LEN(statuses)], 4000);
		refuse(r, ERR_PEER, "not open", "an answer that nobody asked for is not waited for");
		drop(r, peer);
	}
}

/* Each breach of the protocol ends the connection, and the peer is told why. */
static void test_breaches(void)
{
	static const struct {
		const char *what;
		bool greeted;
		unsigned id, method, status;
		const char *text;
	} breaches[] = {
		{ "a call before the greeting", false, 1, RPC_HEALTH, FRAME_REQUEST, "first frame is not Version" },
		{ "a call with a number of this end's", true, 4, RPC_HEALTH, FRAME_REQUEST, "this end's" },
		{ "an answer that nobody asked for", true, 2, RPC_HEALTH, FRAME_OK, "not open" },
		{ "a record that nobody asked for", true, 2, RPC_FETCH_CVES, FRAME_MORE, "not open" },
		{ "an error that nobody asked for", true, 2, RPC_HEALTH, FRAME_ERROR + ERR_DB, "not open" },
		{ "a status that there is not", true, 3, RPC_HEALTH, 9, "not open" },
	};

	for (size_t i = 0; i < ARRAY_LEN(breaches); i++) {
		int peer;
		struct rpc *r = serving(&peer);

		if (breaches[i].greeted)
			greet(r, peer);
		send_frame(peer, breaches[i].id, breaches[i].method, breaches[i].status, NULL, 0);
		refuse(r, ERR_PEER, breaches[i].text, breaches[i].what);
		expect(peer, breaches[i].id, FRAME_ERROR + ERR_PEER, breaches[i].text, "  the peer is told");
		is_int(sight.calls, 0, "  and nothing is served");
		drop(r, peer);
	}
}

/* A greeting that its handler refuses ends the connection. */
static void test_refused_greeting(void)
{
	static const struct rpc_service strict = { .handlers = { [RPC_VERSION] = one_answer } };
	int peer;
	struct rpc *r = pair(&peer, false, &strict);

	memset(&sight, 0, sizeof(sight));
	sight.fail_with = ERR_PEER;
	send_frame(peer, 1, RPC_VERSION, FRAME_REQUEST, "\x0a\x03old", 5);
	refuse(r, ERR_PEER, "old is not here", "a greeting that is refused");
	expect(peer, 1, FRAME_ERROR + ERR_PEER, "old is not here", "  with its reason");
	ok(!rpc_greeted(r), "  is no greeting");
	drop(r, peer);
}

static void test_pieces(void)
{
	struct buf b = { 0 };
	unsigned early = 0;
	bool served;
	int peer;
	struct rpc *r = serving(&peer);

	greet(r, peer);
	frame_write(&b, (struct frame){ .id = 3, .method = RPC_FETCH_CVE }, "\x0a\x01x", 3);
	for (size_t i = 0; i + 1 < b.len; i++) {
		send_bytes(peer, b.data + i, 1);
		early += rpc_serve(r, 0, &served) != 0 || served;
	}
	is_int(early, 0, "half a call is none");
	send_bytes(peer, b.data + b.len - 1, 1);
	serve(r, 0, "its last byte makes it one");
	/* Several in one piece. */
	b.data[7] = 5;
	buf_add(&b, b.data, b.len);
	send_bytes(peer, b.data, b.len);
	serve(r, 0, "two calls in one piece");
	serve(r, 0, "  are served one after the other");
	is_int(sight.calls, 3, "  each once");
	close(peer);
	refuse(r, ERR_NET, "closed", "an end");
	drop(r, -1);
	r = serving(&peer);
	greet(r, peer);
	send_bytes(peer, b.data, 7);
	close(peer);
	refuse(r, ERR_NET, "closed", "an end in the middle of a frame");
	drop(r, -1);
	buf_free(&b);
}

/* Who sends a byte now and then, or frames that mean nothing, does not hold up the one who waits. */
static void test_drip(void)
{
	static const struct timespec pause = { .tv_nsec = 5000000 };
	uint64_t began;
	bool served;
	int peer, err;
	struct rpc *r = serving(&peer);
	pid_t pid;

	greet(r, peer);
	if ((pid = fork()) == 0) {
		send_header(peer, 3, RPC_HEALTH, FRAME_REQUEST, 1000000);
		while (send(peer, "", 1, MSG_NOSIGNAL) == 1)
			nanosleep(&pause, NULL);
		_exit(0);
	}
	alarm(30);
	began = now_ms();
	err = rpc_serve(r, 60, &served);
	ok(err == 0 && !served && now_ms() - began >= 60, "bytes that trickle in do not lengthen the wait");
	alarm(0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	drop(r, peer);
}

/* ---- Streams */

static void ask_stream(int peer, unsigned id)
{
	send_frame(peer, id, RPC_FETCH_CVES, FRAME_REQUEST, NULL, 0);
}

static void test_coalescing(void)
{
	unsigned more = 0;
	struct frame f = { 0 };
	char *m;
	int peer;
	struct rpc *r = serving(&peer);

	greet(r, peer);
	sight.n = 100;
	sight.size = 50;
	ask_stream(peer, 3);
	serve(r, 0, "a stream of small records");
	is_int(sight.seen[0], FRAME_HEADER + 52, "the first is sent at once");
	is_int(sight.seen[1], sight.seen[0], "the second is held back");
	is_int(sight.seen[2], sight.seen[0], "and all that fit in 16 KiB");
	is_int(sight.seen[3], 100 * (FRAME_HEADER + 52), "rpc_flush sends them");
	while (recv_frame(peer, &f, &m) && f.status == FRAME_MORE)
		more++;
	is_int(more, 100, "all of them come");
	ok(f.status == FRAME_OK && f.id == 3, "and the end");
	is_int((long long)sight.records, 100, "which is told with their number");
	sight.n = 400;
	ask_stream(peer, 5);
	serve(r, 0, "more than 16 KiB");
	ok(sight.seen[2] > 16384 && sight.seen[2] < 400 * (FRAME_HEADER + 52), "are sent when there are so many");
	drop(r, peer);
}

static void test_cancel(void)
{
	int peer;
	struct rpc *r = serving(&peer);

	greet(r, peer);
	send_frame(peer, 3, RPC_FETCH_PATCH, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "a stream whose caller cancels");
	is_str(sight.text, "cancelled by the caller", "  stops");
	expect(peer, 3, FRAME_MORE, NULL, "  what was under way came");
	expect(peer, 3, FRAME_ERROR + ERR_PEER, "cancelled by the caller", "  and the end says so");
	is_int(sight.err, ERR_PEER, "  as does the report");
	send_frame(peer, 3, RPC_FETCH_PATCH, FRAME_CANCEL, NULL, 0);
	send_frame(peer, 5, RPC_HEALTH, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "cancelling what is over means nothing");
	expect(peer, 5, FRAME_OK, NULL, "  and the connection goes on");
	drop(r, peer);
}

static void test_pause(void)
{
	int peer;
	struct rpc *r = serving(&peer);

	greet(r, peer);
	send_frame(peer, 3, RPC_WATCH_JOB, FRAME_REQUEST, NULL, 0);
	serve(r, 0, "a call that waits");
	ok(sight.seen[0] >= 29, "rpc_pause lasts as long as it is told");
	ok(sight.err == ERR_PEER && sight.ms < PATIENCE / 2, "and ends at once when the caller cancels");
	drop(r, peer);
	r = serving(&peer);
	greet(r, peer);
	send_frame(peer, 3, RPC_WATCH_JOB, FRAME_REQUEST, NULL, 0);
	shutdown(peer, SHUT_WR);
	refuse(r, ERR_NET, "closed", "a caller that leaves meanwhile");
	is_int(sight.err, ERR_NET, "  which is what the call ended with");
	drop(r, peer);
}

static void test_second_call(void)
{
	int peer;
	struct rpc *r = serving(&peer);

	greet(r, peer);
	send_frame(peer, 3, RPC_REBUILD_CONFIGS, FRAME_REQUEST, NULL, 0);
	refuse(r, ERR_PEER, "second call", "a second call while one is open");
	is_str(sight.text, "a second call while one is open", "  is noticed by the handler");
	expect(peer, 3, FRAME_MORE, NULL, "  what was under way came");
	expect(peer, 3, FRAME_ERROR + ERR_PEER, "second call", "  and the end says why");
	drop(r, peer);
}

static void test_stall(void)
{
	int peer;
	struct rpc *r = serving(&peer);
	uint64_t began = now_ms();

	greet(r, peer);
	rpc_set_stall(r, 40);
	sight.n = 1000;
	sight.size = 100000;
	ask_stream(peer, 3);
	refuse(r, ERR_NET, "takes nothing for 40 ms", "a caller that takes nothing");
	ok(sight.overs == 1 && sight.err == ERR_NET && sight.records < 1000, "  and the report has how far it got");
	ok(now_ms() - began < PATIENCE, "  soon");
	drop(r, peer);
	r = serving(&peer);
	greet(r, peer);
	sight.n = 1000;
	sight.size = 100000;
	shutdown(peer, SHUT_RD);
	ask_stream(peer, 3);
	refuse(r, ERR_NET, "closed", "a caller that is gone");
	drop(r, peer);
}

static void test_names(void)
{
	is_str(rpc_method_name(RPC_FETCH_CVES), "FetchCves", "methods have names");
	is_str(rpc_method_name(RPC_METHODS), "?", "others have none");
	is_int(tuxtape__descriptor.n_methods, RPC_METHODS, "the table and the service are of one length");
	is_str(rpc_method_name(RPC_REBUILD_CONFIGS), "RebuildConfigs", "to the last");
	ok(rpc_is_stream(RPC_FETCH_PATCH) && !rpc_is_stream(RPC_HEALTH) && !rpc_is_stream(4711), "and some are streams");
}

int main(void)
{
	arena = arena_new(0);
	test_names();
	test_unary();
	test_errors();
	test_ceiling();
	test_lengths();
	test_unasked();
	test_breaches();
	test_refused_greeting();
	test_pieces();
	test_drip();
	test_coalescing();
	test_cancel();
	test_pause();
	test_second_call();
	test_stall();
	arena_free(arena);
	return done();
}
