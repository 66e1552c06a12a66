// SPDX-License-Identifier: MIT
/*
 * Loop devices (loop(4)): a file as a disk.
 *
 * A device comes with LOOP_CTL_ADD or LOOP_CTL_GET_FREE of /dev/loop-control, or max_loop= on the command line. It is unbound (no sectors),
 * bound to a file, or going: LOOP_CLR_FD and autoclear let go of the file when the last file of the device is closed.
 *
 * Requests are done one after the other by a worker, as reads and writes of the file; the worker allocates without I/O, since
 * the memory that it waits for could be what it is to write.
 *
 * Locks: loops_lock (which devices there are) > lo->lock (the binding); [q] lo->queue_lock, irq-safe leaf.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/filemap.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <sched/work.h>
#include <vfs/chrdev.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/loop.h>
#include "block/blk_priv.h"

#define LOOP_CONTROL_MINOR 237
#define DEPTH 64
#define MAX_LOOPS (1u << MINORBITS)

/* LEAVING: it goes with its last user, and has no new ones. GOING: being let go of. */
enum state { UNBOUND, BOUND, LEAVING, GOING, DELETED };

struct loop {
	unsigned int number;		/* c */
	struct disk *disk;		/* c */
	struct mutex lock;
	enum state state;		/* lock */
	struct file *file;		/* lock; requests under way may still read the one before (change_file) */
	u64 offset, limit;		/* lock; bytes */
	u32 flags;			/* lock; LO_FLAGS_* */
	char name[LO_NAME_SIZE];	/* lock */
	struct show_node *show;		/* lock: /sys/block/loopN/loop */
	struct workqueue_struct *queue;	/* lock */
	spinlock_t queue_lock;
	struct list_head bios;		/* q */
	struct work_struct work;
};

static DEFINE_XARRAY_ALLOC(loops);	/* by number */
static DEFINE_MUTEX(loops_lock);

/* ---- requests ---- */

static int move_data(struct loop *lo, struct bio *b, bool write)
{
	loff_t pos = (loff_t)(lo->offset + (b->disk_sector << SECTOR_SHIFT));
	struct iter it;
	ssize_t n;

	iter_init_bvec(&it, write ? ITER_SOURCE : ITER_DEST, b->vecs, b->nvecs, b->len);
	while (iter_count(&it)) {
		struct file *f = READ_ONCE(lo->file);

		n = write ? vfs_iter_write(f, &it, &pos, 0) : vfs_iter_read(f, &it, &pos, 0);
		if (n < 0)
			return (int)n;
		if (n)
			continue;
		if (write)
			return -EIO;
		/* Behind the file's end there is nothing. */
		iter_zero(iter_count(&it), &it);
	}
	return 0;
}

static int punch(struct loop *lo, struct bio *b)
{
	loff_t pos = (loff_t)(lo->offset + (b->disk_sector << SECTOR_SHIFT));
	int e = vfs_fallocate(lo->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos, b->len);

	return e == -EINVAL || e == -EOPNOTSUPP ? -EOPNOTSUPP : e;
}

static int do_bio(struct loop *lo, struct bio *b)
{
	switch (bio_op(b)) {
	case REQ_READ: return move_data(lo, b, false);
	case REQ_WRITE: return move_data(lo, b, true);
	case REQ_FLUSH: return vfs_fsync(lo->file, 0);
	case REQ_DISCARD:
	case REQ_WRITE_ZEROES: return punch(lo, b);
	}
	return -EOPNOTSUPP;
}

static struct bio *next_bio(struct loop *lo)
{
	struct bio *b;

	spin_lock_irq(&lo->queue_lock);
	b = list_first_entry_or_null(&lo->bios, struct bio, list);
	if (b)
		list_del_init(&b->list);
	spin_unlock_irq(&lo->queue_lock);
	return b;
}

static void work(struct work_struct *w)
{
	struct loop *lo = container_of(w, struct loop, work);
	unsigned int noio = memalloc_noio_save();
	struct bio *b;

	while ((b = next_bio(lo))) {
		int e = do_bio(lo, b);

		/* Why the file did not take it says nothing about the disk. */
		bio_done(b, e && e != -EOPNOTSUPP ? -EIO : e);
		cond_resched();
	}
	memalloc_noio_restore(noio);
}

static int loop_queue(struct disk *d, unsigned int q, struct bio *b)
{
	struct loop *lo = d->driver_data;
	unsigned long flags;

	if (!READ_ONCE(lo->queue))
		return -EIO;
	spin_lock_irqsave(&lo->queue_lock, flags);
	list_add_tail(&b->list, &lo->bios);
	spin_unlock_irqrestore(&lo->queue_lock, flags);
	queue_work(lo->queue, &lo->work);
	return 0;
}

/* ---- /sys/block/loopN/loop ---- */

static ssize_t show_backing_file(struct show_node *n, char *buf, size_t size)
{
	struct loop *lo = n->data;
	ssize_t ret = -ENODEV;
	char *page, *p;

	page = (char *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	mutex_lock(&lo->lock);
	if (lo->file) {
		p = d_path(&lo->file->f_path, page, PAGE_SIZE);
		ret = IS_ERR(p) ? PTR_ERR(p) : scnprintf(buf, size, "%s\n", p);
	}
	mutex_unlock(&lo->lock);
	free_page((unsigned long)page);
	return ret;
}

static ssize_t show_u64(const u64 *v, char *buf, size_t size)
{
	return scnprintf(buf, size, "%llu\n", READ_ONCE(*v));
}

static ssize_t show_flag(struct show_node *n, u32 flag, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", !!(READ_ONCE(((struct loop *)n->data)->flags) & flag));
}

static ssize_t show_offset(struct show_node *n, char *b, size_t s) { return show_u64(&((struct loop *)n->data)->offset, b, s); }
static ssize_t show_limit(struct show_node *n, char *b, size_t s) { return show_u64(&((struct loop *)n->data)->limit, b, s); }
static ssize_t show_autoclear(struct show_node *n, char *b, size_t s) { return show_flag(n, LO_FLAGS_AUTOCLEAR, b, s); }
static ssize_t show_partscan(struct show_node *n, char *b, size_t s) { return show_flag(n, LO_FLAGS_PARTSCAN, b, s); }
static ssize_t show_dio(struct show_node *n, char *b, size_t s) { return show_flag(n, LO_FLAGS_DIRECT_IO, b, s); }

static void publish(struct loop *lo)
{
	lo->show = show_dir(SHOW_SYS, lo->disk->show, "loop");
	if (!lo->show)
		return;
	show_attr(lo->show, "backing_file", 0444, show_backing_file, NULL, lo);
	show_attr(lo->show, "offset", 0444, show_offset, NULL, lo);
	show_attr(lo->show, "sizelimit", 0444, show_limit, NULL, lo);
	show_attr(lo->show, "autoclear", 0444, show_autoclear, NULL, lo);
	show_attr(lo->show, "partscan", 0444, show_partscan, NULL, lo);
	show_attr(lo->show, "dio", 0444, show_dio, NULL, lo);
}

/* ---- binding ---- */

static u64 sectors_of(const struct loop *lo, struct file *f)
{
	u64 size = (u64)i_size_read(f->f_mapping->host);

	size = size > lo->offset ? size - lo->offset : 0;
	if (lo->limit && lo->limit < size)
		size = lo->limit;
	return round_down(size >> SECTOR_SHIFT, (u64)(lo->disk->block_size >> SECTOR_SHIFT));
}

static bool valid_block_size(u32 n)
{
	return n >= SECTOR_SIZE && n <= PAGE_SIZE && !(n & (n - 1));
}

/* A file that could lead back to LO would wait for itself. loops_lock held. 0, -EBADF, -EINVAL. */
static int check_file(struct loop *lo, struct file *f)
{
	struct inode *inode = file_inode(f);

	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode))
		return -EINVAL;
	while (S_ISBLK(inode->i_mode) && MAJOR(inode->i_rdev) == LOOP_MAJOR) {
		struct loop *other = xa_load(&loops, MINOR(inode->i_rdev));

		if (other == lo)
			return -EBADF;
		if (!other || other->state != BOUND)
			return -EINVAL;
		inode = file_inode(other->file);
	}
	return 0;
}

static void set_limits(struct loop *lo, struct file *f)
{
	struct disk *d = lo->disk;
	bool punches = f->f_op->fallocate && S_ISREG(file_inode(f)->i_mode) && !d->read_only;

	d->write_cache = f->f_op->fsync != NULL;
	d->max_discard_sectors = d->max_zeroes_sectors = punches ? U32_MAX >> SECTOR_SHIFT : 0;
}

static void take_name(struct loop *lo, const struct loop_info64 *info)
{
	memcpy(lo->name, info->lo_file_name, sizeof(lo->name));
	lo->name[sizeof(lo->name) - 1] = '\0';
}

static int check_place(const struct loop_info64 *info)
{
	if (info->lo_encrypt_type != LO_CRYPT_NONE)
		return -EINVAL;
	return info->lo_offset > (u64)LLONG_MAX || info->lo_sizelimit > (u64)LLONG_MAX ? -EOVERFLOW : 0;
}

/* Both locks held, UNBOUND. Takes over F. */
static int bind_file(struct loop *lo, struct file *f, bool writable, const struct loop_config *c)
{
	u32 bs = c->block_size ? c->block_size : SECTOR_SIZE;
	char name[16];

	if (c->info.lo_flags & ~(u32)LOOP_CONFIGURE_SETTABLE_FLAGS || !valid_block_size(bs) || check_place(&c->info))
		return -EINVAL;
	snprintf(name, sizeof(name), "loop%u", lo->number);
	lo->queue = alloc_workqueue(name, WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	if (!lo->queue)
		return -ENOMEM;
	lo->flags = c->info.lo_flags & ~(u32)LO_FLAGS_DIRECT_IO;
	if (!writable || !(f->f_mode & FMODE_WRITE))
		lo->flags |= LO_FLAGS_READ_ONLY;
	lo->offset = c->info.lo_offset;
	lo->limit = c->info.lo_sizelimit;
	take_name(lo, &c->info);
	lo->disk->block_size = lo->disk->phys_block_size = bs;
	lo->disk->read_only = lo->flags & LO_FLAGS_READ_ONLY;
	set_limits(lo, f);
	lo->file = f;
	lo->state = BOUND;
	disk_set_sectors(lo->disk, sectors_of(lo, f));
	publish(lo);
	return 0;
}

static int configure(struct loop *lo, struct file *dev, const struct loop_config *c)
{
	struct file *f = fget(c->fd);
	bool scan = false;
	int e;

	if (!f)
		return -EBADF;
	mutex_lock(&loops_lock);
	mutex_lock(&lo->lock);
	e = lo->state == UNBOUND ? check_file(lo, f) : -EBUSY;
	if (!e)
		e = bind_file(lo, f, dev->f_mode & FMODE_WRITE, c);
	if (!e)
		scan = lo->flags & LO_FLAGS_PARTSCAN;
	mutex_unlock(&lo->lock);
	mutex_unlock(&loops_lock);
	if (e)
		fput(f);
	else if (scan)
		disk_rescan(lo->disk);
	if (!e)
		disk_changed(lo->disk, NULL);	/* the caller has it open */
	return e;
}

/* The last user is gone, or nobody ever was. lo->lock held, dropped. */
static void unbind(struct loop *lo) __releases(lo->lock)
{
	struct workqueue_struct *q = lo->queue;
	struct show_node *show = lo->show;
	struct file *f = lo->file;

	lo->state = GOING;
	lo->show = NULL;
	mutex_unlock(&lo->lock);
	if (show)
		show_remove(show);
	disk_set_sectors(lo->disk, 0);
	disk_rescan(lo->disk);		/* no sectors, no partitions */
	destroy_workqueue(q);		/* waits for what is under way */
	fput(f);
	mutex_lock(&lo->lock);
	lo->queue = NULL;
	lo->file = NULL;
	lo->offset = lo->limit = 0;
	lo->flags = 0;
	memset(lo->name, 0, sizeof(lo->name));
	lo->disk->read_only = lo->disk->write_cache = false;
	lo->disk->max_discard_sectors = lo->disk->max_zeroes_sectors = 0;
	lo->disk->block_size = lo->disk->phys_block_size = SECTOR_SIZE;
	disk_changed(lo->disk, NULL);
	disk_changed(lo->disk, "DISK_MEDIA_CHANGE=1\n");
	lo->state = UNBOUND;	/* from here on it may be removed */
	mutex_unlock(&lo->lock);
}

static int loop_open(struct disk *d)
{
	struct loop *lo = d->driver_data;
	int e;

	/* Counted already: loop_closed() has either seen that or made it go. */
	mutex_lock(&lo->lock);
	e = lo->state >= LEAVING ? -ENXIO : 0;
	mutex_unlock(&lo->lock);
	return e;
}

static void loop_closed(struct disk *d)
{
	struct loop *lo = d->driver_data;

	mutex_lock(&lo->lock);
	if ((lo->state == BOUND || lo->state == LEAVING) && lo->flags & LO_FLAGS_AUTOCLEAR && !disk_openers(d))
		unbind(lo);
	else
		mutex_unlock(&lo->lock);
}

/* ---- ioctls of a device; lo->lock held ---- */

static int get_status(struct loop *lo, struct loop_info64 *info)
{
	struct inode *inode;

	if (lo->state != BOUND)
		return -ENXIO;
	inode = file_inode(lo->file);
	*info = (struct loop_info64){
		.lo_device = new_encode_dev(inode->i_sb->s_dev), .lo_inode = inode->i_ino, .lo_rdevice = new_encode_dev(inode->i_rdev),
		.lo_offset = lo->offset, .lo_sizelimit = lo->limit, .lo_number = lo->number, .lo_flags = lo->flags,
	};
	memcpy(info->lo_file_name, lo->name, sizeof(lo->name));
	return 0;
}

static int set_status(struct loop *lo, const struct loop_info64 *info)
{
	u32 set = info->lo_flags & LOOP_SET_STATUS_SETTABLE_FLAGS;
	int e;

	if (lo->state != BOUND)
		return -ENXIO;
	e = check_place(info);
	if (e)
		return e;
	if (lo->offset != info->lo_offset || lo->limit != info->lo_sizelimit) {
		/* What is cached is of the old place. */
		flush_workqueue(lo->queue);
		lo->offset = info->lo_offset;
		lo->limit = info->lo_sizelimit;
		disk_set_sectors(lo->disk, 0);
		disk_set_sectors(lo->disk, sectors_of(lo, lo->file));
	}
	take_name(lo, info);
	lo->flags = (lo->flags & ~(u32)LOOP_SET_STATUS_CLEARABLE_FLAGS) | set;
	return 0;
}

static long put_old_status(struct loop *lo, struct uptr p)
{
	struct loop_info64 i;
	struct loop_info old = { 0 };
	int e = get_status(lo, &i);

	if (e)
		return e;
	old.lo_number = (int)i.lo_number;
	old.lo_device = (__kernel_old_dev_t)i.lo_device;
	old.lo_inode = (unsigned long)i.lo_inode;
	old.lo_rdevice = (__kernel_old_dev_t)i.lo_rdevice;
	old.lo_offset = (int)i.lo_offset;
	old.lo_flags = (int)i.lo_flags;
	memcpy(old.lo_name, i.lo_file_name, sizeof(old.lo_name));
	if (old.lo_device != i.lo_device || old.lo_rdevice != i.lo_rdevice || old.lo_inode != i.lo_inode || (u64)old.lo_offset != i.lo_offset)
		return -EOVERFLOW;
	return copy_to_user(p, &old, sizeof(old)) ? -EFAULT : 0;
}

static long set_old_status(struct loop *lo, struct uptr p)
{
	struct loop_info old;
	struct loop_info64 i = { 0 };

	if (copy_from_user(&old, p, sizeof(old)))
		return -EFAULT;
	i.lo_offset = (u64)old.lo_offset;
	i.lo_flags = (u32)old.lo_flags;
	i.lo_encrypt_type = (u32)old.lo_encrypt_type;
	memcpy(i.lo_file_name, old.lo_name, sizeof(i.lo_file_name));
	return set_status(lo, &i);
}

/* Another file of the same size in place of this one, on a read-only device. The old one is handed back in *OLD. */
static int change_file(struct loop *lo, struct file *f, struct file **old)
{
	int e = lo->state == BOUND ? check_file(lo, f) : -ENXIO;

	if (e)
		return e;
	if (!(lo->flags & LO_FLAGS_READ_ONLY) || sectors_of(lo, f) != sectors_of(lo, lo->file))
		return -EINVAL;
	*old = lo->file;
	WRITE_ONCE(lo->file, f);
	flush_workqueue(lo->queue);	/* now nobody reads the old one any more */
	return 0;
}

static int clear(struct loop *lo)
{
	if (lo->state != BOUND)
		return -ENXIO;
	/* The caller has it open: letting go comes with the last close. Nobody else may come in before that. */
	lo->flags |= LO_FLAGS_AUTOCLEAR;
	if (disk_openers(lo->disk) == 1)
		lo->state = LEAVING;
	return 0;
}

static int set_block_size(struct loop *lo, unsigned long size)
{
	if (lo->state != BOUND)
		return -ENXIO;
	if (size > U32_MAX || !valid_block_size((u32)size))
		return -EINVAL;
	flush_workqueue(lo->queue);
	lo->disk->block_size = lo->disk->phys_block_size = (u32)size;
	disk_set_sectors(lo->disk, sectors_of(lo, lo->file));
	return 0;
}

/* The file is read and written through its cache: direct I/O cannot be switched on. */
static int set_direct(struct loop *lo, unsigned long on)
{
	if (lo->state != BOUND)
		return -ENXIO;
	return on ? -EINVAL : 0;
}

static long simple_ioctl(struct loop *lo, unsigned int cmd, unsigned long arg)
{
	struct loop_info64 info;
	struct uptr p = UPTR(arg);
	int e;

	switch (cmd) {
	case LOOP_CLR_FD: return clear(lo);
	case LOOP_GET_STATUS: return put_old_status(lo, p);
	case LOOP_SET_STATUS: return set_old_status(lo, p);
	case LOOP_GET_STATUS64:
		e = get_status(lo, &info);
		return e ? e : copy_to_user(p, &info, sizeof(info)) ? -EFAULT : 0;
	case LOOP_SET_STATUS64:
		return copy_from_user(&info, p, sizeof(info)) ? -EFAULT : set_status(lo, &info);
	case LOOP_SET_CAPACITY:
		if (lo->state != BOUND)
			return -ENXIO;
		disk_set_sectors(lo->disk, sectors_of(lo, lo->file));
		return 0;
	case LOOP_SET_BLOCK_SIZE: return set_block_size(lo, arg);
	case LOOP_SET_DIRECT_IO: return set_direct(lo, arg);
	}
	return -ENOTTY;
}

static long change_fd(struct loop *lo, unsigned long fd)
{
	struct file *f = fget((unsigned int)fd), *old = f;
	int e;

	if (!f)
		return -EBADF;
	mutex_lock(&loops_lock);
	mutex_lock(&lo->lock);
	e = change_file(lo, f, &old);
	mutex_unlock(&lo->lock);
	mutex_unlock(&loops_lock);
	fput(old);
	return e;
}

static long loop_ioctl(struct disk *d, struct file *dev, unsigned int cmd, unsigned long arg)
{
	bool reads = cmd == LOOP_GET_STATUS || cmd == LOOP_GET_STATUS64;
	struct loop *lo = d->driver_data;
	struct loop_config c = { 0 };
	bool scan = false;
	u32 had;
	long e;

	if (cmd < LOOP_SET_FD || cmd > LOOP_CONFIGURE)
		return -ENOTTY;
	if (!reads && !(dev->f_mode & FMODE_WRITE) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (cmd) {
	case LOOP_SET_FD:
		c.fd = (u32)arg;
		return configure(lo, dev, &c);
	case LOOP_CONFIGURE:
		if (copy_from_user(&c, UPTR(arg), sizeof(c)))
			return -EFAULT;
		return configure(lo, dev, &c);
	case LOOP_CHANGE_FD:
		e = change_fd(lo, arg);
		/* What is cached is the other file's. */
		if (!e)
			invalidate_inode_pages2_range(dev->f_mapping, 0, (pgoff_t)-1);
		return e;
	}
	/* What was written to the place that the device has so far is to arrive there. */
	if (cmd == LOOP_SET_STATUS || cmd == LOOP_SET_STATUS64)
		filemap_write_and_wait(dev->f_mapping);
	mutex_lock(&lo->lock);
	had = lo->flags;
	e = simple_ioctl(lo, cmd, arg);
	/* Partitions are looked for when that is switched on. */
	if (!e && !(had & LO_FLAGS_PARTSCAN) && lo->flags & LO_FLAGS_PARTSCAN)
		scan = true;
	mutex_unlock(&lo->lock);
	if (scan)
		disk_rescan(d);
	return e;
}

static void loop_release(struct disk *d)
{
	kfree(d->driver_data);
}

static const struct disk_ops loop_ops = {
	.queue = loop_queue, .release = loop_release, .open = loop_open, .closed = loop_closed, .ioctl = loop_ioctl,
};

/* ---- devices ---- */

/* loops_lock held. A device with that number (-1: the lowest free one); the number or -errno. */
static int add(int number)
{
	struct loop *lo = kzalloc(sizeof(*lo), GFP_KERNEL);
	u32 nr = (u32)number;
	char name[16];
	int e;

	if (!lo)
		return -ENOMEM;
	e = xa_alloc(&loops, &nr, lo, number < 0 ? XA_LIMIT(0, MAX_LOOPS - 1) : XA_LIMIT((u32)number, (u32)number), GFP_KERNEL);
	if (e) {
		kfree(lo);
		return e == -EBUSY ? (number < 0 ? -ENOSPC : -EEXIST) : e;
	}
	lo->number = nr;
	mutex_init(&lo->lock);
	spin_lock_init(&lo->queue_lock);
	INIT_LIST_HEAD(&lo->bios);
	INIT_WORK(&lo->work, work);
	snprintf(name, sizeof(name), "loop%u", nr);
	lo->disk = disk_alloc_numbered(name, LOOP_MAJOR, nr, 1, DEPTH);
	if (!lo->disk) {
		xa_erase(&loops, nr);
		kfree(lo);
		return -ENOMEM;
	}
	lo->disk->ops = &loop_ops;
	lo->disk->driver_data = lo;
	e = disk_add(lo->disk);
	if (e) {
		xa_erase(&loops, nr);
		disk_put(lo->disk);
		return e;
	}
	return (int)nr;
}

/* loops_lock held. */
static int take_away(unsigned long number)
{
	struct loop *lo = number < MAX_LOOPS ? xa_load(&loops, number) : NULL;
	int e = 0;

	if (!lo)
		return -ENODEV;
	mutex_lock(&lo->lock);
	if (lo->state != UNBOUND || disk_openers(lo->disk))
		e = -EBUSY;
	else
		lo->state = DELETED;
	mutex_unlock(&lo->lock);
	if (e)
		return e;
	e = disk_remove_unless_open(lo->disk);
	if (e) {	/* somebody is about to find it deleted */
		mutex_lock(&lo->lock);
		lo->state = UNBOUND;
		mutex_unlock(&lo->lock);
		return e;
	}
	xa_erase(&loops, number);
	disk_put(lo->disk);
	return (int)number;
}

static int get_free(void)
{
	unsigned long i;
	struct loop *lo;

	xa_for_each(&loops, i, lo)
		if (READ_ONCE(lo->state) == UNBOUND)
			return (int)i;
	return add(-1);
}

static long control_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	int e = -ENOTTY;

	if (cmd == LOOP_CTL_ADD && (long)arg >= (long)MAX_LOOPS)
		return -EINVAL;
	mutex_lock(&loops_lock);
	switch (cmd) {
	case LOOP_CTL_ADD: e = add((int)arg < 0 ? -1 : (int)arg); break;
	case LOOP_CTL_REMOVE: e = take_away(arg); break;
	case LOOP_CTL_GET_FREE: e = get_free(); break;
	}
	mutex_unlock(&loops_lock);
	return e;
}

static const struct file_operations control_fops = { .llseek = noop_llseek, .ioctl = control_ioctl };

static unsigned int at_boot;

static int set_max_loop(const char *v)
{
	return v ? kstrtouint(v, 10, &at_boot) : -EINVAL;
}
KERNEL_PARAM("max_loop", set_max_loop);

static int loop_init(void)
{
	struct cdev *c = misc_create("loop-control", LOOP_CONTROL_MINOR, 0660, &control_fops, NULL);
	int e = PTR_ERR_OR_ZERO(c);

	mutex_lock(&loops_lock);
	for (unsigned int i = 0; e >= 0 && i < min(at_boot, 256u); i++)
		e = add(-1);
	mutex_unlock(&loops_lock);
	return e < 0 ? e : 0;
}
INITCALL(device, loop_init);
