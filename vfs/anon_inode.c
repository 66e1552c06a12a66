// SPDX-License-Identifier: MIT
/* Files without a name of their own (eventfd, epoll, pidfd...): all share one inode. */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <kernel/init.h>

#define ANON_INODE_FS_MAGIC 0x09041934

static struct vfsmount *anon_mnt __ro_after_init;
static struct inode *anon_inode __ro_after_init;

static char *anon_dname(struct dentry *d, char *buf, int len)
{
	return dynamic_dname(buf, len, "anon_inode:%s", d->d_name.name);
}

static const struct dentry_operations anon_dops = { .d_dname = anon_dname };
static const struct pseudo_fs anon_fs = {
	.name = "anon_inodefs",
	.magic = ANON_INODE_FS_MAGIC,
	.dops = &anon_dops,
};

static int anon_init_fs_context(struct fs_context *fc)
{
	return pseudo_init_fs_context(fc, &anon_fs);
}

static struct file_system_type anon_fs_type = {
	.name = "anon_inodefs",
	.init_fs_context = anon_init_fs_context,
	.kill_sb = kill_anon_super,
};

struct file *anon_inode_getfile(const char *name, const struct file_operations *fops, void *priv, int flags)
{
	struct file *f;

	ihold(anon_inode);
	f = alloc_file_pseudo(anon_inode, anon_mnt, name, flags & (O_ACCMODE | O_NONBLOCK), fops);
	if (IS_ERR(f)) {
		iput(anon_inode);
		return f;
	}
	f->f_mapping = anon_inode->i_mapping;
	f->private_data = priv;
	return f;
}

int anon_inode_getfd(const char *name, const struct file_operations *fops, void *priv, int flags)
{
	int fd = get_unused_fd_flags((unsigned int)flags);
	struct file *f;

	if (fd < 0)
		return fd;
	f = anon_inode_getfile(name, fops, priv, flags);
	if (IS_ERR(f)) {
		put_unused_fd((unsigned int)fd);
		return (int)PTR_ERR(f);
	}
	fd_install((unsigned int)fd, f);
	return fd;
}

/* An inode of one's own, for files that need to tell themselves apart. */
struct inode *anon_inode_make_inode(void)
{
	return alloc_anon_inode(anon_mnt->mnt_sb);
}

static int anon_inode_init(void)
{
	register_filesystem(&anon_fs_type);
	anon_mnt = kern_mount(&anon_fs_type);
	if (IS_ERR(anon_mnt))
		panic("vfs: cannot mount anon_inodefs");
	anon_inode = alloc_anon_inode(anon_mnt->mnt_sb);
	if (IS_ERR(anon_inode))
		panic("vfs: no memory for the anonymous inode");
	return 0;
}
INITCALL(fs, anon_inode_init);
