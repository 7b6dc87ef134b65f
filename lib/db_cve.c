/* Owns the queries on the parser's tables. A CVE is written whole or not at all. */
#include "lib/db_cve.h"

#include "lib/cvss.h"
#include "lib/dyad.h"
#include "lib/err.h"

#include <stdlib.h>

static const char *const origins[] = { "extra", "vulns", "nvd" };

int db_path_id(struct db *db, ProtobufCBinaryData name, int64_t *id)
{
	int err = db_number(db, id, "SELECT path FROM path WHERE name = ?", "b", name);

	if (err != ERR_NOTFOUND)
		return err;
	if ((err = db_run(db, "INSERT INTO path (name) VALUES (?)", "b", name)))
		return err;
	return db_number(db, id, "SELECT last_insert_rowid()", "");
}

static int put_instances(struct db *db, int64_t key, const Cve *cve)
{
	int err = db_run(db, "DELETE FROM cve_instance WHERE cve = ?", "i", key);

	for (size_t i = 0; !err && i < cve->n_instances; i++)
		err = db_put(db, "cve_instance", &cve->instances[i]->base, "cve, line", "ii", key, (int64_t)i);
	return err;
}

static int put_files(struct db *db, int64_t key, const Cve *cve)
{
	int err = db_run(db, "DELETE FROM cve_file WHERE cve = ?", "i", key);

	for (size_t i = 0; !err && i < cve->n_program_files; i++) {
		int64_t path;

		if (!(err = db_path_id(db, cve->program_files[i], &path)))
			err = db_run(db, "INSERT INTO cve_file (cve, position, path) VALUES (?, ?, ?)", "iii", key,
				     (int64_t)i, path);
	}
	return err;
}

/* The scores that came with the dyad; those of NVD are not touched. */
static int put_own_scores(struct db *db, const Cve *cve)
{
	int err = db_run(db, "DELETE FROM score WHERE cve_id = ? AND origin <> 'nvd'", "s", cve->id);

	for (size_t i = 0; !err && i < cve->n_scores; i++)
		if (strcmp(cve->scores[i]->origin, "nvd") != 0)
			err = db_put(db, "score", &cve->scores[i]->base, "position", "i", (int64_t)i);
	return err;
}

static int load_scores(struct db *db, struct arena *a, Cve *cve)
{
	cve->n_scores = 0;
	cve->scores = NULL;
	for (size_t k = 0; k < ARRAY_LEN(origins); k++) {
		struct db_rows *rows;
		int err = db_select(db, &rows, &score__descriptor, NULL, NULL,
				    "FROM score AS m WHERE m.cve_id = ? AND m.origin = ? ORDER BY m.position", "ss", cve->id,
				    origins[k]);

		if (err)
			return err;
		while (db_next(rows))
			PB_ADD_MSG(a, cve, scores, db_message(rows, a, &score__descriptor));
		if ((err = db_end(rows)))
			return err;
	}
	return 0;
}

/* NVD's time is taken where it has one, since it is of one kind for all CVEs. */
static int load_published(struct db *db, struct arena *a, Cve *cve)
{
	struct db_rows *rows;
	int err = db_query(db, &rows, "SELECT published FROM nvd_record WHERE cve_id = ? AND published IS NOT NULL", "s",
			   cve->id);

	if (err)
		return err;
	if (db_next(rows))
		cve->published = arena_strdup(a, db_text(rows, 0));
	return db_end(rows);
}

static int put_row(struct db *db, const Cve *cve)
{
	return db_put(db, "cve", &cve->base, "cve", "i", (int64_t)cve_key(cve->id, strlen(cve->id)));
}

int db_cve_put(struct db *db, struct arena *a, Cve *cve, const char *prefer, bool *was)
{
	int64_t key = (int64_t)cve_key(cve->id, strlen(cve->id)), before = 0;
	int err;

	if (key == 0)
		return fail(ERR_INPUT, "%s: not a CVE id", cve->id);
	if ((err = db_number(db, &before, "SELECT count(*) FROM cve WHERE cve = ?", "i", key)) ||
	    (err = put_own_scores(db, cve)) || (err = load_scores(db, a, cve)) || (err = load_published(db, a, cve)))
		return err;
	*was = before > 0;
	cvss_choose(a, prefer, cve);
	if ((err = put_row(db, cve)) || (err = put_instances(db, key, cve)))
		return err;
	return put_files(db, key, cve);
}

int db_cve_delete(struct db *db, const char *id, bool *was)
{
	int64_t n = 0;
	int err;

	if ((err = db_run(db, "DELETE FROM score WHERE cve_id = ? AND origin <> 'nvd'", "s", id)) ||
	    (err = db_run(db, "DELETE FROM cve WHERE id = ?", "s", id)) || (err = db_number(db, &n, "SELECT changes()", "")))
		return err;
	*was = n > 0;
	return 0;
}

static int load_instances(struct db *db, struct arena *a, int64_t key, Cve *cve)
{
	struct db_rows *rows;
	int err = db_select(db, &rows, &cve_instance__descriptor, NULL, NULL,
			    "FROM cve_instance AS m WHERE m.cve = ? ORDER BY m.line", "i", key);

	if (err)
		return err;
	while (db_next(rows))
		PB_ADD_MSG(a, cve, instances, db_message(rows, a, &cve_instance__descriptor));
	return db_end(rows);
}

int db_program_files(struct db *db, struct arena *a, Cve *cve)
{
	int64_t key = (int64_t)cve_key(cve->id, strlen(cve->id));
	struct db_rows *rows;
	int err = db_query(
		db, &rows,
		"SELECT p.name FROM cve_file AS f JOIN path AS p USING (path) WHERE f.cve = ? ORDER BY f.position", "i",
		key);

	if (err)
		return err;
	while (db_next(rows)) {
		ProtobufCBinaryData name = db_bytes(rows, 0);
		pb_add_bytes(a, &cve->n_program_files, &cve->program_files, name.data, name.len);
	}
	return db_end(rows);
}

/* The files of an instance are those of its fix's patch; where that is not to be had, those that the record names. */
int db_instance_files(struct db *db, struct arena *a, const Cve *cve, CveInstance *in)
{
	struct db_rows *rows;
	int err;

	if (!in->fix_commit)
		goto record;
	err = db_query(db, &rows,
		       "SELECT p.name FROM fix AS x JOIN fix_file AS f USING (fix) JOIN path AS p USING (path) "
		       "WHERE x.fix_commit = ? ORDER BY f.position",
		       "s", in->fix_commit);
	if (err)
		return err;
	while (db_next(rows)) {
		ProtobufCBinaryData name = db_bytes(rows, 0);
		pb_add_bytes(a, &in->n_affected_files, &in->affected_files, name.data, name.len);
	}
	if ((err = db_end(rows)) || in->n_affected_files)
		return err;
record:
	in->n_affected_files = cve->n_program_files;
	in->affected_files = cve->program_files;
	return 0;
}

int db_cve_get(struct db *db, struct arena *a, const char *id, Cve **out)
{
	struct db_rows *rows;
	Cve *cve = NULL;
	int64_t key = 0;
	int extra, err;

	if ((err = db_select(db, &rows, &cve__descriptor, "m.cve", &extra, "FROM cve AS m WHERE m.id = ?", "s", id)))
		return err;
	if (db_next(rows)) {
		cve = db_message(rows, a, &cve__descriptor);
		key = db_int(rows, extra);
	}
	if ((err = db_end(rows)))
		return err;
	if (!cve)
		return fail(ERR_NOTFOUND, "%s: not among the published CVEs of this database", id);
	if ((err = load_instances(db, a, key, cve)) || (err = db_program_files(db, a, cve)) ||
	    (err = load_scores(db, a, cve)))
		return err;
	for (size_t i = 0; !err && i < cve->n_instances; i++)
		err = db_instance_files(db, a, cve, cve->instances[i]);
	*out = cve;
	return err;
}

int db_cve_ids(struct db *db, struct arena *a, const char *origin, size_t *n, const char ***ids)
{
	struct db_rows *rows;
	int err = db_query(db, &rows, "SELECT id FROM cve WHERE origin = ? ORDER BY cve", "s", origin);

	return err ? err : db_texts(rows, a, n, ids);
}

/* Chooses anew for one CVE; one that is not published (yet) is left alone. */
static int rescore(struct db *db, struct arena *a, const char *id, const char *prefer)
{
	struct db_rows *rows;
	Cve *cve = NULL;
	int err = db_select(db, &rows, &cve__descriptor, NULL, NULL, "FROM cve AS m WHERE m.id = ?", "s", id);

	if (err)
		return err;
	if (db_next(rows))
		cve = db_message(rows, a, &cve__descriptor);
	if ((err = db_end(rows)) || !cve || (err = load_scores(db, a, cve)) || (err = load_published(db, a, cve)))
		return err;
	cvss_choose(a, prefer, cve);
	return put_row(db, cve);
}

int db_nvd_put(struct db *db, struct arena *a, const NvdPage *page, const char *prefer)
{
	int err = 0;

	for (size_t i = 0; !err && i < page->n_cve_ids; i++) {
		const char *published = i < page->n_published ? page->published[i] : "";

		if (!(err = db_run(db, "DELETE FROM score WHERE cve_id = ? AND origin = 'nvd'", "s", page->cve_ids[i])))
			err = db_run(db, "REPLACE INTO nvd_record (cve_id, published) VALUES (?, nullif(?, ''))", "ss",
				     page->cve_ids[i], published);
	}
	for (size_t i = 0, position = 0; !err && i < page->n_scores; i++) {
		bool same = i > 0 && strcmp(page->scores[i]->cve_id, page->scores[i - 1]->cve_id) == 0;

		position = same ? position + 1 : 0;
		err = db_put(db, "score", &page->scores[i]->base, "position", "i", (int64_t)position);
	}
	for (size_t i = 0; !err && i < page->n_cve_ids; i++)
		err = rescore(db, a, page->cve_ids[i], prefer);
	return err;
}

int db_rescore_all(struct db *db, const char *prefer)
{
	struct arena *a = arena_new(0), *each = arena_new(0);
	struct db_rows *rows;
	const char **ids;
	size_t n;
	int err;

	if (!(err = db_query(db, &rows, "SELECT id FROM cve ORDER BY cve", "")))
		err = db_texts(rows, a, &n, &ids);
	for (size_t i = 0; !err && i < n; i++) {
		arena_reset(each);
		err = rescore(db, each, ids[i], prefer);
	}
	arena_free(each);
	arena_free(a);
	return err;
}

int db_nvd_known(struct db *db, bool *known)
{
	int64_t n = 0;
	int err = db_number(db, &n, "SELECT EXISTS (SELECT 1 FROM nvd_record)", "");

	*known = n != 0;
	return err;
}

int db_fix_put(struct db *db, const Fix *fix)
{
	int64_t id;
	int err;

	if ((err = db_put(db, "fix", &fix->base, "", "")) ||
	    (err = db_number(db, &id, "SELECT fix FROM fix WHERE fix_commit = ?", "s", fix->fix_commit)) ||
	    (err = db_run(db, "DELETE FROM fix_file WHERE fix = ?", "i", id)))
		return err;
	for (size_t i = 0; !err && i < fix->n_files; i++) {
		int64_t path;

		if (!(err = db_path_id(db, fix->files[i], &path)))
			err = db_run(db, "INSERT INTO fix_file (fix, position, path, created) VALUES (?, ?, ?, ?)", "iiii",
				     id, (int64_t)i, path, (int64_t)(i < fix->n_created && fix->created[i]));
	}
	return err;
}

int db_fix_get(struct db *db, struct arena *a, const char *cve_id, const char *commit, Fix **out)
{
	struct db_rows *rows;
	const char *full = NULL;
	int err = db_query(db, &rows,
			   "SELECT i.fix_commit FROM cve_instance AS i JOIN cve AS c USING (cve) "
			   "WHERE c.id = ? AND substr(i.fix_commit, 1, length(?)) = ? LIMIT 1",
			   "sss", cve_id, commit, commit);

	if (err)
		return err;
	if (db_next(rows))
		full = arena_strdup(a, db_text(rows, 0));
	if ((err = db_end(rows)))
		return err;
	if (!full)
		return fail(ERR_NOTFOUND, "%s has no fix commit %s; `tuxtape cves show %s` lists them", cve_id, commit,
			    cve_id);
	if ((err = db_select(db, &rows, &fix__descriptor, NULL, NULL, "FROM fix AS m WHERE m.fix_commit = ?", "s", full)))
		return err;
	*out = db_next(rows) ? db_message(rows, a, &fix__descriptor) : NULL;
	if ((err = db_end(rows)))
		return err;
	return *out ? 0 : fail(ERR_NOTFOUND, "the patch of %s is not made yet: run `tuxtape parse`", full);
}

int db_fix_wanted(struct db *db, struct arena *a, bool missing, size_t *n, const char ***commits)
{
	struct db_rows *rows;
	int err = db_query(db, &rows,
			   "SELECT DISTINCT i.fix_commit FROM cve_instance AS i LEFT JOIN fix AS x USING (fix_commit) "
			   "WHERE i.fix_commit IS NOT NULL AND (x.fix IS NULL OR (? AND x.state = 2)) ORDER BY i.fix_commit",
			   "i", (int64_t)missing);

	return err ? err : db_texts(rows, a, n, commits);
}

int db_sweep(struct db *db)
{
	int err = db_run(
		db, "DELETE FROM fix WHERE NOT EXISTS (SELECT 1 FROM cve_instance AS i WHERE i.fix_commit = fix.fix_commit)",
		"");

	if (err)
		return err;
	return db_run(db,
		      "DELETE FROM path WHERE NOT EXISTS (SELECT 1 FROM fix_file AS f WHERE f.path = path.path) "
		      "AND NOT EXISTS (SELECT 1 FROM cve_file AS f WHERE f.path = path.path) "
		      "AND NOT EXISTS (SELECT 1 FROM tree_path AS f WHERE f.path = path.path) "
		      "AND NOT EXISTS (SELECT 1 FROM compiled_file AS f WHERE f.path = path.path)",
		      "");
}

int db_parser_clear(struct db *db)
{
	int err;

	if ((err = db_run(db, "DELETE FROM cve", "")) || (err = db_run(db, "DELETE FROM fix", "")) ||
	    (err = db_run(db, "DELETE FROM score WHERE origin <> 'nvd'", "")))
		return err;
	return db_sweep(db);
}

int db_cve_count(struct db *db, int64_t *n)
{
	return db_number(db, n, "SELECT count(*) FROM cve", "");
}

int db_counts(struct db *db, struct db_counts *c)
{
	int err;

	if ((err = db_cve_count(db, &c->cves)) ||
	    (err = db_number(db, &c->instances, "SELECT count(*) FROM cve_instance", "")) ||
	    (err = db_number(db, &c->missing, "SELECT count(*) FROM fix WHERE state = 2", "")) ||
	    (err = db_number(db, &c->odd, "SELECT count(*) FROM fix WHERE state > 2", "")))
		return err;
	return db_number(db, &c->scores, "SELECT count(*) FROM score", "");
}

#define BATCH_FIRST 16 /* CVEs: the first answer is not to wait for many */
#define BATCH_MOST 512

/* Each batch is read in a transaction of its own. What moves in the order while the walk goes on is met twice or not at all, so the
 * keys given out are kept, and a last pass asks for those that are not among them. */
struct db_scan {
	struct db *db;
	const char *but; /* the field that a brief walk leaves out */
	bool late;       /* the last pass */
	int64_t rank;    /* of the last CVE read */
	int64_t step;    /* CVEs in the next batch */
	int64_t version; /* of the data when the walk began */
	int64_t *seen;   /* keys given out; sorted in the last pass */
	size_t n_seen, room;
	int64_t *rest; /* keys that the last pass has to read */
	size_t n_rest, next;
};

int db_scan_begin(struct db *db, bool brief, struct db_scan **out)
{
	struct db_scan *s = xcalloc(1, sizeof(*s));
	int err = db_data_version(db, &s->version);

	if (err) {
		free(s);
		return err;
	}
	s->db = db;
	s->but = brief ? "description" : NULL;
	s->step = BATCH_FIRST;
	*out = s;
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_key(int64_t **keys, size_t *n, size_t *room, int64_t key)
{
	if (*n == *room) {
		*room = *room ? *room * 2 : 1024;
		*keys = xrealloc(*keys, *room * sizeof(**keys));
	}
	(*keys)[(*n)++] = key;
}

/* True the first time that a key is met. The walk itself can meet one again only when its score fell meanwhile. */
static bool first_met(struct db_scan *s, int64_t key, bool changed)
{
	for (size_t i = 0; changed && i < s->n_seen; i++)
		if (s->seen[i] == key)
			return false;
	add_key(&s->seen, &s->n_seen, &s->room, key);
	return true;
}

/* Takes the CVEs of a query whose extra column is the key, and the pairs of `pairs`, which come in the same order with their key: two cursors side by side, since a query for each CVE would cost four times as much. */
static void join_rows(struct db_scan *s, struct arena *a, struct db_rows *cves, int key_at, struct db_rows *pairs,
		      int pair_at, bool changed, struct db_batch *out)
{
	bool pair_there = db_next(pairs);

	while (db_next(cves)) {
		int64_t key = db_int(cves, key_at);
		Cve *cve = db_message(cves, a, &cve__descriptor);

		while (pair_there && db_int(pairs, pair_at) == key) {
			PB_ADD_MSG(a, cve, instances, db_message(pairs, a, &cve_instance__descriptor));
			pair_there = db_next(pairs);
		}
		out->read++;
		if (first_met(s, key, changed))
			*(Cve **)arena_grow(a, (void **)&out->cves, &out->n, sizeof(*out->cves)) = cve;
	}
}

static int read_batch(struct db_scan *s, struct arena *a, bool changed, struct db_batch *out)
{
	struct db_rows *cves, *pairs;
	int key_at, pair_at, err;
	int64_t end = 0;

	if ((err = db_number(
		     s->db, &end,
		     "SELECT coalesce(max(rank), 0) FROM (SELECT rank FROM cve WHERE rank > ? ORDER BY rank LIMIT ?)", "ii",
		     s->rank, s->step)) ||
	    end == 0)
		return err;
	err = db_select_but(s->db, &cves, &cve__descriptor, s->but, "m.cve", &key_at,
			    "FROM cve AS m WHERE m.rank > ? AND m.rank <= ? ORDER BY m.rank", "ii", s->rank, end);
	if (err)
		return err;
	/* Lines come in order by the primary key; to ask for that as well would have everything sorted once more. */
	err = db_select(
		s->db, &pairs, &cve_instance__descriptor, "m.cve", &pair_at,
		"FROM cve AS c CROSS JOIN cve_instance AS m USING (cve) WHERE c.rank > ? AND c.rank <= ? ORDER BY c.rank",
		"ii", s->rank, end);
	if (err) {
		db_end(cves);
		return err;
	}
	join_rows(s, a, cves, key_at, pairs, pair_at, changed, out);
	s->rank = end;
	err = db_end(cves);
	return db_end(pairs) ? ERR_DB : err;
}

static int list_rest(struct db_scan *s)
{
	struct db_rows *rows;
	size_t room = 0;
	int err = db_query(s->db, &rows, "SELECT cve FROM cve ORDER BY rank", "");

	if (err)
		return err;
	if (s->n_seen)
		qsort(s->seen, s->n_seen, sizeof(*s->seen), compare_keys);
	while (db_next(rows)) {
		int64_t key = db_int(rows, 0);

		if (!s->n_seen || !bsearch(&key, s->seen, s->n_seen, sizeof(key), compare_keys))
			add_key(&s->rest, &s->n_rest, &room, key);
	}
	return db_end(rows);
}

static int read_rest(struct db_scan *s, struct arena *a, struct db_batch *out)
{
	int err = 0;

	while (!err && s->next < s->n_rest && out->n < BATCH_MOST) {
		int64_t key = s->rest[s->next++];
		struct db_rows *rows;
		Cve *cve = NULL;

		if ((err = db_select_but(s->db, &rows, &cve__descriptor, s->but, NULL, NULL, "FROM cve AS m WHERE m.cve = ?",
					 "i", key)))
			return err;
		if (db_next(rows))
			cve = db_message(rows, a, &cve__descriptor);
		err = db_end(rows);
		if (!err && cve && !(err = load_instances(s->db, a, key, cve)))
			*(Cve **)arena_grow(a, (void **)&out->cves, &out->n, sizeof(*out->cves)) = cve;
	}
	return err;
}

int db_scan_next(struct db_scan *s, struct arena *a, struct db_batch *out)
{
	int64_t version = 0;
	int err;

	*out = (struct db_batch){ 0 };
	if ((err = db_begin_read(s->db)))
		return err;
	if (!s->late && !(err = db_data_version(s->db, &version)) && !(err = read_batch(s, a, version != s->version, out)) &&
	    out->read < (size_t)s->step) {
		s->late = true;
		if (version != s->version)
			err = list_rest(s);
	}
	if (!err && s->late && out->n == 0)
		err = read_rest(s, a, out);
	s->step = MIN_OF(s->step * 2, BATCH_MOST);
	out->more = !s->late || s->next < s->n_rest;
	db_rollback(s->db);
	return err;
}

void db_scan_end(struct db_scan *s)
{
	if (!s)
		return;
	free(s->seen);
	free(s->rest);
	free(s);
}

static int add_files(struct db_rows *rows, struct arena *a, size_t *n, struct db_fix_file **files)
{
	while (db_next(rows)) {
		struct db_fix_file *f = arena_grow(a, (void **)files, n, sizeof(*f));
		ProtobufCBinaryData name = db_bytes(rows, 1);

		f->path = db_int(rows, 0);
		f->name = pb_bytes(a, name.data, name.len);
		f->created = db_int(rows, 2) != 0;
		f->in_tree = db_int(rows, 3) != 0;
	}
	return db_end(rows);
}

int db_fix_files(struct db *db, struct arena *a, const char *fix_commit, int64_t tree, size_t *n, struct db_fix_file **files)
{
	struct db_rows *rows;
	int err = db_query(db, &rows,
			   "SELECT f.path, p.name, f.created, t.path IS NOT NULL "
			   "FROM fix AS x JOIN fix_file AS f USING (fix) JOIN path AS p USING (path) "
			   "LEFT JOIN tree_path AS t ON t.tree = ?2 AND t.path = f.path "
			   "WHERE x.fix_commit = ?1 ORDER BY f.position",
			   "si", fix_commit, tree);

	return err ? err : add_files(rows, a, n, files);
}

int db_record_files(struct db *db, struct arena *a, const char *id, int64_t tree, size_t *n, struct db_fix_file **files)
{
	struct db_rows *rows;
	int err = db_query(db, &rows,
			   "SELECT f.path, p.name, 0, t.path IS NOT NULL "
			   "FROM cve_file AS f JOIN path AS p USING (path) "
			   "LEFT JOIN tree_path AS t ON t.tree = ?2 AND t.path = f.path "
			   "WHERE f.cve = ?1 ORDER BY f.position",
			   "ii", (int64_t)cve_key(id, strlen(id)), tree);

	return err ? err : add_files(rows, a, n, files);
}
