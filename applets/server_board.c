/* Owns the shared scoreboard. Nothing on it is a secret and no decision of right depends on it, only limits. */
#include "applets/server_board.h"

#include "lib/err.h"
#include "lib/log.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

int board_new(struct board **out, unsigned n)
{
	size_t size = sizeof(struct board) + n * sizeof(struct slot);
	struct board *b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		return fail(ERR_SYS, "memory for %u workers: %s", n, strerror(errno));
	b->n = n;
	b->counts[SLOT_FREE] = n;
	b->started = (int64_t)now_ms();
	*out = b;
	return 0;
}

void board_set(struct board *b, unsigned slot, enum slot_state state)
{
	int before;

	b->slots[slot].since = (int64_t)now_ms();
	before = __atomic_exchange_n(&b->slots[slot].state, (int)state, __ATOMIC_ACQ_REL);
	__atomic_sub_fetch(&b->counts[before], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&b->counts[state], 1, __ATOMIC_RELAXED);
}

enum slot_state board_get(const struct board *b, unsigned slot)
{
	return (enum slot_state)__atomic_load_n(&b->slots[slot].state, __ATOMIC_ACQUIRE);
}

unsigned board_count(const struct board *b, enum slot_state state)
{
	return __atomic_load_n(&b->counts[state], __ATOMIC_RELAXED);
}

unsigned board_clients(const struct board *b)
{
	return board_count(b, SLOT_HANDSHAKE) + board_count(b, SLOT_SERVING) + board_count(b, SLOT_LONG);
}

unsigned board_take(struct board *b, unsigned slot, const char *address)
{
	unsigned n = 0;

	snprintf(b->slots[slot].address, sizeof(b->slots[slot].address), "%s", address);
	board_set(b, slot, SLOT_HANDSHAKE);
	__atomic_add_fetch(&b->connections, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < b->n; i++)
		n += board_get(b, i) >= SLOT_HANDSHAKE &&
		     strncmp(b->slots[i].address, address, sizeof(b->slots[i].address)) == 0;
	return n;
}
