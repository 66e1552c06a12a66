// SPDX-License-Identifier: MIT
/*
 * Configuring a superblock before it is made or remade: the source, the flags every filesystem has, and
 * the filesystem's own parameters, one key at a time; then the tree. Also the mounts made from it.
 */
#include <lib/types.h>
#include "mount_priv.h"
#include <lib/format.h>
#include <alloc/slab.h>
#include <proc/cred.h>
#include <linux/capability.h>

static struct fs_context *alloc_fs_context(struct file_system_type *type, struct dentry *root,
					   unsigned long flags, unsigned long mask,
					   enum fs_context_purpose purpose)
{
	struct fs_context *fc = kzalloc(sizeof(*fc), GFP_KERNEL_ACCOUNT);
	int err;

	if (!fc)
		return ERR_PTR(-ENOMEM);
	fc->purpose = purpose;
	fc->sb_flags = flags;
	fc->sb_flags_mask = mask;
	fc->fs_type = type;
	fc->cred = get_current_cred();
	mutex_init(&fc->uapi_mutex);
	if (root) {
		atomic_inc(&root->d_sb->s_active);
		fc->user_ns = get_user_ns(root->d_sb->s_user_ns);
		fc->root = dget(root);
	} else {
		fc->user_ns = get_user_ns(current_user_ns());
	}
	err = type->init_fs_context ? type->init_fs_context(fc) : -ENODEV;
	if (err) {
		put_fs_context(fc);
		return ERR_PTR(err);
	}
	return fc;
}

struct fs_context *fs_context_for_mount(struct file_system_type *type, unsigned long sb_flags)
{
	return alloc_fs_context(type, NULL, sb_flags, 0, FS_CONTEXT_FOR_MOUNT);
}

struct fs_context *fs_context_for_reconfigure(struct dentry *root, unsigned long flags, unsigned long mask)
{
	return alloc_fs_context(root->d_sb->s_type, root, flags, mask, FS_CONTEXT_FOR_RECONFIGURE);
}

void put_fs_context(struct fs_context *fc)
{
	if (fc->root) {
		struct super_block *sb = fc->root->d_sb;

		dput(fc->root);
		deactivate_super(sb);
	}
	if (fc->ops && fc->ops->free)
		fc->ops->free(fc);
	put_user_ns(fc->user_ns);
	put_cred(fc->cred);
	kfree(fc->source);
	kfree(fc->log);
	kfree(fc);
}

void fc_errorf(struct fs_context *fc, const char *fmt, ...)
{
	char buf[160];
	va_list ap;

	va_start(ap, fmt);
	vscnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (fc->oldapi) {
		pr_err("%s: %s\n", fc->fs_type->name, buf);
		return;
	}
	kfree(fc->log);
	fc->log = kstrdup(buf, GFP_KERNEL);
}

static const struct {
	const char *name;
	unsigned long flag;
	bool set;
} common_flags[] = {
	{ "ro", SB_RDONLY, true }, { "rw", SB_RDONLY, false },
	{ "sync", SB_SYNCHRONOUS, true }, { "async", SB_SYNCHRONOUS, false },
	{ "dirsync", SB_DIRSYNC, true }, { "mand", SB_MANDLOCK, true }, { "nomand", SB_MANDLOCK, false },
	{ "lazytime", SB_LAZYTIME, true }, { "nolazytime", SB_LAZYTIME, false },
};

bool vfs_parse_sb_flag(struct fs_context *fc, const char *key)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(common_flags); i++) {
		if (strcmp(key, common_flags[i].name))
			continue;
		if (common_flags[i].set)
			fc->sb_flags |= common_flags[i].flag;
		else
			fc->sb_flags &= ~common_flags[i].flag;
		fc->sb_flags_mask |= common_flags[i].flag;
		return true;
	}
	return false;
}

/* -EINVAL with a message: nobody knows it. @value NULL: a flag; the common flags ignore one. */
int vfs_parse_fs_param(struct fs_context *fc, const char *key, const char *value)
{
	int err;

	if (!*key)
		return -EINVAL;
	if (vfs_parse_sb_flag(fc, key))
		return 0;
	if (fc->ops->parse_param) {
		err = fc->ops->parse_param(fc, key, value);
		if (err != -ENOPARAM)
			return err;
	}
	if (!strcmp(key, "source")) {
		if (!value || fc->source)
			return -EINVAL;
		fc->source = kstrdup(value, GFP_KERNEL_ACCOUNT);
		return fc->source ? 0 : -ENOMEM;
	}
	fc_errorf(fc, "Unknown parameter '%s'", key);
	return -EINVAL;
}

int vfs_parse_monolithic(struct fs_context *fc, char *options)
{
	char *key, *value;

	while ((key = option_next(&options, &value))) {
		int err = vfs_parse_fs_param(fc, key, value);

		if (err)
			return err;
	}
	return 0;
}

bool mount_capable(struct fs_context *fc)
{
	if (!(fc->fs_type->fs_flags & FS_USERNS_MOUNT))
		return capable(CAP_SYS_ADMIN);
	return ns_capable(fc->user_ns, CAP_SYS_ADMIN);
}

/* fc->root with its superblock active and s_umount held for writing. */
int vfs_get_tree(struct fs_context *fc)
{
	int err;

	if (fc->root)
		return -EBUSY;
	if (fc->fs_type->fs_flags & FS_REQUIRES_DEV && !fc->source)
		return -EINVAL;
	err = fc->ops->get_tree(fc);
	if (err)
		return err;
	if (WARN_ON(!fc->root))
		return -EINVAL;
	smp_wmb();	/* pairs with the reads of whoever sees SB_BORN */
	fc->root->d_sb->s_flags |= SB_BORN;
	return 0;
}

/* A mount of fc->root, in no namespace yet. */
struct vfsmount *vfs_create_mount(struct fs_context *fc)
{
	struct super_block *sb = fc->root->d_sb;
	struct mount *m = alloc_vfsmnt(fc->source);

	if (!m)
		return ERR_PTR(-ENOMEM);
	if (fc->sb_flags & SB_KERNMOUNT)
		m->mnt.mnt_flags = MNT_INTERNAL;
	atomic_inc(&sb->s_active);
	m->mnt.mnt_sb = sb;
	m->mnt.mnt_root = dget(fc->root);
	m->mnt_mountpoint = m->mnt.mnt_root;
	m->mnt_parent = m;
	lock_mount_hash();
	if (sb->s_hold_writers)
		m->mnt.mnt_flags |= MNT_SB_HOLD;
	list_add_tail(&m->mnt_instance, &sb->s_mounts);
	unlock_mount_hash();
	return &m->mnt;
}

struct vfsmount *fc_mount(struct fs_context *fc)
{
	int err = vfs_get_tree(fc);

	if (err)
		return ERR_PTR(err);
	up_write(&fc->root->d_sb->s_umount);
	return vfs_create_mount(fc);
}

struct vfsmount *vfs_kern_mount(struct file_system_type *type, unsigned long sb_flags, const char *name,
				char *options)
{
	struct fs_context *fc = fs_context_for_mount(type, sb_flags);
	struct vfsmount *mnt;
	int err = 0;

	if (IS_ERR(fc))
		return ERR_CAST(fc);
	if (name)
		err = vfs_parse_fs_param(fc, "source", name);
	if (!err)
		err = vfs_parse_monolithic(fc, options);
	mnt = err ? ERR_PTR(err) : fc_mount(fc);
	put_fs_context(fc);
	return mnt;
}

/* For the kernel's own use: visible to nobody, lives until kern_unmount(). */
struct vfsmount *kern_mount(struct file_system_type *type)
{
	struct vfsmount *mnt = vfs_kern_mount(type, SB_KERNMOUNT, type->name, NULL);

	if (!IS_ERR(mnt))
		real_mount(mnt)->mnt_ns = MNT_NS_INTERNAL;
	return mnt;
}

void kern_unmount(struct vfsmount *mnt)
{
	if (IS_ERR_OR_NULL(mnt))
		return;
	WRITE_ONCE(real_mount(mnt)->mnt_ns, NULL);
	synchronize_rcu();
	mntput(mnt);
}
