/* Words that several views of a CVE share. */
#ifndef TUXTAPE_CVES_H
#define TUXTAPE_CVES_H

#include "lib/arena.h"
#include "lib/pb.h"

/* "6.1.172", "mainline 6.9", "none" or "unknown". */
const char *cves_fix_word(struct arena *a, const Verdict *v);

/* "HIGH", or "-" where nobody scored the CVE. */
const char *cves_severity_word(const Cve *cve);

/* Everything known of one CVE as text for people, to stdout; with its verdicts, when it has any. */
void cves_print_one(struct arena *a, const Cve *cve);

#endif
