/* The recipe of a run, top to bottom: fetch, list, read, extra, patches, with NVD beside them, and the closing line that moves
 * based_on_vulns_commit. Owns every write; a run that is killed leaves what it stored, and the next one goes on from there. */
#include "applets/parse_run.h"

#include "lib/clock.h"
#include "lib/db_cve.h"
#include "lib/err.h"
#include "lib/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TASKS_AHEAD 2 /* so that no worker waits for the one that writes */

static unsigned nvd_worker(const struct parse_run *run)
{
	return run->jobs;
}

/* Said by -v: how far a phase without a progress line of its own has come. Tests take from them where to
 * kill a run. */
void parse_mark(const char *phase, uint64_t done, uint64_t total)
{
	log_verbose("mark %s %llu/%llu", phase, (unsigned long long)done, (unsigned long long)total);
}

void parse_complain(struct parse_run *run, size_t n, Complaint *const *complaints)
{
	for (size_t i = 0; i < n; i++)
		log_error("%.*s: %s", (int)complaints[i]->place.len, (const char *)complaints[i]->place.data,
			  complaints[i]->what);
	run->sum.complaints += n;
	if (n)
		run->degraded = true;
}

/* meta: what the next run needs of this one. */

static int save_nvd_state(struct db *db, const NvdPage *page)
{
	const NvdTask *next = page->next;
	char start[32];
	int err;

	snprintf(start, sizeof(start), "%llu", (unsigned long long)next->start);
	if ((err = db_meta_set(db, "nvd_checkpoint_newest", next->newest)) ||
	    (err = db_meta_set(db, "nvd_checkpoint_began", next->began)) ||
	    (err = db_meta_set(db, "nvd_checkpoint_window", next->window)) ||
	    (err = db_meta_set(db, "nvd_checkpoint_start", page->finished ? NULL : start)) || !page->finished)
		return err;
	snprintf(start, sizeof(start), "%lld", (long long)clock_now());
	if ((err = db_meta_set(db, "nvd_newest", next->since)))
		return err;
	return db_meta_set(db, "nvd_complete", start);
}

/* A database that holds no record of NVD's, or an earlier version's, asks for all; so goes on a sync that was cut off in that, which has no
 * window of time. */
static int load_nvd_state(struct parse_run *run, NvdTask *task)
{
	const char *start = NULL;
	bool known;
	uint64_t at;
	int err;

	nvd_task__init(task);
	if (run->opts->full)
		return 0;
	if ((err = db_nvd_known(run->db, &known)) ||
	    (known && (err = db_meta_get(run->db, run->arena, "nvd_newest", &task->since))) ||
	    (err = db_meta_get(run->db, run->arena, "nvd_checkpoint_start", &start)) || !start ||
	    !str_to_u64(start, INT64_MAX, &at))
		return err;
	task->has_start = true;
	task->start = at;
	if ((err = db_meta_get(run->db, run->arena, "nvd_checkpoint_newest", &task->newest)) ||
	    (err = db_meta_get(run->db, run->arena, "nvd_checkpoint_began", &task->began)) ||
	    (err = db_meta_get(run->db, run->arena, "nvd_checkpoint_window", &task->window)))
		return err;
	if (!task->window)
		task->since = NULL;
	return 0;
}

/* True when NVD was asked so recently that it has nothing new. A last sync in the future is a clock that jumped: ask. */
static bool nvd_is_fresh(struct parse_run *run)
{
	const char *text = NULL;
	uint64_t then;
	int64_t now = clock_now();

	if (run->opts->full || db_meta_get(run->db, run->arena, "nvd_complete", &text) || !text ||
	    !str_to_u64(text, INT64_MAX, &then))
		return false;
	return now >= (int64_t)then && (uint64_t)(now - (int64_t)then) * 1000 < run->opts->nvd_fresh;
}

/* What comes of a task: one function a method, called with each result. */

static int take_fetch(struct parse_run *run, const ProtobufCMessage *m)
{
	const FetchResult *r = (const FetchResult *)m;

	if (r->step)
		log_phase_step(&run->phase, r->objects, r->total, r->step);
	return 0;
}

static int take_list(struct parse_run *run, const ProtobufCMessage *m)
{
	run->listing = pb_copy(run->arena, m);
	return 0;
}

static bool is_extra(const struct parse_run *run, const char *id)
{
	for (size_t i = 0; i < run->n_extra; i++)
		if (strcmp(run->extra_ids[i], id) == 0)
			return true;
	return false;
}

static int store_cves(struct parse_run *run, const ReadResult *r)
{
	int err = 0;
	bool was;

	for (size_t i = 0; !err && i < r->n_cves; i++) {
		if (is_extra(run, r->cves[i]->id))
			continue;
		if ((err = db_cve_put(run->db, run->batch, r->cves[i], run->opts->prefer_score, &was)))
			break;
		*(was ? &run->sum.changed : &run->sum.new_) += 1;
	}
	for (size_t i = 0; !err && i < r->n_gone; i++) {
		if (is_extra(run, r->gone[i]))
			continue;
		err = db_cve_delete(run->db, r->gone[i], &was);
		run->sum.withdrawn += was;
	}
	return err;
}

int parse_note_change(struct parse_run *run)
{
	return run->anything ? 0 : db_meta_set(run->db, "unfinished", "yes");
}

/* Runs store inside a transaction of its own. */
static int in_transaction(struct parse_run *run, int (*store)(struct parse_run *, const void *), const void *what)
{
	int err = db_begin(run->db);

	if (err)
		return err;
	if ((err = parse_note_change(run)) || (err = store(run, what)) || (err = db_commit(run->db)))
		db_rollback(run->db);
	else
		run->anything = true;
	return err;
}

static int store_read(struct parse_run *run, const void *m)
{
	return store_cves(run, m);
}

static int take_read(struct parse_run *run, const ProtobufCMessage *m)
{
	const ReadResult *r = (const ReadResult *)m;
	int err;

	parse_complain(run, r->n_complaints, r->complaints);
	if ((err = in_transaction(run, store_read, r)))
		return err;
	run->done += r->n_cves + r->n_gone;
	log_phase_step(&run->phase, run->done, run->total, NULL);
	return 0;
}

static int take_sorted(struct parse_run *run, const ProtobufCMessage *m)
{
	const CommitList *list = pb_copy(run->arena, m);

	run->commits = (const char **)list->commits;
	run->n_commits = list->n_commits;
	return 0;
}

static int store_fixes(struct parse_run *run, const void *m)
{
	const PatchResult *r = m;
	int err = 0;

	for (size_t i = 0; !err && i < r->n_fixes; i++) {
		err = db_fix_put(run->db, r->fixes[i]);
		run->sum.patches += r->fixes[i]->state == FIX_STATE__FIX_STORED;
	}
	return err;
}

static int take_patches(struct parse_run *run, const ProtobufCMessage *m)
{
	const PatchResult *r = (const PatchResult *)m;
	int err;

	if ((err = in_transaction(run, store_fixes, r)))
		return err;
	run->done += r->n_fixes;
	log_phase_step(&run->phase, run->done, run->total, NULL);
	return 0;
}

static int store_page(struct parse_run *run, const void *m)
{
	const NvdPage *page = m;
	int err = db_nvd_put(run->db, run->batch, page, run->opts->prefer_score);

	return err ? err : save_nvd_state(run->db, page);
}

static int take_page(struct parse_run *run, const ProtobufCMessage *m)
{
	const NvdPage *page = (const NvdPage *)m;
	int err;

	parse_complain(run, page->n_complaints, page->complaints);
	if ((err = in_transaction(run, store_page, page)))
		return err;
	run->sum.nvd_records += page->records;
	run->sum.nvd_complete = page->finished;
	/* Beside another phase, whose progress line stays. */
	if (run->nvd_alone)
		log_phase_step(&run->phase, run->sum.nvd_records, page->total, NULL);
	else
		parse_mark("nvd", run->sum.nvd_records, page->total);
	return 0;
}

static int (*const takers[PARSE_METHODS])(struct parse_run *, const ProtobufCMessage *) = {
	[PARSE_FETCH] = take_fetch, [PARSE_LIST] = take_list,     [PARSE_READ] = take_read,
	[PARSE_SORT] = take_sorted, [PARSE_PATCH] = take_patches, [PARSE_NVD] = take_page,
};

/* NVD being out of reach degrades a run and never ends it; a database that cannot be written does. */
static int nvd_ended(struct parse_run *run, int err)
{
	if (err) {
		log_error("NVD: %s; scores stay as they are, the next run goes on from here", err_text());
		run->degraded = true;
	}
	return 0;
}

/* Waits for one event and acts on it. *ended_by, when not NULL, gets the worker whose task has ended, else -1. */
static int handle_event(struct parse_run *run, int *ended_by)
{
	struct pool_event ev;

	*ended_by = -1;
	arena_reset(run->batch);
	if (!pool_wait(run->pool, -1, run->batch, &ev))
		return fail(ERR_SYS, "the worker processes fell silent");
	if (ev.ended) {
		*ended_by = (int)ev.worker;
		return ev.worker == nvd_worker(run) ? nvd_ended(run, ev.err) : ev.err;
	}
	if (!ev.result)
		return fail(ERR_PEER, "a worker process sent what cannot be read");
	return takers[ev.method](run, ev.result);
}

static bool workers_busy(const struct parse_run *run)
{
	for (unsigned i = 0; i < run->jobs; i++)
		if (pool_busy(run->pool, i))
			return true;
	return false;
}

/* Feeds the workers until `feed` has nothing more and all is done. feed gives worker w one task and returns true in *fed, or has none
 * for it. NVD's pages are stored in between. */
static int work_through(struct parse_run *run, int (*feed)(struct parse_run *run, unsigned w, bool *fed))
{
	int err = 0, ended;

	for (unsigned w = 0; w < run->jobs; w++) {
		bool fed = true;

		while (!err && fed && pool_busy(run->pool, w) < TASKS_AHEAD)
			err = feed(run, w, &fed);
	}
	while (!err && workers_busy(run)) {
		bool fed;

		if (!(err = handle_event(run, &ended)) && ended >= 0 && (unsigned)ended != nvd_worker(run))
			err = feed(run, (unsigned)ended, &fed);
	}
	return err;
}

static int feed_nothing(struct parse_run *run UNUSED, unsigned w UNUSED, bool *fed)
{
	*fed = false;
	return 0;
}

static int fetch_one(struct parse_run *run, bool kernel)
{
	FetchTask task = FETCH_TASK__INIT;
	int err;

	task.has_kernel = true;
	task.kernel = kernel;
	log_phase_begin(&run->phase, kernel ? "fetch linux" : "fetch vulns", "objects", 0);
	if ((err = pool_submit(run->pool, 0, PARSE_FETCH, &task.base)) || (err = work_through(run, feed_nothing)))
		return err;
	log_phase_end(&run->phase, 0, "%s", kernel ? run->opts->linux_url : run->opts->vulns_url);
	return 0;
}

/* A first clone that did not come far leaves a directory without a HEAD. */
static bool has_clone(struct parse_run *run)
{
	return access(arena_printf(run->arena, "%s/HEAD", run->setting->linux_repo), F_OK) == 0 ||
	       access(arena_printf(run->arena, "%s/.git", run->setting->linux_repo), F_OK) == 0;
}

/* Without vulns.git there is nothing to read, but a kernel that cannot be fetched today costs only the newest patches. */
static int phase_fetch(struct parse_run *run)
{
	int err;

	if (run->opts->no_fetch || run->opts->dry_run)
		return 0;
	parse_mark("fetch", 0, 2);
	if ((err = fetch_one(run, false)))
		return err;
	parse_mark("fetch", 1, 2);
	if (run->kernel_lent) {
		log_note("reading the kernel's history from %s, which belongs to another applet: not fetched",
			 run->setting->linux_repo);
		return 0;
	}
	err = fetch_one(run, true);
	if (err == ERR_NET) {
		run->kernel_missing = !has_clone(run);
		log_error("%s; %s", err_text(),
			  run->kernel_missing ? "without a clone there are no patches today"
					      : "going on with the clone as it is");
		run->degraded = true;
		err = 0;
	}
	if (!err)
		parse_mark("fetch", 2, 2);
	return err;
}

/* The commit of which the database holds the state; NULL where there is none. */
static int find_since(struct parse_run *run, const char **since)
{
	const char *unfinished;
	int err;

	if ((err = db_meta_get(run->db, run->arena, "based_on_vulns_commit", since)) || !*since ||
	    (err = db_meta_get(run->db, run->arena, "unfinished", &unfinished)) || !unfinished)
		return err;
	log_note("the last run did not come to its end: reading everything anew");
	*since = NULL;
	return 0;
}

static int phase_list(struct parse_run *run)
{
	ListTask task = LIST_TASK__INIT;
	int err = 0;

	if (run->db && !run->opts->full)
		err = find_since(run, &task.since);
	task.has_head_only = true;
	task.head_only = run->opts->no_fetch;
	parse_mark("list", 0, 2);
	if (err || (err = pool_submit(run->pool, 0, PARSE_LIST, &task.base)) || (err = work_through(run, feed_nothing)))
		return err;
	parse_mark("list", 1, 2);
	if (task.since && run->listing->rebuild)
		log_note("vulns.git no longer holds commit %.12s, which was read last: reading everything anew", task.since);
	run->sum.vulns_commit = run->listing->tip;
	run->sum.vulns_time = run->listing->tip_time;
	run->sum.has_rebuilt = true;
	run->sum.rebuilt = run->listing->rebuild;
	if ((err = parse_extra_list(run)))
		return err;
	parse_mark("list", 2, 2);
	return 0;
}

static void listing_add(struct parse_run *run, const char *id)
{
	PB_ADD_STR(run->arena, run->listing, cve_ids, id);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is stored and not in vulns.git any more must be asked for, too, to be found gone: all that is stored at a rebuild, and CVEs of
 * one's own that were taken out of their directory. */
static int add_stored(struct parse_run *run, const char *origin)
{
	ListResult *l = run->listing;
	size_t n, listed = l->n_cve_ids;
	const char **ids;
	int err;

	if ((err = db_cve_ids(run->db, run->arena, origin, &n, &ids)))
		return err;
	if (listed)
		qsort(l->cve_ids, listed, sizeof(*l->cve_ids), compare_texts);
	for (size_t i = 0; i < n; i++)
		if (!is_extra(run, ids[i]) &&
		    !(listed && bsearch(&ids[i], l->cve_ids, listed, sizeof(*l->cve_ids), compare_texts)))
			listing_add(run, ids[i]);
	return 0;
}

static int feed_read(struct parse_run *run, unsigned w, bool *fed)
{
	ReadTask task = READ_TASK__INIT;
	size_t left = run->listing->n_cve_ids - run->next;

	*fed = left > 0;
	if (!*fed)
		return 0;
	task.tip = run->listing->tip;
	task.cve_ids = run->listing->cve_ids + run->next;
	task.n_cve_ids = MIN_OF(left, (size_t)run->opts->batch);
	run->next += task.n_cve_ids;
	return pool_submit(run->pool, w, PARSE_READ, &task.base);
}

static int phase_read(struct parse_run *run)
{
	int err;

	if ((run->listing->rebuild && (err = add_stored(run, "vulns"))) || (err = add_stored(run, "extra")))
		return err;
	run->next = 0;
	run->done = 0;
	run->total = run->listing->n_cve_ids;
	log_phase_begin(&run->phase, "read", "CVEs", 0);
	if ((err = work_through(run, feed_read)))
		return err;
	log_phase_end(&run->phase, run->done, "%llu new, %llu changed, %llu withdrawn", (unsigned long long)run->sum.new_,
		      (unsigned long long)run->sum.changed, (unsigned long long)run->sum.withdrawn);
	return parse_extra(run);
}

/* A worker takes from its own run of commits, which lie side by side in the packs; one that is done takes from the end of the longest
 * run that is left. */
static int feed_patches(struct parse_run *run, unsigned w, bool *fed)
{
	CommitList task = COMMIT_LIST__INIT;
	struct span *own = &run->spans[w], *longest = own;
	size_t n;

	for (unsigned k = 0; own->next == own->end && k < run->jobs; k++)
		if (run->spans[k].end - run->spans[k].next > longest->end - longest->next)
			longest = &run->spans[k];
	n = MIN_OF(longest->end - longest->next, (size_t)run->opts->batch);
	*fed = n > 0;
	if (!*fed)
		return 0;
	task.n_commits = n;
	if (longest == own) {
		task.commits = run->commits + own->next;
		own->next += n;
	} else {
		longest->end -= n;
		task.commits = run->commits + longest->end;
	}
	return pool_submit(run->pool, w, PARSE_PATCH, &task.base);
}

static int sort_commits(struct parse_run *run)
{
	CommitList list = COMMIT_LIST__INIT;
	int err;

	list.n_commits = run->n_commits;
	list.commits = run->commits;
	parse_mark("sort", 0, 2);
	if ((err = pool_submit(run->pool, 0, PARSE_SORT, &list.base)) || (err = work_through(run, feed_nothing)))
		return err;
	parse_mark("sort", 1, 2);
	run->spans = arena_alloc(run->arena, run->jobs * sizeof(*run->spans));
	for (unsigned w = 0; w < run->jobs; w++)
		run->spans[w] = (struct span){ run->n_commits * w / run->jobs, run->n_commits * (w + 1) / run->jobs };
	parse_mark("sort", 2, 2);
	return 0;
}

/* Commits that the clone lacked are looked up again only when it has gained something. */
static int list_commits(struct parse_run *run, const char *print)
{
	const char *before = NULL, *done_for = NULL;
	bool same_clone;
	int err;

	if ((err = db_meta_get(run->db, run->arena, "kernel_print", &before)) ||
	    (err = db_meta_get(run->db, run->arena, "patches_complete_for", &done_for)))
		return err;
	same_clone = before && strcmp(before, print) == 0 && !run->opts->full;
	if (same_clone && !run->anything && done_for && strcmp(done_for, run->listing->tip) == 0)
		return 0;
	return db_fix_wanted(run->db, run->arena, !same_clone, &run->n_commits, &run->commits);
}

static int phase_patches(struct parse_run *run, const char *print)
{
	int err;

	if (run->kernel_missing || (err = list_commits(run, print)) || run->n_commits == 0)
		return run->kernel_missing ? 0 : err;
	log_phase_begin(&run->phase, "patches", "commits", 0);
	run->done = 0;
	run->total = run->n_commits;
	if ((err = sort_commits(run)) || (err = work_through(run, feed_patches)))
		return err;
	log_phase_end(&run->phase, run->done, "%llu patches", (unsigned long long)run->sum.patches);
	return 0;
}

static int start_nvd(struct parse_run *run)
{
	NvdTask task;
	int err;

	if (run->opts->no_nvd || nvd_is_fresh(run)) {
		run->sum.nvd_complete = !run->opts->no_nvd;
		return 0;
	}
	if ((err = load_nvd_state(run, &task)))
		return err;
	return pool_submit(run->pool, nvd_worker(run), PARSE_NVD, &task.base);
}

static int finish_nvd(struct parse_run *run)
{
	int err = 0, ended;

	if (!pool_busy(run->pool, nvd_worker(run)))
		return 0;
	log_phase_begin(&run->phase, "nvd", "records", 0);
	run->nvd_alone = true;
	while (!err && pool_busy(run->pool, nvd_worker(run)))
		err = handle_event(run, &ended);
	log_phase_end(&run->phase, run->sum.nvd_records, "%s", run->sum.nvd_complete ? "complete" : "cut off");
	return err;
}

static int store_end(struct parse_run *run, const void *print)
{
	char now[CLOCK_TEXT];
	int err;

	if (run->anything && (err = db_sweep(run->db)))
		return err;
	parse_mark("end", 1, 3);
	if ((err = db_meta_set(run->db, "based_on_vulns_commit", run->listing->tip)) ||
	    (err = db_meta_set(run->db, "based_on_vulns_time", run->listing->tip_time)) ||
	    (err = db_meta_set(run->db, "patches_complete_for", run->listing->tip)) ||
	    (err = db_meta_set(run->db, "kernel_print", print)) || (err = db_meta_set(run->db, "unfinished", NULL)))
		return err;
	if ((err = db_meta_set(run->db, "last_run", clock_print(now, clock_now()))))
		return err;
	parse_mark("end", 2, 3);
	return 0;
}

static int finish(struct parse_run *run, const char *print)
{
	int err;

	parse_mark("end", 0, 3);
	if ((err = in_transaction(run, store_end, print)))
		return err;
	parse_mark("end", 3, 3);
	return 0;
}

static int choose_scores(struct parse_run *run)
{
	const char *before = NULL;
	int err = db_meta_get(run->db, run->arena, "prefer_score", &before);

	if (err || (before && strcmp(before, run->opts->prefer_score) == 0))
		return err;
	if ((err = db_begin(run->db)))
		return err;
	if ((err = db_rescore_all(run->db, run->opts->prefer_score)) ||
	    (err = db_meta_set(run->db, "prefer_score", run->opts->prefer_score)) || (err = db_commit(run->db)))
		db_rollback(run->db);
	return err;
}

static int summarise(struct parse_run *run)
{
	ParseSummary *s = &run->sum;
	struct db_counts c;
	int err;

	if ((err = db_counts(run->db, &c)) || (err = db_meta_get(run->db, run->arena, "nvd_newest", &s->nvd_newest)))
		return err;
	s->database = run->opts->db; /* outlives the handle */
	s->cves = (uint64_t)c.cves;
	s->instances = (uint64_t)c.instances;
	s->missing = (uint64_t)c.missing;
	s->odd = (uint64_t)c.odd;
	s->scores = (uint64_t)c.scores;
	s->seconds = (double)(now_ms() - run->started_ms) / 1000;
	s->has_new_ = s->has_changed = s->has_withdrawn = s->has_extra = s->has_patches = s->has_missing = s->has_odd = true;
	s->has_scores = s->has_nvd_records = s->has_nvd_complete = s->has_complaints = s->has_cves = s->has_instances = true;
	s->has_seconds = true;
	return 0;
}

static int tell_dry_run(struct parse_run *run)
{
	size_t known = 0, wanted = 0;
	const char **list;
	int err = 0;

	if (run->db && ((err = db_cve_ids(run->db, run->arena, "vulns", &known, &list)) ||
			(err = db_fix_wanted(run->db, run->arena, true, &wanted, &list))))
		return err;
	printf("vulns.git is at %.12s of %s; %zu CVEs would be read%s, %zu are stored; %zu fix commits of those wait for "
	       "their patch; "
	       "%zu CVEs of one's own\n",
	       run->listing->tip, run->listing->tip_time, run->listing->n_cve_ids,
	       run->listing->rebuild ? " (all of them)" : "", known, wanted, run->n_extra);
	return 0;
}

static int open_database(struct parse_run *run)
{
	const char *note = NULL;
	int err = db_open(&run->db, run->opts->db, run->opts->dry_run ? DB_READ : DB_CREATE, run->arena, &note);

	if (err == ERR_NOTFOUND && run->opts->dry_run)
		return 0;
	if (err)
		return err;
	log_note("database %s", run->opts->db);
	if (note)
		log_note("%s", note);
	return 0;
}

int parse_everything(struct parse_run *run)
{
	char print[32];
	int err;

	if ((err = open_database(run)) || (err = phase_fetch(run)) || (err = phase_list(run)))
		return err;
	if (run->opts->dry_run)
		return tell_dry_run(run);
	snprintf(print, sizeof(print), "%llx", (unsigned long long)run->listing->kernel_print);
	if ((err = choose_scores(run)) || (err = start_nvd(run)) || (err = phase_read(run)) ||
	    (err = phase_patches(run, print)) || (err = finish_nvd(run)) || (err = finish(run, print)))
		return err;
	return summarise(run);
}
