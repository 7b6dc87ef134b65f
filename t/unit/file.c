/* Small verbs on files: parents are made as they are missing, and what cannot be done names its path. */
#include "lib/file.h"
#include "lib/err.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/tuxtape-file.XXXXXX";

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void test_parents(void)
{
	struct stat st;

	umask(022);
	is_int(file_make_parents("a/b/c/file"), 0, "three parents");
	ok(is_dir("a/b/c"), "are there");
	ok(stat("a/b", &st) == 0 && (st.st_mode & 07777) == 0755, "mode 0755");
	ok(access("a/b/c/file", F_OK) < 0, "what they are for is not made");
	is_int(file_make_parents("a/b/c/file"), 0, "once more");
	is_int(file_make_parents("a//d/./e/file"), 0, "doubled slashes and dots");
	ok(is_dir("a/d/e"), "are nothing");
	is_int(file_make_parents("file"), 0, "no parent");
	is_int(file_make_parents("/file"), 0, "none but the root");
	is_int(file_make_parents(""), 0, "no path");
	is_int(file_make_parents("a/f/"), 0, "a directory as such");
	ok(is_dir("a/f"), "is its own parent");
}

static void test_in_the_way(void)
{
	int fd = open("plain", O_WRONLY | O_CREAT, 0600);

	ok(fd >= 0 && close(fd) == 0, "a file in the way");
	is_int(file_make_parents("plain/below/file"), ERR_SYS, "fails");
	ok(strstr(err_text(), "make the directory plain/below: ") && strstr(err_text(), strerror(ENOTDIR)),
	   "and is named: %s", err_text());
	ok(access("plain/below", F_OK) < 0, "nothing is made");
}

static void test_sync(void)
{
	is_int(file_sync("plain"), 0, "a file is made durable");
	is_int(file_sync("a"), 0, "a directory, too");
	is_int(file_sync("none"), ERR_SYS, "one that is not there");
	ok(strstr(err_text(), "none: ") && strstr(err_text(), strerror(ENOENT)), "is named: %s", err_text());
}

static void test_cache_path(void)
{
	static const struct {
		const char *xdg, *home, *path;
	} tries[] = {
		{ "/cache", "/home/me", "/cache/tuxtape/x" },
		{ NULL, "/home/me", "/home/me/.cache/tuxtape/x" },
		{ "", "/home/me", "/home/me/.cache/tuxtape/x" },
		{ "cache", "/home/me", "/home/me/.cache/tuxtape/x" },
		{ "cache", "home", NULL },
		{ NULL, NULL, NULL },
	};
	struct arena *a = arena_new(0);

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		if (!tries[i].xdg || setenv("XDG_CACHE_HOME", tries[i].xdg, 1))
			unsetenv("XDG_CACHE_HOME");
		if (!tries[i].home || setenv("HOME", tries[i].home, 1))
			unsetenv("HOME");
		is_str(file_cache_path(a, "tuxtape/x"), tries[i].path, tries[i].path ? tries[i].path : "nowhere");
	}
	arena_free(a);
}

static void test_nearest(void)
{
	static const struct {
		const char *path, *nearest;
	} tries[] = {
		{ "a/b", "a/b" }, { "a/none", "a" },    { "a/none/none/c", "a" },
		{ "none", "." },  { "none/none", "." }, { "/none/none", "/" },
	};

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		char *near = file_nearest(tries[i].path);

		is_str(near, tries[i].nearest, tries[i].path);
		free(near);
	}
}

int main(void)
{
	ok(mkdtemp(dir) != NULL && chdir(dir) == 0, "a directory");
	test_parents();
	test_in_the_way();
	test_sync();
	test_cache_path();
	test_nearest();
	unlink("plain");
	ok(rmdir("a/b/c") + rmdir("a/b") + rmdir("a/d/e") + rmdir("a/d") + rmdir("a/f") + rmdir("a") == 0,
	   "nothing else was made");
	ok(chdir("/") == 0 && rmdir(dir) == 0, "anywhere");
	return done();
}
