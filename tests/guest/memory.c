// SPDX-License-Identifier: MIT
/* Advice, locking, residency, writing back, limits. proves: madvise mlock mlock2 munlock mlockall
 * munlockall mincore msync get_mempolicy set_mempolicy mbind pkey_alloc pkey_free pkey_mprotect */
#include "t.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PG ((unsigned long)PAGE)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static sigjmp_buf jb;

static void on_fault(int sig)
{
	siglongjmp(jb, sig);
}

static int touch(volatile char *p)
{
	int sig = sigsetjmp(jb, 1);

	if (!sig)
		*p = 1;
	return sig;
}

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * PG, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* The value of a field of /proc/self/status or another file, -1: not there. */
static long field(const char *file, const char *name)
{
	char line[200];
	FILE *f = fopen(file, "r");
	long v = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			v = atol(line + strlen(name) + 1);
	fclose(f);
	return v;
}

TEST(dontneed_zeroes)
{
	char *p = map(8);

	memset(p, 3, 8 * PG);
	OK(madvise(p + PG, 2 * PG, MADV_DONTNEED));
	EQ(p[PG], 0);
	EQ(p[3 * PG - 1], 0);
	EQ(p[0], 3);
	EQ(p[3 * PG], 3);
	ERR(madvise(p + 1, PG, MADV_DONTNEED), EINVAL);
	ERR(madvise(p, PG, 9999), EINVAL);
	OK(madvise(p, 0, MADV_DONTNEED));
	OK(munmap(p + 4 * PG, PG));
	ERR(madvise(p, 8 * PG, MADV_DONTNEED), ENOMEM);
	EQ(p[7 * PG], 0);	/* what is mapped was done all the same */
}

TEST(fork_advice)
{
	char *p = map(3);
	unsigned char vec;

	memset(p, 9, 3 * PG);
	OK(madvise(p, PG, MADV_WIPEONFORK));
	OK(madvise(p + PG, PG, MADV_DONTFORK));
	pid_t pid = fork();

	if (!pid)
		_exit(p[0] != 0 || p[2 * PG] != 9 || mincore(p + PG, PG, &vec) != -1);
	CHECK(t_child_ok(pid));
	EQ(p[0], 9);
	OK(madvise(p, PG, MADV_KEEPONFORK));
	OK(madvise(p + PG, PG, MADV_DOFORK));
	pid = fork();
	if (!pid)
		_exit(p[0] != 9 || p[PG] != 9);
	CHECK(t_child_ok(pid));
	p = mmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ERR(madvise(p, PG, MADV_WIPEONFORK), EINVAL);
	ERR(madvise(p, PG, MADV_FREE), EINVAL);
}

TEST(free_keeps_until_needed)
{
	char *p = map(64);

	memset(p, 5, 64 * PG);
	OK(madvise(p, 64 * PG, MADV_FREE));
	for (int i = 0; i < 64; i++) {
		p[i * PG] = 6;
		CHECK(p[i * PG] == 6 && (p[i * PG + 1] == 5 || p[i * PG + 1] == 0));
	}
}

TEST(populate_and_residency)
{
	char *p = map(16);
	unsigned char vec[16];

	OK(mincore(p, 16 * PG, vec));
	for (int i = 0; i < 16; i++)
		EQ(vec[i] & 1, 0);
	p[5 * PG] = 1;
	OK(madvise(p + 8 * PG, 4 * PG, MADV_POPULATE_WRITE));
	OK(mincore(p, 16 * PG, vec));
	for (int i = 0; i < 16; i++)
		EQ(vec[i] & 1, i == 5 || (i >= 8 && i < 12));
	char *q = mmap(NULL, 16 * PG, RW, ANON | MAP_POPULATE, -1, 0);

	OK(mincore(q, 16 * PG, vec));
	for (int i = 0; i < 16; i++)
		EQ(vec[i] & 1, 1);
	OK(munmap(q + PG, PG));
	ERR(mincore(q, 16 * PG, vec), ENOMEM);
	ERR(mincore(q + 1, PG, vec), EINVAL);
	ERR(mincore(q, PG, (void *)8), EFAULT);
	q = mmap(NULL, PG, PROT_READ, ANON, -1, 0);
	ERR(madvise(q, PG, MADV_POPULATE_WRITE), EINVAL);
}

/* Does smaps say FLAG of the mapping of P? */
static int has_flag(const char *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	int in = 0, has = -1;
	char line[500];

	CHECK(f);
	while (has < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			in = from <= (unsigned long)p && (unsigned long)p < to;
		if (in && !strncmp(line, "VmFlags:", 8))
			has = !!strstr(line, flag);
	}
	fclose(f);
	return has;
}

TEST(guards)
{
	char *p = map(4);
	int status;
	pid_t pid;

	signal(SIGSEGV, on_fault);
	memset(p, 1, 4 * PG);
	if (madvise(p + PG, PG, MADV_GUARD_INSTALL))
		SKIP("no guard regions");
	EQ(touch(p + PG), SIGSEGV);
	EQ(touch(p), 0);
	OK(madvise(p, 4 * PG, MADV_DONTNEED));
	EQ(touch(p + PG), SIGSEGV);
	EQ(has_flag(p, " gu"), 1);
	EQ(has_flag(p + 2 * PG, " gu"), 1);
	pid = OK(fork());
	if (!pid)
		_exit(has_flag(p, " gu") ? 0 : 1);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	OK(madvise(p, 4 * PG, MADV_GUARD_REMOVE));
	EQ(touch(p + PG), 0);
	EQ(has_flag(p, " gu"), 1);	/* it had some */
	EQ(has_flag((char *)&status, " gu"), 0);
}

/* Guards belong to the mapping: changes of the file leave them. */
TEST(guards_outlive_a_files_pages)
{
	int fd = OK(syscall(SYS_memfd_create, "g", 0));
	char *p;

	OK(ftruncate(fd, 4 * PG));
	p = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	signal(SIGSEGV, on_fault);
	memset(p, 1, 4 * PG);
	if (madvise(p + PG, 2 * PG, MADV_GUARD_INSTALL))
		SKIP("no guard regions in files");
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * PG));
	EQ(touch(p + PG), SIGSEGV);
	EQ(*p, 0);
	OK(ftruncate(fd, 0));
	OK(ftruncate(fd, 4 * PG));
	EQ(touch(p + PG), SIGSEGV);
	EQ(touch(p + 2 * PG), SIGSEGV);
	EQ(p[3 * PG], 0);
	OK(madvise(p, 4 * PG, MADV_GUARD_REMOVE));
	EQ(touch(p + PG), 0);
}

TEST(sealed_memory_keeps_its_data)
{
	static const int discards[] = { MADV_DONTNEED, MADV_FREE, MADV_DONTFORK, MADV_WIPEONFORK, 24 /* DONTNEED_LOCKED */,
					MADV_GUARD_INSTALL };
	char *p = map(2), *w = map(2);
	int guards = !madvise(p, PG, MADV_GUARD_INSTALL);

	if (guards)
		OK(madvise(p, PG, MADV_GUARD_REMOVE));
	memset(p, 7, 2 * PG);
	OK(mprotect(p, 2 * PG, PROT_READ));
	if (syscall(SYS_mseal, p, 2 * PG, 0) && errno == ENOSYS)
		SKIP("no mseal");
	for (unsigned i = 0; i < 5U + !!guards; i++)
		ERR(madvise(p, 2 * PG, discards[i]), EPERM);
	OK(madvise(p, 2 * PG, MADV_WILLNEED));
	EQ(p[0], 7);
	EQ(p[2 * PG - 1], 7);
	/* A writable mapping: the program could discard by writing. */
	OK(syscall(SYS_mseal, w, 2 * PG, 0));
	*w = 7;
	OK(madvise(w, 2 * PG, MADV_DONTNEED));
	EQ(*w, 0);
	if (guards)
		OK(madvise(w, PG, MADV_GUARD_INSTALL));
}

TEST(locking_counts)
{
	char *p = map(64);
	long before = field("/proc/self/status", "VmLck");
	unsigned char vec[64];

	if (before < 0)
		SKIP("no /proc");
	OK(mlock(p, 10 * PG + 1));
	EQ(field("/proc/self/status", "VmLck"), before + 11 * PAGE / 1024);
	OK(mincore(p, 64 * PG, vec));
	for (int i = 0; i < 11; i++)
		EQ(vec[i] & 1, 1);
	EQ(vec[20] & 1, 0);
	ERR(madvise(p, PG, MADV_DONTNEED), EINVAL);
	OK(munlock(p, 11 * PG));
	EQ(field("/proc/self/status", "VmLck"), before);
	OK(syscall(SYS_mlock2, p + 20 * PG, 4 * PG, 1 /* MLOCK_ONFAULT */));
	OK(mincore(p, 64 * PG, vec));
	EQ(vec[20] & 1, 0);
	OK(mlockall(MCL_CURRENT));
	OK(munlockall());
	EQ(field("/proc/self/status", "VmLck"), 0);
	ERR(mlockall(0), EINVAL);
	ERR(syscall(SYS_mlock2, p, PG, 8), EINVAL);
	OK(munmap(p + 30 * PG, PG));
	ERR(mlock(p + 28 * PG, 4 * PG), ENOMEM);
}

TEST(locking_limit)
{
	struct rlimit rl = { 8 * PG, 8 * PG };
	char *p = map(64);

	OK(setrlimit(RLIMIT_MEMLOCK, &rl));
	if (!getuid())
		OK(setuid(12345));
	OK(mlock(p, 8 * PG));
	ERR(mlock(p + 8 * PG, PG), ENOMEM);
	OK(mlock(p, 8 * PG));
	ERR((long)mmap(NULL, PG, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
	OK(munlock(p, 8 * PG));
	OK(mlock(p + 8 * PG, PG));
}

TEST(sync_file)
{
	char name[] = "/tmp/msyncXXXXXX";
	int fd = OK(mkstemp(name));
	char *p;

	OK(unlink(name));
	OK(ftruncate(fd, 4 * PG));
	p = mmap(NULL, 4 * PG, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[PG] = 'm';
	OK(msync(p, 4 * PG, MS_SYNC));
	OK(msync(p, 4 * PG, MS_ASYNC));
	OK(msync(p, 4 * PG, MS_INVALIDATE));
	ERR(msync(p, PG, MS_SYNC | MS_ASYNC), EINVAL);
	ERR(msync(p + 1, PG, MS_SYNC), EINVAL);
	ERR(msync(p, PG, 64), EINVAL);
	OK(munmap(p + 2 * PG, PG));
	ERR(msync(p, 4 * PG, MS_SYNC), ENOMEM);
}

TEST(remove_punches)
{
	char *p = mmap(NULL, 8 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(p, 4, 8 * PG);
	OK(madvise(p + 2 * PG, 2 * PG, MADV_REMOVE));
	EQ(p[2 * PG], 0);
	EQ(p[4 * PG], 4);
	ERR(madvise(map(1), PG, MADV_REMOVE), EINVAL);
}

TEST(resident_size_is_true)
{
	long before = field("/proc/self/status", "RssAnon"), after;
	char *p = map(1000);

	if (before < 0)
		SKIP("no /proc");
	for (int i = 0; i < 1000; i++)
		p[i * PG] = 1;
	after = field("/proc/self/status", "RssAnon");
	CHECK(after - before >= 975 * PAGE / 1024 && after - before < 1050 * PAGE / 1024);
	OK(munmap(p, 1000 * PG));
	after = field("/proc/self/status", "RssAnon");
	CHECK(after - before < 50 * PAGE / 1024);
}

TEST(one_node)
{
	int mode = -1;
	unsigned long mask = 0, two = 2, one = 1;
	char *p = map(1);

	OK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
	EQ(mode, 0);
	OK(syscall(SYS_get_mempolicy, NULL, &mask, 64, NULL, 4 /* MEMS_ALLOWED */));
	EQ(mask, 1);
	OK(syscall(SYS_mbind, p, PG, 2 /* BIND */, &one, 64, 0));
	ERR(syscall(SYS_mbind, p, PG, 2, &two, 64, 0), EINVAL);
	ERR(syscall(SYS_mbind, p + 1, PG, 2, &one, 64, 0), EINVAL);
	ERR(syscall(SYS_set_mempolicy, 99, NULL, 0), EINVAL);
	OK(syscall(SYS_set_mempolicy, 0, NULL, 0));
}

TEST(no_keys)
{
	char *p = map(1);

	if (syscall(SYS_pkey_alloc, 0, 0) >= 0)
		SKIP("the CPU has protection keys");
	ERR(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
	OK(syscall(SYS_pkey_mprotect, p, PG, PROT_READ, -1));
	ERR(syscall(SYS_pkey_mprotect, p, PG, PROT_READ, 3), EINVAL);
	ERR(syscall(SYS_pkey_free, 3), EINVAL);
}
