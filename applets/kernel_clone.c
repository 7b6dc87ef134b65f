/* Owns where applets keep clones of the kernel, and whether this user can read one. */
#include "applets/kernel_clone.h"

#include "lib/err.h"
#include "lib/file.h"
#include "lib/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

static int check_file(const char *clone, const char *path, int how)
{
	if (faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0 || errno == ENOENT)
		return 0;
	return fail(errno == EACCES ? ERR_DENIED : ERR_SYS, "%s: %s: let this user read the clone, as by `chmod -R a+rX %s`",
		    path, strerror(errno), clone);
}

/* Packs are made with the umask of whoever fetched last. */
static int check_packs(struct arena *a, const char *clone, const char *path)
{
	DIR *dir = opendir(path);
	int err = 0;

	for (const struct dirent *e; dir && !err && (e = readdir(dir));)
		if (str_ends(e->d_name, ".pack") || str_ends(e->d_name, ".idx"))
			err = check_file(clone, arena_printf(a, "%s/%s", path, e->d_name), R_OK);
	if (dir)
		closedir(dir);
	return err;
}

int kernel_clone_check(struct arena *a, const char *path)
{
	static const struct {
		const char *name;
		int how;
	} parts[] = { { "HEAD", R_OK },
		      { "objects", R_OK | X_OK },
		      { "objects/pack", R_OK | X_OK },
		      { "refs", R_OK | X_OK },
		      { "packed-refs", R_OK } };
	const char *git = arena_printf(a, "%s/.git", path);
	int err = check_file(path, path, R_OK | X_OK);

	if (err)
		return err;
	if (access(path, F_OK) < 0)
		return fail(ERR_NOTFOUND, "%s: there is no clone of the kernel", path);
	if (access(git, F_OK) < 0)
		git = path;
	for (size_t i = 0; i < ARRAY_LEN(parts) && !err; i++)
		err = check_file(path, arena_printf(a, "%s/%s", git, parts[i].name), parts[i].how);
	return err ? err : check_packs(a, path, arena_printf(a, "%s/objects/pack", git));
}

int kernel_clone_check_place(const char *path)
{
	/* What is missing on the way is made. */
	char *dir = file_nearest(path);
	int err = 0;

	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) < 0)
		err = fail(ERR_SYS, "%s: there is no clone of the kernel, and none can be made: %s: %s", path, dir,
			   strerror(errno));
	free(dir);
	return err;
}
