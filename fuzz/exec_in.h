/* SPDX-License-Identifier: MIT */
/* Between exec.c, which has the fuzzer's side, and exec_calls.c, which makes the calls. */
#pragma once

#include "prog.h"
#include <sys/types.h>

/* One program at a time goes through this memory, which the fuzzer, the starter and the keeper share; a caller has it not. */
enum exec_state { EXEC_IDLE, EXEC_ASKED, EXEC_RUNS, EXEC_DONE };
enum exec_end { EXEC_ENDED, EXEC_TIMED_OUT, EXEC_KILLED, EXEC_FAILED, EXEC_REFUSED };
struct exec_page {
	uint32_t state;		/* a futex */
	uint32_t end;
	int32_t error;		/* of EXEC_FAILED */
	uint32_t kcov_mode, trace, len;
	uint64_t calls;		/* made so far, of all programs */
	char text[PROG_BYTES];
};

/* What a caller knows of it. */
struct exec_order {
	bool have_kcov, trace;
	unsigned long kcov_mode;
	uint64_t *calls, *forks;	/* made so far, in a page of their own, shared with the keeper: a program may do as it likes with it */
	bool (*become)(bool root);	/* takes the rights that the program has: caller_become, or another */
	bool (*skip)(long nr, const uint64_t *a);	/* a call with these arguments is not made, and fails with EPERM; NULL: none */
	int (*after)(void);		/* after a program: the status to end with, 0: none; NULL: always 0 */
	const struct prog *(*next)(void);	/* the program to go on with, NULL: the end. Asked where nothing of the one before runs; NULL: one alone */
};

#define EXEC_KCOV_FD	100	/* and the next, one for each thread and CHILDREN more; nothing else of the fuzzer's is open in a program */
#define EXEC_CHILDREN	2	/* children of a program that are watched at the same time */
#define EXEC_KCOVS	(PROG_THREADS + EXEC_CHILDREN)
#define EXEC_TRACE_FD	3
#define EXEC_TICK	63	/* the signal that ends a call that blocks */

/* In the keeper: what its callers find in their memory and at their limits. */
void caller_prepare(void);
/* In a child of its own, which it ends: makes the calls, of P and those that the order has next. */
_Noreturn void caller_run(const struct prog *p, const struct exec_order *order);
/* Root of the namespaces that it is in, with mounts of its own, or a user of them. */
bool caller_become(bool root);
/*
 * Waits for PID, a caller of at most PROGRAMS programs, whose calls it interrupts when they take long; SIGCHLD is blocked. CALLS as its order
 * has it. False where it had to be killed.
 */
bool caller_wait(pid_t pid, uint64_t *calls, unsigned int programs, int *status);
bool write_file(const char *path, const char *text);
/* MS 0: without end. */
void futex_wait(uint32_t *at, uint32_t is, unsigned int ms);
void futex_set(uint32_t *at, uint32_t to);
