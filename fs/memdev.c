// SPDX-License-Identifier: MIT
/* The memory devices: null, zero, full, random, urandom, kmsg. Numbers are major 1's of old. */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/chrdev.h>
#include <vfs/pipe.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <mm/mm.h>
#include <mm/shmem.h>
#include <mm/uaccess.h>
#include <fs/kmsg.h>
#include <proc/cred.h>
#include <sched/task.h>
#include <sched/printk_wait.h>
#include <linux/capability.h>
#include <linux/random.h>

#define MEM_MAJOR 1

/* null */

static ssize_t null_read(struct kiocb *iocb, struct iter *to)
{
	(void)iocb;
	(void)to;
	return 0;
}

static ssize_t null_write(struct kiocb *iocb, struct iter *from)
{
	size_t n = iter_count(from);

	(void)iocb;
	iter_advance(from, n);
	return (ssize_t)n;
}

static loff_t null_lseek(struct file *file, loff_t offset, int whence)
{
	(void)offset;
	(void)whence;
	return file->f_pos = 0;
}

static const struct file_operations null_fops = {
	.fop_flags = FOP_NOWAIT,
	.llseek = null_lseek,
	.read_iter = null_read,
	.write_iter = null_write,
	.splice_write = iter_file_splice_write,
};

/* zero, full */

static noinline ssize_t zero_read_pages(struct kiocb *iocb, struct iter *to)
{
	ssize_t done = 0;

	while (iter_count(to)) {
		size_t chunk = min(iter_count(to), (size_t)PAGE_SIZE), n = iter_zero(chunk, to);

		done += (ssize_t)n;
		if (n < chunk)
			return done ? done : -EFAULT;
		if (iocb->ki_flags & IOCB_NOWAIT)
			return done;
		if (signal_pending(current))
			return done;
		cond_resched();
	}
	return done;
}

static ssize_t zero_read(struct kiocb *iocb, struct iter *to)
{
	size_t count = iter_count(to), n;

	if (count > PAGE_SIZE)
		return zero_read_pages(iocb, to);
	n = iter_zero(count, to);
	return likely(n || !count) ? (ssize_t)n : -EFAULT;
}

static int zero_mmap(struct file *file, struct vma *vma)
{
	(void)file;
	if (vma->vm_flags & VM_SHARED)
		return shmem_zero_setup(vma);
	/* A private map is anonymous memory from the start. */
	vma->vm_ops = NULL;
	return 0;
}

static const struct file_operations zero_fops = {
	.fop_flags = FOP_NOWAIT,
	.llseek = null_lseek,
	.read_iter = zero_read,
	.write_iter = null_write,
	.mmap = zero_mmap,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
};

static ssize_t full_write(struct kiocb *iocb, struct iter *from)
{
	(void)iocb;
	(void)from;
	return -ENOSPC;
}

static const struct file_operations full_fops = {
	.llseek = null_lseek,
	.read_iter = zero_read,
	.write_iter = full_write,
	.splice_read = copy_splice_read,
};

/* random, urandom */

static ssize_t give_random(struct iter *to)
{
	struct rng_stream stream = { 0 };
	bool many = iter_count(to) > 256;
	ssize_t done = 0;
	u8 buf[256];

	while (iter_count(to)) {
		size_t chunk = min(iter_count(to), sizeof(buf)), n;

		if (many)
			rng_stream_bytes(&stream, buf, chunk);
		else
			get_random_bytes(buf, chunk);
		n = copy_to_iter(buf, chunk, to);
		done += (ssize_t)n;
		if (n < chunk) {
			if (!done)
				done = -EFAULT;
			break;
		}
		if (!(done & (PAGE_SIZE - 1))) {
			if (signal_pending(current))
				break;
			cond_resched();
		}
	}
	rng_stream_end(&stream);
	memzero_explicit(buf, sizeof(buf));
	return done;
}

static ssize_t random_read(struct kiocb *iocb, struct iter *to)
{
	int err;

	if (!rng_is_seeded()) {
		if (iocb->ki_flags & IOCB_NOWAIT || iocb->ki_filp->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_for_random();
		if (err)
			return err;
	}
	return give_random(to);
}

static ssize_t urandom_read(struct kiocb *iocb, struct iter *to)
{
	(void)iocb;
	return give_random(to);
}

static ssize_t random_write(struct kiocb *iocb, struct iter *from)
{
	u8 buf[128];
	ssize_t done = 0;

	(void)iocb;
	while (iter_count(from)) {
		size_t chunk = min(iter_count(from), sizeof(buf)), n = copy_from_iter(buf, chunk, from);

		add_entropy(buf, n, 0);
		done += (ssize_t)n;
		if (n < chunk)
			return done ? done : -EFAULT;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return done;
}

static __poll_t random_poll(struct file *file, struct poll_table_struct *pt)
{
	(void)file;
	(void)pt;
	return (rng_is_seeded() ? EPOLLIN | EPOLLRDNORM : 0) | EPOLLOUT | EPOLLWRNORM;
}

static long random_add(unsigned long arg)
{
	struct { int bits, size; } head;
	u8 *buf;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&head, UPTR(arg), sizeof(head)))
		return -EFAULT;
	if (head.bits < 0 || head.size < 0 || head.size > (int)PAGE_SIZE)
		return -EINVAL;
	buf = memdup_user(uptr_add(UPTR(arg), sizeof(head)), (size_t)head.size);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	add_entropy(buf, (size_t)head.size, (unsigned int)min(head.bits, head.size * 8));
	kfree_sensitive(buf);
	return 0;
}

static long random_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int bits;

	(void)file;
	switch (cmd) {
	case RNDGETENTCNT:
		return put_user((int)rng_entropy_bits(), UPTR(arg)) ? -EFAULT : 0;
	case RNDADDTOENTCNT:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		if (get_user(bits, UPTR(arg)))
			return -EFAULT;
		if (bits < 0)
			return -EINVAL;
		add_entropy(NULL, 0, (unsigned int)bits);
		return 0;
	case RNDADDENTROPY:
		return random_add(arg);
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	case RNDRESEEDCRNG:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		if (!rng_is_seeded())
			return -ENODATA;
		rng_reseed();
		return 0;
	default:
		return -EINVAL;
	}
}

/* O_ASYNC is accepted; SIGIO never comes, as the generator is seeded before the first program runs. */
static struct fasync_struct __rcu *random_listeners;

static int random_fasync(int fd, struct file *file, int on)
{
	return fasync_helper(fd, file, on, &random_listeners);
}

static const struct file_operations random_fops = {
	.fop_flags = FOP_NOWAIT,
	.llseek = noop_llseek,
	.read_iter = random_read,
	.write_iter = random_write,
	.poll = random_poll,
	.ioctl = random_ioctl,
	.fasync = random_fasync,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
};
static const struct file_operations urandom_fops = {
	.fop_flags = FOP_NOWAIT,
	.llseek = noop_llseek,
	.read_iter = urandom_read,
	.write_iter = random_write,
	.ioctl = random_ioctl,
	.fasync = random_fasync,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
};

/* kmsg: one record a read; writing makes one. */

struct kmsg_reader {
	struct mutex lock;
	u64 seq;			/* next to read */
	struct printk_record rec;
	char text[2048];
};

static int kmsg_open(struct inode *inode, struct file *file)
{
	struct kmsg_reader *r;

	(void)inode;
	if (!(file->f_mode & FMODE_READ)) {
		file->private_data = NULL;
		return 0;
	}
	if (kmsg_may_read())
		return -EPERM;
	r = kvmalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock);
	r->seq = printk_first_seq();
	file->private_data = r;
	return 0;
}

static int kmsg_release(struct inode *inode, struct file *file)
{
	(void)inode;
	kvfree(file->private_data);
	return 0;
}

/* "prefix,seq,usec,flags;text\n", with bytes that are no text as \xNN. */
static int format_record(struct kmsg_reader *r, u64 seq)
{
	struct printk_record *rec = &r->rec;
	int n = scnprintf(r->text, sizeof(r->text), "%u,%llu,%llu,-;", rec->facility << 3 | rec->level, seq,
			  rec->ts_ns / 1000);

	for (unsigned int i = 0; i < rec->len && n < (int)sizeof(r->text) - 6; i++) {
		u8 c = (u8)rec->text[i];

		if (c < ' ' || c == 127 || c == '\\')
			n += scnprintf(r->text + n, sizeof(r->text) - (size_t)n, "\\x%02x", c);
		else
			r->text[n++] = (char)c;
	}
	r->text[n++] = '\n';
	return n;
}

static ssize_t kmsg_read(struct kiocb *iocb, struct iter *to)
{
	struct kmsg_reader *r = iocb->ki_filp->private_data;
	ssize_t ret;
	int err, n;

	if (!r)
		return -EBADF;
	err = mutex_lock_interruptible(&r->lock);
	if (err)
		return err;
	for (;;) {
		u64 seq = r->seq;

		err = printk_read(&seq, &r->rec);
		if (err == -EPIPE) {
			/* Records were lost: say so once, go on with the oldest. */
			r->seq = seq;
			ret = -EPIPE;
			break;
		}
		if (!err) {
			n = format_record(r, seq);
			ret = -EINVAL;
			if (iter_count(to) >= (size_t)n) {
				ret = copy_to_iter_full(r->text, (size_t)n, to) ? n : -EFAULT;
				if (ret > 0)
					r->seq = seq + 1;
			}
			break;
		}
		if (iocb->ki_filp->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT) {
			ret = -EAGAIN;
			break;
		}
		ret = wait_event_interruptible(printk_wait, printk_next_seq() > r->seq);
		if (ret)
			break;
	}
	mutex_unlock(&r->lock);
	return ret;
}

static ssize_t kmsg_write(struct kiocb *iocb, struct iter *from)
{
	size_t len = iter_count(from);
	unsigned int level = 6, facility = 1;
	char *buf, *text;

	(void)iocb;
	if (len > 1024 - 32)
		return -EINVAL;
	buf = kmalloc(len + 1, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (!copy_from_iter_full(buf, len, from)) {
		kfree(buf);
		return -EFAULT;
	}
	buf[len] = 0;
	text = buf;
	if (text[0] == '<') {
		char *end;
		u64 v = simple_strtoull(text + 1, &end, 10);

		if (end && end[0] == '>') {
			level = v & 7;
			if (v >> 3)
				facility = (unsigned int)(v >> 3);
			text = end + 1;
		}
	}
	printk_user(facility, level, text, strlen(text));
	kfree(buf);
	return (ssize_t)len;
}

static loff_t kmsg_llseek(struct file *file, loff_t offset, int whence)
{
	struct kmsg_reader *r = file->private_data;

	if (!r)
		return -EBADF;
	if (offset)
		return -ESPIPE;
	switch (whence) {
	case SEEK_SET:
		r->seq = printk_first_seq();
		return 0;
	case SEEK_DATA:
		r->seq = READ_ONCE(kmsg_cleared);
		return 0;
	case SEEK_END:
		r->seq = printk_next_seq();
		return 0;
	default:
		return -EINVAL;
	}
}

static __poll_t kmsg_poll(struct file *file, struct poll_table_struct *pt)
{
	struct kmsg_reader *r = file->private_data;
	__poll_t mask = EPOLLOUT | EPOLLWRNORM;

	if (!r)
		return EPOLLERR | EPOLLNVAL;
	poll_wait(file, &printk_wait, pt);
	if (printk_next_seq() > r->seq) {
		mask |= EPOLLIN | EPOLLRDNORM;
		if (r->seq < printk_first_seq())
			mask |= EPOLLERR | EPOLLPRI;
	}
	return mask;
}

static const struct file_operations kmsg_fops = {
	.open = kmsg_open,
	.release = kmsg_release,
	.read_iter = kmsg_read,
	.write_iter = kmsg_write,
	.llseek = kmsg_llseek,
	.poll = kmsg_poll,
};

static const struct {
	const char *name;
	unsigned int minor;
	umode_t mode;
	const struct file_operations *fops;
} devices[] = {
	{ "null", 3, 0666, &null_fops }, { "zero", 5, 0666, &zero_fops }, { "full", 7, 0666, &full_fops },
	{ "random", 8, 0666, &random_fops }, { "urandom", 9, 0666, &urandom_fops },
	{ "kmsg", 11, 0644, &kmsg_fops },
};

static int memdev_init(void)
{
	int err = register_chrdev_region(MKDEV(MEM_MAJOR, 0), 256, "mem");

	for (unsigned int i = 0; !err && i < ARRAY_SIZE(devices); i++) {
		struct cdev *c = chrdev_create(devices[i].name, MKDEV(MEM_MAJOR, devices[i].minor),
					       devices[i].mode, devices[i].fops, NULL);

		err = PTR_ERR_OR_ZERO(c);
	}
	return err;
}
INITCALL(subsys, memdev_init);
