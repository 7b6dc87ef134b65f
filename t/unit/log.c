/* What reaches stderr: whole lines in one write, printable; a progress line on a terminal only; marks for scripts. */
#include "lib/log.h"
#include "tap.h"

#include "lib/buf.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum where { FILE_LIKE, TERMINAL };

static struct buf said;
static int writes;

/* Datagrams keep writes apart. */
static void read_writes(int fd)
{
	for (;; writes++) {
		ssize_t n = read(fd, buf_reserve(&said, 1 << 16), 1 << 16);

		if (n <= 0)
			return;
		said.len += (size_t)n;
		said.data[said.len] = '\0';
	}
}

static int open_pair(enum where where, int fds[2])
{
	if (where == FILE_LIKE)
		return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds);
	fds[0] = posix_openpt(O_RDWR | O_NOCTTY);
	if (fds[0] < 0 || grantpt(fds[0]) || unlockpt(fds[0]))
		return -1;
	fds[1] = open(ptsname(fds[0]), O_RDWR | O_NOCTTY);
	return fds[1] < 0 ? -1 : 0;
}

/* Runs `speak` in a process whose stderr is such a place; what it wrote is in `said`, how often in `writes`. */
static const char *say(enum where where, enum log_level level, void (*speak)(void))
{
	int fds[2], status = -1;
	pid_t pid;

	buf_reset(&said);
	writes = 0;
	if (open_pair(where, fds) < 0)
		return "no place to write to";
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(fds[0]);
		dup2(fds[1], STDERR_FILENO);
		close(fds[1]);
		log_setup("me", level);
		speak();
		_exit(0);
	}
	close(fds[1]);
	read_writes(fds[0]);
	close(fds[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return "the speaker died";
	return buf_str(&said);
}

static void speak_all(void)
{
	log_error("error %d", 1);
	log_note("note");
	log_verbose("verbose");
}

static void speak_foreign(void)
{
	char big[9000];

	log_error("%s", "two\nlines \x1b[31m \xe2\x80\xae \xff");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_error("%s", big);
}

static void test_lines(void)
{
	is_str(say(FILE_LIKE, LOG_QUIET, speak_all), "me: error 1\n", "quiet: errors alone");
	is_str(say(FILE_LIKE, LOG_NORMAL, speak_all), "me: error 1\nme: note\n", "normal: notes");
	is_str(say(FILE_LIKE, LOG_VERBOSE, speak_all), "me: error 1\nme: note\nme: verbose\n", "verbose: more");
	is_int(writes, 3, "a line is one write");
	is_str(say(FILE_LIKE, LOG_DEBUG, speak_all), "me: error 1\nme: note\nme: verbose\n", "debug: as much");
	say(FILE_LIKE, LOG_QUIET, speak_foreign);
	ok(strncmp(said.data, "me: two\\x0alines \\x1b[31m \\u{202e} \\xff\nme: xxx", 45) == 0,
	   "foreign text is made printable");
	is_int((long long)said.len, 40 + 4 + 8999 + 1, "however long, it is whole");
	is_int(writes, 2, "and one write");
	log_setup("me", LOG_DEBUG);
	is_int(log_level(), LOG_DEBUG, "the level can be asked");
}

/* Seconds depend on how busy the machine is: the first ones go to *seconds, all become T. */
static const char *blur(char *text, double *seconds)
{
	char *unit = text;

	*seconds = -1;
	while ((unit = strstr(unit, " s: "))) {
		char *number = unit;

		while (number > text && strchr("0123456789.", number[-1]))
			number--;
		if (*seconds < 0)
			*seconds = strtod(number, NULL);
		*number = 'T';
		memmove(number + 1, unit, strlen(unit) + 1);
		unit = number + 2;
	}
	return text;
}

static void speak_phase(void)
{
	struct log_phase p;

	log_phase_begin(&p, "read", "CVEs", 0);
	log_phase_step(&p, 1, 2, "CVE-1");
	log_phase_step(&p, 2, 2, NULL);
	p.started_ms = now_ms() - 1500;
	log_phase_end(&p, 2, "%d new", 1);
	log_phase_begin(&p, "sort", "fixes", 0);
	log_phase_step(&p, 7, 0, NULL);
	log_phase_end(&p, 0, "nothing");
}

static void test_phase_elsewhere(void)
{
	double seconds;

	say(FILE_LIKE, LOG_NORMAL, speak_phase);
	is_str(blur(said.data, &seconds), "me: read: 2 CVEs in T s: 1 new\nme: sort: T s: nothing\n",
	       "without a terminal a phase is one line");
	ok(seconds >= 1.5 && seconds < 10, "with the time that it took (%.1f)", seconds);
	say(FILE_LIKE, LOG_VERBOSE, speak_phase);
	is_str(blur(said.data, &seconds),
	       "me: mark read 1/2\nme: mark read 2/2\nme: read: 2 CVEs in T s: 1 new\nme: mark sort 7/0\nme: sort: T s: "
	       "nothing\n",
	       "with -v each step is a mark");
	is_int(writes, 5, "each of one write");
	is_str(say(FILE_LIKE, LOG_QUIET, speak_phase), "", "quiet, it is none");
}

static void speak_progress(void)
{
	struct log_phase p;

	log_phase_begin(&p, "read", "CVEs", 1000);
	p.started_ms = now_ms() - 10000;
	log_phase_step(&p, 1105, 1305, "dir/\x1b[2J");
	log_note("note");
	p.drawn_ms = 0;
	p.started_ms = now_ms() - 7300 * 1000;
	log_phase_step(&p, 1001, 1002, NULL);
	log_phase_end(&p, 1001, "done");
}

static void speak_fast(void)
{
	struct log_phase p;

	log_phase_begin(&p, "read", "CVEs", 0);
	for (uint64_t i = 0; now_ms() - p.started_ms < 250; i++)
		log_phase_step(&p, i, 0, NULL);
}

static void test_phase_terminal(void)
{
	const char *got;
	double seconds;
	int drawn = 0;

	say(TERMINAL, LOG_VERBOSE, speak_progress);
	is_str(blur(said.data, &seconds),
	       "\rread: 1105/1305 CVEs, 10/s, 0:19 left, dir/\\x1b[2J\033[K"
	       "\r\033[Kme: note\r\n"
	       "\rread: 1001/1002 CVEs, 0/s, 2:01:40 left\033[K"
	       "\r\033[Kme: read: 1001 CVEs in T s: done\r\n",
	       "a terminal gets rate, time left and detail, and clean lines between");
	is_str(say(TERMINAL, LOG_QUIET, speak_progress), "", "none when quiet");
	got = say(TERMINAL, LOG_NORMAL, speak_fast);
	for (; (got = strchr(got, '\r')); got++)
		drawn++;
	ok(drawn >= 1 && drawn <= 4, "a quarter of a second has few lines (%d)", drawn);
}

static void test_colour(void)
{
	int fds[2];

	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	is_int(open_pair(TERMINAL, fds), 0, "a terminal");
	ok(log_colour(fds[1]), "gets colour");
	setenv("NO_COLOR", "", 1);
	ok(log_colour(fds[1]), "an empty NO_COLOR is none");
	setenv("NO_COLOR", "1", 1);
	ok(!log_colour(fds[1]), "NO_COLOR is heeded");
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	ok(!log_colour(fds[1]), "so is a dumb terminal");
	unsetenv("TERM");
	ok(!log_colour(fds[1]), "and one of no name");
	close(fds[0]);
	close(fds[1]);
	setenv("TERM", "xterm", 1);
	is_int(open_pair(FILE_LIKE, fds), 0, "what is no terminal");
	ok(!log_colour(fds[1]), "gets none");
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	test_lines();
	test_phase_elsewhere();
	test_phase_terminal();
	test_colour();
	buf_free(&said);
	return done();
}
