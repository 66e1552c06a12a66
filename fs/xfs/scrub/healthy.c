// SPDX-License-Identifier: MIT
/*
 * Is anything known to be damaged? A program asks that when it has checked all; if not, what is
 * only known of inodes in general is forgotten.
 */
#include "fs/xfs/scrub/scrub.h"

#define OF_FS                                                                                  \
	(XFS_SICK_COUNTERS | XFS_SICK_UQUOTA | XFS_SICK_GQUOTA | XFS_SICK_PQUOTA |             \
	 XFS_SICK_QUOTACHECK | XFS_SICK_NLINKS)
#define OF_AG                                                                                  \
	(XFS_SICK_AG_SB | XFS_SICK_AG_AGF | XFS_SICK_AG_AGFL | XFS_SICK_AG_AGI |               \
	 XFS_SICK_AG_BNOBT | XFS_SICK_AG_CNTBT | XFS_SICK_AG_INOBT | XFS_SICK_AG_FINOBT |      \
	 XFS_SICK_AG_RMAPBT | XFS_SICK_AG_REFCNTBT)

int xfs_scrub_healthy(struct xfs_scrub *sc)
{
	struct xfs_health *h = &sc->mp->health;
	u32 ags = smp_load_acquire(&sc->mp->fs.vol.sb.agcount);
	struct xfs_ag_marks ag;

	if (xfs_health_of(h, &h->fs).sick & OF_FS)
		xfs_scrub_bad(sc);
	for (u32 i = 0; i < ags; i++)
		if (xfs_ag_marks(sc->mp, i, &ag) && xfs_health_of(h, ag.marks).sick & OF_AG)
			xfs_scrub_bad(sc);
	for (u32 i = 0; !xfs_scrub_is_bad(sc) && i < ags; i++)
		if (xfs_ag_marks(sc->mp, i, &ag))
			xfs_mark_ag(h, &ag, XFS_MARK_HEALTHY, XFS_SICK_AG_INODES);
	return 0;
}
