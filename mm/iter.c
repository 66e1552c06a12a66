// SPDX-License-Identifier: MIT
/* struct iter: stepping over segments of user memory, kernel memory or folios. */
#include "mm_priv.h"
#include <mm/iter.h>
#include <alloc/vmalloc.h>

#define MAX_RW_COUNT	USER_COPY_MAX

void iter_init_iovec(struct iter *i, unsigned int dir, const struct iovec *iov, unsigned long segs, size_t count)
{
	*i = (struct iter){ .type = ITER_IOVEC, .data_source = dir, .iov = iov, .count = count, .nr_segs = segs };
}

void iter_init_kvec(struct iter *i, unsigned int dir, const struct kvec *vec, unsigned long segs, size_t count)
{
	*i = (struct iter){ .type = ITER_KVEC, .data_source = dir, .kvec = vec, .count = count, .nr_segs = segs };
}

void iter_init_bvec(struct iter *i, unsigned int dir, const struct bio_vec *vec, unsigned long segs, size_t count)
{
	*i = (struct iter){ .type = ITER_BVEC, .data_source = dir, .bvec = vec, .count = count, .nr_segs = segs };
}

void iter_init_discard(struct iter *i, unsigned int dir, size_t count)
{
	*i = (struct iter){ .type = ITER_DISCARD, .data_source = dir, .count = count };
}

/* Length of segment 0. */
static size_t seg_len(const struct iter *i)
{
	switch (i->type) {
	case ITER_IOVEC:
		return i->iov->iov_len;
	case ITER_KVEC:
		return i->kvec->iov_len;
	case ITER_BVEC:
		return i->bvec->bv_len;
	default:
		return i->off + i->count;
	}
}

/* Skip used-up and empty segments; bytes that follow in one piece. */
static size_t seg_left(struct iter *i)
{
	if (i->type == ITER_UBUF || i->type == ITER_DISCARD)
		return i->count;
	while (i->count && i->off >= seg_len(i)) {
		i->off -= seg_len(i);
		i->nr_segs--;
		if (i->type == ITER_IOVEC)
			i->iov++;
		else if (i->type == ITER_KVEC)
			i->kvec++;
		else
			i->bvec++;
	}
	return i->count ? min(i->count, seg_len(i) - i->off) : 0;
}

/* Where the current piece is: user address or kernel pointer. */
static unsigned long seg_addr(const struct iter *i)
{
	switch (i->type) {
	case ITER_UBUF:
		return i->ubuf + i->off;
	case ITER_IOVEC:
		return (unsigned long)i->iov->iov_base + i->off;
	case ITER_KVEC:
		return (unsigned long)i->kvec->iov_base + i->off;
	case ITER_BVEC:
		return (unsigned long)page_address(i->bvec->bv_page) + i->bvec->bv_offset + i->off;
	default:
		return 0;
	}
}

enum step { STEP_TO, STEP_FROM, STEP_FROM_ATOMIC, STEP_ZERO };

static __always_inline size_t step_user(const struct iter *i, enum step op, void *buf, unsigned long a, size_t n)
{
	if (op != STEP_ZERO && fault_usercopy())
		return 0;
	if (op == STEP_TO)
		return n - (unlikely(i->nofault) ? arch_copy_to_user_nofault(UPTR(a), buf, n) : arch_copy_to_user(UPTR(a), buf, n));
	if (op == STEP_ZERO)
		return n - arch_clear_user(UPTR(a), n);
	if (op == STEP_FROM_ATOMIC || unlikely(i->nofault))
		return n - arch_copy_from_user_nofault(buf, UPTR(a), n);
	return n - arch_copy_from_user(buf, UPTR(a), n);
}

/* Move n bytes of one piece; how many were moved. */
static size_t step(const struct iter *i, enum step op, void *buf, size_t n)
{
	unsigned long a = seg_addr(i);

	if (iter_is_user(i))
		return step_user(i, op, buf, a, n);
	if (i->type == ITER_DISCARD) {
		if (op == STEP_FROM || op == STEP_FROM_ATOMIC)
			memset(buf, 0, n);
	} else if (op == STEP_TO) {
		memcpy((void *)a, buf, n);
	} else if (op == STEP_ZERO) {
		memset((void *)a, 0, n);
	} else {
		memcpy(buf, (void *)a, n);
	}
	return n;
}

static noinline size_t iterate_segs(struct iter *i, enum step op, void *buf, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		size_t n = min(seg_left(i), bytes - done), moved;

		moved = step(i, op, (char *)buf + done, n);
		i->off += moved;
		i->count -= moved;
		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

/* One buffer of the user's is by far the most frequent. */
static __always_inline size_t iterate(struct iter *i, enum step op, void *buf, size_t bytes)
{
	bytes = min(bytes, i->count);
	if (unlikely(i->type != ITER_UBUF))
		return iterate_segs(i, op, buf, bytes);
	bytes = step_user(i, op, buf, i->ubuf + i->off, bytes);
	i->off += bytes;
	i->count -= bytes;
	return bytes;
}

size_t copy_to_iter(const void *from, size_t bytes, struct iter *i)
{
	return iterate(i, STEP_TO, (void *)from, bytes);
}

size_t copy_from_iter(void *to, size_t bytes, struct iter *i)
{
	return iterate(i, STEP_FROM, to, bytes);
}

bool copy_from_iter_full(void *to, size_t bytes, struct iter *i)
{
	struct iter save = *i;

	if (bytes <= i->count && copy_from_iter(to, bytes, i) == bytes)
		return true;
	*i = save;
	return false;
}

bool copy_to_iter_full(const void *from, size_t bytes, struct iter *i)
{
	struct iter save = *i;

	if (bytes <= i->count && copy_to_iter(from, bytes, i) == bytes)
		return true;
	*i = save;
	return false;
}

size_t iter_zero(size_t bytes, struct iter *i)
{
	return iterate(i, STEP_ZERO, NULL, bytes);
}

size_t copy_folio_to_iter(struct folio *folio, size_t offset, size_t bytes, struct iter *i)
{
	return copy_to_iter((char *)folio_address(folio) + offset, bytes, i);
}

size_t copy_folio_from_iter(struct folio *folio, size_t offset, size_t bytes, struct iter *i)
{
	return copy_from_iter((char *)folio_address(folio) + offset, bytes, i);
}

size_t copy_folio_from_iter_atomic(struct folio *folio, size_t offset, size_t bytes, struct iter *i)
{
	return iterate(i, STEP_FROM_ATOMIC, (char *)folio_address(folio) + offset, bytes);
}

void iter_advance_segs(struct iter *i, size_t bytes)
{
	bytes = min(bytes, i->count);
	i->off += bytes;
	i->count -= bytes;
	seg_left(i);
}

void iter_revert(struct iter *i, size_t bytes)
{
	i->count += bytes;
	while (bytes > i->off) {
		bytes -= i->off;
		switch (i->type) {
		case ITER_IOVEC:
			i->iov--;
			break;
		case ITER_KVEC:
			i->kvec--;
			break;
		case ITER_BVEC:
			i->bvec--;
			break;
		default:
			i->off = 0;
			return;
		}
		i->nr_segs++;
		i->off = seg_len(i);
	}
	i->off -= bytes;
}

size_t iter_single_seg_count(const struct iter *i)
{
	struct iter c = *i;

	return seg_left(&c);
}

unsigned long iter_alignment(const struct iter *i)
{
	struct iter c = *i;
	unsigned long all = 0;

	if (i->type == ITER_DISCARD)
		return 0;
	while (c.count) {
		size_t n = seg_left(&c);

		all |= seg_addr(&c) | n;
		c.off += n;
		c.count -= n;
	}
	return all;
}

unsigned int iter_npages(const struct iter *i, unsigned int max)
{
	struct iter c = *i;
	unsigned long pages = 0;

	while (c.count && pages < max) {
		size_t n = seg_left(&c);

		pages += PFN_UP(offset_in_page(seg_addr(&c)) + n);
		c.off += n;
		c.count -= n;
	}
	return (unsigned int)min(pages, (unsigned long)max);
}

static size_t fault_in(const struct iter *i, size_t bytes, bool write)
{
	struct iter c = *i;
	size_t left = bytes;

	if (!iter_is_user(i))
		return 0;
	while (left && c.count) {
		size_t n = min(seg_left(&c), left), bad;

		bad = write ? fault_in_writeable(UPTR(seg_addr(&c)), n) : fault_in_readable(UPTR(seg_addr(&c)), n);
		left -= n - bad;
		if (bad)
			break;
		c.off += n;
		c.count -= n;
	}
	return left;
}

size_t fault_in_iter_readable(const struct iter *i, size_t bytes)
{
	return fault_in(i, min(bytes, i->count), false);
}

size_t fault_in_iter_writeable(const struct iter *i, size_t bytes)
{
	return fault_in(i, min(bytes, i->count), true);
}

ssize_t iter_get_pages(struct iter *i, struct page **pages, size_t maxbytes, unsigned int maxpages, size_t *offset)
{
	size_t n = min3(seg_left(i), maxbytes, (size_t)MAX_RW_COUNT);
	unsigned long a = seg_addr(i);
	unsigned int nr;
	long got;

	if (!n || i->type == ITER_DISCARD)
		return n ? -EFAULT : 0;
	*offset = offset_in_page(a);
	nr = (unsigned int)min((unsigned long)maxpages, PFN_UP(*offset + n));
	if (iter_is_user(i)) {
		got = pin_user_pages_fast(a & PAGE_MASK, (int)nr, i->data_source ? 0 : FOLL_WRITE, pages);
		if (got <= 0)
			return got ? got : -EFAULT;
	} else {
		for (got = 0; got < (long)nr; got++) {
			void *p = (void *)((a & PAGE_MASK) + ((unsigned long)got << PAGE_SHIFT));

			pages[got] = is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
		}
	}
	return (ssize_t)min(n, ((size_t)got << PAGE_SHIFT) - *offset);
}

int import_ubuf(unsigned int dir, struct uptr buf, size_t len, struct iter *i)
{
	len = min(len, (size_t)MAX_RW_COUNT);
	if (unlikely(!access_ok(buf, len)))
		return -EFAULT;
	iter_init_ubuf(i, dir, buf, len);
	return 0;
}

ssize_t import_iovec(unsigned int dir, struct uptr uvec, unsigned long nr_segs, unsigned int fast_segs,
		     struct iovec **iovp, struct iter *i)
{
	struct iovec *iov = *iovp, *big = NULL;
	size_t total = 0;
	int err = -EFAULT;

	*iovp = NULL;
	if (nr_segs > UIO_MAXIOV)
		return -EINVAL;
	if (nr_segs > fast_segs) {
		iov = big = kmalloc_array(nr_segs, sizeof(*iov), GFP_KERNEL);
		if (!iov)
			return -ENOMEM;
	}
	if (nr_segs && copy_from_user(iov, uvec, nr_segs * sizeof(*iov)))
		goto fail;
	for (unsigned long s = 0; s < nr_segs; s++) {
		size_t len = iov[s].iov_len;

		err = -EINVAL;
		if ((ssize_t)len < 0)
			goto fail;
		err = -EFAULT;
		if (!access_ok(UPTR(iov[s].iov_base), len))
			goto fail;
		if (len > MAX_RW_COUNT - total)
			iov[s].iov_len = len = MAX_RW_COUNT - total;
		total += len;
	}
	if (nr_segs == 1) {
		iter_init_ubuf(i, dir, UPTR(iov[0].iov_base), total);
		kfree(big);
		return (ssize_t)total;
	}
	iter_init_iovec(i, dir, iov, nr_segs, total);
	*iovp = big;
	return (ssize_t)total;
fail:
	kfree(big);
	return err;
}
