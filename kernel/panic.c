// SPDX-License-Identifier: MIT
/*
 * When the kernel itself goes wrong: warnings, oopses and panics.
 *
 * An oops prints what, where (registers, backtrace through C and Rust) and who, then ends the running task if nothing
 * is lost by that: not in an interrupt, not the idle task, not init. A panic stops the other CPUs, prints everything that still
 * waits, and halts, reboots or leaves the emulator as panic= says.
 */
#include <lib/types.h>
#include <arch/clock.h>
#include <lib/atomic.h>
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/ksyms.h>
#include <kernel/lockdep.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/show.h>
#include <kernel/refcount.h>
#include <kernel/time.h>
#include <kernel/upcalls.h>
#include <arch/cpu.h>
#include <arch/power.h>
#include <arch/ptrace.h>
#include <arch/smp.h>
#include <arch/stacktrace.h>
#include <abi/errno.h>

bool kernel_tainted, kernel_unsigned_module, kernel_outside_module;
static int panic_timeout;		/* seconds; < 0: at once; 0: stay */
static int panic_on_oops, panic_on_warn;
static u32 panicking;			/* atomic: CPU + 1 */
static u32 oops_lock;			/* atomic: CPU + 1 */
static unsigned int oops_count;

static bool print_frame(void *arg, unsigned long addr)
{
	char name[160];

	printk(KERN_EMERG "  [<%016lx>] %s\n", addr, ksym_describe(addr, name, sizeof(name)));
	return ++*(int *)arg < 40;
}

void dump_stack_from(const struct pt_regs *regs)
{
	int n = 0;

	printk(KERN_EMERG "Call trace:\n");
	arch_stack_walk(regs, print_frame, &n);
}

void dump_stack(void)
{
	int n = 0;

	printk(KERN_EMERG "Call trace:\n");
	arch_stack_walk(NULL, print_frame, &n);
}

static void print_context(void)
{
	bool any = kernel_tainted || kernel_outside_module || kernel_unsigned_module;

	printk(KERN_EMERG "CPU: %u PID: %d Comm: %s %s%s%s%s\n", raw_smp_processor_id(), current_task_pid(), current_task_name(),
	       any ? "Tainted: " : "Not tainted", kernel_tainted ? "W" : "", kernel_outside_module ? "O" : "", kernel_unsigned_module ? "E" : "");
}

/* One CPU prints at a time, so that two reports do not mix; the same CPU may come again: true. */
static bool oops_enter(void)
{
	u32 me = raw_smp_processor_id() + 1, old = 0;

	while (!try_cmpxchg_acquire(&oops_lock, &old, me)) {
		if (old == me)
			return true;
		old = 0;
		cpu_relax();
	}
	return false;
}

static void oops_leave(void)
{
	smp_store_release(&oops_lock, 0);
}

static bool stopping;

static void __noreturn stop_machine_for_good(void)
{
	stopping = true;
	if (panic_timeout > 0) {
		printk(KERN_EMERG "Rebooting in %d seconds..\n", panic_timeout);
		for (int i = 0; i < panic_timeout * 100; i++)
			arch_udelay(10000);
	}
	if (panic_timeout)
		arch_reset();
	printk(KERN_EMERG "---[ end Kernel panic ]---\n");
	for (;;)
		arch_cpu_halt();
}

void panic(const char *fmt, ...)
{
	u32 me = raw_smp_processor_id() + 1, old = 0;
	char msg[512];
	va_list ap;

	local_irq_disable();
	if (!try_cmpxchg(&panicking, &old, me)) {
		if (old != me)
			arch_cpu_halt();
		while (stopping)	/* a panic inside a panic: say nothing more */
			arch_cpu_halt();
		stop_machine_for_good();
	}
	console_panic_mode();
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	printk(KERN_EMERG "Kernel panic - not syncing: %s\n", msg);
	print_context();
	dump_stack();
	arch_smp_stop_others();
	stop_machine_for_good();
}

void bug_at(const char *file, int line, const char *what)
{
	oops_enter();
	kernel_tainted = true;
	printk(KERN_EMERG "------------[ cut here ]------------\n");
	printk(KERN_EMERG "kernel BUG at %s:%d: %s\n", file, line, what);
	print_context();
	dump_stack();
	oops_leave();
	if (!panic_on_oops && !irqs_disabled())
		oops_end_task(NULL);
	panic("BUG at %s:%d", file, line);
}
EXPORT(bug_at);

void warn_at(const char *file, int line, const char *fmt, ...)
{
	char msg[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	oops_enter();
	printk(KERN_EMERG "------------[ cut here ]------------\n");
	printk(KERN_EMERG "WARNING: %s:%d: %s\n", file, line, msg);
	print_context();
	dump_stack();
	printk(KERN_EMERG "---[ end trace ]---\n");
	oops_leave();
	damage_reported();
}
EXPORT(warn_at);

void damage_reported(void)
{
	kernel_tainted = true;
	if (panic_on_warn)
		panic("panic_on_warn set");
}

void warn_trap(struct pt_regs *regs, const char *file, int line)
{
	warn_at(file, line, "trap at %016lx", regs_ip(regs));
}

void die(const char *what, struct pt_regs *regs, unsigned long error)
{
	char name[160];
	int n = 0;

	/* What is told last reads what may be damaged. */
	if (oops_enter()) {
		printk(KERN_EMERG "Oops: %s, error %04lx, while another was reported, at %s\n", what, error, ksym_describe(regs_ip(regs), name, sizeof(name)));
		panic("an oops could not be reported");
	}
	printk(KERN_EMERG "Oops: %s, error %04lx [#%u]\n", what, error, ++oops_count);
	print_context();
	arch_show_regs(regs);
	printk(KERN_EMERG "Call trace:\n");
	arch_stack_walk(regs, print_frame, &n);
	lockdep_print_held();
	printk(KERN_EMERG "---[ end trace ]---\n");
	kernel_tainted = true;
	oops_leave();
	if (in_interrupt())
		panic("Fatal exception in interrupt");
	/* What this task holds would never be let go: the others would hang in it. */
	if (in_atomic() || !regs_irqs_enabled(regs))
		panic("Fatal exception with locks held or interrupts off");
	if (panic_on_oops)
		panic("Fatal exception");
	oops_end_task(regs);
	panic("Fatal exception: %s", what);
}

void refcount_report(refcount_t *r, const char *what)
{
	atomic_set(&r->refs, REFCOUNT_SATURATED);
	WARN(1, "refcount_t %p: %s; saturated, leaking memory", (void *)r, what);
}
EXPORT(refcount_report);

static int set_panic(const char *v)
{
	return v ? kstrtoint(v, 10, &panic_timeout) : -EINVAL;
}

static int set_oops(const char *v)
{
	if (!v || strcmp(v, "panic"))
		return -EINVAL;
	panic_on_oops = 1;
	return 0;
}

static int set_panic_on_warn(const char *v)
{
	panic_on_warn = 1;
	return 0;
}

KERNEL_PARAM("panic", set_panic);
KERNEL_PARAM("oops", set_oops);
KERNEL_PARAM("panic_on_warn", set_panic_on_warn);

#ifdef CONFIG_DEBUG
#include <lib/list.h>

bool list_check_add(const struct list_head *n, const struct list_head *prev, const struct list_head *next)
{
	return !WARN(next->prev != prev || prev->next != next || n == prev || n == next,
		     "list_add corruption: %p between %p and %p", (void *)n, (void *)prev, (void *)next);
}
EXPORT_DEBUG(list_check_add);

bool list_check_del(const struct list_head *e)
{
	if (WARN(e->next == LIST_POISON1 || e->prev == LIST_POISON2, "list_del corruption: %p is not on a list", (void *)e))
		return false;
	return !WARN(e->prev->next != e || e->next->prev != e, "list_del corruption: neighbours of %p do not point to it",
		     (void *)e);
}
EXPORT_DEBUG(list_check_del);
#endif

static int panic_sysctl(void)
{
	sysctl_int("kernel/panic", 0644, &panic_timeout, INT_MIN, INT_MAX);
	sysctl_int("kernel/panic_on_oops", 0644, &panic_on_oops, INT_MIN, INT_MAX);
	sysctl_int("kernel/panic_on_warn", 0644, &panic_on_warn, 0, 1);
	return 0;
}
INITCALL(fs, panic_sysctl);
