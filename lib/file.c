/* Owns small verbs on files and directories. */
#include "lib/file.h"

#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int file_make_parents(const char *path)
{
	char *dir = xstrdup(path);
	int err = 0;

	for (char *slash = strchr(dir + (*dir == '/'), '/'); slash && !err; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			err = fail(ERR_SYS, "make the directory %s: %s", dir, strerror(errno));
		*slash = '/';
	}
	free(dir);
	return err;
}

int file_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || fsync(fd) < 0)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = write(fd, p, n);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

char *file_nearest(const char *path)
{
	char *near = xstrdup(path), *slash;
	int code;

	while ((code = access(near, F_OK)) < 0 && errno == ENOENT && (slash = strrchr(near, '/')) && slash > near)
		*slash = '\0';
	if (code == 0 || errno != ENOENT)
		return near;
	free(near);
	return xstrdup(*path == '/' ? "/" : ".");
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xasprintf("%.*s", (int)MAX_OF(slash - path, 1), path) : xstrdup(".");
}

static int sync_folder_of(const char *path)
{
	char *dir = folder_of(path);
	int err = file_sync(dir);

	free(dir);
	return err;
}

int file_give(int fd, const char *like)
{
	char *dir = folder_of(like);
	struct stat st;
	int err = 0;

	if (geteuid() == 0 && ((stat(like, &st) < 0 && stat(dir, &st) < 0) || fchown(fd, st.st_uid, st.st_gid) < 0))
		err = fail(ERR_SYS, "owner of what is made beside %s: %s", like, strerror(errno));
	free(dir);
	return err;
}

int file_replace(const char *path, const void *p, size_t n, unsigned mode)
{
	char *made = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(made, O_CLOEXEC);
	int err = 0;

	/* Until fchmod, the file is its owner's alone. */
	if (fd < 0 || !write_all(fd, p, n) || fchmod(fd, (mode_t)mode) < 0 || fsync(fd) < 0 || rename(made, path) < 0)
		err = fail(ERR_SYS, "write %s: %s", path, strerror(errno));
	if (fd >= 0 && err)
		unlink(made);
	if (fd >= 0)
		close(fd);
	free(made);
	return err ? err : sync_folder_of(path);
}

const char *file_cache_path(struct arena *a, const char *name)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	/* The specification has relative ones ignored. */
	if (base && *base == '/')
		return arena_printf(a, "%s/%s", base, name);
	return home && *home == '/' ? arena_printf(a, "%s/.cache/%s", home, name) : NULL;
}
