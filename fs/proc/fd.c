// SPDX-License-Identifier: MIT
/* /proc/PID/fd: the open files as links; /proc/PID/fdinfo: what is known of each. */
#include "proc_priv.h"
#include <alloc/slab.h>
#include <alloc/page.h>
#include <mm/uaccess.h>
#include <vfs/locks.h>
#include <vfs/mount_calls.h>

static bool file_at(struct task *task, unsigned int fd, fmode_t *mode)
{
	struct file *f = fget_task(task, fd);

	if (!f)
		return false;
	*mode = f->f_mode;
	fput(f);
	return true;
}

/* A name is valid while the descriptor is open; its mode says how. */
static int fd_revalidate(struct inode *dir, const struct qstr *name, struct dentry *d, unsigned int flags)
{
	struct inode *inode = READ_ONCE(d->d_inode);
	struct task *task;
	fmode_t mode;
	int res = 0;

	(void)dir;
	(void)name;
	if (flags & LOOKUP_RCU)
		return -ECHILD;
	task = inode ? get_proc_task(inode) : NULL;
	if (!task)
		return 0;
	if (file_at(task, PROC_I(inode)->fd, &mode)) {
		proc_task_owner(task, 0, &inode->i_uid, &inode->i_gid);
		if (S_ISLNK(inode->i_mode))
			inode->i_mode = S_IFLNK | (mode & FMODE_READ ? 0500 : 0) | (mode & FMODE_WRITE ? 0300 : 0);
		res = 1;
	}
	put_task_struct(task);
	return res;
}

static int fd_delete(const struct dentry *d)
{
	(void)d;
	return 1;
}

static const struct dentry_operations fd_dops = { .d_revalidate = fd_revalidate, .d_delete = fd_delete };

static int fd_link_path(struct inode *inode, struct path *path)
{
	struct task *task = get_proc_task(inode);
	struct file *f;
	int err;

	if (!task)
		return -ENOENT;
	err = proc_begin_access(task, PTRACE_MODE_READ);
	if (!err) {
		f = fget_task(task, PROC_I(inode)->fd);
		proc_end_access(task);
		err = -ENOENT;
		if (f) {
			*path = f->f_path;
			path_get(path);
			fput(f);
			err = 0;
		}
	}
	put_task_struct(task);
	return err;
}

static const char *fd_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	struct path path;
	int err;

	(void)done;
	if (!d)
		return ERR_PTR(-ECHILD);
	err = fd_link_path(inode, &path);
	if (!err)
		err = nd_jump_link(&path);
	return ERR_PTR(err);
}

static int fd_readlink(struct dentry *d, struct uptr buf, int buflen)
{
	struct path path;
	char *page, *text;
	int err = fd_link_path(d->d_inode, &path);

	if (err)
		return err;
	err = -ENOMEM;
	page = (char *)__get_free_page(GFP_KERNEL);
	if (page) {
		text = d_path(&path, page, PAGE_SIZE);
		err = (int)PTR_ERR(text);
		if (!IS_ERR(text)) {
			err = (int)(page + PAGE_SIZE - 1 - text);
			if (err > buflen)
				err = buflen;
			if (copy_to_user(buf, text, (size_t)err))
				err = -EFAULT;
		}
		free_page((unsigned long)page);
	}
	path_put(&path);
	return err;
}

static const struct inode_operations fd_link_iops = {
	.readlink = fd_readlink, .get_link = fd_get_link, .setattr = proc_setattr,
};

/* fdinfo */

static int fdinfo_show(struct seq_file *m, void *v)
{
	struct inode *inode = m->private;
	struct task *task = get_proc_task(inode);
	unsigned int fd = PROC_I(inode)->fd;
	struct file *f = NULL;
	const void *owner;
	bool cloexec;
	int err;

	(void)v;
	if (!task)
		return -ENOENT;
	err = proc_begin_access(task, PTRACE_MODE_READ);	/* also who was given the open file reads only what he may */
	if (!err) {
		f = fget_task_info(task, fd, &cloexec, &owner);
		proc_end_access(task);
		err = f ? 0 : -ENOENT;
	}
	put_task_struct(task);
	if (err)
		return err;
	seq_printf(m, "pos:\t%lli\nflags:\t0%o\nmnt_id:\t%i\nino:\t%llu\n", f->f_pos,
		   (f->f_flags & ~(unsigned int)O_CLOEXEC) | (cloexec ? O_CLOEXEC : 0), mnt_id_of(f->f_path.mnt), (u64)file_inode(f)->i_ino);
	show_fd_locks(m, proc_pid_ns(inode->i_sb), f, owner);
	if (f->f_op->show_fdinfo)
		f->f_op->show_fdinfo(m, f);
	fput(f);
	return 0;
}

/* What descriptors a process has, and what they are, is for those who may look into it. */
static int fdinfo_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	struct task *task;
	bool ok;

	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	task = get_proc_task(inode);
	if (!task)
		return -ESRCH;
	ok = ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS);
	put_task_struct(task);
	return ok ? generic_permission(idmap, inode, mask) : -EACCES;
}

static int fdinfo_open(struct inode *inode, struct file *file)
{
	return single_open(file, fdinfo_show, inode);
}

static const struct file_operations fdinfo_file_fops = {
	.open = fdinfo_open, .read_iter = seq_read_iter, .llseek = seq_lseek, .release = single_release,
};
static const struct inode_operations fdinfo_file_iops = { .permission = fdinfo_permission, .setattr = proc_setattr };

/* The directories. */

static unsigned int to_fd(const struct qstr *name)
{
	unsigned int n = 0;

	if (!name->len || (name->len > 1 && name->name[0] == '0'))
		return ~0u;
	for (u32 i = 0; i < name->len; i++) {
		unsigned int c = (u8)name->name[i] - '0';

		if (c > 9 || n > (~0u - 9) / 10)
			return ~0u;
		n = n * 10 + c;
	}
	return n;
}

static struct dentry *lookup(struct inode *dir, struct dentry *d, bool info)
{
	struct task *task = get_proc_task(dir);
	unsigned int fd = to_fd(&d->d_name);
	struct inode *inode = ERR_PTR(-ENOENT);
	fmode_t mode;

	if (!task)
		return ERR_PTR(-ENOENT);
	if (fd == ~0u || !file_at(task, fd, &mode))
		goto out;
	inode = proc_task_inode(dir->i_sb, task, info ? S_IFREG | 0444 : S_IFLNK | (mode & FMODE_READ ? 0500 : 0) |
				(mode & FMODE_WRITE ? 0300 : 0), proc_ino_in(dir, info ? PROC_OF_FDINFO : PROC_OF_FD, fd));
	if (!inode) {
		inode = ERR_PTR(-ENOENT);
		goto out;
	}
	PROC_I(inode)->fd = fd;
	if (info) {
		inode->i_op = &fdinfo_file_iops;
		inode->i_fop = &fdinfo_file_fops;
	} else {
		inode->i_op = &fd_link_iops;
		inode->i_size = 64;
	}
	inode_set_op_flags(inode);
	d_set_d_op(d, &fd_dops);
	d_dont_mount(d);		/* what would be on it could be another file a moment later */
out:
	put_task_struct(task);
	return IS_ERR(inode) ? ERR_CAST(inode) : d_splice_alias(inode, d);
}

static struct dentry *fd_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)flags;
	return lookup(dir, d, false);
}

static struct dentry *fdinfo_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)flags;
	return lookup(dir, d, true);
}

static int fd_readdir(struct file *file, struct dir_context *ctx)
{
	struct task *task = get_proc_task(file_inode(file));
	bool info = file->f_op != &proc_fd_fops;
	unsigned int fd;
	struct file *f;

	if (!task)
		return -ENOENT;
	if (!ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS)) {	/* it may have executed since the directory was opened */
		put_task_struct(task);
		return -EACCES;
	}
	if (!dir_emit_dots(file, ctx))
		goto out;
	for (fd = (unsigned int)ctx->pos - 2; (f = fget_task_next(task, &fd)); fd++) {
		char name[12];
		int len = snprintf(name, sizeof(name), "%u", fd);

		fput(f);
		ctx->pos = (loff_t)fd + 2;
		if (!dir_emit(ctx, name, len, proc_ino_in(file_inode(file), info ? PROC_OF_FDINFO : PROC_OF_FD, fd),
			      info ? DT_REG : DT_LNK))
			goto out;
		ctx->pos++;
		cond_resched();
	}
out:
	put_task_struct(task);
	return 0;
}

/* One's own descriptors are open to oneself even when the process is not dumpable. */
static int fd_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	struct task *task;
	int err = proc_task_permission(idmap, inode, mask);
	bool mine;

	if (!err)
		return 0;
	rcu_read_lock();
	task = pid_task(PROC_I(inode)->pid, PIDTYPE_PID);
	mine = task && same_thread_group(task, current);
	rcu_read_unlock();
	return mine ? 0 : err;
}

/* The size is the number of descriptors. */
static int fd_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
		      unsigned int flags)
{
	struct inode *inode = path->dentry->d_inode;
	struct task *task = get_proc_task(inode);
	unsigned int fd = 0, n = 0;
	struct file *f;

	(void)flags;
	generic_fillattr(idmap, mask, inode, stat);
	if (task) {
		for (; (f = fget_task_next(task, &fd)); fd++, n++)
			fput(f);
		put_task_struct(task);
	}
	stat->size = n;
	return 0;
}

const struct inode_operations proc_fd_iops = {
	.lookup = fd_lookup, .permission = fd_permission, .getattr = fd_getattr, .setattr = proc_setattr,
};
const struct inode_operations proc_fdinfo_iops = {
	.lookup = fdinfo_lookup, .permission = fdinfo_permission, .setattr = proc_setattr,
};
const struct file_operations proc_fd_fops = {
	.llseek = generic_file_llseek, .read_iter = generic_read_dir, .iterate_shared = fd_readdir,
};
const struct file_operations proc_fdinfo_fops = {
	.llseek = generic_file_llseek, .read_iter = generic_read_dir, .iterate_shared = fd_readdir,
};
