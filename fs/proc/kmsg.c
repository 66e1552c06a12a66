// SPDX-License-Identifier: MIT
/*
 * /proc/kmsg and the reading of syslog(2): the log as one stream with one position. A line that did not fit is continued by
 * the next read; what the ring has dropped meanwhile is skipped.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <fs/kmsg.h>
#include <fs/proc.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <mm/iter.h>
#include <proc/cred.h>
#include <sched/mutex.h>
#include <sched/printk_wait.h>
#include <sched/wait.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <linux/capability.h>

#define LINE_MAX_LEN 1200

struct line {
	struct printk_record rec;
	char text[LINE_MAX_LEN];
};

u64 kmsg_cleared;
static DEFINE_MUTEX(stream_lock);
static u64 stream_seq;		/* stream_lock to write: the record to read next */
static size_t stream_done;	/* stream_lock: bytes of it that were read already */

int kmsg_format(char *buf, size_t size, const struct printk_record *r)
{
	return scnprintf(buf, size, "<%u>[%5llu.%06llu] %s\n", r->facility << 3 | r->level, r->ts_ns / NSEC_PER_SEC,
			 r->ts_ns % NSEC_PER_SEC / NSEC_PER_USEC, r->text);
}

static bool unread(void)
{
	return printk_next_seq() > READ_ONCE(stream_seq);
}

/* Lines from the position on, as many as fit; the position moves with what was taken. stream_lock held. */
static ssize_t take(struct line *l, struct iter *to)
{
	ssize_t total = 0;

	while (iter_count(to)) {
		u64 seq = stream_seq;
		size_t len, n, moved;
		int e = printk_read(&seq, &l->rec);

		if (e == -ENODATA)
			break;
		if (seq != stream_seq) {
			WRITE_ONCE(stream_seq, seq);
			stream_done = 0;
		}
		if (e)
			continue;
		len = (size_t)kmsg_format(l->text, sizeof(l->text), &l->rec);
		n = min(len - min(stream_done, len), iter_count(to));
		/* Of several whole lines none is cut: the next read has it. */
		if (total && n < len)
			break;
		moved = copy_to_iter(l->text + stream_done, n, to);
		total += (ssize_t)moved;
		stream_done += moved;
		if (moved < n)
			return total ? total : -EFAULT;
		if (stream_done >= len) {
			stream_done = 0;
			WRITE_ONCE(stream_seq, stream_seq + 1);
		}
	}
	return total;
}

ssize_t kmsg_stream_read(struct iter *to, bool nonblock)
{
	struct line *l = kmalloc(sizeof(*l), GFP_KERNEL);
	ssize_t ret;

	if (!l)
		return -ENOMEM;
	for (;;) {
		ret = mutex_lock_interruptible(&stream_lock);
		if (ret)
			break;
		ret = take(l, to);
		mutex_unlock(&stream_lock);
		if (ret || !iter_count(to))
			break;
		ret = nonblock ? -EAGAIN : wait_event_interruptible(printk_wait, unread());
		if (ret)
			break;
	}
	kfree(l);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

ssize_t kmsg_stream_unread(void)
{
	struct line *l = kmalloc(sizeof(*l), GFP_KERNEL);
	ssize_t total = 0;
	u64 seq;

	if (!l)
		return -ENOMEM;
	mutex_lock(&stream_lock);
	for (seq = max(stream_seq, printk_first_seq()); printk_read(&seq, &l->rec) != -ENODATA; seq++)
		total += kmsg_format(l->text, sizeof(l->text), &l->rec);
	if (total >= (ssize_t)stream_done)
		total -= (ssize_t)stream_done;
	mutex_unlock(&stream_lock);
	kfree(l);
	return total;
}

int kmsg_may_control(void)
{
	return capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int kmsg_may_read(void)
{
	return READ_ONCE(dmesg_restrict) ? kmsg_may_control() : 0;
}

/* The right is checked at open, as by syslog(2), not at each read: a logger opens the file and then drops its capabilities. */
static int kmsg_open(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return kmsg_may_control();
}

static ssize_t kmsg_read(struct kiocb *iocb, struct iter *to)
{
	return kmsg_stream_read(to, iocb->ki_filp->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT);
}

static __poll_t kmsg_poll(struct file *file, struct poll_table_struct *pt)
{
	poll_wait(file, &printk_wait, pt);
	return unread() ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct proc_ops kmsg_ops = { .proc_open = kmsg_open, .proc_read_iter = kmsg_read, .proc_poll = kmsg_poll };

static int kmsg_init(void)
{
	proc_create("kmsg", 0400, NULL, &kmsg_ops);
	return 0;
}
INITCALL(fs, kmsg_init);
