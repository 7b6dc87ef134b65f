/* Calls over a connection: frames, the service's methods, streams with a closing status. One loop serves both ends, so the end that
 * was dialled may call, too. The wire is told in tuxtape-protocol(7). */
#ifndef TUXTAPE_RPC_H
#define TUXTAPE_RPC_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/pb.h"
#include "lib/tls.h"

#define RPC_PROTOCOL 1
#define RPC_STALL_MS 30000 /* a peer that takes no byte for so long is dropped, unless rpc_set_stall says otherwise */

/* Positions in the service of proto/tuxtape.proto: only append. */
enum rpc_method {
	RPC_VERSION,
	RPC_HEALTH,
	RPC_FETCH_CVES,
	RPC_FETCH_CVE,
	RPC_FETCH_PATCH,
	RPC_FETCH_KERNEL_CONFIGS_METADATA,
	RPC_FETCH_KERNEL_CONFIG,
	RPC_PUT_KERNEL_CONFIG,
	RPC_DELETE_KERNEL_CONFIG,
	RPC_FETCH_JOBS,
	RPC_REGISTER_KERNEL_BUILDER,
	RPC_BUILD_KERNEL,
	RPC_WATCH_JOB,
	RPC_CANCEL_JOB,
	RPC_RETRY_JOB,
	RPC_FETCH_BUILDERS,
	RPC_REBUILD_CONFIGS,
	RPC_SUBMIT_PATCH,
	RPC_REVIEW_PATCH,
	RPC_WITHDRAW_PATCH,
	RPC_FETCH_PATCHES,
	RPC_FETCH_PATCH_RECORD,
	RPC_FETCH_AUDIT,
	RPC_METHODS
};

/* The name of a method as the service has it, "?" for one that it has not. */
const char *rpc_method_name(unsigned method);

/* True when a method's answer is zero or more records and then a closing message. */
bool rpc_is_stream(unsigned method);

/* What an answer to a method is: a record or the one answer, or, with `closing`, what ends it. NULL for a method that there is not. */
const ProtobufCMessageDescriptor *rpc_answer_type(unsigned method, bool closing);

struct rpc;
struct rpc_call; /* a call of the peer's that is being served */

/* What this end does for the other. */
struct rpc_service {
	/* By method; NULL where this end does not serve it. Serves one call: any number of rpc_record, one rpc_reply at most, then 0,
	 * or an error kind whose text goes to the peer. request is gone when it returns. */
	int (*handlers[RPC_METHODS])(void *ctx, struct rpc_call *call, const ProtobufCMessage *request);
	/* Asked before a request is read: 0, or ERR_DENIED with the reason. NULL: everything is allowed. */
	int (*allow)(void *ctx, unsigned method);
	/* Told of every call when it is over. NULL: nobody listens. */
	void (*over)(void *ctx, unsigned method, uint64_t records, uint64_t ms, int err);
	void *ctx;
};

/* Takes over the connection, whose handshake is done. dialled: this end has opened it. service NULL: the peer may call nothing. */
struct rpc *rpc_new(struct tls *t, bool dialled, const struct rpc_service *service);

/* Closes the connection; NULL is fine. */
void rpc_free(struct rpc *r);

struct tls *rpc_tls(const struct rpc *r);

/* How long the peer may take no byte of what is sent before the connection ends, in ms. */
void rpc_set_stall(struct rpc *r, int stall_ms);

/* ---- Calling */

/* The first frames: says who this end is and reads who the other is, into the arena. ERR_PEER where it speaks another protocol. */
int rpc_hello(struct rpc *r, const char *program, struct arena *a, int timeout_ms, VersionInfo **peer);

/* A call with one answer, in the arena. The errors of the far end come with its text. ERR_NET when the answer takes too long: the
 * connection is of no use then. */
int rpc_call(struct rpc *r, unsigned method, const ProtobufCMessage *request, struct arena *a, int timeout_ms, void *reply);

/* A call whose answer is read piece by piece; one at a time. */
int rpc_start(struct rpc *r, unsigned method, const ProtobufCMessage *request);

enum rpc_news { RPC_NOTHING, RPC_RECORD, RPC_END };

/* Waits for the next piece: a record, the closing message (the call is over), or nothing within timeout_ms (-1: no limit). Calls of
 * the peer are served meanwhile; once the time is over nothing comes after such a call, though more may have been received. An error ends the call; ERR_NET and ERR_PEER end the connection. */
int rpc_next(struct rpc *r, struct arena *a, int timeout_ms, enum rpc_news *news, void *message);

/* Asks the far end to stop; rpc_next still gives what is under way, and the end. */
int rpc_cancel(struct rpc *r);

/* Whether a call of this end is under way. */
bool rpc_calling(const struct rpc *r);

/* ---- Serving */

/* Waits up to timeout_ms (-1: no limit) for a call of the peer's and serves it; *served tells. It may return earlier without one,
 * as when a signal came. 0; ERR_NET when the connection is
 * over (an orderly end reads "closed"), ERR_PEER when the peer broke the protocol. */
int rpc_serve(struct rpc *r, int timeout_ms, bool *served);

/* Whether the peer has said who it is, and was accepted. */
bool rpc_greeted(const struct rpc *r);

/* One record of a stream. Small ones are sent together, the first at once. ERR_PEER when the peer cancelled. */
int rpc_record(struct rpc_call *call, const ProtobufCMessage *record);

/* The answer, or the closing message of a stream; NULL: an empty one. Without it an empty one is sent. */
int rpc_reply(struct rpc_call *call, const ProtobufCMessage *reply);

/* Sends what is held back. */
int rpc_flush(struct rpc_call *call);

/* Waits up to timeout_ms or until the peer says something. ERR_PEER when it cancelled, ERR_NET when it is gone. */
int rpc_pause(struct rpc_call *call, int timeout_ms);

struct rpc *rpc_of(struct rpc_call *call);

#endif
