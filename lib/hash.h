/* SHA-256, and a sum that is ten times as fast and tells accidents alone. */
#ifndef TUXTAPE_HASH_H
#define TUXTAPE_HASH_H

#include "lib/base.h"

#define HASH_SIZE 32 /* bytes of a sum */
#define HASH_TEXT 65 /* its hexadecimal form, with the NUL */

/* The sum of n bytes. */
void hash_of(uint8_t sum[HASH_SIZE], const void *p, size_t n);

/* The sum of n bytes in lower-case hexadecimal. Returns text. */
const char *hash_text(char text[HASH_TEXT], const void *p, size_t n);

/* A sum made piece by piece: hash_new, hash_add as often as wanted, hash_end (which releases h). hash_free gives up on one; NULL is
 * fine. */
struct hash;
struct hash *hash_new(void);
void hash_add(struct hash *h, const void *p, size_t n);
void hash_end(struct hash *h, uint8_t sum[HASH_SIZE]);
void hash_free(struct hash *h);

/* FNV-1a, 64 bits (www.isthe.com/chongo/tech/comp/fnv): mixes n bytes into a sum that began as HASH_MIX_START. Bytes of which one differs never have the same sum; who
 * wants to make two alike can. */
#define HASH_MIX_START 0xcbf29ce484222325u
uint64_t hash_mix(uint64_t sum, const void *p, size_t n);

#endif
