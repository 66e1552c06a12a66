// SPDX-License-Identifier: MIT
/* The architecture contract from inside: what every CPU port must pass. */
#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/vmalloc.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <arch/kasan.h>
#include <arch/pgtable.h>
#include <arch/stacktrace.h>
#include <arch/uaccess.h>
#include <arch/vdso.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/ksyms.h>
#include <kernel/ktest.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/static_key.h>
#include <lib/string.h>
#include <sched/task.h>

static DEFINE_PER_CPU(u8, v8);
static DEFINE_PER_CPU(u16, v16);
static DEFINE_PER_CPU(u32, v32) = 7;
static DEFINE_PER_CPU(u64, v64);
static DEFINE_PER_CPU(void *, vptr);

KTEST(arch_percpu_ops)
{
	preempt_disable();
	this_cpu_write(v8, 250);
	this_cpu_add(v8, 10);
	KT_EQ(this_cpu_read(v8), 4);
	this_cpu_write(v16, 0xff00);
	this_cpu_or(v16, 0x00f0);
	this_cpu_and(v16, 0x0ff0);
	KT_EQ(this_cpu_read(v16), 0x0ff0);
	this_cpu_write(v32, 7);
	KT_EQ(this_cpu_add_return(v32, 3), 10);
	KT_EQ(this_cpu_xchg(v32, 7), 10);
	KT_EQ(this_cpu_cmpxchg(v32, 8, 9), 7);
	KT_EQ(this_cpu_cmpxchg(v32, 7, 9), 7);
	KT_EQ(this_cpu_read(v32), 9);
	this_cpu_write(v64, 1ULL << 40);
	this_cpu_inc(v64);
	KT_ASSERT(this_cpu_read(v64) == (1ULL << 40) + 1);
	this_cpu_write(vptr, &v8);
	KT_ASSERT(this_cpu_read(vptr) == (void *)&v8);
	KT_ASSERT(this_cpu_ptr(&v32) == per_cpu_ptr(&v32, raw_smp_processor_id()));
	preempt_enable();
}

KTEST(arch_percpu_apart)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(v64, cpu) = 1000 + cpu;
	for_each_possible_cpu(cpu)
		KT_EQ(per_cpu(v64, cpu), 1000 + cpu);
}

KTEST(arch_preempt_count)
{
	int before = preempt_count();
	unsigned long flags = arch_irq_save();		/* an interrupt may ask for a reschedule of its own */

	preempt_disable();
	KT_EQ(preempt_count(), before + 1);
	set_preempt_need_resched();
	KT_ASSERT(test_preempt_need_resched());
	KT_EQ(preempt_count(), before + 1);
	KT_ASSERT(should_resched(before + 1));
	clear_preempt_need_resched();
	KT_ASSERT(!test_preempt_need_resched());
	KT_ASSERT(!should_resched(before + 1));
	preempt_enable();
	arch_irq_restore(flags);
	KT_EQ(preempt_count(), before);
}

KTEST(arch_irq_flags)
{
	unsigned long flags = arch_irq_save(), inner;

	KT_ASSERT(arch_irqs_disabled());
	inner = arch_irq_save();
	arch_irq_restore(inner);
	KT_ASSERT(arch_irqs_disabled());
	arch_irq_restore(flags);
	KT_ASSERT(!arch_irqs_disabled());
}

KTEST(arch_clock_goes_forward)
{
	u64 last = arch_clock_ns(), now;

	for (int i = 0; i < 10000; i++) {
		now = arch_clock_ns();
		KT_ASSERT(now >= last);
		last = now;
	}
	arch_udelay(100);
	KT_ASSERT(arch_clock_ns() - last >= 99000);
}

static u64 remote_ns;

static void read_clock_there(void *arg)
{
	WRITE_ONCE(remote_ns, arch_clock_ns());
}

KTEST(arch_clock_same_everywhere)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		u64 before = arch_clock_ns(), after;

		smp_call_function_single((int)cpu, read_clock_there, NULL, true);
		after = arch_clock_ns();
		KT_ASSERT(remote_ns >= before && remote_ns <= after);
	}
}

static void bump(void *arg)
{
	__atomic_add_fetch((u32 *)arg, 1, __ATOMIC_RELAXED);
}

KTEST(arch_ipi_reaches_all)
{
	u32 n = 0;

	on_each_cpu(bump, &n, true);
	KT_EQ(n, num_online_cpus());
}

/* The oldest CPUs execute all that they may read. */
static bool refuses_to_execute(void)
{
	return !pte_exec(pte_make(1, PTE_P_READ, 0));
}

KTEST(arch_pte_encoding)
{
	for (int level = 0; level < 2; level++) {
		unsigned long pfn = 0x12345UL * (pt_span(level) / PAGE_SIZE);
		pte_t e = pte_make(pfn, PTE_P_READ | PTE_P_WRITE | PTE_P_USER, level);

		KT_EQ(pte_pfn(e), pfn);
		KT_ASSERT(pte_present(e) && pte_leaf(e, level) && pte_write(e) && pte_user(e) && pte_exec(e) == !refuses_to_execute());
		KT_ASSERT(pte_young(e) && !pte_dirty(e) && !pte_special(e) && !pte_none(e) && !pte_is_swap(e));
		e = pte_mkspecial(pte_mkdirty(pte_wrprotect(e)));
		KT_ASSERT(pte_dirty(e) && !pte_write(e) && pte_special(e));
		e = pte_modify(e, 0, level);
		KT_ASSERT(pte_protnone(e) && pte_present(e) && pte_dirty(e) && pte_special(e));
		KT_EQ(pte_pfn(e), pfn);
		e = pte_modify(e, PTE_P_READ | PTE_P_EXEC | PTE_P_USER, level);
		KT_ASSERT(!pte_protnone(e) && pte_exec(e) && pte_dirty(e) && !pte_write(e));
		KT_EQ(pte_pfn(e), pfn);
		KT_ASSERT(!pte_young(pte_mkold(e)) && !pte_dirty(pte_mkclean(e)));
	}
	for (unsigned int type = 0; type < PTE_SWAP_TYPES; type++) {
		pte_t e = pte_make_swap(type, 0xabcdef012ULL);

		KT_ASSERT(pte_is_swap(e) && !pte_present(e) && !pte_none(e));
		KT_EQ(pte_swap_type(e), type);
		KT_ASSERT(pte_swap_offset(e) == 0xabcdef012ULL);
	}
	KT_ASSERT(pte_none(PTE_NONE) && !pte_present(PTE_NONE));
}

#ifdef CONFIG_KASAN
static u64 in_image[4];

static bool has_own_shadow(const void *p)
{
	unsigned long a = (unsigned long)p & ~7UL;

	return kasan_has_shadow(a) && kasan_is_shadow((unsigned long)kasan_shadow(a)) && kasan_unshadow(kasan_shadow(a)) == a && !*kasan_shadow(a) &&
	       kasan_shadow(a + 8) == kasan_shadow(a) + 1;
}

/* By whatever it is seen, memory has a shadow that is of it alone; users' has none. */
KTEST(arch_kasan_shadow)
{
	u64 on_stack[4], *volatile kept = on_stack;
	unsigned long page = __get_free_page(GFP_KERNEL);
	void *v = vmalloc(PAGE_SIZE);

	KT_ASSERT(page && v);
	if (page && v)
		KT_ASSERT(has_own_shadow((void *)page) && has_own_shadow(v));
	KT_ASSERT(has_own_shadow(in_image) && has_own_shadow(kept));
	KT_ASSERT(!kasan_has_shadow(0) && !kasan_has_shadow(TASK_SIZE_MAX - 1));
	vfree(v);
	free_page(page);
}
#endif

/* Nothing that the kernel maps is both writable and executable. TABLE's entries from FIRST on; VA is that of its entry 0. */
static int count_wx(const pte_t *table, int level, unsigned int first, unsigned long va)
{
	int n = 0;

	for (unsigned int i = first; i < PT_ENTRIES; i++) {
		pte_t e = ptep_read(&table[i]);
		unsigned long a = va + (unsigned long)i * pt_span(level);

		/* Of the sanitizer's shadow there are terabytes, of the same tables. */
		if (!pte_present(e) || (kasan_is_shadow(a) && kasan_is_shadow(a + (pt_span(level) - 1))))
			continue;
		if (pte_leaf(e, level))
			n += pte_write(e) && pte_exec(e);
		else
			n += count_wx(pte_table(e), level - 1, 0, a);
	}
	return n;
}

KTEST(arch_no_writable_code)
{
	const int root = ARCH_PT_LEVELS - 1;

	if (!refuses_to_execute())
		KT_SKIP("the CPU executes whatever can be read");
	KT_EQ(count_wx(kernel_pgd, root, PT_KERNEL_ROOT_FIRST, -(pt_span(root) * PT_ENTRIES)), 0);
}

KTEST(arch_map_kernel_page)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	char *p;

	KT_ASSERT(page);
	p = vmap(&page, 1, 0);
	KT_ASSERT(p);
	strscpy(p, "seen", 5);
	KT_ASSERT(!strcmp(page_address(page), "seen"));
	vunmap(p);
	__free_page(page);
}

KTEST(arch_fault_in_kernel_is_repaired)
{
	char buf[16], src[16] = "fifteen letters";

	KT_EQ(arch_copy_kernel_nofault(buf, src, 16), 0);
	KT_ASSERT(!memcmp(buf, src, 16));
	KT_EQ(arch_copy_kernel_nofault(buf, (void *)VMALLOC_END - 8, 8), 8);
	KT_EQ(arch_copy_kernel_nofault((void *)16, buf, 8), 8);
}

KTEST(arch_user_range_is_checked)
{
	u8 b[8];
	u64 v;

	KT_EQ(arch_copy_from_user(b, UPTR(b), sizeof(b)), sizeof(b));
	KT_EQ(arch_copy_to_user(UPTR(b), b, sizeof(b)), sizeof(b));
	KT_EQ(arch_clear_user(UPTR(b), sizeof(b)), sizeof(b));
	KT_EQ(arch_copy_from_user(b, UPTR(TASK_SIZE_MAX - 4), 8), 8);
	KT_EQ(arch_copy_from_user(b, UPTR(-8UL), 16), 16);
	KT_EQ(arch_get_user_8(&v, UPTR(b)), -EFAULT);
	KT_EQ(arch_put_user_8(1, UPTR(b)), -EFAULT);
	KT_EQ(arch_strnlen_user(UPTR(b), 8), -EFAULT);
	KT_EQ(arch_strncpy_from_user((char *)b, UPTR(b), 8), -EFAULT);
	KT_ASSERT(!access_ok(UPTR(-1UL), 1) && !access_ok(UPTR(1), -1UL) && access_ok(UPTR(0), 0));
}

KTEST(arch_user_hole_faults)
{
	char buf[8] = "";

	/* A kernel thread has no user space: every access fails, none hangs. */
	KT_EQ(arch_copy_from_user_nofault(buf, UPTR(0x1000), 8), 8);
	KT_EQ(arch_copy_to_user_nofault(UPTR(0x1000), buf, 8), 8);
}

static DEFINE_STATIC_KEY_FALSE(key_off);
static DEFINE_STATIC_KEY_TRUE(key_on);

static noinline int ask_keys(void)
{
	return (static_branch_unlikely(&key_off) ? 1 : 0) | (static_branch_likely(&key_on) ? 2 : 0) |
	       (static_branch_likely(&key_off) ? 4 : 0) | (static_branch_unlikely(&key_on) ? 8 : 0);
}

KTEST(arch_static_keys)
{
	KT_EQ(ask_keys(), 2 | 8);
	static_key_enable(&key_off);
	KT_EQ(ask_keys(), 1 | 2 | 4 | 8);
	static_key_disable(&key_on);
	KT_EQ(ask_keys(), 1 | 4);
	static_key_disable(&key_off);
	static_key_enable(&key_on);
	KT_EQ(ask_keys(), 2 | 8);
}

static bool count_frame(void *arg, unsigned long addr)
{
	return ++*(int *)arg < 100 && addr;
}

static noinline int deeper(int n)
{
	int frames = 0;

	if (n)
		return deeper(n - 1) + 1;
	arch_stack_walk(NULL, count_frame, &frames);
	return frames;
}

KTEST(arch_stack_walk_ends)
{
	int n = deeper(5);

	KT_ASSERT(n > 5 && n < 60);
}

/* Names of the functions on the stack, the innermost first. */
struct names {
	char name[24][40];
	int n;
};

static bool note_name(void *arg, unsigned long addr)
{
	struct names *f = arg;
	unsigned long start, len;

	if (f->n == ARRAY_SIZE(f->name))
		return false;
	if (!ksym_lookup(addr, &start, &len, f->name[f->n], sizeof(f->name[0])))
		strscpy(f->name[f->n], "?", sizeof(f->name[0]));
	f->n++;
	return true;
}

/* A compiler may have made a function for the one call that there is: gcc calls it NAME.constprop.0. */
static int place_of(const struct names *f, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < f->n; i++)
		if (!strncmp(f->name[i], name, n) && (!f->name[i][n] || f->name[i][n] == '.'))
			return i;
	return -1;
}

static struct names seen;

static noinline void walk_leaf(void)
{
	seen.n = 0;
	arch_stack_walk(NULL, note_name, &seen);
	barrier();
}

/* Frames of several kinds: registers pushed, room for an array, more arguments than registers, an aligned object. */
static noinline int walk_array(int n)
{
	volatile char a[200];

	a[n] = 1;
	walk_leaf();
	return a[n];
}

static noinline int walk_many(int a, int b, int c, int d, int e, int f, int g, int h, int i)
{
	int r = walk_array(a & 63);

	barrier();
	return r + a * b + c * d + e * f + g * h + i;
}

static noinline int walk_aligned(int n)
{
	volatile struct { u8 b[64]; } __aligned(64) x[2];
	int r;

	x[1].b[n & 63] = (u8)n;
	r = walk_many(n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8);
	return r + x[1].b[n & 63];
}

static noinline int walk_sized(int n)
{
	volatile char *a = __builtin_alloca((size_t)n);
	int r;

	a[n - 1] = 3;
	r = walk_aligned(n);
	return r + a[n - 1];
}

KTEST(arch_stack_walk_is_exact)
{
	static const char *const want[] = { "walk_leaf", "walk_array", "walk_many", "walk_aligned", "walk_sized" };

	walk_sized(17);
	for (int i = 0; i < (int)ARRAY_SIZE(want); i++)
		KT_EQ(place_of(&seen, want[i]), i);
	KT_ASSERT(seen.n > 6 && place_of(&seen, "?") < 0);
}

KTEST(arch_fpu_in_kernel)
{
	for (int i = 0; i < 100; i++) {
		kernel_fpu_begin();
		KT_ASSERT(in_atomic());
		kernel_fpu_end();
	}
	KT_ASSERT(!in_atomic());
}

KTEST(arch_irq_numbers)
{
	int a = arch_irq_alloc_msi(MSI_NO_DEVICE, 1, 1), b = arch_irq_alloc_msi(MSI_NO_DEVICE, 4, 4);
	struct arch_msi ma, mb;
	struct cpumask one;
	unsigned int cpu;

	if (a == -ENOSPC)
		KT_SKIP("no interrupts by message on this machine");
	KT_ASSERT(a >= 0 && b >= 0 && (a < b || a >= b + 4));
	arch_irq_compose_msi((unsigned int)a, &ma);
	arch_irq_compose_msi((unsigned int)b, &mb);
	KT_ASSERT(ma.addr != mb.addr || ma.data != mb.data);
	KT_EQ(arch_irq_set_affinity((unsigned int)a, cpu_online_mask), 0);
	for_each_online_cpu(cpu) {
		cpumask_clear(&one);
		cpumask_set_cpu(cpu, &one);
		KT_EQ(arch_irq_set_affinity((unsigned int)a, &one), 0);
	}
	arch_irq_free((unsigned int)a, 1);
	arch_irq_free((unsigned int)b, 4);
	KT_EQ(arch_irq_set_affinity((unsigned int)a, cpu_online_mask), -EINVAL);
	KT_EQ(arch_irq_map_gsi(100000, 0), -EINVAL);
}

KTEST(arch_vdso_is_elf)
{
	size_t size;
	const u8 *p = arch_vdso_image(&size);

	if (!p)
		KT_SKIP("no vDSO on this CPU");
	KT_ASSERT(PAGE_ALIGNED(size) && size && !memcmp(p, "\177ELF", 4));
	KT_ASSERT(PAGE_ALIGNED(arch_vdso_data_page()));
}

KTEST(arch_cpuinfo_fits)
{
	static char buf[2 * PAGE_SIZE];
	int n = arch_cpuinfo_show(buf, sizeof(buf), 0);

	KT_ASSERT(n > 0 && n < (int)sizeof(buf));
	for (unsigned int i = 0; arch_vulnerability_name(i); i++)
		KT_ASSERT(arch_vulnerability_show(buf, sizeof(buf), i) > 0);
}
