/* Runs a fuzz target over the files named, so that `make check` replays each corpus without a fuzzer. */
#include "fuzz.h"
#include "lib/buf.h"
#include "lib/err.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct buf b = { 0 };
		uint8_t *exact;

		if (buf_read_file(&b, argv[i], 0)) {
			fprintf(stderr, "%s\n", err_text());
			return 1;
		}
		/* A copy of the exact size, so that a sanitizer sees a read past the end. */
		exact = xmalloc(b.len);
		if (b.len)
			memcpy(exact, b.data, b.len);
		LLVMFuzzerTestOneInput(exact, b.len);
		free(exact);
		buf_free(&b);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
