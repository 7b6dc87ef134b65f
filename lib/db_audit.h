/* The audit log: append-only, each entry chained to the one before by SHA-256, so that a change of what is past shows. */
#ifndef TUXTAPE_DB_AUDIT_H
#define TUXTAPE_DB_AUDIT_H

#include "lib/db.h"

/* The canonical text of what happened, "key=value" separated by tabs, is made by adding one value after another; values are made printable, so
 * that no tab or line feed is in them. */
void audit_say(struct buf *what, const char *key, const char *value);
void audit_say_number(struct buf *what, const char *key, uint64_t value);

/* The head that an entry has. */
void audit_head(char head[65], const char *previous, const char *what);

/* Checks one entry against the one before it (NULL: it is the first). ERR_INPUT with the entry and what is wrong. */
int audit_check(const AuditEntry *entry, const AuditEntry *before);

/* Appends an entry. Needs an open transaction. */
int db_audit_add(struct db *db, struct arena *a, const char *what);

/* Entries from number `from` on, `most` at once. */
int db_audit_list(struct db *db, struct arena *a, uint64_t from, size_t most, AuditList *out);

/* The newest entry; NULL where there is none. */
int db_audit_newest(struct db *db, struct arena *a, AuditEntry **out);

#endif
