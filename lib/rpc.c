/* Owns the frames of a connection and the two calls that may be open on it, one each way. Refuses frames longer than their method
 * allows before a byte is allotted for them, and requests that would unpack to many times their size. */
#include "lib/rpc.h"

#include "lib/err.h"
#include "lib/frame.h"
#include "lib/log.h"
#include "lib/str.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUEST_MOST (1u << 20)
#define LARGE_REQUEST_MOST (8u << 20)
#define RECORD_BYTES 16384 /* of a TLS record: frames are sent together up to this */
#define CEILING_LEAST (64u << 10)
#define ERROR_TEXT_MOST 4096

/* What protoc-c drops or does not know: which answers are streams, what closes them, and which requests may be large. */
static const struct shape {
	const ProtobufCMessageDescriptor *end; /* closing message of a stream; NULL: one answer */
	size_t request_most;                   /* bytes; 0: REQUEST_MOST */
} shapes[RPC_METHODS] = {
	[RPC_FETCH_CVES] = { .end = &fetch_cves_end__descriptor },
	[RPC_FETCH_PATCH] = { .end = &nothing__descriptor },
	[RPC_PUT_KERNEL_CONFIG] = { .request_most = LARGE_REQUEST_MOST },
	[RPC_BUILD_KERNEL] = { .end = &build_result__descriptor, .request_most = LARGE_REQUEST_MOST },
	[RPC_WATCH_JOB] = { .end = &job__descriptor },
	[RPC_SUBMIT_PATCH] = { .request_most = LARGE_REQUEST_MOST },
	[RPC_FETCH_PATCHES] = { .end = &nothing__descriptor },
	[RPC_FETCH_AUDIT] = { .end = &nothing__descriptor },
};

struct rpc_call {
	struct rpc *rpc;
	uint32_t id;
	unsigned method;
	uint64_t records;
	bool replied, cancelled;
};

struct rpc {
	struct tls *tls;
	const struct rpc_service *service;
	bool dialled, greeted;
	int stall_ms;
	bool broken;        /* nothing more can be sent or received */
	bool bad;           /* the peer broke the protocol: the connection ends when the call under way is closed */
	char why[160];      /* how */
	struct buf in;      /* received */
	size_t taken;       /* bytes of it that are done with */
	struct buf out;     /* to be sent */
	struct buf packed;  /* a message on its way to out */
	struct buf replies; /* frames for our own call that came while a call of the peer's was served */
	size_t replies_taken;
	uint32_t next_id;
	struct {
		bool open;
		uint32_t id;
		unsigned method;
	} own;                    /* the call that this end made */
	struct rpc_call *serving; /* the peer's */
	struct arena *arena;      /* of the request being served */
};

static const ProtobufCMethodDescriptor *method_of(unsigned method)
{
	return &tuxtape__descriptor.methods[method];
}

const char *rpc_method_name(unsigned method)
{
	return method < RPC_METHODS ? method_of(method)->name : "?";
}

bool rpc_is_stream(unsigned method)
{
	return method < RPC_METHODS && shapes[method].end;
}

const ProtobufCMessageDescriptor *rpc_answer_type(unsigned method, bool closing)
{
	if (method >= RPC_METHODS)
		return NULL;
	return closing && shapes[method].end ? shapes[method].end : method_of(method)->output;
}

struct rpc *rpc_new(struct tls *t, bool dialled, const struct rpc_service *service)
{
	struct rpc *r = xcalloc(1, sizeof(*r));

	r->tls = t;
	r->dialled = dialled;
	r->service = service;
	r->stall_ms = RPC_STALL_MS;
	r->next_id = dialled ? 1 : 2;
	r->arena = arena_new(0);
	return r;
}

void rpc_free(struct rpc *r)
{
	if (!r)
		return;
	tls_close(r->tls);
	buf_free(&r->in);
	buf_free(&r->out);
	buf_free(&r->packed);
	buf_free(&r->replies);
	arena_free(r->arena);
	free(r);
}

struct tls *rpc_tls(const struct rpc *r)
{
	return r->tls;
}

void rpc_set_stall(struct rpc *r, int stall_ms)
{
	r->stall_ms = stall_ms;
}

struct rpc *rpc_of(struct rpc_call *call)
{
	return call->rpc;
}

bool rpc_calling(const struct rpc *r)
{
	return r->own.open;
}

/* ---- Bytes */

static int flush(struct rpc *r)
{
	int err = r->out.len ? tls_write(r->tls, r->out.data, r->out.len, r->stall_ms) : 0;

	buf_reset(&r->out);
	r->broken |= err != 0;
	return err;
}

static void put_frame(struct rpc *r, uint32_t id, unsigned method, unsigned status, const void *message, size_t n)
{
	struct frame f = { .id = id, .method = (uint16_t)method, .status = (uint16_t)status };

	frame_write(&r->out, f, message, n);
}

static int put_message(struct rpc *r, uint32_t id, unsigned method, unsigned status, const ProtobufCMessage *m)
{
	buf_reset(&r->packed);
	pb_pack(&r->packed, m);
	if (r->packed.len > FRAME_MOST)
		return fail(ERR_PEER, "%s: a message of %zu bytes is too long for a frame", rpc_method_name(method),
			    r->packed.len);
	put_frame(r, id, method, status, buf_str(&r->packed), r->packed.len);
	return 0;
}

static int put_error(struct rpc *r, uint32_t id, unsigned method, int err)
{
	struct buf text = { 0 };

	/* It may quote what came from outside. */
	str_printable(&text, err_text(), strlen(err_text()));
	put_frame(r, id, method, FRAME_ERROR + (unsigned)err, buf_str(&text), MIN_OF(text.len, (size_t)ERROR_TEXT_MOST));
	buf_free(&text);
	return flush(r);
}

/* Whole frames that were used up are dropped when the rest would have to be moved anyway. */
static void drop_taken(struct buf *b, size_t *taken)
{
	if (*taken == b->len) {
		buf_reset(b);
		*taken = 0;
	} else if (*taken > b->len / 2) {
		memmove(b->data, b->data + *taken, b->len - *taken);
		b->len -= *taken;
		*taken = 0;
	}
}

/* Reads what is there; waits up to timeout_ms for it. *got false: nothing came. */
static int receive(struct rpc *r, int timeout_ms, bool *got)
{
	struct pollfd p = { .fd = tls_fd(r->tls), .events = POLLIN };
	size_t n = 0;
	int err;

	*got = false;
	if (timeout_ms != 0 && !tls_pending(r->tls) && poll(&p, 1, timeout_ms) <= 0)
		return 0;
	drop_taken(&r->in, &r->taken);
	if ((err = tls_read(r->tls, buf_reserve(&r->in, 65536), 65536, &n))) {
		r->broken = true;
		return err;
	}
	r->in.len += n;
	*got = n > 0;
	return 0;
}

/* Nothing but a call may come while this end has none open: an answer to no question could be long, and is not waited for. */
static int check_answer(const struct rpc *r, const struct frame *f)
{
	if (f->status == FRAME_REQUEST || f->status == FRAME_CANCEL || (r->own.open && f->id == r->own.id))
		return 0;
	return fail(ERR_PEER, "an answer to call %u, which is not open", f->id);
}

/* How long a frame may be depends on what it is; the length is judged by its header, before the rest is waited for. */
static int check_length(const struct frame *f)
{
	size_t most = FRAME_MOST;

	if (f->status == FRAME_REQUEST)
		most = f->method < RPC_METHODS && shapes[f->method].request_most ? shapes[f->method].request_most
										 : REQUEST_MOST;
	if (f->status == FRAME_CANCEL)
		most = 0;
	if (f->status >= FRAME_ERROR)
		most = ERROR_TEXT_MOST;
	if (f->length > most)
		return fail(ERR_PEER, "a frame of %u bytes for %s, at most %zu are taken", f->length,
			    rpc_method_name(f->method), most);
	return 0;
}

/* The next whole frame of a buffer. *message points into it until more is received. */
static int next_frame(const struct rpc *r, struct buf *b, size_t *taken, struct frame *f, const char **message, bool *there)
{
	size_t size;
	int err = 0;

	*there = false;
	if (b->len - *taken < FRAME_HEADER)
		return 0;
	if ((err = frame_read_header(f, b->data + *taken, FRAME_MOST)) || (err = check_answer(r, f)) ||
	    (err = check_length(f)))
		return err;
	if (!frame_next(b, *taken, FRAME_MOST, f, &size, &err))
		return err;
	*message = b->data + *taken + FRAME_HEADER;
	*taken += size;
	*there = true;
	return 0;
}

/* ---- Serving */

static int not_served(unsigned method)
{
	if (method >= RPC_METHODS)
		return fail(ERR_USAGE, "there is no method number %u here: one end is a newer tuxtape", method);
	return fail(ERR_USAGE, "%s is not served at this end", rpc_method_name(method));
}

static int handle(struct rpc *r, struct rpc_call *call, const char *message, size_t n)
{
	const struct rpc_service *s = r->service;
	ProtobufCMessage *request;
	int err;

	if (call->method >= RPC_METHODS || !s || !s->handlers[call->method])
		return not_served(call->method);
	if (s->allow && (err = s->allow(s->ctx, call->method)))
		return err;
	arena_reset_ceiling(r->arena, CEILING_LEAST + 4 * n);
	request = pb_unpack(r->arena, method_of(call->method)->input, message, n);
	if (!request)
		return fail(ERR_INPUT, "%s: the request cannot be read, or would take too much memory",
			    rpc_method_name(call->method));
	return s->handlers[call->method](s->ctx, call, request);
}

static int close_call(struct rpc_call *call, int err)
{
	struct rpc *r = call->rpc;

	if (r->broken)
		return err;
	if (err)
		return put_error(r, call->id, call->method, err);
	if (!call->replied)
		put_frame(r, call->id, call->method, FRAME_OK, NULL, 0);
	return flush(r);
}

/* Whether a call may begin. */
static int check_call(const struct rpc *r, const struct frame *f)
{
	if (r->serving)
		return fail(ERR_PEER, "a second call while one is open");
	if ((f->id & 1) == (r->dialled ? 1u : 0u))
		return fail(ERR_PEER, "a call with number %u, which is this end's", f->id);
	if (!r->dialled && !r->greeted && f->method != RPC_VERSION)
		return fail(ERR_PEER, "the first frame is not Version");
	return 0;
}

/* The message is copied: while the call is served more is received. */
static int serve_frame(struct rpc *r, const struct frame *f, const char *message)
{
	struct rpc_call call = { .rpc = r, .id = f->id, .method = f->method };
	char *copy;
	uint64_t began = now_ms();
	int err, sent;

	if ((err = check_call(r, f))) {
		put_error(r, f->id, f->method, err);
		return err;
	}
	copy = xmalloc(f->length + 1u);
	memcpy(copy, message, f->length);
	r->serving = &call;
	err = handle(r, &call, copy, f->length);
	r->serving = NULL;
	free(copy);
	sent = close_call(&call, err);
	if (r->service && r->service->over)
		r->service->over(r->service->ctx, call.method, call.records, now_ms() - began, err ? err : sent);
	r->greeted |= f->method == RPC_VERSION && !err;
	if (!sent && r->bad)
		return fail(ERR_PEER, "%s", r->why);
	/* A greeting that failed ends the connection: the error is on its way already. */
	return !sent && !r->dialled && !r->greeted ? err : sent;
}

bool rpc_greeted(const struct rpc *r)
{
	return r->greeted;
}

/* What may come while this end serves: a wish to stop, and answers to its own call, which are kept for rpc_next. */
static int note_frame(struct rpc *r, const struct frame *f, const char *message)
{
	if (f->status == FRAME_CANCEL) {
		if (r->serving && r->serving->id == f->id)
			r->serving->cancelled = true;
		return 0;
	}
	if (f->status == FRAME_REQUEST)
		return fail(ERR_PEER, "a second call while one is open");
	if (r->replies.len - r->replies_taken > FRAME_MOST)
		return fail(ERR_PEER, "an answer that nobody can take now");
	frame_write(&r->replies, *f, message, f->length);
	return 0;
}

static int note_frames(struct rpc *r)
{
	const char *message;
	struct frame f;
	bool there;
	int err;

	while (!(err = next_frame(r, &r->in, &r->taken, &f, &message, &there)) && there)
		if ((err = note_frame(r, &f, message)))
			return err;
	return err;
}

int rpc_pause(struct rpc_call *call, int timeout_ms)
{
	struct rpc *r = call->rpc;
	bool got;
	int err;

	if (r->out.len && (err = flush(r)))
		return err;
	if ((err = receive(r, timeout_ms, &got)))
		return err;
	if ((err = note_frames(r))) {
		r->bad = true;
		snprintf(r->why, sizeof(r->why), "%s", err_text());
		return err;
	}
	return call->cancelled ? fail(ERR_PEER, "cancelled by the caller") : 0;
}

int rpc_flush(struct rpc_call *call)
{
	return rpc_pause(call, 0);
}

int rpc_record(struct rpc_call *call, const ProtobufCMessage *record)
{
	struct rpc *r = call->rpc;
	int err = put_message(r, call->id, call->method, FRAME_MORE, record);

	if (err)
		return err;
	if (call->records++ == 0 || r->out.len >= RECORD_BYTES)
		return rpc_flush(call);
	return 0;
}

int rpc_reply(struct rpc_call *call, const ProtobufCMessage *reply)
{
	call->replied = true;
	if (reply)
		return put_message(call->rpc, call->id, call->method, FRAME_OK, reply);
	put_frame(call->rpc, call->id, call->method, FRAME_OK, NULL, 0);
	return 0;
}

int rpc_serve(struct rpc *r, int timeout_ms, bool *served)
{
	const char *message;
	uint64_t until = now_ms() + (uint64_t)MAX_OF(timeout_ms, 0);
	struct frame f = { 0 };
	bool there, got, late = false;
	int err, left;

	*served = false;
	while (!(err = next_frame(r, &r->in, &r->taken, &f, &message, &there))) {
		if (there && f.status == FRAME_REQUEST) {
			*served = true;
			err = serve_frame(r, &f, message);
			break;
		}
		if (there && (err = note_frame(r, &f, message)))
			break;
		if (there)
			continue;
		/* The whole wait is bounded: who sends a byte now and then is not heard for ever. */
		left = timeout_ms < 0 ? -1 : (int)MAX_OF((int64_t)(until - now_ms()), 0);
		if (late || (err = receive(r, left, &got)) || !got)
			return err;
		late = timeout_ms >= 0 && now_ms() >= until;
	}
	/* Who broke the protocol is told why before the connection ends. */
	if (err == ERR_PEER && !r->broken && !*served)
		put_error(r, f.id, f.method, err);
	return err;
}

/* ---- Calling */

int rpc_start(struct rpc *r, unsigned method, const ProtobufCMessage *request)
{
	int err;

	if (r->own.open)
		return fail(ERR_USAGE, "%s: another call is open", rpc_method_name(method));
	r->own.open = true;
	r->own.id = r->next_id;
	r->own.method = method;
	r->next_id += 2;
	if ((err = put_message(r, r->own.id, method, FRAME_REQUEST, request)))
		return err;
	return flush(r);
}

int rpc_cancel(struct rpc *r)
{
	if (!r->own.open)
		return 0;
	put_frame(r, r->own.id, r->own.method, FRAME_CANCEL, NULL, 0);
	return flush(r);
}

/* An answer to this end's call. */
static int take_answer(struct rpc *r, struct arena *a, const struct frame *f, const char *message, enum rpc_news *news,
		       void **out)
{
	const struct shape *shape = &shapes[r->own.method];
	const ProtobufCMessageDescriptor *d;
	unsigned kind = f->status - FRAME_ERROR;

	if ((f->status == FRAME_MORE && !shape->end) ||
	    (f->status != FRAME_MORE && f->status != FRAME_OK && f->status < FRAME_ERROR))
		return fail(ERR_PEER, "an answer with number %u and status %u that was not expected", f->id, f->status);
	r->own.open = f->status == FRAME_MORE;
	if (f->status >= FRAME_ERROR)
		return fail(kind > ERR_OK && kind < ERR_KINDS ? (int)kind : ERR_PEER, "%.*s", (int)f->length, message);
	*news = f->status == FRAME_MORE ? RPC_RECORD : RPC_END;
	d = rpc_answer_type(r->own.method, *news == RPC_END);
	*out = pb_unpack(a, d, message, f->length);
	return *out ? 0 : fail(ERR_PEER, "%s: the answer cannot be read", rpc_method_name(r->own.method));
}

/* *there tells whether a frame for this end's call is there: one that came while another call was served, or a new one. Without one,
 * *served tells whether something else was dealt with, so that there may be more. */
static int find_answer(struct rpc *r, struct frame *f, const char **message, bool *there, bool *served)
{
	int err;

	*served = false;
	/* What was kept goes first, and each call that is served may have kept more. */
	if ((err = next_frame(r, &r->replies, &r->replies_taken, f, message, there)) || *there)
		return err;
	drop_taken(&r->replies, &r->replies_taken);
	if ((err = next_frame(r, &r->in, &r->taken, f, message, there)) || !*there ||
	    (f->status != FRAME_REQUEST && f->status != FRAME_CANCEL))
		return err;
	*there = false;
	*served = true;
	return f->status == FRAME_REQUEST ? serve_frame(r, f, *message) : note_frame(r, f, *message);
}

int rpc_next(struct rpc *r, struct arena *a, int timeout_ms, enum rpc_news *news, void *out)
{
	uint64_t until = now_ms() + (uint64_t)MAX_OF(timeout_ms, 0);
	const char *message;
	struct frame f;
	bool there, got, served;
	int err, left;

	*news = RPC_NOTHING;
	for (;;) {
		if ((err = find_answer(r, &f, &message, &there, &served)))
			return err;
		if (there)
			return take_answer(r, a, &f, message, news, out);
		left = timeout_ms < 0 ? -1 : (int)MAX_OF((int64_t)(until - now_ms()), 0);
		/* A peer that calls without end keeps nobody from what else there is to do. */
		if (served && left == 0)
			return 0;
		if (served)
			continue;
		if ((err = receive(r, left, &got)))
			return err;
		if (!got && left == 0)
			return 0;
	}
}

int rpc_call(struct rpc *r, unsigned method, const ProtobufCMessage *request, struct arena *a, int timeout_ms, void *reply)
{
	enum rpc_news news;
	int err;

	if ((err = rpc_start(r, method, request)) || (err = rpc_next(r, a, timeout_ms, &news, reply)))
		return err;
	if (news == RPC_NOTHING)
		return fail(ERR_NET, "%s: no answer within %d ms", rpc_method_name(method), timeout_ms);
	return 0;
}

int rpc_hello(struct rpc *r, const char *program, struct arena *a, int timeout_ms, VersionInfo **peer)
{
	VersionInfo me = VERSION_INFO__INIT;
	int err;

	me.program = program;
	me.has_protocol = true;
	me.protocol = RPC_PROTOCOL;
	if ((err = rpc_call(r, RPC_VERSION, &me.base, a, timeout_ms, peer)))
		return err;
	if ((*peer)->protocol != RPC_PROTOCOL)
		return fail(ERR_PEER, "the far end speaks protocol %u, this one %u: upgrade the older", (*peer)->protocol,
			    RPC_PROTOCOL);
	return 0;
}
