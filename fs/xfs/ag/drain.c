// SPDX-License-Identifier: MIT
/* Pending work of AGs (drain.h). */
#include "fs/xfs/ag/drain.h"

void xfs_pending_begin(struct xfs_pending *p, struct xfs_fs *fs, u64 fsb)
{
	u32 agno = xfs_fsb_ag(&fs->vol.sb, fsb);

	*p = (struct xfs_pending){ 0 };
	/* A log may say anything. */
	if (agno >= fs->vol.sb.agcount || fsb >> fs->vol.sb.agblklog != agno)
		return;
	p->fs = fs;
	p->ag = xfs_ag_of(fs, agno);
	__atomic_fetch_add(&p->ag->pending, 1, __ATOMIC_RELAXED);
}

void xfs_pending_end(struct xfs_pending *p)
{
	if (!p->ag)
		return;
	if (!__atomic_sub_fetch(&p->ag->pending, 1, __ATOMIC_SEQ_CST) && p->fs->drained)
		p->fs->drained(p->fs);
	p->ag = NULL;
}
