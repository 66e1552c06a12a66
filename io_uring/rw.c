// SPDX-License-Identifier: MIT
/*
 * Reading and writing. A file that can be polled is asked without waiting, and again when it is
 * ready; a direct transfer of a disk ends by ki_complete.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <mm/iter.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include "io_uring/ring_priv.h"

static int common(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	r->rw.off = (loff_t)sqe->off;
	r->rw.rw_flags = (u32)sqe->rw_flags;
	r->rw.ioprio = sqe->ioprio;
	r->rw.iov = NULL;
	r->rw.vecs = NULL;
	r->rw.done = 0;
	return sqe->ioprio ? ioprio_check(sqe->ioprio) : 0;
}

int uring_rw_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	r->rw.buf = UPTR((unsigned long)sqe->addr);
	r->rw.bytes = sqe->len;
	return common(r, sqe);
}

/* The vectors are read now: the program may change them once this is submitted. */
int uring_rwv_prep(struct uring_req *r, const struct io_uring_sqe *sqe)
{
	bool write = sqe->opcode == IORING_OP_WRITEV || sqe->opcode == IORING_OP_WRITEV_FIXED;
	unsigned int dir = write ? ITER_SOURCE : ITER_DEST;
	struct iovec fast[UIO_FASTIOV], *iov = fast;
	int e = common(r, sqe);
	struct iter it;
	ssize_t n;

	if (e)
		return e;
	n = import_iovec(dir, UPTR((unsigned long)sqe->addr), sqe->len, UIO_FASTIOV, &iov, &it);
	if (n < 0)
		return (int)n;
	r->rw.nr = sqe->len;
	r->rw.bytes = (size_t)n;
	r->rw.iov = iov ?: kmemdup(fast, sizeof(fast[0]) * max(sqe->len, 1u), GFP_KERNEL_ACCOUNT);
	if (!r->rw.iov)
		return -ENOMEM;
	r->flags |= R_CLEAN;
	return 0;
}

void uring_rw_clean(struct uring_req *r)
{
	kvfree(r->rw.vecs);
	kfree(r->rw.iov);
}

static void complete(struct kiocb *k, long res)
{
	struct uring_req *r = container_of(k, struct uring_req, rw.k);

	r->res = (s32)res;
	uring_kick(r, RUN_DONE);
}

/* N, which is not -EIOCBQUEUED, is what the file said. */
static int end(struct uring_req *r, ssize_t n)
{
	struct kiocb *k = &r->rw.k;

	vfs_iocb_done(k, n);
	if (n == -EAGAIN && !r->nowait_only)
		return -EAGAIN;
	if (r->rw.done)		/* whatever came after these bytes */
		n = max(n, (ssize_t)0) + (ssize_t)r->rw.done;
	if (r->cur_pos && n > 0)
		r->file->f_pos = k->ki_pos;
	if (n < 0)
		return (int)n;
	r->res = (s32)n;
	r->fell_short = (size_t)n != r->rw.bytes;
	return URING_DONE;
}

/* A read that finds only a part, or nothing, in the cache is for a worker. */
static bool asks_cache(const struct kiocb *k)
{
	return k->ki_filp->f_mode & FMODE_NOWAIT && !(k->ki_flags & IOCB_DIRECT);
}

static bool is_part(const struct uring_req *r, ssize_t n, size_t wanted)
{
	const struct kiocb *k = &r->rw.k;
	const struct inode *inode = file_inode(r->file);

	return n > 0 && (size_t)n < wanted && k->ki_flags & IOCB_NOWAIT && !r->nowait_only &&
	       S_ISREG(inode->i_mode) && k->ki_pos < i_size_read(inode);
}

static int start(struct uring_req *r, bool write, bool nowait)
{
	struct kiocb *k = &r->rw.k;
	struct file *f = r->file;
	int e;

	init_sync_kiocb(k, f);
	k->ki_ioprio = r->rw.ioprio;
	e = vfs_iocb_check(k, write) ?: kiocb_set_rw_flags(k, (int)r->rw.rw_flags, write);
	if (e)
		return e;
	if (k->ki_flags & IOCB_HIPRI)
		return -EINVAL;		/* this ring does not poll */
	if (k->ki_flags & IOCB_NOWAIT)
		r->nowait_only = true;
	if (nowait && (file_can_poll(f) || (!write && asks_cache(k))))
		k->ki_flags |= IOCB_NOWAIT;
	if (k->ki_flags & IOCB_DIRECT)
		k->ki_complete = complete;
	r->cur_pos = false;
	k->ki_pos = r->rw.off;
	if (f->f_mode & FMODE_STREAM) {
		k->ki_pos = 0;
	} else if (r->rw.off == -1) {
		k->ki_pos = f->f_pos;
		r->cur_pos = true;
	}
	k->ki_pos += (loff_t)r->rw.done;
	return rw_verify_area(write, f, &k->ki_pos, r->rw.bytes - r->rw.done);
}

static int check_pieces(const struct uring_buffer *b, const struct iovec *iov, unsigned long nr,
			size_t *pages)
{
	*pages = 0;
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long at = (unsigned long)iov[i].iov_base, end;

		if (__builtin_add_overflow(at, iov[i].iov_len, &end) || at < b->start ||
		    end > b->start + b->len || !iov[i].iov_len)
			return -EFAULT;
		*pages += ((end - 1) >> PAGE_SHIFT) - (at >> PAGE_SHIFT) + 1;
	}
	return 0;
}

/*
 * Vectors of a buffer, NR of the program's that are together at most MAX_RW_COUNT: *VECS is the
 * caller's (kvfree). -EFAULT: one is empty, too; -ENOMEM. May sleep.
 */
static int make_pieces(const struct uring_buffer *b, const struct iovec *iov, unsigned long nr,
		       struct bio_vec **vecs, unsigned long *nr_vecs)
{
	struct bio_vec *v;
	size_t pages;
	int e = check_pieces(b, iov, nr, &pages);

	if (e)
		return e;
	v = kvmalloc_array(max(pages, (size_t)1), sizeof(*v), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!v)
		return -ENOMEM;
	*vecs = v;
	*nr_vecs = pages;
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long at = (unsigned long)iov[i].iov_base, end = at + iov[i].iov_len;

		for (unsigned long next; at < end; at = next, v++) {
			next = min(end, (at | ~PAGE_MASK) + 1);
			v->bv_page = b->vecs[(at >> PAGE_SHIFT) - (b->start >> PAGE_SHIFT)].bv_page;
			v->bv_offset = (unsigned int)offset_in_page(at);
			v->bv_len = (unsigned int)(next - at);
		}
		cond_resched();
	}
	return 0;
}

/* The parts of a registered buffer that the vectors name: the same ones when it is issued again. */
static int pieces(struct uring_rw *w, const struct uring_buffer *b, unsigned int dir,
		  struct iter *it)
{
	if (!w->vecs) {
		int e = make_pieces(b, w->iov, w->nr, &w->vecs, &w->nr_vecs);

		if (e)
			return e;
	}
	iter_init_bvec(it, dir, w->vecs, w->nr_vecs, w->bytes);
	return 0;
}

/* Where its bytes are. */
static int memory(struct uring_req *r, unsigned int dir, struct iter *it)
{
	struct uring_rw *w = &r->rw;

	if (uring_op(r)->buffer && w->iov)
		return pieces(w, r->buffer_node->buffer, dir, it);
	if (uring_op(r)->buffer)
		return uring_buffer_iter(r->buffer_node->buffer, dir, w->buf.addr, w->bytes, it);
	if (!w->iov)
		return import_ubuf(dir, w->buf, w->bytes, it);
	iter_init_iovec(it, dir, w->iov, w->nr, w->bytes);
	return 0;
}

static int rw_issue(struct uring_req *r, bool write, bool nowait)
{
	unsigned int dir = write ? ITER_SOURCE : ITER_DEST;
	struct uring_rw *w = &r->rw;
	struct iter it;
	ssize_t n = 0;
	size_t left;
	int e = start(r, write, nowait);

	if (e)
		return e;
	e = memory(r, dir, &it);
	if (e)
		return e;
	w->bytes = iter_count(&it);
	iter_advance(&it, w->done);
	left = iter_count(&it);
	if (left)
		n = write ? vfs_iocb_write(&w->k, &it) : vfs_iocb_read(&w->k, &it);
	if (!write && is_part(r, n, left)) {
		vfs_iocb_done(&w->k, n);
		w->done += (size_t)n;
		return -EAGAIN;
	}
	if (n != -EIOCBQUEUED)
		return end(r, n);
	if (!(r->flags & R_RUNNING))
		uring_add_later(r);
	return URING_LATER;
}

int uring_read_issue(struct uring_req *r, bool nowait)
{
	return rw_issue(r, false, nowait);
}

int uring_write_issue(struct uring_req *r, bool nowait)
{
	return rw_issue(r, true, nowait);
}

void uring_rw_event(struct uring_req *r, u32 run)
{
	if (!(run & RUN_DONE))
		return;
	uring_del_later(r);
	uring_issued(r, end(r, r->res));
}
