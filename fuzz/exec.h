/* SPDX-License-Identifier: MIT */
/* Runs programs, each in namespaces of its own, and says which parts of the kernel they reached. */
#pragma once

#include "prog.h"

struct exec_stats {
	uint64_t programs, calls, timeouts, killed;
};

/*
 * Opens the coverage devices, gives up root's rights (it is root of a user namespace from then on) and readies what programs share.
 * COVER of 1 << BITS counters. False with a line on stderr where the kernel lacks something that cannot be done without.
 */
bool exec_init(uint8_t *cover, unsigned int bits, bool trace);
/* Whether the kernel tells what is reached. */
bool exec_has_cover(void);
/*
 * Runs the program of TEXT, of at most PROG_BYTES; COVER counts. TRACE: each call and its result on stdout, where exec_init was told of it.
 * COMPARE: what the kernel compared with goes to mutate_hint instead. False where the text is no program, or did not end by itself.
 */
bool exec_prog(const char *text, size_t len, bool trace, bool compare);
const struct exec_stats *exec_stats(void);
/* Places reached since the last time, given to FN; how many were ever. */
uint64_t exec_new_places(void (*fn)(uint64_t pc, void *arg), void *arg);
/* As if none had been reached yet. */
void exec_forget(void);
