// SPDX-License-Identifier: MIT
/*
 * splice, tee, sendfile, copy_file_range.
 *
 * Into a pipe: a file's data is read into fresh pages that become pipe buffers. Out of a pipe: its
 * buffers are written as one page vector. Pipe to pipe moves buffers. sendfile and copy_file_range go
 * through a private set of pages and only ever read from positions, so a short write loses nothing.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/file.h>
#include <vfs/pipe.h>
#include <vfs/remap.h>
#include <vfs/splice.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <mm/folio.h>
#include <sched/task.h>
#include <proc/signal.h>

#define BATCH_PAGES 16

static void free_pages_array(struct page **pages, unsigned int n)
{
	while (n--)
		put_page(pages[n]);
}

/* For files that can be read at all: fresh pages, filled by read_iter. pipe's mutex held. */
ssize_t copy_splice_read(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
			 unsigned int flags)
{
	unsigned int room = pipe->max_usage - pipe_occupancy(pipe->head, pipe->tail), n, i;
	struct page *pages[BATCH_PAGES];
	struct bio_vec bv[BATCH_PAGES];
	struct kiocb kiocb;
	struct iter to;
	ssize_t ret, left;

	(void)flags;
	len = min(len, (size_t)min(room, (unsigned int)BATCH_PAGES) << PAGE_SHIFT);
	n = alloc_pages_bulk(GFP_USER | __GFP_ACCOUNT, (unsigned int)((len + PAGE_SIZE - 1) >> PAGE_SHIFT), pages);
	if (!n)
		return -ENOMEM;
	len = min(len, (size_t)n << PAGE_SHIFT);
	for (i = 0; i < n; i++) {
		bv[i].bv_page = pages[i];
		bv[i].bv_offset = 0;
		bv[i].bv_len = (unsigned int)min(len - ((size_t)i << PAGE_SHIFT), (size_t)PAGE_SIZE);
	}
	iter_init_bvec(&to, ITER_DEST, bv, n, len);
	init_sync_kiocb(&kiocb, in);
	kiocb.ki_pos = *ppos;
	kiocb.ki_flags |= IOCB_SPLICE;
	ret = in->f_op->read_iter(&kiocb, &to);
	if (ret > 0) {
		*ppos = kiocb.ki_pos;
		file_accessed(in);
	}
	left = ret > 0 ? ret : 0;
	for (i = 0; i < n && left > 0; i++) {
		struct pipe_buffer *buf = pipe_buf(pipe, pipe->head);

		*buf = (struct pipe_buffer){
			.page = pages[i],
			.len = (unsigned int)min(left, (ssize_t)PAGE_SIZE),
			.ops = &default_pipe_buf_ops,
		};
		WRITE_ONCE(pipe->head, pipe->head + 1);
		left -= buf->len;
	}
	while (i < n)
		put_page(pages[i++]);
	return ret == -EFAULT ? -EAGAIN : ret;
}

/*
 * What the page cache of a file holds from POS on, as references to its pages: up to LEN bytes, the end of the file, a hole or
 * BATCH_PAGES. Bytes, 0 where there is none of it (the caller then copies), or -errno.
 */
static ssize_t cached_pages(struct file *in, loff_t pos, size_t len, struct bio_vec *bv, unsigned int *nr)
{
	loff_t size = i_size_read(file_inode(in));
	size_t done = 0;

	*nr = 0;
	if (!in->f_op->splice_page || pos >= size)
		return 0;
	len = min(len, (size_t)(size - pos));
	while (done < len && *nr < BATCH_PAGES) {
		unsigned int offset = (unsigned int)((pos + (loff_t)done) & (loff_t)(PAGE_SIZE - 1));
		struct page *page = in->f_op->splice_page(in, (pgoff_t)((pos + (loff_t)done) >> PAGE_SHIFT));

		if (IS_ERR(page) && !done)
			return PTR_ERR(page);
		if (IS_ERR(page) || !page)
			break;
		bv[*nr] = (struct bio_vec){ page, (unsigned int)min(len - done, PAGE_SIZE - offset), offset };
		done += bv[(*nr)++].bv_len;
	}
	return (ssize_t)done;
}

/* A run of pages that are there, or what lies before the next one. */
static ssize_t splice_run(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe, size_t len, unsigned int flags)
{
	unsigned int room = pipe->max_usage - pipe_occupancy(pipe->head, pipe->tail), n;
	struct bio_vec bv[BATCH_PAGES];
	ssize_t ret = cached_pages(in, *ppos, min(len, (size_t)room << PAGE_SHIFT), bv, &n);

	if (!ret)	/* a hole up to the end of its page, or all that can be copied */
		return copy_splice_read(in, ppos, pipe, in->f_op->splice_page ?
					min(len, PAGE_SIZE - (size_t)(*ppos & (loff_t)(PAGE_SIZE - 1))) : len, flags);
	if (ret < 0)
		return ret;
	ret = 0;
	for (unsigned int i = 0; i < n; i++) {
		if (pipe_full(pipe->head, pipe->tail, pipe->max_usage)) {	/* an unaligned start needs one more */
			put_page(bv[i].bv_page);
			continue;
		}
		*pipe_buf(pipe, pipe->head) = (struct pipe_buffer){
			.page = bv[i].bv_page, .offset = bv[i].bv_offset, .len = bv[i].bv_len, .ops = &default_pipe_buf_ops,
		};
		WRITE_ONCE(pipe->head, pipe->head + 1);
		ret += bv[i].bv_len;
	}
	*ppos += ret;
	file_accessed(in);
	return ret;
}

ssize_t generic_file_splice_read(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
				 unsigned int flags)
{
	size_t done = 0;
	ssize_t n;

	do {
		n = splice_run(in, ppos, pipe, len - done, flags);
		if (n <= 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
	} while (done < len && !pipe_full(pipe->head, pipe->tail, pipe->max_usage));
	return (ssize_t)done;
}

/* mutex held, dropped while waiting. 1: there is something, 0: end of file, -EAGAIN, -ERESTARTSYS. */
static int wait_readable(struct pipe_inode_info *pipe, unsigned int flags) __must_hold(pipe->mutex)
{
	while (pipe_empty(pipe->head, pipe->tail)) {
		if (!pipe->writers)
			return 0;
		if (flags & SPLICE_F_NONBLOCK)
			return -EAGAIN;
		if (signal_pending(current))
			return -ERESTARTSYS;
		pipe_unlock(pipe);
		(void)wait_event_interruptible(pipe->rd_wait, !pipe_empty(READ_ONCE(pipe->head),
									  READ_ONCE(pipe->tail)) ||
							      !READ_ONCE(pipe->writers));
		pipe_lock(pipe);
	}
	return 1;
}

static int wait_writable(struct pipe_inode_info *pipe, unsigned int flags) __must_hold(pipe->mutex)
{
	for (;;) {
		if (!pipe->readers) {
			send_sig(SIGPIPE, current, 0);
			return -EPIPE;
		}
		if (!pipe_full(pipe->head, pipe->tail, pipe->max_usage))
			return 0;
		if (flags & SPLICE_F_NONBLOCK)
			return -EAGAIN;
		if (signal_pending(current))
			return -ERESTARTSYS;
		pipe_unlock(pipe);
		(void)wait_event_interruptible(pipe->wr_wait,
					       !pipe_full(READ_ONCE(pipe->head), READ_ONCE(pipe->tail),
							  READ_ONCE(pipe->max_usage)) ||
					       !READ_ONCE(pipe->readers));
		pipe_lock(pipe);
	}
}

static void wake_writers(struct pipe_inode_info *pipe)
{
	__wake_up(&pipe->wr_wait, TASK_INTERRUPTIBLE, 0, poll_to_key(EPOLLOUT | EPOLLWRNORM));
}

static void wake_readers(struct pipe_inode_info *pipe)
{
	__wake_up(&pipe->rd_wait, TASK_INTERRUPTIBLE, 0, poll_to_key(EPOLLIN | EPOLLRDNORM));
}

ssize_t vmsplice_to_pipe(struct file *file, struct iter *from, unsigned int flags)
{
	struct pipe_inode_info *pipe = get_pipe_info(file, true);
	struct kiocb kiocb;
	ssize_t ret;

	init_sync_kiocb(&kiocb, file);
	kiocb.ki_flags |= IOCB_NOWAIT;
	for (;;) {
		ret = file->f_op->write_iter(&kiocb, from);
		if (ret != -EAGAIN || flags & SPLICE_F_NONBLOCK)
			return ret;
		pipe_lock(pipe);
		ret = wait_writable(pipe, flags);
		pipe_unlock(pipe);
		if (ret)
			return ret;
	}
}

/* @n bytes of the front buffers are used up. */
static void consume(struct pipe_inode_info *pipe, size_t n)
{
	while (n) {
		struct pipe_buffer *buf = pipe_buf(pipe, pipe->tail);
		size_t chunk = min(n, (size_t)buf->len);

		buf->offset += (unsigned int)chunk;
		buf->len -= (unsigned int)chunk;
		n -= chunk;
		if (!buf->len) {
			const struct pipe_buf_operations *ops = buf->ops;

			buf->ops = NULL;
			ops->release(pipe, buf);
			WRITE_ONCE(pipe->tail, pipe->tail + 1);
		}
	}
}

/* The pipe's buffers into any file that can be written. */
ssize_t iter_file_splice_write(struct pipe_inode_info *pipe, struct file *out, loff_t *ppos, size_t len,
			       unsigned int flags)
{
	struct bio_vec bv[BATCH_PAGES];
	ssize_t done = 0, ret = 0;

	pipe_lock(pipe);
	while (len) {
		unsigned int n = 0;
		size_t bytes = 0;
		struct iter from;

		ret = wait_readable(pipe, done ? flags | SPLICE_F_NONBLOCK : flags);
		if (ret <= 0)
			break;
		for (unsigned int t = pipe->tail; t != pipe->head && n < BATCH_PAGES && bytes < len; t++) {
			struct pipe_buffer *buf = pipe_buf(pipe, t);

			bv[n].bv_page = buf->page;
			bv[n].bv_offset = buf->offset;
			bv[n].bv_len = (unsigned int)min((size_t)buf->len, len - bytes);
			bytes += bv[n++].bv_len;
		}
		if (!n)
			break;
		iter_init_bvec(&from, ITER_SOURCE, bv, n, bytes);
		ret = vfs_iter_write_quietly(out, &from, ppos, flags & SPLICE_F_MORE ? IOCB_MORE : 0);
		if (ret <= 0)
			break;
		consume(pipe, (size_t)ret);
		done += ret;
		len -= (size_t)ret;
		wake_writers(pipe);
		if ((size_t)ret < bytes)
			break;
	}
	pipe_unlock(pipe);
	return done ? done : ret == 1 ? 0 : ret;
}

/* Moves (or with @keep, duplicates) buffers from one pipe to another. Both locked. Bytes. */
static ssize_t link_buffers(struct pipe_inode_info *in, struct pipe_inode_info *out, size_t len, bool keep)
{
	unsigned int t = in->tail;
	ssize_t done = 0;

	while (len && t != in->head && !pipe_full(out->head, out->tail, out->max_usage)) {
		struct pipe_buffer *ib = pipe_buf(in, t), *ob = pipe_buf(out, out->head);
		bool whole = ib->len <= len;

		if (!whole || keep) {
			if (!ib->ops->get(in, ib))
				return done ? done : -EFAULT;
			*ob = *ib;
			/* Two pipes share the page now: neither may write behind its own end. */
			ob->flags &= ~(unsigned int)PIPE_BUF_FLAG_CAN_MERGE;
			ob->ops = &default_pipe_buf_ops;
			ib->flags &= ~(unsigned int)PIPE_BUF_FLAG_CAN_MERGE;
			if (!whole)
				ob->len = (unsigned int)len;
			if (!keep) {
				ib->offset += ob->len;
				ib->len -= ob->len;
			}
		} else {
			*ob = *ib;
			ib->ops = NULL;
			WRITE_ONCE(in->tail, t + 1);
		}
		WRITE_ONCE(out->head, out->head + 1);
		done += ob->len;
		len -= ob->len;
		if (whole)
			t++;
	}
	return done;
}

static ssize_t pipe_to_pipe(struct pipe_inode_info *in, struct pipe_inode_info *out, size_t len,
			    unsigned int flags, bool keep)
{
	ssize_t ret;

	if (in == out)
		return -EINVAL;
	for (;;) {
		pipe_lock(in);
		ret = wait_readable(in, flags);
		pipe_unlock(in);
		if (ret <= 0)
			return ret;
		pipe_lock(out);
		ret = wait_writable(out, flags);
		pipe_unlock(out);
		if (ret < 0)
			return ret;
		pipe_double_lock(in, out);
		if (!out->readers) {
			send_sig(SIGPIPE, current, 0);
			ret = -EPIPE;
		} else {
			ret = link_buffers(in, out, len, keep);
			if (!ret && pipe_empty(in->head, in->tail) && !in->writers) {
				pipe_unlock(in);
				pipe_unlock(out);
				return 0;
			}
		}
		pipe_unlock(in);
		pipe_unlock(out);
		if (ret) {
			if (ret > 0) {
				wake_readers(out);
				if (!keep)
					wake_writers(in);
			}
			return ret;
		}
		/* Somebody else was faster. */
		if (flags & SPLICE_F_NONBLOCK)
			return -EAGAIN;
		cond_resched();
	}
}

ssize_t do_tee(struct file *in, struct file *out, size_t len, unsigned int flags)
{
	struct pipe_inode_info *ipipe = get_pipe_info(in, true), *opipe = get_pipe_info(out, true);

	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!ipipe || !opipe || ipipe == opipe)
		return -EINVAL;
	if ((in->f_flags | out->f_flags) & O_NONBLOCK)
		flags |= SPLICE_F_NONBLOCK;
	return pipe_to_pipe(ipipe, opipe, len, flags, true);
}

static ssize_t file_to_pipe(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
			    unsigned int flags)
{
	ssize_t ret;

	pipe_lock(pipe);
	ret = wait_writable(pipe, flags);
	if (!ret) {
		unsigned int room = pipe->max_usage - pipe_occupancy(pipe->head, pipe->tail);

		len = min(len, (size_t)room << PAGE_SHIFT);
		ret = in->f_op->splice_read ? in->f_op->splice_read(in, ppos, pipe, len, flags) : -EINVAL;
	}
	pipe_unlock(pipe);
	if (ret > 0)
		wake_readers(pipe);
	return ret;
}

/* At least one of them is a pipe. An offset pointer says "there, and leave f_pos alone". */
static ssize_t splice_files(struct file *in, loff_t *off_in, struct file *out, loff_t *off_out, size_t len,
		  unsigned int flags)
{
	struct pipe_inode_info *ipipe = get_pipe_info(in, true), *opipe = get_pipe_info(out, true);
	loff_t offset;
	ssize_t ret;

	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
		return -EBADF;
	len = min(len, (size_t)MAX_RW_COUNT);
	if (ipipe && opipe) {
		if (off_in || off_out)
			return -ESPIPE;
		if ((in->f_flags | out->f_flags) & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		return pipe_to_pipe(ipipe, opipe, len, flags, false);
	}
	if (ipipe) {
		if (off_in)
			return -ESPIPE;
		if (off_out && !(out->f_mode & FMODE_PWRITE))
			return -EINVAL;
		if (out->f_flags & O_APPEND || !out->f_op->splice_write)
			return -EINVAL;
		offset = off_out ? *off_out : out->f_pos;
		ret = rw_verify_area(1, out, &offset, len);
		if (ret < 0)
			return ret;
		if (in->f_flags & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		if (out->f_op->splice_write != iter_file_splice_write)
			ret = out->f_op->splice_write(ipipe, out, &offset, len, flags);
		else
			ret = iter_file_splice_write(ipipe, out, out->f_mode & FMODE_STREAM ? NULL : &offset,
						     len, flags);
		if (off_out)
			*off_out = offset;
		else
			out->f_pos = offset;
		return ret;
	}
	if (opipe) {
		if (off_out)
			return -ESPIPE;
		if (off_in && !(in->f_mode & FMODE_PREAD))
			return -EINVAL;
		if (!(in->f_mode & FMODE_CAN_READ))
			return -EINVAL;
		offset = off_in ? *off_in : in->f_pos;
		ret = rw_verify_area(0, in, &offset, len);
		if (ret < 0)
			return ret;
		if (out->f_flags & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		ret = file_to_pipe(in, &offset, opipe, len, flags);
		if (off_in)
			*off_in = offset;
		else
			in->f_pos = offset;
		return ret;
	}
	return -EINVAL;
}

ssize_t do_splice(struct file *in, loff_t *off_in, struct file *out, loff_t *off_out, size_t len, unsigned int flags)
{
	ssize_t ret = splice_files(in, off_in, out, off_out, len, flags);

	if (ret > 0) {
		notify_file(out, IN_MODIFY);
		notify_file(in, IN_ACCESS);
	}
	return ret;
}

/* One round of do_splice_direct by copying: pages is filled when it is first needed. */
static ssize_t copy_direct(struct file *in, loff_t pos, struct file *out, loff_t *opos, size_t len, struct page **pages,
			   unsigned int *nr)
{
	struct bio_vec bv[BATCH_PAGES];
	struct iter it;
	ssize_t got;

	if (!*nr)
		*nr = alloc_pages_bulk(GFP_USER, (unsigned int)min((len + PAGE_SIZE - 1) >> PAGE_SHIFT, (size_t)BATCH_PAGES), pages);
	if (!*nr)
		return -ENOMEM;
	for (unsigned int i = 0; i < *nr; i++)
		bv[i] = (struct bio_vec){ pages[i], PAGE_SIZE, 0 };
	iter_init_bvec(&it, ITER_DEST, bv, *nr, min(len, (size_t)*nr << PAGE_SHIFT));
	got = vfs_iter_read_quietly(in, &it, &pos);
	if (got <= 0)
		return got;
	iter_init_bvec(&it, ITER_SOURCE, bv, *nr, (size_t)got);
	return vfs_iter_write_quietly(out, &it, opos, 0);
}

/*
 * From a position of @in to @out: what the page cache holds as it lies there, the rest through private pages. What could not be
 * written stays unread.
 */
ssize_t do_splice_direct(struct file *in, loff_t *ppos, struct file *out, loff_t *opos, size_t len,
			 unsigned int flags)
{
	struct page *pages[BATCH_PAGES];
	unsigned int nr_private = 0;
	ssize_t done = 0, ret = 0;

	(void)flags;
	while (len) {
		struct bio_vec bv[BATCH_PAGES];
		unsigned int n;
		struct iter it;
		ssize_t have = cached_pages(in, *ppos, len, bv, &n);

		if (have > 0) {
			iter_init_bvec(&it, ITER_SOURCE, bv, n, (size_t)have);
			ret = vfs_iter_write_quietly(out, &it, opos, 0);
			while (n--)
				put_page(bv[n].bv_page);
		} else if (!have) {
			size_t in_page = PAGE_SIZE - (size_t)(*ppos & (loff_t)(PAGE_SIZE - 1));

			have = (ssize_t)(in->f_op->splice_page ? min(len, in_page) : min(len, (size_t)BATCH_PAGES << PAGE_SHIFT));
			ret = copy_direct(in, *ppos, out, opos, (size_t)have, pages, &nr_private);
		} else {
			ret = have;
		}
		if (ret <= 0)
			break;
		*ppos += ret;
		done += ret;
		len -= (size_t)ret;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	free_pages_array(pages, nr_private);
	return done ? done : ret;
}

/* sendfile(2). *ppos moves; @max bounds it (2 GiB for the old call, or the file size limit). */
ssize_t do_sendfile(int out_fd, int in_fd, loff_t *ppos, size_t count, loff_t max)
{
	struct pipe_inode_info *opipe;
	struct fd in, out;
	loff_t pos, out_pos;
	ssize_t ret;

	in = fdget((unsigned int)in_fd);
	if (fd_empty(in))
		return -EBADF;
	out = fdget((unsigned int)out_fd);
	ret = -EBADF;
	if (fd_empty(out) || !(fd_file(in)->f_mode & FMODE_READ) || !(fd_file(out)->f_mode & FMODE_WRITE))
		goto put;
	ret = -ESPIPE;
	if (ppos && !(fd_file(in)->f_mode & FMODE_PREAD))
		goto put;
	ret = -EINVAL;
	if (!(fd_file(in)->f_mode & FMODE_CAN_READ) || !fd_file(out)->f_op->splice_write)
		goto put;
	/* The input is read at positions: a stream would lose what cannot be written. */
	if (!(fd_file(in)->f_mode & FMODE_PREAD) || fd_file(out)->f_flags & O_APPEND)
		goto put;
	pos = ppos ? *ppos : fd_file(in)->f_pos;
	ret = rw_verify_area(0, fd_file(in), &pos, count);
	if (ret < 0)
		goto put;
	count = min(count, (size_t)MAX_RW_COUNT);
	if (max && (u64)pos + count > (u64)max) {
		ret = -EOVERFLOW;
		if (pos >= max)
			goto put;
		count = (size_t)(max - pos);
	}
	opipe = get_pipe_info(fd_file(out), true);
	if (opipe) {
		unsigned int flags = fd_file(out)->f_flags & O_NONBLOCK ? SPLICE_F_NONBLOCK : 0;

		ret = file_to_pipe(fd_file(in), &pos, opipe, count, flags);
	} else {
		bool stream = fd_file(out)->f_mode & FMODE_STREAM;

		out_pos = fd_file(out)->f_pos;
		ret = do_splice_direct(fd_file(in), &pos, fd_file(out), stream ? NULL : &out_pos, count, 0);
		if (ret > 0 && !stream)
			fd_file(out)->f_pos = out_pos;
	}
	if (ret > 0) {
		notify_file(fd_file(in), IN_ACCESS);
		notify_file(fd_file(out), IN_MODIFY);
		if (ppos)
			*ppos = pos;
		else
			fd_file(in)->f_pos = pos;
	}
put:
	fdput(out);
	fdput(in);
	return ret;
}

int vfs_copy_checks(struct file *in, struct file *out)
{
	struct inode *iin = file_inode(in), *iout = file_inode(out);

	if (S_ISDIR(iin->i_mode) || S_ISDIR(iout->i_mode))
		return -EISDIR;
	if (!S_ISREG(iin->i_mode) || !S_ISREG(iout->i_mode))
		return -EINVAL;
	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE) || out->f_flags & O_APPEND)
		return -EBADF;
	return 0;
}

/* As much as the two files can have in common; the caller tells the watchers. */
static ssize_t share_range(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, size_t len)
{
	struct super_block *sb = file_inode(out)->i_sb;
	ssize_t ret;

	if (!in->f_op->remap_range)
		return 0;
	sb_start_write(sb);
	ret = in->f_op->remap_range(in, pos_in, out, pos_out, (loff_t)len, REMAP_SHORTEN);
	sb_end_write(sb);
	return ret;
}

ssize_t vfs_copy_file_range(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, size_t len,
			    unsigned int flags)
{
	struct inode *iin = file_inode(in), *iout = file_inode(out);
	loff_t size;
	ssize_t ret;

	if (flags)
		return -EINVAL;
	ret = vfs_copy_checks(in, out);
	if (ret)
		return ret;
	if (iin->i_sb != iout->i_sb)
		return -EXDEV;
	if (IS_IMMUTABLE(iout))
		return -EPERM;
	if (iin->i_flags & S_SWAPFILE || iout->i_flags & S_SWAPFILE)
		return -ETXTBSY;
	if ((u64)pos_in + len < (u64)pos_in || (u64)pos_out + len < (u64)pos_out)
		return -EOVERFLOW;
	size = i_size_read(iin);
	len = pos_in >= size ? 0 : min(len, (size_t)(size - pos_in));
	ret = generic_write_limit(out, pos_out, &len);
	if (ret)
		return ret;
	if (iin == iout && (u64)pos_out + len > (u64)pos_in && pos_out < pos_in + (loff_t)len)
		return -EINVAL;
	ret = rw_verify_area(0, in, &pos_in, len);
	if (!ret)
		ret = rw_verify_area(1, out, &pos_out, len);
	if (ret < 0 || !len)
		return ret;
	len = min(len, (size_t)MAX_RW_COUNT);
	ret = share_range(in, pos_in, out, pos_out, len);
	/* What cannot be shared is copied, for whatever reason. */
	if (ret <= 0)
		ret = do_splice_direct(in, &pos_in, out, &pos_out, len, 0);
	if (ret > 0) {
		notify_file(in, IN_ACCESS);
		notify_file(out, IN_MODIFY);
	}
	return ret;
}
