// SPDX-License-Identifier: MIT
/* System calls on names with kernel strings, for unpacking the initramfs and mounting the root. */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <vfs/names.h>
#include <sched/task.h>
#include <proc/cred.h>
#include "mount_priv.h"

int init_mount(const char *dev, const char *dir, const char *type, unsigned long flags, char *data)
{
	struct filename from;
	struct path path;
	int err = kern_path(dir, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	if (dev)
		getname_kernel(&from, dev);
	err = path_mount(dev, dev ? &from : NULL, &path, type, flags, data);
	path_put(&path);
	return err;
}

int init_umount(const char *name, int flags)
{
	struct path path;
	int err = kern_path(name, LOOKUP_MOUNTPOINT | (flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW), &path);

	return err ? err : path_umount(&path, flags);
}

int init_pivot_root(const char *new_root, const char *put_old)
{
	struct path new, old;
	int err = kern_path(new_root, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);

	if (err)
		return err;
	err = kern_path(put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &old);
	if (!err) {
		err = path_pivot_root(&new, &old);
		path_put(&old);
	}
	path_put(&new);
	return err;
}

int init_chdir(const char *dir)
{
	struct path path;
	int err = kern_path(dir, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (err)
		return err;
	set_fs_pwd(current->fs, &path);
	path_put(&path);
	return 0;
}

int init_chroot(const char *dir)
{
	struct path path;
	int err = kern_path(dir, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (err)
		return err;
	set_fs_root(current->fs, &path);
	path_put(&path);
	return 0;
}

int init_mkdir(const char *name, umode_t mode)
{
	struct filename fn;

	getname_kernel(&fn, name);
	return do_mkdirat(AT_FDCWD, &fn, mode);
}

int init_mknod(const char *name, umode_t mode, dev_t dev)
{
	struct filename fn;

	getname_kernel(&fn, name);
	return do_mknodat(AT_FDCWD, &fn, mode, dev);
}

int init_symlink(const char *target, const char *name)
{
	struct filename fn;

	getname_kernel(&fn, name);
	return do_symlinkat(target, AT_FDCWD, &fn);
}

int init_link(const char *old, const char *new)
{
	struct filename fo, fn;

	getname_kernel(&fo, old);
	getname_kernel(&fn, new);
	return do_linkat(AT_FDCWD, &fo, AT_FDCWD, &fn, 0);
}

int init_unlink(const char *name)
{
	struct filename fn;

	getname_kernel(&fn, name);
	return do_unlinkat(AT_FDCWD, &fn);
}

int init_rmdir(const char *name)
{
	struct filename fn;

	getname_kernel(&fn, name);
	return do_rmdir(AT_FDCWD, &fn);
}

int init_chown(const char *name, uid_t uid, gid_t gid, int follow)
{
	struct path path;
	int err = kern_path(name, follow ? LOOKUP_FOLLOW : 0, &path);

	if (err)
		return err;
	err = chown_common(&path, uid, gid);
	path_put(&path);
	return err;
}

int init_chmod(const char *name, umode_t mode)
{
	struct path path;
	int err = kern_path(name, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	err = chmod_common(&path, mode);
	path_put(&path);
	return err;
}

int init_utimes(const char *name, s64 mtime_s)
{
	struct timespec64 t[2] = { { mtime_s, 0 }, { mtime_s, 0 } };
	struct path path;
	int err = kern_path(name, 0, &path);

	if (err)
		return err;
	err = vfs_utimes(&path, t);
	path_put(&path);
	return err;
}

/* May the running task execute it? */
int init_eaccess(const char *name)
{
	struct path path;
	int err = kern_path(name, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	err = path_permission(&path, MAY_ACCESS | MAY_EXEC);
	path_put(&path);
	return err;
}
