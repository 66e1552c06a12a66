// SPDX-License-Identifier: MIT
/*
 * The file system of POSIX message queues (mq_overview(7), "Mounting the message queue
 * filesystem"). Each IPC namespace has one, of which a queue is a file in the root directory, which
 * is everybody's and sticky. mq_open(2) and mq_unlink(2) go through a mount of the namespace's own,
 * made when one of them, or mount(2), first needs it: it keeps the queues while nobody else has
 * mounted them.
 *
 * The superblock knows its namespace, which does not live for that: one that ends leaves
 * superblocks that others have mounted without any, and in such no queue is made. Locks:
 * ns->mq_lock (the mount), directory's i_rwsem, link_lock (superblock to namespace, and the count
 * of queues).
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "mqueue_priv.h"
#include "sysv_priv.h"

#define MQUEUE_MAGIC 0x19800202
#define NAME_LIMIT 255
#define STATUS_SIZE 80	/* what stat(2) says of the text that read(2) gives, however long that is */
#define DIRENT_SIZE 20	/* what a name adds to the size of its directory */

static DEFINE_SPINLOCK(link_lock);
static struct file_system_type mqueue_type;

/* ---- queues as inodes ---- */

/* The namespace of SB, referenced; NULL: it has ended. */
static struct ipc_namespace *ns_of(struct super_block *sb)
{
	struct ipc_namespace *ns;

	spin_lock(&link_lock);
	ns = sb->s_fs_info;
	if (ns && !refcount_inc_not_zero(&ns->refs))
		ns = NULL;
	spin_unlock(&link_lock);
	return ns;
}

/* One more queue. -ENOSPC. */
static int count_queue(struct ipc_namespace *ns)
{
	int e = 0;

	spin_lock(&link_lock);
	if (ns->mq_count < ns->mq_queues_max || capable(CAP_SYS_RESOURCE))
		ns->mq_count++;
	else
		e = -ENOSPC;
	spin_unlock(&link_lock);
	return e;
}

static void uncount_queue(struct super_block *sb)
{
	struct ipc_namespace *ns;

	spin_lock(&link_lock);
	ns = sb->s_fs_info;
	if (ns)
		ns->mq_count--;
	spin_unlock(&link_lock);
}

/* The size that a caller sets is only told; times, mode and owner are the queue's. */
static const struct inode_operations queue_iops = { .setattr = simple_setattr };

/* DIR's i_rwsem held. A queue named D, for A or with the defaults. */
static int add_queue(struct ipc_namespace *ns, struct inode *dir, struct dentry *d, umode_t mode,
		     const struct mq_attr *a)
{
	struct mqueue *q = mqueue_new(ns, a);
	struct inode *inode;

	if (IS_ERR(q))
		return (int)PTR_ERR(q);
	inode = new_inode(dir->i_sb);
	if (!inode) {
		mqueue_free(q);
		return -ENOMEM;
	}
	inode->i_ino = get_next_ino();
	inode_init_owner(&nop_mnt_idmap, inode, dir, mode);
	inode->i_op = &queue_iops;
	inode->i_fop = &mqueue_fops;
	inode->i_private = q;
	inode_set_op_flags(inode);
	simple_inode_init_ts(inode);
	i_size_write(inode, STATUS_SIZE);
	dir->i_size += DIRENT_SIZE;
	inode_update_times(dir);
	d_make_persistent(d, inode);
	return 0;
}

static int make_queue(struct dentry *d, umode_t mode, void *attr)
{
	struct inode *dir = d->d_parent->d_inode;
	struct ipc_namespace *ns = ns_of(dir->i_sb);
	int e;

	if (!ns)
		return -EACCES;
	e = count_queue(ns);
	if (!e) {
		e = add_queue(ns, dir, d, mode, attr);
		if (e)
			uncount_queue(dir->i_sb);
	}
	put_ipc_ns(ns);
	return e;
}

static int mq_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode,
		     bool excl)
{
	return make_queue(d, mode, NULL);
}

static int mq_unlink(struct inode *dir, struct dentry *d)
{
	dir->i_size -= DIRENT_SIZE;
	return simple_unlink(dir, d);
}

static void mq_evict(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (!inode->i_private)
		return;
	mqueue_free(inode->i_private);
	uncount_queue(inode->i_sb);
}

static const struct inode_operations root_iops = { .lookup = simple_lookup,
						   .create = mq_create,
						   .unlink = mq_unlink };
static const struct super_operations super_ops = { .statfs = simple_statfs,
						   .evict_inode = mq_evict };

/* ---- mounting ---- */

static int fill(struct super_block *sb, struct fs_context *fc)
{
	struct ipc_namespace *ns = fc->fs_private;
	struct inode *root;

	sb->s_magic = MQUEUE_MAGIC;
	sb->s_op = &super_ops;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	root = new_inode(sb);
	if (!root)
		return -ENOMEM;
	root->i_ino = get_next_ino();
	root->i_mode = S_IFDIR | S_ISVTX | S_IRWXUGO;
	root->i_uid = ns->mq_owner;
	root->i_gid = ns->mq_group;
	root->i_op = &root_iops;
	root->i_fop = &simple_dir_operations;
	root->i_size = 2 * DIRENT_SIZE;
	set_nlink(root, 2);
	simple_inode_init_ts(root);
	inode_set_op_flags(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int get_tree(struct fs_context *fc)
{
	return get_tree_keyed(fc, fill, fc->fs_private);
}

static void free_fc(struct fs_context *fc)
{
	put_ipc_ns(fc->fs_private);
}

static const struct fs_context_operations context_ops = { .free = free_fc, .get_tree = get_tree };

/* The caller's own mount, which he has until his namespace ends. */
static struct vfsmount *own_mount(struct ipc_namespace *ns)
{
	struct vfsmount *mnt = smp_load_acquire(&ns->mq_mnt);

	if (likely(mnt))
		return mnt;
	mutex_lock(&ns->mq_lock);
	mnt = ns->mq_mnt;
	if (!mnt) {
		mnt = kern_mount(&mqueue_type);
		if (!IS_ERR(mnt))
			smp_store_release(&ns->mq_mnt, mnt);
	}
	mutex_unlock(&ns->mq_lock);
	return mnt;
}

static int init_fs_context(struct fs_context *fc)
{
	struct ipc_namespace *ns = current_ipc_ns();

	fc->ops = &context_ops;
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		return 0;
	if (!(fc->sb_flags & SB_KERNMOUNT)) {
		struct vfsmount *mnt = own_mount(ns);

		if (IS_ERR(mnt))
			return (int)PTR_ERR(mnt);
	}
	put_user_ns(fc->user_ns);
	fc->user_ns = get_user_ns(ns->user_ns);
	fc->fs_private = get_ipc_ns(ns);
	return 0;
}

static struct file_system_type mqueue_type = {
	.name = "mqueue",
	.init_fs_context = init_fs_context,
	.kill_sb = kill_litter_super,
	.fs_flags = FS_USERNS_MOUNT,
};

void mqueue_free_all(struct ipc_namespace *ns)
{
	if (!ns->mq_mnt)
		return;
	spin_lock(&link_lock);
	ns->mq_mnt->mnt_sb->s_fs_info = NULL;
	spin_unlock(&link_lock);
	kern_unmount(ns->mq_mnt);
}

/* ---- by name ---- */

static int check_name(const char *name)
{
	size_t n = strlen(name);

	if (!n)
		return -ENOENT;
	if (n > NAME_LIMIT)
		return -ENAMETOOLONG;
	return strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ? -EACCES : 0;
}

/*
 * The root's i_rwsem held. The queue D is there, may be used as OFLAG says, or is made. RO: why it
 * cannot be.
 */
static int prepare(struct dentry *d, int oflag, umode_t mode, const struct mq_attr *attr, int ro)
{
	static const int access[] = {
		[O_RDONLY] = MAY_READ, [O_WRONLY] = MAY_WRITE, [O_RDWR] = MAY_READ | MAY_WRITE
	};

	if (d_is_negative(d)) {
		if (!(oflag & O_CREAT))
			return -ENOENT;
		return ro ?: vfs_mkobj(d, mode & ~current->fs->umask, make_queue, (void *)attr);
	}
	if ((oflag & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if ((oflag & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return inode_permission(&nop_mnt_idmap, d->d_inode, access[oflag & O_ACCMODE]);
}

static struct file *open_queue(struct vfsmount *mnt, const char *name, int oflag, umode_t mode,
			       const struct mq_attr *attr)
{
	struct dentry *root = mnt->mnt_root;
	struct path path = { .mnt = mnt };
	struct file *f;
	int ro, e;

	ro = mnt_want_write(mnt);
	inode_lock_nested(root->d_inode, I_MUTEX_PARENT);
	path.dentry = lookup_one_len(name, root, (int)strlen(name));
	if (IS_ERR(path.dentry)) {
		f = ERR_CAST(path.dentry);
	} else {
		e = prepare(path.dentry, oflag, mode, attr, ro);
		f = e ? ERR_PTR(e) :
			dentry_open(&path, oflag & (O_ACCMODE | O_NONBLOCK), current_cred());
		dput(path.dentry);
	}
	inode_unlock(root->d_inode);
	if (!ro)
		mnt_drop_write(mnt);
	return f;
}

int mqueue_open(const char *name, int oflag, umode_t mode, const struct mq_attr *attr)
{
	struct vfsmount *mnt;
	int fd, e = check_name(name);
	struct file *f;

	if (e)
		return e;
	mnt = own_mount(current_ipc_ns());
	if (IS_ERR(mnt))
		return (int)PTR_ERR(mnt);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	f = open_queue(mnt, name, oflag, mode, attr);
	if (IS_ERR(f)) {
		put_unused_fd((unsigned int)fd);
		return (int)PTR_ERR(f);
	}
	fd_install((unsigned int)fd, f);
	return fd;
}

int mqueue_unlink(const char *name)
{
	struct vfsmount *mnt;
	struct inode *root, *inode = NULL;
	struct dentry *d;
	int e = check_name(name);

	if (e)
		return e;
	mnt = own_mount(current_ipc_ns());
	if (IS_ERR(mnt))
		return (int)PTR_ERR(mnt);
	root = mnt->mnt_root->d_inode;
	e = mnt_want_write(mnt);
	if (e)
		return e;
	inode_lock_nested(root, I_MUTEX_PARENT);
	d = lookup_one_len(name, mnt->mnt_root, (int)strlen(name));
	if (IS_ERR(d)) {
		e = (int)PTR_ERR(d);
	} else {
		inode = d->d_inode;
		if (inode)
			ihold(inode);	/* it goes without the directory's lock */
		e = inode ? vfs_unlink(&nop_mnt_idmap, root, d) : -ENOENT;
		dput(d);
	}
	inode_unlock(root);
	if (inode)
		iput(inode);
	mnt_drop_write(mnt);
	return e;
}

static int mqueue_init(void)
{
	return register_filesystem(&mqueue_type);
}
INITCALL(fs, mqueue_init);
