/* Owns the search for the place of a hunk. Its order and its anchors are those of git apply, found by experiment, since another order
 * would put a hunk elsewhere in files that repeat themselves. Refuses to search for ever. */
#include "lib/apply_image.h"

#include "lib/err.h"

#include <stdlib.h>

/* Lines compared and moved for one patch: about a second. Real patches need a few thousand. */
#define WORK_MOST (1ull << 27)
/* And for telling where a hunk that fits nowhere was likely meant to go. */
#define GUESS_WORK (1u << 20)
#define MOVED_PER_WORK 16

void image_load(struct image *im, const char *text, size_t n, uint64_t *work)
{
	const char *end = text + n;

	*im = (struct image){ .work = work };
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));

		if (im->n == im->cap) {
			im->cap = MAX_OF(im->cap * 2, (size_t)256);
			im->lines = xrealloc(im->lines, im->cap * sizeof(*im->lines));
		}
		im->lines[im->n++] = (struct image_line){ .text = text,
							  .len = (uint32_t)((nl ? nl : end) - text),
							  .newline = nl != NULL };
		text = nl ? nl + 1 : end;
	}
}

void image_free(struct image *im)
{
	free(im->lines);
	*im = (struct image){ 0 };
}

void image_text(const struct image *im, struct buf *out)
{
	for (size_t i = 0; i < im->n; i++) {
		buf_add(out, im->lines[i].text, im->lines[i].len);
		if (im->lines[i].newline)
			buf_addc(out, '\n');
	}
}

void hunk_sides_load(struct hunk_sides *s, const struct diff_hunk *h, bool reverse)
{
	enum diff_kind goes = reverse ? DIFF_ADD : DIFF_DELETE;

	*s = (struct hunk_sides){ .pre = xcalloc(h->n_lines + 1, sizeof(*s->pre)),
				  .post = xcalloc(h->n_lines + 1, sizeof(*s->post)),
				  .pre_start = reverse ? h->new_start : h->old_start,
				  .post_start = reverse ? h->old_start : h->new_start,
				  .trailing = h->trailing };
	for (size_t i = 0; i < h->n_lines; i++) {
		const struct diff_line *d = &h->lines[i];
		struct image_line l = { .text = d->text, .len = d->len, .newline = !d->no_newline, .from = d->line };

		if (d->kind == DIFF_CONTEXT || d->kind == goes)
			s->pre[s->n_pre++] = l;
		if (d->kind == DIFF_CONTEXT || d->kind != goes)
			s->post[s->n_post++] = l;
	}
}

void hunk_sides_free(struct hunk_sides *s)
{
	free(s->pre);
	free(s->post);
	*s = (struct hunk_sides){ 0 };
}

static bool is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
			return false;
	return true;
}

static bool same_line(const struct image_line *want, const struct image_line *there)
{
	return want->len == there->len && want->newline == there->newline && memcmp(want->text, there->text, want->len) == 0;
}

/* git compares the bytes of the whole hunk, so that a last line without a newline is content with the beginning of a line,
 * as long as blanks alone follow it. */
static bool same_last_line(const struct image_line *want, const struct image_line *there, bool match_end)
{
	if (want->newline || match_end)
		return same_line(want, there);
	return there->len >= want->len && memcmp(want->text, there->text, want->len) == 0 &&
	       is_blank(there->text + want->len, there->len - want->len);
}

/* What is looked for. */
struct search {
	const struct image_line *pre;
	size_t n;
	bool match_beginning, match_end;
};

static bool fits(struct image *im, const struct search *s, size_t at)
{
	if (s->n > im->n || at > im->n - s->n)
		return false;
	if ((s->match_end && at + s->n != im->n) || (s->match_beginning && at != 0))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const struct image_line *there = &im->lines[at + i];

		++*im->work;
		if (there->patched)
			return false;
		if (i + 1 < s->n ? !same_line(&s->pre[i], there) : !same_last_line(&s->pre[i], there, s->match_end))
			return false;
	}
	return true;
}

/* From the expected line outward, the lines below first at each distance. Returns false when it is nowhere. */
static bool find(struct image *im, const struct search *s, size_t expected, size_t *at)
{
	size_t start = s->match_beginning ? 0 : s->match_end ? (im->n >= s->n ? im->n - s->n : im->n) : expected;
	size_t below, above;

	start = MIN_OF(start, im->n);
	if (fits(im, s, *at = start))
		return true;
	/* An anchored hunk can be in one place only. */
	if (s->match_beginning || s->match_end)
		return false;
	for (below = above = start; (below < im->n || above > 0) && *im->work < WORK_MOST; ++*im->work) {
		if (below < im->n && fits(im, s, *at = ++below))
			return true;
		if (above > 0 && fits(im, s, *at = --above))
			return true;
	}
	return false;
}

static void replace(struct image *im, size_t at, const struct hunk_sides *s)
{
	size_t behind = im->n - at - s->n_pre;

	if (im->n - s->n_pre + s->n_post > im->cap) {
		im->cap = MAX_OF(im->cap * 2, im->n + s->n_post + 1);
		im->lines = xrealloc(im->lines, im->cap * sizeof(*im->lines));
	}
	if (s->n_pre != s->n_post && behind) {
		memmove(im->lines + at + s->n_post, im->lines + at + s->n_pre, behind * sizeof(*im->lines));
		*im->work += behind / MOVED_PER_WORK;
	}
	for (size_t i = 0; i < s->n_post; i++) {
		im->lines[at + i] = s->post[i];
		im->lines[at + i].patched = true;
		im->lines[at + i].from = 0;
	}
	im->n = im->n - s->n_pre + s->n_post;
}

/* How many lines of the hunk stand at a place; *first gets the number of the first that does not. */
static size_t likeness(const struct image *im, const struct hunk_sides *s, size_t at, size_t *first)
{
	size_t same = 0;

	*im->work += s->n_pre;
	*first = s->n_pre;
	for (size_t i = 0; i < s->n_pre; i++) {
		if (at + i < im->n && !im->lines[at + i].patched && same_line(&s->pre[i], &im->lines[at + i]))
			same++;
		else if (*first == s->n_pre)
			*first = i;
	}
	return same;
}

/* The place where most lines agree, the nearest of them, as far as the work allows. */
static void explain(const struct image *im, const struct hunk_sides *s, size_t expected, struct placement *out)
{
	size_t reach = GUESS_WORK / (s->n_pre + 1) / 2, best = 0, first;

	expected = MIN_OF(expected, im->n);
	out->at = expected;
	for (size_t d = 0; d <= reach && (d <= expected || d <= im->n - expected); d++) {
		size_t same;

		if (d <= im->n - expected && (same = likeness(im, s, expected + d, &first)) > best) {
			best = same;
			out->at = expected + d;
		}
		if (d && d <= expected && (same = likeness(im, s, expected - d, &first)) > best) {
			best = same;
			out->at = expected - d;
		}
	}
	likeness(im, s, out->at, &first);
	/* All lines there, and yet refused: it belongs to the beginning or the end. */
	if (first == s->n_pre)
		return;
	out->wanted = &s->pre[first];
	out->at += first;
	out->has_found = out->at < im->n;
	if (out->has_found)
		out->found = im->lines[out->at];
}

/* git: a hunk at line 0 or 1 belongs to the beginning, one without context behind its last change to the end. */
static struct search anchored(const struct image_line *lines, size_t n, uint32_t start, uint32_t trailing)
{
	return (struct search){ .pre = lines, .n = n, .match_beginning = start <= 1, .match_end = trailing == 0 };
}

int image_place(struct image *im, const struct hunk_sides *s, struct placement *out)
{
	struct search pre = anchored(s->pre, s->n_pre, s->pre_start, s->trailing);
	struct search post = anchored(s->post, s->n_post, s->post_start, s->trailing);
	size_t expected = s->post_start ? s->post_start - 1 : 0;

	*out = (struct placement){ 0 };
	if (find(im, &pre, expected, &out->at)) {
		out->offset = (int64_t)out->at - (int64_t)expected;
		out->state = out->offset ? APPLY_STATE__APPLY_OFFSET : APPLY_STATE__APPLY_CLEAN;
		replace(im, out->at, s);
	} else if (find(im, &post, expected, &out->at)) {
		out->state = APPLY_STATE__APPLY_ALREADY;
	} else {
		out->state = APPLY_STATE__APPLY_CONFLICT;
		explain(im, s, expected, out);
	}
	if (*im->work >= WORK_MOST)
		return fail(ERR_INPUT, "placing takes too long: contents and patch repeat the same lines over and over");
	return 0;
}
