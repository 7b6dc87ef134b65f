/* Owns where applets keep clones of the kernel. */
#include "applets/kernel_clone.h"

#include "lib/str.h"

#include <unistd.h>

static const char *const owners[] = { "tuxtape-server", "tuxtape-kernel-builder", "tuxtape-dashboard" };

/* The length of what stands before "/OWNER/git/linux"; -1 where the path is no applet's usual place. */
static int base_length(struct arena *a, const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		const char *tail = arena_printf(a, "/%s/git/linux", owners[i]);

		if (str_ends(path, tail))
			return (int)(strlen(path) - strlen(tail));
	}
	return -1;
}

const char *kernel_clone_find(struct arena *a, const char *path, bool *lent)
{
	int base = base_length(a, path);

	*lent = false;
	if (access(path, F_OK) == 0 || base < 0)
		return path;
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		const char *other = arena_printf(a, "%.*s/%s/git/linux", base, path, owners[i]);

		if (access(other, F_OK) == 0) {
			*lent = true;
			return other;
		}
	}
	return path;
}
