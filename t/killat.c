/* Owns one run of a program that is killed at a line it says: killat LINE PROGRAM [ARGUMENT]... kills with SIGKILL when the program
 * says "NAME: LINE" on stderr or, where LINE ends in a count such as 66/331, first says as much or more of the same, and waits until the
 * processes that it had started have ended, too. Exit status 0: it was killed there; 1: it ended before, was another program than the one
 * named, or left a process that lives on. Refuses to guess from timing: stderr is a pipe that holds one line, looked at without taking it
 * out, so that the program comes no further than to its next line. What it said before goes to stderr. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void quit(const char *what)
{
	fprintf(stderr, "killat: %s: %s\n", what, strerror(errno));
	exit(2);
}

static pid_t start(char **argv, const int pipe_ends[2])
{
	pid_t pid = fork();

	if (pid < 0)
		quit("fork");
	if (pid)
		return pid;
	dup2(pipe_ends[1], STDERR_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

/* True when the process runs the program: a shell between would be killed in its place. */
static bool is_program(pid_t pid, const char *program)
{
	struct stat is, wanted;
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	return stat(link, &is) == 0 && stat(program, &wanted) == 0 && is.st_dev == wanted.st_dev &&
	       is.st_ino == wanted.st_ino;
}

/* Copies the line that waits in the pipe, which stays there. False at the end. */
static bool look(int from, const int copy[2], char *line, size_t size)
{
	ssize_t n;

	while ((n = tee(from, copy[1], INT_MAX, 0)) < 0 && errno == EINTR)
		;
	if (n < 0)
		quit("tee");
	if (n == 0 || (n = read(copy[0], line, size - 1)) <= 0)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* The count at the end of "mark fetch linux 66/331"; *what gets how long the text before it is. False where there is none. */
static bool count_of(const char *text, size_t *what, long *count)
{
	const char *space = strrchr(text, ' ');
	char *end;

	if (!space)
		return false;
	*what = (size_t)(space - text);
	*count = strtol(space + 1, &end, 10);
	return end > space + 1 && *end == '/';
}

/* What a fetch has received when it tells of it depends on how the bytes came: no two runs need to name the same counts. */
static bool says(const char *line, const char *wanted)
{
	const char *text = strstr(line, ": ");
	size_t said_what, wanted_what;
	long said, least;

	if (!text)
		return false;
	text += 2;
	if (!count_of(text, &said_what, &said) || !count_of(wanted, &wanted_what, &least))
		return strcmp(text, wanted) == 0;
	return said_what == wanted_what && strncmp(text, wanted, said_what) == 0 && said >= least;
}

#define PATIENCE 30 /* seconds that orphans have to end */

static void still_there(int sig)
{
	static const char text[] = "killat: a process that it started lives on\n";

	(void)sig;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

/* Orphans become children of this process, see main. */
static void wait_for_orphans(void)
{
	signal(SIGALRM, still_there);
	alarm(PATIENCE);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	alarm(0);
}

static int end(pid_t pid, const char *program, bool hit)
{
	bool right = is_program(pid, program);
	int status;

	if (hit)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	wait_for_orphans();
	if (hit && right && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return 0;
	fprintf(stderr, "killat: %s, status %d\n",
		!hit    ? "the line was not said"
		: right ? "it had ended"
			: "another program was running",
		status);
	return 1;
}

int main(int argc, char **argv)
{
	int said[2], copy[2];
	bool hit = false;
	char line[PIPE_BUF + 1];
	pid_t pid;

	if (argc < 3) {
		fputs("usage: killat LINE PROGRAM [ARGUMENT]...\n", stderr);
		return 2;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		quit("prctl");
	/* Packets are not joined, and a pipe of one page holds one. */
	if (pipe2(said, O_CLOEXEC | O_DIRECT) < 0 || pipe2(copy, O_CLOEXEC) < 0 || fcntl(said[1], F_SETPIPE_SZ, 1) < 0)
		quit("pipe");
	pid = start(argv + 2, said);
	close(said[1]);
	while (look(said[0], copy, line, sizeof(line)) && !(hit = says(line, argv[1]))) {
		fprintf(stderr, "%s\n", line);
		if (read(said[0], line, sizeof(line)) <= 0)
			quit("read");
	}
	return end(pid, argv[2], hit);
}
