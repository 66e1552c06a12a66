// SPDX-License-Identifier: MIT
/*
 * Disks and their partitions: /dev nodes, /sys/block, /proc/partitions. Their names and numbers:
 * names.c. What partitions there are: parts.c.
 *
 * disks_lock guards both lists; a disk lives while it is on the list, open, or its driver holds it.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/kdev.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <alloc/xarray.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/owner.h>
#include <kernel/percpu.h>
#include <kernel/printk.h>
#include <kernel/show.h>
#include <kernel/uevent.h>
#include <sched/mutex.h>
#include <mm/filemap.h>
#include <vfs/chrdev.h>
#include <vfs/fs.h>
#include <vfs/stat.h>
#include <abi/errno.h>
#include <linux/stat.h>
#include "block/blk_priv.h"

static LIST_HEAD(disks);		/* disks_lock */
DEFINE_MUTEX(disks_lock);
static u64 next_seq = 1;		/* disks_lock */
static DEFINE_XARRAY_ALLOC(ext_minors);	/* of partitions beyond the disk's own minors */

static struct disk *new_disk(unsigned int nr_queues, unsigned int depth)
{
	struct disk *d = kzalloc(sizeof(*d), GFP_KERNEL);

	if (!d)
		return NULL;
	d->nr_queues = nr_queues;
	d->depth = depth;
	d->block_size = d->phys_block_size = SECTOR_SIZE;
	d->max_bytes = BIO_MAX_VECS * PAGE_SIZE;
	d->max_request = REQUEST_MAX_BYTES;
	d->max_segment = U32_MAX;
	d->ra_pages = RA_DEFAULT_PAGES;
	init_waitqueue_head(&d->calls_done);
	refcount_set(&d->refs, 1);
	refcount_set(&d->pins, 1);
	INIT_LIST_HEAD(&d->list);
	INIT_LIST_HEAD(&d->parts);
	mutex_init(&d->parts_lock);
	d->queues = kcalloc(nr_queues, sizeof(*d->queues), GFP_KERNEL);
	for (unsigned int i = 0; d->queues && i < nr_queues; i++) {
		if (disk_queue_init(&d->queues[i], d, i)) {
			while (i--)
				kfree(d->queues[i].tags);
			kfree(d->queues);
			d->queues = NULL;
		}
	}
	if (!d->queues) {
		kfree(d);
		return NULL;
	}
	backing_init(&d->backing);
	return d;
}

static void free_disk(struct disk *d)
{
	struct bdev *b, *n;

	list_for_each_entry_safe_reverse(b, n, &d->parts, list)
		bdev_free(b);
	backing_destroy(&d->backing);
	show_put(d->show);
	show_put(d->parent);
	for (unsigned int i = 0; i < d->nr_queues; i++)
		kfree(d->queues[i].tags);
	kfree(d->queues);
	disk_unpin(d);
}

struct disk *disk_alloc(const char *prefix, unsigned int nr_queues, unsigned int depth)
{
	struct disk *d = new_disk(nr_queues, depth);

	if (!d)
		return NULL;
	if (disk_name(d, prefix)) {
		free_disk(d);
		return NULL;
	}
	mutex_lock(&disks_lock);
	d->seq = next_seq++;
	mutex_unlock(&disks_lock);
	return d;
}

struct disk *disk_alloc_numbered(const char *name, int major, unsigned int minor,
				 unsigned int nr_queues, unsigned int depth)
{
	struct disk *d = new_disk(nr_queues, depth);

	if (!d)
		return NULL;
	strscpy(d->name, name, sizeof(d->name));
	d->major = major;
	d->first_minor = minor;
	d->minors = 1;
	mutex_lock(&disks_lock);
	d->seq = next_seq++;
	mutex_unlock(&disks_lock);
	return d;
}

void disk_set_driver(struct disk *d, const struct disk_ops *ops, void *data)
{
	owner_hold(ops);
	d->ops = ops;
	d->driver_data = data;
}

void disk_get(struct disk *d)
{
	refcount_inc(&d->refs);
}

void disk_put(struct disk *d)
{
	const struct disk_ops *ops = d->ops;

	if (!refcount_dec_and_test(&d->refs))
		return;
	if (ops && ops->release && !d->released)
		ops->release(d);
	disk_unname(d);
	free_disk(d);
	owner_unhold(ops);
}

/* ---- devices ---- */

static ssize_t show_size(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%llu\n", ((struct bdev *)n->data)->sectors);
}

static ssize_t show_ro(struct show_node *n, char *buf, size_t size)
{
	struct bdev *b = n->data;

	return scnprintf(buf, size, "%d\n", b->disk->read_only || b->read_only);
}

static ssize_t show_dev(struct show_node *n, char *buf, size_t size)
{
	struct bdev *b = n->data;

	return scnprintf(buf, size, "%u:%u\n", MAJOR(b->dev), MINOR(b->dev));
}

static ssize_t show_start(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%llu\n", ((struct bdev *)n->data)->start);
}

static ssize_t show_removable(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", ((struct disk *)n->data)->removable);
}

/* None is hidden, and all begin where their blocks do. */
static ssize_t show_none(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "0\n");
}

static ssize_t show_partition_number(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%u\n", ((struct bdev *)n->data)->partno);
}

/* The variables of uevent(7). */
static ssize_t show_uevent(struct show_node *n, char *buf, size_t size)
{
	const struct bdev *b = n->data;
	ssize_t len = scnprintf(buf, size,
				"MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=%s\nDISKSEQ=%llu\n",
				MAJOR(b->dev), MINOR(b->dev), b->name,
				b->partno ? "partition" : "disk", READ_ONCE(b->disk->seq));

	if (b->partno)
		len += scnprintf(buf + len, size - (size_t)len, "PARTN=%u\n", b->partno);
	return len;
}

static ssize_t show_seq(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%llu\n", READ_ONCE(((struct bdev *)n->data)->disk->seq));
}

#ifdef CONFIG_FAULT_INJECTION
static ssize_t show_make_it_fail(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(((struct bdev *)n->data)->make_it_fail));
}

static ssize_t store_make_it_fail(struct show_node *n, const char *text, size_t len)
{
	int v, err = kstrtoint(text, 10, &v);

	if (!err)
		WRITE_ONCE(((struct bdev *)n->data)->make_it_fail, v != 0);
	return err ? err : (ssize_t)len;
}
#endif

/*
 * /sys/dev/block has a link by number to each disk and partition, which is how programs find one's
 * directory.
 */
static void publish_number(struct bdev *b, struct show_node *dir)
{
	char name[24];

	snprintf(name, sizeof(name), "%u:%u", MAJOR(b->dev), MINOR(b->dev));
	show_link_to(show_path(SHOW_SYS, "dev/block"), name, dir);
}

static void hide_number(struct bdev *b)
{
	char name[24];

	snprintf(name, sizeof(name), "%u:%u", MAJOR(b->dev), MINOR(b->dev));
	show_remove_name(show_path(SHOW_SYS, "dev/block"), name);
	show_remove_name(show_path(SHOW_SYS, "class/block"), b->name);
	if (!b->partno)
		show_remove_name(show_path(SHOW_SYS, "block"), b->name);
}

/* The disk's own directory, and the link by which it is found: both, or NULL. */
static struct show_node *disk_dir(struct disk *d)
{
	struct show_node *at = d->parent ? show_dir(SHOW_SYS, d->parent, "block") :
					   show_path(SHOW_SYS, "devices/virtual/block");
	struct show_node *dir = at ? show_dir(SHOW_SYS, at, d->name) : NULL;

	if (dir && !show_link_to(show_path(SHOW_SYS, "block"), d->name, dir)) {
		show_remove(dir);
		dir = NULL;
	}
	if (dir && d->parent)
		show_link_to(dir, "device", d->parent);
	if (dir)
		show_get(dir);
	return dir;
}

static void publish(struct bdev *b)
{
	struct show_node *dir = b->partno ? show_dir(SHOW_SYS, b->disk->show, b->name) :
					    b->disk->show;

	bdev_attr(dir, "size", 0444, show_size, NULL, b);
	bdev_attr(dir, "ro", 0444, show_ro, NULL, b);
	show_attr(dir, "alignment_offset", 0444, show_none, NULL, NULL);
	bdev_attr(dir, "dev", 0444, show_dev, NULL, b);
	bdev_attr(dir, "uevent", 0644, show_uevent, uevent_store, b);
	bdev_attr(dir, "stat", 0444, block_show_stat, NULL, b);
	bdev_attr(dir, "inflight", 0444, block_show_inflight, NULL, b);
	if (b->partno)
		bdev_attr(dir, "partition", 0444, show_partition_number, NULL, b);
	show_link_to(dir, "subsystem", show_path(SHOW_SYS, "class/block"));
#ifdef CONFIG_FAULT_INJECTION
	bdev_attr(dir, "make-it-fail", 0644, show_make_it_fail, store_make_it_fail, b);
#endif
	if (!b->partno) {
		bdev_attr(dir, "diskseq", 0444, show_seq, NULL, b);
		disk_attr(dir, "removable", 0444, show_removable, NULL, b->disk);
		show_attr(dir, "hidden", 0444, show_none, NULL, NULL);
		disk_show_queue(b->disk);
	}
	if (b->partno)
		bdev_attr(dir, "start", 0444, show_start, NULL, b);
	publish_number(b, dir);
	show_link_to(show_path(SHOW_SYS, "class/block"), b->name, dir);
	if (b->partno)
		uevent_send(dir, UEVENT_ADD, NULL);
}

static int number_bdev(struct bdev *b)
{
	struct disk *d = b->disk;
	u32 minor;
	int e;

	if (b->partno < d->minors) {
		b->dev = MKDEV(d->major, d->first_minor + b->partno);
		return 0;
	}
	e = xa_alloc(&ext_minors, &minor, b, XA_LIMIT(0, MINORMASK), GFP_KERNEL);
	if (e)
		return e;
	b->ext = true;
	b->dev = MKDEV(BLKEXT_MAJOR, minor);
	return 0;
}

static void free_number(struct bdev *b)
{
	if (b->ext)
		xa_erase(&ext_minors, MINOR(b->dev));
}

void bdev_hide(struct bdev *b)
{
	struct show_node *s = b->partno ? show_lookup(b->disk->show, b->name, strlen(b->name)) :
					  NULL;

	uevent_send(b->partno ? s : b->disk->show, UEVENT_REMOVE, NULL);
	devtmpfs_delete_node(b->name);
	hide_number(b);
	if (s) {
		show_remove(s);
		show_put(s);
	}
}

void bdev_free(struct bdev *b)
{
	bdev_free_cache(b);
	free_number(b);
	bdev_unpin(b);
}

void bdev_del(struct bdev *b)
{
	bdev_hide(b);
	bdev_free(b);
}

struct bdev *bdev_add(struct disk *d, unsigned int partno, sector_t start, sector_t sectors)
{
	struct bdev *b = kzalloc(sizeof(*b), GFP_KERNEL);
	size_t n = strlen(d->name);
	int e;

	if (!b)
		return ERR_PTR(-ENOMEM);
	refcount_set(&b->pins, 1);
	refcount_inc(&d->pins);
	b->disk = d;
	b->partno = partno;
	b->start = start;
	b->sectors = sectors;
	b->stats = alloc_percpu(struct disk_stats);
	e = b->stats ? number_bdev(b) : -ENOMEM;
	if (e) {
		bdev_unpin(b);
		return ERR_PTR(e);
	}
	if (partno)
		snprintf(b->name, sizeof(b->name),
			 d->name[n - 1] >= '0' && d->name[n - 1] <= '9' ? "%sp%u" : "%s%u", d->name,
			 partno);
	else
		strscpy(b->name, d->name, sizeof(b->name));
	e = bdev_init_cache(b);
	if (e) {
		free_number(b);
		bdev_unpin(b);
		return ERR_PTR(e);
	}
	if (!partno)
		d->whole = b;
	mutex_lock(&disks_lock);
	list_add_tail(&b->list, &d->parts);
	mutex_unlock(&disks_lock);
	publish(b);
	/* Last: a program that sees the node opens it. */
	e = devtmpfs_create_node(b->name, S_IFBLK | 0660, b->dev);
	if (e)
		pr_warn("block: %s: no node in /dev: error %d\n", b->name, e);
	return b;
}

int disk_add(struct disk *d)
{
	struct bdev *whole;

	if (d->block_size < SECTOR_SIZE || d->block_size > PAGE_SIZE ||
	    (d->block_size & (d->block_size - 1)))
		return -EINVAL;
	d->backing.io_pages = d->max_segments ? (unsigned int)(d->max_request >> PAGE_SHIFT) : 0;
	d->show = disk_dir(d);
	if (!d->show)
		return -ENOMEM;
	mutex_lock(&disks_lock);
	list_add_tail(&d->list, &disks);
	mutex_unlock(&disks_lock);
	whole = bdev_add(d, 0, 0, d->sectors);
	if (IS_ERR(whole)) {
		mutex_lock(&disks_lock);
		list_del_init(&d->list);
		mutex_unlock(&disks_lock);
		show_remove_name(show_path(SHOW_SYS, "block"), d->name);
		show_remove(d->show);
		show_put(d->show);
		d->show = NULL;
		return (int)PTR_ERR(whole);
	}
	pr_info("block: %s: %llu sectors of 512 bytes, blocks of %u%s\n", d->name, d->sectors,
		d->block_size, d->read_only ? ", read-only" : "");
	uevent_send(d->show, UEVENT_ADD, NULL);
	if (d->sectors && !d->no_partitions)
		disk_scan(d, whole);
	block_disk_added();
	return 0;
}

void disk_set_sectors(struct disk *d, u64 sectors)
{
	struct bdev *whole;
	u64 old;

	mutex_lock(&disks_lock);
	old = d->sectors;
	d->seq = next_seq++;
	whole = list_first_entry_or_null(&d->parts, struct bdev, list);
	WRITE_ONCE(d->sectors, sectors);
	if (whole)
		WRITE_ONCE(whole->sectors, sectors);
	mutex_unlock(&disks_lock);
	if (whole) {
		i_size_write(whole->inode, (loff_t)(sectors << SECTOR_SHIFT));
		truncate_inode_pages(whole->inode->i_mapping, (loff_t)(sectors << SECTOR_SHIFT));
		if (old && sectors && old != sectors)
			uevent_send(d->show, UEVENT_CHANGE, "RESIZE=1\n");
	}
}

void disk_set_medium(struct disk *d, u64 sectors, u32 block_size)
{
	struct bdev *whole;

	mutex_lock(&d->parts_lock);
	if (!d->gone) {
		mutex_lock(&disks_lock);
		whole = list_first_entry_or_null(&d->parts, struct bdev, list);
		mutex_unlock(&disks_lock);
		WRITE_ONCE(d->block_size, block_size);
		WRITE_ONCE(d->phys_block_size, block_size);
		disk_set_sectors(d, sectors);
		if (whole)
			invalidate_inode_pages2_range(whole->inode->i_mapping, 0, (pgoff_t)-1);
	}
	mutex_unlock(&d->parts_lock);
}

void disk_changed(struct disk *d, const char *extra)
{
	uevent_send(d->show, UEVENT_CHANGE, extra);
}

u64 disk_sectors(const struct disk *d)
{
	return READ_ONCE(d->sectors);
}

void disk_resize(struct disk *d, u64 sectors)
{
	u64 old;

	/* Removal takes this lock too: the disk's bdev stays while its size is set. */
	mutex_lock(&d->parts_lock);
	old = disk_sectors(d);
	if (sectors != old && !d->gone) {
		disk_set_sectors(d, sectors);
		pr_info("block: %s: %llu sectors of 512 bytes now, %llu before\n", d->name, sectors,
			old);
	}
	mutex_unlock(&d->parts_lock);
}

unsigned int disk_openers(struct disk *d)
{
	struct bdev *b;
	unsigned int n = 0;

	mutex_lock(&disks_lock);
	list_for_each_entry(b, &d->parts, list)
		n += (unsigned int)atomic_read(&b->openers);
	mutex_unlock(&disks_lock);
	return n;
}

int disk_remove_unless_open(struct disk *d)
{
	struct bdev *b, *n;
	LIST_HEAD(gone);
	bool open = false;

	mutex_lock(&d->parts_lock);
	mutex_lock(&disks_lock);
	list_for_each_entry(b, &d->parts, list)
		open |= bdev_is_open(b);
	if (!open) {
		list_del_init(&d->list);
		list_splice_init(&d->parts, &gone);
	}
	mutex_unlock(&disks_lock);
	mutex_unlock(&d->parts_lock);
	if (open)
		return -EBUSY;
	disk_kill(d);
	/* Who waited for the last request may be here before the worker has left its queue. */
	for (unsigned int i = 0; i < d->nr_queues; i++)
		flush_work(&d->queues[i].work);
	/* Partitions first: the disk is the first of the list. */
	list_for_each_entry_safe_reverse(b, n, &gone, list)
		bdev_del(b);
	if (d->show)
		show_remove(d->show);
	return 0;
}

void disk_kill(struct disk *d)
{
	WRITE_ONCE(d->dead, true);
	for (unsigned int i = 0; i < d->nr_queues; i++)
		disk_queue_fail_pending(&d->queues[i]);
}

/* ---- look-up ---- */

static struct bdev *find_bdev(bool (*match)(const struct bdev *b, const void *key), const void *key,
			      bool open)
{
	struct disk *d;
	struct bdev *b;

	mutex_lock(&disks_lock);
	list_for_each_entry(d, &disks, list) {
		list_for_each_entry(b, &d->parts, list) {
			if (match(b, key)) {
				disk_get(d);
				if (open)
					atomic_inc(&b->openers);
				mutex_unlock(&disks_lock);
				return b;
			}
		}
	}
	mutex_unlock(&disks_lock);
	return NULL;
}

struct disk **disks_get(void)
{
	struct disk *d, **all;
	size_t n = 0, room = 1;

	mutex_lock(&disks_lock);
	list_for_each_entry(d, &disks, list)
		room++;
	all = kvcalloc(room, sizeof(struct disk *), GFP_KERNEL);
	if (all) {
		list_for_each_entry(d, &disks, list) {
			refcount_inc(&d->refs);
			all[n++] = d;
		}
	}
	mutex_unlock(&disks_lock);
	return all ?: ERR_PTR(-ENOMEM);
}

int block_devices(dev_t **out)
{
	struct disk *d;
	struct bdev *b;
	dev_t *all;
	int n = 0;

	mutex_lock(&disks_lock);
	list_for_each_entry(d, &disks, list)
		list_for_each_entry(b, &d->parts, list)
			n++;
	*out = all = kvcalloc((size_t)max(n, 1), sizeof(*all), GFP_KERNEL);
	n = 0;
	if (all)
		list_for_each_entry(d, &disks, list)
			list_for_each_entry(b, &d->parts, list)
				all[n++] = b->dev;
	mutex_unlock(&disks_lock);
	return all ? n : -ENOMEM;
}

static bool dev_matches(const struct bdev *b, const void *key)
{
	return b->dev == *(const dev_t *)key;
}

static bool name_matches(const struct bdev *b, const void *key)
{
	return !strcmp(b->name, key);
}

static bool uuid_matches(const struct bdev *b, const void *key)
{
	return *b->uuid && !strcasecmp(b->uuid, key);
}

struct bdev *bdev_get_by_partuuid(const char *uuid)
{
	return find_bdev(uuid_matches, uuid, false);
}

struct bdev *bdev_get_by_dev(dev_t dev)
{
	return find_bdev(dev_matches, &dev, false);
}

struct bdev *bdev_get_by_name(const char *name)
{
	return find_bdev(name_matches, name, false);
}

void bdev_put(struct bdev *b)
{
	disk_put(b->disk);
}

/* Whether another than HOLDER stands in the way. disks_lock held. */
static bool claimed_by_other(const struct bdev *b, const void *holder)
{
	struct bdev *p;

	lockdep_assert_held(&disks_lock);
	if (b->holder && b->holder != holder)
		return true;
	list_for_each_entry(p, &b->disk->parts, list)
		if (p != b && p->holder && (!p->partno || !b->partno))
			return true;
	return false;
}

int bdev_claim(struct bdev *b, void *holder)
{
	int e = 0;

	mutex_lock(&disks_lock);
	if (claimed_by_other(b, holder)) {
		e = -EBUSY;
	} else {
		b->holder = holder;
		b->claims++;
	}
	mutex_unlock(&disks_lock);
	return e;
}

void bdev_unclaim(struct bdev *b, void *holder)
{
	mutex_lock(&disks_lock);
	if (!WARN_ON(b->holder != holder) && !--b->claims)
		b->holder = NULL;
	mutex_unlock(&disks_lock);
}

/* One opener less: of a disk whose driver's module is not used by it. */
static int close_counted(struct bdev *b)
{
	struct disk *d = b->disk;
	int n, e = 0;

	/*
	 * The last one writes what is dirty and forgets what is cached (the disk and its partitions
	 * have caches apart) while it still counts; after that a partition may go. The disk stays
	 * until its reference is put.
	 */
	do {
		n = atomic_read(&b->openers);
		if (n == 1) {
			e = filemap_write_and_wait(b->inode->i_mapping);
			invalidate_mapping_pages(b->inode->i_mapping, 0, (pgoff_t)-1);
		}
	} while (atomic_cmpxchg(&b->openers, n, n - 1) != n);
	if (d->ops->closed && !disk_openers(d))
		d->ops->closed(d);
	disk_put(d);
	return e;
}

/* ---- /proc ---- */

static void each_bdev(void (*fn)(struct seq_file *m, struct bdev *b), struct seq_file *m)
{
	struct disk *d;
	struct bdev *b;

	mutex_lock(&disks_lock);
	list_for_each_entry(d, &disks, list)
		list_for_each_entry(b, &d->parts, list)
			fn(m, b);
	mutex_unlock(&disks_lock);
}

static void show_partition(struct seq_file *m, struct bdev *b)
{
	seq_printf(m, "%4u  %7u %10llu %s\n", MAJOR(b->dev), MINOR(b->dev), b->sectors / 2,
		   b->name);
}

void block_show_partitions(struct seq_file *m)
{
	each_bdev(show_partition, m);
}

static void print_partition(struct seq_file *m, struct bdev *b)
{
	pr_err("  %02x%02x %12llu KiB %s%s%s\n", MAJOR(b->dev), MINOR(b->dev), b->sectors / 2,
	       b->name, *b->uuid ? " PARTUUID=" : "", b->uuid);
}

void block_print_partitions(void)
{
	each_bdev(print_partition, NULL);
}

void block_show_diskstats(struct seq_file *m)
{
	each_bdev(block_stats_line, m);
}

/* What the driver says of an open, where the disk is there still. */
static int opening(struct disk *d, unsigned int how)
{
	int e = d->ops->open ? d->ops->open(d) : 0;

	if (!e && d->ops->opening) {
		e = disk_enter(d) ? -ENXIO : 0;
		if (!e) {
			e = d->ops->opening(d, how);
			disk_leave(d);
		}
	}
	return e;
}

static void closing(struct disk *d)
{
	if (!d->ops->closing || disk_enter(d))
		return;
	d->ops->closing(d);
	disk_leave(d);
}

/* A file less of B, which the driver does not know of, or knows of no more. */
static int uncount(struct bdev *b)
{
	const struct disk_ops *ops = b->disk->ops;
	int e = close_counted(b);

	owner_unuse(ops);
	return e;
}

struct bdev *bdev_open_by_dev(dev_t dev)
{
	return bdev_open(dev, 0);
}

struct bdev *bdev_open(dev_t dev, unsigned int how)
{
	struct bdev *b = find_bdev(dev_matches, &dev, true);
	int e;

	if (!b)
		return ERR_PTR(-ENXIO);
	if (!owner_use(b->disk->ops)) {
		close_counted(b);
		return ERR_PTR(-ENXIO);
	}
	e = opening(b->disk, how);
	if (e) {
		uncount(b);
		return ERR_PTR(e);
	}
	return b;
}

int bdev_close(struct bdev *b)
{
	closing(b->disk);
	return uncount(b);
}
