/* Owns the following of a build's log. Refuses to keep more of it than a person reads: of a long one the last part is shown. */
#include "applets/dash_log.h"

#include "applets/words.h"

#include <stdio.h>

#define LINES_SHOWN 5000u
#define LINES_KEPT 20000u

static void ask(struct dash *d, struct dash_log *l)
{
	WatchJobRequest q = WATCH_JOB_REQUEST__INIT;

	q.has_job = q.has_from_line = true;
	q.job = l->job;
	q.from_line = l->next;
	l->request = dash_call(d, RPC_WATCH_JOB, &q.base);
}

static void begin(struct dash *d, struct dash_log *l, uint64_t from)
{
	struct dash_text *t = dash_text_of(d, l->pane);

	dash_text_reset(t);
	t->at_end = t->follow;
	l->next = from;
	if (from > 1)
		dash_text_add(t, ST_DIM, "(from line %llu on; `tuxtape job log %llu` prints all)", (unsigned long long)from,
			      (unsigned long long)l->job);
	dash_changed(d, l->pane);
}

void dash_log_show(struct dash *d, struct dash_log *l, uint64_t job, uint64_t lines)
{
	if (job == l->job)
		return;
	dash_cancel(d, l->request);
	l->request = 0;
	l->job = job;
	l->over = false;
	begin(d, l, lines > LINES_SHOWN ? lines - LINES_SHOWN + 1 : 1);
	dash_set_message(d, l->pane, ST_DIM, job ? "nothing yet" : NULL);
	if (job)
		ask(d, l);
}

static void add_lines(struct dash *d, struct dash_log *l, const JobLines *news)
{
	struct dash_text *t = dash_text_of(d, l->pane);

	/* Given out anew, a job begins its log anew. */
	if (news->n_lines && news->first < l->next)
		begin(d, l, 1);
	for (size_t i = 0; i < news->n_lines; i++)
		dash_text_add(t, ST_PLAIN, "%.*s", (int)news->lines[i].len, (const char *)news->lines[i].data);
	if (news->n_lines)
		l->next = news->first + news->n_lines;
	dash_grown(d, l->pane);
	if (t->n > LINES_KEPT) {
		dash_cancel(d, l->request);
		begin(d, l, l->next - LINES_SHOWN);
		ask(d, l);
	}
}

static void add_end(struct dash *d, struct dash_log *l, const Job *job)
{
	struct dash_text *t = dash_text_of(d, l->pane);
	unsigned style = job->state == JOB_STATE__DONE ? ST_GOOD : ST_ERROR;

	l->over = true;
	dash_text_add(t, style, "%s%s%.*s", job_state_word(job->state), job->error ? ": " : "",
		      job->error ? (int)strcspn(job->error, "\n") : 0, job->error ? job->error : "");
	dash_grown(d, l->pane);
}

bool dash_log_answered(struct dash *d, struct dash_log *l, const struct dash_request *r, const struct dash_answer *a,
		       const Job **job)
{
	const Job *how = NULL;

	if (r->kind != RPC_WATCH_JOB)
		return false;
	if (r->id == l->request) {
		if (a->state == DASH_MORE && a->message) {
			how = ((const JobLines *)a->message)->job;
			if (how && how->state < JOB_STATE__DONE)
				dash_lasts(d, r->id);
			add_lines(d, l, a->message);
		} else if (a->state == DASH_DONE && a->message) {
			how = a->message;
			l->request = 0;
			add_end(d, l, how);
		} else if (a->state == DASH_FAILED) {
			l->request = 0;
			dash_set_message(d, l->pane, ST_ERROR, a->text);
		}
	}
	if (job)
		*job = how;
	return true;
}

void dash_log_again(struct dash *d, struct dash_log *l)
{
	if (l->job && !l->request && !l->over)
		ask(d, l);
}

void dash_log_follow(struct dash *d, struct dash_log *l)
{
	struct dash_text *t = dash_text_of(d, l->pane);

	t->follow = !t->follow;
	if (t->follow)
		dash_text_move(t, INT32_MAX);
	dash_alert(d, ST_DIM, t->follow ? "the log is followed" : "the log stays where it is");
}
