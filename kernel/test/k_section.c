// SPDX-License-Identifier: MIT
/* The debug build finds what is long with preemption or interrupts off, and says where it began. */
#include <lib/types.h>
#include <linux/time.h>
#include <kernel/ksyms.h>
#include <kernel/ktest.h>
#include <kernel/preempt.h>
#include <kernel/rcu.h>
#include <kernel/section.h>
#include <kernel/seqlock.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>

#ifdef CONFIG_SECTIONS
static DEFINE_SPINLOCK(long_lock);
static volatile unsigned long sum;

/* A loop with a branch of its own. */
static noinline void work(u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (sum++ & 1)
			sum++;
}

static noinline void under_lock(u32 n)
{
	spin_lock(&long_lock);
	work(n);
	spin_unlock(&long_lock);
}

static noinline void under_irq_lock(u32 n)
{
	unsigned long flags;

	spin_lock_irqsave(&long_lock, flags);
	work(n);
	spin_unlock_irqrestore(&long_lock, flags);
}

static noinline void under_rcu(u32 n)
{
	rcu_read_lock();
	work(n);
	rcu_read_unlock();
}

static noinline void without_interrupts(u32 n)
{
	unsigned long flags;

	local_irq_save(flags);
	work(n);
	local_irq_restore(flags);
}

/* Nested sections are one, and it began with the outermost. */
static noinline void nested(u32 n)
{
	rcu_read_lock();
	for (u32 i = 0; i < n / 100; i++)
		under_lock(100);
	rcu_read_unlock();
}

/* Short ones, one after the other, are not one. */
static noinline void many_short(u32 n)
{
	for (u32 i = 0; i < n / 100; i++) {
		spin_lock(&long_lock);
		work(100);
		spin_unlock(&long_lock);
	}
}

static seqcount_t count;
static unsigned long bit;
static struct hrtimer writer;

static enum hrtimer_restart write_is_over(struct hrtimer *t)
{
	if (count.seq & 1)
		raw_write_seqcount_end(&count);
	clear_bit_unlock(0, &bit);
	return HRTIMER_NORESTART;
}

/* Interrupts end what is waited for, N microseconds later. */
static noinline void waiting(u32 n)
{
	hrtimer_init(&writer, CLOCK_MONOTONIC, write_is_over);
	raw_write_seqcount_begin(&count);
	preempt_disable();
	hrtimer_start(&writer, (ktime_t)n * 1000, HRTIMER_MODE_REL);
	read_seqcount_begin(&count);
	preempt_enable();
	set_bit(0, &bit);
	preempt_disable();
	hrtimer_start(&writer, (ktime_t)n * 1000, HRTIMER_MODE_REL);
	bit_spin_lock(0, &bit);
	bit_spin_unlock(0, &bit);
	preempt_enable();
}

static noinline void in_the_open(u32 n)
{
	work(n);
}

/* The worst that was opened in FN, in branches; what it passed the limit in. */
static u32 worst_of(void (*fn)(u32), struct section_worst *w)
{
	unsigned long begin, len;

	preempt_disable();		/* which says that the one before is over */
	preempt_enable();
	*w = (struct section_worst){ 0 };
	if (ksym_lookup((unsigned long)fn, &begin, &len, NULL, 0))
		section_find(begin, begin + len, w);
	return w->branches;
}
#endif

KTEST(section_long_ones_are_found)
{
#ifdef CONFIG_SECTIONS
	static void (*const fns[])(u32) = { under_lock, under_irq_lock, under_rcu, without_interrupts, nested };
	u32 limit = section_limit();
	struct section_worst w;

	for (size_t i = 0; i < sizeof(fns) / sizeof(fns[0]); i++) {
		if (fns[i] != nested)
			fns[i](50);
		KT_ASSERT(worst_of(fns[i], &w) < limit);
		fns[i](limit);
		KT_ASSERT(worst_of(fns[i], &w) >= limit);
		KT_ASSERT(w.at >= (unsigned long)work || fns[i] == nested);
		KT_ASSERT((w.lock != NULL) == (fns[i] == under_lock || fns[i] == under_irq_lock || fns[i] == nested));
	}
#else
	KT_SKIP("the debug build counts");
#endif
}

KTEST(section_short_ones_are_not)
{
#ifdef CONFIG_SECTIONS
	u32 limit = section_limit();
	struct section_worst w;

	many_short(2 * limit);
	KT_ASSERT(worst_of(many_short, &w) < 1000);
	waiting(10 * limit);
	KT_ASSERT(worst_of(waiting, &w) < 1000);
	in_the_open(2 * limit);
	KT_EQ(worst_of(in_the_open, &w), 0);
#else
	KT_SKIP("the debug build counts");
#endif
}
