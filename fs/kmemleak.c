// SPDX-License-Identifier: MIT
/*
 * /sys/kernel/debug/kmemleak (debug build): what is written is done, what is read are the suspected leaks. Linux's interface, but that nothing
 * scans until it is asked to, and with min_age=MS beside it. The scanner itself is alloc/kmemleak.c.
 */
#include <lib/types.h>

#ifdef CONFIG_KMEMLEAK
#include <abi/errno.h>
#include <alloc/kmemleak.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/ksyms.h>
#include <kernel/printk.h>
#include <kernel/show.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sched/kthread.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/seq_file.h>

static DEFINE_MUTEX(kmemleak_lock);	/* one scans or reads */
static DEFINE_MUTEX(thread_lock);	/* starting and ending the thread */
static struct task *thread;		/* thread_lock */
static unsigned int every_s = 600;	/* thread_lock; the thread reads it */

/* ---- reading ---- */

/* Where a reader is. */
struct reader {
	loff_t pos;			/* of the suspect in REPORT, or, where there is none any more, of the end */
	unsigned long next;		/* suspects above this address are still to come */
	bool there;
	struct kmemleak_report report;
};

static void *leaks_at(struct reader *r, loff_t pos)
{
	if (pos < r->pos || !r->next) {
		*r = (struct reader){ .pos = -1 };
	}
	while (r->pos < pos) {
		r->pos++;
		r->there = kmemleak_next(&r->next, &r->report);
		if (!r->there)
			break;
	}
	return r->there ? r : NULL;
}

static void *leaks_start(struct seq_file *m, loff_t *pos)
{
	mutex_lock(&kmemleak_lock);
	return leaks_at(m->private, *pos);
}

static void *leaks_next(struct seq_file *m, void *v, loff_t *pos)
{
	(void)v;
	return leaks_at(m->private, ++*pos);
}

static void leaks_stop(struct seq_file *m, void *v)
{
	(void)m;
	(void)v;
	mutex_unlock(&kmemleak_lock);
}

static void show_bytes(struct seq_file *m, const struct kmemleak_report *r)
{
	seq_printf(m, "  hex dump (first %u bytes):\n", r->nr_bytes);
	for (unsigned int at = 0; at < r->nr_bytes; at += 16) {
		char text[17];
		unsigned int i;

		seq_puts(m, "    ");
		for (i = 0; i < 16 && at + i < r->nr_bytes; i++) {
			u8 b = r->bytes[at + i];

			seq_printf(m, "%02x ", b);
			text[i] = b >= 0x20 && b < 0x7f ? (char)b : '.';
		}
		text[i] = 0;
		for (; i < 16; i++)
			seq_puts(m, "   ");
		seq_printf(m, " %s\n", text);
	}
}

static int leaks_show(struct seq_file *m, void *v)
{
	const struct kmemleak_report *r = &((struct reader *)v)->report;
	char name[160];

	seq_printf(m, "unreferenced object 0x%016lx (size %zu):\n", r->start, r->size);
	seq_printf(m, "  comm \"%s\", pid %d, jiffies %llu\n", r->comm, r->pid, r->born);
	show_bytes(m, r);
	seq_printf(m, "  backtrace (crc %x):\n", r->crc);
	for (unsigned int i = 0; i < r->nr_frames; i++)
		seq_printf(m, "    [<%016lx>] %s\n", r->frames[i], ksym_describe(r->frames[i], name, sizeof(name)));
	return 0;
}

static const struct seq_operations leaks_ops = { .start = leaks_start, .next = leaks_next, .stop = leaks_stop, .show = leaks_show };

static int kmemleak_open(struct inode *inode, struct file *file)
{
	(void)inode;
	return seq_open_private(file, &leaks_ops, sizeof(struct reader));
}

/* ---- writing ---- */

static int scan(void)
{
	int n;

	mutex_lock(&kmemleak_lock);
	n = kmemleak_scan();
	mutex_unlock(&kmemleak_lock);
	return n < 0 ? n : 0;
}

static int scan_now_and_then(void *unused)
{
	(void)unused;
	while (!kthread_should_stop()) {
		scan();
		set_current_state(TASK_INTERRUPTIBLE);	/* before the look at what kthread_stop() sets */
		if (!kthread_should_stop())
			schedule_timeout((long)READ_ONCE(every_s) * HZ);
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

/* thread_lock held. */
static void stop_thread(void)
{
	if (thread)
		kthread_stop(thread);
	thread = NULL;
}

static int start_thread(void)
{
	struct task *t = thread ? thread : kthread_run(scan_now_and_then, NULL, "kmemleak");

	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	thread = t;
	return 0;
}

/* "on", "off", or every so many seconds; 0 of them is never. */
static int set_thread(const char *v)
{
	unsigned int seconds;
	int err = 0;

	mutex_lock(&thread_lock);
	if (!strcmp(v, "off")) {
		stop_thread();
	} else if (!strcmp(v, "on")) {
		err = start_thread();
	} else {
		err = kstrtouint(v, 0, &seconds);
		if (!err && seconds > INT_MAX / HZ)
			err = -EINVAL;
		if (!err) {
			stop_thread();
			if (seconds) {
				WRITE_ONCE(every_s, seconds);
				err = start_thread();
			}
		}
	}
	mutex_unlock(&thread_lock);
	return err;
}

static int dump(const char *v)
{
	struct kmemleak_report r;
	unsigned long addr;
	char name[160];
	int err = kstrtoul(v, 0, &addr);

	if (err)
		return err;
	if (!kmemleak_look_up(addr, &r)) {
		pr_info("kmemleak: Unknown object at 0x%08lx\n", addr);
		return -EINVAL;
	}
	pr_notice("kmemleak: Object 0x%016lx (size %zu):\n", r.start, r.size);
	pr_notice("kmemleak:   comm \"%s\", pid %d, jiffies %llu\n", r.comm, r.pid, r.born);
	pr_notice("kmemleak:   flags = 0x%x, %sreferenced, checksum = %u\n", r.flags, r.referenced ? "" : "un", r.crc);
	pr_notice("kmemleak:   backtrace:\n");
	for (unsigned int i = 0; i < r.nr_frames; i++)
		pr_notice("    [<%016lx>] %s\n", r.frames[i], ksym_describe(r.frames[i], name, sizeof(name)));
	return 0;
}

static int clear(void)
{
	mutex_lock(&kmemleak_lock);
	kmemleak_clear();
	mutex_unlock(&kmemleak_lock);
	return 0;
}

static int command(const char *c)
{
	if (!strcmp(c, "clear"))
		return clear();
	if (!kmemleak_enabled())
		return -EPERM;
	if (!strcmp(c, "off")) {
		kmemleak_disable();
		return set_thread("off");
	}
	if (!strcmp(c, "stack=on") || !strcmp(c, "stack=off")) {
		kmemleak_stacks = !strcmp(c, "stack=on");
		return 0;
	}
	if (!strcmp(c, "scan"))
		return scan();
	if (!strncmp(c, "scan=", 5))
		return set_thread(c + 5);
	if (!strncmp(c, "dump=", 5))
		return dump(c + 5);
	if (!strncmp(c, "min_age=", 8))
		return kstrtouint(c + 8, 0, &kmemleak_min_age_ms);
	return -EINVAL;
}

static ssize_t kmemleak_write(struct kiocb *iocb, struct iter *from)
{
	size_t len = iter_count(from);
	char text[64];
	int err;

	(void)iocb;
	if (len >= sizeof(text))
		return -EINVAL;
	if (!copy_from_iter_full(text, len, from))
		return -EFAULT;
	text[len] = 0;
	text[strcspn(text, "\n")] = 0;
	err = command(text);
	return err ? err : (ssize_t)len;
}

static const struct file_operations kmemleak_fops = {
	.open = kmemleak_open,
	.read_iter = seq_read_iter,
	.write_iter = kmemleak_write,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static int kmemleak_file(void)
{
	return show_file(show_root_node(SHOW_DEBUG), "kmemleak", 0644, &kmemleak_fops, NULL) ? 0 : -ENOMEM;
}
INITCALL(fs, kmemleak_file);
#endif
