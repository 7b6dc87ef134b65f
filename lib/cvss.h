/* CVSS vectors: base scores and the words of their parts. */
#ifndef TUXTAPE_CVSS_H
#define TUXTAPE_CVSS_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/pb.h"

/* The version a vector says: "3.1", "3.0", "4.0", or "2.0" for one without a prefix; NULL where it is no vector. */
const char *cvss_version(const char *vector);

/* The base score of a 3.0 or 3.1 vector, by the specification's formulas (first.org/cvss, sections 7.1 and 7.4; Roundup of
 * appendix A for 3.1, plain ceiling to a tenth for 3.0). Temporal and environmental metrics are allowed and ignored.
 * ERR_INPUT where a base metric is missing, doubled or unknown. */
int cvss_base_score(const char *vector, double *score);

/* "NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL" for a base score (version 2.0 has no CRITICAL and no NONE). */
const char *cvss_severity(const char *version, double score);

/* Sets the eight part fields of cve (attack_vector ... availability_impact) from a vector of any version; parts that the
 * version does not know, and all parts of a malformed vector, become absent. */
void cvss_parts(struct arena *a, const char *vector, Cve *cve);

/* Chooses the score to show among cve->scores by policy and sets severity, vector, parts, source and as_of from it; clears
 * them when there is none. prefer is "nvd" or "cna": that side first, the other where it has none (nvd: source
 * nvd@nist.gov; everybody else counts as cna). Within a side the order is 3.1, 3.0, 4.0, 2.0; within a version Primary
 * before Secondary, the kernel CNA's before other CNAs', origin extra before vulns before nvd, then as listed. */
void cvss_choose(struct arena *a, const char *prefer, Cve *cve);

#endif
