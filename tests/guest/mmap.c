// SPDX-License-Identifier: MIT
/*
 * Making, changing and removing mappings. proves: mmap munmap mprotect mremap brk remap_file_pages
 * mseal
 */
#include "t.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PG ((unsigned long)PAGE)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static sigjmp_buf jb;
static volatile int got_sig, got_code;
static void *volatile got_addr;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	got_sig = sig;
	got_code = si->si_code;
	got_addr = si->si_addr;
	siglongjmp(jb, 1);
}

static void catch_faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	OK(sigaction(SIGSEGV, &sa, NULL));
	OK(sigaction(SIGBUS, &sa, NULL));
}

/* What touching P does: 0, or the signal; the code in got_code. */
static int touch(volatile char *p, int write)
{
	got_sig = 0;
	if (!sigsetjmp(jb, 1)) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	return got_sig;
}

static char *map(size_t pages, int prot)
{
	char *p = mmap(NULL, pages * PG, prot, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

TEST(anonymous_is_zero_and_private)
{
	char *p = map(100, RW);

	for (size_t i = 0; i < 100 * PG; i++)
		if (p[i])
			FAIL("byte %zu is %d", i, p[i]);
	memset(p, 7, 100 * PG);
	pid_t pid = fork();

	if (!pid) {
		for (size_t i = 0; i < 100 * PG; i += 1000)
			if (p[i] != 7)
				_exit(1);
		memset(p, 8, 100 * PG);
		_exit(p[55555] != 8);
	}
	CHECK(t_child_ok(pid));
	for (size_t i = 0; i < 100 * PG; i++)
		if (p[i] != 7)
			FAIL("the child's write is seen");
	OK(munmap(p, 100 * PG));
}

TEST(errors)
{
	char *p = map(2, RW);

	ERR((long)mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	ERR((long)mmap(NULL, PG, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	ERR((long)mmap(NULL, PG, RW, MAP_PRIVATE, -1, 0), EBADF);
	ERR((long)mmap(NULL, -PG, RW, ANON, -1, 0), ENOMEM);
	ERR((long)mmap(NULL, 1ul << 47, RW, ANON, -1, 0), ENOMEM);
	ERR((long)mmap(p + 1, PG, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	ERR((long)mmap(p, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	ERR((long)syscall(SYS_mmap, 0, PG, RW, ANON, -1, 1), EINVAL);
	ERR((long)mmap(NULL, 2 << 20, RW, ANON | MAP_HUGETLB, -1, 0), ENOMEM);
	ERR(munmap(p + 1, PG), EINVAL);
	ERR(munmap(p, 0), EINVAL);
	ERR(munmap((void *)(1ul << 48), PG), EINVAL);
	OK(munmap(p, PG));
	OK(munmap(p, PG));
	ERR(mprotect(p, 2 * PG, PROT_READ), ENOMEM);
	ERR(syscall(SYS_mprotect, p + PG + 1, PG, PROT_READ), EINVAL);
	OK(mprotect(p, 0, PROT_READ));
	ERR((long)mremap(p, PG, PG, 0x100), EINVAL);
	ERR((long)mremap(p, PG, 2 * PG, 0), EFAULT);
	ERR((long)mremap(p + PG, PG, 0, 0), EINVAL);
}

TEST(faults_have_codes)
{
	char *p = map(3, RW);

	catch_faults();
	OK(munmap(p + PG, PG));
	EQ(touch(p + PG + 5, 0), SIGSEGV);
	EQ(got_code, SEGV_MAPERR);
	CHECK(got_addr == p + PG + 5);
	OK(mprotect(p, PG, PROT_READ));
	EQ(touch(p, 0), 0);
	EQ(touch(p + 9, 1), SIGSEGV);
	EQ(got_code, SEGV_ACCERR);
	OK(mprotect(p, PG, PROT_NONE));
	EQ(touch(p, 0), SIGSEGV);
	EQ(got_code, SEGV_ACCERR);
	OK(mprotect(p, PG, RW));
	EQ(touch(p, 1), 0);
	EQ(touch((char *)8, 0), SIGSEGV);
	EQ(touch((char *)0xffff888000000000ul, 0), SIGSEGV);
	EQ(touch((char *)0xffffffff80000000ul, 1), SIGSEGV);
}

/* What calling the code at P does, in a process that has not touched it: 0, or the signal with
 * SEGV_ACCERR there. QEMU's LoongArch does not come back from the fault where the page was read or
 * written just before (arch/loongarch64/README.md). */
static int call(char *p)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		got_sig = 0;
		if (!sigsetjmp(jb, 1))
			((void (*)(void))p)();
		_exit(!got_sig || (got_code == SEGV_ACCERR && got_addr == p) ? got_sig : 99);
	}
	status = pid < 0 ? -1 : t_wait(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(no_execute)
{
	char *p = map(1, RW);

	catch_faults();
	memcpy(p, t_return, sizeof(t_return));
	__builtin___clear_cache(p, p + sizeof(t_return));
	EQ(call(p), SIGSEGV);
	OK(mprotect(p, PG, PROT_READ | PROT_EXEC));
	EQ(call(p), 0);
	((void (*)(void))p)();
}

TEST(protection_splits_and_keeps_data)
{
	char *p = map(9, RW);

	catch_faults();
	for (int i = 0; i < 9; i++)
		p[i * PG] = (char)i;
	for (int i = 1; i < 9; i += 2)
		OK(mprotect(p + i * PG, PG, PROT_READ));
	for (int i = 0; i < 9; i++)
		EQ(touch(p + i * PG + 1, 1), i & 1 ? SIGSEGV : 0);
	OK(mprotect(p, 9 * PG, RW));
	for (int i = 0; i < 9; i++) {
		EQ(p[i * PG], i);
		EQ(touch(p + i * PG + 1, 1), 0);
	}
}

TEST(file_private_and_shared)
{
	char name[] = "/tmp/mmapXXXXXX", b[4];
	int fd = OK(mkstemp(name)), ro;
	char *s, *q;

	OK(unlink(name) * 0);
	OK(ftruncate(fd, 3 * PG + 100));
	EQ(pwrite(fd, "abc", 3, PG), 3);
	s = mmap(NULL, 5 * PG, RW, MAP_SHARED, fd, 0);
	q = mmap(NULL, 5 * PG, RW, MAP_PRIVATE, fd, 0);
	CHECK(s != MAP_FAILED && q != MAP_FAILED);
	CHECK(!memcmp(s + PG, "abc", 3) && !memcmp(q + PG, "abc", 3));
	s[PG] = 'X';
	EQ(q[PG], 'X');
	q[PG + 1] = 'Y';
	EQ(s[PG + 1], 'b');
	EQ(pread(fd, b, 3, PG), 3);
	CHECK(!memcmp(b, "Xbc", 3));
	EQ(pwrite(fd, "Q", 1, PG + 2), 1);
	EQ(s[PG + 2], 'Q');
	EQ(q[PG + 2], 'c');
	catch_faults();
	EQ(touch(s + 3 * PG + 50, 1), 0);
	EQ(touch(s + 4 * PG, 0), SIGBUS);
	EQ(got_code, BUS_ADRERR);
	OK(ftruncate(fd, PG));
	EQ(touch(s + PG, 0), SIGBUS);
	EQ(touch(q + PG, 0), SIGBUS);
	OK(ftruncate(fd, 4 * PG));
	EQ(s[PG], 0);
	(void)ro;
}

TEST(file_rights)
{
	char name[] = "/tmp/mmapXXXXXX";
	int fd = OK(mkstemp(name)), ro = OK(open(name, O_RDONLY)), wo = OK(open(name, O_WRONLY));
	char *p;

	OK(ftruncate(fd, PG));
	ERR((long)mmap(NULL, PG, RW, MAP_SHARED, ro, 0), EACCES);
	ERR((long)mmap(NULL, PG, PROT_READ, MAP_SHARED, wo, 0), EACCES);
	ERR((long)mmap(NULL, PG, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
	p = mmap(NULL, PG, PROT_READ, MAP_SHARED, ro, 0);
	CHECK(p != MAP_FAILED);
	ERR(mprotect(p, PG, RW), EACCES);
	p = mmap(NULL, PG, RW, MAP_PRIVATE, ro, 0);
	CHECK(p != MAP_FAILED);
	*p = 1;
	ERR((long)mmap(NULL, PG, PROT_READ, 0, ro, 0), EINVAL);
	ERR((long)mmap(NULL, PG, PROT_READ, MAP_SHARED_VALIDATE | 0x800000, ro, 0), EOPNOTSUPP);
	int pfd[2];

	OK(pipe(pfd));
	ERR((long)mmap(NULL, PG, PROT_READ, MAP_PRIVATE, pfd[0], 0), ENODEV);
	OK(unlink(name));
}

TEST(shared_anonymous_across_fork)
{
	volatile int *p = mmap(NULL, 64 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK((void *)p != MAP_FAILED);
	EQ(p[5], 0);
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (!pid) {
			for (int k = 0; k < 1000; k++)
				__atomic_add_fetch(&p[k * 16], 1, __ATOMIC_SEQ_CST);
			_exit(0);
		}
		CHECK(t_child_ok(pid));
	}
	for (int k = 0; k < 1000; k++)
		EQ(p[k * 16], 4);
}

TEST(holes_are_used_again)
{
	char *p = map(40, RW), *q;

	OK(munmap(p + 10 * PG, 5 * PG));
	q = map(5, RW);
	CHECK(q == p + 10 * PG);
	OK(munmap(p + 20 * PG, 3 * PG));
	q = mmap(p + 20 * PG, 3 * PG, RW, ANON, -1, 0);
	CHECK(q == p + 20 * PG);
}

TEST(remap_grows_and_moves)
{
	char *p = map(17, RW), *q;

	for (int i = 0; i < 16; i++)
		p[i * PG] = (char)(i + 1);
	OK(mprotect(p + 16 * PG, PG, PROT_NONE));	/* a wall */
	ERR((long)mremap(p, 16 * PG, 32 * PG, 0), ENOMEM);
	q = mremap(p, 16 * PG, 600 * PG, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	for (int i = 0; i < 16; i++)
		EQ(q[i * PG], i + 1);
	for (int i = 16; i < 600; i++)
		EQ(q[i * PG], 0);
	catch_faults();
	EQ(touch(p, 0), SIGSEGV);
	/* fork after a move, and the reverse: data stay right */
	pid_t pid = fork();

	if (!pid) {
		q[0] = 99;
		_exit(q[15 * PG] != 16);
	}
	CHECK(t_child_ok(pid));
	EQ(q[0], 1);
	p = mremap(q, 600 * PG, 2 * PG, 0);
	CHECK(p == q);
	EQ(touch(q + 2 * PG, 0), SIGSEGV);
	p = map(8, RW);
	ERR((long)mremap(q, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, p + 1), EINVAL);
	ERR((long)mremap(q, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, q + PG), EINVAL);
	CHECK(mremap(q, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * PG) == p + 2 * PG);
	EQ(p[3 * PG], 2);
	p = map(8, RW);
	p[3 * PG] = 2;
	q = mremap(p, 8 * PG, 8 * PG, MREMAP_MAYMOVE | 4 /* DONTUNMAP */);
	CHECK(q != MAP_FAILED);
	EQ(q[3 * PG], 2);
	EQ(p[3 * PG], 0);
}

/* A move from P to D fails with ERR, and D is as it was. */
static void refused(char *p, size_t old, size_t new, char *d, int err)
{
	memset(d, 5, PG);
	ERR((long)mremap(p, old * PG, new * PG, MREMAP_MAYMOVE | MREMAP_FIXED, d), err);
	EQ(touch(d, 0), 0);
	EQ(d[0], 5);
}

TEST(refused_moves_leave_the_new_place)
{
	char *p = map(3, RW), *d = map(8, RW);
	struct rlimit most = { 0, 0 };
	pid_t pid;

	catch_faults();
	OK(mprotect(p + PG, PG, PROT_NONE));
	refused(p, 2, 4, d, EFAULT);			/* ends in another mapping */
	refused(p, 0, 2, d, EINVAL);			/* a second one of private memory */
	pid = OK(fork());
	if (!pid) {
		OK(setrlimit(RLIMIT_AS, &most));
		refused(p, 1, 2, d, ENOMEM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	pid = OK(fork());
	if (!pid) {
		OK(mlock(p, PG));
		OK(setrlimit(RLIMIT_MEMLOCK, &most));
		OK(setuid(1000));
		refused(p, 1, 2, d, EAGAIN);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	/* The new place is judged before the old one is looked for. */
	OK(munmap(p + PG, PG));
	ERR((long)mremap(p + PG, PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, d + 1), EINVAL);
	ERR((long)mremap(p + PG, PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, d), EFAULT);
	EQ(d[0], 5);
	if (!syscall(SYS_mseal, p, PG, 0)) {
		refused(p, 1, 2, d, EPERM);
		refused(p, 1, 1, d, EPERM);
	}
}

TEST(break_moves)
{
	char *b = sbrk(0);

	CHECK(sbrk(0) == b);
	EQ(syscall(SYS_brk, 0), b);
	EQ(syscall(SYS_brk, b + 10 * PG), b + 10 * PG);
	memset(b, 1, 10 * PG);
	EQ(syscall(SYS_brk, b), b);
	EQ(syscall(SYS_brk, b + 10 * PG), b + 10 * PG);
	EQ(b[5 * PG], 0);
	EQ(syscall(SYS_brk, -1ul), b + 10 * PG);

	struct rlimit rl = { 1 << 20, 1 << 20 };

	OK(setrlimit(RLIMIT_DATA, &rl));
	EQ(syscall(SYS_brk, b + (16 << 20)), b + 10 * PG);
	ERR((long)mmap(NULL, 16 << 20, RW, ANON, -1, 0), ENOMEM);
}

TEST(address_space_limit)
{
	struct rlimit rl = { 256 << 20, 256 << 20 };

	OK(setrlimit(RLIMIT_AS, &rl));
	ERR((long)mmap(NULL, 512 << 20, PROT_NONE, ANON, -1, 0), ENOMEM);
	CHECK(mmap(NULL, 16 << 20, PROT_NONE, ANON, -1, 0) != MAP_FAILED);
}

/*
 * Neither turned into a loop nor made smaller: each call's own memory is known elsewhere, and read
 * after the inner one.
 */
static __attribute__((noinline)) int deep(int n)
{
	char buf[4000];
	int inner;

	buf[0] = 0;
	__asm__ volatile("" ::"r"(buf) : "memory");
	inner = n ? deep(n - 1) + 1 : 0;
	__asm__ volatile("" ::"r"(buf) : "memory");
	return inner + buf[0];
}

TEST(stack_grows)
{
	EQ(deep(1500), 1500);	/* 6 MiB of the usual 8 */
}

TEST(stack_limit_kills)
{
	struct rlimit rl = { 1 << 20, 1 << 20 };
	pid_t pid;
	int st;

	OK(setrlimit(RLIMIT_STACK, &rl));
	pid = fork();
	if (!pid)
		_exit(deep(4000) == 0);
	st = t_wait(pid);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
}

TEST(sealed)
{
	char *p = map(4, RW);

	p[PG] = 3;
	OK(syscall(SYS_mseal, p, 2 * PG, 0));
	ERR(munmap(p, PG), EPERM);
	ERR(mprotect(p + PG, PG, PROT_READ), EPERM);
	ERR((long)mremap(p, PG, 3 * PG, MREMAP_MAYMOVE), EPERM);
	ERR((long)mmap(p, PG, RW, ANON | MAP_FIXED, -1, 0), EPERM);
	EQ(p[PG], 3);
	OK(munmap(p + 2 * PG, PG));
	ERR(syscall(SYS_mseal, p, PG, 1), EINVAL);
	ERR(syscall(SYS_mseal, p + 1, PG, 0), EINVAL);
	ERR(syscall(SYS_mseal, p, 4 * PG, 0), ENOMEM);
}

TEST(copy_on_write_storm)
{
	enum { N = 256 };
	char *p = map(N, RW);

	for (int i = 0; i < N; i++)
		p[i * PG] = 1;
	for (int round = 0; round < 20; round++) {
		pid_t kids[3];

		for (int k = 0; k < 3; k++) {
			kids[k] = fork();
			if (!kids[k]) {
				for (int i = k; i < N; i += 3)
					p[i * PG] += (char)(k + 1);
				for (int i = 0; i < N; i++)
					if (p[i * PG] != (i % 3 == k ? round + 2 + k : round + 1))
						_exit(1);
				_exit(0);
			}
		}
		for (int k = 0; k < 3; k++)
			CHECK(t_child_ok(kids[k]));
		for (int i = 0; i < N; i++)
			p[i * PG]++;
	}
}

/*
 * Use up the holes of up to four pages: from now on the highest room is right below what was mapped
 * last.
 */
static void fill_holes(void)
{
	char *last = map(4, PROT_NONE), *p;

	for (size_t pages = 4; pages; pages--)
		for (int run = 0; run < 4; last = p) {
			p = map(pages, PROT_NONE);
			run = p == last - pages * PG ? run + 1 : 0;
		}
}

TEST(room_is_the_highest_that_fits)
{
	char *p;

	fill_holes();
	p = map(24, PROT_NONE);
	OK(munmap(p + 10 * PG, PG));
	CHECK(map(2, PROT_READ) == p - 2 * PG);		/* the hole is too small */
	OK(munmap(p + 11 * PG, PG));
	CHECK(map(2, PROT_READ) == p + 10 * PG);	/* it grew upwards */
	OK(munmap(p + 11 * PG, PG));
	OK(munmap(p + 10 * PG, PG));
	CHECK(map(2, RW) == p + 10 * PG);		/* downwards */
	OK(munmap(p + 5 * PG, PG));
	OK(munmap(p + 15 * PG, 2 * PG));
	CHECK(mmap(p + 15 * PG, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + 15 * PG);
	CHECK(map(1, RW) == p + 16 * PG);  /* what was left above a mapping with an address */
	CHECK(map(1, RW) == p + 5 * PG);
}

TEST(room_below_a_stack_ends_at_its_guard_gap)
{
	char *p, *stack;

	fill_holes();
	p = map(600, PROT_NONE);
	stack = p + 599 * PG;
	OK(munmap(p, 600 * PG));
	CHECK(mmap(stack, PG, RW, ANON | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, -1, 0) == stack);
	CHECK(map(1, PROT_NONE) == stack - 257 * PG);
	CHECK(map(1, PROT_READ) == stack - 258 * PG);
	CHECK(mmap(stack - PG, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == stack - PG);
	CHECK(map(1, PROT_READ) == stack - 2 * PG);	/* which now is not right below a stack */
}

TEST(room_that_fork_left_out)
{
	char *p[8];
	pid_t child;

	fill_holes();
	for (int i = 0; i < 8; i++)
		p[i] = map(1, i & 1 ? PROT_READ : RW);
	OK(madvise(p[0], PG, MADV_DONTFORK));
	child = fork();
	if (!child)
		_exit(map(1, RW) != p[0]);
	CHECK(t_child_ok(child));
	CHECK(map(1, RW) == p[7] - PG);
}
