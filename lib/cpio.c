// SPDX-License-Identifier: MIT
/*
 * newc cpio. A header is 110 bytes: the magic and 13 fields of 8 hex digits; then the name with its NUL, padding to 4, the
 * data, padding to 4. Padding counts from the start of the archive.
 */
#include <lib/cpio.h>
#include <lib/minmax.h>
#include <lib/string.h>

#ifdef __KERNEL_OCHRE__
#include <abi/errno.h>
#else
#include <errno.h>
#endif

#define HEADER 110

bool cpio_is_header(const u8 *p, size_t len)
{
	return len >= HEADER && !memcmp(p, "07070", 5) && (p[5] == '1' || p[5] == '2');
}

static int hex8(const u8 *p, u32 *out)
{
	u32 v = 0;

	for (int i = 0; i < 8; i++) {
		u8 c = p[i], d;

		if (c >= '0' && c <= '9')
			d = c - '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			d = (u8)((c | 32) - 'a' + 10);
		else
			return -EINVAL;
		v = v << 4 | d;
	}
	*out = v;
	return 0;
}

/* Copies NAME without empty and "." components. ".." is refused. */
static int clean_name(const char *name, size_t len, char *out)
{
	size_t n = 0, i = 0;

	while (i < len) {
		size_t start, part;

		while (i < len && name[i] == '/')
			i++;
		start = i;
		while (i < len && name[i] != '/')
			i++;
		part = i - start;
		if (!part || (part == 1 && name[start] == '.'))
			continue;
		if (part == 2 && name[start] == '.' && name[start + 1] == '.')
			return -EINVAL;
		if (n)
			out[n++] = '/';
		memcpy(out + n, name + start, part);
		n += part;
	}
	out[n] = '\0';
	return 0;
}

static u32 data_sum(const u8 *p, size_t n)
{
	u32 s = 0;

	while (n--)
		s += *p++;
	return s;
}

int cpio_next(const u8 *archive, size_t len, size_t *off, char *buf, struct cpio_entry *e)
{
	u32 f[13], namesize, name_len;
	const u8 *h;
	size_t at = *off, data, end;

	if (at > len || !cpio_is_header(archive + at, len - at))
		return -EINVAL;
	h = archive + at;
	for (int i = 0; i < 13; i++)
		if (hex8(h + 6 + 8 * i, &f[i]))
			return -EINVAL;
	namesize = f[11];
	if (!namesize || namesize > CPIO_NAME_MAX)
		return -EINVAL;
	at += HEADER;
	if (namesize > len - at)
		return -E2BIG;
	/* The name ends at the first NUL; more of them may follow, to align the data. */
	name_len = (u32)strnlen((const char *)archive + at, namesize);
	if (!name_len || name_len == namesize)
		return -EINVAL;
	data = ALIGN(at + namesize, (size_t)4);
	if (data > len || f[6] > len - data)
		return -E2BIG;
	end = min(ALIGN(data + f[6], (size_t)4), len);
	*off = end;
	if (name_len == 10 && !memcmp(archive + at, "TRAILER!!!", 10))
		return 0;
	if (clean_name((const char *)archive + at, name_len, buf))
		return -EINVAL;
	if (h[5] == '2' && data_sum(archive + data, f[6]) != f[12])
		return -EBADMSG;
	*e = (struct cpio_entry){
		.name = buf, .ino = f[0], .mode = f[1], .uid = f[2], .gid = f[3], .nlink = f[4], .mtime = f[5],
		.size = f[6], .dev_major = f[7], .dev_minor = f[8], .rdev_major = f[9], .rdev_minor = f[10],
		.data = archive + data,
	};
	return 1;
}
