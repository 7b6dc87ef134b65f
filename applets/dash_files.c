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
