// SPDX-License-Identifier: MIT
/*
 * Registered files and buffers.
 *
 * A place in a table holds a node. A request takes the node that is there when it is issued, and
 * counts in it; an update puts another node into the place and never waits: the old one goes with
 * its last request, and says so by a completion if it has a tag. All of it is under the ring's lock.
 *
 * Pages of buffers count against the user's RLIMIT_MEMLOCK as long as their node lives.
 */
#include <lib/bitmap.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <mm/filemap.h>
#include <mm/folio.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/resource.h>
#include "io_uring/ring_priv.h"

#define FILES_MOST (1u << 20)
#define BUFFERS_MOST (1u << 14)
#define BUFFER_MOST (1ul << 30)		/* bytes */
#define BATCH 64u			/* pages that are pinned at once */

/* ---- nodes ---- */

/* PAGES of a buffer count as locked memory of the user that made U: 0, -ENOMEM. */
static int account(const struct uring *u, unsigned long pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	atomic_long_t *locked;

	if (!u->user)
		return 0;
	locked = &u->user->locked_vm;
	if ((unsigned long)atomic_long_add_return((long)pages, locked) <= limit)
		return 0;
	atomic_long_sub((long)pages, locked);
	return -ENOMEM;
}

static void unaccount(const struct uring *u, unsigned long pages)
{
	if (u->user)
		atomic_long_sub((long)pages, &u->user->locked_vm);
}

/* B's first B->NR pages are pinned and counted. */
static void buffer_free(const struct uring *u, struct uring_buffer *b)
{
	for (unsigned int i = 0; i < b->nr; i++)
		unpin_user_pages_dirty_lock(&b->vecs[i].bv_page, 1, true);
	unaccount(u, b->nr);
	kvfree(b);
}

void uring_node_put(struct uring *u, struct uring_res *n)
{
	uring_assert(u);
	if (!n || --n->refs)
		return;
	if (n->tag)
		uring_post(u, n->tag, 0, 0);
	if (n->file)
		fput(n->file);
	if (n->buffer)
		buffer_free(u, n->buffer);
	kfree(n);
}

static struct uring_res *node_new(u64 tag)
{
	struct uring_res *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);

	if (!n)
		return NULL;
	n->refs = 1;
	n->tag = tag;
	return n;
}

/* N, or NULL, comes to place AT; what was there leaves it. */
static void place(struct uring *u, struct uring_table *t, unsigned int at, struct uring_res *n)
{
	struct uring_res *old = t->at[at];

	t->at[at] = n;
	if (n)
		__set_bit(at, t->used);
	else
		__clear_bit(at, t->used);
	uring_node_put(u, old);
}

static void table_drop(struct uring *u, struct uring_table *t)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		uring_node_put(u, t->at[i]);
		cond_resched();
	}
	kvfree(t->at);
	kvfree(t->used);
	*t = (struct uring_table){ .at = NULL };
}

/* T was never registered: no tag of it is told. */
static void table_undo(struct uring *u, struct uring_table *t)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		if (t->at[i])
			t->at[i]->tag = 0;
	}
	table_drop(u, t);
}

static int table_make(struct uring_table *t, unsigned int nr)
{
	t->at = kvcalloc(nr, sizeof(t->at[0]), GFP_KERNEL_ACCOUNT);
	t->used = kvcalloc(BITS_TO_LONGS(nr), sizeof(t->used[0]), GFP_KERNEL_ACCOUNT);
	if (!t->at || !t->used) {
		kvfree(t->at);
		kvfree(t->used);
		t->at = NULL;
		t->used = NULL;
		return -ENOMEM;
	}
	t->nr = nr;
	t->alloc_end = nr;
	return 0;
}

void uring_tables_drop(struct uring *u)
{
	table_drop(u, &u->files);
	table_drop(u, &u->buffers);
}

/* ---- files ---- */

int uring_fixed_file(struct uring_req *r, unsigned int at)
{
	struct uring_table *t = &r->ring->files;
	struct uring_res *n = at < t->nr ? t->at[at] : NULL;

	if (!n)
		return -EBADF;
	n->refs++;
	r->file_node = n;
	r->file = n->file;
	return 0;
}

/* ERR_PTR(-EBADF, -ENOMEM). */
static struct uring_res *file_node(int fd, u64 tag)
{
	struct file *f = fget((unsigned int)fd);
	struct uring_res *n;

	if (!f)
		return ERR_PTR(-EBADF);
	/* A ring in a ring would keep both. */
	n = uring_of(f) ? ERR_PTR(-EBADF) : node_new(tag);
	if (IS_ERR_OR_NULL(n)) {
		fput(f);
		return n ?: ERR_PTR(-ENOMEM);
	}
	n->file = f;
	return n;
}

static int tag_at(struct uptr tags, unsigned int i, u64 *tag)
{
	*tag = 0;
	return !uptr_is_null(tags) && get_user(*tag, uptr_add(tags, i * sizeof(u64))) ? -EFAULT : 0;
}

/* One of them: 0, -errno. SKIPS: a place may be left as it is, for there is one already. */
static int set_file(struct uring *u, unsigned int at, struct uptr fds, struct uptr tags,
		    unsigned int i, bool skips)
{
	struct uring_res *n = NULL;
	u64 tag;
	s32 fd;

	if (get_user(fd, uptr_add(fds, i * sizeof(fd))) || tag_at(tags, i, &tag))
		return -EFAULT;
	skips = skips && fd == IORING_REGISTER_FILES_SKIP;
	if ((skips || fd == -1) && tag)
		return -EINVAL;
	if (skips)
		return 0;
	if (fd != -1)
		n = file_node(fd, tag);
	if (IS_ERR(n))
		return (int)PTR_ERR(n);
	place(u, &u->files, at + i, n);
	return 0;
}

/* NR of them from place AT on. How many were set; *WHY: what is wrong with the next, or 0. */
static int set_files(struct uring *u, unsigned int at, struct uptr fds, struct uptr tags,
		     unsigned int nr, bool skips, int *why)
{
	unsigned int i;

	*why = 0;
	for (i = 0; i < nr; i++) {
		*why = set_file(u, at, fds, tags, i, skips);
		if (*why)
			break;
		cond_resched();
	}
	return (int)i;
}

int uring_register_files(struct uring *u, struct uptr fds, struct uptr tags, unsigned int nr)
{
	int e;

	if (u->files.at)
		return -EBUSY;
	if (!nr)
		return -EINVAL;
	if (nr > FILES_MOST || nr > rlimit(RLIMIT_NOFILE))
		return -EMFILE;
	e = table_make(&u->files, nr);
	if (e || uptr_is_null(fds))
		return e;
	set_files(u, 0, fds, tags, nr, false, &e);
	if (e)
		table_undo(u, &u->files);
	return e;
}

int uring_drop_files(struct uring *u)
{
	if (!u->files.at)
		return -ENXIO;
	table_drop(u, &u->files);
	return 0;
}

int uring_update_files(struct uring *u, unsigned int at, struct uptr fds, struct uptr tags,
		       unsigned int nr)
{
	unsigned int end;
	int done, e;

	if (!u->files.at)
		return -ENXIO;
	if (__builtin_add_overflow(at, nr, &end))
		return -EOVERFLOW;
	if (end > u->files.nr)
		return -EINVAL;
	done = set_files(u, at, fds, tags, nr, true, &e);
	return done ?: e;
}

int uring_set_alloc_range(struct uring *u, u32 from, u32 len)
{
	u32 end;

	if (__builtin_add_overflow(from, len, &end))
		return -EOVERFLOW;
	if (!u->files.at || end > u->files.nr)
		return -EINVAL;
	u->files.alloc_from = u->files.alloc_next = from;
	u->files.alloc_end = end;
	return 0;
}

/* A free place of the range, from the last one on, around; the range's end: there is none. */
static unsigned int free_place(struct uring_table *t)
{
	unsigned long at = find_next_zero_bit(t->used, t->alloc_end, t->alloc_next);

	if (at >= t->alloc_end)
		at = find_next_zero_bit(t->used, t->alloc_end, t->alloc_from);
	if (at >= t->alloc_end)
		return t->alloc_end;
	t->alloc_next = at + 1 < t->alloc_end ? (unsigned int)at + 1 : t->alloc_from;
	return (unsigned int)at;
}

int uring_install_in(struct uring *u, struct file *f, u32 index)
{
	struct uring_table *t = &u->files;
	bool any = index == IORING_FILE_INDEX_ALLOC;
	struct uring_res *n;
	unsigned int at = any ? 0 : index - 1;
	int e = 0;

	if (!t->at)
		e = any ? -ENFILE : -ENXIO;	/* no place is free; it has no such place */
	else if (uring_of(f))
		e = -EBADF;
	if (!e && any) {
		at = free_place(t);
		e = at == t->alloc_end ? -ENFILE : 0;
	} else if (!e && at >= t->nr) {
		e = -EINVAL;
	}
	n = e ? NULL : node_new(0);
	if (!n) {
		fput(f);
		return e ?: -ENOMEM;
	}
	n->file = f;
	place(u, t, at, n);
	return any ? (int)at : 0;
}

int uring_install(struct uring_req *r, struct file *f, u32 index)
{
	int e;

	if (!(r->flags & R_RUNNING))
		return uring_install_in(r->ring, f, index);
	mutex_lock(&r->ring->lock);
	e = uring_install_in(r->ring, f, index);
	mutex_unlock(&r->ring->lock);
	return e;
}

int uring_close_fixed(struct uring *u, unsigned int at)
{
	if (!u->files.at)
		return -ENXIO;
	if (at >= u->files.nr)
		return -EINVAL;
	if (!u->files.at[at])
		return -EBADF;
	place(u, &u->files, at, NULL);
	return 0;
}

/* ---- buffers ---- */

/* A page of a file that a file system writes back would change unseen while it is written. */
static bool may_stay_pinned(struct page *page)
{
	struct folio *f = page_folio(page);
	struct address_space *m;
	bool yes;

	rcu_read_lock();	/* the page stays, but may be truncated, and its inode go */
	m = folio_test_anon(f) ? NULL : folio_mapping(f);
	yes = !m || !m->ops || !m->ops->writepages;
	rcu_read_unlock();
	return yes;
}

static int pin(struct uring_buffer *b, unsigned long at, unsigned int nr)
{
	struct page *pages[BATCH];

	while (b->nr < nr) {
		unsigned int off = b->nr ? 0 : (unsigned int)offset_in_page(b->start);
		long got = pin_user_pages_fast(at, (int)min(nr - b->nr, BATCH), FOLL_WRITE, pages);

		if (got <= 0)
			return got ? (int)got : -EFAULT;
		for (long i = 0; i < got; i++, off = 0)
			b->vecs[b->nr++] =
				(struct bio_vec){ .bv_page = pages[i],
						  .bv_len = (unsigned int)PAGE_SIZE - off,
						  .bv_offset = off };
		for (long i = 0; i < got; i++)
			if (!may_stay_pinned(pages[i]))
				return -EFAULT;
		at += (unsigned long)got << PAGE_SHIFT;
		cond_resched();
	}
	return 0;
}

static struct uring_buffer *buffer_make(const struct uring *u, const struct iovec *v)
{
	unsigned long start = (unsigned long)v->iov_base, len = v->iov_len, end;
	unsigned int nr;
	struct uring_buffer *b;
	int e;

	if (!start || !len || len > BUFFER_MOST)
		return ERR_PTR(-EFAULT);
	if (__builtin_add_overflow(start, len + PAGE_SIZE - 1, &end))
		return ERR_PTR(-EOVERFLOW);
	nr = (unsigned int)((end >> PAGE_SHIFT) - (start >> PAGE_SHIFT));
	b = kvzalloc(struct_size(b, vecs, nr), GFP_KERNEL_ACCOUNT);
	if (!b)
		return ERR_PTR(-ENOMEM);
	b->start = start;
	b->len = len;
	e = account(u, nr);
	if (e) {
		kvfree(b);
		return ERR_PTR(e);
	}
	e = pin(b, start & PAGE_MASK, nr);
	if (!e)
		return b;
	unaccount(u, nr - b->nr);
	buffer_free(u, b);
	return ERR_PTR(e);
}

/* What vector I at VECS asks for; NULL: nothing. ERR_PTR. */
static struct uring_res *buffer_node(const struct uring *u, struct uptr vecs, unsigned int i,
				     u64 tag)
{
	struct uring_buffer *b;
	struct uring_res *n;
	struct iovec v;

	if (copy_from_user(&v, uptr_add(vecs, i * sizeof(v)), sizeof(v)))
		return ERR_PTR(-EFAULT);
	if (!v.iov_base)
		return v.iov_len ? ERR_PTR(-EFAULT) : tag ? ERR_PTR(-EINVAL) : NULL;
	b = buffer_make(u, &v);
	if (IS_ERR(b))
		return ERR_CAST(b);
	n = node_new(tag);
	if (!n) {
		buffer_free(u, b);
		return ERR_PTR(-ENOMEM);
	}
	n->buffer = b;
	return n;
}

static int set_buffers(struct uring *u, unsigned int at, struct uptr vecs, struct uptr tags,
		       unsigned int nr, int *why)
{
	unsigned int i;
	u64 tag;

	*why = 0;
	for (i = 0; i < nr; i++) {
		struct uring_res *n;

		*why = tag_at(tags, i, &tag);
		if (*why)
			break;
		n = buffer_node(u, vecs, i, tag);
		if (IS_ERR(n)) {
			*why = (int)PTR_ERR(n);
			break;
		}
		place(u, &u->buffers, at + i, n);
		cond_resched();
	}
	return (int)i;
}

int uring_register_buffers(struct uring *u, struct uptr vecs, struct uptr tags, unsigned int nr)
{
	int e;

	if (u->buffers.at)
		return -EBUSY;
	if (!nr || nr > BUFFERS_MOST)
		return -EINVAL;
	e = table_make(&u->buffers, nr);
	if (e || uptr_is_null(vecs))
		return e;
	set_buffers(u, 0, vecs, tags, nr, &e);
	if (e)
		table_undo(u, &u->buffers);
	return e;
}

int uring_drop_buffers(struct uring *u)
{
	if (!u->buffers.at)
		return -ENXIO;
	table_drop(u, &u->buffers);
	return 0;
}

int uring_update_buffers(struct uring *u, unsigned int at, struct uptr vecs, struct uptr tags,
			 unsigned int nr)
{
	unsigned int end;
	int done, e;

	if (!u->buffers.at)
		return -ENXIO;
	if (__builtin_add_overflow(at, nr, &end))
		return -EOVERFLOW;
	if (end > u->buffers.nr)
		return -EINVAL;
	done = set_buffers(u, at, vecs, tags, nr, &e);
	return done ?: e;
}

int uring_fixed_buffer(struct uring_req *r)
{
	struct uring_table *t = &r->ring->buffers;

	if (r->buffer_node)
		return 0;
	if (r->buf_index >= t->nr || !t->at[r->buf_index])
		return -EFAULT;
	r->buffer_node = t->at[r->buf_index];
	r->buffer_node->refs++;
	return 0;
}

int uring_buffer_iter(const struct uring_buffer *b, unsigned int dir, unsigned long at, size_t len,
		      struct iter *it)
{
	unsigned long end, off;
	unsigned int first;

	if (__builtin_add_overflow(at, len, &end) || at < b->start || end > b->start + b->len)
		return -EFAULT;
	off = at - (b->start & PAGE_MASK);
	first = (unsigned int)(off >> PAGE_SHIFT);
	/* The vectors are pages: the first one that counts is known. */
	off = first ? offset_in_page(off) : at - b->start;
	iter_init_bvec(it, dir, &b->vecs[first], b->nr - first, off + len);
	iter_advance(it, off);
	return 0;
}
