// SPDX-License-Identifier: MIT
/*
 * Futexes (futex(2), futex(7)).
 *
 * A futex is named by a key: for private ones the address space and the address, for shared ones the page-cache object and
 * offset behind it (anonymous memory that is not shared keeps its private key, which is all it can be found by). Waiters of a
 * key hash to a bucket; who waits reads the word under the bucket's lock, so a waker that changed it before cannot be missed.
 *
 * A bucket has a tree of keys. The oldest waiter of a key is its node, the others of the key are in a ring with it, by age.
 *
 * Waking and requeueing take waiters off under the lock, a limited number at a time, and wake them without it. Between two such pieces
 * a mark, which nothing matches, keeps the place in the ring. Waiters that came after the beginning are left alone.
 *
 * Lock order: bucket locks by address.
 */
#include <lib/types.h>
#include <lib/bits.h>
#include <lib/hash.h>
#include <lib/list.h>
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/pid.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <ipc/futex.h>
#include <abi/errno.h>
#include <linux/futex.h>
#include <linux/time.h>

struct futex_key {
	u64 object;		/* mm, or the mapping's identity */
	u64 offset;
};

struct bucket {
	spinlock_t lock;
	atomic_t waiters;	/* raised before the word is read: a waker that sees 0 need not lock */
	struct rb_root keys;	/* lock */
	u64 next_seq;		/* lock */
} ____cacheline_aligned;

struct futex_q {
	struct rb_node node;	/* bucket lock: of the first of a key */
	struct list_head list;	/* bucket lock: all of the key, oldest first */
	u64 seq;		/* bucket lock: by age in the bucket */
	struct task *task;	/* NULL once woken, store-released */
	struct futex_key key;	/* bucket lock: requeue changes it */
	struct bucket *bucket;	/* bucket lock: requeue changes it */
	u32 bitset;		/* 0: a mark */
	bool first;		/* bucket lock: the oldest of its key */
};

static struct bucket *buckets;
static unsigned int bucket_bits;

static struct bucket *bucket_of(const struct futex_key *k)
{
	return &buckets[hash_64(k->object * 0x9E3779B97F4A7C15ULL + k->offset, bucket_bits)];
}

static int compare_keys(const struct futex_key *a, const struct futex_key *b)
{
	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return a->offset == b->offset ? 0 : a->offset < b->offset ? -1 : 1;
}

/* ---- the waiters of a bucket, which is locked ---- */

static void enqueue(struct bucket *b, struct futex_q *q)
{
	struct rb_node **link = &b->keys.node, *parent = NULL;

	q->seq = b->next_seq++;
	while (*link) {
		struct futex_q *x = rb_entry(*link, struct futex_q, node);
		int c = compare_keys(&q->key, &x->key);

		if (!c) {
			list_add_tail(&q->list, &x->list);
			q->first = false;
			return;
		}
		parent = *link;
		link = c < 0 ? &parent->left : &parent->right;
	}
	INIT_LIST_HEAD(&q->list);
	q->first = true;
	rb_link_node(&q->node, parent, link);
	rb_insert_color(&q->node, &b->keys);
}

static void make_first(struct bucket *b, struct futex_q *old, struct futex_q *q)
{
	rb_replace_node(&old->node, &q->node, &b->keys);
	old->first = false;
	q->first = true;
}

static void dequeue(struct bucket *b, struct futex_q *q)
{
	if (q->first) {
		if (list_empty(&q->list))
			rb_erase(&q->node, &b->keys);
		else
			make_first(b, q, list_next_entry(q, list));
	}
	list_del(&q->list);
}

static struct futex_q *first_of(struct bucket *b, const struct futex_key *k)
{
	struct rb_node *n = b->keys.node;

	while (n) {
		struct futex_q *q = rb_entry(n, struct futex_q, node);
		int c = compare_keys(k, &q->key);

		if (!c)
			return q;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

/* The next younger one of the same key, or NULL. */
static struct futex_q *next_of(struct futex_q *q)
{
	struct futex_q *n = list_next_entry(q, list);

	return n->first ? NULL : n;
}

static void put_mark(struct bucket *b, struct futex_q *mark, struct futex_q *q)
{
	mark->key = q->key;
	mark->seq = q->seq;
	mark->bitset = 0;
	mark->first = false;
	list_add_tail(&mark->list, &q->list);
	if (q->first)
		make_first(b, q, mark);
}

/* What was behind the mark and still is, or NULL. */
static struct futex_q *take_mark(struct bucket *b, struct futex_q *mark)
{
	struct futex_q *q = next_of(mark);

	dequeue(b, mark);
	return q;
}

/* Makes the page present so that read_word() works. */
static int fault_in(struct uptr p)
{
	u32 unused;

	return get_user(unused, p) ? -EFAULT : 0;
}

/* 0; -EINVAL misaligned; -EFAULT. WRITE: the word will be written. */
static int get_key(struct uptr p, bool shared, bool write, struct futex_key *k)
{
	struct mm *mm = current->mm;

	if (p.addr & 3)
		return -EINVAL;
	if (!access_ok(p, 4))
		return -EFAULT;
	if (!shared) {
		*k = (struct futex_key){ (unsigned long)mm, p.addr };
		return 0;
	}
	/* A file may end before it. */
	if (fault_in(p))
		return -EFAULT;
	return mm_shared_key(mm, p.addr, write, &k->object, &k->offset);
}

static int read_word(u32 *v, struct uptr p)
{
	u32 x;

	if (copy_from_user_nofault(&x, p, sizeof(x)))
		return -EFAULT;
	*v = x;
	return 0;
}

/* ---- waking ---- */

#define WAKE_MOST 16		/* waiters that are taken off in one piece */
#define LOOK_MOST 256		/* those that are looked at or moved */

struct wake_list {
	struct task *t[WAKE_MOST];
	int n;
};

static void wake_flush(struct wake_list *w)
{
	for (int i = 0; i < w->n; i++) {
		wake_up_process(w->t[i]);
		put_task_struct(w->t[i]);
	}
	w->n = 0;
}

/* Bucket locked, room on the list. The waiter is off and may vanish as soon as task is NULL. */
static void take_waiter(struct futex_q *q, struct wake_list *w)
{
	struct task *t = q->task;

	get_task_struct(t);
	dequeue(q->bucket, q);
	atomic_dec(&q->bucket->waiters);
	smp_store_release(&q->task, NULL);
	w->t[w->n++] = t;
}

/* Waking some waiters of a key. */
struct waking {
	struct bucket *bucket;
	struct futex_q *next;	/* the one to look at next, NULL at the end; it has the mark before it when the bucket is not locked */
	u64 before;		/* seq of those that come too late */
	u32 bitset;
	int nr, woke;
	struct wake_list list;
	struct futex_q mark;
};

/* Bucket locked. */
static void wake_some(struct waking *w)
{
	struct futex_q *q = w->next, *n;

	for (int looked = 0; q && q->seq < w->before; q = n, looked++) {
		if (looked == LOOK_MOST || w->list.n == WAKE_MOST) {
			put_mark(w->bucket, &w->mark, q);
			w->next = q;
			return;
		}
		n = next_of(q);
		if (!(q->bitset & w->bitset))
			continue;
		take_waiter(q, &w->list);
		if (++w->woke >= w->nr)
			break;
	}
	w->next = NULL;
}

/* Bucket locked. wake_rest() has to follow without the lock. */
static void wake_begin(struct waking *w, const struct futex_key *k, int nr, u32 bitset)
{
	w->bucket = bucket_of(k);
	w->next = first_of(w->bucket, k);
	w->before = w->bucket->next_seq;
	w->bitset = bitset;
	w->nr = nr;
	w->woke = 0;
	w->list.n = 0;
	wake_some(w);
}

/* How many were woken in all. */
static int wake_rest(struct waking *w)
{
	wake_flush(&w->list);
	while (unlikely(w->next)) {
		cond_resched();
		spin_lock(&w->bucket->lock);
		w->next = take_mark(w->bucket, &w->mark);
		wake_some(w);
		spin_unlock(&w->bucket->lock);
		wake_flush(&w->list);
	}
	return w->woke;
}

static int wake_key(const struct futex_key *k, int nr, u32 bitset)
{
	struct bucket *b = bucket_of(k);
	struct waking w;

	smp_mb();		/* the caller's store to the word, before the look at waiters; pairs with wait_setup() */
	if (!atomic_read(&b->waiters))
		return 0;
	spin_lock(&b->lock);
	wake_begin(&w, k, nr, bitset);
	spin_unlock(&b->lock);
	return wake_rest(&w);
}

int futex_wake(struct uptr p, bool shared, int nr, u32 bitset)
{
	struct futex_key k;
	int e;

	if (!bitset)
		return -EINVAL;
	e = get_key(p, shared, false, &k);
	return e ?: wake_key(&k, nr, bitset);
}

int do_futex_wake_private(struct uptr p, int nr)
{
	/* clear_child_tid may be waited for with either kind. */
	futex_wake(p, true, nr, FUTEX_BITSET_MATCH_ANY);
	return futex_wake(p, false, nr, FUTEX_BITSET_MATCH_ANY);
}

/* ---- waiting ---- */

/* Queues Q if the word still holds VAL. 0, -EWOULDBLOCK, -EFAULT. */
static int wait_setup(struct uptr p, u32 val, bool shared, struct futex_q *q)
{
	struct bucket *b;
	u32 now;
	int e;

	for (;;) {
		e = get_key(p, shared, false, &q->key);
		if (e)
			return e;
		q->bucket = b = bucket_of(&q->key);
		atomic_inc(&b->waiters);
		smp_mb__after_atomic();
		spin_lock(&b->lock);
		e = read_word(&now, p);
		if (!e)
			break;
		spin_unlock(&b->lock);
		atomic_dec(&b->waiters);
		if (fault_in(p))
			return -EFAULT;
	}
	if (now != val) {
		spin_unlock(&b->lock);
		atomic_dec(&b->waiters);
		return -EWOULDBLOCK;
	}
	q->task = current;
	enqueue(b, q);
	set_current_state(TASK_INTERRUPTIBLE);
	spin_unlock(&b->lock);
	return 0;
}

/* Takes Q off if it is still queued; true when it was woken instead. */
static bool unqueue(struct futex_q *q)
{
	struct bucket *b;

	for (;;) {
		if (!smp_load_acquire(&q->task))
			return true;
		b = READ_ONCE(q->bucket);
		spin_lock(&b->lock);
		if (q->bucket == b)
			break;
		spin_unlock(&b->lock);	/* requeued meanwhile */
	}
	if (!q->task) {
		spin_unlock(&b->lock);
		return true;
	}
	dequeue(b, q);
	atomic_dec(&b->waiters);
	spin_unlock(&b->lock);
	return false;
}

static long futex_wait_restart(struct task *t);

long futex_wait(struct uptr p, bool shared, u32 val, const ktime_t *until, clockid_t clock, u32 bitset)
{
	struct futex_q q = { .bitset = bitset };
	int e;

	if (!bitset)
		return -EINVAL;
	for (;;) {
		int r = 1;

		e = wait_setup(p, val, shared, &q);
		if (e)
			return e;
		if (smp_load_acquire(&q.task) && !signal_pending(current))
			r = schedule_hrtimeout_until(until, clock);
		__set_current_state(TASK_RUNNING);
		if (unqueue(&q))
			return 0;
		if (until && !r)
			return -ETIMEDOUT;
		if (signal_pending(current))
			break;
		/* Woken by something else: look at the word again. */
	}
	if (!until)
		return -ERESTARTSYS;
	current->restart.fn = futex_wait_restart;
	current->restart.uaddr = p;
	current->restart.val = val;
	current->restart.expires_ns = (u64)*until;
	current->restart.clock = clock;
	current->restart.bitset = bitset;
	current->restart.flags = shared;
	return -ERESTART_RESTARTBLOCK;
}

static long futex_wait_restart(struct task *t)
{
	ktime_t until = (ktime_t)t->restart.expires_ns;

	return futex_wait(t->restart.uaddr, t->restart.flags, t->restart.val, &until, t->restart.clock, t->restart.bitset);
}

/* Off with the first N; the place of one that was woken meanwhile, or -1. */
static int unqueue_all(struct futex_q *q, unsigned int n)
{
	int woken = -1;

	for (unsigned int i = 0; i < n; i++)
		if (unqueue(&q[i]))
			woken = (int)i;
	return woken;
}

static bool all_wait(struct futex_q *q, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!smp_load_acquire(&q[i].task))
			return false;
	return true;
}

/* One round: -EINTR: nothing came of it, look again. */
static long wait_round(const struct futex_spec *s, struct futex_q *q, unsigned int n, const ktime_t *until, clockid_t clock)
{
	int r = 1, woken;

	for (unsigned int i = 0; i < n; i++) {
		int e;

		__set_current_state(TASK_RUNNING);	/* the word may have to be faulted in */
		q[i].bitset = FUTEX_BITSET_MATCH_ANY;
		e = wait_setup(s[i].p, s[i].val, s[i].shared, &q[i]);
		if (e) {
			__set_current_state(TASK_RUNNING);
			woken = unqueue_all(q, i);
			return woken >= 0 ? woken : e;
		}
	}
	if (all_wait(q, n) && !signal_pending(current))
		r = schedule_hrtimeout_until(until, clock);
	__set_current_state(TASK_RUNNING);
	woken = unqueue_all(q, n);
	if (woken >= 0)
		return woken;
	return until && !r ? -ETIMEDOUT : signal_pending(current) ? -ERESTARTSYS : -EINTR;
}

long futex_wait_many(const struct futex_spec *s, unsigned int n, const ktime_t *until, clockid_t clock)
{
	struct futex_q *q = kvmalloc_array(n, sizeof(*q), GFP_KERNEL);
	long r;

	if (!q)
		return -ENOMEM;
	do
		r = wait_round(s, q, n, until, clock);
	while (r == -EINTR);
	kvfree(q);
	return r;
}

/* ---- requeue and wake-op ---- */

static void lock_two(struct bucket *a, struct bucket *b) __acquires(a->lock)
{
	if (a > b)
		swap(a, b);
	spin_lock(&a->lock);
	if (a != b) {
		spin_lock_nested(&b->lock, 1);
		__release(b->lock);	/* both count as one */
	}
}

static void unlock_two(struct bucket *a, struct bucket *b) __releases(a->lock)
{
	spin_unlock(&a->lock);
	if (a != b) {
		__acquire(b->lock);
		spin_unlock(&b->lock);
	}
}

struct requeueing {
	struct bucket *from, *to;
	const struct futex_key *key;	/* the new one */
	struct futex_q *next;		/* as in struct waking */
	u64 before;
	int nr_wake, nr_requeue, done;
	struct wake_list list;
	struct futex_q mark;
};

static void move_waiter(struct requeueing *r, struct futex_q *q)
{
	if (!compare_keys(&q->key, r->key))
		return;
	dequeue(r->from, q);
	if (r->from != r->to) {
		atomic_dec(&r->from->waiters);
		atomic_inc(&r->to->waiters);
		WRITE_ONCE(q->bucket, r->to);
	}
	q->key = *r->key;
	enqueue(r->to, q);
}

/* Both buckets locked. */
static void requeue_some(struct requeueing *r)
{
	struct futex_q *q = r->next, *n;

	for (int looked = 0; q && q->seq < r->before && r->done - r->nr_wake < r->nr_requeue; q = n, looked++) {
		if (looked == LOOK_MOST || r->list.n == WAKE_MOST) {
			put_mark(r->from, &r->mark, q);
			r->next = q;
			return;
		}
		n = next_of(q);
		if (!q->bitset)
			continue;
		if (r->done++ < r->nr_wake)
			take_waiter(q, &r->list);
		else
			move_waiter(r, q);
	}
	r->next = NULL;
}

/* Without the buckets' locks. How many were woken and moved in all. */
static int requeue_rest(struct requeueing *r)
{
	wake_flush(&r->list);
	while (unlikely(r->next)) {
		cond_resched();
		lock_two(r->from, r->to);
		r->next = take_mark(r->from, &r->mark);
		requeue_some(r);
		unlock_two(r->from, r->to);
		wake_flush(&r->list);
	}
	return r->done;
}

int futex_requeue(struct uptr p1, bool shared1, struct uptr p2, bool shared2, int nr_wake, int nr_requeue, const u32 *cmpval)
{
	struct requeueing r = { .key = NULL };
	struct futex_key k1, k2;
	int e;
	u32 now;

	if (nr_wake < 0 || nr_requeue < 0)
		return -EINVAL;
retry:
	e = get_key(p1, shared1, false, &k1);
	e = e ?: get_key(p2, shared2, false, &k2);
	if (e)
		return e;
	r.from = bucket_of(&k1);
	r.to = bucket_of(&k2);
	/* Before the lock: a waker on the second word must see that somebody may come. */
	atomic_inc(&r.to->waiters);
	lock_two(r.from, r.to);
	if (cmpval) {
		e = read_word(&now, p1);
		if (e || now != *cmpval) {
			unlock_two(r.from, r.to);
			atomic_dec(&r.to->waiters);
			if (!e)
				return -EAGAIN;
			if (fault_in(p1))
				return -EFAULT;
			goto retry;
		}
	}
	r.key = &k2;
	r.nr_wake = nr_wake;
	r.nr_requeue = nr_requeue;
	r.before = r.from->next_seq;
	r.next = first_of(r.from, &k1);
	requeue_some(&r);
	unlock_two(r.from, r.to);
	e = requeue_rest(&r);
	atomic_dec(&r.to->waiters);
	return e;
}

/* FUTEX_WAKE_OP: changes the second word, compares what was there. *OLD_OK: the comparison holds. */
static int do_op(u32 encoded, struct uptr p, bool *old_ok)
{
	static const enum user_atomic ops[] = { USER_ATOMIC_SET, USER_ATOMIC_ADD, USER_ATOMIC_OR, USER_ATOMIC_ANDN, USER_ATOMIC_XOR };
	u32 op = encoded >> 28 & 7, cmp = encoded >> 24 & 15, old;
	s32 oparg = (s32)(encoded << 8) >> 20, cmparg = (s32)(encoded << 20) >> 20;
	int e;

	if (encoded & ((u32)FUTEX_OP_OPARG_SHIFT << 28))
		oparg = 1 << (oparg & 31);
	if (op >= ARRAY_SIZE(ops) || cmp > FUTEX_OP_CMP_GE)
		return -ENOSYS;
	pagefault_disable();
	e = arch_user_atomic_u32(p, ops[op], (u32)oparg, &old);
	pagefault_enable();
	if (e)
		return e;
	switch (cmp) {
	case FUTEX_OP_CMP_EQ: *old_ok = (s32)old == cmparg; break;
	case FUTEX_OP_CMP_NE: *old_ok = (s32)old != cmparg; break;
	case FUTEX_OP_CMP_LT: *old_ok = (s32)old < cmparg; break;
	case FUTEX_OP_CMP_LE: *old_ok = (s32)old <= cmparg; break;
	case FUTEX_OP_CMP_GT: *old_ok = (s32)old > cmparg; break;
	default: *old_ok = (s32)old >= cmparg;
	}
	return 0;
}

int futex_wake_op(struct uptr p1, struct uptr p2, bool shared, int nr1, int nr2, u32 op)
{
	struct futex_key k1, k2;
	struct waking w1, w2;
	struct bucket *b1, *b2;
	bool ok = false;
	int e;

retry:
	e = get_key(p1, shared, false, &k1);
	e = e ?: get_key(p2, shared, true, &k2);
	if (e)
		return e;
	b1 = bucket_of(&k1);
	b2 = bucket_of(&k2);
	lock_two(b1, b2);
	e = do_op(op, p2, &ok);
	if (e) {
		unlock_two(b1, b2);
		if (e != -EFAULT)
			return e;
		if (fault_in_writeable(p2, 4))
			return -EFAULT;
		goto retry;
	}
	wake_begin(&w1, &k1, nr1, FUTEX_BITSET_MATCH_ANY);
	if (ok)
		wake_begin(&w2, &k2, nr2, FUTEX_BITSET_MATCH_ANY);
	unlock_two(b1, b2);
	e = wake_rest(&w1);
	return ok ? e + wake_rest(&w2) : e;
}

/* ---- robust lists (get_robust_list(2)) ---- */

#define ROBUST_LIMIT 2048

/*
 * The owner died: marks the word and wakes one waiter. PENDING: it was about to take the lock or to give it back. With no owner in the
 * word it died between giving it back and waking, or between being woken and taking it: somebody else has to be woken in its place.
 */
static void owner_died(struct uptr p, bool pi, bool pending)
{
	u32 v, old, n;

	if (p.addr & 3 || get_user(v, p))
		return;
	for (;;) {
		if (pending && !pi && !(v & FUTEX_TID_MASK)) {
			futex_wake(p, true, 1, FUTEX_BITSET_MATCH_ANY);
			return;
		}
		if ((v & FUTEX_TID_MASK) != (u32)task_pid_vnr(current))
			return;
		n = (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		if (arch_user_cmpxchg_u32(p, &old, v, n))
			return;
		if (old == v)
			break;
		v = old;
	}
	if (!pi && (v & FUTEX_WAITERS))
		futex_wake(p, true, 1, FUTEX_BITSET_MATCH_ANY);
}

/* Entries carry "priority inheritance" in bit 0. */
static int get_entry(u64 *entry, bool *pi, struct uptr p)
{
	u64 v;

	if (get_user(v, p))
		return -EFAULT;
	*entry = v & ~1ULL;
	*pi = v & 1;
	return 0;
}

static void walk_robust_list(struct uptr head)
{
	u64 entry, next, pending;
	bool pi, next_pi, pending_pi;
	s64 offset;
	int limit = ROBUST_LIMIT;

	if (get_entry(&entry, &pi, head) || get_user(offset, uptr_add(head, 8)) ||
	    get_entry(&pending, &pending_pi, uptr_add(head, 16)))
		return;
	while (entry != head.addr) {
		int e = get_entry(&next, &next_pi, UPTR(entry));

		if (entry != pending)
			owner_died(UPTR(entry + (u64)offset), pi, false);
		if (e || !--limit)
			break;
		entry = next;
		pi = next_pi;
		cond_resched();
	}
	if (pending)
		owner_died(UPTR(pending + (u64)offset), pending_pi, true);
}

void futex_exit_release(struct task *t)
{
	if (uptr_is_null(t->robust_list))
		return;
	if (t->mm)
		walk_robust_list(t->robust_list);
	t->robust_list = UPTR_NULL;
}

static int futex_init(void)
{
	bucket_bits = (unsigned int)ilog2(roundup_pow_of_two(64UL * nr_cpu_ids));
	buckets = kvmalloc(sizeof(*buckets) << bucket_bits, GFP_KERNEL);
	if (!buckets)
		return -ENOMEM;
	for (unsigned long i = 0; i < 1UL << bucket_bits; i++) {
		spin_lock_init(&buckets[i].lock);
		atomic_set(&buckets[i].waiters, 0);
		buckets[i].keys = RB_ROOT;
		buckets[i].next_seq = 0;
	}
	return 0;
}
INITCALL(core, futex_init);
