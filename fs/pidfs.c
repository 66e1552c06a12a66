// SPDX-License-Identifier: MIT
/*
 * pidfs: an open file is a struct pid held. All files of one process have the same inode number, so that they compare equal and
 * no two processes ever do. Readable when the process has ended (with PIDFD_THREAD: the thread), hung up when it was waited for.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/string.h>
#include <fs/nsfs.h>
#include <fs/pidfs.h>
#include <fs/proc.h>
#include <kernel/init.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <proc/upcalls.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/poll.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/pidfd.h>

#define PIDFS_MAGIC 0x50494446

static struct vfsmount *pidfs_mnt __ro_after_init;

static bool of_thread(const struct file *file)
{
	return file->f_flags & PIDFD_THREAD;
}

/* ---- what can be done with one ---- */

static __poll_t pidfd_poll(struct file *file, struct poll_table_struct *p)
{
	struct pid *pid = file->private_data;
	struct task *t;
	__poll_t mask = 0;

	poll_wait(file, &pid->wait_pidfd, p);
	rcu_read_lock();
	t = pid_task(pid, PIDTYPE_PID);
	if (!t)
		mask = EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	/* A leader's own end is told with its process's: until then an exec of another thread may take its place. */
	else if (READ_ONCE(t->exit_state) && ((of_thread(file) && !thread_group_leader(t)) || thread_group_empty(t)))
		mask = EPOLLIN | EPOLLRDNORM;
	rcu_read_unlock();
	return mask;
}

static void pidfd_fdinfo(struct seq_file *m, struct file *file)
{
	struct pid *pid = file->private_data;
	struct pid_namespace *ns = task_active_pid_ns(current);
	bool alive;
	int nr;

	rcu_read_lock();
	alive = pid_task(pid, PIDTYPE_PID);
	rcu_read_unlock();
	nr = alive ? pid_nr_ns(pid, ns) : -1;
	seq_printf(m, "Pid:\t%d\nNSpid:\t%d", nr, nr);
	for (unsigned int i = ns->level + 1; nr > 0 && i <= pid->level; i++)
		seq_printf(m, "\t%d", pid->numbers[i].nr);
	seq_putc(m, '\n');
}

static int fill_ids(struct pidfd_info *k, struct task *t)
{
	struct user_namespace *ns = current_user_ns();
	const struct cred *c = get_task_cred(t);

	k->ruid = from_kuid_munged(ns, c->uid);
	k->rgid = from_kgid_munged(ns, c->gid);
	k->euid = from_kuid_munged(ns, c->euid);
	k->egid = from_kgid_munged(ns, c->egid);
	k->suid = from_kuid_munged(ns, c->suid);
	k->sgid = from_kgid_munged(ns, c->sgid);
	k->fsuid = from_kuid_munged(ns, c->fsuid);
	k->fsgid = from_kgid_munged(ns, c->fsgid);
	put_cred(c);
	k->pid = (u32)task_pid_vnr(t);
	k->tgid = (u32)task_tgid_vnr(t);
	k->ppid = (u32)task_ppid_nr_ns(t, task_active_pid_ns(current));
	k->mask |= PIDFD_INFO_PID | PIDFD_INFO_CREDS;
	/* It may have gone meanwhile: then these are nobody's. */
	return k->pid && k->tgid ? 0 : -ESRCH;
}

static long get_info(struct pid *pid, unsigned int cmd, struct uptr arg)
{
	const u64 known = PIDFD_INFO_PID | PIDFD_INFO_CREDS | PIDFD_INFO_EXIT | PIDFD_INFO_SUPPORTED_MASK;
	size_t size = _IOC_SIZE(cmd);
	struct pidfd_info k = { 0 };
	struct task *t;
	u64 wanted;
	int e;

	if (uptr_is_null(arg) || size < PIDFD_INFO_SIZE_VER0)
		return -EINVAL;
	if (copy_from_user(&wanted, arg, sizeof(wanted)))
		return -EFAULT;
	/* The reader's namespace must be the process's or above it. */
	if (!pid_vnr(pid))
		return -EREMOTE;
	if ((wanted & PIDFD_INFO_EXIT) && smp_load_acquire(&pid->exited)) {
		k.mask |= PIDFD_INFO_EXIT;
		k.exit_code = pid->exit_code;
	}
	if ((wanted & PIDFD_INFO_SUPPORTED_MASK) && size >= PIDFD_INFO_SIZE_VER3) {
		k.mask |= PIDFD_INFO_SUPPORTED_MASK;
		k.supported_mask = known;
	}
	t = get_pid_task(pid, PIDTYPE_PID);
	if (t) {
		e = fill_ids(&k, t);
		put_task_struct(t);
		if (e)
			return e;
	} else if (!(k.mask & PIDFD_INFO_EXIT)) {
		return -ESRCH;
	}
	if (copy_to_user(arg, &k, min(size, sizeof(k))))
		return -EFAULT;
	return size > sizeof(k) && clear_user(uptr_add(arg, sizeof(k)), size - sizeof(k)) ? -EFAULT : 0;
}

static long open_namespace(struct pid *pid, enum ns_kind kind, bool for_children)
{
	struct task *t = get_pid_task(pid, PIDTYPE_PID);
	const char *label;
	void *ns;
	u64 ino;
	long r;

	if (!t)
		return -ESRCH;
	/* None of a task that has ended, though it keeps two kinds. */
	r = READ_ONCE(t->nsproxy) ? ptrace_begin_access(t, PTRACE_MODE_READ_FSCREDS) : -ESRCH;
	if (r == -EPERM)
		r = -EACCES;
	if (!r) {
		ns = task_get_ns(t, kind, for_children, &label, &ino);
		ptrace_end_access(t);
		r = ino ? nsfs_open_fd(kind, label, ns, ino, O_CLOEXEC) : -ESRCH;
	}
	put_task_struct(t);
	return r;
}

static long pidfd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	static const struct { unsigned int cmd; enum ns_kind kind; bool children; } of[] = {
		{ PIDFD_GET_CGROUP_NAMESPACE, NSK_CGROUP, false }, { PIDFD_GET_IPC_NAMESPACE, NSK_IPC, false },
		{ PIDFD_GET_MNT_NAMESPACE, NSK_MNT, false }, { PIDFD_GET_NET_NAMESPACE, NSK_NET, false },
		{ PIDFD_GET_PID_NAMESPACE, NSK_PID, false }, { PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE, NSK_PID, true },
		{ PIDFD_GET_TIME_NAMESPACE, NSK_TIME, false }, { PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE, NSK_TIME, true },
		{ PIDFD_GET_USER_NAMESPACE, NSK_USER, false }, { PIDFD_GET_UTS_NAMESPACE, NSK_UTS, false },
	};

	if (_IOC_TYPE(cmd) == PIDFS_IOCTL_MAGIC && _IOC_NR(cmd) == _IOC_NR(PIDFD_GET_INFO) && _IOC_SIZE(cmd))
		return get_info(file->private_data, cmd, UPTR(arg));
	for (unsigned int i = 0; i < ARRAY_SIZE(of); i++)
		if (cmd == of[i].cmd)
			return arg ? -EINVAL : open_namespace(file->private_data, of[i].kind, of[i].children);
	return -ENOTTY;
}

static int pidfd_release(struct inode *inode, struct file *file)
{
	put_pid(file->private_data);
	return 0;
}

static const struct file_operations pidfd_fops = {
	.poll = pidfd_poll, .ioctl = pidfd_ioctl, .release = pidfd_release, .show_fdinfo = pidfd_fdinfo,
};

/* ---- making and finding them ---- */

struct file *pidfs_file(struct pid *pid, unsigned int flags)
{
	struct inode *inode = alloc_anon_inode(pidfs_mnt->mnt_sb);
	struct file *f;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	inode->i_ino = pid->ino;
	inode->i_mode = S_IFREG | S_IRWXU;
	f = alloc_file_pseudo(inode, pidfs_mnt, "[pidfd]", (int)(O_RDWR | (flags & O_NONBLOCK)), &pidfd_fops);
	if (IS_ERR(f)) {
		iput(inode);
		return f;
	}
	f->f_flags |= flags & PIDFD_THREAD;	/* an open file does not keep O_EXCL by itself */
	f->private_data = get_pid(pid);
	return f;
}

struct pid *pidfs_pid(const struct file *file)
{
	return file->f_op == &pidfd_fops ? file->private_data : NULL;
}

static struct pid *get_pid_of(int fd, unsigned int *flags, bool dir)
{
	struct pid *pid;
	struct fd f;

	*flags = fd == PIDFD_SELF_THREAD ? PIDFD_THREAD : 0;
	if (fd == PIDFD_SELF_THREAD)
		return get_task_pid(current, PIDTYPE_PID);
	if (fd == PIDFD_SELF_THREAD_GROUP)
		return get_task_pid(current, PIDTYPE_TGID);
	f = fdget((unsigned int)fd);
	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	pid = pidfs_pid(fd_file(f));
	if (!pid && dir)
		pid = proc_dir_pid(fd_file(f));
	*flags = fd_file(f)->f_flags;
	if (pid)
		get_pid(pid);
	fdput(f);
	return pid ? pid : ERR_PTR(-EBADF);
}

struct pid *pidfd_get_pid(int fd, unsigned int *flags)
{
	return get_pid_of(fd, flags, false);
}

struct pid *pidfd_get_pid_or_dir(int fd, unsigned int *flags)
{
	return get_pid_of(fd, flags, true);
}

/* clone's CLONE_PIDFD: the number is told to the caller before the child exists, the file put there after. */
int proc_pidfd_prepare(struct pid *pid, bool thread, struct file **out)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	*out = pidfs_file(pid, thread ? PIDFD_THREAD : 0);
	if (IS_ERR(*out)) {
		put_unused_fd((unsigned int)fd);
		return (int)PTR_ERR(*out);
	}
	return fd;
}

void proc_pidfd_install(int fd, struct file *file)
{
	fd_install((unsigned int)fd, file);
}

void proc_pidfd_abort(int fd, struct file *file)
{
	put_unused_fd((unsigned int)fd);
	fput(file);
}

/* ---- the filesystem ---- */

static char *pidfs_dname(struct dentry *d, char *buf, int len)
{
	return dynamic_dname(buf, len, "anon_inode:[pidfd]");
}

static const struct dentry_operations pidfs_dops = { .d_dname = pidfs_dname, .d_delete = always_delete_dentry };
static const struct pseudo_fs pidfs = { .name = "pidfs", .magic = PIDFS_MAGIC, .dops = &pidfs_dops };

static int pidfs_init_fs_context(struct fs_context *fc)
{
	return pseudo_init_fs_context(fc, &pidfs);
}

static struct file_system_type pidfs_type = {
	.name = "pidfs", .init_fs_context = pidfs_init_fs_context, .kill_sb = kill_anon_super,
};

static int pidfs_init(void)
{
	pidfs_mnt = kern_mount(&pidfs_type);
	return IS_ERR(pidfs_mnt) ? (int)PTR_ERR(pidfs_mnt) : 0;
}
INITCALL(fs, pidfs_init);
