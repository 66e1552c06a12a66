// SPDX-License-Identifier: MIT
/* Extended attributes, by path, by link, by descriptor, and by directory; flags of files by directory. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/fileattr.h>
#include <vfs/namei.h>
#include <vfs/xattr.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

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
#define WITH_FD_BY(get, fdn, call) ({						\
	struct fd __f = get((unsigned int)(fdn));				\
	long __ret = -EBADF;							\
	if (!fd_empty(__f)) {							\
		const struct path *path = &fd_file(__f)->f_path;		\
		__ret = (call);							\
		fdput(__f);							\
	}									\
	__ret; })
#define WITH_FD(fdn, call) WITH_FD_BY(fdget, fdn, call)

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

/* Flags of files (chattr(1)). A null name with AT_EMPTY_PATH is the descriptor itself. */

#define KNOWN_XFLAGS (FS_XFLAG_REALTIME | FS_XFLAG_PREALLOC | FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND | FS_XFLAG_SYNC | \
		      FS_XFLAG_NOATIME | FS_XFLAG_NODUMP | FS_XFLAG_RTINHERIT | FS_XFLAG_PROJINHERIT | FS_XFLAG_NOSYMLINKS | \
		      FS_XFLAG_EXTSIZE | FS_XFLAG_EXTSZINHERIT | FS_XFLAG_NODEFRAG | FS_XFLAG_FILESTREAM | FS_XFLAG_DAX | \
		      FS_XFLAG_COWEXTSIZE | FS_XFLAG_VERITY | FS_XFLAG_CASEFOLD | FS_XFLAG_CASENONPRESERVING | FS_XFLAG_HASATTR)
#define SHOWN_XFLAGS (FS_XFLAG_PREALLOC | FS_XFLAG_VERITY | FS_XFLAG_CASEFOLD | FS_XFLAG_CASENONPRESERVING | FS_XFLAG_HASATTR)

#define WITH_ANY_PATH(dfd, uname, lookup, call)						\
	((lookup) & LOOKUP_EMPTY && (dfd) >= 0 && uptr_is_null(uname) ? WITH_FD_BY(fdget_raw, dfd, call) : WITH_PATH(dfd, uname, lookup, call))

static int check_attr_args(unsigned int at_flags, size_t usize, unsigned int *lookup)
{
	int err = lookup_of(at_flags, lookup);

	if (err)
		return err;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	return usize < FILE_ATTR_SIZE_VER0 ? -EINVAL : 0;
}

static long put_fileattr(const struct path *path, struct uptr uattr, size_t usize)
{
	struct file_attr a = { };
	struct fileattr fa;
	int err = vfs_fileattr_get(path->dentry, &fa);

	if (err)
		return err;
	a.fa_xflags = fa.xflags & KNOWN_XFLAGS;
	a.fa_extsize = fa.extsize;
	a.fa_nextents = fa.nextents;
	a.fa_projid = fa.projid;
	a.fa_cowextsize = fa.cowextsize;
	if (copy_to_user(uattr, &a, sizeof(a)))
		return -EFAULT;
	return usize > sizeof(a) && clear_user(uptr_add(uattr, sizeof(a)), usize - sizeof(a)) ? -EFAULT : 0;
}

static long set_fileattr(const struct path *path, struct fileattr *fa)
{
	long err = mnt_want_write(path->mnt);

	if (err)
		return err;
	err = vfs_fileattr_set(mnt_idmap(path->mnt), path->dentry, fa);
	mnt_drop_write(path->mnt);
	return err;
}

long sys_file_getattr(int dfd, struct uptr p, struct uptr attr, size_t usize, unsigned int at_flags)
{
	unsigned int lookup;
	int err = check_attr_args(at_flags, usize, &lookup);

	return err ? err : WITH_ANY_PATH(dfd, p, lookup, put_fileattr(path, attr, usize));
}

long sys_file_setattr(int dfd, struct uptr p, struct uptr attr, size_t usize, unsigned int at_flags)
{
	struct file_attr a;
	struct fileattr fa;
	unsigned int lookup;
	int err = check_attr_args(at_flags, usize, &lookup);

	if (!err)
		err = copy_struct_from_user(&a, sizeof(a), attr, usize);
	if (!err && a.fa_xflags & ~(u64)KNOWN_XFLAGS)
		err = -EINVAL;
	if (err)
		return err;
	fa = fileattr_of_xflags((u32)a.fa_xflags & ~(u32)SHOWN_XFLAGS);
	fa.extsize = a.fa_extsize;
	fa.nextents = a.fa_nextents;
	fa.projid = a.fa_projid;
	fa.cowextsize = a.fa_cowextsize;
	return WITH_ANY_PATH(dfd, p, lookup, set_fileattr(path, &fa));
}
