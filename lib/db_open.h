/* What lib/db.c, lib/db_open.c and lib/db_backup.c lend each other: opening without checks, scripts, copying. Nobody else includes
 * this. */
#ifndef TUXTAPE_DB_OPEN_H
#define TUXTAPE_DB_OPEN_H

#include "lib/db.h"

/* What a file turned out to be; of a version that this build reads, where it is ours. */
enum db_shape { DB_EMPTY, DB_OURS, DB_POC };

/* Opens the file as it is: no schema, no version check. ERR_NOTFOUND where it is missing and not to be made; ERR_DB. */
int db_open_raw(struct db **out, const char *path, bool write, bool create);

/* Reads what the database is, and its version. ERR_DB where it is damaged, of a newer tuxtape, or somebody else's. */
int db_find_shape(struct db *db, enum db_shape *shape, int64_t *version);

/* Whether SQLite has found the file damaged, or to be no database at all. */
bool db_is_damaged(const struct db *db);

/* Runs several statements without parameters; `what` stands in the error. */
int db_script(struct db *db, const char *sql, const char *what);

/* Copies all of `from` over `to` by SQLite's online backup. */
int db_copy_into(struct db *from, struct db *to);

#endif
