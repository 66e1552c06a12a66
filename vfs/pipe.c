// SPDX-License-Identifier: MIT
/*
 * Pipes and FIFOs.
 *
 * The ring holds references to pages; a write appends to the last page if that may be merged into, else
 * takes a fresh one. head and tail run freely; head - tail is the fill. Both sides work under the mutex
 * and sleep outside of it on rd_wait and wr_wait. A wake-up is sent only on the edges that matter: a
 * reader is woken when the pipe was empty, a writer when it was full; each waiter wakes the next of its
 * kind if it leaves something over, so that none of many is forgotten.
 *
 * Writes of at most PIPE_BUF bytes are atomic: they never interleave, and with O_NONBLOCK they go whole or
 * not at all. O_DIRECT makes each write a packet; a read returns one and drops what does not fit.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/pipe.h>
#include <vfs/poll.h>
#include <sched/nowait.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <mm/folio.h>
#include <mm/uaccess.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <asm/ioctls.h>
#include <asm/siginfo.h>

#define PIPEFS_MAGIC 0x50495045

unsigned int sysctl_pipe_max_size = 1048576;
static unsigned long pipe_user_pages_hard;
static unsigned long pipe_user_pages_soft = PIPE_DEF_BUFFERS * 1024;
static struct kmem_cache *pipe_cache __ro_after_init;
static struct vfsmount *pipe_mnt __ro_after_init;

void pipe_lock(struct pipe_inode_info *pipe) __acquires(pipe->mutex)
{
	mutex_lock(&pipe->mutex);
}

void pipe_unlock(struct pipe_inode_info *pipe) __releases(pipe->mutex)
{
	mutex_unlock(&pipe->mutex);
}

void pipe_double_lock(struct pipe_inode_info *a, struct pipe_inode_info *b) __acquires(a->mutex) __acquires(b->mutex)
{
	if ((unsigned long)a > (unsigned long)b) {
		struct pipe_inode_info *t = a;

		a = b;
		b = t;
	}
	mutex_lock(&a->mutex);
	mutex_lock_nested(&b->mutex, 1);
}

/* Pages. */

static struct page *get_tmp_page(struct pipe_inode_info *pipe)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(pipe->tmp_page); i++) {
		if (pipe->tmp_page[i]) {
			struct page *page = pipe->tmp_page[i];

			pipe->tmp_page[i] = NULL;
			return page;
		}
	}
	return alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);
}

/* Of a pipe for a read or a write; one that does not wait waits for other copies, no longer. */
static void lock_to_copy(struct pipe_inode_info *pipe) __acquires(pipe->mutex)
{
	bool was = nowait_pause();

	mutex_lock(&pipe->mutex);
	nowait_resume(was);
}

static void put_tmp_page(struct pipe_inode_info *pipe, struct page *page)
{
	if (page_ref_count(page) == 1) {
		for (unsigned int i = 0; i < ARRAY_SIZE(pipe->tmp_page); i++) {
			if (!pipe->tmp_page[i]) {
				pipe->tmp_page[i] = page;
				return;
			}
		}
	}
	put_page(page);
}

static void anon_release(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
	put_tmp_page(pipe, buf->page);
}

void generic_pipe_buf_release(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
	(void)pipe;
	put_page(buf->page);
}

bool generic_pipe_buf_get(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
	(void)pipe;
	/* A count near overflow means somebody is playing: refuse. */
	if (page_ref_count(compound_head(buf->page)) > INT_MAX / 2)
		return false;
	get_page(buf->page);
	return true;
}

static const struct pipe_buf_operations anon_pipe_buf_ops = {
	.release = anon_release,
	.get = generic_pipe_buf_get,
};
const struct pipe_buf_operations default_pipe_buf_ops = {
	.release = generic_pipe_buf_release,
	.get = generic_pipe_buf_get,
};

static void buf_release(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
	const struct pipe_buf_operations *ops = buf->ops;

	buf->ops = NULL;
	ops->release(pipe, buf);
}

/* Waking. */

static void wake_readers(struct pipe_inode_info *pipe)
{
	wake_up_interruptible_sync_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM);
	kill_fasync(&pipe->fasync_readers, SIGIO, POLL_IN);
}

static void wake_writers(struct pipe_inode_info *pipe)
{
	wake_up_interruptible_sync_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM);
	kill_fasync(&pipe->fasync_writers, SIGIO, POLL_OUT);
}

static bool readable(const struct pipe_inode_info *pipe)
{
	return !pipe_empty(READ_ONCE(pipe->head), READ_ONCE(pipe->tail)) || !READ_ONCE(pipe->writers);
}

static bool writable(const struct pipe_inode_info *pipe)
{
	return !pipe_full(READ_ONCE(pipe->head), READ_ONCE(pipe->tail), READ_ONCE(pipe->max_usage)) ||
	       !READ_ONCE(pipe->readers);
}

/* Times. A pipe without a name is on no mount that could be read-only, frozen or relatime. */

static void note_access(struct file *filp)
{
	struct inode *inode = file_inode(filp);

	if (likely(inode->i_sb->s_magic == PIPEFS_MAGIC))
		inode->i_atime = current_time(inode);
	else
		file_accessed(filp);
}

static void note_change(struct file *filp)
{
	struct inode *inode = file_inode(filp);

	if (likely(inode->i_sb->s_magic == PIPEFS_MAGIC)) {
		inode->i_mtime = inode->i_ctime = current_time(inode);
	} else if (sb_start_write_trylock(inode->i_sb)) {
		file_update_time(filp);
		sb_end_write(inode->i_sb);
	}
}

/* Reading. */

static ssize_t pipe_read(struct kiocb *iocb, struct iter *to)
{
	struct file *filp = iocb->ki_filp;
	struct pipe_inode_info *pipe = filp->private_data;
	size_t total = iter_count(to);
	bool was_full = false, wake_next = false;
	ssize_t ret = 0;

	if (unlikely(!total))
		return 0;
	lock_to_copy(pipe);
	for (;;) {
		unsigned int head = pipe->head, tail = pipe->tail;

		if (!pipe_empty(head, tail)) {
			struct pipe_buffer *buf = pipe_buf(pipe, tail);
			size_t chars = min((size_t)buf->len, total), done;

			done = copy_to_iter((char *)page_address(buf->page) + buf->offset, chars, to);
			if (unlikely(done < chars)) {
				if (!ret)
					ret = -EFAULT;
				break;
			}
			ret += (ssize_t)chars;
			buf->offset += (unsigned int)chars;
			buf->len -= (unsigned int)chars;
			if (buf->flags & PIPE_BUF_FLAG_PACKET) {
				total = chars;
				buf->len = 0;
			}
			if (!buf->len) {
				was_full |= pipe_full(head, tail, pipe->max_usage);
				buf_release(pipe, buf);
				WRITE_ONCE(pipe->tail, tail + 1);
			}
			total -= chars;
			if (!total)
				break;
			if (!pipe_empty(head, pipe->tail))
				continue;
		}
		if (!pipe->writers || ret)
			break;
		if (filp->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT) {
			ret = -EAGAIN;
			break;
		}
		mutex_unlock(&pipe->mutex);
		/* The writers may have to make room for us: tell them before we sleep. */
		if (was_full)
			wake_writers(pipe);
		if (wait_event_interruptible_exclusive(pipe->rd_wait, readable(pipe)) < 0)
			return -ERESTARTSYS;
		mutex_lock(&pipe->mutex);
		was_full = false;
		wake_next = true;
	}
	if (pipe_empty(pipe->head, pipe->tail))
		wake_next = false;
	mutex_unlock(&pipe->mutex);
	if (was_full)
		wake_writers(pipe);
	if (wake_next)
		wake_up_interruptible_sync_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM);
	if (ret > 0)
		note_access(filp);
	return ret;
}

/* Writing. */

/* Appends the odd bytes at the start of a write to the last page, if they fit whole. */
static ssize_t merge_into_last(struct pipe_inode_info *pipe, struct iter *from, size_t total)
{
	struct pipe_buffer *buf = pipe_buf(pipe, pipe->head - 1);
	size_t chars = total & (PAGE_SIZE - 1), offset = buf->offset + buf->len, done;

	if (!chars || !(buf->flags & PIPE_BUF_FLAG_CAN_MERGE) || offset + chars > PAGE_SIZE)
		return 0;
	done = copy_from_iter((char *)page_address(buf->page) + offset, chars, from);
	if (unlikely(done < chars)) {
		iter_revert(from, done);
		return -EFAULT;
	}
	buf->len += (unsigned int)chars;
	return (ssize_t)chars;
}

/* One more page of data, for which there is room. The bytes taken, or -errno. */
static ssize_t append_page(struct pipe_inode_info *pipe, struct iter *from, bool packet)
{
	struct page *page = get_tmp_page(pipe);
	struct pipe_buffer *buf;
	size_t n;

	if (unlikely(!page))
		return -ENOMEM;
	n = copy_from_iter(page_address(page), min((size_t)PAGE_SIZE, iter_count(from)), from);
	if (unlikely(!n && iter_count(from))) {
		put_tmp_page(pipe, page);
		return -EFAULT;
	}
	buf = pipe_buf(pipe, pipe->head);
	buf->page = page;
	buf->ops = &anon_pipe_buf_ops;
	buf->offset = 0;
	buf->len = (unsigned int)n;
	buf->flags = packet ? PIPE_BUF_FLAG_PACKET : PIPE_BUF_FLAG_CAN_MERGE;
	WRITE_ONCE(pipe->head, pipe->head + 1);
	return (ssize_t)n;
}

/* As much as fits. 0: all is written; -EAGAIN: full; what counts is in *done. */
static int fill_pipe(struct pipe_inode_info *pipe, struct iter *from, const struct kiocb *iocb, bool packet, ssize_t *done)
{
	ssize_t n;

	do {
		if (!pipe->readers) {
			if (!(iocb->ki_flags & IOCB_NOSIGNAL))
				send_sig(SIGPIPE, current, 0);
			return -EPIPE;
		}
		if (pipe_full(pipe->head, pipe->tail, pipe->max_usage))
			return -EAGAIN;
		n = append_page(pipe, from, packet);
		if (n < 0)
			return (int)n;
		*done += n;
	} while (iter_count(from));
	return 0;
}

static ssize_t pipe_write(struct kiocb *iocb, struct iter *from)
{
	struct file *filp = iocb->ki_filp;
	struct pipe_inode_info *pipe = filp->private_data;
	bool packet = filp->f_flags & O_DIRECT, dont_wait = filp->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT;
	bool was_empty, wake_next = false;
	ssize_t done = 0, err = 0;

	if (unlikely(!iter_count(from)))
		return 0;
	lock_to_copy(pipe);
	was_empty = pipe_empty(pipe->head, pipe->tail);
	if (pipe->readers && !was_empty && !packet) {
		err = merge_into_last(pipe, from, iter_count(from));
		if (err < 0 || !iter_count(from)) {
			done = err;
			goto out;
		}
		done = err;
	}
	for (;;) {
		err = fill_pipe(pipe, from, iocb, packet, &done);
		if (err != -EAGAIN || dont_wait)
			break;
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		mutex_unlock(&pipe->mutex);
		if (was_empty)
			wake_readers(pipe);
		/* After a signal what has been written counts: the loop finds it pending and leaves. */
		(void)wait_event_interruptible_exclusive(pipe->wr_wait, writable(pipe));
		mutex_lock(&pipe->mutex);
		was_empty = pipe_empty(pipe->head, pipe->tail);
		wake_next = true;
	}
out:
	if (pipe_full(pipe->head, pipe->tail, pipe->max_usage))
		wake_next = false;
	mutex_unlock(&pipe->mutex);
	/* Edge-triggered pollers want to hear of every write. */
	if (was_empty || pipe->poll_usage)
		wake_readers(pipe);
	if (wake_next)
		wake_up_interruptible_sync_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM);
	if (done > 0)
		note_change(filp);
	return done ? done : err;
}

static long pipe_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct pipe_inode_info *pipe = filp->private_data;
	unsigned int count = 0;

	switch (cmd) {
	case FIONREAD:
		mutex_lock(&pipe->mutex);
		for (unsigned int t = pipe->tail; t != pipe->head; t++)
			count += pipe_buf(pipe, t)->len;
		mutex_unlock(&pipe->mutex);
		return put_user((int)count, UPTR(arg)) ? -EFAULT : 0;
	default:
		return -ENOIOCTLCMD;
	}
}

static inline __poll_t pipe_events(struct file *filp, struct pipe_inode_info *pipe)
{
	unsigned int head = READ_ONCE(pipe->head), tail = READ_ONCE(pipe->tail);
	__poll_t mask = 0;

	if (filp->f_mode & FMODE_READ) {
		if (!pipe_empty(head, tail))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (!pipe->writers && filp->f_version != pipe->w_counter)
			mask |= EPOLLHUP;
	}
	if (filp->f_mode & FMODE_WRITE) {
		if (!pipe_full(head, tail, pipe->max_usage))
			mask |= EPOLLOUT | EPOLLWRNORM;
		if (!pipe->readers)
			mask |= EPOLLERR;
	}
	return mask;
}

static noinline __poll_t pipe_poll_waiting(struct file *filp, struct pipe_inode_info *pipe, struct poll_table_struct *pt)
{
	if (filp->f_mode & FMODE_READ)
		poll_wait(filp, &pipe->rd_wait, pt);
	if (filp->f_mode & FMODE_WRITE)
		poll_wait(filp, &pipe->wr_wait, pt);
	return pipe_events(filp, pipe);
}

static __poll_t pipe_poll(struct file *filp, struct poll_table_struct *pt)
{
	struct pipe_inode_info *pipe = filp->private_data;

	WRITE_ONCE(pipe->poll_usage, true);
	return poll_does_not_wait(pt) ? pipe_events(filp, pipe) : pipe_poll_waiting(filp, pipe, pt);
}

static int pipe_fasync(int fd, struct file *filp, int on)
{
	struct pipe_inode_info *pipe = filp->private_data;
	int err = 0;

	mutex_lock(&pipe->mutex);
	if (filp->f_mode & FMODE_READ)
		err = fasync_helper(fd, filp, on, &pipe->fasync_readers);
	if (filp->f_mode & FMODE_WRITE && err >= 0) {
		err = fasync_helper(fd, filp, on, &pipe->fasync_writers);
		if (err < 0 && filp->f_mode & FMODE_READ)
			fasync_helper(-1, filp, 0, &pipe->fasync_readers);
	}
	mutex_unlock(&pipe->mutex);
	return err;
}

/* Life. */

static bool too_many_unprivileged(long pages, unsigned long limit)
{
	return limit && pages > (long)limit && !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

struct pipe_inode_info *alloc_pipe_info(void)
{
	struct user_struct *user = current_cred()->user;
	struct pipe_inode_info *pipe = kmem_cache_zalloc(pipe_cache, GFP_KERNEL_ACCOUNT);
	unsigned int slots = PIPE_DEF_BUFFERS, most = READ_ONCE(sysctl_pipe_max_size) >> PAGE_SHIFT;
	long pages;

	if (!pipe)
		return NULL;
	refcount_inc(&user->refs);
	if (slots > most && !capable(CAP_SYS_RESOURCE))
		slots = (unsigned int)rounddown_pow_of_two(most);
	pages = atomic_long_add_return(slots, &user->pipe_bufs);
	if (slots > PIPE_MIN_DEF_BUFFERS && too_many_unprivileged(pages, pipe_user_pages_soft)) {
		atomic_long_sub(slots - PIPE_MIN_DEF_BUFFERS, &user->pipe_bufs);
		pages -= slots - PIPE_MIN_DEF_BUFFERS;
		slots = PIPE_MIN_DEF_BUFFERS;
	}
	if (too_many_unprivileged(pages, pipe_user_pages_hard))
		goto fail;
	pipe->bufs = kcalloc(slots, sizeof(struct pipe_buffer), GFP_KERNEL_ACCOUNT);
	if (!pipe->bufs)
		goto fail;
	init_waitqueue_head(&pipe->rd_wait);
	init_waitqueue_head(&pipe->wr_wait);
	pipe->r_counter = pipe->w_counter = 1;
	pipe->max_usage = slots;
	pipe->ring_size = slots;
	pipe->nr_accounted = slots;
	pipe->user = user;
	mutex_init(&pipe->mutex);
	return pipe;
fail:
	atomic_long_sub(slots, &user->pipe_bufs);
	free_uid(user);
	kmem_cache_free(pipe_cache, pipe);
	return NULL;
}

void free_pipe_info(struct pipe_inode_info *pipe)
{
	atomic_long_sub(pipe->nr_accounted, &pipe->user->pipe_bufs);
	free_uid(pipe->user);
	for (unsigned int i = 0; i < pipe->ring_size; i++) {
		if (pipe->bufs[i].ops)
			buf_release(pipe, &pipe->bufs[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pipe->tmp_page); i++) {
		if (pipe->tmp_page[i])
			put_page(pipe->tmp_page[i]);
	}
	kvfree(pipe->bufs);
	kmem_cache_free(pipe_cache, pipe);
}

static void put_pipe_info(struct inode *inode, struct pipe_inode_info *pipe)
{
	bool kill = false;

	spin_lock(&inode->i_lock);
	if (!--pipe->files) {
		inode->i_pipe = NULL;
		kill = true;
	}
	spin_unlock(&inode->i_lock);
	if (kill)
		free_pipe_info(pipe);
}

static int pipe_release(struct inode *inode, struct file *file)
{
	struct pipe_inode_info *pipe = file->private_data;

	mutex_lock(&pipe->mutex);
	if (file->f_mode & FMODE_READ)
		pipe->readers--;
	if (file->f_mode & FMODE_WRITE)
		pipe->writers--;
	/* The other side sees the end of file or the broken pipe. */
	if (!pipe->readers != !pipe->writers) {
		__wake_up(&pipe->rd_wait, TASK_NORMAL, 0, poll_to_key(EPOLLIN | EPOLLRDNORM | EPOLLHUP));
		__wake_up(&pipe->wr_wait, TASK_NORMAL, 0, poll_to_key(EPOLLOUT | EPOLLWRNORM | EPOLLERR));
		kill_fasync(&pipe->fasync_readers, SIGIO, POLL_IN);
		kill_fasync(&pipe->fasync_writers, SIGIO, POLL_OUT);
	}
	mutex_unlock(&pipe->mutex);
	put_pipe_info(inode, pipe);
	return 0;
}

/* FIFOs: an open waits until the other side is open too. */

static int wait_for_partner(struct pipe_inode_info *pipe, unsigned int *count) __must_hold(pipe->mutex)
{
	unsigned int cur = *count;
	int err;

	mutex_unlock(&pipe->mutex);
	err = wait_event_interruptible(pipe->rd_wait, READ_ONCE(*count) != cur);
	mutex_lock(&pipe->mutex);
	/* The partner may have come and gone: it came. */
	return cur == *count && err ? -ERESTARTSYS : 0;
}

static void wake_up_partner(struct pipe_inode_info *pipe)
{
	wake_up_interruptible_all(&pipe->rd_wait);
}

static int fifo_get(struct inode *inode, struct file *filp)
{
	struct pipe_inode_info *pipe, *new = NULL;

	spin_lock(&inode->i_lock);
	if (!inode->i_pipe) {
		spin_unlock(&inode->i_lock);
		new = alloc_pipe_info();
		if (!new)
			return -ENOMEM;
		spin_lock(&inode->i_lock);
		if (!inode->i_pipe) {
			inode->i_pipe = new;
			new = NULL;
		}
	}
	pipe = inode->i_pipe;
	pipe->files++;
	spin_unlock(&inode->i_lock);
	if (new)
		free_pipe_info(new);
	filp->private_data = pipe;
	return 0;
}

static int fifo_open(struct inode *inode, struct file *filp)
{
	bool is_pipe = inode->i_sb->s_magic == PIPEFS_MAGIC;
	struct pipe_inode_info *pipe;
	int err = fifo_get(inode, filp);

	if (err)
		return err;
	pipe = filp->private_data;
	filp->f_version = 0;
	stream_open(inode, filp);
	filp->f_mode |= FMODE_NOWAIT;
	mutex_lock(&pipe->mutex);
	switch (filp->f_mode & (FMODE_READ | FMODE_WRITE)) {
	case FMODE_READ:
		pipe->r_counter++;
		if (!pipe->readers++)
			wake_up_partner(pipe);
		if (is_pipe || pipe->writers)
			break;
		if (filp->f_flags & O_NONBLOCK) {
			/* No hang-up is to be seen until a writer has come and gone. */
			filp->f_version = pipe->w_counter;
		} else if (wait_for_partner(pipe, &pipe->w_counter)) {
			goto fail_reader;
		}
		break;
	case FMODE_WRITE:
		err = -ENXIO;
		if (!is_pipe && filp->f_flags & O_NONBLOCK && !pipe->readers)
			goto fail;
		pipe->w_counter++;
		if (!pipe->writers++)
			wake_up_partner(pipe);
		if (!is_pipe && !pipe->readers && wait_for_partner(pipe, &pipe->r_counter))
			goto fail_writer;
		break;
	case FMODE_READ | FMODE_WRITE:
		pipe->readers++;
		pipe->writers++;
		pipe->r_counter++;
		pipe->w_counter++;
		if (pipe->readers == 1 || pipe->writers == 1)
			wake_up_partner(pipe);
		break;
	default:
		err = -EINVAL;
		goto fail;
	}
	mutex_unlock(&pipe->mutex);
	return 0;
fail_reader:
	if (!--pipe->readers)
		wake_up_interruptible(&pipe->wr_wait);
	err = -ERESTARTSYS;
	goto fail;
fail_writer:
	if (!--pipe->writers)
		wake_up_interruptible_all(&pipe->rd_wait);
	err = -ERESTARTSYS;
fail:
	mutex_unlock(&pipe->mutex);
	put_pipe_info(inode, pipe);
	return err;
}

const struct file_operations pipefifo_fops = {
	.open = fifo_open,
	.read_iter = pipe_read,
	.write_iter = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
	.fasync = pipe_fasync,
	.splice_write = iter_file_splice_write,
};

/* pipe(2). */

static char *pipefs_dname(struct dentry *d, char *buf, int len)
{
	return dynamic_dname(buf, len, "pipe:[%llu]", (u64)d->d_inode->i_ino);
}

static const struct dentry_operations pipefs_dops = { .d_dname = pipefs_dname };
static const struct super_operations pipefs_ops = { .statfs = simple_statfs };
static const struct pseudo_fs pipefs = {
	.name = "pipefs",
	.magic = PIPEFS_MAGIC,
	.ops = &pipefs_ops,
	.dops = &pipefs_dops,
};

static struct inode *get_pipe_inode(void)
{
	struct inode *inode = new_inode_pseudo(pipe_mnt->mnt_sb);
	struct pipe_inode_info *pipe;

	if (!inode)
		return NULL;
	pipe = alloc_pipe_info();
	if (!pipe) {
		iput(inode);
		return NULL;
	}
	inode->i_ino = get_next_ino();
	inode->i_pipe = pipe;
	pipe->files = 2;
	pipe->readers = pipe->writers = 1;
	inode->i_fop = &pipefifo_fops;
	inode->i_mode = S_IFIFO | S_IRUSR | S_IWUSR;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode_set_op_flags(inode);
	simple_inode_init_ts(inode);
	return inode;
}

/* Until the files exist the pipe has to be taken apart by hand. */
static void drop_pipe_inode(struct inode *inode)
{
	free_pipe_info(inode->i_pipe);
	inode->i_pipe = NULL;
	iput(inode);
}

int create_pipe_files(struct file **res, int flags)
{
	struct inode *inode = get_pipe_inode();
	struct file *f, *r;

	if (!inode)
		return -ENFILE;
	f = alloc_file_pseudo(inode, pipe_mnt, "", O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)),
			      &pipefifo_fops);
	if (IS_ERR(f)) {
		drop_pipe_inode(inode);
		return (int)PTR_ERR(f);
	}
	f->private_data = inode->i_pipe;
	stream_open(inode, f);
	f->f_mode |= FMODE_NOWAIT;
	r = alloc_file_clone(f, O_RDONLY | (flags & O_NONBLOCK), &pipefifo_fops);
	if (IS_ERR(r)) {
		inode->i_pipe->files = 1;
		inode->i_pipe->readers = 0;
		fput(f);
		return (int)PTR_ERR(r);
	}
	r->private_data = inode->i_pipe;
	stream_open(inode, r);
	r->f_mode |= FMODE_NOWAIT;
	res[0] = r;
	res[1] = f;
	return 0;
}

/* A pipe and two descriptors for it, which the caller installs once the user knows their numbers. */
int do_pipe_flags(int *fd, struct file **files, int flags)
{
	int err, r, w;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_EXCL))
		return -EINVAL;
	if (flags & O_EXCL)
		return -ENOPKG;		/* a pipe of the kernel's notifications (O_NOTIFICATION_PIPE): there are none */
	err = create_pipe_files(files, flags);
	if (err)
		return err;
	r = get_unused_fd_flags((unsigned int)flags);
	if (r < 0) {
		err = r;
		goto put;
	}
	w = get_unused_fd_flags((unsigned int)flags);
	if (w < 0) {
		err = w;
		put_unused_fd((unsigned int)r);
		goto put;
	}
	fd[0] = r;
	fd[1] = w;
	return 0;
put:
	fput(files[0]);
	fput(files[1]);
	return err;
}

/* F_SETPIPE_SZ, F_GETPIPE_SZ. */

#define RING_MOST (4UL << 20)	/* bytes of a ring: a pipe of 256 MiB */

static unsigned int round_slots(unsigned long size)
{
	unsigned long n = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;

	if (n <= 1)
		return 1;
	return 1u << (64 - __builtin_clzl(n - 1));
}

/* mutex held. -EBUSY: more is in it than would fit. */
static int resize_ring(struct pipe_inode_info *pipe, unsigned int slots)
{
	unsigned int n = pipe_occupancy(pipe->head, pipe->tail);
	struct pipe_buffer *bufs;

	if (slots < n)
		return -EBUSY;
	if (slots > RING_MOST / sizeof(*bufs))
		return -ENOMEM;
	bufs = kvcalloc(slots, sizeof(*bufs), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!bufs)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		bufs[i] = *pipe_buf(pipe, pipe->tail + i);
	kvfree(pipe->bufs);
	pipe->bufs = bufs;
	pipe->ring_size = slots;
	pipe->max_usage = slots;
	pipe->tail = 0;
	pipe->head = n;
	return 0;
}

static long set_size(struct pipe_inode_info *pipe, unsigned int arg)
{
	unsigned int slots = round_slots(arg);
	unsigned long size = (unsigned long)slots << PAGE_SHIFT;
	long pages, err;

	if (arg > 1u << 31)
		return -EINVAL;
	if (slots > pipe->max_usage && size > sysctl_pipe_max_size && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	pages = atomic_long_add_return((long)slots - (long)pipe->nr_accounted, &pipe->user->pipe_bufs);
	if (slots > pipe->max_usage && (too_many_unprivileged(pages, pipe_user_pages_soft) ||
					too_many_unprivileged(pages, pipe_user_pages_hard))) {
		err = -EPERM;
		goto undo;
	}
	err = resize_ring(pipe, slots);
	if (err)
		goto undo;
	pipe->nr_accounted = slots;
	/* Room was made, maybe. */
	wake_up_interruptible(&pipe->wr_wait);
	return (long)size;
undo:
	atomic_long_add((long)pipe->nr_accounted - (long)slots, &pipe->user->pipe_bufs);
	return err;
}

long pipe_fcntl(struct file *file, unsigned int cmd, unsigned int arg)
{
	struct pipe_inode_info *pipe = get_pipe_info(file, false);
	long res;

	if (!pipe)
		return -EBADF;
	mutex_lock(&pipe->mutex);
	res = cmd == F_SETPIPE_SZ ? set_size(pipe, arg) : (long)((unsigned long)pipe->max_usage << PAGE_SHIFT);
	mutex_unlock(&pipe->mutex);
	return res;
}

struct pipe_inode_info *get_pipe_info(struct file *file, bool for_splice)
{
	(void)for_splice;
	return file->f_op == &pipefifo_fops ? file->private_data : NULL;
}

static int pipefs_init_fs_context(struct fs_context *fc)
{
	return pseudo_init_fs_context(fc, &pipefs);
}

static struct file_system_type pipe_fs_type = {
	.name = "pipefs",
	.init_fs_context = pipefs_init_fs_context,
	.kill_sb = kill_anon_super,
};

static int pipe_init(void)
{
	pipe_cache = KMEM_CACHE(pipe_inode_info, SLAB_PANIC | SLAB_ACCOUNT);
	register_filesystem(&pipe_fs_type);
	pipe_mnt = kern_mount(&pipe_fs_type);
	if (IS_ERR(pipe_mnt))
		panic("vfs: cannot mount pipefs");
	sysctl_ulong("fs/pipe-user-pages-hard", 0644, &pipe_user_pages_hard, 0, ULONG_MAX);
	sysctl_ulong("fs/pipe-user-pages-soft", 0644, &pipe_user_pages_soft, 0, ULONG_MAX);
	sysctl_int("fs/pipe-max-size", 0644, (int *)&sysctl_pipe_max_size, PAGE_SIZE, INT_MAX);
	return 0;
}
INITCALL(fs, pipe_init);
