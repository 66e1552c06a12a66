// SPDX-License-Identifier: MIT
#pragma once
/*
 * Mounts as other rooms see them: a vfsmount is one appearance of a filesystem tree. The tree of mounts,
 * propagation and namespaces are in vfs/mount_priv.h.
 */
#include <lib/types.h>
#include <lib/list.h>

struct dentry;
struct super_block;
struct file;
struct file_system_type;
struct fs_context;
struct mnt_namespace;
struct mnt_idmap;
struct user_namespace;
struct task;
struct seq_file;
struct poll_table_struct;

/* umount2(2) flags: the C library's header has them, the packaged kernel headers do not. */
#define MNT_FORCE		0x1
#define MNT_DETACH		0x2
#define MNT_EXPIRE		0x4
#define UMOUNT_NOFOLLOW		0x8

/* mnt_flags */
#define MNT_NOSUID		0x01
#define MNT_NODEV		0x02
#define MNT_NOEXEC		0x04
#define MNT_NOATIME		0x08
#define MNT_NODIRATIME		0x10
#define MNT_RELATIME		0x20
#define MNT_READONLY		0x40
#define MNT_NOSYMFOLLOW		0x80
#define MNT_USER_SETTABLE_MASK	0xff
#define MNT_WRITE_HOLD		0x200	/* writers wait: about to become read-only; namespace_sem */
#define MNT_SB_HOLD		0x400	/* its superblock is; s_umount */
#define MNT_HELD		(MNT_WRITE_HOLD | MNT_SB_HOLD)
#define MNT_DOOMED		0x1000000
#define MNT_SYNC_UMOUNT		0x2000000
#define MNT_UMOUNT		0x8000000
#define MNT_SHRINKABLE		0x100
#define MNT_INTERNAL		0x4000
#define MNT_LOCK_ATIME		0x040000
#define MNT_LOCK_NOEXEC		0x080000
#define MNT_LOCK_NOSUID		0x100000
#define MNT_LOCK_NODEV		0x200000
#define MNT_LOCK_READONLY	0x400000
#define MNT_LOCKED		0x800000	/* may not be unmounted alone */

struct vfsmount {
	struct dentry		*mnt_root;	/* constant: root of this appearance */
	struct super_block	*mnt_sb;	/* constant */
	int			mnt_flags;	/* mount_lock */
	struct mnt_idmap	*mnt_idmap;	/* constant once visible */
};

struct path {
	struct vfsmount		*mnt;
	struct dentry		*dentry;
};

extern struct mnt_idmap nop_mnt_idmap;
static inline struct mnt_idmap *mnt_idmap(const struct vfsmount *mnt)
{
	return *(struct mnt_idmap *const volatile *)&mnt->mnt_idmap;
}

void path_get(const struct path *path);
void path_put(const struct path *path);
static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

struct vfsmount *mntget(struct vfsmount *mnt);
void mntput(struct vfsmount *mnt);

/* Write access to a mount: fails with EROFS, excludes remount read-only; also freeze protection. */
int mnt_want_write(struct vfsmount *mnt);
int mnt_want_write_file(struct file *file);
void mnt_drop_write(struct vfsmount *mnt);
void mnt_drop_write_file(struct file *file);
int mnt_get_write_access(struct vfsmount *mnt);	/* without freeze protection */
void mnt_put_write_access(struct vfsmount *mnt);
bool mnt_is_readonly(const struct vfsmount *mnt);
bool mnt_may_suid(struct vfsmount *mnt);
bool path_noexec(const struct path *path);

/* In-kernel mounts. */
struct vfsmount *kern_mount(struct file_system_type *type);
void kern_unmount(struct vfsmount *mnt);
struct vfsmount *fc_mount(struct fs_context *fc);
struct vfsmount *vfs_kern_mount(struct file_system_type *type, unsigned long sb_flags, const char *name,
				char *options);
struct vfsmount *mnt_clone_internal(const struct path *path);

/* Boot: mount 1 (nullfs) and 2 (rootfs); sets root and cwd of the calling task. */
int vfs_mount_roots(void);
/* init_* run with kernel strings, for the boot path. */
int init_mount(const char *dev, const char *dir, const char *type, unsigned long flags, char *data);
int init_chroot(const char *dir);
int init_chdir(const char *dir);
int init_mkdir(const char *path, umode_t mode);
int init_mknod(const char *path, umode_t mode, dev_t dev);
int init_symlink(const char *target, const char *path);
int init_link(const char *old, const char *path);
int init_unlink(const char *path);
int init_rmdir(const char *path);
int init_chown(const char *path, uid_t uid, gid_t gid, int follow);
int init_chmod(const char *path, umode_t mode);
int init_utimes(const char *path, s64 mtime_s);
int init_eaccess(const char *path);
int init_pivot_root(const char *new_root, const char *put_old);
int init_umount(const char *path, int flags);

/* Namespaces: nsproxy (proc/) holds one reference. */
struct mnt_namespace *copy_mnt_ns(unsigned long flags, struct mnt_namespace *ns,
				  struct user_namespace *user_ns, struct fs_struct *fs);
void get_mnt_ns(struct mnt_namespace *ns);
void put_mnt_ns(struct mnt_namespace *ns);
u64 mnt_ns_inum(const struct mnt_namespace *ns);
u64 mnt_ns_seq(const struct mnt_namespace *ns);		/* never reused; what statmount(2) calls mnt_ns_id */
struct user_namespace *mnt_ns_owner(const struct mnt_namespace *ns);
int mnt_ns_root(struct mnt_namespace *ns, struct user_namespace *user_ns, struct path *root);	/* setns: its root and cwd to be */

/* A task's root, cwd and umask. */
#include <kernel/spinlock.h>
#include <kernel/seqlock.h>
struct fs_struct {
	int		users;		/* lock */
	unsigned int	left;		/* lock: users that went, ever */
	spinlock_t	lock;
	seqcount_t	seq;
	int		umask;
	bool		in_exec;
	struct path	root;		/* lock, seq */
	struct path	pwd;		/* lock, seq */
};
extern struct fs_struct init_fs;
int copy_fs(unsigned long clone_flags, struct task *child);
void exit_fs(struct task *task);
int unshare_fs_struct(void);
bool fs_exec_begin(void);
void fs_exec_end(void);
struct fs_struct *copy_fs_struct(struct fs_struct *old);
void free_fs_struct(struct fs_struct *fs);
void set_fs_root(struct fs_struct *fs, const struct path *path);
void set_fs_pwd(struct fs_struct *fs, const struct path *path);
void get_fs_root(struct fs_struct *fs, struct path *root);
/* The running task, whose fs_struct is its own: its root and directory are process 1's root. -ESRCH: that ends. */
int set_fs_root_to_init(void);
void get_fs_pwd(struct fs_struct *fs, struct path *pwd);
/* Both as they were at one moment, without references: RCU held. */
void get_fs_root_and_pwd_rcu(const struct fs_struct *fs, struct path *root, struct path *pwd);
void chroot_fs_refs(const struct path *old_root, const struct path *new_root);
int current_umask(void);
bool current_chrooted(void);

/* /proc/PID/mounts, mountinfo, mountstats: the whole text of @task's namespace, seen from its root. */
enum mounts_format { MOUNTS_FSTAB, MOUNTS_INFO, MOUNTS_STATS };
int mounts_open(struct file *file, struct task *task, enum mounts_format format);
int mounts_release(struct file *file);
unsigned int mounts_poll(struct file *file, struct poll_table_struct *pt);
