// SPDX-License-Identifier: MIT
/*
 * zstd frames (RFC 8878). The output buffer is its own window. A block is literals (raw, one byte repeated, or Huffman-coded)
 * and sequences (literal length, offset, match length) whose codes are FSE states read backwards from the block's end.
 * Every table is built from checked counts; every read knows its end.
 */
#include <lib/byteorder.h>
#include <lib/inflate.h>
#include <lib/minmax.h>
#include <lib/string.h>

#ifdef __KERNEL_OCHRE__
#include <abi/errno.h>
#else
#include <errno.h>
#endif

#define MAGIC 0xfd2fb528U
#define SKIPPABLE 0x184d2a50U
#define BLOCK_MAX (128U << 10)
#define HUF_BITS 11
#define FSE_BITS 9

struct fse_entry {
	u16 base;
	u8 symbol, bits;
};

struct fse {
	struct fse_entry t[1 << FSE_BITS];
	unsigned int log;
	bool valid;
};

struct huf_entry {
	u8 symbol, bits;
};

struct zstd {
	struct decomp_out *out;
	size_t start;			/* where this frame's output begins */
	u32 rep[3];
	struct fse ll, of, ml, weights;
	struct huf_entry huf[1 << HUF_BITS];
	unsigned int huf_log;		/* 0: none yet */
	u8 literals[BLOCK_MAX + 32];
	size_t nlit;
};

size_t unzstd_workspace(void)
{
	return sizeof(struct zstd);
}

static u32 le(const u8 *p, unsigned int n)
{
	u32 v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

/* ---- bits ---- */

/* Read backwards: POS bits are left, the last ones first. Below the start there are zeros, and POS goes negative. */
struct back {
	const u8 *p;
	size_t len;
	s64 pos;
};

static int back_open(struct back *b, const u8 *p, size_t len)
{
	if (!len || !p[len - 1])
		return -EINVAL;
	b->p = p;
	b->len = len;
	b->pos = (s64)len * 8 - 8 + (31 - __builtin_clz(p[len - 1]));
	return 0;
}

static u64 load(const u8 *p, size_t len, size_t at)
{
	u64 v = 0;

	memcpy(&v, p + at, min((size_t)8, len - at));
	return le64_raw(v);
}

/* N <= 56. */
static u64 back_peek(const struct back *b, unsigned int n)
{
	s64 at = b->pos - (s64)n;

	if (!n || b->pos <= 0)
		return 0;
	if (at < 0)
		return (load(b->p, b->len, 0) & ((1ULL << b->pos) - 1)) << -at;
	return load(b->p, b->len, (size_t)at >> 3) >> (at & 7) & ((1ULL << n) - 1);
}

static u64 back_take(struct back *b, unsigned int n)
{
	u64 v = back_peek(b, n);

	b->pos -= n;
	return v;
}

/* ---- FSE ---- */

/* Spreads PROBS (-1: less than one) over the table. */
static int fse_build(struct fse *f, const s16 *probs, unsigned int n, unsigned int log)
{
	unsigned int size = 1U << log, high = size, pos = 0, step = (size >> 1) + (size >> 3) + 3;
	u16 next[256];

	for (unsigned int s = 0; s < n; s++) {
		next[s] = probs[s] == -1 ? 1 : (u16)probs[s];
		if (probs[s] == -1) {
			if (!high)
				return -EINVAL;
			f->t[--high].symbol = (u8)s;
		}
	}
	for (unsigned int s = 0; s < n; s++)
		for (int i = 0; i < probs[s]; i++) {
			f->t[pos].symbol = (u8)s;
			do
				pos = (pos + step) & (size - 1);
			while (pos >= high);
		}
	if (pos)
		return -EINVAL;
	for (unsigned int i = 0; i < size; i++) {
		u16 v = next[f->t[i].symbol]++;

		if (!v)
			return -EINVAL;
		f->t[i].bits = (u8)(log - (31 - (unsigned int)__builtin_clz(v)));
		f->t[i].base = (u16)((v << f->t[i].bits) - size);
	}
	f->log = log;
	f->valid = true;
	return 0;
}

/* A table description, read forwards. The bytes it took, or an error. */
static int fse_read(struct fse *f, const u8 *p, size_t len, unsigned int max_symbol, unsigned int max_log)
{
	s16 probs[256];
	size_t bit = 0;
	unsigned int n = 0, log;
	s32 left;

	if (!len)
		return -ENODATA;
	log = (p[0] & 15) + 5;
	if (log > max_log)
		return -EINVAL;
	bit = 4;
	left = (1 << log) + 1;
	while (left > 1) {
		unsigned int nb = 32 - (unsigned int)__builtin_clz((u32)left);
		u32 v, lower = (1U << (nb - 1)) - 1, threshold = (1U << nb) - 1 - (u32)left;
		s32 prob;

		if (n > max_symbol || bit > len * 8)
			return -EINVAL;
		v = (u32)(load(p, len, min(bit >> 3, len - 1)) >> (bit & 7)) & ((1U << nb) - 1);
		if (bit >> 3 >= len)
			return -ENODATA;
		if ((v & lower) < threshold) {
			v &= lower;
			bit += nb - 1;
		} else {
			if (v > lower)
				v -= threshold;
			bit += nb;
		}
		prob = (s32)v - 1;
		left -= prob < 0 ? -prob : prob;
		if (left < 1)
			return -EINVAL;
		probs[n++] = (s16)prob;
		while (prob == 0) {		/* runs of zeros */
			u32 rep;

			if (bit >> 3 >= len)
				return -ENODATA;
			rep = (u32)(load(p, len, bit >> 3) >> (bit & 7)) & 3;
			bit += 2;
			for (u32 i = 0; i < rep; i++) {
				if (n > max_symbol)
					return -EINVAL;
				probs[n++] = 0;
			}
			if (rep != 3)
				break;
		}
	}
	if (bit > len * 8 || fse_build(f, probs, n, log))
		return -EINVAL;
	return (int)((bit + 7) >> 3);
}

static void fse_rle(struct fse *f, u8 symbol)
{
	f->t[0] = (struct fse_entry){ 0, symbol, 0 };
	f->log = 0;
	f->valid = true;
}

/* ---- Huffman ---- */

/* From weights: the last one is what makes the sum a power of two. */
static int huf_build(struct zstd *z, u8 *w, unsigned int n)
{
	u32 sum = 0, left, pos[HUF_BITS + 2] = { 0 }, count[HUF_BITS + 2] = { 0 };
	unsigned int log;

	for (unsigned int i = 0; i < n; i++) {
		if (w[i] > HUF_BITS)
			return -EINVAL;
		sum += w[i] ? 1U << (w[i] - 1) : 0;
	}
	if (!sum)
		return -EINVAL;
	log = 32 - (unsigned int)__builtin_clz(sum);
	left = (1U << log) - sum;
	if (log > HUF_BITS || (left & (left - 1)))
		return -EINVAL;
	w[n++] = (u8)(32 - __builtin_clz(left));
	for (unsigned int i = 0; i < n; i++)
		count[w[i]]++;
	/* Codes of small weight (many bits) come first in the table. */
	for (unsigned int k = 1, at = 0; k <= log; k++) {
		pos[k] = at;
		at += count[k] << (k - 1);
	}
	for (unsigned int i = 0; i < n; i++) {
		unsigned int k = w[i];

		if (!k)
			continue;
		for (u32 j = 0; j < 1U << (k - 1); j++)
			z->huf[pos[k] + j] = (struct huf_entry){ (u8)i, (u8)(log + 1 - k) };
		pos[k] += 1U << (k - 1);
	}
	z->huf_log = log;
	return 0;
}

/* Weights coded by two FSE states that take turns. */
static int huf_fse_weights(struct zstd *z, const u8 *p, size_t len, u8 *w)
{
	int used = fse_read(&z->weights, p, len, 255, 6);
	unsigned int n = 0;
	struct back b;
	u32 s1, s2;

	if (used < 0 || back_open(&b, p + used, len - (size_t)used))
		return -EINVAL;
	s1 = (u32)back_take(&b, z->weights.log);
	s2 = (u32)back_take(&b, z->weights.log);
	if (b.pos < 0)
		return -EINVAL;
	while (n < 254) {
		const struct fse_entry *e = &z->weights.t[s1];

		w[n++] = e->symbol;
		if (b.pos < e->bits) {		/* no bits for the next state: the other one's symbol is the last */
			w[n++] = z->weights.t[s2].symbol;
			return (int)n;
		}
		s1 = s2;
		s2 = (u32)(e->base + back_take(&b, e->bits));
	}
	return -EINVAL;
}

static int huf_read(struct zstd *z, const u8 *p, size_t len)
{
	u8 w[256];
	int n;

	if (!len)
		return -ENODATA;
	if (p[0] >= 128) {
		n = p[0] - 127;
		if ((size_t)(n + 1) / 2 > len - 1)
			return -ENODATA;
		for (int i = 0; i < n; i++)
			w[i] = i & 1 ? p[1 + i / 2] & 15 : p[1 + i / 2] >> 4;
		if (huf_build(z, w, (unsigned int)n))
			return -EINVAL;
		return 1 + (n + 1) / 2;
	}
	if (p[0] > len - 1)
		return -ENODATA;
	n = huf_fse_weights(z, p + 1, p[0], w);
	if (n < 0 || huf_build(z, w, (unsigned int)n))
		return -EINVAL;
	return 1 + p[0];
}

static int huf_stream(struct zstd *z, const u8 *p, size_t len, u8 *out, size_t n)
{
	struct back b;

	if (back_open(&b, p, len))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		struct huf_entry e = z->huf[back_peek(&b, z->huf_log)];

		b.pos -= e.bits;
		if (b.pos < 0)
			return -EINVAL;
		out[i] = e.symbol;
	}
	return b.pos ? -EINVAL : 0;
}

static int huf_four(struct zstd *z, const u8 *p, size_t len, size_t n)
{
	size_t part = (n + 3) / 4, at = 6, size[4];

	if (len < 6 || part * 3 > n)
		return -EINVAL;
	for (int i = 0; i < 3; i++)
		size[i] = le(p + 2 * i, 2);
	if (size[0] + size[1] + size[2] > len - 6)
		return -EINVAL;
	size[3] = len - 6 - size[0] - size[1] - size[2];
	for (int i = 0; i < 4; i++) {
		if (huf_stream(z, p + at, size[i], z->literals + part * (size_t)i, i < 3 ? part : n - part * 3))
			return -EINVAL;
		at += size[i];
	}
	return 0;
}

/* The literals section. Bytes taken, or an error. */
static int read_literals(struct zstd *z, const u8 *p, size_t len)
{
	unsigned int type = p[0] & 3, format = p[0] >> 2 & 3, head;
	size_t n, packed, tree = 0;
	bool four = true;

	if (type < 2) {
		head = format == 1 ? 2 : format == 3 ? 3 : 1;
		if (len < head)
			return -ENODATA;
		n = le(p, head) >> (head == 1 ? 3 : 4);
		if (n > BLOCK_MAX || (type ? 1 : n) > len - head)
			return -EINVAL;
		if (type)
			memset(z->literals, p[head], n);
		else
			memcpy(z->literals, p + head, n);
		z->nlit = n;
		return (int)(head + (type ? 1 : n));
	}
	head = format < 2 ? 3 : format == 2 ? 4 : 5;
	if (len < head)
		return -ENODATA;
	if (head == 5) {
		u64 v = le(p, 4) | (u64)p[4] << 32;

		n = v >> 4 & 0x3ffff;
		packed = v >> 22;
	} else {
		u32 v = le(p, head), bits = head == 3 ? 10 : 14;

		n = v >> 4 & ((1U << bits) - 1);
		packed = v >> (4 + bits) & ((1U << bits) - 1);
		four = format != 0;
	}
	if (n > BLOCK_MAX || packed > len - head)
		return -EINVAL;
	if (type == 2) {
		int used = huf_read(z, p + head, packed);

		if (used < 0)
			return used;
		tree = (size_t)used;
	} else if (!z->huf_log) {
		return -EINVAL;
	}
	z->nlit = n;
	if (four ? huf_four(z, p + head + tree, packed - tree, n) :
		   huf_stream(z, p + head + tree, packed - tree, z->literals, n))
		return -EINVAL;
	return (int)(head + packed);
}

/* ---- sequences ---- */

static const s16 ll_default[36] = { 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
				    -1, -1, -1, -1 };
static const s16 ml_default[53] = { 1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
				    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1 };
static const s16 of_default[29] = { 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1 };
static const u32 ll_base[36] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128,
				 256, 512, 1024, 2048, 4096 /* not a page */, 8192, 16384, 32768, 65536 };
static const u8 ll_bits[36] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11,
				12 /* not a page */, 13, 14, 15, 16 };
static const u32 ml_base[53] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 /* not a page */, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
				 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515,
				 1027, 2051, 4099, 8195, 16387, 32771, 65539 };
static const u8 ml_bits[53] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12 /* not a page */, 13, 14, 15, 16 };

static int read_table(struct fse *f, unsigned int mode, const u8 *p, size_t len, const s16 *def, unsigned int ndef,
		      unsigned int def_log, unsigned int max_symbol, unsigned int max_log)
{
	switch (mode) {
	case 0:
		return fse_build(f, def, ndef, def_log);
	case 1:
		if (!len || p[0] > max_symbol)
			return -EINVAL;
		fse_rle(f, p[0]);
		return 1;
	case 2:
		return fse_read(f, p, len, max_symbol, max_log);
	}
	return f->valid ? 0 : -EINVAL;
}

/* Copies LEN bytes from DIST back, and before them LIT literals. */
static int emit(struct zstd *z, const u8 *lit, size_t nlit, size_t dist, size_t len)
{
	struct decomp_out *o = z->out;
	u8 *to;

	if (o->cap - o->len < nlit + len) {
		int err = o->grow(o, o->len + nlit + len);

		if (err)
			return err;
	}
	to = o->buf + o->len;
	memcpy(to, lit, nlit);
	o->len += nlit;
	to += nlit;
	if (!len)
		return 0;
	if (!dist || dist > o->len - z->start)
		return -EINVAL;
	if (dist >= len)
		memcpy(to, to - dist, len);
	else
		for (size_t i = 0; i < len; i++)
			to[i] = (to - dist)[i];
	o->len += len;
	return 0;
}

/* The offset that CODE's value means; the recent three change places. */
static u32 real_offset(struct zstd *z, u32 v, bool no_literals)
{
	u32 idx, off;

	if (v > 3) {
		off = v - 3;
		z->rep[2] = z->rep[1];
		z->rep[1] = z->rep[0];
		z->rep[0] = off;
		return off;
	}
	idx = v - 1 + no_literals;
	if (!idx)
		return z->rep[0];
	off = idx < 3 ? z->rep[idx] : z->rep[0] - 1;
	if (idx > 1)
		z->rep[2] = z->rep[1];
	z->rep[1] = z->rep[0];
	z->rep[0] = off;
	return off;
}

static u32 advance(const struct fse *f, u32 state, struct back *b)
{
	return (u32)(f->t[state].base + back_take(b, f->t[state].bits));
}

static int run_sequences(struct zstd *z, const u8 *p, size_t len, u32 count)
{
	const u8 *lit = z->literals, *lit_end = lit + z->nlit;
	struct back b;
	u32 ll, of, ml;

	if (back_open(&b, p, len))
		return -EINVAL;
	ll = (u32)back_take(&b, z->ll.log);
	of = (u32)back_take(&b, z->of.log);
	ml = (u32)back_take(&b, z->ml.log);
	while (count--) {
		u32 lc = z->ll.t[ll].symbol, oc = z->of.t[of].symbol, mc = z->ml.t[ml].symbol, off, mlen, nlit;
		int err;

		if (oc > 31)
			return -EINVAL;
		off = (1U << oc) + (u32)back_take(&b, oc);
		mlen = ml_base[mc] + (u32)back_take(&b, ml_bits[mc]);
		nlit = ll_base[lc] + (u32)back_take(&b, ll_bits[lc]);
		off = real_offset(z, off, !nlit);
		if (count) {
			ll = advance(&z->ll, ll, &b);
			ml = advance(&z->ml, ml, &b);
			of = advance(&z->of, of, &b);
		}
		if (b.pos < 0 || nlit > (size_t)(lit_end - lit))
			return -EINVAL;
		err = emit(z, lit, nlit, off, mlen);
		if (err)
			return err;
		lit += nlit;
	}
	if (b.pos)
		return -EINVAL;
	return emit(z, lit, (size_t)(lit_end - lit), 0, 0);
}

static int compressed_block(struct zstd *z, const u8 *p, size_t len)
{
	const u8 *end = p + len;
	u32 count;
	u8 modes;
	int n;

	if (len < 2)
		return -EINVAL;
	n = read_literals(z, p, len);
	if (n < 0)
		return n;
	p += n;
	if (p == end)
		return -EINVAL;
	count = *p++;
	if (count >= 128) {
		unsigned int more = count == 255 ? 2 : 1;

		if ((size_t)(end - p) < more)
			return -EINVAL;
		count = more == 2 ? le(p, 2) + 0x7f00 : ((count - 128) << 8) + p[0];
		p += more;
	}
	if (!count)
		return p == end ? emit(z, z->literals, z->nlit, 0, 0) : -EINVAL;
	if (p == end)
		return -EINVAL;
	modes = *p++;
	if (modes & 3)
		return -EINVAL;
	n = read_table(&z->ll, modes >> 6, p, (size_t)(end - p), ll_default, 36, 6, 35, 9);
	if (n < 0)
		return n;
	p += n;
	n = read_table(&z->of, modes >> 4 & 3, p, (size_t)(end - p), of_default, 29, 5, 31, 8);
	if (n < 0)
		return n;
	p += n;
	n = read_table(&z->ml, modes >> 2 & 3, p, (size_t)(end - p), ml_default, 53, 6, 52, 9);
	if (n < 0)
		return n;
	p += n;
	return run_sequences(z, p, (size_t)(end - p), count);
}

/* ---- frames ---- */

#define P1 0x9e3779b185ebca87ULL
#define P2 0xc2b2ae3d27d4eb4fULL
#define P3 0x165667b19e3779f9ULL
#define P4 0x85ebca77c2b2ae63ULL
#define P5 0x27d4eb2f165667c5ULL

static u64 rotl(u64 v, int n)
{
	return v << n | v >> (64 - n);
}

static u64 round64(u64 acc, u64 v)
{
	return rotl(acc + v * P2, 31) * P1;
}

static u64 xxh64(const u8 *p, size_t len)
{
	const u8 *end = p + len;
	u64 h, v[4] = { P1 + P2, P2, 0, -P1 };

	if (len >= 32) {
		for (; end - p >= 32; p += 32)
			for (int i = 0; i < 4; i++)
				v[i] = round64(v[i], load(p + 8 * i, 8, 0));
		h = rotl(v[0], 1) + rotl(v[1], 7) + rotl(v[2], 12 /* not a page */) + rotl(v[3], 18);
		for (int i = 0; i < 4; i++)
			h = (h ^ round64(0, v[i])) * P1 + P4;
	} else {
		h = P5;
	}
	h += len;
	for (; end - p >= 8; p += 8)
		h = rotl(h ^ round64(0, load(p, 8, 0)), 27) * P1 + P4;
	if (end - p >= 4) {
		h = rotl(h ^ le(p, 4) * P1, 23) * P2 + P3;
		p += 4;
	}
	for (; p < end; p++)
		h = rotl(h ^ *p * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}

static int one_block(struct zstd *z, const u8 *p, u32 type, u32 size)
{
	struct decomp_out *o = z->out;
	int err;

	if (type == 0)
		return emit(z, p, size, 0, 0);
	if (type == 2)
		return compressed_block(z, p, size);
	if (o->cap - o->len < size) {
		err = o->grow(o, o->len + size);
		if (err)
			return err;
	}
	memset(o->buf + o->len, p[0], size);
	o->len += size;
	return 0;
}

/* Length of the frame header at P. */
static int frame_header(const u8 *p, size_t len, bool *checksum)
{
	static const u8 id_len[4] = { 0, 1, 2, 4 }, fcs_len[4] = { 0, 2, 4, 8 };
	size_t n;

	if (len < 6 || le(p, 4) != MAGIC || (p[4] & 8))
		return -EINVAL;
	*checksum = p[4] & 4;
	n = 5 + !(p[4] & 32) + id_len[p[4] & 3] + fcs_len[p[4] >> 6] + (!(p[4] >> 6) && (p[4] & 32));
	return n <= len ? (int)n : -ENODATA;
}

int unzstd(const u8 *in, size_t len, size_t *used, struct decomp_out *out, void *workspace)
{
	struct zstd *z = workspace;
	bool checksum, last;
	size_t at;
	int n;

	if (len >= 8 && (le(in, 4) & ~15U) == SKIPPABLE) {
		if (le(in + 4, 4) > len - 8)
			return -ENODATA;
		*used = 8 + (size_t)le(in + 4, 4);
		return 0;
	}
	n = frame_header(in, len, &checksum);
	if (n < 0)
		return n;
	at = (size_t)n;
	z->out = out;
	z->start = out->len;
	z->rep[0] = 1;
	z->rep[1] = 4;
	z->rep[2] = 8;
	z->ll.valid = z->of.valid = z->ml.valid = false;
	z->huf_log = 0;
	do {
		u32 h, type, size, stored;

		if (len - at < 3)
			return -ENODATA;
		h = le(in + at, 3);
		at += 3;
		last = h & 1;
		type = h >> 1 & 3;
		size = h >> 3;
		stored = type == 1 ? 1 : size;
		if (type == 3 || size > BLOCK_MAX)
			return -EINVAL;
		if (stored > len - at)
			return -ENODATA;
		n = one_block(z, in + at, type, size);
		if (n)
			return n;
		at += stored;
		if (out->pause)		/* a block is no more than two stretches */
			out->pause();
	} while (!last);
	if (checksum) {
		if (len - at < 4)
			return -ENODATA;
		if (le(in + at, 4) != (u32)xxh64(out->buf + z->start, out->len - z->start))
			return -EBADMSG;
		at += 4;
	}
	*used = at;
	return 0;
}
