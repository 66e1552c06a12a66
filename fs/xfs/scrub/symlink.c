// SPDX-License-Identifier: MIT
/* Targets of symbolic links. */
#include "fs/xfs/scrub/scrub.h"
#include <alloc/slab.h>

#define TARGET_MOST 1024u

int xfs_scrub_symlink(struct xfs_scrub *sc)
{
	const struct xfs_node *n = xfs_scrub_node(sc);
	char *buf;
	int e;

	if (!S_ISLNK(xfs_scrub_node(sc)->core.mode))
		return -ENOENT;
	if (!n->core.size || n->core.size > TARGET_MOST)
		return -XFS_CORRUPT;
	buf = kmalloc(TARGET_MOST, GFP_NOFS);
	if (!buf)
		return -ENOMEM;
	e = xfs_symlink_read(sc->vol, n, buf);
	kfree(buf);
	return e;
}
