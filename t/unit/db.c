/* The mapper against the schema, and the parser's tables: what is put is what is got. */
#include "tap.h"

#include "lib/db_config.h"
#include "lib/db_cve.h"
#include "lib/err.h"
#include "lib/kver.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/tuxtape-db-XXXXXX";

static const char *path_in(struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

/* Every singular field is a column, in order; the columns before it are keys. */
static void check_table(struct db *db, const char *table, const ProtobufCMessageDescriptor *d, const char *keys)
{
	struct buf want = { 0 }, got = { 0 };
	struct db_rows *rows;

	buf_adds(&want, keys);
	db_columns(&want, d, "");
	if (db_query(db, &rows, "SELECT name FROM pragma_table_info(?)", "s", table))
		printf("# %s\n", err_text());
	while (db_next(rows))
		buf_printf(&got, "%s%s", got.len ? ", " : "", db_text(rows, 0));
	db_end(rows);
	is_str(buf_str(&got), buf_str(&want), table);
	buf_free(&want);
	buf_free(&got);
}

static Cve *sample(struct arena *a)
{
	Cve *cve = pb_new(a, &cve__descriptor);
	CveInstance *in = PB_ADD(a, cve, instances, cve_instance);
	Score *s = PB_ADD(a, cve, scores, score);

	cve->id = "CVE-2026-9001";
	cve->title = "a title";
	cve->origin = "vulns";
	in->title = "CVE-2026-9001-6.1-0123456789ab";
	in->introduced = pb_new(a, &kernel_version__descriptor);
	in->introduced->has_major = in->introduced->has_minor = true;
	in->introduced->major = 6;
	in->introduced->minor = 1;
	in->introduced_commit = "1111111111111111111111111111111111111111";
	in->fixed = pb_copy(a, &in->introduced->base);
	in->fixed->has_stable = true;
	in->fixed->stable = 9;
	in->fix_commit = "0123456789abcdef0123456789abcdef01234567";
	pb_add_bytes(a, &cve->n_program_files, &cve->program_files, "net/core/\xe9.c", 11);
	s->cve_id = cve->id;
	s->origin = "vulns";
	s->source = "a-cna";
	s->version = "3.1";
	s->vector = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H";
	s->has_base_score = true;
	s->base_score = 7.8;
	return cve;
}

static void check_cve(struct db *db, struct arena *a)
{
	Cve *put = sample(a), *got = NULL;
	bool was = true;

	is_int(db_begin(db), 0, "begin");
	is_int(db_cve_put(db, a, put, "nvd", &was), 0, "a CVE is put");
	ok(!was, "it was not there before");
	is_int(db_commit(db), 0, "commit");
	is_int(db_cve_get(db, a, "CVE-2026-9001", &got), 0, "it is got again");
	ok(got && pb_bytes_equal(got->instances[0]->affected_files[0], put->program_files[0]),
	   "files come from the record while the commit's are not known");
	put->instances[0]->n_affected_files = 1;
	put->instances[0]->affected_files = put->program_files;
	ok(pb_equal(&put->base, &got->base), "with everything that was put");
	is_int((long long)(got->severity * 10), 78, "the severity shown is the score's");
	is_int(db_cve_get(db, a, "CVE-2026-9002", &got), ERR_NOTFOUND, "another is not found");
	is_int(db_cve_delete(db, "CVE-2026-9001", &was), 0, "delete");
	ok(was, "it was there");
	is_int(db_cve_get(db, a, "CVE-2026-9001", &got), ERR_NOTFOUND, "and is gone");
}

static void check_nvd(struct db *db, struct arena *a)
{
	NvdPage page = NVD_PAGE__INIT;
	Cve *put = sample(a), *got = NULL;
	Score *s;
	bool was;

	PB_ADD_STR(a, &page, cve_ids, put->id);
	PB_ADD_STR(a, &page, published, "2026-04-02T12:15:05.397");
	put->published = "2026-04-01";
	s = PB_ADD(a, &page, scores, score);
	*s = *put->scores[0];
	s->origin = "nvd";
	s->source = "nvd@nist.gov";
	s->vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
	s->base_score = 9.8;
	is_int(db_nvd_put(db, a, &page, "nvd"), 0, "NVD may know a CVE before it is published");
	is_int(db_cve_put(db, a, put, "nvd", &was), 0, "then it is");
	db_cve_get(db, a, put->id, &got);
	is_str(got->score_source, "nvd@nist.gov", "NVD's score is shown when it is preferred");
	is_int((long long)got->n_scores, 2, "and both are kept");
	is_str(got->published, "2026-04-02T12:15:05.397", "its time goes before the record's");
	is_int(db_rescore_all(db, "cna"), 0, "the preference changes");
	db_cve_get(db, a, put->id, &got);
	is_str(got->score_source, "a-cna", "the CNA's score is shown");
	page.n_scores = 0;
	page.published[0] = "";
	put->published = "2026-04-01";
	is_int(db_nvd_put(db, a, &page, "nvd"), 0, "NVD withdraws its score, and its time");
	is_int(db_cve_put(db, a, put, "nvd", &was), 0, "the record comes again");
	db_cve_get(db, a, put->id, &got);
	is_int((long long)got->n_scores, 1, "one is left");
	is_str(got->score_source, "a-cna", "and shown");
	is_str(got->published, "2026-04-01", "so is the record's time");
}

static void check_fix(struct db *db, struct arena *a)
{
	static uint8_t text[] = "diff --git a/x b/x\n\xe9\0\n";
	Fix put = FIX__INIT, *got = NULL;
	const char **wanted;
	size_t n;

	is_int(db_fix_wanted(db, a, false, &n, &wanted), 0, "wanted");
	is_int((long long)n, 1, "the commit of the pair is wanted");
	put.fix_commit = wanted[0];
	put.has_state = put.has_patch = true;
	put.state = FIX_STATE__FIX_STORED;
	put.patch = (ProtobufCBinaryData){ .data = text, .len = sizeof(text) };
	pb_add_bytes(a, &put.n_files, &put.files, "net/a.c", 7);
	is_int(db_fix_put(db, &put), 0, "its fix is put");
	db_fix_wanted(db, a, true, &n, &wanted);
	is_int((long long)n, 0, "and wanted no more");
	is_int(db_fix_get(db, a, "CVE-2026-9001", "0123456789ab", &got), 0, "got by twelve digits");
	ok(got && pb_bytes_equal(got->patch, put.patch), "with every byte");
	is_int(db_fix_get(db, a, "CVE-2026-9001", "0123456789ac", &got), ERR_NOTFOUND, "another is not found");
	is_int(db_run(db, "DELETE FROM cve", ""), 0, "without the CVE");
	is_int(db_sweep(db), 0, "the sweep");
	db_number(db, &(int64_t){ 0 }, "SELECT 1", "");
	is_int(db_number(db, &(int64_t){ 0 }, "SELECT fix FROM fix", ""), ERR_NOTFOUND, "drops the fix");
	is_int(db_number(db, &(int64_t){ 0 }, "SELECT path FROM path", ""), ERR_NOTFOUND, "and its paths");
}

/* Two files, of which the build compiled the second. */
static void put_profile(struct db *db, struct arena *a)
{
	BuildProfile *p = pb_new(a, &build_profile__descriptor);
	KernelConfig *c = pb_new(a, &kernel_config__descriptor);
	static const char *const names[] = { "scripts/a.c", "fs/b.c" };
	bool changed;

	c->name = "web";
	c->version = pb_new(a, &kernel_version__descriptor);
	kver_parse(c->version, "6.1.170", 7);
	c->has_body = true;
	c->body = pb_bytes(a, "CONFIG_SMP=y\n", 13);
	is_int(db_config_put(db, c, &changed), 0, "a config");
	p->commit = "3333333333333333333333333333333333333333";
	p->has_revision = true;
	p->revision = c->revision;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		BuildFile *f = PB_ADD(a, p, files, build_file);

		f->has_path = f->has_kind = true;
		f->path = pb_bytes(a, names[i], strlen(names[i]));
		f->kind = i ? FILE_KIND__COMPILED : FILE_KIND__HOST_ONLY;
		pb_add_bytes(a, &p->n_tree_paths, &p->tree_paths, names[i], strlen(names[i]));
	}
	is_int(db_profile_put(db, "web", p), 0, "with a profile");
}

static void check_compiled(struct db *db, struct arena *a)
{
	struct db_path_set set;
	struct db_target t;
	int64_t host = 0, file = 0;
	bool compiled = true;

	put_profile(db, a);
	is_int(db_target(db, a, "web", &t), 0, "is a target");
	db_number(db, &host, "SELECT path FROM path WHERE name = CAST('scripts/a.c' AS BLOB)", "");
	db_number(db, &file, "SELECT path FROM path WHERE name = CAST('fs/b.c' AS BLOB)", "");
	ok(host > 0 && file > 0, "whose files have numbers");
	is_int(db_compiled_set(db, a, &t, &set), 0, "what it compiled is a set");
	ok(set.bits && db_path_set_has(&set, file), "that has the compiled file");
	ok(!db_path_set_has(&set, host), "and not that of a host program");
	ok(!db_path_set_has(&set, 0) && !db_path_set_has(&set, -1) && !db_path_set_has(&set, INT64_MAX),
	   "nor what is no path");
	ok(db_is_compiled(db, t.id, file, &compiled) == 0 && compiled, "asked for alone it is compiled, too");
	ok(db_is_compiled(db, t.id, host, &compiled) == 0 && !compiled, "and the other is not");
	is_int(db_profile_drop(db, "web"), 0, "the profile is dropped");
	is_int(db_compiled_set(db, a, &t, &set), 0, "who knows the target from before");
	ok(!set.bits, "is given no set, since an empty one would prove something");
}

static void is_made_by(struct db *db, struct arena *a, const char *builder, const char *want)
{
	struct buf got = { 0 };
	const char **names;
	size_t n = 0;

	if (db_profiles_by(db, a, builder, &n, &names))
		printf("# %s\n", err_text());
	for (size_t i = 0; i < n; i++)
		buf_printf(&got, "%s%s", i ? " " : "", names[i]);
	is_str(buf_str(&got), want, arena_printf(a, "%s made '%s'", builder, want));
	buf_free(&got);
}

/* Who told a tree's paths made whatever stands on them. */
static void check_origin(struct db *db, struct arena *a)
{
	int64_t before = 0, after = 0;
	const char **commits;
	size_t n;

	put_profile(db, a);
	is_int(db_run(db, "UPDATE profile SET builder = 'honest'", ""), 0, "a profile by one builder");
	is_int(db_run(db, "UPDATE tree SET builder = 'mallory'", ""), 0, "of a tree that another one told of");
	is_made_by(db, a, "honest", "web");
	is_made_by(db, a, "mallory", "web");
	is_made_by(db, a, "carol", "");
	db_run(db, "UPDATE tree SET builder = NULL", "");
	is_made_by(db, a, "carol", "");
	db_run(db,
	       "INSERT INTO job (place, config, revision, version__major, version__minor, state, builder, attempt, lost, "
	       "lines) "
	       "VALUES (1, 'gone', 1, 6, 1, 4, 'carol', 1, 0, 0)",
	       "");
	is_made_by(db, a, "carol", "web");
	db_number(db, &before, "SELECT tree FROM tree", "");
	is_int(db_profile_drop(db, "web") || db_trees_forget(db, "nobody"), 0, "one who told nothing");
	db_tree_commits(db, a, &n, &commits);
	is_int((long long)n, 1, "takes no paths along");
	is_int(db_trees_forget(db, "carol"), 0, "one who may have told them");
	db_tree_commits(db, a, &n, &commits);
	is_int((long long)n, 0, "does, and they are asked for again");
	put_profile(db, a);
	db_number(db, &after, "SELECT tree FROM tree JOIN tree_path USING (tree) GROUP BY tree HAVING count(*) = 2", "");
	ok(before && after == before, "under the number that the tree had");
}

static void check_open(struct arena *a)
{
	const char *newer = path_in(a, "newer"), *other = path_in(a, "other"), *copy = path_in(a, "copy");
	const char *note;
	struct db *db = NULL;
	struct stat st;

	is_int(db_open(&db, path_in(a, "none"), DB_READ, a, NULL), ERR_NOTFOUND, "a missing database is not found");
	is_int(db_open(&db, newer, DB_CREATE, a, NULL), 0, "a database is made");
	is_int(db_backup(newer, copy), 0, "a backup is made");
	ok(stat(copy, &st) == 0 && (st.st_mode & 0777) == 0600, "with mode 0600");
	is_int(db_check(copy), 0, "and is sound");
	is_int(db_run(db, "PRAGMA user_version = 99", ""), 0, "a newer tuxtape wrote it");
	db_close(db);
	is_int(db_open(&db, newer, DB_CREATE, a, NULL), ERR_DB, "it is refused");
	ok(strstr(err_text(), "newer tuxtape") != NULL, "by name");
	is_int(db_restore(copy, path_in(a, "restored"), a, &note), 0, "restore makes a database");
	is_int(db_open(&db, path_in(a, "restored"), DB_READ, a, NULL), 0, "that opens");
	db_close(db);
	is_int(truncate(copy, 20000), 0, "a backup is damaged");
	is_int(db_restore(copy, path_in(a, "restored"), a, &note), ERR_DB, "and refused");
	is_int(db_open(&db, path_in(a, "restored"), DB_READ, a, NULL), 0, "the database is as it was");
	db_close(db);
	ok(system(arena_printf(a, "sqlite3 %s 'CREATE TABLE t (a)'", other)) == 0, "a database of something else");
	is_int(db_open(&db, other, DB_CREATE, a, NULL), ERR_DB, "is refused");
}

int main(void)
{
	struct arena *a = arena_new(0);
	struct db *db = NULL;

	if (!mkdtemp(dir) || db_open(&db, path_in(a, "db"), DB_CREATE, a, NULL)) {
		printf("Bail out! %s\n", err_text());
		return 1;
	}
	check_table(db, "cve", &cve__descriptor, "cve, ");
	check_table(db, "cve_instance", &cve_instance__descriptor, "cve, line, ");
	check_table(db, "score", &score__descriptor, "position, ");
	check_table(db, "fix", &fix__descriptor, "fix, ");
	check_table(db, "patch", &patch_record__descriptor, "target, ");
	check_table(db, "patch_review", &patch_review__descriptor, "review, patch, ");
	check_table(db, "audit", &audit_entry__descriptor, "");
	check_table(db, "kernel_config", &kernel_config__descriptor, "config, ");
	check_cve(db, a);
	check_nvd(db, a);
	check_fix(db, a);
	check_compiled(db, a);
	check_origin(db, a);
	db_close(db);
	check_open(a);
	arena_free(a);
	if (system(arena_printf(a = arena_new(0), "rm -rf %s", dir)))
		printf("# %s is left\n", dir);
	arena_free(a);
	return done();
}
