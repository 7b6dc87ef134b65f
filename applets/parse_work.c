/* Owns what the parser's worker processes do: fetching, listing, reading and making patches, each with its own repository handle.
 * Refuses to touch the database: results go to the one process that writes. */
#include "applets/parse.h"

#include "lib/buf.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/repo.h"

#include <stdlib.h>

#define PUBLISHED "cve/published"
#define TREE_CACHE (96u << 20)

/* Each worker opens a repository once and keeps it. */
static struct repo *vulns, *kernel;

static int ready(struct repo **repo, const char *path)
{
	static bool set_up;
	int err;

	if (*repo)
		return 0;
	if (!set_up && (err = repo_setup(TREE_CACHE)))
		return err;
	set_up = true;
	return repo_open(repo, path);
}

struct fetch_report {
	struct arena *arena;
	struct pool_out *out;
	int err;
};

static void report_progress(void *ctx, const char *step, uint64_t objects, uint64_t total, uint64_t bytes)
{
	struct fetch_report *r = ctx;
	FetchResult result = FETCH_RESULT__INIT;

	result.step = step;
	result.has_objects = result.has_total = result.has_bytes = true;
	result.objects = objects;
	result.total = total;
	result.bytes = bytes;
	if (!r->err)
		r->err = pool_result(r->out, &result.base);
}

static int fetch(void *ctx, struct arena *a, const ProtobufCMessage *m, struct pool_out *out)
{
	const struct parse_setting *s = ctx;
	const FetchTask *task = (const FetchTask *)m;
	struct fetch_report report = { .arena = a, .out = out };
	struct repo_sync how = {
		.path = task->kernel ? s->linux_repo : s->vulns_repo,
		.url = task->kernel ? s->opts->linux_url : s->opts->vulns_url,
		.ca_file = s->opts->ca_file,
		.stall_ms = s->opts->fetch_timeout,
		.need = task->kernel ? "linux" : "vulns",
		.need_bytes = task->kernel ? (uint64_t)8 << 30 : (uint64_t)1 << 30,
		.progress = { .report = report_progress, .ctx = &report },
	};
	FetchResult result = FETCH_RESULT__INIT;
	char tip[REPO_HEX];
	bool changed = false;
	int err;

	if ((err = repo_setup(TREE_CACHE)) || (err = repo_fetch(&how, &changed, tip)))
		return err;
	result.has_changed = true;
	result.changed = changed;
	return pool_result(out, &result.base);
}

struct listing {
	struct arena *arena;
	ListResult *result;
	const char *last; /* the files of one CVE come one after another */
};

const char *const parse_suffixes[3] = { ".dyad", ".json", ".cvss" };

/* True when path is cve/published/YEAR/CVE-YEAR-N with one of the three endings; id gets the CVE's id. */
static bool names_cve(const char *path, size_t *id_at, size_t *id_len)
{
	const char *year = path + strlen(PUBLISHED "/");
	const char *id, *dot;

	if (strncmp(path, PUBLISHED "/", strlen(PUBLISHED "/")) != 0 || strspn(year, "0123456789") != 4 || year[4] != '/')
		return false;
	id = year + 5;
	dot = strchr(id, '.');
	if (!dot || cve_key(id, (size_t)(dot - id)) == 0 || strncmp(id + 4, year, 4) != 0)
		return false;
	*id_at = (size_t)(id - path);
	*id_len = (size_t)(dot - id);
	for (size_t i = 0; i < ARRAY_LEN(parse_suffixes); i++)
		if (strcmp(dot, parse_suffixes[i]) == 0)
			return true;
	return false;
}

static int list_path(void *ctx, const char *path, bool there UNUSED)
{
	struct listing *l = ctx;
	size_t at, len;

	if (!names_cve(path, &at, &len))
		return 0;
	if (l->last && strlen(l->last) == len && strncmp(l->last, path + at, len) == 0)
		return 0;
	l->last = arena_memdup(l->arena, path + at, len);
	PB_ADD_STR(l->arena, l->result, cve_ids, l->last);
	return 0;
}

static int list(void *ctx, struct arena *a, const ProtobufCMessage *m, struct pool_out *out)
{
	const struct parse_setting *s = ctx;
	const ListTask *task = (const ListTask *)m;
	ListResult result = LIST_RESULT__INIT;
	struct listing l = { .arena = a, .result = &result };
	char tip[REPO_HEX], when[32];
	int err;

	if ((err = ready(&vulns, s->vulns_repo)) || (err = repo_tip(vulns, task->head_only, tip)) ||
	    (err = repo_commit_time(vulns, tip, when)))
		return err;
	result.tip = tip;
	result.tip_time = when;
	result.has_rebuild = true;
	result.rebuild = !task->since || !repo_is_ancestor(vulns, task->since, tip);
	if ((err = repo_changes(vulns, result.rebuild ? NULL : task->since, tip, PUBLISHED, list_path, &l)))
		return err;
	/* A kernel clone that is not there is an answer, too: every commit is missing then. */
	result.has_kernel_print = repo_fingerprint(s->linux_repo, &result.kernel_print) == 0;
	return pool_result(out, &result.base);
}

Cve *parse_one(struct arena *a, const char *id, const char *where, const char *origin, const struct buf texts[3],
	       ReadResult *said)
{
	Cve *cve = pb_new(a, &cve__descriptor);
	const char *places[3];

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		places[i] = arena_printf(a, "%s%s%s", where, id, parse_suffixes[i]);
	cve->id = arena_strdup(a, id);
	cve->origin = origin;
	if (dyad_parse(a, buf_str(&texts[0]), texts[0].len, places[0], cve, said) == 0) {
		Complaint *c = PB_ADD(a, said, complaints, complaint);

		c->has_place = true;
		c->place = pb_bytes(a, places[0], strlen(places[0]));
		c->what = "no valid pair: kernels are judged \"unknown\" for this CVE";
	}
	if (texts[1].len)
		json_cve_record(a, texts[1].data, texts[1].len, places[1], origin, cve, said);
	if (texts[2].len)
		json_cvss_file(a, texts[2].data, texts[2].len, places[2], origin, cve, said);
	return cve;
}

static void complain(struct arena *a, ReadResult *said, const char *place, const char *what)
{
	Complaint *c = PB_ADD(a, said, complaints, complaint);

	c->has_place = true;
	c->place = pb_bytes(a, place, strlen(place));
	c->what = arena_strdup(a, what);
}

static int read_one(struct arena *a, const char *tip, const char *id, ReadResult *result)
{
	const char *where = arena_printf(a, PUBLISHED "/%.4s/", id + 4);
	struct buf texts[3] = { { 0 } };
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(parse_suffixes); i++) {
		const char *path = arena_printf(a, "%s%s%s", where, id, parse_suffixes[i]);

		err = repo_file(vulns, tip, path, PARSE_FILE_MOST, &texts[i]);
		/* Without a dyad there is no CVE; the other two may be missing. */
		if (err == ERR_NOTFOUND && i == 0) {
			PB_ADD_STR(a, result, gone, id);
			err = 0;
			goto out;
		}
		if (err == ERR_INPUT) {
			complain(a, result, path, err_text());
			buf_reset(&texts[i]);
		} else if (err && err != ERR_NOTFOUND) {
			goto out;
		}
		err = 0;
	}
	PB_ADD_MSG(a, result, cves, parse_one(a, id, where, "vulns", texts, result));
out:
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		buf_free(&texts[i]);
	return err;
}

static int read_cves(void *ctx, struct arena *a, const ProtobufCMessage *m, struct pool_out *out)
{
	const struct parse_setting *s = ctx;
	const ReadTask *task = (const ReadTask *)m;
	ReadResult result = READ_RESULT__INIT;
	int err = ready(&vulns, s->vulns_repo);

	for (size_t i = 0; !err && i < task->n_cve_ids; i++)
		err = read_one(a, task->tip, task->cve_ids[i], &result);
	return err ? err : pool_result(out, &result.base);
}

static int sort_commits(void *ctx, struct arena *a, const ProtobufCMessage *m, struct pool_out *out)
{
	const struct parse_setting *s = ctx;
	const CommitList *task = (const CommitList *)m;
	CommitList result = COMMIT_LIST__INIT;
	char(*commits)[REPO_HEX] = arena_alloc(a, task->n_commits * sizeof(*commits) + 1);
	size_t n = 0;
	int err;

	if ((err = ready(&kernel, s->linux_repo)))
		return err;
	for (size_t i = 0; i < task->n_commits; i++)
		if (strlen(task->commits[i]) < REPO_HEX)
			memcpy(commits[n++], task->commits[i], strlen(task->commits[i]) + 1);
	repo_sort_for_reading(kernel, commits, n);
	for (size_t i = 0; i < n; i++)
		PB_ADD_STR(a, &result, commits, commits[i]);
	return pool_result(out, &result.base);
}

static int make_patches(void *ctx, struct arena *a, const ProtobufCMessage *m, struct pool_out *out)
{
	const struct parse_setting *s = ctx;
	const CommitList *task = (const CommitList *)m;
	PatchResult result = PATCH_RESULT__INIT;
	int err = ready(&kernel, s->linux_repo);

	for (size_t i = 0; !err && i < task->n_commits; i++) {
		Fix *fix = PB_ADD(a, &result, fixes, fix);

		if ((err = repo_fix(kernel, a, task->commits[i], fix)))
			fail_in(err, "fix commit %s", task->commits[i]);
	}
	return err ? err : pool_result(out, &result.base);
}

const struct pool_method parse_methods[PARSE_METHODS] = {
	[PARSE_FETCH] = { &fetch_task__descriptor, &fetch_result__descriptor, fetch },
	[PARSE_LIST] = { &list_task__descriptor, &list_result__descriptor, list },
	[PARSE_READ] = { &read_task__descriptor, &read_result__descriptor, read_cves },
	[PARSE_SORT] = { &commit_list__descriptor, &commit_list__descriptor, sort_commits },
	[PARSE_PATCH] = { &commit_list__descriptor, &patch_result__descriptor, make_patches },
	[PARSE_NVD] = { &nvd_task__descriptor, &nvd_page__descriptor, parse_nvd_work },
};
