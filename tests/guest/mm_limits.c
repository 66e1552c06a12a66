// SPDX-License-Identifier: MIT
/* What is counted of memory, and how much there may be. proves: sysinfo */
#include "t.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

static long meminfo(const char *key)
{
	char line[200];
	FILE *f = fopen("/proc/meminfo", "r");
	long kb = -1;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			kb = atol(line + strlen(key) + 1);
	fclose(f);
	return kb;
}

static void put(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY));

	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

TEST(meminfo_follows_use)
{
	long free0 = meminfo("MemFree"), anon0 = meminfo("AnonPages"), free1, anon1;
	struct sysinfo si;
	char *p;

	CHECK(meminfo("MemTotal") > free0 && free0 > 0);
	p = mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(labs(meminfo("MemFree") - free0) < 4096);	/* nothing is used by asking for it */
	memset(p, 1, 32 << 20);
	free1 = meminfo("MemFree");
	anon1 = meminfo("AnonPages");
	if (free0 - free1 < 24 << 10 || free0 - free1 > 48 << 10)
		FAIL("MemFree from %ld to %ld", free0, free1);
	CHECK(anon1 - anon0 > 28 << 10 && anon1 - anon0 < 40 << 10);
	OK(sysinfo(&si));
	CHECK(labs((long)(si.freeram * si.mem_unit / 1024) - free1) < 4096);
	EQ(si.totalram * si.mem_unit / 1024, meminfo("MemTotal"));
	OK(munmap(p, 32 << 20));
	/* Free pages may wait in per-CPU lists; that they are nobody's any more is exact. */
	CHECK(anon1 - meminfo("AnonPages") > 28 << 10);
	/* tmpfs counts as Shmem. */
	long shmem = meminfo("Shmem");
	int fd = OK(open("/tmp/fill", O_CREAT | O_TRUNC | O_RDWR, 0600));
	static char buf[1 << 20];

	for (int i = 0; i < 16; i++)
		EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	CHECK(meminfo("Shmem") - shmem >= 15 << 10);
	unlink("/tmp/fill");
}

/* Tables of kernel addresses count as page tables, and by themselves: they are never given back. */
TEST(kernel_tables)
{
	long kernel = -1, all = -1;
	char line[200];
	FILE *f = fopen("/proc/vmstat", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "nr_kernel_page_table_pages %ld", &kernel);
		sscanf(line, "nr_page_table_pages %ld", &all);
	}
	fclose(f);
	if (kernel < 0)
		SKIP("this kernel does not count its own tables");
	CHECK(kernel > 0 && all > kernel);
	CHECK(meminfo("PageTables") > kernel * 4);
}

TEST(address_space_limit)
{
	struct rlimit rl = { 64 << 20, 64 << 20 };

	OK(setrlimit(RLIMIT_AS, &rl));
	CHECK(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EQ(errno, ENOMEM);
	CHECK(mmap(NULL, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

TEST(data_limit)
{
	struct rlimit rl = { 8 << 20, 8 << 20 };
	char *old = (char *)syscall(SYS_brk, 0);

	OK(setrlimit(RLIMIT_DATA, &rl));
	EQ(syscall(SYS_brk, old + (32 << 20)), (long)old);
}

TEST(overcommit_modes)
{
	size_t all = (size_t)meminfo("MemTotal") << 10;
	void *p;

	put("/proc/sys/vm/overcommit_memory", "1");
	p = mmap(NULL, all * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	munmap(p, all * 8);
	put("/proc/sys/vm/overcommit_memory", "0");
	CHECK(mmap(NULL, all * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
	EQ(errno, ENOMEM);
	p = mmap(NULL, all * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	CHECK(p != MAP_FAILED);
	munmap(p, all * 8);
	put("/proc/sys/vm/overcommit_memory", "2");
	p = mmap(NULL, all - (all >> 3), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	int e = errno;

	put("/proc/sys/vm/overcommit_memory", "0");
	CHECK(p == MAP_FAILED);
	EQ(e, ENOMEM);
}

TEST(committed_is_counted)
{
	long before = meminfo("Committed_AS");
	void *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(meminfo("Committed_AS") - before >= 15 << 10);
}

TEST(resident_set_in_status)
{
	char line[200];
	long rss = -1, peak = -1, size = -1;
	FILE *f;

	char *p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, 8 << 20);
	munmap(p, 8 << 20);
	f = fopen("/proc/self/status", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "VmRSS: %ld", &rss);
		sscanf(line, "VmHWM: %ld", &peak);
		sscanf(line, "VmSize: %ld", &size);
	}
	fclose(f);
	CHECK(peak >= 8 << 10);
	CHECK(rss > 0 && rss < 4 << 10);
	CHECK(size >= rss);
}
