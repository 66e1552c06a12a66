// SPDX-License-Identifier: MIT
/*
 * procfs: the static tree, superblocks (one a pid namespace), and the root directory, which is the static
 * entries followed by the tasks.
 *
 * Entries belong to code that is always there, so their operations need no use counts; a removed entry
 * is only no longer found.
 */
#include "proc_priv.h"
#include <alloc/slab.h>
#include <fs/showfs.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/uaccess.h>
#include <proc/cred.h>

#define PROC_MAGIC 0x9fa0

static DEFINE_RWLOCK(proc_lock);
static u32 next_ino = PROC_DYNAMIC_FIRST;	/* proc_lock */
static struct kmem_cache *proc_inode_cache __ro_after_init;

static const struct inode_operations proc_dir_iops, proc_root_iops, pde_link_iops, pde_file_iops;
static const struct file_operations proc_dir_fops, proc_root_fops, pde_fops;

struct proc_dir_entry proc_root = {
	.name = "",
	.mode = S_IFDIR | 0555,
	.ino = PROC_ROOT_INO,
	.nlink = 2,
	.refs = ATOMIC_INIT(1),
	.parent = &proc_root,
	.children = LIST_HEAD_INIT(proc_root.children),
};

/* Entries. */

static void pde_free(struct rcu_head *head)
{
	struct proc_dir_entry *de = container_of(head, struct proc_dir_entry, rcu);

	kfree(de->name);
	kfree(de->link);
	kfree(de);
}

/* Walks of paths within RCU may still look at one that has gone, by its inode. */
static void pde_put(struct proc_dir_entry *de)
{
	if (de && de != &proc_root && atomic_dec_and_test(&de->refs))
		call_rcu(&de->rcu, pde_free);
}

static struct proc_dir_entry *find_child(struct proc_dir_entry *dir, const char *name, u32 len)
{
	struct proc_dir_entry *de;

	list_for_each_entry(de, &dir->children, sibling) {
		if (strlen(de->name) == len && !memcmp(de->name, name, len))
			return de;
	}
	return NULL;
}

/* "a/b/c" below @parent: follows to the last component. */
static struct proc_dir_entry *walk_to(struct proc_dir_entry *parent, const char **name)
{
	const char *slash;

	if (!parent)
		parent = &proc_root;
	while (parent && (slash = strchr(*name, '/'))) {
		parent = find_child(parent, *name, (u32)(slash - *name));
		*name = slash + 1;
	}
	return parent;
}

static struct proc_dir_entry *create(const char *name, umode_t mode, struct proc_dir_entry *parent)
{
	struct proc_dir_entry *de = kzalloc(sizeof(*de), GFP_KERNEL);

	if (!de)
		return NULL;
	write_lock(&proc_lock);
	parent = walk_to(parent, &name);
	write_unlock(&proc_lock);
	de->name = kstrdup(name, GFP_KERNEL);
	if (!parent || !de->name) {
		kfree(de->name);
		kfree(de);
		return NULL;
	}
	de->mode = mode;
	de->nlink = S_ISDIR(mode) ? 2 : 1;
	atomic_set(&de->refs, 1);
	INIT_LIST_HEAD(&de->children);
	write_lock(&proc_lock);
	if (find_child(parent, name, (u32)strlen(name))) {
		write_unlock(&proc_lock);
		WARN(1, "procfs: %s exists\n", name);
		pde_put(de);
		return NULL;
	}
	de->ino = next_ino++;
	de->parent = parent;
	list_add_tail(&de->sibling, &parent->children);
	if (S_ISDIR(mode))
		parent->nlink++;
	write_unlock(&proc_lock);
	return de;
}

struct proc_dir_entry *proc_mkdir_mode(const char *name, umode_t mode, struct proc_dir_entry *parent)
{
	return create(name, S_IFDIR | (mode ? mode : 0555), parent);
}

struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent)
{
	return proc_mkdir_mode(name, 0, parent);
}

static struct proc_dir_entry *create_file(const char *name, umode_t mode, struct proc_dir_entry *parent)
{
	return create(name, S_IFREG | (mode & S_IALLUGO ? mode & S_IALLUGO : 0444), parent);
}

struct proc_dir_entry *proc_create_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
					const struct proc_ops *ops, void *data)
{
	struct proc_dir_entry *de = create_file(name, mode, parent);

	if (de) {
		de->data = data;
		de->ops = ops;
	}
	return de;
}

struct proc_dir_entry *proc_create(const char *name, umode_t mode, struct proc_dir_entry *parent,
				   const struct proc_ops *ops)
{
	return proc_create_data(name, mode, parent, ops, NULL);
}

struct proc_dir_entry *proc_create_seq(const char *name, umode_t mode, struct proc_dir_entry *parent,
				       const struct seq_operations *ops)
{
	struct proc_dir_entry *de = create_file(name, mode, parent);

	if (de)
		de->seq_ops = ops;
	return de;
}

struct proc_dir_entry *proc_create_single_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
					       int (*show)(struct seq_file *, void *), void *data)
{
	struct proc_dir_entry *de = create_file(name, mode, parent);

	if (de) {
		de->data = data;
		de->single_show = show;
	}
	return de;
}

struct proc_dir_entry *proc_create_single(const char *name, umode_t mode, struct proc_dir_entry *parent,
					  int (*show)(struct seq_file *, void *))
{
	return proc_create_single_data(name, mode, parent, show, NULL);
}

struct proc_dir_entry *proc_symlink(const char *name, struct proc_dir_entry *parent, const char *target)
{
	char *link = kstrdup(target, GFP_KERNEL);
	struct proc_dir_entry *de;

	if (!link)
		return NULL;
	de = create(name, S_IFLNK | S_IRWXUGO, parent);
	if (de)
		de->link = link;
	else
		kfree(link);
	return de;
}

struct proc_dir_entry *proc_create_mount_point(const char *name)
{
	return proc_mkdir(name, NULL);
}

static void remove_tree(struct proc_dir_entry *de)
{
	for (;;) {
		struct proc_dir_entry *child;

		write_lock(&proc_lock);
		child = list_first_entry_or_null(&de->children, struct proc_dir_entry, sibling);
		write_unlock(&proc_lock);
		if (!child)
			break;
		remove_tree(child);
	}
	write_lock(&proc_lock);
	de->dead = true;
	list_del_init(&de->sibling);
	if (S_ISDIR(de->mode))
		de->parent->nlink--;
	write_unlock(&proc_lock);
	pde_put(de);
}

void proc_remove(struct proc_dir_entry *de)
{
	if (de)
		remove_tree(de);
}

void remove_proc_entry(const char *name, struct proc_dir_entry *parent)
{
	struct proc_dir_entry *de = NULL;

	write_lock(&proc_lock);
	parent = walk_to(parent, &name);
	if (parent)
		de = find_child(parent, name, (u32)strlen(name));
	write_unlock(&proc_lock);
	proc_remove(de);
}

void *pde_data(const struct inode *inode)
{
	return PROC_I(inode)->pde->data;
}

/* Files of entries. */

static struct proc_dir_entry *PDE(const struct inode *inode)
{
	return PROC_I(inode)->pde;
}

static int pde_open(struct inode *inode, struct file *file)
{
	struct proc_dir_entry *de = PDE(inode);

	if (de->single_show)
		return single_open(file, de->single_show, de->data);
	if (de->seq_ops)
		return seq_open(file, de->seq_ops);
	if (de->ops && de->ops->proc_open)
		return de->ops->proc_open(inode, file);
	return 0;
}

static int pde_release(struct inode *inode, struct file *file)
{
	struct proc_dir_entry *de = PDE(inode);

	if (de->single_show)
		return single_release(inode, file);
	if (de->seq_ops)
		return seq_release(inode, file);
	return de->ops && de->ops->proc_release ? de->ops->proc_release(inode, file) : 0;
}

static ssize_t pde_read(struct kiocb *iocb, struct iter *to)
{
	struct proc_dir_entry *de = PDE(file_inode(iocb->ki_filp));

	if (de->single_show || de->seq_ops)
		return seq_read_iter(iocb, to);
	return de->ops && de->ops->proc_read_iter ? de->ops->proc_read_iter(iocb, to) : -EIO;
}

static ssize_t pde_write(struct kiocb *iocb, struct iter *from)
{
	struct proc_dir_entry *de = PDE(file_inode(iocb->ki_filp));
	ssize_t n;

	if (!de->ops || !de->ops->proc_write)
		return -EIO;
	/* Entries take one piece of user memory. */
	if (from->type != ITER_UBUF)
		return -EINVAL;
	n = de->ops->proc_write(iocb->ki_filp, UPTR(from->ubuf + from->off), iter_count(from), &iocb->ki_pos);
	if (n > 0)
		iter_advance(from, (size_t)n);
	return n;
}

static loff_t pde_lseek(struct file *file, loff_t offset, int whence)
{
	struct proc_dir_entry *de = PDE(file_inode(file));

	if (de->single_show || de->seq_ops)
		return seq_lseek(file, offset, whence);
	return de->ops && de->ops->proc_lseek ? de->ops->proc_lseek(file, offset, whence) :
	       generic_file_llseek(file, offset, whence);
}

static __poll_t pde_poll(struct file *file, struct poll_table_struct *pt)
{
	struct proc_dir_entry *de = PDE(file_inode(file));

	return de->ops && de->ops->proc_poll ? de->ops->proc_poll(file, pt) : DEFAULT_POLLMASK;
}

static long pde_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct proc_dir_entry *de = PDE(file_inode(file));

	return de->ops && de->ops->proc_ioctl ? de->ops->proc_ioctl(file, cmd, arg) : -ENOTTY;
}

static const struct file_operations pde_fops = {
	.open = pde_open,
	.release = pde_release,
	.read_iter = pde_read,
	.write_iter = pde_write,
	.llseek = pde_lseek,
	.poll = pde_poll,
	.ioctl = pde_ioctl,
	.splice_read = copy_splice_read,
};

static const char *pde_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	(void)d;
	(void)done;
	return PDE(inode)->link;
}

static int pde_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	int err = setattr_prepare(idmap, d, attr);

	if (err)
		return err;
	attr->ia_valid &= ~(unsigned int)ATTR_SIZE;
	setattr_copy(idmap, d->d_inode, attr);
	return 0;
}

/* Files of a process keep their mode: it says which users may read them. */
int proc_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	return attr->ia_valid & ATTR_MODE ? -EPERM : pde_setattr(idmap, d, attr);
}

static int pde_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
		       unsigned int flags)
{
	struct inode *inode = path->dentry->d_inode;
	struct proc_dir_entry *de = PDE(inode);

	(void)flags;
	if (de)
		set_nlink(inode, de->nlink);
	generic_fillattr(idmap, mask, inode, stat);
	return 0;
}

static const struct inode_operations pde_file_iops = { .setattr = pde_setattr };
static const struct inode_operations pde_link_iops = { .get_link = pde_get_link };

static struct inode *pde_inode(struct super_block *sb, struct proc_dir_entry *de)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	atomic_inc(&de->refs);
	PROC_I(inode)->pde = de;
	inode->i_ino = de->ino;
	inode->i_mode = de->mode;
	set_nlink(inode, de->nlink);
	simple_inode_init_ts(inode);
	if (S_ISDIR(de->mode)) {
		inode->i_op = &proc_dir_iops;
		inode->i_fop = &proc_dir_fops;
	} else if (S_ISLNK(de->mode)) {
		inode->i_op = &pde_link_iops;
	} else {
		inode->i_op = &pde_file_iops;
		inode->i_fop = &pde_fops;
	}
	if (de->iops)
		inode->i_op = de->iops;
	inode_set_op_flags(inode);
	return inode;
}

static int pde_revalidate(struct inode *dir, const struct qstr *name, struct dentry *d, unsigned int flags)
{
	struct inode *inode = READ_ONCE(d->d_inode);
	struct proc_dir_entry *de;

	(void)dir;
	(void)name;
	(void)flags;
	if (!inode)
		return 0;
	de = PDE(inode);
	return !de || !READ_ONCE(de->dead);
}

static int pde_delete(const struct dentry *d)
{
	return !d->d_inode || (PDE(d->d_inode) && PDE(d->d_inode)->dead);
}

static const struct dentry_operations pde_dops = { .d_revalidate = pde_revalidate, .d_delete = pde_delete };

struct dentry *proc_lookup_de(struct inode *dir, struct dentry *d, struct proc_dir_entry *de)
{
	struct inode *inode;

	read_lock(&proc_lock);
	de = find_child(de, d->d_name.name, d->d_name.len);
	if (de)
		atomic_inc(&de->refs);
	read_unlock(&proc_lock);
	if (!de)
		return ERR_PTR(-ENOENT);
	inode = pde_inode(dir->i_sb, de);
	pde_put(de);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	d_set_d_op(d, &pde_dops);
	return d_splice_alias(inode, d);
}

static struct dentry *proc_dir_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)flags;
	return proc_lookup_de(dir, d, PDE(dir));
}

int proc_readdir_de(struct file *file, struct dir_context *ctx, struct proc_dir_entry *dir)
{
	struct proc_dir_entry *de;
	loff_t i;

	if (!dir_emit_dots(file, ctx))
		return 0;
	i = ctx->pos - 2;
	read_lock(&proc_lock);
	list_for_each_entry(de, &dir->children, sibling) {
		char name[64];
		umode_t mode = de->mode;
		u64 ino = de->ino;
		size_t len;

		if (i-- > 0)
			continue;
		/* The emitter may fault: not under the lock. The list may change; a name may be missed. */
		atomic_inc(&de->refs);
		read_unlock(&proc_lock);
		len = strlen(de->name);
		memcpy(name, de->name, min(len, sizeof(name)));
		if (!dir_emit(ctx, name, (int)min(len, sizeof(name)), ino, fs_umode_to_dtype(mode))) {
			pde_put(de);
			return 0;
		}
		ctx->pos++;
		read_lock(&proc_lock);
		if (de->dead) {
			read_unlock(&proc_lock);
			pde_put(de);
			return 0;
		}
		atomic_dec(&de->refs);
	}
	read_unlock(&proc_lock);
	return 1;
}

static int proc_dir_readdir(struct file *file, struct dir_context *ctx)
{
	proc_readdir_de(file, ctx, PDE(file_inode(file)));
	return 0;
}

static const struct inode_operations proc_dir_iops = {
	.lookup = proc_dir_lookup,
	.getattr = pde_getattr,
	.setattr = pde_setattr,
};
static const struct file_operations proc_dir_fops = {
	.llseek = generic_file_llseek,
	.read_iter = generic_read_dir,
	.iterate_shared = proc_dir_readdir,
};

/* /proc/sys is a show tree. */

static struct dentry *sys_lookup(struct inode *dir, struct dentry *d)
{
	struct inode *inode = showfs_inode(dir->i_sb, show_root_node(SHOW_SYSCTL), true);

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	return d_splice_alias(inode, d);
}

/* The root. */

static struct dentry *root_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	struct dentry *res;

	(void)flags;
	res = proc_pid_lookup(d, dir->i_sb);
	if (res != ERR_PTR(-ENOENT))
		return res;
	if (proc_in_list(d->d_name.name, d->d_name.len, "self") ||
	    proc_in_list(d->d_name.name, d->d_name.len, "thread-self"))
		return proc_self_lookup(dir, d);
	if (proc_sb_info(dir->i_sb)->pid_only)
		return ERR_PTR(-ENOENT);
	if (proc_in_list(d->d_name.name, d->d_name.len, "sys"))
		return sys_lookup(dir, d);
	return proc_lookup_de(dir, d, PDE(dir));
}

bool proc_in_list(const char *name, u32 len, const char *want)
{
	return strlen(want) == len && !memcmp(name, want, len);
}

/* The static entries have the positions below FIRST_PROCESS_ENTRY; self, thread-self and sys are among them. */
static int root_readdir(struct file *file, struct dir_context *ctx)
{
	const struct {
		const char *name;
		unsigned int type;
		u64 ino;
	} extra[] = { { "self", DT_LNK, 2 }, { "thread-self", DT_LNK, 3 }, { "sys", DT_DIR, showfs_ino(show_root_node(SHOW_SYSCTL), true) } };

	unsigned int nr_extra = ARRAY_SIZE(extra);

	if (proc_sb_info(file_inode(file)->i_sb)->pid_only) {
		nr_extra--;		/* sys */
		if (!dir_emit_dots(file, ctx))
			return 0;
		ctx->pos = max(ctx->pos, (loff_t)(FIRST_PROCESS_ENTRY - 8));
	}
	if (ctx->pos < FIRST_PROCESS_ENTRY - 8) {
		if (proc_readdir_de(file, ctx, PDE(file_inode(file))) <= 0)
			return 0;
		ctx->pos = FIRST_PROCESS_ENTRY - 8;
	}
	while (ctx->pos < FIRST_PROCESS_ENTRY) {
		unsigned int i = (unsigned int)(ctx->pos - (FIRST_PROCESS_ENTRY - 8));

		if (i < nr_extra &&
		    !dir_emit(ctx, extra[i].name, (int)strlen(extra[i].name), extra[i].ino, extra[i].type))
			return 0;
		ctx->pos++;
	}
	return proc_pid_readdir(file, ctx);
}

static int root_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
			unsigned int flags)
{
	generic_fillattr(idmap, mask, path->dentry->d_inode, stat);
	(void)flags;
	stat->nlink = proc_root.nlink;
	return 0;
}

static const struct inode_operations proc_root_iops = { .lookup = root_lookup, .getattr = root_getattr };
static const struct file_operations proc_root_fops = {
	.llseek = generic_file_llseek,
	.read_iter = generic_read_dir,
	.iterate_shared = root_readdir,
};

/* Superblocks. */

static struct inode *proc_alloc_inode(struct super_block *sb)
{
	struct proc_inode *pi = kmem_cache_alloc(proc_inode_cache, GFP_KERNEL_ACCOUNT);

	(void)sb;
	if (!pi)
		return NULL;
	pi->pde = NULL;
	pi->pid = NULL;
	INIT_HLIST_NODE(&pi->of_pid);
	pi->fd = 0;
	return &pi->vfs_inode;
}

static void proc_free_inode(struct inode *inode)
{
	kmem_cache_free(proc_inode_cache, PROC_I(inode));
}

static void proc_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	proc_pid_forget(PROC_I(inode));
	put_pid(PROC_I(inode)->pid);
	pde_put(PROC_I(inode)->pde);
	if (showfs_is_inode(inode))
		showfs_evict(inode);
}

static int proc_show_options(struct seq_file *m, struct dentry *root)
{
	struct proc_fs_info *fi = proc_sb_info(root->d_sb);

	if (!gid_eq(fi->pid_gid, GLOBAL_ROOT_GID))
		seq_printf(m, ",gid=%u", from_kgid_munged(&init_user_ns, fi->pid_gid));
	if (fi->hide_pid)
		seq_printf(m, ",hidepid=%s", fi->hide_pid == 1 ? "noaccess" :
			   fi->hide_pid == 2 ? "invisible" : "ptraceable");
	if (fi->pid_only)
		seq_puts(m, ",subset=pid");
	return 0;
}

static const struct super_operations proc_super_ops = {
	.alloc_inode = proc_alloc_inode,
	.free_inode = proc_free_inode,
	.evict_inode = proc_evict_inode,
	.statfs = simple_statfs,
	.show_options = proc_show_options,
};

static int proc_fill(struct super_block *sb, struct fs_context *fc)
{
	struct proc_fs_info *fi = kzalloc(sizeof(*fi), GFP_KERNEL), *opts = fc->fs_private;
	struct inode *root;

	if (!fi)
		return -ENOMEM;
	*fi = *opts;
	get_pid_ns(fi->pid_ns);
	sb->s_fs_info = fi;
	sb->s_magic = PROC_MAGIC;
	sb->s_op = &proc_super_ops;
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV | SB_I_USERNS_VISIBLE;
	sb->s_flags |= SB_NODIRATIME | SB_NOSUID | SB_NOEXEC;
	sb->s_blocksize = 1024;
	sb->s_blocksize_bits = 10;
	root = pde_inode(sb, &proc_root);
	if (!root)
		return -ENOMEM;
	root->i_op = &proc_root_iops;
	root->i_fop = &proc_root_fops;
	inode_set_op_flags(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int proc_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, proc_fill);
}

static int proc_parse_param(struct fs_context *fc, const char *key, const char *value)
{
	struct proc_fs_info *o = fc->fs_private;
	u32 v;

	if (!strcmp(key, "hidepid")) {
		static const struct {
			const char *name;
			int v;
		} names[] = { { "off", 0 }, { "noaccess", 1 }, { "invisible", 2 }, { "ptraceable", 4 } };

		for (unsigned int i = 0; value && i < ARRAY_SIZE(names); i++) {
			if (!strcmp(value, names[i].name)) {
				o->hide_pid = names[i].v;
				return 0;
			}
		}
		if (fs_param_u32(value, 10, &v) || (v > 2 && v != 4))
			return -EINVAL;
		o->hide_pid = (int)v;
		return 0;
	}
	if (!strcmp(key, "gid")) {
		if (fs_param_u32(value, 10, &v))
			return -EINVAL;
		o->pid_gid = make_kgid(current_user_ns(), v);
		return gid_valid(o->pid_gid) ? 0 : -EINVAL;
	}
	if (!strcmp(key, "subset")) {
		if (!value || strcmp(value, "pid"))
			return -EINVAL;
		o->pid_only = true;
		return 0;
	}
	return -ENOPARAM;
}

static int proc_reconfigure(struct fs_context *fc)
{
	struct proc_fs_info *fi = proc_sb_info(fc->root->d_sb), *o = fc->fs_private;

	fi->hide_pid = o->hide_pid;
	fi->pid_gid = o->pid_gid;
	fi->pid_only = o->pid_only;
	return 0;
}

static void proc_free_fc(struct fs_context *fc)
{
	struct proc_fs_info *o = fc->fs_private;

	if (o)
		put_pid_ns(o->pid_ns);
	kfree(o);
}

static const struct fs_context_operations proc_context_ops = {
	.free = proc_free_fc,
	.parse_param = proc_parse_param,
	.get_tree = proc_get_tree,
	.reconfigure = proc_reconfigure,
};

static int proc_init_fs_context(struct fs_context *fc)
{
	struct proc_fs_info *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return -ENOMEM;
	/* What a remount does not name stays. */
	if (fc->root)
		*o = *proc_sb_info(fc->root->d_sb);
	else
		o->pid_ns = task_active_pid_ns(current);
	get_pid_ns(o->pid_ns);
	/* It shows the processes of that namespace: its owner may mount it, and owns it. */
	put_user_ns(fc->user_ns);
	fc->user_ns = get_user_ns(o->pid_ns->user_ns);
	fc->fs_private = o;
	fc->ops = &proc_context_ops;
	return 0;
}

static void proc_kill_sb(struct super_block *sb) __releases(sb->s_umount)
{
	struct proc_fs_info *fi = sb->s_fs_info;

	kill_anon_super(sb);
	if (fi) {
		put_pid_ns(fi->pid_ns);
		kfree(fi);
	}
}

static struct file_system_type proc_fs_type = {
	.name = "proc",
	.init_fs_context = proc_init_fs_context,
	.kill_sb = proc_kill_sb,
	.fs_flags = FS_USERNS_MOUNT,
};

static int proc_root_init(void)
{
	proc_inode_cache = kmem_cache_create("proc_inode_cache", sizeof(struct proc_inode),
					     __alignof__(struct proc_inode),
					     SLAB_PANIC | SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, NULL);
	proc_symlink("mounts", NULL, "self/mounts");
	return register_filesystem(&proc_fs_type);
}
INITCALL(fs, proc_root_init);
