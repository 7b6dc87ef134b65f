/* Owns the life of a database file: making it, bringing it up to date, taking over a proof of concept's, the parser's lock. */
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

int db_find_shape(struct db *db, enum db_shape *shape, int64_t *out)
{
	int64_t tables = 0, poc = 0, version = 0;
	int err = read_version(db, &version);

	*shape = DB_OURS;
	*out = version;
	if (err)
		return err;
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
		*shape = DB_POC;
	else if (tables)
		return fail(ERR_DB, "%s: a database, but not one of tuxtape's; name another file", db_path(db));
	else
		*shape = DB_EMPTY;
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

/* kept: where a copy is kept before an older database is changed; NULL: none. It is made by a second connection: this one is in the
 * transaction that keeps other writers out. */
static int make_schema(struct db *db, const char *kept)
{
	int64_t version = 0;
	int err;

	/* WAL is a property of the file and cannot be set inside the transaction that makes the tables. */
	if ((err = db_script(db, "PRAGMA journal_mode = WAL", "make")) || (err = db_begin(db)))
		return err;
	if ((err = db_number(db, &version, "PRAGMA user_version", "")) ||
	    (kept && version && version < DB_VERSION && (err = db_backup(db_path(db), kept))) || (err = run_steps(db)) ||
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

/* What is there is no database that this mode may go on with. */
static int refuse(const char *path, enum db_shape shape, int64_t version)
{
	if (shape == DB_EMPTY)
		return fail(ERR_NOTFOUND, "%s: an empty database; run `tuxtape parse` on it first", path);
	if (shape == DB_POC)
		return fail(ERR_DB, "%s: a database of the proof of concept; run `tuxtape parse` on it first", path);
	return fail(ERR_DB, "%s: of version %lld; run `tuxtape parse` on it, or start the server, to bring it to %d", path,
		    (long long)version, DB_VERSION);
}

int db_open(struct db **out, const char *path, enum db_mode mode, struct arena *a, const char **note)
{
	static const enum db_mode least[] = { [DB_EMPTY] = DB_CREATE, [DB_OURS] = DB_READ, [DB_POC] = DB_MIGRATE };
	enum db_shape shape;
	struct db *db = NULL;
	int64_t version;
	int err;

	if (note)
		*note = NULL;
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		if (mode != DB_CREATE)
			return fail(ERR_NOTFOUND, "%s: %s; `tuxtape parse` makes the database", path, strerror(ENOENT));
		if ((err = file_make_parents(path)))
			return err;
	}
	if ((err = db_open_raw(&db, path, mode != DB_READ, mode == DB_CREATE)) ||
	    (err = db_find_shape(db, &shape, &version)))
		goto out;
	if (mode < least[shape] || (shape == DB_OURS && version < DB_VERSION && mode < DB_MIGRATE))
		err = refuse(path, shape, version);
	else if (shape == DB_POC)
		err = take_over_poc(&db, path, a, note);
	else if (!(err = set_pragmas(db)) && version < DB_VERSION)
		err = shape == DB_EMPTY ? make_schema(db, NULL) : migrate(db, version, a, note);
out:
	if (err)
		db_close(db);
	else
		*out = db;
	return err;
}

/* The file stays, so it must not be root's alone where root is the first to need it. */
static int open_lock(const char *path, const char *db, int *fd)
{
	*fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (*fd >= 0)
		return file_give(*fd, db);
	if (errno == EEXIST)
		*fd = open(path, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? fail(ERR_SYS, "lock %s: %s", path, strerror(errno)) : 0;
}

int db_lock(const char *db, int *fd)
{
	char *path = xasprintf("%s.lock", db), pid[32] = "";
	int err = file_make_parents(db);

	*fd = -1;
	if (err || (err = open_lock(path, db, fd)))
		goto out;
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0) {
		if (read(*fd, pid, sizeof(pid) - 1) < 0)
			pid[0] = '\0';
		err = fail(ERR_SYS, "process %.*s is filling %s: nothing done", (int)strcspn(pid, "\n"), pid, db);
	} else if (ftruncate(*fd, 0) < 0 || dprintf(*fd, "%ld\n", (long)getpid()) < 0) {
		err = fail(ERR_SYS, "write %s: %s", path, strerror(errno));
	}
out:
	if (err && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	free(path);
	return err;
}
