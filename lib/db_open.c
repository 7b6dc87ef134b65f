/* Owns the life of a database file: making it, bringing it up to date, taking over a proof of concept's, backup and check. */
#include "lib/db_open.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What makes a database of version N of one of version N - 1, from an empty one on. */
static const char *const steps[DB_VERSION] = {
#include "lib/schema.inc"
	,
#include "lib/schema_2.inc"
	,
#include "lib/schema_3.inc"
	,
#include "lib/schema_4.inc"
};

/* What the file turned out to be. */
enum shape { SHAPE_EMPTY, SHAPE_OURS, SHAPE_POC };

static int set_pragmas(struct db *db)
{
	return db_script(db,
			 "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864;"
			 "PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;",
			 "open");
}

/* The first reading of a file is where SQLite finds out what it is, so this names the causes that people meet. */
static int read_version(struct db *db, int64_t *version)
{
	int err = db_number(db, version, "PRAGMA user_version", "");

	if (err && (strstr(err_text(), "unable to open database file") || strstr(err_text(), "readonly database")))
		return fail(ERR_DB,
			    "%s: cannot be read here: SQLite's write-ahead log needs a directory that this user can write; "
			    "use --server, or a copy made with `tuxtape backup`",
			    db_path(db));
	return err;
}

static int find_shape(struct db *db, enum shape *shape, int64_t version)
{
	int64_t tables = 0, poc = 0;
	int err;

	*shape = SHAPE_OURS;
	if (version > DB_VERSION)
		return fail(ERR_DB,
			    "%s: written by a newer tuxtape (version %lld, this one reads %d); upgrade tuxtape, the file is "
			    "untouched",
			    db_path(db), (long long)version, DB_VERSION);
	if (version > 0)
		return 0;
	if ((err = db_number(db, &tables, "SELECT count(*) FROM sqlite_schema", "")) ||
	    (err = db_number(db, &poc, "SELECT count(*) FROM pragma_table_info('kernel_config') WHERE name = 'config_name'",
			     "")))
		return err;
	if (poc)
		*shape = SHAPE_POC;
	else if (tables)
		return fail(ERR_DB, "%s: a database, but not one of tuxtape's; name another file", db_path(db));
	else
		*shape = SHAPE_EMPTY;
	return 0;
}

/* Runs the steps that the database lacks. Another process may have run them while this one waited for the lock. */
static int run_steps(struct db *db)
{
	int64_t version = 0;
	int err = db_number(db, &version, "PRAGMA user_version", "");

	for (; !err && version < DB_VERSION; version++)
		err = db_script(db, steps[version], "make the schema");
	if (!err) {
		char *pragma = xasprintf("PRAGMA user_version = %d", DB_VERSION);

		err = db_script(db, pragma, "make the schema");
		free(pragma);
	}
	return err;
}

/* A copy of the database as it is, by a second connection: this one is in the transaction that keeps other writers out. */
static int keep_copy(struct db *db, const char *to)
{
	struct db *source = NULL;
	int err = db_open_raw(&source, db_path(db), false, false);

	if (!err)
		err = db_backup(source, to);
	db_close(source);
	return err;
}

/* kept: where a copy is kept before an older database is changed; NULL: none. */
static int make_schema(struct db *db, const char *kept)
{
	int64_t version = 0;
	int err;

	/* WAL is a property of the file and cannot be set inside the transaction that makes the tables. */
	if ((err = db_script(db, "PRAGMA journal_mode = WAL", "make")) || (err = db_begin(db)))
		return err;
	if ((err = db_number(db, &version, "PRAGMA user_version", "")) ||
	    (kept && version && version < DB_VERSION && (err = keep_copy(db, kept))) || (err = run_steps(db)) ||
	    (err = db_commit(db)))
		db_rollback(db);
	return err;
}

static int migrate(struct db *db, int64_t version, struct arena *a, const char **note)
{
	char *kept = xasprintf("%s.v%lld", db_path(db), (long long)version);
	int err = make_schema(db, kept);

	if (!err && note)
		*note = arena_printf(a, "brought from version %lld to %d; the database as it was is kept as %s",
				     (long long)version, DB_VERSION, kept);
	free(kept);
	return err;
}

static int import_poc_configs(struct db *poc, struct db *ours, int64_t *count)
{
	struct db_rows *rows;
	int err;

	*count = 0;
	if ((err = db_begin(ours)))
		return err;
	err = db_query(
		poc, &rows,
		"SELECT config_name, major, minor, nullif(patch, 0), config_file FROM kernel_config ORDER BY config_name",
		"");
	if (err)
		goto out;
	while (!err && db_next(rows)) {
		bool stable = !db_is_null(rows, 3);

		err = db_run(
			ours,
			"INSERT INTO kernel_config (name, version__major, version__minor, version__stable, revision, body) "
			"VALUES (?, ?, ?, CASE WHEN ? THEN ? END, 1, ?)",
			"siiiib", db_text(rows, 0), db_int(rows, 1), db_int(rows, 2), (int64_t)stable, db_int(rows, 3),
			db_bytes(rows, 4));
		++*count;
	}
	err = db_end(rows) ? ERR_DB : err;
	if (!err)
		err = db_commit(ours);
out:
	if (err)
		db_rollback(ours);
	return err;
}

/* Keeps the old file under a second name before the new one takes its place by rename, so that a crash at any point leaves
 * either the old database or the new one at the path. */
static int swap_files(const char *made, const char *path, const char *kept)
{
	struct stat old, there;

	if (stat(path, &old) < 0)
		return fail(ERR_SYS, "%s: %s", path, strerror(errno));
	if (stat(kept, &there) == 0) {
		if (there.st_ino != old.st_ino || there.st_dev != old.st_dev)
			return fail(ERR_DB, "%s is in the way: move it, the old database would be kept there", kept);
	} else if (link(path, kept) < 0) {
		return fail(ERR_SYS, "keep %s as %s: %s", path, kept, strerror(errno));
	}
	if (rename(made, path) < 0)
		return fail(ERR_SYS, "rename %s to %s: %s", made, path, strerror(errno));
	return 0;
}

static int take_over_poc(struct db **db, const char *path, struct arena *a, const char **note)
{
	char *made = xasprintf("%s.new", path), *kept = xasprintf("%s.poc", path);
	struct db *ours = NULL;
	int64_t count = 0;
	int err;

	unlink(made);
	if ((err = db_open_raw(&ours, made, true, true)) || (err = set_pragmas(ours)) || (err = make_schema(ours, NULL)) ||
	    (err = import_poc_configs(*db, ours, &count)))
		goto out;
	/* The log is folded in, so that the one file that is renamed holds everything. */
	if ((err = db_script(ours, "PRAGMA wal_checkpoint(TRUNCATE)", "take over")))
		goto out;
	db_close(ours);
	db_close(*db);
	ours = *db = NULL;
	if ((err = swap_files(made, path, kept)))
		goto out;
	if (note)
		*note = arena_printf(
			a,
			"took over the proof of concept's database: %lld kernel configs imported, the old file kept as %s",
			(long long)count, kept);
	if (!(err = db_open_raw(db, path, true, false)))
		err = set_pragmas(*db);
out:
	db_close(ours);
	free(made);
	free(kept);
	return err;
}

int db_open(struct db **out, const char *path, enum db_mode mode, struct arena *a, const char **note)
{
	enum shape shape;
	struct db *db = NULL;
	int64_t version;
	struct stat st;
	int err;

	if (note)
		*note = NULL;
	if (stat(path, &st) < 0) {
		if (errno != ENOENT || mode != DB_CREATE)
			return fail(errno == ENOENT ? ERR_NOTFOUND : ERR_DB, "%s: %s; `tuxtape parse` makes the database",
				    path, strerror(errno));
		if ((err = file_make_parents(path)))
			return err;
	}
	if ((err = db_open_raw(&db, path, mode != DB_READ, mode == DB_CREATE)) || (err = read_version(db, &version)) ||
	    (err = find_shape(db, &shape, version)))
		goto out;
	if (shape != SHAPE_OURS && mode < (shape == SHAPE_POC ? DB_MIGRATE : DB_CREATE))
		err = fail(ERR_DB, "%s: %s; run `tuxtape parse` on it first", path,
			   shape == SHAPE_POC ? "a database of the proof of concept" : "an empty database");
	else if (shape == SHAPE_OURS && version < DB_VERSION && mode < DB_MIGRATE)
		err = fail(ERR_DB, "%s: of version %lld; run `tuxtape parse` on it, or start the server, to bring it to %d",
			   path, (long long)version, DB_VERSION);
	else if (shape == SHAPE_POC)
		err = take_over_poc(&db, path, a, note);
	else if (!(err = set_pragmas(db)) && version < DB_VERSION)
		err = shape == SHAPE_EMPTY ? make_schema(db, NULL) : migrate(db, version, a, note);
out:
	if (err)
		db_close(db);
	else
		*out = db;
	return err;
}

static int sound(struct db *db)
{
	struct db_rows *rows;
	int64_t version;
	enum shape shape;
	int err;

	if ((err = read_version(db, &version)) || (err = find_shape(db, &shape, version)))
		return err;
	if (shape != SHAPE_OURS)
		return fail(ERR_DB, "%s: not a database of this tuxtape", db_path(db));
	if ((err = db_query(db, &rows, "PRAGMA quick_check(1)", "")))
		return err;
	if (db_next(rows) && strcmp(db_text(rows, 0), "ok") != 0)
		err = fail(ERR_DB, "%s: damaged: %s", db_path(db), db_text(rows, 0));
	return db_end(rows) ? ERR_DB : err;
}

int db_check(const char *path)
{
	struct db *db = NULL;
	int err;

	if ((err = db_open_raw(&db, path, false, false)))
		return err;
	err = sound(db);
	db_close(db);
	return err;
}

int db_backup(struct db *db, const char *to)
{
	char *made = xasprintf("%s.partial", to);
	struct db *copy = NULL;
	int fd, err;

	/* The name is taken with its final mode before SQLite writes the first byte. */
	unlink(made);
	fd = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		err = fail(ERR_SYS, "%s: %s", made, strerror(errno));
		goto out;
	}
	close(fd);
	if ((err = db_open_raw(&copy, made, true, false)) || (err = db_begin_read(db)))
		goto out;
	err = db_copy_into(db, copy);
	db_rollback(db);
	/* A single file travels better than one with a log beside it, and can be read where nothing can be written. */
	if (err || (err = db_script(copy, "PRAGMA journal_mode = DELETE", "backup")) || (err = sound(copy)))
		goto out;
	db_close(copy);
	copy = NULL;
	if (!(err = file_sync(made)) && rename(made, to) < 0)
		err = fail(ERR_SYS, "rename %s to %s: %s", made, to, strerror(errno));
out:
	db_close(copy);
	if (err)
		unlink(made);
	free(made);
	return err;
}

int db_lock(const char *db, int *fd)
{
	char *path = xasprintf("%s.lock", db), pid[32] = "";
	int err = file_make_parents(db);

	*fd = -1;
	if (err)
		goto out;
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*fd < 0) {
		err = fail(ERR_SYS, "lock %s: %s", path, strerror(errno));
	} else if (flock(*fd, LOCK_EX | LOCK_NB) < 0) {
		if (read(*fd, pid, sizeof(pid) - 1) < 0)
			pid[0] = '\0';
		err = fail(ERR_SYS, "process %.*s is filling %s: nothing done", (int)strcspn(pid, "\n"), pid, db);
	} else if (ftruncate(*fd, 0) < 0 || dprintf(*fd, "%ld\n", (long)getpid()) < 0) {
		err = fail(ERR_SYS, "write %s: %s", path, strerror(errno));
	}
	if (err && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
out:
	free(path);
	return err;
}

int db_restore(const char *from, const char *path)
{
	struct db *backup = NULL, *db = NULL;
	struct arena *a = arena_new(0);
	int lock = -1;
	int err;

	/* A missing database is made first, so that the copy has a file with a write-ahead log to go into. */
	if ((err = db_check(from)) || (err = db_lock(path, &lock)) || (err = db_open_raw(&backup, from, false, false)) ||
	    (err = db_open(&db, path, DB_CREATE, a, NULL)))
		goto out;
	err = db_copy_into(backup, db);
out:
	db_close(backup);
	db_close(db);
	if (lock >= 0)
		close(lock);
	arena_free(a);
	return err;
}
