// SPDX-License-Identifier: MIT
/* Helpers over the arch contract's copies. */
#include "mm_priv.h"
#include <mm/uaccess.h>

size_t strnlen_user(struct uptr s, size_t n)
{
	ssize_t len;

	if (!n)
		return 0;
	len = arch_strnlen_user(s, n);
	return len < 0 ? 0 : (size_t)len + 1;
}

void *memdup_user(struct uptr src, size_t len)
{
	void *p = kmalloc(len, GFP_USER);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(p, src, len)) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	return p;
}

void *vmemdup_user(struct uptr src, size_t len)
{
	void *p = kvmalloc(len, GFP_USER);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(p, src, len)) {
		kvfree(p);
		return ERR_PTR(-EFAULT);
	}
	return p;
}

char *strndup_user(struct uptr s, size_t max)
{
	size_t len = strnlen_user(s, max);
	char *p;

	if (!len)
		return ERR_PTR(-EFAULT);
	if (len > max)
		return ERR_PTR(-EINVAL);
	p = memdup_user(s, len);
	if (!IS_ERR(p))
		p[len - 1] = 0;
	return p;
}

int check_zeroed_user(struct uptr from, size_t size)
{
	u8 buf[64];

	while (size) {
		size_t n = min(size, sizeof(buf));

		if (copy_from_user(buf, from, n))
			return -EFAULT;
		for (size_t i = 0; i < n; i++)
			if (buf[i])
				return 0;
		from = uptr_add(from, n);
		size -= n;
	}
	return 1;
}

int copy_struct_from_user(void *dst, size_t ksize, struct uptr src, size_t usize)
{
	size_t size = min(ksize, usize);
	int r;

	if (usize > ksize) {
		r = check_zeroed_user(uptr_add(src, ksize), usize - ksize);
		if (r <= 0)
			return r ? r : -E2BIG;
	}
	memset((char *)dst + size, 0, ksize - size);
	return copy_from_user(dst, src, size) ? -EFAULT : 0;
}

size_t fault_in_readable(struct uptr p, size_t size)
{
	unsigned long a = p.addr, end = p.addr + size;
	u8 c;

	while (a < end) {
		if (arch_get_user_1(&c, UPTR(a)))
			return end - a;
		a = (a & PAGE_MASK) + PAGE_SIZE;
	}
	return 0;
}

size_t fault_in_writeable(struct uptr p, size_t size)
{
	unsigned long a = p.addr, end = p.addr + size;
	u8 c;

	while (a < end) {
		/* Touch without changing: the byte is read and written back by one atomic step of zero. */
		u32 old;

		if (arch_get_user_1(&c, UPTR(a)) || arch_user_atomic_u32(UPTR(a & ~3ul), USER_ATOMIC_OR, 0, &old))
			return end - a;
		a = (a & PAGE_MASK) + PAGE_SIZE;
	}
	return 0;
}
