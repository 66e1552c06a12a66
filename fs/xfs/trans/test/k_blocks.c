// SPDX-License-Identifier: MIT
/* What a commit logs of a block, while a write of the block ends. */
#include "fs/xfs/trans/priv.h"
#include "fs/xfs/trans/test/ktx.h"
#include <alloc/slab.h>
#include <kernel/ktest.h>

#define REGIONS 8u
#define BYTES 4096u

/*
 * The first and the third chunk were changed, the second is on its way to the disk: one run. It
 * arrives between the commit's asking for the size and its copying: two runs would be one more than
 * there is room for.
 */
KTEST(xfs_trans_write_ends_in_commit)
{
	struct xfs_lvec *lv = kzalloc(sizeof(*lv) + REGIONS * sizeof(lv->r[0]) + BYTES, GFP_KERNEL);
	u32 regions = 0, bytes = 0;
	struct xfs_txbuf *tb;
	struct xfs_bli *bi;
	struct xfs_tx *tx;

	KT_ASSERT(lv);
	KT_ASSERT(ktx_begin());
	KT_EQ(ktx_start(), 0);
	KT_EQ(xfs_trans_begin(ktx_mp, 100000, 1, 0, 0, &tx), 0);
	KT_EQ(ktx_get_block(tx, BLOCKS, 0, &tb), 0);
	xfs_tx_log(tx, tb, 0, 1);
	xfs_tx_log(tx, tb, 2 * XFS_LB_CHUNK, 1);
	bi = xfs_buf_of(tb)->item;
	bi->out[0] = 2;
	WRITE_ONCE(bi->way, XFS_WAY_OUT);
	bi->item.ops->size(&bi->item, &regions, &bytes);
	WRITE_ONCE(bi->way, XFS_WAY_NONE);
	*lv = (struct xfs_lvec){ .item = &bi->item, .max_n = REGIONS, .cap = BYTES };
	lv->r = (void *)(lv + 1);
	lv->data = (u8 *)(lv->r + REGIONS);
	bi->item.ops->format(&bi->item, lv);
	KT_EQ(lv->n, 2);
	KT_EQ(lv->r[1].len, 3 * XFS_LB_CHUNK);
	KT_ASSERT(lv->n <= regions && lv->used <= bytes + 8 * regions);
	kfree(lv);
	KT_EQ(xfs_trans_commit(tx), 0);
	KT_EQ(ktx_stop(), 0);
	ktx_end();
}
