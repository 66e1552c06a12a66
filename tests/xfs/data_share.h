/* SPDX-License-Identifier: MIT */
/* Part of data.c: blocks that files share, and ranges that go to other places of a file. */
#pragma once

/* N bytes of file J at OFF are the old ones, or those at NEW, in whole blocks. */
static void settle_shared(int j, size_t off, size_t n, const unsigned char *new)
{
	unsigned char *want = mod(j)->bytes + off;
	struct stat st;
	ssize_t r = pread(fd[j], buf, n, (off_t)off);

	if (r < 0 || fstat(fd[j], &st))
		die("pread");
	for (ssize_t k = 0; k < r; k++)
		if (buf[k] != want[k] && buf[k] != new[k])
			die("%s: byte %zu after a failure: %02x, not %02x or %02x", path_of(me, j),
			    off + (size_t)k, buf[k], want[k], new[k]);
	memcpy(want, buf, (size_t)r);
	if (!is_shared(j))
		mod(j)->size = (size_t)st.st_size;
}

/* Whole blocks of own file I, LEN bytes at *FROM, that file J may get at OFF. */
static int source(int i, int j, size_t off, size_t *from, size_t *len)
{
	size_t size = mod(i)->size & -4096ul;

	if (size < 4096)
		return 0;
	*from = rnd((unsigned)(size / 4096)) * 4096ul;
	*len = *len < size - *from ? *len : size - *from;
	return i != j || off >= *from + *len || *from >= off + *len;
}

static void op_clone(int i)
{
	int from = (int)rnd(FILES - 1);
	size_t off, len, at;
	struct file_clone_range r;

	if (!range(i, MOST, 4096, &off, &len) || !source(from, i, off, &at, &len))
		return;
	r = (struct file_clone_range){ fd[from], at, len, off };
	if (ioctl(fd[i], FICLONERANGE, &r)) {
		no_space("FICLONERANGE");
		settle_shared(i, off, len, mod(from)->bytes + at);
		return;
	}
	memcpy(mod(i)->bytes + off, mod(from)->bytes + at, len);
	grow(i, off + len);
}

/* As much as copy_file_range(2) takes at once, of any bytes. */
static void op_copy(int i)
{
	int from = (int)rnd(FILES - 1);
	size_t off, len, size = mod(from)->size, at;
	loff_t in, out;
	ssize_t n;

	if (!size || !range(i, MOST, rnd(2) ? 1 : 4096, &off, &len))
		return;
	at = rnd((unsigned)size) & (rnd(2) ? ~0ul : -4096ul);
	len = len < size - at ? len : size - at;
	if (i == from && off < at + len && at < off + len)
		return;
	in = (loff_t)at;
	out = (loff_t)off;
	n = copy_file_range(fd[from], &in, fd[i], &out, len, 0);
	if (n < 0) {
		no_space("copy_file_range");
		settle_shared(i, off, len, mod(from)->bytes + at);
		return;
	}
	memcpy(mod(i)->bytes + off, mod(from)->bytes + at, (size_t)n);
	grow(i, off + (size_t)n);
	if (n < (ssize_t)len && full)
		settle_shared(i, off, len, mod(from)->bytes + at);
}

/* Mostly of bytes that are the same, as they were just written. */
static void op_dedupe(int i)
{
	char space[sizeof(struct file_dedupe_range) + sizeof(struct file_dedupe_range_info)] = { 0 };
	struct file_dedupe_range *r = (void *)space;
	int from = (int)rnd(FILES - 1), same;
	size_t off, len, at;

	if (!range(i, size_of(i) & -4096ul, 4096, &off, &len) || !source(from, i, off, &at, &len))
		return;
	if (rnd(4)) {
		ssize_t n = pwrite(fd[i], mod(from)->bytes + at, len, (off_t)off);

		if (n < 0) {
			no_space("pwrite");
			return;
		}
		if (n < (ssize_t)len && !full)
			die("pwrite: %zd of %zu", n, len);
		memcpy(mod(i)->bytes + off, mod(from)->bytes + at, (size_t)n);
	}
	same = !memcmp(mod(i)->bytes + off, mod(from)->bytes + at, len);
	*r = (struct file_dedupe_range){ .src_offset = at, .src_length = len, .dest_count = 1 };
	r->info[0] = (struct file_dedupe_range_info){ .dest_fd = fd[i], .dest_offset = off };
	if (ioctl(fd[from], FIDEDUPERANGE, r))
		die("FIDEDUPERANGE");
	errno = -r->info[0].status;
	if (r->info[0].status < 0)
		no_space("dedupe");
	else if (r->info[0].status != !same)
		die("dedupe: status %d, same %d", r->info[0].status, same);
}

/* A range is taken out of an own file, or zeroes are put in. */
static void op_shift(int i)
{
	struct model *m = mod(i);
	size_t blocks = m->size / 4096, off, len;
	int out = (int)rnd(2);

	if (is_shared(i) || blocks < 3)
		return;
	off = rnd((unsigned)blocks - 1) * 4096ul;
	len = (1 + rnd(rnd(3) ? 4 : 40)) * 4096ul;
	if (out ? off + len >= m->size : m->size + len > MOST)
		return;
	if (fallocate(fd[i], out ? FALLOC_FL_COLLAPSE_RANGE : FALLOC_FL_INSERT_RANGE, (off_t)off,
		      (off_t)len)) {
		no_space("shift");
		return;
	}
	if (out) {
		memmove(m->bytes + off, m->bytes + off + len, m->size - off - len);
		memset(m->bytes + m->size - len, 0, len);
		m->size -= len;
	} else {
		memmove(m->bytes + off + len, m->bytes + off, m->size - off);
		memset(m->bytes + off, 0, len);
		m->size += len;
	}
}
