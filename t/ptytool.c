/* ptytool COLUMNSxROWS KEYS... -- PROGRAM...: runs a program on a terminal of its own, types the keys one after the other, each when the
 * program has come to rest, and prints how many bytes it wrote before the first and after each. */
#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define REST_MS 150   /* silence that counts as rest */
#define FIRST_MS 5000 /* until the program has begun to write */

static void start(const char *path, char **program)
{
	int slave;

	setsid();
	slave = open(path, O_RDWR);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0 || dup2(slave, 2) < 0)
		_exit(126);
	execvp(program[0], program);
	_exit(127);
}

/* Reads until nothing comes any more; the first byte may take longer. */
static size_t drain(int master)
{
	char bytes[65536];
	size_t all = 0;
	struct pollfd p = { .fd = master, .events = POLLIN };

	while (poll(&p, 1, all ? REST_MS : FIRST_MS) > 0) {
		ssize_t n = read(master, bytes, sizeof(bytes));

		if (n <= 0)
			break;
		all += (size_t)n;
	}
	return all;
}

int main(int argc, char **argv)
{
	struct winsize size = { 0 };
	int master = posix_openpt(O_RDWR | O_NOCTTY), i, status;
	char **program = argv + 2;
	pid_t pid;

	while (*program && strcmp(*program, "--") != 0)
		program++;
	if (argc < 3 || !*program || sscanf(argv[1], "%hux%hu", &size.ws_col, &size.ws_row) != 2 || master < 0 ||
	    grantpt(master) < 0 || unlockpt(master) < 0 || ioctl(master, TIOCSWINSZ, &size) < 0)
		return EXIT_MISUSE;
	pid = fork();
	if (pid == 0)
		start(ptsname(master), program + 1);
	printf("start %zu\n", drain(master));
	for (i = 2; argv + i < program; i++) {
		if (write(master, argv[i], strlen(argv[i])) < 0)
			break;
		printf("%s %zu\n", argv[i], drain(master));
	}
	close(master);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}
