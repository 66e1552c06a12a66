// SPDX-License-Identifier: MIT
/*
 * The two files that say what of a realtime section is free. Without one they are there, and empty:
 * what is checked is the inode of each and its extents.
 */
#include "fs/xfs/scrub/scrub.h"

static int check_as(struct xfs_scrub *sc, u32 type)
{
	u32 own = sc->req->type;
	int e;

	sc->req->type = type;
	e = xfs_scrub_check_all(sc);
	sc->req->type = own;
	return e;
}

int xfs_scrub_rt_file(struct xfs_scrub *sc)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u64 ino = sc->req->type == XFS_SCRUB_RTBITMAP ? sb->rbmino : sb->rsumino, size;
	struct xfs_lino *li = xfs_lino_get(sc->mp, ino);
	bool reg;
	int e;

	if (IS_ERR(li))
		return PTR_ERR(li) == -ESTALE ? -XFS_CORRUPT : (int)PTR_ERR(li);
	sc->li = li;
	e = xfs_scrub_make_volume(sc);
	if (e)
		return e;
	if (down_read_killable(&li->lock))
		return -EINTR;
	reg = S_ISREG(li->ip.node.core.mode);
	size = li->ip.node.core.size;
	up_read(&li->lock);
	if (!reg || size & (sb->blocksize - 1)) {
		xfs_scrub_bad(sc);
		return 0;
	}
	e = check_as(sc, XFS_SCRUB_INODE);
	return e || xfs_scrub_is_bad(sc) ? e : check_as(sc, XFS_SCRUB_BMBTD);
}
