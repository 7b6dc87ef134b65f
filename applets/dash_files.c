/* Owns what the dashboard does with the user's files. Refuses to overwrite any. */
#include "applets/dash_pages.h"

#include "lib/err.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKUPS_MOST 1000

int dash_set_aside(const char *path, char to[DASH_BACKUP])
{
	for (unsigned i = 1; i <= BACKUPS_MOST; i++) {
		snprintf(to, DASH_BACKUP, i == 1 ? "%s.bak" : "%s.bak%u", path, i);
		if (renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return fail(errno == ENOENT ? ERR_NOTFOUND : ERR_SYS, "%s: %s", path, strerror(errno));
	}
	return fail(ERR_SYS, "%s has %u backups already: remove some", path, BACKUPS_MOST);
}

const char *dash_in_home(struct arena *a, const char *path)
{
	const char *home = getenv("HOME");

	return home && strncmp(path, "~/", 2) == 0 ? arena_printf(a, "%s%s", home, path + 1) : path;
}

int dash_write_new(const char *path, const void *p, size_t n)
{
	char *draft = xasprintf("%s.new", path);
	int err;

	if ((err = file_make_parents(path)) || (err = file_replace(draft, p, n, 0644)))
		goto out;
	if (renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE) < 0) {
		err = fail(errno == EEXIST ? ERR_DENIED : ERR_SYS, "%s: %s", path, strerror(errno));
		unlink(draft);
	}
out:
	free(draft);
	return err;
}

const char **dash_editor(struct arena *a, const char *path)
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
