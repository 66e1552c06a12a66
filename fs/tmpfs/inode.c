// SPDX-License-Identifier: MIT
/* tmpfs: inodes and the operations of regular files. */
#include "tmpfs_priv.h"
#include <alloc/slab.h>
#include <proc/cred.h>
#include <sched/task.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <fs/tmpfs.h>
#include <vfs/fileattr.h>
#include <vfs/posix_acl.h>

/* Flags that mean something here, and what a new file takes of them from its directory. */
#define FLAGS_SETTABLE	(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL)
#define FLAGS_INHERITED	(FS_NODUMP_FL | FS_NOATIME_FL)

_Static_assert(FS_IMMUTABLE_FL == STATX_ATTR_IMMUTABLE && FS_APPEND_FL == STATX_ATTR_APPEND && FS_NODUMP_FL == STATX_ATTR_NODUMP,
	       "statx(2) has them at the same bits");

static void set_flags(struct inode *inode, u32 flags)
{
	unsigned int s = inode->i_flags & ~(unsigned int)(S_IMMUTABLE | S_APPEND | S_NOATIME);

	TMPFS_I(inode)->flags = flags;
	if (flags & FS_IMMUTABLE_FL)
		s |= S_IMMUTABLE;
	if (flags & FS_APPEND_FL)
		s |= S_APPEND;
	if (flags & FS_NOATIME_FL)
		s |= S_NOATIME;
	WRITE_ONCE(inode->i_flags, s);
}

int tmpfs_fileattr_get(struct dentry *d, struct fileattr *fa)
{
	*fa = fileattr_of_flags(TMPFS_I(d->d_inode)->flags);
	return 0;
}

int tmpfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *d, const struct fileattr *fa)
{
	(void)idmap;
	if (fileattr_has_more(fa) || fa->flags & ~(u32)FLAGS_SETTABLE)
		return -EOPNOTSUPP;
	set_flags(d->d_inode, fa->flags);
	inode_set_ctime_current(d->d_inode);
	return 0;
}

struct inode *tmpfs_new_inode(struct super_block *sb, const struct inode *dir, umode_t mode, dev_t dev)
{
	struct tmpfs_inode *ti;
	struct inode *inode;
	int err = tmpfs_reserve_inode(sb);

	if (err)
		return ERR_PTR(err);
	inode = new_inode(sb);
	if (!inode) {
		tmpfs_release_inode(sb);
		return ERR_PTR(-ENOMEM);
	}
	ti = TMPFS_I(inode);
	inode->i_ino = get_next_ino();
	inode_init_owner(&nop_mnt_idmap, inode, dir, mode);
	simple_inode_init_ts(inode);
	ti->crtime = inode->i_mtime;
	if (dir) {
		if (unlikely(TMPFS_I(dir)->flags & FLAGS_INHERITED))
			set_flags(inode, TMPFS_I(dir)->flags & FLAGS_INHERITED);
		err = posix_acl_init_inode(dir, inode);
	}
	if (err) {
		clear_nlink(inode);
		iput(inode);
		return ERR_PTR(err);
	}
	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &tmpfs_file_iops;
		inode->i_fop = &tmpfs_file_operations;
		shmem_inode_init(&ti->shmem, &TMPFS_SB(sb)->shmem, &inode->i_data, inode, &inode->i_size);
		break;
	case S_IFDIR:
		inc_nlink(inode);
		inode->i_size = 2 * DIRENT_SIZE;
		inode->i_op = &tmpfs_dir_iops;
		inode->i_fop = &simple_dir_operations;
		break;
	case S_IFLNK:
		inode->i_op = &tmpfs_symlink_iops;
		break;
	default:
		inode->i_op = &tmpfs_special_iops;
		init_special_inode(inode, inode->i_mode, dev);
		break;
	}
	inode_set_op_flags(inode);
	return inode;
}

int tmpfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
		  unsigned int flags)
{
	struct inode *inode = path->dentry->d_inode;
	struct tmpfs_inode *ti = TMPFS_I(inode);

	(void)flags;
	generic_fillattr(idmap, mask, inode, stat);
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
	stat->attributes |= ti->flags & (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL);
	if (S_ISREG(inode->i_mode))
		stat->blocks = (u64)atomic64_read(&ti->shmem.nr_pages) << (PAGE_SHIFT - 9);
	if (mask & STATX_BTIME) {
		stat->result_mask |= STATX_BTIME;
		stat->btime = ti->crtime;
	}
	return 0;
}

int tmpfs_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	struct inode *inode = d->d_inode;
	struct tmpfs_inode *ti = TMPFS_I(inode);
	int err = setattr_prepare(idmap, d, attr);

	if (err)
		return err;
	if (attr->ia_valid & ATTR_MODE && S_ISREG(inode->i_mode) && ti->shmem.seals & F_SEAL_EXEC &&
	    (inode->i_mode ^ attr->ia_mode) & 0111)
		return -EPERM;
	if (attr->ia_valid & ATTR_SIZE && S_ISREG(inode->i_mode)) {
		loff_t old = inode->i_size, new = attr->ia_size;

		if ((new < old && ti->shmem.seals & F_SEAL_SHRINK) ||
		    (new > old && ti->shmem.seals & F_SEAL_GROW))
			return -EPERM;
		if (new != old) {
			i_size_write(inode, new);
			if (new < old)
				shmem_truncate(&ti->shmem, new);
			inode_update_times(inode);
		}
	}
	setattr_copy(idmap, inode, attr);
	return attr->ia_valid & ATTR_MODE ? posix_acl_chmod(inode) : 0;
}

static ssize_t tmpfs_read_iter(struct kiocb *iocb, struct iter *to)
{
	ssize_t n = shmem_read_iter(iocb, to, &TMPFS_I(file_inode(iocb->ki_filp))->shmem);

	file_accessed(iocb->ki_filp);
	return n;
}

static int check_write_seals(const struct shmem_inode *si, loff_t end)
{
	if (likely(!(si->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_GROW))))
		return 0;
	if (si->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return end > *si->i_size ? -EPERM : 0;
}

static ssize_t tmpfs_write_iter(struct kiocb *iocb, struct iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	struct shmem_inode *si = &TMPFS_I(inode)->shmem;
	ssize_t ret;
	int err;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		goto out;
	err = check_write_seals(si, iocb->ki_pos + (loff_t)iter_count(from));
	if (!err)
		err = file_modified(file);
	ret = err ? err : shmem_write_iter(iocb, from, si);
out:
	inode_unlock(inode);
	return ret;
}

static loff_t tmpfs_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE, i_size_read(inode));
	if (offset < 0)
		return -ENXIO;
	inode_lock(inode);
	offset = shmem_seek(&TMPFS_I(inode)->shmem, offset, whence);
	if (offset >= 0)
		offset = vfs_setpos(file, offset, MAX_LFS_FILESIZE);
	inode_unlock(inode);
	return offset;
}

static int tmpfs_mmap(struct file *file, struct vma *vma)
{
	file_accessed(file);
	return shmem_mmap(vma, &TMPFS_I(file_inode(file))->shmem);
}

static long tmpfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	/* No file has the last page of all offsets. */
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && (u64)(offset + len) > ((u64)MAX_LFS_FILESIZE & PAGE_MASK))
		return -EFBIG;
	inode_lock(inode);
	err = mode & FALLOC_FL_PUNCH_HOLE ? 0 : inode_newsize_ok(inode, offset + len);
	if (!err)
		err = file_modified(file);
	if (!err)
		err = shmem_fallocate(&TMPFS_I(inode)->shmem, mode, offset, len);
	inode_unlock(inode);
	return err;
}

static struct page *tmpfs_splice_page(struct file *file, pgoff_t index)
{
	struct folio *folio = shmem_get_folio(&TMPFS_I(file_inode(file))->shmem, index, false);

	return IS_ERR_OR_NULL(folio) ? ERR_CAST(folio) : folio_page(folio, 0);
}

static int tmpfs_open(struct inode *inode, struct file *file)
{
	(void)inode;
	file->f_mode |= FMODE_CAN_ODIRECT;
	return 0;
}

const struct file_operations tmpfs_file_operations = {
	.open = tmpfs_open,
	.llseek = tmpfs_llseek,
	.read_iter = tmpfs_read_iter,
	.write_iter = tmpfs_write_iter,
	.mmap = tmpfs_mmap,
	.fsync = noop_fsync,
	.fallocate = tmpfs_fallocate,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
	.splice_page = tmpfs_splice_page,
};

/* One page of a member's last bytes may hold the next member: the caller has cleared them. */
int tmpfs_adopt_pages(struct file *file, phys_addr_t pa, unsigned long nr, loff_t size)
{
	struct inode *inode = file_inode(file);
	int err;

	if (inode->i_sb->s_magic != TMPFS_MAGIC || !S_ISREG(inode->i_mode) || size > (loff_t)nr << PAGE_SHIFT)
		return -EINVAL;
	inode_lock(inode);
	err = shmem_adopt_pages(&TMPFS_I(inode)->shmem, 0, pa, nr);
	if (!err)
		i_size_write(inode, size);
	inode_unlock(inode);
	return err;
}
