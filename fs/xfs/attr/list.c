// SPDX-License-Identifier: MIT
/* Lists of attributes in parts (attr.h). */
#include "fs/xfs/attr/attr.h"
#include <abi/errno.h>

enum { IN_INODE = 1, IN_BLOCKS };

struct listing {
	struct xfs_attr_pos *pos;
	u32 skip; /* that were given, of this hash */
	xfs_attr_fn give;
	void *ctx;
};

static bool list_one(void *arg, const struct xfs_attr *a)
{
	struct listing *l = arg;
	u32 hash = l->pos->form == IN_BLOCKS ? a->hash : 0;

	if (hash != l->pos->hash) {
		l->pos->hash = hash;
		l->pos->nr = 0;
		l->skip = 0;
	}
	if (l->skip) {
		l->skip--;
		return true;
	}
	if (!l->give(l->ctx, a))
		return false;
	l->pos->nr++;
	return true;
}

int xfs_attr_list(struct inode *inode, struct xfs_attr_pos *pos, xfs_attr_fn give, void *ctx)
{
	struct listing l = { .pos = pos, .give = give, .ctx = ctx };
	u32 form;
	int e;

	if (pos->zero || pos->form > IN_BLOCKS || (!pos->form && (pos->hash || pos->nr)))
		return -EINVAL;
	xfs_read_lock(inode);
	form = xfs_node_of(inode)->core.aformat == XFS_FMT_LOCAL ? IN_INODE : IN_BLOCKS;
	if (pos->form != form)
		*pos = (struct xfs_attr_pos){ .form = form };
	l.skip = pos->nr;
	e = xfs_attr_walk_from(&XFS_M(inode->i_sb)->fs.vol, xfs_node_of(inode), pos->hash, list_one,
			       &l);
	xfs_read_unlock(inode);
	return e;
}
