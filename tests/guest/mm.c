// SPDX-License-Identifier: MIT
/* Memory, each call by its effect. proves: mmap munmap mprotect mremap brk madvise msync mincore
 * mlock munlock mlock2 mlockall munlockall remap_file_pages mseal process_vm_readv
 * process_vm_writev */
#include "t.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

static sigjmp_buf jump;

static void on_fault(int sig)
{
	siglongjmp(jump, sig);
}

/* The signal that touching P raises; 0: none. */
static int touch(volatile char *p, int write)
{
	int sig;

	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	sig = sigsetjmp(jump, 1);
	if (sig)
		return sig;
	if (write)
		*p = *p + 1;
	else
		(void)*p;
	return 0;
}

static char *anon(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* The same with nothing beside it that it could be joined with. */
static char *alone(size_t len)
{
	char *p = mmap(NULL, len + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	OK(mprotect(p + PAGE, len, PROT_READ | PROT_WRITE));
	return p + PAGE;
}

/* A line of /proc/self/smaps for the area that begins at P, in KiB; -1: no such. */
static long smaps(const void *p, const char *key)
{
	char line[400];
	FILE *f = fopen("/proc/self/smaps", "r");
	int in = 0;
	long kb = -1;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long a, b;

		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			in = a == (unsigned long)p;
		else if (in && !strncmp(line, key, strlen(key)))
			kb = atol(line + strlen(key) + 1);
	}
	fclose(f);
	return kb;
}

TEST(anonymous_memory_is_zero)
{
	char *p = anon(1 << 20);

	for (int i = 0; i < 1 << 20; i += 512)
		EQ(p[i], 0);
	memset(p, 7, 1 << 20);
	OK(munmap(p, 1 << 20));
	EQ(touch(p, 0), SIGSEGV);
	p = anon(1 << 20);
	for (int i = 0; i < 1 << 20; i += 512)
		EQ(p[i], 0);
}

TEST(map_errors)
{
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EQ(errno, EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EQ(errno, EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED);
	EQ(errno, EBADF);
	CHECK(syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 7) == -1);
	EQ(errno, EINVAL);
	CHECK(mmap(NULL, -PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EQ(errno, ENOMEM);
	ERR(munmap((void *)1, PAGE), EINVAL);
	ERR(munmap(NULL, 0), EINVAL);
	OK(munmap((void *)0x10000, PAGE));	/* nothing there is no error */
	int fd = OK(open("/tmp/ro", O_CREAT | O_RDONLY, 0600));

	CHECK(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	EQ(errno, EACCES);
	fd = OK(open("/tmp", O_RDONLY));
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	EQ(errno, ENODEV);
	unlink("/tmp/ro");
}

TEST(fixed_places)
{
	char *p = anon(8 * PAGE);

	memset(p, 1, 8 * PAGE);
	CHECK(mmap(p + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 2 * PAGE);
	EQ(p[2 * PAGE], 0);
	EQ(p[PAGE], 1);
	EQ(p[3 * PAGE], 1);
	CHECK(mmap(p + 4 * PAGE, PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | 0x100000 /* FIXED_NOREPLACE */, -1,
		   0) == MAP_FAILED);
	EQ(errno, EEXIST);
	CHECK(mmap(p + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      MAP_FAILED);
	EQ(errno, EINVAL);
	OK(munmap(p + PAGE, PAGE));
	EQ(touch(p + PAGE, 0), SIGSEGV);
	EQ(touch(p, 1), 0);
}

TEST(protection)
{
	char *p = anon(4 * PAGE);

	memset(p, 5, 4 * PAGE);
	OK(mprotect(p + PAGE, PAGE, PROT_READ));
	EQ(touch(p + PAGE, 0), 0);
	EQ(touch(p + PAGE, 1), SIGSEGV);
	EQ(touch(p + 2 * PAGE, 1), 0);
	OK(mprotect(p + PAGE, PAGE, PROT_NONE));
	EQ(touch(p + PAGE, 0), SIGSEGV);
	OK(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE));
	EQ(p[PAGE], 5);
	EQ(touch(p + PAGE, 1), 0);
	ERR(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL);
	OK(munmap(p + PAGE, PAGE));
	ERR(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
	/* The kernel itself is held to it. */
	OK(mprotect(p, PAGE, PROT_READ));
	int fd = OK(open("/dev/zero", O_RDONLY));

	ERR(read(fd, p, 8), EFAULT);
}

TEST(no_execute)
{
	char *p = anon(PAGE);
	pid_t pid;

	memcpy(p, t_return, sizeof(t_return));
	__builtin___clear_cache(p, p + sizeof(t_return));
	pid = OK(fork());
	if (pid == 0) {
		((void (*)(void))p)();
		_exit(0);
	}
	EQ(WTERMSIG(t_wait(pid)), SIGSEGV);
	OK(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	pid = OK(fork());
	if (pid == 0) {
		((void (*)(void))p)();
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(copy_on_write)
{
	char *p = anon(64 * PAGE),
	     *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	for (int i = 0; i < 64; i++)
		p[i * PAGE] = i;
	pid = OK(fork());
	if (pid == 0) {
		for (int i = 0; i < 64; i++)
			EQ(p[i * PAGE], i);
		for (int i = 0; i < 64; i += 2)
			p[i * PAGE] = 100;
		*s = 42;
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	for (int i = 0; i < 64; i++)
		EQ(p[i * PAGE], i);
	EQ(*s, 42);
	/* Grandchildren, and the parent writing first. */
	for (int round = 0; round < 5; round++) {
		pid = OK(fork());
		if (pid == 0) {
			if (OK(fork()) == 0) {
				EQ(p[PAGE], 1);
				p[PAGE] = 77;
				_exit(p[2 * PAGE] == 2 ? 0 : 1);
			}
			CHECK(t_child_ok(-1));
			EQ(p[PAGE], 1);
			_exit(0);
		}
		p[3 * PAGE] = 3;
		CHECK(t_child_ok(pid));
	}
}

TEST(file_mappings)
{
	int fd = OK(open("/tmp/map", O_CREAT | O_TRUNC | O_RDWR, 0600));
	char b[16], *s, *v;

	OK(ftruncate(fd, 3 * PAGE + 100));
	EQ(pwrite(fd, "first", 6, 0), 6);
	s = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	v = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(s != MAP_FAILED && v != MAP_FAILED);
	CHECK(!strcmp(s, "first") && !strcmp(v, "first"));
	strcpy(s, "shared");
	EQ(pread(fd, b, 7, 0), 7);
	CHECK(!strcmp(b, "shared"));
	CHECK(!strcmp(v, "shared"));
	strcpy(v, "private");
	CHECK(!strcmp(s, "shared"));
	EQ(pwrite(fd, "written", 8, 0), 8);
	CHECK(!strcmp(s, "written") && !strcmp(v, "private"));
	EQ(s[3 * PAGE + 200], 0);		/* behind the end, in the last page: zeroes */
	OK(ftruncate(fd, PAGE));
	EQ(touch(s, 0), 0);
	EQ(touch(s + PAGE, 0), SIGBUS);
	EQ(touch(v + 2 * PAGE, 0), SIGBUS);
	OK(ftruncate(fd, 3 * PAGE));
	EQ(touch(s + PAGE, 1), 0);
	close(fd);
	EQ(touch(s + 2 * PAGE, 1), 0);
	OK(msync(s, 3 * PAGE, MS_SYNC));
	ERR(msync(s + 1, PAGE, MS_SYNC), EINVAL);
	ERR(msync(s, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	OK(munmap(s + 3 * PAGE, PAGE));
	ERR(msync(s, 4 * PAGE, MS_SYNC), ENOMEM);
	s = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, OK(open("/tmp/map", O_RDONLY)), PAGE);
	EQ(*s, 1);
	ERR(mprotect(s, PAGE, PROT_READ | PROT_WRITE), EACCES);
	unlink("/tmp/map");
}

TEST(remap)
{
	char *p = anon(4 * PAGE), *q;

	for (int i = 0; i < 4; i++)
		p[i * PAGE] = i + 1;
	q = mremap(p, 4 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	for (int i = 0; i < 4; i++)
		EQ(q[i * PAGE], i + 1);
	for (int i = 4; i < 16; i++)
		EQ(q[i * PAGE], 0);
	CHECK(mremap(q, 16 * PAGE, 2 * PAGE, 0) == q);
	EQ(touch(q + 2 * PAGE, 0), SIGSEGV);
	p = anon(8 * PAGE);
	CHECK(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 3 * PAGE) ==
	      p + 3 * PAGE);
	EQ(p[3 * PAGE], 1);
	EQ(p[4 * PAGE], 2);
	EQ(touch(q, 0), SIGSEGV);
	/* Something behind it, and it may not move. */
	CHECK(mremap(p, PAGE, 2 * PAGE, 0) == MAP_FAILED);
	EQ(errno, ENOMEM);
	CHECK(mremap(p + 1, PAGE, PAGE, 0) == MAP_FAILED);
	EQ(errno, EINVAL);
	CHECK(mremap((void *)0x10000, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	EQ(errno, EFAULT);
	/* DONTUNMAP leaves an empty area behind. */
	q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | 4);
	CHECK(q != MAP_FAILED && q != p);
	EQ(*p, 0);
}

TEST(heap)
{
	char *old = (char *)syscall(SYS_brk, 0);
	char *now = (char *)syscall(SYS_brk, old + 10 * PAGE);

	EQ((long)now, (long)(old + 10 * PAGE));
	memset(old, 3, 10 * PAGE);
	EQ(syscall(SYS_brk, old), (long)old);
	char *above = (char *)(((unsigned long)old + PAGE - 1) & -PAGE);

	EQ(touch(above, 0), SIGSEGV);
	syscall(SYS_brk, old + 10 * PAGE);
	EQ(*above, 0);
	EQ(syscall(SYS_brk, 8), (long)(old + 10 * PAGE));	/* refused: where it was */
}

TEST(advice)
{
	char *p = alone(64 * PAGE), *f;
	unsigned char in[64];
	int fd;

	memset(p, 9, 64 * PAGE);
	CHECK(smaps(p, "Rss:") >= 64 * PAGE / 1024);
	OK(madvise(p, 32 * PAGE, MADV_DONTNEED));
	EQ(p[0], 0);
	EQ(p[32 * PAGE], 9);
	OK(madvise(p, 64 * PAGE, MADV_DONTNEED));
	EQ(smaps(p, "Rss:"), 0);
	OK(mincore(p, 64 * PAGE, in));
	EQ(in[0] & 1, 0);
	p[5 * PAGE] = 1;
	OK(mincore(p, 64 * PAGE, in));
	EQ(in[5] & 1, 1);
	EQ(in[6] & 1, 0);
	ERR(mincore(p + 1, PAGE, in), EINVAL);
	OK(madvise(p, 8 * PAGE, 23 /* POPULATE_WRITE */));
	OK(mincore(p, 64 * PAGE, in));
	EQ(in[7] & 1, 1);
	ERR(madvise(p, PAGE, 999), EINVAL);
	ERR(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	OK(madvise(p, 64 * PAGE, MADV_DONTFORK));
	pid_t pid = OK(fork());

	if (pid == 0)
		_exit(touch(p, 0) == SIGSEGV ? 0 : 1);
	CHECK(t_child_ok(pid));
	OK(madvise(p, 64 * PAGE, MADV_DOFORK));
	memset(p, 1, 64 * PAGE);
	OK(madvise(p, 64 * PAGE, 18 /* WIPEONFORK */));
	pid = OK(fork());
	if (pid == 0)
		_exit(*p ? 1 : 0);
	CHECK(t_child_ok(pid));
	/* REMOVE makes a hole in the file. */
	fd = OK(open("/tmp/rm", O_CREAT | O_TRUNC | O_RDWR, 0600));
	OK(ftruncate(fd, 4 * PAGE));
	f = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(f, 8, 4 * PAGE);
	OK(madvise(f + PAGE, PAGE, MADV_REMOVE));
	EQ(f[PAGE], 0);
	EQ(f[2 * PAGE], 8);
	OK(madvise(f, 4 * PAGE, MADV_DONTNEED));
	EQ(f[0], 8);				/* a shared file's data stay */
	unlink("/tmp/rm");
}

TEST(locking)
{
	char *p = alone(32 * PAGE);
	struct rlimit rl = { 16 * PAGE, 16 * PAGE };
	unsigned char in[32];

	OK(mlock(p, 32 * PAGE));
	OK(mincore(p, 32 * PAGE, in));
	for (int i = 0; i < 32; i++)
		EQ(in[i] & 1, 1);
	EQ(smaps(p, "Locked:"), 32 * PAGE / 1024);
	ERR(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	OK(munlock(p, 32 * PAGE));
	EQ(smaps(p, "Locked:"), 0);
	char *q = anon(4 * PAGE);

	OK((int)syscall(SYS_mlock2, q, 4 * PAGE, 1 /* ONFAULT */));
	OK(mincore(q, 4 * PAGE, in));
	EQ(in[0] & 1, 0);
	OK(munlock(q, 4 * PAGE));
	OK(mlockall(MCL_FUTURE));
	q = anon(4 * PAGE);
	OK(mincore(q, 4 * PAGE, in));
	EQ(in[3] & 1, 1);
	OK(munlockall());
	ERR(mlock((void *)0x10000, PAGE), ENOMEM);
	ERR(mlockall(0x100), EINVAL);
	OK(setrlimit(RLIMIT_MEMLOCK, &rl));
	OK(setuid(1000));
	OK(mlock(p, 16 * PAGE));
	ERR(mlock(p, 17 * PAGE), ENOMEM);
	OK(munlock(p, 16 * PAGE));
	rl.rlim_cur = rl.rlim_max = 0;
	OK(setrlimit(RLIMIT_MEMLOCK, &rl));
	ERR(mlock(p, PAGE), EPERM);
}

/*
 * Neither turned into a loop nor made smaller: each call's own memory is known elsewhere, and read
 * after the inner one.
 */
static __attribute__((noinline)) long depth(long n)
{
	char big[2048];
	long inner;

	big[0] = 0;
	__asm__ volatile("" ::"r"(big) : "memory");
	inner = n ? depth(n - 1) + 1 : 0;
	__asm__ volatile("" ::"r"(big) : "memory");
	return inner + big[0];
}

TEST(stack_grows_to_its_limit)
{
	struct rlimit rl = { 1 << 20, RLIM_INFINITY };
	pid_t pid;

	EQ(depth(2000), 2000);			/* 4 MiB of the usual 8 */
	OK(setrlimit(RLIMIT_STACK, &rl));
	pid = OK(fork());
	if (pid == 0) {
		depth(20000);
		_exit(0);
	}
	EQ(WTERMSIG(t_wait(pid)), SIGSEGV);
}

TEST(grows_down)
{
	/* Touching far below the stack is no growth but a fault. */
	char here;

	EQ(touch(&here - (64 << 20), 0), SIGSEGV);
}

TEST(other_process_memory)
{
	static char mine[100] = "parent";
	struct iovec l = { mine, 8 }, r = { mine, 8 };
	char got[8] = "";
	pid_t pid = OK(fork());

	if (pid == 0) {
		strcpy(mine, "child");
		pause();
		_exit(0);
	}
	t_sleep_ms(100);
	l.iov_base = got;
	EQ(process_vm_readv(pid, &l, 1, &r, 1, 0), 8);
	CHECK(!strcmp(got, "child"));
	strcpy(got, "changed");
	EQ(process_vm_writev(pid, &l, 1, &r, 1, 0), 8);
	memset(got, 0, 8);
	EQ(process_vm_readv(pid, &l, 1, &r, 1, 0), 8);
	CHECK(!strcmp(got, "changed"));
	r.iov_base = (void *)8;
	ERR(process_vm_readv(pid, &l, 1, &r, 1, 0), EFAULT);
	ERR(process_vm_readv(999999, &l, 1, &r, 1, 0), ESRCH);
	kill(pid, SIGKILL);
	t_wait(pid);
}

TEST(many_areas)
{
	enum { N = 2000 };
	static char *p;

	p = anon(2 * N * PAGE);
	for (int i = 0; i < N; i++)
		OK(mprotect(p + 2 * i * PAGE, PAGE, i & 1 ? PROT_NONE : PROT_READ));
	for (int i = 0; i < N; i++) {
		EQ(touch(p + 2 * i * PAGE, 0), i & 1 ? SIGSEGV : 0);
		EQ(touch(p + (2 * i + 1) * PAGE, 1), 0);
	}
	OK(munmap(p, 2 * N * PAGE));
}

/* What such a process leaves is counted after the test: page tables, nodes of its tree of areas. */
TEST(nothing_left_mapped)
{
	int status;

	for (int i = 0; i < 20; i++) {
		pid_t pid = OK(fork());

		if (!pid) {
			munmap(NULL, 0x7ffffffff000);	/* does not come back */
			_exit(1);
		}
		EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}

TEST(sealed)
{
	char *p = anon(2 * PAGE);

	if (syscall(SYS_mseal, p, PAGE, 0) && errno == ENOSYS)
		SKIP("no mseal");
	ERR(munmap(p, PAGE), EPERM);
	ERR(mprotect(p, PAGE, PROT_NONE), EPERM);
	OK(munmap(p + PAGE, PAGE));
}

TEST(maps_file_is_true)
{
	char line[300], want[60];
	char *p = anon(3 * PAGE);
	FILE *f = fopen("/proc/self/maps", "r");
	int found = 0;

	OK(mprotect(p + PAGE, PAGE, PROT_READ));
	snprintf(want, sizeof(want), "%lx-%lx r--p ", (long)p + PAGE, (long)p + 2 * PAGE);
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		found += strstr(line, want) != NULL;
	fclose(f);
	EQ(found, 1);
}

/* Several mappings to one place: anonymous, locked, of a file, with a hole before the last. */
TEST(moves_of_several)
{
	char *p = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     *q;
	int fd = OK(open("/proc/self/exe", O_RDONLY));
	unsigned char core[6];

	CHECK(p != MAP_FAILED);
	q = mmap(NULL, 6 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(q != MAP_FAILED);
	p[0] = 1;
	p[PAGE] = 2;
	p[5 * PAGE] = 3;
	OK(mprotect(p + PAGE, PAGE, PROT_READ));
	OK(mlock(p + 2 * PAGE, PAGE));
	CHECK(mmap(p + 3 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == p + 3 * PAGE);
	OK(munmap(p + 4 * PAGE, PAGE));
	CHECK(mremap(p, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE) ==
		      MAP_FAILED &&
	      errno == EINVAL);
	CHECK(mremap(p, 6 * PAGE, 7 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	CHECK(mremap(p + 4 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) ==
		      MAP_FAILED &&
	      errno == EFAULT);
	CHECK(mremap(p, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
	CHECK(q[0] == 1 && q[PAGE] == 2 &&
	      !memcmp(q + 3 * PAGE,
		      "\x7f"
		      "ELF",
		      4) &&
	      q[5 * PAGE] == 3);
	q[2 * PAGE] = 4;
	/* The place of the hole is as it was. */
	OK(mincore(q, 6 * PAGE, core));
	ERR(mincore(p, PAGE, core), ENOMEM);
	ERR(mincore(p + 5 * PAGE, PAGE, core), ENOMEM);
	ERR(madvise(q + 2 * PAGE, PAGE, MADV_DONTNEED), EINVAL);	/* locked */
	OK(madvise(q + 4 * PAGE, PAGE, MADV_DONTNEED));
}
