// SPDX-License-Identifier: MIT
/*
 * Changes of attributes that recovery found begun (fs/xfs/xattr/redo.c has what is done). The inode
 * need not be in the VFS, which would free one without a name as soon as it is done, while other
 * work on it is left.
 */
#include "fs/xfs/super/super.h"
#include "fs/xfs/xattr/xattr.h"
#include <sched/task.h>

/* The item that ends it. */
static void log_end(struct xfs_tx *tx, struct xfs_intent *intent)
{
	struct {
		u16 type, regions;
		u32 pad;
		u64 id;
	} d = { XFS_LI_ATTRD, 1, 0, 0 };

	xfs_tx_done(tx, intent, &d, sizeof(d));
}

/* -EAGAIN: a part was done, in a transaction of its own. */
static int redo_some(struct xfs_mount *mp, struct xfs_lino *li, const struct xfs_lattr *a,
		     struct xfs_intent *intent)
{
	u32 bytes = mp->res[XFS_RES_CHANGE].bytes + 2 * mp->res[XFS_RES_ATTR_SET].bytes;
	struct xfs_tx *tx;
	int e = xfs_trans_begin(mp, bytes, 1, xfs_xattr_redo_room(&mp->fs.vol.sb, a),
				XFS_TX_RESERVE, &tx);
	bool more;

	if (e)
		return e;
	down_write(&li->lock);
	e = xfs_xattr_redo(tx, &li->ip, a);
	more = e == -EAGAIN;
	if (!e)
		log_end(tx, intent);
	e = xfs_end(tx, more ? 0 : e);
	up_write(&li->lock);
	return e ?: more ? -EAGAIN : 0;
}

int xfs_redo_attr(struct xfs_mount *mp, const struct xfs_litem *it, struct xfs_intent *intent)
{
	struct xfs_fault f;
	struct xfs_lattr a;
	struct xfs_lino *li;
	int e = xfs_lattr_get(&mp->fs.vol.sb, it, 0, &a, &f);

	if (e)
		return e;
	li = xfs_lino_get(mp, a.ino);
	if (IS_ERR(li))
		return PTR_ERR(li) == -ESTALE ? -EUCLEAN : (int)PTR_ERR(li);
	do
		e = fatal_signal_pending(current) ? -EINTR : redo_some(mp, li, &a, intent);
	while (e == -EAGAIN);
	xfs_lino_put(li);
	return e;
}
