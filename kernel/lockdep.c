// SPDX-License-Identifier: MIT
/*
 * The lock-dependency checker (debug build; "lockdep=off" switches it off).
 *
 * Locks of one kind (made at one place in the source) are a class. Whenever a lock is taken while
 * others are held, the order "held before taken" becomes an edge of a graph that is never
 * forgotten; an edge that would close a circle is a deadlock that some timing will bring, and is
 * reported the first time the order is seen, not the first time it hangs. Also reported: taking a
 * class again that is held (recursion); a class that interrupt handlers take, held elsewhere with
 * interrupts on, and any way in the graph from the one kind to the other; sleeping locks under
 * spinning ones; releasing, or freeing the memory of, what is not, or still, held; an RCU read
 * section ended that was not begun; going back to user mode with a lock or in a read section.
 *
 * A circle is reported and its edge left out, so that the graph stays without circles and the
 * checker goes on; after MAX_REPORTS it stops and says so, as it says when one of its tables is
 * full.
 *
 * What a task holds is a stack in the task. The graph is guarded by one raw lock; a pair that is in
 * it already is found in a bitmap without the lock. Ways are copied under the lock and printed
 * after it: printing takes locks.
 */
#include <lib/types.h>

#ifdef CONFIG_LOCKDEP
#include <arch/page.h>
#include <arch/percpu.h>
#include <arch/irqflags.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/ksyms.h>
#include <kernel/lockdep.h>
#include <kernel/owner.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <kernel/upcalls.h>
#include <lib/format.h>
#include <lib/string.h>
#include "lockdep_priv.h"

#define MAX_CLASSES 1024
#define MAX_EDGES 32768
#define MAX_WAY 24
#define MAX_REPORTS 8

/* taken in a handler; held with interrupts on */
enum { IRQ_WRITE = 1, IRQ_READ = 2, ON_WRITE = 4, ON_READ = 8 };
/* each once a class */
enum { SAID_RECURSION = 1, SAID_SLEEPING = 2, SAID_NOT_HELD = 4, SAID_FREED = 8, SAID_HELD = 16 };
#define IRQ_ANY (IRQ_WRITE | IRQ_READ)
#define ON_ANY (ON_WRITE | ON_READ)

struct lock_class {
	const void *key;
	const char *name;
	u32 line;			/* of a module's: see lockdep_copied_name() */
	u8 subclass;
	u8 usage;			/* set under graph_lock, read without */
	bool sleeping;
	u8 said;			/* atomic: SAID_... */
	u16 first_edge, first_back;	/* graph_lock; index into edges, 0: none */
	u16 hash_next;			/* graph_lock */
	u16 parent;			/* graph_lock: of the search under way */
	u32 mark;			/* graph_lock */
	unsigned long irq_ip, on_ip;
};

struct edge {
	u16 to, next;
};

/* Classes from the end of a way to its start. */
struct way {
	unsigned int n;
	u16 c[MAX_WAY];
};

/* graph_lock; name, key and subclass do not change */
static struct lock_class classes[MAX_CLASSES];
static u32 nr_classes = 1;			/* 0 means none */
static struct edge edges[MAX_EDGES];		/* graph_lock */
static u32 nr_edges = 1;
/* set under graph_lock, read without */
static unsigned long known[MAX_CLASSES][BITS_TO_LONGS(MAX_CLASSES)];
static u16 class_hash[256];
static u32 graph_lock, report_lock;
static u32 search_mark;
static unsigned int reports;			/* report_lock */
static bool enabled;
static DEFINE_PER_CPU(int, inside);

static void raw_enter(u32 *lock)
{
	u32 free = 0;

	while (!try_cmpxchg_acquire(lock, &free, 1U)) {
		free = 0;
		cpu_relax();
	}
}

static void raw_leave(u32 *lock)
{
	smp_store_release(lock, 0);
}

void lockdep_init_map(struct lockdep_map *m, const char *name, const void *key)
{
	m->name = name;
	m->key = key;
	m->class_idx[0] = m->class_idx[1] = 0;
	m->line = 0;
}
EXPORT_DEBUG(lockdep_init_map);

/* ---- reports (interrupts off, the checker deaf on this CPU: this_cpu inside) ---- */

static void print_class(const char *lead, u16 i)
{
	const struct lock_class *c = &classes[i];

	pr_err("%s%s%s\n", lead, c->name, c->subclass ? ", nested" : "");
}

/* In the form in which ./ochre finds addresses, to add file and line. */
static void print_place(const char *lead, unsigned long ip)
{
	char name[160];

	pr_err("%s [<%016lx>] %s\n", lead, ip, ksym_describe(ip, name, sizeof(name)));
}

static void print_held(const struct lockdep_stack *s)
{
	pr_err("%u lock%s held by %s/%d:\n", s->depth, s->depth == 1 ? "" : "s",
	       current_task_name(), current_task_pid());
	for (unsigned int i = 0; i < s->depth; i++) {
		pr_err(" #%u: %s, taken at\n", i, classes[s->h[i].class_idx].name);
		print_place("    ", s->h[i].ip);
	}
}

static void print_way(const struct way *w)
{
	for (unsigned int i = 0; i < w->n; i++)
		print_class("  <- ", w->c[i]);
}

/* True: print, then end_report(). */
static bool begin_report(const char *what)
{
	raw_enter(&report_lock);
	if (!enabled) {
		raw_leave(&report_lock);
		return false;
	}
	pr_err("======================================================\n");
	pr_err("LOCKDEP: %s\n", what);
	return true;
}

static void end_report(const struct lockdep_stack *s, unsigned long ip)
{
	print_place("at", ip);
	print_held(s);
	dump_stack();
	if (++reports == MAX_REPORTS) {
		enabled = false;
		pr_err("LOCKDEP: %u reports are enough, no lock is checked from here on\n",
		       reports);
	}
	pr_err("======================================================\n");
	raw_leave(&report_lock);
	damage_reported();
}

static bool first_time(u16 c, u8 what)
{
	return !(__atomic_fetch_or(&classes[c].said, what, __ATOMIC_RELAXED) & what);
}

static void table_full(bool *said, const char *what, unsigned int max)
{
	if (!__atomic_exchange_n(said, true, __ATOMIC_RELAXED))
		pr_err("LOCKDEP: the table of %s is full (%u): new ones are not checked\n", what,
		       max);
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

static u16 new_class(const struct lockdep_map *m, const void *key, unsigned int subclass,
		     bool sleeping)
{
	bool of_module = owned_by_module(key) || owned_by_module(m->name);
	const char *name = m->name ? m->name : "?";
	u32 line = of_module ? m->line : 0;
	unsigned int h;
	u16 i = 0;

	raw_enter(&graph_lock);
	if (of_module)
		key = name = lockdep_copied_name(name);
	h = ((unsigned long)key >> 3 ^ (unsigned long)key >> 11 ^ subclass ^ line) %
	    ARRAY_SIZE(class_hash);
	if (key)
		for (i = class_hash[h]; i; i = classes[i].hash_next)
			if (classes[i].key == key && classes[i].subclass == subclass &&
			    classes[i].line == line)
				break;
	if (!i && key && nr_classes < MAX_CLASSES) {
		i = (u16)nr_classes++;
		classes[i] = (struct lock_class){ .key = key,
						  .name = name,
						  .line = line,
						  .subclass = (u8)subclass,
						  .sleeping = sleeping,
						  .hash_next = class_hash[h] };
		class_hash[h] = i;
	}
	raw_leave(&graph_lock);
	return i;
}

static u16 find_class(struct lockdep_map *m, unsigned int subclass, bool sleeping)
{
	static bool said;
	const void *key;
	u16 i;

	if (likely(subclass < 2) && likely(i = READ_ONCE(m->class_idx[subclass])))
		return i;
	key = m->key ? m->key : static_key(m);
	if (!key)
		/* on the stack, or never initialised: all of that name are one class */
		key = m->name;
	if (!key)
		return 0;
	i = new_class(m, key, subclass, sleeping);
	if (!i)
		table_full(&said, "lock classes", MAX_CLASSES);
	if (subclass < 2)
		WRITE_ONCE(m->class_idx[subclass], i);
	return i;
}

/* ---- the graph ---- */

/*
 * Is there a way from FROM to TO, or (TO 0) to a class of a usage in WANT, FROM itself included?
 * BACK: against the arrows. Copies it. graph_lock held.
 */
static bool search(u16 from, u16 to, u8 want, bool back, struct way *way)
{
	static u16 queue[MAX_CLASSES];
	unsigned int head = 0, tail = 0;

	search_mark++;
	queue[tail++] = from;
	classes[from].mark = search_mark;
	classes[from].parent = 0;
	while (head < tail) {
		u16 c = queue[head++];

		if (to ? c == to : (classes[c].usage & want) != 0) {
			for (way->n = 0; c && way->n < MAX_WAY; c = classes[c].parent)
				way->c[way->n++] = c;
			return true;
		}
		for (u16 e = back ? classes[c].first_back : classes[c].first_edge; e;
		     e = edges[e].next) {
			u16 n = edges[e].to;

			if (classes[n].mark == search_mark)
				continue;
			classes[n].mark = search_mark;
			classes[n].parent = c;
			queue[tail++] = n;
		}
	}
	return false;
}

static bool add_edge(u16 from, u16 to)
{
	__set_bit(to, known[from]);
	if (nr_edges + 2 > MAX_EDGES)
		return false;
	edges[nr_edges] = (struct edge){ to, classes[from].first_edge };
	classes[from].first_edge = (u16)nr_edges++;
	edges[nr_edges] = (struct edge){ from, classes[to].first_back };
	classes[to].first_back = (u16)nr_edges++;
	return true;
}

static void report_irq_way(struct lockdep_stack *s, const struct way *safe,
			   const struct way *unsafe, unsigned long ip)
{
	if (!begin_report("a lock that interrupts take waits for one that is held with them on"))
		return;
	if (safe->n) {
		print_class("taken in interrupts: ", safe->c[0]);
		print_place("  at", classes[safe->c[0]].irq_ip);
	}
	if (unsafe->n) {
		print_class("held with them on: ", unsafe->c[0]);
		print_place("  at", classes[unsafe->c[0]].on_ip);
	}
	pr_err("the way between, last taken first:\n");
	print_way(unsafe);
	for (unsigned int i = safe->n; i--;)
		print_class("  <- ", safe->c[i]);
	end_report(s, ip);
}

/* HELD was taken before NEW: a new order is checked and remembered. */
static noinline void learn(struct lockdep_stack *s, u16 held, u16 new, unsigned long ip)
{
	struct way way, safe;
	bool circle, irq = false, full = false;
	static bool said;

	raw_enter(&graph_lock);
	if (test_bit(new, known[held])) {
		raw_leave(&graph_lock);
		return;
	}
	circle = search(new, held, 0, false, &way);
	if (circle) {
		/* said once; no edge, so that no circle is in the graph */
		__set_bit(new, known[held]);
	} else {
		irq = search(held, 0, IRQ_WRITE, true, &safe) &&
		      search(new, 0, ON_ANY, false, &way);
		full = !add_edge(held, new);
	}
	raw_leave(&graph_lock);
	if (full)
		table_full(&said, "lock orders", MAX_EDGES / 2);
	if (irq)
		report_irq_way(s, &safe, &way, ip);
	if (!circle || !begin_report("possible circular locking dependency"))
		return;
	print_class("taking: ", new);
	print_class("while holding: ", held);
	pr_err("but elsewhere they are taken in the order (last first):\n");
	print_way(&way);
	end_report(s, ip);
}

/* ---- use in interrupts ---- */

static noinline void new_usage(struct lockdep_stack *s, u16 c, u8 add, unsigned long ip)
{
	struct lock_class *k = &classes[c];
	struct way safe = { 0 }, unsafe = { 0 };
	bool both, way = false;
	u8 u;

	raw_enter(&graph_lock);
	if (k->usage & add) {
		raw_leave(&graph_lock);
		return;
	}
	*(add & ON_ANY ? &k->on_ip : &k->irq_ip) = ip;
	u = k->usage | add;
	WRITE_ONCE(k->usage, u);
	/* Readers in handlers do not wait for readers. */
	both = ((u & IRQ_WRITE) && (u & ON_ANY)) || ((u & IRQ_READ) && (u & ON_WRITE));
	if (!both && add == IRQ_WRITE)
		way = search(c, 0, ON_ANY, false, &unsafe);
	else if (!both && (add & ON_ANY))
		way = search(c, 0, IRQ_WRITE, true, &safe);
	raw_leave(&graph_lock);
	if (way)
		report_irq_way(s, &safe, &unsafe, ip);
	if (!both || !begin_report("lock used in interrupts is held with them on"))
		return;
	print_class("lock: ", c);
	print_place("in an interrupt at", k->irq_ip);
	print_place("with interrupts on at", k->on_ip);
	end_report(s, ip);
}

static void check_irq_use(struct lockdep_stack *s, u16 c, int read, bool irqs_on, unsigned long ip)
{
	u8 add;

	if (in_hardirq())
		add = read ? IRQ_READ : IRQ_WRITE;
	else if (irqs_on)
		add = read ? ON_READ : ON_WRITE;
	else
		return;
	if (unlikely(!(READ_ONCE(classes[c].usage) & add)) && !classes[c].sleeping)
		new_usage(s, c, add, ip);
}

/* ---- what a task holds ---- */

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

/* The locks that C has to come after, nearest first, up to one that was certain (not a try). */
static void check_order(struct lockdep_stack *s, u16 c, const struct lockdep_map *m, bool sleeping,
			int read, unsigned long ip)
{
	for (unsigned int i = s->depth; i--;) {
		const struct held_lock *h = &s->h[i];

		/*
		 * Nested ones of a class follow each other down a tree; which comes first is said
		 * by the _nested.
		 */
		if (h->class_idx == c && classes[c].subclass && h->map != m)
			continue;
		if (h->class_idx == c && !(read == 2 && h->read == 2)) {
			if (first_time(c, SAID_RECURSION) &&
			    begin_report("possible recursive locking")) {
				print_class(h->map == m ? "the very same lock: " :
							  "another lock of its class: ",
					    c);
				end_report(s, ip);
			}
			return;
		}
		if (sleeping && !h->sleeping) {
			if (first_time(c, SAID_SLEEPING) &&
			    begin_report("sleeping lock taken under a spinning one")) {
				print_class("taking: ", c);
				print_class("while holding: ", h->class_idx);
				end_report(s, ip);
			}
			return;
		}
		if (!test_bit(c, known[h->class_idx]))
			learn(s, h->class_idx, c, ip);
		if (!h->try)
			break;
	}
}

static noinline void too_deep(struct lockdep_stack *s)
{
	static bool said;

	s->lost++;
	if (s->depth == LOCKDEP_MAX_HELD)
		table_full(&said, "locks held by one task", LOCKDEP_MAX_HELD);
}

void lock_acquire(struct lockdep_map *m, unsigned int subclass, bool try, int read, bool sleeping,
		  unsigned long ip)
{
	struct lockdep_stack *s;
	unsigned long flags;
	u16 c;

	if (!sleeping)
		section_lock(m->name);
	if (!enter(&flags))
		return;
	c = find_class(m, subclass, sleeping);
	s = current_lockdep();
	if (unlikely(!c || s->depth == LOCKDEP_MAX_HELD)) {
		if (!c && !m->name && begin_report("taking a lock that was never initialised"))
			end_report(s, ip);
		too_deep(s);
		leave(flags);
		return;
	}
	check_irq_use(s, c, read, !arch_irqs_disabled_flags(flags), ip);
	if (!try && s->depth)
		check_order(s, c, m, sleeping, read, ip);
	s->h[s->depth++] = (struct held_lock){ m, ip, c, sleeping, try, (u8)read };
	leave(flags);
}
EXPORT_DEBUG(lock_acquire);

static noinline void not_held(struct lockdep_stack *s, const struct lockdep_map *m,
			      unsigned long ip)
{
	if (s->lost) {
		s->lost--;
	} else if (first_time(m->class_idx[0], SAID_NOT_HELD) &&
		   begin_report("releasing a lock that is not held")) {
		pr_err("lock: %s\n", m->name);
		end_report(s, ip);
	}
}

void lock_release(struct lockdep_map *m, unsigned long ip)
{
	struct lockdep_stack *s;
	unsigned long flags;
	unsigned int i;

	if (!enter(&flags))
		return;
	s = current_lockdep();
	for (i = s->depth; i && s->h[i - 1].map != m; i--)
		;
	if (likely(i)) {
		for (s->depth--; i <= s->depth; i++)
			s->h[i - 1] = s->h[i];
	} else {
		not_held(s, m, ip);
	}
	leave(flags);
}
EXPORT_DEBUG(lock_release);

bool lock_is_held(const struct lockdep_map *m)
{
	const struct lockdep_stack *s;

	if (!enabled)
		return true;
	s = current_lockdep();
	for (unsigned int i = 0; i < s->depth; i++)
		if (s->h[i].map == m)
			return true;
	return s->lost != 0;
}
EXPORT_DEBUG(lock_is_held);

void lockdep_check_freed(const void *p, size_t size, unsigned long ip)
{
	struct lockdep_stack *s;
	unsigned long flags;

	if (!enabled || !current_lockdep()->depth || !enter(&flags))
		return;
	s = current_lockdep();
	for (unsigned int i = 0; i < s->depth; i++)
		if ((unsigned long)s->h[i].map - (unsigned long)p < size &&
		    first_time(s->h[i].class_idx, SAID_FREED) &&
		    begin_report("freeing memory with a held lock in it")) {
			print_class("lock: ", s->h[i].class_idx);
			end_report(s, ip);
		}
	leave(flags);
}

void lockdep_print_held(void)
{
	const struct lockdep_stack *s = current_lockdep();

	if (enabled && s->depth)
		print_held(s);
}

/* ---- RCU read sections ---- */

/*
 * They are no locks (nobody waits inside for one outside); how many are open on this CPU is kept,
 * and where the outermost began. A section keeps its CPU, so the count is the task's and its
 * interrupts'.
 */
static DEFINE_PER_CPU(int, rcu_depth);
static DEFINE_PER_CPU(unsigned long, rcu_began);

void rcu_lock_acquire(unsigned long ip)
{
	if (!this_cpu_read(rcu_depth)) {
		this_cpu_write(rcu_began, ip);
		section_rcu();
	}
	this_cpu_inc(rcu_depth);
}
EXPORT_DEBUG(rcu_lock_acquire);

void rcu_lock_release(unsigned long ip)
{
	unsigned long flags;

	if (likely(this_cpu_read(rcu_depth) > 0)) {
		this_cpu_dec(rcu_depth);
	} else if (enter(&flags)) {
		if (begin_report("rcu_read_unlock() without rcu_read_lock()"))
			end_report(current_lockdep(), ip);
		leave(flags);
	}
}
EXPORT_DEBUG(rcu_lock_release);

bool rcu_read_lock_held(void)
{
	return !enabled || this_cpu_read(rcu_depth) > 0 || !preemptible();
}
EXPORT_DEBUG(rcu_read_lock_held);

const char *rcu_section_describe(char *buf, size_t size)
{
	char name[160];

	if (this_cpu_read(rcu_depth) <= 0)
		return "";
	scnprintf(buf, size, ", in an RCU read section begun at %s",
		  ksym_describe(this_cpu_read(rcu_began), name, sizeof(name)));
	return buf;
}

/* ---- the end of a call ---- */

static noinline void still_held(unsigned long ip)
{
	struct lockdep_stack *s = current_lockdep();
	unsigned long flags;
	char buf[200];

	if (!enter(&flags))
		return;
	if (first_time(s->depth ? s->h[0].class_idx : 0, SAID_HELD) &&
	    begin_report(s->depth ? "going back to user mode with locks held" :
				    "going back to user mode in an RCU read section")) {
		if (this_cpu_read(rcu_depth) > 0)
			pr_err("RCU%s\n", rcu_section_describe(buf, sizeof(buf)));
		end_report(s, ip);
	}
	/* Said once: what comes next starts afresh. */
	s->depth = s->lost = 0;
	this_cpu_write(rcu_depth, 0);
	leave(flags);
}

void lockdep_user_return(void)
{
	if (enabled && unlikely(current_lockdep()->depth || this_cpu_read(rcu_depth) > 0))
		still_held(_RET_IP_);
}

/* ---- control ---- */

/* "class NAME", and for each way in which interrupts matter to it a line with the name again */
static size_t show_class(const struct lock_class *c, char *buf, size_t size)
{
	u8 usage = READ_ONCE(c->usage);
	size_t len = (size_t)scnprintf(buf, size, "class %s\n", c->name);

	if (usage & IRQ_ANY)
		len += (size_t)scnprintf(buf + len, size - len, "in interrupts: %s\n", c->name);
	if (usage & ON_ANY)
		len += (size_t)scnprintf(buf + len, size - len, "with interrupts on: %s\n",
					 c->name);
	return len;
}

static ssize_t show_graph(struct show_node *n, char *buf, size_t size)
{
	size_t len = (size_t)scnprintf(buf, size, "%u classes, %u orders, %u reports%s\n",
				       nr_classes - 1, (nr_edges - 1) / 2, reports,
				       enabled ? "" : ", stopped");

	for (u32 i = 1; i < nr_classes; i++)
		len += show_class(&classes[i], buf + len, size - len);
	for (u32 i = 1; i < nr_classes; i++)
		for (u16 e = classes[i].first_edge; e; e = edges[e].next)
			len += (size_t)scnprintf(buf + len, size - len, "%s -> %s\n",
						 classes[i].name, classes[edges[e].to].name);
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
	const char *v = command_line_get("lockdep");

	enabled = !v || strcmp(v, "off");
	return 0;
}
INITCALL(early, lockdep_init);
#endif
