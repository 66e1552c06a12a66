// SPDX-License-Identifier: MIT
/*
 * Run in the guest: data DEVICE DIR OPTIONS SEED COUNT WHAT. Several processes change the bytes and
 * sizes of their own files and of one that they share, in all ways there are, beside a model in
 * memory, after two cases of their own (mapped_end(), cut_at_size()). Then the files are read after
 * an unmount, mounted read-only. WHAT: 's': files f0 to f5 are there and share blocks, which none
 * of them may see the others change; 'f': the disk is to be full, -ENOSPC is an answer, and what a
 * call that failed had to change may be old or zeroes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#define WORKERS 3
#define FILES 3				/* of each worker; the last one is shared by all */
#define MOST (1u << 20)			/* bytes of a file */
#define STRIPE (32u << 10)		/* of the shared file: each worker has its own */

struct model {
	size_t size;			/* of the shared file: of a worker's writes */
	unsigned char *bytes;
};
static struct model (*models)[FILES];
static unsigned char *shared_bytes, *buf;
static unsigned long state;
static int full, sharing, me, fd[FILES], dfd[FILES];
static unsigned char *view[FILES];
static size_t *shared_sizes;
static long step, *nospc;
static uint64_t others[4];		/* sums of f6 to f9, which nobody writes to */
static sigjmp_buf bus;

static unsigned rnd(unsigned n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)((state >> 33) % n);
}

static void die(const char *f, ...)
{
	va_list a;

	va_start(a, f);
	fprintf(stderr, "data: worker %d step %ld: ", me, step);
	vfprintf(stderr, f, a);
	fprintf(stderr, " (%s)\n", strerror(errno));
	va_end(a);
	_exit(1);
}

static const char *path_of(int w, int i)
{
	static char p[64];

	if (i == FILES - 1)
		snprintf(p, sizeof(p), "shared");
	else if (sharing)
		snprintf(p, sizeof(p), "f%d", w * (FILES - 1) + i);
	else
		snprintf(p, sizeof(p), "w%df%d", w, i);
	return p;
}

static int is_shared(int i)
{
	return i == FILES - 1;
}

static struct model *mod(int i)
{
	return &models[me][i];
}

/* The call answered -ENOSPC, and may. */
static int no_space(const char *what)
{
	if (!full || errno != ENOSPC)
		die("%s", what);
	__atomic_add_fetch(nospc, 1, __ATOMIC_RELAXED);
	return 1;
}

static size_t size_of(int i)
{
	return is_shared(i) ? __atomic_load_n(shared_sizes, __ATOMIC_SEQ_CST) : mod(i)->size;
}

static void grow(int i, size_t to)
{
	size_t old = size_of(i);

	if (!is_shared(i)) {
		if (to > mod(i)->size)
			mod(i)->size = to;
		return;
	}
	while (to > old && !__atomic_compare_exchange_n(shared_sizes, &old, to, 0, __ATOMIC_SEQ_CST,
							__ATOMIC_SEQ_CST))
		;
}

/* A range of file I that this worker may change, within bytes below LIMIT. */
static int range(int i, size_t limit, unsigned unit, size_t *off, size_t *len)
{
	size_t lo = 0, hi = limit;

	if (is_shared(i)) {
		lo = (rnd(MOST / STRIPE / WORKERS) * WORKERS + (unsigned)me) * STRIPE;
		hi = lo + STRIPE;
		if (hi > limit)
			return 0;
	}
	if (hi - lo < unit)
		return 0;
	*off = (lo + rnd((unsigned)(hi - lo))) & -(size_t)unit;
	*len = 1 + rnd(rnd(3) ? 9000 : 120000);
	*len = (*len + unit - 1) & -(size_t)unit;
	if (*off + *len > hi)
		*len = (hi - *off) & -(size_t)unit;
	return *len > 0;
}

static void random_bytes(size_t n)
{
	for (size_t k = 0; k < n; k += 4)
		*(uint32_t *)(buf + k) = (uint32_t)rnd(0xffffffff) | 0x01010101;
}

static void compare(int i, const unsigned char *got, size_t off, size_t n, const char *how)
{
	const unsigned char *want = mod(i)->bytes + off;

	if (!memcmp(got, want, n))
		return;
	for (size_t k = 0; k < n; k++)
		if (got[k] != want[k])
			die("%s: %s: byte %zu of [%zu, %zu) size %zu: %02x, not %02x",
			    path_of(me, i), how, off + k, off, off + n, size_of(i), got[k],
			    want[k]);
}

/* A call that failed: each byte is old or zero, and the model gets what is there. */
static void settle(int i, size_t off, size_t n)
{
	unsigned char *want = mod(i)->bytes + off;
	ssize_t r = pread(fd[i], buf, n, (off_t)off);

	if (r < 0)
		die("pread");
	for (ssize_t k = 0; k < r; k++)
		if (buf[k] && buf[k] != want[k])
			die("%s: byte %zu after a failure: %02x, not %02x", path_of(me, i),
			    off + (size_t)k, buf[k], want[k]);
	memcpy(want, buf, (size_t)r);
}

static void op_write(int i, int direct)
{
	unsigned unit = direct ? rnd(2) ? 512 : 4096 : 1;
	size_t off, len, size = size_of(i);
	ssize_t n;

	if (!range(i, MOST, unit, &off, &len))
		return;
	if (!direct && !is_shared(i) && !rnd(3) && size < MOST)
		off = size, len = len < MOST - size ? len : MOST - size;
	random_bytes(len);
	n = pwrite(direct ? dfd[i] : fd[i], buf, len, (off_t)off);
	if (n < 0) {
		no_space("pwrite");
		return;
	}
	if (n < (ssize_t)len && !full)
		die("pwrite: %zd of %zu", n, len);
	memcpy(mod(i)->bytes + off, buf, (size_t)n);
	grow(i, off + (size_t)n);
}

static void op_read(int i, int direct)
{
	unsigned unit = direct ? 512 : 1;
	size_t off, len, size;
	ssize_t n;

	if (!range(i, MOST, unit, &off, &len))
		return;
	size = size_of(i);
	n = pread(direct ? dfd[i] : fd[i], buf, len, (off_t)off);
	if (n < 0)
		die("pread");
	if (off < size && n < (ssize_t)(len < size - off ? len : size - off))
		die("%s: pread of %zu at %zu: %zd, size %zu", path_of(me, i), len, off, n, size);
	compare(i, buf, off, (size_t)n, direct ? "direct read" : "read");
}

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(bus, 1);
}

static void op_map(int i)
{
	volatile size_t at;
	size_t off, len;

	if (!range(i, size_of(i), 1, &off, &len))
		return;
	compare(i, view[i] + off, off, len, "mapping");
	random_bytes(len);
	at = off;
	if (sigsetjmp(bus, 1)) {
		errno = ENOSPC;
		no_space("SIGBUS");
		return;
	}
	while (at < off + len) {
		size_t n = 4096 - (at & 4095);

		n = n < off + len - at ? n : off + len - at;
		view[i][at] = buf[at - off];	/* faults, or the rest does not */
		memcpy(view[i] + at, buf + (at - off), n);
		memcpy(mod(i)->bytes + at, buf + (at - off), n);
		at += n;
	}
	if (!rnd(3) && msync(view[i] + (off & -4096ul), len + (off & 4095), MS_SYNC))
		die("msync");
}

static void op_truncate(int i)
{
	size_t to = rnd(2) ? rnd(MOST) : rnd((unsigned)mod(i)->size + 1), size = mod(i)->size;
	struct stat st;

	if (is_shared(i))
		return;
	if (ftruncate(fd[i], (off_t)to)) {
		no_space("ftruncate");
		if (fstat(fd[i], &st) || (size_t)st.st_size != size)
			die("size %zu after a failure", (size_t)st.st_size);
		return;
	}
	if (to < size)
		memset(mod(i)->bytes + to, 0, size - to);
	mod(i)->size = to;
}

static void op_allocate(int i)
{
	static const int modes[] = { 0,
				     FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_ZERO_RANGE,
				     FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_UNSHARE_RANGE,
				     FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE };
	int mode = modes[rnd(8)], zero = mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE);
	size_t off, len;

	if (!range(i, MOST, rnd(2) ? 1 : 4096, &off, &len))
		return;
	if (fallocate(fd[i], mode, (off_t)off, (off_t)len)) {
		no_space("fallocate");
		if (zero)
			settle(i, off, len);
		return;
	}
	if (zero)
		memset(mod(i)->bytes + off, 0, len);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		grow(i, off + len);
}

#include "data_share.h"

static int all_zero(const unsigned char *p, size_t n)
{
	return !n || (!*p && !memcmp(p, p + 1, n - 1));
}

static void op_seek(int i)
{
	off_t at = 0, size = (off_t)size_of(i), d, h;

	if (is_shared(i))
		return;
	while (at < size) {
		d = lseek(fd[i], at, SEEK_DATA);
		if (d < 0 && errno != ENXIO)
			die("SEEK_DATA");
		if (d < 0)
			d = size;
		if (d < at || d > size || !all_zero(mod(i)->bytes + at, (size_t)(d - at)))
			die("%s: [%ld, %ld) of %ld is no hole", path_of(me, i), (long)at, (long)d,
			    (long)size);
		if (d == size)
			break;
		h = lseek(fd[i], d, SEEK_HOLE);
		if (h <= d || h > size)
			die("%s: SEEK_HOLE %ld: %ld", path_of(me, i), (long)d, (long)h);
		at = h;
	}
	if (lseek(fd[i], size, SEEK_DATA) != -1 || errno != ENXIO)
		die("SEEK_DATA at the end");
}

static void op_sync(int i)
{
	static int drop = -1;

	if (rnd(4) && (rnd(2) ? fsync(fd[i]) : fdatasync(fd[i])))
		die("fsync");
	if (rnd(3))
		return;
	if (drop < 0)
		drop = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (drop < 0 || pwrite(drop, "3", 1, 0) != 1)
		die("drop_caches");
}

static void check(int i)
{
	struct stat st;
	size_t size = mod(i)->size, n;

	if (is_shared(i)) {
		for (size_t at = (size_t)me * STRIPE; at < MOST; at += WORKERS * STRIPE) {
			n = at + STRIPE <= MOST ? STRIPE : MOST - at;
			n = (size_t)pread(fd[i], buf, n, (off_t)at);
			compare(i, buf, at, n, "check");
		}
		return;
	}
	if (fstat(fd[i], &st) || (size_t)st.st_size != size)
		die("%s: size %zu, not %zu", path_of(me, i), (size_t)st.st_size, size);
	if (pread(fd[i], buf, MOST, 0) != (ssize_t)size)
		die("%s: read", path_of(me, i));
	compare(i, buf, 0, size, "check");
}

static void some_op(int i)
{
	switch (rnd(21)) {
	case 0 ... 4:
		op_write(i, 0);
		break;
	case 5:
	case 6:
		op_write(i, 1);
		break;
	case 7:
		op_read(i, 0);
		break;
	case 8:
		op_read(i, 1);
		break;
	case 9:
	case 10:
		op_map(i);
		break;
	case 11:
		op_truncate(i);
		break;
	case 12:
	case 13:
		op_allocate(i);
		break;
	case 14:
		op_seek(i);
		break;
	case 15:
	case 16:
		op_clone(i);
		break;
	case 17:
		op_copy(i);
		break;
	case 18:
		op_dedupe(i);
		break;
	case 19:
		op_shift(i);
		break;
	default:
		op_sync(i);
	}
}

static void open_all(int flags)
{
	for (int i = 0; i < FILES; i++) {
		fd[i] = open(path_of(me, i), flags, 0644);
		dfd[i] = open(path_of(me, i), flags | O_DIRECT, 0644);
		if (fd[i] < 0 || dfd[i] < 0)
			die("open %s", path_of(me, i));
	}
}

static void close_all(void)
{
	for (int i = 0; i < FILES; i++) {
		close(fd[i]);
		close(dfd[i]);
	}
}

static void work(unsigned seed, long count)
{
	state = seed * 77 + (unsigned)me;
	signal(SIGBUS, on_bus);
	open_all(O_RDWR | O_CREAT);
	for (int i = 0; i < FILES; i++) {
		view[i] = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_SHARED, fd[i], 0);
		if (view[i] == MAP_FAILED)
			die("mmap");
	}
	for (step = 0; step < count; step++) {
		some_op((int)rnd(FILES));
		if (!rnd(50))
			check((int)rnd(FILES));
	}
	for (int i = 0; i < FILES; i++) {
		if (fsync(fd[i]))
			die("the last fsync of %s", path_of(me, i));
		check(i);
	}
	_exit(0);
}

/*
 * A store to the last page through a mapping that was there before the file got shorter and longer.
 */
static void mapped_end(void)
{
	int f = open("edge", O_RDWR | O_CREAT | O_TRUNC, 0644),
	    direct = open("edge", O_RDONLY | O_DIRECT);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);

	memset(buf, 'a', 4096);
	if (f < 0 || direct < 0 || p == MAP_FAILED || pwrite(f, buf, 4096, 0) != 4096 || fsync(f))
		die("edge");
	p[0] = 'b';
	if (ftruncate(f, 1000) || pwrite(f, buf, 1, 8192) != 1)
		die("edge: size");
	p[2048] = 'c';
	/* Written back, and read from the device. */
	if (pread(direct, buf, 4096, 0) != 4096)
		die("edge: read");
	if (buf[0] != 'b' || buf[999] != 'a' || buf[1000] || buf[2048] != 'c')
		die("edge: %d %d %d %d", buf[0], buf[999], buf[1000], buf[2048]);
	munmap(p, 4096);
	close(direct);
	close(f);
}

/* Blocks behind the end go where a file is cut off at the size that it has. */
static void cut_at_size(void)
{
	int f = open("edge", O_RDWR | O_CREAT | O_TRUNC, 0644);
	struct stat before, after;

	if (f < 0 || write(f, "x", 1) != 1 || fallocate(f, FALLOC_FL_KEEP_SIZE, 0, 256 << 10) ||
	    fstat(f, &before) || ftruncate(f, 1) || fstat(f, &after) || unlink("edge"))
		die("cut");
	if (before.st_size != 1 || after.st_size != 1 || before.st_blocks < 512 ||
	    after.st_blocks > 8)
		die("cut: %ld, %ld blocks", (long)before.st_blocks, (long)after.st_blocks);
	close(f);
}

static uint64_t sum_of(int i)
{
	uint64_t s = 1;
	char p[16];
	ssize_t n;
	int f;

	snprintf(p, sizeof(p), "f%d", WORKERS * (FILES - 1) + i);
	f = open(p, O_RDONLY);
	if (f < 0 && errno == ENOENT)
		return 0;
	while (f >= 0 && (n = read(f, buf, MOST)) > 0)
		for (ssize_t k = 0; k < n; k += 8)
			s = (s ^ *(uint64_t *)(buf + k)) * 0x100000001b3ul;
	if (f < 0 || n < 0)
		die("%s", p);
	close(f);
	return s;
}

/* Files that are there, cut off where the model's end. */
static void load(void)
{
	for (me = 0; me < WORKERS; me++) {
		for (int i = 0; i < FILES - 1; i++) {
			int f = open(path_of(me, i), O_RDWR);
			ssize_t n;

			if (f < 0 && errno == ENOENT)
				continue;
			if (f < 0 || ftruncate(f, MOST))
				die("load %s", path_of(me, i));
			n = read(f, mod(i)->bytes, MOST);
			if (n < 0)
				die("read %s", path_of(me, i));
			mod(i)->size = (size_t)n;
			close(f);
		}
	}
	me = -1;
	for (int i = 0; i < 4; i++)
		others[i] = sum_of(i);
}

/* Eats what is left but for about KEEP KiB, so that the rest is contended. */
static void ballast(long keep)
{
	int f = open("ballast", O_RDWR | O_CREAT, 0644);
	off_t at = 0;

	for (long unit = 4 << 20; unit >= 65536; unit /= 2)
		while (!fallocate(f, 0, at, unit))
			at += unit;
	if (f < 0 || ftruncate(f, at - (keep << 10)) || fsync(f))
		die("ballast");
	close(f);
}

static void *memory(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("memory");
	return p;
}

static void check_all(const char *dir)
{
	if (chdir(dir))
		die("chdir");
	for (me = 0; me < WORKERS; me++) {
		struct stat st;

		open_all(O_RDONLY);
		for (int i = 0; i < FILES; i++)
			check(i);
		if (fstat(fd[FILES - 1], &st) || (size_t)st.st_size != *shared_sizes)
			die("the shared size is %ld", (long)st.st_size);
		close_all();
	}
	me = -1;
	for (int i = 0; sharing && i < 4; i++)
		if (sum_of(i) != others[i])
			die("another file has changed");
	if (chdir("/"))
		die("chdir");
}

/* As it is on the device: mounted anew, read-only. */
static void read_again(char **argv)
{
	int drop = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (chdir("/"))
		die("chdir");
	if (mount(NULL, argv[2], NULL, MS_REMOUNT | MS_RDONLY, argv[3]))
		die("remount");
	if (write(drop, "3", 1) != 1)
		die("drop_caches");
	close(drop);
	check_all(argv[2]);
	if (umount(argv[2]))
		die("umount");
	if (mount(argv[1], argv[2], "xfs", MS_RDONLY, NULL))
		die("mount read-only");
	check_all(argv[2]);
	if (umount(argv[2]))
		die("umount");
}

int main(int argc, char **argv)
{
	int status, bad = 0;

	if (argc < 7)
		return 2;
	full = strchr(argv[6], 'f') != NULL;
	sharing = strchr(argv[6], 's') != NULL;
	buf = aligned_alloc(4096, MOST);
	shared_bytes = memory(MOST);
	shared_sizes = memory(4096);
	nospc = (long *)(shared_sizes + 1);
	models = memory(WORKERS * sizeof(*models));
	if (mount(argv[1], argv[2], "xfs", 0, argv[3]) || chdir(argv[2]))
		die("mount");
	for (int w = 0; w < WORKERS; w++)
		for (int i = 0; i < FILES; i++)
			models[w][i].bytes = is_shared(i) ? shared_bytes : memory(MOST);
	if (sharing)
		load();
	me = -1;
	mapped_end();
	cut_at_size();
	if (full)
		ballast(WORKERS * 500);
	for (me = 0; me < WORKERS; me++) {
		if (!fork()) {
			alarm(250);
			work((unsigned)atoi(argv[4]), atol(argv[5]));
		}
	}
	me = -1;
	while (wait(&status) > 0)
		bad |= status;
	if (bad)
		return 1;
	read_again(argv);
	if (full && !*nospc)
		die("the disk was never full");
	printf("data: ok, %ld times full\n", *nospc);
	return 0;
}
