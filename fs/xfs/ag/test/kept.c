// SPDX-License-Identifier: MIT
/* What each AG of an image should keep, a line each: kept IMAGE. */
#include <stdio.h>
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/tx/test/memtx.h"

int main(int argc, char **argv)
{
	struct xfs_fs *fs = memtx_open(argv[argc - 1]);

	for (u32 i = 0; i < fs->vol.sb.agcount; i++) {
		u32 rmap, other;

		xfs_ag_kept_of(&fs->vol.sb, i, &rmap, &other);
		printf("%u %u %u\n", i, rmap, other);
	}
	memtx_close(fs);
	return 0;
}
