/* The parser's tables: CVEs with their instances and scores, and the patches of fix commits. */
#ifndef TUXTAPE_DB_CVE_H
#define TUXTAPE_DB_CVE_H

#include "lib/db.h"

/* Replaces everything stored of one CVE but what NVD says; the score shown is chosen by `prefer` among NVD's and the new
 * ones, and its fields are set in cve, as is NVD's time of publication. *was tells whether the CVE was stored before. Needs an open
 * transaction. */
int db_cve_put(struct db *db, struct arena *a, Cve *cve, const char *prefer, bool *was);

/* Removes a CVE; what NVD says stays, since it may come back. *was tells whether it was there. */
int db_cve_delete(struct db *db, const char *id, bool *was);

/* Everything of one CVE, the files of each instance and its scores included. ERR_NOTFOUND. */
int db_cve_get(struct db *db, struct arena *a, const char *id, Cve **out);

/* Ids of the published CVEs of an origin, in order. */
int db_cve_ids(struct db *db, struct arena *a, const char *origin, size_t *n, const char ***ids);

/* Stores a page of NVD's: what each CVE in it had from NVD is replaced, and the score shown chosen anew. */
int db_nvd_put(struct db *db, struct arena *a, const NvdPage *page, const char *prefer);

/* Chooses the score shown anew for every CVE. */
int db_rescore_all(struct db *db, const char *prefer);

/* Whether any record of NVD's is stored. */
int db_nvd_known(struct db *db, bool *known);

/* Stores what became of a fix commit. Needs an open transaction. */
int db_fix_put(struct db *db, const Fix *fix);

/* The fix whose commit begins with `commit` (12 digits at least) among those that the CVE names. ERR_NOTFOUND. */
int db_fix_get(struct db *db, struct arena *a, const char *cve_id, const char *commit, Fix **out);

/* Fix commits that some CVE names and that have no row yet; with `missing`, also those that the clone lacked. */
int db_fix_wanted(struct db *db, struct arena *a, bool missing, size_t *n, const char ***commits);

/* The number of a path, which is made when it is new. Needs an open transaction. */
int db_path_id(struct db *db, ProtobufCBinaryData name, int64_t *id);

/* Sets program_files, the files that the CVE's record names. */
int db_program_files(struct db *db, struct arena *a, Cve *cve);

/* Sets affected_files of one of cve's instances: those of its fix's patch; where that is not to be had, cve's program_files. */
int db_instance_files(struct db *db, struct arena *a, const Cve *cve, CveInstance *in);

/* A file of a fix. */
struct db_fix_file {
	int64_t path;
	ProtobufCBinaryData name;
	bool created; /* by the fix */
	bool in_tree; /* the tree that was asked about has it */
};

/* Appends the files of a fix commit's patch, or those that a CVE's record names, to a list of arena_grow's. None at all where the
 * patch, or the record, is not there. */
int db_fix_files(struct db *db, struct arena *a, const char *fix_commit, int64_t tree, size_t *n,
		 struct db_fix_file **files);
int db_record_files(struct db *db, struct arena *a, const char *id, int64_t tree, size_t *n, struct db_fix_file **files);

/* Drops the fixes and paths that nothing names any more. */
int db_sweep(struct db *db);

/* Empties the parser's tables of CVEs and patches. */
int db_parser_clear(struct db *db);

/* How many CVEs there are. db_counts reads every index of the parser's tables, which takes some 10 ms. */
int db_cve_count(struct db *db, int64_t *n);

struct db_counts {
	int64_t cves, instances, missing, odd, scores;
};
int db_counts(struct db *db, struct db_counts *counts);

/* A walk over all CVEs by severity, highest first, unscored last, ties by year and number, each with its instances (without files);
 * brief leaves descriptions out. It goes in batches, small ones first, each read in a transaction of its own, so that no snapshot
 * stays open while somebody waits for a reader; inside another transaction it must not be used. Every CVE that is there from
 * beginning to end comes once; those whose score changed meanwhile may come late. */
struct db_scan;
struct db_batch {
	Cve **cves; /* in the arena given to db_scan_next */
	size_t n;   /* may be 0 while more is true */
	size_t read;
	bool more;
};
int db_scan_begin(struct db *db, bool brief, struct db_scan **scan);
int db_scan_next(struct db_scan *scan, struct arena *a, struct db_batch *batch);
void db_scan_end(struct db_scan *scan); /* NULL is fine */

#endif
