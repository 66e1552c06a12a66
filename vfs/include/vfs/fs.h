// SPDX-License-Identifier: MIT
#pragma once
/*
 * Superblocks and filesystem types; the umbrella header of the room. A filesystem includes this one.
 *
 * A type makes superblocks through its fs_context operations: init_fs_context -> parse_param... ->
 * get_tree (sets fc->root) ; the same context with purpose RECONFIGURE remounts.
 *
 * Locks of struct super_block: [u] s_umount  [i] s_inode_list_lock  [l] s_lru_lock  [f] s_writers
 *                              [S] the global list of superblocks  [c] constant after fill_super
 */
#include <lib/types.h>
#include <abi/errno.h>
#include <lib/list.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/options.h>
#include <lib/string.h>
#include <lib/format.h>
#include <kernel/printk.h>
#include <kernel/bug.h>
#include <lib/atomic.h>
#include <kernel/spinlock.h>
#include <sched/rwsem.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <vfs/dentry.h>
#include <vfs/inode.h>
#include <vfs/stat.h>
#include <vfs/mount.h>
#include <vfs/file.h>
#include <vfs/seq_file.h>
#include <linux/limits.h>
#include <linux/mount.h>

struct super_block;
struct fs_context;
struct seq_file;
struct user_namespace;
struct xattr_handler;
struct writeback_control;
struct bdev;
struct backing;
struct shrinker;

struct super_operations {
	struct inode *(*alloc_inode)(struct super_block *sb);
	void (*destroy_inode)(struct inode *);
	void (*free_inode)(struct inode *);		/* from an RCU callback; must not sleep */
	void (*dirty_inode)(struct inode *, int flags);
	int (*write_inode)(struct inode *, struct writeback_control *);
	int (*drop_inode)(struct inode *);		/* 1: evict at zero references */
	void (*evict_inode)(struct inode *);
	void (*put_super)(struct super_block *);
	int (*sync_fs)(struct super_block *, int wait);
	int (*freeze_fs)(struct super_block *);
	int (*unfreeze_fs)(struct super_block *);
	int (*statfs)(struct dentry *, struct kstatfs *);
	void (*umount_begin)(struct super_block *);
	int (*show_options)(struct seq_file *, struct dentry *);
	int (*show_devname)(struct seq_file *, struct dentry *);
	int (*show_path)(struct seq_file *, struct dentry *);
	int (*show_stats)(struct seq_file *, struct dentry *);
	void (*shutdown)(struct super_block *);		/* the device is being removed: operations that need it fail from now on */
};

/* Freeze levels: each stops one class of writers; a frozen superblock has none of them inside. */
enum { SB_UNFROZEN = 0, SB_FREEZE_WRITE = 1, SB_FREEZE_PAGEFAULT = 2, SB_FREEZE_FS = 3,
	SB_FREEZE_COMPLETE = 4 };
#define SB_FREEZE_LEVELS (SB_FREEZE_COMPLETE - 1)

struct super_block {
	struct list_head	s_list;		/* [S] */
	dev_t			s_dev;		/* [c] */
	u8			s_blocksize_bits;
	unsigned long		s_blocksize;
	loff_t			s_maxbytes;
	struct file_system_type	*s_type;	/* [c] */
	const struct super_operations *s_op;	/* [c] */
	const struct export_operations *s_export_op;	/* [c] NULL: none is found by handle (vfs/export.h) */
	unsigned long		s_flags;	/* SB_*: [u] */
	unsigned long		s_iflags;	/* SB_I_* [c] */
	unsigned long		s_magic;	/* [c] */
	struct dentry		*s_root;	/* [u] */
	struct rw_semaphore	s_umount;
	int			s_count;	/* [S] passive references */
	atomic_t		s_active;	/* mounts and openers; 0: shutting down */
	const struct xattr_handler *const *s_xattr;	/* [c] */
	const struct dentry_operations *s_d_op;	/* [c] default of new dentries */
	struct user_namespace	*s_user_ns;	/* [c] owner: rights over this filesystem */
	struct bdev		*s_bdev;	/* [c] block's; NULL: on no device */
	struct backing		*s_backing;	/* [c] of the device that its inodes are written to; NULL: there is none */
	void			*s_fs_info;	/* the filesystem's */
	u32			s_time_gran;	/* ns */
	time64_t		s_time_min, s_time_max;
	char			s_id[32];
	u8			s_uuid[16];	/* FS_IOC_GETFSUUID; all zero: it has none */
	char			*s_subtype;
	unsigned int		s_max_links;
	int			s_stack_depth;
	errseq_t		s_wb_err;
	u32			s_wb_errors;	/* how many there were */

	struct mutex		s_vfs_rename_mutex;	/* cross-directory renames */

	/* Freezing: per-level writer counts (per CPU when the type asks for it). */
	bool			s_hold_writers;		/* mount_lock: being made read-only, also for mounts that come now */
	int			s_frozen;		/* [u], read by writers */
	u32			s_freeze_holders;	/* [u] enum freeze_holder, while s_frozen is SB_FREEZE_COMPLETE */
	int			*s_writers;	/* per CPU: [SB_FREEZE_LEVELS] counts */
	wait_queue_head_t	s_freeze_wait;

	spinlock_t		s_inode_list_lock;
	struct list_head	s_inodes;	/* [i] */
	spinlock_t		s_lru_lock;
	struct list_head	s_dentry_lru;	/* [l] */
	struct list_head	s_inode_lru;	/* [l] */
	unsigned long		s_nr_dentry_lru; /* [l] */
	unsigned long		s_nr_inode_lru;	/* [l] */
	struct list_head	s_mounts;	/* mount_lock */
	struct hlist_node	s_instances;	/* [S] */
	struct rcu_head		s_rcu;
	struct work_struct	*s_destroy_work;
};

/* s_flags: the MS_ values where they coincide */
#define SB_RDONLY	(1ul << 0)
#define SB_NOSUID	(1ul << 1)
#define SB_NODEV	(1ul << 2)
#define SB_NOEXEC	(1ul << 3)
#define SB_SYNCHRONOUS	(1ul << 4)
#define SB_MANDLOCK	(1ul << 6)
#define SB_DIRSYNC	(1ul << 7)
#define SB_NOATIME	(1ul << 10)
#define SB_NODIRATIME	(1ul << 11)
#define SB_SILENT	(1ul << 15)
#define SB_POSIXACL	(1ul << 16)
#define SB_KERNMOUNT	(1ul << 22)
#define SB_I_VERSION	(1ul << 23)
#define SB_LAZYTIME	(1ul << 25)
#define SB_DEAD		(1ul << 26)
#define SB_DYING	(1ul << 27)
#define SB_FORCE	(1ul << 27)
#define SB_NOSEC	(1ul << 28)
#define SB_BORN		(1ul << 29)
#define SB_ACTIVE	(1ul << 30)
#define SB_NOUSER	(1ul << 31)
#define SB_I_CGROUPWB	0x001
#define SB_I_NOEXEC	0x002
#define SB_I_NODEV	0x004
#define SB_I_USERNS_VISIBLE 0x010

static inline bool sb_rdonly(const struct super_block *sb) { return sb->s_flags & SB_RDONLY; }
#define IS_RDONLY(inode)	sb_rdonly((inode)->i_sb)
#define IS_POSIXACL(inode)	((inode)->i_sb->s_flags & SB_POSIXACL)
#define IS_NOSEC(inode)		((inode)->i_flags & S_NOSEC)
#define IS_SYNC(inode)		(((inode)->i_sb->s_flags & SB_SYNCHRONOUS) || \
				 ((inode)->i_flags & S_SYNC))
#define IS_DIRSYNC(inode)	(((inode)->i_sb->s_flags & (SB_SYNCHRONOUS | SB_DIRSYNC)) || \
				 ((inode)->i_flags & (S_SYNC | S_DIRSYNC)))

/* File system types. */
#define FS_REQUIRES_DEV		1
#define FS_USERNS_MOUNT		8
#define FS_ALLOW_IDMAP		32
#define FS_RENAME_DOES_D_MOVE	32768

/* What the boot's root=UUID= and root=LABEL= are compared with. */
struct fs_identity {
	u8 uuid[16];
	char label[64];
};

struct file_system_type {
	const char		*name;
	int			fs_flags;
	int (*init_fs_context)(struct fs_context *fc);
	void (*kill_sb)(struct super_block *sb);
	/* May be absent. Who the file system on B, which is open, says it is; nothing is written, and nothing is said of what is none. 0 or -errno. */
	int (*identify)(struct bdev *b, struct fs_identity *id);
	struct file_system_type	*next;		/* file_systems_lock */
	struct hlist_head	fs_supers;	/* [S] */
};

int register_filesystem(struct file_system_type *type);	/* EBUSY: name taken */
int unregister_filesystem(struct file_system_type *type);
/*
 * The type whose name NAME begins with, up to a dot; where there is none, after the module fs-NAME was
 * asked for. NULL: none. The caller has no locks.
 */
struct file_system_type *get_fs_type(const char *name);
const char *fs_next_dev_type(int *i);			/* for the boot's root= */
int fs_type_index(const char *name);			/* sysfs(2); -EINVAL */
int fs_type_name(unsigned long i, char *name, size_t size);	/* -EINVAL: no such */
int fs_type_count(void);
int filesystems_show(struct seq_file *m);		/* /proc/filesystems */

/* Making a superblock. */
enum fs_context_purpose { FS_CONTEXT_FOR_MOUNT, FS_CONTEXT_FOR_SUBMOUNT, FS_CONTEXT_FOR_RECONFIGURE };

struct fs_context_operations {
	void (*free)(struct fs_context *fc);
	/* -ENOPARAM: not mine (source and the common sb flags are handled before). */
	int (*parse_param)(struct fs_context *fc, const char *key, const char *value);
	int (*get_tree)(struct fs_context *fc);		/* sets fc->root */
	int (*reconfigure)(struct fs_context *fc);
};

struct fs_context {
	const struct fs_context_operations *ops;
	struct mutex		uapi_mutex;	/* fsconfig() against itself */
	struct file_system_type	*fs_type;
	void			*fs_private;	/* options so far */
	void			*s_fs_info;	/* proposed sb->s_fs_info */
	struct dentry		*root;		/* result: a reference, sb active reference, s_umount held */
	struct user_namespace	*user_ns;
	const struct cred	*cred;
	char			*source;
	unsigned long		sb_flags;	/* SB_* wanted */
	unsigned long		sb_flags_mask;	/* those that change on reconfigure */
	unsigned long		s_iflags;
	enum fs_context_purpose	purpose;
	u8			phase;
	bool			exclusive, need_free, global, oldapi;
	char			*log;		/* last message for read() of the fsopen file */
};

struct fs_context *fs_context_for_mount(struct file_system_type *type, unsigned long sb_flags);
struct fs_context *fs_context_for_reconfigure(struct dentry *root, unsigned long flags,
					      unsigned long mask);
void put_fs_context(struct fs_context *fc);
/* Whether KEY is an option of every filesystem ("ro", "sync"), which is then set; it takes no value. */
bool vfs_parse_sb_flag(struct fs_context *fc, const char *key);
int vfs_parse_fs_param(struct fs_context *fc, const char *key, const char *value);
int vfs_parse_monolithic(struct fs_context *fc, char *options);	/* "a,b=c": modified in place */
int vfs_get_tree(struct fs_context *fc);
int reconfigure_super(struct fs_context *fc);
void fc_errorf(struct fs_context *fc, const char *fmt, ...) __printf(2, 3);

struct super_block *sget_fc(struct fs_context *fc,
			    int (*test)(struct super_block *, struct fs_context *),
			    int (*set)(struct super_block *, struct fs_context *));
int set_anon_super_fc(struct super_block *sb, struct fs_context *fc);
int get_tree_nodev(struct fs_context *fc, int (*fill)(struct super_block *, struct fs_context *));
int get_tree_single(struct fs_context *fc, int (*fill)(struct super_block *, struct fs_context *));
int get_tree_keyed(struct fs_context *fc, int (*fill)(struct super_block *, struct fs_context *),
		   void *key);
int get_anon_bdev(dev_t *dev);
void free_anon_bdev(dev_t dev);
void generic_shutdown_super(struct super_block *sb) __releases(sb->s_umount);
void kill_anon_super(struct super_block *sb) __releases(sb->s_umount);
void kill_litter_super(struct super_block *sb) __releases(sb->s_umount);
void deactivate_super(struct super_block *sb);
void deactivate_locked_super(struct super_block *sb) __releases(sb->s_umount);
/* sync(2): writes all data that was dirty when it began. Sleeps. */
void sync_everything(void);
/* FN for each superblock that is alive, with s_umount held for reading. TRY: those that are busy are passed over, for reclaim. */
void iterate_supers(void (*fn)(struct super_block *, void *), void *arg, bool try);
/* For a superblock of inodes that lie on several devices: writes SB's dirty data for B; WAIT: until it is on the device. The first error. */
int writeback_sync(struct backing *b, struct super_block *sb, bool wait);
struct super_block *user_get_super(dev_t dev);		/* active reference or NULL */
int sync_filesystem(struct super_block *sb);
/*
 * Who keeps SB frozen: it is until all of them have let it go. Each may once: -EBUSY, also while another freezes; -EINVAL: WHO does not hold it.
 */
enum freeze_holder { FREEZE_USER = 1, FREEZE_KERNEL = 2 };
int freeze_super(struct super_block *sb, enum freeze_holder who);
int thaw_super(struct super_block *sb, enum freeze_holder who);
/*
 * FN(CTX) while SB is frozen for it: its result. For a part of the file system for whose end the unmount and remounts wait with s_umount: it takes no
 * reference, and does not wait for s_umount. -EBUSY: somebody has s_umount, SB is frozen or read-only; -errno of the freeze. FN may sleep.
 */
int call_frozen(struct super_block *sb, int (*fn)(void *ctx), void *ctx);
bool mount_capable(struct fs_context *fc);

/* Freeze protection: between start and end the level cannot freeze. start may sleep. */
void __sb_start_write(struct super_block *sb, int level);
bool __sb_start_write_trylock(struct super_block *sb, int level);
void __sb_end_write(struct super_block *sb, int level);
static inline void sb_start_write(struct super_block *sb) { __sb_start_write(sb, SB_FREEZE_WRITE); }
static inline bool sb_start_write_trylock(struct super_block *sb)
{
	return __sb_start_write_trylock(sb, SB_FREEZE_WRITE);
}
static inline void sb_end_write(struct super_block *sb) { __sb_end_write(sb, SB_FREEZE_WRITE); }
static inline void sb_start_pagefault(struct super_block *sb)
{
	__sb_start_write(sb, SB_FREEZE_PAGEFAULT);
}
static inline void sb_end_pagefault(struct super_block *sb) { __sb_end_write(sb, SB_FREEZE_PAGEFAULT); }
static inline void sb_start_intwrite(struct super_block *sb) { __sb_start_write(sb, SB_FREEZE_FS); }
static inline void sb_end_intwrite(struct super_block *sb) { __sb_end_write(sb, SB_FREEZE_FS); }

/* Parts for simple filesystems (libfs.c). */
struct pseudo_fs {
	const char *name;
	unsigned long magic;
	const struct super_operations *ops;
	const struct dentry_operations *dops;
	const struct xattr_handler *const *xattr;
};
int pseudo_init_fs_context(struct fs_context *fc, const struct pseudo_fs *p);
void kill_pseudo_super(struct super_block *sb) __releases(sb->s_umount);

int simple_statfs(struct dentry *, struct kstatfs *);
int simple_getattr(struct mnt_idmap *, const struct path *, struct kstat *, u32 mask, unsigned int);
int simple_setattr(struct mnt_idmap *, struct dentry *, struct iattr *);
struct dentry *simple_lookup(struct inode *dir, struct dentry *, unsigned int flags);
int simple_link(struct dentry *old, struct inode *dir, struct dentry *);
int simple_unlink(struct inode *dir, struct dentry *);
int simple_rmdir(struct inode *dir, struct dentry *);
int simple_empty(struct dentry *);
int simple_rename(struct mnt_idmap *, struct inode *, struct dentry *, struct inode *, struct dentry *,
		  unsigned int flags);
const char *simple_get_link(struct dentry *, struct inode *, struct delayed_call *);
unsigned long simple_next_offset(struct inode *dir);
int dcache_readdir(struct file *, struct dir_context *);
int noop_fsync(struct file *, loff_t, loff_t, int);
ssize_t generic_read_dir(struct kiocb *, struct iter *);
int always_delete_dentry(const struct dentry *);
struct inode *alloc_anon_inode(struct super_block *sb);
void make_empty_dir_inode(struct inode *inode);
bool is_empty_dir_inode(struct inode *inode);
extern const struct file_operations simple_dir_operations;
extern const struct inode_operations simple_dir_inode_operations;
extern const struct inode_operations simple_symlink_inode_operations;
extern const struct inode_operations page_symlink_inode_operations;
extern const struct dentry_operations simple_dentry_operations;
extern const struct inode_operations anon_empty_iops;

/* Directory contents for readdir implementations. */
static inline bool dir_emit(struct dir_context *ctx, const char *name, int len, u64 ino, unsigned type)
{
	return ctx->actor(ctx, name, len, ctx->pos, ino, type);
}
bool dir_emit_dot(struct file *, struct dir_context *);
bool dir_emit_dotdot(struct file *, struct dir_context *);
bool dir_emit_dots(struct file *, struct dir_context *);
static inline unsigned char fs_umode_to_dtype(umode_t mode) { return (mode & S_IFMT) >> 12; }	/* not a page */

/* Limits and counters behind /proc/sys/fs. */
extern unsigned long sysctl_nr_open;
extern unsigned long sysctl_file_max;
extern int sysctl_protected_symlinks, sysctl_protected_hardlinks;
extern int sysctl_protected_fifos, sysctl_protected_regular;
extern unsigned int sysctl_pipe_max_size;
extern unsigned int sysctl_mount_max;
extern int sysctl_lease_break_time;
extern int sysctl_vfs_cache_pressure;
unsigned long get_nr_files(void);
long get_nr_inodes(void);
/* Inodes without references, which stay in memory until reclaim frees them. */
long inodes_unused(void);
