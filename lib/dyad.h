/* Dyads: the text of cve/published/YEAR/CVE-Y-N.dyad into the instances of a Cve. */
#ifndef TUXTAPE_DYAD_H
#define TUXTAPE_DYAD_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/pb.h"

/* Longest line that is read; a longer one is malformed. */
#define DYAD_LINE_MAX 1024

/* Reads n bytes of a dyad and appends an instance to cve for each valid pair, in line order, titles made from cve->id.
 * Malformed lines are skipped, each named by a Complaint appended to `said` (place: "where:LINE"). All memory is the arena's.
 * Returns the number of valid pairs. Pure. */
size_t dyad_parse(struct arena *a, const char *text, size_t n, const char *where, Cve *cve, ReadResult *said);

/* The title of an instance: {cve}-{introduced}-{12 digits of the fix, or nofix}; introduced "0" reads 2.6.12. */
const char *dyad_title(struct arena *a, const char *cve_id, const CveInstance *in);

/* Splits a title into CVE id and the 12 (or more) hex digits of its fix commit, or "nofix", whatever stands between. ERR_INPUT. */
int dyad_split_title(struct arena *a, const char *title, const char **cve_id, const char **commit);

/* Parses "CVE-YEAR-NUMBER" (4 digits, then 4 to 7 digits) into a key that sorts as people expect: year * 10^7 + number.
 * 0 where it is not one. n bytes. */
uint64_t cve_key(const char *id, size_t n);

/* An id or a title as people type it, with its CVE- in capitals. */
const char *cve_id_typed(struct arena *a, const char *text);

/* The way back: the id of a key. */
const char *cve_id_of_key(struct arena *a, uint64_t key);

#endif
