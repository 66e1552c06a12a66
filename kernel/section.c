// SPDX-License-Identifier: MIT
/*
 * The longest sections with preemption or interrupts off (debug build).
 *
 * No work whose length a user controls may be done in such a section. Time would show a long one only on a quiet machine and where many objects are: this counts
 * branches, loop iterations among them, which are the same each time. A section is counted from where preemption or interrupts went off until both are on again; an
 * interrupt's handler is a section of its own. Sections that are over are noticed by the next one, or by the next branch outside: nothing is called at an end.
 * Waiting is not counted: the compiler puts no calls into spinlock.c and smp.c (Makefile, nocov), nor into the scheduler.
 *
 * /sys/kernel/debug/sections lists the worst by the place that opened them; each place is reported once, when it first passes LIMIT.
 */
#include <lib/types.h>

#ifdef CONFIG_SECTIONS
#include <arch/irqflags.h>
#include <arch/percpu.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/ksyms.h>
#include <kernel/lockdep.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/section.h>
#include <kernel/show.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/format.h>

#define LIMIT 20000	/* branches: some 100,000 instructions of the release build */
#define KEEP 100	/* shorter ones are not written down */
#define MAX_PLACES 4096	/* not a page */

enum { WITHOUT_PREEMPTION, WITHOUT_INTERRUPTS, IN_RCU, IN_INTERRUPT };
static const char *const whats[] = { "preemption off", "interrupts off", "RCU read section", "interrupt" };
enum { OF_TASK = 1, OF_INTERRUPT = 2 };		/* bits of open; the index of a section is the bit's number */

static DEFINE_PER_CPU(u8, open);		/* own CPU; interrupts put back what they change */
static DEFINE_PER_CPU(struct section_worst, running[2]);

static struct place {
	struct section_worst w;		/* branches: atomic; opened: atomic, written once */
	bool said;			/* atomic */
} places[MAX_PLACES];
static bool counting;

bool section_is_open(void)
{
	return this_cpu_read(open) != 0;
}

u32 section_limit(void)
{
	return LIMIT;
}

/* Of the section that was opened at IP. NULL: the table is full. */
static struct place *place_of(unsigned long ip)
{
	for (unsigned int n = 0, i = (unsigned int)(ip * 0x9e3779b97f4a7c15UL >> 52); n < MAX_PLACES; n++, i++) {
		struct place *p = &places[i % MAX_PLACES];
		unsigned long old = READ_ONCE(p->w.opened);

		if (old == ip || (!old && (try_cmpxchg(&p->w.opened, &old, ip) || old == ip)))
			return p;
	}
	return NULL;
}

static void describe(char *buf, size_t size, const struct section_worst *w)
{
	char opened[160], at[160];
	size_t n = (size_t)scnprintf(buf, size, "%u branches, %s%s%s, since [<%016lx>] %s", w->branches, whats[w->what], w->lock ? ", " : "",
				     w->lock ? w->lock : "", w->opened, ksym_describe(w->opened, opened, sizeof(opened)));

	if (w->at)
		scnprintf(buf + n, size - n, ", passed the limit at [<%016lx>] %s", w->at, ksym_describe(w->at, at, sizeof(at)));
}

/* W is over. A section that is the worst of its place on two CPUs at once is written down by one of them, or by both in turn. */
static noinline void note(const struct section_worst *w)
{
	struct place *p = place_of(w->opened);
	u32 old;
	char text[480];

	if (!p)
		return;
	old = READ_ONCE(p->w.branches);
	do {
		if (old >= w->branches)
			return;
	} while (!try_cmpxchg(&p->w.branches, &old, w->branches));
	WRITE_ONCE(p->w.what, w->what);
	WRITE_ONCE(p->w.lock, w->lock);
	WRITE_ONCE(p->w.at, w->at);
	if (w->branches < LIMIT || __atomic_exchange_n(&p->said, true, __ATOMIC_RELAXED))
		return;
	describe(text, sizeof(text), w);
	pr_warn("SECTION: %s\n", text);
}

/* Preemption or interrupts are off, or this is an interrupt. Ends the section number I. */
static void end(unsigned int i)
{
	struct section_worst w = *this_cpu_ptr(&running[i]);

	this_cpu_write(open, (u8)(this_cpu_read(open) & ~(1U << i)));
	if (unlikely(w.branches >= KEEP))
		note(&w);
}

static void begin(unsigned int i, u8 what, unsigned long ip)
{
	if (this_cpu_read(open) & 1U << i)
		end(i);
	*this_cpu_ptr(&running[i]) = (struct section_worst){ .opened = ip, .what = what };
	this_cpu_write(open, (u8)(this_cpu_read(open) | 1U << i));
}

void section_preempt_disable(void)
{
	__preempt_count_add(1);
	if (counting && preempt_count() == 1 && !irqs_disabled())
		begin(0, WITHOUT_PREEMPTION, _RET_IP_);
}
EXPORT_DEBUG(section_preempt_disable);

void section_irqs_off(void)
{
	if (counting && !preempt_count())
		begin(0, WITHOUT_INTERRUPTS, _RET_IP_);
}

static struct section_worst *innermost(void)
{
	unsigned int i = in_hardirq() ? 1 : 0;

	return !in_nmi() && this_cpu_read(open) & 1U << i ? this_cpu_ptr(&running[i]) : NULL;
}

void section_lock(const char *name)
{
	struct section_worst *w = innermost();

	if (w && !w->lock)
		w->lock = name;
}

void section_rcu(void)
{
	struct section_worst *w = innermost();

	if (w && w->what == WITHOUT_PREEMPTION && !w->lock && !w->branches)
		w->what = IN_RCU;
}

/* What it interrupted is in no section where preemption was on, too. */
void section_irq_enter(void)
{
	if (preempt_count() == HARDIRQ_OFFSET && this_cpu_read(open) & OF_TASK)
		end(0);
	if (counting)
		begin(1, IN_INTERRUPT, _RET_IP_);
}

void section_irq_exit(void)
{
	if (this_cpu_read(open) & OF_INTERRUPT)
		end(1);
}

void section_break(void)
{
	unsigned long flags = arch_irq_save();

	if (this_cpu_read(open) & OF_TASK)
		end(0);
	arch_irq_restore(flags);
}

void section_branch(unsigned long ip)
{
	int count = preempt_count();
	struct section_worst *w;

	if (count & NMI_MASK)
		return;
	if (!count && !irqs_disabled()) {	/* this CPU is not ours for longer than a moment */
		section_break();
		return;
	}
	w = innermost();
	if (w && ++w->branches == LIMIT)
		w->at = ip;
}

bool section_find(unsigned long begin, unsigned long end, struct section_worst *w)
{
	bool found = false;

	for (unsigned int i = 0; i < MAX_PLACES; i++) {
		const struct section_worst *p = &places[i].w;

		if (p->opened >= begin && p->opened < end && (!found || p->branches > w->branches)) {
			*w = *p;
			found = true;
		}
	}
	return found;
}

/* The worst below BELOW: its number in the table, or -1. */
static int next_worst(u32 below, int after)
{
	int best = -1;

	for (int i = 0; i < MAX_PLACES; i++) {
		u32 n = READ_ONCE(places[i].w.branches);

		if (!n || n > below || (n == below && i <= after))
			continue;
		if (best < 0 || n > READ_ONCE(places[best].w.branches))
			best = i;
	}
	return best;
}

/* As many as there is space for, the worst first. */
static ssize_t show_sections(struct show_node *n, char *buf, size_t size)
{
	size_t len = (size_t)scnprintf(buf, size, "limit %d\n", LIMIT);
	u32 below = U32_MAX;
	char text[480];

	for (int i = -1; (i = next_worst(below, i)) >= 0 && size - len > sizeof(text); ) {
		struct section_worst w = places[i].w;

		below = w.branches;
		describe(text, sizeof(text), &w);
		len += (size_t)scnprintf(buf + len, size - len, "%s\n", text);
	}
	return (ssize_t)len;
}

static int section_init(void)
{
	counting = true;
	return show_attr(show_root_node(SHOW_DEBUG), "sections", 0400, show_sections, NULL, NULL) ? 0 : -1;
}
INITCALL(late, section_init);
#endif
