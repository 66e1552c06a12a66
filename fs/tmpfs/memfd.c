// SPDX-License-Identifier: MIT
/* Unnamed files in memory: memfd_create(2), shared anonymous maps, System V segments. */
#include "tmpfs_priv.h"
#include <fs/tmpfs.h>
#include <alloc/slab.h>
#include <mm/upcalls.h>
#include <mm/mm.h>
#include <linux/memfd.h>
#include <linux/fcntl.h>

static const struct dentry_operations unlinked_dops = { .d_dname = simple_dname };

struct file *tmpfs_unlinked_file(const char *name, loff_t size, umode_t mode, unsigned int seals, int flags)
{
	struct super_block *sb = tmpfs_kern_mnt->mnt_sb;
	struct inode *inode;
	struct file *f;

	if (size < 0 || size > MAX_LFS_FILESIZE)
		return ERR_PTR(-EINVAL);
	inode = tmpfs_new_inode(sb, NULL, S_IFREG | mode, 0);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	inode->i_size = size;
	clear_nlink(inode);
	TMPFS_I(inode)->shmem.seals = seals;
	f = alloc_file_pseudo(inode, tmpfs_kern_mnt, name, O_RDWR | flags, &tmpfs_file_operations);
	if (IS_ERR(f)) {
		iput(inode);
		return f;
	}
	d_set_d_op(f->f_path.dentry, &unlinked_dops);
	f->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return f;
}

struct file *mm_shmem_file_setup(const char *name, loff_t size, unsigned long vm_flags)
{
	struct file *f = tmpfs_unlinked_file(name, size, S_IRWXUGO, F_SEAL_SEAL, 0);

	if (IS_ERR(f) || vm_flags & VM_NORESERVE || !shmem_acct_size(&TMPFS_I(file_inode(f))->shmem, size))
		return f;
	fput(f);
	return ERR_PTR(-ENOMEM);
}

struct file *tmpfs_memfd(const char *name, unsigned int flags)
{
	unsigned int seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
	umode_t mode = S_IRWXUGO;
	struct file *f;
	char *full;
	size_t len = strlen(name);

	if (flags & MFD_NOEXEC_SEAL) {
		/* Sealing is implied, and the mode is sealed from the start. */
		seals = F_SEAL_EXEC;
		mode = S_IRUGO | S_IWUGO;
	}
	full = kmalloc(len + 7, GFP_KERNEL);
	if (!full)
		return ERR_PTR(-ENOMEM);
	memcpy(full, "memfd:", 6);
	memcpy(full + 6, name, len + 1);
	f = tmpfs_unlinked_file(full, 0, mode, seals, O_LARGEFILE);
	kfree(full);
	return f;
}
