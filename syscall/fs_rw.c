// SPDX-License-Identifier: MIT
/* Data of open files: read, write, seek, vectors, truncation, allocation, syncing, advice. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/calls.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <alloc/slab.h>
#include <mm/mm.h>
#include <mm/upcalls.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <linux/fadvise.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <asm/ioctls.h>

/* What is to be moved: one user buffer, or a vector of them. */
struct transfer {
	bool write, is_vector;
	struct uptr mem;
	size_t count;		/* bytes, or vectors */
	int rwf;		/* RWF_*, vectors only */
};

static ssize_t vector_io(struct file *file, const struct transfer *t, loff_t *pos)
{
	struct iovec fast[UIO_FASTIOV], *iov = fast;
	struct iter it;
	ssize_t ret;

	ret = import_iovec(t->write ? ITER_SOURCE : ITER_DEST, t->mem, t->count, UIO_FASTIOV, &iov, &it);
	if (ret < 0)
		return ret;
	ret = t->write ? vfs_iter_write(file, &it, pos, t->rwf) : vfs_iter_read(file, &it, pos, t->rwf);
	kfree(iov);
	return ret;
}

static __always_inline ssize_t move_data(struct file *file, const struct transfer *t, loff_t *pos)
{
	if (t->is_vector)
		return vector_io(file, t, pos);
	return t->write ? vfs_write(file, t->mem, t->count, pos) : vfs_read(file, t->mem, t->count, pos);
}

/* At the file's position, which moves; streams have none. */
static __always_inline long at_fpos(unsigned long fd, const struct transfer *t)
{
	struct fd f = fdget_pos((unsigned int)fd);
	struct file *file = fd_file(f);
	loff_t pos = 0;
	ssize_t ret;

	if (unlikely(!file))
		return -EBADF;
	if (!(file->f_mode & FMODE_STREAM))
		pos = file->f_pos;
	ret = move_data(file, t, &pos);
	if (ret >= 0 && !(file->f_mode & FMODE_STREAM))
		file->f_pos = pos;
	fdput_pos(f);
	return ret;
}

static __always_inline long at_pos(unsigned long fd, const struct transfer *t, loff_t pos)
{
	struct fd f;
	ssize_t ret = -ESPIPE;

	if (pos < 0)
		return -EINVAL;
	f = fdget((unsigned int)fd);
	if (fd_empty(f))
		return -EBADF;
	if (fd_file(f)->f_mode & (t->write ? FMODE_PWRITE : FMODE_PREAD))
		ret = move_data(fd_file(f), t, &pos);
	fdput(f);
	return ret;
}

#define BUFFER(w, m, n) (&(struct transfer){ .write = (w), .mem = (m), .count = (n) })
#define VECTOR(w, v, n, f) (&(struct transfer){ .write = (w), .is_vector = true, .mem = (v), .count = (n), .rwf = (f) })

long sys_read(unsigned int fd, struct uptr buf, size_t count)
{
	return at_fpos(fd, BUFFER(false, buf, count));
}

long sys_write(unsigned int fd, struct uptr buf, size_t count)
{
	return at_fpos(fd, BUFFER(true, buf, count));
}

long sys_pread64(unsigned int fd, struct uptr buf, size_t count, loff_t pos)
{
	return at_pos(fd, BUFFER(false, buf, count), pos);
}

long sys_pwrite64(unsigned int fd, struct uptr buf, size_t count, loff_t pos)
{
	return at_pos(fd, BUFFER(true, buf, count), pos);
}

long sys_readv(unsigned long fd, struct uptr vec, unsigned long vlen)
{
	return at_fpos(fd, VECTOR(false, vec, (unsigned int)vlen, 0));
}

long sys_writev(unsigned long fd, struct uptr vec, unsigned long vlen)
{
	return at_fpos(fd, VECTOR(true, vec, (unsigned int)vlen, 0));
}

/* On 64-bit CPUs the low half holds the whole offset. */
long sys_preadv(unsigned long fd, struct uptr vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h)
{
	(void)pos_h;
	return at_pos(fd, VECTOR(false, vec, (unsigned int)vlen, 0), (loff_t)pos_l);
}

long sys_pwritev(unsigned long fd, struct uptr vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h)
{
	(void)pos_h;
	return at_pos(fd, VECTOR(true, vec, (unsigned int)vlen, 0), (loff_t)pos_l);
}

long sys_preadv2(unsigned long fd, struct uptr vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h,
		 int flags)
{
	(void)pos_h;
	if ((loff_t)pos_l == -1)
		return at_fpos(fd, VECTOR(false, vec, (unsigned int)vlen, flags));
	return at_pos(fd, VECTOR(false, vec, (unsigned int)vlen, flags), (loff_t)pos_l);
}

long sys_pwritev2(unsigned long fd, struct uptr vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h,
		  int flags)
{
	(void)pos_h;
	if ((loff_t)pos_l == -1)
		return at_fpos(fd, VECTOR(true, vec, (unsigned int)vlen, flags));
	return at_pos(fd, VECTOR(true, vec, (unsigned int)vlen, flags), (loff_t)pos_l);
}

long sys_lseek(unsigned int fd, loff_t offset, unsigned int whence)
{
	struct fd f = fdget_pos(fd);
	loff_t ret = -EINVAL;

	if (fd_empty(f))
		return -EBADF;
	if (whence <= SEEK_MAX)
		ret = vfs_llseek(fd_file(f), offset, (int)whence);
	fdput_pos(f);
	return ret;
}

long sys_ioctl(unsigned int fd, unsigned int cmd, unsigned long arg)
{
	struct fd f = fdget(fd);
	long ret;

	if (fd_empty(f))
		return -EBADF;
	if (unlikely(cmd == FIOCLEX || cmd == FIONCLEX)) {
		set_close_on_exec(fd, cmd == FIOCLEX);
		ret = 0;
	} else {
		ret = vfs_ioctl((int)fd, fd_file(f), cmd, arg);
	}
	fdput(f);
	return ret;
}

/* Sizes. */

long sys_truncate(struct uptr name, long length)
{
	struct path path;
	int err;

	if (length < 0)
		return -EINVAL;
	err = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW, &path);
	if (err)
		return err;
	err = vfs_truncate(&path, length);
	path_put(&path);
	return err;
}

long sys_ftruncate(unsigned int fd, long length)
{
	struct inode *inode;
	struct file *file;
	struct fd f;
	int err = -EINVAL;

	if (length < 0)
		return -EINVAL;
	f = fdget(fd);
	if (fd_empty(f))
		return -EBADF;
	file = fd_file(f);
	inode = file_inode(file);
	if (S_ISREG(inode->i_mode) && file->f_mode & FMODE_WRITE) {
		err = -EPERM;
		if (!IS_APPEND(inode)) {
			sb_start_write(inode->i_sb);
			err = do_truncate(file_mnt_idmap(file), file->f_path.dentry, length,
					  ATTR_MTIME | ATTR_CTIME, file);
			sb_end_write(inode->i_sb);
		}
	}
	fdput(f);
	return err;
}

long sys_fallocate(int fd, int mode, loff_t offset, loff_t len)
{
	struct fd f = fdget((unsigned int)fd);
	int err;

	if (fd_empty(f))
		return -EBADF;
	err = vfs_fallocate(fd_file(f), mode, offset, len);
	fdput(f);
	return err;
}

/* Syncing. */

static long do_fsync(unsigned int fd, int datasync)
{
	struct fd f = fdget(fd);
	int err;

	if (fd_empty(f))
		return -EBADF;
	err = vfs_fsync(fd_file(f), datasync);
	fdput(f);
	return err;
}

long sys_fsync(unsigned int fd)
{
	return do_fsync(fd, 0);
}

long sys_fdatasync(unsigned int fd)
{
	return do_fsync(fd, 1);
}

long sys_sync(void)
{
	sync_everything();
	return 0;
}

long sys_syncfs(int fd)
{
	struct fd f = fdget((unsigned int)fd);
	struct super_block *sb;
	int err, err2;

	if (fd_empty(f))
		return -EBADF;
	sb = file_inode(fd_file(f))->i_sb;
	down_read(&sb->s_umount);
	err = sync_filesystem(sb);
	up_read(&sb->s_umount);
	err2 = errseq_check_and_advance(&sb->s_wb_err, &fd_file(f)->f_sb_err);
	fdput(f);
	return err ? err : err2;
}

long sys_sync_file_range(int fd, loff_t offset, loff_t nbytes, unsigned int flags)
{
	struct fd f = fdget((unsigned int)fd);
	long err;

	if (fd_empty(f))
		return -EBADF;
	err = vfs_sync_file_range(fd_file(f), offset, nbytes, flags);
	fdput(f);
	return err;
}

/* Advice. */

long sys_fadvise64(int fd, loff_t offset, size_t len, int advice)
{
	struct fd f = fdget((unsigned int)fd);
	long err;

	if (fd_empty(f))
		return -EBADF;
	err = vfs_fadvise(fd_file(f), offset, (loff_t)len, advice);
	fdput(f);
	return err;
}

long sys_readahead(int fd, loff_t offset, size_t count)
{
	struct fd f = fdget((unsigned int)fd);
	struct file *file = fd_file(f);
	long err;

	if (fd_empty(f))
		return -EBADF;
	err = -EBADF;
	if (!(file->f_mode & FMODE_READ))
		goto out;
	err = -EINVAL;
	if (offset < 0 || (!S_ISREG(file_inode(file)->i_mode) && !S_ISBLK(file_inode(file)->i_mode)))
		goto out;
	err = 0;
	if (file->f_mapping->ops && file->f_mapping->ops->read_folio && count)
		force_page_cache_readahead(file->f_mapping, file, (pgoff_t)offset >> PAGE_SHIFT,
					   count / PAGE_SIZE + !!(count % PAGE_SIZE));
out:
	fdput(f);
	return err;
}

/* How much of a range is in memory. */
long sys_cachestat(unsigned int fd, struct uptr urange, struct uptr ustat, unsigned int flags)
{
	struct cachestat_range range;
	struct cachestat cs = { 0 };
	struct address_space *mapping;
	struct folio *folios[16];
	struct fd f;
	pgoff_t index, end, next;
	unsigned int n;
	int err;

	f = fdget(fd);
	if (fd_empty(f))
		return -EBADF;
	err = copy_from_user(&range, urange, sizeof(range)) ? -EFAULT :
	      !mm_file_may_see_cache(fd_file(f))	    ? -EPERM :
	      flags					    ? -EINVAL :
							      0;
	if (err) {
		fdput(f);
		return err;
	}
	mapping = fd_file(f)->f_mapping;
	index = range.off >> PAGE_SHIFT;
	end = range.len ? (range.off + range.len - 1) >> PAGE_SHIFT : ~0ul >> PAGE_SHIFT;
	next = index;
	while (index <= end && (n = filemap_get_folios(mapping, &index, end, folios, ARRAY_SIZE(folios)))) {
		for (unsigned int i = 0; i < n; i++) {
			/* A large folio's pages within the range, and not again those that an earlier batch counted. */
			pgoff_t first = max(folio_index(folios[i]), next);
			u64 pages;

			next = min(folio_index(folios[i]) + folio_nr_pages(folios[i]), end + 1);
			pages = next > first ? next - first : 0;
			cs.nr_cache += pages;
			if (folio_test_dirty(folios[i]))
				cs.nr_dirty += pages;
			if (folio_test_writeback(folios[i]))
				cs.nr_writeback += pages;
			folio_put(folios[i]);
		}
		cond_resched();
	}
	fdput(f);
	return copy_to_user(ustat, &cs, sizeof(cs)) ? -EFAULT : 0;
}
