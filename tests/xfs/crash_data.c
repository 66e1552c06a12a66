// SPDX-License-Identifier: MIT
/*
 * The data of files in tests of power cuts. Each task has a few files, which it writes in every
 * way: appends, writes over old bytes, writes past the page cache, stores into mappings, cuts,
 * extensions, holes, preallocated space and clones of another file of the task, whose blocks are
 * copied when either is written later. Every word of 8 bytes says its task, file, place and the
 * operation that wrote it, also where it was cloned to.
 *
 * After a cut each word of a file is what it was at some time since the last fsync that returned,
 * and the size lies between the sizes since then: writeback has no order. Any other word is a
 * fault: one older than the fsync, one of another file that was not cloned, or one of the free
 * space, which is filled with other bytes before.
 */
#define _GNU_SOURCE
#include "crash.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_WORDS 512u
#define SYNC_ONE_OF 10

static struct data the_data;

static unsigned int chance(struct data *d)
{
	d->seed = d->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(d->seed >> 33);
}

/* The word at AT of file I, as operation OP wrote it. */
static uint64_t word_of(const struct data *d, int i, uint32_t at, uint32_t op)
{
	return op ? 0xcull << 60 | (uint64_t)d->task << 48 | (uint64_t)i << 40 |
			       (uint64_t)op << 20 | at :
		    0;
}

static void name_data(int i, char *name)
{
	sprintf(name, "data%d", i);
}

struct data *data_begin(unsigned int nr, int dir, int create)
{
	struct data *d = &the_data;
	char name[16];

	memset(d, 0, sizeof(*d));
	d->task = nr;
	d->seed = nr * 104729u + 7;
	for (int i = 0; i < DATA_FILES; i++) {
		d->f[i].fd = d->f[i].direct = -1;
		if (dir < 0)
			continue;
		name_data(i, name);
		d->f[i].fd = openat(dir, name, O_RDWR | (create ? O_CREAT | O_EXCL : 0), 0644);
		must(d->f[i].fd, name);
		d->f[i].direct = openat(dir, name, O_RDWR | O_DIRECT);
		must(d->f[i].direct, name);
	}
	return d;
}

/* Words FROM to TO are of operation OP from now on, or zero. */
static void set(struct data *d, int i, uint32_t from, uint32_t to, uint32_t op)
{
	for (uint32_t w = from; w < to; w++)
		d->f[i].words[w] = word_of(d, i, w, op);
	if (d->changed)
		d->changed(d, i, from, to);
}

static void resize(struct data *d, int i, uint32_t size)
{
	uint32_t was = d->f[i].size;

	d->f[i].size = size;
	set(d, i, size, size < was ? was : size, 0);
}

static void fill(const struct data *d, int i, uint32_t from, uint32_t to, uint32_t op,
		 uint64_t *buf)
{
	for (uint32_t w = from; w < to; w++)
		buf[w - from] = word_of(d, i, w, op);
}

/* ---- the operations: of file I, words FROM to TO ---- */

static void write_words(struct data *d, int i, uint32_t from, uint32_t to, uint32_t op, int direct)
{
	static _Alignas(4096) uint64_t buf[DATA_MOST];
	struct data_file *f = &d->f[i];
	long bytes = (long)(to - from) * 8;

	if (f->fd >= 0) {
		fill(d, i, from, to, op, buf);
		if (pwrite(direct ? f->direct : f->fd, buf, (size_t)bytes, (off_t)from * 8) !=
		    bytes)
			die("pwrite");
	}
	if (to > f->size)
		f->size = to;
	set(d, i, from, to, op);
}

static void store_words(struct data *d, int i, uint32_t from, uint32_t to, uint32_t op)
{
	uint32_t page = from / PAGE_WORDS * PAGE_WORDS;
	size_t len = (size_t)(to - page) * 8;
	uint64_t *p;

	if (d->f[i].fd >= 0) {
		p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, d->f[i].fd,
			 (off_t)page * 8);
		if (p == MAP_FAILED)
			die("mmap");
		fill(d, i, from, to, op, p + (from - page));
		munmap(p, len);
	}
	set(d, i, from, to, op);
}

static void cut(struct data *d, int i, uint32_t size)
{
	if (d->f[i].fd >= 0)
		must(ftruncate(d->f[i].fd, (off_t)size * 8), "ftruncate");
	resize(d, i, size);
}

static void space(struct data *d, int i, uint32_t from, uint32_t to, int mode)
{
	if (d->f[i].fd >= 0)
		must(fallocate(d->f[i].fd, mode, (off_t)from * 8, (off_t)(to - from) * 8),
		     "fallocate");
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		set(d, i, from, to, 0);
}

/*
 * File I takes words from file J: all of them, where it is not longer, or whole pages from FROM on,
 * to AT of its own.
 */
static void clone(struct data *d, int i, int j, uint32_t from, uint32_t at)
{
	uint32_t have = d->f[j].size, words = have / PAGE_WORDS * PAGE_WORDS;
	int all = d->f[i].size <= have && from % 3 == 0;

	from = all ? 0 : words ? from % words / PAGE_WORDS * PAGE_WORDS : 0;
	at = all ? 0 : at / PAGE_WORDS * PAGE_WORDS;
	words = all ? have : words - from;
	if (words > DATA_MOST - at)
		words = DATA_MOST - at;
	if (!words)
		return;
	if (d->f[i].fd >= 0) {
		struct file_clone_range r = { d->f[j].fd, from * 8ull, words * 8ull, at * 8ull };

		must(all ? ioctl(d->f[i].fd, FICLONE, d->f[j].fd) :
			   ioctl(d->f[i].fd, FICLONERANGE, &r),
		     "clone");
	}
	if (at + words > d->f[i].size)
		d->f[i].size = at + words;
	memcpy(d->f[i].words + at, d->f[j].words + from, words * sizeof(uint64_t));
	if (d->changed)
		d->changed(d, i, at, at + words);
}

/* An operation on what file I has: words FROM to TO of it. */
static void change(struct data *d, int i, unsigned int what, unsigned int op)
{
	uint32_t size = d->f[i].size, from = size ? chance(d) % size : 0;
	uint32_t to = from + 1 + chance(d) % 4096;

	if (to > size)
		to = size;
	if (from >= to)
		return;
	switch (what) {
	case 0:
	case 1:
		return write_words(d, i, from, to, op, 0);
	case 2:
		return store_words(d, i, from, to, op);
	case 3:
		return space(d, i, from, to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	case 4:
		return space(d, i, from, to, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
	default:
		return cut(d, i, from);
	}
}

int data_step(struct data *d, unsigned int op)
{
	int i = (int)(chance(d) % DATA_FILES);
	unsigned int what = chance(d) % 16, sync = chance(d) % SYNC_ONE_OF;
	uint32_t size = d->f[i].size, more = 1 + chance(d) % (chance(d) % 8 ? 700 : 4096);
	uint32_t page = size / PAGE_WORDS * PAGE_WORDS;

	if (size + more + 8 * PAGE_WORDS > DATA_MOST)
		cut(d, i, size / 3);
	else if (what < 5)
		write_words(d, i, size, size + more, op, 0);
	else if (what == 5)
		write_words(d, i, page, page + PAGE_WORDS * (1 + chance(d) % 4), op, 1);
	else if (what == 6)
		cut(d, i, size + more);
	else if (what == 7)
		space(d, i, size, size + more, FALLOC_FL_KEEP_SIZE);
	else if (what < 14)
		change(d, i, what - 8, op);
	else
		clone(d, i, (i + 1) % DATA_FILES, more * 37, size ? chance(d) % size : 0);
	if (sync > 1)
		return -1;
	if (d->f[i].fd >= 0)
		must(sync ? fsync(d->f[i].fd) : fdatasync(d->f[i].fd), "fsync");
	return i;
}

/* ---- judging ---- */

static uint64_t found[DATA_FILES][DATA_MOST];
static uint32_t found_size[DATA_FILES];
static unsigned char right[DATA_FILES][DATA_MOST];	/* words that may be as they are */
static uint32_t least[DATA_FILES], most[DATA_FILES];	/* sizes since the promise */

static void compare(struct data *d, int i, uint32_t from, uint32_t to)
{
	for (uint32_t w = from; w < to && w < found_size[i]; w++)
		right[i][w] |= found[i][w] == d->f[i].words[w];
	if (d->f[i].size < least[i])
		least[i] = d->f[i].size;
	if (d->f[i].size > most[i])
		most[i] = d->f[i].size;
}

/* Changes before the promise of their file do not count. */
static const unsigned int *promise_of;
static unsigned int now;

static void changed(struct data *d, int i, uint32_t from, uint32_t to)
{
	if (now > promise_of[i])
		compare(d, i, from, to);
}

static int judge(const struct data *d, int i)
{
	if (found_size[i] < least[i] || found_size[i] > most[i]) {
		printf("task %u, data%d: %u words, of %u to %u since operation %u\n", d->task, i,
		       found_size[i], least[i], most[i], promise_of[i]);
		return 1;
	}
	for (uint32_t w = 0; w < found_size[i]; w++)
		if (!right[i][w]) {
			printf("task %u, data%d, of %u words: word %u is %016llx, not of operation %u or later\n",
			       d->task, i, found_size[i], w, (unsigned long long)found[i][w],
			       promise_of[i]);
			return 1;
		}
	return 0;
}

static void take(const struct data *d, int i)
{
	struct stat st;
	long n;

	must(fstat(d->f[i].fd, &st), "fstat");
	if (st.st_size % 8 || st.st_size > (off_t)sizeof(found[i]))
		printf("task %u, data%d: %lld bytes\n", d->task, i, (long long)st.st_size);
	n = pread(d->f[i].fd, found[i], sizeof(found[i]), 0);
	must(n, "pread");
	found_size[i] = (uint32_t)(n + 7) / 8;
}

int data_check(unsigned int nr, int dir, const unsigned int *promised, unsigned int ops)
{
	struct data *d = data_begin(nr, dir, 0);
	int bad = 0;

	for (int i = 0; i < DATA_FILES; i++) {
		take(d, i);
		least[i] = DATA_MOST;
	}
	promise_of = promised;
	d = data_begin(nr, -1, 0);
	d->changed = changed;
	for (now = 0; now <= ops; now++) {
		if (now)
			data_step(d, now);
		for (int i = 0; i < DATA_FILES; i++)
			if (now == promised[i])
				compare(d, i, 0, DATA_MOST);
	}
	for (int i = 0; i < DATA_FILES; i++)
		bad |= judge(d, i);
	return bad;
}
