/* Errors: the text of the last one, its kind's word and exit code, and the program's end for want of memory. */
#include "lib/err.h"
#include "lib/buf.h"
#include "lib/str.h"
#include "tap.h"

#include <sys/wait.h>
#include <unistd.h>

static void test_text(void)
{
	char big[5000];

	is_str(err_text(), "no error", "nothing has failed");
	is_int(fail(ERR_DB, "store %s: %d", "x", 7), ERR_DB, "fail gives its kind back");
	is_str(err_text(), "store x: 7", "and sets the text");
	is_int(fail(ERR_SYS, "then %s", err_text()), ERR_SYS, "the text before may be an argument");
	is_str(err_text(), "then store x: 7", "of the next");
	is_int(fail_in(ERR_SYS, "file %d", 1), ERR_SYS, "a place");
	is_str(err_text(), "file 1: then store x: 7", "goes before it");
	is_int(fail_in(ERR_SYS, "%s", err_text()), ERR_SYS, "even the text itself");
	is_str(err_text(), "file 1: then store x: 7: file 1: then store x: 7", "may be one");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	is_int(fail(ERR_INPUT, "%s", big), ERR_INPUT, "a text too long");
	ok(strlen(err_text()) > 1000 && strlen(err_text()) < sizeof(big), "is cut");
	fail_in(ERR_INPUT, "%s", big);
	ok(strstr(err_text(), "xxx: xxx") != NULL, "so is a place, and the error stays");
}

static const struct {
	int kind;
	const char *name;
	int code;
} kinds[] = {
	{ ERR_OK, "ok", 0 },         { ERR_USAGE, "usage", 2 },        { ERR_SYS, "system", 1 },
	{ ERR_INPUT, "input", 1 },   { ERR_NOTFOUND, "not found", 4 }, { ERR_NET, "network", 1 },
	{ ERR_PEER, "protocol", 1 }, { ERR_DB, "database", 1 },        { ERR_GIT, "git", 1 },
	{ ERR_DENIED, "denied", 5 }, { ERR_STATE, "state", 1 },        { ERR_KINDS, "unknown", 1 },
	{ -1, "unknown", 1 },
};

static void test_kinds(void)
{
	is_int(ARRAY_LEN(kinds), ERR_KINDS + 2, "every kind is known here");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		is_str(err_kind_name(kinds[i].kind), kinds[i].name, kinds[i].name);
		is_int(err_exit_code(kinds[i].kind), kinds[i].code, "its exit code");
	}
	ok(EXIT_DONE == 0 && EXIT_FAILED == 1 && EXIT_MISUSE == 2 && EXIT_DEGRADED == 3 && EXIT_NOTFOUND == 4 &&
		   EXIT_DENIED == 5 && EXIT_NOAPPLET == 127,
	   "scripts lean on these numbers");
}

static void test_memory(void)
{
	unsigned char *p = xcalloc(3, 5);
	char *s;

	ok(p[0] == 0 && p[14] == 0, "zeroed memory");
	p = xrealloc(p, 0);
	ok(p != NULL, "never NULL, not even for nothing");
	free(p);
	p = xmalloc(0);
	ok(p != NULL, "nor here");
	free(p);
	s = xstrdup("copy");
	is_str(s, "copy", "a copy");
	free(s);
	s = xasprintf("%s-%d", "made", 3);
	is_str(s, "made-3", "a formatted one");
	free(s);
}

static void hook(void)
{
	if (write(STDERR_FILENO, "hook;", 5) != 5)
		_exit(99);
}

static void use_all(void)
{
	err_last_hook = hook;
	die_oom();
}

static void use_xmalloc(void)
{
	free(xmalloc(SIZE_MAX / 2));
}

static void use_xcalloc(void)
{
	free(xcalloc(SIZE_MAX / 4, 8));
}

static void use_xrealloc(void)
{
	free(xrealloc(NULL, SIZE_MAX / 2));
}

/* With a sanitizer, too, want of memory is NULL, after a warning of its own. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* Runs it in a process of its own: true when that ends as said, with this as its last words. */
static bool ends_with(void (*what)(void), const char *words)
{
	struct buf said = { 0 };
	int fds[2], status = -1;
	bool good;
	pid_t pid;

	if (pipe(fds) < 0)
		return false;
	fflush(stdout);
	if ((pid = fork()) == 0) {
		dup2(fds[1], STDERR_FILENO);
		what();
		_exit(0);
	}
	close(fds[1]);
	good = buf_read_fd(&said, fds[0], 0) == 0 && str_ends(buf_str(&said), words);
	close(fds[0]);
	good &= waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED;
	buf_free(&said);
	return good;
}

static void test_oom(void)
{
	static const char words[] = "tuxtape: out of memory\n";

	ok(ends_with(use_all, "hook;tuxtape: out of memory\n"), "out of memory: the hook, a line, exit code 1");
	ok(ends_with(use_xmalloc, words), "xmalloc");
	ok(ends_with(use_xcalloc, words), "xcalloc, where the product is too large");
	ok(ends_with(use_xrealloc, words), "xrealloc");
}

int main(void)
{
	test_text();
	test_kinds();
	test_memory();
	test_oom();
	return done();
}
