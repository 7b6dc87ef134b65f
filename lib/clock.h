/* Points in time as text: ISO 8601, UTC. */
#ifndef TUXTAPE_CLOCK_H
#define TUXTAPE_CLOCK_H

#include "lib/base.h"

#define CLOCK_TEXT 32

/* Seconds since 1970 of "2026-08-14T16:45:24[.592][Z]" or "2026-08-14". False where it is neither. */
bool clock_parse(const char *text, int64_t *seconds);

/* "2026-08-14T16:45:24Z". Returns text. */
char *clock_print(char text[CLOCK_TEXT], int64_t seconds);

/* The wall clock, which may jump. */
int64_t clock_now(void);

/* Milliseconds since this machine was started, the time that it was suspended included: what leases of builders count by. */
int64_t clock_boot_ms(void);

/* How long ago, for people: "3 hours", "12 days"; "a moment" where it is less than two minutes or in the future. */
const char *clock_ago(char text[CLOCK_TEXT], int64_t seconds);

#endif
