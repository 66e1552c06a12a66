// SPDX-License-Identifier: MIT
/* Extended attributes, by path, by link, by descriptor, and by directory. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <vfs/xattr.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <linux/fcntl.h>

struct xname {
	char name[XATTR_NAME_MAX + 1];
};

static int get_xname(struct xname *x, struct uptr uname)
{
	long len = strncpy_from_user(x->name, uname, sizeof(x->name));

	if (len < 0)
		return (int)len;
	return len == 0 || len == sizeof(x->name) ? -ERANGE : 0;
}

static long set_on(const struct path *path, struct uptr uname, struct uptr uvalue, size_t size, int flags)
{
	struct xname x;
	void *value = NULL;
	long err;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = get_xname(&x, uname);
	if (err)
		return err;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	if (size) {
		value = vmemdup_user(uvalue, size);
		if (IS_ERR(value))
			return PTR_ERR(value);
	}
	err = mnt_want_write(path->mnt);
	if (!err) {
		err = vfs_setxattr(mnt_idmap(path->mnt), path->dentry, x.name, value ? value : "", size, flags);
		mnt_drop_write(path->mnt);
	}
	kvfree(value);
	return err;
}

static long get_from(const struct path *path, struct uptr uname, struct uptr uvalue, size_t size)
{
	struct xname x;
	void *value = NULL;
	ssize_t ret = get_xname(&x, uname);

	if (ret)
		return ret;
	if (size) {
		if (size > XATTR_SIZE_MAX)
			size = XATTR_SIZE_MAX;
		value = kvzalloc(size, GFP_KERNEL);
		if (!value)
			return -ENOMEM;
	}
	ret = vfs_getxattr(mnt_idmap(path->mnt), path->dentry, x.name, value, size);
	if (ret > 0 && size && copy_to_user(uvalue, value, (size_t)ret))
		ret = -EFAULT;
	else if (ret == -ERANGE && size >= XATTR_SIZE_MAX)
		ret = -E2BIG;
	kvfree(value);
	return ret;
}

static long list_of(const struct path *path, struct uptr ulist, size_t size)
{
	char *list = NULL;
	ssize_t ret;

	if (size) {
		if (size > XATTR_LIST_MAX)
			size = XATTR_LIST_MAX;
		list = kvmalloc(size, GFP_KERNEL);
		if (!list)
			return -ENOMEM;
	}
	ret = vfs_listxattr(path->dentry, list, size);
	if (ret > 0 && size && copy_to_user(ulist, list, (size_t)ret))
		ret = -EFAULT;
	else if (ret == -ERANGE && size >= XATTR_LIST_MAX)
		ret = -E2BIG;
	kvfree(list);
	return ret;
}

static long remove_from(const struct path *path, struct uptr uname)
{
	struct xname x;
	long err = get_xname(&x, uname);

	if (err)
		return err;
	err = mnt_want_write(path->mnt);
	if (err)
		return err;
	err = vfs_removexattr(mnt_idmap(path->mnt), path->dentry, x.name);
	mnt_drop_write(path->mnt);
	return err;
}

/* Runs @call with "const struct path *path" of a name or a descriptor. */
#define WITH_PATH(dfd, uname, lookup, call) ({					\
	struct path __path, *path = &__path;					\
	long __ret = user_path_at(dfd, uname, lookup, path);			\
	if (!__ret) {								\
		__ret = (call);							\
		path_put(path);							\
	}									\
	__ret; })
#define WITH_FD(fdn, call) ({							\
	struct fd __f = fdget((unsigned int)(fdn));				\
	long __ret = -EBADF;							\
	if (!fd_empty(__f)) {							\
		const struct path *path = &fd_file(__f)->f_path;		\
		__ret = (call);							\
		fdput(__f);							\
	}									\
	__ret; })

long sys_setxattr(struct uptr p, struct uptr name, struct uptr value, size_t size, int flags)
{
	return WITH_PATH(AT_FDCWD, p, LOOKUP_FOLLOW, set_on(path, name, value, size, flags));
}

long sys_lsetxattr(struct uptr p, struct uptr name, struct uptr value, size_t size, int flags)
{
	return WITH_PATH(AT_FDCWD, p, 0, set_on(path, name, value, size, flags));
}

long sys_fsetxattr(int fd, struct uptr name, struct uptr value, size_t size, int flags)
{
	return WITH_FD(fd, set_on(path, name, value, size, flags));
}

long sys_getxattr(struct uptr p, struct uptr name, struct uptr value, size_t size)
{
	return WITH_PATH(AT_FDCWD, p, LOOKUP_FOLLOW, get_from(path, name, value, size));
}

long sys_lgetxattr(struct uptr p, struct uptr name, struct uptr value, size_t size)
{
	return WITH_PATH(AT_FDCWD, p, 0, get_from(path, name, value, size));
}

long sys_fgetxattr(int fd, struct uptr name, struct uptr value, size_t size)
{
	return WITH_FD(fd, get_from(path, name, value, size));
}

long sys_listxattr(struct uptr p, struct uptr list, size_t size)
{
	return WITH_PATH(AT_FDCWD, p, LOOKUP_FOLLOW, list_of(path, list, size));
}

long sys_llistxattr(struct uptr p, struct uptr list, size_t size)
{
	return WITH_PATH(AT_FDCWD, p, 0, list_of(path, list, size));
}

long sys_flistxattr(int fd, struct uptr list, size_t size)
{
	return WITH_FD(fd, list_of(path, list, size));
}

long sys_removexattr(struct uptr p, struct uptr name)
{
	return WITH_PATH(AT_FDCWD, p, LOOKUP_FOLLOW, remove_from(path, name));
}

long sys_lremovexattr(struct uptr p, struct uptr name)
{
	return WITH_PATH(AT_FDCWD, p, 0, remove_from(path, name));
}

long sys_fremovexattr(int fd, struct uptr name)
{
	return WITH_FD(fd, remove_from(path, name));
}

/* The newer calls: a directory, flags, and a struct for value and size. */

static int lookup_of(unsigned int at_flags, unsigned int *lookup)
{
	if (at_flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	*lookup = (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
		  (at_flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	return 0;
}

static int get_args(struct xattr_args *a, struct uptr uargs, size_t usize)
{
	if (usize < sizeof(*a))
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(a, sizeof(*a), uargs, usize);
}

long sys_setxattrat(int dfd, struct uptr p, unsigned int at_flags, struct uptr name, struct uptr uargs,
		    size_t usize)
{
	struct xattr_args a;
	unsigned int lookup;
	int err = lookup_of(at_flags, &lookup);

	if (!err)
		err = get_args(&a, uargs, usize);
	if (err)
		return err;
	return WITH_PATH(dfd, p, lookup, set_on(path, name, UPTR(a.value), a.size, (int)a.flags));
}

long sys_getxattrat(int dfd, struct uptr p, unsigned int at_flags, struct uptr name, struct uptr uargs,
		    size_t usize)
{
	struct xattr_args a;
	unsigned int lookup;
	int err = lookup_of(at_flags, &lookup);

	if (!err)
		err = get_args(&a, uargs, usize);
	if (!err && a.flags)
		err = -EINVAL;
	if (err)
		return err;
	return WITH_PATH(dfd, p, lookup, get_from(path, name, UPTR(a.value), a.size));
}

long sys_listxattrat(int dfd, struct uptr p, unsigned int at_flags, struct uptr list, size_t size)
{
	unsigned int lookup;
	int err = lookup_of(at_flags, &lookup);

	return err ? err : WITH_PATH(dfd, p, lookup, list_of(path, list, size));
}

long sys_removexattrat(int dfd, struct uptr p, unsigned int at_flags, struct uptr name)
{
	unsigned int lookup;
	int err = lookup_of(at_flags, &lookup);

	return err ? err : WITH_PATH(dfd, p, lookup, remove_from(path, name));
}
