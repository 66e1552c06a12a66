// SPDX-License-Identifier: MIT
/*
 * Show trees as files. Nothing is kept but the dentry cache: a directory is listed and searched in
 * the tree itself, a name whose node was removed fails its revalidation. A read makes the whole
 * text once; a write hands the whole text over.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/seq_file.h>
#include <fs/showfs.h>
#include <kernel/show.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <sched/task.h>

static const struct inode_operations dir_iops, sysctl_dir_iops, link_iops, file_iops,
	sysctl_file_iops;
static const struct file_operations dir_fops, file_fops;

static struct show_node *node_of(const struct inode *inode)
{
	return inode->i_private;
}

bool showfs_is_inode(const struct inode *inode)
{
	return inode->i_op == &dir_iops || inode->i_op == &sysctl_dir_iops ||
	       inode->i_op == &link_iops || inode->i_op == &file_iops ||
	       inode->i_op == &sysctl_file_iops;
}

static bool is_gone(const struct show_node *n)
{
	return READ_ONCE(n->dead) || (n->alive && !n->alive(n));
}

static bool is_hidden(const struct show_node *n)
{
	return unlikely(n->hidden) && n->hidden();
}

/* The network namespace that a mount of sysfs shows. */
static void *ns_of(const struct inode *inode)
{
	return inode->i_op == &dir_iops ? inode->i_sb->s_fs_info : NULL;
}

/* Walks of paths within RCU may be at the inode: they find the node, whose memory stays as long. */
void showfs_evict(struct inode *inode)
{
	show_put(node_of(inode));
}

u64 showfs_ino(const struct show_node *node, bool sysctl)
{
	/* Apart from the numbers of procfs's own entries. */
	return sysctl ? 0x60000000ull + node->ino : node->ino;
}

struct inode *showfs_inode(struct super_block *sb, struct show_node *node, bool sysctl)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	show_get(node);
	inode->i_private = node;
	inode->i_ino = showfs_ino(node, sysctl);
	inode->i_mode = node->mode;
	inode->i_uid = KUIDT_INIT(node->uid);
	inode->i_gid = KGIDT_INIT(node->gid);
	simple_inode_init_ts(inode);
	if (S_ISDIR(node->mode)) {
		inode->i_op = sysctl ? &sysctl_dir_iops : &dir_iops;
		inode->i_fop = &dir_fops;
		set_nlink(inode, 2);
	} else if (S_ISLNK(node->mode)) {
		inode->i_op = &link_iops;
	} else {
		inode->i_op = sysctl ? &sysctl_file_iops : &file_iops;
		inode->i_fop = &file_fops;
#ifdef CONFIG_DEBUG
		if (node->fops)
			inode->i_fop = node->fops;
#endif
		inode->i_size = sysctl ? 0 : PAGE_SIZE;
	}
	inode_set_op_flags(inode);
	return inode;
}

static int revalidate(struct inode *dir, const struct qstr *name, struct dentry *d,
		      unsigned int flags)
{
	struct inode *inode = READ_ONCE(d->d_inode);

	(void)dir;
	(void)name;
	(void)flags;
	/* A negative entry may have become true; it costs one search to find out. */
	if (!inode || is_gone(node_of(inode)))
		return 0;
	/* An error leaves the entry, and what is mounted on it, to those that see it. */
	return is_hidden(node_of(inode)) ? -ENOENT : 1;
}

static int delete_dead(const struct dentry *d)
{
	return !d->d_inode || is_gone(node_of(d->d_inode));
}

static const struct dentry_operations showfs_dops = {
	.d_revalidate = revalidate,
	.d_delete = delete_dead,
};

static struct dentry *lookup(struct inode *dir, struct dentry *d, bool sysctl)
{
	struct show_node *at = node_of(dir), *n;
	struct inode *inode;

	n = show_lookup(at, d->d_name.name, d->d_name.len);
	if (!n && at->within)
		n = at->within->find(at, ns_of(dir), d->d_name.name, d->d_name.len);
	if (IS_ERR(n))
		return ERR_CAST(n);
	if (n && is_hidden(n)) {
		show_put(n);
		n = NULL;
	}
	if (!n) {
		if (sysctl)
			return ERR_PTR(-ENOENT);
		/* Making one is refused for what it is, not for what is missing. */
		d_set_d_op(d, &showfs_dops);
		d_add(d, NULL);
		return NULL;
	}
	inode = showfs_inode(dir->i_sb, n, sysctl);
	show_put(n);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	d_set_d_op(d, &showfs_dops);
	return d_splice_alias(inode, d);
}

static struct dentry *dir_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)flags;
	return lookup(dir, d, false);
}

static struct dentry *sysctl_dir_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)flags;
	return lookup(dir, d, true);
}

/* The number of N, listed by directory DIR. */
static u64 ino_in(const struct file *dir, const struct show_node *n)
{
	return showfs_ino(n, file_inode(dir)->i_op == &sysctl_dir_iops);
}

#define WITHIN_POS (1ll << 62)		/* behind the dots and the children */

/* The position is the entry's. */
static int read_within(struct file *file, struct dir_context *ctx, struct show_node *dir)
{
	u64 at = ctx->pos < WITHIN_POS ? 0 : (u64)(ctx->pos - WITHIN_POS);
	struct show_node *n;

	while ((n = dir->within->next(dir, ns_of(file_inode(file)), &at))) {
		bool taken;

		if (IS_ERR(n))
			return (int)PTR_ERR(n);
		taken = dir_emit(ctx, n->name, (int)strlen(n->name), ino_in(file, n),
				 fs_umode_to_dtype(n->mode));

		show_put(n);
		if (!taken)
			break;
		ctx->pos = (loff_t)at + WITHIN_POS;
	}
	return 0;
}

/*
 * The position is 2 at the first child, and behind a child its number + 1: children that come or go
 * change nothing for those that stay. (Numbers begin behind those of the roots, so it is above 2.)
 */
static int readdir(struct file *file, struct dir_context *ctx)
{
	struct show_node *dir = node_of(file_inode(file)), *n;

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (u64 at = (u64)ctx->pos - 1;
	     ctx->pos < WITHIN_POS && (n = show_next_child(dir, &at));) {
		bool taken = is_hidden(n) ||
			     dir_emit(ctx, n->name, (int)strlen(n->name), ino_in(file, n),
				      fs_umode_to_dtype(n->mode));

		show_put(n);
		if (!taken)
			return 0;
		ctx->pos = (loff_t)at + 1;
	}
	return dir->within ? read_within(file, ctx, dir) : 0;
}

static const char *get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	(void)d;
	(void)done;
	return node_of(inode)->link_target;
}

/*
 * Root and its group get what the mode gives them, everybody else what it gives others; nobody
 * more.
 */
static int sysctl_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	const struct show_node *n = node_of(inode);
	unsigned int mode = inode->i_mode;

	(void)idmap;
	if (n->rights)
		mode = n->rights(current_cred());
	else if (uid_eq(current_euid(), GLOBAL_ROOT_UID))
		mode >>= 6;
	else if (in_egroup_p(GLOBAL_ROOT_GID))
		mode >>= 3;
	return mask & ~(int)mode & (MAY_READ | MAY_WRITE | MAY_EXEC) ? -EACCES : 0;
}

static int node_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	int err;

	/* Opening with O_TRUNC is a way to write; other changes last as long as the inode. */
	if (attr->ia_valid & ATTR_SIZE)
		attr->ia_valid &= ~(unsigned int)ATTR_SIZE;
	err = setattr_prepare(idmap, d, attr);
	if (!err)
		setattr_copy(idmap, d->d_inode, attr);
	return err;
}

static int sysctl_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	/* Times are taken, and forgotten; but only the owner may set any. */
	return attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM :
								    setattr_prepare(idmap, d, attr);
}

/* Text. */

/* What an open file has: its node, and the namespace that it acts upon, pinned. */
struct opened {
	struct show_node *n;
	void *pin;
};

static int enter(const struct opened *o)
{
	return o->n->scope ? o->n->scope->enter(o->pin) : 0;
}

static void leave(const struct opened *o)
{
	if (o->n->scope)
		o->n->scope->leave(o->pin);
}

static ssize_t call_show(const struct file *file, struct show_node *n, char *buf, size_t size)
{
	const struct cred *old;
	ssize_t len;

	if (likely(!n->as_opener))
		return n->show(n, buf, size);
	old = override_creds(file->f_cred);
	len = n->show(n, buf, size);
	revert_creds(old);
	return len;
}

static int show_text(struct seq_file *m, void *v)
{
	const struct opened *o = m->private;
	struct show_node *n = o->n;
	char *buf;
	size_t size = seq_get_buf(m, &buf);
	ssize_t len;

	(void)v;
	if (!buf)
		return 0;
	if (n->dead)
		return -ENODEV;
	if (!n->show)
		return -EIO;
	if (!show_enter(n))
		return -ENODEV;
	len = enter(o);
	if (!len) {
		len = call_show(m->file, n, buf, size);
		leave(o);
	}
	show_leave(n);
	if (len < 0)
		return (int)len;
	/*
	 * scnprintf stops one short of the buffer: filled that far, it may have been cut, and a
	 * larger one is tried.
	 */
	seq_commit(m, (size_t)len + 1 >= size ? -1 : (int)len);
	return 0;
}

static bool is_sysctl(const struct show_node *n)
{
	while (n->parent)
		n = n->parent;
	return n == show_root_node(SHOW_SYSCTL);
}

static int file_open(struct inode *inode, struct file *file)
{
	struct show_node *n = node_of(inode);
	struct opened *o;
	int err;

	if ((file->f_mode & FMODE_WRITE && !n->store) || (file->f_mode & FMODE_READ && !n->show))
		return -EACCES;
	o = kmalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	if (!o)
		return -ENOMEM;
	*o = (struct opened){ .n = n };
	err = single_open(file, show_text, o);
	if (err)
		kfree(o);
	else if (n->scope)
		o->pin = n->scope->open();
	/*
	 * A setting takes pwrite(2), too, if only at its start; of /proc/sys it is the descriptor
	 * that refuses.
	 */
	if (!err && (file->f_mode & FMODE_WRITE || is_sysctl(n)))
		file->f_mode |= FMODE_PWRITE;
	if (!err && n->changes)
		((struct seq_file *)file->private_data)->poll_event = atomic_read(n->changes);
	return err;
}

static int file_release(struct inode *inode, struct file *file)
{
	struct opened *o = ((struct seq_file *)file->private_data)->private;

	if (o->n->scope)
		o->n->scope->close(o->pin);
	kfree(o);
	return single_release(inode, file);
}

/* Changes are rare: one queue serves all files. */
static DECLARE_WAIT_QUEUE_HEAD(pollers);

void show_wake(void)
{
	wake_up_poll(&pollers, EPOLLERR | EPOLLPRI);
}

static __poll_t file_poll(struct file *file, struct poll_table_struct *pt)
{
	struct show_node *n = node_of(file_inode(file));
	struct seq_file *m = file->private_data;
	int now;

	if (!n->changes)
		return DEFAULT_POLLMASK;
	poll_wait(file, &pollers, pt);
	now = atomic_read(n->changes);
	if (m->poll_event == now)
		return DEFAULT_POLLMASK;
	m->poll_event = now;
	return EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLPRI;
}

/*
 * A setting without a scope is the one of the writer's namespace, and a file descriptor may have
 * been passed to the writer. So the task that opened the file must have rights over that namespace
 * too: else a user could have root write to root's limits through a descriptor that the user
 * opened.
 */
static ssize_t store(const struct opened *o, const struct file *file, const char *text, size_t len)
{
	struct show_node *n = o->n;
	ssize_t ret;

	if (n->dead || !show_enter(n))
		return -ENODEV;
	ret = enter(o);
	if (!ret) {
		ret = !n->rights || n->rights(file->f_cred) & MAY_WRITE ? n->store(n, text, len) :
									  -EPERM;
		leave(o);
	}
	show_leave(n);
	return ret;
}

static ssize_t file_write(struct kiocb *iocb, struct iter *from)
{
	struct show_node *n = node_of(file_inode(iocb->ki_filp));
	size_t len = iter_count(from);
	ssize_t ret;
	char *text;

	if (!len)
		return 0;
	/*
	 * A setting is written whole, at its start; what comes further on is taken without effect
	 * (sysctl_writes_strict).
	 */
	if (iocb->ki_pos && is_sysctl(n)) {
		iocb->ki_pos += (loff_t)len;
		return (ssize_t)len;
	}
	if (len >= PAGE_SIZE)
		len = PAGE_SIZE - 1;
	text = kmalloc(len + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (!copy_from_iter_full(text, len, from)) {
		kfree(text);
		return -EFAULT;
	}
	text[len] = 0;
	ret = store(((struct seq_file *)iocb->ki_filp->private_data)->private, iocb->ki_filp, text,
		    len);
	kfree(text);
	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;
}

static const struct file_operations file_fops = {
	.open = file_open,
	.read_iter = seq_read_iter,
	.poll = file_poll,
	.write_iter = file_write,
	.llseek = seq_lseek,
	.release = file_release,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
};
static const struct file_operations dir_fops = {
	.llseek = generic_file_llseek,
	.read_iter = generic_read_dir,
	.iterate_shared = readdir,
};
static const struct inode_operations dir_iops = { .lookup = dir_lookup, .setattr = node_setattr };
static const struct inode_operations sysctl_dir_iops = {
	.lookup = sysctl_dir_lookup,
	.permission = sysctl_permission,
	.setattr = sysctl_setattr,
};
static const struct inode_operations link_iops = { .get_link = get_link };
static const struct inode_operations file_iops = { .setattr = node_setattr };
static const struct inode_operations sysctl_file_iops = {
	.permission = sysctl_permission,
	.setattr = sysctl_setattr,
};

/* A removed node's cached names fail their revalidation: nothing to do at once. */
void show_removed(struct show_node *n)
{
	(void)n;
}
