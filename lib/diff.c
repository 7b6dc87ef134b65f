/* Owns the grammar of unified diffs, as git writes them and as diff -u does. Refuses hunks whose counts lie, headers that
 * contradict each other, and paths that lead out of the tree; text between files is nobody's and is passed over. */
#include "lib/diff.h"

#include "lib/err.h"
#include "lib/str.h"

#include <stdlib.h>
#include <strings.h>

/* How much of a line is quoted in an error. */
#define QUOTE_MAX 80
#define EPOCH "1970-01-01 00:00:00"
/* The shortest "\ No newline at end of file" in any language. */
#define NO_NEWLINE_LEAST 12

struct parser {
	struct arena *a;
	struct diff *out;
	const char *at, *end;
	uint32_t line; /* of what stands at `at` */
};

/* A line with its newline left out. */
struct row {
	const char *s;
	size_t n;
	bool newline;
};

static struct row row_at(const char *at, const char *end)
{
	const char *nl = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;

	return (struct row){ at, (size_t)((nl ? nl : end) - at), nl != NULL };
}

static struct row peek(const struct parser *p)
{
	return row_at(p->at, p->end);
}

static void step(struct parser *p, struct row r)
{
	p->at = r.s + r.n + r.newline;
	p->line++;
}

static bool row_starts(struct row r, const char *prefix)
{
	size_t n = strlen(prefix);

	return r.n >= n && memcmp(r.s, prefix, n) == 0;
}

static bool row_ends(struct row r, const char *suffix)
{
	size_t n = strlen(suffix);

	return r.n >= n && memcmp(r.s + r.n - n, suffix, n) == 0;
}

static int malformed(uint32_t line, const char *what, struct row r)
{
	return fail(ERR_INPUT, "patch, line %u: %s: %.*s", line, what, (int)MIN_OF(r.n, (size_t)QUOTE_MAX), r.s);
}

/* ---- Paths */

static bool component_is_safe(const char *s, size_t n)
{
	if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
		return false;
	return !(n == 4 && strncasecmp(s, ".git", 4) == 0);
}

bool diff_path_is_safe(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");

		if (!component_is_safe(path, n))
			return false;
		if (path[n] == '\0')
			return true;
		path += n + 1;
	}
}

/* The byte that an escape stands for; moves past it. -1 where there is no such escape. */
static int unescape(const char **s, const char *end)
{
	static const char letters[] = "abtnvfr";
	const char *found;
	int value = 0;

	if (*s == end)
		return -1;
	if ((found = memchr(letters, **s, sizeof(letters) - 1))) {
		(*s)++;
		return '\a' + (int)(found - letters);
	}
	if (**s == '"' || **s == '\\')
		return (unsigned char)*(*s)++;
	for (int i = 0; i < 3; i++, (*s)++) {
		if (*s == end || **s < '0' || **s > '7')
			return -1;
		value = value * 8 + (**s - '0');
	}
	return value > 0 && value < 256 ? value : -1;
}

/* The text of the quoted name at s, in the arena; *s moves behind the closing quote. NULL where it is malformed. */
static char *unquote(struct arena *a, const char **s, const char *end)
{
	char *to = arena_alloc(a, (size_t)(end - *s) + 1), *w = to;
	const char *r = *s + 1;

	while (r < end && *r != '"') {
		int c = (unsigned char)*r++;

		if (c == '\\' && (c = unescape(&r, end)) < 0)
			return NULL;
		*w++ = (char)c;
	}
	if (r == end)
		return NULL;
	*s = r + 1;
	return to;
}

/* What stands behind the first component; NULL where there is but one. */
static char *strip_component(char *name)
{
	char *slash = strchr(name, '/');

	return slash ? slash + 1 : NULL;
}

/* The name at the start of r, which ends at a tab or with the line. stripped: its first component goes. NULL where there is none. */
static char *read_name(struct parser *p, struct row r, bool stripped)
{
	const char *end = r.s + r.n, *tab = memchr(r.s, '\t', r.n);
	char *name;

	if (r.n && *r.s == '"')
		name = unquote(p->a, &r.s, end);
	else
		name = arena_memdup(p->a, r.s, (size_t)((tab ? tab : end) - r.s));
	if (!name)
		return NULL;
	return stripped ? strip_component(name) : name;
}

static bool is_null_name(struct row r)
{
	static const char null_name[] = "/dev/null";
	size_t n = sizeof(null_name) - 1;

	return row_starts(r, null_name) && (r.n == n || r.s[n] == '\t' || r.s[n] == ' ' || r.s[n] == '\r');
}

/* A path of the patch, checked. */
static int take_path(struct parser *p, struct row r, bool stripped, const char **out)
{
	char *name = read_name(p, r, stripped);

	if (!name)
		return malformed(p->line, "no file name here", r);
	if (r.n && r.s[r.n - 1] == '\r')
		return fail(ERR_INPUT, "patch, line %u: the name ends with a carriage return: the patch has DOS line ends",
			    p->line);
	if (!diff_path_is_safe(name))
		return malformed(p->line, "a path that leads out of the tree", r);
	*out = name;
	return 0;
}

/* ---- The header that git writes */

/* The name that both halves of "diff --git a/name b/name" hold, or NULL where they differ (then other lines tell). */
static char *common_name(struct parser *p, struct row r)
{
	const char *end = r.s + r.n, *s = r.s;
	char *first, *second;

	if (r.n && *s == '"') {
		if (!(first = unquote(p->a, &s, end)) || s == end || *s != ' ')
			return NULL;
		s++;
		second = read_name(p, (struct row){ s, (size_t)(end - s), true }, false);
	} else if (r.n && end[-1] == '"') {
		if (!(s = memmem(r.s, r.n, " \"", 2)))
			return NULL;
		first = arena_memdup(p->a, r.s, (size_t)(s++ - r.s));
		second = unquote(p->a, &s, end);
	} else {
		size_t half = r.n / 2;

		if (r.n % 2 == 0 || r.s[half] != ' ')
			return NULL;
		first = arena_memdup(p->a, r.s, half);
		second = arena_memdup(p->a, r.s + half + 1, half);
	}
	if (!second || !(first = strip_component(first)) || !(second = strip_component(second)))
		return NULL;
	return strcmp(first, second) == 0 ? first : NULL;
}

/* A file's header while it is read. */
struct header {
	struct diff_file *f;
	const char *common;
};

static int read_mode(struct parser *p, struct row r, uint32_t *mode)
{
	uint32_t value = 0;
	size_t i = 0;

	for (; i < r.n && r.s[i] >= '0' && r.s[i] <= '7' && value <= 0177777; i++)
		value = value * 8 + (uint32_t)(r.s[i] - '0');
	if (i == 0 || value > 0177777 || (i < r.n && r.s[i] != ' ' && r.s[i] != '\t' && r.s[i] != '\r'))
		return malformed(p->line, "not a file mode", r);
	*mode = value;
	return 0;
}

static int take_old_mode(struct parser *p, struct header *h, struct row r)
{
	return read_mode(p, r, &h->f->old_mode);
}

static int take_new_mode(struct parser *p, struct header *h, struct row r)
{
	return read_mode(p, r, &h->f->new_mode);
}

static int take_deleted(struct parser *p, struct header *h, struct row r)
{
	h->f->deleted = DIFF_YES;
	return read_mode(p, r, &h->f->old_mode);
}

static int take_created(struct parser *p, struct header *h, struct row r)
{
	h->f->created = DIFF_YES;
	return read_mode(p, r, &h->f->new_mode);
}

static int take_copy_from(struct parser *p, struct header *h, struct row r)
{
	h->f->copied = true;
	return take_path(p, r, false, &h->f->old_path);
}

static int take_copy_to(struct parser *p, struct header *h, struct row r)
{
	h->f->copied = true;
	return take_path(p, r, false, &h->f->new_path);
}

static int take_rename_from(struct parser *p, struct header *h, struct row r)
{
	h->f->renamed = true;
	return take_path(p, r, false, &h->f->old_path);
}

static int take_rename_to(struct parser *p, struct header *h, struct row r)
{
	h->f->renamed = true;
	return take_path(p, r, false, &h->f->new_path);
}

static int take_similarity(struct parser *p UNUSED, struct header *h, struct row r)
{
	uint32_t value = 0;

	for (size_t i = 0; i < r.n && r.s[i] >= '0' && r.s[i] <= '9' && value <= 100; i++)
		value = value * 10 + (uint32_t)(r.s[i] - '0');
	if (value <= 100)
		h->f->similarity = value;
	return 0;
}

/* "OLD..NEW[ MODE]"; what does not look like it is passed over, as git does. */
static int take_index(struct parser *p, struct header *h, struct row r)
{
	const char *dots = memmem(r.s, r.n, "..", 2), *end = r.s + r.n, *blank;

	if (!dots || dots - r.s > 64)
		return 0;
	blank = memchr(dots, ' ', (size_t)(end - dots));
	h->f->old_id = arena_memdup(p->a, r.s, (size_t)(dots - r.s));
	h->f->new_id = arena_memdup(p->a, dots + 2, (size_t)((blank ? blank : end) - dots - 2));
	if (!blank)
		return 0;
	return read_mode(p, (struct row){ blank + 1, (size_t)(end - blank - 1), true }, &h->f->old_mode);
}

/* The name of a --- or +++ line: it must agree with what the header said already. */
static int take_side(struct parser *p, struct row r, enum diff_answer absent, const char **path)
{
	const char *name;
	int err;

	if (absent == DIFF_YES)
		return is_null_name(r) ? 0 : malformed(p->line, "expected /dev/null", r);
	if (is_null_name(r))
		return malformed(p->line, "/dev/null without a header that the file is new or deleted", r);
	if ((err = take_path(p, r, true, &name)))
		return err;
	if (*path && strcmp(*path, name) != 0)
		return malformed(p->line, "another name than the header's", r);
	*path = name;
	return 0;
}

static int take_old_side(struct parser *p, struct header *h, struct row r)
{
	return take_side(p, r, h->f->created, &h->f->old_path);
}

static int take_new_side(struct parser *p, struct header *h, struct row r)
{
	return take_side(p, r, h->f->deleted, &h->f->new_path);
}

static const struct extension {
	const char *word;
	int (*take)(struct parser *, struct header *, struct row);
} extensions[] = {
	{ "--- ", take_old_side },
	{ "+++ ", take_new_side },
	{ "old mode ", take_old_mode },
	{ "new mode ", take_new_mode },
	{ "deleted file mode ", take_deleted },
	{ "new file mode ", take_created },
	{ "copy from ", take_copy_from },
	{ "copy to ", take_copy_to },
	{ "rename old ", take_rename_from },
	{ "rename new ", take_rename_to },
	{ "rename from ", take_rename_from },
	{ "rename to ", take_rename_to },
	{ "similarity index ", take_similarity },
	{ "dissimilarity index ", take_similarity },
	{ "index ", take_index },
};

static const struct extension *find_extension(struct row r)
{
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
		if (row_starts(r, extensions[i].word))
			return &extensions[i];
	return NULL;
}

/* One name that both sides share stands in the first line alone where a file is created, deleted, or changes its mode. */
static int finish_names(struct header *h)
{
	struct diff_file *f = h->f;

	if ((f->created == DIFF_YES) + (f->deleted == DIFF_YES) + f->renamed + f->copied > 1)
		return fail(ERR_INPUT, "patch, line %u: the header says two things of one file", f->line);
	if (f->created == DIFF_YES) {
		f->new_path = f->new_path ? f->new_path : h->common;
	} else if (f->deleted == DIFF_YES) {
		f->old_path = f->old_path ? f->old_path : h->common;
	} else if (!f->old_path && !f->new_path) {
		f->old_path = f->new_path = h->common;
	}
	if ((!f->old_path && f->created != DIFF_YES) || (!f->new_path && f->deleted != DIFF_YES))
		return fail(ERR_INPUT, "patch, line %u: the header lacks the file's name", f->line);
	return 0;
}

static int parse_git_header(struct parser *p, struct diff_file *f)
{
	struct header h = { .f = f };
	struct row r = peek(p);
	int err;

	r.s += strlen("diff --git ");
	r.n -= strlen("diff --git ");
	h.common = common_name(p, r);
	if (h.common && !diff_path_is_safe(h.common))
		return malformed(p->line, "a path that leads out of the tree", r);
	step(p, r);
	for (; p->at < p->end; step(p, r)) {
		const struct extension *x;
		struct row rest;

		r = peek(p);
		if (!r.newline || !(x = find_extension(r)))
			break;
		rest = (struct row){ r.s + strlen(x->word), r.n - strlen(x->word), true };
		if ((err = x->take(p, &h, rest)))
			return err;
	}
	return finish_names(&h);
}

/* ---- The header that diff -u writes */

static bool has_epoch(struct row r)
{
	const char *tab = memchr(r.s, '\t', r.n);

	return tab && row_starts((struct row){ tab + 1, (size_t)(r.s + r.n - tab - 1), true }, EPOCH);
}

static bool is_plain_header(const struct parser *p, struct row r)
{
	struct row next, hunk;

	if (!r.newline || !row_starts(r, "--- "))
		return false;
	next = row_at(r.s + r.n + 1, p->end);
	if (!next.newline || !row_starts(next, "+++ "))
		return false;
	hunk = row_at(next.s + next.n + 1, p->end);
	return row_starts(hunk, "@@ -");
}

static int parse_plain_header(struct parser *p, struct diff_file *f)
{
	struct row old = peek(p), now = row_at(old.s + old.n + 1, p->end);
	struct row old_name = { old.s + 4, old.n - 4, true }, new_name = { now.s + 4, now.n - 4, true };
	bool created = is_null_name(old_name) || has_epoch(old_name),
	     deleted = is_null_name(new_name) || has_epoch(new_name);
	int err;

	f->created = created ? DIFF_YES : deleted ? DIFF_NO : DIFF_PERHAPS;
	f->deleted = created ? DIFF_NO : deleted ? DIFF_YES : DIFF_PERHAPS;
	if (!created && (err = take_path(p, old_name, true, &f->old_path)))
		return err;
	step(p, old);
	if (!(deleted && !created) && (err = take_path(p, new_name, true, &f->new_path)))
		return err;
	step(p, now);
	/* "--- a/x.orig", "+++ b/x": the second name is the file's. */
	if (f->old_path && f->new_path)
		f->old_path = f->new_path;
	return 0;
}

/* ---- Hunks */

static bool read_number(const char **s, const char *end, uint32_t *out)
{
	uint64_t value = 0;
	const char *start = *s;

	for (; *s < end && **s >= '0' && **s <= '9' && value <= INT32_MAX; (*s)++)
		value = value * 10 + (uint64_t)(**s - '0');
	*out = (uint32_t)value;
	return *s > start && value <= INT32_MAX;
}

static bool read_range(const char **s, const char *end, uint32_t *start, uint32_t *count)
{
	if (!read_number(s, end, start))
		return false;
	*count = 1;
	if (*s == end || **s != ',')
		return true;
	(*s)++;
	return read_number(s, end, count);
}

static bool skip_word(const char **s, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - *s) < n || memcmp(*s, word, n) != 0)
		return false;
	*s += n;
	return true;
}

/* "@@ -1,2 +3,4 @@ section" */
static bool parse_hunk_head(struct row r, struct diff_hunk *h)
{
	const char *s = r.s, *end = r.s + r.n;

	if (!skip_word(&s, end, "@@ -") || !read_range(&s, end, &h->old_start, &h->old_count) || !skip_word(&s, end, " +") ||
	    !read_range(&s, end, &h->new_start, &h->new_count) || !skip_word(&s, end, " @@"))
		return false;
	while (s < end && *s == ' ')
		s++;
	h->section = s;
	h->section_len = (size_t)(end - s);
	return true;
}

static bool is_no_newline(struct row r)
{
	return r.n + r.newline >= NO_NEWLINE_LEAST && row_starts(r, "\\ ");
}

/* Adds the line at the parser to the hunk; *old and *now are what is left of the counts. */
static int take_line(struct parser *p, struct diff_hunk *h, struct row r, uint32_t *old, uint32_t *now)
{
	struct diff_line *l;
	char mark = r.n ? *r.s : ' '; /* newer diffs cut the blank of an empty line */

	if (!r.newline)
		return malformed(p->line, "the patch ends inside a hunk", r);
	if (mark == '\\' && h->n_lines && is_no_newline(r)) {
		h->lines[h->n_lines - 1].no_newline = true;
		return 0;
	}
	if ((mark != ' ' && mark != '+' && mark != '-') || (mark != '+' && *old == 0) || (mark != '-' && *now == 0))
		return malformed(p->line, "does not fit the counts of its hunk", r);
	l = arena_grow(p->a, (void **)&h->lines, &h->n_lines, sizeof(*l));
	*l = (struct diff_line){ .text = r.n ? r.s + 1 : r.s,
				 .len = (uint32_t)(r.n ? r.n - 1 : 0),
				 .line = p->line,
				 .kind = (enum diff_kind)mark };
	*old -= mark != '+';
	*now -= mark != '-';
	return 0;
}

static int count_context(struct diff_hunk *h)
{
	size_t first = 0, last = h->n_lines;

	while (first < h->n_lines && h->lines[first].kind == DIFF_CONTEXT)
		first++;
	if (first == h->n_lines)
		return fail(ERR_INPUT, "patch, line %u: a hunk that changes nothing", h->line);
	while (h->lines[last - 1].kind == DIFF_CONTEXT)
		last--;
	h->leading = (uint32_t)first;
	h->trailing = (uint32_t)(h->n_lines - last);
	return 0;
}

static int parse_hunk(struct parser *p, struct diff_file *f)
{
	struct diff_hunk *h = arena_grow(p->a, (void **)&f->hunks, &f->n_hunks, sizeof(*h));
	struct row r = peek(p);
	uint32_t old, now;
	int err;

	h->line = p->line;
	if (!r.newline || !parse_hunk_head(r, h))
		return malformed(p->line, "malformed hunk header", r);
	old = h->old_count;
	now = h->new_count;
	for (step(p, r); old || now; step(p, r)) {
		if (p->at == p->end)
			return malformed(p->line, "the patch ends inside a hunk", (struct row){ p->at, 0, false });
		r = peek(p);
		if ((err = take_line(p, h, r, &old, &now)))
			return err;
	}
	r = peek(p);
	if (is_no_newline(r) && h->n_lines) {
		h->lines[h->n_lines - 1].no_newline = true;
		step(p, r);
	}
	return count_context(h);
}

/* What the hunks say about whether the file was there before and is there after. */
static int check_counts(struct diff_file *f)
{
	uint64_t old = 0, now = 0;

	for (size_t i = 0; i < f->n_hunks; i++) {
		old += f->hunks[i].old_count;
		now += f->hunks[i].new_count;
	}
	if (f->created == DIFF_PERHAPS && (old || f->n_hunks > 1))
		f->created = DIFF_NO;
	if (f->deleted == DIFF_PERHAPS && (now || f->n_hunks > 1))
		f->deleted = DIFF_NO;
	if (f->created == DIFF_YES && old)
		return fail(ERR_INPUT, "patch, line %u: a new file that depends on old contents", f->line);
	if (f->deleted == DIFF_YES && now)
		return fail(ERR_INPUT, "patch, line %u: a deleted file that still has contents", f->line);
	return 0;
}

/* ---- Files */

static bool is_binary_note(struct row r)
{
	return (row_starts(r, "Binary files ") || row_starts(r, "Files ")) && row_ends(r, " differ");
}

/* A file without hunks: binary, or its header says all. */
static int parse_no_hunks(struct parser *p, struct diff_file *f)
{
	struct row r = peek(p);

	if ((row_starts(r, "GIT binary patch") && r.n == strlen("GIT binary patch")) || is_binary_note(r)) {
		f->binary = true;
		step(p, r);
		return 0;
	}
	if (f->created == DIFF_YES || f->deleted == DIFF_YES || f->renamed || f->copied ||
	    (f->old_mode && f->new_mode && f->old_mode != f->new_mode))
		return 0;
	return fail(ERR_INPUT, "patch, line %u: a file of which nothing changes: the patch is damaged behind its header",
		    f->line);
}

static int parse_file(struct parser *p, bool git)
{
	struct diff_file *f = arena_grow(p->a, (void **)&p->out->files, &p->out->n_files, sizeof(*f));
	int err;

	f->line = p->line;
	if ((err = git ? parse_git_header(p, f) : parse_plain_header(p, f)))
		return err;
	if (!row_starts(peek(p), "@@ -"))
		return parse_no_hunks(p, f);
	while (row_starts(peek(p), "@@ -"))
		if ((err = parse_hunk(p, f)))
			return err;
	return check_counts(f);
}

/* A "diff --git" line that speaks of no file: git passes over one behind which no header stands. */
static bool is_git_header(const struct parser *p, struct row r)
{
	struct row next;

	if (!r.newline || !row_starts(r, "diff --git "))
		return false;
	next = row_at(r.s + r.n + 1, p->end);
	return find_extension(next) != NULL;
}

static void take_header_line(struct parser *p, struct row r)
{
	struct diff_text *t = arena_grow(p->a, (void **)&p->out->header, &p->out->n_header, sizeof(*t));

	t->text = r.s;
	t->len = r.n;
}

int diff_parse(struct arena *a, const char *text, size_t n, struct diff *out)
{
	struct parser p = { .a = a, .out = out, .at = text, .end = text + n, .line = 1 };
	struct diff_hunk lost;
	int err;

	*out = (struct diff){ 0 };
	if (n > DIFF_MOST)
		return fail(ERR_INPUT, "the patch is larger than %u MiB", DIFF_MOST >> 20);
	while (p.at < p.end) {
		struct row r = peek(&p);
		bool git = is_git_header(&p, r);

		if (git || is_plain_header(&p, r)) {
			if ((err = parse_file(&p, git)))
				return err;
			continue;
		}
		if (row_starts(r, "@@ -") && parse_hunk_head(r, &lost))
			return malformed(p.line, "a hunk without a file", r);
		if (!out->n_files)
			take_header_line(&p, r);
		step(&p, r);
	}
	return out->n_files ? 0 : fail(ERR_INPUT, "no file is changed by this patch: it holds no unified diff");
}

const char *diff_path(const struct diff_file *f)
{
	return f->new_path ? f->new_path : f->old_path;
}

static struct diff_text trimmed(const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
		n--;
	return (struct diff_text){ s, n };
}

bool diff_header_value(const struct diff *d, const char *key, size_t *at, struct diff_text *value)
{
	size_t n = strlen(key);

	while (*at < d->n_header) {
		struct diff_text t = d->header[(*at)++];

		if (t.len <= n || t.text[n] != ':' || strncasecmp(t.text, key, n) != 0)
			continue;
		*value = trimmed(t.text + n + 1, t.len - n - 1);
		return true;
	}
	return false;
}
