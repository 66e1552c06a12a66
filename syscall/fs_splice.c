// SPDX-License-Identifier: MIT
/* Moving data between files: sendfile, splice, tee, vmsplice, copy_file_range. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/pipe.h>
#include <vfs/splice.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <mm/iter.h>

long sys_sendfile(int out_fd, int in_fd, struct uptr offset, size_t count)
{
	loff_t pos;
	ssize_t ret;

	if (uptr_is_null(offset))
		return do_sendfile(out_fd, in_fd, NULL, count, 0);
	if (get_user(pos, offset))
		return -EFAULT;
	ret = do_sendfile(out_fd, in_fd, &pos, count, 0);
	if (put_user(pos, offset))
		return -EFAULT;
	return ret;
}

static int get_offset(struct uptr uoff, loff_t *off, loff_t **p)
{
	*p = NULL;
	if (uptr_is_null(uoff))
		return 0;
	if (get_user(*off, uoff))
		return -EFAULT;
	*p = off;
	return 0;
}

static int put_offset(struct uptr uoff, const loff_t *p)
{
	return p && put_user(*p, uoff) ? -EFAULT : 0;
}

long sys_splice(int fd_in, struct uptr off_in, int fd_out, struct uptr off_out, size_t len, unsigned int flags)
{
	loff_t in_pos, out_pos, *pin, *pout;
	struct fd in, out;
	long ret;

	if (unlikely(!len))
		return 0;
	if (flags & ~(unsigned int)SPLICE_F_ALL)
		return -EINVAL;
	in = fdget((unsigned int)fd_in);
	if (fd_empty(in))
		return -EBADF;
	out = fdget((unsigned int)fd_out);
	ret = -EBADF;
	if (fd_empty(out))
		goto put;
	/* Pipes have no offsets: that error comes before a bad pointer's. */
	ret = -ESPIPE;
	if ((get_pipe_info(fd_file(in), true) && !uptr_is_null(off_in)) ||
	    (get_pipe_info(fd_file(out), true) && !uptr_is_null(off_out)))
		goto put;
	ret = get_offset(off_in, &in_pos, &pin);
	if (!ret)
		ret = get_offset(off_out, &out_pos, &pout);
	if (ret)
		goto put;
	ret = do_splice(fd_file(in), pin, fd_file(out), pout, len, flags);
	if (ret >= 0 && (put_offset(off_in, pin) || put_offset(off_out, pout)))
		ret = -EFAULT;
put:
	fdput(out);
	fdput(in);
	return ret;
}

long sys_tee(int fdin, int fdout, size_t len, unsigned int flags)
{
	struct fd in, out;
	long ret = -EBADF;

	if (flags & ~(unsigned int)SPLICE_F_ALL)
		return -EINVAL;
	if (unlikely(!len))
		return 0;
	in = fdget((unsigned int)fdin);
	if (fd_empty(in))
		return -EBADF;
	out = fdget((unsigned int)fdout);
	if (!fd_empty(out))
		ret = do_tee(fd_file(in), fd_file(out), len, flags);
	fdput(out);
	fdput(in);
	return ret;
}

/*
 * User pages into a pipe, or a pipe into user memory. The data is copied: nobody can tell, except that the
 * pages may be changed at once.
 */
long sys_vmsplice(int fd, struct uptr uiov, unsigned long nr_segs, unsigned int flags)
{
	struct iovec fast[UIO_FASTIOV], *iov = fast;
	struct kiocb kiocb;
	struct file *file;
	struct iter it;
	struct fd f;
	bool write;
	ssize_t ret;

	if (flags & ~(unsigned int)SPLICE_F_ALL)
		return -EINVAL;
	f = fdget((unsigned int)fd);
	if (fd_empty(f))
		return -EBADF;
	file = fd_file(f);
	ret = -EBADF;
	if (!get_pipe_info(file, true))
		goto put;
	write = file->f_mode & FMODE_WRITE;
	if (!write && !(file->f_mode & FMODE_READ))
		goto put;
	ret = import_iovec(write ? ITER_SOURCE : ITER_DEST, uiov, (unsigned int)nr_segs, UIO_FASTIOV, &iov, &it);
	if (ret < 0)
		goto put;
	init_sync_kiocb(&kiocb, file);
	if (flags & SPLICE_F_NONBLOCK)
		kiocb.ki_flags |= IOCB_NOWAIT;
	ret = iter_count(&it) == 0 ? 0 :
	      write ? vmsplice_to_pipe(file, &it, flags) : file->f_op->read_iter(&kiocb, &it);
	kfree(iov);
put:
	fdput(f);
	return ret;
}

long sys_copy_file_range(int fd_in, struct uptr off_in, int fd_out, struct uptr off_out, size_t len,
			 unsigned int flags)
{
	loff_t in_pos, out_pos, *pin, *pout;
	struct fd in, out;
	long ret;

	in = fdget((unsigned int)fd_in);
	if (fd_empty(in))
		return -EBADF;
	out = fdget((unsigned int)fd_out);
	ret = -EBADF;
	if (fd_empty(out))
		goto put;
	ret = get_offset(off_in, &in_pos, &pin);
	if (!ret)
		ret = get_offset(off_out, &out_pos, &pout);
	if (ret)
		goto put;
	if (!pin)
		in_pos = fd_file(in)->f_pos;
	if (!pout)
		out_pos = fd_file(out)->f_pos;
	ret = vfs_copy_file_range(fd_file(in), in_pos, fd_file(out), out_pos, len, flags);
	if (ret > 0) {
		in_pos += ret;
		out_pos += ret;
		if (pin && put_user(in_pos, off_in))
			ret = -EFAULT;
		else if (!pin)
			fd_file(in)->f_pos = in_pos;
		if (pout && put_user(out_pos, off_out))
			ret = -EFAULT;
		else if (!pout)
			fd_file(out)->f_pos = out_pos;
	}
put:
	fdput(out);
	fdput(in);
	return ret;
}
