/* Versions: whatever is accepted prints, reads back the same, and agrees with itself. */
#include "fuzz.h"
#include "lib/kver.h"

#include <stdlib.h>

static void check_version(const KernelVersion *v)
{
	char text[KVER_TEXT_MAX];
	KernelVersion again;

	kver_text(text, v);
	if (kver_parse(&again, text, strlen(text)) || kver_cmp(v, &again) != 0 || !pb_equal(&v->base, &again.base))
		abort();
	if (v->has_major && (!kver_same_line(v, &again) || kver_is_mainline(v) != kver_is_mainline(&again)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text = { 0 };
	const char *suffix;
	KernelVersion v;

	if (kver_parse(&v, (const char *)data, n) == 0)
		check_version(&v);
	buf_add(&text, data, n);
	if (kver_parse_user(&v, text.data, &suffix) == 0)
		check_version(&v);
	if (suffix < text.data || suffix > text.data + strlen(text.data))
		abort();
	buf_free(&text);
	return 0;
}
