// SPDX-License-Identifier: MIT
/*
 * devpts: the slaves of pseudo-terminals as files named by their number, and a ptmx of its own. Every
 * mount is an instance with its own numbers. A ptmx elsewhere belongs to the instance mounted on "pts"
 * beside it.
 *
 * The numbers of one instance end at its max= option; all instances together have kernel.pty.max terminals, of which
 * kernel.pty.reserve are for those that were mounted in the first mount namespace.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <vfs/chrdev.h>
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <kernel/show.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <sched/task.h>
#include <tty/upcalls.h>

#define DEVPTS_MAGIC 0x1cd1
#define PTY_MAX (1u << MINORBITS)
#define SLAVE_MAJOR 136
#define PTMX_INO 2

struct devpts {
	struct super_block	*sb;
	struct xarray		used;		/* by number */
	unsigned int		max;
	bool			reserve;	/* may use what is reserved */
	kuid_t			uid;
	kgid_t			gid;
	bool			set_uid, set_gid;
	umode_t			mode, ptmx_mode;
	struct dentry		*ptmx;
};

static int pty_limit = 4096, pty_reserve = 1024;	/* terminals; not a page */
static atomic_t pty_count;

static struct devpts *DEVPTS(struct super_block *sb)
{
	return sb->s_fs_info;
}

/* Options. */

static int parse_param(struct fs_context *fc, const char *key, const char *value)
{
	struct devpts *o = fc->fs_private;
	u32 v;

	if (!strcmp(key, "newinstance"))
		return 0;
	if (!strcmp(key, "uid") || !strcmp(key, "gid") || !strcmp(key, "max")) {
		if (fs_param_u32(value, 10, &v))
			return -EINVAL;
		if (key[0] == 'u') {
			o->uid = make_kuid(current_user_ns(), v);
			o->set_uid = true;
			return uid_valid(o->uid) ? 0 : -EINVAL;
		}
		if (key[0] == 'g') {
			o->gid = make_kgid(current_user_ns(), v);
			o->set_gid = true;
			return gid_valid(o->gid) ? 0 : -EINVAL;
		}
		if (v > PTY_MAX)
			return -EINVAL;
		o->max = v;
		return 0;
	}
	if (!strcmp(key, "mode") || !strcmp(key, "ptmxmode")) {
		if (fs_param_u32(value, 8, &v))
			return -EINVAL;
		if (key[0] == 'm')
			o->mode = v & S_IALLUGO;
		else
			o->ptmx_mode = v & S_IALLUGO;
		return 0;
	}
	return -ENOPARAM;
}

static int show_options(struct seq_file *m, struct dentry *root)
{
	struct devpts *p = DEVPTS(root->d_sb);

	if (p->set_uid)
		seq_printf(m, ",uid=%u", from_kuid_munged(&init_user_ns, p->uid));
	if (p->set_gid)
		seq_printf(m, ",gid=%u", from_kgid_munged(&init_user_ns, p->gid));
	seq_printf(m, ",mode=%03o,ptmxmode=%03o", (unsigned int)p->mode, (unsigned int)p->ptmx_mode);
	if (p->max < PTY_MAX)
		seq_printf(m, ",max=%u", p->max);
	return 0;
}

/* Nodes. */

static int node_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	int err = setattr_prepare(idmap, d, attr);

	if (!err)
		setattr_copy(idmap, d->d_inode, attr);
	return err;
}

static const struct inode_operations node_iops = { .setattr = node_setattr };
static const struct inode_operations root_iops = { .lookup = simple_lookup };
static const struct super_operations devpts_ops = { .statfs = simple_statfs, .show_options = show_options };

static struct inode *new_node(struct super_block *sb, u64 ino, umode_t mode, dev_t dev, void *data)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = ino;
	simple_inode_init_ts(inode);
	init_special_inode(inode, S_IFCHR | mode, dev);
	inode->i_op = &node_iops;
	inode->i_private = data;
	inode_set_op_flags(inode);
	return inode;
}

static int make_ptmx(struct devpts *p)
{
	struct inode *inode = new_node(p->sb, PTMX_INO, p->ptmx_mode, MKDEV(5, 2), NULL);
	struct dentry *d;

	if (!inode)
		return -ENOMEM;
	d = d_alloc_name(p->sb->s_root, "ptmx");
	if (!d) {
		iput(inode);
		return -ENOMEM;
	}
	d_make_persistent(d, inode);
	dput(d);
	p->ptmx = d;
	return 0;
}

static int fill(struct super_block *sb, struct fs_context *fc)
{
	struct devpts *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	struct inode *root;

	if (!p)
		return -ENOMEM;
	*p = *(struct devpts *)fc->fs_private;
	p->sb = sb;
	xa_init_flags(&p->used, XA_FLAGS_ALLOC);
	p->reserve = current->nsproxy->mnt_ns == init_nsproxy.mnt_ns;
	sb->s_fs_info = p;
	sb->s_magic = DEVPTS_MAGIC;
	sb->s_op = &devpts_ops;
	sb->s_blocksize = 1024;
	sb->s_blocksize_bits = 10;
	sb->s_iflags &= ~(unsigned long)SB_I_NODEV;
	root = new_inode(sb);
	if (!root)
		return -ENOMEM;
	root->i_ino = 1;
	root->i_mode = S_IFDIR | 0755;
	root->i_op = &root_iops;
	root->i_fop = &simple_dir_operations;
	set_nlink(root, 2);
	simple_inode_init_ts(root);
	inode_set_op_flags(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	return make_ptmx(p);
}

static int get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, fill);
}

static int reconfigure(struct fs_context *fc)
{
	struct devpts *p = DEVPTS(fc->root->d_sb), *o = fc->fs_private;

	p->uid = o->uid;
	p->gid = o->gid;
	p->set_uid = o->set_uid;
	p->set_gid = o->set_gid;
	p->mode = o->mode;
	p->max = o->max;
	p->ptmx_mode = o->ptmx_mode;
	WRITE_ONCE(p->ptmx->d_inode->i_mode, S_IFCHR | p->ptmx_mode);
	return 0;
}

static void free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations context_ops = {
	.free = free_fc, .parse_param = parse_param, .get_tree = get_tree, .reconfigure = reconfigure,
};

static int init_fs_context(struct fs_context *fc)
{
	struct devpts *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return -ENOMEM;
	o->mode = 0600;
	o->max = PTY_MAX;
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		*o = *DEVPTS(fc->root->d_sb);
	fc->fs_private = o;
	fc->ops = &context_ops;
	return 0;
}

static void kill_sb(struct super_block *sb) __releases(sb->s_umount)
{
	struct devpts *p = DEVPTS(sb);

	kill_litter_super(sb);
	if (p)
		xa_destroy(&p->used);
	kfree(p);
}

static struct file_system_type devpts_type = {
	.name = "devpts", .init_fs_context = init_fs_context, .kill_sb = kill_sb, .fs_flags = FS_USERNS_MOUNT,
};

/* For tty/. */

/* The root of the devpts that an open ptmx belongs to, as its opener sees it: its own mount's, or that of ./pts beside it. */
static int instance_root(struct file *ptmx, struct path *path)
{
	struct vfsmount *mnt = ptmx->f_path.mnt;
	struct dentry *parent;
	int err;

	if (mnt->mnt_sb->s_magic == DEVPTS_MAGIC) {
		*path = (struct path){ mnt, mnt->mnt_sb->s_root };
		path_get(path);
		return 0;
	}
	parent = dget_parent(ptmx->f_path.dentry);
	err = vfs_path_lookup(parent, mnt, "pts", LOOKUP_DIRECTORY, path);
	dput(parent);
	if (err)
		return -ENODEV;
	if (path->mnt->mnt_sb->s_magic == DEVPTS_MAGIC && path->mnt->mnt_root == path->mnt->mnt_sb->s_root)
		return 0;
	path_put(path);
	return -ENODEV;
}

void *devpts_acquire(struct file *ptmx)
{
	struct super_block *sb;
	struct path path;
	int err = instance_root(ptmx, &path);

	if (err)
		return ERR_PTR(err);
	sb = path.mnt->mnt_sb;
	atomic_inc(&sb->s_active);
	path_put(&path);
	return DEVPTS(sb);
}

void devpts_release(void *inst)
{
	deactivate_super(((struct devpts *)inst)->sb);
}

int devpts_new_index(void *inst)
{
	struct devpts *p = inst;
	u32 i;
	int err = -ENOSPC;

	/* The last number stays free, as Linux has it. */
	if (atomic_inc_return(&pty_count) < READ_ONCE(pty_limit) - (p->reserve ? 0 : READ_ONCE(pty_reserve)) && p->max)
		err = xa_alloc(&p->used, &i, p, XA_LIMIT(0, p->max - 1), GFP_KERNEL);
	if (!err)
		return (int)i;
	atomic_dec(&pty_count);
	return err == -EBUSY ? -ENOSPC : err;
}

void devpts_kill_index(void *inst, int index)
{
	struct devpts *p = inst;

	xa_erase(&p->used, (unsigned long)index);
	atomic_dec(&pty_count);
}

int devpts_add_node(void *inst, int index, void *data)
{
	struct devpts *p = inst;
	struct inode *root = p->sb->s_root->d_inode, *inode;
	struct dentry *d;
	char name[12];

	inode = new_node(p->sb, (u64)index + 3, p->mode, MKDEV(SLAVE_MAJOR, index), data);
	if (!inode)
		return -ENOMEM;
	inode->i_uid = p->set_uid ? p->uid : current_fsuid();
	inode->i_gid = p->set_gid ? p->gid : current_fsgid();
	snprintf(name, sizeof(name), "%d", index);
	inode_lock(root);
	d = lookup_one_len(name, p->sb->s_root, (int)strlen(name));
	if (IS_ERR(d) || d->d_inode) {
		inode_unlock(root);
		iput(inode);
		if (!IS_ERR(d))
			dput(d);
		return IS_ERR(d) ? (int)PTR_ERR(d) : -EEXIST;
	}
	d_make_persistent(d, inode);
	notify_create(root, d);
	dput(d);
	inode_unlock(root);
	return 0;
}

void devpts_remove_node(void *inst, int index)
{
	struct devpts *p = inst;
	struct inode *root = p->sb->s_root->d_inode;
	struct dentry *d;
	char name[12];

	snprintf(name, sizeof(name), "%d", index);
	inode_lock(root);
	d = lookup_one_len(name, p->sb->s_root, (int)strlen(name));
	if (!IS_ERR(d) && d->d_inode) {
		WRITE_ONCE(d->d_inode->i_private, NULL);
		drop_nlink(d->d_inode);
		notify_name(root, &d->d_name, IN_DELETE);
		d_drop(d);
		d_make_discardable(d);
	}
	if (!IS_ERR(d))
		dput(d);
	inode_unlock(root);
}

void *devpts_node_data(struct inode *inode)
{
	if (inode->i_sb->s_magic != DEVPTS_MAGIC)
		return NULL;
	return READ_ONCE(inode->i_private);
}

struct file *devpts_open_node(void *inst, struct file *ptmx, int index, int flags)
{
	struct devpts *p = inst;
	struct path root, path;
	struct file *f;
	char name[12];
	int err = instance_root(ptmx, &root);

	if (err)
		return ERR_PTR(err);
	snprintf(name, sizeof(name), "%d", index);
	err = root.mnt->mnt_sb != p->sb ? -ENODEV : vfs_path_lookup(root.dentry, root.mnt, name, 0, &path);
	path_put(&root);
	if (err)
		return ERR_PTR(err);
	f = dentry_open(&path, flags, current_cred());
	path_put(&path);
	return f;
}

static ssize_t show_count(struct show_node *n, char *buf, size_t size)
{
	return snprintf(buf, size, "%d\n", atomic_read(&pty_count));
}

static int devpts_init(void)
{
	sysctl_int("kernel/pty/max", 0644, &pty_limit, 0, INT_MAX);
	sysctl_int("kernel/pty/reserve", 0644, &pty_reserve, 0, INT_MAX);
	show_attr(show_path(SHOW_SYSCTL, "kernel/pty"), "nr", 0444, show_count, NULL, NULL);
	return register_filesystem(&devpts_type);
}
INITCALL(fs, devpts_init);
