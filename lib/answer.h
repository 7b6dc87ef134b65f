/* The answer to "which CVEs are open in these kernels, and why": the one producer for every reader. */
#ifndef TUXTAPE_ANSWER_H
#define TUXTAPE_ANSWER_H

#include "lib/db_config.h"

enum answer_fix { ANSWER_ANY, ANSWER_FIXED, ANSWER_UNFIXED }; /* a fix on the version's own branch, or none */

struct answer_ask {
	const struct db_target *targets; /* kernels that are asked about: configs, or bare versions */
	size_t n_targets;
	double min_score; /* CVEs scored lower, and those that nobody scored, are left out; 0: none */
	enum answer_fix fix;
	bool not_compiled;  /* list CVEs whose files are not compiled, too */
	bool undeployed;    /* leave out those with an approved livepatch for the kernel */
	bool brief;         /* without descriptions and files */
	struct arena *keep; /* CVEs stay in this arena; NULL: each lives until the next is asked for */
};

struct answer;

/* The kernels that a request names: configs, or a version, or, with neither, every config (`all`) or none. In the arena. */
int answer_targets(struct db *db, struct arena *a, size_t n_configs, const char *const *configs,
		   const KernelVersion *version, bool all, size_t *n, struct db_target **targets);

/* What FetchCves asks for, as an ask; its targets in the arena. ERR_USAGE, ERR_NOTFOUND. */
int answer_request(struct db *db, struct arena *a, const FetchCvesRequest *r, struct answer_ask *ask);

/* Judges one CVE, which has its instances, for each target, adding a verdict for each in their order. */
int answer_judge(struct db *db, struct arena *a, Cve *cve, const struct db_target *targets, size_t n);

/* Starts an answer. Everything that ask points to must live until answer_close. */
int answer_open(struct answer **out, struct db *db, const struct answer_ask *ask);

/* The next CVE that some target is affected by, or for which that cannot be told, by severity, highest first, unscored last, ties by
 * year and number; with a verdict for each target, in the targets' order, and the instances that matter for them (all, without targets). *cve is
 * NULL at the end. Without targets every CVE comes. No transaction is open when it returns. */
int answer_next(struct answer *ans, Cve **cve);

/* What was seen so far for a target; the answer's. */
const AnswerSummary *answer_summary(const struct answer *ans, size_t target);

void answer_close(struct answer *ans); /* NULL is fine */

#endif
