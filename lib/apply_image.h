/* A file as lines while hunks are placed on it. Private to the files of lib/apply. */
#ifndef TUXTAPE_APPLY_IMAGE_H
#define TUXTAPE_APPLY_IMAGE_H

#include "lib/apply.h"

/* text points into the contents or the patch; the newline is told apart, so that lines compare in one step. */
struct image_line {
	const char *text;
	uint32_t len;
	bool newline;
	bool patched;  /* written by a hunk: no other hunk may lean on it */
	uint32_t from; /* the line of the patch it came from; 0 in contents */
};

struct image {
	struct image_line *lines;
	size_t n, cap;
	uint64_t *work; /* lines compared and moved so far, for all images of one patch */
};

/* Where a hunk went. */
struct placement {
	ApplyState state; /* CLEAN, OFFSET, ALREADY or CONFLICT */
	size_t at;        /* line from 0 */
	int64_t offset;   /* at minus where the patch says */
	const struct image_line *
		wanted; /* conflict: the first line that differs, in the hunk's sides; NULL: all are there, in the wrong place */
	bool has_found;
	struct image_line found;
};

/* Splits contents of n bytes. Release with image_free. */
void image_load(struct image *im, const char *text, size_t n, uint64_t *work);
void image_free(struct image *im);

/* The two sides of a hunk, its lines in arrays of their own. Release with hunk_sides_free. */
struct hunk_sides {
	struct image_line *pre, *post;
	size_t n_pre, n_post;
	uint32_t pre_start, post_start;
	uint32_t trailing;
};

void hunk_sides_load(struct hunk_sides *s, const struct diff_hunk *h, bool reverse);
void hunk_sides_free(struct hunk_sides *s);

/* Places one hunk and changes the image where it fits. Where it does not fit: ALREADY when its other side does, else CONFLICT with the
 * first difference at the likeliest place. ERR_INPUT when the work would pass all bounds. */
int image_place(struct image *im, const struct hunk_sides *s, struct placement *out);

/* Appends the contents. */
void image_text(const struct image *im, struct buf *out);

#endif
