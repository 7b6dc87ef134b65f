/* Owns the reading of --extra's directory: dyads of one's own, for kernel bugs that vulns.git does not have. Read whole at each run. */
#include "applets/parse_run.h"

#include "lib/db_cve.h"
#include "lib/dyad.h"
#include "lib/err.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

/* CVE-Y-N of "CVE-Y-N.dyad", NULL for any other name. */
static const char *id_of_name(struct arena *a, const char *name)
{
	size_t n = strlen(name), tail = strlen(".dyad");

	if (n <= tail || strcmp(name + n - tail, ".dyad") != 0 || cve_key(name, n - tail) == 0)
		return NULL;
	return arena_memdup(a, name, n - tail);
}

static int compare_ids(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	uint64_t kx = cve_key(x, strlen(x)), ky = cve_key(y, strlen(y));

	return kx < ky ? -1 : kx > ky;
}

int parse_extra_list(struct parse_run *run)
{
	struct dirent *e;
	DIR *dir;

	if (!run->opts->extra)
		return 0;
	dir = opendir(run->opts->extra);
	if (!dir)
		return fail(ERR_SYS, "%s: %s", run->opts->extra, strerror(errno));
	while ((e = readdir(dir))) {
		const char *id = id_of_name(run->arena, e->d_name);

		if (id)
			*(const char **)arena_grow(run->arena, (void **)&run->extra_ids, &run->n_extra, sizeof(id)) = id;
	}
	closedir(dir);
	if (run->n_extra)
		qsort(run->extra_ids, run->n_extra, sizeof(*run->extra_ids), compare_ids);
	return 0;
}

static int read_texts(struct parse_run *run, const char *id, struct buf texts[3], ReadResult *said)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_LEN(parse_suffixes); i++) {
		const char *path = arena_printf(run->batch, "%s/%s%s", run->opts->extra, id, parse_suffixes[i]);

		err = buf_read_file(&texts[i], path, PARSE_FILE_MOST);
		/* The record and the score beside a dyad are optional; a dyad that is too large is named, and the CVE has no pairs. */
		if (err == ERR_NOTFOUND && i > 0)
			err = 0;
		if (err == ERR_INPUT) {
			Complaint *c = PB_ADD(run->batch, said, complaints, complaint);

			c->has_place = true;
			c->place = pb_bytes(run->batch, path, strlen(path));
			c->what = arena_strdup(run->batch, err_text());
			buf_reset(&texts[i]);
			err = 0;
		}
	}
	return err;
}

static int put_one(struct parse_run *run, const char *id, bool *changed)
{
	ReadResult said = READ_RESULT__INIT;
	struct buf texts[3] = { { 0 } };
	const char *where;
	Cve *cve, *stored = NULL;
	int err;
	bool was;

	arena_reset(run->batch);
	where = arena_printf(run->batch, "%s/", run->opts->extra);
	if ((err = read_texts(run, id, texts, &said)))
		goto out;
	cve = parse_one(run->batch, id, where, "extra", texts, &said);
	parse_complain(run, said.n_complaints, said.complaints);
	err = db_cve_get(run->db, run->batch, id, &stored);
	if (err && err != ERR_NOTFOUND)
		goto out;
	if ((err = db_cve_put(run->db, run->batch, cve, run->opts->prefer_score, &was)) || !stored || *changed)
		*changed = true;
	else {
		Cve *now = NULL;

		/* A run that brings nothing new must be seen as such: it is the common one, and has little time. */
		err = db_cve_get(run->db, run->batch, id, &now);
		*changed = !err && !pb_equal(&stored->base, &now->base);
	}
out:
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		buf_free(&texts[i]);
	return err;
}

int parse_extra(struct parse_run *run)
{
	bool changed = false;
	int err;

	run->sum.extra = run->n_extra;
	if (run->n_extra == 0)
		return 0;
	if ((err = db_begin(run->db)))
		return err;
	for (size_t i = 0; !err && i < run->n_extra; i++) {
		parse_mark("extra", i, run->n_extra);
		err = put_one(run, run->extra_ids[i], &changed);
	}
	if (err || !changed) {
		db_rollback(run->db);
		return err;
	}
	if ((err = parse_note_change(run)) || (err = db_commit(run->db))) {
		db_rollback(run->db);
		return err;
	}
	run->anything = true;
	parse_mark("extra", run->n_extra, run->n_extra);
	return 0;
}
