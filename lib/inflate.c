// SPDX-License-Identifier: MIT
/*
 * gzip and deflate (RFC 1952, RFC 1951). The output buffer is its own window. Codes are decoded with a table of
 * FAST_BITS bits; longer ones bit by bit from the canonical counts.
 */
#include <lib/inflate.h>
#include <lib/minmax.h>
#include <lib/string.h>

#ifdef __KERNEL_OCHRE__
#include <abi/errno.h>
#else
#include <errno.h>
#endif

#define MAX_BITS 15
#define FAST_BITS 9
#define MAX_LIT 288
#define MAX_DIST 32

struct huff {
	u16 count[MAX_BITS + 1];
	u16 symbol[MAX_LIT];
	u16 fast[1 << FAST_BITS];	/* symbol << 4 | length; 0: longer than FAST_BITS */
};

struct inflate {
	const u8 *in, *end;
	u64 bits;
	unsigned int nbits;
	bool cut;			/* bits were wanted behind the end */
	struct decomp_out *out;
	size_t start;			/* where this member's output begins */
	size_t rest;			/* where the next pause is due */
	struct huff lit, dist;
};

u32 crc32_le(u32 crc, const u8 *p, size_t n)
{
	static u32 table[256];

	if (!table[1])
		for (u32 i = 0; i < 256; i++) {
			u32 c = i;

			for (int k = 0; k < 8; k++)
				c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
			table[i] = c;
		}
	crc = ~crc;
	while (n--)
		crc = table[(u8)crc ^ *p++] ^ crc >> 8;
	return ~crc;
}

static void refill(struct inflate *s)
{
	while (s->nbits <= 56 && s->in < s->end) {
		s->bits |= (u64)*s->in++ << s->nbits;
		s->nbits += 8;
	}
}

static u32 take(struct inflate *s, unsigned int n)
{
	u32 v;

	if (s->nbits < n)
		refill(s);
	if (s->nbits < n) {
		s->cut = true;
		s->nbits = 0;
		s->bits = 0;
		return 0;
	}
	v = (u32)(s->bits & ((1ULL << n) - 1));
	s->bits >>= n;
	s->nbits -= n;
	return v;
}

static u32 reverse(u32 v, unsigned int n)
{
	u32 r = 0;

	while (n--) {
		r = r << 1 | (v & 1);
		v >>= 1;
	}
	return r;
}

/* -EINVAL: more codes than the lengths leave room for. Incomplete sets are let through; using a hole fails. */
static int build(struct huff *h, const u8 *len, unsigned int n)
{
	u16 offs[MAX_BITS + 2], code = 0, next[MAX_BITS + 1];
	int left = 1;

	memset(h->count, 0, sizeof(h->count));
	memset(h->fast, 0, sizeof(h->fast));
	for (unsigned int i = 0; i < n; i++)
		h->count[len[i]]++;
	h->count[0] = 0;
	for (int l = 1; l <= MAX_BITS; l++) {
		left = (left << 1) - h->count[l];
		if (left < 0)
			return -EINVAL;
	}
	offs[1] = 0;
	for (int l = 1; l <= MAX_BITS; l++) {
		offs[l + 1] = offs[l] + h->count[l];
		next[l] = code;
		code = (u16)((code + h->count[l]) << 1);
	}
	for (unsigned int i = 0; i < n; i++) {
		unsigned int l = len[i];

		if (!l)
			continue;
		h->symbol[offs[l]++] = (u16)i;
		if (l <= FAST_BITS)
			for (u32 k = reverse(next[l], l); k < 1 << FAST_BITS; k += 1U << l)
				h->fast[k] = (u16)(i << 4 | l);
		next[l]++;
	}
	return 0;
}

static int decode(struct inflate *s, const struct huff *h)
{
	int code = 0, first = 0, index = 0;
	u16 f;

	if (s->nbits < MAX_BITS)
		refill(s);
	f = h->fast[s->bits & ((1 << FAST_BITS) - 1)];
	if (f && (f & 15) <= s->nbits) {
		s->bits >>= f & 15;
		s->nbits -= f & 15;
		return f >> 4;
	}
	for (int l = 1; l <= MAX_BITS; l++) {
		code |= (int)take(s, 1);
		if (s->cut)
			return -ENODATA;
		if (code - h->count[l] < first)
			return h->symbol[index + (code - first)];
		index += h->count[l];
		first = (first + h->count[l]) << 1;
		code <<= 1;
	}
	return -EINVAL;
}

static int room(struct decomp_out *o, size_t n)
{
	if (o->cap - o->len >= n)
		return 0;
	return o->grow(o, o->len + n);
}

static void pause(struct inflate *s)
{
	s->rest = s->out->len + DECOMP_STRETCH;
	if (s->out->pause)
		s->out->pause();
}

static int stored(struct inflate *s)
{
	u32 n, inv;
	int err;

	take(s, s->nbits & 7);
	n = take(s, 16);
	inv = take(s, 16);
	if (s->cut)
		return -ENODATA;
	if (n != (~inv & 0xffff))
		return -EINVAL;
	err = room(s->out, n);
	if (err)
		return err;
	for (; n && s->nbits; n--)		/* whole bytes that were read ahead */
		s->out->buf[s->out->len++] = (u8)take(s, 8);
	if (n > (size_t)(s->end - s->in))
		return -ENODATA;
	memcpy(s->out->buf + s->out->len, s->in, n);
	s->out->len += n;
	s->in += n;
	return 0;
}

static const u16 len_base[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
				  131, 163, 195, 227, 258 };
static const u8 len_extra[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const u16 dist_base[30] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
				   2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
static const u8 dist_extra[30] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
				   13, 13 };

static int copy_match(struct inflate *s, int sym)
{
	struct decomp_out *o = s->out;
	size_t len, dist;
	int d, err;
	u8 *to;

	sym -= 257;
	if (sym >= 29)
		return -EINVAL;
	len = len_base[sym] + take(s, len_extra[sym]);
	d = decode(s, &s->dist);
	if (d < 0)
		return d;
	if (d >= 30)
		return -EINVAL;
	dist = dist_base[d] + take(s, dist_extra[d]);
	if (s->cut)
		return -ENODATA;
	if (dist > o->len - s->start)
		return -EINVAL;
	err = room(o, len);
	if (err)
		return err;
	to = o->buf + o->len;
	if (dist >= len) {
		memcpy(to, to - dist, len);
	} else {
		for (size_t i = 0; i < len; i++)
			to[i] = (to - dist)[i];
	}
	o->len += len;
	return 0;
}

static int codes(struct inflate *s)
{
	for (;;) {
		int sym = decode(s, &s->lit), err;

		if (s->out->len >= s->rest)
			pause(s);
		if (sym < 0)
			return sym;
		if (sym == 256)
			return 0;
		err = sym < 256 ? room(s->out, 1) : copy_match(s, sym);
		if (err)
			return err;
		if (sym < 256)
			s->out->buf[s->out->len++] = (u8)sym;
	}
}

static int fixed_tables(struct inflate *s)
{
	u8 len[MAX_LIT];

	memset(len, 8, 144);
	memset(len + 144, 9, 112);
	memset(len + 256, 7, 24);
	memset(len + 280, 8, 8);
	build(&s->lit, len, MAX_LIT);
	memset(len, 5, 30);
	return build(&s->dist, len, 30);
}

/* The lengths of both tables are one sequence, themselves coded. */
static int dynamic_tables(struct inflate *s)
{
	static const u8 order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	u8 len[MAX_LIT + MAX_DIST] = { 0 };
	unsigned int nlit = take(s, 5) + 257, ndist = take(s, 5) + 1, ncode = take(s, 4) + 4, i;

	if (nlit > 286 || ndist > 30)
		return -EINVAL;
	for (i = 0; i < ncode; i++)
		len[order[i]] = (u8)take(s, 3);
	if (build(&s->lit, len, 19))
		return -EINVAL;
	memset(len, 0, 19);
	for (i = 0; i < nlit + ndist; ) {
		int sym = decode(s, &s->lit);
		unsigned int n = 1;
		u8 v = (u8)sym;

		if (sym < 0)
			return sym;
		if (sym >= 16) {
			if (sym == 16 && !i)
				return -EINVAL;
			v = sym == 16 ? len[i - 1] : 0;
			n = sym == 16 ? 3 + take(s, 2) : sym == 17 ? 3 + take(s, 3) : 11 + take(s, 7);
		}
		if (n > nlit + ndist - i)
			return -EINVAL;
		while (n--)
			len[i++] = v;
	}
	if (s->cut)
		return -ENODATA;
	if (!len[256] || build(&s->lit, len, nlit))
		return -EINVAL;
	return build(&s->dist, len + nlit, ndist);
}

static int inflate(struct inflate *s)
{
	bool last;

	do {
		u32 type;
		int err;

		last = take(s, 1);
		type = take(s, 2);
		if (s->cut)
			return -ENODATA;
		if (type == 0)
			err = stored(s);
		else if (type == 3)
			err = -EINVAL;
		else
			err = type == 1 ? fixed_tables(s) : dynamic_tables(s);
		if (!err && type)
			err = codes(s);
		if (err)
			return err;
		pause(s);		/* a stored block is less than a stretch; one without output takes its tables' time */
	} while (!last);
	/* Whole bytes that were read ahead go back. */
	s->in -= s->nbits / 8;
	return 0;
}

/* Length of the gzip header, or an error. */
static int header_len(const u8 *p, size_t len)
{
	size_t at = 10;
	u8 flags;

	if (len < 18 || p[0] != 0x1f || p[1] != 0x8b || p[2] != 8)
		return -EINVAL;
	flags = p[3];
	if (flags & 0xe0)
		return -EINVAL;
	if (flags & 4)
		at += 2 + (p[10] | p[11] << 8);
	for (int bit = 8; bit <= 16; bit *= 2)	/* name, comment */
		if (flags & bit) {
			while (at < len && p[at])
				at++;
			at++;
		}
	if (flags & 2)
		at += 2;
	return at + 8 <= len ? (int)at : -ENODATA;
}

static u32 le32_at(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* The checksum of what came out, with pauses. */
static u32 checksum(struct inflate *s)
{
	size_t at = s->start, n;
	u32 crc = 0;

	for (; at < s->out->len; at += n) {
		n = min(s->out->len - at, (size_t)DECOMP_STRETCH);
		crc = crc32_le(crc, s->out->buf + at, n);
		pause(s);
	}
	return crc;
}

int gunzip(const u8 *in, size_t len, size_t *used, struct decomp_out *out)
{
	static struct inflate s;		/* 4 KiB; boot is single-threaded here */
	int head = header_len(in, len), err;

	if (head < 0)
		return head;
	s = (struct inflate){ .in = in + head, .end = in + len, .out = out, .start = out->len };
	err = inflate(&s);
	if (err)
		return err;
	if (s.end - s.in < 8)
		return -ENODATA;
	if (le32_at(s.in) != checksum(&s) ||
	    le32_at(s.in + 4) != (u32)(out->len - s.start))
		return -EBADMSG;
	*used = (size_t)(s.in + 8 - in);
	return 0;
}
