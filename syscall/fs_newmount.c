// SPDX-License-Identifier: MIT
/* Mounting step by step: fsopen, fspick, fsconfig, fsmount, move_mount, open_tree, mount_setattr; statmount, listmount. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <vfs/mount_calls.h>
#include <vfs/newmount.h>
#include <alloc/slab.h>
#include <fs/nsfs.h>
#include <mm/uaccess.h>
#include <linux/fcntl.h>
#include <linux/mount.h>

long sys_fsopen(struct uptr fs_name, unsigned int flags)
{
	struct file_system_type *type;
	struct fs_context *fc;
	char *name;

	if (!may_mount())
		return -EPERM;
	if (flags & ~(unsigned int)FSOPEN_CLOEXEC)
		return -EINVAL;
	name = strndup_user(fs_name, PATH_MAX);
	if (IS_ERR(name))
		return PTR_ERR(name);
	type = get_fs_type(name);
	kfree(name);
	if (!type)
		return -ENODEV;
	fc = fs_context_for_mount(type, 0);
	if (IS_ERR(fc))
		return PTR_ERR(fc);
	return fs_context_fd(fc, flags & FSOPEN_CLOEXEC ? O_CLOEXEC : 0);
}

long sys_fspick(int dfd, struct uptr name, unsigned int flags)
{
	unsigned int lookup = flags & FSPICK_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct fs_context *fc;
	struct path path;
	long err;

	if (!may_mount())
		return -EPERM;
	if (flags & ~(unsigned int)(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH))
		return -EINVAL;
	if (flags & FSPICK_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = user_path_at(dfd, name, lookup, &path);
	if (err)
		return err;
	err = -EINVAL;
	if (path.mnt->mnt_root == path.dentry) {
		fc = fs_context_for_reconfigure(path.dentry, 0, 0);
		err = IS_ERR(fc) ? PTR_ERR(fc) : fs_context_fd(fc, flags & FSPICK_CLOEXEC ? O_CLOEXEC : 0);
	}
	path_put(&path);
	return err;
}

static long config_other(struct fs_context *fc, struct uptr ukey)
{
	char *key = strndup_user(ukey, 256);
	long err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	err = fs_context_other_param(fc, key);
	kfree(key);
	return err;
}

static long config(struct fs_context *fc, unsigned int cmd, struct uptr ukey, struct uptr uvalue, int aux)
{
	char *key, *value = NULL;
	struct file *f;
	long err;

	switch (cmd) {
	case FSCONFIG_SET_FLAG:
		if (uptr_is_null(ukey) || !uptr_is_null(uvalue) || aux)
			return -EINVAL;
		break;
	case FSCONFIG_SET_STRING:
		if (uptr_is_null(ukey) || uptr_is_null(uvalue) || aux)
			return -EINVAL;
		break;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_CREATE_EXCL:
	case FSCONFIG_CMD_RECONFIGURE:
		if (!uptr_is_null(ukey) || !uptr_is_null(uvalue) || aux)
			return -EINVAL;
		return cmd == FSCONFIG_CMD_RECONFIGURE ? fs_context_reconfigure(fc) :
		       fs_context_create(fc, cmd == FSCONFIG_CMD_CREATE_EXCL);
	case FSCONFIG_SET_BINARY:
		if (uptr_is_null(ukey) || uptr_is_null(uvalue) || aux <= 0 || aux > 1 << 20)
			return -EINVAL;
		return config_other(fc, ukey);
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		if (uptr_is_null(ukey) || uptr_is_null(uvalue) || (aux != AT_FDCWD && aux < 0))
			return -EINVAL;
		return config_other(fc, ukey);
	case FSCONFIG_SET_FD:
		if (uptr_is_null(ukey) || !uptr_is_null(uvalue) || aux < 0)
			return -EINVAL;
		f = fget((unsigned int)aux);
		if (!f)
			return -EBADF;
		fput(f);
		return config_other(fc, ukey);
	default:
		return -EOPNOTSUPP;
	}
	key = strndup_user(ukey, 256);
	if (IS_ERR(key))
		return PTR_ERR(key);
	if (cmd == FSCONFIG_SET_STRING)
		value = strndup_user(uvalue, 256);
	err = IS_ERR(value) ? PTR_ERR(value) : fs_context_param(fc, key, value);
	if (!IS_ERR(value))
		kfree(value);
	kfree(key);
	return err;
}

long sys_fsconfig(int fs_fd, unsigned int cmd, struct uptr key, struct uptr value, int aux)
{
	struct fs_context *fc;
	struct fd f;
	long err = -EINVAL;

	if (fs_fd < 0)
		return -EINVAL;
	f = fdget((unsigned int)fs_fd);
	if (fd_empty(f))
		return -EBADF;
	fc = fs_context_of_file(fd_file(f));
	if (fc)
		err = config(fc, cmd, key, value, aux);
	fdput(f);
	return err;
}

long sys_fsmount(int fs_fd, unsigned int flags, unsigned int attr_flags)
{
	struct fs_context *fc;
	struct fd f;
	long err = -EINVAL;

	if (!may_mount())
		return -EPERM;
	if (flags & ~(unsigned int)FSMOUNT_CLOEXEC)
		return -EINVAL;
	f = fdget((unsigned int)fs_fd);
	if (fd_empty(f))
		return -EBADF;
	fc = fs_context_of_file(fd_file(f));
	if (fc)
		err = fs_context_mount(fc, attr_flags, flags & FSMOUNT_CLOEXEC ? O_CLOEXEC : 0);
	fdput(f);
	return err;
}

long sys_move_mount(int from_dfd, struct uptr from_path, int to_dfd, struct uptr to_path, unsigned int flags)
{
	unsigned int lookup;
	struct path from, to;
	long err;

	if (!may_mount())
		return -EPERM;
	if (flags & ~(unsigned int)MOVE_MOUNT__MASK)
		return -EINVAL;
	if ((flags & (MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_BENEATH)) == (MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_BENEATH))
		return -EINVAL;
	lookup = (flags & MOVE_MOUNT_F_SYMLINKS ? LOOKUP_FOLLOW : 0) | (flags & MOVE_MOUNT_F_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	err = user_path_at(from_dfd, from_path, lookup, &from);
	if (err)
		return err;
	lookup = (flags & MOVE_MOUNT_T_SYMLINKS ? LOOKUP_FOLLOW : 0) | (flags & MOVE_MOUNT_T_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	err = user_path_at(to_dfd, to_path, lookup, &to);
	if (!err) {
		if (flags & MOVE_MOUNT_SET_GROUP)
			err = path_set_group(&from, &to);
		else
			err = path_move_mount(&from, &to, flags & MOVE_MOUNT_BENEATH);
		path_put(&to);
	}
	path_put(&from);
	return err;
}

static struct file *do_open_tree(int dfd, struct uptr name, unsigned int flags)
{
	unsigned int lookup = LOOKUP_FOLLOW;
	struct path path;
	struct file *f;
	int err;

	if (flags & ~(unsigned int)(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |
				    OPEN_TREE_CLONE | OPEN_TREE_NAMESPACE | O_CLOEXEC))
		return ERR_PTR(-EINVAL);
	if (flags & AT_RECURSIVE && !(flags & (OPEN_TREE_CLONE | OPEN_TREE_NAMESPACE)))
		return ERR_PTR(-EINVAL);
	if ((flags & (OPEN_TREE_CLONE | OPEN_TREE_NAMESPACE)) == (OPEN_TREE_CLONE | OPEN_TREE_NAMESPACE))
		return ERR_PTR(-EINVAL);
	if (flags & OPEN_TREE_CLONE && !may_mount())
		return ERR_PTR(-EPERM);
	if (flags & AT_SYMLINK_NOFOLLOW)
		lookup = 0;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = user_path_at(dfd, name, lookup, &path);
	if (err)
		return ERR_PTR(err);
	if (flags & OPEN_TREE_NAMESPACE) {
		struct mnt_namespace *ns = mnt_ns_of_tree(&path, flags & AT_RECURSIVE);

		f = IS_ERR(ns) ? ERR_CAST(ns) : nsfs_open_file(NSK_MNT, "mnt", ns, mnt_ns_inum(ns));
	} else if (flags & OPEN_TREE_CLONE) {
		f = open_tree_clone(&path, flags & AT_RECURSIVE);
	} else {
		f = dentry_open(&path, O_PATH, current_cred());
	}
	path_put(&path);
	return f;
}

/* A descriptor for F, whose reference goes into it. */
static long install_tree(struct file *f, unsigned int flags)
{
	int fd;

	if (IS_ERR(f))
		return PTR_ERR(f);
	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		fput(f);
	else
		fd_install((unsigned int)fd, f);
	return fd;
}

long sys_open_tree(int dfd, struct uptr path, unsigned int flags)
{
	return install_tree(do_open_tree(dfd, path, flags), flags);
}

static long get_mount_attr(struct mount_attr *attr, struct uptr uattr, size_t usize)
{
	if (usize > PAGE_SIZE)
		return -E2BIG;
	if (usize < sizeof(*attr))
		return -EINVAL;
	if (!may_mount())
		return -EPERM;
	return copy_struct_from_user(attr, sizeof(*attr), uattr, usize);
}

static bool changes_nothing(const struct mount_attr *attr)
{
	return !attr->attr_set && !attr->attr_clr && !attr->propagation;
}

long sys_open_tree_attr(int dfd, struct uptr path, unsigned int flags, struct uptr uattr, size_t usize)
{
	struct mount_attr attr;
	struct file *f;
	long err;

	if (uptr_is_null(uattr) && usize)
		return -EINVAL;
	if (uptr_is_null(uattr))
		return sys_open_tree(dfd, path, flags);
	err = get_mount_attr(&attr, uattr, usize);
	if (err)
		return err;
	f = do_open_tree(dfd, path, flags);
	if (!IS_ERR(f) && !changes_nothing(&attr)) {
		err = path_mount_setattr(&f->f_path, &attr, flags & AT_RECURSIVE);
		if (err) {
			fput(f);
			return err;
		}
	}
	return install_tree(f, flags);
}

long sys_mount_setattr(int dfd, struct uptr name, unsigned int flags, struct uptr uattr, size_t usize)
{
	unsigned int lookup = LOOKUP_FOLLOW;
	struct mount_attr attr;
	struct path path;
	long err;

	if (flags & ~(unsigned int)(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -EINVAL;
	err = get_mount_attr(&attr, uattr, usize);
	if (err || changes_nothing(&attr))
		return err;
	if (flags & AT_SYMLINK_NOFOLLOW)
		lookup = 0;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = user_path_at(dfd, name, lookup, &path);
	if (err)
		return err;
	err = path_mount_setattr(&path, &attr, flags & AT_RECURSIVE);
	path_put(&path);
	return err;
}

static int get_req(struct mnt_id_req *req, struct uptr ureq)
{
	u32 size;

	if (get_user(size, ureq))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < MNT_ID_REQ_SIZE_VER0)
		return -EINVAL;
	memset(req, 0, sizeof(*req));
	return copy_struct_from_user(req, sizeof(*req), ureq, size);
}

/* The mount namespace behind a descriptor, 0: none was given. The file is the caller's to put. */
static int namespace_of(const struct mnt_id_req *req, struct file **file, struct mnt_namespace **ns)
{
	enum ns_kind kind;
	void *p;

	*file = NULL;
	*ns = NULL;
	if (!req->mnt_ns_fd)
		return 0;
	if (req->mnt_ns_id)
		return -EINVAL;
	*file = fget(req->mnt_ns_fd);
	if (!*file)
		return -EBADF;
	if (nsfs_of_file(*file, &kind, &p) && kind == NSK_MNT) {
		*ns = p;
		return 0;
	}
	fput(*file);
	return -EINVAL;
}

long sys_statmount(struct uptr ureq, struct uptr buf, size_t bufsize, unsigned int flags)
{
	struct mnt_namespace *ns;
	struct mnt_id_req req;
	struct file *file;
	long err;

	if (flags & ~(unsigned int)STATMOUNT_BY_FD)
		return -EINVAL;
	err = get_req(&req, ureq);
	if (err)
		return err;
	if (flags & STATMOUNT_BY_FD) {
		if (req.mnt_id || req.mnt_ns_id)
			return -EINVAL;
		if ((int)req.mnt_fd < 0)
			return -EBADF;
		return do_statmount(0, NULL, 0, (int)req.mnt_fd, req.param, buf, bufsize);
	}
	if (req.mnt_id < MNT_ID_FIRST)
		return -EINVAL;
	err = namespace_of(&req, &file, &ns);
	if (err)
		return err;
	err = do_statmount(req.mnt_ns_id, ns, req.mnt_id, -1, req.param, buf, bufsize);
	if (file)
		fput(file);
	return err;
}

long sys_listmount(struct uptr ureq, struct uptr mnt_ids, size_t nr_mnt_ids, unsigned int flags)
{
	struct mnt_namespace *ns;
	struct mnt_id_req req;
	struct file *file;
	long err;

	if (flags & ~(unsigned int)LISTMOUNT_REVERSE)
		return -EINVAL;
	if (nr_mnt_ids > 1000000)
		return -EOVERFLOW;
	err = get_req(&req, ureq);
	if (err)
		return err;
	if (req.mnt_id < MNT_ID_FIRST || (req.param && req.param < MNT_ID_FIRST))
		return -EINVAL;
	err = namespace_of(&req, &file, &ns);
	if (err)
		return err;
	err = do_listmount(req.mnt_ns_id, ns, req.mnt_id, req.param, mnt_ids, nr_mnt_ids, flags & LISTMOUNT_REVERSE);
	if (file)
		fput(file);
	return err;
}
