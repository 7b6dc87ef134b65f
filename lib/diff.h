/* Patches as text: unified diffs read into files, hunks and lines, as git apply reads them. */
#ifndef TUXTAPE_DIFF_H
#define TUXTAPE_DIFF_H

#include "lib/arena.h"
#include "lib/base.h"

enum diff_kind {
	DIFF_CONTEXT = ' ',
	DIFF_ADD = '+',
	DIFF_DELETE = '-',
};

/* One line of a hunk. text points into the patch, without the mark in front and the newline behind; a carriage return stays. */
struct diff_line {
	const char *text;
	uint32_t len;
	uint32_t line; /* where it stands in the patch, from 1 */
	enum diff_kind kind;
	bool no_newline; /* the file ends here, without one */
};

struct diff_hunk {
	uint32_t line; /* of its @@ in the patch */
	uint32_t old_start, old_count, new_start, new_count;
	const char *section; /* behind the second @@, without the blank; into the patch */
	size_t section_len;
	struct diff_line *lines;
	size_t n_lines;
	uint32_t leading, trailing; /* lines of context before the first and behind the last change */
};

/* Who can tell whether a file is created or deleted: a git header or /dev/null says so, and an old-fashioned header without
 * old or new lines leaves it open. */
enum diff_answer {
	DIFF_NO,
	DIFF_YES,
	DIFF_PERHAPS,
};

struct diff_file {
	uint32_t line;                   /* of its header in the patch */
	const char *old_path, *new_path; /* without the first component (a/ and b/); NULL for /dev/null; never both */
	uint32_t old_mode, new_mode;     /* 0: not told */
	enum diff_answer created, deleted;
	bool renamed, copied;
	bool binary;                 /* "Binary files differ" or a binary patch: its contents are not read */
	uint32_t similarity;         /* percent; 0 where not told */
	const char *old_id, *new_id; /* object ids of the index line, perhaps short; NULL where there is none */
	struct diff_hunk *hunks;
	size_t n_hunks;
};

/* A line of the text before the first file, without its newline. */
struct diff_text {
	const char *text;
	size_t len;
};

struct diff {
	struct diff_text *header; /* header[0] is line 1 of the patch */
	size_t n_header;
	struct diff_file *files;
	size_t n_files;
};

/* More bytes than this are refused. */
#define DIFF_MOST (64u << 20)

/* Reads a patch of n bytes; all in the arena but the lines' text, which stays where it is. What stands between and behind the
 * files is passed over, as git apply does. ERR_INPUT with the line where the patch is malformed, has no file, or names a path
 * that leads out of the tree (absolute, "..", ".", an empty component, ".git"). */
int diff_parse(struct arena *a, const char *text, size_t n, struct diff *out);

/* The path by which people know the file: the new one, or the old one of a file that goes. */
const char *diff_path(const struct diff_file *f);

/* The value of the next "key: value" line of the header, from line *at (start with 0; moved behind the line found). Keys are compared
 * without regard to case; blanks around the value are left out. False where there is none. */
bool diff_header_value(const struct diff *d, const char *key, size_t *at, struct diff_text *value);

/* True when path names something inside a tree. */
bool diff_path_is_safe(const char *path);

#endif
