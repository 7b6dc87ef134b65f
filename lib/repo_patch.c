/* Owns the patch of a commit: the headers of each file's diff are written here, in git's exact form, the hunks are found by libgit2.
 * Refuses nothing that git shows; commits without exactly one parent have a state and no patch. */
#include "lib/repo_git.h"

#include "lib/err.h"
#include "lib/str.h"

#include <stdio.h>

#define NULL_ID "0000000000000000000000000000000000000000"
#define BINARY_LOOK 8000         /* git looks for a NUL in that many bytes */
#define BINARY_FROM (512u << 20) /* core.bigFileThreshold */
#define CONTEXT_MOST 80          /* bytes of the function's line behind @@ */

/* One side of a file's diff. */
struct side {
	const struct tree_entry *entry; /* NULL: /dev/null */
	char hex[REPO_HEX];
	struct object blob;
	const char *data;
	size_t len;
	char link[64]; /* what git shows of a submodule */
};

struct patch {
	struct repo *repo;
	struct arena *arena;
	Fix *fix;
	struct buf *out;
};

static bool must_quote(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f || *s == '"' || *s == '\\')
			return true;
	return false;
}

static void add_escaped(struct buf *out, unsigned char c)
{
	static const char letters[] = "abtnvfr";

	if (c >= '\a' && c <= '\r')
		buf_printf(out, "\\%c", letters[c - '\a']);
	else if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", c);
	else if (c < 0x20 || c >= 0x7f)
		buf_printf(out, "\\%03o", c);
	else
		buf_addc(out, (char)c);
}

/* A path as git prints it with core.quotepath: in C's quotes where it holds anything but plain ASCII. */
static void add_path(struct buf *out, const char *prefix, const char *path)
{
	bool quote = must_quote(path);

	if (quote)
		buf_addc(out, '"');
	buf_adds(out, prefix);
	if (!quote) {
		buf_adds(out, path);
		return;
	}
	for (const char *p = path; *p; p++)
		add_escaped(out, (unsigned char)*p);
	buf_addc(out, '"');
}

static void add_label(struct buf *out, const struct side *s, const char *prefix, const char *path)
{
	if (s->entry)
		add_path(out, prefix, path);
	else
		buf_adds(out, "/dev/null");
}

/* "--- a/path" or "+++ b/path"; names with a blank end with a tab, so that patch(1) sees where they end. */
static void add_name_line(struct buf *out, const char *mark, const struct side *s, const char *prefix, const char *path)
{
	buf_adds(out, mark);
	add_label(out, s, prefix, path);
	buf_adds(out, s->entry && strchr(path, ' ') ? "\t\n" : "\n");
}

static bool is_binary(const struct side *s)
{
	if (!s->entry || s->entry->mode == 0160000)
		return false;
	return s->len > BINARY_FROM || memchr(s->data, '\0', MIN_OF(s->len, (size_t)BINARY_LOOK));
}

static int side_load(struct repo *r, struct side *s, const struct tree_entry *entry)
{
	s->entry = entry;
	s->data = "";
	strcpy(s->hex, NULL_ID);
	if (!entry)
		return 0;
	git_oid_tostr(s->hex, sizeof(s->hex), &entry->id);
	if (entry->mode == 0160000) {
		s->len = (size_t)snprintf(s->link, sizeof(s->link), "Subproject commit %s\n", s->hex);
		s->data = s->link;
		return 0;
	}
	if (object_read(r, &entry->id, GIT_OBJECT_BLOB, &s->blob))
		return ERR_GIT;
	s->data = (const char *)s->blob.data;
	s->len = s->blob.len;
	return 0;
}

static void add_header(struct buf *out, const struct side *old, const struct side *now, const char *path)
{
	buf_adds(out, "diff --git ");
	add_path(out, "a/", path);
	buf_addc(out, ' ');
	add_path(out, "b/", path);
	buf_addc(out, '\n');
	if (!old->entry)
		buf_printf(out, "new file mode %06o\n", now->entry->mode);
	else if (!now->entry)
		buf_printf(out, "deleted file mode %06o\n", old->entry->mode);
	else if (old->entry->mode != now->entry->mode)
		buf_printf(out, "old mode %06o\nnew mode %06o\n", old->entry->mode, now->entry->mode);
	if (strcmp(old->hex, now->hex) == 0)
		return;
	buf_printf(out, "index %s..%s", old->hex, now->hex);
	if (old->entry && now->entry && old->entry->mode == now->entry->mode)
		buf_printf(out, " %06o", now->entry->mode);
	buf_addc(out, '\n');
}

/* The hunks of one file on their way from libgit2. */
struct hunks {
	struct buf *out;
	const char *path;
	const struct side *old, *now;
	bool begun;
	const char *at, *end; /* the old side from line on, which counts from 0 */
	int line;
	char context[CONTEXT_MOST];
	size_t context_len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool starts_function(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/* Moves to the hunk's first line and keeps the last line passed that looks like a function's. libgit2 cuts such lines by rules that
 * differ from git's. */
static void find_context(struct hunks *h, int first)
{
	const char *best = NULL, *best_end = NULL;

	while (h->line < first && h->at < h->end) {
		const char *nl = memchr(h->at, '\n', (size_t)(h->end - h->at));
		const char *next = nl ? nl + 1 : h->end;

		if (starts_function(*h->at)) {
			best = h->at;
			best_end = next;
		}
		h->at = next;
		h->line++;
	}
	if (!best)
		return;
	h->context_len = MIN_OF((size_t)(best_end - best), sizeof(h->context));
	while (h->context_len && is_blank(best[h->context_len - 1]))
		h->context_len--;
	memcpy(h->context, best, h->context_len);
}

/* git ends the line before its first byte that is not UTF-8, be it foreign or cut in two; U+FFFE and U+FFFF count as foreign. */
static size_t valid_length(const char *s, size_t n)
{
	size_t at = 0;

	while (at < n) {
		uint32_t rune;
		size_t step = str_utf8_next(s + at, n - at, &rune);

		if (step == 0 || (rune & ~1u) == 0xfffe)
			break;
		at += step;
	}
	return at;
}

static int take_hunk(const git_diff_delta *delta UNUSED, const git_diff_hunk *hunk, void *ctx)
{
	struct hunks *h = ctx;
	const char *end = memmem(hunk->header + 2, hunk->header_len - 2, "@@", 2);

	if (!end)
		return -1;
	if (!h->begun) {
		add_header(h->out, h->old, h->now, h->path);
		add_name_line(h->out, "--- ", h->old, "a/", h->path);
		add_name_line(h->out, "+++ ", h->now, "b/", h->path);
		h->begun = true;
	}
	find_context(h, hunk->old_lines ? hunk->old_start - 1 : hunk->old_start);
	buf_add(h->out, hunk->header, (size_t)(end + 2 - hunk->header));
	if (h->context_len) {
		buf_addc(h->out, ' ');
		buf_add(h->out, h->context, valid_length(h->context, h->context_len));
	}
	buf_addc(h->out, '\n');
	return 0;
}

static int take_line(const git_diff_delta *delta UNUSED, const git_diff_hunk *hunk UNUSED, const git_diff_line *line,
		     void *ctx)
{
	struct hunks *h = ctx;

	if (line->origin == GIT_DIFF_LINE_CONTEXT || line->origin == GIT_DIFF_LINE_ADDITION ||
	    line->origin == GIT_DIFF_LINE_DELETION)
		buf_addc(h->out, line->origin);
	buf_add(h->out, line->content, line->content_len);
	return 0;
}

static int add_hunks(struct patch *p, const char *path, const struct side *old, const struct side *now)
{
	git_diff_options opts;
	struct hunks h = {
		.out = p->out, .path = path, .old = old, .now = now, .at = old->data, .end = old->data + old->len
	};

	git_diff_options_init(&opts, GIT_DIFF_OPTIONS_VERSION);
	opts.flags = GIT_DIFF_INDENT_HEURISTIC | GIT_DIFF_FORCE_TEXT;
	opts.context_lines = 3;
	if (git_diff_buffers(old->data, old->len, "", now->data, now->len, "", &opts, NULL, NULL, take_hunk, take_line, &h) <
	    0)
		return fail(ERR_GIT, "%s: %s: no diff: %s", p->repo->path, path, git_said());
	/* Without a hunk git shows a header only where it says something that the lines would not. */
	if (!h.begun && (!old->entry || !now->entry || old->entry->mode != now->entry->mode))
		add_header(p->out, old, now, path);
	return 0;
}

static int add_file(struct patch *p, const char *path, const struct tree_entry *old_entry,
		    const struct tree_entry *now_entry)
{
	struct side old = { 0 }, now = { 0 };
	int err;

	if ((err = side_load(p->repo, &old, old_entry)) || (err = side_load(p->repo, &now, now_entry)))
		goto out;
	if (strcmp(old.hex, now.hex) == 0) {
		add_header(p->out, &old, &now, path);
	} else if (is_binary(&old) || is_binary(&now)) {
		add_header(p->out, &old, &now, path);
		buf_adds(p->out, "Binary files ");
		add_label(p->out, &old, "a/", path);
		buf_adds(p->out, " and ");
		add_label(p->out, &now, "b/", path);
		buf_adds(p->out, " differ\n");
	} else {
		err = add_hunks(p, path, &old, &now);
	}
out:
	object_release(&old.blob);
	object_release(&now.blob);
	return err;
}

static int visit_file(void *ctx, const char *path, const struct tree_entry *old, const struct tree_entry *now)
{
	struct patch *p = ctx;
	int err;

	pb_add_bytes(p->arena, &p->fix->n_files, &p->fix->files, path, strlen(path));
	*(protobuf_c_boolean *)arena_grow(p->arena, (void **)&p->fix->created, &p->fix->n_created,
					  sizeof(*p->fix->created)) = old == NULL;
	/* A file that becomes a link or a submodule goes and comes. */
	if (old && now && ((old->mode ^ now->mode) & 0170000))
		return (err = add_file(p, path, old, NULL)) ? err : add_file(p, path, NULL, now);
	return add_file(p, path, old, now);
}

static void set_state(Fix *fix, FixState state)
{
	fix->has_state = true;
	fix->state = state;
}

static void take_message(struct arena *a, const struct commit_head *head, Fix *fix)
{
	const char *s = head->message, *end = s + head->message_len, *nl;

	fix->has_message = fix->has_subject = true;
	fix->message = pb_bytes(a, s, head->message_len);
	while (s < end && *s == '\n')
		s++;
	nl = s < end ? memchr(s, '\n', (size_t)(end - s)) : NULL;
	fix->subject = pb_bytes(a, s, (size_t)((nl ? nl : end) - s));
}

static int make_patch(struct repo *r, struct arena *a, const struct commit_head *head, Fix *fix)
{
	struct patch p = { .repo = r, .arena = a, .fix = fix, .out = &r->patch };
	struct tree_visit v = { visit_file, &p };
	struct object parent_commit = { 0 };
	struct commit_head parent;
	int err = object_read(r, &head->parent, GIT_OBJECT_COMMIT, &parent_commit);

	if (err == ERR_NOTFOUND) {
		/* A shallow clone ends here. A deeper one will have the parent, so this is looked up again. */
		set_state(fix, FIX_STATE__FIX_MISSING);
		return 0;
	}
	if (err)
		return err;
	buf_reset(&r->patch);
	if (!commit_parse(&parent_commit, &parent))
		err = fail(ERR_GIT, "%s: the parent of commit %s is malformed", r->path, fix->fix_commit);
	object_release(&parent_commit);
	if (err || (err = tree_compare(r, &parent.tree, &head->tree, "", &v)))
		return err;
	set_state(fix, FIX_STATE__FIX_STORED);
	take_message(a, head, fix);
	fix->has_patch = true;
	fix->patch = pb_bytes(a, buf_str(&r->patch), r->patch.len);
	return 0;
}

int repo_fix(struct repo *r, struct arena *a, const char *commit, Fix *fix)
{
	struct object o = { 0 };
	struct commit_head head;
	git_oid id;
	int err;

	fix->fix_commit = arena_strdup(a, commit);
	err = str_is_hex(commit, GIT_OID_HEXSZ) && git_oid_fromstr(&id, commit) == 0
		      ? object_read(r, &id, GIT_OBJECT_COMMIT, &o)
		      : ERR_NOTFOUND;
	if (err) {
		set_state(fix, FIX_STATE__FIX_MISSING);
		return err == ERR_NOTFOUND ? 0 : err;
	}
	if (!commit_parse(&o, &head)) {
		err = fail(ERR_GIT, "%s: commit %s is malformed", r->path, commit);
	} else if (head.parents == 1) {
		err = make_patch(r, a, &head, fix);
	} else {
		set_state(fix, head.parents ? FIX_STATE__FIX_MERGE : FIX_STATE__FIX_ROOT);
		take_message(a, &head, fix);
	}
	object_release(&o);
	return err;
}
