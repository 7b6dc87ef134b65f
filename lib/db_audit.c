/* Owns the audit log's chain: how an entry's text is made, hashed, stored and checked. Refuses an entry that does not follow. */
#include "lib/db_audit.h"

#include "lib/err.h"
#include "lib/hash.h"
#include "lib/str.h"

static const char nothing_before[HASH_TEXT] = "0000000000000000000000000000000000000000000000000000000000000000";

void audit_say(struct buf *what, const char *key, const char *value)
{
	buf_printf(what, "%s%s=", what->len ? "\t" : "", key);
	str_printable(what, value, strlen(value));
}

void audit_say_number(struct buf *what, const char *key, uint64_t value)
{
	buf_printf(what, "%s%s=%llu", what->len ? "\t" : "", key, (unsigned long long)value);
}

void audit_head(char head[HASH_TEXT], const char *previous, const char *what)
{
	struct buf both = { 0 };

	buf_printf(&both, "%s\n%s", previous, what);
	hash_text(head, both.data, both.len);
	buf_free(&both);
}

int audit_check(const AuditEntry *e, const AuditEntry *before)
{
	unsigned long long number = (unsigned long long)e->entry;
	char head[HASH_TEXT];

	if (!e->previous || !e->what || !e->head)
		return fail(ERR_INPUT, "audit entry %llu is not whole", number);
	if (e->entry != (before ? before->entry + 1 : 1))
		return fail(ERR_INPUT, "audit entry %llu follows entry %llu: entries are missing", number,
			    before ? (unsigned long long)before->entry : 0);
	if (strcmp(e->previous, before ? before->head : nothing_before) != 0)
		return fail(ERR_INPUT, "audit entry %llu does not follow entry %llu: one of them was changed", number,
			    number - 1);
	audit_head(head, e->previous, e->what);
	if (strcmp(head, e->head) != 0)
		return fail(ERR_INPUT, "audit entry %llu was changed: its text does not give its head", number);
	return 0;
}

static int read_entries(struct db_rows *rows, struct arena *a, AuditList *out)
{
	while (db_next(rows))
		PB_ADD_MSG(a, out, entries, db_message(rows, a, &audit_entry__descriptor));
	return db_end(rows);
}

int db_audit_list(struct db *db, struct arena *a, uint64_t from, size_t most, AuditList *out)
{
	struct db_rows *rows;
	int err = db_select(db, &rows, &audit_entry__descriptor, NULL, NULL,
			    "FROM audit AS m WHERE m.entry >= ? ORDER BY m.entry LIMIT ?", "ii", (int64_t)from,
			    (int64_t)most);

	return err ? err : read_entries(rows, a, out);
}

int db_audit_newest(struct db *db, struct arena *a, AuditEntry **out)
{
	AuditList list = AUDIT_LIST__INIT;
	struct db_rows *rows;
	int err = db_select(db, &rows, &audit_entry__descriptor, NULL, NULL, "FROM audit AS m ORDER BY m.entry DESC LIMIT 1",
			    "");

	if (!err)
		err = read_entries(rows, a, &list);
	*out = !err && list.n_entries ? list.entries[0] : NULL;
	return err;
}

int db_audit_add(struct db *db, struct arena *a, const char *what)
{
	char head[HASH_TEXT];
	const char *previous;
	AuditEntry *last;
	int err = db_audit_newest(db, a, &last);

	if (err)
		return err;
	previous = last ? last->head : nothing_before;
	audit_head(head, previous, what);
	return db_run(db, "INSERT INTO audit (entry, previous, what, head) VALUES (?, ?, ?, ?)", "isss",
		      (int64_t)(last ? last->entry + 1 : 1), previous, what, head);
}
