/* Owns the queries on configs, their revisions and build profiles. A profile is there whole or not at all. */
#include "lib/db_config.h"

#include "lib/db_cve.h"
#include "lib/err.h"

#define NAMES_SHOWN 8
#define PATHS_MOST (1 << 26) /* more than any kernel's history has; a set takes 8 MB then */

/* A tree without paths is one whose paths were forgotten. Its row stays, so that its number never means another tree. */
#define HAS_PATHS "EXISTS (SELECT 1 FROM tree_path AS f WHERE f.tree = t.tree) "
/* ?1 told the paths of tree t, or may have: of trees that came before this was kept, any builder that ever handed in a build. */
#define TOLD_BY "(t.builder = ?1 OR (t.builder IS NULL AND EXISTS (SELECT 1 FROM job WHERE builder = ?1 AND state = 4))) "

#define TARGET_COLUMNS "m.config, p.tree"
#define TARGET_FROM "FROM kernel_config AS m LEFT JOIN profile AS p ON p.config = m.config AND p.revision = m.revision "

static void take_target(struct db_rows *rows, int extra, struct arena *a, struct db_target *t)
{
	KernelConfig *c = db_message(rows, a, &kernel_config__descriptor);

	*t = (struct db_target){
		.config = c->name,
		.version = *c->version,
		.id = db_int(rows, extra),
		.tree = db_int(rows, extra + 1),
		.profiled = !db_is_null(rows, extra + 1),
	};
}

/* Says which configs there are: who mistypes a name sees the right one. */
static int no_config(struct db *db, const char *name)
{
	struct buf names = { 0 };
	struct db_rows *rows;
	unsigned n = 0;
	int err = db_query(db, &rows, "SELECT name FROM kernel_config ORDER BY name", "");

	if (err)
		return err;
	for (; db_next(rows); n++)
		if (n < NAMES_SHOWN)
			buf_printf(&names, "%s%s", n ? ", " : "", db_text(rows, 0));
	if (!(err = db_end(rows)))
		err = n ? fail(ERR_NOTFOUND, "no config '%s'; there %s %s%s", name, n == 1 ? "is" : "are", names.data,
			       n > NAMES_SHOWN ? ", ..." : "")
			: fail(ERR_NOTFOUND, "no config '%s', and none at all yet: `tuxtape config put`", name);
	buf_free(&names);
	return err;
}

int db_target(struct db *db, struct arena *a, const char *config, struct db_target *target)
{
	struct db_rows *rows;
	bool found;
	int extra, err;

	err = db_select_but(db, &rows, &kernel_config__descriptor, "body", TARGET_COLUMNS, &extra,
			    TARGET_FROM "WHERE m.name = ?", "s", config);
	if (err)
		return err;
	if ((found = db_next(rows)))
		take_target(rows, extra, a, target);
	err = db_end(rows);
	return err || found ? err : no_config(db, config);
}

int db_targets(struct db *db, struct arena *a, size_t *n, struct db_target **targets)
{
	struct db_rows *rows;
	int extra, err;

	*n = 0;
	*targets = NULL;
	err = db_select_but(db, &rows, &kernel_config__descriptor, "body", TARGET_COLUMNS, &extra,
			    TARGET_FROM "ORDER BY m.name", "");
	if (err)
		return err;
	while (db_next(rows))
		take_target(rows, extra, a, arena_grow(a, (void **)targets, n, sizeof(**targets)));
	return db_end(rows);
}

/* The columns behind those of the config: its size, its newest job, its profile. */
static void take_info(struct db_rows *rows, int at, struct arena *a, const KernelConfig *c, ConfigInfo *info)
{
	info->name = c->name;
	info->version = c->version;
	info->ref = c->ref;
	info->has_revision = info->has_size = info->has_profiled = true;
	info->revision = c->revision;
	info->put_by = c->put_by;
	info->put_at = c->put_at;
	info->size = (uint64_t)db_int(rows, at);
	if ((info->has_job = info->has_job_state = !db_is_null(rows, at + 1))) {
		info->job = (uint64_t)db_int(rows, at + 1);
		info->job_state = (JobState)db_int(rows, at + 2);
	}
	if (!(info->profiled = !db_is_null(rows, at + 3)))
		return;
	info->has_compiled_files = true;
	info->compiled_files = (uint64_t)db_int(rows, at + 3);
	info->built_by = db_is_null(rows, at + 4) ? NULL : arena_strdup(a, db_text(rows, at + 4));
	info->built_at = db_is_null(rows, at + 5) ? NULL : arena_strdup(a, db_text(rows, at + 5));
	info->release = db_is_null(rows, at + 6) ? NULL : arena_strdup(a, db_text(rows, at + 6));
	info->compiler = db_is_null(rows, at + 7) ? NULL : arena_strdup(a, db_text(rows, at + 7));
}

int db_config_list(struct db *db, struct arena *a, const char *name, ConfigList *list)
{
	struct db_rows *rows;
	int at, err;

	err = db_select_but(
		db, &rows, &kernel_config__descriptor, "body",
		"length(m.body), j.job, j.state, p.compiled_files, p.builder, p.built_at, p.release, p.compiler", &at,
		"FROM kernel_config AS m LEFT JOIN profile AS p ON p.config = m.config AND p.revision = m.revision "
		"LEFT JOIN job AS j ON j.job = (SELECT max(job) FROM job WHERE config = m.name) "
		"WHERE ?1 IS NULL OR m.name = ?1 ORDER BY m.name",
		"s", name);
	if (err)
		return err;
	while (db_next(rows))
		take_info(rows, at, a, db_message(rows, a, &kernel_config__descriptor),
			  PB_ADD(a, list, configs, config_info));
	if ((err = db_end(rows)))
		return err;
	return name && list->n_configs == 0 ? no_config(db, name) : 0;
}

int db_config_get(struct db *db, struct arena *a, const char *name, KernelConfig **out)
{
	struct db_rows *rows;
	int err = db_select(db, &rows, &kernel_config__descriptor, NULL, NULL, "FROM kernel_config AS m WHERE m.name = ?",
			    "s", name);

	if (err)
		return err;
	*out = db_next(rows) ? db_message(rows, a, &kernel_config__descriptor) : NULL;
	err = db_end(rows);
	return err || *out ? err : no_config(db, name);
}

static int keep_revision(struct db *db, const KernelConfig *c)
{
	return db_run(db, "INSERT INTO config_revision (name, revision, body, put_by, put_at) VALUES (?, ?, ?, ?, ?)",
		      "sibss", c->name, (int64_t)c->revision, c->body, c->put_by, c->put_at);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

int db_config_put(struct db *db, KernelConfig *c, bool *changed)
{
	struct arena *a = arena_new(0);
	KernelConfig *old = NULL;
	int64_t last = 0;
	int err = db_config_get(db, a, c->name, &old);

	if (err == ERR_NOTFOUND)
		err = 0;
	*changed = !old || !pb_bytes_equal(old->body, c->body) || !same_text(old->ref, c->ref) ||
		   !pb_equal(&old->version->base, &c->version->base);
	c->has_revision = true;
	if (!err && !*changed)
		c->revision = old->revision;
	if (err || !*changed)
		goto out;
	/* A deleted config's name goes on counting, so that a revision means one thing for ever. */
	if ((err = db_number(db, &last, "SELECT coalesce(max(revision), 0) FROM config_revision WHERE name = ?", "s",
			     c->name)))
		goto out;
	c->revision = (uint32_t)MAX_OF(last, old ? (int64_t)old->revision : 0) + 1;
	if ((err = db_put(db, "kernel_config", &c->base, "", "")) || (err = keep_revision(db, c)))
		goto out;
	err = db_profile_drop(db, c->name);
out:
	arena_free(a);
	return err;
}

int db_config_delete(struct db *db, const char *name)
{
	int64_t n = 0;
	int err;

	if ((err = db_run(db, "DELETE FROM kernel_config WHERE name = ?", "s", name)) ||
	    (err = db_number(db, &n, "SELECT changes()", "")))
		return err;
	return n ? 0 : no_config(db, name);
}

int db_profile_drop(struct db *db, const char *config)
{
	int err = db_run(db, "DELETE FROM compiled_file WHERE config = (SELECT config FROM kernel_config WHERE name = ?)",
			 "s", config);

	if (err)
		return err;
	return db_run(db, "DELETE FROM profile WHERE config = (SELECT config FROM kernel_config WHERE name = ?)", "s",
		      config);
}

/* The tree's row, made with all its paths when it is new or they were forgotten. */
static int put_tree(struct db *db, const BuildProfile *p, int64_t *tree)
{
	int err = db_number(db, tree, "SELECT tree FROM tree AS t WHERE commit_id = ? AND " HAS_PATHS, "s", p->commit);

	if (err != ERR_NOTFOUND)
		return err;
	if (p->n_tree_paths == 0)
		return fail(ERR_INPUT, "the paths of tree %s did not come with its first profile", p->commit);
	if ((err = db_run(db,
			  "INSERT INTO tree (commit_id, ref, builder) VALUES (?, ?, ?) "
			  "ON CONFLICT (commit_id) DO UPDATE SET ref = excluded.ref, builder = excluded.builder",
			  "sss", p->commit, p->ref, p->builder)) ||
	    (err = db_number(db, tree, "SELECT tree FROM tree WHERE commit_id = ?", "s", p->commit)))
		return err;
	for (size_t i = 0; !err && i < p->n_tree_paths; i++) {
		int64_t path;

		if (!(err = db_path_id(db, p->tree_paths[i], &path)))
			err = db_run(db, "INSERT OR IGNORE INTO tree_path (tree, path) VALUES (?, ?)", "ii", *tree, path);
	}
	return err;
}

static int put_profile_row(struct db *db, int64_t config, int64_t tree, const BuildProfile *p)
{
	struct buf modules = { 0 };
	int64_t compiled = 0;
	int err;

	for (size_t i = 0; i < p->n_modules; i++)
		buf_printf(&modules, "%s\n", p->modules[i]);
	for (size_t i = 0; i < p->n_files; i++)
		compiled += p->files[i]->kind == FILE_KIND__COMPILED;
	err = db_run(db,
		     "INSERT INTO profile (config, tree, revision, builder, built_at, release, compiler, vmlinux_size, "
		     "build_id, compiled_files, modules) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		     "iiissssisib", config, tree, (int64_t)p->revision, p->builder, p->built_at, p->release, p->compiler,
		     (int64_t)p->vmlinux_size, p->build_id, compiled,
		     (ProtobufCBinaryData){ .data = (uint8_t *)modules.data, .len = modules.len });
	buf_free(&modules);
	return err;
}

int db_profile_put(struct db *db, const char *config, const BuildProfile *p)
{
	int64_t id = 0, tree;
	int err = db_number(db, &id, "SELECT config FROM kernel_config WHERE name = ? AND revision = ?", "si", config,
			    (int64_t)p->revision);

	if (err == ERR_NOTFOUND)
		return fail(ERR_NOTFOUND, "config %s has no revision %u any more", config, p->revision);
	if (err || (err = db_profile_drop(db, config)) || (err = put_tree(db, p, &tree)) ||
	    (err = put_profile_row(db, id, tree, p)))
		return err;
	for (size_t i = 0; !err && i < p->n_files; i++) {
		int64_t path;

		if (!(err = db_path_id(db, p->files[i]->path, &path)))
			err = db_run(db, "INSERT OR IGNORE INTO compiled_file (config, path, kind) VALUES (?, ?, ?)", "iii",
				     id, path, (int64_t)p->files[i]->kind);
	}
	return err;
}

int db_tree_commits(struct db *db, struct arena *a, size_t *n, const char ***commits)
{
	struct db_rows *rows;
	int err = db_query(db, &rows, "SELECT commit_id FROM tree AS t WHERE " HAS_PATHS "ORDER BY commit_id", "");

	return err ? err : db_texts(rows, a, n, commits);
}

int db_profiles_by(struct db *db, struct arena *a, const char *builder, size_t *n, const char ***configs)
{
	struct db_rows *rows;
	int err = db_query(db, &rows,
			   "SELECT c.name FROM profile AS p JOIN kernel_config AS c USING (config) "
			   "JOIN tree AS t USING (tree) WHERE p.builder = ?1 OR " TOLD_BY "ORDER BY c.name",
			   "s", builder);

	return err ? err : db_texts(rows, a, n, configs);
}

int db_trees_forget(struct db *db, const char *builder)
{
	return db_run(db, "DELETE FROM tree_path WHERE tree IN (SELECT t.tree FROM tree AS t WHERE " TOLD_BY ")", "s",
		      builder);
}

int db_compiled_files(struct db *db, struct arena *a, int64_t config, size_t *n, const char ***files)
{
	struct db_rows *rows;
	int err = db_query(
		db, &rows,
		"SELECT p.name FROM compiled_file AS f JOIN path AS p USING (path) WHERE f.config = ? AND f.kind = 1 "
		"ORDER BY p.name",
		"i", config);

	return err ? err : db_texts(rows, a, n, files);
}

int db_compiled_set(struct db *db, struct arena *a, const struct db_target *t, struct db_path_set *set)
{
	struct db_rows *rows;
	uint8_t *bits;
	int err;

	*set = (struct db_path_set){ 0 };
	err = db_number(db, &set->most,
			"SELECT (SELECT coalesce(max(path), 0) FROM compiled_file WHERE config = ?1) FROM profile "
			"WHERE config = ?1 AND tree = ?2",
			"ii", t->id, t->tree);
	if (err)
		return err == ERR_NOTFOUND ? 0 : err;
	if (set->most < 0 || set->most > PATHS_MOST)
		return fail(ERR_DB, "%s: a path is numbered %lld, which no parser does", db_path(db), (long long)set->most);
	set->bits = bits = arena_alloc(a, (size_t)set->most / 8 + 1);
	if ((err = db_query(db, &rows, "SELECT path FROM compiled_file WHERE config = ? AND kind = 1", "i", t->id)))
		return err;
	while (db_next(rows)) {
		int64_t path = db_int(rows, 0);

		if (path > 0)
			bits[path / 8] |= (uint8_t)(1u << (path % 8));
	}
	return db_end(rows);
}

int db_is_compiled(struct db *db, int64_t config, int64_t path, bool *compiled)
{
	int64_t n = 0;
	int err = db_number(db, &n, "SELECT count(*) FROM compiled_file WHERE config = ? AND path = ? AND kind = 1", "ii",
			    config, path);

	*compiled = n > 0;
	return err;
}
