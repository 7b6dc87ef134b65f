/* Kernel configs: what is accepted holds nothing that a shell acts on; nothing differs from itself; values can be asked for. */
#include "fuzz.h"
#include "lib/kconfig.h"

#include <stdlib.h>
#include <string.h>

/* Outside comments no byte of an accepted config may be one of these. */
static void check_accepted(const char *text, size_t n)
{
	bool comment = false;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || text[i - 1] == '\n')
			comment = text[i] == '#';
		if (!comment && (!text[i] || strchr("$`\\';|&<>\r\x7f", text[i])))
			abort();
	}
}

static void check_diff(struct arena *a, const char *text, size_t n)
{
	struct kconfig_change *c;
	size_t changes;

	if (kconfig_diff(a, text, n, text, n, &c))
		abort();
	changes = kconfig_diff(a, "", 0, text, n, &c);
	for (size_t i = 0; i < changes; i++) {
		const char *value = kconfig_get(a, text, n, c[i].option);

		if (!value || c[i].before || !c[i].after || strlen(value) > strlen(c[i].after))
			abort();
		if (i > 0 && strcmp(c[i - 1].option, c[i].option) >= 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(0);
	const char *text = (const char *)data;

	if (n > 65536)
		n = 65536;
	if (kconfig_check(text, n) == 0)
		check_accepted(text, n);
	check_diff(a, text, n);
	arena_free(a);
	return 0;
}
