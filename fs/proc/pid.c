// SPDX-License-Identifier: MIT
/*
 * Tasks as directories: /proc/PID (a process), /proc/PID/task/TID (a thread). Inodes hold a struct pid, so
 * they outlive the task; every access looks the task up again. A name is valid as long as its task.
 */
#include "proc_priv.h"
#include <alloc/slab.h>
#include <alloc/page.h>
#include <arch/page.h>
#include <arch/stacktrace.h>
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <arch/syscall.h>
#include <kernel/ksyms.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <proc/threads.h>
#include <proc/upcalls.h>
#include <linux/capability.h>
#include <vfs/mount.h>

struct task *get_proc_task(const struct inode *inode)
{
	return get_pid_task(PROC_I(inode)->pid, PIDTYPE_PID);
}

/*
 * What every file below /proc/PID asks before it takes something of the task: the mode is that of ptrace(2), by the ids of files. In
 * the middle of an execve(2) it waits; until proc_end_access() the task keeps its program and its rights. 0, -EACCES, -EINTR.
 */
int proc_begin_access(struct task *task, unsigned int mode)
{
	int err = ptrace_begin_access(task, mode | PTRACE_MODE_FSCREDS);

	return err == -EPERM ? -EACCES : err;
}

/* Only whether it may be known of: takes nothing. */
static bool may_see(struct task *task)
{
	return ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS);
}

/* The task's effective user, or root for what may not be dumped. */
void proc_task_owner(struct task *task, umode_t mode, kuid_t *uid, kgid_t *gid)
{
	const struct cred *c;

	*uid = GLOBAL_ROOT_UID;
	*gid = GLOBAL_ROOT_GID;
	if (task->flags & PF_KTHREAD)
		return;
	rcu_read_lock();
	c = __task_cred(task);
	*uid = c->euid;
	*gid = c->egid;
	rcu_read_unlock();
	/* The directories themselves are readable by all and always the user's. */
	if (mode != (S_IFDIR | 0555))
		proc_private_owner(task, uid, gid);
}

struct inode *proc_task_inode(struct super_block *sb, struct task *task, umode_t mode, u64 ino)
{
	struct inode *inode = new_inode(sb);
	struct pid *pid;

	if (!inode)
		return NULL;
	inode->i_mode = mode;
	inode->i_ino = ino;
	simple_inode_init_ts(inode);
	pid = get_task_pid(task, PIDTYPE_PID);
	if (!pid) {
		iput(inode);
		return NULL;
	}
	PROC_I(inode)->pid = pid;
	proc_task_owner(task, mode, &inode->i_uid, &inode->i_gid);
	return inode;
}

/* Whose the file is now. False: the task is gone. */
static bool refresh_owner(struct inode *inode)
{
	struct task *task;

	rcu_read_lock();
	task = pid_task(PROC_I(inode)->pid, PIDTYPE_PID);
	if (task) {
		proc_task_owner(task, inode->i_mode, &inode->i_uid, &inode->i_gid);
		inode->i_mode &= (umode_t)~(S_ISUID | S_ISGID);
	}
	rcu_read_unlock();
	return task;
}

/* By the owner of this moment: whoever comes by a descriptor instead of a name has passed no d_revalidate(). */
int proc_task_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	refresh_owner(inode);
	return generic_permission(idmap, inode, mask);
}

/* A thread's directory. Nothing is found in that of one who was waited for, whoever still holds it open. */
static int thread_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	return refresh_owner(inode) ? generic_permission(idmap, inode, mask) : -ESRCH;
}

static int pid_revalidate(struct inode *dir, const struct qstr *name, struct dentry *d, unsigned int flags)
{
	struct inode *inode = READ_ONCE(d->d_inode);

	(void)dir;
	(void)name;
	(void)flags;
	return inode && refresh_owner(inode);
}

static int pid_delete(const struct dentry *d)
{
	bool gone;

	if (!d->d_inode)
		return 1;
	rcu_read_lock();
	gone = !pid_task(PROC_I(d->d_inode)->pid, PIDTYPE_PID);
	rcu_read_unlock();
	return gone;
}

const struct dentry_operations proc_pid_dops = { .d_revalidate = pid_revalidate, .d_delete = pid_delete };

/* hidepid: may the caller know of this task? */
static bool visible(struct proc_fs_info *fi, struct task *task, int level)
{
	if (fi->hide_pid < level)
		return true;
	/* "ptraceable" excepts no group. */
	if (fi->hide_pid < 4 && in_group_p(fi->pid_gid) && !gid_eq(fi->pid_gid, GLOBAL_ROOT_GID))
		return true;
	return may_see(task);
}

static int pid_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	struct proc_fs_info *fi = proc_sb_info(inode->i_sb);
	struct task *task;
	bool ok;

	if (fi->hide_pid) {
		if (mask & MAY_NOT_BLOCK)
			return -ECHILD;
		task = get_proc_task(inode);
		if (!task)
			return -ESRCH;
		ok = visible(fi, task, 1);
		put_task_struct(task);
		if (!ok)
			return fi->hide_pid == 2 ? -ENOENT : -EPERM;
	}
	return thread_permission(idmap, inode, mask);
}

/* Entries of one record. */

static int single_show(struct seq_file *m, void *v)
{
	struct inode *inode = m->private;
	const struct pid_entry *e = inode->i_private;
	struct task *task = get_proc_task(inode);
	int err;

	(void)v;
	if (!task)
		return -ESRCH;
	err = e->show(m, proc_pid_ns(inode->i_sb), PROC_I(inode)->pid, task);
	put_task_struct(task);
	return err;
}

static int single_open_pid(struct inode *inode, struct file *file)
{
	return single_open(file, single_show, inode);
}

/* Files that hold one number: pwrite(2) sets it at any position. */
static int number_open(struct inode *inode, struct file *file)
{
	int err = single_open_pid(inode, file);

	if (!err)
		file->f_mode |= FMODE_PWRITE;
	return err;
}

const struct file_operations proc_single_fops = {
	.open = single_open_pid,
	.read_iter = seq_read_iter,
	.llseek = seq_lseek,
	.release = single_release,
	.splice_read = copy_splice_read,
};

/* Magic links. */

static int link_path(struct dentry *d, struct inode *inode, struct path *path)
{
	const struct pid_entry *e = inode->i_private;
	struct task *task = get_proc_task(inode);
	int err;

	(void)d;
	if (!task)
		return -ENOENT;
	err = proc_begin_access(task, PTRACE_MODE_READ);
	if (!err) {
		err = e->get_link(task, path);
		proc_end_access(task);
	}
	put_task_struct(task);
	return err;
}

static const char *magic_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	struct path path;
	int err;

	(void)done;
	if (!d)
		return ERR_PTR(-ECHILD);
	err = link_path(d, inode, &path);
	if (!err)
		err = nd_jump_link(&path);
	return ERR_PTR(err);
}

static int magic_readlink(struct dentry *d, struct uptr buf, int buflen)
{
	struct path path;
	char *page, *text;
	int err = link_path(d, d->d_inode, &path);

	if (err)
		return err;
	page = (char *)__get_free_page(GFP_KERNEL);
	err = -ENOMEM;
	if (page) {
		text = d_path(&path, page, PAGE_SIZE);
		err = (int)PTR_ERR(text);
		if (!IS_ERR(text)) {
			int len = (int)(page + PAGE_SIZE - 1 - text);

			if (len > buflen)
				len = buflen;
			err = copy_to_user(buf, text, (size_t)len) ? -EFAULT : len;
		}
		free_page((unsigned long)page);
	}
	path_put(&path);
	return err;
}

const struct inode_operations proc_link_iops = {
	.readlink = magic_readlink,
	.get_link = magic_get_link,
	.setattr = proc_setattr,
};
static const struct inode_operations file_iops = { .permission = proc_task_permission, .setattr = proc_setattr };

/* Directories of entries. */

struct dentry *proc_entries_lookup(struct inode *dir, struct dentry *d, const struct pid_entry *ents,
				   unsigned int n, enum proc_of_task kind)
{
	struct task *task = get_proc_task(dir);
	const struct pid_entry *e;
	struct inode *inode;

	if (!task)
		return ERR_PTR(-ENOENT);
	for (e = ents; e < ents + n; e++) {
		if (proc_in_list(d->d_name.name, d->d_name.len, e->name))
			break;
	}
	inode = ERR_PTR(-ENOENT);
	if (e == ents + n)
		goto out;
	inode = proc_task_inode(dir->i_sb, task, e->mode, proc_ino_in(dir, kind, (u32)(e - ents)));
	if (!inode) {
		inode = ERR_PTR(-ENOENT);
		goto out;
	}
	inode->i_private = (void *)(unsigned long)e;
	if (S_ISDIR(e->mode))
		set_nlink(inode, 2);
	inode->i_op = e->iop ? e->iop : S_ISLNK(e->mode) ? &proc_link_iops : &file_iops;
	inode->i_fop = e->fop ? e->fop : &proc_single_fops;
	inode_set_op_flags(inode);
	d_set_d_op(d, &proc_pid_dops);
out:
	put_task_struct(task);
	return IS_ERR(inode) ? ERR_CAST(inode) : d_splice_alias(inode, d);
}

int proc_entries_readdir(struct file *file, struct dir_context *ctx, const struct pid_entry *ents,
			 unsigned int n, enum proc_of_task kind)
{
	struct inode *dir = file_inode(file);
	struct task *task = get_proc_task(dir);

	if (!task)
		return -ENOENT;
	put_task_struct(task);
	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < n; ctx->pos++) {
		const struct pid_entry *e = &ents[ctx->pos - 2];

		if (!dir_emit(ctx, e->name, (int)strlen(e->name), proc_ino_in(dir, kind, (u32)(e - ents)),
			      fs_umode_to_dtype(e->mode)))
			break;
	}
	return 0;
}

/* The links. */

static int link_exe(struct task *task, struct path *path)
{
	struct mm *mm = get_task_mm(task);
	struct file *exe;

	if (!mm)
		return -ENOENT;
	exe = mm_get_exe_file(mm);
	mmput(mm);
	if (!exe)
		return -ENOENT;
	*path = exe->f_path;
	path_get(path);
	fput(exe);
	return 0;
}

static int link_fs(struct task *task, struct path *path, bool root)
{
	int err = -ENOENT;

	task_lock(task);
	if (task->fs) {
		if (root)
			get_fs_root(task->fs, path);
		else
			get_fs_pwd(task->fs, path);
		err = 0;
	}
	task_unlock(task);
	return err;
}

static int link_cwd(struct task *task, struct path *path) { return link_fs(task, path, false); }
static int link_root(struct task *task, struct path *path) { return link_fs(task, path, true); }

/* Small files. */

static int show_comm(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	char comm[TASK_COMM_LEN];

	(void)ns;
	(void)pid;
	get_task_comm(comm, task);
	seq_escape(m, comm, "\n\\");
	seq_putc(m, '\n');
	return 0;
}

static ssize_t comm_write(struct kiocb *iocb, struct iter *from)
{
	struct task *task = get_proc_task(file_inode(iocb->ki_filp));
	char comm[TASK_COMM_LEN] = "";
	size_t len = iter_count(from);
	ssize_t ret = (ssize_t)len;

	if (!task)
		return -ESRCH;
	if (!same_thread_group(task, current))
		ret = -EINVAL;
	else if (!copy_from_iter_full(comm, min(len, sizeof(comm) - 1), from))
		ret = -EFAULT;
	else
		set_task_comm(task, comm);
	put_task_struct(task);
	return ret;
}

static int show_oom_score(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	struct mm *mm = get_task_mm(task);
	unsigned long total = totalram_pages();
	long points = 0;

	(void)ns;
	(void)pid;
	if (mm) {
		long bad = oom_badness(mm, task->signal->oom_score_adj);

		if (bad != LONG_MIN)
			points = (1000 + bad * 1000 / (long)total) * 2 / 3;
		if (points < 0)
			points = 0;
		mmput(mm);
	}
	seq_printf(m, "%ld\n", points);
	return 0;
}

static int show_oom_adj(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	(void)ns;
	(void)pid;
	seq_printf(m, "%d\n", task->signal->oom_score_adj);
	return 0;
}

/* What was written, up to SIZE - 1 bytes of it, as text. */
static int text_from(struct iter *from, char *text, size_t size)
{
	size_t n = min(iter_count(from), size - 1);

	text[n] = 0;
	return copy_from_iter_full(text, n, from) ? 0 : -EFAULT;
}

static int number_from(struct iter *from, long *out)
{
	char text[24];
	int err = text_from(from, text, sizeof(text));

	return err ? err : kstrtol(strim(text), 0, out);
}

static ssize_t oom_adj_write(struct kiocb *iocb, struct iter *from)
{
	struct task *task = get_proc_task(file_inode(iocb->ki_filp));
	ssize_t ret = (ssize_t)iter_count(from);
	long v;
	int err;

	if (!task)
		return -ESRCH;
	err = number_from(from, &v);
	if (!err && (v < -1000 || v > 1000))
		err = -EINVAL;
	/* Below what it was granted only with the right to take from others. */
	if (!err && v < task->signal->oom_score_adj_min && !capable(CAP_SYS_RESOURCE))
		err = -EACCES;
	if (!err) {
		task->signal->oom_score_adj = (short)v;
		if (capable(CAP_SYS_RESOURCE))
			task->signal->oom_score_adj_min = (short)v;
	}
	put_task_struct(task);
	return err ? err : ret;
}

#ifdef CONFIG_FAULT_INJECTION
static int show_make_it_fail(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	(void)ns;
	(void)pid;
	seq_printf(m, "%d\n", READ_ONCE(task->make_it_fail));
	return 0;
}

static ssize_t make_it_fail_write(struct kiocb *iocb, struct iter *from)
{
	struct task *task = get_proc_task(file_inode(iocb->ki_filp));
	ssize_t ret = (ssize_t)iter_count(from);
	long v;
	int err;

	if (!task)
		return -ESRCH;
	err = capable(CAP_SYS_RESOURCE) ? number_from(from, &v) : -EPERM;
	if (!err && (v < 0 || v > 1))
		err = -EINVAL;
	if (!err)
		WRITE_ONCE(task->make_it_fail, v);
	put_task_struct(task);
	return err ? err : ret;
}

/* A task may set and ask for its own between two calls: nothing here is a chance to fail. */
static ssize_t fail_nth_write(struct kiocb *iocb, struct iter *from)
{
	struct task *task = get_proc_task(file_inode(iocb->ki_filp));
	ssize_t ret = (ssize_t)iter_count(from);
	unsigned int own = current->fail_nth;
	long v;
	int err;

	if (!task)
		return -ESRCH;
	current->fail_nth = 0;
	err = number_from(from, &v);
	current->fail_nth = own;
	if (!err && (v < 0 || v > UINT_MAX))
		err = v < 0 ? -EINVAL : -ERANGE;
	if (!err)
		WRITE_ONCE(task->fail_nth, (unsigned int)v);
	put_task_struct(task);
	return err ? err : ret;
}

static ssize_t fail_nth_read(struct kiocb *iocb, struct iter *to)
{
	struct task *task = get_proc_task(file_inode(iocb->ki_filp));
	unsigned int nth, own;
	char text[16];
	size_t len, done = 0;

	if (!task)
		return -ESRCH;
	nth = READ_ONCE(task->fail_nth);
	put_task_struct(task);
	len = (size_t)scnprintf(text, sizeof(text), "%u\n", nth);
	if (iocb->ki_pos >= (loff_t)len || !iter_count(to))
		return 0;
	own = current->fail_nth;
	current->fail_nth = 0;
	done = copy_to_iter(text + iocb->ki_pos, min(len - (size_t)iocb->ki_pos, iter_count(to)), to);
	current->fail_nth = own;
	iocb->ki_pos += (loff_t)done;
	return done ? (ssize_t)done : -EFAULT;
}
#endif

static int show_personality(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	int err = ptrace_begin_access(task, PTRACE_MODE_ATTACH_FSCREDS);

	(void)ns;
	(void)pid;
	if (!err) {
		seq_printf(m, "%08x\n", task->personality);
		ptrace_end_access(task);
	}
	return err;
}

#define WCHAN_NAME 128

/* Where a task sleeps: the first frame outside of the scheduler and its locks. */
static bool is_wchan(void *arg, unsigned long addr)
{
	unsigned long start, len;

	return (addr >= (unsigned long)__start_sched_text && addr < (unsigned long)__stop_sched_text) ||
	       !ksym_lookup(addr, &start, &len, arg, WCHAN_NAME);
}

/* "0" for one that runs, or that the reader may not look into. */
static int show_wchan(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	char name[WCHAN_NAME] = "";

	(void)ns;
	(void)pid;
	if (!proc_begin_access(task, PTRACE_MODE_READ)) {
		if (READ_ONCE(task->state) && !READ_ONCE(task->on_cpu) && try_get_task_stack(task)) {
			arch_stack_walk_task(task, is_wchan, name);
			put_task_stack(task);
		}
		proc_end_access(task);
	}
	seq_puts(m, *name ? name : "0");
	return 0;
}

struct stack_arg {
	struct seq_file *m;
	int left;
};

static bool show_frame(void *arg, unsigned long addr)
{
	struct stack_arg *a = arg;
	char text[96];

	unsigned long start, len;

	/* Names, never addresses: they would tell where the kernel lies. */
	if (ksym_lookup(addr, &start, &len, text, sizeof(text)))
		seq_printf(a->m, "[<0>] %s+0x%lx/0x%lx\n", text, addr - start, len);
	else
		seq_puts(a->m, "[<0>] ?\n");
	return --a->left > 0;
}

static int show_stack(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	struct stack_arg a = { m, 64 };
	int err;

	(void)ns;
	(void)pid;
	/* Of who opened it: a privileged program that copies it out for somebody gives nothing away. */
	if (!cred_capable(m->file->f_cred, &init_user_ns, CAP_SYS_ADMIN))
		return -EACCES;
	err = ptrace_begin_access(task, PTRACE_MODE_ATTACH_FSCREDS);
	if (err)
		return err;
	if (task == current) {
		arch_stack_walk(NULL, show_frame, &a);
	} else if (!READ_ONCE(task->on_cpu) && try_get_task_stack(task)) {
		arch_stack_walk_task(task, show_frame, &a);
		put_task_stack(task);
	}
	ptrace_end_access(task);
	return 0;
}

/* proc(5): the system call that the task is in, its arguments, stack pointer and program counter. -1: it sleeps outside of system calls. */
static void show_blocked(struct seq_file *m, const struct pt_regs *regs)
{
	long nr = arch_syscall_nr(regs);

	seq_printf(m, "%ld", nr);
	for (unsigned int i = 0; nr >= 0 && i < 6; i++)
		seq_printf(m, " 0x%lx", arch_syscall_arg(regs, i));
	seq_printf(m, " 0x%lx 0x%lx\n", regs_sp(regs), regs_ip(regs));
}

static int show_syscall(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	int err = ptrace_begin_access(task, PTRACE_MODE_ATTACH_FSCREDS);

	(void)ns;
	(void)pid;
	if (err)
		return err;
	if ((task != current && READ_ONCE(task->on_cpu)) || is_kthread(task)) {
		seq_puts(m, "running\n");
	} else if (!try_get_task_stack(task)) {
		seq_puts(m, "-1 0x0 0x0\n");
	} else {
		show_blocked(m, task_pt_regs(task));
		put_task_stack(task);
	}
	ptrace_end_access(task);
	return 0;
}

static int show_cgroup(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	(void)ns;
	(void)pid;
	(void)task;
	seq_puts(m, "0::/\n");
	return 0;
}

static int show_coredump_filter(struct seq_file *m, struct pid_namespace *ns, struct pid *pid,
				struct task *task)
{
	struct mm *mm = get_task_mm(task);

	(void)ns;
	(void)pid;
	if (mm) {
		seq_printf(m, "%08lx\n", mm->flags >> MMF_DUMP_FILTER_SHIFT & 0x1ff);
		mmput(mm);
	}
	return 0;
}

static ssize_t coredump_filter_write(struct kiocb *iocb, struct iter *from)
{
	struct task *task = get_proc_task(file_inode(iocb->ki_filp));
	ssize_t ret = (ssize_t)iter_count(from);
	struct mm *mm;
	long v;
	int err;

	if (!task)
		return -ESRCH;
	err = number_from(from, &v);
	mm = err ? NULL : get_task_mm(task);
	if (mm) {
		for (int i = 0; i < 9; i++) {
			if (v >> i & 1)
				set_bit(MMF_DUMP_FILTER_SHIFT + i, &mm->flags);
			else
				clear_bit(MMF_DUMP_FILTER_SHIFT + i, &mm->flags);
		}
		mmput(mm);
	}
	put_task_struct(task);
	return err ? err : ret;
}

/* RCU. May the caller see and set the slack of TASK's timers? */
static bool may_slack(struct task *task)
{
	return task == current || ns_capable(__task_cred(task)->user_ns, CAP_SYS_NICE);
}

static int show_timerslack(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	bool may;

	(void)ns;
	(void)pid;
	rcu_read_lock();
	may = may_slack(task);
	rcu_read_unlock();
	if (!may)
		return -EPERM;
	seq_printf(m, "%llu\n", READ_ONCE(task->timer_slack_ns));
	return 0;
}

/* As PR_SET_TIMERSLACK: 0 is the default, and real-time tasks have none. */
static ssize_t timerslack_write(struct kiocb *iocb, struct iter *from)
{
	struct task *task;
	ssize_t ret = (ssize_t)iter_count(from);
	char text[24];
	u64 ns;
	int err;

	if (iter_count(from) >= sizeof(text))
		return -EINVAL;
	err = text_from(from, text, sizeof(text));
	if (!err)
		err = kstrtoull(text, 10, &ns);
	if (err)
		return err;
	task = get_proc_task(file_inode(iocb->ki_filp));
	if (!task)
		return -ESRCH;
	rcu_read_lock();
	err = may_slack(task) ? 0 : -EPERM;
	rcu_read_unlock();
	if (!err)
		WRITE_ONCE(task->timer_slack_ns, READ_ONCE(task->rt_priority) ? 0 : ns ? ns : task->default_timer_slack_ns);
	put_task_struct(task);
	return err ? err : ret;
}

/* Mount tables. */

static int mounts_open_as(struct inode *inode, struct file *file, enum mounts_format format)
{
	struct task *task = get_proc_task(inode);
	int err;

	if (!task)
		return -ESRCH;
	err = mounts_open(file, task, format);
	put_task_struct(task);
	return err;
}

static int mounts_open_fstab(struct inode *i, struct file *f) { return mounts_open_as(i, f, MOUNTS_FSTAB); }
static int mounts_open_info(struct inode *i, struct file *f) { return mounts_open_as(i, f, MOUNTS_INFO); }
static int mounts_open_stats(struct inode *i, struct file *f) { return mounts_open_as(i, f, MOUNTS_STATS); }

static int mounts_release_file(struct inode *inode, struct file *file)
{
	(void)inode;
	return mounts_release(file);
}

#define MOUNTS_FOPS(fopen)							\
	{ .open = fopen, .read_iter = seq_read_iter, .llseek = seq_lseek,	\
	  .release = mounts_release_file, .poll = mounts_poll, .splice_read = copy_splice_read }
static const struct file_operations mounts_fops = MOUNTS_FOPS(mounts_open_fstab);
static const struct file_operations mountinfo_fops = MOUNTS_FOPS(mounts_open_info);
static const struct file_operations mountstats_fops = MOUNTS_FOPS(mounts_open_stats);

#define WRITABLE_FOPS(fopen, fwrite)						\
	{ .open = fopen, .read_iter = seq_read_iter, .llseek = seq_lseek, \
	  .release = single_release, .write_iter = fwrite }
static const struct file_operations comm_fops = WRITABLE_FOPS(single_open_pid, comm_write);
static const struct file_operations timerslack_fops = WRITABLE_FOPS(single_open_pid, timerslack_write);
static const struct file_operations oom_adj_fops = WRITABLE_FOPS(number_open, oom_adj_write);
static const struct file_operations coredump_filter_fops = WRITABLE_FOPS(number_open, coredump_filter_write);

#ifdef CONFIG_FAULT_INJECTION
static const struct file_operations make_it_fail_fops = WRITABLE_FOPS(number_open, make_it_fail_write);
static const struct file_operations fail_nth_fops = {
	.read_iter = fail_nth_read, .write_iter = fail_nth_write, .llseek = generic_file_llseek,
};
#endif

static const struct inode_operations task_dir_iops;
static const struct file_operations task_dir_fops;

#define DIR(n, m, i, f) { .name = n, .mode = S_IFDIR | (m), .iop = i, .fop = f }
#define LNK(n, g) { .name = n, .mode = S_IFLNK | 0777, .get_link = g }
#define REG(n, m, f) { .name = n, .mode = S_IFREG | (m), .fop = f }
#define RW(n, m, f, s) { .name = n, .mode = S_IFREG | (m), .fop = f, .show = s }
#define ONE(n, m, s) { .name = n, .mode = S_IFREG | (m), .show = s }

#ifdef CONFIG_FAULT_INJECTION
#define FAULT_ENTRIES								\
	RW("make-it-fail", 0644, &make_it_fail_fops, show_make_it_fail),	\
	REG("fail-nth", 0644, &fail_nth_fops),
#else
#define FAULT_ENTRIES
#endif

#define COMMON_ENTRIES								\
	DIR("fd", 0500, &proc_fd_iops, &proc_fd_fops),				\
	DIR("fdinfo", 0555, &proc_fdinfo_iops, &proc_fdinfo_fops),		\
	DIR("ns", 0511, &proc_ns_dir_iops, &proc_ns_dir_fops),			\
	DIR("net", 0555, &proc_net_iops, &proc_net_fops),			\
	REG("environ", 0400, &proc_environ_fops),				\
	REG("auxv", 0400, &proc_auxv_fops),					\
	ONE("status", 0444, proc_show_status),					\
	ONE("personality", 0400, show_personality),				\
	ONE("limits", 0444, proc_show_limits),					\
	ONE("sched", 0444, proc_show_sched),					\
	RW("comm", 0644, &comm_fops, show_comm),				\
	ONE("syscall", 0400, show_syscall),					\
	REG("cmdline", 0444, &proc_cmdline_fops),				\
	ONE("statm", 0444, proc_show_statm),					\
	REG("maps", 0444, &proc_maps_fops),					\
	REG("smaps", 0444, &proc_smaps_fops),					\
	REG("smaps_rollup", 0444, &proc_rollup_fops),				\
	REG("pagemap", 0400, &proc_pagemap_fops),				\
	REG("mem", 0600, &proc_mem_fops),					\
	LNK("cwd", link_cwd),							\
	LNK("root", link_root),							\
	LNK("exe", link_exe),							\
	REG("mounts", 0444, &mounts_fops),					\
	REG("mountinfo", 0444, &mountinfo_fops),				\
	REG("clear_refs", 0200, &proc_clear_refs_fops),				\
	ONE("wchan", 0444, show_wchan),						\
	ONE("stack", 0400, show_stack),						\
	ONE("schedstat", 0444, proc_show_schedstat),				\
	ONE("cgroup", 0444, show_cgroup),					\
	ONE("oom_score", 0444, show_oom_score),					\
	RW("oom_score_adj", 0644, &oom_adj_fops, show_oom_adj),			\
	REG("loginuid", 0644, &proc_loginuid_fops),					\
	REG("sessionid", 0444, &proc_sessionid_fops),				\
	REG("numa_maps", 0444, &proc_numa_maps_fops),				\
	REG("uid_map", 0644, &proc_uid_map_fops),					\
	REG("gid_map", 0644, &proc_gid_map_fops),					\
	REG("projid_map", 0644, &proc_projid_map_fops),				\
	REG("setgroups", 0644, &proc_setgroups_fops),					\
	FAULT_ENTRIES								\
	ONE("io", 0400, proc_show_io)

static const struct pid_entry tgid_entries[] = {
	DIR("task", 0555, &task_dir_iops, &task_dir_fops),
	COMMON_ENTRIES,
	ONE("stat", 0444, proc_show_stat),
	REG("mountstats", 0400, &mountstats_fops),
	RW("coredump_filter", 0644, &coredump_filter_fops, show_coredump_filter),
	RW("timerslack_ns", 0666, &timerslack_fops, show_timerslack),
};

static const struct pid_entry tid_entries[] = {
	COMMON_ENTRIES,
	ONE("stat", 0444, proc_show_thread_stat),
	REG("children", 0444, &proc_children_fops),
};

static struct dentry *tgid_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)flags;
	return proc_entries_lookup(dir, d, tgid_entries, ARRAY_SIZE(tgid_entries), PROC_OF_ENTRY);
}

static int tgid_readdir(struct file *file, struct dir_context *ctx)
{
	return proc_entries_readdir(file, ctx, tgid_entries, ARRAY_SIZE(tgid_entries), PROC_OF_ENTRY);
}

static struct dentry *tid_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)flags;
	return proc_entries_lookup(dir, d, tid_entries, ARRAY_SIZE(tid_entries), PROC_OF_ENTRY);
}

static int tid_readdir(struct file *file, struct dir_context *ctx)
{
	return proc_entries_readdir(file, ctx, tid_entries, ARRAY_SIZE(tid_entries), PROC_OF_ENTRY);
}

static const struct inode_operations tgid_iops = {
	.lookup = tgid_lookup, .permission = pid_permission, .setattr = proc_setattr,
};
static const struct file_operations tgid_fops = {
	.llseek = generic_file_llseek, .read_iter = generic_read_dir, .iterate_shared = tgid_readdir,
};

struct pid *proc_dir_pid(const struct file *file)
{
	return file->f_op == &tgid_fops ? PROC_I(file->f_inode)->pid : NULL;
}

static const struct inode_operations tid_iops = {
	.lookup = tid_lookup, .permission = proc_task_permission, .setattr = proc_setattr,
};
static const struct file_operations tid_fops = {
	.llseek = generic_file_llseek, .read_iter = generic_read_dir, .iterate_shared = tid_readdir,
};

/* Numbers. */

static unsigned int name_to_nr(const struct qstr *name)
{
	unsigned int n = 0;

	if (!name->len || (name->len > 1 && name->name[0] == '0'))
		return ~0u;
	for (u32 i = 0; i < name->len; i++) {
		unsigned int c = (u8)name->name[i] - '0';

		if (c > 9 || n >= (~0u - 9) / 10)
			return ~0u;
		n = n * 10 + c;
	}
	return n;
}

static struct task *task_by_nr(unsigned int nr, struct pid_namespace *ns)
{
	struct task *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	pid = find_pid_ns((int)nr, ns);
	if (pid)
		task = get_pid_task(pid, PIDTYPE_PID);
	rcu_read_unlock();
	return task;
}

static struct dentry *instantiate(struct dentry *d, struct super_block *sb, struct task *task,
				  const struct inode_operations *iop, const struct file_operations *fop,
				  unsigned int nlink)
{
	struct inode *inode = proc_task_inode(sb, task, S_IFDIR | 0555, 0);
	struct proc_inode *pi;

	if (!inode)
		return ERR_PTR(-ENOENT);
	pi = PROC_I(inode);
	inode->i_ino = proc_task_ino(pi->pid, iop == &tid_iops);
	inode->i_op = iop;
	inode->i_fop = fop;
	inode->i_flags |= S_IMMUTABLE;
	set_nlink(inode, nlink);
	inode_set_op_flags(inode);
	d_set_d_op(d, &proc_pid_dops);
	spin_lock(&pi->pid->lock);
	hlist_add_head(&pi->of_pid, &pi->pid->inodes);
	spin_unlock(&pi->pid->lock);
	return d_splice_alias(inode, d);
}

void proc_pid_forget(struct proc_inode *pi)
{
	if (hlist_unhashed(&pi->of_pid))
		return;
	spin_lock(&pi->pid->lock);
	if (!hlist_unhashed(&pi->of_pid))
		hlist_del_init(&pi->of_pid);
	spin_unlock(&pi->pid->lock);
}

/*
 * Who looks a directory up from here on has it only as long as he holds it (pid_delete()). The super block cannot go while one of its
 * inodes is on the list: it has to be taken off first, under the lock.
 */
void proc_flush_pid(struct pid *pid)
{
	while (!hlist_empty(&pid->inodes)) {
		struct dentry *d = NULL;
		struct proc_inode *pi;
		struct super_block *sb;
		struct inode *inode;

		rcu_read_lock();	/* frees inodes */
		spin_lock(&pid->lock);
		pi = hlist_entry_safe(pid->inodes.first, struct proc_inode, of_pid);
		if (!pi) {
			spin_unlock(&pid->lock);
			rcu_read_unlock();
			return;
		}
		hlist_del_init(&pi->of_pid);
		sb = pi->vfs_inode.i_sb;
		if (!atomic_inc_not_zero(&sb->s_active)) {	/* being unmounted: that drops all */
			spin_unlock(&pid->lock);
			rcu_read_unlock();
			continue;
		}
		spin_unlock(&pid->lock);
		inode = igrab(&pi->vfs_inode);
		rcu_read_unlock();
		if (inode)
			d = d_find_alias(inode);
		if (d) {
			d_invalidate(d);
			dput(d);
		}
		iput(inode);
		deactivate_super(sb);
	}
}

struct dentry *proc_pid_lookup(struct dentry *d, struct super_block *sb)
{
	unsigned int nr = name_to_nr(&d->d_name);
	struct dentry *res = ERR_PTR(-ENOENT);
	struct task *task;

	if (nr == ~0u)
		return res;
	task = task_by_nr(nr, proc_pid_ns(sb));
	if (!task)
		return res;
	if (visible(proc_sb_info(sb), task, 4))
		res = instantiate(d, sb, task, &tgid_iops, &tgid_fops, 9);
	put_task_struct(task);
	return res;
}

/* The number of its directory; 0: it was waited for meanwhile. */
static u64 ino_of(struct task *task, bool thread)
{
	struct pid *pid;
	u64 ino;

	rcu_read_lock();
	pid = task_pid_type(task, PIDTYPE_PID);
	ino = pid ? proc_task_ino(pid, thread) : 0;
	rcu_read_unlock();
	return ino;
}

int proc_pid_readdir(struct file *file, struct dir_context *ctx)
{
	struct super_block *sb = file_inode(file)->i_sb;
	unsigned int nr = (unsigned int)(ctx->pos - FIRST_PROCESS_ENTRY);
	struct task *task;

	for (; (task = next_process(proc_pid_ns(sb), &nr)); nr++) {
		char name[12];
		bool ok = true;

		ctx->pos = (loff_t)nr + FIRST_PROCESS_ENTRY;
		if (visible(proc_sb_info(sb), task, 2)) {
			int len = snprintf(name, sizeof(name), "%u", nr);

			ok = dir_emit(ctx, name, len, ino_of(task, false), DT_DIR);
		}
		put_task_struct(task);
		if (!ok)
			return 0;
		ctx->pos++;
		cond_resched();
	}
	return 0;
}

/* /proc/PID/task */

static struct dentry *task_dir_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	struct task *leader = get_proc_task(dir), *task = NULL;
	struct dentry *res = ERR_PTR(-ENOENT);
	unsigned int nr = name_to_nr(&d->d_name);

	(void)flags;
	if (!leader)
		return res;
	if (nr != ~0u)
		task = task_by_nr(nr, proc_pid_ns(dir->i_sb));
	if (task) {
		if (same_thread_group(leader, task))
			res = instantiate(d, dir->i_sb, task, &tid_iops, &tid_fops, 6);
		put_task_struct(task);
	}
	put_task_struct(leader);
	return res;
}

struct tids {
	unsigned int n;
	struct { u64 stamp, ino; int nr; } of[32];
};

/* Threads that came after STAMP, as many as fit. */
static void next_tids(struct signal_struct *s, u64 stamp, struct pid_namespace *ns, struct tids *tids)
{
	struct sighand_struct *h;
	unsigned long flags;

	tids->n = 0;
	h = lock_threads(s, &flags);
	if (!h)
		return;
	for (struct task *t = thread_after(s, stamp); t && tids->n < ARRAY_SIZE(tids->of); t = thread_next(t)) {
		tids->of[tids->n].stamp = t->thread_stamp;
		tids->of[tids->n].ino = ino_of(t, true);
		tids->of[tids->n++].nr = task_pid_nr_ns(t, ns);
	}
	spin_unlock_irqrestore(&h->siglock, flags);
}

/* In the order in which they came. The position is the stamp of the last one and 2. */
static int task_dir_readdir(struct file *file, struct dir_context *ctx)
{
	struct pid_namespace *ns = proc_pid_ns(file_inode(file)->i_sb);
	struct task *leader = get_proc_task(file_inode(file));
	struct tids tids;

	if (!leader)
		return -ENOENT;
	if (!dir_emit_dots(file, ctx))
		goto out;
	do {
		next_tids(leader->signal, (u64)ctx->pos - 2, ns, &tids);
		for (unsigned int i = 0; i < tids.n; i++) {
			char name[12];
			int len = snprintf(name, sizeof(name), "%d", tids.of[i].nr);

			if (tids.of[i].nr && !dir_emit(ctx, name, len, tids.of[i].ino, DT_DIR))
				goto out;
			ctx->pos = (loff_t)tids.of[i].stamp + 2;
		}
		cond_resched();
	} while (tids.n && !fatal_signal_pending(current));
out:
	put_task_struct(leader);
	return 0;
}

static int task_dir_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
			    unsigned int flags)
{
	struct inode *inode = path->dentry->d_inode;
	struct task *task = get_proc_task(inode);

	(void)flags;
	generic_fillattr(idmap, mask, inode, stat);
	if (task) {
		stat->nlink += (unsigned int)READ_ONCE(task->signal->nr_threads);
		put_task_struct(task);
	}
	return 0;
}

static const struct inode_operations task_dir_iops = {
	.lookup = task_dir_lookup, .getattr = task_dir_getattr, .permission = pid_permission, .setattr = proc_setattr,
};
static const struct file_operations task_dir_fops = {
	.llseek = generic_file_llseek, .read_iter = generic_read_dir, .iterate_shared = task_dir_readdir,
};

/* self and thread-self. */

static void free_text(void *p)
{
	kfree(p);
}

static const char *self_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	struct pid_namespace *ns = proc_pid_ns(inode->i_sb);
	int tgid = task_tgid_nr_ns(current, ns);
	char *text;

	if (!tgid)
		return ERR_PTR(-ENOENT);
	if (!d)
		return ERR_PTR(-ECHILD);
	text = kmalloc(40, GFP_KERNEL);
	if (!text)
		return ERR_PTR(-ENOMEM);
	if (inode->i_ino == 2)
		snprintf(text, 40, "%d", tgid);
	else
		snprintf(text, 40, "%d/task/%d", tgid, task_pid_nr_ns(current, ns));
	set_delayed_call(done, free_text, text);
	return text;
}

static const struct inode_operations self_iops = { .get_link = self_get_link };

struct dentry *proc_self_lookup(struct inode *dir, struct dentry *d)
{
	struct inode *inode = new_inode(dir->i_sb);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_ino = d->d_name.name[0] == 's' ? 2 : 3;	/* root_readdir() */
	inode->i_mode = S_IFLNK | S_IRWXUGO;
	inode->i_op = &self_iops;
	simple_inode_init_ts(inode);
	inode_set_op_flags(inode);
	return d_splice_alias(inode, d);
}
