// SPDX-License-Identifier: MIT
/*
 * Block devices as files: /dev/vda and its like, through a page cache of their own.
 *
 * Each bdev has an inode of the internal filesystem bdev; every file that opens a node of that
 * number shares its mapping. Size is fixed. Writes reach the disk by writeback, fsync(2) or O_SYNC;
 * O_DIRECT goes past the cache.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/kdev.h>
#include <lib/minmax.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <block/direct.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <mm/filemap.h>
#include <mm/folio.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <sched/completion.h>
#include <sched/plug.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/inode.h>
#include <vfs/mount.h>
#include <vfs/upcalls.h>
#include <abi/errno.h>
#include <linux/blkpg.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include "block/blk_priv.h"

static struct vfsmount *bdev_mnt __ro_after_init;
static const struct file_operations bdev_fops;

/* ---- cache to disk ---- */

static struct bdev *bdev_of(struct address_space *m)
{
	return m->private_data;
}

/* The pages of FOLIO that lie on the device, into B; the rest of the folio is beyond the end. */
static unsigned int add_folio(struct bio *b, struct folio *folio)
{
	u64 size = b->bdev->sectors << SECTOR_SHIFT, pos = (u64)folio_pos(folio);
	unsigned int done = 0,
		     want = (unsigned int)min((u64)folio_size(folio), size > pos ? size - pos : 0);

	b->sector = pos >> SECTOR_SHIFT;
	for (unsigned long i = 0; done < want; i++) {
		unsigned int n = min(want - done, (unsigned int)PAGE_SIZE);

		if (!bio_add_page(b, folio_page(folio, i), n, 0))
			break;
		done += n;
	}
	return done == want ? want : 0;
}

static void read_end(struct bio *b)
{
	struct folio *folio = b->private;

	if (!b->status && b->len < folio_size(folio))
		folio_zero_range(folio, b->len, folio_size(folio) - b->len);
	folio_end_read(folio, !b->status);
	bio_free(b);
}

static int bdev_read_folio(struct file *file, struct folio *folio)
{
	struct bdev *v = bdev_of(folio_mapping(folio));
	struct bio *b = bio_alloc(v, REQ_READ, 0, GFP_NOIO);

	if (!b || !add_folio(b, folio)) {
		if (b)
			bio_free(b);
		folio_end_read(folio, false);
		return b ? -EIO : -ENOMEM;
	}
	b->end_io = read_end;
	b->private = folio;
	submit_bio(b);
	return 0;
}

static void bdev_readahead(struct readahead_control *rac)
{
	struct folio *folio;
	struct plug plug;

	plug_start(&plug);
	while ((folio = readahead_folio(rac))) {
		bdev_read_folio(rac->file, folio);
		folio_put(folio);
	}
	plug_finish(&plug);
}

static void write_end(struct bio *b)
{
	struct folio *folio = b->private;

	if (b->status)
		mapping_set_error(folio_mapping(folio), b->status);
	folio_end_writeback(folio);
	bio_free(b);
}

static int write_one(struct folio *folio, struct writeback_control *wbc, void *arg)
{
	struct bio *b = bio_alloc(arg, REQ_WRITE, 0, GFP_NOIO);

	folio_start_writeback(folio);
	folio_unlock(folio);
	if (!add_folio(b, folio)) {
		b->status = -EIO;
		b->private = folio;
		write_end(b);
		return -EIO;
	}
	b->end_io = write_end;
	b->private = folio;
	submit_bio(b);
	return 0;
}

static int bdev_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	struct plug plug;
	int e;

	plug_start(&plug);
	e = filemap_for_each_dirty(mapping, wbc, write_one, bdev_of(mapping));
	plug_finish(&plug);
	return e;
}

/* ---- direct transfers ---- */

/* After a write: what of it the cache had is old. */
static ssize_t direct_write_finish(struct direct *d, ssize_t n)
{
	struct kiocb *k = d->iocb;
	loff_t start = n > 0 ? k->ki_pos - n : k->ki_pos, last = start + d->bytes - 1;

	invalidate_inode_pages2_range(k->ki_filp->f_mapping, (pgoff_t)(start >> PAGE_SHIFT),
				      (pgoff_t)(last >> PAGE_SHIFT));
	return n;
}

/* Nobody waits; all is under way at return. */
static ssize_t bdev_direct_queue(struct bdev *v, struct kiocb *k, struct iter *it, unsigned int op,
				 unsigned int flags)
{
	struct direct *d = kmalloc(sizeof(*d), GFP_KERNEL);
	u64 size = v->sectors << SECTOR_SHIFT, pos = (u64)k->ki_pos;
	ssize_t n = 0;

	if (!d)
		return -ENOMEM;
	direct_init(d, k, it);
	if (op == REQ_WRITE)
		d->finish = direct_write_finish;
	while (n >= 0 && iter_count(it) && pos < size) {
		n = fatal_signal_pending(current) ?
			    -EINTR :
			    direct_piece(d, v, it, pos, size - pos, op, flags);
		pos += n > 0 ? (u64)n : 0;
	}
	return direct_submitted(d, n < 0 ? (int)n : 0);
}

/*
 * Sector-aligned transfers between the caller's memory and the disk; one bio at a time where it is
 * waited for.
 */
static ssize_t bdev_direct(struct kiocb *k, struct iter *it)
{
	struct bdev *v = bdev_of(k->ki_filp->f_mapping);
	u64 size = v->sectors << SECTOR_SHIFT;
	unsigned int op = it->data_source ? REQ_WRITE : REQ_READ;
	unsigned int flags = op == REQ_WRITE && k->ki_flags & IOCB_DSYNC ? REQ_FUA : 0;
	ssize_t done = 0;

	if ((k->ki_pos & (v->disk->block_size - 1)) ||
	    (iter_alignment(it) & (v->disk->block_size - 1)))
		return -EINVAL;
	if (!is_sync_kiocb(k))
		return bdev_direct_queue(v, k, it, op, flags);
	while (iter_count(it) && (u64)k->ki_pos < size) {
		ssize_t n =
			direct_piece(NULL, v, it, (u64)k->ki_pos, size - (u64)k->ki_pos, op, flags);

		if (n < 0)
			return done ?: n;
		k->ki_pos += n;
		done += n;
	}
	return done;
}

static const struct mapping_ops bdev_mapping_ops = {
	.read_folio = bdev_read_folio,
	.readahead = bdev_readahead,
	.writepages = bdev_writepages,
	.direct_IO = bdev_direct,
};

/* ---- commands ---- */

int bdev_flush(struct bdev *v)
{
	struct bio *b = bio_alloc(v, REQ_FLUSH, 0, GFP_KERNEL);

	return b ? submit_bio_wait(b) : -ENOMEM;
}

int bdev_discard(struct bdev *v, sector_t sector, u64 n, bool zeroes)
{
	u64 max = zeroes ? v->disk->max_zeroes_sectors : v->disk->max_discard_sectors;

	if (v->disk->read_only || v->read_only)
		return -EPERM;
	if (!max)
		return -EOPNOTSUPP;
	if (sector > v->sectors || n > v->sectors - sector)
		return -EINVAL;
	while (n) {
		u64 part = min(n, max);
		struct bio *b;
		int e;

		if (fatal_signal_pending(current))
			return -EINTR;
		b = bio_alloc(v, zeroes ? REQ_WRITE_ZEROES : REQ_DISCARD, 0, GFP_KERNEL);
		if (!b)
			return -ENOMEM;
		part = min(part, (u64)(U32_MAX >> SECTOR_SHIFT));
		b->sector = sector;
		b->len = (u32)(part << SECTOR_SHIFT);
		e = submit_bio_wait(b);
		if (e)
			return e;
		sector += part;
		n -= part;
	}
	return 0;
}

/* Zeroes as data, for devices that know no shorter way. -EINTR: killed. */
static int write_zeroes(struct bdev *v, sector_t sector, u64 n)
{
	struct page *zero = alloc_page(GFP_KERNEL | __GFP_ZERO);
	int e = zero ? 0 : -ENOMEM;

	while (!e && n) {
		struct bio *b = bio_alloc(v, REQ_WRITE, 0, GFP_KERNEL);
		u64 left = n << SECTOR_SHIFT;

		if (!b || fatal_signal_pending(current)) {
			if (b)
				bio_free(b);
			e = b ? -EINTR : -ENOMEM;
			break;
		}
		b->sector = sector;
		while (left && bio_add_page(b, zero, (unsigned int)min(left, (u64)PAGE_SIZE), 0))
			left -= min(left, (u64)PAGE_SIZE);
		sector += b->len >> SECTOR_SHIFT;
		n -= b->len >> SECTOR_SHIFT;
		e = submit_bio_wait(b);
	}
	if (zero)
		__free_page(zero);
	return e;
}

/* ---- files ---- */

static ssize_t bdev_read(struct kiocb *k, struct iter *to)
{
	struct file *f = k->ki_filp;
	u64 size = bdev_of(f->f_mapping)->sectors << SECTOR_SHIFT;

	if ((u64)k->ki_pos >= size)
		return 0;
	iter_truncate(to, size - (u64)k->ki_pos);
	if (k->ki_flags & IOCB_DIRECT) {
		int e = filemap_write_and_wait_range(f->f_mapping, k->ki_pos,
						     k->ki_pos + (loff_t)iter_count(to) - 1);

		return e ?: bdev_direct(k, to);
	}
	return filemap_read(k, to, f->f_mapping, &f->f_ra);
}

static ssize_t bdev_write(struct kiocb *k, struct iter *from)
{
	struct file *f = k->ki_filp;
	struct bdev *v = bdev_of(f->f_mapping);
	u64 size = v->sectors << SECTOR_SHIFT;
	ssize_t n;

	if (v->disk->read_only || v->read_only)
		return -EPERM;
	if (!iter_count(from))
		return 0;
	if ((u64)k->ki_pos >= size)
		return -ENOSPC;
	iter_truncate(from, size - (u64)k->ki_pos);
	if (k->ki_flags & IOCB_DIRECT) {
		loff_t start = k->ki_pos, end = start + (loff_t)iter_count(from) - 1;
		int e;

		/* Shared: writers wait for the device side by side. */
		inode_lock_shared(v->inode);
		e = filemap_write_and_wait_range(f->f_mapping, start, end);
		n = e ?: bdev_direct(k, from);
		if (n > 0)
			invalidate_inode_pages2_range(f->f_mapping, (pgoff_t)(start >> PAGE_SHIFT),
						      (pgoff_t)(end >> PAGE_SHIFT));
		inode_unlock_shared(v->inode);
	} else {
		inode_lock(v->inode);
		n = filemap_write(k, from, f->f_mapping);
		inode_unlock(v->inode);
	}
	return n > 0 ? generic_write_sync(k, n) : n;
}

static int bdev_fsync(struct file *f, loff_t start, loff_t end, int datasync)
{
	int e = filemap_write_and_wait_range(f->f_mapping, start, end),
	    flush = bdev_flush(bdev_of(f->f_mapping)),
	    seen = filemap_check_wb_err(f->f_mapping, &f->f_wb_err);

	/* The error is in the sequence too: read it, so that it is reported only once. */
	return e ?: seen ?: flush;
}

static loff_t bdev_llseek(struct file *f, loff_t off, int whence)
{
	return fixed_size_llseek(f, off, whence,
				 (loff_t)(bdev_of(f->f_mapping)->sectors << SECTOR_SHIFT));
}

/*
 * Removes data from the cache and the disk. The lock keeps readers from filling the cache with the
 * old data in between. Where the disk refuses, its data stay: so the parts of pages at both ends
 * become zeroes in the cache, which is written back, only when they are gone from the disk.
 */
enum how { DISCARD, DEVICE_ZEROES, ZEROES };	/* the last: written, if the device cannot */

static int take_away(struct address_space *m, loff_t off, loff_t len, enum how how)
{
	struct bdev *v = bdev_of(m);
	int e;

	if (v->disk->read_only || v->read_only)
		return -EPERM;
	inode_lock(v->inode);
	filemap_invalidate_lock(m);
	e = filemap_write_and_wait_range(m, off, off + len - 1);
	if (!e) {
		/* What stays is in use. */
		invalidate_inode_pages2_range(m, (pgoff_t)(off >> PAGE_SHIFT),
					      (pgoff_t)((off + len - 1) >> PAGE_SHIFT));
		e = bdev_discard(v, (u64)off >> SECTOR_SHIFT, (u64)len >> SECTOR_SHIFT,
				 how != DISCARD);
		if (e == -EOPNOTSUPP && how == ZEROES)
			e = write_zeroes(v, (u64)off >> SECTOR_SHIFT, (u64)len >> SECTOR_SHIFT);
	}
	if (!e)
		truncate_inode_pages_range(m, off, off + len - 1);
	filemap_invalidate_unlock(m);
	inode_unlock(v->inode);
	return e;
}

static long discard_range(struct file *f, struct uptr arg, enum how how)
{
	struct bdev *v = bdev_of(f->f_mapping);
	u64 r[2];

	if (!(f->f_mode & FMODE_WRITE))
		return -EBADF;
	if (copy_from_user(r, arg, sizeof(r)))
		return -EFAULT;
	if ((r[0] | r[1]) & (v->disk->block_size - 1) || r[0] > v->sectors << SECTOR_SHIFT ||
	    r[1] > (v->sectors << SECTOR_SHIFT) - r[0] || !r[1])
		return -EINVAL;
	return take_away(f->f_mapping, (loff_t)r[0], (loff_t)r[1], how);
}

/*
 * BLKBSZSET: the size is stored and reported; the cache works in pages. A caller without O_EXCL
 * claims the device for the duration of the call.
 */
static long set_soft_block(struct file *f, struct bdev *v, struct uptr p)
{
	int n, e;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (uptr_is_null(p))
		return -EINVAL;
	if (get_user(n, p))
		return -EFAULT;
	if (n < (int)v->disk->block_size || n > (int)PAGE_SIZE || (n & (n - 1)))
		return -EINVAL;
	e = bdev_claim(v, f);
	if (e)
		return e;
	WRITE_ONCE(v->soft_block, (u32)n);
	bdev_unclaim(v, f);
	return 0;
}

/* BLKRRPART: a mounted file system, or another's O_EXCL, keeps the partitions as they are. */
static long rescan(struct file *f, struct bdev *v)
{
	int e = bdev_claim(v, f);

	if (e)
		return e;
	e = disk_rescan(v->disk);
	bdev_unclaim(v, f);
	return e;
}

static long driver_ioctl(struct bdev *v, struct file *f, unsigned int cmd, unsigned long arg)
{
	struct disk *d = v->disk;
	long r;

	if (!d->ops->ioctl || (v->partno && !(d->ops->raw_partitions && capable(CAP_SYS_RAWIO))))
		return -ENOTTY;
	r = disk_enter(d);
	if (r)
		return r;
	r = d->ops->ioctl(d, f, cmd, arg);
	disk_leave(d);
	return r;
}

static long bdev_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct bdev *v = bdev_of(f->f_mapping);
	struct uptr p = UPTR(arg);
	u32 n;

	switch (cmd) {
	case BLKGETSIZE64:
		return put_user((u64)v->sectors << SECTOR_SHIFT, p) ? -EFAULT : 0;
	case BLKGETSIZE:
		return put_user((unsigned long)v->sectors, p) ? -EFAULT : 0;
	case BLKSSZGET:
		return put_user(v->disk->block_size, p) ? -EFAULT : 0;
	case BLKPBSZGET:
		return put_user(v->disk->phys_block_size, p) ? -EFAULT : 0;
	case BLKBSZGET:
		return put_user(READ_ONCE(v->soft_block) ?: (u32)PAGE_SIZE, p) ? -EFAULT : 0;
	case BLKBSZSET:
		return set_soft_block(f, v, p);
	case BLKIOMIN:
		return put_user(v->disk->phys_block_size, p) ? -EFAULT : 0;
	case BLKIOOPT:
	case BLKALIGNOFF:
		return put_user((u32)0, p) ? -EFAULT : 0;
	case BLKDISCARDZEROES:
		return put_user((u32)0, p) ? -EFAULT : 0;
	case BLKROTATIONAL:
		return put_user((u16)0, p) ? -EFAULT : 0;
	case BLKGETDISKSEQ:
		return put_user(v->disk->seq, p) ? -EFAULT : 0;
	case BLKROGET:
		return put_user((u32)(v->disk->read_only || v->read_only), p) ? -EFAULT : 0;
	case BLKROSET:
		if (!capable(CAP_SYS_ADMIN))
			return -EACCES;
		if (get_user(n, p))
			return -EFAULT;
		v->read_only = n;
		return 0;
	case BLKRAGET:
	case BLKFRAGET:
		return put_user((unsigned long)v->disk->ra_pages * (PAGE_SIZE / SECTOR_SIZE), p) ?
			       -EFAULT :
			       0;
	case BLKRASET:
	case BLKFRASET:
		if (!capable(CAP_SYS_ADMIN))
			return -EACCES;
		WRITE_ONCE(v->disk->ra_pages, (unsigned int)min(arg * SECTOR_SIZE / PAGE_SIZE,
								(unsigned long)INT_MAX));
		return 0;
	case BLKFLSBUF:
		if (!capable(CAP_SYS_ADMIN))
			return -EACCES;
		filemap_write_and_wait(f->f_mapping);
		invalidate_mapping_pages(f->f_mapping, 0, (pgoff_t)-1);
		return 0;
	case BLKRRPART:
		if (!capable(CAP_SYS_ADMIN))
			return -EACCES;
		return v->partno ? -EINVAL : rescan(f, v);
	case BLKPG:
		return block_blkpg(v, p);
	case BLKDISCARD:
		return discard_range(f, p, DISCARD);
	case BLKZEROOUT:
		return discard_range(f, p, ZEROES);
	}
	return driver_ioctl(v, f, cmd, arg);
}

static long bdev_fallocate(struct file *f, int mode, loff_t off, loff_t len)
{
	struct bdev *v = bdev_of(f->f_mapping);
	bool discard = mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	u64 size = v->sectors << SECTOR_SHIFT;

	if (!discard && mode != FALLOC_FL_ZERO_RANGE &&
	    mode != (FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if ((u64)off >= size || ((u64)len > size - (u64)off && !(mode & FALLOC_FL_KEEP_SIZE)))
		return -EINVAL;
	len = (loff_t)min((u64)len, size - (u64)off);
	if ((off | len) & (v->disk->block_size - 1))
		return -EINVAL;
	/* A hole reads as zeroes: a mere discard does not promise that. */
	return take_away(f->f_mapping, off, len, discard ? DEVICE_ZEROES : ZEROES);
}

static int bdev_release(struct inode *inode, struct file *f)
{
	struct bdev *v = f->private_data;

	/* A file that was opened with O_EXCL is the holder; the flag itself is gone since. */
	if (READ_ONCE(v->holder) == f)
		bdev_unclaim(v, f);
	return bdev_close(v);
}

static const struct file_operations bdev_fops = {
	.llseek = bdev_llseek,
	.read_iter = bdev_read,
	.write_iter = bdev_write,
	.fsync = bdev_fsync,
	.ioctl = bdev_ioctl,
	.mmap = generic_file_mmap,
	.release = bdev_release,
	.fallocate = bdev_fallocate,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
};

int blkdev_open_inode(struct inode *inode, struct file *f)
{
	unsigned int how = (f->f_mode & FMODE_WRITE ? DISK_OPEN_WRITE : 0) |
			   (f->f_flags & O_NONBLOCK ? DISK_OPEN_NONBLOCK : 0);
	struct bdev *v = bdev_open(inode->i_rdev, how);

	if (IS_ERR(v))
		return (int)PTR_ERR(v);
	/*
	 * A drive whose media change says so itself, and not of an O_NONBLOCK file, which its
	 * ioctls are for.
	 */
	if ((f->f_mode & FMODE_WRITE) && v->disk->read_only && !v->disk->ops->opening) {
		bdev_close(v);
		return -EROFS;
	}
	if (f->f_flags & O_EXCL) {
		int e = bdev_claim(v, f);

		if (e) {
			bdev_close(v);
			return e;
		}
	}
	f->f_mapping = v->inode->i_mapping;
	f->f_wb_err = errseq_sample(&f->f_mapping->wb_err);
	file_ra_state_init(&f->f_ra, f->f_mapping);
	f->f_ra.ra_pages = READ_ONCE(v->disk->ra_pages);
	f->private_data = v;
	replace_fops(f, &bdev_fops);
	return 0;
}

bool bdev_is_open(const struct bdev *b)
{
	return atomic_read(&b->openers) > 0;
}

/* ---- the cache ---- */

/* The devices' own caches, each on its own disk. */
static int bdev_sync_fs(struct super_block *sb, int wait)
{
	struct disk **all, **d;
	int err = 0;

	all = disks_get();
	if (IS_ERR(all))
		return (int)PTR_ERR(all);
	for (d = all; *d; d++) {
		int e = writeback_sync(&(*d)->backing, sb, wait);

		err = err ?: e;
		disk_put(*d);
	}
	kvfree(all);
	return err;
}

static const struct super_operations bdev_sops = { .statfs = simple_statfs,
						   .sync_fs = bdev_sync_fs };
static const struct pseudo_fs bdev_pseudo = { .name = "bdev",
					      .magic = 0x62646576,
					      .ops = &bdev_sops };

static int bdev_init_context(struct fs_context *fc)
{
	return pseudo_init_fs_context(fc, &bdev_pseudo);
}

static struct file_system_type bdev_fs_type = {
	.name = "bdev",
	.init_fs_context = bdev_init_context,
	.kill_sb = kill_anon_super,
};

int bdev_init_cache(struct bdev *b)
{
	struct inode *inode = new_inode_pseudo(bdev_mnt->mnt_sb);

	if (!inode)
		return -ENOMEM;
	inode->i_ino = b->dev;
	inode->i_mode = S_IFBLK | 0600;
	inode->i_rdev = b->dev;
	i_size_write(inode, (loff_t)(b->sectors << SECTOR_SHIFT));
	inode->i_data.ops = &bdev_mapping_ops;
	inode->i_data.private_data = b;
	inode->i_data.backing = &b->disk->backing;
	b->inode = inode;
	return 0;
}

void bdev_free_cache(struct bdev *b)
{
	truncate_inode_pages_final(b->inode->i_mapping);
	iput(b->inode);
	b->inode = NULL;
}

static int bdev_init(void)
{
	int e = register_filesystem(&bdev_fs_type);

	if (e)
		return e;
	bdev_mnt = kern_mount(&bdev_fs_type);
	return IS_ERR(bdev_mnt) ? (int)PTR_ERR(bdev_mnt) : 0;
}
INITCALL(subsys, bdev_init);
