// SPDX-License-Identifier: MIT
/*
 * Inodes in memory.
 *
 * An inode that its filesystem can find again (hashed) stays on the superblock's LRU when the last
 * reference goes; others are evicted at once. Eviction writes back, drops the page cache, lets the
 * filesystem free what it has, and gives the memory back after a grace period, because RCU-walk reads
 * modes and owners of inodes it holds no reference to.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/locks.h>
#include <vfs/posix_acl.h>
#include <vfs/chrdev.h>
#include <vfs/pipe.h>
#include <lib/hash.h>
#include <alloc/ghash.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/cpumask.h>
#include <sched/task.h>
#include <proc/cred.h>
#include "writeback_priv.h"

DEFINE_GHASH(ihash, 8);
#define WAITQ_BITS 6
static wait_queue_head_t inode_waitq[1 << WAITQ_BITS];	/* by hash: I_NEW ends, one that is freed has left the hash */
static struct kmem_cache *inode_cache __ro_after_init;
static DEFINE_PER_CPU(long, nr_inodes);
static DEFINE_PER_CPU(long, nr_unused);
static DEFINE_PER_CPU(unsigned int, last_ino);

static long sum_of(const long *each)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(each, cpu);
	return max(sum, 0l);
}

long get_nr_inodes(void)
{
	return sum_of(&nr_inodes);
}

long inodes_unused(void)
{
	return sum_of(&nr_unused);
}

/* Numbers for files without a disk: unique per boot as long as 32 bits last. Batches per CPU. */
u64 get_next_ino(void)
{
	static atomic_t shared;
	unsigned int res;

	preempt_disable();
	res = __this_cpu_read(last_ino);
	if (unlikely(!(res & 1023)))
		res = (unsigned int)atomic_fetch_add(1024, &shared);
	res++;
	if (unlikely(!res))
		res++;
	__this_cpu_write(last_ino, res);
	preempt_enable();
	return res;
}

static int no_open(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return -ENXIO;
}
static const struct inode_operations empty_iops;
static const struct file_operations no_open_fops = { .open = no_open };

/* What i_op and i_mode say, in bits that RCU-walk tests. Called when both are set. */
void inode_set_op_flags(struct inode *inode)
{
	const struct inode_operations *op = inode->i_op;
	u16 f = 0;

	if (!op->permission)
		f |= IOP_FASTPERM;
	if (op->lookup)
		f |= IOP_LOOKUP;
	if (!op->get_link)
		f |= IOP_NOFOLLOW;
	if (inode->i_sb->s_xattr)
		f |= IOP_XATTR;
	inode->i_opflags = f;
}

void inode_init_once(struct inode *inode)
{
	memset(inode, 0, sizeof(*inode));
}

static void inode_init_always(struct super_block *sb, struct inode *inode)
{
	inode->i_sb = sb;
	inode->i_blkbits = sb->s_blocksize_bits;
	inode->i_mode = 0;
	inode->i_flags = 0;
	inode->i_opflags = 0;
	inode->i_op = &empty_iops;
	inode->i_fop = &no_open_fops;
	inode->i_nlink = 1;
	inode->i_uid = GLOBAL_ROOT_UID;
	inode->i_gid = GLOBAL_ROOT_GID;
	inode->i_size = 0;
	inode->i_blocks = 0;
	inode->i_rdev = 0;
	inode->i_ino = 0;
	inode->i_generation = 0;
	inode->i_version = 0;
	inode->i_state = 0;
	inode->i_dir_seq = 0;
	inode->i_dir_offset = 0;
	inode->i_dir_places = RB_ROOT;
	inode->i_private = NULL;
	inode->i_flctx = NULL;
	inode->i_write_hint = 0;
	atomic_set(&inode->i_count, 1);
	atomic_set(&inode->i_writecount, 0);
	atomic_set(&inode->i_dio_count, 0);
	spin_lock_init(&inode->i_lock);
	init_rwsem(&inode->i_rwsem);
	inode->i_dentry.first = NULL;
	inode->i_notify_mask = 0;
	inode->i_acl = inode->i_default_acl = NULL;
	inode->i_watches.first = NULL;
	inode->i_watchers = RB_ROOT;
	ghash_node_init(&inode->i_hash);
	INIT_LIST_HEAD(&inode->i_lru);
	INIT_LIST_HEAD(&inode->i_sb_list);
	INIT_LIST_HEAD(&inode->i_io_list);
	address_space_init(&inode->i_data, inode, NULL, &inode->i_size);
	if (sb->s_backing)
		inode->i_data.backing = sb->s_backing;
	inode->i_mapping = &inode->i_data;
	if (sb->s_xattr)
		inode->i_opflags |= IOP_XATTR;
	this_cpu_inc(nr_inodes);
}

struct inode *alloc_inode(struct super_block *sb)
{
	struct inode *inode;

	if (sb->s_op->alloc_inode)
		inode = sb->s_op->alloc_inode(sb);
	else
		inode = kmem_cache_alloc(inode_cache, GFP_KERNEL_ACCOUNT);
	if (inode)
		inode_init_always(sb, inode);
	return inode;
}

struct inode *new_inode_pseudo(struct super_block *sb)
{
	return alloc_inode(sb);
}

static void sb_list_add(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	spin_lock(&sb->s_inode_list_lock);
	list_add(&inode->i_sb_list, &sb->s_inodes);
	spin_unlock(&sb->s_inode_list_lock);
}

static void sb_list_del(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	if (list_empty(&inode->i_sb_list))
		return;
	spin_lock(&sb->s_inode_list_lock);
	list_del_init(&inode->i_sb_list);
	spin_unlock(&sb->s_inode_list_lock);
}

struct inode *new_inode(struct super_block *sb)
{
	struct inode *inode = alloc_inode(sb);

	if (inode)
		sb_list_add(inode);
	return inode;
}

void free_inode_nonrcu(struct inode *inode)
{
	kmem_cache_free(inode_cache, inode);
}

static void free_inode_rcu(struct rcu_head *head)
{
	struct inode *inode = container_of(head, struct inode, i_rcu);

	if (inode->i_sb_free_op)
		inode->i_sb_free_op(inode);
	else
		free_inode_nonrcu(inode);
}

static void destroy_inode(struct inode *inode)
{
	const struct super_operations *op = inode->i_sb->s_op;

	locks_free_lock_context(inode);
	posix_acl_forget(inode);
	address_space_destroy(&inode->i_data);
	this_cpu_dec(nr_inodes);
	if (op->destroy_inode) {
		op->destroy_inode(inode);
		if (!op->free_inode)
			return;
	}
	/* The superblock may be gone when the callback runs: remember its operation. */
	inode->i_sb_free_op = op->free_inode;
	call_rcu(&inode->i_rcu, free_inode_rcu);
}

/*
 * The hash. A look-up runs under RCU: what matches is pinned under its i_lock, which also shows whether it is on its way out
 * (then it is waited for, by looking again). Who adds looks again under the bucket's lock.
 */

static u32 ihashval(const struct super_block *sb, u64 hashval)
{
	return hash_64((unsigned long)sb ^ hashval * GOLDEN_RATIO_64, 32);
}

void insert_inode_hash(struct inode *inode)
{
	u32 hash = ihashval(inode->i_sb, inode->i_ino);
	unsigned long *b;

	ghash_reserve(&ihash);
	b = ghash_lock(&ihash, hash);
	ghash_add(&ihash, b, &inode->i_hash, hash);
	ghash_unlock(b);
}

static wait_queue_head_t *waitq(u32 hash)
{
	return &inode_waitq[hash & ((1 << WAITQ_BITS) - 1)];
}

static void wake_waiters(struct inode *inode)
{
	wait_queue_head_t *q = waitq(inode->i_hash.hash);

	smp_mb();		/* the change before the look for waiters; pairs with wait_event()'s */
	if (waitqueue_active(q))
		wake_up_all(q);
}

void remove_inode_hash(struct inode *inode)
{
	if (ghash_del(&ihash, &inode->i_hash))
		wake_waiters(inode);
}

enum found { PINNED, GOING, ANOTHER };

/* A candidate: pinned, about to be freed, or not what is looked for (taken out meanwhile). */
static enum found pin_inode(struct inode *inode)
{
	enum found r = PINNED;

	spin_lock(&inode->i_lock);
	if (inode->i_state & (I_FREEING | I_WILL_FREE))
		r = ghash_unhashed(&inode->i_hash) ? ANOTHER : GOING;
	else if (ghash_unhashed(&inode->i_hash))
		r = ANOTHER;
	else
		ihold(inode);
	spin_unlock(&inode->i_lock);
	return r;
}

typedef int (*inode_test_t)(struct inode *, void *);

/* The bucket is locked. ERR_PTR(-EAGAIN): one that is being freed stands in the way. */
static struct inode *find_inode(unsigned long *b, struct super_block *sb, u32 hash, inode_test_t test, void *data)
{
	struct inode *inode;

	ghash_for_each(inode, b, hash, i_hash) {
		if (inode->i_sb != sb || !test(inode, data))
			continue;
		switch (pin_inode(inode)) {
		case PINNED: return inode;
		case GOING: return ERR_PTR(-EAGAIN);
		case ANOTHER: break;
		}
	}
	return NULL;
}

/* The same without the lock; NULL is certain, too. */
static struct inode *find_inode_rcu(struct super_block *sb, u32 hash, inode_test_t test, void *data)
{
	u32 seq = ghash_read_begin(&ihash);
	struct inode *inode, *found = NULL;
	unsigned long *b;

	rcu_read_lock();
	ghash_for_each_rcu(inode, &ihash, hash, i_hash) {
		enum found r;

		if (inode->i_sb != sb || !test(inode, data))
			continue;
		r = pin_inode(inode);
		if (r == ANOTHER)
			continue;
		found = r == PINNED ? inode : ERR_PTR(-EAGAIN);
		break;
	}
	rcu_read_unlock();
	if (found || !ghash_read_retry(&ihash, seq))
		return found;
	b = ghash_lock(&ihash, hash);
	found = find_inode(b, sb, hash, test, data);
	ghash_unlock(b);
	return found;
}

static struct inode *wait_new(struct inode *inode)
{
	if (unlikely(READ_ONCE(inode->i_state) & I_NEW)) {
		wait_event(*waitq(inode->i_hash.hash), !(READ_ONCE(inode->i_state) & I_NEW));
		if (ghash_unhashed(&inode->i_hash)) {
			iput(inode);
			return NULL;
		}
	}
	return inode;
}

struct inode *ilookup5(struct super_block *sb, u64 hashval, inode_test_t test, void *data)
{
	u32 hash = ihashval(sb, hashval);
	struct inode *inode;

	do {
		wait_event(*waitq(hash), PTR_ERR(inode = find_inode_rcu(sb, hash, test, data)) != -EAGAIN);
		if (!inode)
			return NULL;
		inode = wait_new(inode);
	} while (!inode);
	return inode;
}

/*
 * Puts @inode in unless another one matches: NULL, or that one, pinned; ERR_PTR of what @set says. Its state is I_NEW and @state.
 */
static struct inode *add_unless_found(struct inode *inode, u64 hashval, unsigned int state, inode_test_t test,
				      int (*set)(struct inode *, void *), void *data)
{
	u32 hash = ihashval(inode->i_sb, hashval);
	struct inode *old;
	unsigned long *b;

	ghash_reserve(&ihash);
	for (;;) {
		b = ghash_lock(&ihash, hash);
		old = find_inode(b, inode->i_sb, hash, test, data);
		if (PTR_ERR(old) != -EAGAIN)
			break;
		ghash_unlock(b);
		old = ilookup5(inode->i_sb, hashval, test, data);
		if (old)
			return old;
	}
	if (!old && set && unlikely(set(inode, data)))
		old = ERR_PTR(-EINVAL);
	if (!old) {
		inode->i_state |= I_NEW | state;
		ghash_add(&ihash, b, &inode->i_hash, hash);
	}
	ghash_unlock(b);
	return old;
}

struct inode *iget5_locked(struct super_block *sb, u64 hashval, inode_test_t test, int (*set)(struct inode *, void *),
			   void *data)
{
	struct inode *inode = ilookup5(sb, hashval, test, data), *old;

	if (inode)
		return inode;
	inode = alloc_inode(sb);
	if (!inode)
		return NULL;
	do {
		old = add_unless_found(inode, hashval, 0, test, set, data);
		if (!old) {
			sb_list_add(inode);
			return inode;
		}
		old = IS_ERR(old) ? old : wait_new(old);
	} while (!old);
	destroy_inode(inode);
	return IS_ERR(old) ? NULL : old;
}

static int test_ino(struct inode *inode, void *data)
{
	return inode->i_ino == *(u64 *)data;
}

static int set_ino(struct inode *inode, void *data)
{
	inode->i_ino = *(u64 *)data;
	return 0;
}

struct inode *iget_locked(struct super_block *sb, u64 ino)
{
	return iget5_locked(sb, ino, test_ino, set_ino, &ino);
}

struct inode *ilookup(struct super_block *sb, u64 ino)
{
	return ilookup5(sb, ino, test_ino, &ino);
}

/*
 * Somebody may be looking whether there is an inode of this number, asked for it by handle; what he puts in goes again when he has
 * found out.
 */
int insert_inode_locked(struct inode *inode)
{
	u64 ino = inode->i_ino;
	struct inode *old;

	do {
		old = add_unless_found(inode, ino, I_CREATING, test_ino, NULL, &ino);
		if (!old)
			return 0;
		if (!(READ_ONCE(old->i_state) & I_CREATING))
			old = wait_new(old);
	} while (!old);
	iput(old);
	return -EBUSY;
}

void unlock_new_inode(struct inode *inode)
{
	spin_lock(&inode->i_lock);
	inode->i_state &= ~(I_NEW | I_CREATING);
	spin_unlock(&inode->i_lock);
	wake_waiters(inode);
}

void discard_new_inode(struct inode *inode)
{
	remove_inode_hash(inode);
	unlock_new_inode(inode);
	iput(inode);
}

void iget_failed(struct inode *inode)
{
	clear_nlink(inode);
	discard_new_inode(inode);
}

struct inode *igrab(struct inode *inode)
{
	spin_lock(&inode->i_lock);
	if (inode->i_state & (I_FREEING | I_WILL_FREE))
		inode = (spin_unlock(&inode->i_lock), NULL);
	else {
		ihold(inode);
		spin_unlock(&inode->i_lock);
	}
	return inode;
}

/* The end. */

void clear_inode(struct inode *inode)
{
	spin_lock(&inode->i_lock);
	inode->i_state = I_FREEING | I_CLEAR;
	spin_unlock(&inode->i_lock);
}

static void lru_del(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	spin_lock(&sb->s_lru_lock);
	if (!list_empty(&inode->i_lru)) {
		list_del_init(&inode->i_lru);
		sb->s_nr_inode_lru--;
		this_cpu_dec(nr_unused);
	}
	spin_unlock(&sb->s_lru_lock);
}

/* I_FREEING is set, nobody can find it any more. */
static void evict(struct inode *inode)
{
	writeback_forget_inode(inode);
	sb_list_del(inode);
	if (inode->i_sb->s_op->evict_inode) {
		inode->i_sb->s_op->evict_inode(inode);
	} else {
		truncate_inode_pages_final(&inode->i_data);
		clear_inode(inode);
	}
	remove_inode_hash(inode);
	destroy_inode(inode);
}

static bool keep_cached(struct inode *inode)
{
	const struct super_operations *op = inode->i_sb->s_op;

	if (op->drop_inode)
		return !op->drop_inode(inode);
	return inode->i_nlink && !ghash_unhashed(&inode->i_hash) && !(inode->i_state & I_DONTCACHE);
}

/* The last reference is gone: i_lock held, dropped. */
static void iput_final(struct inode *inode) __releases(inode->i_lock)
{
	struct super_block *sb = inode->i_sb;
	bool keep = keep_cached(inode);

	if (keep && sb->s_flags & SB_ACTIVE) {
		spin_lock(&sb->s_lru_lock);
		if (list_empty(&inode->i_lru)) {
			list_add_tail(&inode->i_lru, &sb->s_inode_lru);
			sb->s_nr_inode_lru++;
			this_cpu_inc(nr_unused);
		} else {
			inode->i_state |= I_REFERENCED;
		}
		spin_unlock(&sb->s_lru_lock);
		spin_unlock(&inode->i_lock);
		return;
	}
	if (keep && inode->i_state & I_DIRTY) {
		inode->i_state |= I_WILL_FREE;
		spin_unlock(&inode->i_lock);
		write_inode_now(inode, 1);
		spin_lock(&inode->i_lock);
		inode->i_state &= ~I_WILL_FREE;
	}
	inode->i_state |= I_FREEING;
	if (!list_empty(&inode->i_lru))
		lru_del(inode);
	spin_unlock(&inode->i_lock);
	evict(inode);
}

void iput(struct inode *inode)
{
	if (!inode)
		return;
	if (atomic_add_unless(&inode->i_count, -1, 1))
		return;
	spin_lock(&inode->i_lock);
	if (!atomic_dec_and_test(&inode->i_count)) {
		spin_unlock(&inode->i_lock);
		return;
	}
	iput_final(inode);
}

#define EVICT_AT_ONCE 256u	/* inodes, before others have the lock: how many there are is the users' choice */

/* Some without references; true: there may be more. */
static bool evict_some(struct super_block *sb)
{
	struct inode *inode, *n;
	unsigned int nr = 0;
	LIST_HEAD(dispose);

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (atomic_read(&inode->i_count))
			continue;
		spin_lock(&inode->i_lock);
		if (inode->i_state & (I_NEW | I_FREEING | I_WILL_FREE) || atomic_read(&inode->i_count)) {
			spin_unlock(&inode->i_lock);
			continue;
		}
		inode->i_state |= I_FREEING;
		lru_del(inode);
		spin_unlock(&inode->i_lock);
		list_add(&inode->i_lru, &dispose);
		if (++nr == EVICT_AT_ONCE)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	list_for_each_entry_safe(inode, n, &dispose, i_lru) {
		list_del_init(&inode->i_lru);
		evict(inode);
		cond_resched();
	}
	return nr == EVICT_AT_ONCE;
}

/* Unmounting: everything without references. */
void evict_inodes(struct super_block *sb)
{
	while (evict_some(sb))
		;
}

#define LOOK_AT_ONCE 1024u

bool sb_has_nameless(struct super_block *sb)
{
	struct inode *inode, *last = NULL;
	unsigned int n = 0;
	bool found = false;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		found = !READ_ONCE(inode->i_nlink);
		if (found)
			break;
		/* A long list: let other tasks have the lock in between. */
		if (++n % LOOK_AT_ONCE || !igrab(inode))
			continue;
		spin_unlock(&sb->s_inode_list_lock);
		/* The pinned one keeps our place in the list. */
		iput(last);
		last = inode;
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(last);
	return found;
}

unsigned long prune_icache_sb(struct super_block *sb, unsigned long nr)
{
	struct inode *inode, *n;
	unsigned long freed = 0;
	LIST_HEAD(dispose);

	spin_lock(&sb->s_lru_lock);
	list_for_each_entry_safe(inode, n, &sb->s_inode_lru, i_lru) {
		if (!nr--)
			break;
		if (!spin_trylock(&inode->i_lock))
			continue;
		/* An inode with pages stays: page reclaim frees them, oldest first, and then the inode can go. */
		if (atomic_read(&inode->i_count) || inode->i_data.nrpages || inode->i_state & (I_DIRTY_ALL | I_REFERENCED)) {
			inode->i_state &= ~I_REFERENCED;
			list_move_tail(&inode->i_lru, &sb->s_inode_lru);
		} else {
			inode->i_state |= I_FREEING;
			list_move(&inode->i_lru, &dispose);
			sb->s_nr_inode_lru--;
			this_cpu_dec(nr_unused);
			freed++;
		}
		spin_unlock(&inode->i_lock);
	}
	spin_unlock(&sb->s_lru_lock);
	list_for_each_entry_safe(inode, n, &dispose, i_lru) {
		list_del_init(&inode->i_lru);
		evict(inode);
	}
	return freed;
}

/* Locking. */

void inode_lock_nested(struct inode *i, unsigned int subclass) __acquires(i->i_rwsem)
{
	down_write_nested(&i->i_rwsem, (int)subclass);
}

void inode_lock_shared_nested(struct inode *i, unsigned int subclass) __acquires(i->i_rwsem)
{
	down_read_nested(&i->i_rwsem, (int)subclass);
}

/* Waiters are few: those of other inodes in the queue look again. */
static wait_queue_head_t *dio_waitq(struct inode *inode)
{
	return &inode_waitq[hash_ptr(inode, WAITQ_BITS)];
}

void inode_dio_end(struct inode *inode)
{
	wait_queue_head_t *q = dio_waitq(inode);

	/* Once it is 0 the inode may go: a barrier of atomic_dec_and_test() comes before the look for waiters. */
	if (atomic_dec_and_test(&inode->i_dio_count) && waitqueue_active(q))
		wake_up_all(q);
}

void inode_dio_wait(struct inode *inode)
{
	if (unlikely(atomic_read(&inode->i_dio_count)))
		wait_event(*dio_waitq(inode), !atomic_read(&inode->i_dio_count));
}

void lock_two_nondirectories(struct inode *a, struct inode *b)
{
	if (a && b && (unsigned long)a > (unsigned long)b) {
		struct inode *t = a;

		a = b;
		b = t;
	}
	/* Who unlocks knows the two, and sparse need not count. */
	if (a) {
		inode_lock(a);
		__release(a->i_rwsem);
	}
	if (b && b != a) {
		inode_lock_nested(b, I_MUTEX_NONDIR2);
		__release(b->i_rwsem);
	}
}

void unlock_two_nondirectories(struct inode *a, struct inode *b)
{
	if (a) {
		__acquire(a->i_rwsem);
		inode_unlock(a);
	}
	if (b && b != a) {
		__acquire(b->i_rwsem);
		inode_unlock(b);
	}
}

void init_special_inode(struct inode *inode, umode_t mode, dev_t rdev)
{
	inode->i_mode = mode;
	inode->i_rdev = rdev;
	if (S_ISCHR(mode))
		inode->i_fop = &def_chr_fops;
	else if (S_ISBLK(mode))
		inode->i_fop = &def_blk_node_fops;
	else if (S_ISFIFO(mode))
		inode->i_fop = &pipefifo_fops;
	/* Sockets keep no_open: ENXIO. */
}

/* Times. */

struct timespec64 current_time(struct inode *inode)
{
	struct timespec64 now = ns_to_timespec64((s64)ktime_get_real_coarse_ns());
	u32 gran = inode->i_sb->s_time_gran;

	if (gran > 1)
		now.tv_nsec -= now.tv_nsec % gran;
	return now;
}

struct timespec64 inode_set_ctime_current(struct inode *inode)
{
	return inode->i_ctime = current_time(inode);
}

void simple_inode_init_ts(struct inode *inode)
{
	inode->i_atime = inode->i_mtime = inode_set_ctime_current(inode);
}

void inode_update_times(struct inode *inode)
{
	inode->i_mtime = inode_set_ctime_current(inode);
	inode->i_version++;
}

static int update_time(struct inode *inode, int flags)
{
	if (inode->i_op->update_time)
		return inode->i_op->update_time(inode, flags);
	if (flags & S_ATIME)
		inode->i_atime = current_time(inode);
	if (flags & (S_MTIME | S_CTIME))
		inode_update_times(inode);
	if (inode->i_sb->s_op->dirty_inode || inode->i_sb->s_op->write_inode)
		mark_inode_dirty_flags(inode, I_DIRTY_SYNC);
	return 0;
}

static bool same_tick(const struct timespec64 *a, const struct timespec64 *b)
{
	return a->tv_nsec == b->tv_nsec && a->tv_sec == b->tv_sec;
}

int file_update_time(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct timespec64 now;
	int err;

	if (inode->i_flags & S_NOCMTIME || file->f_mode & FMODE_NOCMTIME)
		return 0;
	now = current_time(inode);
	if (same_tick(&inode->i_mtime, &now) && same_tick(&inode->i_ctime, &now))
		return 0;
	err = mnt_get_write_access(file->f_path.mnt);
	if (err)
		return 0;
	err = update_time(inode, S_MTIME | S_CTIME);
	mnt_put_write_access(file->f_path.mnt);
	return err;
}

static bool later(const struct timespec64 *a, const struct timespec64 *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* Is an access worth writing down (relatime: once a day, or when older than a change)? */
static __always_inline bool atime_needs_update(const struct path *path, struct inode *inode)
{
	const struct timespec64 *a = &inode->i_atime;
	struct vfsmount *mnt = path->mnt;

	if (inode->i_flags & S_NOATIME || inode->i_sb->s_flags & SB_NOATIME || IS_RDONLY(inode))
		return false;
	if (S_ISDIR(inode->i_mode) &&
	    (inode->i_sb->s_flags & SB_NODIRATIME || mnt->mnt_flags & MNT_NODIRATIME))
		return false;
	if (mnt->mnt_flags & (MNT_NOATIME | MNT_READONLY))
		return false;
	return !(mnt->mnt_flags & MNT_RELATIME) || !later(a, &inode->i_mtime) || !later(a, &inode->i_ctime) ||
	       (time64_t)(ktime_get_real_coarse_ns() / NSEC_PER_SEC) - a->tv_sec >= 24 * 60 * 60;
}

static noinline void update_atime(const struct path *path, struct inode *inode)
{
	struct timespec64 now = current_time(inode);

	if (same_tick(&inode->i_atime, &now) || !sb_start_write_trylock(inode->i_sb))
		return;
	if (!mnt_get_write_access(path->mnt)) {
		update_time(inode, S_ATIME);
		mnt_put_write_access(path->mnt);
	}
	sb_end_write(inode->i_sb);
}

void touch_atime(const struct path *path)
{
	struct inode *inode = path->dentry->d_inode;

	if (unlikely(atime_needs_update(path, inode)))
		update_atime(path, inode);
}

void file_accessed(struct file *file)
{
	if (!(file->f_flags & O_NOATIME) && !(file->f_inode->i_flags & S_NOATIME))
		touch_atime(&file->f_path);
}

int file_modified(struct file *file)
{
	int err = file_remove_privs(file);

	return err ? err : file_update_time(file);
}

int kiocb_modified(struct kiocb *iocb)
{
	return file_modified(iocb->ki_filp);
}

/* Initial owner and mode of a new inode in @dir: a set-group-id directory hands its group down. */
void inode_init_owner(struct mnt_idmap *idmap, struct inode *inode, const struct inode *dir, umode_t mode)
{
	(void)idmap;
	inode->i_uid = current_fsuid();
	if (dir && dir->i_mode & S_ISGID) {
		inode->i_gid = dir->i_gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	} else {
		inode->i_gid = current_fsgid();
	}
	inode->i_mode = mode;
}

static int inode_cache_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(inode_waitq); i++)
		init_waitqueue_head(&inode_waitq[i]);
	inode_cache = KMEM_CACHE(inode, SLAB_PANIC | SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT);
	return 0;
}
INITCALL(core, inode_cache_init);
