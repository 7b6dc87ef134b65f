/* The far end of a channel of dash_link.h: what its process reads from the one that draws, and tells it. */
#ifndef TUXTAPE_DASH_END_H
#define TUXTAPE_DASH_END_H

#include "applets/dash_link.h"

/* A request that waits. */
struct end_request {
	struct frame f;
	char *message; /* f.length bytes and a NUL */
};

struct dash_end {
	const struct link_how *how;
	int fd;
	struct buf in, out;
	struct end_request *queue;
	size_t n;
	uint32_t open;  /* id of the request being served, 0: none */
	bool cancelled; /* nobody waits for that one any more */
};

/* Reads what has come and queues it. Ends the process when the one that draws is gone. */
void end_read(struct dash_end *e);
/* Waits for that, or for other_fd (-1: none), up to timeout_ms (-1: no limit), and reads it; true when other_fd is ready. */
bool end_wait(struct dash_end *e, int other_fd, int timeout_ms);
/* Takes the first request off the queue and opens it; the message is the caller's to free. False where there is none. */
bool end_take(struct dash_end *e, struct end_request *r);

/* Tells a frame; what is told is sent when there is much of it, or by end_flush. */
void end_tell(struct dash_end *e, struct frame f, const void *message, size_t n);
/* Closes the request: OK with a message, or the error (err_text). */
void end_close(struct dash_end *e, const struct frame *request, int err, const void *message, size_t n);
void end_flush(struct dash_end *e);

/* What takes time on this machine: the message is text, fields parted by NUL. */
enum dash_local {
	LOCAL_TAGS = 100, /* releases in the clone, newest first, a line each ("v6.1.9"), in MOREs */
	LOCAL_CHECKOUT,   /* TAG, DIR: checks the tag out into DIR/tree, unless it is there; MOREs say how far it is */
	LOCAL_CHECK,      /* FILE, then a packed KernelConfig or nothing: is it a sound patch, and one for that kernel?
			     OK says what is in it, and behind a NUL what came of it: a packed PatchCheck */
	LOCAL_DIFF_TEXTS, /* NAME, size of the older one in decimal, both texts without a NUL between: as a diff in MOREs */
	LOCAL_DIFF,       /* FILE, then bytes: what a file has that the bytes have not, as a diff in MOREs */
};

/* The life of the process: never returns. */
NORETURN void dash_local_main(struct dash_end *e);

#endif
