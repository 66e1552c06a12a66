// SPDX-License-Identifier: MIT
/*
 * The clock: nanoseconds since boot, from the TSC where it can be trusted (invariant, or the hypervisor says so, or the
 * user does: tsc=reliable), else from kvmclock, HPET or the ACPI timer. The TSC's rate comes from CPUID or the hypervisor; only
 * a machine that tells nothing is measured, against the best timer it has and for a fraction of a millisecond.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/pgtable.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <arch_cpu/vdso_data.h>
#include "arch/x86_64/x86_priv.h"

u64 tsc_khz __ro_after_init;
struct x86_clock x86_clock __ro_after_init;

#define PM_TIMER_HZ 3579545ULL
#define PIT_HZ 1193182ULL
#define CALIBRATE_US 400

enum clock_kind { CLOCK_NONE, CLOCK_TSC, CLOCK_KVM, CLOCK_HPET, CLOCK_PM };
static enum clock_kind kind __ro_after_init;
static char __iomem *hpet __ro_after_init;
static u32 hpet_fs __ro_after_init;		/* femtoseconds a tick */

/* KVM's page: one for all CPUs here, since it is used only where KVM says that its TSC is stable. */
struct pvclock {
	u32 version, pad;
	u64 tsc, ns;
	u32 mult;
	s8 shift;
	u8 flags, pad2[2];
};
#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define PVCLOCK_TSC_STABLE 1
static struct pvclock pvclock __aligned(64);

/* HPET and the ACPI timer wrap; the count above the hardware's bits is kept here. Any context: compare and swap. */
static u64 wide_count;

static u64 widen(u32 now, u64 mask)
{
	u64 old = __atomic_load_n(&wide_count, __ATOMIC_RELAXED), new;

	do {
		u64 delta = (now - old) & mask;

		if (delta > mask / 2)		/* another CPU has read a later value */
			return old;
		new = old + delta;
	} while (!__atomic_compare_exchange_n(&wide_count, &old, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return new;
}

static u64 pm_mask(void)
{
	return machine.pm_timer_32 ? 0xffffffff : 0xffffff;
}

static u64 read_kvmclock(void)
{
	struct pvclock c;
	u64 delta;

	do {
		c.version = __atomic_load_n(&pvclock.version, __ATOMIC_ACQUIRE);
		c.tsc = READ_ONCE(pvclock.tsc);
		c.ns = READ_ONCE(pvclock.ns);
		c.mult = READ_ONCE(pvclock.mult);
		c.shift = READ_ONCE(pvclock.shift);
		delta = rdtsc_ordered() - c.tsc;
		barrier();
	} while ((c.version & 1) || c.version != READ_ONCE(pvclock.version));
	delta = c.shift >= 0 ? delta << c.shift : delta >> -c.shift;
	return c.ns + mul_u64_u32_shr(delta, c.mult, 32);
}

static u64 read_slow(void)
{
	switch (kind) {
	case CLOCK_KVM:
		return read_kvmclock() - x86_clock.base_ns;
	case CLOCK_HPET:
		return mul_u64_u64_shr(widen(readl(hpet + 0xf0), 0xffffffff), ((u64)hpet_fs << 32) / 1000000, 32);
	case CLOCK_PM:
		return mul_u64_u64_shr(widen(inl((u16)machine.pm_timer) & (u32)pm_mask(), pm_mask()),
				       (1000000000ULL << 22) / PM_TIMER_HZ, 22);
	default:
		return 0;
	}
}

u64 arch_clock_ns(void)
{
	if (likely(kind == CLOCK_TSC))
		return x86_clock.base_ns + mul_u64_u32_shr(rdtsc_ordered() - x86_clock.base_tsc, x86_clock.mult,
							  x86_clock.shift);
	return read_slow();
}

u64 x86_clock_tsc_of(u64 ns)
{
	u64 rel = ns > x86_clock.base_ns ? ns - x86_clock.base_ns : 0;

	return x86_clock.base_tsc + mul_u64_u64_shr(rel, (tsc_khz << 32) / 1000000, 32);
}

const char *arch_clock_name(void)
{
	static const char *const names[] = { "none", "tsc", "kvm-clock", "hpet", "acpi_pm" };

	return names[kind];
}

unsigned long arch_clock_khz(void)
{
	return tsc_khz;
}

static u64 __init khz_from_cpuid(void)
{
	u32 a, b, c, d, max;

	cpuid(0, 0, &max, &b, &c, &d);
	if (cpu_has(X86_FEATURE_HYPERVISOR)) {
		cpuid(0x40000000, 0, &a, &b, &c, &d);
		if (a >= 0x40000010 && a < 0x40000100) {
			cpuid(0x40000010, 0, &a, &b, &c, &d);
			if (a)
				return a;
		}
	}
	if (max >= 0x15) {
		cpuid(0x15, 0, &a, &b, &c, &d);
		if (a && b && c)
			return (u64)c * b / a / 1000;
		if (a && b && max >= 0x16) {
			cpuid(0x16, 0, &a, &b, &c, &d);
			if (a & 0xffff)
				return (u64)(a & 0xffff) * 1000;
		}
	}
	return 0;
}

static u64 __init khz_from_kvm(void)
{
	u64 khz;

	if (!hypervisor_base || !cpu_has(X86_FEATURE_KVM_CLOCK2))
		return 0;
	wrmsr(MSR_KVM_SYSTEM_TIME, image_to_phys(&pvclock) | 1);
	if (!READ_ONCE(pvclock.mult))
		return 0;
	khz = (1000000ULL << 32) / pvclock.mult;
	return pvclock.shift < 0 ? khz << -pvclock.shift : khz >> pvclock.shift;
}

/* The emulator without hardware help keeps one count for all CPUs. */
static bool __init is_tcg(void)
{
	u32 a, b, c, d;

	if (!cpu_has(X86_FEATURE_HYPERVISOR))
		return false;
	cpuid(0x40000000, 0, &a, &b, &c, &d);
	return b == 0x54474354 && c == 0x43544743 && d == 0x47435447;
}

/* An APIC timer reading and the TSC half-way through it: the quickest of a few. */
static void __init sample_apic(u64 *ticks, u64 *tsc)
{
	u64 width = ~0ULL;

	for (int i = 0; i < 5; i++) {
		u64 t0 = rdtsc_ordered(), n = x86_apic_ticks(), t1 = rdtsc_ordered();

		if (t1 - t0 < width) {
			width = t1 - t0;
			*ticks = n;
			*tsc = t0 + width / 2;
		}
	}
}

/* Its APIC timer counts nanoseconds, which makes it the best reference there. */
static bool __init measure_by_apic(u64 *tsc, u64 *apic)
{
	u64 n0, n1, t0, t1;

	if (!is_tcg() || x86_pic_mode)
		return false;
	x86_apic_ticks_begin();
	sample_apic(&n0, &t0);
	while (x86_apic_ticks() - n0 < CALIBRATE_US * 1000)
		;
	sample_apic(&n1, &t1);
	x86_apic_ticks_end();
	*tsc = (t1 - t0) * 1000000 / (n1 - n0);
	*apic = 1000000;
	return true;
}

/* One reading of a reference timer in its ticks, and the TSC half-way through that reading. */
struct sample {
	u64 ticks, tsc;
};

static u64 __init read_reference(int ref)
{
	switch (ref) {
	case CLOCK_HPET:
		return readl(hpet + 0xf0);
	case CLOCK_PM:
		return inl((u16)machine.pm_timer) & (u32)pm_mask();
	default: {
		u8 lo;

		outb(0x80, 0x43);		/* latch channel 2 */
		lo = inb(0x42);
		return 0xffff - (lo | (u32)inb(0x42) << 8);
	}
	}
}

/* The moment at which the reference steps, taken where the two readings around it lie closest. */
static struct sample __init sample_edge(int ref)
{
	struct sample best = { 0, 0 };
	u64 best_width = ~0ULL;

	for (int i = 0; i < 3; i++) {
		u64 first = read_reference(ref), t0 = rdtsc_ordered(), t1, now;
		unsigned int spins = 0;

		for (;;) {
			now = read_reference(ref);
			t1 = rdtsc_ordered();
			if (now != first || ++spins > 100000)
				break;
			t0 = t1;
		}
		if (t1 - t0 < best_width) {
			best_width = t1 - t0;
			best = (struct sample){ now, t0 + (t1 - t0) / 2 };
		}
	}
	return best;
}

static void __init start_pit(void)
{
	outb((inb(0x61) & ~2) | 1, 0x61);
	outb(0xb0, 0x43);			/* channel 2, both bytes, mode 0 */
	outb(0xff, 0x42);
	outb(0xff, 0x42);
}

/* Measures TSC and APIC timer against REF for CALIBRATE_US. Rates in kHz. */
static bool __init calibrate(int ref, u64 hz, u64 mask, u64 *tsc, u64 *apic)
{
	struct sample a, b;
	u64 want = hz * CALIBRATE_US / 1000000, ticks, start = rdtsc_ordered();
	u32 apic_ticks;
	u64 t0, t1;

	a = sample_edge(ref);
	x86_apic_ticks_begin();
	t0 = rdtsc_ordered();
	while (((read_reference(ref) - a.ticks) & mask) < want)
		if (rdtsc_ordered() - start > 10000000000ULL)
			return false;
	apic_ticks = x86_apic_ticks_end();
	t1 = rdtsc_ordered();
	b = sample_edge(ref);
	ticks = (b.ticks - a.ticks) & mask;
	if (!ticks || b.tsc <= a.tsc)
		return false;
	*tsc = (b.tsc - a.tsc) * (hz / 10) / ticks / 100;
	*apic = apic_ticks * *tsc / (t1 - t0);
	return true;
}

static bool __init measure(u64 *tsc, u64 *apic)
{
	if (measure_by_apic(tsc, apic))
		return true;
	if (hpet && calibrate(CLOCK_HPET, 1000000000000000ULL / hpet_fs, 0xffffffff, tsc, apic))
		return true;
	if (machine.pm_timer && calibrate(CLOCK_PM, PM_TIMER_HZ, pm_mask(), tsc, apic))
		return true;
	start_pit();
	return calibrate(CLOCK_NONE, PIT_HZ, 0xffff, tsc, apic);
}

/* The APIC timer alone, against the known TSC. */
static u64 __init measure_apic(void)
{
	u64 t0, ticks, span = tsc_khz * CALIBRATE_US / 1000 / 2;

	x86_apic_ticks_begin();
	t0 = rdtsc_ordered();
	while (rdtsc_ordered() - t0 < span)
		;
	ticks = x86_apic_ticks_end();
	return ticks * tsc_khz / (rdtsc_ordered() - t0);
}

static void __init find_hpet(void)
{
	if (!machine.hpet)
		return;
	hpet = arch_ioremap(machine.hpet, PAGE_SIZE, PTE_P_KERNEL_IO);
	hpet_fs = hpet ? readl(hpet + 4) : 0;
	if (hpet_fs < 100000 || hpet_fs > 100000000) {
		hpet = NULL;
		return;
	}
	writel(readl(hpet + 0x10) | 1, hpet + 0x10);
}

bool arch_vdso_clock(struct vdso_clock *c)
{
	*c = (struct vdso_clock){ x86_clock.base_tsc, x86_clock.base_ns, x86_clock.mult, x86_clock.shift };
	return x86_clock.user_readable;
}

static bool __init tsc_trusted(void)
{
	const char *said = command_line_get("tsc");

	if (said && !strcmp(said, "unstable"))
		return false;
	if (cpu_has(X86_FEATURE_INVARIANT_TSC) || is_tcg() || (said && !strcmp(said, "reliable")))
		return true;
	return pvclock.flags & PVCLOCK_TSC_STABLE;
}

static void __init choose_kind(void)
{
	if (tsc_khz && tsc_trusted()) {
		x86_clock.shift = 24;
		while (((1000000ULL << x86_clock.shift) / tsc_khz) >> 32)
			x86_clock.shift--;
		x86_clock.mult = (u32)((1000000ULL << x86_clock.shift) / tsc_khz);
		x86_clock.base_tsc = rdtsc_ordered();
		x86_clock.user_readable = true;
		kind = CLOCK_TSC;
	} else if (pvclock.mult) {
		x86_clock.base_ns = read_kvmclock();
		kind = CLOCK_KVM;
	} else if (hpet) {
		wide_count = readl(hpet + 0xf0);
		kind = CLOCK_HPET;
	} else if (machine.pm_timer) {
		wide_count = inl((u16)machine.pm_timer) & (u32)pm_mask();
		kind = CLOCK_PM;
	} else {
		panic("clock: no usable time source");
	}
}

void __init arch_clock_init(void)
{
	u64 apic_khz = 0;

	tsc_khz = khz_from_cpuid();
	if (!tsc_khz)
		tsc_khz = khz_from_kvm();
	if (!tsc_khz || !tsc_trusted())
		find_hpet();
	if (!tsc_khz && !measure(&tsc_khz, &apic_khz))
		pr_warn("clock: the TSC's rate could not be measured\n");
	if (!apic_khz && tsc_khz && !x86_pic_mode)
		apic_khz = measure_apic();
	choose_kind();
	x86_apic_timer_rate(apic_khz, kind == CLOCK_TSC);
	pr_info("clock: %s, TSC %llu.%03llu MHz\n", arch_clock_name(), tsc_khz / 1000, tsc_khz % 1000);
}

void arch_udelay(unsigned long us)
{
	if (tsc_khz) {
		u64 start = rdtsc_ordered(), span = us * tsc_khz / 1000;

		while (rdtsc_ordered() - start < span)
			cpu_relax();
	} else {
		while (us--)
			inb(0x80);		/* about a microsecond */
	}
}
