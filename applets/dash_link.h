/* The processes beside the one that draws: some that speak to the server (all but one of them only watch builds), and one that does what
 * takes time on this machine. Whole frames go to and fro over a socket pair each; the process that draws never waits for them. */
#ifndef TUXTAPE_DASH_LINK_H
#define TUXTAPE_DASH_LINK_H

#include "applets/client.h"
#include "lib/frame.h"

enum link_channel {
	LINK_CALLS, /* methods of the server, one after another */
	LINK_LOCAL, /* enum dash_local */
	LINK_WATCH, /* WatchJob, over a connection of its own, and so the rest of them: a build is watched for as long as it takes */
	LINK_CHANNELS = LINK_WATCH + 3 /* a log on the page of builds, and one opened from it and from the page of configs */
};

struct link_how {
	const struct client_options *client;
	uint64_t refresh_ms;    /* how often the server is asked how it is */
	uint64_t retry_ms;      /* the longest pause between two attempts to connect */
	const char *linux_repo; /* clone of the kernel */
	const char *program;    /* this program, to be run for checkouts */
	int log_fd;             /* where they say what happens; -1: nowhere */
};

/* Frames that nobody asked for have the id 0: RPC_VERSION (connected, as whom), RPC_HEALTH (how the server is), and with an error status
 * why there is no connection. Other ids are those of the requests; an answer is MORE frames, then one OK or error. */

struct dash_link;

/* Forks them: before curses starts. how must outlive them. ERR_SYS. */
int dash_link_start(struct dash_link **link, const struct link_how *how);

/* Ends them. NULL is fine. */
void dash_link_stop(struct dash_link *link);

/* Readable when dash_link_next may have something, or something to be sent can be. */
int dash_link_fd(const struct dash_link *link);

/* Never waits: what the channel cannot take now is kept. */
void dash_link_send(struct dash_link *link, enum link_channel channel, struct frame f, const void *message, size_t n);

/* Moves bytes both ways, as much as goes without waiting. ERR_SYS when a process has ended: *channel says which. */
int dash_link_move(struct dash_link *link, enum link_channel *channel);

/* The next frame that has come; *message is valid until dash_link_move. False where there is none. */
bool dash_link_next(struct dash_link *link, struct frame *f, const char **message);

#endif
