/* What was found in blobs, kept in a file from one run to the next. A note is for a blob's id, and so it never gets old. */
#ifndef TUXTAPE_BLOB_NOTES_H
#define TUXTAPE_BLOB_NOTES_H

#include "lib/base.h"
#include "lib/buf.h"

#define BLOB_NOTES_ID 20 /* bytes of a blob's id */

struct blob_notes;

struct blob_notes_how {
	const char *path;  /* NULL: nothing is kept */
	const char *title; /* up to 16 bytes that stand in the file: what the notes say, and in which words */
	size_t most;       /* bytes that the file may have */
};

/* Reads the file. One that is missing, cannot be read, is too large, is damaged or has another title is taken for an empty one. Release with
 * blob_notes_free. */
struct blob_notes *blob_notes_open(const struct blob_notes_how *how);

/* Appends the note on a blob; false where there is none. */
bool blob_notes_find(struct blob_notes *b, const uint8_t id[BLOB_NOTES_ID], struct buf *out);

/* Notes n bytes (copied) on a blob of which there is no note yet. */
void blob_notes_add(struct blob_notes *b, const uint8_t id[BLOB_NOTES_ID], const char *text, size_t n);

/* Writes the file anew where something was added; what was neither found nor added this time goes first when it gets too large. Who writes at
 * the same time may undo what is written here, not damage it. ERR_SYS. */
int blob_notes_save(struct blob_notes *b);

void blob_notes_free(struct blob_notes *b); /* NULL is fine */

#endif
