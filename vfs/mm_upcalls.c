// SPDX-License-Identifier: MIT
/* What mm/ needs of files (see mm/upcalls.h). */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include <mm/upcalls.h>
#include <mm/mm.h>

struct file *mm_file_get(struct file *file)
{
	return get_file(file);
}

void mm_file_put(struct file *file)
{
	fput(file);
}

struct address_space *mm_file_mapping(struct file *file)
{
	return file->f_mapping;
}

unsigned int mm_file_mode(struct file *file)
{
	struct inode *inode = file_inode(file);
	unsigned int m = 0;

	if (file->f_mode & FMODE_READ)
		m |= MM_FILE_READ;
	if (file->f_mode & FMODE_WRITE)
		m |= MM_FILE_WRITE;
	if (IS_APPEND(inode) && file->f_mode & FMODE_WRITE)
		m |= MM_FILE_APPEND;
	if (path_noexec(&file->f_path))
		m |= MM_FILE_NOEXEC;
	if (file->f_op->mmap)
		m |= MM_FILE_CAN_MMAP;
	if (S_ISREG(inode->i_mode) || S_ISBLK(inode->i_mode))
		m |= MM_FILE_REGULAR;
	return m;
}

int mm_file_mmap(struct file *file, struct vma *vma)
{
	return file->f_op->mmap(file, vma);
}

struct file_ra_state *mm_file_ra(struct file *file)
{
	return &file->f_ra;
}

unsigned long mm_file_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
				    unsigned long pgoff, unsigned long flags)
{
	return file->f_op->get_unmapped_area ?
	       file->f_op->get_unmapped_area(file, addr, len, pgoff, flags) : 0;
}

int mm_file_fsync(struct file *file, loff_t start, loff_t end)
{
	return file->f_op->fsync ? vfs_fsync_range(file, start, end, 1) : 0;
}

int mm_file_fallocate(struct file *file, int mode, loff_t off, loff_t len)
{
	return vfs_fallocate(file, mode, off, len);
}

int mm_file_fadvise(struct file *file, loff_t off, loff_t len, int advice)
{
	if (file->f_op->fadvise)
		return file->f_op->fadvise(file, off, len, advice);
	return generic_fadvise(file, file->f_mapping, &file->f_ra, off, len, advice);
}

bool mm_file_may_see_cache(struct file *file)
{
	return file->f_mode & FMODE_WRITE ||
	       inode_owner_or_capable(file_mnt_idmap(file), file_inode(file)) ||
	       !file_permission(file, MAY_WRITE);
}

void mm_inode_write_failed(struct inode *inode, int error)
{
	struct super_block *sb = inode->i_sb;

	errseq_set(&sb->s_wb_err, error);
	__atomic_fetch_add(&sb->s_wb_errors, 1, __ATOMIC_RELEASE);
}

void mm_file_accessed(struct file *file)
{
	file_accessed(file);
}

void mm_file_update_time(struct file *file)
{
	sb_start_pagefault(file_inode(file)->i_sb);
	file_update_time(file);
	sb_end_pagefault(file_inode(file)->i_sb);
}

void mm_exe_file_get(struct file *file)
{
	get_file(file);
	/* Cannot fail: who gives the file denies writers itself. */
	WARN_ON_ONCE(exe_file_deny_write_access(file));
}

void mm_exe_file_put(struct file *file)
{
	exe_file_allow_write_access(file);
	fput(file);
}
