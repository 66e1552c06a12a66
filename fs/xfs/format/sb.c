// SPDX-License-Identifier: MIT
#include "fs/xfs/format/sb.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define SB "superblock"

static bool is_log2(u32 v, u8 log, u8 min, u8 max)
{
	return log >= min && log <= max && v == 1u << log;
}

/* Sizes and their logarithms; everything that a later decoder shifts by. */
static int check_sizes(const struct xfs_dsb *d, const struct xfs_sb *sb, struct xfs_fault *f)
{
	if (!is_log2(sb->blocksize, sb->blocklog, 10, 16))
		return xfs_bad(f, SB, "blocksize", 0, sb->blocksize);
	if (!is_log2(sb->sectsize, sb->sectlog, 9, 15) || sb->sectlog > sb->blocklog)
		return xfs_bad(f, SB, "sectsize", 0, sb->sectsize);
	if (!is_log2(sb->inodesize, sb->inodelog, 9, 11) || sb->inodelog > sb->blocklog)
		return xfs_bad(f, SB, "inodesize", 0, sb->inodesize);
	if (sb->inopblog != sb->blocklog - sb->inodelog ||
	    be16_get(d->inopblock) != 1u << sb->inopblog)
		return xfs_bad(f, SB, "inopblock", 0, be16_get(d->inopblock));
	if (sb->dirblklog > 6 || sb->blocklog + sb->dirblklog > 16)
		return xfs_bad(f, SB, "dirblklog", 0, sb->dirblklog);
	if (sb->logsectsize != 0 && !is_log2(sb->logsectsize, d->logsectlog, 9, 15))
		return xfs_bad(f, SB, "logsectsize", 0, sb->logsectsize);
	return 0;
}

static int check_space(const struct xfs_sb *sb, struct xfs_fault *f)
{
	u64 least;

	/* An AG has at least 64 blocks or 16 MiB, and its block numbers fit 31 bits. */
	if (sb->agblocks < 64 || sb->agblocks > 1u << 30 || sb->agblklog > 30 ||
	    sb->agblocks > 1u << sb->agblklog || sb->agblocks <= (1u << sb->agblklog) / 2)
		return xfs_bad(f, SB, "agblocks", 0, sb->agblocks);
	if (!sb->agcount || sb->agcount > U32_MAX / 2)
		return xfs_bad(f, SB, "agcount", 0, sb->agcount);
	least = (u64)(sb->agcount - 1) * sb->agblocks + 64;
	if (sb->dblocks < least || sb->dblocks > (u64)sb->agcount * sb->agblocks ||
	    sb->dblocks > 1ull << (63 - sb->blocklog))
		return xfs_bad(f, SB, "dblocks", 0, sb->dblocks);
	if (sb->logstart && (!sb->logblocks || !xfs_fsb_ok(sb, sb->logstart, sb->logblocks)))
		return xfs_bad(f, SB, "logstart", 0, sb->logstart);
	/* mkfs sets it in some copies alone */
	if (sb->rootino != XFS_NULL64 && !xfs_ino_ok(sb, sb->rootino))
		return xfs_bad(f, SB, "rootino", 0, sb->rootino);
	if (sb->imax_pct > 100)
		return xfs_bad(f, SB, "imax_pct", 0, sb->imax_pct);
	return 0;
}

static void decode(const struct xfs_dsb *d, struct xfs_sb *sb)
{
	*sb = (struct xfs_sb){
		.blocksize = be32_get(d->blocksize),
		.sectsize = be16_get(d->sectsize),
		.inodesize = be16_get(d->inodesize),
		.blocklog = d->blocklog,
		.sectlog = d->sectlog,
		.inodelog = d->inodelog,
		.inopblog = d->inopblog,
		.agblklog = d->agblklog,
		.dirblklog = d->dirblklog,
		.agblocks = be32_get(d->agblocks),
		.agcount = be32_get(d->agcount),
		.logblocks = be32_get(d->logblocks),
		.inoalignmt = be32_get(d->inoalignmt),
		.spino_align = be32_get(d->spino_align),
		.logsectsize = be16_get(d->logsectsize),
		.logsunit = be32_get(d->logsunit),
		.unit = be32_get(d->unit),
		.width = be32_get(d->width),
		.dblocks = be64_get(d->dblocks),
		.rblocks = be64_get(d->rblocks),
		.logstart = be64_get(d->logstart),
		.rootino = be64_get(d->rootino),
		.rbmino = be64_get(d->rbmino),
		.rsumino = be64_get(d->rsumino),
		.icount = be64_get(d->icount),
		.ifree = be64_get(d->ifree),
		.fdblocks = be64_get(d->fdblocks),
		.uquotino = be64_get(d->uquotino),
		.gquotino = be64_get(d->gquotino),
		.pquotino = be64_get(d->pquotino),
		.qflags = be16_get(d->qflags),
		.imax_pct = d->imax_pct,
		.compat = be32_get(d->compat),
		.ro_compat = be32_get(d->ro_compat),
		.incompat = be32_get(d->incompat),
		.log_incompat = be32_get(d->log_incompat),
		.versionnum = be16_get(d->versionnum),
		.features2 = be32_get(d->features2),
		.inprogress = d->inprogress,
	};
	memcpy(sb->uuid, d->uuid, sizeof(sb->uuid));
	memcpy(sb->meta_uuid, sb->incompat & XFS_IN_META_UUID ? d->meta_uuid : d->uuid,
	       sizeof(sb->meta_uuid));
	memcpy(sb->label, d->fname, sizeof(d->fname));
	if (sb->incompat & XFS_IN_METADIR)
		sb->metadirino = be64_get(d->metadirino);
}

int xfs_sb_decode(const void *p, u32 len, struct xfs_sb *out, struct xfs_fault *f)
{
	struct xfs_dsb d;
	int e;

	if (len < sizeof(d))
		return -EINVAL;
	memcpy(&d, p, sizeof(d));
	*f = (struct xfs_fault){ SB, "magic", 0, be32_get(d.magic) };
	if (be32_get(d.magic) != XFS_SB_MAGIC)
		return -EINVAL;
	decode(&d, out);
	if ((out->versionnum & XFS_SB_VERSION_MASK) != 5) {
		f->field = "versionnum";
		f->value = out->versionnum;
		return -EINVAL;
	}
	e = check_sizes(&d, out, f);
	if (e)
		return e;
	out->dirblksize = out->blocksize << out->dirblklog;
	if (out->sectsize > len) {	/* the caller reads the whole sector and comes back */
		f->field = "sectsize";
		f->value = out->sectsize;
		return -ERANGE;
	}
	if (!xfs_crc_ok(p, out->sectsize, offsetof(struct xfs_dsb, crc))) {
		f->field = "crc";
		f->value = le32_get(d.crc);
		return -XFS_BAD_CRC;
	}
	e = check_space(out, f);
	/* What fails later is no fault of the superblock. */
	if (!e)
		*f = (struct xfs_fault){ 0 };
	return e;
}

const char *xfs_sb_unsupported(const struct xfs_sb *sb, u32 *bits)
{
	*bits = sb->incompat &
		~(u32)(XFS_IN_KNOWN | XFS_IN_NEEDSREPAIR | XFS_IN_ZONED | XFS_IN_ZONE_GAPS);
	if (*bits)
		return "it has unknown incompatible features";
	*bits = sb->incompat;
	if (sb->inprogress)
		return "mkfs has not finished it";
	if (sb->incompat & XFS_IN_NEEDSREPAIR)
		return "it needs to be repaired: run xfs_repair";
	if (sb->incompat & (XFS_IN_ZONED | XFS_IN_ZONE_GAPS))
		return "zoned devices are not supported";
	if (!(sb->incompat & XFS_IN_FTYPE) && !(sb->features2 & XFS_SB_VERSION2_FTYPE))
		return "directories without file types are not V5's";
	if (sb->versionnum & XFS_SB_VERSION_BORG)
		return "names without regard to case are not supported";
	if (sb->rblocks)
		return "realtime devices are not supported";
	if (!sb->logstart)
		return "external logs are not supported";
	return NULL;
}

bool xfs_fsb_ok(const struct xfs_sb *sb, u64 fsb, u64 count)
{
	u64 agno = fsb >> sb->agblklog;
	u32 agb = xfs_fsb_agb(sb, fsb), blocks;

	if (agno >= READ_ONCE(sb->agcount) || !count)
		return false;
	blocks = xfs_ag_blocks(sb, (u32)agno);
	/* The first blocks hold the headers: four sectors. */
	return agb >= (4u * sb->sectsize + sb->blocksize - 1) >> sb->blocklog && agb < blocks &&
	       count <= blocks - agb;
}

bool xfs_ino_ok(const struct xfs_sb *sb, u64 ino)
{
	u64 agno = ino >> (sb->agblklog + sb->inopblog);

	return agno < sb->agcount && xfs_fsb_ok(sb, ino >> sb->inopblog, 1);
}

u32 xfs_cluster_blocks(const struct xfs_sb *sb)
{
	u32 bytes = 8192u * (sb->inodesize / 256);

	if (sb->inoalignmt < bytes >> sb->blocklog)
		bytes = 8192;
	/* Without alignment only a block is known to be of one chunk. */
	return sb->inoalignmt < bytes >> sb->blocklog ? 1 : max(bytes >> sb->blocklog, 1u);
}

u64 xfs_cluster_of(const struct xfs_sb *sb, u64 ino, u32 *blocks, u32 *off)
{
	u64 fsb = ino >> sb->inopblog;
	u32 skip;

	*blocks = xfs_cluster_blocks(sb);
	skip = xfs_fsb_agb(sb, fsb) % *blocks;
	*off = (skip << sb->blocklog) + (u32)((ino & ((1u << sb->inopblog) - 1)) << sb->inodelog);
	return fsb - skip;
}
