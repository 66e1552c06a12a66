// SPDX-License-Identifier: MIT
/*
 * One call whose length its caller sets: another task of the same CPU runs meanwhile, and SIGKILL
 * ends it before it is through. proves: mincore move_pages getrandom read readv write
 * process_vm_readv sendfile
 */
#include "t.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define CHUNK	(2ul << 20)
#define CHUNKS	512
#define ALL	(CHUNK * CHUNKS)	/* of address space: the same chunk again and again */
#define VECTORS	1023
#define PAGES	(1ul << 24)		/* of move_pages */

static unsigned char *chunk, *many, *zeros, *last;	/* shared, but for the zeros */

static void on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	OK(sched_setaffinity(0, sizeof(one), &one));
}

static unsigned char *again_and_again(int fd, int prot)
{
	unsigned char *at =
		mmap(NULL, ALL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(at != MAP_FAILED);
	for (size_t i = 0; i < CHUNKS; i++)
		CHECK(mmap(at + i * CHUNK, CHUNK, prot, MAP_SHARED | MAP_FIXED, fd, 0) !=
		      MAP_FAILED);
	return at;
}

/* What a call writes to: MANY is CHUNK over and over, LAST is what is written in the end. */
static void set_up(void)
{
	int fd = OK(memfd_create("chunk", 0)), empty = OK(memfd_create("zeros", 0));

	OK(ftruncate(fd, (off_t)CHUNK));
	OK(ftruncate(empty, (off_t)CHUNK));
	chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	last = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(chunk != MAP_FAILED && last != MAP_FAILED);
	memset(chunk, 0xff, CHUNK);
	memset(last, 0xff, 4096);
	many = again_and_again(fd, PROT_READ | PROT_WRITE);
	zeros = again_and_again(empty, PROT_READ);
}

static void vectors(struct iovec *v)
{
	for (int i = 0; i < VECTORS; i++)
		v[i] = (struct iovec){ chunk, CHUNK };
	v[VECTORS] = (struct iovec){ last, 4096 };
}

/* The page behind MANY is LAST's. */
static size_t end_with_last(size_t n)
{
	CHECK(mremap(last, 0, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, many + n) != MAP_FAILED);
	return n + 4096;
}

static void long_mincore(void)
{
	size_t n = ALL * 4096;
	void *at = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(at != MAP_FAILED);
	mincore(at, n, many);
}

static void long_move_pages(void)
{
	syscall(SYS_move_pages, 0, PAGES, zeros, NULL, many, 0);
}

static void long_getrandom(void)
{
	getrandom(many, end_with_last(ALL - CHUNK), 0);
}

static void long_readv(void)
{
	struct iovec v[VECTORS + 1];
	int fd = OK(open("/dev/zero", O_RDONLY));

	vectors(v);
	readv(fd, v, VECTORS + 1);
}

static void long_process_vm_readv(void)
{
	struct iovec v[VECTORS + 1], from = { zeros, CHUNK }, f[VECTORS + 1];

	vectors(v);
	for (int i = 0; i < VECTORS + 1; i++)
		f[i] = from;
	/* All pages are there: no fault asks whether it was killed. */
	for (size_t i = 0; i < CHUNK; i += 4096)
		((volatile unsigned char *)chunk)[i] = 0xff + ((volatile unsigned char *)zeros)[i];
	process_vm_readv(getpid(), v, VECTORS + 1, f, VECTORS + 1, 0);
}

static void long_pagemap(void)
{
	int fd = OK(open("/proc/self/pagemap", O_RDONLY));
	size_t n = end_with_last(ALL - CHUNK);

	OK(lseek(fd, 1l << 20, SEEK_SET));
	while (n) {
		ssize_t got = OK(read(fd, many + ALL - CHUNK + 4096 - n, n));

		n -= (size_t)got;
	}
}

static void long_hole(void)
{
	int fd = OK(memfd_create("hole", 0));

	OK(ftruncate(fd, 1l << 40));
	read(fd, many, end_with_last(ALL - CHUNK));
}

/* A line of the terminal that is too long: all of it goes nowhere. */
static void long_terminal_input(void)
{
	int master = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));

	chunk[0] = 0;
	while (write(master, zeros, ALL) >= 0)
		;
}

/* of a file that a call lengthens, a byte a round, by what it wrote the round before */
static int one_byte;

static void long_sendfile(void)
{
	char path[40];
	int to;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", one_byte);
	to = OK(open(path, O_RDWR));
	EQ(lseek(to, 1, SEEK_SET), 1);
	sendfile(to, one_byte, &(off_t){ 0 }, 0x7ffff000);
}

static bool wrote_chunk(void)
{
	return *(volatile unsigned char *)chunk != 0xff;
}

static bool wrote_bytes(void)
{
	struct stat st;

	OK(fstat(one_byte, &st));
	return st.st_size > 1000;
}

/*
 * Returns when the call has begun to write, which it cannot while this task keeps the CPU, and has
 * been killed.
 */
static void killed_while(void (*call)(void), bool (*begun)(void))
{
	int status;
	pid_t pid;

	on_one_cpu();
	pid = OK(fork());
	if (!pid) {
		call();
		_exit(1);
	}
	while (!begun())
		sched_yield();
	OK(kill(pid, SIGKILL));
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void writes(void (*call)(void))
{
	set_up();
	killed_while(call, wrote_chunk);
}

static void ends_early(void (*call)(void))
{
	writes(call);
	for (int i = 0; i < 4096; i++)
		EQ(last[i], 0xff);
}

/* Linux goes through with these: half a minute where its processor is emulated. */
static bool on_linux(void)
{
	return access("/proc/sys/vm/user_lasting_kbytes", F_OK);
}

static void not_on_linux(void (*call)(void))
{
	if (on_linux())
		SKIP("Linux does not end it");
	writes(call);
}

TEST(killed_mincore)
{
	not_on_linux(long_mincore);
}
TEST(killed_move_pages)
{
	not_on_linux(long_move_pages);
}
TEST(killed_getrandom)
{
	ends_early(long_getrandom);
}
TEST(killed_readv)
{
	ends_early(long_readv);
}
TEST(killed_process_vm_readv)
{
	ends_early(long_process_vm_readv);
}
TEST(killed_terminal_input)
{
	writes(long_terminal_input);
}

TEST(killed_pagemap_and_hole)
{
	if (on_linux())
		SKIP("Linux does not end them");
	ends_early(long_pagemap);
	ends_early(long_hole);
}

TEST(killed_sendfile_of_single_bytes)
{
	one_byte = OK(memfd_create("single", 0));
	EQ(write(one_byte, "x", 1), 1);
	killed_while(long_sendfile, wrote_bytes);
}
