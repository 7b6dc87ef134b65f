/* The livepatch workflow's tables: records, revisions and reviews; each change makes an entry of the audit log. No row here refers to the parser's tables. */
#ifndef TUXTAPE_DB_PATCH_H
#define TUXTAPE_DB_PATCH_H

#include "lib/db.h"
#include "lib/db_config.h"
#include "lib/patch_state.h"

/* Who does something, as the server knows. */
struct db_actor {
	const char *name;
	enum role role;
	bool nameless; /* on plain loopback, where nobody is told apart */
	bool allow_self_review;
	uint32_t approvals; /* that a patch takes */
};

/* A patch for one target. */
struct db_submission {
	const char *cve_id, *fix_commit, *title;
	size_t n_commits;
	const char **commits;    /* all fix commits that it holds, fix_commit among them */
	const PatchCheck *check; /* names the target */
	ProtobufCBinaryData body, note;
};

/* Makes a record, or a new revision of the one that is there, and an entry of the audit log. *out is the record, without revisions.
 * Needs an open transaction. ERR_DENIED, ERR_STATE (the newest revision has the same bytes and findings, and is open or approved). */
int db_patch_submit(struct db *db, struct arena *a, const struct db_submission *s, const struct db_actor *who,
		    PatchRecord **out);

/* Approves or rejects the revision that the request names, which must be the newest; in a transaction of its own. */
int db_patch_review(struct db *db, struct arena *a, const ReviewPatchRequest *r, const struct db_actor *who,
		    PatchRecord **out);

/* Withdraws, in a transaction of its own. */
int db_patch_withdraw(struct db *db, struct arena *a, const WithdrawPatchRequest *r, const struct db_actor *who,
		      PatchRecord **out);

/* A record with all its revisions and reviews; `revision` (0: the newest) with its body. ERR_NOTFOUND. */
int db_patch_get(struct db *db, struct arena *a, uint64_t patch, uint32_t revision, PatchRecord **out);

/* The numbers of the records that the request wants, newest change first; `who` is who "mine" is. */
int db_patch_list(struct db *db, struct arena *a, const FetchPatchesRequest *r, const char *who, size_t *n,
		  uint64_t **patches);

/* A record without revisions. ERR_NOTFOUND. */
int db_patch_brief(struct db *db, struct arena *a, uint64_t patch, PatchRecord **out);

/* The approved patch for a CVE's fix commit and a target; absent (has_body false in *out) where there is none. One for a config whose
 * version or tag has changed since is none. */
int db_patch_deployable(struct db *db, struct arena *a, const char *cve_id, const char *fix_commit, const char *config,
			const KernelVersion *version, PatchRevision *out);

/* What the answers about CVEs know of livepatches: those that count, by CVE. */
struct db_livepatch {
	const char *cve_id, *target, *fix_commit;
	uint64_t patch;
	int state;
};
struct db_livepatches {
	size_t n;
	struct db_livepatch *items; /* sorted by CVE's id as text */
};

/* Loads them, of one CVE or (NULL) of all. */
int db_livepatches(struct db *db, struct arena *a, const char *cve_id, struct db_livepatches *out);

/* Sets the verdict's livepatch, and its number, from those that are known. */
void db_livepatch_judge(const struct db_livepatches *known, struct arena *a, const char *cve_id, Verdict *v);

/* "config NAME" or "version X.Y.Z". */
const char *patch_target(struct arena *a, const char *config, const KernelVersion *version);

#endif
