/* Owns which editor a user's files are opened with. */
#include "applets/editor.h"

#include <stdlib.h>

const char **editor_argv(struct arena *a, const char *path)
{
	static const char *const names[] = { "VISUAL", "EDITOR" };
	const char **argv = NULL, *line = "vi";
	size_t n = 0;

	for (size_t i = ARRAY_LEN(names); i-- > 0;) {
		const char *said = getenv(names[i]);

		if (said && *said)
			line = said;
	}
	for (line += strspn(line, " \t"); *line; line += strspn(line, " \t")) {
		size_t k = strcspn(line, " \t");

		*(const char **)arena_grow(a, (void **)&argv, &n, sizeof(*argv)) = arena_memdup(a, line, k);
		line += k;
	}
	if (n == 0)
		*(const char **)arena_grow(a, (void **)&argv, &n, sizeof(*argv)) = "vi";
	*(const char **)arena_grow(a, (void **)&argv, &n, sizeof(*argv)) = path;
	*(const char **)arena_grow(a, (void **)&argv, &n, sizeof(*argv)) = NULL;
	return argv;
}
