// SPDX-License-Identifier: MIT
/*
 * Reading, writing and seeking: checks of ranges and limits, the kiocb of a synchronous call, and the
 * helpers files build their own operations from.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/file.h>
#include <sched/nowait.h>
#include <sched/task.h>
#include <proc/signal.h>
#include <mm/uaccess.h>
#include <linux/fs.h>
#include <linux/resource.h>

/* Seeking. */

loff_t vfs_setpos(struct file *file, loff_t offset, loff_t maxsize)
{
	if ((offset < 0 && !(file->f_op->fop_flags & FOP_UNSIGNED_OFFSET)) || offset > maxsize)
		return -EINVAL;
	if (offset != file->f_pos) {
		file->f_pos = offset;
		file->f_version = 0;
	}
	return offset;
}

loff_t generic_file_llseek_size(struct file *file, loff_t offset, int whence, loff_t maxsize, loff_t eof)
{
	switch (whence) {
	case SEEK_END:
		offset += eof;
		break;
	case SEEK_CUR:
		/* Asking where we are needs no lock. */
		if (!offset)
			return file->f_pos;
		spin_lock(&file->f_lock);
		offset = vfs_setpos(file, file->f_pos + offset, maxsize);
		spin_unlock(&file->f_lock);
		return offset;
	case SEEK_SET:
		break;
	case SEEK_DATA:
		/* No holes that we know of: all of the file is data, its end is the hole. */
		if ((u64)offset >= (u64)eof)
			return -ENXIO;
		break;
	case SEEK_HOLE:
		if ((u64)offset >= (u64)eof)
			return -ENXIO;
		offset = eof;
		break;
	default:
		return -EINVAL;
	}
	return vfs_setpos(file, offset, maxsize);
}

loff_t generic_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file->f_mapping->host;

	return generic_file_llseek_size(file, offset, whence, inode->i_sb->s_maxbytes, i_size_read(inode));
}

loff_t fixed_size_llseek(struct file *file, loff_t offset, int whence, loff_t size)
{
	if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
		return -EINVAL;
	return generic_file_llseek_size(file, offset, whence, size, size);
}

loff_t no_llseek(struct file *file, loff_t offset, int whence)
{
	(void)file;
	(void)offset;
	(void)whence;
	return -ESPIPE;
}

loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
	(void)offset;
	(void)whence;
	return file->f_pos;
}

loff_t default_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_file_llseek(file, offset, whence);
}

loff_t vfs_llseek(struct file *file, loff_t offset, int whence)
{
	if (!(file->f_mode & FMODE_LSEEK))
		return -ESPIPE;
	return file->f_op->llseek(file, offset, whence);
}

/* Checks. */

static __always_inline int verify_range(struct file *file, loff_t pos, size_t count)
{
	if (unlikely((ssize_t)count < 0))
		return -EINVAL;
	if (unlikely(pos < 0)) {
		if (!(file->f_op->fop_flags & FOP_UNSIGNED_OFFSET))
			return -EINVAL;
		if (count >= (size_t)-pos)
			return -EOVERFLOW;
	} else if (unlikely((loff_t)((u64)pos + count) < 0)) {
		if (!(file->f_op->fop_flags & FOP_UNSIGNED_OFFSET))
			return -EINVAL;
	}
	return 0;
}

int rw_verify_area(int write, struct file *file, const loff_t *ppos, size_t count)
{
	(void)write;
	return verify_range(file, ppos ? *ppos : 0, count);
}

int iocb_flags(struct file *file)
{
	int f = 0;

	if (file->f_flags & O_APPEND)
		f |= IOCB_APPEND;
	if (file->f_flags & O_DIRECT)
		f |= IOCB_DIRECT;
	if (file->f_flags & O_DSYNC)
		f |= IOCB_DSYNC;
	if (file->f_flags & __O_SYNC)
		f |= IOCB_SYNC;
	return f;
}

void init_sync_kiocb(struct kiocb *kiocb, struct file *filp)
{
	kiocb->ki_filp = filp;
	kiocb->ki_pos = 0;
	kiocb->ki_complete = NULL;
	kiocb->private_data = NULL;
	kiocb->ki_flags = filp->f_iocb_flags;
	kiocb->ki_ioprio = 0;
}

/* RWF_* of preadv2 and pwritev2 onto the kiocb. */
int kiocb_set_rw_flags(struct kiocb *ki, int rwf, int rw)
{
	u32 f = 0;

	if (likely(!rwf))
		return 0;
	if (unlikely(rwf & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND | RWF_NOSIGNAL)))
		return -EOPNOTSUPP;
	if (unlikely((rwf & RWF_APPEND) && (rwf & RWF_NOAPPEND)))
		return -EINVAL;
	if (rwf & RWF_NOWAIT) {
		if (!(ki->ki_filp->f_mode & FMODE_NOWAIT))
			return -EOPNOTSUPP;
		f |= IOCB_NOWAIT;
	}
	if (rwf & RWF_NOSIGNAL)
		f |= IOCB_NOSIGNAL;
	if (rwf & RWF_HIPRI)
		f |= IOCB_HIPRI;
	if (rwf & RWF_DSYNC)
		f |= IOCB_DSYNC;
	if (rwf & RWF_SYNC)
		f |= IOCB_DSYNC | IOCB_SYNC;
	if (rwf & RWF_APPEND)
		f |= IOCB_APPEND;
	if (rwf & RWF_NOAPPEND && ki->ki_flags & IOCB_APPEND) {
		if (IS_APPEND(file_inode(ki->ki_filp)))
			return -EPERM;
		ki->ki_flags &= ~IOCB_APPEND;
	}
	(void)rw;
	ki->ki_flags |= f;
	return 0;
}

int generic_write_limit(struct file *file, loff_t pos, size_t *count)
{
	u64 limit = rlimit(RLIMIT_FSIZE);
	loff_t max = file->f_mapping->host->i_sb->s_maxbytes;

	if (unlikely(limit != RLIM_INFINITY)) {
		if ((u64)pos >= limit) {
			send_sig(SIGXFSZ, current, 0);
			return -EFBIG;
		}
		*count = min(*count, limit - (u64)pos);
	}
	if (!(file->f_flags & O_LARGEFILE))
		max = min(max, (loff_t)0x7fffffff);
	if (unlikely(pos >= max))
		return -EFBIG;
	*count = min(*count, (size_t)(max - pos));
	return 0;
}

/* The limits of a write at ki_pos. Bytes that may go. */
ssize_t generic_write_checks(struct kiocb *iocb, struct iter *from)
{
	struct file *file = iocb->ki_filp;
	size_t count = iter_count(from);
	int err;

	if (!count)
		return 0;
	if (iocb->ki_flags & IOCB_APPEND)
		iocb->ki_pos = i_size_read(file->f_mapping->host);
	err = generic_write_limit(file, iocb->ki_pos, &count);
	if (err)
		return err;
	iter_truncate(from, count);
	return (ssize_t)count;
}

/* After a write of @count bytes: O_DSYNC, O_SYNC, mounts with -o sync, files with chattr +S. */
ssize_t generic_write_sync(struct kiocb *iocb, ssize_t count)
{
	if (unlikely(iocb->ki_flags & (IOCB_DSYNC | IOCB_SYNC) || IS_SYNC(iocb->ki_filp->f_mapping->host))) {
		int err = vfs_fsync_range(iocb->ki_filp, iocb->ki_pos - count, iocb->ki_pos - 1,
					  !(iocb->ki_flags & IOCB_SYNC));

		if (err)
			return err;
	}
	return count;
}

/* The calls themselves. */

static void account_read(ssize_t n)
{
	struct task *t = current;

	if (n > 0)
		t->io_bytes[0] += (unsigned long)n;
	t->io_bytes[2]++;
}

static void account_write(ssize_t n)
{
	struct task *t = current;

	if (n > 0)
		t->io_bytes[1] += (unsigned long)n;
	t->io_bytes[3]++;
}

static __always_inline ssize_t call_read(struct kiocb *k, struct iter *to)
{
	bool was = nowait_begin(k->ki_flags & IOCB_NOWAIT);
	ssize_t n = k->ki_filp->f_op->read_iter(k, to);

	nowait_end(was);
	return n;
}

static __always_inline ssize_t call_write(struct kiocb *k, struct iter *from)
{
	bool was = nowait_begin(k->ki_flags & IOCB_NOWAIT);
	ssize_t n = k->ki_filp->f_op->write_iter(k, from);

	nowait_end(was);
	return n;
}

/* The filesystem does not freeze from here to sb_end_write(). False: it is frozen, and K does not wait. */
static __always_inline bool start_write(const struct kiocb *k)
{
	struct super_block *sb = file_inode(k->ki_filp)->i_sb;

	if (unlikely(k->ki_flags & IOCB_NOWAIT))
		return sb_start_write_trylock(sb);
	sb_start_write(sb);
	return true;
}

static __always_inline ssize_t do_iter_read(struct file *file, struct iter *to, loff_t *pos, int rwf, bool notify)
{
	struct kiocb kiocb;
	ssize_t ret;
	int err;

	init_sync_kiocb(&kiocb, file);
	err = kiocb_set_rw_flags(&kiocb, rwf, 0);
	if (unlikely(err))
		return err;
	kiocb.ki_pos = *pos;
	ret = call_read(&kiocb, to);
	*pos = kiocb.ki_pos;
	account_read(ret);
	if (ret > 0 && notify)
		notify_file(file, IN_ACCESS);
	return ret;
}

/* KI: more IOCB_* flags. */
static __always_inline ssize_t do_iter_write(struct file *file, struct iter *from, loff_t *pos, int rwf, bool notify, u32 ki)
{
	struct inode *inode = file_inode(file);
	bool reg = S_ISREG(inode->i_mode);
	struct kiocb kiocb;
	ssize_t ret;
	int err;

	init_sync_kiocb(&kiocb, file);
	kiocb.ki_flags |= IOCB_WRITE | ki;
	err = kiocb_set_rw_flags(&kiocb, rwf, 1);
	if (unlikely(err))
		return err;
	kiocb.ki_pos = *pos;
	if (reg && !start_write(&kiocb))
		return -EAGAIN;
	ret = call_write(&kiocb, from);
	if (reg)
		sb_end_write(inode->i_sb);
	if (ret > 0) {
		*pos = kiocb.ki_pos;
		if (notify)
			notify_file(file, IN_MODIFY);
	}
	account_write(ret);
	return ret;
}

static int check_read(struct file *file)
{
	fmode_t mode = file->f_mode;

	if (likely((mode & (FMODE_READ | FMODE_CAN_READ)) == (FMODE_READ | FMODE_CAN_READ)))
		return 0;
	return mode & FMODE_READ ? -EINVAL : -EBADF;
}

static int check_write(struct file *file)
{
	fmode_t mode = file->f_mode;

	if (likely((mode & (FMODE_WRITE | FMODE_CAN_WRITE)) == (FMODE_WRITE | FMODE_CAN_WRITE)))
		return 0;
	return mode & FMODE_WRITE ? -EINVAL : -EBADF;
}

static __always_inline ssize_t iter_read(struct file *file, struct iter *to, loff_t *pos, int rwf, bool notify)
{
	int err = check_read(file);
	loff_t none = 0;

	if (unlikely(err))
		return err;
	err = rw_verify_area(0, file, pos, iter_count(to));
	if (unlikely(err))
		return err;
	return iter_count(to) ? do_iter_read(file, to, pos ? pos : &none, rwf, notify) : 0;
}

static __always_inline ssize_t iter_write(struct file *file, struct iter *from, loff_t *pos, int rwf, bool notify, u32 ki)
{
	int err = check_write(file);
	loff_t none = 0;

	if (unlikely(err))
		return err;
	err = rw_verify_area(1, file, pos, iter_count(from));
	if (unlikely(err))
		return err;
	return iter_count(from) ? do_iter_write(file, from, pos ? pos : &none, rwf, notify, ki) : 0;
}

ssize_t vfs_iter_read(struct file *file, struct iter *to, loff_t *pos, int rwf)
{
	return iter_read(file, to, pos, rwf, true);
}

ssize_t vfs_iter_write(struct file *file, struct iter *from, loff_t *pos, int rwf)
{
	return iter_write(file, from, pos, rwf, true, 0);
}

ssize_t vfs_iter_read_quietly(struct file *file, struct iter *to, loff_t *pos)
{
	return iter_read(file, to, pos, 0, false);
}

ssize_t vfs_iter_write_quietly(struct file *file, struct iter *from, loff_t *pos, u32 ki)
{
	return iter_write(file, from, pos, 0, false, ki);
}

ssize_t vfs_read(struct file *file, struct uptr buf, size_t count, loff_t *pos)
{
	struct iter to;
	int err = check_read(file);

	if (unlikely(err))
		return err;
	if (unlikely(!access_ok(buf, count)))
		return -EFAULT;
	err = verify_range(file, *pos, count);
	if (unlikely(err))
		return err;
	if (count > MAX_RW_COUNT)
		count = MAX_RW_COUNT;
	iter_init_ubuf(&to, ITER_DEST, buf, count);
	return do_iter_read(file, &to, pos, 0, true);
}

ssize_t vfs_write(struct file *file, struct uptr buf, size_t count, loff_t *pos)
{
	struct iter from;
	int err = check_write(file);

	if (unlikely(err))
		return err;
	if (unlikely(!access_ok(buf, count)))
		return -EFAULT;
	err = verify_range(file, *pos, count);
	if (unlikely(err))
		return err;
	if (count > MAX_RW_COUNT)
		count = MAX_RW_COUNT;
	iter_init_ubuf(&from, ITER_SOURCE, buf, count);
	return do_iter_write(file, &from, pos, 0, true, 0);
}

int vfs_iocb_check(const struct kiocb *k, bool write)
{
	return write ? check_write(k->ki_filp) : check_read(k->ki_filp);
}

ssize_t vfs_iocb_read(struct kiocb *k, struct iter *to)
{
	return call_read(k, to);
}

ssize_t vfs_iocb_write(struct kiocb *k, struct iter *from)
{
	k->ki_flags |= IOCB_WRITE;
	if (S_ISREG(file_inode(k->ki_filp)->i_mode)) {
		if (!start_write(k))
			return -EAGAIN;
		k->ki_flags |= IOCB_STARTED;
	}
	return call_write(k, from);
}

void vfs_iocb_done(struct kiocb *k, ssize_t ret)
{
	struct file *file = k->ki_filp;
	bool write = k->ki_flags & IOCB_WRITE;

	if (k->ki_flags & IOCB_STARTED)
		sb_end_write(file_inode(file)->i_sb);
	if (ret > 0)
		notify_file(file, write ? IN_MODIFY : IN_ACCESS);
}

ssize_t kernel_read(struct file *file, void *buf, size_t count, loff_t *pos)
{
	struct kvec vec = { buf, min(count, (size_t)MAX_RW_COUNT) };
	struct iter to;

	iter_init_kvec(&to, ITER_DEST, &vec, 1, vec.iov_len);
	return vfs_iter_read(file, &to, pos, 0);
}

ssize_t kernel_write(struct file *file, const void *buf, size_t count, loff_t *pos)
{
	struct kvec vec = { (void *)(unsigned long)buf, min(count, (size_t)MAX_RW_COUNT) };
	struct iter from;

	iter_init_kvec(&from, ITER_SOURCE, &vec, 1, vec.iov_len);
	return vfs_iter_write(file, &from, pos, 0);
}

/* Durability. */

int vfs_fsync_range(struct file *file, loff_t start, loff_t end, int datasync)
{
	if (!file->f_op->fsync)
		return -EINVAL;
	return file->f_op->fsync(file, start, end, datasync);
}

int vfs_fsync(struct file *file, int datasync)
{
	return vfs_fsync_range(file, 0, LLONG_MAX, datasync);
}

/* One operation at most; that it keeps the size has to be said of a hole, and not of shifts, which cannot. */
static bool falloc_mode_ok(int mode)
{
	bool keep = mode & FALLOC_FL_KEEP_SIZE;

	switch (mode & ~FALLOC_FL_KEEP_SIZE) {
	case 0:
	case FALLOC_FL_ZERO_RANGE:
	case FALLOC_FL_UNSHARE_RANGE:
		return true;
	case FALLOC_FL_PUNCH_HOLE:
		return keep;
	case FALLOC_FL_COLLAPSE_RANGE:
	case FALLOC_FL_INSERT_RANGE:
		return !keep;
	}
	return false;
}

int vfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	int err;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (!falloc_mode_ok(mode))
		return -EOPNOTSUPP;
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (mode & ~FALLOC_FL_KEEP_SIZE && IS_APPEND(inode))
		return -EPERM;
	if (IS_IMMUTABLE(inode))
		return -EPERM;
	if (inode->i_flags & S_SWAPFILE)
		return -ETXTBSY;
	if (S_ISFIFO(inode->i_mode))
		return -ESPIPE;
	if (S_ISDIR(inode->i_mode))
		return -EISDIR;
	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode))
		return -ENODEV;
	if (offset + len < 0 || offset + len > inode->i_sb->s_maxbytes)
		return -EFBIG;
	if (!file->f_op->fallocate)
		return -EOPNOTSUPP;
	sb_start_write(inode->i_sb);
	err = (int)file->f_op->fallocate(file, mode, offset, len);
	sb_end_write(inode->i_sb);
	if (!err)
		notify_file(file, IN_MODIFY);
	return err;
}

/* Directories. */

int iterate_dir(struct file *file, struct dir_context *ctx)
{
	struct inode *inode = file_inode(file);
	int err;

	if (!file->f_op->iterate_shared)
		return -ENOTDIR;
	err = down_read_killable(&inode->i_rwsem);
	if (err)
		return err;
	err = -ENOENT;
	if (!IS_DEADDIR(inode)) {
		ctx->pos = file->f_pos;
		err = file->f_op->iterate_shared(file, ctx);
		file->f_pos = ctx->pos;
		file_accessed(file);
		notify_file(file, IN_ACCESS);
	}
	inode_unlock_shared(inode);
	return err;
}

int generic_file_mmap(struct file *file, struct vma *vma)
{
	int err = filemap_mmap(file, vma);

	if (!err)
		file_accessed(file);
	return err;
}

/* Buffered read and write of a page-cache file. */
ssize_t generic_file_read_iter(struct kiocb *iocb, struct iter *to)
{
	struct file *file = iocb->ki_filp;
	struct address_space *mapping = file->f_mapping;
	ssize_t ret = 0;

	if (!iter_count(to))
		return 0;
	if (iocb->ki_flags & IOCB_DIRECT && mapping->ops->direct_IO) {
		loff_t end = iocb->ki_pos + (loff_t)iter_count(to) - 1;

		ret = filemap_write_and_wait_range(mapping, iocb->ki_pos, end);
		if (ret)
			return ret;
		file_accessed(file);
		ret = mapping->ops->direct_IO(iocb, to);
		if (ret < 0 || !iter_count(to) || iocb->ki_pos >= i_size_read(mapping->host))
			return ret;
	}
	ret = filemap_read(iocb, to, mapping, &file->f_ra);
	file_accessed(file);
	return ret;
}

ssize_t generic_file_write_iter(struct kiocb *iocb, struct iter *from)
{
	struct file *file = iocb->ki_filp;
	struct address_space *mapping = file->f_mapping;
	struct inode *inode = mapping->host;
	ssize_t ret;
	int err;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret > 0) {
		err = file_modified(file);
		if (err)
			ret = err;
		else if (iocb->ki_flags & IOCB_DIRECT && mapping->ops->direct_IO)
			ret = mapping->ops->direct_IO(iocb, from);
		else
			ret = filemap_write(iocb, from, mapping);
	}
	inode_unlock(inode);
	return ret > 0 ? generic_write_sync(iocb, ret) : ret;
}
