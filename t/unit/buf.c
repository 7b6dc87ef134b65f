/* Buffers: bytes stay as they were added, a NUL follows them always; files are read whole, bounded, or refused by name. */
#include "lib/buf.h"
#include "lib/err.h"
#include "tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/tuxtape-buf.XXXXXX";
static char path[256];

static const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void test_growth(void)
{
	struct buf b = { 0 };
	bool ended = true, same = true;

	is_str(buf_str(&b), "", "an empty one is an empty string");
	buf_reset(&b);
	ok(b.data == NULL, "and has no memory");
	buf_add(&b, NULL, 0);
	is_str(b.data, "", "nothing added");
	for (int i = 0; i < 10000; i++) {
		buf_addc(&b, (char)i);
		ended &= b.data[b.len] == '\0';
	}
	for (int i = 0; i < 10000; i++)
		same &= b.data[i] == (char)i;
	ok(b.len == 10000 && same, "bytes stay, NULs among them");
	ok(ended, "a NUL follows at each step");
	ok(b.cap < 40000, "growth has bounds");
	buf_reset(&b);
	ok(b.len == 0 && b.cap >= 10000 && *b.data == '\0', "a reset keeps the memory");
	buf_adds(&b, "again");
	is_str(buf_str(&b), "again", "for further use");
	buf_free(&b);
	ok(!b.data && !b.len && !b.cap, "freed, it is as new");
	buf_free(&b);
}

static void test_text(void)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s", "");
	is_str(buf_str(&b), "", "empty text");
	buf_printf(&b, "%d-%s;", 7, "x");
	buf_printf(&b, "%200s", "y");
	ok(b.len == 204 && strncmp(b.data, "7-x;", 4) == 0 && b.data[203] == 'y', "formatted text is appended");
	memset(buf_reserve(&b, 1000), 'z', 1000);
	b.len += 1000;
	buf_addc(&b, '.');
	ok(b.len == 1205 && b.data[1203] == 'z' && b.data[1204] == '.', "reserved room is there");
	buf_free(&b);
}

static void test_file(void)
{
	struct buf b = { 0 }, big = { 0 };
	int fd = open(in_dir("file"), O_RDWR | O_CREAT, 0600);

	for (int i = 0; i < 200000; i++)
		buf_addc(&big, (char)(i % 251));
	ok(fd >= 0 && write(fd, big.data, big.len) == 200000, "a file of 200000 bytes");
	close(fd);
	buf_adds(&b, "head");
	is_int(buf_read_file(&b, path, 0), 0, "is read");
	ok(b.len == 200004 && memcmp(b.data, "head", 4) == 0 && memcmp(b.data + 4, big.data, big.len) == 0 && !b.data[b.len],
	   "behind what was there, whole");
	is_int(buf_read_file(&b, path, 200000), 0, "exactly the most");
	is_int(buf_read_file(&b, path, 199999), ERR_INPUT, "one byte more");
	ok(strstr(err_text(), path) && strstr(err_text(), "larger than 199999 bytes"), "names file and limit: %s",
	   err_text());
	buf_free(&b);
	buf_free(&big);
}

static void test_no_file(void)
{
	struct buf b = { 0 };

	is_int(buf_read_file(&b, in_dir("none"), 0), ERR_NOTFOUND, "no file");
	ok(strstr(err_text(), path) != NULL, "is named: %s", err_text());
	is_int(buf_read_file(&b, in_dir("file/below"), 0), ERR_NOTFOUND, "a file in a file");
	is_int(buf_read_file(&b, dir, 0), ERR_INPUT, "a directory");
	ok(strstr(err_text(), dir) && strstr(err_text(), "not a regular file"), "is refused by name");
	is_int(mkfifo(in_dir("pipe"), 0600), 0, "a pipe without a writer");
	is_int(buf_read_file(&b, path, 0), ERR_INPUT, "is refused and does not hang");
	is_int(buf_read_file(&b, "/dev/null", 0), ERR_INPUT, "a device");
	is_int((long long)b.len, 0, "nothing is left of them");
	is_int(buf_read_fd(&b, -1, 0), ERR_SYS, "no descriptor");
	buf_free(&b);
}

static void test_fd(void)
{
	struct buf b = { 0 };
	int fds[2];

	is_int(pipe(fds), 0, "a pipe");
	ok(write(fds[1], "from a pipe", 11) == 11, "with something in it");
	close(fds[1]);
	is_int(buf_read_fd(&b, fds[0], 0), 0, "is read to its end");
	is_str(b.data, "from a pipe", "whole");
	is_int(buf_read_fd(&b, fds[0], 5), 0, "the limit counts what comes, not what was there");
	close(fds[0]);
	buf_free(&b);
}

int main(void)
{
	ok(mkdtemp(dir) != NULL, "a directory");
	test_growth();
	test_text();
	test_file();
	test_no_file();
	test_fd();
	unlink(in_dir("file"));
	unlink(in_dir("pipe"));
	rmdir(dir);
	return done();
}
