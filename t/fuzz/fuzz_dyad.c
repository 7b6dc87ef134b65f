/* Dyads: each line is a pair, a complaint or nothing; what was read can be judged, and its titles split again. */
#include "fuzz.h"
#include "lib/cve.h"
#include "lib/dyad.h"
#include "lib/kver.h"

#include <stdlib.h>

static const char *const judged[] = { "6.1.170", "7.2-rc4", "2.6.32.5", "5.15" };

static void check_judgement(struct arena *a, const Cve *cve)
{
	for (size_t i = 0; i < ARRAY_LEN(judged); i++) {
		Verdict verdict = VERDICT__INIT;
		KernelVersion v;

		if (kver_parse(&v, judged[i], strlen(judged[i])))
			abort();
		cve_judge(a, cve, &v, &verdict);
		if (!verdict.reason || (verdict.verdict == VERDICT_KIND__UNKNOWN) != (cve->n_instances == 0))
			abort();
	}
}

static size_t count_lines(const uint8_t *data, size_t n)
{
	size_t lines = n && data[n - 1] != '\n';

	for (size_t i = 0; i < n; i++)
		lines += data[i] == '\n';
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	ReadResult said = READ_RESULT__INIT;
	Cve cve = CVE__INIT;
	size_t pairs;

	cve.id = "CVE-2024-12345";
	pairs = dyad_parse(a, (const char *)data, n, "fuzz", &cve, &said);
	if (pairs != cve.n_instances || pairs + said.n_complaints > count_lines(data, n))
		abort();
	for (size_t i = 0; i < pairs; i++) {
		const char *id, *commit;

		if (dyad_split_title(a, cve.instances[i]->title, &id, &commit) || strcmp(id, cve.id) != 0)
			abort();
	}
	check_judgement(a, &cve);
	arena_free(a);
	return 0;
}
