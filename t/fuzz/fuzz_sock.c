/* Addresses: whatever is accepted prints, reads back the same, and fits what the kernel takes. */
#include "fuzz.h"
#include "lib/buf.h"
#include "lib/sock.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sock_addr addr, again;
	struct buf text = { 0 };
	char printed[SOCK_TEXT];

	buf_add(&text, data, n);
	if (sock_parse(&addr, buf_str(&text)) == 0) {
		if (sock_parse(&again, sock_text(printed, &addr)))
			abort();
		if (again.local != addr.local || again.port != addr.port || strcmp(again.host, addr.host) != 0 ||
		    strcmp(again.path, addr.path) != 0)
			abort();
		if (addr.local ? !*addr.path || *addr.host : !*addr.host || *addr.path)
			abort();
	}
	buf_free(&text);
	return 0;
}
