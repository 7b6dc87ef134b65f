/* Owns the walk over NVD's pages and windows. Refuses to hold up the parser: tries are bounded, and what is stored of a sync that
 * was cut off is not asked for again. Facts: the NVD API 2.0's own documentation, nvd.nist.gov/developers. */
#include "applets/parse.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/http.h"
#include "lib/json.h"

#include <stdio.h>

#define KERNEL_CNA "416baaa9-dc9f-4396-8d5f-8c081fb06d67" /* the kernel's CNA as NVD names it */
#define WINDOW_SECONDS ((int64_t)120 * 86400)             /* the longest that NVD takes */
#define OVERLAP_SECONDS 3600                              /* records may appear late under an earlier time */
#define WINDOWS_MOST 60                                   /* twenty years: a clock far off must end somewhere */
#define PAGE_LEAST 125

struct walk {
	const struct parse_setting *setting;
	struct http *http;
	NvdTask state; /* what a run that is cut off now would have to ask */
	uint64_t per_page;
	char window_end[CLOCK_TEXT];
	char newest[64], began[64], window[CLOCK_TEXT];
	unsigned windows;
};

static const char *page_url(struct walk *w, struct arena *a)
{
	const char *url = arena_printf(a, "%s?sourceIdentifier=" KERNEL_CNA "&resultsPerPage=%llu&startIndex=%llu",
				       w->setting->opts->nvd_url, (unsigned long long)w->per_page,
				       (unsigned long long)w->state.start);

	if (w->state.window)
		url = arena_printf(a, "%s&lastModStartDate=%s&lastModEndDate=%s", url, w->state.window, w->window_end);
	return url;
}

/* Halves the page after an answer that a smaller one may spare; false when that was tried enough. 404 is quick and may take several
 * steps; a 5xx that lasts has cost all tries already and is given one. */
static bool ask_for_less(struct walk *w, int status, bool *halved)
{
	if (w->per_page / 2 < PAGE_LEAST || (status >= 500 && *halved))
		return false;
	*halved = true;
	w->per_page /= 2;
	return true;
}

/* One page, again where the answer is cut or garbled, and with fewer records after 404 and 5xx. */
static int get_page(struct walk *w, struct arena *a, NvdPage *page)
{
	struct http_answer answer = { 0 };
	bool halved = false;
	uint64_t garbled = 0;
	int err;

	for (;;) {
		http_answer_free(&answer);
		err = http_get(w->http, page_url(w, a), &answer);
		if (err && answer.status < 500)
			break;
		if (!err && answer.status == 200) {
			err = json_nvd_page(a, answer.body.data, answer.body.len, page);
			if (err == ERR_PEER && ++garbled < w->setting->opts->nvd_tries)
				continue;
			break;
		}
		if (answer.status == 404 && strcasestr(answer.message, "apikey")) {
			err = fail(ERR_DENIED, "NVD refuses the key: %s; check --nvd-key-file or NVD_API_KEY",
				   answer.message);
			break;
		}
		if (!ask_for_less(w, answer.status, &halved)) {
			if (!err)
				err = fail(ERR_NET, "NVD answers 404%s%s", answer.message[0] ? ": " : "", answer.message);
			break;
		}
	}
	http_answer_free(&answer);
	return err;
}

/* Remembers the newest change seen; the times are of one form and compare as text. */
static void note_times(struct walk *w, const NvdPage *page)
{
	if (page->newest && strcmp(page->newest, w->newest) > 0)
		snprintf(w->newest, sizeof(w->newest), "%s", page->newest);
	if (page->timestamp && !w->began[0])
		snprintf(w->began, sizeof(w->began), "%s", page->timestamp);
	w->state.newest = w->newest[0] ? w->newest : NULL;
	w->state.began = w->began[0] ? w->began : NULL;
}

static void set_window(struct walk *w, int64_t start)
{
	clock_print(w->window, start);
	clock_print(w->window_end, start + WINDOW_SECONDS);
	w->state.window = w->window;
	w->state.has_start = true;
	w->state.start = 0;
}

/* True when the sync is complete; else the state points at the next page or window. */
static bool advance(struct walk *w, const NvdPage *page)
{
	int64_t start;

	w->state.has_start = true;
	w->state.start += page->records;
	if (w->state.start < page->total && page->records > 0)
		return false;
	if (!w->state.window || !clock_parse(w->state.window, &start) || start + WINDOW_SECONDS > clock_now() ||
	    ++w->windows >= WINDOWS_MOST)
		return true;
	set_window(w, start + WINDOW_SECONDS);
	return false;
}

/* What the next sync starts from: the newest change seen, but not later than this sync's beginning, since a record on a page already
 * read may have changed meanwhile. */
static void conclude(struct walk *w, NvdTask *next)
{
	const char *since = w->newest[0] ? w->newest : w->state.since;

	if (since && w->began[0] && strcmp(w->began, since) < 0)
		since = w->began;
	nvd_task__init(next);
	next->since = since;
}

static int send_page(struct walk *w, NvdPage *page, bool finished, struct pool_out *out)
{
	NvdTask next = w->state;
	int err;

	if (finished)
		conclude(w, &next);
	page->has_finished = true;
	page->finished = finished;
	page->next = &next;
	err = pool_result(out, &page->base);
	page->next = NULL;
	return err;
}

static void start_walk(struct walk *w, const NvdTask *task)
{
	int64_t since;

	w->state = *task;
	snprintf(w->newest, sizeof(w->newest), "%s", task->newest ? task->newest : "");
	snprintf(w->began, sizeof(w->began), "%s", task->began ? task->began : "");
	w->state.newest = w->newest[0] ? w->newest : NULL;
	w->state.began = w->began[0] ? w->began : NULL;
	if (task->window && clock_parse(task->window, &since)) {
		uint64_t start = task->start;

		set_window(w, since);
		w->state.start = start;
	} else if (task->since && clock_parse(task->since, &since)) {
		set_window(w, since - OVERLAP_SECONDS);
	}
}

int parse_nvd_work(void *ctx, struct arena *a UNUSED, const ProtobufCMessage *m, struct pool_out *out)
{
	const struct parse_setting *s = ctx;
	struct http_how how = {
		.ca_file = s->opts->ca_file,
		.pause_ms = s->opts->nvd_pause,
		.timeout_ms = s->opts->nvd_timeout,
		.tries = (unsigned)s->opts->nvd_tries,
		.backoff_ms = s->opts->nvd_backoff,
		.user_agent = "tuxtape (kernel CVE mirror)",
		.header = s->nvd_header,
	};
	struct walk w = { .setting = s, .per_page = s->opts->nvd_page };
	struct arena *page_arena = arena_new(0);
	bool finished = false;
	int err;

	start_walk(&w, (const NvdTask *)m);
	err = http_new(&w.http, &how);
	while (!err && !finished) {
		NvdPage page = NVD_PAGE__INIT;

		arena_reset(page_arena);
		if ((err = get_page(&w, page_arena, &page)))
			break;
		note_times(&w, &page);
		finished = advance(&w, &page);
		err = send_page(&w, &page, finished, out);
	}
	http_free(w.http);
	arena_free(page_arena);
	return err;
}
