// SPDX-License-Identifier: MIT
/*
 * Memory and strings for the kernel. The memory functions are weak: a CPU with better ones defines them in arch/.
 * What the host's C library lacks is compiled for host tests too.
 */
#include <lib/string.h>
#include <lib/minmax.h>
#include <abi/errno.h>

static inline bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#ifdef __KERNEL_OCHRE__
#undef memcpy
#undef memset
#undef memmove
#undef memcmp
#undef strlen

typedef u16 u16_unaligned __attribute__((may_alias, aligned(1)));
typedef u32 u32_unaligned __attribute__((may_alias, aligned(1)));
typedef u64 u64_unaligned __attribute__((may_alias, aligned(1)));

/* Two words at a distance, both read before either is written. */
#define COPY_ENDS(type, dp, sp, at) do {				\
	type __a = *(const type *)(sp), __b = *(const type *)((sp) + (at));	\
	*(type *)(dp) = __a;						\
	*(type *)((dp) + (at)) = __b;					\
} while (0)

static __always_inline void copy_32(char *dp, const char *sp)
{
	u64 a = ((const u64_unaligned *)sp)[0], b = ((const u64_unaligned *)sp)[1];
	u64 c = ((const u64_unaligned *)sp)[2], e = ((const u64_unaligned *)sp)[3];

	((u64_unaligned *)dp)[0] = a;
	((u64_unaligned *)dp)[1] = b;
	((u64_unaligned *)dp)[2] = c;
	((u64_unaligned *)dp)[3] = e;
	barrier();	/* or the compiler calls memcpy here */
}

/* Less than 16 bytes: the first and the last of them, which may overlap. Also where D and S do. */
static __always_inline void copy_short(char *dp, const char *sp, size_t n)
{
	if (n >= 8) {
		COPY_ENDS(u64_unaligned, dp, sp, n - 8);
	} else if (n >= 4) {
		COPY_ENDS(u32_unaligned, dp, sp, n - 4);
	} else if (n >= 2) {
		COPY_ENDS(u16_unaligned, dp, sp, n - 2);
	} else if (n) {
		*dp = *sp;
	}
}

__weak void *memcpy(void *d, const void *s, size_t n)
{
	char *dp = d, *end = dp + n;
	const char *sp = s;

	if (n < 16) {
		copy_short(dp, sp, n);
		return d;
	}
	for (; n >= 64; n -= 64, dp += 64, sp += 64) {
		copy_32(dp, sp);
		copy_32(dp + 32, sp + 32);
	}
	if (n & 32) {
		copy_32(dp, sp);
		dp += 32, sp += 32;
	}
	n &= 31;
	if (n > 16)
		COPY_ENDS(u64_unaligned, dp, sp, 8);
	/* What is left, with as much before it as makes two words. */
	COPY_ENDS(u64_unaligned, end - 16, sp + n - 16, 8);
	return d;
}

__weak void *memmove(void *d, const void *s, size_t n)
{
	char *dp = d;
	const char *sp = s;

	if (n < 16) {
		copy_short(dp, sp, n);
		return d;
	}
	if (dp + n <= sp || dp >= sp + n)
		return memcpy(d, s, n);
	/* Away from the side where they overlap; each word is read before it is written over. */
	if (dp <= sp) {
		for (; n >= 32; n -= 32, dp += 32, sp += 32)
			copy_32(dp, sp);
		for (; n >= 8; n -= 8, dp += 8, sp += 8) {
			*(u64_unaligned *)dp = *(const u64_unaligned *)sp;
			barrier();
		}
		copy_short(dp, sp, n);
	} else {
		for (; n >= 32; n -= 32)
			copy_32(dp + n - 32, sp + n - 32);
		for (; n >= 8; n -= 8) {
			*(u64_unaligned *)(dp + n - 8) = *(const u64_unaligned *)(sp + n - 8);
			barrier();
		}
		copy_short(dp, sp, n);
	}
	return d;
}

static inline void set_32(char *dp, u64 v)
{
	((u64_unaligned *)dp)[0] = v;
	((u64_unaligned *)dp)[1] = v;
	((u64_unaligned *)dp)[2] = v;
	((u64_unaligned *)dp)[3] = v;
	barrier();
}

__weak void *memset(void *d, int c, size_t n)
{
	u64 v = 0x0101010101010101ULL * (u8)c;
	char *dp = d, *end = dp + n;

	if (n < 8) {
		while (n--) {
			*dp++ = (char)c;
			barrier();
		}
		return d;
	}
	for (; n >= 64; dp += 64, n -= 64) {
		set_32(dp, v);
		set_32(dp + 32, v);
	}
	if (n >= 32) {
		set_32(dp, v);
		dp += 32, n -= 32;
	}
	while (n >= 8) {
		*(u64_unaligned *)dp = v;
		barrier();
		dp += 8, n -= 8;
	}
	*(u64_unaligned *)(end - 8) = v;	/* the rest, with some before it again */
	return d;
}

__weak int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n >= 8; x += 8, y += 8, n -= 8)
		if (*(const u64_unaligned *)x != *(const u64_unaligned *)y)
			break;
	for (; n; x++, y++, n--)
		if (*x != *y)
			return *x - *y;
	return 0;
}

__weak int bcmp(const void *a, const void *b, size_t n);
__weak int bcmp(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n);
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; p++, n--)
		if (*p == (u8)c)
			return (void *)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p) {
		p++;
		barrier();
	}
	return p - s;
}

size_t strnlen(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i])
		i++;
	return i;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	while (n && *a && *a == *b)
		a++, b++, n--;
	return n ? (u8)*a - (u8)*b : 0;
}

static inline int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : (u8)c;
}

int strncasecmp(const char *a, const char *b, size_t n)
{
	while (n && *a && lower(*a) == lower(*b))
		a++, b++, n--;
	return n ? lower(*a) - lower(*b) : 0;
}

int strcasecmp(const char *a, const char *b)
{
	return strncasecmp(a, b, SIZE_MAX);
}

char *strchrnul(const char *s, int c)
{
	while (*s && *s != (char)c)
		s++;
	return (char *)s;
}

char *strchr(const char *s, int c)
{
	s = strchrnul(s, c);
	return *s == (char)c ? (char *)s : NULL;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}

char *strstr(const char *s, const char *f)
{
	size_t n = strlen(f);

	for (; strlen(s) >= n; s++)
		if (!memcmp(s, f, n))
			return (char *)s;
	return NULL;
}

size_t strspn(const char *s, const char *accept)
{
	size_t n = 0;

	while (s[n] && strchr(accept, s[n]))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *reject)
{
	size_t n = 0;

	while (s[n] && !strchr(reject, s[n]))
		n++;
	return n;
}

char *strpbrk(const char *s, const char *accept)
{
	s += strcspn(s, accept);
	return *s ? (char *)s : NULL;
}

char *strsep(char **sp, const char *delim)
{
	char *s = *sp, *e;

	if (!s)
		return NULL;
	e = strpbrk(s, delim);
	if (e)
		*e++ = '\0';
	*sp = e;
	return s;
}
#endif

ssize_t strscpy(char *d, const char *s, size_t size)
{
	size_t n;

	if (!size)
		return -E2BIG;
	n = strnlen(s, size);
	if (n == size) {
		memcpy(d, s, size - 1);
		d[size - 1] = '\0';
		return -E2BIG;
	}
	memcpy(d, s, n + 1);
	return (ssize_t)n;
}

void memzero_explicit(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

size_t leading_zero_words(const u64 *p, size_t n)
{
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		if (READ_ONCE(p[i]) | READ_ONCE(p[i + 1]) | READ_ONCE(p[i + 2]) | READ_ONCE(p[i + 3]))
			break;
	while (i < n && !READ_ONCE(p[i]))
		i++;
	return i;
}

void *memchr_inv(const void *p, int c, size_t n)
{
	for (const u8 *s = p; n; s++, n--)
		if (*s != (u8)c)
			return (void *)s;
	return NULL;
}

char *skip_spaces(const char *s)
{
	while (is_space(*s))
		s++;
	return (char *)s;
}

char *strim(char *s)
{
	size_t n;

	s = skip_spaces(s);
	n = strlen(s);
	while (n && is_space(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool sysfs_streq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	if (*a == *b)
		return true;
	return (!*a && *b == '\n' && !b[1]) || (!*b && *a == '\n' && !a[1]);
}
