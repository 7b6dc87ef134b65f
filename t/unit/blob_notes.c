/* Notes on blobs: what was added is found again, in a file that is bounded; whatever else stands in the file is nothing at all. */
#include "lib/blob_notes.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "tap.h"

#include <sys/stat.h>
#include <unistd.h>

#define MOST 4096
#define SUMMED 24 /* title and sum */
#define ENTRIES 28

static char dir[] = "/tmp/tuxtape-notes.XXXXXX";
static const struct blob_notes_how how = { "sub/notes", "test 1", MOST };

static const uint8_t *id_of(unsigned i)
{
	static uint8_t id[BLOB_NOTES_ID];

	memset(id, (int)(i * 37), sizeof(id));
	id[BLOB_NOTES_ID - 1] = (uint8_t)i;
	return id;
}

/* The note on a blob as text; "-" where there is none. */
static const char *note_of(struct blob_notes *b, unsigned i)
{
	static struct buf text;

	buf_reset(&text);
	return blob_notes_find(b, id_of(i), &text) ? buf_str(&text) : "-";
}

static void add(struct blob_notes *b, unsigned i, const char *text)
{
	blob_notes_add(b, id_of(i), text, strlen(text));
}

static const char *note_in(const struct blob_notes_how *h, unsigned i)
{
	struct blob_notes *b = blob_notes_open(h);
	const char *text = note_of(b, i);

	blob_notes_free(b);
	return text;
}

static void write_three(void)
{
	struct blob_notes *b = blob_notes_open(&how);

	add(b, 7, "seven");
	add(b, 1, "one");
	add(b, 3, "");
	add(b, 7, "seven");
	is_int(blob_notes_save(b), 0, "saved");
	blob_notes_free(b);
}

static void test_kept(void)
{
	struct stat before, after;
	struct blob_notes *b;
	struct buf text = { 0 };

	is_str(note_in(&how, 1), "-", "nothing there yet");
	write_three();
	ok(stat(how.path, &before) == 0 && (before.st_mode & 07777) == 0600, "a file of its owner's");
	is_int(before.st_size, SUMMED + 4 + 3 * 24 + 8, "each note in it once");
	b = blob_notes_open(&how);
	is_str(note_of(b, 7), "seven", "one is found");
	is_str(note_of(b, 1), "one", "another");
	is_str(note_of(b, 3), "", "an empty one");
	is_str(note_of(b, 2), "-", "none that was not added");
	buf_adds(&text, "before ");
	ok(blob_notes_find(b, id_of(1), &text) && strcmp(buf_str(&text), "before one") == 0, "it is appended");
	is_int(blob_notes_save(b), 0, "nothing new");
	ok(stat(how.path, &after) == 0 && after.st_ino == before.st_ino, "writes nothing");
	add(b, 2, "two");
	is_int(blob_notes_save(b), 0, "one more");
	blob_notes_free(b);
	is_str(note_in(&how, 2), "two", "is found");
	is_str(note_in(&how, 7), "seven", "with the others");
	buf_free(&text);
}

static void test_nowhere(void)
{
	struct blob_notes *b = blob_notes_open(&(struct blob_notes_how){ NULL, "test 1", MOST });

	add(b, 1, "one");
	is_str(note_of(b, 1), "-", "no path: nothing is kept");
	is_int(blob_notes_save(b), 0, "nor written");
	blob_notes_free(b);
	blob_notes_free(NULL);
	b = blob_notes_open(&(struct blob_notes_how){ "sub/notes/below", "test 1", MOST });
	add(b, 1, "one");
	is_int(blob_notes_save(b), ERR_SYS, "a file in the way is an error when it is written");
	blob_notes_free(b);
	is_str(note_in(&(struct blob_notes_how){ "sub", "test 1", MOST }, 1), "-", "a folder is no file");
}

static bool is_nothing(const struct buf *file)
{
	return file_replace(how.path, buf_str(file), file->len, 0600) == 0 && strcmp(note_in(&how, 1), "-") == 0 &&
	       strcmp(note_in(&how, 7), "-") == 0;
}

static void test_damaged(void)
{
	struct buf file = { 0 };
	struct blob_notes *b;
	bool all = true;

	unlink(how.path);
	write_three();
	is_str(note_in(&(struct blob_notes_how){ how.path, "test 2", MOST }, 1), "-", "another title");
	is_str(note_in(&(struct blob_notes_how){ how.path, "test 1", 50 }, 1), "-", "more than is taken");
	ok(buf_read_file(&file, how.path, 0) == 0, "the file");
	for (size_t i = 0; i < file.len; i++) {
		file.data[i] ^= 0x20;
		all = all && is_nothing(&file);
		file.data[i] ^= 0x20;
	}
	ok(all, "a byte is not what it was: taken for nothing");
	for (size_t n = file.len, i = 0; i < n; i++) {
		file.len = i;
		all = all && is_nothing(&file);
		file.len = n;
	}
	ok(all, "its end is missing: taken for nothing");
	b = blob_notes_open(&how);
	add(b, 1, "anew");
	is_int(blob_notes_save(b), 0, "it is replaced");
	blob_notes_free(b);
	is_str(note_in(&how, 1), "anew", "by a good one");
	buf_free(&file);
}

/* Sums fit, what is summed does not. */
static bool is_refused(struct buf *file)
{
	uint64_t sum = hash_mix(HASH_MIX_START, file->data + SUMMED, file->len - SUMMED);

	for (size_t i = SUMMED; i > SUMMED - 8; sum >>= 8)
		file->data[--i] = (char)(sum & 0xff);
	return is_nothing(file);
}

static void test_hostile(void)
{
	struct buf file = { 0 };
	char entry[24];

	unlink(how.path);
	write_three();
	ok(buf_read_file(&file, how.path, 0) == 0 && !is_refused(&file), "the sum is made as the file's is");
	buf_addc(&file, 'x');
	ok(is_refused(&file), "more text than notes");
	file.len -= 2;
	ok(is_refused(&file), "less");
	file.len++;
	file.data[SUMMED]++;
	ok(is_refused(&file), "more notes than there is room for");
	file.data[SUMMED]--;
	file.data[ENTRIES + 20] = (char)0xff;
	ok(is_refused(&file), "a text of 4 GB");
	file.data[ENTRIES + 20] = 0;
	memcpy(entry, file.data + ENTRIES, sizeof(entry));
	memmove(file.data + ENTRIES, file.data + ENTRIES + sizeof(entry), sizeof(entry));
	memcpy(file.data + ENTRIES + sizeof(entry), entry, sizeof(entry));
	ok(is_refused(&file), "ids out of order");
	memcpy(file.data + ENTRIES, entry, sizeof(entry));
	ok(is_refused(&file), "an id twice");
	buf_free(&file);
}

static void test_bound(void)
{
	const struct blob_notes_how small = { "small", "test 1", SUMMED + 4 + 3 * (24 + 4) };
	struct blob_notes *b = blob_notes_open(&small);
	struct stat st;

	for (unsigned i = 0; i < 3; i++)
		add(b, i, "text");
	is_int(blob_notes_save(b), 0, "three fit");
	blob_notes_free(b);
	b = blob_notes_open(&small);
	is_str(note_of(b, 0), "text", "the first is used");
	is_str(note_of(b, 2), "text", "and the last");
	add(b, 3, "more");
	is_int(blob_notes_save(b), 0, "one more");
	blob_notes_free(b);
	ok(stat(small.path, &st) == 0 && (size_t)st.st_size == small.most, "no byte above the bound");
	is_str(note_in(&small, 3), "more", "the new one is there");
	is_str(note_in(&small, 0), "text", "those that were used, too");
	is_str(note_in(&small, 2), "text", "both");
	is_str(note_in(&small, 1), "-", "the one of no use went");
	b = blob_notes_open(&(struct blob_notes_how){ "small", "test 1", 10 });
	blob_notes_add(b, id_of(1), "eleven byte", 11);
	is_int(blob_notes_save(b), 0, "a note above the bound is none");
	blob_notes_free(b);
	unlink(small.path);
}

int main(void)
{
	ok(mkdtemp(dir) != NULL && chdir(dir) == 0, "a directory");
	test_kept();
	test_nowhere();
	test_damaged();
	test_hostile();
	test_bound();
	unlink(how.path);
	ok(rmdir("sub") == 0 && chdir("/") == 0 && rmdir(dir) == 0, "nothing else was made");
	return done();
}
