// SPDX-License-Identifier: MIT
/*
 * What a disk and its partitions did: /proc/diskstats, and stat and inflight in /sys. A request
 * counts for its partition and for the disk, from when it goes to a hardware queue until it ends;
 * what ends before that (a wrong place, a flush of a disk that forgets nothing) was none.
 *
 * Counters are per CPU and plain: tasks change them with preemption disabled, those of flushes are
 * changed with interrupts disabled, by drivers' completions too. A request may begin on one CPU and
 * end on another: only the sum of in_flight means something.
 *
 * How long a disk was busy is counted in units of about a millisecond, TICK. counted_to is up to
 * when it was; whoever sees a later tick takes what lies between, if something was in flight then.
 * A request that begins and ends within a tick adds nothing, another one that crosses an edge adds
 * a whole one: on average that is right, and no line is written more often than once a tick.
 */
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/kdev.h>
#include <kernel/cpumask.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include "block/blk_priv.h"

#define TICK_SHIFT 20		/* of nanoseconds */

static void add(u64 *to, u64 n)
{
	WRITE_ONCE(*to, *to + n);
}

static bool writes(const struct bio *b)
{
	return b->op != REQ_READ;
}

/* A flush without data is a write of no sectors, and the disk's flush besides. */
static unsigned int group_of(const struct bio *b)
{
	switch (b->op) {
	case REQ_READ:
		return STAT_READ;
	case REQ_DISCARD:
		return STAT_DISCARD;
	default:
		return STAT_WRITE;
	}
}

static unsigned int in_flight(const struct bdev *b, bool write)
{
	long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(b->stats, cpu)->in_flight[write]);
	/* One that began after its CPU was passed may have ended on a later one. */
	return (unsigned int)max(n, 0L);
}

/* At time NOW a request of B ENDS, or another one begins. Preemption disabled. */
static void count_busy(struct bdev *b, u64 now, bool ends)
{
	u64 tick = now >> TICK_SHIFT, last = READ_ONCE(b->counted_to);

	if (likely(tick <= last) || cmpxchg(&b->counted_to, last, tick) != last)
		return;
	if (ends || in_flight(b, false) || in_flight(b, true))
		add(&this_cpu_ptr(b->stats)->busy, tick - last);
}

static void begin(struct bdev *b, bool write, u64 now)
{
	long *n = &this_cpu_ptr(b->stats)->in_flight[write];

	count_busy(b, now, false);
	WRITE_ONCE(*n, *n + 1);
}

void block_stats_begin(struct bio *b)
{
	struct bdev *v = b->bdev;

	preempt_disable();
	begin(v, writes(b), b->start_ns);
	if (v->partno)
		begin(v->disk->whole, writes(b), b->start_ns);
	preempt_enable();
	b->counted = true;
}

static void end(struct bdev *v, const struct bio *b, u64 now)
{
	struct disk_stats *s = this_cpu_ptr(v->stats);
	unsigned int g = group_of(b);

	count_busy(v, now, true);
	WRITE_ONCE(s->in_flight[writes(b)], s->in_flight[writes(b)] - 1);
	add(&s->ios[g], 1);
	if (b->req_bios > 1)
		add(&s->merges[g], b->req_bios - 1u);
	add(&s->sectors[g], b->req_bytes >> SECTOR_SHIFT);
	add(&s->ns[g], now - b->start_ns);
}

void block_stats_end(const struct bio *b)
{
	struct bdev *v = b->bdev;
	u64 now;

	if (!b->counted)
		return;
	now = ktime_get_ns();
	preempt_disable();
	end(v, b, now);
	if (v->partno)
		end(v->disk->whole, b, now);
	preempt_enable();
}

void block_stats_flushed(const struct bio *b)
{
	struct disk_stats *s = this_cpu_ptr(b->bdev->disk->whole->stats);

	add(&s->ios[STAT_FLUSH], 1);
	add(&s->ns[STAT_FLUSH], ktime_get_ns() - b->stage_ns);
}

/* ---- what is shown ---- */

struct sums {
	u64 ios[STAT_GROUPS], merges[STAT_GROUPS], sectors[STAT_GROUPS], ms[STAT_GROUPS];
	unsigned int in_flight[2];
	u64 busy_ms, all_ms;
};

static void sum(struct bdev *b, struct sums *s)
{
	u64 ns[STAT_GROUPS] = { 0 }, busy = 0, all = 0;
	int cpu;

	*s = (struct sums){ .in_flight = { in_flight(b, false), in_flight(b, true) } };
	if (s->in_flight[0] + s->in_flight[1]) {
		preempt_disable();
		count_busy(b, ktime_get_ns(), true);
		preempt_enable();
	}
	for_each_possible_cpu(cpu) {
		const struct disk_stats *c = per_cpu_ptr(b->stats, cpu);

		for (unsigned int g = 0; g < STAT_GROUPS; g++) {
			s->ios[g] += READ_ONCE(c->ios[g]);
			s->merges[g] += READ_ONCE(c->merges[g]);
			s->sectors[g] += READ_ONCE(c->sectors[g]);
			ns[g] += READ_ONCE(c->ns[g]);
		}
		busy += READ_ONCE(c->busy);
	}
	for (unsigned int g = 0; g < STAT_GROUPS; g++) {
		s->ms[g] = ns[g] / NSEC_PER_MSEC;
		all += ns[g];
	}
	s->all_ms = all / NSEC_PER_MSEC;
	s->busy_ms = (busy << TICK_SHIFT) / NSEC_PER_MSEC;
}

void block_stats_line(struct seq_file *m, struct bdev *b)
{
	struct sums s;

	sum(b, &s);
	seq_printf(m, "%4u %7u %s", MAJOR(b->dev), MINOR(b->dev), b->name);
	for (unsigned int g = 0; g < STAT_FLUSH; g++) {
		seq_printf(m, " %llu %llu %llu %u", s.ios[g], s.merges[g], s.sectors[g],
			   (u32)s.ms[g]);
		if (g == STAT_WRITE)
			seq_printf(m, " %u %u %u", s.in_flight[0] + s.in_flight[1], (u32)s.busy_ms,
				   (u32)s.all_ms);
	}
	seq_printf(m, " %llu %u\n", s.ios[STAT_FLUSH], (u32)s.ms[STAT_FLUSH]);
}

ssize_t block_show_stat(struct show_node *n, char *buf, size_t size)
{
	size_t at = 0;
	struct sums s;

	sum(n->data, &s);
	for (unsigned int g = 0; g < STAT_FLUSH; g++) {
		at += (size_t)scnprintf(buf + at, size - at, "%8llu %8llu %8llu %8u ", s.ios[g],
					s.merges[g], s.sectors[g], (u32)s.ms[g]);
		if (g == STAT_WRITE)
			at += (size_t)scnprintf(buf + at, size - at, "%8u %8u %8u ",
						s.in_flight[0] + s.in_flight[1], (u32)s.busy_ms,
						(u32)s.all_ms);
	}
	at += (size_t)scnprintf(buf + at, size - at, "%8llu %8u\n", s.ios[STAT_FLUSH],
				(u32)s.ms[STAT_FLUSH]);
	return (ssize_t)at;
}

ssize_t block_show_inflight(struct show_node *n, char *buf, size_t size)
{
	const struct bdev *b = n->data;

	return scnprintf(buf, size, "%8u %8u\n", in_flight(b, false), in_flight(b, true));
}
