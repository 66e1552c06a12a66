// SPDX-License-Identifier: MIT
/*
 * binderfs: each mount is an instance of its own with a control device, with which programs add
 * Binder devices. A device is an inode; it lives until it has no name and no open file. What its
 * files do is the driver's (<fs/binderfs.h>).
 *
 * Numbers are those of all instances. The last few are for instances mounted in the first IPC
 * namespace. An instance has at most as many devices as its max= option says; those whose name is
 * gone count until their last file is closed.
 *
 * The driver may lie in a module: a mount and the making of one are uses of it, and so is an open
 * device. An instance keeps the driver that it was made with.
 *
 * Source: Documentation/admin-guide/binderfs.rst, <linux/android/binderfs.h>.
 */
#include <lib/types.h>
#include <fs/binderfs.h>

#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <kernel/owner.h>
#include <kernel/show.h>
#include <kernel/spinlock.h>
#include <lib/string.h>
#include <mm/iter.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <sched/task.h>
#include <vfs/chrdev.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <vfs/notify.h>
#include <linux/android/binderfs.h>

#define BINDERFS_MAGIC	0x6c6f6f70
#define MINORS		(1u << MINORBITS)
#define RESERVED	4u		/* of the numbers, for the first IPC namespace */
#define CONTROL_INO	2u
#define FEATURES_INO	3u
#define DEVICE_INO	100u		/* + minor: behind the features' */
#define DEVICE_MODE	0600

struct options {
	const struct binderfs_driver *driver; /* in use */
	u32 max;
};

struct instance {
	struct options opt;
	struct dentry *control;
	atomic_t devices; /* the control device is none */
	bool first_ns; /* constant: may use the reserved numbers */
	kuid_t uid;  /* constant: owner of all */
	kgid_t gid;
};

/* Of an inode with a number: i_private. */
struct device {
	u32 minor;
	void *kept;   /* the driver's; NULL: the control device */
};

static const char *const features[] = { "oneway_spam_detection", "extended_error" };

static DEFINE_SPINLOCK(driver_lock);
static const struct binderfs_driver *driver;	/* driver_lock; NULL: none */
static unsigned int major;	/* set before there is a mount */
static DEFINE_XARRAY_ALLOC(minors);

static struct instance *INSTANCE(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static const struct binderfs_driver *DRIVER(const struct inode *inode)
{
	return INSTANCE(inode->i_sb)->opt.driver;
}

/* A use of the driver begins. NULL: there is none, or it is going. */
static const struct binderfs_driver *driver_get(void)
{
	const struct binderfs_driver *d;

	spin_lock(&driver_lock);
	d = driver;
	if (d && !owner_use(d))
		d = NULL;
	spin_unlock(&driver_lock);
	return d;
}

void *binderfs_device(const struct inode *inode)
{
	const struct device *d = inode->i_private;

	return d->kept;
}

/* Inodes. */

static struct inode *new_node(struct super_block *sb, u64 ino, umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = ino;
	inode->i_mode = mode;
	inode->i_uid = INSTANCE(sb)->uid;
	inode->i_gid = INSTANCE(sb)->gid;
	simple_inode_init_ts(inode);
	return inode;
}

static int node_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	int err = setattr_prepare(idmap, d, attr);

	if (!err)
		setattr_copy(idmap, d->d_inode, attr);
	return err;
}

static const struct inode_operations node_iops = { .setattr = node_setattr };

/*
 * Its functions are the file's from here on, which is a use of the driver until the file is closed
 * (do_final_put()). The mount is one, so none is refused.
 */
static int device_open(struct inode *inode, struct file *f)
{
	const struct file_operations *ops = DRIVER(inode)->fops;
	int err;

	if (!owner_use(ops))
		return -ENODEV;
	replace_fops(f, ops);
	err = ops->open(inode, f);
	if (err)
		owner_unuse(ops);
	return err;
}

static const struct file_operations device_fops = { .open = device_open, .llseek = no_llseek };

/* Takes a number. FOPS of the control device, or of the driver's. -ENOSPC, -ENOMEM. */
static struct inode *new_device(struct super_block *sb, const struct file_operations *fops,
				bool control)
{
	struct instance *in = INSTANCE(sb);
	struct device *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	struct inode *inode;
	int err;

	if (!d)
		return ERR_PTR(-ENOMEM);
	err = xa_alloc(&minors, &d->minor, d,
		       XA_LIMIT(0, MINORS - 1 - (in->first_ns ? 0 : RESERVED)), GFP_KERNEL_ACCOUNT);
	if (err) {
		kfree(d);
		return ERR_PTR(err == -EBUSY ? -ENOSPC : err);
	}
	if (!control)
		d->kept = in->opt.driver->make();
	inode = control || d->kept ? new_node(sb, control ? CONTROL_INO : DEVICE_INO + d->minor,
					      S_IFCHR | DEVICE_MODE) :
				     NULL;
	if (!inode) {
		if (d->kept)
			in->opt.driver->drop(d->kept);
		xa_erase(&minors, d->minor);
		kfree(d);
		return ERR_PTR(-ENOMEM);
	}
	init_special_inode(inode, S_IFCHR | DEVICE_MODE, MKDEV(major, d->minor));
	inode->i_op = &node_iops;
	inode->i_fop = fops;
	inode->i_private = d;
	inode_set_op_flags(inode);
	return inode;
}

static void evict_inode(struct inode *inode)
{
	struct device *d = S_ISCHR(inode->i_mode) ? inode->i_private : NULL;

	clear_inode(inode);
	if (!d)
		return;
	if (d->kept) {
		DRIVER(inode)->drop(d->kept);
		atomic_dec(&INSTANCE(inode->i_sb)->devices);
	}
	xa_erase(&minors, d->minor);
	kfree(d);
}

/* The control device. */

/*
 * Gives INODE, which is consumed, the name that a program asked for. -EEXIST, -EACCES: no name of a
 * file.
 */
static int add_name(struct super_block *sb, const char *name, struct inode *inode)
{
	struct inode *root = sb->s_root->d_inode;
	struct dentry *d;
	int err = 0;

	inode_lock(root);
	d = lookup_one_len(name, sb->s_root, (int)strlen(name));
	if (IS_ERR(d)) {
		err = (int)PTR_ERR(d);
	} else if (d->d_inode) {
		err = -EEXIST;
	} else {
		d_make_persistent(d, inode);
		inode_update_times(root);
		notify_create(root, d);
	}
	if (!IS_ERR(d))
		dput(d);
	inode_unlock(root);
	if (err)
		iput(inode);
	return err;
}

static int add_device(struct super_block *sb, struct binderfs_device *req, struct uptr arg)
{
	struct instance *in = INSTANCE(sb);
	struct inode *inode;

	if ((u32)atomic_inc_return(&in->devices) > READ_ONCE(in->opt.max)) {
		atomic_dec(&in->devices);
		return -ENOSPC;
	}
	inode = new_device(sb, &device_fops, false);
	if (IS_ERR(inode)) {
		atomic_dec(&in->devices);
		return (int)PTR_ERR(inode);
	}
	req->major = major;
	req->minor = MINOR(inode->i_rdev);
	if (copy_to_user(arg, req, sizeof(*req))) {
		iput(inode);		/* counts one down */
		return -EFAULT;
	}
	return add_name(sb, req->name, inode);
}

static long control_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct binderfs_device *req;
	long err;

	if (cmd != BINDER_CTL_ADD)
		return -EINVAL;
	req = kmalloc(sizeof(*req), GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	if (copy_from_user(req, (struct uptr){ arg }, sizeof(*req))) {
		err = -EFAULT;
	} else {
		req->name[BINDERFS_MAX_NAME] = 0;
		err = add_device(f->f_inode->i_sb, req, (struct uptr){ arg });
	}
	kfree(req);
	return err;
}

static const struct file_operations control_fops = { .open = nonseekable_open,
						     .ioctl = control_ioctl,
						     .llseek = no_llseek };

/* The features directory: a file for each that the driver has. */

static ssize_t feature_read(struct kiocb *k, struct iter *to)
{
	static const char text[] = "1\n";
	loff_t at = k->ki_pos;
	size_t n;

	if (at < 0 || at >= 2)
		return 0;
	n = copy_to_iter(text + at, 2 - (size_t)at, to);
	k->ki_pos = at + (loff_t)n;
	return n || !iter_count(to) ? (ssize_t)n : -EFAULT;
}

static const struct file_operations feature_fops = { .read_iter = feature_read,
						     .llseek = generic_file_llseek };

static int add_child(struct dentry *parent, const char *name, struct inode *inode,
		     struct dentry **out)
{
	struct dentry *d = inode ? d_alloc_name(parent, name) : NULL;

	if (!d) {
		if (inode)
			iput(inode);
		return -ENOMEM;
	}
	d_make_persistent(d, inode);
	*out = d;
	dput(d);
	return 0;
}

static const struct inode_operations features_iops = { .lookup = simple_lookup };

static int add_features(struct super_block *sb)
{
	struct inode *inode = new_node(sb, FEATURES_INO, S_IFDIR | 0755);
	struct dentry *dir, *d;
	int err;

	if (inode) {
		inode->i_op = &features_iops;
		inode->i_fop = &simple_dir_operations;
		set_nlink(inode, 2);
		inode_set_op_flags(inode);
	}
	err = add_child(sb->s_root, "features", inode, &dir);
	if (err)
		return err;
	inc_nlink(sb->s_root->d_inode);
	for (u32 i = 0; !err && i < ARRAY_SIZE(features); i++) {
		inode = new_node(sb, FEATURES_INO + 1 + i, S_IFREG | 0444);
		if (inode) {
			inode->i_op = &node_iops;
			inode->i_fop = &feature_fops;
			inode_set_op_flags(inode);
		}
		err = add_child(dir, features[i], inode, &d);
	}
	return err;
}

/* The root: names go and change, but the control device's. */

static int root_unlink(struct inode *dir, struct dentry *d)
{
	return d == INSTANCE(dir->i_sb)->control ? -EPERM : simple_unlink(dir, d);
}

static int root_rename(struct mnt_idmap *idmap, struct inode *from, struct dentry *old,
		       struct inode *to, struct dentry *new, unsigned int flags)
{
	const struct dentry *control = INSTANCE(from->i_sb)->control;

	return old == control || new == control ? -EPERM :
						  simple_rename(idmap, from, old, to, new, flags);
}

static const struct inode_operations root_iops = { .lookup = simple_lookup,
						   .unlink = root_unlink,
						   .rename = root_rename };

/* Mounts. */

static int show_options(struct seq_file *m, struct dentry *root)
{
	u32 max = READ_ONCE(INSTANCE(root->d_sb)->opt.max);

	if (max <= MINORS)
		seq_printf(m, ",max=%u", max);
	return 0;
}

static const struct super_operations binderfs_ops = { .statfs = simple_statfs,
						      .show_options = show_options,
						      .evict_inode = evict_inode };

static int parse_param(struct fs_context *fc, const char *key, const char *value)
{
	struct options *o = fc->fs_private;
	u32 v;

	if (strcmp(key, "max"))
		return -ENOPARAM;
	if (fs_param_u32(value, 10, &v) || v > MINORS)
		return -EINVAL;
	o->max = v;
	return 0;
}

static int fill(struct super_block *sb, struct fs_context *fc)
{
	struct instance *in = kzalloc(sizeof(*in), GFP_KERNEL_ACCOUNT);
	struct inode *inode;
	int err;

	if (!in)
		return -ENOMEM;
	in->opt = *(struct options *)fc->fs_private;
	if (!owner_use(in->opt.driver)) {
		kfree(in);
		return -ENODEV;
	}
	in->first_ns = current->nsproxy->ipc_ns == init_nsproxy.ipc_ns;
	in->uid = make_kuid(sb->s_user_ns, 0);
	in->gid = make_kgid(sb->s_user_ns, 0);
	if (!uid_valid(in->uid))
		in->uid = GLOBAL_ROOT_UID;
	if (!gid_valid(in->gid))
		in->gid = GLOBAL_ROOT_GID;
	sb->s_fs_info = in;
	sb->s_magic = BINDERFS_MAGIC;
	sb->s_op = &binderfs_ops;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_iflags &= ~(unsigned long)SB_I_NODEV;
	sb->s_iflags |= SB_I_NOEXEC;
	inode = new_node(sb, 1, S_IFDIR | 0755);
	if (!inode)
		return -ENOMEM;
	inode->i_op = &root_iops;
	inode->i_fop = &simple_dir_operations;
	set_nlink(inode, 2);
	inode_set_op_flags(inode);
	sb->s_root = d_make_root(inode);
	if (!sb->s_root)
		return -ENOMEM;
	inode = new_device(sb, &control_fops, true);
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	err = add_child(sb->s_root, "binder-control", inode, &in->control);
	return err ? err : add_features(sb);
}

static int get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, fill);
}

static int reconfigure(struct fs_context *fc)
{
	WRITE_ONCE(INSTANCE(fc->root->d_sb)->opt.max, ((struct options *)fc->fs_private)->max);
	return 0;
}

static void free_fc(struct fs_context *fc)
{
	owner_unuse(((struct options *)fc->fs_private)->driver);
	kfree(fc->fs_private);
}

static const struct fs_context_operations context_ops = {
	.free = free_fc,
	.parse_param = parse_param,
	.get_tree = get_tree,
	.reconfigure = reconfigure,
};

static int init_fs_context(struct fs_context *fc)
{
	struct options *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return -ENOMEM;
	o->driver = driver_get();
	if (!o->driver) {
		kfree(o);
		return -ENODEV;
	}
	o->max = MINORS;
	fc->fs_private = o;
	fc->ops = &context_ops;
	return 0;
}

static void kill_sb(struct super_block *sb) __releases(sb -> s_umount)
{
	struct instance *in = INSTANCE(sb);

	kill_litter_super(sb);
	if (in)
		owner_unuse(in->opt.driver);
	kfree(in);
}

static struct file_system_type binderfs_type = {
	.name = "binder",
	.init_fs_context = init_fs_context,
	.kill_sb = kill_sb,
	.fs_flags = FS_USERNS_MOUNT,
};

static void set_driver(const struct binderfs_driver *d)
{
	spin_lock(&driver_lock);
	driver = d;
	spin_unlock(&driver_lock);
}

int binderfs_register(const struct binderfs_driver *d)
{
	dev_t dev;
	int err = alloc_chrdev_region(&dev, 0, MINORS, "binder");

	if (err)
		return err;
	err = register_filesystem(&binderfs_type);
	if (err) {
		unregister_chrdev_region(dev, MINORS);
		return err;
	}
	major = MAJOR(dev);
	owner_hold(d);
	set_driver(d);
	return 0;
}

void binderfs_unregister(void)
{
	const struct binderfs_driver *d = driver;

	unregister_filesystem(&binderfs_type);
	set_driver(NULL);
	unregister_chrdev_region(MKDEV(major, 0), MINORS);
	owner_unhold(d);
}
