/* What lib/db.c lends to lib/db_open.c: opening without checks, scripts, copying. Nobody else includes this. */
#ifndef TUXTAPE_DB_OPEN_H
#define TUXTAPE_DB_OPEN_H

#include "lib/db.h"

/* Opens the file as it is: no schema, no version check. */
int db_open_raw(struct db **out, const char *path, bool write, bool create);

/* Runs several statements without parameters; `what` stands in the error. */
int db_script(struct db *db, const char *sql, const char *what);

/* Copies all of `from` over `to` by SQLite's online backup. */
int db_copy_into(struct db *from, struct db *to);

#endif
