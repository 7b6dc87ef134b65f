/* What the files that a build compiled say of each other: which of them include a header, and which symbols they export in a namespace. */
#ifndef TUXTAPE_BUILD_SCAN_H
#define TUXTAPE_BUILD_SCAN_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/buf.h"

struct build_scan;

struct build_scan_input {
	/* Appends the contents of a file, or what build_scan_reduce made of them. ERR_NOTFOUND and ERR_INPUT pass it over, since a build makes files that its tree does
	 * not have; others end the scan. */
	int (*read)(void *ctx, const char *path, struct buf *out);
	void *ctx;
	size_t n_files;
	const char *const *files; /* that were compiled, headers included */
	size_t n_headers;
	const char *const *headers; /* that are asked about, whether the build compiled them or not */
};

/* Appends a text of a hundredth of the length or so that says the same to a scan as the one given: its #include lines and its exports in
 * namespaces. */
void build_scan_reduce(struct buf *out, const char *text, size_t n);

/* Reads every file once, in order of their paths; the scan lives in the arena, and so must the input's paths. */
int build_scan_run(struct arena *a, const struct build_scan_input *in, struct build_scan **out);

/* The compiled files other than headers that include the header, directly or through other headers, sorted. What an #if leaves out is not
 * known here, so there may be some too many. */
void build_scan_includers(const struct build_scan *s, struct arena *a, const char *header, size_t *n, const char ***files);

/* The namespace in which a compiled file exports the symbol; NULL: none, or it is not exported. Namespaces that a makefile sets are not seen. */
const char *build_scan_space(const struct build_scan *s, const char *symbol);

#endif
