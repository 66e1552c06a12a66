// SPDX-License-Identifier: MIT
/*
 * What a program is told of the CPU: AT_HWCAP, AT_HWCAP2, the words of /proc/cpuinfo and ID
 * registers say the same, and it is true. proves: read
 */
#include "t.h"

#ifndef __aarch64__
TEST(cpu_aarch64)
{
	SKIP("another CPU");
}
#else
#include <asm/hwcap.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define ID(name) ({ uint64_t __v; __asm__ volatile("mrs %0, " #name : "=r"(__v)); __v; })
#define FIELD(v, shift) ((unsigned int)((v) >> (shift) & 15))

TEST(id_registers)
{
	unsigned long cap = getauxval(AT_HWCAP), cap2 = getauxval(AT_HWCAP2);
	uint64_t isar0 = ID(s3_0_c0_c6_0), isar1 = ID(s3_0_c0_c6_1), pfr0 = ID(s3_0_c0_c4_0),
		 pfr1 = ID(s3_0_c0_c4_1);

	CHECK(cap & HWCAP_CPUID);
	CHECK((cap & (HWCAP_FP | HWCAP_ASIMD)) == (HWCAP_FP | HWCAP_ASIMD));
	EQ(FIELD(isar0, 4) >= 1, !!(cap & HWCAP_AES));
	EQ(FIELD(isar0, 4) >= 2, !!(cap & HWCAP_PMULL));
	EQ(FIELD(isar0, 20) >= 2, !!(cap & HWCAP_ATOMICS));
	EQ(FIELD(isar0, 16) >= 1, !!(cap & HWCAP_CRC32));
	EQ(FIELD(isar1, 20) >= 1, !!(cap & HWCAP_LRCPC));
	EQ(FIELD(isar1, 52) >= 1, !!(cap2 & HWCAP2_I8MM));
	EQ(FIELD(pfr0, 0), 1);				/* AArch64 alone */
	EQ(FIELD(pfr0, 32) >= 1, !!(cap & HWCAP_SVE));
	EQ(FIELD(pfr1, 0) >= 1, !!(cap2 & HWCAP2_BTI));
	EQ(FIELD(isar1, 4) || FIELD(isar1, 8) || FIELD(ID(s3_0_c0_c6_2), 12), !!(cap & HWCAP_PACA));
	CHECK(ID(midr_el1) != 0);
	EQ(ID(mpidr_el1), 1ul << 31);			/* which CPU it is, is not told */
	EQ(ID(s3_0_c0_c1_0), 0);			/* AArch32's */
	EQ(ID(s3_0_c0_c7_7), 0);			/* without a meaning */
}

static uint32_t crc_of(const char *s)
{
	uint32_t c = ~0u;

	for (; *s; s++)
		__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(c) : "r"(*s));
	return ~c;
}

TEST(what_is_promised_works)
{
	unsigned long cap = getauxval(AT_HWCAP), cap2 = getauxval(AT_HWCAP2), old, mem = 40, v;

	if (cap & HWCAP_CRC32)
		EQ(crc_of("123456789"), 0xe3069283u);
	if (cap & HWCAP_ATOMICS) {
		__asm__ volatile(".arch_extension lse\n\tldaddal %2, %0, %1"
				 : "=r"(old), "+Q"(mem)
				 : "r"(2ul)
				 : "memory");
		EQ(old, 40);
		EQ(mem, 42);
	}
	if (cap & HWCAP_LRCPC) {
		__asm__ volatile(".arch_extension rcpc\n\tldapr %0, %1" : "=r"(v) : "Q"(mem));
		EQ(v, mem);
	}
	if (cap & HWCAP_DCPOP)
		__asm__ volatile("sys #3, c7, c12, #1, %0" : : "r"(&mem) : "memory"); /* dc cvap */
	if (cap & HWCAP_SB)
		__asm__ volatile(".inst 0xd50330ff" : : : "memory");			/* sb */
	if (cap & HWCAP_DIT)
		__asm__ volatile("msr s3_3_c4_c2_5, %0; msr s3_3_c4_c2_5, xzr" : : "r"(1ul << 24));
	if (cap2 & HWCAP2_RNG)
		__asm__ volatile("mrs %0, s3_3_c2_c4_0" : "=r"(v) : : "cc");
	if (cap2 & HWCAP2_ECV)
		__asm__ volatile("mrs %0, s3_3_c14_c0_6" : "=r"(v)); /* cntvctss_el0 */
	if (cap2 & HWCAP2_MOPS) {
		static char from[70000], to[70000];
		char *d = to, *src = from, *f = from;
		unsigned long n = sizeof(to), m = sizeof(from);

		__asm__ volatile(
			".arch_extension mops\n\tsetp [%0]!, %1!, %2\n\tsetm [%0]!, %1!, %2\n\tsete [%0]!, %1!, %2"
			: "+r"(f), "+r"(m)
			: "r"((unsigned long)'x')
			: "memory", "cc");
		__asm__ volatile(
			".arch_extension mops\n\tcpyfp [%0]!, [%1]!, %2!\n\tcpyfm [%0]!, [%1]!, %2!\n\tcpyfe [%0]!, [%1]!, %2!"
			: "+r"(d), "+r"(src), "+r"(n)
			:
			: "memory", "cc");
		CHECK(!m && !n && to[0] == 'x' && to[sizeof(to) - 1] == 'x');
	}
	if (cap2 & HWCAP2_FLAGM2)
		__asm__ volatile(".inst 0xd500403f; .inst 0xd500403f" : : : "cc");	/* xaflag */
}

TEST(words_of_cpuinfo)
{
	static const struct {
		const char *name;
		int word;
		unsigned long bit;
	} w[] = {
		{ "fp", 0, HWCAP_FP },		 { "aes", 0, HWCAP_AES },
		{ "atomics", 0, HWCAP_ATOMICS }, { "cpuid", 0, HWCAP_CPUID },
		{ "jscvt", 0, HWCAP_JSCVT },	 { "lrcpc", 0, HWCAP_LRCPC },
		{ "dit", 0, HWCAP_DIT },	 { "sb", 0, HWCAP_SB },
		{ "sve", 0, HWCAP_SVE },	 { "paca", 0, HWCAP_PACA },
		{ "i8mm", 1, HWCAP2_I8MM },	 { "bti", 1, HWCAP2_BTI },
		{ "mops", 1, HWCAP2_MOPS },	 { "rng", 1, HWCAP2_RNG },
	};
	unsigned long cap[2] = { getauxval(AT_HWCAP), getauxval(AT_HWCAP2) };
	char line[4096], word[64];
	FILE *f = fopen("/proc/cpuinfo", "r");

	CHECK(f);
	do
		CHECK(fgets(line, sizeof(line) - 1, f));
	while (strncmp(line, "Features\t:", 10));
	fclose(f);
	line[strcspn(line, "\n")] = ' ';
	for (size_t i = 0; i < sizeof(w) / sizeof(*w); i++) {
		snprintf(word, sizeof(word), " %s ", w[i].name);
		EQ(!!strstr(line, word), !!(cap[w[i].word] & w[i].bit));
	}
}

static void other_register(void)
{
	__asm__ volatile("mrs x0, ttbr0_el1" : : : "x0");
}

TEST(what_is_no_id_register)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		other_register();
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
}

/* Code that was written a moment ago, each time other code at the same place. */
TEST(code_that_is_written)
{
	uint32_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	for (unsigned int i = 0; i < 100; i++) {
		p[0] = 0x52800000 | i << 5;	/* mov w0, #i */
		p[1] = 0xd65f03c0;		/* ret */
		__builtin___clear_cache((char *)p, (char *)(p + 2));
		OK(mprotect(p, 4096, PROT_READ | PROT_EXEC));
		EQ(((unsigned int (*)(void))p)(), i);
		OK(mprotect(p, 4096, PROT_READ | PROT_WRITE));
	}
}
#endif
