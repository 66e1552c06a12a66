// SPDX-License-Identifier: MIT
/*
 * What the CPUs can do: riscv,isa-extensions of the device tree (a list of names), or the older riscv,isa (one word). A feature counts
 * only if every CPU has it. The same for those who ask: AT_HWCAP, /proc/cpuinfo, riscv_hwprobe.
 */
#include <abi/errno.h>
#include <abi/syscalls.h>
#include <arch/cpu.h>
#include <arch/elf.h>
#include <arch/firmware.h>
#include <arch/uaccess.h>
#include <arch_cpu/vdso_data.h>
#include <asm/hwcap.h>
#include <asm/hwprobe.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <lib/dt.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/riscv64/rv_priv.h"

static const struct {
	char name[16];
	u64 ima;			/* bit of RISCV_HWPROBE_KEY_IMA_EXT_0; 0: user mode has no use for it */
} exts[NR_RV_EXT] = {
	[RV_EXT_F] = { "f", 0 }, [RV_EXT_D] = { "d", RISCV_HWPROBE_IMA_FD }, [RV_EXT_C] = { "c", RISCV_HWPROBE_IMA_C },
	[RV_EXT_V] = { "v", RISCV_HWPROBE_IMA_V }, 
	[RV_EXT_ZBA] = { "zba", RISCV_HWPROBE_EXT_ZBA },
	[RV_EXT_ZBB] = { "zbb", RISCV_HWPROBE_EXT_ZBB }, [RV_EXT_ZBS] = { "zbs", RISCV_HWPROBE_EXT_ZBS },
	[RV_EXT_ZIHINTPAUSE] = { "zihintpause", RISCV_HWPROBE_EXT_ZIHINTPAUSE }, [RV_EXT_SSTC] = { "sstc", 0 },
	[RV_EXT_SVPBMT] = { "svpbmt", 0 }, [RV_EXT_SVVPTC] = { "svvptc", 0 }, [RV_EXT_ZKR] = { "zkr", 0 },
};

/* Of those that user programs may use and that need nothing of the kernel: the rest of what riscv_hwprobe tells. */
static const struct {
	char name[16];
	u64 ima;
} plain[] = {
	{ "zbc", RISCV_HWPROBE_EXT_ZBC }, { "zbkb", RISCV_HWPROBE_EXT_ZBKB }, { "zbkc", RISCV_HWPROBE_EXT_ZBKC },
	{ "zbkx", RISCV_HWPROBE_EXT_ZBKX }, { "zknd", RISCV_HWPROBE_EXT_ZKND }, { "zkne", RISCV_HWPROBE_EXT_ZKNE },
	{ "zknh", RISCV_HWPROBE_EXT_ZKNH }, { "zksed", RISCV_HWPROBE_EXT_ZKSED }, { "zksh", RISCV_HWPROBE_EXT_ZKSH },
	{ "zkt", RISCV_HWPROBE_EXT_ZKT }, { "zfh", RISCV_HWPROBE_EXT_ZFH }, { "zfhmin", RISCV_HWPROBE_EXT_ZFHMIN },
	{ "zihintntl", RISCV_HWPROBE_EXT_ZIHINTNTL }, { "zfa", RISCV_HWPROBE_EXT_ZFA }, { "ztso", RISCV_HWPROBE_EXT_ZTSO },
	{ "zacas", RISCV_HWPROBE_EXT_ZACAS }, { "zicond", RISCV_HWPROBE_EXT_ZICOND }, { "zimop", RISCV_HWPROBE_EXT_ZIMOP },
	{ "zca", RISCV_HWPROBE_EXT_ZCA }, { "zcb", RISCV_HWPROBE_EXT_ZCB }, { "zcd", RISCV_HWPROBE_EXT_ZCD },
	{ "zcmop", RISCV_HWPROBE_EXT_ZCMOP }, { "zawrs", RISCV_HWPROBE_EXT_ZAWRS },
};

/* The same of RISCV_HWPROBE_KEY_IMA_EXT_1. */
static const struct {
	char name[16];
	u64 ima;
} plain1[] = {
	{ "zicclsm", RISCV_HWPROBE_EXT_ZICCLSM }, { "ziccamoa", RISCV_HWPROBE_EXT_ZICCAMOA }, { "ziccif", RISCV_HWPROBE_EXT_ZICCIF },
	{ "ziccrse", RISCV_HWPROBE_EXT_ZICCRSE }, { "za64rs", RISCV_HWPROBE_EXT_ZA64RS },
};

/* Not told of: the kernel turns neither landing pads nor shadow stacks on. */
static const char *const withheld[] = { "zicfilp", "zicfiss" };

static u32 have __ro_after_init;		/* bits of enum rv_ext that all CPUs have */
static u64 plain_bits __ro_after_init, plain1_bits __ro_after_init;	/* hwprobe bits of PLAIN, PLAIN1 */
static u64 mvendorid __ro_after_init, marchid __ro_after_init, mimpid __ro_after_init;

/* Is NAME among the extensions of CPU? */
static bool __init cpu_has_ext(const struct dt *t, unsigned int cpu, const char *name)
{
	size_t n = strlen(name);
	u32 len;
	const char *list = dt_prop(t, machine.cpu_node[cpu], "riscv,isa-extensions", &len), *isa;

	if (list) {
		for (const char *end = list + len, *s = list; s < end; s += strnlen(s, (size_t)(end - s)) + 1)
			if (strnlen(s, (size_t)(end - s)) == n && !memcmp(s, name, n))
				return true;
		return false;
	}
	isa = dt_string(t, machine.cpu_node[cpu], "riscv,isa");
	if (!isa || strncmp(isa, "rv64", 4))
		return false;
	if (n == 1) {
		for (const char *s = isa + 4; *s && *s != '_'; s++)
			if (*s == *name)
				return true;
		return false;
	}
	for (const char *s = isa; (s = strstr(s, name)); s++)
		if (s[-1] == '_' && (!s[n] || s[n] == '_'))
			return true;
	return false;
}

static bool __init all_have(const struct dt *t, const char *name)
{
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		if (!cpu_has_ext(t, cpu, name))
			return false;
	return true;
}

bool rv_has(enum rv_ext e)
{
	return have >> e & 1;
}

void __init rv_read_isa(void)
{
	const struct dt *t = arch_dt();

	if (!t)
		return;
	for (unsigned int i = 0; i < NR_RV_EXT; i++)
		if (all_have(t, exts[i].name))
			have |= 1U << i;
	for (unsigned int i = 0; i < ARRAY_SIZE(plain); i++)
		if (all_have(t, plain[i].name))
			plain_bits |= plain[i].ima;
	for (unsigned int i = 0; i < ARRAY_SIZE(plain1); i++)
		if (all_have(t, plain1[i].name))
			plain1_bits |= plain1[i].ima;
	if (rv_has(RV_EXT_SVPBMT)) {
		rv_pte_nc = RV_PBMT_NC;
		rv_pte_io = RV_PBMT_IO;
	}
	mvendorid = (u64)sbi_call(SBI_EXT_BASE, 4, 0, 0, 0, 0, 0).value;
	marchid = (u64)sbi_call(SBI_EXT_BASE, 5, 0, 0, 0, 0, 0).value;
	mimpid = (u64)sbi_call(SBI_EXT_BASE, 6, 0, 0, 0, 0, 0).value;
}

unsigned long arch_elf_hwcap(void)
{
	unsigned long v = COMPAT_HWCAP_ISA_I | COMPAT_HWCAP_ISA_M | COMPAT_HWCAP_ISA_A;

	if (rv_has(RV_EXT_F))
		v |= COMPAT_HWCAP_ISA_F;
	if (rv_has(RV_EXT_D))
		v |= COMPAT_HWCAP_ISA_D;
	if (rv_has(RV_EXT_C))
		v |= COMPAT_HWCAP_ISA_C;
	if (rv_has(RV_EXT_V))
		v |= COMPAT_HWCAP_ISA_V;
	return v;
}

unsigned long arch_elf_hwcap2(void)
{
	return 0;
}

static bool is_withheld(const char *name, size_t n)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(withheld); i++)
		if (strlen(withheld[i]) == n && !memcmp(withheld[i], name, n))
			return true;
	return false;
}

static size_t put(char *buf, size_t size, size_t at, const char *before, const char *name, size_t n)
{
	return at + (size_t)snprintf(at < size ? buf + at : NULL, at < size ? size - at : 0, "%s%.*s", before, (int)n, name);
}

/* The older word has it all: without what is withheld. */
static size_t show_isa_word(char *buf, size_t size, const char *isa)
{
	size_t at = 0;

	for (const char *s = isa, *end; s; s = *end ? end + 1 : NULL) {
		end = strchrnul(s, '_');
		if (!is_withheld(s, (size_t)(end - s)))
			at = put(buf, size, at, s == isa ? "" : "_", s, (size_t)(end - s));
	}
	return at;
}

/* The word that programs read: rv64ima..., then the list of names behind underscores as the device tree has them. */
static size_t show_isa(char *buf, size_t size, unsigned int cpu)
{
	const struct dt *t = arch_dt();
	size_t at = 0;
	u32 len = 0;
	const char *list = t ? dt_prop(t, machine.cpu_node[cpu], "riscv,isa-extensions", &len) : NULL;
	const char *isa = t ? dt_string(t, machine.cpu_node[cpu], "riscv,isa") : NULL;

	if (!list)
		return show_isa_word(buf, size, isa ?: "rv64ima");
	at = (size_t)snprintf(buf, size, "rv64");
	for (int pass = 0; pass < 2; pass++)
		for (const char *end = list + len, *s = list; s < end; s += strnlen(s, (size_t)(end - s)) + 1) {
			size_t n = strnlen(s, (size_t)(end - s));

			if ((n == 1) == (pass == 0) && !is_withheld(s, n))
				at = put(buf, size, at, pass ? "_" : "", s, n);
		}
	return at;
}

int arch_cpuinfo_show(char *buf, size_t size, unsigned int cpu)
{
	size_t at = (size_t)snprintf(buf, size, "processor\t: %u\nhart\t\t: %u\nisa\t\t: ", cpu, machine.hart[cpu]);

	at += show_isa(at < size ? buf + at : NULL, at < size ? size - at : 0, cpu);
	at += (size_t)snprintf(at < size ? buf + at : NULL, at < size ? size - at : 0,
		"\nmmu\t\t: sv%u\nmvendorid\t: 0x%llx\nmarchid\t\t: 0x%llx\nmimpid\t\t: 0x%llx\nhart isa\t: ", 9 * rv_pt_levels + 12,
		mvendorid, marchid, mimpid);
	at += show_isa(at < size ? buf + at : NULL, at < size ? size - at : 0, cpu);
	at += (size_t)snprintf(at < size ? buf + at : NULL, at < size ? size - at : 0, "\n\n");
	return (int)at;
}

static u64 ima_ext(void)
{
	u64 v = plain_bits;

	for (unsigned int i = 0; i < NR_RV_EXT; i++)
		if (rv_has(i))
			v |= exts[i].ima;
	if (!rv_has(RV_EXT_F))
		v &= ~(u64)RISCV_HWPROBE_IMA_FD;
	return v;
}

/* False: nothing is known by that key. */
static bool probe_key(s64 key, u64 *value)
{
	*value = 0;
	switch (key) {
	case RISCV_HWPROBE_KEY_MVENDORID:
		*value = mvendorid;
		return true;
	case RISCV_HWPROBE_KEY_MARCHID:
		*value = marchid;
		return true;
	case RISCV_HWPROBE_KEY_MIMPID:
		*value = mimpid;
		return true;
	case RISCV_HWPROBE_KEY_BASE_BEHAVIOR:
		*value = RISCV_HWPROBE_BASE_BEHAVIOR_IMA;
		return true;
	case RISCV_HWPROBE_KEY_IMA_EXT_0:
		*value = ima_ext();
		return true;
	case RISCV_HWPROBE_KEY_IMA_EXT_1:
		*value = plain1_bits;
		return true;
	case RISCV_HWPROBE_KEY_CPUPERF_0:
	case RISCV_HWPROBE_KEY_MISALIGNED_SCALAR_PERF:
		*value = RISCV_HWPROBE_MISALIGNED_UNKNOWN;
		return true;
	case RISCV_HWPROBE_KEY_ZICBOZ_BLOCK_SIZE:	/* its instructions are not enabled for user mode */
		return true;
	case RISCV_HWPROBE_KEY_HIGHEST_VIRT_ADDRESS:
		*value = TASK_SIZE_MAX;
		return true;
	case RISCV_HWPROBE_KEY_TIME_CSR_FREQ:
		*value = machine.timebase;
		return true;
	case RISCV_HWPROBE_KEY_MISALIGNED_VECTOR_PERF:
		*value = rv_has(RV_EXT_V) ? RISCV_HWPROBE_MISALIGNED_VECTOR_UNKNOWN : RISCV_HWPROBE_MISALIGNED_VECTOR_UNSUPPORTED;
		return true;
	}
	return false;
}

/* The CPUs asked for; without a mask all that are there. */
static int probe_cpus(struct cpumask *m, size_t size, struct uptr cpus)
{
	cpumask_clear(m);
	if (!size && uptr_is_null(cpus)) {
		*m = *cpu_online_mask;
		return 0;
	}
	size = min(size, sizeof(m->bits));
	if (arch_copy_from_user(m->bits, cpus, size))
		return -EFAULT;
	for (unsigned int w = 0; w < ARRAY_SIZE(m->bits); w++)
		m->bits[w] &= cpu_online_mask->bits[w];
	return 0;
}

static int __init tell_vdso(void)
{
	struct vdso_cpu *c = &vdso_data_page.cpu;

	for (unsigned int key = 0; key < VDSO_HWPROBE_KEYS; key++)
		if (probe_key(key, &c->value[key]))
			c->known |= 1U << key;
	return 0;
}
INITCALL(early, tell_vdso);

/* Which CPUs of the mask have all these values. They are the same on all: the mask stays or is emptied. */
static long which_cpus(struct uptr pairs, size_t count, size_t size, struct uptr cpus)
{
	struct cpumask m;
	struct riscv_hwprobe p;
	u64 v;
	int err;

	if (!size || uptr_is_null(cpus))
		return -EINVAL;
	size = min(size, sizeof(m.bits));
	cpumask_clear(&m);
	if (arch_copy_from_user(m.bits, cpus, size))
		return -EFAULT;
	if (cpumask_empty(&m))
		m = *cpu_online_mask;
	for (unsigned int w = 0; w < ARRAY_SIZE(m.bits); w++)
		m.bits[w] &= cpu_online_mask->bits[w];
	for (size_t i = 0; i < count; i++, pairs = uptr_add(pairs, sizeof(p))) {
		if (arch_copy_from_user(&p, pairs, sizeof(p)))
			return -EFAULT;
		if (!probe_key(p.key, &v)) {
			p.key = -1;
			p.value = 0;
			cpumask_clear(&m);
			if (arch_copy_to_user(pairs, &p, sizeof(p)))
				return -EFAULT;
		} else if (p.key == RISCV_HWPROBE_KEY_IMA_EXT_0 || p.key == RISCV_HWPROBE_KEY_BASE_BEHAVIOR ? (v & p.value) != p.value :
			   v != p.value) {
			cpumask_clear(&m);
		}
	}
	err = arch_copy_to_user(cpus, m.bits, size) ? -EFAULT : 0;
	return err;
}

long sys_riscv_hwprobe(struct uptr pairs, size_t count, size_t size, struct uptr cpus, unsigned int flags)
{
	struct cpumask m;
	struct riscv_hwprobe p;
	int err;

	if (flags == RISCV_HWPROBE_WHICH_CPUS)
		return which_cpus(pairs, count, size, cpus);
	if (flags)
		return -EINVAL;
	err = probe_cpus(&m, size, cpus);
	if (err)
		return err;
	if (cpumask_empty(&m))
		return -EINVAL;
	for (size_t i = 0; i < count; i++, pairs = uptr_add(pairs, sizeof(p))) {
		u64 v;

		if (arch_copy_from_user(&p.key, pairs, sizeof(p.key)))
			return -EFAULT;
		if (!probe_key(p.key, &v))
			p.key = -1;
		p.value = v;
		if (arch_copy_to_user(pairs, &p, sizeof(p)))
			return -EFAULT;
	}
	return 0;
}

#define FLUSH_LOCAL 1UL			/* SYS_RISCV_FLUSH_ICACHE_LOCAL: this thread alone */

long sys_riscv_flush_icache(unsigned long start, unsigned long end, unsigned long flags)
{
	if (flags & ~FLUSH_LOCAL)
		return -EINVAL;
	/* A thread that runs on alone here may be moved before it jumps: the others follow also for it. */
	rv_sync_icache();
	return 0;
}
