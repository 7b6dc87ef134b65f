/* The door to SQLite: open, migrate, run, and the mapper between messages and rows. SQL stands in lib/db*.c alone. */
#ifndef TUXTAPE_DB_H
#define TUXTAPE_DB_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/pb.h"

#define DB_VERSION 4 /* user_version of the schema that this build writes */

struct db;
struct db_rows;

enum db_mode {
	DB_READ,    /* must exist, nothing is written */
	DB_WRITE,   /* must exist */
	DB_MIGRATE, /* must exist; migrated when older; a proof of concept's database is taken over */
	DB_CREATE,  /* the same, and made when missing */
};

/* Opens and checks the database. DB_CREATE migrates (a copy PATH.vN is kept first) and moves a proof of concept's file to
 * PATH.poc after importing its configs; *note, when not NULL, gets a line to tell about that (arena), else NULL.
 * ERR_NOTFOUND where it is missing or empty, ERR_DB with one line else: newer schema, older schema without DB_CREATE, no database,
 * a WAL database in a directory one cannot write. */
int db_open(struct db **db, const char *path, enum db_mode mode, struct arena *a, const char **note);
void db_close(struct db *db); /* NULL is fine */
const char *db_path(const struct db *db);

/* One transaction at a time. db_rollback after a failure is safe at any point. */
int db_begin(struct db *db);
int db_begin_read(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);

/* Runs one statement that gives no rows. types tells the arguments: i int64_t, s const char * (NULL is NULL),
 * b ProtobufCBinaryData by value, d double. Statements are cached by the address of
 * their text, which must be a literal. */
int db_run(struct db *db, const char *sql, const char *types, ...);

/* Starts a query; then while (db_next(rows)) ...; then db_end(rows), which gives 0 or ERR_DB. One use of a text at a time. */
int db_query(struct db *db, struct db_rows **rows, const char *sql, const char *types, ...);
bool db_next(struct db_rows *rows);
int db_end(struct db_rows *rows);

/* Values of the row, columns from 0. Texts and bytes are the row's until db_next; NULL where the column is. */
bool db_is_null(struct db_rows *rows, int column);
int64_t db_int(struct db_rows *rows, int column);
double db_double(struct db_rows *rows, int column);
const char *db_text(struct db_rows *rows, int column);
ProtobufCBinaryData db_bytes(struct db_rows *rows, int column);

/* The texts of a query's first column, to its end; the query is ended. */
int db_texts(struct db_rows *rows, struct arena *a, size_t *n, const char ***texts);

/* A single number from a query; ERR_NOTFOUND where there is no row. */
int db_number(struct db *db, int64_t *out, const char *sql, const char *types, ...);

/* The mapper. Columns bear the names of the singular fields, in their order, "__" descending into messages. */

/* Appends "PREFIXname, PREFIXother__part, ...". */
void db_columns(struct buf *out, const ProtobufCMessageDescriptor *d, const char *prefix);

/* Inserts the keys (column names, comma-separated, "" for none; their values by types) and the message, or updates the row
 * that is there. */
int db_put(struct db *db, const char *table, const ProtobufCMessage *m, const char *keys, const char *types, ...);

/* SELECT of a message's columns, `extra` (NULL for none) and `tail` ("FROM cve AS m WHERE m.cve = ?"), in which the table is
 * called m. The message's columns come first; *extra_at, when not NULL, is the number of the first extra one. */
int db_select(struct db *db, struct db_rows **rows, const ProtobufCMessageDescriptor *d, const char *extra, int *extra_at,
	      const char *tail, const char *types, ...);

/* The same without the field of that name, for what is long and not wanted; NULL leaves nothing out. */
int db_select_but(struct db *db, struct db_rows **rows, const ProtobufCMessageDescriptor *d, const char *but,
		  const char *extra, int *extra_at, const char *tail, const char *types, ...);

/* The message of the row (of db_select), in the arena; texts copied. NULL where the arena's ceiling would be passed. */
void *db_message(struct db_rows *rows, struct arena *a, const ProtobufCMessageDescriptor *d);

/* meta: a value, in the arena; NULL where the key is not set. */
int db_meta_get(struct db *db, struct arena *a, const char *key, const char **value);
int db_meta_set(struct db *db, const char *key, const char *value); /* NULL deletes the key */

/* Copies the whole database at path, of any version that this build reads, into a file, checked, mode 0600. An older backup there is
 * replaced, and only by a complete copy; anything else that is there is ERR_USAGE. Safe while others write. */
int db_backup(const char *path, const char *to);

/* Checks that the file at path is a sound database of a version that this build reads. */
int db_check(const char *path);

/* Puts the contents of a backup, as they are, in the place of those of the database at path: in one transaction that its readers see
 * whole, where that is one of ours, and by a new file where it is missing, damaged or a proof of concept's. What stood there then is
 * kept, and *note gets a line about that (arena), else NULL. Files made by root get the owner of the old one or of the directory. The
 * parser's lock is held meanwhile. ERR_DB where the backup is damaged, ERR_NOTFOUND where there is none: nothing has changed then. */
int db_restore(const char *from, const char *path, struct arena *a, const char **note);

/* Takes the lock that keeps two writers of the parser's tables apart (PATH.lock); it ends with the process or close(*fd).
 * ERR_SYS where another process has it. */
int db_lock(const char *path, int *fd);

/* A number that changes whenever another connection has written. */
int db_data_version(struct db *db, int64_t *version);

#endif
