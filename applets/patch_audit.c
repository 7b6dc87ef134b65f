/* Owns the audit log as people see it: printed, and checked against a head that one knows and against the patches that it tells of. */
#include "applets/patch.h"

#include "lib/db_audit.h"
#include "lib/err.h"
#include "lib/patch_state.h"
#include "lib/str.h"

#include <stdio.h>

/* Patches and log are read one after the other, and somebody may write in between. */
#define TRIES 3

static int read_audit(struct patch_run *r, AuditList *out)
{
	FetchAuditRequest q = FETCH_AUDIT_REQUEST__INIT;
	int err = patch_source(r);

	if (err)
		return err;
	if (r->source.db)
		return db_audit_list(r->source.db, r->arena, 1, INT64_MAX, out);
	return patch_gather(r, RPC_FETCH_AUDIT, &q.base, (void ***)&out->entries, &out->n_entries);
}

/* The chain must hold, and where a head is named, as an earlier log or the server's own log tells it, an entry must have it. */
static int check_chain(const struct patch_run *r, const AuditList *list)
{
	bool met = !r->o->head;

	for (size_t i = 0; i < list->n_entries; i++) {
		int err = audit_check(list->entries[i], i ? list->entries[i - 1] : NULL);

		if (err)
			return err;
		met |= r->o->head && strcmp(list->entries[i]->head, r->o->head) == 0;
	}
	return met ? 0
		   : fail(ERR_INPUT, "no entry of the audit log has the head %s: the log was cut off or rewritten",
			  r->o->head);
}

/* Does the entry say "key=value"? */
static bool says(const AuditEntry *e, const char *key, const char *value)
{
	size_t key_len = strlen(key), n = strlen(value);

	for (const char *p = e->what; *p;) {
		size_t len = strcspn(p, "\t");

		if (len == key_len + 1 + n && memcmp(p, key, key_len) == 0 && p[key_len] == '=' &&
		    memcmp(p + key_len + 1, value, n) == 0)
			return true;
		p += len + (p[len] == '\t');
	}
	return false;
}

/* The last entry of a patch tells what it must be. */
static int check_patch(struct arena *a, const AuditList *list, const PatchRecord *p)
{
	unsigned long long id = (unsigned long long)p->patch;
	const char *number = arena_printf(a, "%llu", id);
	size_t i = list->n_entries;

	while (i > 0 && !says(list->entries[i - 1], "patch", number))
		i--;
	if (i == 0)
		return fail(ERR_INPUT, "no entry of the audit log is about patch %llu: it was not made by a server", id);
	if (says(list->entries[i - 1], "to", patch_state_word((int)p->state)) &&
	    says(list->entries[i - 1], "revision", arena_printf(a, "%u", p->revision)) &&
	    says(list->entries[i - 1], "sha256", p->sha256))
		return 0;
	return fail(ERR_INPUT, "patch %llu is not what entry %llu of the audit log left: its row was changed", id,
		    (unsigned long long)list->entries[i - 1]->entry);
}

static int verify_once(struct patch_run *r, AuditList *list)
{
	FetchPatchesRequest q = FETCH_PATCHES_REQUEST__INIT;
	PatchList patches = PATCH_LIST__INIT;
	int err;

	*list = (AuditList)AUDIT_LIST__INIT;
	if ((err = patch_records(r, &q, &patches)) || (err = read_audit(r, list)) || (err = check_chain(r, list)))
		return err;
	for (size_t i = 0; !err && i < patches.n_patches; i++)
		err = check_patch(r->arena, list, patches.patches[i]);
	return err;
}

static int verify(struct patch_run *r, AuditList *list)
{
	int err = verify_once(r, list);

	for (int i = 1; err == ERR_INPUT && i < TRIES; i++)
		err = verify_once(r, list);
	return err;
}

static void print_audit(struct arena *a, const AuditList *list)
{
	for (size_t i = 0; i < list->n_entries; i++) {
		const AuditEntry *e = list->entries[i];
		char *what = arena_strdup(a, e->what ? e->what : "");

		for (char *c = what; *c; c++)
			*c = *c == '\t' ? ' ' : *c;
		printf("%llu %s %s\n", (unsigned long long)e->entry, e->head ? patch_shown(a, e->head) : "",
		       patch_shown(a, what));
	}
}

int patch_audit(struct patch_run *r)
{
	AuditList list = AUDIT_LIST__INIT;
	int err;

	if (r->o->head && (!r->o->verify || !str_is_hex(r->o->head, 64)))
		return fail(ERR_USAGE, "--head takes the 64 hex digits of a head, and --verify with it");
	if ((err = r->o->verify ? verify(r, &list) : read_audit(r, &list)))
		return err;
	if (r->o->json)
		applet_print_json(&list.base);
	else if (!r->o->verify)
		print_audit(r->arena, &list);
	else if (list.n_entries)
		printf("%zu entries, sound; head %s\n", list.n_entries, list.entries[list.n_entries - 1]->head);
	else
		printf("no entries\n");
	return 0;
}
