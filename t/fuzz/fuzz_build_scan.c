/* The text of compiled files: whatever stands in one, a scan answers, and names no file that it was not given. */
#include "fuzz.h"
#include "lib/build_scan.h"

#include <stdlib.h>

struct input {
	const char *text;
	size_t n;
};

static int read_text(void *ctx, const char *path, struct buf *out)
{
	const struct input *in = ctx;

	/* Both files share the text, one from its middle on. */
	if (*path == 'n')
		buf_add(out, in->text, in->n);
	else
		buf_add(out, in->text + in->n / 2, in->n - in->n / 2);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const files[] = { "net/core/a.c",
					     "net/core/b.h",
					     "include/linux/a.h",
					     "include/uapi/linux/b.h",
					     "include/asm-generic/a.h",
					     "drivers/net/x/include/a.h" };
	struct input in = { (const char *)data, n };
	struct arena *a = arena_new(0);
	struct build_scan *s;
	const char **met;
	size_t n_met;

	if (build_scan_run(
		    a,
		    &(struct build_scan_input){ .read = read_text, .ctx = &in, .files = files, .n_files = ARRAY_LEN(files) },
		    &s))
		abort();
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		build_scan_includers(s, a, files[i], &n_met, &met);
		if (n_met > 1 || (n_met == 1 && met[0] != files[0]))
			abort();
	}
	build_scan_space(s, "a");
	arena_free(a);
	return 0;
}
