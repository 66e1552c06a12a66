// SPDX-License-Identifier: MIT
/*
 * What each block of a mounted XFS belongs to (FS_IOC_GETFSMAP): "fsmap check DIR" makes files
 * there and compares what is told whole, in pieces, in part and to others with each other and with
 * FIEMAP; "fsmap dump DIR" prints all of it.
 *
 * It says "fsmap: ok", or what was wrong. Linux says the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsmap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(c) do { if (!(c)) fail(__LINE__, #c); } while (0)
#define MOST 20000
#define PIECES 700
#define BLOCK 4096u

static struct fsmap_head *head;
static struct fsmap all[MOST];
static unsigned int nr_all;
static uint64_t size;
static int dir;

static void fail(int line, const char *what)
{
	printf("fsmap: line %d: not true: %s (errno %d)\n", line, what, errno);
	exit(1);
}

static void keys(uint64_t from, uint64_t to)
{
	memset(head, 0, sizeof(*head));
	memset(&head->fmh_keys[1], 0xff, sizeof(struct fsmap));
	memset(head->fmh_keys[1].fmr_reserved, 0, sizeof(head->fmh_keys[1].fmr_reserved));
	head->fmh_keys[1].fmr_length = 0;
	head->fmh_keys[0].fmr_device = all[0].fmr_device;	/* 0, before the first answer */
	head->fmh_keys[0].fmr_physical = from;
	head->fmh_keys[1].fmr_physical = to;
}

static int ask(unsigned int count)
{
	head->fmh_count = count;
	errno = 0;
	return ioctl(dir, FS_IOC_GETFSMAP, head);
}

static bool is_gap(const struct fsmap *f)
{
	return f->fmr_flags & FMR_OF_SPECIAL_OWNER &&
	       (f->fmr_owner == FMR_OWN_FREE || f->fmr_owner == FMR_OWN_UNKNOWN);
}

/* ---- files ---- */

static void fill(const char *name, unsigned int blocks, unsigned int step)
{
	static char b[BLOCK];
	int f = openat(dir, name, O_RDWR | O_CREAT, 0600);

	CHECK(f >= 0);
	for (unsigned int i = 0; i < blocks; i += step) {
		memset(b, (int)i + 1, sizeof(b));
		CHECK(pwrite(f, b, sizeof(b), (off_t)i * BLOCK) == sizeof(b));
	}
	CHECK(!fsync(f));
	close(f);
}

static void clone(const char *from, const char *to)
{
	int a = openat(dir, from, O_RDONLY), b = openat(dir, to, O_RDWR | O_CREAT, 0600);

	CHECK(a >= 0 && b >= 0 && !ioctl(b, FICLONE, a));
	close(a);
	close(b);
}

static void make_files(void)
{
	int f;

	fill("pieces", 2 * PIECES, 2);
	clone("pieces", "first");
	clone("pieces", "second");
	fill("plain", 64, 1);
	fill("half", 64, 1);
	clone("half", "other half");
	f = openat(dir, "half", O_RDWR);
	CHECK(f >= 0 && !fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 32 * BLOCK));
	close(f);
	f = openat(dir, "unwritten", O_RDWR | O_CREAT, 0600);
	CHECK(f >= 0 && !fallocate(f, 0, 0, 100 * BLOCK) && !fsync(f));
	close(f);
	CHECK(!syncfs(dir));
}

/* ---- the whole ---- */

static void read_all(void)
{
	uint64_t at = 0;

	keys(0, ~0ull);
	CHECK(!ask(MOST));
	nr_all = head->fmh_entries;
	CHECK(nr_all < MOST && head->fmh_oflags == FMH_OF_DEV_T);
	memcpy(all, head->fmh_recs, nr_all * sizeof(*all));
	for (unsigned int i = 0; i < nr_all; i++) {
		struct fsmap *f = &all[i];

		CHECK(!(f->fmr_flags & FMR_OF_LAST) == (i + 1 < nr_all));
		f->fmr_flags &= ~(uint32_t)FMR_OF_LAST;
		CHECK(f->fmr_length && f->fmr_device && f->fmr_physical <= at);
		CHECK(!is_gap(f) || f->fmr_physical == at);
		if (f->fmr_physical + f->fmr_length > at)
			at = f->fmr_physical + f->fmr_length;
	}
	CHECK(at == size);
	keys(0, ~0ull);
	CHECK(!ask(0) && head->fmh_entries == nr_all);
}

/* Some at a time, from the last one on. */
static void in_pieces(unsigned int count)
{
	unsigned int n = 0;
	bool last = false;

	keys(0, ~0ull);
	while (!last) {
		CHECK(!ask(count) && head->fmh_entries && head->fmh_entries <= count);
		for (unsigned int i = 0; i < head->fmh_entries; i++) {
			struct fsmap f = head->fmh_recs[i];

			last = f.fmr_flags & FMR_OF_LAST;
			f.fmr_flags &= ~(uint32_t)FMR_OF_LAST;
			CHECK(n < nr_all && !memcmp(&f, &all[n], sizeof(f)));
			n++;
			head->fmh_keys[0] = f;
		}
	}
	CHECK(n == nr_all);
}

/* From FROM to TO, sectors: what begins up to TO and ends behind FROM. */
static void in_part(uint64_t from, uint64_t to)
{
	uint64_t at = from, last = to < size - 512 ? to : size - 512;
	unsigned int n = 0;

	keys(from, to);
	head->fmh_keys[1].fmr_device = all[0].fmr_device;
	CHECK(!ask(MOST));
	for (unsigned int i = 0; i < nr_all; i++) {
		struct fsmap f = all[i];
		uint64_t end = f.fmr_physical + f.fmr_length;

		if (is_gap(&f) || end <= from - from % BLOCK || f.fmr_physical > last)
			continue;
		if (f.fmr_physical > at) {
			CHECK(n < head->fmh_entries && is_gap(&head->fmh_recs[n]) &&
			      head->fmh_recs[n].fmr_physical == at &&
			      head->fmh_recs[n].fmr_length == f.fmr_physical - at);
			n++;
		}
		if (n + 1 == head->fmh_entries)
			f.fmr_flags |= FMR_OF_LAST;
		CHECK(n < head->fmh_entries && !memcmp(&f, &head->fmh_recs[n], sizeof(f)));
		n++;
		if (end > at)
			at = end;
	}
	if (at <= last) {
		CHECK(n < head->fmh_entries && is_gap(&head->fmh_recs[n]) &&
		      head->fmh_recs[n].fmr_physical == at &&
		      head->fmh_recs[n].fmr_length == last + 512 - at);
		n++;
	}
	CHECK(n == head->fmh_entries);
}

/* ---- beside FIEMAP ---- */

static void is_told(uint64_t ino, const struct fiemap_extent *x)
{
	uint32_t want = (x->fe_flags & FIEMAP_EXTENT_SHARED ? FMR_OF_SHARED : 0) |
			(x->fe_flags & FIEMAP_EXTENT_UNWRITTEN ? FMR_OF_PREALLOC : 0);

	for (unsigned int i = 0; i < nr_all; i++) {
		const struct fsmap *f = &all[i];
		uint64_t into = x->fe_logical - f->fmr_offset;

		if (f->fmr_owner != ino ||
		    f->fmr_flags & (FMR_OF_SPECIAL_OWNER | FMR_OF_ATTR_FORK | FMR_OF_EXTENT_MAP) ||
		    x->fe_logical < f->fmr_offset || into >= f->fmr_length)
			continue;
		CHECK(f->fmr_physical + into == x->fe_physical &&
		      into + x->fe_length <= f->fmr_length);
		/* A record is shared as soon as one of its blocks is. */
		CHECK(f->fmr_flags == want ||
		      (f->fmr_length > x->fe_length && f->fmr_flags == (want | FMR_OF_SHARED)));
		return;
	}
	fail(__LINE__, "an extent of a file is told");
}

static void as_fiemap(const char *name, unsigned int extents)
{
	static struct {
		struct fiemap m;
		struct fiemap_extent x[PIECES + 10];
	} m;
	int f = openat(dir, name, O_RDONLY);
	struct stat st;

	memset(&m, 0, sizeof(m));
	m.m.fm_length = ~0ull;
	m.m.fm_extent_count = PIECES + 10;
	CHECK(f >= 0 && !fstat(f, &st) && !ioctl(f, FS_IOC_FIEMAP, &m.m));
	CHECK(m.m.fm_mapped_extents >= extents);
	for (unsigned int i = 0; i < m.m.fm_mapped_extents; i++)
		is_told(st.st_ino, &m.m.fm_extents[i]);
	close(f);
}

/* ---- others ---- */

static void as_user(void)
{
	uint64_t at = 0;
	int status;
	pid_t pid = fork();

	if (!pid) {
		CHECK(!setgid(1000) && !setuid(1000));
		keys(0, ~0ull);
		CHECK(!ask(MOST));
		for (unsigned int i = 0; i < head->fmh_entries; i++) {
			struct fsmap *f = &head->fmh_recs[i];

			CHECK(is_gap(f) && f->fmr_physical == at);
			CHECK(!i || f->fmr_owner != f[-1].fmr_owner);
			at += f->fmr_length;
		}
		CHECK(at == size);
		exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && !status);
}

static void refused(void)
{
	struct fsmap_head *h = head;

	keys(0, ~0ull);
	h->fmh_iflags = 1;
	CHECK(ask(1) && errno == EINVAL);
	keys(0, ~0ull);
	h->fmh_reserved[3] = 1;
	CHECK(ask(1) && errno == EINVAL);
	keys(0, ~0ull);
	h->fmh_keys[1].fmr_reserved[2] = 1;
	CHECK(ask(1) && errno == EINVAL);
	keys(0, ~0ull);
	h->fmh_keys[0].fmr_device = 12345;
	CHECK(ask(1) && errno == EINVAL);
	keys(8192, 4096);
	h->fmh_keys[0].fmr_device = ~0u;
	CHECK(ask(1) && errno == EINVAL);
	keys(0, ~0ull);
	h->fmh_keys[1].fmr_length = 4096;
	CHECK(ask(1) && errno == EINVAL);
	h->fmh_keys[1].fmr_length = ~0ull;
	CHECK(ask(1) && errno == EINVAL);
	keys(0, ~0ull);
	h->fmh_keys[0].fmr_flags = FMR_OF_SPECIAL_OWNER;
	h->fmh_keys[0].fmr_owner = 77;
	CHECK(ask(1) && errno == EINVAL);
	h->fmh_keys[0].fmr_owner = 0;
	h->fmh_keys[0].fmr_offset = 4096;
	CHECK(ask(1) && errno == EINVAL);
	keys(size, ~0ull);
	CHECK(!ask(MOST) && !h->fmh_entries);
	keys(0, 1);
	h->fmh_keys[0].fmr_device = h->fmh_keys[1].fmr_device = 0;
	h->fmh_keys[1].fmr_physical = 4096;
	CHECK(!ask(MOST) && !h->fmh_entries);
	CHECK(ioctl(dir, FS_IOC_GETFSMAP, 8) && errno == EFAULT);
}

static void frozen(void)
{
	CHECK(!ioctl(dir, FIFREEZE, 0));
	keys(0, ~0ull);
	CHECK(!ask(0) && head->fmh_entries);
	CHECK(!ioctl(dir, FITHAW, 0));
}

int main(int argc, char **argv)
{
	struct statvfs v;

	CHECK(argc == 3);
	dir = open(argv[2], O_RDONLY | O_DIRECTORY);
	head = calloc(1, fsmap_sizeof(MOST));
	CHECK(dir >= 0 && head && !fstatvfs(dir, &v));
	if (!strcmp(argv[1], "dump")) {
		keys(0, ~0ull);
		CHECK(!ask(MOST));
		for (unsigned int i = 0; i < head->fmh_entries; i++) {
			struct fsmap *f = &head->fmh_recs[i];

			printf("%llu+%llu owner %llx offset %llu flags %x\n",
			       f->fmr_physical / BLOCK, f->fmr_length / BLOCK, f->fmr_owner,
			       f->fmr_offset / BLOCK, f->fmr_flags);
		}
		return 0;
	}
	size = strtoull(getenv("FSMAP_SIZE"), NULL, 0);
	make_files();
	read_all();
	for (unsigned int n = 1; n < 600; n = n * 5 + 2)
		in_pieces(n);
	for (unsigned int i = 0; i < nr_all; i += 1 + nr_all / 60) {
		const struct fsmap *f = &all[i];

		in_part(f->fmr_physical, ~0ull);
		in_part(f->fmr_physical + f->fmr_length / 2, f->fmr_physical + (1 << 20) - 512);
		in_part(f->fmr_physical, f->fmr_physical + f->fmr_length - 512);
		in_part(f->fmr_physical + 512, f->fmr_physical + 1024);
	}
	as_fiemap("pieces", PIECES);
	as_fiemap("second", PIECES);
	as_fiemap("plain", 1);
	as_fiemap("other half", 2);
	as_fiemap("unwritten", 1);
	as_user();
	refused();
	frozen();
	puts("fsmap: ok");
	return 0;
}
