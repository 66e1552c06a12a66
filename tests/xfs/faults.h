/* SPDX-License-Identifier: MIT */
/* Between the files of faults.c. */
#pragma once
#include <stdio.h>

#define TASKS 3

/* What a task was promised by a call that made something durable. */
enum what { HAS_DATA, HAS_NAME, HAS_LINK, HAS_ATTR, GONE };
struct promise {
	enum what what;
	char path[48];			/* from the round's directory on */
	unsigned int tag, from, to;	/* bytes FROM to TO are TAG's */
};
struct promises {
	unsigned int n, failed, done;	/* operations that failed, and that did not */
	struct promise p[64];
};

/* Prints what is wrong, with errno, and leaves. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * One task's work in directory DIR/tTASK, which it makes, on a disk that may fail: each call ends
 * well or with EIO. Beside it reads the directory OLD, which was there before.
 */
void work(const char *dir, const char *old, unsigned int task, struct promises *p);
/* Makes OLD. */
void make_old(const char *old);
/* All that was promised is there; what else is there is a state that it had. */
void judge(const char *dir, unsigned int task, const struct promises *p);
void judge_old(const char *old);
/* Removes DIR and all below it. */
void remove_all(const char *dir);
