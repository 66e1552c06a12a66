// SPDX-License-Identifier: MIT
/*
 * The slow path of spinlock_t: a queue of waiters, each spinning on a node of its own CPU (Mellor-Crummey and Scott),
 * packed into 32 bits. Word: bits 0-7 locked, 8-15 pending, 16-17 node index, 18-31 CPU + 1.
 *
 * The first contender sets pending and spins on the lock byte; the second and later ones queue. A CPU can wait at
 * four depths at once (task, interrupt, NMI, machine check), so it has four nodes.
 *
 * Where spin_unfair is set there is no queue. Both kinds of waiters get along: the others only ever take a word that is all zero, and it is not while
 * anybody queues.
 */
#include <lib/types.h>
#include <kernel/export.h>
#include <kernel/seqlock.h>
#include <kernel/spinlock.h>
#include <kernel/percpu.h>

#define Q_LOCKED 0x1U
#define Q_LOCKED_MASK 0xffU
#define Q_PENDING 0x100U
#define Q_PENDING_MASK 0xff00U
#define Q_TAIL_SHIFT 16
#define Q_TAIL_MASK 0xffff0000U

struct mcs_node {
	struct mcs_node *next;
	u32 ready;
	u32 depth;		/* node 0 only: how many are in use */
};

static DEFINE_PER_CPU_ALIGNED(struct mcs_node, mcs_nodes[4]);
bool spin_unfair __read_mostly;

static inline u32 encode_tail(unsigned int cpu, unsigned int idx)
{
	return (cpu + 1) << (Q_TAIL_SHIFT + 2) | idx << Q_TAIL_SHIFT;
}

static inline struct mcs_node *decode_tail(u32 tail)
{
	return &per_cpu_ptr(&mcs_nodes[0], (tail >> (Q_TAIL_SHIFT + 2)) - 1)[tail >> Q_TAIL_SHIFT & 3];
}

static void spin_lock_queued(spinlock_t *l)
{
	struct mcs_node *base = this_cpu_ptr(&mcs_nodes[0]), *node, *prev, *next = NULL;
	unsigned int idx = base->depth++;
	u32 tail, old, val;

	if (unlikely(idx >= 4)) {	/* deeper than contexts nest: just spin */
		while (!__raw_spin_trylock(l))
			cpu_relax();
		goto out;
	}
	node = &base[idx];
	tail = encode_tail(raw_smp_processor_id(), idx);
	barrier();
	node->ready = 0;
	node->next = NULL;
	/* Publish the node before the tail names it. */
	old = READ_ONCE(l->val);
	do
		val = (old & ~Q_TAIL_MASK) | tail;
	while (!__atomic_compare_exchange_n(&l->val, &old, val, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	if (old & Q_TAIL_MASK) {
		prev = decode_tail(old & Q_TAIL_MASK);
		/* The node's beginning before the link to it: the exchange orders it before the tail alone (tests/litmus/spinlock-queue*). */
		smp_store_release(&prev->next, node);
		while (!smp_load_acquire(&node->ready))
			cpu_relax();
		next = smp_load_acquire(&node->next);
	}
	for (;;) {
		/*
		 * Head of the queue: wait for the owner and for the pending one. The pending bit may also stand for
		 * a moment only (a contender that saw the queue takes it back); to take the lock over it would wipe it out, and the
		 * taking back would then hit the bit of a later, real pending one.
		 */
		while ((val = smp_load_acquire(&l->val)) & (Q_LOCKED_MASK | Q_PENDING_MASK))
			cpu_relax();
		if ((val & Q_TAIL_MASK) == tail) {
			if (try_cmpxchg_acquire(&l->val, &val, Q_LOCKED))
				goto out;
			continue;	/* somebody queued behind, or set pending meanwhile */
		}
		__atomic_fetch_or(&l->val, Q_LOCKED, __ATOMIC_ACQUIRE);
		break;
	}
	while (!next && !(next = smp_load_acquire(&node->next)))	/* before its ready is written */
		cpu_relax();
	smp_store_release(&next->ready, 1);
out:
	base->depth--;
}

void spin_lock_slow(spinlock_t *l, u32 val)
{
	if (READ_ONCE(spin_unfair)) {
		while (!__raw_spin_trylock(l))
			cpu_relax();
		return;
	}
	/* Only an owner, nobody waiting: become the pending one. */
	if (!(val & ~Q_LOCKED_MASK)) {
		val = __atomic_fetch_or(&l->val, Q_PENDING, __ATOMIC_ACQUIRE);
		if (!(val & ~Q_LOCKED_MASK)) {
			while (smp_load_acquire(&l->locked))
				cpu_relax();
			/* pending -> locked in one step */
			__atomic_fetch_add(&l->val, Q_LOCKED - Q_PENDING, __ATOMIC_ACQUIRE);
			return;
		}
		if (!(val & Q_PENDING_MASK))	/* a queue is there: take our bit back */
			__atomic_fetch_and(&l->val, ~Q_PENDING, __ATOMIC_RELAXED);
	}
	spin_lock_queued(l);
}
EXPORT(spin_lock_slow);

void read_lock_slow(rwlock_t *l)
{
	/* An interrupt handler may be reading below us already: it must not wait behind a waiting writer. */
	if (in_interrupt()) {
		while ((smp_load_acquire(&l->cnts) & RW_WRITER) == RW_WRITER)
			cpu_relax();
		return;
	}
	__atomic_sub_fetch(&l->cnts, RW_READER, __ATOMIC_RELAXED);
	__raw_spin_lock(&l->wait);
	__atomic_add_fetch(&l->cnts, RW_READER, __ATOMIC_ACQUIRE);
	while (smp_load_acquire(&l->cnts) & RW_WRITER)
		cpu_relax();
	__raw_spin_unlock(&l->wait);
}

void write_lock_slow(rwlock_t *l)
{
	u32 old = 0;

	__raw_spin_lock(&l->wait);
	if (!try_cmpxchg_acquire(&l->cnts, &old, RW_WRITER)) {
		__atomic_fetch_or(&l->cnts, RW_WAITING, __ATOMIC_RELAXED);
		do {
			while (READ_ONCE(l->cnts) != RW_WAITING)
				cpu_relax();
			old = RW_WAITING;
		} while (!try_cmpxchg_acquire(&l->cnts, &old, RW_WRITER));
	}
	__raw_spin_unlock(&l->wait);
}

/* ---- other waits: here, because they are no work of whoever waits, and not to be counted as such (kernel/section.c) ---- */

__saves_registers void bit_spin_wait(int nr, const unsigned long *p)
{
	while (test_bit(nr, p))
		spin_relax();
}

__saves_registers u32 seqcount_wait(const seqcount_t *s)
{
	u32 v;

	while ((v = smp_load_acquire(&s->seq)) & 1)
		cpu_relax();
	return v;
}
