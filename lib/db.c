/* Owns the handle of SQLite, its statements and the mapper between messages and rows. Refuses databases of a newer tuxtape
 * and files that are none. The one file that includes sqlite3.h; the queries stand in lib/db_*.c. */
#include "lib/db.h"

#include "lib/buf.h"
#include "lib/db_open.h"
#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 30000
#define KEYS 4 /* parts of a statement's key */

/* A statement is found again by its text, or by what its text was made from. */
struct db_rows {
	struct db_rows *next;
	struct db *db;
	sqlite3_stmt *stmt;
	const void *key[KEYS];
	char *sql;
	int result;
	bool running;
};

struct db {
	sqlite3 *handle;
	char *path;
	struct db_rows *statements;
	bool in_transaction, damaged;
};

static int db_fail(struct db *db, const char *what)
{
	int code = sqlite3_extended_errcode(db->handle);
	const char *hint = "";

	db->damaged |= (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
	if ((code & 0xff) == SQLITE_FULL)
		hint = "; free some space and run again, nothing is lost";
	else if ((code & 0xff) == SQLITE_READONLY)
		hint = "; it or its directory cannot be written by this user";
	else if (db->damaged)
		hint = "; restore a backup with `tuxtape restore`";
	else if ((code & 0xff) == SQLITE_BUSY)
		hint = "; another process keeps it locked";
	return fail(ERR_DB, "%s: %s: %s%s", db->path, what, sqlite3_errmsg(db->handle), hint);
}

const char *db_path(const struct db *db)
{
	return db->path;
}

bool db_is_damaged(const struct db *db)
{
	return db->damaged;
}

/* SQLite says the same of all that it cannot open. */
static int look_at_file(const char *path, bool create)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT && create)
			return 0;
		return fail(errno == ENOENT ? ERR_NOTFOUND : ERR_DB, "%s: %s", path, strerror(errno));
	}
	if (!S_ISREG(st.st_mode))
		return fail(ERR_DB, "%s: %s, where the file of a database is wanted", path,
			    S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
	return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0 ? fail(ERR_DB, "%s: %s", path, strerror(errno)) : 0;
}

int db_open_raw(struct db **out, const char *path, bool write, bool create)
{
	int flags = write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	struct db *db;
	int err = look_at_file(path, create);

	if (err)
		return err;
	db = xcalloc(1, sizeof(*db));
	db->path = xstrdup(path);
	if (create)
		flags |= SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK) {
		err = db_fail(db, "open");
		db_close(db);
		return err;
	}
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	/* A hostile database file must not run code through its schema. */
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	*out = db;
	return 0;
}

int db_script(struct db *db, const char *sql, const char *what)
{
	return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(db, what);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	while (db->statements) {
		struct db_rows *s = db->statements;

		db->statements = s->next;
		sqlite3_finalize(s->stmt);
		free(s->sql);
		free(s);
	}
	sqlite3_close(db->handle);
	free(db->path);
	free(db);
}

static int run_plain(struct db *db, const char *sql)
{
	return db_run(db, sql, "");
}

int db_begin(struct db *db)
{
	/* IMMEDIATE: a transaction that reads first and writes later could not wait for another writer. */
	int err = run_plain(db, "BEGIN IMMEDIATE");

	db->in_transaction = err == 0;
	return err;
}

int db_begin_read(struct db *db)
{
	int err = run_plain(db, "BEGIN");

	db->in_transaction = err == 0;
	return err;
}

int db_commit(struct db *db)
{
	int err = run_plain(db, "COMMIT");

	if (err)
		return err;
	db->in_transaction = false;
	return 0;
}

void db_rollback(struct db *db)
{
	/* SQLite itself rolls back after some errors, such as a full disk: then there is nothing left to do. The text of the
	 * error that led here stays. */
	if (db && db->in_transaction && !sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	if (db)
		db->in_transaction = false;
}

static struct db_rows *statement_find(struct db *db, const void *const key[KEYS])
{
	for (struct db_rows *s = db->statements; s; s = s->next)
		if (memcmp(s->key, key, sizeof(s->key)) == 0)
			return s;
	return NULL;
}

static int statement_make(struct db *db, struct db_rows **out, const char *sql, const void *const key[KEYS])
{
	struct db_rows *s;
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
		return db_fail(db, sql);
	s = xcalloc(1, sizeof(*s));
	*s = (struct db_rows){ .next = db->statements, .db = db, .stmt = stmt, .sql = xstrdup(sql) };
	memcpy(s->key, key, sizeof(s->key));
	db->statements = s;
	*out = s;
	return 0;
}

static void bind_values(struct db_rows *s, int at, const char *types, va_list ap)
{
	for (; *types; types++, at++) {
		ProtobufCBinaryData bytes;
		const char *text;

		switch (*types) {
		case 'i':
			sqlite3_bind_int64(s->stmt, at, va_arg(ap, int64_t));
			break;
		case 'd':
			sqlite3_bind_double(s->stmt, at, va_arg(ap, double));
			break;
		case 'b':
			bytes = va_arg(ap, ProtobufCBinaryData);
			sqlite3_bind_blob64(s->stmt, at, bytes.len ? (const void *)bytes.data : "", bytes.len,
					    SQLITE_STATIC);
			break;
		default:
			text = va_arg(ap, const char *);
			sqlite3_bind_text(s->stmt, at, text, -1, SQLITE_STATIC);
			break;
		}
	}
}

static int statement_finish(struct db_rows *s)
{
	bool good = s->result == SQLITE_DONE || s->result == SQLITE_ROW || s->result == SQLITE_OK;
	int err = good ? 0 : db_fail(s->db, "query");

	sqlite3_reset(s->stmt);
	sqlite3_clear_bindings(s->stmt);
	s->running = false;
	return err;
}

static int statement_get(struct db *db, struct db_rows **out, const char *sql)
{
	const void *const key[KEYS] = { sql };
	struct db_rows *s = statement_find(db, key);
	int err;

	if (!s && (err = statement_make(db, &s, sql, key)))
		return err;
	if (s->running)
		statement_finish(s);
	s->running = true;
	s->result = SQLITE_OK;
	*out = s;
	return 0;
}

static int statement_run(struct db_rows *s)
{
	while (db_next(s))
		;
	return db_end(s);
}

int db_run(struct db *db, const char *sql, const char *types, ...)
{
	struct db_rows *s;
	va_list ap;
	int err;

	if ((err = statement_get(db, &s, sql)))
		return err;
	va_start(ap, types);
	bind_values(s, 1, types, ap);
	va_end(ap);
	return statement_run(s);
}

int db_query(struct db *db, struct db_rows **rows, const char *sql, const char *types, ...)
{
	va_list ap;
	int err;

	if ((err = statement_get(db, rows, sql)))
		return err;
	va_start(ap, types);
	bind_values(*rows, 1, types, ap);
	va_end(ap);
	return 0;
}

int db_number(struct db *db, int64_t *out, const char *sql, const char *types, ...)
{
	struct db_rows *s;
	bool found;
	va_list ap;
	int err;

	if ((err = statement_get(db, &s, sql)))
		return err;
	va_start(ap, types);
	bind_values(s, 1, types, ap);
	va_end(ap);
	found = db_next(s);
	if (found)
		*out = db_int(s, 0);
	if ((err = db_end(s)))
		return err;
	return found ? 0 : fail(ERR_NOTFOUND, "%s: no such row", db->path);
}

bool db_next(struct db_rows *s)
{
	s->result = sqlite3_step(s->stmt);
	return s->result == SQLITE_ROW;
}

int db_end(struct db_rows *s)
{
	return statement_finish(s);
}

bool db_is_null(struct db_rows *s, int column)
{
	return sqlite3_column_type(s->stmt, column) == SQLITE_NULL;
}

int64_t db_int(struct db_rows *s, int column)
{
	return sqlite3_column_int64(s->stmt, column);
}

double db_double(struct db_rows *s, int column)
{
	return sqlite3_column_double(s->stmt, column);
}

const char *db_text(struct db_rows *s, int column)
{
	return (const char *)sqlite3_column_text(s->stmt, column);
}

ProtobufCBinaryData db_bytes(struct db_rows *s, int column)
{
	const void *data = sqlite3_column_blob(s->stmt, column);

	/* protobuf-c's bytes are not const; nobody writes to a row's. */
	return (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)data,
				      .len = (size_t)sqlite3_column_bytes(s->stmt, column) };
}

/* Calls itself for messages inside; names gets each column once, in field order, NULL in the place of `but`. */
static void columns_of(struct buf *out, const ProtobufCMessageDescriptor *d, const char *prefix, const char *path,
		       const char *but)
{
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];

		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			continue;
		if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
			struct buf inner = { 0 };

			buf_printf(&inner, "%s%s__", path, f->name);
			columns_of(out, f->descriptor, prefix, inner.data, NULL);
			buf_free(&inner);
		} else if (but && strcmp(f->name, but) == 0) {
			buf_printf(out, "%sNULL", out->len ? ", " : "");
		} else {
			buf_printf(out, "%s%s%s%s", out->len ? ", " : "", prefix, path, f->name);
		}
	}
}

static void add_columns(struct buf *out, const ProtobufCMessageDescriptor *d, const char *prefix, const char *but)
{
	struct buf names = { 0 };

	columns_of(&names, d, prefix, "", but);
	buf_add(out, names.data, names.len);
	buf_free(&names);
}

void db_columns(struct buf *out, const ProtobufCMessageDescriptor *d, const char *prefix)
{
	add_columns(out, d, prefix, NULL);
}

static void bind_field(sqlite3_stmt *stmt, int at, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const void *v = pb_field(m, f);
	const ProtobufCBinaryData *bytes = v;

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		sqlite3_bind_text(stmt, at, *(const char *const *)v, -1, SQLITE_STATIC);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		sqlite3_bind_blob64(stmt, at, bytes->len ? (const void *)bytes->data : "", bytes->len, SQLITE_STATIC);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		sqlite3_bind_double(stmt, at, *(const double *)v);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
		sqlite3_bind_int64(stmt, at, *(const int64_t *)v);
		break;
	case PROTOBUF_C_TYPE_UINT32:
		sqlite3_bind_int64(stmt, at, *(const uint32_t *)v);
		break;
	default:
		sqlite3_bind_int64(stmt, at, *(const int32_t *)v);
		break;
	}
}

/* m NULL: an absent message, whose columns are all NULL. Returns the next free parameter. */
static int bind_message(sqlite3_stmt *stmt, int at, const ProtobufCMessage *m, const ProtobufCMessageDescriptor *d)
{
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];

		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			continue;
		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			at = bind_message(stmt, at, m ? *(ProtobufCMessage *const *)pb_field(m, f) : NULL, f->descriptor);
		else if (m && pb_has(m, f))
			bind_field(stmt, at++, m, f);
		else
			sqlite3_bind_null(stmt, at++);
	}
	return at;
}

/* An upsert and not REPLACE, which would delete the row first and with it, by cascade, all that hangs on it. */
static void put_sql(struct buf *sql, const char *table, const char *columns)
{
	const char *c = columns, *sep = "";

	buf_printf(sql, "INSERT INTO %s (%s) VALUES (?", table, columns);
	for (const char *comma = columns; (comma = strchr(comma, ',')); comma++)
		buf_adds(sql, ", ?");
	buf_adds(sql, ") ON CONFLICT DO UPDATE SET ");
	while (*c) {
		int n = (int)strcspn(c, ",");

		buf_printf(sql, "%s%.*s = excluded.%.*s", sep, n, c, n, c);
		sep = ", ";
		c += n;
		c += strspn(c, ", ");
	}
}

static int put_statement(struct db *db, struct db_rows **out, const char *table, const ProtobufCMessageDescriptor *d,
			 const char *keys)
{
	const void *const key[KEYS] = { table, d, keys };
	struct buf columns = { 0 }, sql = { 0 };
	int err;

	*out = statement_find(db, key);
	if (*out)
		return 0;
	if (*keys)
		buf_printf(&columns, "%s, ", keys);
	db_columns(&columns, d, "");
	put_sql(&sql, table, columns.data);
	err = statement_make(db, out, sql.data, key);
	buf_free(&columns);
	buf_free(&sql);
	return err;
}

int db_put(struct db *db, const char *table, const ProtobufCMessage *m, const char *keys, const char *types, ...)
{
	struct db_rows *s;
	va_list ap;
	int err;

	if ((err = put_statement(db, &s, table, m->descriptor, keys)))
		return err;
	va_start(ap, types);
	bind_values(s, 1, types, ap);
	va_end(ap);
	bind_message(s->stmt, 1 + (int)strlen(types), m, m->descriptor);
	return statement_run(s);
}

static int count_columns(const ProtobufCMessageDescriptor *d)
{
	int n = 0;

	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];

		if (f->label != PROTOBUF_C_LABEL_REPEATED)
			n += f->type == PROTOBUF_C_TYPE_MESSAGE ? count_columns(f->descriptor) : 1;
	}
	return n;
}

static int select_statement(struct db *db, struct db_rows **out, const ProtobufCMessageDescriptor *d, const char *but,
			    const char *extra, const char *tail)
{
	const void *const key[KEYS] = { d, but, extra, tail };
	struct buf sql = { 0 };
	int err;

	*out = statement_find(db, key);
	if (*out)
		return 0;
	buf_adds(&sql, "SELECT ");
	add_columns(&sql, d, "m.", but);
	buf_printf(&sql, "%s%s %s", extra ? ", " : "", extra ? extra : "", tail);
	err = statement_make(db, out, sql.data, key);
	buf_free(&sql);
	return err;
}

static int select_rows(struct db *db, struct db_rows **rows, const ProtobufCMessageDescriptor *d, const char *but,
		       const char *extra, int *extra_at, const char *tail, const char *types, va_list ap)
{
	struct db_rows *s;
	int err = select_statement(db, &s, d, but, extra, tail);

	if (err)
		return err;
	if (s->running)
		statement_finish(s);
	s->running = true;
	s->result = SQLITE_OK;
	bind_values(s, 1, types, ap);
	if (extra_at)
		*extra_at = count_columns(d);
	*rows = s;
	return 0;
}

int db_select(struct db *db, struct db_rows **rows, const ProtobufCMessageDescriptor *d, const char *extra, int *extra_at,
	      const char *tail, const char *types, ...)
{
	va_list ap;
	int err;

	va_start(ap, types);
	err = select_rows(db, rows, d, NULL, extra, extra_at, tail, types, ap);
	va_end(ap);
	return err;
}

int db_select_but(struct db *db, struct db_rows **rows, const ProtobufCMessageDescriptor *d, const char *but,
		  const char *extra, int *extra_at, const char *tail, const char *types, ...)
{
	va_list ap;
	int err;

	va_start(ap, types);
	err = select_rows(db, rows, d, but, extra, extra_at, tail, types, ap);
	va_end(ap);
	return err;
}

static void read_field(sqlite3_value *value, struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	void *v = pb_field(m, f);
	const void *data;

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		data = sqlite3_value_text(value);
		*(char **)v = arena_memdup(a, data, (size_t)sqlite3_value_bytes(value));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		data = sqlite3_value_blob(value);
		*(ProtobufCBinaryData *)v = pb_bytes(a, data, (size_t)sqlite3_value_bytes(value));
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)v = sqlite3_value_double(value);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
		*(int64_t *)v = sqlite3_value_int64(value);
		break;
	default:
		*(int32_t *)v = (int32_t)sqlite3_value_int64(value);
		break;
	}
	pb_set_has(m, f);
}

/* *m is made when the first column that is set is met: a message inside is there when any of its columns is. A column is fetched
 * once, as a value; to ask the row for type, length and contents takes three times as long. SQLite's values of columns are safe in one
 * thread only, which is all that a process has here. Returns the next column. */
static int read_message(struct db_rows *s, int at, struct arena *a, const ProtobufCMessageDescriptor *d,
			ProtobufCMessage **m)
{
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		ProtobufCMessage *inner = NULL;
		sqlite3_value *value;

		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			continue;
		if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
			at = read_message(s, at, a, f->descriptor, &inner);
			if (inner && (*m || (*m = pb_new(a, d))))
				*(ProtobufCMessage **)pb_field(*m, f) = inner;
			continue;
		}
		value = sqlite3_column_value(s->stmt, at++);
		if (sqlite3_value_type(value) != SQLITE_NULL && (*m || (*m = pb_new(a, d))))
			read_field(value, a, *m, f);
	}
	return at;
}

void *db_message(struct db_rows *s, struct arena *a, const ProtobufCMessageDescriptor *d)
{
	ProtobufCMessage *m = pb_new(a, d);

	if (m)
		read_message(s, 0, a, d, &m);
	return m;
}

int db_texts(struct db_rows *rows, struct arena *a, size_t *n, const char ***texts)
{
	*n = 0;
	*texts = NULL;
	while (db_next(rows))
		*(const char **)arena_grow(a, (void **)texts, n, sizeof(**texts)) = arena_strdup(a, db_text(rows, 0));
	return db_end(rows);
}

int db_data_version(struct db *db, int64_t *version)
{
	return db_number(db, version, "PRAGMA data_version", "");
}

int db_copy_into(struct db *from, struct db *to)
{
	sqlite3_backup *copy = sqlite3_backup_init(to->handle, "main", from->handle, "main");
	int rc;

	if (!copy)
		return db_fail(to, "copy");
	/* A page batch at a time lets writers of the source go on between them. */
	do {
		rc = sqlite3_backup_step(copy, 1024);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
			sqlite3_sleep(20);
	} while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
	sqlite3_backup_finish(copy);
	return rc == SQLITE_DONE ? 0 : db_fail(to, "copy");
}

int db_meta_get(struct db *db, struct arena *a, const char *key, const char **value)
{
	struct db_rows *rows;
	int err = db_query(db, &rows, "SELECT value FROM meta WHERE key = ?", "s", key);

	if (err)
		return err;
	*value = db_next(rows) ? arena_strdup(a, db_text(rows, 0)) : NULL;
	return db_end(rows);
}

int db_meta_set(struct db *db, const char *key, const char *value)
{
	if (!value)
		return db_run(db, "DELETE FROM meta WHERE key = ?", "s", key);
	return db_run(db, "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
		      "ss", key, value);
}
