// SPDX-License-Identifier: MIT
/* FS_IOC_FIEMAP: what is asked is checked here, what there is the filesystem says. */
#include <vfs/fiemap.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <mm/uaccess.h>
#include <linux/fiemap.h>

#define KNOWN_FLAGS (FIEMAP_FLAG_SYNC | FIEMAP_FLAG_XATTR)
#define MOST_EXTENTS (UINT_MAX / sizeof(struct fiemap_extent))

int fiemap_add(struct fiemap_extent_info *info, u64 logical, u64 physical, u64 len, u32 flags)
{
	struct fiemap_extent x = {
		.fe_logical = logical, .fe_physical = physical, .fe_length = len, .fe_flags = flags
	};

	if (!info->max) {
		info->mapped++;
		return flags & FIEMAP_EXTENT_LAST ? 1 : 0;
	}
	if (info->mapped >= info->max)
		return 1;
	if (copy_to_user(uptr_add(info->to, info->mapped * sizeof(x)), &x, sizeof(x)))
		return -EFAULT;
	info->mapped++;
	return flags & FIEMAP_EXTENT_LAST || info->mapped == info->max ? 1 : 0;
}

long fiemap_ioctl(struct file *file, struct uptr arg)
{
	struct inode *inode = file_inode(file);
	struct fiemap_extent_info info;
	struct fiemap m;
	int e;

	if (!inode->i_op->fiemap)
		return -EOPNOTSUPP;
	if (copy_from_user(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.fm_extent_count > MOST_EXTENTS)
		return -EINVAL;
	info = (struct fiemap_extent_info){ .flags = m.fm_flags,
					    .max = m.fm_extent_count,
					    .to = uptr_add(arg, sizeof(m)) };
	if (!m.fm_length)
		return -EINVAL;
	if (m.fm_start >= (u64)inode->i_sb->s_maxbytes)
		return -EFBIG;
	if (m.fm_length > (u64)inode->i_sb->s_maxbytes - m.fm_start)
		m.fm_length = (u64)inode->i_sb->s_maxbytes - m.fm_start;
	e = m.fm_flags & ~KNOWN_FLAGS ? -EBADR : 0;
	if (e)
		m.fm_flags &= ~KNOWN_FLAGS;	/* what it does not know */
	else if (m.fm_flags & FIEMAP_FLAG_SYNC)
		e = filemap_write_and_wait(file->f_mapping);
	if (!e)
		e = inode->i_op->fiemap(inode, &info, m.fm_start, m.fm_length);
	if (!m.fm_extent_count || !e || e == -EBADR)
		m.fm_mapped_extents = info.mapped;
	return copy_to_user(arg, &m, sizeof(m)) ? -EFAULT : e;
}
