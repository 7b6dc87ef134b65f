/* A fuzz target defines this one function (libFuzzer's contract); replay.c or libFuzzer calls it. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
