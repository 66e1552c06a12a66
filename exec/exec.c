// SPDX-License-Identifier: MIT
/*
 * execve(2): opens the file, collects arguments, works out the new credentials, asks each format, and swaps the program.
 *
 * Until exec_commit() everything can fail with an errno. In it the other threads are killed, the new address space takes the
 * place of the old and the new credentials theirs; a failure after that kills the process, since there is nothing to go
 * back to.
 *
 * Strings are collected in kernel pages from the top down, just as they will lie at the top of the stack, so that a script can
 * put its interpreter in front and one copy places them.
 */
#include <lib/types.h>
#include <kernel/init.h>
#include <lib/err.h>
#include <lib/fcaps.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/elf.h>
#include <arch/fpu.h>
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <exec/exec.h>
#include <kernel/bug.h>
#include <kernel/show.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/posix_timers.h>
#include <proc/proc_priv.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
#include <proc/rseq.h>
#include <proc/signal.h>
#include <proc/signal_sets.h>
#include <proc/upcalls.h>
#include <proc/wait.h>
#include <sched/sched.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include <vfs/xattr.h>
#include <abi/errno.h>
#include <linux/binfmts.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <linux/personality.h>
#include "exec_priv.h"

#define MAX_STRINGS 0x7fffffff
#define DEFAULT_STACK_LIMIT (8UL << 20)	/* what a program with more rights than its caller's gets at most */

int exec_read(struct file *f, void *buf, size_t len, u64 pos)
{
	while (len) {
		loff_t at = (loff_t)pos;
		ssize_t n = kernel_read(f, buf, len, &at);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EIO;
		buf = (char *)buf + n;
		len -= (size_t)n;
		pos += (size_t)n;
	}
	return 0;
}

/* ---- strings ---- */

/* Makes room for LEN more bytes in front. */
static int reserve(struct exec_prog *p, size_t len)
{
	size_t need;

	if (len > p->limit || p->used > p->limit - len)
		return -E2BIG;
	need = DIV_ROUND_UP(p->used + len, PAGE_SIZE);
	while (p->nr_pages < need) {
		if (!(p->nr_pages & (p->nr_pages + 15) & 15)) {
			char **n = krealloc(p->pages, (p->nr_pages + 16) * sizeof(*n), GFP_KERNEL);

			if (!n)
				return -ENOMEM;
			p->pages = n;
		}
		p->pages[p->nr_pages] = (char *)__get_free_page(GFP_KERNEL);
		if (!p->pages[p->nr_pages])
			return -ENOMEM;
		p->nr_pages++;
	}
	return 0;
}

/* The byte that lies OFF bytes below the top (1 is the last), and how many follow it in its page. */
static char *string_at(struct exec_prog *p, size_t off, size_t *run)
{
	size_t page = (off - 1) / PAGE_SIZE, in = PAGE_SIZE - 1 - (off - 1) % PAGE_SIZE;

	*run = PAGE_SIZE - in;
	return p->pages[page] + in;
}

int exec_push(struct exec_prog *p, const char *s, size_t len)
{
	int e = reserve(p, len);
	size_t off;

	if (e)
		return e;
	p->used += len;
	for (off = p->used; len;) {
		size_t run;
		char *d = string_at(p, off, &run);

		run = min(run, len);
		memcpy(d, s, run);
		s += run;
		len -= run;
		off -= run;
	}
	return 0;
}

static int push_user(struct exec_prog *p, struct uptr s, size_t len)
{
	int e = reserve(p, len);
	size_t off;

	if (e)
		return e;
	p->used += len;
	for (off = p->used; len;) {
		size_t run;
		char *d = string_at(p, off, &run);

		run = min(run, len);
		if (copy_from_user(d, s, run))
			return -EFAULT;
		if (run == len)
			d[run - 1] = '\0';	/* it may have changed since it was measured */
		s = uptr_add(s, run);
		len -= run;
		off -= run;
	}
	return 0;
}

void exec_pop_front(struct exec_prog *p)
{
	size_t run;

	while (p->used) {
		char c = *string_at(p, p->used--, &run);

		if (!c)
			break;
	}
}

static int count_user(struct uptr v)
{
	int n = 0;

	if (uptr_is_null(v))
		return 0;
	for (;;) {
		u64 s;

		if (get_user(s, uptr_add(v, (unsigned long)n * sizeof(u64))))
			return -EFAULT;
		if (!s)
			return n;
		if (n++ >= MAX_STRINGS)
			return -E2BIG;
		if (!(n & 255) && fatal_signal_pending(current))
			return -ERESTARTNOHAND;
	}
}

static int push_user_array(struct exec_prog *p, struct uptr v, int n)
{
	while (n-- > 0) {
		u64 s;
		size_t len;
		int e;

		if (get_user(s, uptr_add(v, (unsigned long)n * sizeof(u64))))
			return -EFAULT;
		len = strnlen_user(UPTR(s), MAX_ARG_STRLEN);
		if (!len)
			return -EFAULT;
		if (len > MAX_ARG_STRLEN)
			return -E2BIG;
		e = push_user(p, UPTR(s), len);
		if (e)
			return e;
		if (fatal_signal_pending(current))
			return -ERESTARTNOHAND;
	}
	return 0;
}

static int push_kernel_array(struct exec_prog *p, const char *const *v, int *count)
{
	int n = 0, e = 0;

	while (v && v[n])
		n++;
	*count = n;
	while (n-- > 0 && !e)
		e = exec_push(p, v[n], strlen(v[n]) + 1);
	return e;
}

/* A quarter of the stack limit, at most 6 MiB, at least what old programs could count on; pointers are part of it. */
static int set_limit(struct exec_prog *p)
{
	size_t limit = min_t(u64, 6UL << 20, p->stack_limit / 4), ptrs;

	limit = max_t(size_t, limit, 32 * PAGE_SIZE);
	ptrs = ((size_t)max(p->argc, 1) + (size_t)p->envc) * sizeof(u64);
	if (limit <= ptrs)
		return -E2BIG;
	p->limit = limit - ptrs;
	return 0;
}

/* ---- credentials (capabilities(7), "Transformation of capabilities during execve()") ---- */

/* The ids that the file gives, as they are at one moment: a chown that takes the bits away is not between bits and owner. */
static void file_owner_creds(struct exec_prog *p, struct cred *n)
{
	struct inode *inode = file_inode(p->executable);
	umode_t mode;
	kuid_t uid;
	kgid_t gid;

	if (!mnt_may_suid(p->executable->f_path.mnt) || current->no_new_privs || !(READ_ONCE(inode->i_mode) & (S_ISUID | S_ISGID)))
		return;
	inode_lock(inode);
	mode = file_permission(p->executable, MAY_EXEC) ? 0 : inode->i_mode;
	uid = inode->i_uid;
	gid = inode->i_gid;
	inode_unlock(inode);
	if (!privileged_wrt_inode_ids(n->user_ns, uid, gid))
		return;
	if (mode & S_ISUID)
		n->euid = uid;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		n->egid = gid;
	if (mode & S_ISUID || (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		p->personality_clear = PER_CLEAR_ON_SETID;
}

static bool gains_caps(const struct cred *n, const struct cred *old)
{
	return !cap_issubset(n->cap_permitted, old->cap_permitted);
}

/*
 * The file's capabilities, as far as the bounding set and what may be inherited go: 1 if it has any, 0. -EPERM: a program that takes them for granted (its effective
 * bit is set) would not get all.
 */
static int file_caps(struct exec_prog *p, struct cred *n, bool *effective)
{
	struct fcaps f;
	int e;

	if (!mnt_may_suid(p->executable->f_path.mnt))
		return 0;
	e = vfs_file_caps(p->executable->f_path.dentry, &f);
	if (e)
		return e == -ENODATA ? 0 : e;
	n->cap_permitted.val = (n->cap_bset.val & f.permitted) | (n->cap_inheritable.val & f.inheritable);
	*effective = f.effective;
	return f.effective && f.permitted & ~n->cap_permitted.val ? -EPERM : 1;
}

/*
 * User 0 of its namespace has all that the bounding set allows. True: at once in effect. A set-user-ID program that has capabilities
 * of its own gets those alone, unless root itself calls it.
 */
static bool root_caps(struct cred *n, const struct cred *old, kuid_t root, bool has_caps)
{
	if (issecure(SECURE_NOROOT) || (!uid_eq(n->euid, root) && !uid_eq(n->uid, root)))
		return false;
	if (has_caps && !uid_eq(n->uid, root))
		return false;
	n->cap_permitted.val = old->cap_bset.val | old->cap_inheritable.val;
	return uid_eq(n->euid, root);
}

/*
 * A tracer, somebody who shares the root and working directories, and no_new_privs: the program gets no rights that the process had
 * not, unless the process could have changed its ids itself; then at least no capabilities.
 */
static void downgrade(struct cred *n, const struct cred *old)
{
	if (current->no_new_privs || !ns_capable(n->user_ns, CAP_SETUID)) {
		n->euid = n->uid;
		n->egid = n->gid;
	}
	n->cap_permitted.val &= old->cap_permitted.val;
}

static int new_creds(struct exec_prog *p)
{
	const struct cred *old = current_cred();
	struct cred *n = p->cred;
	kuid_t root = make_kuid(n->user_ns, 0);
	bool effective = false, changed;
	int has_caps;

	n->cap_permitted = CAP_EMPTY_SET;
	file_owner_creds(p, n);
	has_caps = file_caps(p, n, &effective);
	if (has_caps < 0)
		return has_caps;
	effective |= root_caps(n, old, root, has_caps);
	if (gains_caps(n, old))
		p->personality_clear = PER_CLEAR_ON_SETID;
	changed = !uid_eq(n->euid, old->euid) || !in_group_p(n->egid);
	if ((changed || gains_caps(n, old)) && (p->unsafe || !ptracer_capable(current, n->user_ns)))
		downgrade(n, old);
	n->suid = n->fsuid = n->euid;
	n->sgid = n->fsgid = n->egid;
	if (changed || has_caps)
		n->cap_ambient = CAP_EMPTY_SET;
	n->cap_permitted.val |= n->cap_ambient.val;
	n->cap_effective = effective ? n->cap_permitted : n->cap_ambient;
	n->securebits &= ~(1U << SECURE_KEEP_CAPS);
	p->secure = changed || !uid_eq(n->euid, old->uid) || !gid_eq(n->egid, old->gid) ||
		    (!uid_eq(n->uid, root) && (effective || !cap_issubset(n->cap_permitted, n->cap_ambient)));
	return 0;
}

void exec_would_dump(struct exec_prog *p, struct file *file)
{
	struct user_namespace *ns = p->mm->user_ns, *old = ns;
	const struct inode *inode = file_inode(file);

	if (!file_permission(file, MAY_READ))
		return;
	p->unreadable = true;
	/* Rights over the program take rights over its file: a namespace that maps the file's ids. */
	while (ns != &init_user_ns && !privileged_wrt_inode_ids(ns, inode->i_uid, inode->i_gid))
		ns = ns->parent;
	p->mm->user_ns = get_user_ns(ns);
	put_user_ns(old);
}

/* ---- the swap ---- */

/* Only the running thread is left, and it is the leader. 0, -EAGAIN when the process is dying. */
static int de_thread(struct task *me)
{
	struct signal_struct *s = me->signal;
	struct sighand_struct *old = task_sighand(me), *fresh;
	struct task *leader = me->group_leader;

	if (list_is_singular(&s->threads))
		goto alone;
	spin_lock_irq(&old->siglock);
	if ((s->flags & SIGNAL_GROUP_EXIT) || s->group_exec_task) {
		spin_unlock_irq(&old->siglock);
		return -EAGAIN;
	}
	s->group_exec_task = me;
	s->notify_count = s->nr_threads - 1;
	if (me != leader)
		s->notify_count--;	/* the leader stays as a zombie until we take its place */
	zap_other_threads(me);
	while (s->notify_count > 0) {
		__set_current_state(TASK_KILLABLE);
		spin_unlock_irq(&old->siglock);
		schedule();
		if (fatal_signal_pending(me))
			goto killed;
		spin_lock_irq(&old->siglock);
	}
	spin_unlock_irq(&old->siglock);
	if (me != leader) {
		for (;;) {
			write_lock_irq(&tasklist_lock);
			s->notify_count = -1;
			if (leader->exit_state)
				break;
			__set_current_state(TASK_KILLABLE);
			write_unlock_irq(&tasklist_lock);
			schedule();
			if (fatal_signal_pending(me))
				goto killed;
		}
		proc_take_leadership(me, leader);	/* releases tasklist_lock */
		release_task(leader);
	}
	s->group_exec_task = NULL;
	s->notify_count = 0;
alone:
	me->exit_signal = SIGCHLD;
	if (refcount_read(&old->count) == 1)
		return 0;
	fresh = kmem_cache_alloc(sighand_cache, GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	spin_lock_init(&fresh->siglock);
	refcount_set(&fresh->count, 1);
	init_signalfd(fresh);
	write_lock_irq(&tasklist_lock);
	spin_lock(&old->siglock);
	memcpy(fresh->action, old->action, sizeof(fresh->action));
	rcu_assign_pointer(me->sighand, fresh);
	spin_unlock(&old->siglock);
	write_unlock_irq(&tasklist_lock);
	put_sighand(old);
	return 0;
killed:
	read_lock(&tasklist_lock);
	s->group_exec_task = NULL;
	s->notify_count = 0;
	read_unlock(&tasklist_lock);
	__set_current_state(TASK_RUNNING);
	return -EAGAIN;
}

static void swap_mm(struct exec_prog *p)
{
	struct task *me = current;
	struct mm *old = me->mm, *old_active;

	futex_exit_release(me);
	mm_release(me);
	if (old)
		me->signal->maxrss = max(me->signal->maxrss, mm_hiwater_rss(old));
	task_lock(me);
	local_irq_disable();
	old_active = me->active_mm;	/* not before: a kernel thread has another one after each switch */
	me->mm = me->active_mm = p->mm;
	arch_switch_mm(old_active ? &old_active->context : NULL, &p->mm->context, me);
	local_irq_enable();
	task_unlock(me);
	p->mm = NULL;
	if (old)
		mmput(old);
	else if (old_active)
		mmdrop(old_active);
}

/* After the path by which it was called; where there was a descriptor only, after the file: of a script, its interpreter's. */
static void set_comm(struct exec_prog *p)
{
	const char *s = strrchr(p->path, '/');
	char name[TASK_COMM_LEN];
	struct dentry *d;

	if (!p->by_descriptor) {
		set_task_comm(current, s ? s + 1 : p->path);
		return;
	}
	d = p->executable->f_path.dentry;
	spin_lock(&d->d_lock);
	strscpy(name, d->d_name.name, sizeof(name));
	spin_unlock(&d->d_lock);
	set_task_comm(current, name);
}

int suid_dumpable;		/* fs.suid_dumpable */

/* What a program with more rights does not inherit (execve(2), "Effect on process attributes"). */
static void drop_dangerous(struct exec_prog *p)
{
	struct task *me = current;

	me->personality &= ~p->personality_clear;
	if (!p->secure)
		return;
	me->pdeath_signal = 0;
	p->stack_limit = min_t(u64, p->stack_limit, DEFAULT_STACK_LIMIT);
	task_lock(me->group_leader);
	me->signal->rlim[RLIMIT_STACK].cur = p->stack_limit;
	task_unlock(me->group_leader);
}

/* The other program, with its memory, its descriptors and its rights. exec_update_lock write-held. */
static int become(struct exec_prog *p)
{
	struct task *me = current;
	int e;

	swap_mm(p);
	me->flags &= ~(unsigned int)(PF_KTHREAD | PF_FORKNOEXEC | PF_NO_SETAFFINITY);
	e = arch_fpu_exec();
	if (e)
		return e;
	do_close_on_exec(me->files);
	flush_signals_for_exec(me);
	me->sas_ss_sp = 0;
	me->sas_ss_size = 0;
	me->sas_ss_flags = 2 /* SS_DISABLE */;
	me->robust_list = UPTR_NULL;
	me->rseq = NULL;
	rseq_slice_forget(me);
	drop_dangerous(p);
	WRITE_ONCE(me->self_exec_id, me->self_exec_id + 1);
	me->did_exec = true;
	set_comm(p);
	/* By whom it was called; commit_creds() adds what the call changed. */
	mm_set_dumpable(me->mm, p->unreadable || !uid_eq(current_euid(), current_uid()) || !gid_eq(current_egid(), current_gid()) ?
					(unsigned long)suid_dumpable : 1);
	commit_creds(p->cred);
	p->cred = NULL;
	return 0;
}

int exec_commit(struct exec_prog *p, bool exec_stack)
{
	struct task *me = current;
	int e;

	e = new_creds(p);
	if (e)
		return e;
	p->past_return = true;
	if (unlikely(me->uring))
		uring_task_stop(me);
	e = de_thread(me);
	if (e)
		return e;
	fs_exec_end();
	posix_timers_drop_all(me->signal);	/* they do not live over an exec; alarms do */
	e = unshare_files();
	if (e)
		return e;
	exec_would_dump(p, p->executable);
	mm_set_exe_file(p->mm, p->executable);
	if (down_write_killable(&me->signal->exec_update_lock))
		return -EINTR;
	e = become(p);
	up_write(&me->signal->exec_update_lock);
	return e;
}

void cred_changed_dumpable(struct task *t)
{
	mm_set_dumpable(t->mm, (unsigned long)suid_dumpable);
}

/* ---- the search for a format ---- */

static int read_head(struct exec_prog *p)
{
	loff_t pos = 0;
	ssize_t n;

	memset(p->head, 0, sizeof(p->head));
	n = kernel_read(p->file, p->head, sizeof(p->head), &pos);
	if (n < 0)
		return (int)n;
	p->head_len = (u32)n;
	return 0;
}

static int try_formats(struct exec_prog *p)
{
	int depth, e;

	for (depth = 0; depth <= 5; depth++) {
		e = read_head(p);
		if (e)
			return e;
		e = exec_load_script(p);
		if (!e)
			continue;	/* the file is now the interpreter */
		if (e != -ENOEXEC)
			return e;
		return exec_load_elf(p);
	}
	return -ELOOP;
}

static void prog_free(struct exec_prog *p)
{
	for (unsigned int i = 0; i < p->nr_pages; i++)
		free_page((unsigned long)p->pages[i]);
	kfree(p->pages);
	if (p->mm)
		mmput(p->mm);
	if (p->cred)
		abort_creds(p->cred);
	if (p->file) {
		allow_write_access(p->file);
		fput(p->file);
	}
	if (p->interp != p->path)
		kfree(p->interp);
	kfree(p->path);
	kfree(p);
}

static struct exec_prog *prog_new(int dfd, struct filename *fn, int flags)
{
	struct exec_prog *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int e = -ENOMEM;

	if (!p)
		return ERR_PTR(-ENOMEM);
	p->file = do_open_execat(dfd, fn, flags);
	if (IS_ERR(p->file)) {
		e = (int)PTR_ERR(p->file);
		p->file = NULL;
		goto fail;
	}
	p->executable = p->file;
	if (dfd == AT_FDCWD || fn->name[0] == '/') {
		p->path = kstrdup(fn->name, GFP_KERNEL);
	} else {
		char buf[32];

		snprintf(buf, sizeof(buf), "/dev/fd/%d", dfd);
		p->path = kmalloc(strlen(buf) + strlen(fn->name) + 2, GFP_KERNEL);
		if (p->path) {
			strscpy(p->path, buf, 32);
			if (fn->name[0]) {
				size_t n = strlen(p->path);

				p->path[n] = '/';
				strscpy(p->path + n + 1, fn->name, strlen(fn->name) + 1);
			}
			p->by_descriptor = !fn->name[0];
			p->interp_unreachable = get_close_on_exec((unsigned int)dfd);
		}
	}
	if (!p->path)
		goto fail;
	p->interp = p->path;
	p->mm = mm_alloc();
	p->cred = prepare_creds();
	if (!p->mm || !p->cred)
		goto fail;
	p->mm->user_ns = get_user_ns(current_user_ns());
	if (current->mm)	/* all but dumpable, which the credentials decide */
		p->mm->flags = mmf_inherited(current->mm->flags);
	p->stack_limit = rlimit(RLIMIT_STACK);
	return p;
fail:
	prog_free(p);
	return ERR_PTR(e);
}

static int run(struct exec_prog *p)
{
	struct task *me = current;
	int e, old_pid = 0;

	if (mutex_lock_interruptible(&me->signal->cred_guard_mutex))
		return -ERESTARTNOINTR;
	rcu_read_lock();		/* its number as it is now: a thread takes the leader's */
	old_pid = pid_nr_ns(task_own_pid(me), task_active_pid_ns(rcu_dereference(me->parent)));
	rcu_read_unlock();
	me->in_execve = true;
	p->unsafe = !fs_exec_begin() || me->no_new_privs;
	e = try_formats(p);
	if (!p->past_return || e)
		fs_exec_end();
	me->in_execve = false;
	mutex_unlock(&me->signal->cred_guard_mutex);
	if (e && p->past_return && !fatal_signal_pending(me))
		force_fatal_sig(SIGSEGV);
	if (unlikely(me->ptrace) && !e)
		ptrace_event(PTRACE_EVENT_EXEC, (unsigned long)old_pid);
	return e;
}

int do_execveat(int dfd, struct uptr filename, struct uptr argv, struct uptr envp, int flags)
{
	struct filename fn;
	struct exec_prog *p;
	int e;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_EXECVE_CHECK))
		return -EINVAL;
	if (unlikely(current->flags & PF_NPROC_EXCEEDED)) {
		if ((u64)atomic_read(&current_cred()->user->processes) > rlimit(RLIMIT_NPROC))
			return -EAGAIN;
		current->flags &= ~(unsigned int)PF_NPROC_EXCEEDED;
	}
	e = getname_flags(&fn, filename, flags & AT_EMPTY_PATH);
	if (e)
		return e;
	p = prog_new(dfd, &fn, flags);
	if (IS_ERR(p)) {
		e = (int)PTR_ERR(p);
		goto name;
	}
	p->argc = e = count_user(argv);
	if (e < 0)
		goto out;
	p->envc = e = count_user(envp);
	if (e < 0)
		goto out;
	e = set_limit(p);
	e = e ?: exec_push(p, p->path, strlen(p->path) + 1);
	e = e ?: push_user_array(p, envp, p->envc);
	e = e ?: push_user_array(p, argv, p->argc);
	if (!e && !p->argc) {		/* an empty argv becomes one empty string */
		e = exec_push(p, "", 1);
		p->argc = 1;
	}
	if (!(flags & AT_EXECVE_CHECK))
		e = e ?: run(p);
out:
	prog_free(p);
name:
	putname(&fn);
	return e;
}

int kernel_execve(const char *path, const char *const *argv, const char *const *envp)
{
	struct filename fn;
	struct exec_prog *p;
	int e;

	getname_kernel(&fn, path);
	p = prog_new(AT_FDCWD, &fn, 0);
	if (IS_ERR(p))
		return (int)PTR_ERR(p);
	e = set_limit(p);
	e = e ?: exec_push(p, p->path, strlen(p->path) + 1);
	e = e ?: push_kernel_array(p, envp, &p->envc);
	e = e ?: push_kernel_array(p, argv, &p->argc);
	e = e ?: run(p);
	prog_free(p);
	return e;
}

static int exec_sysctl(void)
{
	sysctl_int("fs/suid_dumpable", 0644, &suid_dumpable, 0, 2);
	return 0;
}
INITCALL(fs, exec_sysctl);
