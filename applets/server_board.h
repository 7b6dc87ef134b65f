/* The scoreboard in memory that all processes of the server share: who serves whom, since when. */
#ifndef TUXTAPE_SERVER_BOARD_H
#define TUXTAPE_SERVER_BOARD_H

#include "lib/base.h"

enum slot_state { SLOT_FREE, SLOT_IDLE, SLOT_HANDSHAKE, SLOT_SERVING, SLOT_LONG, SLOT_STATES };

/* A worker's line. It is written by the worker alone, but for the parent, which takes and frees slots. */
struct slot {
	int state; /* enum slot_state; __atomic */
	int pid;
	int64_t since; /* ms of CLOCK_MONOTONIC when the state began */
	char address[128];
};

struct board {
	unsigned n;                   /* slots */
	uint64_t connections;         /* ever taken; __atomic */
	int64_t started;              /* ms of CLOCK_MONOTONIC */
	unsigned counts[SLOT_STATES]; /* slots in each state; __atomic */
	struct slot slots[];
};

/* A board of n free slots in memory shared with children to come. ERR_SYS. */
int board_new(struct board **board, unsigned n);

void board_set(struct board *b, unsigned slot, enum slot_state state);
enum slot_state board_get(const struct board *b, unsigned slot);

/* Slots in a state. */
unsigned board_count(const struct board *b, enum slot_state state);

/* Connections that are served now, handshakes included. */
unsigned board_clients(const struct board *b);

/* Says whom the slot serves, and counts the connections of that address, this one included. */
unsigned board_take(struct board *b, unsigned slot, const char *address);

#endif
