// SPDX-License-Identifier: MIT
/* Mounts, the classic calls: mount, umount2, pivot_root. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <mm/uaccess.h>
#include <linux/mount.h>
#include <vfs/mount_calls.h>

/* A string that may be absent. */
static char *get_string(struct uptr s, int *err)
{
	char *p;

	if (uptr_is_null(s))
		return NULL;
	p = strndup_user(s, PATH_MAX);
	if (IS_ERR(p)) {
		*err = (int)PTR_ERR(p);
		return NULL;
	}
	return p;
}

/* The options: up to a page, of which what can be read counts. */
static char *get_options(struct uptr data, int *err)
{
	size_t left;
	char *p;

	if (uptr_is_null(data))
		return NULL;
	p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!p) {
		*err = -ENOMEM;
		return NULL;
	}
	left = copy_from_user(p, data, PAGE_SIZE);
	if (left == PAGE_SIZE) {
		kfree(p);
		*err = -EFAULT;
		return NULL;
	}
	memset(p + PAGE_SIZE - left, 0, left);
	p[PAGE_SIZE - 1] = 0;
	return p;
}

long sys_mount(struct uptr dev_name, struct uptr dir_name, struct uptr type, unsigned long flags,
	       struct uptr data)
{
	char *ktype, *kdev, *options;
	struct filename from;
	struct path path;
	int err = 0;

	ktype = get_string(type, &err);
	kdev = err ? NULL : get_string(dev_name, &err);
	options = err ? NULL : get_options(data, &err);
	if (err)
		goto out;
	if (kdev)
		getname_kernel(&from, kdev);
	err = user_path_at(AT_FDCWD, dir_name, LOOKUP_FOLLOW, &path);
	if (err)
		goto out;
	err = path_mount(kdev, kdev ? &from : NULL, &path, ktype, flags, options);
	path_put(&path);
out:
	kfree(options);
	kfree(kdev);
	kfree(ktype);
	return err;
}

long sys_umount2(struct uptr name, int flags)
{
	struct path path;
	int err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	err = user_path_at(AT_FDCWD, name,
			   LOOKUP_MOUNTPOINT | (flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW), &path);
	return err ? err : path_umount(&path, flags);
}

long sys_umount(struct uptr name)
{
	return sys_umount2(name, 0);
}

long sys_pivot_root(struct uptr new_root, struct uptr put_old)
{
	struct path new, old;
	int err;

	if (!may_mount())
		return -EPERM;
	err = user_path_at(AT_FDCWD, new_root, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);
	if (err)
		return err;
	err = user_path_at(AT_FDCWD, put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &old);
	if (!err) {
		err = path_pivot_root(&new, &old);
		path_put(&old);
	}
	path_put(&new);
	return err;
}
