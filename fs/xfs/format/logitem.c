// SPDX-License-Identifier: MIT
/* Log items: which there are, blocks, and the small ones (logitem.h). */
#include "fs/xfs/format/logitem.h"
#include <lib/string.h>

#define ITEM "log item"
#define BUF_CANCEL 0x02
#define BUF_INODES 0x01
#define BUF_DQUOTS 0x1c
#define KIND_SHIFT 11

/* The beginnings of first regions, in the CPU's byte order. */
struct head {
	u16 type, n;
};
struct buf_head {
	u16 type, n, flags, bbs;
	s64 daddr;
	u32 map_words;
} __packed;
struct intent_head {	/* of all that begin and end work */
	u16 type, n;
	u32 count;
	u64 id;
};
struct dquot_head {
	u16 type, n;
	u32 id;
	s64 daddr;
	s32 blocks;	/* of the file system: 1 */
	u32 offset;
};
struct icreate {
	u16 type, n;
	be32 agno, agb, count, isize, blocks, gen;
};
struct quotaoff {
	u16 type, n;
	u32 flags;
	u8 pad[12];
};
_Static_assert(sizeof(struct buf_head) == 20 && sizeof(struct intent_head) == 16 &&
		       sizeof(struct dquot_head) == 24 && sizeof(struct icreate) == 28 &&
		       sizeof(struct quotaoff) == 20,
	       "log items");

/* Sizes: the first region's least length, and what each thing that it counts adds. */
static const struct type {
	u16 type, least, each;
	u16 min_regions, max_regions;
} types[] = {
	{ XFS_LI_EFI, 16, 12, 1, 1 },	 { XFS_LI_EFD, 16, 12, 1, 1 },
	{ XFS_LI_INODE, 52, 0, 2, 4 },	 { XFS_LI_BUF, 20, 0, 1, 1 + XFS_LB_MAX_BBS * 4 },
	{ XFS_LI_DQUOT, 24, 0, 2, 2 },	 { XFS_LI_QUOTAOFF, 8, 0, 1, 1 },
	{ XFS_LI_ICREATE, 28, 0, 1, 1 }, { XFS_LI_RUI, 16, 32, 1, 1 },
	{ XFS_LI_RUD, 16, 0, 1, 1 },	 { XFS_LI_CUI, 16, 16, 1, 1 },
	{ XFS_LI_CUD, 16, 0, 1, 1 },	 { XFS_LI_BUI, 16, 32, 1, 1 },
	{ XFS_LI_BUD, 16, 0, 1, 1 },	 { XFS_LI_ATTRI, 40, 0, 1, 5 },
	{ XFS_LI_ATTRD, 16, 0, 1, 1 },	 { XFS_LI_XMI, 88, 0, 1, 1 },
	{ XFS_LI_XMD, 16, 0, 1, 1 },
};

static const struct type *find_type(u16 type)
{
	for (u32 i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

int xfs_litem_get(const u8 *base, const struct xfs_lregion *r, u32 left, u64 place,
		  struct xfs_litem *out, const char **why, struct xfs_fault *f)
{
	const struct type *t;
	struct head h;
	u32 count;

	if (!left || r[0].len < sizeof(h))
		return xfs_bad(f, ITEM, "region", place, left ? r[0].len : 0);
	memcpy(&h, base + r[0].off, sizeof(h));
	if (!h.n || h.n > left)
		return xfs_bad(f, ITEM, "number of regions", place, h.n);
	*out = (struct xfs_litem){ base, r, h.n, h.type };
	if (h.type >= XFS_LI_EFI_RT && h.type <= XFS_LI_CUD_RT) {
		*why = "it changes a realtime device";
		return 0;
	}
	t = find_type(h.type);
	if (!t) {
		*why = "it has items of an unknown type";
		return 0;
	}
	if (h.n < t->min_regions || h.n > t->max_regions)
		return xfs_bad(f, ITEM, "number of regions", place, h.n);
	if (r[0].len < t->least)
		return xfs_bad(f, ITEM, "length", place, r[0].len);
	if (t->each) {
		memcpy(&count, base + r[0].off + 4, sizeof(count));
		if ((r[0].len - t->least) / t->each < count)
			return xfs_bad(f, ITEM, "extents", place, count);
	}
	return 0;
}

bool xfs_litem_intent(const struct xfs_litem *it, struct xfs_lintent *out)
{
	struct intent_head h;

	switch (it->type) {
	case XFS_LI_EFI:
	case XFS_LI_RUI:
	case XFS_LI_CUI:
	case XFS_LI_BUI:
	case XFS_LI_ATTRI:
	case XFS_LI_XMI:
		out->type = it->type;
		out->done = false;
		break;
	case XFS_LI_EFD:
	case XFS_LI_RUD:
	case XFS_LI_CUD:
	case XFS_LI_BUD:
	case XFS_LI_ATTRD:
	case XFS_LI_XMD:
		out->type = it->type - 1;
		out->done = true;
		break;
	default:
		return false;
	}
	memcpy(&h, xfs_lregion_at(it, 0), sizeof(h));
	out->id = h.id;
	return true;
}

static u32 padded(u32 len)
{
	return (len + 7) & ~7u;
}

size_t xfs_litem_size(const struct xfs_litem *it)
{
	size_t bytes = (size_t)it->n * sizeof(*it->r);

	for (u32 i = 0; i < it->n; i++)
		bytes += padded(it->r[i].len);
	return bytes;
}

void xfs_litem_copy(const struct xfs_litem *it, void *p, struct xfs_litem *out)
{
	struct xfs_lregion *r = p;
	u8 *bytes = (u8 *)(r + it->n);
	u32 at = 0;

	for (u32 i = 0; i < it->n; i++) {
		r[i] = (struct xfs_lregion){ at, it->r[i].len };
		memcpy(bytes + at, xfs_lregion_at(it, i), it->r[i].len);
		at += padded(it->r[i].len);
	}
	*out = (struct xfs_litem){ bytes, r, it->n, it->type };
}

/* ---- blocks ---- */

static bool bit_at(const struct xfs_lbuf *b, u32 bit)
{
	u32 w;

	memcpy(&w, b->map + bit / 32 * 4, sizeof(w));
	return bit < b->map_bits && w >> bit % 32 & 1;
}

bool xfs_lbuf_next(const struct xfs_litem *it, const struct xfs_lbuf *b, struct xfs_lrun *run)
{
	u32 bit = run->bit, n = 0, most;

	while (bit < b->map_bits && !bit_at(b, bit))
		bit++;
	if (bit >= b->map_bits || run->region >= it->n)
		return false;
	/* A run may be split where a page of the writer's memory ended. */
	most = it->r[run->region].len / XFS_LB_CHUNK;
	while (n < most && bit + n < b->map_bits && bit_at(b, bit + n))
		n++;
	run->off = bit * XFS_LB_CHUNK;
	run->len = n * XFS_LB_CHUNK;
	run->data = xfs_lregion_at(it, run->region);
	run->region++;
	run->bit = bit + n;
	return true;
}

/* Every run has bytes, lies in the block, and each region belongs to one. */
static int check_runs(const struct xfs_litem *it, const struct xfs_lbuf *b, u64 place,
		      struct xfs_fault *f)
{
	struct xfs_lrun run = { .region = 1 };

	while (xfs_lbuf_next(it, b, &run)) {
		if (!run.len)
			return xfs_bad(f, ITEM, "length of a run", place, run.region);
		if (run.off + run.len > b->bbs * XFS_SECTOR)
			return xfs_bad(f, ITEM, "bitmap", place, run.off);
	}
	if (run.region != it->n)
		return xfs_bad(f, ITEM, "number of runs", place, it->n);
	for (u32 bit = run.bit; bit < b->map_bits; bit++)
		if (bit_at(b, bit))
			return xfs_bad(f, ITEM, "number of runs", place, it->n);
	return 0;
}

int xfs_lbuf_get(const struct xfs_litem *it, u64 place, struct xfs_lbuf *out, struct xfs_fault *f)
{
	struct buf_head h;

	memcpy(&h, xfs_lregion_at(it, 0), sizeof(h));
	*out = (struct xfs_lbuf){
		.daddr = (u64)h.daddr,
		.bbs = h.bbs,
		.kind = (u8)(h.flags >> KIND_SHIFT),
		.cancel = h.flags & BUF_CANCEL,
		.unlinked = h.flags & BUF_INODES,
		.dquots = h.flags & BUF_DQUOTS,
		.map = xfs_lregion_at(it, 0) + sizeof(h),
	};
	if (!h.bbs || h.bbs > XFS_LB_MAX_BBS)
		return xfs_bad(f, ITEM, "blf_len", place, h.bbs);
	if (h.daddr < 0)
		return xfs_bad(f, ITEM, "blf_blkno", place, (u64)h.daddr);
	if (h.map_words > (it->r[0].len - sizeof(h)) / 4)
		return xfs_bad(f, ITEM, "blf_map_size", place, h.map_words);
	out->map_bits = h.map_words * 32;
	return out->cancel ? 0 : check_runs(it, out, place, f);
}

u32 xfs_lbuf_head(u64 daddr, u32 bbs, u8 kind, u8 what, const u32 *map, u32 regions, u8 *p)
{
	struct buf_head h = { .type = XFS_LI_BUF,
			      .n = (u16)regions,
			      .flags = (u16)(what | kind << KIND_SHIFT),
			      .bbs = (u16)bbs,
			      .daddr = (s64)daddr,
			      .map_words = (bbs * XFS_SECTOR / XFS_LB_CHUNK + 31) / 32 };
	u32 len = (u32)sizeof(h) + h.map_words * 4;

	if (p) {
		memcpy(p, &h, sizeof(h));
		memcpy(p + sizeof(h), map, (size_t)h.map_words * 4);
	}
	return len;
}

void xfs_licreate_put(const struct xfs_licreate *c, u8 *p)
{
	struct icreate d = { XFS_LI_ICREATE,	   1,
			     be32_make(c->agno),   be32_make(c->agb),
			     be32_make(c->count),  be32_make(c->isize),
			     be32_make(c->blocks), be32_make(c->gen) };

	memcpy(p, &d, sizeof(d));
}

/* ---- others ---- */

int xfs_licreate_get(const struct xfs_litem *it, u64 place, struct xfs_licreate *out,
		     struct xfs_fault *f)
{
	struct icreate d;

	memcpy(&d, xfs_lregion_at(it, 0), sizeof(d));
	*out = (struct xfs_licreate){ be32_get(d.agno),	 be32_get(d.agb),    be32_get(d.count),
				      be32_get(d.isize), be32_get(d.blocks), be32_get(d.gen) };
	if (!out->count || !out->blocks)
		return xfs_bad(f, ITEM, "icl_count", place, out->count);
	return 0;
}

int xfs_ldquot_get(const struct xfs_litem *it, u64 place, struct xfs_ldquot *out,
		   struct xfs_fault *f)
{
	struct dquot_head h;
	struct xfs_ddquot d;

	memcpy(&h, xfs_lregion_at(it, 0), sizeof(h));
	if (h.daddr < 0 || h.blocks != 1)
		return xfs_bad(f, ITEM, "qlf_blkno", place, (u64)h.daddr);
	if (it->r[1].len < sizeof(d))
		return xfs_bad(f, ITEM, "length", place, it->r[1].len);
	memcpy(&d, xfs_lregion_at(it, 1), sizeof(d));
	if (be16_get(d.magic) != XFS_DQ_MAGIC || d.version != 1 || be32_get(d.id) != h.id)
		return xfs_bad(f, ITEM, "dquot", place, h.id);
	*out = (struct xfs_ldquot){ (u64)h.daddr, h.offset, h.id, xfs_lregion_at(it, 1) };
	return 0;
}

u32 xfs_lquotaoff_get(const struct xfs_litem *it)
{
	struct quotaoff d = { 0 };

	memcpy(&d, xfs_lregion_at(it, 0), offsetof(struct quotaoff, pad));
	return d.flags;
}
