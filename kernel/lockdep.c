// SPDX-License-Identifier: MIT
/*
 * The lock-dependency checker (debug build; "nolockdep" switches it off).
 *
 * Locks of one kind (made at one place in the source) are a class. Whenever a lock is taken while others are held, the order
 * "held before taken" becomes an edge of a graph that is never forgotten; an edge that closes a circle is a deadlock that some
 * timing will bring, and is reported the first time the order is seen, not the first time it hangs. Also reported: taking
 * a class again that is held (recursion), a class used by interrupt handlers and elsewhere taken with interrupts on, and an order by which
 * the one waits for the other; sleeping locks under spinning ones; releasing what is not held; going back to user mode with a lock.
 *
 * What a task holds is a stack of its own, from a pool, only while it holds something. Graph and pool are guarded by one raw lock; a
 * pair that is in the graph already is found in a bitmap without it.
 */
#include <lib/types.h>

#ifdef CONFIG_LOCKDEP
#include <arch/page.h>
#include <arch/percpu.h>
#include <arch/irqflags.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/ksyms.h>
#include <kernel/lockdep.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <kernel/upcalls.h>
#include <lib/format.h>
#include <lib/string.h>

#define MAX_CLASSES 1024
#define MAX_EDGES 16384
#define MAX_HELD 40
#define POOL 128

enum { USED_IN_IRQ = 1, HELD_WITH_IRQS_ON = 2 };

struct lock_class {
	const void *key;
	const char *name;
	u8 subclass;
	u8 usage;			/* atomic: USED_IN_IRQ, HELD_WITH_IRQS_ON */
	bool sleeping;
	u16 first_edge, first_back;	/* graph_lock; index into edges, 0: none */
	u16 hash_next;			/* graph_lock */
	u16 parent;			/* graph_lock: of the search under way */
	u32 mark;			/* graph_lock */
	unsigned long irq_ip, on_ip;
};

struct edge {
	u16 to, next;
};

struct held {
	const struct lockdep_map *map;
	u16 class_idx;
	bool sleeping, try;
	u8 read;
	unsigned long ip;
};

struct lockdep_stack {
	unsigned int depth;
	struct lockdep_stack *next;
	struct held h[MAX_HELD];
};

static struct lock_class classes[MAX_CLASSES];
static u32 nr_classes = 1;			/* 0 means none */
static struct edge edges[MAX_EDGES];
static u32 nr_edges = 1;
static unsigned long known[MAX_CLASSES][BITS_TO_LONGS(MAX_CLASSES)];	/* set under graph_lock, read without */
static u16 class_hash[256];
static struct lockdep_stack pool[POOL], *pool_free;
static u32 graph_lock;
static u32 search_mark;
static bool enabled, reported;
static DEFINE_PER_CPU(int, inside);

static void graph_enter(void)
{
	u32 free = 0;

	while (!try_cmpxchg_acquire(&graph_lock, &free, 1U)) {
		free = 0;
		cpu_relax();
	}
}

static void graph_leave(void)
{
	smp_store_release(&graph_lock, 0);
}

void lockdep_init_map(struct lockdep_map *m, const char *name, const void *key)
{
	m->name = name;
	m->key = key;
	m->class_idx = 0;
	m->subclass = 0;
}

/* ---- reports ---- */

static void print_class(const char *lead, u16 i)
{
	const struct lock_class *c = &classes[i];

	pr_err("%s%s%s\n", lead, c->name, c->subclass ? " (nested)" : "");
}

static void print_held(const struct lockdep_stack *s)
{
	char name[160];

	pr_err("%u lock%s held by %s/%d:\n", s->depth, s->depth == 1 ? "" : "s", current_task_name(), current_task_pid());
	for (unsigned int i = 0; i < s->depth; i++)
		pr_err(" #%u: %s, at %s\n", i, classes[s->h[i].class_idx].name, ksym_describe(s->h[i].ip, name, sizeof(name)));
}

/* One report; after it the graph is wrong anyway, so the checker stops. */
static bool begin_report(const char *what)
{
	if (__atomic_exchange_n(&reported, true, __ATOMIC_RELAXED))
		return false;
	enabled = false;
	pr_err("======================================================\n");
	pr_err("LOCKDEP: %s\n", what);
	return true;
}

static void end_report(const struct lockdep_stack *s, unsigned long ip)
{
	char name[160];

	pr_err("at %s\n", ksym_describe(ip, name, sizeof(name)));
	if (s)
		print_held(s);
	dump_stack();
	pr_err("======================================================\n");
	kernel_tainted = true;
}

/* ---- classes ---- */

static bool is_static(unsigned long a)
{
	return a >= (unsigned long)_text && a < (unsigned long)_end;
}

/* A static lock is its own class; one in a CPU's copy stands for all CPUs' copies. */
static const void *static_key(const struct lockdep_map *m)
{
	unsigned long a = (unsigned long)m;
	unsigned int cpu;

	if (is_static(a))
		return m;
	for_each_possible_cpu(cpu) {
		unsigned long base = a - __per_cpu_offset[cpu];

		if (base >= (unsigned long)__per_cpu_start && base < (unsigned long)__per_cpu_end)
			return (const void *)base;
	}
	return NULL;
}

static u16 find_class(struct lockdep_map *m, unsigned int subclass, bool sleeping)
{
	const void *key = m->key ? m->key : static_key(m);
	unsigned int h = ((unsigned long)key >> 3 ^ (unsigned long)key >> 11 ^ subclass) % ARRAY_SIZE(class_hash);
	u16 i;

	if (m->class_idx && !subclass)
		return m->class_idx;
	if (!key)
		key = m->name;		/* never initialised: all of that name are one class */
	if (!key)
		return 0;
	graph_enter();
	for (i = class_hash[h]; i; i = classes[i].hash_next)
		if (classes[i].key == key && classes[i].subclass == subclass)
			break;
	if (!i && nr_classes < MAX_CLASSES) {
		i = (u16)nr_classes++;
		classes[i] = (struct lock_class){ .key = key, .name = m->name ? m->name : "?", .subclass = (u8)subclass,
						  .sleeping = sleeping, .hash_next = class_hash[h] };
		class_hash[h] = i;
	}
	graph_leave();
	if (!subclass)
		m->class_idx = i;
	return i;
}

/* ---- the graph ---- */

/* Whether TO can be reached from FROM (graph_lock held); the way is in the parents. WANT: stop at a class of that usage. */
static u16 search(u16 from, u16 to, u8 want, bool back)
{
	static u16 queue[MAX_CLASSES];
	unsigned int head = 0, tail = 0;

	search_mark++;
	queue[tail++] = from;
	classes[from].mark = search_mark;
	classes[from].parent = 0;
	while (head < tail) {
		u16 c = queue[head++];

		if (c == to || (want && c != from && (classes[c].usage & want)))
			return c;
		for (u16 e = back ? classes[c].first_back : classes[c].first_edge; e; e = edges[e].next) {
			u16 n = edges[e].to;

			if (classes[n].mark == search_mark)
				continue;
			classes[n].mark = search_mark;
			classes[n].parent = c;
			queue[tail++] = n;
		}
	}
	return 0;
}

static void print_way(u16 end)
{
	for (u16 c = end; c; c = classes[c].parent)
		print_class("  <- ", c);
}

static void add_edge(u16 from, u16 to)
{
	if (nr_edges + 2 > MAX_EDGES)
		return;
	edges[nr_edges] = (struct edge){ to, classes[from].first_edge };
	classes[from].first_edge = (u16)nr_edges++;
	edges[nr_edges] = (struct edge){ from, classes[to].first_back };
	classes[to].first_back = (u16)nr_edges++;
	__set_bit(to, known[from]);
}

/* HELD was taken before NEW: a new order is checked and remembered. */
static void learn(struct lockdep_stack *s, u16 held, u16 new, unsigned long ip)
{
	u16 bad;

	if (test_bit(new, known[held]))
		return;
	graph_enter();
	bad = search(new, held, 0, false);
	if (bad) {
		if (begin_report("possible circular locking dependency")) {
			print_class("taking: ", new);
			print_class("while holding: ", held);
			pr_err("but elsewhere they are taken in the order:\n");
			print_way(bad);
		}
		graph_leave();
		end_report(s, ip);
		return;
	}
	if ((classes[held].usage & USED_IN_IRQ) && ((classes[new].usage & HELD_WITH_IRQS_ON) ||
						   (bad = search(new, 0, HELD_WITH_IRQS_ON, false)))) {
		if (begin_report("interrupt-safe lock waits for one that is held with interrupts on")) {
			print_class("safe: ", held);
			print_class("taking: ", new);
			print_way(bad);
		}
		graph_leave();
		end_report(s, ip);
		return;
	}
	add_edge(held, new);
	graph_leave();
}

/* ---- what a task holds ---- */

static struct lockdep_stack *stack_get(void)
{
	void **slot = current_lockdep_slot();
	struct lockdep_stack *s = *slot;

	if (s)
		return s;
	graph_enter();
	s = pool_free;
	if (s)
		pool_free = s->next;
	graph_leave();
	if (s) {
		s->depth = 0;
		*slot = s;
	}
	return s;
}

static void stack_put(struct lockdep_stack *s)
{
	*current_lockdep_slot() = NULL;
	graph_enter();
	s->next = pool_free;
	pool_free = s;
	graph_leave();
}

static bool enter(unsigned long *flags)
{
	if (!enabled || in_nmi())
		return false;
	*flags = arch_irq_save();
	if (this_cpu_read(inside)) {
		arch_irq_restore(*flags);
		return false;
	}
	this_cpu_write(inside, 1);
	return true;
}

static void leave(unsigned long flags)
{
	this_cpu_write(inside, 0);
	arch_irq_restore(flags);
}

static void check_irq_use(struct lockdep_stack *s, u16 c, bool irqs_on, unsigned long ip)
{
	struct lock_class *k = &classes[c];
	u8 add = in_hardirq() ? USED_IN_IRQ : irqs_on ? HELD_WITH_IRQS_ON : 0;
	u8 old;

	if (!add || (k->usage & add) || k->sleeping)
		return;
	*(add == USED_IN_IRQ ? &k->irq_ip : &k->on_ip) = ip;
	old = __atomic_fetch_or(&k->usage, add, __ATOMIC_RELAXED);
	if ((old | add) == (USED_IN_IRQ | HELD_WITH_IRQS_ON) && begin_report("lock used in interrupts is held with them on")) {
		char name[160];

		print_class("lock: ", c);
		pr_err("in an interrupt at %s\n", ksym_describe(k->irq_ip, name, sizeof(name)));
		pr_err("with interrupts on at %s\n", ksym_describe(k->on_ip, name, sizeof(name)));
		end_report(s, ip);
	}
}

/* The locks that C has to come after, nearest first, up to one that was certain (not a try). */
static void check_order(struct lockdep_stack *s, u16 c, const struct lockdep_map *m, bool sleeping, int read, unsigned long ip)
{
	for (unsigned int i = s->depth; i-- && enabled; ) {
		const struct held *h = &s->h[i];

		/* Nested ones of a class follow each other down a tree; which comes first is said by the _nested. */
		if (h->class_idx == c && classes[c].subclass && h->map != m)
			continue;
		if (h->class_idx == c && !(read == 2 && h->read == 2)) {
			if (begin_report("possible recursive locking")) {
				print_class(h->map == m ? "the very same lock: " : "another lock of its class: ", c);
				end_report(s, ip);
			}
			return;
		}
		if (sleeping && !h->sleeping) {
			if (begin_report("sleeping lock taken under a spinning one")) {
				print_class("taking: ", c);
				print_class("while holding: ", h->class_idx);
				end_report(s, ip);
			}
			return;
		}
		learn(s, h->class_idx, c, ip);
		if (!h->try)
			break;
	}
}

void lock_acquire(struct lockdep_map *m, unsigned int subclass, bool try, int read, bool sleeping, unsigned long ip)
{
	struct lockdep_stack *s;
	unsigned long flags;
	u16 c;

	if (!enter(&flags))
		return;
	c = find_class(m, subclass, sleeping);
	s = c ? stack_get() : NULL;
	if (s && s->depth < MAX_HELD) {
		check_irq_use(s, c, !arch_irqs_disabled_flags(flags), ip);
		if (!try)
			check_order(s, c, m, sleeping, read, ip);
		s->h[s->depth++] = (struct held){ m, c, sleeping, try, (u8)read, ip };
	}
	leave(flags);
}

void lock_release(struct lockdep_map *m, unsigned long ip)
{
	struct lockdep_stack *s;
	unsigned long flags;
	unsigned int i;

	if (!enter(&flags))
		return;
	s = *current_lockdep_slot();
	for (i = s ? s->depth : 0; i && s->h[i - 1].map != m; i--)
		;
	if (i) {
		memmove(&s->h[i - 1], &s->h[i], (s->depth - i) * sizeof(s->h[0]));
		if (!--s->depth)
			stack_put(s);
	}
	leave(flags);
}

bool lock_is_held(const struct lockdep_map *m)
{
	const struct lockdep_stack *s;

	if (!enabled)
		return true;
	s = *current_lockdep_slot();
	for (unsigned int i = 0; s && i < s->depth; i++)
		if (s->h[i].map == m)
			return true;
	return false;
}

void lockdep_user_return(void)
{
	struct lockdep_stack *s = enabled ? *current_lockdep_slot() : NULL;

	if (s && s->depth && begin_report("going back to user mode with locks held"))
		end_report(s, (unsigned long)__builtin_return_address(0));
}

static struct lockdep_map rcu_map = { .name = "rcu_read_lock" };
static DEFINE_PER_CPU(int, rcu_depth);

/* RCU sections are no locks (nobody waits inside for one outside); only "is one open" is kept. */
void rcu_lock_acquire(void)
{
	this_cpu_inc(rcu_depth);
}

void rcu_lock_release(void)
{
	this_cpu_dec(rcu_depth);
}

bool rcu_read_lock_held(void)
{
	return this_cpu_read(rcu_depth) > 0 || !preemptible() || !enabled || !rcu_map.name;
}

/* ---- control ---- */

static ssize_t show_graph(struct show_node *n, char *buf, size_t size)
{
	size_t len = (size_t)scnprintf(buf, size, "%u classes, %u orders\n", nr_classes - 1, (nr_edges - 1) / 2);

	for (u32 i = 1; i < nr_classes; i++)
		for (u16 e = classes[i].first_edge; e; e = edges[e].next)
			len += (size_t)scnprintf(buf + len, size - len, "%s -> %s\n", classes[i].name, classes[edges[e].to].name);
	return (ssize_t)len;
}

static int lockdep_show_init(void)
{
	struct show_node *d = show_dir(SHOW_DEBUG, NULL, "lockdep");

	return d && show_attr(d, "graph", 0400, show_graph, NULL, NULL) ? 0 : -1;
}
INITCALL(subsys, lockdep_show_init);

static int lockdep_init(void)
{
	for (unsigned int i = 0; i < POOL; i++) {
		pool[i].next = pool_free;
		pool_free = &pool[i];
	}
	enabled = !command_line_get("nolockdep");
	return 0;
}
INITCALL(early, lockdep_init);
#endif
