// SPDX-License-Identifier: MIT
/* Names: directories, links, renames; the task's own root, directory and umask; listing. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <vfs/names.h>
#include <vfs/path_text.h>
#include <alloc/page.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <linux/capability.h>
#include <linux/fcntl.h>

/* One name: read it, run @call with fn, free it. */
#define WITH_NAME(uname, call) ({						\
	struct filename fn;							\
	long __ret = getname(&fn, uname);					\
	if (!__ret) {								\
		__ret = (call);							\
		putname(&fn);							\
	}									\
	__ret; })

long sys_mkdirat(int dfd, struct uptr pathname, umode_t mode)
{
	return WITH_NAME(pathname, do_mkdirat(dfd, &fn, mode));
}

long sys_mkdir(struct uptr pathname, umode_t mode)
{
	return sys_mkdirat(AT_FDCWD, pathname, mode);
}

long sys_mknodat(int dfd, struct uptr filename, umode_t mode, unsigned int dev)
{
	return WITH_NAME(filename, do_mknodat(dfd, &fn, mode, new_decode_dev(dev)));
}

long sys_mknod(struct uptr filename, umode_t mode, unsigned int dev)
{
	return sys_mknodat(AT_FDCWD, filename, mode, dev);
}

long sys_unlinkat(int dfd, struct uptr pathname, int flag)
{
	if (flag & ~AT_REMOVEDIR)
		return -EINVAL;
	return WITH_NAME(pathname, flag & AT_REMOVEDIR ? do_rmdir(dfd, &fn) : do_unlinkat(dfd, &fn));
}

long sys_unlink(struct uptr pathname)
{
	return sys_unlinkat(AT_FDCWD, pathname, 0);
}

long sys_rmdir(struct uptr pathname)
{
	return sys_unlinkat(AT_FDCWD, pathname, AT_REMOVEDIR);
}

long sys_symlinkat(struct uptr oldname, int newdfd, struct uptr newname)
{
	struct filename target;
	long ret = getname(&target, oldname);

	if (ret)
		return ret;
	ret = WITH_NAME(newname, do_symlinkat(target.name, newdfd, &fn));
	putname(&target);
	return ret;
}

long sys_symlink(struct uptr oldname, struct uptr newname)
{
	return sys_symlinkat(oldname, AT_FDCWD, newname);
}

long sys_linkat(int olddfd, struct uptr oldname, int newdfd, struct uptr newname, int flags)
{
	struct filename old;
	long ret = getname_flags(&old, oldname, flags);

	if (ret)
		return ret;
	ret = WITH_NAME(newname, do_linkat(olddfd, &old, newdfd, &fn, flags));
	putname(&old);
	return ret;
}

long sys_link(struct uptr oldname, struct uptr newname)
{
	return sys_linkat(AT_FDCWD, oldname, AT_FDCWD, newname, 0);
}

long sys_renameat2(int olddfd, struct uptr oldname, int newdfd, struct uptr newname, unsigned int flags)
{
	struct filename old;
	long ret = getname(&old, oldname);

	if (ret)
		return ret;
	ret = WITH_NAME(newname, do_renameat2(olddfd, &old, newdfd, &fn, flags));
	putname(&old);
	return ret;
}

long sys_renameat(int olddfd, struct uptr oldname, int newdfd, struct uptr newname)
{
	return sys_renameat2(olddfd, oldname, newdfd, newname, 0);
}

long sys_rename(struct uptr oldname, struct uptr newname)
{
	return sys_renameat2(AT_FDCWD, oldname, AT_FDCWD, newname, 0);
}

long sys_readlinkat(int dfd, struct uptr pathname, struct uptr buf, int bufsiz)
{
	struct filename fn;
	struct path path;
	long ret;

	if (bufsiz <= 0)
		return -EINVAL;
	ret = getname_flags(&fn, pathname, AT_EMPTY_PATH);
	if (ret)
		return ret;
	ret = filename_lookup(dfd, &fn, LOOKUP_EMPTY, &path, NULL);
	if (!ret) {
		struct inode *inode = path.dentry->d_inode;

		/* "" names the descriptor's own link; on anything else it is an error of the name. */
		ret = fn.len ? -EINVAL : -ENOENT;
		if (d_is_symlink(path.dentry) || inode->i_op->readlink) {
			touch_atime(&path);
			ret = vfs_readlink(path.dentry, buf, bufsiz);
		}
		path_put(&path);
	}
	putname(&fn);
	return ret;
}

long sys_readlink(struct uptr path, struct uptr buf, int bufsiz)
{
	return sys_readlinkat(AT_FDCWD, path, buf, bufsiz);
}

/* The task's place. */

static int may_enter(const struct path *path)
{
	return path_permission(path, MAY_EXEC | MAY_CHDIR);
}

long sys_chdir(struct uptr filename)
{
	struct path path;
	int err = user_path_at(AT_FDCWD, filename, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (err)
		return err;
	err = may_enter(&path);
	if (!err)
		set_fs_pwd(current->fs, &path);
	path_put(&path);
	return err;
}

long sys_fchdir(unsigned int fd)
{
	struct fd f = fdget_raw(fd);
	int err;

	if (fd_empty(f))
		return -EBADF;
	err = -ENOTDIR;
	if (d_can_lookup(fd_file(f)->f_path.dentry)) {
		err = may_enter(&fd_file(f)->f_path);
		if (!err)
			set_fs_pwd(current->fs, &fd_file(f)->f_path);
	}
	fdput(f);
	return err;
}

long sys_chroot(struct uptr filename)
{
	struct path path;
	int err = user_path_at(AT_FDCWD, filename, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (err)
		return err;
	err = may_enter(&path);
	if (!err && !ns_capable(current_user_ns(), CAP_SYS_CHROOT))
		err = -EPERM;
	if (!err)
		set_fs_root(current->fs, &path);
	path_put(&path);
	return err;
}

long sys_umask(int mask)
{
	struct fs_struct *fs = current->fs;

	return xchg(&fs->umask, mask & (int)S_IRWXUGO);
}

/* The working directory, if its text fits into the LEFT bytes at ROOM: its length with the NUL. */
static long give_cwd(struct uptr buf, unsigned long size, char *room, int left)
{
	struct path pwd, root;
	unsigned long len;
	char *text;

	do {
		rcu_read_lock();
		get_fs_root_and_pwd_rcu(current->fs, &root, &pwd);
		text = unlikely(d_unlinked(pwd.dentry)) ? ERR_PTR(-ENOENT) : d_path_root_rcu(&pwd, &root, room, left);
		rcu_read_unlock();
	} while (unlikely(text == ERR_PTR(-ECHILD)));
	if (IS_ERR(text))
		return PTR_ERR(text);
	len = (unsigned long)(room + left - text);
	if (len > size)
		return -ERANGE;
	return copy_to_user(buf, text, len) ? -EFAULT : (long)len;
}

static noinline long give_long_cwd(struct uptr buf, unsigned long size)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	long ret;

	if (!page)
		return -ENOMEM;
	ret = give_cwd(buf, size, page, min(PAGE_SIZE, PATH_MAX));
	free_page((unsigned long)page);
	return ret;
}

/* With the NUL, the length; "(unreachable)" in front where no path leads. */
long sys_getcwd(struct uptr buf, unsigned long size)
{
	char room[256];
	long ret = give_cwd(buf, size, room, sizeof(room));

	return unlikely(ret == -ENAMETOOLONG) ? give_long_cwd(buf, size) : ret;
}

/*
 * Listing. Records are gathered here and copied out together. A record's d_off is the position of the next
 * one: it is known when that is emitted, or at the end.
 */
#define LIST_BATCH 1024u

struct list_buf {
	struct dir_context ctx;
	struct uptr next;	/* where the batch goes */
	unsigned int left;	/* bytes of the caller's buffer not yet promised */
	unsigned int used;	/* bytes in the batch */
	unsigned int last;	/* offset of the last record in it */
	loff_t start;		/* position of the first record in it */
	unsigned int done;	/* bytes copied out */
	int error;
	bool old;
	char batch[LIST_BATCH] __aligned(8);
};

#define NAME_AT_64 19u	/* d_ino 8, d_off 8, d_reclen 2, d_type 1 */
#define NAME_AT_OLD 18u

/* Copies the batch out; @pos is where the directory goes on after it. */
static bool flush_batch(struct list_buf *b, loff_t pos)
{
	if (!b->used)
		return true;
	*(u64 *)(b->batch + b->last + 8) = (u64)pos;
	if (copy_to_user(b->next, b->batch, b->used)) {
		b->error = -EFAULT;
		return false;
	}
	b->next = uptr_add(b->next, b->used);
	b->done += b->used;
	b->used = 0;
	return true;
}

/* Most names are short: halves of what is left, instead of a call. */
static inline void copy_name(char *to, const char *from, unsigned int len)
{
	for (; len >= 8; len -= 8, to += 8, from += 8)
		memcpy(to, from, 8);
	if (len & 4) {
		memcpy(to, from, 4);
		to += 4;
		from += 4;
	}
	if (len & 2) {
		memcpy(to, from, 2);
		to += 2;
		from += 2;
	}
	if (len & 1)
		*to = *from;
}

static bool emit_record(struct dir_context *ctx, const char *name, int namlen, loff_t pos, u64 ino,
			unsigned int type)
{
	struct list_buf *b = container_of(ctx, struct list_buf, ctx);
	unsigned int at = b->old ? NAME_AT_OLD : NAME_AT_64;
	/* The old record has the type in its last byte. */
	unsigned int len = (at + (unsigned int)namlen + 1 + (b->old ? 1 : 0) + 7) & ~7u;
	char *rec;

	if (unlikely(len > b->left || namlen > NAME_MAX || namlen <= 0)) {
		b->error = -EINVAL;
		return false;
	}
	if (b->used) {
		*(u64 *)(b->batch + b->last + 8) = (u64)pos;
		if (unlikely(b->used + len > LIST_BATCH)) {
			if (!flush_batch(b, pos))
				return false;
			if (signal_pending(current)) {
				b->error = -EINTR;
				return false;
			}
		}
	}
	if (!b->used)
		b->start = pos;
	rec = b->batch + b->used;
	*(u64 *)(rec + len - 8) = 0;
	*(u64 *)rec = ino;
	*(u64 *)(rec + 8) = 0;
	*(u16 *)(rec + 16) = (u16)len;
	rec[18] = (char)type;
	copy_name(rec + at, name, (unsigned int)namlen);
	rec[at + (unsigned int)namlen] = 0;
	if (b->old)
		rec[len - 1] = (char)type;
	b->last = b->used;
	b->used += len;
	b->left -= len;
	return true;
}

static long list_dir(unsigned int fd, struct uptr dirent, unsigned int count, bool old)
{
	struct list_buf b;
	struct fd f;
	long err;

	if (count > INT_MAX)
		return -EINVAL;
	f = fdget_pos(fd);
	if (fd_empty(f))
		return -EBADF;
	b.ctx.actor = emit_record;
	b.next = dirent;
	b.left = count;
	b.used = 0;
	b.done = 0;
	b.error = 0;
	b.old = old;
	err = iterate_dir(fd_file(f), &b.ctx);
	if (err >= 0)
		err = b.error;
	/* What could not be copied out will be read again. */
	if (err == -EFAULT || !flush_batch(&b, b.ctx.pos)) {
		err = -EFAULT;
		fd_file(f)->f_pos = b.start;
	}
	if (b.done)
		err = (long)b.done;
	fdput_pos(f);
	return err;
}

long sys_getdents64(unsigned int fd, struct uptr dirent, unsigned int count)
{
	return list_dir(fd, dirent, count, false);
}

long sys_getdents(unsigned int fd, struct uptr dirent, unsigned int count)
{
	return list_dir(fd, dirent, count, true);
}
