/* The .cmd files of kbuild: each file named is a run of the text without blanks, and its path can be tidied, once and for all. */
#include "fuzz.h"
#include "lib/err.h"
#include "lib/kbuild_cmd.h"

#include <stdlib.h>

struct text {
	const char *s, *end;
};

static void check_tidy(const char *path, size_t n)
{
	char *once = xmalloc(n + 1), *twice;

	memcpy(once, path, n);
	once[n] = '\0';
	if (kbuild_path_tidy(once)) {
		twice = xstrdup(once);
		if (strlen(once) > n || strstr(once, "//") || !kbuild_path_tidy(twice) || strcmp(once, twice) != 0)
			abort();
		free(twice);
	}
	free(once);
}

static void take(void *ctx, const char *path, size_t n)
{
	const struct text *t = ctx;

	if (n == 0 || path < t->s || path + n > t->end)
		abort();
	for (size_t i = 0; i < n; i++)
		if (!path[i] || strchr(" \t\r\n\\$", path[i]))
			abort();
	check_tidy(path, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct text t = { (const char *)data, (const char *)data + n };
	struct kbuild_cmd c = { .source = take, .ctx = &t };

	kbuild_cmd_read(&c, t.s, n);
	return 0;
}
