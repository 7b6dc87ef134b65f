/* The CVEs of a list, as rows of a page. */
#ifndef TUXTAPE_DASH_CVE_LIST_H
#define TUXTAPE_DASH_CVE_LIST_H

#include "lib/arena.h"
#include "lib/pb.h"

/* How far livepatches are for the kernels that a CVE is open in, in the order of a list. */
enum cve_livepatch { LIVE_NONE, LIVE_WITHDRAWN, LIVE_REJECTED, LIVE_SUBMITTED, LIVE_PARTLY, LIVE_APPROVED };

struct cve_row {
	const char *id, *title, *fix; /* title NULL: none */
	uint64_t key, fix_order;
	int64_t published; /* seconds since 1970; 0: not known */
	int16_t tenths;    /* of the score; -1: not scored */
	uint16_t kernels;
	uint8_t verdict;
	uint8_t livepatch; /* enum cve_livepatch */
	bool fixed;
};

struct cve_list {
	struct arena *arena;
	struct cve_row *rows;
	size_t n;
};

/* Empty; release with cve_list_free, to which NULL is fine. */
struct cve_list *cve_list_new(void);
void cve_list_free(struct cve_list *l);

/* Adds a row; what it needs of the CVE is copied. One that was judged for no kernel is left out. */
void cve_list_add(struct cve_list *l, const Cve *cve);

/* "approved", ... "partly": approved for some of its kernels; "" for none. */
const char *cve_livepatch_word(unsigned livepatch);

/* The kernel is affected, or may be. */
bool cve_verdict_open(const Verdict *v);

/* The first of the worst: affected, then unknown, then any. NULL where there is none. */
const Verdict *cve_verdict_worst(const Cve *cve);

#endif
