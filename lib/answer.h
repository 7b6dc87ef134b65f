/* The answer to "which CVEs are open in these kernels, and why": the one producer for every reader. */
#ifndef TUXTAPE_ANSWER_H
#define TUXTAPE_ANSWER_H

#include "lib/db.h"

enum answer_fix { ANSWER_ANY, ANSWER_FIXED, ANSWER_UNFIXED }; /* a fix on the version's own branch, or none */

/* A kernel that is asked about. */
struct answer_target {
	const char *config; /* name of a config, NULL for a bare version */
	KernelVersion version;
};

struct answer_ask {
	const struct answer_target *targets;
	size_t n_targets;
	double min_score; /* CVEs scored lower, and those that nobody scored, are left out; 0: none */
	enum answer_fix fix;
	bool brief;         /* without descriptions */
	struct arena *keep; /* CVEs stay in this arena; NULL: each lives until the next is asked for */
};

struct answer;

/* Starts an answer. Everything that ask points to must live until answer_close. */
int answer_open(struct answer **out, struct db *db, const struct answer_ask *ask);

/* The next CVE that some target is affected by, or for which that cannot be told, by severity, highest first, unscored last, ties by
 * year and number; with its instances and a verdict for each target, in the targets' order. *cve is NULL at the end. Without targets
 * every CVE comes. No transaction is open when it returns. */
int answer_next(struct answer *ans, Cve **cve);

/* What was seen so far for a target; the answer's. */
const AnswerSummary *answer_summary(const struct answer *ans, size_t target);

void answer_close(struct answer *ans); /* NULL is fine */

#endif
