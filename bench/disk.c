// SPDX-License-Identifier: MIT
/*
 * What operations on a disk with XFS cost, for any kernel of Linux's ABI: process 1 of a machine
 * with an empty XFS on /dev/vda or /dev/sda.
 *
 * The clock says nothing here, because a task that waits for the disk leaves the processor idle:
 * count.c counts the instructions between two marks, and /proc/diskstats the requests. Each
 * operation is prepared, then run N times; operations that change something end with a syncfs(2),
 * which belongs to them. Then the program computes, so that deferred work is counted too; what that
 * computing costs on an idle machine is subtracted by the reader of the marks.
 *
 * Says "idle 0 WINDOW", "op NAME N 0 0 WINDOW" and "disk NAME N READS SECTORS WRITES SECTORS
 * FLUSHES" for each run, several for each operation, and "end". ops= as in ops.c.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cpu.h"

#define RUNS 3
#define COMPUTE 12000000L
#define MIB (1L << 20)
#define LONGEST 2000		/* files of an operation */
#define GOING_DOWN _IOR('X', 125, uint32_t)
#define LOG_IS_WRITTEN 1u

static char *buf;		/* a MiB, aligned */
static const char *disk = "vda";	/* or sda */
static int fd = -1, top = -1;
static int serial;		/* of the directory of this run */

static void must(int ok, const char *what)
{
	if (!ok) {
		printf("fatal %s: %s\n", what, strerror(errno));
		fflush(stdout);
		reboot(RB_POWER_OFF);
	}
}

static void compute(void)
{
	for (long i = 0; i < COMPUTE / 2; i++)
		__asm__ volatile("" : : : "memory");
}

/* The name of file I of the directory of this run. */
static const char *name(long i)
{
	static char text[64];

	snprintf(text, sizeof(text), "/m/%d/file%ld", serial, i);
	return text;
}

static void attach(void)
{
	char path[16];

	snprintf(path, sizeof(path), "/dev/%s", disk);
	must(!mount(path, "/m", "xfs", 0, NULL), "mount");
	top = open("/m", O_RDONLY | O_DIRECTORY);
}

static void detach(void)
{
	close(top);
	must(!umount("/m"), "umount");
}

static void forget(void)
{
	int f = open("/proc/sys/vm/drop_caches", O_WRONLY);

	must(!syncfs(top) && f >= 0 && write(f, "3", 1) == 1, "drop_caches");
	close(f);
}

#include "ring.h"

/* ---- preparing ---- */

static void new_directory(long n)
{
	char text[32];

	(void)n;
	snprintf(text, sizeof(text), "/m/%d", ++serial);
	must(!mkdir(text, 0755), "mkdir");
	syncfs(top);
}

static void make(long n, size_t size)
{
	for (long i = 0; i < n; i++) {
		int f = open(name(i), O_WRONLY | O_CREAT, 0644);

		must(f >= 0 && write(f, buf, size) == (ssize_t)size, "file");
		close(f);
	}
}

static void empty_files(long n)
{
	new_directory(n);
	make(n, 0);
	syncfs(top);
}

static void small_files(long n)
{
	new_directory(n);
	make(n, 4096);
	syncfs(top);
}

static void cold_empty_files(long n)
{
	empty_files(n);
	forget();
}

static void cold_small_files(long n)
{
	small_files(n);
	forget();
}

static void open_new(long n)
{
	new_directory(n);
	fd = open(name(0), O_RDWR | O_CREAT, 0644);
	must(fd >= 0, "file");
}

static void open_long(long n)
{
	open_new(n);
	for (int i = 0; i < 256; i++)
		must(write(fd, buf, MIB) == MIB, "long file");
	must(!fsync(fd), "fsync");
}

static void open_cold(long n)
{
	open_long(n);
	forget();
}

static void open_direct(long n)
{
	open_long(n);
	close(fd);
	fd = open(name(0), O_RDWR | O_DIRECT | O_DSYNC);
	must(fd >= 0, "O_DIRECT");
}

static void close_file(void)
{
	close(fd);
	unlink(name(0));
	syncfs(top);
}

static void open_direct_and_ring(long n)
{
	open_direct(n);
	make_uring();
}

/* A MiB, in the page cache. */
static void open_cached_and_ring(long n)
{
	open_new(n);
	must(write(fd, buf, MIB) == MIB && !fsync(fd), "cached file");
	make_uring();
	uring_fix(buf, MIB, fd);
}

static void close_file_and_ring(void)
{
	uring_unfix();
	drop_uring();
	close_file();
}

/* A log with what 500 new files need, which are nowhere else. */
static void crash(long n)
{
	uint32_t how = LOG_IS_WRITTEN;

	(void)n;
	new_directory(0);
	make(500, 0);
	must(!ioctl(top, GOING_DOWN, &how), "shutdown");
	detach();
}

/* ---- operations ---- */

#define OP(name) static void name(long n)
#define LOOP for (long i = 0; i < n; i++)

OP(op_create)
{
	make(n, 0);
	syncfs(top);
}
OP(op_create_4k)
{
	make(n, 4096);
	syncfs(top);
}
OP(op_unlink)
{
	LOOP unlink(name(i));
	syncfs(top);
}
OP(op_stat)
{
	struct stat st;
	LOOP stat(name(i), &st);
}
OP(op_append)
{
	LOOP
	{
		write(fd, buf, 4096);
		fsync(fd);
	}
}
OP(op_write)
{
	LOOP write(fd, buf, MIB);
	fsync(fd);
}
OP(op_read)
{
	LOOP pread(fd, buf, MIB, i * MIB);
}
OP(op_direct_read)
{
	LOOP pread(fd, buf, 4096, i * 7919 % 65536 * 4096);
}
OP(op_uring_direct)
{
	LOOP
	{
		uring_read(fd, buf, (unsigned long)(i * 7919 % 65536 * 4096));
		uring_enter(1);
	}
}
OP(op_uring_direct_32)
{
	for (long i = 0; i < n; i += 32) {
		for (long k = 0; k < 32; k++)
			uring_read(fd, buf + 4096 * k,
				   (unsigned long)((i + k) * 7919 % 65536 * 4096));
		uring_enter(32);
	}
}
OP(op_uring_cached)
{
	LOOP
	{
		uring_read(fd, buf, 4096 * (unsigned long)(i & 255));
		uring_enter(1);
	}
}
OP(op_uring_cached_fixed)
{
	LOOP
	{
		uring_read_fixed(buf, 4096 * (unsigned long)(i & 255));
		uring_enter(1);
	}
}
OP(op_uring_clean_fsync)
{
	LOOP
	{
		uring_sqe(IORING_OP_FSYNC, fd);
		uring_enter(1);
	}
}
OP(op_direct_write)
{
	LOOP pwrite(fd, buf, 4096, i * 7919 % 65536 * 4096);
}
OP(op_mount)
{
	(void)n;
	attach();
}

OP(op_rename)
{
	char to[64];

	LOOP
	{
		snprintf(to, sizeof(to), "/m/%d/other%ld", serial, i);
		rename(name(i), to);
	}
	syncfs(top);
}

OP(op_read_4k)
{
	LOOP
	{
		int f = open(name(i), O_RDONLY);

		read(f, buf, 8192);
		close(f);
	}
}

OP(op_readdir)
{
	char text[32];
	DIR *d;

	(void)n;
	snprintf(text, sizeof(text), "/m/%d", serial);
	d = opendir(text);
	while (readdir(d))
		;
	closedir(d);
}

OP(op_syncfs)
{
	LOOP
	{
		pwrite(fd, buf, 4096, i % 16 * 4096);
		syncfs(top);
	}
}

static const struct op {
	const char *name;
	long n;
	void (*run)(long n), (*prepare)(long n), (*drop)(void);
} ops[] = {
	{ "disk: create, empty", LONGEST, op_create, new_directory, 0 },
	{ "disk: create, 4 KiB", 1000, op_create_4k, new_directory, 0 },
	{ "disk: unlink, empty", LONGEST, op_unlink, empty_files, 0 },
	{ "disk: unlink, 4 KiB", 1000, op_unlink, small_files, 0 },
	{ "disk: rename", LONGEST, op_rename, empty_files, 0 },
	{ "disk: stat, warm", LONGEST, op_stat, empty_files, 0 },
	{ "disk: stat, cold", LONGEST, op_stat, cold_empty_files, 0 },
	{ "disk: readdir, warm, a name", LONGEST, op_readdir, empty_files, 0 },
	{ "disk: readdir, cold, a name", LONGEST, op_readdir, cold_empty_files, 0 },
	{ "disk: open + read 4 KiB, warm", 1000, op_read_4k, small_files, 0 },
	{ "disk: open + read 4 KiB, cold", 1000, op_read_4k, cold_small_files, 0 },
	{ "disk: append 4 KiB + fsync", 500, op_append, open_new, close_file },
	{ "disk: write 4 KiB + syncfs", 200, op_syncfs, open_new, close_file },
	{ "disk: write 1 MiB of 256", 256, op_write, open_new, close_file },
	{ "disk: read 1 MiB of 256, cold", 256, op_read, open_cold, close_file },
	{ "disk: direct read 4 KiB", 1000, op_direct_read, open_direct, close_file },
	{ "disk: io_uring direct read 4 KiB", 1000, op_uring_direct, open_direct_and_ring,
	  close_file_and_ring },
	{ "disk: io_uring direct read 4 KiB of 32", 1024, op_uring_direct_32, open_direct_and_ring,
	  close_file_and_ring },
	{ "disk: io_uring read 4 KiB, warm", 1000, op_uring_cached, open_cached_and_ring,
	  close_file_and_ring },
	{ "disk: io_uring fixed read 4 KiB, warm", 1000, op_uring_cached_fixed,
	  open_cached_and_ring, close_file_and_ring },
	{ "disk: io_uring fsync, clean", 500, op_uring_clean_fsync, open_cached_and_ring,
	  close_file_and_ring },
	{ "disk: direct O_DSYNC write 4 KiB", 500, op_direct_write, open_direct, close_file },
	{ "disk: mount with recovery", 1, op_mount, crash, 0 },
};

/* ---- measuring ---- */

struct io {
	long v[5];
};

static struct io disk_now(void)
{
	struct io r = { { 0 } };
	char line[400], name[32];
	FILE *f = fopen("/proc/diskstats", "r");

	must(f != NULL, "diskstats");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line,
			   " %*d %*d %31s %ld %*d %ld %*d %ld %*d %ld %*d %*d %*d %*d %*d %*d %*d %*d %ld",
			   name, &r.v[0], &r.v[1], &r.v[2], &r.v[3], &r.v[4]) == 6 &&
		    !strcmp(name, disk))
			break;
	fclose(f);
	return r;
}

static int windows;

static void measure(const struct op *op)
{
	struct io a, b;

	if (op->prepare)
		op->prepare(op->n);
	compute();
	compute();
	a = disk_now();
	MARK_BEGIN();
	op->run(op->n);
	compute();
	MARK_END();
	b = disk_now();
	if (op->drop)
		op->drop();
	printf("op %s\t%ld\t0\t0\t%d\n", op->name, op->n, windows++);
	printf("disk %s\t%ld", op->name, op->n);
	for (int i = 0; i < 5; i++)
		printf("\t%ld", b.v[i] - a.v[i]);
	printf("\n");
	fflush(stdout);
}

static void nothing(long n)
{
	(void)n;
}

static void without_underscores(char *s)
{
	for (; *s; s++)
		if (*s == '_')
			*s = ' ';
}

static int wanted(const char *list, const char *what)
{
	char l[1000], w[100], *save, *t;

	if (!list)
		return 1;
	snprintf(l, sizeof(l), "%s", list);
	snprintf(w, sizeof(w), "%s", what);
	without_underscores(l);
	without_underscores(w);
	for (t = strtok_r(l, ",", &save); t; t = strtok_r(NULL, ",", &save))
		if (strstr(w, t))
			return 1;
	return 0;
}

/* What a kernel needs before it sees the disk. */
static void load_modules(void)
{
	glob_t g;

	if (glob("/modules/*.ko", 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		int f = open(g.gl_pathv[i], O_RDONLY);

		must(f >= 0 && !syscall(SYS_finit_module, f, "", 0), g.gl_pathv[i]);
		close(f);
	}
	globfree(&g);
}

int main(void)
{
	static const struct op idle = { "idle", 1, nothing, 0, 0 };
	const char *list = getenv("ops");

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/m", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	buf = aligned_alloc(4096, MIB);
	memset(buf, 'x', MIB);
	load_modules();
	sleep(1);
	for (int i = 0; i < 10 && access("/dev/vda", F_OK) && access("/dev/sda", F_OK); i++)
		sleep(1);	/* units are looked for behind our back */
	if (access("/dev/vda", F_OK))
		disk = "sda";
	attach();
	MARK_BEGIN();
	idle.run(1);
	compute();
	MARK_END();
	printf("idle 0\t%d\n", windows++);
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		for (int k = 0; k < RUNS && wanted(list, ops[i].name); k++)
			measure(&ops[i]);
	detach();
	printf("end\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
