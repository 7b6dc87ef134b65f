/* CVE records and .cvss files: what is read is whole, what is refused leaves the CVE alone, and all of it prints as JSON. */
#include "fuzz.h"
#include "lib/json.h"

#include <stdlib.h>

static void check_scores(const Cve *cve)
{
	for (size_t i = 0; i < cve->n_scores; i++) {
		const Score *s = cve->scores[i];

		if (!s->cve_id || !s->origin || !s->vector || !s->version)
			abort();
		if (s->has_base_score && !(s->base_score >= 0 && s->base_score <= 10))
			abort();
	}
}

/* What is printed is read again: one line, and no byte of it acts on a terminal. */
static void check_print(const ProtobufCMessage *m)
{
	struct buf out = { 0 };

	json_print(&out, m, 0);
	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)out.data[i] < 0x20 || out.data[i] == 0x7f)
			abort();
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	ReadResult said = READ_RESULT__INIT;
	Cve cve = CVE__INIT;

	cve.id = "CVE-2024-12345";
	if (!json_cve_record(a, (const char *)data, n, "fuzz", "vulns", &cve, &said) &&
	    (said.n_complaints == 0 || cve.title || cve.description || cve.n_scores || cve.n_program_files))
		abort();
	json_cvss_file(a, (const char *)data, n, "fuzz", "vulns", &cve, &said);
	check_scores(&cve);
	check_print(&cve.base);
	check_print(&said.base);
	arena_free(a);
	return 0;
}
