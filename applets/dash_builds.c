/* Owns the page of builds: the queue, the builders, the log of the job under the cursor; and the view of one job. */
#include "applets/dash_log.h"
#include "applets/dash_pages.h"

#include "applets/words.h"
#include "lib/err.h"
#include "lib/kver.h"

#include <stdlib.h>

enum { PANE_JOBS, PANE_BUILDERS, PANE_LOG };
enum { ASK_CANCEL = 1, ASK_RETRY }; /* popups */
enum { COL_JOB, COL_CONFIG, COL_VERSION, COL_STATE, COL_PHASE, COL_BUILDER, COL_TRY, COL_QUEUED };

struct builds {
	struct dash_data *data;
	struct arena *jobs_arena, *builders_arena;
	JobList *jobs;         /* NULL: not known yet */
	BuilderList *builders; /* NULL: not known yet */
	uint32_t jobs_request, builders_request, change_request;
	uint64_t chosen; /* the job that a question is about */
	struct dash_log log;
};

static unsigned state_style(JobState state)
{
	return state == JOB_STATE__FAILED ? ST_ERROR
	       : state == JOB_STATE__DONE ? ST_GOOD
	       : state < JOB_STATE__DONE  ? ST_WARNING
					  : ST_DIM;
}

/* ---- Jobs */

static size_t job_count(const void *data)
{
	const struct builds *p = data;

	return p->jobs ? p->jobs->n_jobs : 0;
}

static const Job *job_of(const struct builds *p, size_t row)
{
	return p->jobs && row < p->jobs->n_jobs ? p->jobs->jobs[row] : NULL;
}

static void job_cell(const void *data, size_t row, size_t column, struct dash_cell *out)
{
	const struct builds *p = data;
	const Job *j = job_of(p, row);
	const char *phase = j->state == JOB_STATE__BUILDING && j->phase ? j->phase : "";
	char age[DASH_AGE];

	if (column == COL_JOB)
		buf_printf(&out->text, "%llu", (unsigned long long)j->job);
	else if (column == COL_CONFIG)
		buf_adds(&out->text, j->config ? j->config : "?");
	else if (column == COL_VERSION)
		kver_print(&out->text, j->version);
	else if (column == COL_STATE)
		buf_adds(&out->text, job_state_word(j->state));
	else if (column == COL_PHASE)
		buf_adds(&out->text, phase);
	else if (column == COL_BUILDER)
		buf_adds(&out->text, j->builder ? j->builder : "-");
	else if (column == COL_TRY)
		buf_printf(&out->text, "%u", j->attempt);
	else
		buf_adds(&out->text, dash_age(p->data, age, j->queued_at));
	out->style = column == COL_STATE ? state_style(j->state) : ST_PLAIN;
}

static uint64_t job_id(const void *data, size_t row)
{
	return job_of(data, row)->job;
}

static const struct dash_column job_columns[] = {
	[COL_JOB] = { .title = "Job", .width = 5, .right = true },
	[COL_CONFIG] = { .title = "Config", .width = 10, .share = 2 },
	[COL_VERSION] = { .title = "Version", .width = 10, .drop = 3 },
	[COL_STATE] = { .title = "State", .width = 10 },
	[COL_PHASE] = { .title = "Doing", .width = 10, .share = 1, .drop = 2 },
	[COL_BUILDER] = { .title = "Builder", .width = 10, .share = 1, .drop = 1 },
	[COL_TRY] = { .title = "Try", .width = 4, .right = true, .drop = 5 },
	[COL_QUEUED] = { .title = "Age", .width = 11, .drop = 4 },
};

static const struct dash_rows job_rows = {
	.columns = job_columns,
	.n_columns = ARRAY_LEN(job_columns),
	.count = job_count,
	.cell = job_cell,
	.id = job_id,
};

/* ---- Builders */

static void builders_text(const void *data, struct dash_text *out)
{
	const struct builds *p = data;
	char age[DASH_AGE];

	for (size_t i = 0; p->builders && i < p->builders->n_builders; i++) {
		const BuilderInfo *b = p->builders->builders[i];

		dash_text_add(out, ST_HEADER, "%s", b->name ? b->name : "?");
		if (b->connected && b->job)
			dash_text_add(out, ST_WARNING, "  builds job %llu", (unsigned long long)b->job);
		else if (b->connected)
			dash_text_add(out, ST_GOOD, "  waits for work");
		else
			dash_text_add(out, ST_DIM, "  away, seen %s ago", dash_age(p->data, age, b->seen_at));
		dash_text_add(out, ST_PLAIN, "  %u cores, %s", b->cores, b->compiler ? b->compiler : "compiler not told");
	}
}

/* ---- Asking */

static void ask(struct dash *d, struct builds *p)
{
	FetchJobsRequest q = FETCH_JOBS_REQUEST__INIT;
	Nothing nothing = NOTHING__INIT;

	if (!p->jobs_request)
		p->jobs_request = dash_call(d, RPC_FETCH_JOBS, &q.base);
	if (!p->builders_request)
		p->builders_request = dash_call(d, RPC_FETCH_BUILDERS, &nothing.base);
}

static void opened(struct dash *d, void *data)
{
	struct builds *p = data;

	dash_set_message(d, PANE_JOBS, ST_DIM, "loading...");
	dash_set_message(d, PANE_BUILDERS, ST_DIM, "loading...");
	ask(d, p);
}

static void moved(struct dash *d, void *data, unsigned pane, size_t row)
{
	struct builds *p = data;
	const Job *j = job_of(p, row);

	if (pane == PANE_JOBS)
		dash_log_show(d, &p->log, j ? j->job : 0, j ? j->lines : 0);
}

/* ---- Answers */

static void list_failed(struct dash *d, unsigned pane, const struct dash_answer *a)
{
	dash_set_message(d, pane, ST_ERROR, a->text);
}

static void jobs_answered(struct dash *d, struct builds *p, const struct dash_answer *a)
{
	p->jobs_request = 0;
	if (a->state != DASH_DONE) {
		list_failed(d, PANE_JOBS, a);
		return;
	}
	arena_reset(p->jobs_arena);
	p->jobs = pb_copy(p->jobs_arena, a->message);
	dash_set_message(d, PANE_JOBS, 0, NULL);
	dash_changed(d, PANE_JOBS);
}

static void builders_answered(struct dash *d, struct builds *p, const struct dash_answer *a)
{
	p->builders_request = 0;
	if (a->state != DASH_DONE) {
		list_failed(d, PANE_BUILDERS, a);
		return;
	}
	arena_reset(p->builders_arena);
	p->builders = pb_copy(p->builders_arena, a->message);
	dash_set_message(d, PANE_BUILDERS, 0, NULL);
	dash_changed(d, PANE_BUILDERS);
}

static void change_answered(struct dash *d, struct builds *p, const struct dash_request *r, const struct dash_answer *a)
{
	p->change_request = 0;
	if (a->state == DASH_FAILED)
		dash_alert(d, ST_ERROR, "%s", a->text);
	else if (r->kind == RPC_RETRY_JOB && a->message)
		dash_alert(d, ST_GOOD, "job %llu is queued", (unsigned long long)((const JobId *)a->message)->job);
	else
		dash_alert(d, ST_GOOD, "job %llu is cancelled", (unsigned long long)p->chosen);
	ask(d, p);
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct builds *p = data;
	const Job *job = NULL;

	if (dash_log_answered(d, &p->log, r, a, &job)) {
		if (job)
			ask(d, p);
	} else if (r->id == p->jobs_request) {
		jobs_answered(d, p, a);
	} else if (r->id == p->builders_request) {
		builders_answered(d, p, a);
	} else if (r->id == p->change_request) {
		change_answered(d, p, r, a);
	}
}

static void told(struct dash *d, void *data, unsigned news)
{
	struct builds *p = data;

	if (news == NEWS_TICK || news == NEWS_CONNECTED)
		ask(d, p);
	if (news == NEWS_CONNECTED)
		dash_log_again(d, &p->log);
}

/* ---- What a person does */

static void question(struct dash *d, struct builds *p, const Job *j, unsigned tag)
{
	char version[KVER_TEXT_MAX];
	char *text = NULL;

	p->chosen = j->job;
	if (tag == ASK_CANCEL)
		text = xasprintf("Cancel job %llu, %s of %s, which is %s?", (unsigned long long)j->job, j->config,
				 kver_text(version, j->version), job_state_word(j->state));
	else
		text = xasprintf("Queue %s of %s again, in its current revision?", j->config,
				 kver_text(version, j->version));
	dash_confirm(d, tag, tag == ASK_CANCEL ? "Cancel" : "Retry", text);
	free(text);
}

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct builds *p = data;
	JobId q = JOB_ID__INIT;

	if (!said->yes)
		return;
	q.has_job = true;
	q.job = p->chosen;
	p->change_request = dash_call(d, said->tag == ASK_CANCEL ? RPC_CANCEL_JOB : RPC_RETRY_JOB, &q.base);
}

static void act(struct dash *d, void *data, unsigned action)
{
	struct builds *p = data;
	const Job *j = job_of(p, dash_row(d, PANE_JOBS));

	if (action == ACT_RELOAD)
		ask(d, p);
	else if (action == ACT_FOLLOW)
		dash_log_follow(d, &p->log);
	else if (!j)
		dash_alert(d, ST_WARNING, "there is no job");
	else if (action == ACT_SELECT)
		dash_open_job(d, j->job);
	else if (action == ACT_CANCEL_JOB && j->state >= JOB_STATE__DONE)
		dash_alert(d, ST_WARNING, "job %llu is %s already", (unsigned long long)j->job, job_state_word(j->state));
	else if (action == ACT_RETRY_JOB && j->state < JOB_STATE__DONE)
		dash_alert(d, ST_WARNING, "job %llu is %s: cancel it before you retry it", (unsigned long long)j->job,
			   job_state_word(j->state));
	else
		question(d, p, j, action == ACT_CANCEL_JOB ? ASK_CANCEL : ASK_RETRY);
}

/* ---- Life */

void *dash_builds_new(struct dash_data *data)
{
	struct builds *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->jobs_arena = arena_new(0);
	p->builders_arena = arena_new(0);
	p->log.pane = PANE_LOG;
	return p;
}

static void closed(struct dash *d, void *data)
{
	struct builds *p = data;

	(void)d;
	arena_free(p->jobs_arena);
	arena_free(p->builders_arena);
	free(p);
}

static const struct dash_pane_def panes[] = {
	[PANE_JOBS] = { .title = "Jobs",
			.rows = &job_rows,
			.sort = DASH_UNSORTED,
			.empty = "nothing was built yet: a new config on tab 2 queues its build" },
	[PANE_BUILDERS] = { .title = "Builders",
			    .wrap = true,
			    .text = builders_text,
			    .empty = "no builder: run `tuxtape builder` on a machine with a compiler" },
	[PANE_LOG] = { .title = "Log", .follow = true, .empty = "no job chosen" },
};

static const unsigned actions[] = { ACT_SELECT, ACT_FOLLOW, ACT_CANCEL_JOB, ACT_RETRY_JOB, ACT_RELOAD, ACT_NONE };

const struct dash_page dash_builds_page = {
	.title = "Builds",
	.panes = panes,
	.n_panes = ARRAY_LEN(panes),
	.actions = actions,
	.opened = opened,
	.moved = moved,
	.act = act,
	.answered = answered,
	.said = said_,
	.told = told,
	.closed = closed,
};

/* ---- One job */

struct one_job {
	struct dash_log log;
	uint64_t job;
};

static void show_state(struct dash *d, const struct one_job *p, const Job *j)
{
	char version[KVER_TEXT_MAX];
	char *title = j ? xasprintf("Job %llu: %s of %s, %s%s%s", (unsigned long long)p->job, j->config ? j->config : "?",
				    kver_text(version, j->version), job_state_word(j->state),
				    j->phase && j->state == JOB_STATE__BUILDING ? ", " : "",
				    j->phase && j->state == JOB_STATE__BUILDING ? j->phase : "")
			: xasprintf("Job %llu", (unsigned long long)p->job);

	dash_set_title(d, 0, title);
	free(title);
}

static void one_opened(struct dash *d, void *data)
{
	struct one_job *p = data;

	show_state(d, p, NULL);
	dash_log_show(d, &p->log, p->job, 0);
}

static void one_answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct one_job *p = data;
	const Job *job = NULL;

	if (dash_log_answered(d, &p->log, r, a, &job) && job)
		show_state(d, p, job);
}

static void one_told(struct dash *d, void *data, unsigned news)
{
	if (news == NEWS_CONNECTED)
		dash_log_again(d, &((struct one_job *)data)->log);
}

static void one_act(struct dash *d, void *data, unsigned action)
{
	(void)action;
	dash_log_follow(d, &((struct one_job *)data)->log);
}

static void one_closed(struct dash *d, void *data)
{
	(void)d;
	free(data);
}

static const struct dash_pane_def one_panes[] = { { .title = "Log", .follow = true, .empty = "nothing yet" } };
static const unsigned one_actions[] = { ACT_FOLLOW, ACT_NONE };

static const struct dash_page one_page = {
	.title = "Job",
	.panes = one_panes,
	.n_panes = 1,
	.actions = one_actions,
	.opened = one_opened,
	.act = one_act,
	.answered = one_answered,
	.told = one_told,
	.closed = one_closed,
};

void dash_open_job(struct dash *d, uint64_t job)
{
	struct one_job *p = xcalloc(1, sizeof(*p));

	p->job = job;
	dash_push(d, &one_page, p);
}
