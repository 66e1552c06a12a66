// SPDX-License-Identifier: MIT
/*
 * The kernel log.
 *
 * Two rings: descriptors (one a record) and text. A writer reserves by compare-exchange on a descriptor's number,
 * reserves text the same way, fills both, and commits by a release store of the descriptor's state. Readers copy and then
 * check that the descriptor is still the one they began with. Nothing here takes a lock, so an NMI may print in the midst of
 * another printk. Interrupts are off from number to commit: whoever were held up there for a ring's length would write over
 * a newer record. Should that happen all the same (a hypervisor may hold a CPU up), the older one gives way.
 *
 * Output: until the console thread runs, and in a panic, the writer itself pushes records out through atomic consoles; who
 * comes second while someone is at it leaves its record to the first.
 */
#include <lib/types.h>
#include <lib/atomic.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/preempt.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <kernel/upcalls.h>
#include <abi/errno.h>
#include <arch/clock.h>

#define DESC_BITS 11
#define DESC_COUNT (1U << DESC_BITS)
#define TEXT_BITS 17
#define TEXT_SIZE (1U << TEXT_BITS)
#define LINE_MAX_LEN 1000

struct desc {
	u64 state;		/* (seq << 2) | DESC_*; release-stored */
	u64 ts_ns;
	u64 text;		/* text position, counted without wrapping */
	u32 pid;
	u16 len;
	u8 level, facility;
};

enum { DESC_FREE, DESC_RESERVED, DESC_COMMITTED };

static struct desc descs[DESC_COUNT];
static char text_ring[TEXT_SIZE];
static u64 next_seq;			/* atomic */
static u64 next_text;			/* atomic */

int console_loglevel = 7;
static struct console *consoles;
static u32 console_busy;		/* atomic: who prints now */
static bool console_thread_up;
static u32 console_panic;		/* CPU + 1 that panics */

static void ring_copy_in(u64 pos, const char *s, size_t n)
{
	size_t off = pos & (TEXT_SIZE - 1), first = min(n, TEXT_SIZE - off);

	memcpy(text_ring + off, s, first);
	memcpy(text_ring, s + first, n - first);
}

static void ring_copy_out(u64 pos, char *s, size_t n)
{
	size_t off = pos & (TEXT_SIZE - 1), first = min(n, TEXT_SIZE - off);

	memcpy(s, text_ring + off, first);
	memcpy(s + first, text_ring, n - first);
}

static void store_record(unsigned int level, unsigned int facility, const char *s, size_t n)
{
	u64 seq, pos, old;
	unsigned long flags;
	struct desc *d;

	local_irq_save(flags);
	seq = __atomic_fetch_add(&next_seq, 1, __ATOMIC_RELAXED);
	pos = __atomic_fetch_add(&next_text, n, __ATOMIC_RELAXED);
	d = &descs[seq & (DESC_COUNT - 1)];
	old = READ_ONCE(d->state);
	do {
		if (unlikely(old >> 2 > seq))
			goto out;
	} while (!try_cmpxchg(&d->state, &old, seq << 2 | DESC_RESERVED));
	smp_wmb();
	d->ts_ns = sched_clock();
	d->text = pos;
	d->len = (u16)n;
	d->level = (u8)level;
	d->facility = (u8)facility;
	d->pid = (u32)current_task_pid();
	ring_copy_in(pos, s, n);
	old = seq << 2 | DESC_RESERVED;
	try_cmpxchg_release(&d->state, &old, seq << 2 | DESC_COMMITTED);
out:
	local_irq_restore(flags);
}

u64 printk_next_seq(void)
{
	return __atomic_load_n(&next_seq, __ATOMIC_ACQUIRE);
}

static bool record_intact(u64 seq, const struct desc *d)
{
	/* Text that is a ring's length behind may have been written over. */
	return READ_ONCE(d->state) == (seq << 2 | DESC_COMMITTED) &&
	       READ_ONCE(next_text) - d->text <= TEXT_SIZE;
}

u64 printk_first_seq(void)
{
	u64 end = printk_next_seq(), seq = end > DESC_COUNT ? end - DESC_COUNT : 0;

	while (seq < end) {
		struct desc *d = &descs[seq & (DESC_COUNT - 1)];

		if (record_intact(seq, d))
			break;
		seq++;
	}
	return seq;
}

int printk_read(u64 *seq, struct printk_record *out)
{
	u64 s = *seq, end = printk_next_seq();
	struct desc *d = &descs[s & (DESC_COUNT - 1)];
	u64 state, pos;

	if (s >= end)
		return -ENODATA;
	state = smp_load_acquire(&d->state);
	if (state >> 2 == s && (state & 3) == DESC_RESERVED)
		return -ENODATA;	/* being written */
	if (state >> 2 < s)
		return -ENODATA;	/* number taken, not marked yet */
	pos = d->text;
	out->seq = s;
	out->ts_ns = d->ts_ns;
	out->caller_pid = d->pid;
	out->level = d->level;
	out->facility = d->facility;
	out->len = min_t(u16, d->len, LINE_MAX_LEN);
	ring_copy_out(pos, out->text, out->len);
	out->text[out->len] = '\0';
	smp_rmb();
	if (!record_intact(s, d)) {
		*seq = printk_first_seq();
		return -EPIPE;
	}
	return 0;
}

void printk_user(unsigned int facility, unsigned int level, const char *text, size_t len)
{
	store_record(level, facility, text, min_t(size_t, len, LINE_MAX_LEN));
	console_flush();
}

/* Prints to C everything from its position on. */
/* A CPU that panics prints by itself: who else is at it lets go after the line. */
static bool panics_elsewhere(void)
{
	u32 who = READ_ONCE(console_panic);

	return who && who != raw_smp_processor_id() + 1;
}

static void console_drain(struct console *c)
{
	static struct printk_record r;	/* console_busy held */
	static char line[LINE_MAX_LEN + 40];

	for (;;) {
		u64 seq = c->next_seq;
		int e = printk_read(&seq, &r), n;

		if (e == -ENODATA || panics_elsewhere())
			return;
		c->next_seq = e ? seq : seq + 1;
		if (e || r.level >= console_loglevel)
			continue;
		n = scnprintf(line, sizeof(line), "[%5llu.%06llu] ", r.ts_ns / NSEC_PER_SEC,
			      r.ts_ns % NSEC_PER_SEC / NSEC_PER_USEC);
		memcpy(line + n, r.text, r.len);
		line[n + r.len] = '\n';
		c->write(c, line, (size_t)n + r.len + 1);
	}
}

/* In a panic: waits until the others have let go, for as long as a line may take; then it is ours whoever has it. */
static bool console_take_over(void)
{
	if (!console_panic || panics_elsewhere())
		return false;
	for (int i = 0; i < 200 && READ_ONCE(console_busy); i++)
		arch_udelay(1000);
	WRITE_ONCE(console_busy, 1);
	return true;
}

void console_flush(void)
{
	u64 end;

	if (console_thread_up && !console_panic) {
		console_wake();
		return;
	}
	/* Whoever holds the consoles looks again after it is done, so nothing is left behind. */
	do {
		u32 free = 0;

		end = printk_next_seq();
		if (!try_cmpxchg_acquire(&console_busy, &free, 1U) && !console_take_over())
			return;
		for (struct console *c = consoles; c; c = c->next)
			if (c->enabled && (c->atomic || console_thread_up))
				console_drain(c);
		smp_store_release(&console_busy, 0);
		smp_mb();	/* who finds the consoles busy has its record in already: it is seen here */
	} while (end != printk_next_seq());
}

u64 console_behind(void)
{
	u64 end = printk_next_seq(), first = end;

	for (struct console *c = READ_ONCE(consoles); c; c = READ_ONCE(c->next))
		if (c->enabled)
			first = min(first, READ_ONCE(c->next_seq));
	return end - first ?: READ_ONCE(console_busy);
}

/* One round of the console thread: sleeps are allowed, every console is served. */
void console_thread_round(void)
{
	u32 free = 0;

	console_thread_up = true;
	if (!try_cmpxchg_acquire(&console_busy, &free, 1U))
		return;
	for (struct console *c = READ_ONCE(consoles); c; c = READ_ONCE(c->next))
		if (c->enabled)
			console_drain(c);
	smp_store_release(&console_busy, 0);
}

void console_panic_mode(void)
{
	WRITE_ONCE(console_panic, raw_smp_processor_id() + 1);
	console_loglevel = max(console_loglevel, 7);
}

static DEFINE_SPINLOCK(console_list_lock);

void register_console(struct console *c)
{
	unsigned long flags;

	spin_lock_irqsave(&console_list_lock, flags);
	c->next = consoles;
	c->enabled = true;
	smp_store_release(&consoles, c);
	spin_unlock_irqrestore(&console_list_lock, flags);
	console_flush();
}

void unregister_console(struct console *c)
{
	WRITE_ONCE(c->enabled, false);	/* stays linked: a printer may stand on it */
}

/* Text up to here whose line has not ended, for KERN_CONT. */
static char cont_buf[LINE_MAX_LEN];
static size_t cont_len;
static unsigned int cont_level;
static u32 cont_lock;

static void store_lines(unsigned int level, bool cont, char *s, size_t n)
{
	u32 free = 0;
	bool ended = n && s[n - 1] == '\n';

	if (ended)
		n--;
	if (!cont && ended && !READ_ONCE(cont_len)) {
		store_record(level, 0, s, n);
		return;
	}
	if (!try_cmpxchg_acquire(&cont_lock, &free, 1U)) {
		store_record(level, 0, s, n);
		return;
	}
	if (!cont && cont_len) {
		store_record(cont_level, 0, cont_buf, cont_len);
		cont_len = 0;
	}
	if (!cont)
		cont_level = level;
	n = min(n, sizeof(cont_buf) - cont_len);
	memcpy(cont_buf + cont_len, s, n);
	cont_len += n;
	if (ended) {
		store_record(cont_level, 0, cont_buf, cont_len);
		WRITE_ONCE(cont_len, 0);
	}
	smp_store_release(&cont_lock, 0);
}

int vprintk(const char *fmt, va_list ap)
{
	char buf[LINE_MAX_LEN];
	unsigned int level = 4;
	bool cont = false;
	char *s = buf;
	int n;

	n = vscnprintf(buf, sizeof(buf), fmt, ap);
	if (n >= 2 && s[0] == '\001') {
		if (s[1] == 'c')
			cont = true;
		else
			level = (unsigned int)(s[1] - '0') & 7;
		s += 2;
		n -= 2;
	}
	store_lines(level, cont, s, (size_t)n);
	console_flush();
	return n;
}

int printk(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintk(fmt, ap);
	va_end(ap);
	return n;
}

bool ratelimit_ok(struct ratelimit *rl)
{
	u64 now = sched_clock();

	if (now - rl->window_start_ns > rl->interval_ms * (u64)NSEC_PER_MSEC) {
		if (rl->missed)
			printk(KERN_WARNING "printk: %u messages suppressed\n", rl->missed);
		rl->window_start_ns = now;
		rl->printed = rl->missed = 0;
	}
	if (rl->printed >= rl->burst) {
		rl->missed++;
		return false;
	}
	rl->printed++;
	return true;
}

static int set_quiet(const char *v)
{
	console_loglevel = 4;
	return 0;
}

static int set_loglevel(const char *v)
{
	int level, e = v ? kstrtoint(v, 10, &level) : -EINVAL;

	if (e || level < 0 || level > 15)
		return -EINVAL;
	console_loglevel = level;
	return 0;
}

static int set_debug(const char *v)
{
	console_loglevel = 8;
	return 0;
}

KERNEL_PARAM("quiet", set_quiet);
KERNEL_PARAM("debug", set_debug);
KERNEL_PARAM("loglevel", set_loglevel);
static int set_ignore_loglevel(const char *v)
{
	console_loglevel = 15;
	return 0;
}
KERNEL_PARAM("ignore_loglevel", set_ignore_loglevel);

int dmesg_restrict = 1;	/* Debian's default: the log tells addresses, and what others do */
