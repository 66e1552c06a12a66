// SPDX-License-Identifier: MIT
/*
 * Mounting step by step: a superblock is configured through a file, turned into a detached mount that
 * another file holds, and moved into place. A detached tree lives in an anonymous namespace of its own; the
 * last put of its file takes it apart if it has not been attached by then.
 */
#include <lib/types.h>
#include "mount_priv.h"
#include <vfs/file.h>
#include <vfs/namei.h>
#include <vfs/newmount.h>
#include <vfs/seq_file.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <sched/task.h>
#include <linux/capability.h>
#include <linux/mount.h>

/* Configuration files. */

enum { PHASE_PARAMS, PHASE_CREATED, PHASE_RECONF, PHASE_FAILED };

static ssize_t fscontext_read(struct kiocb *iocb, struct iter *to)
{
	struct fs_context *fc = iocb->ki_filp->private_data;
	char *log;
	ssize_t n;

	mutex_lock(&fc->uapi_mutex);
	log = fc->log;
	fc->log = NULL;
	mutex_unlock(&fc->uapi_mutex);
	if (!log)
		return -ENODATA;
	n = -EMSGSIZE;
	if (iter_count(to) >= strlen(log) + 2) {
		n = (ssize_t)copy_to_iter("e ", 2, to);
		n += (ssize_t)copy_to_iter(log, strlen(log), to);
	}
	kfree(log);
	return n;
}

static int fscontext_release(struct inode *inode, struct file *file)
{
	(void)inode;
	put_fs_context(file->private_data);
	return 0;
}

static const struct file_operations fscontext_fops = {
	.read_iter = fscontext_read, .release = fscontext_release,
};

struct fs_context *fs_context_of_file(struct file *file)
{
	return file->f_op == &fscontext_fops ? file->private_data : NULL;
}

int fs_context_fd(struct fs_context *fc, unsigned int o_flags)
{
	int fd;

	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		fc->phase = PHASE_RECONF;
	fd = anon_inode_getfd("[fscontext]", &fscontext_fops, fc, (int)o_flags | O_RDWR);
	if (fd < 0)
		put_fs_context(fc);
	return fd;
}

int fs_context_param(struct fs_context *fc, const char *key, const char *value)
{
	int err = -EBUSY;

	mutex_lock(&fc->uapi_mutex);
	if (fc->phase == PHASE_PARAMS || fc->phase == PHASE_RECONF)
		err = vfs_parse_fs_param(fc, key, value);
	mutex_unlock(&fc->uapi_mutex);
	return err;
}

int fs_context_other_param(struct fs_context *fc, const char *key)
{
	int err = -EBUSY;

	mutex_lock(&fc->uapi_mutex);
	if (fc->phase == PHASE_PARAMS || fc->phase == PHASE_RECONF) {
		err = vfs_parse_sb_flag(fc, key) ? 0 : -EINVAL;
		if (err)
			fc_errorf(fc, "Bad value for '%s'", key);
	}
	mutex_unlock(&fc->uapi_mutex);
	return err;
}

int fs_context_create(struct fs_context *fc, bool exclusive)
{
	int err = -EBUSY;

	mutex_lock(&fc->uapi_mutex);
	if (fc->phase != PHASE_PARAMS)
		goto out;
	err = -EPERM;
	if (!mount_capable(fc))
		goto out;
	fc->exclusive = exclusive;
	err = vfs_get_tree(fc);
	if (err) {
		fc->phase = PHASE_FAILED;
	} else {
		up_write(&fc->root->d_sb->s_umount);
		fc->phase = PHASE_CREATED;
	}
out:
	mutex_unlock(&fc->uapi_mutex);
	return err;
}

int fs_context_reconfigure(struct fs_context *fc)
{
	struct super_block *sb;
	int err = -EBUSY;

	mutex_lock(&fc->uapi_mutex);
	if (fc->phase == PHASE_RECONF) {
		sb = fc->root->d_sb;
		err = -EPERM;
		if (ns_capable(sb->s_user_ns, CAP_SYS_ADMIN)) {
			down_write(&sb->s_umount);
			err = reconfigure_super(fc);
			up_write(&sb->s_umount);
		}
		if (err)
			fc->phase = PHASE_FAILED;
	}
	mutex_unlock(&fc->uapi_mutex);
	return err;
}

/* Detached trees. */

/* @m, from the namespace with that number or new (0), becomes the root of an anonymous namespace held by the returned file. Takes @m over. */
static struct file *hold_detached(struct mount *m, u64 origin)
{
	struct mnt_namespace *ns = alloc_mnt_ns(current->nsproxy->mnt_ns->user_ns, true);
	struct path path = { &m->mnt, m->mnt.mnt_root };
	struct file *f;
	int err = IS_ERR(ns) ? (int)PTR_ERR(ns) : 0;

	namespace_lock();
	for (struct mount *p = m; !err && p; p = next_mnt(p, m))
		err = mnt_assign_id(p);
	if (err) {
		namespace_free_tree(m);
		namespace_unlock();
		if (!IS_ERR(ns))
			free_mnt_ns(ns);
		return ERR_PTR(err);
	}
	ns->root = m;
	ns->origin = origin;
	mnt_tree_join_ns(m, ns);
	namespace_unlock();
	f = dentry_open(&path, O_PATH, current_cred());
	if (IS_ERR(f)) {
		dissolve_on_fput(&m->mnt);
		return f;
	}
	f->f_mode |= FMODE_NEED_UNMOUNT;
	return f;
}

void dissolve_on_fput(struct vfsmount *mnt)
{
	struct mount *m = real_mount(mnt);
	struct mnt_namespace *ns;

	namespace_lock();
	ns = m->mnt_ns;
	if (is_mounted_ns(ns) && is_anon_ns(ns) && ns->root == m) {
		ns->root = NULL;
		umount_tree(m, UMOUNT_CONNECTED);
	} else {
		ns = NULL;
	}
	namespace_unlock();
	if (ns)
		free_mnt_ns(ns);
}

static int install(struct file *f, unsigned int o_flags)
{
	int fd;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	fd = get_unused_fd_flags(o_flags);
	if (fd < 0)
		fput(f);
	else
		fd_install((unsigned int)fd, f);
	return fd;
}

static int attr_to_flags(u64 attr, unsigned int *flags)
{
	unsigned int f = 0;

	if (attr & ~(u64)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			  MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW))
		return -EINVAL;
	if (attr & MOUNT_ATTR_RDONLY)
		f |= MNT_READONLY;
	if (attr & MOUNT_ATTR_NOSUID)
		f |= MNT_NOSUID;
	if (attr & MOUNT_ATTR_NODEV)
		f |= MNT_NODEV;
	if (attr & MOUNT_ATTR_NOEXEC)
		f |= MNT_NOEXEC;
	if (attr & MOUNT_ATTR_NODIRATIME)
		f |= MNT_NODIRATIME;
	if (attr & MOUNT_ATTR_NOSYMFOLLOW)
		f |= MNT_NOSYMFOLLOW;
	*flags = f;
	return 0;
}

static int atime_to_flags(u64 attr, unsigned int *flags)
{
	switch (attr & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_STRICTATIME:
		return 0;
	case MOUNT_ATTR_NOATIME:
		*flags |= MNT_NOATIME;
		return 0;
	case MOUNT_ATTR_RELATIME:
		*flags |= MNT_RELATIME;
		return 0;
	default:
		return -EINVAL;
	}
}

/* fsmount(2). */
int fs_context_mount(struct fs_context *fc, u64 attr, unsigned int o_flags)
{
	struct vfsmount *mnt = NULL;
	unsigned int flags;
	int err = attr_to_flags(attr, &flags);

	if (!err)
		err = atime_to_flags(attr, &flags);
	if (err)
		return err;
	mutex_lock(&fc->uapi_mutex);
	if (!fc->root)
		mnt = ERR_PTR(-EINVAL);
	else if (fc->phase != PHASE_CREATED)
		mnt = ERR_PTR(-EBUSY);
	else
		err = mount_not_revealing(fc->root->d_sb, &flags);
	if (!IS_ERR(mnt))
		mnt = err ? ERR_PTR(err) : vfs_create_mount(fc);
	if (!IS_ERR(mnt)) {
		struct super_block *sb = fc->root->d_sb;

		/* The context is used up: it can be configured again from the start. */
		dput(fc->root);
		fc->root = NULL;
		deactivate_super(sb);
		fc->phase = PHASE_FAILED;
		set_new_mount_flags(real_mount(mnt), (int)flags);
	}
	mutex_unlock(&fc->uapi_mutex);
	if (IS_ERR(mnt))
		return (int)PTR_ERR(mnt);
	return install(hold_detached(real_mount(mnt), 0), o_flags);
}

/* open_tree(2) with OPEN_TREE_CLONE. */
struct file *open_tree_clone(const struct path *path, bool recurse)
{
	const struct mnt_namespace *ns;
	struct mount *m;
	u64 origin = 0;

	namespace_lock();
	m = do_loopback_copy(path, recurse, false, false);
	if (!IS_ERR(m)) {
		/* Of the kernel's own mounts, which are in none, files of namespaces may be copied. */
		ns = real_mount(path->mnt)->mnt_ns;
		if (is_mounted_ns(ns))
			origin = is_anon_ns(ns) ? ns->origin : ns->seq;
	}
	namespace_unlock();
	return IS_ERR(m) ? ERR_CAST(m) : hold_detached(m, origin);
}

/* move_mount(2) below the edge. */
int path_move_mount(struct path *from, struct path *to, bool beneath)
{
	return do_move_mount(from, to, beneath);
}

int path_set_group(const struct path *from, const struct path *to)
{
	return do_set_group(from, to);
}

/* namespace_sem held for writing. */
static int set_tree_attr(struct mount *m, bool recurse, unsigned int set, unsigned int clear, int propagation)
{
	int err = prepare_tree_flags(m, recurse, set, clear);

	if (!err && propagation == MS_SHARED)
		err = invent_group_ids(m, recurse);
	commit_tree_flags(m, recurse, set, clear, !err);
	if (!err && propagation)
		change_tree_propagation(m, recurse, propagation);
	return err;
}

/* mount_setattr(2): all of the tree or nothing. */
int path_mount_setattr(const struct path *path, const struct mount_attr *attr, bool recurse)
{
	struct mount *m = real_mount(path->mnt);
	unsigned int set, clear;
	int err;

	if (attr->propagation & ~(u64)(MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED) ||
	    (attr->propagation & (attr->propagation - 1)))
		return -EINVAL;
	if ((attr->attr_set | attr->attr_clr) & MOUNT_ATTR_IDMAP)
		return -EOPNOTSUPP;
	/* A new atime mode only in place of the old one. */
	if (attr->attr_clr & MOUNT_ATTR__ATIME && (attr->attr_clr & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME)
		return -EINVAL;
	if (attr->attr_set & MOUNT_ATTR__ATIME && !(attr->attr_clr & MOUNT_ATTR__ATIME))
		return -EINVAL;
	err = attr_to_flags(attr->attr_set, &set);
	if (!err)
		err = attr_to_flags(attr->attr_clr, &clear);
	if (!err && attr->attr_clr & MOUNT_ATTR__ATIME) {
		clear |= MNT_NOATIME | MNT_RELATIME;
		err = atime_to_flags(attr->attr_set, &set);
	}
	if (err)
		return err;
	if (path->dentry != path->mnt->mnt_root)
		return -EINVAL;
	namespace_lock();
	if (!check_mnt(m) && !is_detached_root(m))
		err = -EINVAL;
	else
		err = set_tree_attr(m, recurse, set, clear, (int)attr->propagation);
	namespace_unlock();
	return err;
}

/* statmount(2), listmount(2). */

static struct mount *find_by_unique_id(struct mnt_namespace *ns, u64 id)
{
	struct mount *m = mnt_find_id_at(ns, id);

	return m && m->mnt_id_unique == id ? m : NULL;
}

struct text {
	char *buf;
	size_t len, size;
};

/* Appends N bytes; their offset. */
static u32 add_bytes(struct text *t, const char *s, size_t n)
{
	u32 at = (u32)t->len;

	if (t->len + n <= t->size)
		memcpy(t->buf + t->len, s, n);
	t->len += n;
	return at;
}

static u32 add_text(struct text *t, const char *s)
{
	return add_bytes(t, s, strlen(s) + 1);
}

/* The filesystem's options as /proc/mounts has them, into PAGE: their length without the first comma; 0: none. */
static size_t mount_options(struct mount *m, char *page)
{
	struct seq_file sf = { .buf = page, .size = PAGE_SIZE };

	show_mount_options(&sf, m);
	if (seq_has_overflowed(&sf) || sf.count < 2)
		return 0;
	memmove(page, page + 1, sf.count - 1);
	page[sf.count - 1] = '\0';
	return sf.count - 1;
}

/* Ends each option with a NUL, its escapes (\\040) undone: how many. *LEN: of all. */
static u32 split_options(char *p, size_t *len)
{
	char *out = p, *in = p;
	u32 n = 1;

	for (; *in; in++) {
		if (*in == ',') {
			*out++ = '\0';
			n++;
		} else if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' && in[3] >= '0' && in[3] <= '7') {
			*out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out++ = '\0';
	*len = (size_t)(out - p);
	return n;
}

static void fill_options(struct statmount *s, struct text *t, struct mount *m, u64 want, char *page)
{
	size_t n = mount_options(m, page);

	if (!n)
		return;
	if (want & STATMOUNT_MNT_OPTS) {
		s->mnt_opts = add_text(t, page);
		s->mask |= STATMOUNT_MNT_OPTS;
	}
	if (want & STATMOUNT_OPT_ARRAY) {
		s->opt_num = split_options(page, &n);
		s->opt_array = add_bytes(t, page, n);
		s->mask |= STATMOUNT_OPT_ARRAY;
	}
}

static u64 flags_to_attr(unsigned int f)
{
	u64 a = 0;

	a |= f & MNT_READONLY ? MOUNT_ATTR_RDONLY : 0;
	a |= f & MNT_NOSUID ? MOUNT_ATTR_NOSUID : 0;
	a |= f & MNT_NODEV ? MOUNT_ATTR_NODEV : 0;
	a |= f & MNT_NOEXEC ? MOUNT_ATTR_NOEXEC : 0;
	a |= f & MNT_NODIRATIME ? MOUNT_ATTR_NODIRATIME : 0;
	a |= f & MNT_NOSYMFOLLOW ? MOUNT_ATTR_NOSYMFOLLOW : 0;
	if (f & MNT_NOATIME)
		a |= MOUNT_ATTR_NOATIME;
	else if (!(f & MNT_RELATIME))
		a |= MOUNT_ATTR_STRICTATIME;
	return a;
}

#define STATMOUNT_SUPPORTED (STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM |	\
	STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT | STATMOUNT_FS_TYPE | STATMOUNT_MNT_NS_ID |		\
	STATMOUNT_SB_SOURCE | STATMOUNT_SUPPORTED_MASK | STATMOUNT_MNT_OPTS | STATMOUNT_FS_SUBTYPE |		\
	STATMOUNT_OPT_ARRAY | STATMOUNT_OPT_SEC_ARRAY)

static void fill_numbers(struct statmount *s, struct mount *m, u64 want, const struct path *root)
{
	struct super_block *sb = m->mnt.mnt_sb;

	if (want & STATMOUNT_SB_BASIC) {
		s->sb_dev_major = MAJOR(sb->s_dev);
		s->sb_dev_minor = MINOR(sb->s_dev);
		s->sb_magic = sb->s_magic;
		s->sb_flags = (u32)(sb->s_flags & (SB_RDONLY | SB_SYNCHRONOUS | SB_DIRSYNC | SB_LAZYTIME));
		s->mask |= STATMOUNT_SB_BASIC;
	}
	if (want & STATMOUNT_MNT_BASIC) {
		s->mnt_id = m->mnt_id_unique;
		s->mnt_parent_id = m->mnt_parent->mnt_id_unique;
		s->mnt_id_old = (u32)m->mnt_id;
		s->mnt_parent_id_old = (u32)m->mnt_parent->mnt_id;
		s->mnt_attr = flags_to_attr((unsigned int)m->mnt.mnt_flags);
		s->mnt_propagation = (is_mnt_shared(m) ? MS_SHARED : 0) | (is_mnt_slave(m) ? MS_SLAVE : 0);
		if (!s->mnt_propagation)
			s->mnt_propagation = m->unbindable ? MS_UNBINDABLE : MS_PRIVATE;
		s->mnt_peer_group = (u64)m->mnt_group_id;
		s->mnt_master = is_mnt_slave(m) ? (u64)m->mnt_master->mnt_group_id : 0;
		s->mask |= STATMOUNT_MNT_BASIC;
	}
	if (want & STATMOUNT_PROPAGATE_FROM) {
		s->propagate_from = (u64)get_dominating_id(m, root);
		s->mask |= STATMOUNT_PROPAGATE_FROM;
	}
	if (want & STATMOUNT_MNT_NS_ID) {
		s->mnt_ns_id = m->mnt_ns->seq;
		s->mask |= STATMOUNT_MNT_NS_ID;
	}
	if (want & STATMOUNT_SUPPORTED_MASK) {
		s->supported_mask = STATMOUNT_SUPPORTED;
		s->mask |= STATMOUNT_SUPPORTED_MASK;
	}
}

static int fill_texts(struct statmount *s, struct text *t, struct mount *m, u64 want, const struct path *root)
{
	char *page = (char *)__get_free_page(GFP_KERNEL), *p;
	struct path path = { &m->mnt, m->mnt.mnt_root };

	if (!page)
		return -ENOMEM;
	if (want & STATMOUNT_FS_TYPE) {
		s->fs_type = add_text(t, m->mnt.mnt_sb->s_type->name);
		s->mask |= STATMOUNT_FS_TYPE;
	}
	if (want & STATMOUNT_MNT_ROOT) {
		p = dentry_path(m->mnt.mnt_root, page, PAGE_SIZE);
		s->mnt_root = add_text(t, IS_ERR(p) ? "" : p);
		s->mask |= STATMOUNT_MNT_ROOT;
	}
	if (want & STATMOUNT_MNT_POINT) {
		p = __d_path(&path, root, page, PAGE_SIZE);
		if (!IS_ERR_OR_NULL(p)) {
			s->mnt_point = add_text(t, p);
			s->mask |= STATMOUNT_MNT_POINT;
		}
	}
	if (want & STATMOUNT_SB_SOURCE && m->mnt_devname) {
		s->sb_source = add_text(t, m->mnt_devname);
		s->mask |= STATMOUNT_SB_SOURCE;
	}
	if (want & STATMOUNT_FS_SUBTYPE && m->mnt.mnt_sb->s_subtype) {
		s->fs_subtype = add_text(t, m->mnt.mnt_sb->s_subtype);
		s->mask |= STATMOUNT_FS_SUBTYPE;
	}
	if (want & (STATMOUNT_MNT_OPTS | STATMOUNT_OPT_ARRAY))
		fill_options(s, t, m, want, page);
	free_page((unsigned long)page);
	return 0;
}

/* The namespace asked for, referenced; ERR_PTR(-ENOENT), -EPERM: the caller has no rights over it. */
static struct mnt_namespace *get_namespace(u64 seq, struct mnt_namespace *given)
{
	struct mnt_namespace *own = current->nsproxy->mnt_ns, *ns;

	if (!seq && !given) {
		get_mnt_ns(own);
		return own;
	}
	ns = given;
	if (given)
		get_mnt_ns(given);
	else
		ns = mnt_ns_by_seq(seq);
	if (!ns)
		return ERR_PTR(-ENOENT);
	if (ns != own && !ns_capable(ns->user_ns, CAP_SYS_ADMIN)) {
		put_mnt_ns(ns);
		return ERR_PTR(-EPERM);
	}
	return ns;
}

/* Where names begin: the caller's root in his own namespace, the visible root of another one. namespace_sem held. */
static void root_of(struct mnt_namespace *ns, struct path *root)
{
	struct mount *m = ns->root;

	if (ns == current->nsproxy->mnt_ns || !m) {
		get_fs_root(current->fs, root);
		return;
	}
	m = topmost_on(m);
	*root = (struct path){ &m->mnt, m->mnt.mnt_root };
	path_get(root);
}

/* Who may not administer the namespace sees of it what lies below his root. namespace_sem held. */
static bool may_see(struct mnt_namespace *ns, const struct path *path, const struct path *root)
{
	return is_path_reachable(real_mount(path->mnt), path->dentry, root) || ns_capable(ns->user_ns, CAP_SYS_ADMIN);
}

/*
 * What is wanted of M (NULL: there is no such mount), which is in @ns or, BY_FD, wherever it is: who has it open may ask, and of a mount
 * that was unmounted too. namespace_sem held.
 */
static int fill_statmount(struct statmount *s, struct text *t, struct mount *m, struct mnt_namespace *ns, bool by_fd, u64 want)
{
	struct path path, root;
	int err = 0;

	if (!m)
		return by_fd ? -EBADF : -ENOENT;
	if (m->mnt_ns == MNT_NS_INTERNAL)
		return -EINVAL;
	if (by_fd)
		ns = m->mnt_ns;
	if (!ns) {
		want &= ~(u64)(STATMOUNT_MNT_POINT | STATMOUNT_MNT_NS_ID);
		ns = current->nsproxy->mnt_ns;
	}
	path = (struct path){ &m->mnt, m->mnt.mnt_root };
	root_of(ns, &root);
	if (!by_fd && !may_see(ns, &path, &root)) {
		err = -EPERM;
	} else {
		fill_numbers(s, m, want, &root);
		err = fill_texts(s, t, m, want, &root);
	}
	path_put(&root);
	return err;
}

/* Each text is at most a page. */
#define MOST_TEXT (7 * PAGE_SIZE)

int do_statmount(u64 ns_seq, struct mnt_namespace *given, u64 id, int fd, u64 want, struct uptr buf, size_t bufsize)
{
	struct mnt_namespace *ns = get_namespace(ns_seq, given);
	struct statmount s = { 0 };
	struct text t = { .size = bufsize > sizeof(s) ? min(bufsize - sizeof(s), MOST_TEXT) : 0 };
	struct fd f = EMPTY_FD;
	struct mount *m;
	int err;

	if (IS_ERR(ns))
		return (int)PTR_ERR(ns);
	t.buf = kvmalloc(t.size + 1, GFP_KERNEL_ACCOUNT);
	if (!t.buf) {
		put_mnt_ns(ns);
		return -ENOMEM;
	}
	if (fd >= 0)
		f = fdget_raw((unsigned int)fd);
	down_read(&namespace_sem);
	if (fd >= 0)
		m = fd_empty(f) ? NULL : real_mount(fd_file(f)->f_path.mnt);
	else
		m = find_by_unique_id(ns, id);
	err = fill_statmount(&s, &t, m, ns, fd >= 0, want);
	up_read(&namespace_sem);
	if (fd >= 0)
		fdput(f);
	put_mnt_ns(ns);
	if (!err && t.len > t.size)
		err = -EOVERFLOW;
	if (!err) {
		s.size = (u32)(sizeof(s) + t.len);
		if (copy_to_user(buf, &s, min(bufsize, sizeof(s))) ||
		    (t.len && copy_to_user(uptr_add(buf, sizeof(s)), t.buf, t.len)))
			err = -EFAULT;
	}
	kvfree(t.buf);
	return err;
}

/* The mount to begin with: the first behind @last, or, reversed, before it; 0: of all. */
static struct rb_node *first_listed(struct mnt_namespace *ns, u64 last, bool reverse)
{
	struct mount *m = mnt_find_id_at(ns, last && !reverse ? last + 1 : last);

	if (!reverse)
		return m ? &m->mnt_node : NULL;
	return last && m ? rb_prev(&m->mnt_node) : rb_last(&ns->mounts);
}

#define LIST_PIECE 16

/*
 * namespace_sem held; given back now and then, for the way from each mount to @top is as long as the user made it. What is under @top, which is
 * referenced, to @out: how many.
 */
static ssize_t list_below(struct mnt_namespace *ns, u64 id, u64 last, const struct path *top, u64 *out, size_t max, bool reverse)
	__must_hold(namespace_sem)
{
	struct rb_node *at = first_listed(ns, last, reverse);
	ssize_t n = 0;

	for (unsigned int looked = 1; at && n < (ssize_t)max; looked++) {
		struct mount *m = rb_entry(at, struct mount, mnt_node);

		last = m->mnt_id_unique;
		if (last != id && is_path_reachable(m, m->mnt.mnt_root, top))
			out[n++] = last;
		at = reverse ? rb_prev(at) : rb_next(at);
		if (looked % LIST_PIECE)
			continue;
		up_read(&namespace_sem);
		cond_resched();
		down_read(&namespace_sem);
		if (fatal_signal_pending(current))
			return -EINTR;
		at = first_listed(ns, last, reverse);
	}
	return n;
}

/* Unique ids above @last (below, when reversed) of what lies under the mount; how many. */
ssize_t do_listmount(u64 ns_seq, struct mnt_namespace *given, u64 id, u64 last, struct uptr ids, size_t max, bool reverse)
{
	struct mnt_namespace *ns = get_namespace(ns_seq, given);
	struct path root, top = { NULL, NULL };
	struct mount *m;
	ssize_t n = 0;
	u64 *out;

	if (IS_ERR(ns))
		return -ENOENT;		/* also without rights: what statmount(2) tells, this one does not */
	out = kvmalloc_array(max + 1, sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!out) {
		put_mnt_ns(ns);
		return -ENOMEM;
	}
	down_read(&namespace_sem);
	root_of(ns, &root);
	m = id == LSMT_ROOT ? NULL : find_by_unique_id(ns, id);
	if (id == LSMT_ROOT)
		top = root;
	else if (m)
		top = (struct path){ &m->mnt, m->mnt.mnt_root };
	if (!top.mnt)
		n = -ENOENT;
	else if (!may_see(ns, &top, &root))
		n = -EPERM;
	if (!n) {
		path_get(&top);
		n = list_below(ns, id, last, &top, out, max, reverse);
	} else {
		top.mnt = NULL;
	}
	up_read(&namespace_sem);
	if (top.mnt)
		path_put(&top);
	path_put(&root);
	put_mnt_ns(ns);
	if (n > 0 && copy_to_user(ids, out, (size_t)n * sizeof(u64)))
		n = -EFAULT;
	kvfree(out);
	return n;
}
