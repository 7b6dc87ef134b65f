/* Worker processes, forked ahead, fed tasks over socket pairs. The pool's owner alone keeps the database. */
#ifndef TUXTAPE_POOL_H
#define TUXTAPE_POOL_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/pb.h"

struct pool;
struct pool_out;

/* What a worker does with a task. It may send any number of results before it returns; a result is one message. Returns 0
 * or an error kind, whose text goes to the owner. */
struct pool_method {
	const ProtobufCMessageDescriptor *task, *result;
	int (*work)(void *ctx, struct arena *a, const ProtobufCMessage *task, struct pool_out *out);
};

struct pool_how {
	unsigned workers;
	const struct pool_method *methods; /* a task's method is its place in this table */
	unsigned n_methods;
	void *ctx; /* passed to work; each worker has its own copy of the memory */
};

/* Forks the workers. Call it before any library is at work. Descriptors above the standard three are closed in them: a lock that the
 * owner holds ends with the owner. ERR_SYS. */
int pool_new(struct pool **pool, const struct pool_how *how);

/* Ends the workers, at once where they are busy, and frees the pool. NULL is fine. */
void pool_free(struct pool *pool);

/* In a worker: hands a result to the owner, waiting while the owner is behind. ERR_SYS when the owner is gone. */
int pool_result(struct pool_out *out, const ProtobufCMessage *result);

/* Tasks given to a worker and not ended. */
unsigned pool_busy(const struct pool *pool, unsigned worker);

/* Gives a task of any size to one worker; it queues behind the ones that the worker has. Returns when the worker's socket holds all of
 * it; what the worker sends meanwhile is kept for pool_wait. ERR_SYS when the worker died. */
int pool_submit(struct pool *pool, unsigned worker, unsigned method, const ProtobufCMessage *task);

struct pool_event {
	unsigned worker, method;
	bool ended;               /* the task is over; else result holds one of its results */
	ProtobufCMessage *result; /* in the arena given to pool_wait; NULL when ended */
	int err;                  /* when ended: 0, or the kind of error, its text set as fail() does */
};

/* Waits for the next event; those of one worker come in its order. False after timeout_ms (-1: none), earlier when a signal
 * came, or when nothing is under way. A worker that dies ends each of its tasks with ERR_SYS, after the results that it still
 * sent. */
bool pool_wait(struct pool *pool, int timeout_ms, struct arena *a, struct pool_event *event);

#endif
