// SPDX-License-Identifier: MIT
/*
 * A task's root, working directory and umask. Shared by CLONE_FS. The sequence count lets RCU-walk take
 * root and cwd without touching a reference; writers hold the lock.
 */
#include <lib/types.h>
#include "mount_priv.h"
#include <alloc/slab.h>
#include <sched/task.h>
#include <proc/pid.h>
#include <proc/upcalls.h>
#include <linux/sched.h>
#include <kernel/init.h>
#include <proc/ns.h>
#include <proc/signal.h>
#include <proc/threads.h>

static struct kmem_cache *fs_cache __ro_after_init;
struct fs_struct init_fs = {
	.users = 1,
	.lock = __SPIN_LOCK_UNLOCKED(init_fs.lock),
	.umask = 0022,
};

static void set_path(struct fs_struct *fs, struct path *slot, const struct path *path)
{
	struct path old;

	path_get(path);
	spin_lock(&fs->lock);
	raw_write_seqcount_begin(&fs->seq);
	old = *slot;
	*slot = *path;
	raw_write_seqcount_end(&fs->seq);
	spin_unlock(&fs->lock);
	if (old.dentry)
		path_put(&old);
}

void set_fs_root(struct fs_struct *fs, const struct path *path)
{
	set_path(fs, &fs->root, path);
}

void set_fs_pwd(struct fs_struct *fs, const struct path *path)
{
	set_path(fs, &fs->pwd, path);
}

void get_fs_root(struct fs_struct *fs, struct path *root)
{
	spin_lock(&fs->lock);
	*root = fs->root;
	path_get(root);
	spin_unlock(&fs->lock);
}

int set_fs_root_to_init(void)
{
	struct path root = {};
	struct task *init;

	rcu_read_lock();
	init = get_pid_task(find_pid_ns(1, &init_pid_ns), PIDTYPE_PID);
	rcu_read_unlock();
	if (!init)
		return -ESRCH;
	task_lock(init);
	if (init->fs)
		get_fs_root(init->fs, &root);
	task_unlock(init);
	put_task_struct(init);
	if (!root.dentry)
		return -ESRCH;
	set_fs_root(current->fs, &root);
	set_fs_pwd(current->fs, &root);
	path_put(&root);
	return 0;
}

void get_fs_pwd(struct fs_struct *fs, struct path *pwd)
{
	spin_lock(&fs->lock);
	*pwd = fs->pwd;
	path_get(pwd);
	spin_unlock(&fs->lock);
}

void get_fs_root_and_pwd_rcu(const struct fs_struct *fs, struct path *root, struct path *pwd)
{
	u32 seq;

	do {
		seq = read_seqcount_begin(&fs->seq);
		*root = fs->root;
		*pwd = fs->pwd;
	} while (read_seqcount_retry(&fs->seq, seq));
}

static bool replace_path(struct path *p, const struct path *old, const struct path *new)
{
	if (!path_equal(p, old))
		return false;
	*p = *new;
	return true;
}

/* Moves root and cwd of @t from @old to @new: how many of them. */
static int replace_fs_refs(struct task *t, const struct path *old, const struct path *new)
{
	struct fs_struct *fs;
	int hits = 0;

	task_lock(t);
	fs = t->fs;
	if (fs) {
		spin_lock(&fs->lock);
		raw_write_seqcount_begin(&fs->seq);
		hits = replace_path(&fs->root, old, new);
		hits += replace_path(&fs->pwd, old, new);
		raw_write_seqcount_end(&fs->seq);
		for (int n = 0; n < hits; n++)
			path_get(new);
		spin_unlock(&fs->lock);
	}
	task_unlock(t);
	return hits;
}

#define REFS_MOST 64

/* Every task whose root or cwd is @old_root moves to @new_root, but for those forked meanwhile. May sleep. */
void chroot_fs_refs(const struct path *old_root, const struct path *new_root)
{
	struct pid *pid;
	int count = 0;

	rcu_read_lock();
	for (unsigned int i = 1, n = 1; (pid = find_ge_pid(&i, &init_pid_ns)); i++, n++) {
		struct task *t = pid_task(pid, PIDTYPE_PID);

		if (t)
			count += replace_fs_refs(t, old_root, new_root);
		if (n % REFS_MOST)
			continue;
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	while (count--)
		path_put(old_root);
}

void free_fs_struct(struct fs_struct *fs)
{
	if (fs->root.dentry)
		path_put(&fs->root);
	if (fs->pwd.dentry)
		path_put(&fs->pwd);
	kmem_cache_free(fs_cache, fs);
}

struct fs_struct *copy_fs_struct(struct fs_struct *old)
{
	struct fs_struct *fs = kmem_cache_alloc(fs_cache, GFP_KERNEL_ACCOUNT);

	if (!fs)
		return NULL;
	fs->users = 1;
	fs->left = 0;
	fs->in_exec = false;
	spin_lock_init(&fs->lock);
	seqcount_init(&fs->seq);
	spin_lock(&old->lock);
	fs->umask = old->umask;
	fs->root = old->root;
	fs->pwd = old->pwd;
	if (fs->root.dentry)
		path_get(&fs->root);
	if (fs->pwd.dentry)
		path_get(&fs->pwd);
	spin_unlock(&old->lock);
	return fs;
}

int copy_fs(unsigned long clone_flags, struct task *child)
{
	struct fs_struct *fs = current->fs;

	if (!fs) {
		child->fs = NULL;
		return 0;
	}
	if (clone_flags & CLONE_FS) {
		spin_lock(&fs->lock);
		/* Somebody in this group is in exec: it must not see new sharers. */
		if (fs->in_exec) {
			spin_unlock(&fs->lock);
			return -EAGAIN;
		}
		fs->users++;
		spin_unlock(&fs->lock);
		child->fs = fs;
		return 0;
	}
	child->fs = copy_fs_struct(fs);
	return child->fs ? 0 : -ENOMEM;
}

struct own_users {
	struct fs_struct *fs;
	int n;
};

static unsigned int count_user(struct task *t, void *arg)
{
	struct own_users *ours = arg;

	ours->n += READ_ONCE(t->fs) == ours->fs;
	return 1;
}

#define COUNT_MOST 1024		/* threads that are counted with the lock held */

/*
 * The same of many threads; lock held, released in between. Nobody comes to share FS meanwhile. Whoever leaves it may have been counted, and
 * would hide one that is not of this process: then all are counted again, at most once for each that leaves.
 */
static bool alone_of_many(struct fs_struct *fs) __must_hold(fs->lock)
{
	struct own_users ours;
	unsigned int left;
	bool done;

	fs->in_exec = true;
	do {
		left = fs->left;
		spin_unlock(&fs->lock);
		ours = (struct own_users){ .fs = fs };
		done = walk_threads(current->signal, count_user, &ours);
		spin_lock(&fs->lock);
	} while (done && fs->users <= ours.n && left != fs->left);
	return done && fs->users <= ours.n && left == fs->left;
}

static bool alone_of_few(struct fs_struct *fs)
{
	struct own_users ours = { .fs = fs };
	struct task *t;

	rcu_read_lock();
	for_each_thread(current, t)
		count_user(t, &ours);
	rcu_read_unlock();
	return fs->users <= ours.n;
}

/*
 * True: nobody but the threads of the running task's process, which end in execve(2), has the same root and working directory. Until
 * fs_exec_end() nobody comes to share them. cred_guard_mutex held.
 */
bool fs_exec_begin(void)
{
	struct fs_struct *fs = current->fs;
	bool alone;

	spin_lock(&fs->lock);
	alone = READ_ONCE(current->signal->nr_threads) <= COUNT_MOST ? alone_of_few(fs) : alone_of_many(fs);
	fs->in_exec = alone;
	spin_unlock(&fs->lock);
	return alone;
}

void fs_exec_end(void)
{
	spin_lock(&current->fs->lock);
	current->fs->in_exec = false;
	spin_unlock(&current->fs->lock);
}

void exit_fs(struct task *task)
{
	struct fs_struct *fs = task->fs;
	bool last;

	if (!fs)
		return;
	task_lock(task);
	spin_lock(&fs->lock);
	task->fs = NULL;
	last = !--fs->users;
	fs->left++;
	spin_unlock(&fs->lock);
	task_unlock(task);
	if (last && fs != &init_fs)
		free_fs_struct(fs);
}

struct fs_struct *unshared_fs_struct(void)
{
	struct fs_struct *new;

	if (current->fs->users == 1)
		return NULL;
	new = copy_fs_struct(current->fs);
	return new ? new : ERR_PTR(-ENOMEM);
}

void install_fs_struct(struct fs_struct *new)
{
	struct fs_struct *fs = current->fs;
	bool last;

	task_lock(current);
	spin_lock(&fs->lock);
	last = !--fs->users;
	fs->left++;
	current->fs = new;
	spin_unlock(&fs->lock);
	task_unlock(current);
	if (last && fs != &init_fs)
		free_fs_struct(fs);
}

int unshare_fs_struct(void)
{
	struct fs_struct *new = unshared_fs_struct();

	if (IS_ERR(new))
		return (int)PTR_ERR(new);
	if (new)
		install_fs_struct(new);
	return 0;
}

int current_umask(void)
{
	return READ_ONCE(current->fs->umask);
}

/* Is the root other than that of the namespace, the topmost mount on its root mount? */
bool current_chrooted(void)
{
	struct path root;
	struct mount *m;
	bool chrooted;

	get_fs_root(current->fs, &root);
	down_read(&namespace_sem);
	m = topmost_on(current->nsproxy->mnt_ns->root);
	chrooted = root.mnt != &m->mnt || root.dentry != m->mnt.mnt_root;
	up_read(&namespace_sem);
	path_put(&root);
	return chrooted;
}

static int fs_struct_init(void)
{
	fs_cache = KMEM_CACHE(fs_struct, SLAB_PANIC | SLAB_ACCOUNT);
	init_task.fs = &init_fs;
	init_task.files = &init_files;
	return 0;
}
INITCALL(core, fs_struct_init);

bool proc_current_chrooted(void)
{
	return current_chrooted();
}
