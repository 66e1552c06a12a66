// SPDX-License-Identifier: MIT
/*
 * Parts for filesystems whose directories live in the dentry cache only, and for those that are never
 * mounted where anybody sees them (pipes, sockets, anonymous files).
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <alloc/slab.h>
#include <sched/task.h>
#include <proc/cred.h>
#include "mount_priv.h"
#include "dcache_priv.h"

int always_delete_dentry(const struct dentry *d)
{
	(void)d;
	return 1;
}

const struct dentry_operations simple_dentry_operations = { .d_delete = always_delete_dentry };

int simple_statfs(struct dentry *d, struct kstatfs *buf)
{
	buf->f_type = (long)d->d_sb->s_magic;
	buf->f_bsize = PAGE_SIZE;
	buf->f_namelen = NAME_MAX;
	return 0;
}

int simple_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
		   unsigned int flags)
{
	struct inode *inode = path->dentry->d_inode;

	(void)flags;
	generic_fillattr(idmap, mask, inode, stat);
	stat->blocks = (u64)inode->i_mapping->nrpages << (PAGE_SHIFT - 9);
	return 0;
}

int simple_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	struct inode *inode = d->d_inode;
	int err = setattr_prepare(idmap, d, attr);

	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		i_size_write(inode, attr->ia_size);
		truncate_pagecache(inode->i_mapping, attr->ia_size);
	}
	setattr_copy(idmap, inode, attr);
	mark_inode_dirty(inode);
	return 0;
}

/* What is not in the cache is not there. */
struct dentry *simple_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)flags;
	(void)dir;
	if (d->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (!d->d_op)
		d_set_d_op(d, &simple_dentry_operations);
	d_add(d, NULL);
	return NULL;
}

int simple_link(struct dentry *old, struct inode *dir, struct dentry *new)
{
	struct inode *inode = old->d_inode;

	inode_set_ctime_current(inode);
	inode_update_times(dir);
	inc_nlink(inode);
	ihold(inode);
	d_make_persistent(new, inode);
	return 0;
}

int simple_empty(struct dentry *d)
{
	struct dentry *child;
	int empty = 1;

	spin_lock(&d->d_lock);
	hlist_for_each_entry(child, &d->d_children, d_sib) {
		spin_lock_nested(&child->d_lock, 1);
		if (child->d_inode && !d_unhashed(child))
			empty = 0;
		spin_unlock(&child->d_lock);
		if (!empty)
			break;
	}
	spin_unlock(&d->d_lock);
	return empty;
}

int simple_unlink(struct inode *dir, struct dentry *d)
{
	struct inode *inode = d->d_inode;

	inode_update_times(dir);
	inode_set_ctime_current(inode);
	drop_nlink(inode);
	d_make_discardable(d);
	return 0;
}

int simple_rmdir(struct inode *dir, struct dentry *d)
{
	if (!simple_empty(d))
		return -ENOTEMPTY;
	drop_nlink(d->d_inode);
	simple_unlink(dir, d);
	drop_nlink(dir);
	return 0;
}

int simple_rename(struct mnt_idmap *idmap, struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		  struct dentry *new, unsigned int flags)
{
	bool is_dir = d_is_dir(old);

	(void)idmap;
	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	if (new->d_inode && d_is_dir(new) && !simple_empty(new))
		return -ENOTEMPTY;
	if (new->d_inode) {
		bool new_dir_is = d_is_dir(new);

		simple_unlink(new_dir, new);
		if (new_dir_is) {
			drop_nlink(new->d_inode);
			drop_nlink(old_dir);
		}
	} else if (is_dir) {
		drop_nlink(old_dir);
		inc_nlink(new_dir);
	}
	inode_update_times(old_dir);
	inode_update_times(new_dir);
	inode_set_ctime_current(old->d_inode);
	return 0;
}

const char *simple_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	(void)d;
	(void)done;
	return inode->i_link;
}

const struct inode_operations simple_symlink_inode_operations = { .get_link = simple_get_link };
const struct inode_operations simple_dir_inode_operations = { .lookup = simple_lookup };

/* Directories that are read from the cache. */

int noop_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	(void)file;
	(void)start;
	(void)end;
	(void)datasync;
	return 0;
}

ssize_t generic_read_dir(struct kiocb *iocb, struct iter *to)
{
	(void)iocb;
	(void)to;
	return -EISDIR;
}

bool dir_emit_dot(struct file *file, struct dir_context *ctx)
{
	return ctx->actor(ctx, ".", 1, ctx->pos, file_inode(file)->i_ino, DT_DIR);
}

bool dir_emit_dotdot(struct file *file, struct dir_context *ctx)
{
	struct dentry *parent = dget_parent(file->f_path.dentry);
	u64 ino = parent->d_inode->i_ino;

	dput(parent);
	return ctx->actor(ctx, "..", 2, ctx->pos, ino, DT_DIR);
}

bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
	if (!ctx->pos) {
		if (!dir_emit_dot(file, ctx))
			return false;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!dir_emit_dotdot(file, ctx))
			return false;
		ctx->pos = 2;
	}
	return true;
}

/*
 * Every name gets a number from its directory's counter when it appears (d_make_persistent, or a rename
 * into it) and goes to the front of d_children, which thus is in falling order. A directory is read from
 * the newest name to the oldest; the position is what is left of a large constant, so that it rises.
 * Names that appear while it is read are not seen, as POSIX leaves open; none is seen twice.
 */
#define DIR_POS_TOP ((loff_t)1 << 48)

/* Under the parent's d_lock and, for the directory's counter, its i_rwsem or d_lock. */
unsigned long simple_next_offset(struct inode *dir)
{
	return ++dir->i_dir_offset;
}

/*
 * i_rwsem is held: positive names neither come nor go, so @cur stays where it is without a reference.
 * Only negative entries change the list, under d_lock.
 */
static bool is_listed(const struct dentry *d, loff_t pos)
{
	unsigned long off = (unsigned long)d->d_fsdata;

	return off && DIR_POS_TOP - (loff_t)off > pos && d->d_inode && !d_unhashed(d);
}

/*
 * Where a reader begins: each that had to pass by many names leaves places among them, for those who come later. All names from the place on have numbers up to its own, all
 * before it higher ones. It goes with its name, and then the way from the next newer place is longer, once.
 */
struct dir_place {
	struct rb_node	node;		/* in i_dir_places, by offset */
	unsigned long	offset;
	struct dentry	*name;
};

#define PLACE_EVERY 256u		/* names from one place to the next */
#define LOOK_AT_ONCE 1024u		/* names, before others have the lock */

/* Both locked. */
void __dir_place_forget(struct dentry *d)
{
	struct dir_place *p = d->d_place;

	rb_erase(&p->node, &d->d_parent->d_inode->i_dir_places);
	d->d_flags &= ~(unsigned int)DCACHE_DIR_PLACE;
	d->d_time = 0;
	kfree(p);
}

static void place_add(struct inode *dir, struct dir_place *new)
{
	struct rb_node **link = &dir->i_dir_places.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = new->offset < rb_entry(parent, struct dir_place, node)->offset ? &parent->left : &parent->right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &dir->i_dir_places);
}

/* The directory locked. D becomes a place, if it is a name, and there is memory: else it takes longer. */
static noinline bool leave_place(struct dentry *dir, struct dentry *d)
{
	struct dir_place *p;

	if (!is_listed(d, 0) || d->d_flags & DCACHE_DIR_PLACE)
		return false;
	p = kmalloc(sizeof(*p), GFP_NOWAIT | __GFP_ACCOUNT);
	if (!p)
		return false;
	p->offset = (unsigned long)d->d_fsdata;
	p->name = d;
	spin_lock_nested(&d->d_lock, 1);
	d->d_flags |= DCACHE_DIR_PLACE;
	d->d_place = p;
	spin_unlock(&d->d_lock);
	place_add(dir->d_inode, p);
	return true;
}

/* The directory locked. From where on to look for the newest name behind POS. */
static struct hlist_node *place_before(const struct dentry *dir, loff_t pos)
{
	const struct rb_node *n = dir->d_inode->i_dir_places.node;
	const struct dir_place *best = NULL;

	while (n) {
		const struct dir_place *p = rb_entry(n, struct dir_place, node);

		if (DIR_POS_TOP - (loff_t)p->offset <= pos) {
			best = p;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best ? &best->name->d_sib : dir->d_children.first;
}

/*
 * The next name behind POS, from N on: one that readers have passed by, or that does not exist, is not. Now and then others have the lock, while a
 * reference keeps our place.
 */
static noinline struct dentry *next_from(struct dentry *dir, struct hlist_node *n, loff_t pos) __must_hold(dir->d_lock)
{
	struct dentry *d = NULL, *kept = NULL;
	unsigned int steps = 0, since = 0;

	for (; n; n = n->next) {
		d = hlist_entry(n, struct dentry, d_sib);
		if (is_listed(d, pos))
			break;
		if (unlikely(++since > PLACE_EVERY) && leave_place(dir, d))
			since = 0;
		if (unlikely(++steps > LOOK_AT_ONCE) && dget_not_dead(d)) {
			spin_unlock(&dir->d_lock);
			dput(kept);
			kept = d;
			steps = 0;
			spin_lock(&dir->d_lock);
		}
	}
	if (kept) {
		spin_unlock(&dir->d_lock);
		dput(kept);
		spin_lock(&dir->d_lock);
	}
	return n ? d : NULL;
}

static inline struct dentry *next_listed(struct dentry *dir, struct dentry *cur, loff_t pos)
{
	struct dentry *found;
	struct hlist_node *n;

	spin_lock(&dir->d_lock);
	n = cur ? cur->d_sib.next : place_before(dir, pos);
	found = n ? hlist_entry(n, struct dentry, d_sib) : NULL;
	/* Mostly it is the neighbour. */
	if (found && !is_listed(found, pos))
		found = next_from(dir, n, pos);
	spin_unlock(&dir->d_lock);
	return found;
}

int dcache_readdir(struct file *file, struct dir_context *ctx)
{
	struct dentry *dir = file->f_path.dentry, *d = NULL;

	if (!dir_emit_dots(file, ctx))
		return 0;
	while ((d = next_listed(dir, d, ctx->pos))) {
		struct inode *inode = d->d_inode;

		if (!dir_emit(ctx, d->d_name.name, (int)d->d_name.len, inode->i_ino,
			      fs_umode_to_dtype(inode->i_mode)))
			break;
		ctx->pos = DIR_POS_TOP - (loff_t)(unsigned long)d->d_fsdata;
	}
	return 0;
}

static loff_t dcache_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += file->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	return vfs_setpos(file, offset, DIR_POS_TOP);
}

const struct file_operations simple_dir_operations = {
	.llseek = dcache_llseek,
	.read_iter = generic_read_dir,
	.iterate_shared = dcache_readdir,
	.fsync = noop_fsync,
};

/* Filesystems without a place. */

static int pseudo_fill(struct super_block *sb, struct fs_context *fc)
{
	const struct pseudo_fs *p = fc->fs_private;
	static const struct super_operations simple_super = { .statfs = simple_statfs };
	struct inode *root;

	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_magic = p->magic;
	sb->s_op = p->ops ? p->ops : &simple_super;
	sb->s_xattr = p->xattr;
	root = new_inode(sb);
	if (!root)
		return -ENOMEM;
	root->i_ino = 1;
	root->i_mode = S_IFDIR | S_IRUSR | S_IWUSR;
	inode_set_op_flags(root);
	simple_inode_init_ts(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	sb->s_d_op = p->dops;
	return 0;
}

static int pseudo_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, pseudo_fill);
}

static const struct fs_context_operations pseudo_context_ops = { .get_tree = pseudo_get_tree };

int pseudo_init_fs_context(struct fs_context *fc, const struct pseudo_fs *p)
{
	fc->fs_private = (void *)(unsigned long)p;
	fc->ops = &pseudo_context_ops;
	fc->sb_flags |= SB_NOUSER;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

void kill_pseudo_super(struct super_block *sb) __releases(sb->s_umount)
{
	kill_anon_super(sb);
}

static int anon_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	(void)idmap;
	(void)d;
	(void)attr;
	return -EOPNOTSUPP;
}

const struct inode_operations anon_empty_iops = { .setattr = anon_setattr };

struct inode *alloc_anon_inode(struct super_block *sb)
{
	static const struct mapping_ops none = { .dirty_folio = noop_dirty_folio };
	struct inode *inode = new_inode_pseudo(sb);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_ino = get_next_ino();
	inode->i_mapping->ops = &none;
	inode->i_mode = S_IRUSR | S_IWUSR;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode->i_flags |= S_PRIVATE | S_ANON_INODE;
	inode->i_op = &anon_empty_iops;
	inode_set_op_flags(inode);
	simple_inode_init_ts(inode);
	return inode;
}

/* A directory that is empty for ever: nullfs, and mount points without a filesystem of their own. */

static struct dentry *empty_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	(void)dir;
	(void)d;
	(void)flags;
	return ERR_PTR(-ENOENT);
}

static int empty_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	(void)idmap;
	(void)d;
	(void)attr;
	return -EPERM;
}

static const struct inode_operations empty_dir_iops = {
	.lookup = empty_lookup,
	.setattr = empty_setattr,
};

static int empty_readdir(struct file *file, struct dir_context *ctx)
{
	dir_emit_dots(file, ctx);
	return 0;
}

static loff_t empty_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_file_llseek_size(file, offset, whence, 2, 2);
}

static const struct file_operations empty_dir_fops = {
	.llseek = empty_llseek,
	.read_iter = generic_read_dir,
	.iterate_shared = empty_readdir,
	.fsync = noop_fsync,
};

void make_empty_dir_inode(struct inode *inode)
{
	set_nlink(inode, 2);
	inode->i_mode = S_IFDIR | 0555;
	inode->i_uid = GLOBAL_ROOT_UID;
	inode->i_gid = GLOBAL_ROOT_GID;
	inode->i_size = 0;
	inode->i_op = &empty_dir_iops;
	inode->i_fop = &empty_dir_fops;
	inode->i_flags |= S_IMMUTABLE;
	inode_set_op_flags(inode);
}

bool is_empty_dir_inode(struct inode *inode)
{
	return inode->i_fop == &empty_dir_fops;
}
