/* Owns backups: a database into one file and back. Refuses a damaged backup, and to write over what is no backup. */
#include "lib/db_open.h"

#include "lib/err.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE_MOST 1000

/* What SQLite keeps beside a database. */
static const char *const parts[] = { "-wal", "-shm", "-journal" };

/* A sound database of ours, of whatever version. */
static int check_sound(struct db *db)
{
	struct db_rows *rows;
	enum db_shape shape;
	int64_t version;
	int err;

	if ((err = db_find_shape(db, &shape, &version)))
		return err;
	if (shape != DB_OURS)
		return fail(ERR_DB, "%s: not a database of this tuxtape", db_path(db));
	if ((err = db_query(db, &rows, "PRAGMA quick_check(1)", "")))
		return err;
	if (db_next(rows) && strcmp(db_text(rows, 0), "ok") != 0)
		err = fail(ERR_DB, "%s: damaged: %s", db_path(db), db_text(rows, 0));
	return db_end(rows) ? ERR_DB : err;
}

static int open_sound(struct db **out, const char *path)
{
	struct db *db = NULL;
	int err;

	if ((err = db_open_raw(&db, path, false, false)))
		return err;
	if ((err = check_sound(db)))
		db_close(db);
	else
		*out = db;
	return err;
}

int db_check(const char *path)
{
	struct db *db = NULL;
	int err = open_sound(&db, path);

	if (!err)
		db_close(db);
	return err;
}

/* ---- Copying */

/* A journal that is left would be played into the next file of that name. */
static void forget(const char *path)
{
	unlink(path);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *part = xasprintf("%s%s", path, parts[i]);

		unlink(part);
		free(part);
	}
}

/* Takes the name with its final mode and owner before SQLite writes the first byte. */
static int take_name(const char *path, const char *as)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, as ? 0644 : 0600);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return fail(ERR_SYS, "%s: %s", path, strerror(errno));
	if (as && !(err = file_give(fd, as)) && stat(as, &st) == 0 && fchmod(fd, st.st_mode & 0777) < 0)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	close(fd);
	return err;
}

/* Copies the database into a new file, whole and checked. as: in whose place it will stand, with that one's mode and owner (those of a new
 * one where it is missing), and with a write-ahead log. NULL: a single file that travels, and can be read where nothing can be
 * written. */
static int copy_to(struct db *db, const char *made, const char *as)
{
	struct db *copy = NULL;
	int err;

	forget(made);
	if ((err = take_name(made, as)) || (err = db_open_raw(&copy, made, true, false)) || (err = db_begin_read(db)))
		goto out;
	err = db_copy_into(db, copy);
	db_rollback(db);
	if (err || (err = db_script(copy, "PRAGMA journal_mode = DELETE", "copy")) || (err = check_sound(copy)) ||
	    (as && (err = db_script(copy, "PRAGMA journal_mode = WAL", "copy"))))
		goto out;
	/* Closing folds a log in. */
	db_close(copy);
	copy = NULL;
	err = file_sync(made);
out:
	db_close(copy);
	if (err)
		forget(made);
	return err;
}

static int put_in_place(const char *made, const char *path)
{
	return rename(made, path) < 0 ? fail(ERR_SYS, "rename %s to %s: %s", made, path, strerror(errno)) : 0;
}

static bool same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

/* Backups alone are replaced, which begin as SQLite's file format says, and have no write-ahead log: a database that somebody works on
 * must not be taken away from under its log. An empty file has nothing to lose. */
static int check_replaced(const char *path, const char *to)
{
	static const char magic[16] = "SQLite format 3";
	char head[20];
	struct stat st;
	ssize_t n;
	int fd;

	if (same_file(path, to))
		return fail(ERR_USAGE, "%s is the database itself; name another file for its backup", to);
	if (lstat(to, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return fail(ERR_USAGE, "%s is a directory; name a file in it", to);
	fd = open(to, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fail(ERR_SYS, "%s: %s", to, strerror(errno));
	n = read(fd, head, sizeof(head));
	close(fd);
	if (n == 0 && S_ISREG(st.st_mode))
		return 0;
	if (n < (ssize_t)sizeof(head) || memcmp(head, magic, sizeof(magic)) != 0)
		return fail(ERR_USAGE, "%s is there and is no backup; name another file", to);
	/* Bytes 18 and 19 are the format's versions for writing and reading: 1, or 2 with a write-ahead log. */
	if (head[18] != 1 || head[19] != 1)
		return fail(ERR_USAGE, "%s is a database that is worked on, and no backup; name another file", to);
	return 0;
}

int db_backup(const char *path, const char *to)
{
	char *made = xasprintf("%s.partial", to);
	enum db_shape shape;
	struct db *db = NULL;
	int64_t version;
	int err;

	if ((err = db_open_raw(&db, path, false, false)) || (err = db_find_shape(db, &shape, &version)))
		goto out;
	if (shape != DB_OURS)
		err = fail(shape == DB_EMPTY ? ERR_NOTFOUND : ERR_DB, "%s: %s; there is nothing to copy yet", path,
			   shape == DB_EMPTY ? "an empty database" : "a database of the proof of concept");
	else if (!(err = check_replaced(path, to)) && !(err = copy_to(db, made, NULL)) && (err = put_in_place(made, to)))
		unlink(made);
out:
	db_close(db);
	free(made);
	return err;
}

/* ---- Putting back */

/* What is where a backup is to go. */
enum place { PLACE_FREE, PLACE_OURS, PLACE_DAMAGED, PLACE_POC };

static int find_place(const char *path, enum place *place)
{
	static const enum place places[] = { [DB_EMPTY] = PLACE_OURS, [DB_OURS] = PLACE_OURS, [DB_POC] = PLACE_POC };
	enum db_shape shape = DB_EMPTY;
	struct db *db = NULL;
	int64_t version;
	int err = db_open_raw(&db, path, true, false);

	*place = PLACE_FREE;
	if (err)
		return err == ERR_NOTFOUND ? 0 : err;
	err = db_find_shape(db, &shape, &version);
	*place = db_is_damaged(db) ? PLACE_DAMAGED : places[shape];
	if (*place == PLACE_DAMAGED)
		err = 0;
	db_close(db);
	return err;
}

static bool is_free(const char *path)
{
	struct stat st;
	bool is = lstat(path, &st) < 0;

	for (size_t i = 0; i < ARRAY_LEN(parts) && is; i++) {
		char *part = xasprintf("%s%s", path, parts[i]);

		is = lstat(part, &st) < 0;
		free(part);
	}
	return is;
}

/* The first name of the kind PATH.bad, PATH.bad.2, ... that nothing has. */
static int find_free(const char *path, const char *suffix, char **name)
{
	for (unsigned n = 1; n < ASIDE_MOST; n++) {
		*name = n == 1 ? xasprintf("%s.%s", path, suffix) : xasprintf("%s.%s.%u", path, suffix, n);
		if (is_free(*name))
			return 0;
		free(*name);
	}
	*name = NULL;
	return fail(ERR_DB, "%s: %u and more files %s.%s.N are in the way; move them", path, ASIDE_MOST - 1, path, suffix);
}

/* Takes what stands beside the database away from it: a log that stays would be played into the one that comes. The database itself gets
 * a second name, and has its first until the new one takes that. *any: something was there. */
static int put_aside(const char *path, const char *aside, bool *any)
{
	int err = 0;

	*any = false;
	for (size_t i = 0; i < ARRAY_LEN(parts) && !err; i++) {
		char *from = xasprintf("%s%s", path, parts[i]), *to = xasprintf("%s%s", aside, parts[i]);

		if (rename(from, to) == 0)
			*any = true;
		else if (errno != ENOENT)
			err = fail(ERR_SYS, "move %s to %s: %s", from, to, strerror(errno));
		free(from);
		free(to);
	}
	if (err)
		return err;
	/* Not every file system has second names. */
	if (link(path, aside) == 0 || (errno != ENOENT && rename(path, aside) == 0))
		*any = true;
	else if (errno != ENOENT)
		return fail(ERR_SYS, "move %s to %s: %s", path, aside, strerror(errno));
	return 0;
}

static int restore_anew(struct db *backup, const char *path, enum place place, struct arena *a, const char **note)
{
	static const struct {
		const char *suffix, *what;
	} asides[] = {
		[PLACE_FREE] = { "bad", "what a database that is gone left beside it" },
		[PLACE_DAMAGED] = { "bad", "the damaged database" },
		[PLACE_POC] = { "poc", "the proof of concept's database" },
	};
	char *made = xasprintf("%s.new", path), *aside = NULL;
	bool any;
	int err;

	if ((err = find_free(path, asides[place].suffix, &aside)) || (err = copy_to(backup, made, path)))
		goto out;
	if ((err = put_aside(path, aside, &any)) || (err = put_in_place(made, path)))
		forget(made);
	else if (any)
		*note = arena_printf(a, "%s is kept as %s; restart what still has it open", asides[place].what, aside);
out:
	free(made);
	free(aside);
	return err;
}

static int restore_over(struct db *backup, const char *path)
{
	struct db *db = NULL;
	int err = db_open_raw(&db, path, true, false);

	if (!err && !(err = db_script(db, "PRAGMA journal_mode = WAL", "restore")))
		err = db_copy_into(backup, db);
	db_close(db);
	return err;
}

int db_restore(const char *from, const char *path, struct arena *a, const char **note)
{
	struct db *backup = NULL;
	enum place place;
	int lock = -1;
	int err;

	*note = NULL;
	if (same_file(from, path))
		return fail(ERR_USAGE, "%s is the database itself; name a backup of it", from);
	/* Nothing is touched before the backup is known to be sound. */
	if ((err = open_sound(&backup, from)) || (err = db_lock(path, &lock)) || (err = find_place(path, &place)))
		goto out;
	err = place == PLACE_OURS ? restore_over(backup, path) : restore_anew(backup, path, place, a, note);
out:
	db_close(backup);
	if (lock >= 0)
		close(lock);
	return err;
}
