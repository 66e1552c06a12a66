// SPDX-License-Identifier: MIT
/*
 * Extended attributes: who may use which name space, and a store in memory for filesystems without one.
 *   user.      regular files, directories and sockets, by the file's permissions
 *   trusted.   CAP_SYS_ADMIN; invisible to others
 *   security.  reading is free; security.capability needs CAP_SETFCAP (filecaps.c), the rest CAP_SYS_ADMIN
 *   system.    POSIX ACLs (posix_acl.c); the owner sets them
 */
#include <lib/types.h>
#include <lib/fcaps.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/posix_acl.h>
#include <vfs/xattr.h>
#include <alloc/slab.h>
#include <proc/cred.h>
#include <sched/task.h>
#include <linux/capability.h>

static int xattr_permission(struct mnt_idmap *idmap, struct inode *inode, const char *name, int mask)
{
	if (mask & MAY_WRITE) {
		if (IS_IMMUTABLE(inode) || IS_APPEND(inode))
			return -EPERM;
		if (!uid_valid(inode->i_uid) || !gid_valid(inode->i_gid))
			return -EPERM;
	}
	if (str_has_prefix(name, XATTR_SECURITY_PREFIX) || str_has_prefix(name, XATTR_SYSTEM_PREFIX))
		return 0;
	if (str_has_prefix(name, XATTR_TRUSTED_PREFIX)) {
		if (!capable(CAP_SYS_ADMIN))
			return mask & MAY_WRITE ? -EPERM : -ENODATA;
		return 0;
	}
	if (str_has_prefix(name, XATTR_USER_PREFIX)) {
		if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode) && !S_ISSOCK(inode->i_mode))
			return mask & MAY_WRITE ? -EPERM : -ENODATA;
		if (S_ISDIR(inode->i_mode) && inode->i_mode & S_ISVTX && mask & MAY_WRITE &&
		    !inode_owner_or_capable(idmap, inode))
			return -EPERM;
	}
	return inode_permission(idmap, inode, mask);
}

/* Rights of the security. names, which generic permission leaves alone. Setting a file's capabilities is filecaps_to_store()'s. */
static int security_permission(struct mnt_idmap *idmap, const struct inode *inode, const char *name, bool set)
{
	if (!strcmp(name, XATTR_NAME_CAPS))
		return set || capable_wrt_inode_uidgid(idmap, inode, CAP_SETFCAP) ? 0 : -EPERM;
	if (str_has_prefix(name, XATTR_SECURITY_PREFIX))
		return ns_capable(inode->i_sb->s_user_ns, CAP_SYS_ADMIN) ? 0 : -EPERM;
	return 0;
}

/* The handler for @name; *rest: the name without its prefix. */
static const struct xattr_handler *find_handler(struct inode *inode, const char *name, const char **rest)
{
	const struct xattr_handler *const *h = inode->i_sb->s_xattr;

	if (!(inode->i_opflags & IOP_XATTR) || !h)
		return ERR_PTR(-EOPNOTSUPP);
	for (; *h; h++) {
		const char *want = (*h)->name ? (*h)->name : (*h)->prefix;
		size_t len = strlen(want);

		if (strncmp(name, want, len))
			continue;
		if ((*h)->name ? name[len] : !name[len])
			return (*h)->name ? ERR_PTR(-EOPNOTSUPP) : ERR_PTR(-EINVAL);
		*rest = name + ((*h)->name ? 0 : len);
		return *h;
	}
	return ERR_PTR(-EOPNOTSUPP);
}

const char *xattr_full_name(const struct xattr_handler *h, const char *name)
{
	return name - (h->prefix ? strlen(h->prefix) : 0);
}

ssize_t __vfs_getxattr(struct dentry *d, struct inode *inode, const char *name, void *value, size_t size)
{
	const struct xattr_handler *h = find_handler(inode, name, &name);

	if (IS_ERR(h))
		return PTR_ERR(h);
	if (!h->get)
		return -EOPNOTSUPP;
	return h->get(h, d, inode, name, value, size);
}

ssize_t vfs_getxattr(struct mnt_idmap *idmap, struct dentry *d, const char *name, void *value, size_t size)
{
	int type, err;

	if (posix_acl_name(name, &type))
		return posix_acl_getxattr(d->d_inode, type, value, size);
	err = xattr_permission(idmap, d->d_inode, name, MAY_READ);
	if (err)
		return err;
	if (!strcmp(name, XATTR_NAME_CAPS))
		return filecaps_get(d, value, size);
	return __vfs_getxattr(d, d->d_inode, name, value, size);
}

static int set_locked(struct mnt_idmap *idmap, struct dentry *d, const char *name, const void *value,
		      size_t size, int flags)
{
	struct inode *inode = d->d_inode;
	const struct xattr_handler *h = find_handler(inode, name, &name);
	int err;

	if (IS_ERR(h))
		return (int)PTR_ERR(h);
	if (!h->set)
		return -EOPNOTSUPP;
	if (size == 0 && value)
		value = "";
	err = h->set(h, idmap, d, inode, name, value, size, flags);
	if (!err) {
		inode->i_flags &= ~(unsigned int)S_NOSEC;
		notify_dentry(d, IN_ATTRIB);
	}
	return err;
}

int vfs_setxattr(struct mnt_idmap *idmap, struct dentry *d, const char *name, const void *value, size_t size,
		 int flags)
{
	struct inode *inode = d->d_inode;
	u8 caps[FCAPS_MAX];
	int type, err;

	if (posix_acl_name(name, &type))
		return posix_acl_setxattr(idmap, d, type, value, size);
	inode_lock(inode);
	err = xattr_permission(idmap, inode, name, MAY_WRITE);
	if (!err)
		err = security_permission(idmap, inode, name, true);
	if (!err && !strcmp(name, XATTR_NAME_CAPS)) {
		ssize_t n = filecaps_to_store(idmap, inode, &value, size, caps);

		err = n < 0 ? (int)n : 0;
		size = (size_t)n;
	}
	if (!err)
		err = set_locked(idmap, d, name, value, size, flags);
	inode_unlock(inode);
	return err;
}

/* The inode is locked. */
int __vfs_removexattr(struct mnt_idmap *idmap, struct dentry *d, const char *name)
{
	return set_locked(idmap, d, name, NULL, 0, XATTR_REPLACE);
}

int vfs_removexattr(struct mnt_idmap *idmap, struct dentry *d, const char *name)
{
	struct inode *inode = d->d_inode;
	int type, err;

	if (posix_acl_name(name, &type))
		return posix_acl_setxattr(idmap, d, type, NULL, 0);
	inode_lock(inode);
	err = xattr_permission(idmap, inode, name, MAY_WRITE);
	if (!err)
		err = security_permission(idmap, inode, name, false);
	if (!err)
		err = __vfs_removexattr(idmap, d, name);
	inode_unlock(inode);
	return err;
}

ssize_t vfs_listxattr(struct dentry *d, char *list, size_t size)
{
	struct inode *inode = d->d_inode;
	ssize_t acls, n;

	if (!inode->i_op->listxattr)
		return 0;
	acls = posix_acl_listxattr(inode, list, size);
	if (acls < 0)
		return acls;
	/* No room left is not the same as a question for the size. */
	if (size && acls == (ssize_t)size)
		return inode->i_op->listxattr(d, NULL, 0) ? -ERANGE : acls;
	n = inode->i_op->listxattr(d, size ? list + acls : NULL, size ? size - (size_t)acls : 0);
	return n < 0 ? n : acls + n;
}

/* In memory. */

struct simple_xattr {
	struct rb_node	node;
	char		*name;
	size_t		size;
	char		value[];
};

void simple_xattrs_init(struct simple_xattrs *x)
{
	x->root = RB_ROOT;
	rwlock_init(&x->lock);
}

size_t simple_xattr_space(const char *name, size_t size)
{
	return sizeof(struct simple_xattr) + strlen(name) + 1 + size;
}

static void free_xattr(struct simple_xattr *a)
{
	kfree(a->name);
	kvfree(a);
}

size_t simple_xattrs_free(struct simple_xattrs *x)
{
	struct rb_node *n;
	size_t bytes = 0;

	while ((n = rb_first(&x->root))) {
		struct simple_xattr *a = rb_entry(n, struct simple_xattr, node);

		bytes += simple_xattr_space(a->name, a->size);
		rb_erase(n, &x->root);
		free_xattr(a);
	}
	return bytes;
}

/* Locked. The link to the attribute NAME, or where it belongs: below *PARENT. */
static struct rb_node **place_of(struct simple_xattrs *x, const char *name, struct rb_node **parent)
{
	struct rb_node **p = &x->root.node;

	*parent = NULL;
	while (*p) {
		int c = strcmp(name, rb_entry(*p, struct simple_xattr, node)->name);

		if (!c)
			break;
		*parent = *p;
		p = c < 0 ? &(*parent)->left : &(*parent)->right;
	}
	return p;
}

static struct simple_xattr *find_xattr(struct simple_xattrs *x, const char *name)
{
	struct rb_node *parent;

	return rb_entry_safe(*place_of(x, name, &parent), struct simple_xattr, node);
}

ssize_t simple_xattr_get(struct simple_xattrs *x, const char *name, void *buf, size_t size)
{
	struct simple_xattr *a;
	ssize_t ret = -ENODATA;

	read_lock(&x->lock);
	a = find_xattr(x, name);
	if (a) {
		ret = (ssize_t)a->size;
		if (buf) {
			if (size < a->size)
				ret = -ERANGE;
			else
				memcpy(buf, a->value, a->size);
		}
	}
	read_unlock(&x->lock);
	return ret;
}

/* Locked. NEW, if any, takes the place of OLD, if any: LINK below PARENT. */
static void put_in_place(struct simple_xattrs *x, struct simple_xattr *new, struct simple_xattr *old, struct rb_node *parent, struct rb_node **link)
{
	if (old && new) {
		rb_replace_node(&old->node, &new->node, &x->root);
	} else if (old) {
		rb_erase(&old->node, &x->root);
	} else {
		rb_link_node(&new->node, parent, link);
		rb_insert_color(&new->node, &x->root);
	}
}

/* *delta: bytes more (or, negative, less) that are stored afterwards. value NULL: remove. */
int simple_xattr_set(struct simple_xattrs *x, const char *name, const void *value, size_t size, int flags,
		     ssize_t *delta)
{
	struct simple_xattr *new = NULL, *old;
	struct rb_node **link, *parent;
	int err = 0;

	*delta = 0;
	if (value) {
		new = kvmalloc(sizeof(*new) + size, GFP_KERNEL_ACCOUNT);
		if (!new)
			return -ENOMEM;
		new->name = kstrdup(name, GFP_KERNEL_ACCOUNT);
		if (!new->name) {
			kvfree(new);
			return -ENOMEM;
		}
		new->size = size;
		memcpy(new->value, value, size);
	}
	write_lock(&x->lock);
	link = place_of(x, name, &parent);
	old = rb_entry_safe(*link, struct simple_xattr, node);
	if (old && flags & XATTR_CREATE)
		err = -EEXIST;
	else if (!old && (flags & XATTR_REPLACE || !value))
		err = flags & XATTR_REPLACE ? -ENODATA : 0;
	if (err || (!old && !value)) {
		write_unlock(&x->lock);
		if (new)
			free_xattr(new);
		return err;
	}
	put_in_place(x, new, old, parent, link);
	if (old)
		*delta -= (ssize_t)simple_xattr_space(old->name, old->size);
	if (new)
		*delta += (ssize_t)simple_xattr_space(name, size);
	write_unlock(&x->lock);
	if (old)
		free_xattr(old);
	return 0;
}

/* Locked. The first attribute whose name comes after @name. */
static struct simple_xattr *xattr_after(struct simple_xattrs *x, const char *name)
{
	struct rb_node *parent, **link = place_of(x, name, &parent);

	if (*link)
		return rb_entry_safe(rb_next(*link), struct simple_xattr, node);
	/* NAME would be a leaf below PARENT. */
	if (parent && link == &parent->right)
		parent = rb_next(parent);
	return rb_entry_safe(parent, struct simple_xattr, node);
}

struct name_list {
	char *buf;		/* NULL: only the size is asked for */
	size_t size;
	ssize_t total;		/* bytes so far, -ERANGE: they do not fit */
	bool trusted;
};

static void add_name(struct name_list *l, const char *name)
{
	size_t len = strlen(name) + 1;

	if (!l->trusted && str_has_prefix(name, XATTR_TRUSTED_PREFIX))
		return;
	if (l->buf && (size_t)l->total + len > l->size) {
		l->total = -ERANGE;
		return;
	}
	if (l->buf)
		memcpy(l->buf + l->total, name, len);
	l->total += (ssize_t)len;
}

#define LIST_PIECE 32		/* names in one section */

/* Locked. Some names that come after @last, which becomes the last one seen; false: there are no more. */
static bool list_piece(struct simple_xattrs *x, struct name_list *l, char last[XATTR_NAME_MAX + 1])
{
	struct simple_xattr *a = xattr_after(x, last), *seen = NULL;

	for (int n = 0; a && n < LIST_PIECE && l->total >= 0; n++) {
		add_name(l, a->name);
		seen = a;
		a = rb_entry_safe(rb_next(&a->node), struct simple_xattr, node);
	}
	if (seen)
		strscpy(last, seen->name, XATTR_NAME_MAX + 1);
	return a && l->total >= 0;
}

/* How many there are is the user's choice: the lock is given back every LIST_PIECE names. Those that come or go meanwhile may be seen or not. */
ssize_t simple_xattr_list(struct simple_xattrs *x, char *buf, size_t size)
{
	struct name_list l = { .buf = buf, .size = size, .trusted = capable(CAP_SYS_ADMIN) };
	char last[XATTR_NAME_MAX + 1] = "";
	bool more;

	do {
		read_lock(&x->lock);
		more = list_piece(x, &l, last);
		read_unlock(&x->lock);
		cond_resched();
	} while (more && !fatal_signal_pending(current));
	return l.total;
}
