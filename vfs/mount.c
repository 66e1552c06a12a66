// SPDX-License-Identifier: MIT
/*
 * Mounts: allocation, counting, the hash, write access, copying of trees. What mount(2) and umount(2) do
 * with them is in namespace.c; propagation in pnode.c.
 *
 * Write access is a per-CPU count taken with preemption off, which makes it a read section: whoever
 * makes the mount read-only sets MNT_WRITE_HOLD (its superblock: MNT_SB_HOLD), waits a grace period and can then trust the sum.
 */
#include <lib/types.h>
#include <kernel/static_key.h>
#include "mount_priv.h"
#include <lib/hash.h>
#include <alloc/ghash.h>
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <kernel/init.h>
#include <kernel/cpumask.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/newmount.h>
#include <vfs/upcalls.h>
#include <proc/cred.h>

DEFINE_SEQLOCK(mount_lock);
DECLARE_RWSEM(namespace_sem);

struct mnt_idmap {
	int unused;
};
struct mnt_idmap nop_mnt_idmap;

DEFINE_GHASH(mount_hash, 5);			/* changed under mount_lock; grows at any time */
DEFINE_GHASH(mp_hash, 4);			/* changed under mount_lock */
static struct kmem_cache *mnt_cache __ro_after_init;
static u64 next_unique_id = MNT_ID_FIRST;		/* mount_lock */
/* Those that mountinfo shows, small and reused. Each that was ever given has an entry: the next free one, if it is free. */
static struct id_pool mnt_ids = ID_POOL_INIT(mnt_ids);

static u32 mount_hash_of(const struct vfsmount *mnt, const struct dentry *d)
{
	return (u32)((unsigned long)mnt + ((unsigned long)d >> 4));
}

static void mount_hash_add(struct mount *m)
{
	u32 hash = mount_hash_of(&m->mnt_parent->mnt, m->mnt_mountpoint);
	unsigned long *b = ghash_lock(&mount_hash, hash);

	ghash_add(&mount_hash, b, &m->mnt_hash, hash);
	ghash_unlock(b);
}

bool mnt_breathe_rcu(u32 seq) __must_hold(RCU)
{
	rcu_read_unlock();
	rcu_read_lock();
	return !read_seqretry(&mount_lock, seq);
}

/* The table grew: whoever stood in a chain that moved has to look again. */
static noinline struct mount *lookup_mnt_locked(const struct vfsmount *mnt, const struct dentry *d, u32 hash)
{
	unsigned long *b = ghash_lock(&mount_hash, hash);
	struct mount *m;

	ghash_for_each(m, b, hash, mnt_hash) {
		if (&m->mnt_parent->mnt == mnt && m->mnt_mountpoint == d)
			break;
	}
	ghash_unlock(b);
	return m;
}

/* Under RCU a miss is worth something only if mount_lock's sequence has not moved. */
struct mount *__lookup_mnt(const struct vfsmount *mnt, const struct dentry *d)
{
	u32 hash = mount_hash_of(mnt, d), seq = ghash_read_begin(&mount_hash);

	/* The hashes are not compared: what they are made of is. */
	for (struct ghash_node *n = ghash_first_rcu(&mount_hash, hash); n; n = rcu_dereference(n->next)) {
		struct mount *m = container_of(n, struct mount, mnt_hash);

		if (m->mnt_mountpoint == d && &m->mnt_parent->mnt == mnt)
			return m;
	}
	return ghash_read_retry(&mount_hash, seq) ? lookup_mnt_locked(mnt, d, hash) : NULL;
}

/* What is on top of all that is mounted on the root of @m. namespace_sem held. */
struct mount *topmost_on(struct mount *m)
{
	struct mount *over = m;

	while (over) {
		m = over;
		rcu_read_lock();
		over = __lookup_mnt(&m->mnt, m->mnt.mnt_root);
		rcu_read_unlock();
		cond_resched();
	}
	return m;
}

/* RCU held. What is mounted there, and on that: up to MNT_STEPS of a stack. NULL: nothing. */
static struct mount *climb_rcu(const struct path *path)
{
	struct mount *m = __lookup_mnt(path->mnt, path->dentry), *over = m;

	for (int steps = 0; over; steps++) {
		const struct dentry *root = over->mnt.mnt_root;

		m = over;
		/* Who wants to be asked on the way is asked by the caller. */
		if (steps == MNT_STEPS || (READ_ONCE(root->d_flags) & DCACHE_MANAGED_DENTRY) != DCACHE_MOUNTED)
			break;
		over = __lookup_mnt(&m->mnt, root);
	}
	return m;
}

/*
 * One try, in a read section of its own: a high stack takes long to climb, and any change of the mounts makes the try void. False: void,
 * nothing is held. @found: referenced; NULL: nothing is mounted there.
 */
static bool try_lookup_mnt(const struct path *path, struct mount **found)
{
	struct mount *m;
	u32 seq;
	int res;

	seq = read_seqbegin(&mount_lock);	/* outside the section: it waits for a writer */
	rcu_read_lock();
	*found = m = climb_rcu(path);
	res = legitimize_mnt(m ? &m->mnt : NULL, seq);
	rcu_read_unlock();
	if (unlikely(res < 0))
		mntput(&m->mnt);
	return !res;
}

struct vfsmount *lookup_mnt(const struct path *path)
{
	struct mount *m;

	while (!try_lookup_mnt(path, &m))
		cond_resched();
	return m ? &m->mnt : NULL;
}

/* Counting. */

int mnt_get_count(struct mount *m)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(m->pcp, cpu)->count;
	return sum;
}

int mnt_get_writers(struct mount *m)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(m->pcp, cpu)->writers;
	return sum;
}

/* Counted, and something was mounted or unmounted meanwhile. */
int legitimize_mnt_slow(struct mount *m)
{
	lock_mount_hash();
	if (unlikely(m->mnt.mnt_flags & (MNT_SYNC_UMOUNT | MNT_DOOMED))) {
		mnt_add_count(m, -1);
		unlock_mount_hash();
		return 1;
	}
	unlock_mount_hash();
	return -1;
}

struct vfsmount *mntget(struct vfsmount *mnt)
{
	if (mnt)
		mnt_add_count(real_mount(mnt), 1);
	return mnt;
}

static void free_vfsmnt_rcu(struct rcu_head *head)
{
	struct mount *m = container_of(head, struct mount, mnt_rcu);

	kfree(m->mnt_devname);
	free_percpu(m->pcp);
	kmem_cache_free(mnt_cache, m);
}

struct mount *alloc_vfsmnt(const char *name)
{
	struct mount *m = kmem_cache_zalloc(mnt_cache, GFP_KERNEL_ACCOUNT);

	if (!m)
		return NULL;
	m->pcp = alloc_percpu(struct mnt_pcp);
	if (!m->pcp)
		goto fail;
	if (name) {
		m->mnt_devname = kstrdup(name, GFP_KERNEL_ACCOUNT);
		if (!m->mnt_devname)
			goto fail;
	}
	m->mnt_id = 0;
	mnt_add_count(m, 1);
	ghash_node_init(&m->mnt_hash);
	INIT_LIST_HEAD(&m->mnt_child);
	INIT_LIST_HEAD(&m->mnt_mounts);
	RB_CLEAR_NODE(&m->mnt_node);
	INIT_LIST_HEAD(&m->mnt_share);
	INIT_LIST_HEAD(&m->mnt_slave_list);
	INIT_LIST_HEAD(&m->mnt_slave);
	INIT_LIST_HEAD(&m->mnt_instance);
	INIT_LIST_HEAD(&m->mnt_unmounted);
	INIT_HLIST_NODE(&m->mnt_mp_list);
	m->mnt.mnt_idmap = &nop_mnt_idmap;
	m->mnt_parent = m;
	return m;
fail:
	free_percpu(m->pcp);
	kmem_cache_free(mnt_cache, m);
	return NULL;
}

/* mount_lock held. */
static u32 pool_reuse(struct id_pool *p)
{
	u32 id = p->free;

	if (id)
		p->free = (u32)xa_to_value(xa_load(&p->ids, id));
	return id;
}

void id_pool_put(struct id_pool *p, u32 id)
{
	xa_store(&p->ids, id, xa_mk_value(p->free), GFP_NOWAIT);	/* in its place: needs no memory */
	p->free = id;
}

int id_pool_get(struct id_pool *p)
{
	u32 id;
	int err;

	lock_mount_hash();
	id = pool_reuse(p);
	unlock_mount_hash();
	if (id)
		return (int)id;
	if (p->last == INT_MAX)
		return -ENOSPC;
	err = xa_insert(&p->ids, p->last + 1, xa_mk_value(0), GFP_KERNEL_ACCOUNT);
	return err ? err : (int)++p->last;
}

/* Internal mounts have id 0; the others get one when they join a namespace, where namespace_sem is held for writing. */
int mnt_assign_id(struct mount *m)
{
	int id;

	if (m->mnt_id)
		return 0;
	id = id_pool_get(&mnt_ids);
	if (id < 0)
		return id;
	m->mnt_id = id;
	lock_mount_hash();
	m->mnt_id_unique = next_unique_id++;
	unlock_mount_hash();
	return 0;
}

/* Nobody has seen it: drop the superblock and the memory. */
void free_vfsmnt_unused(struct mount *m)
{
	struct super_block *sb = m->mnt.mnt_sb;

	lock_mount_hash();
	list_del_init(&m->mnt_instance);
	if (m->mnt_id)
		id_pool_put(&mnt_ids, (u32)m->mnt_id);
	unlock_mount_hash();
	dput(m->mnt.mnt_root);
	if (sb)
		deactivate_super(sb);
	call_rcu(&m->mnt_rcu, free_vfsmnt_rcu);
}

/* Some of those that stayed connected to a mount at its end, to @children; false: there are no more. */
static bool cut_off_children(struct mount *m, struct list_head *children)
{
	struct hlist_head dead = HLIST_HEAD_INIT;
	struct mount *child;
	bool more;

	lock_mount_hash();
	for (int n = 0; n < MNT_PIECE && !list_empty(&m->mnt_mounts); n++) {
		child = list_first_entry(&m->mnt_mounts, struct mount, mnt_child);
		mnt_unhook(child, &dead);
		list_add(&child->mnt_unmounted, children);
	}
	more = !list_empty(&m->mnt_mounts);
	unlock_mount_hash();
	free_mountpoints(&dead);
	return more;
}

/* The end of a mount: no references, no grace period under way that could find it. */
static void cleanup_mnt(struct mount *m)
{
	struct mount *child, *n;
	LIST_HEAD(children);

	WARN_ON(mnt_get_writers(m));
	/* Children that stayed connected to a detached mount go with it. */
	while (cut_off_children(m, &children))
		cond_resched();
	list_for_each_entry_safe(child, n, &children, mnt_unmounted) {
		list_del_init(&child->mnt_unmounted);
		mntput(&child->mnt);
		cond_resched();
	}
	free_vfsmnt_unused(m);
}

static void cleanup_work(struct task_work *w)
{
	cleanup_mnt(container_of(w, struct mount, mnt_work));
}

/*
 * The last mount of a file system takes s_umount and tears it down. Who drops it may hold a directory's lock (the removal of a mount point),
 * which comes after that: it is done on the way back to user mode.
 */
static void cleanup_later(struct mount *m)
{
	m->mnt_work.func = cleanup_work;
	task_work_defer(&m->mnt_work);
}

/* Unmounted, as it was seen in the read section that ends here. */
static noinline void mntput_unmounted(struct mount *m) __releases(RCU)
{
	lock_mount_hash();
	smp_mb();	/* pairs with legitimize_mnt(): it sees the sequence or we see its count */
	mnt_add_count(m, -1);
	if (mnt_get_count(m) || m->mnt.mnt_flags & MNT_DOOMED) {
		unlock_mount_hash();
		rcu_read_unlock();
		return;
	}
	m->mnt.mnt_flags |= MNT_DOOMED;
	unlock_mount_hash();
	rcu_read_unlock();
	cleanup_later(m);
}

static DEFINE_STATIC_KEY_FALSE(expiry_key);	/* a mount was marked: rare, and for good */

void mnt_watch_expiry(void)
{
	static DEFINE_MUTEX(first);
	static bool begun;

	if (smp_load_acquire(&begun))
		return;
	mutex_lock(&first);
	if (!begun) {
		static_key_enable(&expiry_key);
		smp_store_release(&begun, true);
	}
	mutex_unlock(&first);
}

static __always_inline void mntput_inline(struct vfsmount *mnt, bool used)
{
	struct mount *m = real_mount(mnt);

	if (!mnt)
		return;
	if (static_branch_unlikely(&expiry_key) && used && READ_ONCE(m->mnt_expiry_mark))
		WRITE_ONCE(m->mnt_expiry_mark, 0);
	rcu_read_lock();
	if (likely(READ_ONCE(m->mnt_ns))) {
		mnt_add_count(m, -1);
		rcu_read_unlock();
		return;
	}
	mntput_unmounted(m);
}

void mntput(struct vfsmount *mnt)
{
	mntput_inline(mnt, true);
}

void mntput_no_expire(struct vfsmount *mnt)
{
	mntput_inline(mnt, false);
}

void path_get(const struct path *path)
{
	mntget(path->mnt);
	dget(path->dentry);
}

void path_put(const struct path *path)
{
	struct vfsmount *mnt = path->mnt;

	dput(path->dentry);
	mntput_inline(mnt, true);
}

/* Write access. */

static DECLARE_WAIT_QUEUE_HEAD(held_writers);

/* After flags of MNT_HELD were taken away. */
void mnt_wake_writers(void)
{
	wake_up_all(&held_writers);
}

bool mnt_is_readonly(const struct vfsmount *mnt)
{
	return mnt->mnt_flags & MNT_READONLY || sb_rdonly(mnt->mnt_sb);
}

int mnt_get_write_access(struct vfsmount *mnt)
{
	struct mount *m = real_mount(mnt);

	preempt_disable();
	while (unlikely(READ_ONCE(mnt->mnt_flags) & MNT_HELD)) {
		preempt_enable();
		wait_event(held_writers, !(READ_ONCE(mnt->mnt_flags) & MNT_HELD));
		preempt_disable();
	}
	if (unlikely(mnt_is_readonly(mnt))) {
		preempt_enable();
		return -EROFS;
	}
	this_cpu_inc(m->pcp->writers);
	preempt_enable();
	return 0;
}

void mnt_put_write_access(struct vfsmount *mnt)
{
	this_cpu_dec(real_mount(mnt)->pcp->writers);
}

int mnt_want_write(struct vfsmount *mnt)
{
	int err;

	sb_start_write(mnt->mnt_sb);
	err = mnt_get_write_access(mnt);
	if (err)
		sb_end_write(mnt->mnt_sb);
	return err;
}

void mnt_drop_write(struct vfsmount *mnt)
{
	mnt_put_write_access(mnt);
	sb_end_write(mnt->mnt_sb);
}

/* A file open for writing holds the mount's count already. */
int mnt_want_write_file(struct file *file)
{
	int err = 0;

	sb_start_write(file->f_inode->i_sb);
	if (!(file->f_mode & FMODE_WRITER))
		err = mnt_get_write_access(file->f_path.mnt);
	else if (unlikely(mnt_is_readonly(file->f_path.mnt)))
		err = -EROFS;
	if (err)
		sb_end_write(file->f_inode->i_sb);
	return err;
}

void mnt_drop_write_file(struct file *file)
{
	if (!(file->f_mode & FMODE_WRITER))
		mnt_put_write_access(file->f_path.mnt);
	sb_end_write(file->f_inode->i_sb);
}

/* May set-user-id programs and capabilities of this mount have an effect for the running task? */
bool mnt_may_suid(struct vfsmount *mnt)
{
	return !(mnt->mnt_flags & MNT_NOSUID) && check_mnt(real_mount(mnt)) &&
	       in_userns(mnt->mnt_sb->s_user_ns, current_user_ns());
}

bool path_noexec(const struct path *path)
{
	return path->mnt->mnt_flags & MNT_NOEXEC || path->mnt->mnt_sb->s_iflags & SB_I_NOEXEC;
}

/* Mount points. */

struct mountpoint *find_mountpoint(const struct dentry *d)
{
	u32 hash = hash_ptr(d, 32);
	struct mountpoint *mp;
	unsigned long *b = ghash_lock(&mp_hash, hash);

	ghash_for_each(mp, b, hash, m_hash) {
		if (mp->m_dentry == d) {
			mp->m_count++;
			break;
		}
	}
	ghash_unlock(b);
	return mp;
}

static void add_mountpoint(struct mountpoint *mp)
{
	u32 hash = hash_ptr(mp->m_dentry, 32);
	unsigned long *b = ghash_lock(&mp_hash, hash);

	ghash_add(&mp_hash, b, &mp->m_hash, hash);
	ghash_unlock(b);
}

/* -ENOENT: the directory was removed meanwhile. */
struct mountpoint *get_mountpoint(struct dentry *d)
{
	struct mountpoint *mp, *new = NULL;

	lock_mount_hash();
	mp = find_mountpoint(d);
	unlock_mount_hash();
	if (mp)
		return mp;
	ghash_reserve(&mp_hash);
	new = kmalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return ERR_PTR(-ENOMEM);
	lock_mount_hash();
	mp = find_mountpoint(d);
	if (mp)
		goto out;
	spin_lock(&d->d_lock);
	if (d_unlinked(d) || cant_mount(d)) {
		spin_unlock(&d->d_lock);
		mp = ERR_PTR(-ENOENT);
		goto out;
	}
	d->d_flags |= DCACHE_MOUNTED;
	spin_unlock(&d->d_lock);
	new->m_dentry = dget(d);
	new->m_count = 1;
	new->m_list.first = NULL;
	add_mountpoint(new);
	mp = new;
	new = NULL;
out:
	unlock_mount_hash();
	kfree(new);
	return mp;
}

/*
 * mount_lock held: one user less; the last one moves it to @dead, for free_mountpoints(). Until then its dentry is in use, after the locks were dropped, and
 * its superblock must not go: @lent, a mount of that superblock, is a reference that the caller gives away; not its last one (NULL: the superblock stays
 * that long without).
 */
void put_mountpoint_locked(struct mountpoint *mp, struct mount *lent, struct hlist_head *dead)
{
	if (--mp->m_count) {
		if (lent)
			mnt_add_count(lent, -1);
		return;
	}
	mp->m_lent = lent;
	spin_lock(&mp->m_dentry->d_lock);
	mp->m_dentry->d_flags &= ~DCACHE_MOUNTED;
	spin_unlock(&mp->m_dentry->d_lock);
	ghash_del(&mp_hash, &mp->m_hash);
	hlist_add_head(&mp->m_dead, dead);
}

void free_mountpoints(struct hlist_head *dead)
{
	struct mountpoint *mp;
	struct hlist_node *n;

	hlist_for_each_entry_safe(mp, n, dead, m_dead) {
		dput(mp->m_dentry);
		if (mp->m_lent)
			mntput_no_expire(&mp->m_lent->mnt);
		kfree(mp);
	}
	dead->first = NULL;
}

void put_mountpoint(struct mountpoint *mp)
{
	struct hlist_head dead = HLIST_HEAD_INIT;

	lock_mount_hash();
	put_mountpoint_locked(mp, NULL, &dead);
	unlock_mount_hash();
	free_mountpoints(&dead);
}

/* mount_lock and namespace_sem held. The child holds parent and mount point. */
void mnt_set_mountpoint(struct mount *parent, struct mountpoint *mp, struct mount *child)
{
	mp->m_count++;
	mnt_add_count(parent, 1);
	child->mnt_mountpoint = mp->m_dentry;
	child->mnt_parent = parent;
	child->mnt_mp = mp;
	hlist_add_head(&child->mnt_mp_list, &mp->m_list);
}

void mnt_attach(struct mount *m)
{
	mount_hash_add(m);
	list_add_tail(&m->mnt_child, &m->mnt_parent->mnt_mounts);
	if (m->mnt.mnt_flags & MNT_LOCKED)
		m->mnt_parent->nr_locked++;
}

static void unhook(struct mount *m, struct mount *lent, struct hlist_head *dead)
{
	struct mountpoint *mp = m->mnt_mp;

	if (m->mnt.mnt_flags & MNT_LOCKED && !list_empty(&m->mnt_child))
		m->mnt_parent->nr_locked--;
	m->mnt_parent = m;
	m->mnt_mountpoint = m->mnt.mnt_root;
	list_del_init(&m->mnt_child);
	ghash_del(&mount_hash, &m->mnt_hash);
	hlist_del_init(&m->mnt_mp_list);
	m->mnt_mp = NULL;
	put_mountpoint_locked(mp, lent, dead);
}

/* Cuts @m from its parent, of which it holds no reference any more: the caller keeps the parent's superblock until the mount point is free. mount_lock held. */
void mnt_unhook(struct mount *m, struct hlist_head *dead)
{
	unhook(m, NULL, dead);
}

/*
 * The same with one that holds its parent. The parent's count cannot be the last one: it is in a
 * namespace, or being unmounted with a reference of its own still to be dropped.
 */
void mnt_detach_locked(struct mount *m, struct hlist_head *dead)
{
	unhook(m, m->mnt_parent, dead);
}

/* Copying. */

struct mount *next_mnt(struct mount *p, struct mount *root)
{
	struct list_head *next = p->mnt_mounts.next;

	if (next == &p->mnt_mounts) {
		for (;;) {
			if (p == root)
				return NULL;
			next = p->mnt_child.next;
			if (next != &p->mnt_parent->mnt_mounts)
				break;
			p = p->mnt_parent;
		}
	}
	return list_entry(next, struct mount, mnt_child);
}

/* The last mount of the tree below @p. */
struct mount *skip_mnt_tree(struct mount *p)
{
	while (!list_empty(&p->mnt_mounts))
		p = list_entry(p->mnt_mounts.prev, struct mount, mnt_child);
	return p;
}

/* Another appearance of @root, which is in @old. namespace_sem held if propagation is copied. */
struct mount *clone_mnt(struct mount *old, struct dentry *root, int flag)
{
	struct super_block *sb = old->mnt.mnt_sb;
	struct mount *m = alloc_vfsmnt(old->mnt_devname);
	int err;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->mnt.mnt_flags = old->mnt.mnt_flags & ~(MNT_HELD | MNT_INTERNAL | MNT_DOOMED | MNT_UMOUNT | MNT_SYNC_UMOUNT);
	m->mnt.mnt_idmap = old->mnt.mnt_idmap;
	atomic_inc(&sb->s_active);
	m->mnt.mnt_sb = sb;
	m->mnt.mnt_root = dget(root);
	m->mnt_mountpoint = root;
	m->mnt_parent = m;
	if (!(flag & CL_PRIVATE) && old->unbindable)
		m->unbindable = true;
	lock_mount_hash();
	if (sb->s_hold_writers)		/* being made read-only */
		m->mnt.mnt_flags |= MNT_SB_HOLD;
	list_add_tail(&m->mnt_instance, &sb->s_mounts);
	unlock_mount_hash();
	if (flag & (CL_SLAVE | CL_PRIVATE | CL_SHARED_TO_SLAVE))
		m->mnt_group_id = 0;
	else
		m->mnt_group_id = old->mnt_group_id;
	if (flag & CL_MAKE_SHARED && !m->mnt_group_id) {
		err = invent_group_ids(m, false);
		if (err) {
			free_vfsmnt_unused(m);
			return ERR_PTR(err);
		}
	}
	if (flag & CL_SLAVE || (flag & CL_SHARED_TO_SLAVE && is_mnt_shared(old))) {
		list_add(&m->mnt_slave, &old->mnt_slave_list);
		m->mnt_master = old;
	} else if (!(flag & CL_PRIVATE)) {
		if (flag & CL_MAKE_SHARED || is_mnt_shared(old)) {
			if (m->mnt_group_id == old->mnt_group_id)
				list_add(&m->mnt_share, &old->mnt_share);
		}
		if (is_mnt_slave(old)) {
			list_add(&m->mnt_slave, &old->mnt_slave);
			m->mnt_master = old->mnt_master;
		}
	}
	return m;
}

/* A new namespace, and what propagates, has no mounts of mount namespaces' files: they could hold each other. */
static bool may_copy_file(const struct dentry *root, int flag)
{
	return flag & CL_COPY_MNT_NS_FILE || !nsfs_mnt_ns(root->d_inode);
}

/* The tree from @dentry of @mnt on, in the same shape. Mounts outside of @dentry are left out. */
struct mount *copy_tree(struct mount *mnt, struct dentry *dentry, int flag)
{
	struct mount *res, *p, *q, *src, *dst_parent;

	if (!(flag & CL_COPY_UNBINDABLE) && mnt->unbindable)
		return ERR_PTR(-EINVAL);
	if (!may_copy_file(dentry, flag))
		return ERR_PTR(-EINVAL);
	res = clone_mnt(mnt, dentry, flag);
	if (IS_ERR(res))
		return res;
	src = mnt;
	dst_parent = res;
	p = next_mnt(mnt, mnt);
	while (p) {
		struct mount *up;

		bool outside = p->mnt_parent == mnt && !is_subdir(p->mnt_mountpoint, dentry);

		/* Not below @dentry, or not to be copied: pass over its whole tree. */
		if (outside || (!(flag & CL_COPY_UNBINDABLE) && p->unbindable)) {
			/* What a locked one covers would come to light. */
			if (!outside && (p->mnt.mnt_flags & MNT_LOCKED || flag & CL_SHARED_TO_SLAVE)) {
				namespace_free_tree(res);
				return ERR_PTR(-EPERM);
			}
			p = next_mnt(skip_mnt_tree(p), mnt);
			continue;
		}
		if (!may_copy_file(p->mnt.mnt_root, flag)) {
			p = next_mnt(skip_mnt_tree(p), mnt);
			continue;
		}
		/* Find where its parent was copied to. */
		for (up = src; up != p->mnt_parent; up = up->mnt_parent)
			dst_parent = dst_parent->mnt_parent;
		q = fatal_signal_pending(current) ? ERR_PTR(-EINTR) : clone_mnt(p, p->mnt.mnt_root, flag);
		if (IS_ERR(q)) {
			namespace_free_tree(res);
			return q;
		}
		mount_hash_reserve();
		lock_mount_hash();
		mnt_set_mountpoint(dst_parent, p->mnt_mp, q);
		mnt_attach(q);
		unlock_mount_hash();
		cond_resched();
		src = p;
		dst_parent = q;
		p = next_mnt(p, mnt);
	}
	return res;
}

/* Before a mount is added, outside of mount_lock. */
void mount_hash_reserve(void)
{
	ghash_reserve(&mount_hash);
}

int mnt_id_of(const struct vfsmount *mnt)
{
	return real_mount(mnt)->mnt_id;
}

u64 mnt_unique_id_of(const struct vfsmount *mnt)
{
	return real_mount(mnt)->mnt_id_unique;
}

static int mount_cache_init(void)
{
	mnt_cache = KMEM_CACHE(mount, SLAB_PANIC | SLAB_ACCOUNT);
	return 0;
}
INITCALL(core, mount_cache_init);
