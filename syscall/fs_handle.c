// SPDX-License-Identifier: MIT
/*
 * name_to_handle_at(2), open_by_handle_at(2). A handle is struct file_handle: how many bytes
 * follow, a type, and these bytes, of which whole 32-bit words count.
 */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/export.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/mount_calls.h>
#include <vfs/namei.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <linux/fcntl.h>

#define MAX_HANDLE_SZ (HANDLE_WORDS * (int)sizeof(u32))

struct handle_head {
	u32 bytes;
	int type;
};
struct user_handle {
	struct handle_head head;
	u32 fh[HANDLE_WORDS];
};
_Static_assert(sizeof(struct user_handle) == 8 + 128, "struct file_handle");

static int put_mnt_id(const struct path *path, struct uptr to, bool unique)
{
	u64 id = mnt_unique_id_of(path->mnt);
	int small = mnt_id_of(path->mnt);

	if (unique)
		return copy_to_user(to, &id, sizeof(id)) ? -EFAULT : 0;
	return copy_to_user(to, &small, sizeof(small)) ? -EFAULT : 0;
}

/* As on Linux the mount and the size that it takes are told where the handle has no room, too. */
static long give_handle(const struct path *path, struct uptr uhandle, struct uptr mnt_id,
			bool unique, unsigned int flags)
{
	struct user_handle h = { 0 };
	int words, err;

	if (copy_from_user(&h.head, uhandle, sizeof(h.head)))
		return -EFAULT;
	if (h.head.bytes > MAX_HANDLE_SZ)
		return -EINVAL;
	words = (int)(h.head.bytes / sizeof(u32));
	err = handle_encode(path, h.fh, &words, &h.head.type, flags);
	if (err && err != -EOVERFLOW)
		return err;
	h.head.bytes = (u32)words * (u32)sizeof(u32);
	if (put_mnt_id(path, mnt_id, unique) ||
	    copy_to_user(uhandle, &h, sizeof(h.head) + (err ? 0 : h.head.bytes)))
		return -EFAULT;
	return err;
}

long sys_name_to_handle_at(int dfd, struct uptr name, struct uptr handle, struct uptr mnt_id,
			   int flag)
{
	unsigned int lookup = flag & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0, how = 0;
	struct path path;
	long err;

	if (flag & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID | AT_HANDLE_MNT_ID_UNIQUE |
		     AT_HANDLE_CONNECTABLE))
		return -EINVAL;
	/* What an empty name stands for may have no parent; what nothing is found by needs none. */
	if (flag & AT_HANDLE_CONNECTABLE && flag & (AT_HANDLE_FID | AT_EMPTY_PATH))
		return -EINVAL;
	if (flag & AT_HANDLE_FID)
		how = EXPORT_FID;
	else if (flag & AT_HANDLE_CONNECTABLE)
		how = EXPORT_CONNECTABLE;
	if (flag & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = user_path_at(dfd, name, lookup, &path);
	if (err)
		return err;
	err = give_handle(&path, handle, mnt_id, flag & AT_HANDLE_MNT_ID_UNIQUE, how);
	path_put(&path);
	return err;
}

/* What the handle is relative to: the mount of a file or of the working directory. */
static int get_anchor(int fd, struct path *root)
{
	struct fd f;

	if (fd == AT_FDCWD) {
		get_fs_pwd(current->fs, root);
		return 0;
	}
	if (fd < 0)
		return -EBADF;
	f = fdget((unsigned int)fd);
	if (fd_empty(f))
		return -EBADF;
	*root = fd_file(f)->f_path;
	path_get(root);
	fdput(f);
	return 0;
}

static int handle_to_path(int mountfd, struct uptr uhandle, int flags, struct path *path)
{
	struct handle_right right;
	struct user_handle h;
	struct path root;
	int err;

	if (copy_from_user(&h.head, uhandle, sizeof(h.head)))
		return -EFAULT;
	if (!h.head.bytes || h.head.bytes > MAX_HANDLE_SZ || h.head.type < 0 ||
	    h.head.type & HANDLE_USER_FLAGS & ~(HANDLE_IS_CONNECTABLE | HANDLE_IS_DIR))
		return -EINVAL;
	err = get_anchor(mountfd, &root);
	if (err)
		return err;
	err = handle_may_decode(&root, flags, &right);
	if (!err && copy_from_user(h.fh, uptr_add(uhandle, sizeof(h.head)), h.head.bytes))
		err = -EFAULT;
	if (!err)
		err = handle_decode(&root, h.fh, (int)(h.head.bytes / sizeof(u32)), h.head.type,
				    &right, path);
	path_put(&root);
	return err;
}

long sys_open_by_handle_at(int mountdirfd, struct uptr handle, int flags)
{
	struct path path;
	struct file *file;
	int fd;

	flags |= O_LARGEFILE;
	fd = handle_to_path(mountdirfd, handle, flags, &path);
	if (fd)
		return fd;
	fd = get_unused_fd_flags((unsigned int)flags);
	if (fd >= 0) {
		file = file_open_root(&path, "", flags, 0);
		if (IS_ERR(file)) {
			put_unused_fd((unsigned int)fd);
			fd = (int)PTR_ERR(file);
		} else {
			fd_install((unsigned int)fd, file);
		}
	}
	path_put(&path);
	return fd;
}
