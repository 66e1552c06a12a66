// SPDX-License-Identifier: MIT
#pragma once
/*
 * struct iter: where the bytes of an I/O come from or go to: user memory, kernel memory or folios.
 * Filesystems and drivers see only this; a copy moves it forward. Not shared between threads.
 */
#include <lib/types.h>
#include <linux/uio.h>
#include <mm/uaccess.h>

struct folio;
struct page;
struct file;

struct kvec {
	void *iov_base;
	size_t iov_len;
};
/* A piece of physical memory: len bytes at offset of page (may run over several pages of a folio). */
struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

enum iter_type { ITER_UBUF, ITER_IOVEC, ITER_KVEC, ITER_BVEC, ITER_DISCARD };

#define ITER_DEST	0	/* data flows into the iter (a read) */
#define ITER_SOURCE	1	/* data comes from the iter (a write) */

struct iter {
	u8 type;
	bool data_source;
	bool nofault;		/* copies fail rather than fault in */
	size_t off;		/* bytes used of the first segment */
	size_t count;		/* bytes left */
	union {
		unsigned long ubuf;		/* ITER_UBUF: base; off counts from it */
		const struct iovec *iov;
		const struct kvec *kvec;
		const struct bio_vec *bvec;
	};
	unsigned long nr_segs;
};

static inline size_t iter_count(const struct iter *i)
{
	return i->count;
}
static inline bool iter_is_user(const struct iter *i)
{
	return i->type == ITER_UBUF || i->type == ITER_IOVEC;
}
static inline void iter_truncate(struct iter *i, u64 count)
{
	if (i->count > count)
		i->count = count;
}
static inline void iter_reexpand(struct iter *i, size_t count)
{
	i->count = count;
}

static inline void iter_init_ubuf(struct iter *i, unsigned int dir, struct uptr buf, size_t count)
{
	*i = (struct iter){ .type = ITER_UBUF, .data_source = dir, .ubuf = buf.addr, .count = count, .nr_segs = 1 };
}
void iter_init_iovec(struct iter *i, unsigned int dir, const struct iovec *iov, unsigned long segs,
		     size_t count);
void iter_init_kvec(struct iter *i, unsigned int dir, const struct kvec *vec, unsigned long segs,
		    size_t count);
void iter_init_bvec(struct iter *i, unsigned int dir, const struct bio_vec *vec, unsigned long segs,
		    size_t count);
/* Reads into it vanish; writes from it are zeroes. */
void iter_init_discard(struct iter *i, unsigned int dir, size_t count);

/* Bytes done; short only on a user fault or when the iter ends. The iter has advanced by as much. */
size_t copy_to_iter(const void *from, size_t bytes, struct iter *i);
size_t copy_from_iter(void *to, size_t bytes, struct iter *i);
/* All or nothing: on false the iter has not moved. */
bool copy_from_iter_full(void *to, size_t bytes, struct iter *i);
bool copy_to_iter_full(const void *from, size_t bytes, struct iter *i);
size_t iter_zero(size_t bytes, struct iter *i);
size_t copy_folio_to_iter(struct folio *folio, size_t offset, size_t bytes, struct iter *i);
size_t copy_folio_from_iter(struct folio *folio, size_t offset, size_t bytes, struct iter *i);
/* Without faulting (the caller holds a folio lock): may be short at any byte. */
size_t copy_folio_from_iter_atomic(struct folio *folio, size_t offset, size_t bytes, struct iter *i);
/* Touch up to bytes of user memory ahead of an atomic copy; bytes that are NOT reachable. */
size_t fault_in_iter_readable(const struct iter *i, size_t bytes);
size_t fault_in_iter_writeable(const struct iter *i, size_t bytes);

void iter_advance_segs(struct iter *i, size_t bytes);
static inline void iter_advance(struct iter *i, size_t bytes)
{
	if (unlikely(i->type != ITER_UBUF)) {
		iter_advance_segs(i, bytes);
		return;
	}
	if (bytes > i->count)
		bytes = i->count;
	i->off += bytes;
	i->count -= bytes;
}
/* Undo the last bytes of advance (not past the start). */
void iter_revert(struct iter *i, size_t bytes);
/* Bytes in the current segment. */
size_t iter_single_seg_count(const struct iter *i);
/* OR of all segment addresses and lengths, for direct I/O alignment checks. */
unsigned long iter_alignment(const struct iter *i);
/* Number of pages touched, at most max. */
unsigned int iter_npages(const struct iter *i, unsigned int max);
/*
 * Pin the next pages of the iter (at most maxpages, maxbytes): fills pages, *offset in the first;
 * returns bytes or -errno; does not advance. Release each by unpin_user_page (user) or nothing.
 */
ssize_t iter_get_pages(struct iter *i, struct page **pages, size_t maxbytes, unsigned int maxpages,
		       size_t *offset);

/*
 * Read and check an iovec array from user memory. *iovp: in: an array of UIO_FASTIOV; out: NULL or
 * what the caller must kfree. Total is cut at MAX_RW_COUNT. Bytes, or -EFAULT, -EINVAL, -ENOMEM.
 */
#define UIO_FASTIOV	8
ssize_t import_iovec(unsigned int dir, struct uptr uvec, unsigned long nr_segs, unsigned int fast_segs,
		     struct iovec **iovp, struct iter *i);
/* One buffer; -EFAULT if outside user space. */
int import_ubuf(unsigned int dir, struct uptr buf, size_t len, struct iter *i);

/* The state of one I/O on a file. */
struct kiocb {
	struct file *ki_filp;
	loff_t ki_pos;
	/* NULL: synchronous. Else called once with the result if -EIOCBQUEUED was returned. */
	void (*ki_complete)(struct kiocb *iocb, long ret);
	void *private_data;
	u32 ki_flags;			/* IOCB_* */
	u16 ki_ioprio;
};
#define IOCB_NOWAIT	0x0001u		/* -EAGAIN rather than block */
#define IOCB_APPEND	0x0002u
#define IOCB_DIRECT	0x0004u
#define IOCB_DSYNC	0x0008u
#define IOCB_SYNC	0x0010u
#define IOCB_HIPRI	0x0020u
#define IOCB_WRITE	0x0040u
#define IOCB_NOIO	0x0080u		/* cached data only */
#define IOCB_NOAPPEND	0x0100u		/* RWF_NOAPPEND */
#define IOCB_ATOMIC	0x0200u
#define IOCB_DONTCACHE	0x0400u
#define IOCB_NOSIGNAL	0x0800u		/* no SIGPIPE */
#define IOCB_SPLICE	0x1000u		/* into a pipe */
#define IOCB_MORE	0x2000u		/* of a splice: more follows (SPLICE_F_MORE) */
#define IOCB_STARTED	0x4000u		/* the filesystem is kept from freezing until vfs_iocb_done() */

static inline bool is_sync_kiocb(const struct kiocb *iocb)
{
	return !iocb->ki_complete;
}
