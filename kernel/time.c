// SPDX-License-Identifier: MIT
/*
 * The clocks. CLOCK_MONOTONIC is arch_clock_ns(); REALTIME is it plus an offset that readers take under a sequence count;
 * the tick keeps a coarse copy so that timestamps cost no hardware access. REALTIME starts at 1970; the battery clock's
 * driver sets it at the sched level, before there is a file to bear a date.
 */
#include <lib/types.h>
#include <lib/minmax.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/seqlock.h>
#include <kernel/time.h>
#include <kernel/time_priv.h>
#include <arch/clock.h>
#include <arch/vdso.h>
#include <abi/errno.h>

static DEFINE_SPINLOCK(clock_lock);
static s64 real_offset_ns;		/* clock_lock to change */
static u64 coarse_ns;			/* atomic; as of the last tick anywhere */

u64 ktime_get_ns(void)
{
	return arch_clock_ns();
}
EXPORT(ktime_get_ns);

u64 ktime_get_real_ns(void)
{
	return arch_clock_ns() + (u64)ktime_real_offset_ns();
}

/* There is no suspend: time since boot is monotonic time. */
u64 ktime_get_boottime_ns(void)
{
	return ktime_get_ns();
}

u64 ktime_get_coarse_ns(void)
{
	u64 t = READ_ONCE(coarse_ns);

	return likely(t) ? t : ktime_get_ns();
}

s64 ktime_real_offset_ns(void)
{
	return READ_ONCE(real_offset_ns);
}

u64 ktime_get_real_coarse_ns(void)
{
	return ktime_get_coarse_ns() + (u64)ktime_real_offset_ns();
}

/* Interrupts off. Several CPUs tick: only forward. */
void time_update_coarse(u64 now)
{
	u64 old = READ_ONCE(coarse_ns);

	while (now > old && !try_cmpxchg_relaxed(&coarse_ns, &old, now))
		;
}

/* Sums of 64-bit nanoseconds do not overflow within 30 years of such a time. */
#define SET_TIME_LIMIT ((u64)(KTIME_MAX / NSEC_PER_SEC - 30LL * 365 * 24 * 3600) * NSEC_PER_SEC)

bool ktime_may_be_set(u64 ns)
{
	return ns < SET_TIME_LIMIT;
}

int ktime_set_real_ns(u64 ns)
{
	unsigned long flags;
	u64 mono;

	if (!ktime_may_be_set(ns))
		return -EINVAL;
	spin_lock_irqsave(&clock_lock, flags);
	mono = arch_clock_ns();
	if (ns < mono) {		/* or the wall clock at boot would be before 1970 */
		spin_unlock_irqrestore(&clock_lock, flags);
		return -EINVAL;
	}
	WRITE_ONCE(real_offset_ns, (s64)(ns - mono));
	arch_vdso_update(real_offset_ns, 0, 0);
	spin_unlock_irqrestore(&clock_lock, flags);
	time_update_coarse(ktime_get_ns());
	timers_clock_was_set();
	clock_was_set();
	return 0;
}

u64 sched_clock(void)
{
	return arch_clock_ns();
}

void udelay(unsigned long us)
{
	arch_udelay(us);
}

void ndelay(unsigned long ns)
{
	arch_udelay(DIV_ROUND_UP(ns, 1000));
}

static int time_init(void)
{
	arch_vdso_update(real_offset_ns, 0, 0);
	time_update_coarse(ktime_get_ns());
	return 0;
}
INITCALL(core, time_init);
