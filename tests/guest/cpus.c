// SPDX-License-Identifier: MIT
/* However many CPUs there are: affinity by them, and that the last of them hears what the others
 * do. proves: sched_setaffinity sched_getaffinity membarrier getcpu mprotect */
#include "t.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>

#define WORDS 128		/* 8192 CPUs: as many as Linux is ever built for */
#define BITS (8 * sizeof(unsigned long))

static unsigned long mask[WORDS];

static long get_mask(void)
{
	memset(mask, 0, sizeof(mask));
	return syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
}

static int last_cpu(void)
{
	int last = -1;

	OK(get_mask());
	for (int i = 0; i < (int)(WORDS * BITS); i++)
		if (mask[i / BITS] >> i % BITS & 1)
			last = i;
	return last;
}

static long pin(int cpu)
{
	unsigned long one[WORDS] = { 0 };

	one[cpu / BITS] = 1ul << cpu % BITS;
	return syscall(SYS_sched_setaffinity, 0, sizeof(one), one);
}

static int where(void)
{
	unsigned int cpu = 0;

	OK(syscall(SYS_getcpu, &cpu, NULL, NULL));
	return (int)cpu;
}

static void word_of(const char *path, const char *key, char *out, size_t size)
{
	FILE *f = fopen(path, "r");
	char line[4096];

	CHECK(f);
	out[0] = 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key))) {
			line[strcspn(line, "\n")] = 0;
			snprintf(out, size, "%s", line + strlen(key));
		}
	fclose(f);
}

/* The call tells the words that it wrote, wants room for all CPUs, and takes less than that. */
TEST(sizes)
{
	long n = OK(get_mask());
	int cpus = last_cpu() + 1;

	CHECK(n % (long)sizeof(long) == 0 && n * 8 >= cpus);
	ERR(syscall(SYS_sched_getaffinity, 0, n + 1, mask), EINVAL);
	ERR(syscall(SYS_sched_getaffinity, 0, (cpus - 1) / BITS * sizeof(long), mask), EINVAL);
	OK(syscall(SYS_sched_setaffinity, 0, 1, "\377"));
	EQ(get_mask(), n);
	EQ(mask[0], cpus >= 8 ? 0xfful : (1ul << cpus) - 1);
	for (int i = 1; i < WORDS; i++)
		EQ(mask[i], 0);
	memset(mask, 0, sizeof(mask));
	ERR(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask), EINVAL);
	mask[WORDS - 1] = 1ul << 63;
	ERR(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask), EINVAL);
}

/* Each CPU runs who is pinned to it, and /proc says so. */
TEST(each_one)
{
	int cpus = last_cpu() + 1;
	char said[4096], want[32];

	for (int i = 0; i < cpus; i++) {
		OK(pin(i));
		EQ(where(), i);
	}
	snprintf(want, sizeof(want), "%d", cpus - 1);
	word_of("/proc/self/status", "Cpus_allowed_list:\t", said, sizeof(said));
	CHECK(!strcmp(said, want));
	word_of("/proc/self/status", "Cpus_allowed:\t", said, sizeof(said));
	CHECK(strtoul(said, NULL, 16) == 1ul << (cpus - 1) % 32);
}

/* Every second CPU is the longest list: it is all there. */
TEST(long_list)
{
	int cpus = last_cpu() + 1, at = 0;
	char said[4096], want[4096] = "0";

	for (int i = 0; i < WORDS; i++)
		mask[i] = 0x5555555555555555ul;
	OK(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask));
	at = 1;
	for (int i = 2; i < cpus; i += 2)
		at += snprintf(want + at, sizeof(want) - (size_t)at, ",%d", i);
	OK(get_mask());
	word_of("/proc/self/status", "Cpus_allowed_list:\t", said, sizeof(said));
	/* Where more CPUs may be than there are, theirs follow. */
	CHECK(!strncmp(said, want, strlen(want)));
}

static volatile int *page;
static volatile int writing, faulted, stop;
static int target;
static sigjmp_buf out;

static void on_fault(int sig)
{
	siglongjmp(out, 1);
}

static void *writer(void *unused)
{
	OK(pin(target));
	EQ(where(), target);
	if (sigsetjmp(out, 1)) {
		__atomic_store_n(&faulted, 1, __ATOMIC_SEQ_CST);
		return NULL;
	}
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		++*page;
		__atomic_store_n(&writing, 1, __ATOMIC_SEQ_CST);
		sched_yield();
	}
	return NULL;
}

/* After mprotect() returned, no write on another CPU gets through by an old translation. */
TEST(protection_reaches_the_last)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	pthread_t t;
	int before;

	target = last_cpu();
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	signal(SIGSEGV, on_fault);
	OK(pin(0));
	EQ(pthread_create(&t, NULL, writer, NULL), 0);
	while (!__atomic_load_n(&writing, __ATOMIC_SEQ_CST))
		sched_yield();
	OK(mprotect((void *)page, size, PROT_READ));
	before = *page;
	EQ(pthread_join(t, NULL), 0);		/* by the fault alone */
	EQ(faulted, 1);
	EQ(*page, before);
}

/* Calls on all CPUs, and grace periods, end. */
TEST(everybody_hears)
{
	pthread_t t;

	target = last_cpu();
	page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	EQ(pthread_create(&t, NULL, writer, NULL), 0);
	while (!__atomic_load_n(&writing, __ATOMIC_SEQ_CST))
		sched_yield();
	for (int i = 0; i < 10; i++)
		OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	OK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	EQ(pthread_join(t, NULL), 0);
}
