// SPDX-License-Identifier: MIT
/*
 * Linux AIO: contexts, rings, events.
 *
 * A context is found by the address of its ring, in a table of its address space (mm->aio, made by
 * the first context): under RCU, with a reference unless it is ending. The table has one reference;
 * who takes the context out of it ends it: marks it dead, so that nothing begins, cancels what can
 * be cancelled, unmaps the ring and waits for the rest. The ring's file has another reference, so
 * that the ring lives as long as it is mapped. A child of fork has neither context nor ring.
 *
 * The ring is the program's: it takes events by io_getevents(2), or by moving `head` itself. Places
 * are counted here: a request takes one (`free`) when it begins, its event keeps it, and it comes
 * back when events are found taken (reap()), which is looked at when there is none left. So the
 * ring has room for every event, whatever `head` says.
 *
 * Locks: mmap_lock > ctx_lock (the ring is moved or unmapped) > the index; reading > copies to user
 * space (mmap_lock); ring_lock is a leaf.
 */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <mm/fault.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <mm/upcalls.h>
#include <sched/plug.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/mman.h>
#include <linux/time.h>
#include "ipc/aio_priv.h"

struct aio_table {
	struct mutex ctx_lock;	/* contexts come, move and go */
	struct xarray by_page;	/* ctx_lock to change; the ring's address / PAGE_SIZE -> context */
	/*
	 * ctx_lock: contexts whose ring the program unmapped: no longer found, ended with the
	 * address space
	 */
	struct list_head unmapped;
};

static atomic_long_t aio_nr;
static unsigned long aio_max_nr = 65536;

/* ---- life ---- */

static void ctx_free(struct rcu_head *h)
{
	struct aio_ctx *c = container_of(h, struct aio_ctx, rcu);

	kfree(c);
}

void aio_ctx_put(struct aio_ctx *c)
{
	if (!refcount_dec_and_test(&c->refs))
		return;
	vfree(c->ring);
	call_rcu(&c->rcu, ctx_free);
}

/* N is what the program asks for. ERR_PTR(-EINVAL, -EAGAIN, -ENOMEM). */
static struct aio_ctx *ctx_alloc(unsigned int n)
{
	unsigned long events = max((unsigned long)n, 4ul * num_possible_cpus()) * 2 + 2;
	struct aio_ctx *c;

	if (events > 0x10000000ul / sizeof(struct io_event))
		return ERR_PTR(-EINVAL);
	if (atomic_long_add_return((long)n, &aio_nr) > (long)READ_ONCE(aio_max_nr)) {
		atomic_long_sub((long)n, &aio_nr);
		return ERR_PTR(-EAGAIN);
	}
	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		goto none;
	refcount_set(&c->refs, 1);
	c->mm = current->mm;
	c->max = n;
	c->size = PAGE_ALIGN(sizeof(struct aio_ring) + events * sizeof(struct io_event));
	c->nr = (unsigned int)((c->size - sizeof(struct aio_ring)) / sizeof(struct io_event));
	c->free = c->nr - 1;
	spin_lock_init(&c->ring_lock);
	mutex_init(&c->reading);
	init_waitqueue_head(&c->end_wait);
	init_waitqueue_head(&c->event_wait);
	c->polls = RB_ROOT;
	c->ring = __vmalloc(c->size, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
	if (!c->ring)
		goto none;
	c->ring->nr = c->nr;
	c->ring->magic = AIO_RING_MAGIC;
	c->ring->compat = 1;
	c->ring->header_length = sizeof(struct aio_ring);
	return c;
none:
	kfree(c);
	atomic_long_sub((long)n, &aio_nr);
	return ERR_PTR(-ENOMEM);
}

/* The current address space's, made if there is none. NULL without memory. */
static struct aio_table *table_make(struct mm *mm)
{
	struct aio_table *t = smp_load_acquire((struct aio_table **)&mm->aio), *old = NULL;

	if (t)
		return t;
	t = kmalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	mutex_init(&t->ctx_lock);
	xa_init(&t->by_page);
	INIT_LIST_HEAD(&t->unmapped);
	if (!try_cmpxchg((struct aio_table **)&mm->aio, &old, t)) {
		xa_destroy(&t->by_page);
		kfree(t);
		t = old;
	}
	return t;
}

/* With a reference; NULL. */
static struct aio_ctx *ctx_find(unsigned long id)
{
	struct aio_table *t = smp_load_acquire((struct aio_table **)&current->mm->aio);
	struct aio_ctx *c;

	if (!t || offset_in_page(id))
		return NULL;
	rcu_read_lock();
	c = xa_load(&t->by_page, id >> PAGE_SHIFT);
	if (c && !refcount_inc_not_zero(&c->refs))
		c = NULL;
	rcu_read_unlock();
	return c;
}

static void ctx_kill(struct aio_ctx *c)
{
	spin_lock(&c->ring_lock);
	c->dead = true;
	spin_unlock(&c->ring_lock);
	WRITE_ONCE(c->mm, NULL);
	aio_cancel_all(c);
	wake_up_all(&c->event_wait);
}

/* The caller has taken C, with its reference, out of the table. */
static void ctx_end(struct aio_ctx *c)
{
	ctx_kill(c);
	wait_event(c->end_wait, !atomic_read(&c->in_flight));
	atomic_long_sub((long)c->max, &aio_nr);
	aio_ctx_put(c);
}

/* mm: the address space MM ends, nobody else uses it. */
void mm_aio_exit(struct mm *mm)
{
	struct aio_table *t = mm->aio;
	struct aio_ctx *c, *next;
	unsigned long i;

	/* All begin to end before the first is waited for. */
	xa_for_each(&t->by_page, i, c)
		ctx_kill(c);
	list_for_each_entry(c, &t->unmapped, link)
		ctx_kill(c);
	xa_for_each(&t->by_page, i, c)
		ctx_end(c);
	list_for_each_entry_safe(c, next, &t->unmapped, link)
		ctx_end(c);
	mm->aio = NULL;
	xa_destroy(&t->by_page);
	kfree(t);
}

/* ---- the ring in an address space ---- */

/* NULL: the context is dead. */
static struct aio_ctx *ctx_of(struct vma *vma)
{
	struct aio_ctx *c = vma->vm_file->private_data;

	return READ_ONCE(c->mm) == vma->vm_mm ? c : NULL;
}

/* It lies elsewhere now, and is named by that. */
static int ring_mremap(struct vma *vma)
{
	struct aio_ctx *c = ctx_of(vma);
	struct aio_table *t;
	int e = -EINVAL;

	if (!c || vma->vm_pgoff)
		return 0;
	t = vma->vm_mm->aio;
	mutex_lock(&t->ctx_lock);
	if (c->id && vma->vm_start)
		e = xa_insert(&t->by_page, vma->vm_start >> PAGE_SHIFT, c, GFP_KERNEL);
	if (!e) {
		xa_erase(&t->by_page, c->id >> PAGE_SHIFT);
		c->id = vma->vm_start;
	}
	mutex_unlock(&t->ctx_lock);
	return e;
}

/* Its beginning was unmapped, and not by io_destroy(2): it has no name any more. */
static void ring_close(struct vma *vma)
{
	struct aio_ctx *c = ctx_of(vma);
	struct aio_table *t;

	if (!c)
		return;
	t = vma->vm_mm->aio;
	mutex_lock(&t->ctx_lock);
	if (c->id && c->id == vma->vm_start) {
		xa_erase(&t->by_page, c->id >> PAGE_SHIFT);
		c->id = 0;
		list_add(&c->link, &t->unmapped);
	}
	mutex_unlock(&t->ctx_lock);
}

static const struct vm_operations ring_vm_ops = { .mremap = ring_mremap, .close = ring_close };

static int ring_mmap(struct file *file, struct vma *vma)
{
	struct aio_ctx *c = file->private_data;
	int e = 0;

	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != c->size)
		return -EINVAL;
	vma->vm_flags |= VM_DONTEXPAND | VM_DONTCOPY;
	for (size_t off = 0; off < c->size && !e; off += PAGE_SIZE)
		e = vm_insert_page(vma, vma->vm_start + off,
				   vmalloc_to_page((char *)c->ring + off));
	if (!e)
		vma->vm_ops = &ring_vm_ops;
	return e;
}

static int ring_release(struct inode *inode, struct file *file)
{
	aio_ctx_put(file->private_data);
	return 0;
}

static const struct file_operations ring_fops = { .mmap = ring_mmap,
						  .release = ring_release,
						  .llseek = noop_llseek };

/* Where it was mapped, or -errno. */
static unsigned long ring_map(struct aio_ctx *c)
{
	struct file *f;
	unsigned long at;

	aio_ctx_get(c);
	f = anon_inode_getfile("[aio]", &ring_fops, c, O_RDWR);
	if (IS_ERR(f)) {
		aio_ctx_put(c);
		return (unsigned long)PTR_ERR(f);
	}
	at = vm_mmap(c->mm, f, 0, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(f);
	return at;
}

int aio_setup(unsigned int n, unsigned long *id)
{
	struct aio_table *t = table_make(current->mm);
	struct aio_ctx *c = t ? ctx_alloc(n) : ERR_PTR(-ENOMEM);
	unsigned long at;
	int e;

	if (IS_ERR(c))
		return (int)PTR_ERR(c);
	at = ring_map(c);
	e = IS_ERR_VALUE(at) ? (int)at : 0;
	if (!e) {
		mutex_lock(&t->ctx_lock);
		e = xa_insert(&t->by_page, at >> PAGE_SHIFT, c, GFP_KERNEL);
		if (!e)
			c->id = at;
		mutex_unlock(&t->ctx_lock);
		if (e)
			vm_munmap(c->mm, at, c->size);
	}
	if (e) {
		ctx_end(c);
		return e == -EBUSY ? -ENOMEM : e;
	}
	*id = at;
	return 0;
}

int aio_destroy(unsigned long id)
{
	struct aio_table *t = smp_load_acquire((struct aio_table **)&current->mm->aio);
	struct aio_ctx *c = NULL;

	if (!t || offset_in_page(id))
		return -EINVAL;
	mutex_lock(&t->ctx_lock);
	c = xa_erase(&t->by_page, id >> PAGE_SHIFT);
	if (c)
		c->id = 0;
	mutex_unlock(&t->ctx_lock);
	if (!c)
		return -EINVAL;
	vm_munmap(current->mm, id, c->size);
	ctx_end(c);
	return 0;
}

/* ---- requests begin and end ---- */

static unsigned int in_ring(const struct aio_ctx *c, unsigned int tail)
{
	unsigned int head = READ_ONCE(c->ring->head) % c->nr;

	return tail >= head ? tail - head : c->nr - head + tail;
}

/* What the program has taken, its places come back. Lock held. */
static void reap(struct aio_ctx *c)
{
	unsigned int left = min(in_ring(c, c->tail), c->written);

	c->free += c->written - left;
	c->written = left;
}

int aio_begin(struct aio_ctx *c)
{
	int e = 0;

	spin_lock(&c->ring_lock);
	if (!c->free)
		reap(c);
	if (c->dead)
		e = -EINVAL;
	else if (!c->free)
		e = -EAGAIN;
	else
		c->free--;
	if (!e) {
		atomic_inc(&c->in_flight);
		aio_ctx_get(c);
	}
	spin_unlock(&c->ring_lock);
	return e;
}

void aio_leave(struct aio_ctx *c)
{
	if (atomic_dec_and_test(&c->in_flight))
		wake_up_all(&c->end_wait);
	aio_ctx_put(c);
}

void aio_give_back(struct aio_ctx *c)
{
	spin_lock(&c->ring_lock);
	c->free++;
	spin_unlock(&c->ring_lock);
}

void aio_event(struct aio_ctx *c, const struct io_event *e)
{
	unsigned int tail, ready;

	spin_lock(&c->ring_lock);
	tail = c->tail;
	c->ring->events[tail] = *e;
	tail = tail + 1 == c->nr ? 0 : tail + 1;
	c->written++;
	/* The event is there before the program, or io_getevents(2) for it, sees that it is. */
	smp_store_release(&c->ring->tail, tail);
	smp_store_release(&c->tail, tail);
	ready = in_ring(c, tail);
	spin_unlock(&c->ring_lock);
	if (wq_has_sleeper(&c->event_wait))
		__wake_up(&c->event_wait, TASK_NORMAL, 0, (void *)(unsigned long)ready);
}

/* ---- taking events ---- */

struct waiter {
	struct wait_queue_entry entry;
	unsigned long min;	/* c: it is woken where there are so many */
};

static int wake_waiter(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	const struct waiter *w = container_of(e, struct waiter, entry);

	/* Without a number: the context is dead. */
	if (key && (unsigned long)key < w->min)
		return 0;
	return autoremove_wake_function(e, mode, flags, key);
}

/* Up to N events that are there. How many; -EFAULT. */
static long take(struct aio_ctx *c, long n, struct uptr to)
{
	unsigned int head, tail, part;
	long done = 0;

	mutex_lock(&c->reading);
	head = READ_ONCE(c->ring->head) % c->nr;
	tail = smp_load_acquire(&c->tail);
	for (; head != tail && done < n; done += part) {
		part = tail > head ? tail - head : c->nr - head;
		part = (unsigned int)min((long)part, n - done);
		if (copy_to_user(uptr_add(to, (unsigned long)done * sizeof(struct io_event)),
				 &c->ring->events[head], part * sizeof(struct io_event))) {
			done = -EFAULT;
			break;
		}
		head = head + part == c->nr ? 0 : head + part;
	}
	if (done > 0)
		smp_store_release(&c->ring->head, head);
	mutex_unlock(&c->reading);
	return done;
}

/*
 * Until MIN events are there, UNTIL, a signal or the context's end. False: it is of no use to wait
 * longer.
 */
static bool wait_for(struct aio_ctx *c, long min, s64 until)
{
	ktime_t at = until;
	struct waiter w = { .min = (unsigned long)min };
	bool again = true;

	init_waitqueue_func_entry(&w.entry, wake_waiter);
	w.entry.private = current;
	for (;;) {
		prepare_to_wait(&c->event_wait, &w.entry, TASK_INTERRUPTIBLE);
		if (READ_ONCE(c->dead) ||
		    in_ring(c, smp_load_acquire(&c->tail)) >= (unsigned long)min)
			break;
		if (signal_pending(current) ||
		    !schedule_hrtimeout_until(until == KTIME_MAX ? NULL : &at, CLOCK_MONOTONIC)) {
			again = false;
			break;
		}
	}
	finish_wait(&c->event_wait, &w.entry);
	return again;
}

static long get_events(struct aio_ctx *c, long min, long n, struct uptr to, s64 until)
{
	bool more = until != 0;
	long done = 0, got;

	for (;;) {
		got = take(c, n - done,
			   uptr_add(to, (unsigned long)done * sizeof(struct io_event)));
		if (got > 0)
			done += got;
		if (READ_ONCE(c->dead))
			got = -EINVAL;
		if (got < 0)
			return done ?: got;
		if (done >= min || !more)
			break;
		/* A ring that holds fewer than are wanted is taken in parts. */
		more = wait_for(c, min(min - done, (long)c->nr - 1), until);
	}
	return done;
}

long aio_getevents(unsigned long id, long min, long n, struct uptr events, s64 until)
{
	struct aio_ctx *c = ctx_find(id);
	long r;

	if (!c)
		return -EINVAL;
	r = min <= n && min >= 0 ? get_events(c, min, n, events, until) : -EINVAL;
	aio_ctx_put(c);
	return r ?: signal_pending(current) ? -EINTR : 0;
}

/* ---- handing over ---- */

#define PLUG_FROM 3	/* so many requests are held back to become larger ones */

long aio_submit(unsigned long id, long n, struct uptr iocbs)
{
	struct aio_ctx *c;
	struct plug plug;
	long i;
	int e = 0;

	if (n < 0)
		return -EINVAL;
	c = ctx_find(id);
	if (!c)
		return -EINVAL;
	n = min(n, (long)c->nr);
	if (n >= PLUG_FROM)
		plug_start(&plug);
	for (i = 0; i < n; i++) {
		unsigned long p;

		e = get_user(p, uptr_add(iocbs, (unsigned long)i * sizeof(p))) ?
			    -EFAULT :
			    aio_submit_one(c, UPTR(p));
		if (e)
			break;
		cond_resched();
	}
	if (n >= PLUG_FROM)
		plug_finish(&plug);
	aio_ctx_put(c);
	return i ?: e;
}

int aio_cancel(unsigned long id, struct uptr iocb)
{
	struct aio_ctx *c;
	u32 key;
	int e;

	if (get_user(key, uptr_add(iocb, offsetof(struct iocb, aio_key))))
		return -EFAULT;
	if (key)
		return -EINVAL;
	c = ctx_find(id);
	if (!c)
		return -EINVAL;
	e = aio_cancel_one(c, iocb.addr);
	aio_ctx_put(c);
	return e;
}

static ssize_t show_nr(struct show_node *node, char *buf, size_t size)
{
	return scnprintf(buf, size, "%lld\n", atomic_long_read(&aio_nr));
}

static int aio_init(void)
{
	struct show_node *fs = show_path(SHOW_SYSCTL, "fs");

	if (!fs)
		return -ENOMEM;
	show_attr(fs, "aio-nr", 0444, show_nr, NULL, NULL);
	sysctl_ulong("fs/aio-max-nr", 0644, &aio_max_nr, 0, ULONG_MAX);
	return 0;
}
INITCALL(subsys, aio_init);
