// SPDX-License-Identifier: MIT
#pragma once
/*
 * Inodes: the object behind names. Freed by RCU, so RCU-walk may look at one it has no reference
 * to.
 *
 * i_state moves I_NEW -> 0 <-> I_DIRTY* -> I_FREEING -> I_CLEAR. i_count 0 with links left means
 * cached on the LRU (only for filesystems that hash their inodes).
 *
 * Locks: [l] i_lock  [w] i_rwsem (exclusive)  [h] its bucket of the inode hash  [s]
 * s_inode_list_lock [a] atomic  [c] constant once I_NEW is gone  [t] i_rwsem or lazily, torn reads
 * allowed
 */
#include <lib/types.h>
#include <abi/errno.h>
#include <lib/kdev.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/atomic.h>
#include <alloc/ghash.h>
#include <kernel/time.h>
#include <kernel/spinlock.h>
#include <kernel/rcu.h>
#include <sched/rwsem.h>
#include <mm/filemap.h>
#include <proc/cred.h>
#include <linux/stat.h>

struct inode;
struct dentry;
struct file;
struct path;
struct iattr;
struct kstat;
struct super_block;
struct pipe_inode_info;
struct cdev;
struct file_lock_context;
struct mnt_idmap;
struct delayed_call;
struct fiemap_extent_info;
struct fileattr;
struct posix_acl;
struct file_operations;

struct inode_operations {
	struct dentry *(*lookup)(struct inode *dir, struct dentry *dentry, unsigned int flags);
	const char *(*get_link)(struct dentry *dentry, struct inode *inode,
				struct delayed_call *done);
	int (*permission)(struct mnt_idmap *, struct inode *, int mask);
	int (*readlink)(struct dentry *, struct uptr buf, int buflen);
	int (*create)(struct mnt_idmap *, struct inode *dir, struct dentry *, umode_t, bool excl);
	int (*link)(struct dentry *old, struct inode *dir, struct dentry *new);
	int (*unlink)(struct inode *dir, struct dentry *);
	int (*symlink)(struct mnt_idmap *, struct inode *dir, struct dentry *, const char *target);
	int (*mkdir)(struct mnt_idmap *, struct inode *dir, struct dentry *, umode_t);
	int (*rmdir)(struct inode *dir, struct dentry *);
	int (*mknod)(struct mnt_idmap *, struct inode *dir, struct dentry *, umode_t, dev_t);
	int (*rename)(struct mnt_idmap *, struct inode *odir, struct dentry *old,
		      struct inode *ndir, struct dentry *new, unsigned int flags);
	int (*setattr)(struct mnt_idmap *, struct dentry *, struct iattr *);
	int (*getattr)(struct mnt_idmap *, const struct path *, struct kstat *, u32 mask,
		       unsigned int query_flags);
	ssize_t (*listxattr)(struct dentry *, char *list, size_t size);
	int (*fiemap)(struct inode *, struct fiemap_extent_info *, u64 start, u64 len);
	int (*update_time)(struct inode *, int flags);
	int (*atomic_open)(struct inode *, struct dentry *, struct file *, unsigned int open_flag,
			   umode_t create_mode);
	int (*tmpfile)(struct mnt_idmap *, struct inode *dir, struct file *, umode_t);
	int (*fileattr_get)(struct dentry *, struct fileattr *);
	/* i_rwsem */
	int (*fileattr_set)(struct mnt_idmap *, struct dentry *, const struct fileattr *);
	/* i_rwsem: the inode's ACL of TYPE and its mode were changed; -errno: they are put back */
	int (*set_acl)(struct inode *, int type);
};

struct inode {
	umode_t i_mode; /* [w] */
	u16 i_opflags; /* [l] IOP_* */
	kuid_t i_uid; /* [w] */
	kgid_t i_gid; /* [w] */
	unsigned int i_flags; /* [w] S_* */
	struct posix_acl __rcu *i_acl; /* [w] RCU; NULL: the mode says all */
	const struct inode_operations *i_op;	/* [c] */
	struct super_block *i_sb; /* [c] */
	struct address_space *i_mapping; /* [c] */
	u64 i_ino; /* [c] */
	unsigned int i_nlink; /* [w] or the filesystem's */
	dev_t i_rdev; /* [c] */
	loff_t i_size; /* [w] */
	struct timespec64 i_atime; /* [t] */
	struct timespec64 i_mtime; /* [t] */
	struct timespec64 i_ctime; /* [t] */
	u64 i_blocks; /* [l] 512-byte units */
	spinlock_t i_lock;
	unsigned int i_state; /* [l] I_* */
	u8 i_blkbits; /* [c] */
	u8 i_write_hint;
	u32 i_generation; /* [c] */
	struct rw_semaphore i_rwsem;
	u64 i_version; /* [a] change cookie */
	atomic_t i_count; /* [a] */
	atomic_t i_writecount; /* [a] > 0 writers, < 0 writing denied */
	atomic_t i_dio_count; /* [a] */
	const struct file_operations *i_fop;	/* [c] */
	struct file_lock_context *i_flctx;	/* set once by cmpxchg */
	struct ghash_node i_hash; /* [h] */
	struct list_head i_lru; /* LRU lock of the superblock */
	struct list_head i_sb_list; /* [s] */
	struct list_head i_io_list; /* writeback's */
	u32 i_dirtied_ms; /* writeback's */
	union {
		struct hlist_head i_dentry; /* [l] aliases */
		struct rcu_head i_rcu;
	};
	union {
		struct pipe_inode_info *i_pipe; /* FIFOs and pipes [l] */
		struct cdev *i_cdev; /* character devices */
		const char *i_link; /* [c] symlinks with the target in memory */
		unsigned long i_dir_seq; /* directories: odd while a name is added */
	};
	u32 i_notify_mask; /* [l] IN_*: what its watches wait for */
	struct hlist_head i_watches; /* [l] RCU */
	struct rb_root i_watchers; /* [l] the same, by who watches */
	struct posix_acl __rcu *i_default_acl; /* [w] RCU; of what is made in the directory */
	u64 i_dir_offset; /* [w] last number given to a name in it (libfs) */
	/* its dentry's d_lock: where its readers begin (libfs) */
	struct rb_root i_dir_places;
	void *i_private; /* the filesystem's */
	void (*i_sb_free_op)(struct inode *);	/* set at destruction */
	struct address_space i_data;
};

/* i_state */
#define I_DIRTY_SYNC		0x0001
#define I_DIRTY_DATASYNC	0x0002
#define I_DIRTY_PAGES		0x0004
#define I_DIRTY_TIME		0x0008
#define I_DIRTY_INODE		(I_DIRTY_SYNC | I_DIRTY_DATASYNC)
#define I_DIRTY			(I_DIRTY_INODE | I_DIRTY_PAGES)
#define I_DIRTY_ALL		(I_DIRTY | I_DIRTY_TIME)
#define I_NEW			0x0010
#define I_WILL_FREE		0x0020
#define I_FREEING		0x0040
#define I_CLEAR			0x0080
#define I_SYNC			0x0100
#define I_REFERENCED		0x0200
#define I_LINKABLE		0x0400	/* O_TMPFILE without O_EXCL */
#define I_CREATING		0x0800
#define I_DONTCACHE		0x1000

/* i_opflags: what is known about the operations, tested instead of loading pointers */
#define IOP_FASTPERM		0x0001	/* no permission operation */
#define IOP_LOOKUP		0x0002
#define IOP_NOFOLLOW		0x0004	/* no get_link */
#define IOP_XATTR		0x0008
#define IOP_DEFAULT_READLINK	0x0010
#define IOP_MGTIME		0x0020

/* i_flags */
#define S_SYNC		0x00001
#define S_NOATIME	0x00002
#define S_APPEND	0x00004
#define S_IMMUTABLE	0x00008
#define S_DEAD		0x00010	/* removed directory */
#define S_DIRSYNC	0x00040
#define S_NOCMTIME	0x00080
#define S_SWAPFILE	0x00100
#define S_PRIVATE	0x00200
#define S_AUTOMOUNT	0x00800
#define S_NOSEC		0x01000	/* no suid bits or security.capability: writes skip the check */
#define S_ANON_INODE	0x08000

#define S_IRWXUGO	(S_IRWXU | S_IRWXG | S_IRWXO)
#define S_IALLUGO	(S_ISUID | S_ISGID | S_ISVTX | S_IRWXUGO)
#define S_IRUGO		(S_IRUSR | S_IRGRP | S_IROTH)
#define S_IWUGO		(S_IWUSR | S_IWGRP | S_IWOTH)
#define S_IXUGO		(S_IXUSR | S_IXGRP | S_IXOTH)

#define WHITEOUT_DEV	0
#define IS_WHITEOUT(i)	(S_ISCHR((i)->i_mode) && (i)->i_rdev == WHITEOUT_DEV)
#define IS_IMMUTABLE(i)	((i)->i_flags & S_IMMUTABLE)
#define IS_APPEND(i)	((i)->i_flags & S_APPEND)
#define IS_DEADDIR(i)	((i)->i_flags & S_DEAD)
#define IS_PRIVATE(i)	((i)->i_flags & S_PRIVATE)

/* struct iattr: a change of attributes, as notify_change() applies it. */
#define ATTR_MODE	(1u << 0)
#define ATTR_UID	(1u << 1)
#define ATTR_GID	(1u << 2)
#define ATTR_SIZE	(1u << 3)
#define ATTR_ATIME	(1u << 4)
#define ATTR_MTIME	(1u << 5)
#define ATTR_CTIME	(1u << 6)
#define ATTR_ATIME_SET	(1u << 7)
#define ATTR_MTIME_SET	(1u << 8)
#define ATTR_FORCE	(1u << 9)
#define ATTR_KILL_SUID	(1u << 11)
#define ATTR_KILL_SGID	(1u << 12)
#define ATTR_FILE	(1u << 13)
#define ATTR_KILL_PRIV	(1u << 14)
#define ATTR_OPEN	(1u << 15)
#define ATTR_TIMES_SET	(1u << 16)
#define ATTR_TOUCH	(1u << 17)

struct iattr {
	unsigned int ia_valid;
	umode_t ia_mode;
	kuid_t ia_uid;
	kgid_t ia_gid;
	loff_t ia_size;
	struct timespec64 ia_atime;
	struct timespec64 ia_mtime;
	struct timespec64 ia_ctime;
	struct file *ia_file; /* with ATTR_FILE */
};

/* Access masks of permission checks. */
#define MAY_EXEC	0x01
#define MAY_WRITE	0x02
#define MAY_READ	0x04
#define MAY_APPEND	0x08
#define MAY_ACCESS	0x10
#define MAY_OPEN	0x20
#define MAY_CHDIR	0x40
#define MAY_NOT_BLOCK	0x80	/* RCU-walk: -ECHILD instead of sleeping */

static inline loff_t i_size_read(const struct inode *inode)
{
	return READ_ONCE(inode->i_size);
}

static inline void i_size_write(struct inode *inode, loff_t v)
{
	WRITE_ONCE(inode->i_size, v);
}

/*
 * Transfers past the page cache that go on when the inode's lock has been let go (i_dio_count). Who changes where a file's bytes are
 * waits for them, with the lock held for writing, so that no new one begins. _end(): any context but interrupts.
 */
static inline void inode_dio_begin(struct inode *i) { atomic_inc(&i->i_dio_count); }
void inode_dio_end(struct inode *i);
void inode_dio_wait(struct inode *i);
static inline void inode_lock(struct inode *i)
{
	down_write(&i->i_rwsem);
}

static inline void inode_unlock(struct inode *i)
{
	up_write(&i->i_rwsem);
}

static inline void inode_lock_shared(struct inode *i)
{
	down_read(&i->i_rwsem);
}

static inline void inode_unlock_shared(struct inode *i)
{
	up_read(&i->i_rwsem);
}

static inline int inode_trylock(struct inode *i)
{
	return down_write_trylock(&i->i_rwsem);
}

static inline int inode_trylock_shared(struct inode *i)
{
	return down_read_trylock(&i->i_rwsem);
}

/* Subclasses for the lock checker: parent before child before second non-directory. */
enum {
	I_MUTEX_NORMAL,
	I_MUTEX_PARENT,
	I_MUTEX_CHILD,
	I_MUTEX_XATTR,
	I_MUTEX_NONDIR2,
	I_MUTEX_PARENT2
};
void inode_lock_nested(struct inode *i, unsigned int subclass) __acquires(i -> i_rwsem);
void inode_lock_shared_nested(struct inode *i, unsigned int subclass) __acquires(i -> i_rwsem);
void lock_two_nondirectories(struct inode *a, struct inode *b);
void unlock_two_nondirectories(struct inode *a, struct inode *b);

/* Life. */
struct inode *new_inode(struct super_block *sb); /* listed in the superblock; NULL: no memory */
struct inode *new_inode_pseudo(struct super_block *sb);	/* not listed */
struct inode *alloc_inode(struct super_block *sb);
struct inode *iget_locked(struct super_block *sb, u64 ino);	/* I_NEW if just made */
struct inode *iget5_locked(struct super_block *sb, u64 hashval, int (*test)(struct inode *, void *),
			   int (*set)(struct inode *, void *), void *data);
struct inode *ilookup(struct super_block *sb, u64 ino);
struct inode *ilookup5(struct super_block *sb, u64 hashval, int (*test)(struct inode *, void *),
		       void *data);
struct inode *igrab(struct inode *inode);		/* NULL: being freed */
/* INODE, new, comes into the hash as I_NEW. -EBUSY: its number is another's. Waits for the end of one that is being read. */
int insert_inode_locked(struct inode *inode);
void insert_inode_hash(struct inode *inode);
void remove_inode_hash(struct inode *inode);
void unlock_new_inode(struct inode *inode);
void discard_new_inode(struct inode *inode);
void iget_failed(struct inode *inode);
static inline void ihold(struct inode *inode)
{
	atomic_inc(&inode->i_count);
}

void iput(struct inode *inode);				/* may sleep */
void clear_inode(struct inode *inode);
void inode_init_once(struct inode *inode);
void inode_set_op_flags(struct inode *inode);
void evict_inodes(struct super_block *sb);
/* Is an inode without a name in use, or being evicted? Eviction writes. Sleeps. */
bool sb_has_nameless(struct super_block *sb);
unsigned long prune_icache_sb(struct super_block *sb, unsigned long nr);
void free_inode_nonrcu(struct inode *inode);
u64 get_next_ino(void);
void mark_inode_dirty_flags(struct inode *inode, int flags);
static inline void mark_inode_dirty(struct inode *i)
{
	mark_inode_dirty_flags(i, I_DIRTY);
}

static inline void mark_inode_dirty_sync(struct inode *i)
{
	mark_inode_dirty_flags(i, I_DIRTY_SYNC);
}

static inline void __mark_inode_dirty(struct inode *i, int f)
{
	mark_inode_dirty_flags(i, f);
}

int write_inode_now(struct inode *inode, int sync);

static inline void set_nlink(struct inode *i, unsigned int n)
{
	WRITE_ONCE(i->i_nlink, n);
}

static inline void inc_nlink(struct inode *i)
{
	WRITE_ONCE(i->i_nlink, i->i_nlink + 1);
}

static inline void drop_nlink(struct inode *i)
{
	WRITE_ONCE(i->i_nlink, i->i_nlink - 1);
}

static inline void clear_nlink(struct inode *i)
{
	WRITE_ONCE(i->i_nlink, 0);
}

/* Times. */
struct timespec64 current_time(struct inode *inode);	/* coarse clock, filesystem granularity */
static inline struct timespec64 inode_get_atime(const struct inode *i)
{
	return i->i_atime;
}

static inline struct timespec64 inode_get_mtime(const struct inode *i)
{
	return i->i_mtime;
}

static inline struct timespec64 inode_get_ctime(const struct inode *i)
{
	return i->i_ctime;
}

struct timespec64 inode_set_ctime_current(struct inode *inode);
void simple_inode_init_ts(struct inode *inode);
void inode_update_times(struct inode *inode);		/* mtime and ctime to now */
int file_update_time(struct file *file);
int file_modified(struct file *file);			/* drop suid bits, update times */
int kiocb_modified(struct kiocb *iocb);
void touch_atime(const struct path *path);
int file_remove_privs(struct file *file);
#define S_ATIME 1
#define S_MTIME 2
#define S_CTIME 4
#define S_VERSION 8

/* Owners and rights. */
void inode_init_owner(struct mnt_idmap *idmap, struct inode *inode, const struct inode *dir,
		      umode_t mode);
bool inode_owner_or_capable(struct mnt_idmap *idmap, const struct inode *inode);
int inode_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);
int generic_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);
bool capable_wrt_inode_uidgid(struct mnt_idmap *idmap, const struct inode *inode, int cap);
int setattr_prepare(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr);
void setattr_copy(struct mnt_idmap *idmap, struct inode *inode, const struct iattr *attr);
int notify_change(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr);
int inode_newsize_ok(const struct inode *inode, loff_t offset);
umode_t mode_strip_umask(const struct inode *dir, umode_t mode);
/*
 * May the caller set, or keep, S_ISGID on INODE if its group is GID? Members of the group may, and
 * tasks with CAP_FSETID towards the inode.
 */
bool in_group_or_capable(struct mnt_idmap *idmap, const struct inode *inode, kgid_t gid);
umode_t mode_strip_sgid(struct mnt_idmap *idmap, const struct inode *dir, umode_t mode);

/* Writers against executables: get_write_access and deny_write_access exclude each other. */
static inline int get_write_access(struct inode *inode)
{
	int c = atomic_read(&inode->i_writecount);

	do {
		if (c < 0)
			return -ETXTBSY;
	} while (!atomic_try_cmpxchg(&inode->i_writecount, &c, c + 1));
	return 0;
}

static inline int deny_write_access_inode(struct inode *inode)
{
	int c = atomic_read(&inode->i_writecount);

	do {
		if (c > 0)
			return -ETXTBSY;
	} while (!atomic_try_cmpxchg(&inode->i_writecount, &c, c - 1));
	return 0;
}

static inline void put_write_access(struct inode *inode)
{
	atomic_dec(&inode->i_writecount);
}

static inline void allow_write_access_inode(struct inode *inode)
{
	atomic_inc(&inode->i_writecount);
}

static inline bool inode_is_open_for_write(const struct inode *inode)
{
	return atomic_read(&inode->i_writecount) > 0;
}

void init_special_inode(struct inode *inode, umode_t mode, dev_t rdev);
void generic_fillattr(struct mnt_idmap *idmap, u32 mask, struct inode *inode, struct kstat *stat);

/* A release to run when a borrowed symlink body is done with. */
struct delayed_call {
	void (*fn)(void *);
	void *arg;
};
static inline void set_delayed_call(struct delayed_call *c, void (*fn)(void *), void *arg)
{
	c->fn = fn;
	c->arg = arg;
}

static inline void do_delayed_call(struct delayed_call *c)
{
	if (c->fn)
		c->fn(c->arg);
}

static inline void clear_delayed_call(struct delayed_call *c)
{
	c->fn = NULL;
}
