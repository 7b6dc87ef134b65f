/* Words that several views of a CVE share. */
#ifndef TUXTAPE_CVES_H
#define TUXTAPE_CVES_H

#include "applets/client.h"

struct cves_options {
	struct applet_common common;
	struct client_options client;
	const char *db, *kernel, *sort;
	struct opt_list configs;
	double min_score;
	bool fixed_only, unfixed_only, not_livepatched, not_compiled, count, json;
};

/* "6.1.172", "mainline 6.9", "none" or "unknown". */
const char *cves_fix_word(struct arena *a, const Verdict *v);

/* "HIGH", or "-" where nobody scored the CVE. */
const char *cves_severity_word(const Cve *cve);

/* Everything known of one CVE as text for people, to stdout; with its verdicts, when it has any. */
void cves_print_one(struct arena *a, const Cve *cve);

/* Prints the list that a request asks for, as the options say; counts go to stderr. */
int cves_list(struct source *s, struct arena *a, const struct cves_options *o, const FetchCvesRequest *request);

/* The words by which lists are sorted, NULL at the end. */
extern const char *const cves_sorts[];

#endif
