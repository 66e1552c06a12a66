// SPDX-License-Identifier: MIT
/* C that only Rust calls, for files, waiting and threads: see <rust/helpers.h>. */
#include <lib/types.h>
#include <rust/helpers.h>

#include <alloc/slab.h>
#include <lib/string.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <sched/work.h>
#include <arch/upcalls.h>
#include <arch/irq.h>
#include <kernel/irq.h>
#include <kernel/ktest.h>
#include <kernel/owner.h>
#include <kernel/show.h>
#include <vfs/file.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <asm/siginfo.h>
#include <asm/signal.h>

void rust_spin_lock(spinlock_t *l) { spin_lock(l); }
bool rust_spin_trylock(spinlock_t *l) { return spin_trylock(l); }
void rust_spin_unlock(spinlock_t *l) { spin_unlock(l); }

void rust_mutex_init(struct mutex *m, const char *name)
{
	mutex_init(m);
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&m->map, name, name);	/* a class is a name */
#endif
}

void rust_rwsem_init(struct rw_semaphore *s, const char *name)
{
	init_rwsem(s);
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&s->map, name, name);
#endif
}

void rust_init_wait(struct wait_queue_head *q) { init_waitqueue_head(q); }
void rust_wake_all(struct wait_queue_head *q) { __wake_up(q, TASK_NORMAL, 0, poll_to_key(EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM)); }
void rust_init_completion(struct completion *c) { init_completion(c); }

long rust_wait(struct wait_queue_head *q, const u64 *turn, u64 seen, bool interruptible, long ticks)
{
	return interruptible ? wait_event_interruptible_timeout(*q, READ_ONCE(*turn) != seen, ticks) :
			       wait_event_timeout(*q, READ_ONCE(*turn) != seen, ticks);
}

bool rust_has_waiters(struct wait_queue_head *q) { return wq_has_sleeper(q); }

void rust_sleep(u32 ms)
{
	ktime_t until = (ktime_t)(ktime_get_ns() + ms * NSEC_PER_MSEC);

	do
		__set_current_state(TASK_UNINTERRUPTIBLE);
	while (schedule_hrtimeout_until(&until, CLOCK_MONOTONIC) == 1);
}

u32 rust_file_mode(const struct file *f) { return f->f_mode; }
bool rust_file_exclusive(const struct file *f) { return READ_ONCE(f->f_flags) & O_EXCL; }
bool rust_file_is_openers(const struct file *f) { return f->f_cred == rcu_access_pointer(current->real_cred); }
bool rust_file_nonblock(const struct file *f) { return READ_ONCE(f->f_flags) & O_NONBLOCK; }
void rust_tell_listeners(struct fasync_struct **list) { kill_fasync((struct fasync_struct __rcu **)list, SIGIO, POLL_IN); }

struct uptr rust_iter_place(const struct iter *i)
{
	if (i->type == ITER_UBUF)
		return (struct uptr){ i->ubuf + i->off };
	if (i->type == ITER_IOVEC && i->count)
		return (struct uptr){ (unsigned long)i->iov->iov_base + i->off };
	return (struct uptr){ 0 };
}

void *rust_file_private(const struct file *f) { return f->private_data; }
void *rust_seq_private(const struct seq_file *m) { return m->private; }
void *rust_show_data(const struct show_node *n) { return n->data; }

void rust_show_remove(struct show_node *n)
{
	if (n->owned)
		show_remove(n);
}

void rust_show_unlink(struct show_node *dir, const char *name)
{
	struct show_node *n = show_lookup(dir, name, strlen(name));

	if (n && S_ISLNK(n->mode))
		show_remove(n);
	show_put(n);
}

void rust_file_opened(struct file *f, void *private)
{
	f->private_data = private;
	nonseekable_open(f->f_inode, f);
}

struct cdev *rust_chrdev_create(const char *name, dev_t dev, umode_t mode, const struct file_operations *ops, void *data)
{
	struct cdev *c = chrdev_create(name, dev, mode, ops, data);

	return IS_ERR(c) ? NULL : c;
}

struct cdev *rust_node_create(const char *name, dev_t dev, umode_t mode, const struct file_operations *ops, void *data, void (*drop)(void *))
{
	struct cdev *c = chrdev_create_counted(name, dev, mode, ops, data, drop);

	return IS_ERR(c) ? NULL : c;
}

struct proc_dir_entry *rust_proc_driver(const char *name, int (*show)(struct seq_file *, void *), void *data)
{
	static struct proc_dir_entry *dir;
	static DEFINE_MUTEX(lock);

	mutex_lock(&lock);
	if (!dir)
		dir = proc_mkdir("driver", NULL);
	mutex_unlock(&lock);
	return dir ? proc_create_single_data(name, 0444, dir, show, data) : NULL;
}

void rust_proc_remove(struct proc_dir_entry *de)
{
	proc_remove(de);
}

struct task *rust_current(void) { return current; }
int rust_task_pid(const struct task *t) { return t->pid; }

bool rust_spawn(const char *name, int (*fn)(void *), void *data)
{
	return !IS_ERR(kthread_run(fn, data, "%s", name));
}

_Static_assert(!offsetof(struct delayed_work, work), "Rust finds the item by its work");
void rust_init_work(struct work_struct *w, work_func_t f) { INIT_WORK(w, f); }
bool rust_schedule_work(struct work_struct *w) { return schedule_work(w); }
bool rust_schedule_delayed_work(struct delayed_work *d, unsigned long ticks) { return schedule_delayed_work(d, ticks); }

u16 rust_cpus(void)
{
	return (u16)num_online_cpus();
}

unsigned int rust_nth_cpu(u16 n)
{
	unsigned int cpu, left = n % rust_cpus();

	for_each_online_cpu(cpu)
		if (!left--)
			return cpu;
	return cpumask_first(cpu_online_mask);	/* one has gone meanwhile */
}

void rust_irq_place(int irq, u16 n)
{
	struct cpumask one;

	cpumask_clear(&one);
	cpumask_set_cpu(rust_nth_cpu(n), &one);
	(void)arch_irq_set_affinity((unsigned int)irq, &one);	/* else it stays where it is */
}

void rust_irq_simulate(int irq)
{
	unsigned long flags;

	local_irq_save(flags);
	irq_enter();
	irq_handle((unsigned int)irq);
	irq_exit();
	local_irq_restore(flags);
}

void rust_owner_open(const void *p)
{
	if (owned_by_module(p))
		owner_module_open((unsigned long)p);
}

void rust_owner_hold(const void *p, bool begin)
{
	if (begin)
		owner_hold(p);
	else
		owner_unhold(p);
}

void rust_ktest_fail(struct ktest_run *run) { run->failures++; }
void rust_ktest_skip(struct ktest_run *run, const char *why) { run->skip = why; }

ssize_t rust_show_read(struct show_node *dir, const char *name, char *buf, size_t size)
{
	struct show_node *n = show_lookup(dir, name, strlen(name));
	ssize_t r = -ENOENT;

	if (n && !n->show) {
		r = -EACCES;
	} else if (n && show_enter(n)) {
		r = n->show(n, buf, size);
		show_leave(n);
	}
	show_put(n);
	return r;
}

ssize_t rust_show_write(struct show_node *dir, const char *name, const char *text, size_t len)
{
	struct show_node *n = show_lookup(dir, name, strlen(name));
	char *copy = kmalloc(len + 1, GFP_KERNEL);
	ssize_t r = !n ? -ENOENT : !n->store ? -EACCES : -ENOMEM;

	if (r == -ENOMEM && copy) {
		memcpy(copy, text, len);
		copy[len] = 0;		/* as the presenters promise */
		r = -ENOENT;
		if (show_enter(n)) {
			r = n->store(n, copy, len);
			show_leave(n);
		}
	}
	kfree(copy);
	if (n)
		show_put(n);
	return r;
}
