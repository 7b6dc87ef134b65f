/* CVSS vectors: a score lies between 0.0 and 10.0, and only a vector that has one gives parts. */
#include "fuzz.h"
#include "lib/buf.h"
#include "lib/cvss.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	struct buf text = { 0 };
	Cve cve = CVE__INIT;
	double score = -1;
	bool scored;

	buf_add(&text, data, n);
	scored = cvss_base_score(text.data, &score) == 0;
	if (scored ? score < 0 || score > 10 || !cvss_severity("3.1", score) : score != -1)
		abort();
	cvss_parts(a, text.data, &cve);
	if ((scored && !cve.scope) || (cve.attack_vector && !cvss_version(text.data)))
		abort();
	buf_free(&text);
	arena_free(a);
	return 0;
}
