// SPDX-License-Identifier: MIT
/*
 * The calls that load and unload modules: init_module(2), finit_module(2), delete_module(2).
 */
/* where: modules_supported (config/CPU.mk; tools/abi-gen.py reads this) */
#include <abi/errno.h>
#include <abi/syscalls.h>
#include <alloc/slab.h>
#include <dev/module.h>
#include <lib/err.h>
#include <linux/capability.h>
#include <linux/elf.h>
#include <linux/module.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <vfs/file.h>
#include <vfs/inode.h>

#define NAME_MAX_LEN 56		/* with the NUL */
#define LARGEST (64L << 20)	/* bytes of a file */

static int module_may(void)
{
	return !capable(CAP_SYS_MODULE) || module_calls_disabled() ? -EPERM : 0;
}

long sys_init_module(struct uptr umod, unsigned long len, struct uptr uargs)
{
	long err = module_may();
	void *buf;

	if (err)
		return err;
	if (len < sizeof(Elf64_Ehdr))
		return -ENOEXEC;
	if (len > LARGEST)
		return -ENOMEM;
	buf = vmemdup_user(umod, len);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = module_load(buf, len, uargs, 0);
	kvfree(buf);
	return err;
}

/* The whole of F, a regular file, to a buffer of the caller's. */
static void *read_file(struct file *f, size_t *len)
{
	struct inode *inode = file_inode(f);
	loff_t size = inode->i_size, at = 0;
	ssize_t n = 0;
	char *buf;

	if (!S_ISREG(inode->i_mode) || size <= 0)
		return ERR_PTR(-EINVAL);
	if (size > LARGEST)
		return ERR_PTR(-EFBIG);
	buf = kvmalloc((size_t)size, GFP_KERNEL);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	while (at < size && (n = kernel_read(f, buf + at, (size_t)(size - at), &at)) > 0)
		;
	if (at != size) {
		kvfree(buf);
		return ERR_PTR(n < 0 ? n : -EIO);
	}
	*len = (size_t)size;
	return buf;
}

static long load_file(struct file *f, struct uptr args, int flags)
{
	size_t len = 0;
	void *buf;
	long err;

	if (!(f->f_mode & FMODE_READ))
		return -EBADF;
	if (!S_ISREG(file_inode(f)->i_mode))
		return -EINVAL;
	err = deny_write_access(f);
	if (err)
		return err;
	buf = read_file(f, &len);
	allow_write_access(f);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = flags & MODULE_INIT_COMPRESSED_FILE ?
		      -EOPNOTSUPP :
		      module_load(buf, len, args, (unsigned int)flags);
	kvfree(buf);
	return err;
}

long sys_finit_module(int fd, struct uptr uargs, int flags)
{
	long err = module_may();
	struct fd f;

	if (err)
		return err;
	if (flags & ~(MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC |
		      MODULE_INIT_COMPRESSED_FILE))
		return -EINVAL;
	f = fdget((unsigned int)fd);
	if (!fd_file(f))
		return -EBADF;
	err = load_file(fd_file(f), uargs, flags);
	fdput(f);
	return err;
}

long sys_delete_module(struct uptr name_user, unsigned int flags)
{
	char name[NAME_MAX_LEN];
	long len = module_may();

	if (len)
		return len;
	len = strncpy_from_user(name, name_user, sizeof(name));
	if (len < 0)
		return len;
	if (!len || len >= (long)sizeof(name))
		return -ENOENT;
	return module_unload(name);
}
