/* Owns the directories that builds leave, and their removal. Refuses to touch what does not bear the mark, to follow a link and
 * to cross into another file system. */
#include "lib/kbuild.h"

#include "lib/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK ".tuxtape-build"
#define DEEP 48 /* levels that are descended with a descriptor each; what lies deeper is first moved up */

/* One removal. */
struct removal {
	const char *path; /* for errors */
	int top;          /* the directory itself */
	dev_t device;
	unsigned moved; /* directories that were moved up */
};

int kbuild_dir_make(const char *path)
{
	int dir, mark, err = 0;

	if (mkdir(path, 0700) < 0)
		return fail(ERR_SYS, "make the directory %s: %s", path, strerror(errno));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	mark = openat(dir, MARK, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (mark < 0)
		err = fail(ERR_SYS, "%s/" MARK ": %s", path, strerror(errno));
	else
		close(mark);
	if (dir >= 0)
		close(dir);
	return err;
}

static int complain(const struct removal *r, const char *name)
{
	return fail(ERR_SYS, "remove %s: %s: %s", r->path, name, strerror(errno));
}

/* A build may have taken its own rights away. */
static int open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EACCES && fchmodat(at, name, 0700, 0) == 0)
		fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

static int empty_dir(struct removal *r, int fd, unsigned depth);

static int remove_dir(struct removal *r, int at, const char *name, unsigned depth)
{
	struct stat st;
	int fd, err;

	if (depth >= DEEP) {
		char up[64];

		snprintf(up, sizeof(up), MARK "-%u", r->moved++);
		return renameat(at, name, r->top, up) < 0 ? complain(r, name) : 0;
	}
	fd = open_dir(at, name);
	if (fd < 0)
		return complain(r, name);
	if (fstat(fd, &st) < 0 || ((st.st_mode & 0700) != 0700 && fchmod(fd, 0700) < 0))
		err = complain(r, name);
	else if (st.st_dev != r->device)
		err = fail(ERR_DENIED, "remove %s: %s is another file system", r->path, name);
	else
		err = empty_dir(r, fd, depth + 1);
	close(fd);
	return err ? err : unlinkat(at, name, AT_REMOVEDIR) < 0 ? complain(r, name) : 0;
}

static int remove_entry(struct removal *r, int at, const char *name, unsigned depth)
{
	struct stat st;

	if (depth == 0 && strcmp(name, MARK) == 0)
		return 0;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return complain(r, name);
	if (S_ISDIR(st.st_mode))
		return remove_dir(r, at, name, depth);
	return unlinkat(at, name, 0) < 0 ? complain(r, name) : 0;
}

/* All that is in the directory, but the mark at the top. */
static int empty_dir(struct removal *r, int fd, unsigned depth)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *d;

	if (!dir) {
		err = complain(r, ".");
		if (again >= 0)
			close(again);
		return err;
	}
	while (!err && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			err = remove_entry(r, fd, d->d_name, depth);
	closedir(dir);
	return err;
}

/* The mark goes last, so that a removal that was cut short can be taken up again. */
static int remove_marked(struct removal *r)
{
	unsigned moved;
	struct stat st;
	int err;

	if (fstat(r->top, &st) < 0)
		return complain(r, ".");
	r->device = st.st_dev;
	if (fstatat(r->top, MARK, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(ERR_DENIED, "%s: not removed, it bears no " MARK " and is no build of ours", r->path);
	do {
		moved = r->moved;
		if ((err = empty_dir(r, r->top, 0)))
			return err;
	} while (r->moved != moved);
	if (unlinkat(r->top, MARK, 0) < 0)
		return complain(r, MARK);
	return rmdir(r->path) < 0 ? complain(r, ".") : 0;
}

int kbuild_dir_remove(const char *path)
{
	struct removal r = { .path = path, .top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) };
	int err;

	if (r.top < 0)
		return fail(errno == ENOENT ? ERR_NOTFOUND : ERR_SYS, "remove %s: %s", path, strerror(errno));
	err = remove_marked(&r);
	close(r.top);
	return err;
}

/* ---- Old builds */

struct old {
	const char *path;
	int64_t made_s, made_ns;
};

static int newest_first(const void *a, const void *b)
{
	const struct old *x = a, *y = b;

	if (x->made_s != y->made_s)
		return x->made_s > y->made_s ? -1 : 1;
	if (x->made_ns != y->made_ns)
		return x->made_ns > y->made_ns ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* The time of the mark is that of the build: nothing writes to it later. */
static int list_builds(struct arena *a, const char *builds, struct old **list, size_t *n)
{
	DIR *dir = opendir(builds);
	struct dirent *d;

	*list = NULL;
	*n = 0;
	if (!dir)
		return errno == ENOENT ? 0 : fail(ERR_SYS, "%s: %s", builds, strerror(errno));
	while ((d = readdir(dir))) {
		const char *path = arena_printf(a, "%s/%s", builds, d->d_name);
		struct stat st;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 || lstat(path, &st) < 0 ||
		    !S_ISDIR(st.st_mode) || lstat(arena_printf(a, "%s/" MARK, path), &st) < 0)
			continue;
		*(struct old *)arena_grow(a, (void **)list, n, sizeof(**list)) = (struct old){ path, st.st_mtim.tv_sec,
											       st.st_mtim.tv_nsec };
	}
	closedir(dir);
	return 0;
}

int kbuild_dirs_prune(const char *builds, size_t keep, int64_t oldest, size_t *removed)
{
	struct arena *a = arena_new(0);
	struct old *list;
	size_t n, done = 0;
	int err, last = list_builds(a, builds, &list, &n);

	if (n)
		qsort(list, n, sizeof(*list), newest_first);
	for (size_t i = 0; i < n; i++) {
		if (i < keep && (!oldest || list[i].made_s >= oldest))
			continue;
		if ((err = kbuild_dir_remove(list[i].path)))
			last = err;
		else
			done++;
	}
	arena_free(a);
	if (removed)
		*removed = done;
	return last;
}
