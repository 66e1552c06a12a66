// SPDX-License-Identifier: MIT
/*
 * Operations on names: open, stat, rename and theirs. Names are read when the request is submitted;
 * what is done with them may sleep, so it is done by whoever may.
 */
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <mm/uaccess.h>
#include <vfs/calls.h>
#include <vfs/file.h>
#include <vfs/names.h>
#include <vfs/stat.h>
#include <abi/errno.h>
#include <linux/fcntl.h>
#include "io_uring/ring_priv.h"

struct uring_names {
	struct filename a, b;
	bool has_a, has_b;
};

static struct uptr user(u64 addr)
{
	return UPTR((unsigned long)addr);
}

/* The names at A and (if TWO) B, the first read with AT_FLAGS. */
static int names(struct uring_req *r, u64 a, u64 b, bool two, int at_flags)
{
	struct uring_names *n;
	int e;

	if (r->flags & IOSQE_FIXED_FILE)
		return -EBADF;
	n = kmalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n)
		return -ENOMEM;
	n->has_a = n->has_b = false;
	r->name.n = n;
	r->flags |= R_CLEAN;
	e = getname_flags(&n->a, user(a), at_flags);
	if (e)
		return e;
	n->has_a = true;
	if (!two)
		return 0;
	e = getname(&n->b, user(b));
	n->has_b = !e;
	return e;
}

void uring_name_clean(struct uring_req *r)
{
	struct uring_names *n = r->name.n;

	if (n->has_a)
		putname(&n->a);
	if (n->has_b)
		putname(&n->b);
	kfree(n);
}

/* ---- open ---- */

static int open_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index)
		return -EINVAL;
	r->name.index = sqe->file_index;
	if (r->name.index && r->name.how.flags & O_CLOEXEC)
		return -EINVAL;
	return names(r, sqe->addr, 0, false, 0);
}

int uring_openat_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	/* What makes no sense is found when it is issued. */
	(void)open_how_of(&r->name.how, (int)sqe->open_flags, (umode_t)sqe->len);
	return open_prep(r, sqe);
}

int uring_openat2_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	int e;

	if (sqe->len < 24)	/* the first version of struct open_how */
		return -EINVAL;
	if (sqe->len > PAGE_SIZE)
		return -E2BIG;
	e = copy_struct_from_user(&r->name.how, sizeof(r->name.how), user(sqe->addr2), sqe->len);
	if (e)
		return e;
	if (!(r->name.how.flags & O_PATH))
		r->name.how.flags |= O_LARGEFILE;	/* as filters see it */
	return open_prep(r, sqe);
}

int uring_open_issue(struct uring_req *r, bool nowait)
{
	struct open_how how = r->name.how;
	struct file *f;
	/* Not when it was submitted: filters see also what makes no sense. */
	int e = open_how_check(&how);

	if (e)
		return e;
	if (nowait && how.resolve & RESOLVE_CACHED)
		return -EAGAIN;		/* what it says then is the result */
	if (nowait)
		how.resolve |= RESOLVE_AT_ONCE;
	if (!r->name.index) {
		r->res = open_filename_fd(r->fd, &r->name.n->a, &how);
	} else {
		e = do_open_filename(r->fd, &r->name.n->a, (int)how.flags, (umode_t)how.mode,
				     how.resolve, &f);
		r->res = e ?: uring_install(r, f, r->name.index);
	}
	return r->res < 0 ? r->res : URING_DONE;
}

/* ---- stat ---- */

int uring_statx_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->name.flags = sqe->statx_flags;
	r->name.mask = sqe->len;
	r->name.to = user(sqe->addr2);
	return names(r, sqe->addr, 0, false, (int)sqe->statx_flags);
}

int uring_statx_issue(struct uring_req *r, bool nowait)
{
	struct kstat k;
	int e = statx_check(r->name.flags, r->name.mask);

	(void)nowait;
	e = e ?: vfs_stat_filename(r->fd, &r->name.n->a, (int)r->name.flags, &k, r->name.mask);
	return e ?: put_statx(&k, r->name.to);
}

/* ---- entries of directories ---- */

int uring_rename_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->name.dfd2 = (int)sqe->len;
	r->name.flags = sqe->rename_flags;
	return names(r, sqe->addr, sqe->addr2, true, 0);
}

int uring_rename_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return do_renameat2(r->fd, &r->name.n->a, r->name.dfd2, &r->name.n->b, r->name.flags);
}

int uring_unlink_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->off || sqe->len || sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->name.flags = sqe->unlink_flags;
	if (r->name.flags & ~(u32)AT_REMOVEDIR)
		return -EINVAL;
	return names(r, sqe->addr, 0, false, 0);
}

int uring_unlink_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	if (r->name.flags & AT_REMOVEDIR)
		return do_rmdir(r->fd, &r->name.n->a);
	return do_unlinkat(r->fd, &r->name.n->a);
}

int uring_mkdir_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->off || sqe->rw_flags || sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->name.mask = sqe->len;
	return names(r, sqe->addr, 0, false, 0);
}

int uring_mkdir_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return do_mkdirat(r->fd, &r->name.n->a, (umode_t)r->name.mask);
}

int uring_symlink_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->len || sqe->rw_flags || sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	return names(r, sqe->addr, sqe->addr2, true, 0);
}

int uring_symlink_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return do_symlinkat(r->name.n->a.name, r->fd, &r->name.n->b);
}

int uring_link_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	if (sqe->buf_index || sqe->splice_fd_in)
		return -EINVAL;
	r->name.dfd2 = (int)sqe->len;
	r->name.flags = sqe->hardlink_flags;
	return names(r, sqe->addr, sqe->addr2, true, (int)sqe->hardlink_flags);
}

int uring_link_issue(struct uring_req *r, bool nowait)
{
	(void)nowait;
	return do_linkat(r->fd, &r->name.n->a, r->name.dfd2, &r->name.n->b, (int)r->name.flags);
}
