/* What every file may lean on: the C library's basics and a few macros. The only home of #ifdef beside tls.c and repo.c. */
#ifndef TUXTAPE_BASE_H
#define TUXTAPE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

/* Built with sanitizers, whose shadow memory needs an address space without limit. */
#ifdef TUXTAPE_SAN
#define SANITIZED true
#else
#define SANITIZED false
#endif

#endif
