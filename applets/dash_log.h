/* The log of a build as it grows, in a pane that is a text. */
#ifndef TUXTAPE_DASH_LOG_H
#define TUXTAPE_DASH_LOG_H

#include "applets/dash_data.h"

struct dash_log {
	unsigned pane;
	uint64_t job;  /* 0: none */
	uint64_t next; /* number of the next line */
	uint32_t request;
	bool over; /* the job has ended, and all of its log is here */
};

/* Shows another job's log, or none (0); `lines` is how many there are now, as far as it is known: of a long log the end is shown. */
void dash_log_show(struct dash *d, struct dash_log *l, uint64_t job, uint64_t lines);

/* True when the answer was the log's. *job (may be NULL) gets the job where it says how it is, else NULL; it lives as long as the answer. */
bool dash_log_answered(struct dash *d, struct dash_log *l, const struct dash_request *r, const struct dash_answer *a,
		       const Job **job);

/* After a connection was lost and came back: goes on behind the last line. */
void dash_log_again(struct dash *d, struct dash_log *l);

/* Stays at the end from now on, or does not any more. */
void dash_log_follow(struct dash *d, struct dash_log *l);

#endif
