// SPDX-License-Identifier: MIT
/* io_uring at the edge: io_uring_setup(2), io_uring_enter(2), io_uring_register(2). */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <io_uring/uring.h>
#include <mm/uaccess.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/io_uring.h>

long sys_io_uring_setup(u32 entries, struct uptr params)
{
	struct io_uring_params p;
	struct file *file;
	int fd;

	if (copy_from_user(&p, params, sizeof(p)))
		return -EFAULT;
	fd = uring_setup(entries, &p, &file);
	if (fd < 0)
		return fd;
	if (copy_to_user(params, &p, sizeof(p))) {
		put_unused_fd((unsigned int)fd);
		fput(file);
		return -EFAULT;
	}
	fd_install((unsigned int)fd, file);
	return fd;
}

long sys_io_uring_enter(unsigned int fd, u32 to_submit, u32 min_complete, u32 flags,
			struct uptr argp, size_t argsz)
{
	return uring_enter(fd, to_submit, min_complete, flags, argp, argsz);
}

long sys_io_uring_register(unsigned int fd, unsigned int opcode, struct uptr arg,
			   unsigned int nr_args)
{
	return uring_register(fd, opcode, arg, nr_args);
}
