/* NVD's answers: a page holds together, or the answer is refused and the page left alone. */
#include "fuzz.h"
#include "lib/dyad.h"
#include "lib/json.h"

#include <stdlib.h>

/* Scores are of the page's records, those of one CVE side by side, in the records' order. */
static void check_page(const NvdPage *page)
{
	size_t at = 0;

	if (!page->has_records || page->n_cve_ids > page->records || (page->records == 0 && page->start < page->total))
		abort();
	for (size_t i = 0; i < page->n_cve_ids; i++)
		if (!cve_key(page->cve_ids[i], strlen(page->cve_ids[i])))
			abort();
	for (size_t i = 0; i < page->n_scores; i++) {
		const Score *s = page->scores[i];

		while (at < page->n_cve_ids && strcmp(page->cve_ids[at], s->cve_id) != 0)
			at++;
		if (at == page->n_cve_ids || !s->vector || !s->version || !s->has_base_score ||
		    !(s->base_score >= 0 && s->base_score <= 10))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	NvdPage page = NVD_PAGE__INIT, untouched = NVD_PAGE__INIT;

	if (json_nvd_page(a, (const char *)data, n, &page) == 0)
		check_page(&page);
	else if (!pb_equal(&page.base, &untouched.base))
		abort();
	arena_free(a);
	return 0;
}
