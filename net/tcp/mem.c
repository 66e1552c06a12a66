// SPDX-License-Identifier: MIT
/*
 * Memory of all TCP sockets together, bounded by net.ipv4.tcp_mem (tcp(7)): low, pressure, high, in
 * pages.
 *
 * A socket reserves whole pages for what its queues hold (sk->rmem and sk->wmem), and keeps a few
 * beyond that while they hold anything, so that most packets cost a comparison. An idle socket has
 * none: thousands of them must not use up the limit. A CPU keeps up to FOLD pages of changes to
 * itself: the sum that limits are compared with may be wrong by that much for each CPU.
 *
 * Above `pressure`, until the sum is below `low`: windows are small, buffers do not grow, and a
 * socket gets more only as long as it has less than its share. Above `high` none gets more, but for
 * one packet of an empty queue: each connection gets on, if slowly. What came early goes first; a
 * sender waits for its own acknowledgements; no connection is accepted.
 */
#include <lib/minmax.h>
#include <alloc/page.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include "net/tcp/tcp_priv.h"

#define FOLD 16
#define SLACK 4				/* pages that a socket keeps beyond what it holds */

int tcp_mem_limit[3] = { S32_MAX, S32_MAX, S32_MAX };
bool tcp_mem_pressure;
static atomic_long_t folded;
static DEFINE_PER_CPU(int, unfolded);

static void account(int pages)
{
	int *here, v;

	preempt_disable();
	here = this_cpu_ptr(&unfolded);
	v = *here + pages;
	if (v >= FOLD || v <= -FOLD) {
		atomic_long_add(v, &folded);
		v = 0;
	}
	WRITE_ONCE(*here, v);
	preempt_enable();
}

long tcp_mem_pages(void)
{
	long sum = atomic_long_read(&folded);
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&unfolded, cpu));
	return max(sum, 0l);
}

bool tcp_mem_is_out(void)
{
	return atomic_long_read(&folded) > READ_ONCE(tcp_mem_limit[2]);
}

/* The sum is ALL pages. */
static void update_pressure(const struct tcp_sock *t, long all)
{
	bool now = READ_ONCE(tcp_mem_pressure);

	if (!now && all > READ_ONCE(tcp_mem_limit[1])) {
		WRITE_ONCE(tcp_mem_pressure, true);
		tcp_count(t, TCP_MEMORY_PRESSURES);
	} else if (now && all <= READ_ONCE(tcp_mem_limit[0])) {
		WRITE_ONCE(tcp_mem_pressure, false);
	}
}

static u32 pages_of(u32 bytes)
{
	return (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

static u32 used(const struct tcp_sock *t)
{
	const struct sock *sk = &t->inet.sk;

	return (u32)max(atomic_read(&sk->rmem), 0) + (u32)max(atomic_read(&sk->wmem), 0);
}

/* The sum would be ALL pages, T has PAGES of them: it may. */
static bool may_have(const struct tcp_sock *t, long all, u32 pages)
{
	if (all > READ_ONCE(tcp_mem_limit[2]))
		return false;
	return all <= READ_ONCE(tcp_mem_limit[1]) || pages <= 1 ||
	       (u64)pages * (u32)atomic_read(&tcp_allocated) < (u64)READ_ONCE(tcp_mem_limit[2]);
}

static bool reserve(struct tcp_sock *t, u32 bytes, bool force)
{
	u32 want = pages_of(bytes), more = want - t->mem_pages;
	long all = atomic_long_read(&folded) + more;

	update_pressure(t, all);
	if (!force && unlikely(!may_have(t, all, want)))
		return false;
	t->mem_pages = want;
	account((int)more);
	return true;
}

bool tcp_mem_charge(struct tcp_sock *t, u32 bytes, bool force)
{
	u32 all = used(t) + bytes;

	return likely(all <= t->mem_pages * PAGE_SIZE) || reserve(t, all, force);
}

void tcp_mem_release(struct tcp_sock *t)
{
	u32 need = pages_of(used(t));

	if (likely(t->mem_pages <= need + (need ? SLACK : 0)))
		return;
	account((int)(need - t->mem_pages));
	t->mem_pages = need;
	if (unlikely(READ_ONCE(tcp_mem_pressure)))
		update_pressure(t, atomic_long_read(&folded));
}

void tcp_mem_end(struct tcp_sock *t)
{
	account(-(int)t->mem_pages);
	t->mem_pages = 0;
}

/* Above a sixteenth of memory TCP is pressed, and half as much again is the most, as on Linux. */
static int mem_init(void)
{
	int part = (int)min(max(totalram_pages() / 16, 128ul), (unsigned long)S32_MAX / 2);

	tcp_mem_limit[0] = part / 4 * 3;
	tcp_mem_limit[1] = part;
	tcp_mem_limit[2] = part / 4 * 3 * 2;
	return 0;
}
INITCALL(subsys, mem_init);
