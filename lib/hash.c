/* Owns the sums of bytes. SHA-256 is by mbedtls. Its software implementation cannot fail; where a build of mbedtls hands the work to hardware that does,
 * the program ends rather than go on with a wrong sum. */
#include "lib/hash.h"

#include "lib/err.h"
#include "lib/str.h"

#include <mbedtls/md.h>
#include <stdlib.h>

struct hash {
	mbedtls_md_context_t md;
};

static void must(int result)
{
	if (result)
		abort();
}

struct hash *hash_new(void)
{
	struct hash *h = xcalloc(1, sizeof(*h));

	mbedtls_md_init(&h->md);
	must(mbedtls_md_setup(&h->md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0));
	must(mbedtls_md_starts(&h->md));
	return h;
}

void hash_add(struct hash *h, const void *p, size_t n)
{
	must(mbedtls_md_update(&h->md, p, n));
}

void hash_end(struct hash *h, uint8_t sum[HASH_SIZE])
{
	must(mbedtls_md_finish(&h->md, sum));
	hash_free(h);
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	mbedtls_md_free(&h->md);
	free(h);
}

void hash_of(uint8_t sum[HASH_SIZE], const void *p, size_t n)
{
	must(mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), p, n, sum));
}

const char *hash_text(char text[HASH_TEXT], const void *p, size_t n)
{
	uint8_t sum[HASH_SIZE];

	hash_of(sum, p, n);
	return str_hex(text, sum, sizeof(sum));
}

uint64_t hash_mix(uint64_t sum, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ s[i]) * 0x100000001b3u;
	return sum;
}
