// SPDX-License-Identifier: MIT
/* Descriptors: open, close, dup, fcntl, pipe, memfd. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/calls.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <vfs/pipe.h>
#include <vfs/locks.h>
#include <vfs/fcntl.h>
#include <vfs/fdtable.h>
#include <fs/tmpfs.h>
#include <alloc/slab.h>
#include <mm/shmem.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <arch/syscall.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <linux/openat2.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>

static long open_into_fd(int dfd, struct uptr filename, const struct open_how *how)
{
	struct filename fn;
	int fd = getname(&fn, filename);

	if (unlikely(fd))
		return fd;
	fd = open_filename_fd(dfd, &fn, how);
	putname(&fn);
	return fd;
}

static long do_sys_open(int dfd, struct uptr filename, int flags, umode_t mode)
{
	struct open_how how;
	int err = open_how_of(&how, flags, mode);

	return unlikely(err) ? err : open_into_fd(dfd, filename, &how);
}

long sys_open(struct uptr filename, int flags, umode_t mode)
{
	return do_sys_open(AT_FDCWD, filename, flags, mode);
}

long sys_openat(int dfd, struct uptr filename, int flags, umode_t mode)
{
	return do_sys_open(dfd, filename, flags, mode);
}

long sys_creat(struct uptr filename, umode_t mode)
{
	return do_sys_open(AT_FDCWD, filename, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_openat2(int dfd, struct uptr filename, struct uptr uhow, size_t usize)
{
	struct open_how how;
	int err;

	if (usize < 24)	/* the first version of struct open_how */
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&how, sizeof(how), uhow, usize);
	if (err)
		return err;
	err = open_how_check(&how);
	return err ? err : open_into_fd(dfd, filename, &how);
}

/* The descriptor is gone even if the file reports an error; a restart would close another one. */
long sys_close(unsigned int fd)
{
	int err = close_fd(fd);

	if (unlikely(err == -ERESTARTSYS || err == -ERESTARTNOINTR || err == -ERESTARTNOHAND ||
		     err == -ERESTART_RESTARTBLOCK))
		err = -EINTR;
	return err;
}

long sys_close_range(unsigned int fd, unsigned int max_fd, unsigned int flags)
{
	return do_close_range(fd, max_fd, flags);
}

long sys_dup(unsigned int fildes)
{
	struct file *file = fget_raw(fildes);
	int fd;

	if (!file)
		return -EBADF;
	fd = get_unused_fd_flags(0);
	if (fd >= 0)
		fd_install((unsigned int)fd, file);
	else
		fput(file);
	return fd;
}

long sys_dup2(unsigned int oldfd, unsigned int newfd)
{
	if (unlikely(oldfd == newfd)) {
		struct fd f = fdget_raw(oldfd);
		bool ok = !fd_empty(f);

		fdput(f);
		return ok ? (long)oldfd : -EBADF;
	}
	return do_dup3(oldfd, newfd, 0);
}

long sys_dup3(unsigned int oldfd, unsigned int newfd, int flags)
{
	return do_dup3(oldfd, newfd, flags);
}

/* fcntl(2). */

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_NDELAY | O_DIRECT | O_NOATIME)

static int set_flags(unsigned int fd, struct file *file, unsigned long arg)
{
	struct inode *inode = file_inode(file);
	int err = 0;

	if (~arg & file->f_flags & O_APPEND && IS_APPEND(inode))
		return -EPERM;
	if (arg & O_NOATIME && !(file->f_flags & O_NOATIME) &&
	    !inode_owner_or_capable(file_mnt_idmap(file), inode))
		return -EPERM;
	if (arg & O_DIRECT && !(file->f_mode & FMODE_CAN_ODIRECT) && !S_ISFIFO(inode->i_mode))
		return -EINVAL;
	if ((arg ^ file->f_flags) & FASYNC) {
		if (file->f_op->fasync) {
			err = file->f_op->fasync((int)fd, file, (arg & FASYNC) != 0);
			if (err < 0)
				return err;
			err = 0;
		}
	}
	spin_lock(&file->f_lock);
	file->f_flags = (unsigned int)((arg & SETFL_MASK) | (file->f_flags & ~(unsigned long)SETFL_MASK));
	file->f_iocb_flags = (unsigned int)iocb_flags(file);
	spin_unlock(&file->f_lock);
	return err;
}

/* Seals are those of files in memory; everything else has none. */
static long fcntl_seals(struct file *file, unsigned int cmd, unsigned int arg)
{
	struct inode *inode = file_inode(file);
	struct shmem_inode *si;
	long ret;

	if (!test_bit(AS_SHMEM, &file->f_mapping->flags))
		return -EINVAL;
	si = file->f_mapping->private_data;
	if (cmd == F_GET_SEALS)
		return (long)shmem_get_seals(si);
	if (!(file->f_mode & FMODE_WRITE))
		return -EPERM;
	inode_lock(inode);
	ret = shmem_add_seals(si, arg);
	inode_unlock(inode);
	return ret;
}

static long do_fcntl(unsigned int fd, struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case F_DUPFD:
		return f_dupfd((unsigned int)arg, file, 0);
	case F_DUPFD_CLOEXEC:
		return f_dupfd((unsigned int)arg, file, O_CLOEXEC);
	case F_DUPFD_QUERY: {
		struct fd other = fdget_raw((unsigned int)arg);
		bool same = !fd_empty(other) && fd_file(other) == file;

		fdput(other);
		return same;
	}
	case F_CREATED_QUERY:
		return !!(file->f_mode & FMODE_CREATED);
	case F_GETFD:
		return get_close_on_exec(fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		set_close_on_exec(fd, (int)(arg & FD_CLOEXEC));
		return 0;
	case F_GETFL:
		return (long)file->f_flags;
	case F_SETFL:
		return set_flags(fd, file, arg);
	case F_GETLK:
	case F_OFD_GETLK:
		return fcntl_getlk(file, cmd, UPTR(arg));
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_setlk(fd, file, cmd, UPTR(arg));
	case F_GETOWN:
		return f_getown(file);
	case F_SETOWN:
		return f_setown(file, (int)arg, 1);
	case F_GETOWN_EX:
		return f_getown_ex(file, UPTR(arg));
	case F_SETOWN_EX:
		return f_setown_ex(file, UPTR(arg));
	case F_GETOWNER_UIDS:
		return f_getowner_uids(file, UPTR(arg));
	case F_GETSIG:
		return f_getsig(file);
	case F_SETSIG:
		return f_setsig(file, (int)arg);
	case F_GETLEASE:
		return F_UNLCK;
	case F_SETLEASE:
		return -EINVAL;
	case F_NOTIFY:
		return fcntl_dirnotify(fd, file, (unsigned int)arg);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		return pipe_fcntl(file, cmd, (unsigned int)arg);
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return fcntl_seals(file, cmd, (unsigned int)arg);
	case F_GET_RW_HINT: {
		u64 hint = file_inode(file)->i_write_hint;

		return put_user(hint, UPTR(arg)) ? -EFAULT : 0;
	}
	case F_SET_RW_HINT: {
		u64 hint;

		if (!inode_owner_or_capable(file_mnt_idmap(file), file_inode(file)))
			return -EPERM;
		if (get_user(hint, UPTR(arg)))
			return -EFAULT;
		if (hint > RWH_WRITE_LIFE_EXTREME)
			return -EINVAL;
		WRITE_ONCE(file_inode(file)->i_write_hint, (u8)hint);
		return 0;
	}
	default:
		return -EINVAL;
	}
}

static bool allowed_on_o_path(unsigned int cmd)
{
	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_DUPFD_QUERY || cmd == F_CREATED_QUERY ||
	       cmd == F_GETFD || cmd == F_SETFD || cmd == F_GETFL;
}

/* partial: fcntl: leases (F_SETLEASE) are refused */
long sys_fcntl(unsigned int fd, unsigned int cmd, unsigned long arg)
{
	struct fd f = fdget_raw(fd);
	long ret = -EBADF;

	if (fd_empty(f))
		return -EBADF;
	if (likely(!(fd_file(f)->f_mode & FMODE_PATH)) || allowed_on_o_path(cmd))
		ret = do_fcntl(fd, fd_file(f), cmd, arg);
	fdput(f);
	return ret;
}

long sys_flock(unsigned int fd, unsigned int cmd)
{
	unsigned int what = cmd & ~(unsigned int)LOCK_NB;
	struct fd f;
	int err;

	/* Asked before the descriptor. LOCK_MAND never did anything useful and is gone. */
	if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
		return -EINVAL;
	f = fdget(fd);
	if (fd_empty(f))
		return -EBADF;
	err = do_flock(fd_file(f), cmd);
	fdput(f);
	return err;
}

/* Pipes. */

long sys_pipe2(struct uptr fildes, int flags)
{
	struct file *files[2];
	int fd[2], err = do_pipe_flags(fd, files, flags);

	if (err)
		return err;
	if (copy_to_user(fildes, fd, sizeof(fd))) {
		for (int i = 0; i < 2; i++) {
			put_unused_fd((unsigned int)fd[i]);
			fput(files[i]);
		}
		return -EFAULT;
	}
	fd_install((unsigned int)fd[0], files[0]);
	fd_install((unsigned int)fd[1], files[1]);
	return 0;
}

#ifdef ARCH_HAS_RET2
/* Both ends are results; FILDES is not looked at. */
long sys_pipe(struct uptr fildes)
{
	struct file *files[2];
	int fd[2], err = do_pipe_flags(fd, files, 0);

	if (err)
		return err;
	fd_install((unsigned int)fd[0], files[0]);
	fd_install((unsigned int)fd[1], files[1]);
	arch_syscall_set_ret2(task_pt_regs(current), fd[1]);
	return fd[0];
}
#else
long sys_pipe(struct uptr fildes)
{
	return sys_pipe2(fildes, 0);
}
#endif

/* memfd. */

#define MFD_NAME_MAX (NAME_MAX - 6)

long sys_memfd_create(struct uptr uname, unsigned int flags)
{
	struct file *file;
	char *name;
	int fd;

	if (flags & MFD_HUGETLB)
		return flags & ~(unsigned int)(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL |
					       MFD_EXEC | MFD_HUGE_MASK << MFD_HUGE_SHIFT) ? -EINVAL : -ENOSYS;
	if (flags & ~(unsigned int)(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC))
		return -EINVAL;
	if (flags & MFD_EXEC && flags & MFD_NOEXEC_SEAL)
		return -EINVAL;
	name = strndup_user(uname, MFD_NAME_MAX + 1);
	if (IS_ERR(name))
		return PTR_ERR(name);
	fd = get_unused_fd_flags(flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
	if (fd >= 0) {
		file = tmpfs_memfd(name, flags);
		if (IS_ERR(file)) {
			put_unused_fd((unsigned int)fd);
			fd = (int)PTR_ERR(file);
		} else {
			fd_install((unsigned int)fd, file);
		}
	}
	kfree(name);
	return fd;
}
