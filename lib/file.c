/* Owns small verbs on files and directories. */
#include "lib/file.h"

#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>
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
