// SPDX-License-Identifier: MIT
/*
 * Who may do what to an inode: mode bits and capabilities; changing modes, owners, sizes and times.
 * POSIX ACLs (posix_acl.c) have their word in class_permission(). idmap arguments are carried everywhere and mean identity today.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/namei.h>
#include <vfs/posix_acl.h>
#include <vfs/xattr.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <proc/ns.h>
#include <sched/task.h>
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/time.h>

bool capable_wrt_inode_uidgid(struct mnt_idmap *idmap, const struct inode *inode, int cap)
{
	struct user_namespace *ns = current_user_ns();

	(void)idmap;
	return ns_capable(ns, cap) && privileged_wrt_inode_ids(ns, inode->i_uid, inode->i_gid);
}

bool inode_owner_or_capable(struct mnt_idmap *idmap, const struct inode *inode)
{
	return uid_eq(current_fsuid(), inode->i_uid) || capable_wrt_inode_uidgid(idmap, inode, CAP_FOWNER);
}

/* By the class of the caller: owner, group or others. */
static int class_permission(const struct inode *inode, int mask)
{
	unsigned int mode = READ_ONCE(inode->i_mode);
	const struct cred *cred = current_cred();

	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (uid_eq(inode->i_uid, cred->fsuid)) {
		mode >>= 6;
	} else {
		/* Where the group class has nothing at all, Linux does not look into the list. */
		if (unlikely(READ_ONCE(inode->i_acl)) && mode & S_IRWXG) {
			int err = posix_acl_permission(inode, mask);

			if (err != -EAGAIN)
				return err;
		}
		/* Membership matters only where group and others differ in what is asked. */
		if ((mask & (mode ^ mode >> 3)) && cred_in_group(cred, inode->i_gid))
			mode >>= 3;
	}
	return mask & ~mode ? -EACCES : 0;
}

int generic_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	int err = class_permission(inode, mask);

	if (likely(err != -EACCES))
		return err;
	if (S_ISDIR(inode->i_mode)) {
		if (!(mask & MAY_WRITE) && capable_wrt_inode_uidgid(idmap, inode, CAP_DAC_READ_SEARCH))
			return 0;
		return capable_wrt_inode_uidgid(idmap, inode, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (mask == MAY_READ && capable_wrt_inode_uidgid(idmap, inode, CAP_DAC_READ_SEARCH))
		return 0;
	/* Nobody executes what has no execute bit at all. */
	if ((!(mask & MAY_EXEC) || inode->i_mode & S_IXUGO) &&
	    capable_wrt_inode_uidgid(idmap, inode, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	if (unlikely(mask & MAY_WRITE)) {
		umode_t mode = inode->i_mode;

		if (sb_rdonly(inode->i_sb) && (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode)))
			return -EROFS;
		if (IS_IMMUTABLE(inode))
			return -EPERM;
		/* Ids that have no number on this filesystem could not be written back. */
		if (!uid_valid(inode->i_uid) || !gid_valid(inode->i_gid))
			return -EACCES;
	}
	if (likely(inode->i_opflags & IOP_FASTPERM))
		return generic_permission(idmap, inode, mask);
	if (inode->i_op->permission)
		return inode->i_op->permission(idmap, inode, mask);
	return generic_permission(idmap, inode, mask);
}

int path_permission(const struct path *path, int mask)
{
	return inode_permission(mnt_idmap(path->mnt), path->dentry->d_inode, mask);
}

int file_permission(struct file *file, int mask)
{
	return inode_permission(file_mnt_idmap(file), file_inode(file), mask);
}

struct mnt_idmap *file_mnt_idmap(const struct file *f)
{
	return mnt_idmap(f->f_path.mnt);
}

/* What the umask takes from a new file's mode; where there may be default ACLs the filesystem decides (posix_acl_init_inode). */
umode_t mode_strip_umask(const struct inode *dir, umode_t mode)
{
	return IS_POSIXACL(dir) ? mode : mode & (umode_t)~current_umask();
}

bool in_group_or_capable(struct mnt_idmap *idmap, const struct inode *inode, kgid_t gid)
{
	return in_group_p(gid) || capable_wrt_inode_uidgid(idmap, inode, CAP_FSETID);
}

/* A file created in a set-group-id directory keeps S_ISGID only for who is in that group. */
umode_t mode_strip_sgid(struct mnt_idmap *idmap, const struct inode *dir, umode_t mode)
{
	if ((mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP))
		return mode;
	if (S_ISDIR(mode) || !dir || !(dir->i_mode & S_ISGID))
		return mode;
	return in_group_or_capable(idmap, dir, dir->i_gid) ? mode : mode & ~S_ISGID;
}

/* Attributes. */

static bool chown_ok(struct mnt_idmap *idmap, const struct inode *inode, kuid_t uid)
{
	if (uid_eq(current_fsuid(), inode->i_uid) && uid_eq(uid, inode->i_uid))
		return true;
	return capable_wrt_inode_uidgid(idmap, inode, CAP_CHOWN);
}

static bool chgrp_ok(struct mnt_idmap *idmap, const struct inode *inode, kgid_t gid)
{
	if (uid_eq(current_fsuid(), inode->i_uid) && (gid_eq(gid, inode->i_gid) || in_group_p(gid)))
		return true;
	return capable_wrt_inode_uidgid(idmap, inode, CAP_CHOWN);
}

int inode_newsize_ok(const struct inode *inode, loff_t offset)
{
	if (offset < 0)
		return -EINVAL;
	if (inode->i_size < offset) {
		u64 limit = rlimit(RLIMIT_FSIZE);

		if (limit != RLIM_INFINITY && (u64)offset > limit) {
			send_sig(SIGXFSZ, current, 0);
			return -EFBIG;
		}
		if (offset > inode->i_sb->s_maxbytes)
			return -EFBIG;
	} else if (inode->i_flags & S_SWAPFILE) {
		return -ETXTBSY;
	}
	return 0;
}

/* Changes that are not everybody's who may write. */
#define ASKS_OWNER (ATTR_UID | ATTR_GID | ATTR_MODE | ATTR_MTIME_SET | ATTR_ATIME_SET | ATTR_TIMES_SET)

static int change_ok(struct mnt_idmap *idmap, const struct inode *inode, struct iattr *attr)
{
	unsigned int valid = attr->ia_valid;

	if (valid & ATTR_UID && !chown_ok(idmap, inode, attr->ia_uid))
		return -EPERM;
	if (valid & ATTR_GID && !chgrp_ok(idmap, inode, attr->ia_gid))
		return -EPERM;
	if (valid & ATTR_MODE) {
		kgid_t gid = valid & ATTR_GID ? attr->ia_gid : inode->i_gid;

		if (!inode_owner_or_capable(idmap, inode))
			return -EPERM;
		if (!in_group_or_capable(idmap, inode, gid))
			attr->ia_mode &= ~S_ISGID;
	}
	if (valid & (ATTR_MTIME_SET | ATTR_ATIME_SET | ATTR_TIMES_SET) &&
	    !inode_owner_or_capable(idmap, inode))
		return -EPERM;
	return 0;
}

int setattr_prepare(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	int err = 0;

	if (attr->ia_valid & ATTR_SIZE)
		err = inode_newsize_ok(dentry->d_inode, attr->ia_size);
	if (!err && attr->ia_valid & ASKS_OWNER && !(attr->ia_valid & ATTR_FORCE))
		err = change_ok(idmap, dentry->d_inode, attr);
	/* Only a change that is allowed takes the file's capabilities away. */
	if (!err && attr->ia_valid & ATTR_KILL_PRIV) {
		err = __vfs_removexattr(idmap, dentry, XATTR_NAME_CAPS);
		if (err == -ENODATA || err == -EOPNOTSUPP)
			err = 0;
	}
	return err;
}

/* The nearest that the file system can store. */
static struct timespec64 storable(const struct inode *inode, struct timespec64 t)
{
	const struct super_block *sb = inode->i_sb;

	if (t.tv_sec >= sb->s_time_max)
		return (struct timespec64){ .tv_sec = sb->s_time_max };
	if (t.tv_sec < sb->s_time_min)
		return (struct timespec64){ .tv_sec = sb->s_time_min };
	t.tv_nsec -= t.tv_nsec % (long)sb->s_time_gran;
	return t;
}

void setattr_copy(struct mnt_idmap *idmap, struct inode *inode, const struct iattr *attr)
{
	unsigned int valid = attr->ia_valid;

	if (valid & ATTR_UID)
		inode->i_uid = attr->ia_uid;
	if (valid & ATTR_GID)
		inode->i_gid = attr->ia_gid;
	if (valid & ATTR_ATIME)
		inode->i_atime = attr->ia_atime;
	if (valid & ATTR_MTIME)
		inode->i_mtime = attr->ia_mtime;
	if (valid & ATTR_CTIME)
		inode->i_ctime = attr->ia_ctime;
	if (valid & ATTR_MODE) {
		umode_t mode = attr->ia_mode;

		if (!in_group_or_capable(idmap, inode, inode->i_gid))
			mode &= ~S_ISGID;
		WRITE_ONCE(inode->i_mode, mode);
	}
}

static int may_setattr(struct mnt_idmap *idmap, struct inode *inode, unsigned int valid)
{
	if (valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_TIMES_SET) && (IS_IMMUTABLE(inode) || IS_APPEND(inode)))
		return -EPERM;
	/* utimes(NULL): whoever may write may do that. */
	if (valid & ATTR_TOUCH) {
		if (IS_IMMUTABLE(inode))
			return -EPERM;
		if (!inode_owner_or_capable(idmap, inode))
			return inode_permission(idmap, inode, MAY_WRITE);
	}
	return 0;
}

/* Applies a change. The inode's i_rwsem is held exclusively, the mount is writable. */
int notify_change(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = dentry->d_inode;
	umode_t mode = inode->i_mode;
	unsigned int valid = attr->ia_valid;
	struct timespec64 now;
	int err;

	err = may_setattr(idmap, inode, valid);
	if (err)
		return err;
	if (valid & ATTR_MODE && S_ISLNK(inode->i_mode))
		return -EOPNOTSUPP;
	now = current_time(inode);
	attr->ia_ctime = now;
	attr->ia_atime = valid & ATTR_ATIME_SET ? storable(inode, attr->ia_atime) : now;
	attr->ia_mtime = valid & ATTR_MTIME_SET ? storable(inode, attr->ia_mtime) : now;
	/* A chmod says itself what becomes of the bits. */
	if (valid & (ATTR_KILL_SUID | ATTR_KILL_SGID) && valid & ATTR_MODE)
		return -EINVAL;
	if (valid & ATTR_KILL_SUID && mode & S_ISUID) {
		valid = attr->ia_valid |= ATTR_MODE;
		attr->ia_mode = mode & ~S_ISUID;
	}
	if (valid & ATTR_KILL_SGID && mode & S_ISGID) {
		if (!(valid & ATTR_MODE))
			attr->ia_mode = mode;
		attr->ia_valid |= ATTR_MODE;
		attr->ia_mode &= ~S_ISGID;
	}
	attr->ia_valid &= ~(ATTR_KILL_SUID | ATTR_KILL_SGID);
	if (!(attr->ia_valid & ~ATTR_FILE))
		return 0;
	if (inode->i_op->setattr)
		err = inode->i_op->setattr(idmap, dentry, attr);
	else
		err = simple_setattr(idmap, dentry, attr);
	if (!err)
		notify_setattr(dentry, attr->ia_valid);
	return err;
}

/* ATTR_KILL_SGID where an outsider's change takes S_ISGID away, as from every group-executable file (chown(2)). */
static unsigned int sgid_to_kill(struct mnt_idmap *idmap, const struct inode *inode)
{
	umode_t mode = inode->i_mode;

	if (!(mode & S_ISGID))
		return 0;
	return mode & S_IXGRP || !in_group_or_capable(idmap, inode, inode->i_gid) ? ATTR_KILL_SGID : 0;
}

/*
 * What a change of the contents takes away, as ATTR_KILL_*. The set-id bits are a promise to every user of the machine, so only
 * CAP_FSETID over the initial namespace keeps them; a file's capabilities go in any case. The inode is locked.
 */
static unsigned int privs_to_kill(struct mnt_idmap *idmap, struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;
	unsigned int kill = 0;

	if (IS_NOSEC(inode) || !S_ISREG(inode->i_mode))
		return 0;
	if (inode->i_mode & (S_ISUID | S_ISGID)) {
		kill = (inode->i_mode & S_ISUID ? ATTR_KILL_SUID : 0) | sgid_to_kill(idmap, inode);
		if (kill && capable(CAP_FSETID))
			kill = 0;
	}
	if (inode->i_opflags & IOP_XATTR && __vfs_getxattr(dentry, inode, XATTR_NAME_CAPS, NULL, 0) > 0)
		kill |= ATTR_KILL_PRIV;
	if (!kill && !(inode->i_mode & (S_ISUID | S_ISGID)) && inode->i_sb->s_flags & SB_NOSEC)
		inode->i_flags |= S_NOSEC;	/* the next change need not look */
	return kill;
}

int file_remove_privs(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct iattr attr;
	unsigned int kill;

	if (IS_NOSEC(inode) || !S_ISREG(inode->i_mode))
		return 0;
	kill = privs_to_kill(file_mnt_idmap(file), file->f_path.dentry);
	if (!kill)
		return 0;
	attr.ia_valid = kill | ATTR_FORCE;
	return notify_change(file_mnt_idmap(file), file->f_path.dentry, &attr);
}

int chmod_common(const struct path *path, umode_t mode)
{
	struct inode *inode = path->dentry->d_inode;
	struct iattr attr;
	int err = mnt_want_write(path->mnt);

	if (err)
		return err;
	inode_lock(inode);
	attr.ia_mode = (mode & S_IALLUGO) | (inode->i_mode & ~S_IALLUGO);
	attr.ia_valid = ATTR_MODE | ATTR_CTIME;
	inode->i_flags &= ~S_NOSEC;
	err = notify_change(mnt_idmap(path->mnt), path->dentry, &attr);
	inode_unlock(inode);
	mnt_drop_write(path->mnt);
	return err;
}

/* -1 leaves an id as it is. Write access to the mount is the caller's. */
static int chown_locked(const struct path *path, uid_t user, gid_t group)
{
	struct user_namespace *ns = current_user_ns();
	struct inode *inode = path->dentry->d_inode;
	struct iattr attr = { .ia_valid = ATTR_CTIME };
	int err;

	if (user != (uid_t)-1) {
		attr.ia_uid = make_kuid(ns, user);
		if (!uid_valid(attr.ia_uid))
			return -EINVAL;
		attr.ia_valid |= ATTR_UID;
	}
	if (group != (gid_t)-1) {
		attr.ia_gid = make_kgid(ns, group);
		if (!gid_valid(attr.ia_gid))
			return -EINVAL;
		attr.ia_valid |= ATTR_GID;
	}
	inode_lock(inode);
	if (!S_ISDIR(inode->i_mode)) {
		attr.ia_valid |= ATTR_KILL_SUID | ATTR_KILL_PRIV | sgid_to_kill(mnt_idmap(path->mnt), inode);
	}
	err = notify_change(mnt_idmap(path->mnt), path->dentry, &attr);
	inode_unlock(inode);
	return err;
}

int chown_common(const struct path *path, uid_t user, gid_t group)
{
	int err = mnt_want_write(path->mnt);

	if (err)
		return err;
	err = chown_locked(path, user, group);
	mnt_drop_write(path->mnt);
	return err;
}

/* utimensat(2). NULL times: now. */
int vfs_utimes(const struct path *path, const struct timespec64 *times)
{
	struct inode *inode = path->dentry->d_inode;
	struct iattr attr;
	int err;

	for (int i = 0; times && i < 2; i++) {
		if (times[i].tv_nsec != UTIME_OMIT && times[i].tv_nsec != UTIME_NOW &&
		    (unsigned long)times[i].tv_nsec >= NSEC_PER_SEC)
			return -EINVAL;
	}
	err = mnt_want_write(path->mnt);
	if (err)
		return err;
	if (times && times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW)
		times = NULL;
	attr.ia_valid = ATTR_CTIME | ATTR_MTIME | ATTR_ATIME;
	if (times) {
		if (times[0].tv_nsec == UTIME_OMIT) {
			attr.ia_valid &= ~ATTR_ATIME;
		} else if (times[0].tv_nsec != UTIME_NOW) {
			attr.ia_atime = times[0];
			attr.ia_valid |= ATTR_ATIME_SET;
		}
		if (times[1].tv_nsec == UTIME_OMIT) {
			attr.ia_valid &= ~ATTR_MTIME;
		} else if (times[1].tv_nsec != UTIME_NOW) {
			attr.ia_mtime = times[1];
			attr.ia_valid |= ATTR_MTIME_SET;
		}
		/* Not "now" for both: the owner's right, even when only one is set. */
		attr.ia_valid |= ATTR_TIMES_SET;
	} else {
		attr.ia_valid |= ATTR_TOUCH;
	}
	inode_lock(inode);
	err = notify_change(mnt_idmap(path->mnt), path->dentry, &attr);
	inode_unlock(inode);
	mnt_drop_write(path->mnt);
	return err;
}

int do_truncate(struct mnt_idmap *idmap, struct dentry *dentry, loff_t length, unsigned int time_attrs,
		struct file *filp)
{
	struct inode *inode = dentry->d_inode;
	struct iattr attr;
	unsigned int kill;
	int err;

	if (length < 0)
		return -EINVAL;
	attr.ia_size = length;
	attr.ia_valid = ATTR_SIZE | time_attrs;
	attr.ia_file = filp;
	if (filp)
		attr.ia_valid |= ATTR_FILE;
	inode_lock(inode);
	/* Who may write the file may shorten it: what goes with that is not asked for by its owner's right. */
	kill = IS_NOSEC(inode) ? 0 : privs_to_kill(idmap, dentry);
	if (kill)
		attr.ia_valid |= kill | ATTR_FORCE;
	err = notify_change(idmap, dentry, &attr);
	inode_unlock(inode);
	return err;
}

int vfs_truncate(const struct path *path, loff_t length)
{
	struct mnt_idmap *idmap = mnt_idmap(path->mnt);
	struct inode *inode = path->dentry->d_inode;
	int err;

	if (S_ISDIR(inode->i_mode))
		return -EISDIR;
	if (!S_ISREG(inode->i_mode))
		return -EINVAL;
	err = inode_permission(idmap, inode, MAY_WRITE);
	if (err)
		return err;
	err = mnt_want_write(path->mnt);
	if (err)
		return err;
	if (IS_APPEND(inode))
		err = -EPERM;
	if (!err)
		err = get_write_access(inode);
	if (!err) {
		err = do_truncate(idmap, path->dentry, length, ATTR_CTIME | ATTR_MTIME, NULL);
		put_write_access(inode);
	}
	mnt_drop_write(path->mnt);
	return err;
}

/* What stat(2) says. */

void generic_fillattr(struct mnt_idmap *idmap, u32 mask, struct inode *inode, struct kstat *stat)
{
	(void)idmap;
	(void)mask;
	stat->dev = inode->i_sb->s_dev;
	stat->ino = inode->i_ino;
	stat->mode = inode->i_mode;
	stat->nlink = inode->i_nlink;
	stat->uid = inode->i_uid;
	stat->gid = inode->i_gid;
	stat->rdev = inode->i_rdev;
	stat->size = i_size_read(inode);
	stat->atime = inode->i_atime;
	stat->mtime = inode->i_mtime;
	stat->ctime = inode->i_ctime;
	stat->blksize = 1u << inode->i_blkbits;
	stat->blocks = inode->i_blocks;
}

int vfs_getattr_nosec(const struct path *path, struct kstat *stat, u32 mask, unsigned int flags)
{
	struct inode *inode = path->dentry->d_inode;

	/* What generic_fillattr() does not set; a kstat is long, so not all of it is cleared. */
	stat->attributes = 0;
	stat->btime.tv_sec = 0;
	stat->btime.tv_nsec = 0;
	stat->mnt_id = 0;
	stat->change_cookie = 0;
	stat->subvol = 0;
	stat->dio_mem_align = 0;
	stat->dio_offset_align = 0;
	stat->result_mask = STATX_BASIC_STATS;
	if (inode->i_flags & S_NOATIME)
		stat->result_mask &= ~STATX_ATIME;
	stat->attributes_mask = STATX_ATTR_AUTOMOUNT | STATX_ATTR_DAX | STATX_ATTR_MOUNT_ROOT;
	if (inode->i_flags & S_AUTOMOUNT)
		stat->attributes |= STATX_ATTR_AUTOMOUNT;
	if (inode->i_op->getattr)
		return inode->i_op->getattr(mnt_idmap(path->mnt), path, stat, mask, flags);
	generic_fillattr(mnt_idmap(path->mnt), mask, inode, stat);
	return 0;
}

int vfs_getattr(const struct path *path, struct kstat *stat, u32 mask, unsigned int flags)
{
	return vfs_getattr_nosec(path, stat, mask, flags);
}

int vfs_statfs(const struct path *path, struct kstatfs *buf)
{
	struct super_block *sb = path->mnt->mnt_sb;
	unsigned long f;
	int err;

	if (!sb->s_op->statfs)
		return -ENOSYS;
	memset(buf, 0, sizeof(*buf));
	buf->f_fsid = sb->s_dev;
	err = sb->s_op->statfs(path->dentry, buf);
	if (err)
		return err;
	if (!buf->f_frsize)
		buf->f_frsize = buf->f_bsize;
	/* ST_VALID and the ST_* bits, which are the MS_* ones where both exist. */
	f = 0x20;
	if (mnt_is_readonly(path->mnt))
		f |= SB_RDONLY;
	f |= (unsigned long)path->mnt->mnt_flags & MNT_NOSUID ? 2 : 0;
	f |= path->mnt->mnt_flags & MNT_NODEV ? 4 : 0;
	f |= path->mnt->mnt_flags & MNT_NOEXEC ? 8 : 0;
	f |= sb->s_flags & SB_SYNCHRONOUS ? 16 : 0;
	f |= sb->s_flags & SB_MANDLOCK ? 64 : 0;
	f |= path->mnt->mnt_flags & MNT_NOATIME ? 1024 : 0;
	f |= path->mnt->mnt_flags & MNT_NODIRATIME ? 2048 : 0;
	f |= path->mnt->mnt_flags & MNT_RELATIME ? 4096 : 0;	/* ST_RELATIME; not a page */
	f |= path->mnt->mnt_flags & MNT_NOSYMFOLLOW ? 8192 : 0;
	buf->f_flags = (long)f;
	return 0;
}
