/* SPDX-License-Identifier: MIT */
/* The data of files in tests of power cuts: work and its judge (crash_data.c). */
#pragma once
#include <stdint.h>

#define DATA_FILES 3
#define DATA_MOST (24u * 1024)	/* words of 8 bytes a file has at most */

struct data_file {
	int fd, direct;			/* -1: only the model changes */
	uint32_t size;			/* in words */
	uint64_t words[DATA_MOST];	/* what they read as */
};

struct data {
	unsigned int task;
	uint64_t seed;
	struct data_file f[DATA_FILES];
	/* Judging: called after each change of words FROM to TO, or of the size. */
	void (*changed)(struct data *d, int file, uint32_t from, uint32_t to);
};

/*
 * The files of task NR in DIR, made if CREATE; DIR -1: only the model. Static storage: one at a
 * time.
 */
struct data *data_begin(unsigned int nr, int dir, int create);
/* Operation OP. The file that was synced after it, or -1. */
int data_step(struct data *d, unsigned int op);
/*
 * 1, and says why, if a file of task NR in DIR is not what it may be: PROMISED[i] of file i, 0:
 * nothing.
 */
int data_check(unsigned int nr, int dir, const unsigned int *promised, unsigned int ops);

void die(const char *what) __attribute__((noreturn));
void must(long r, const char *what);
