/* Kernel versions: parse, compare, print. */
#ifndef TUXTAPE_KVER_H
#define TUXTAPE_KVER_H

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/pb.h"

/* Parses what a dyad or a tag says, without a leading v and with nothing behind it: X.Y, X.Y.Z, X.Y-rcN, 2.6.N, 2.6.N.P,
 * 2.4.N. "X.Y.0" reads as X.Y. "0" gives an empty message (no major). n bytes, *v initialised here. ERR_INPUT. */
int kver_parse(KernelVersion *v, const char *s, size_t n);

/* Parses what a person says: as above, with an optional leading v and a vendor's suffix behind it ("6.1.100-generic",
 * "6.12.9-arch1-1", "5.10.0-28-amd64", "6.1.55+"). *suffix points into s at what was ignored, "" when nothing was.
 * "0" and everything else are ERR_INPUT with a text that shows what is accepted. */
int kver_parse_user(KernelVersion *v, const char *s, const char **suffix);

/* True when v is a version that kver_parse could have given: numbers where they belong, none that should be absent. */
bool kver_is_valid(const KernelVersion *v);

/* <0, 0, >0 as a comes before, is, or comes after b: X.Y-rcN < X.Y < X.Y.1 < X.(Y+1)-rc1. The version without a major
 * comes before all. */
int kver_cmp(const KernelVersion *a, const KernelVersion *b);

/* True when both stand on one release line: the same X.Y (2.6.N). */
bool kver_same_line(const KernelVersion *a, const KernelVersion *b);

/* True for X.Y and X.Y-rcN (and 2.6.N), false for stable releases and for the version without a major. */
bool kver_is_mainline(const KernelVersion *v);

/* Appends the text form; "0" for the version without a major. kver_parse reads it back. */
void kver_print(struct buf *out, const KernelVersion *v);

#define KVER_TEXT_MAX 64
/* The same into a caller's array of KVER_TEXT_MAX bytes, which is returned. NULL prints "0". */
char *kver_text(char text[KVER_TEXT_MAX], const KernelVersion *v);

#endif
