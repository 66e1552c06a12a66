// SPDX-License-Identifier: MIT
/*
 * poll(2) and select(2).
 *
 * The first pass over the files queues a callback entry on each wait queue they name; a wake-up that
 * concerns the events asked for sets "triggered" and wakes the task, which looks again without queueing.
 * A few entries live on the stack, more of them in pages.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <vfs/select.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <sched/task.h>
#include <proc/signal.h>
#include <mm/uaccess.h>
#include <linux/resource.h>
#include <linux/time.h>

struct entry {
	struct file		*filp;
	__poll_t		key;
	wait_queue_entry_t	wait;
	wait_queue_head_t	*queue;
};

struct entry_page {
	struct entry_page	*next;
	struct entry		*free;
	struct entry		entries[];
};

#define INLINE_ENTRIES 9

struct waiter {
	poll_table		pt;
	struct entry_page	*pages;
	struct task		*task;
	int			triggered;
	int			error;
	int			used;
	struct entry		entries[INLINE_ENTRIES];
};

__poll_t vfs_poll(struct file *file, poll_table *pt)
{
	if (unlikely(!file->f_op->poll))
		return DEFAULT_POLLMASK;
	return file->f_op->poll(file, pt);
}

bool file_can_poll(struct file *file)
{
	return file->f_op->poll;
}

static struct entry *new_entry(struct waiter *w)
{
	struct entry_page *page = w->pages;

	if (w->used < INLINE_ENTRIES)
		return &w->entries[w->used++];
	if (!page || (unsigned long)(page->free + 1) > (unsigned long)page + PAGE_SIZE) {
		page = (struct entry_page *)__get_free_page(GFP_KERNEL);
		if (!page) {
			w->error = -ENOMEM;
			return NULL;
		}
		page->free = page->entries;
		page->next = w->pages;
		w->pages = page;
	}
	return page->free++;
}

static int poll_wake(wait_queue_entry_t *e, unsigned int mode, int flags, void *key)
{
	struct entry *entry = container_of(e, struct entry, wait);
	struct waiter *w = e->private;
	DECLARE_WAITQUEUE(dummy, w->task);

	if (key && !(key_to_poll(key) & entry->key))
		return 0;
	/* Pairs with the store before sleeping: the task sees triggered, or we see it asleep. */
	smp_wmb();
	WRITE_ONCE(w->triggered, 1);
	return default_wake_function(&dummy, mode, flags, key);
}

static void queue_entry(struct file *filp, wait_queue_head_t *queue, poll_table *p)
{
	struct waiter *w = container_of(p, struct waiter, pt);
	struct entry *entry = new_entry(w);

	if (!entry)
		return;
	entry->filp = get_file(filp);
	entry->queue = queue;
	entry->key = p->_key;
	init_waitqueue_func_entry(&entry->wait, poll_wake);
	entry->wait.private = w;
	add_wait_queue(queue, &entry->wait);
}

static void waiter_init(struct waiter *w)
{
	init_poll_funcptr(&w->pt, queue_entry);
	w->pages = NULL;
	w->task = current;
	w->triggered = 0;
	w->error = 0;
	w->used = 0;
}

static void drop_entry(struct entry *e)
{
	remove_wait_queue(e->queue, &e->wait);
	fput(e->filp);
}

static void waiter_free(struct waiter *w)
{
	for (int i = 0; i < w->used; i++)
		drop_entry(&w->entries[i]);
	while (w->pages) {
		struct entry_page *page = w->pages;

		for (struct entry *e = page->entries; e < page->free; e++)
			drop_entry(e);
		w->pages = page->next;
		free_page((unsigned long)page);
	}
}

/* Sleeps until triggered, a signal or @expires (NULL: for ever). False: the time is over. */
static bool poll_sleep(struct waiter *w, const ktime_t *expires)
{
	int res = 1;

	set_current_state(TASK_INTERRUPTIBLE);
	if (!READ_ONCE(w->triggered))
		res = schedule_hrtimeout_until(expires, CLOCK_MONOTONIC);
	__set_current_state(TASK_RUNNING);
	/* Before looking at the files again. */
	smp_store_mb(w->triggered, 0);
	return res != 0;
}

/* poll. */

struct poll_list {
	struct poll_list *next;
	unsigned int len;
	struct pollfd entries[];
};
#define FDS_PER_PAGE ((PAGE_SIZE - sizeof(struct poll_list)) / sizeof(struct pollfd))
#define STACK_FDS 30

static __poll_t poll_one(struct pollfd *pfd, poll_table *pt)
{
	__poll_t mask, filter;
	struct fd f;

	if (pfd->fd < 0) {
		pfd->revents = 0;
		return 0;
	}
	f = fdget((unsigned int)pfd->fd);
	if (fd_empty(f)) {
		pfd->revents = POLLNVAL;
		return POLLNVAL;
	}
	filter = (__poll_t)(u16)pfd->events | EPOLLERR | EPOLLHUP;
	pt->_key = filter;
	mask = vfs_poll(fd_file(f), pt) & filter;
	fdput(f);
	pfd->revents = (short)mask;
	return mask;
}

static int poll_loop(struct poll_list *list, struct waiter *w, const ktime_t *expires, bool dont_wait)
{
	poll_table *pt = &w->pt;
	bool timed_out = dont_wait;
	int count = 0;

	if (dont_wait)
		pt->_qproc = NULL;
	for (;;) {
		for (struct poll_list *l = list; l; l = l->next) {
			for (unsigned int i = 0; i < l->len; i++) {
				if (poll_one(&l->entries[i], pt)) {
					count++;
					/* An answer: no need to queue any further. */
					pt->_qproc = NULL;
				}
			}
		}
		pt->_qproc = NULL;
		if (!count) {
			count = w->error;
			if (signal_pending(current))
				count = -ERESTARTNOHAND;
		}
		if (count || timed_out)
			return count;
		if (!poll_sleep(w, expires))
			timed_out = true;
	}
}

/* Only these members: the others are the user's, who may change them meanwhile. 0, or -EFAULT. */
static int put_answers(struct uptr ufds, const struct poll_list *list, unsigned int nfds)
{
	struct uptr p = uptr_add(ufds, offsetof(struct pollfd, revents));

	if (!user_access_begin(ufds, nfds * sizeof(struct pollfd)))
		return -EFAULT;
	for (const struct poll_list *l = list; l; l = l->next) {
		for (unsigned int i = 0; i < l->len; i++, p = uptr_add(p, sizeof(struct pollfd)))
			unsafe_put_user_2((u16)l->entries[i].revents, p, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* @expires NULL: for ever; dont_wait: only look. -ERESTARTNOHAND after a signal. */
int do_poll(struct uptr ufds, unsigned int nfds, const ktime_t *expires, bool dont_wait)
{
	struct {
		struct poll_list head;
		struct pollfd fds[STACK_FDS];
	} stack;
	struct poll_list *list = &stack.head, *tail = list, *l;
	unsigned int todo = nfds, done = 0;
	struct waiter w;
	int count;

	if (nfds > rlimit(RLIMIT_NOFILE))
		return -EINVAL;
	list->next = NULL;
	list->len = min(nfds, (unsigned int)STACK_FDS);
	for (;;) {
		count = -EFAULT;
		if (copy_from_user(tail->entries, uptr_add(ufds, done * sizeof(struct pollfd)),
				   tail->len * sizeof(struct pollfd)))
			goto out;
		done += tail->len;
		todo -= tail->len;
		if (!todo)
			break;
		count = -ENOMEM;
		l = kmalloc(sizeof(*l) + min((size_t)todo, FDS_PER_PAGE) * sizeof(struct pollfd), GFP_KERNEL);
		if (!l)
			goto out;
		l->next = NULL;
		l->len = (unsigned int)min((size_t)todo, FDS_PER_PAGE);
		tail->next = l;
		tail = l;
	}
	waiter_init(&w);
	count = poll_loop(list, &w, expires, dont_wait);
	waiter_free(&w);
	if (put_answers(ufds, list, nfds))
		count = -EFAULT;
out:
	for (l = stack.head.next; l;) {
		struct poll_list *next = l->next;

		kfree(l);
		l = next;
	}
	return count;
}

/* select. */

#define SELECT_STACK_WORDS 48
#define IN_SET	(EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR)
#define OUT_SET	(EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)
#define EX_SET	(EPOLLPRI)

struct fd_sets {
	unsigned long *in, *out, *ex, *rin, *rout, *rex;
};

/* Highest descriptor asked for, plus one; -EBADF if one is not open. */
static int max_select_fd(unsigned int n, const struct fd_sets *s)
{
	struct fdtable *fdt;
	int max = 0;

	rcu_read_lock();
	fdt = rcu_dereference(current->files->fdt);
	for (unsigned int i = 0; i * BITS_PER_LONG < n; i++) {
		unsigned long set = s->in[i] | s->out[i] | s->ex[i];

		if (unlikely(i % 1024 == 1023)) {	/* as many as a user wants: some at a time */
			rcu_read_unlock();
			rcu_read_lock();
			fdt = rcu_dereference(current->files->fdt);
		}
		if (i == n / BITS_PER_LONG)
			set &= ~(~0ul << n % BITS_PER_LONG);
		if (!set)
			continue;
		if (i * BITS_PER_LONG >= fdt->max_fds || set & ~fdt->open_fds[i]) {
			max = -EBADF;
			break;
		}
		max = (int)(i * BITS_PER_LONG + BITS_PER_LONG - (unsigned int)__builtin_clzl(set));
	}
	rcu_read_unlock();
	return max;
}

/* What the descriptor of BIT has of what it is asked for; how many of the three. */
static noinline int select_found(struct fd_sets *s, unsigned int i, unsigned long bit, __poll_t mask)
{
	int count = 0;

	if (mask & IN_SET && s->in[i] & bit) {
		s->rin[i] |= bit;
		count++;
	}
	if (mask & OUT_SET && s->out[i] & bit) {
		s->rout[i] |= bit;
		count++;
	}
	if (mask & EX_SET && s->ex[i] & bit) {
		s->rex[i] |= bit;
		count++;
	}
	return count;
}

/* The descriptors of word I below N. The results are all zero before. */
static int select_scan_word(unsigned int i, unsigned int n, struct fd_sets *s, poll_table *pt)
{
	unsigned long in = s->in[i], out = s->out[i], ex = s->ex[i], all = in | out | ex;
	unsigned int base = i * BITS_PER_LONG;
	int count = 0;

	if (n - base < BITS_PER_LONG)
		all &= ~(~0ul << (n - base));
	for (; all; all &= all - 1) {
		unsigned int b = (unsigned int)__builtin_ctzl(all);
		__poll_t want = EPOLLERR | EPOLLHUP, mask;
		struct fd f = fdget(base + b);

		if (fd_empty(f))
			return -EBADF;
		if (in >> b & 1)
			want |= IN_SET;
		if (out >> b & 1)
			want |= OUT_SET;
		if (ex >> b & 1)
			want |= EX_SET;
		pt->_key = want;
		mask = vfs_poll(fd_file(f), pt) & want;
		fdput(f);
		if (unlikely(mask)) {
			count += select_found(s, i, 1ul << b, mask);
			if (count)
				pt->_qproc = NULL;
		}
	}
	return count;
}

static int select_loop(unsigned int n, struct fd_sets *s, const ktime_t *expires, bool dont_wait)
{
	bool timed_out = dont_wait;
	struct waiter w;
	int count, max = max_select_fd(n, s);

	if (max < 0)
		return max;
	n = (unsigned int)max;
	waiter_init(&w);
	if (dont_wait)
		w.pt._qproc = NULL;
	for (;;) {
		count = 0;
		for (unsigned int i = 0; i * BITS_PER_LONG < n; i++) {
			int res = select_scan_word(i, n, s, &w.pt);

			if (res < 0) {
				count = res;
				break;
			}
			count += res;
			cond_resched();
		}
		w.pt._qproc = NULL;
		if (count || timed_out)
			break;
		if (w.error) {
			count = w.error;
			break;
		}
		if (signal_pending(current)) {
			count = -ERESTARTNOHAND;
			break;
		}
		if (!poll_sleep(&w, expires))
			timed_out = true;
	}
	waiter_free(&w);
	return count;
}

static int get_set(struct uptr user, unsigned long *set, size_t bytes)
{
	if (uptr_is_null(user)) {
		memset(set, 0, bytes);
		return 0;
	}
	return copy_from_user(set, user, bytes) ? -EFAULT : 0;
}

static int put_set(struct uptr user, const unsigned long *set, size_t bytes)
{
	if (uptr_is_null(user))
		return 0;
	return copy_to_user(user, set, bytes) ? -EFAULT : 0;
}

int do_select(int n, struct uptr in, struct uptr out, struct uptr ex, const ktime_t *expires, bool dont_wait)
{
	unsigned long stack[SELECT_STACK_WORDS], *bits = stack;
	unsigned int max_fds, words;
	struct fd_sets s;
	size_t bytes;
	int res;

	if (n < 0)
		return -EINVAL;
	rcu_read_lock();
	max_fds = rcu_dereference(current->files->fdt)->max_fds;
	rcu_read_unlock();
	if ((unsigned int)n > max_fds)
		n = (int)max_fds;
	words = ((unsigned int)n + BITS_PER_LONG - 1) / BITS_PER_LONG;
	bytes = words * sizeof(long);
	if (words > SELECT_STACK_WORDS / 6) {
		bits = kvmalloc_array(6, bytes, GFP_KERNEL);
		if (!bits)
			return -ENOMEM;
	}
	s = (struct fd_sets){ bits, bits + words, bits + 2 * words, bits + 3 * words, bits + 4 * words,
			      bits + 5 * words };
	res = get_set(in, s.in, bytes);
	if (!res)
		res = get_set(out, s.out, bytes);
	if (!res)
		res = get_set(ex, s.ex, bytes);
	if (res)
		goto done;
	memset(s.rin, 0, 3 * bytes);
	res = select_loop((unsigned int)n, &s, expires, dont_wait);
	if (res < 0)
		goto done;
	if (put_set(in, s.rin, bytes) || put_set(out, s.rout, bytes) || put_set(ex, s.rex, bytes))
		res = -EFAULT;
done:
	if (bits != stack)
		kvfree(bits);
	return res;
}
