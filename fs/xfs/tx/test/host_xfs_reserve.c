// SPDX-License-Identifier: MIT
/* sources: fs/xfs/tx/reserve.c */
/*
 * Reservations of all geometries that mkfs.xfs makes: each holds what it must at least, grows with
 * what it is made of, and the largest fits into mkfs's smallest log with room for others.
 */
#include <assert.h>
#include <stdio.h>
#include "fs/xfs/tx/reserve.h"

static struct xfs_sb make(u32 blocklog, u32 sectlog, u32 agblocks, u32 ro, u32 in)
{
	return (struct xfs_sb){ .blocksize = 1u << blocklog,
				.blocklog = (u8)blocklog,
				.sectsize = 1u << sectlog,
				.sectlog = (u8)sectlog,
				.inodesize = 512,
				.inodelog = 9,
				.inopblog = (u8)(blocklog - 9),
				.dirblksize = blocklog < 12 ? 4096 : 1u << blocklog,
				.agblocks = agblocks,
				.ro_compat = ro,
				.incompat = in };
}

static u32 largest(const struct xfs_reserve *r)
{
	u32 most = 0;

	for (u32 i = 0; i < XFS_RES_KINDS; i++) {
		assert(r[i].bytes && r[i].count);
		most = r[i].bytes > most ? r[i].bytes : most;
	}
	return most;
}

int main(void)
{
	struct xfs_reserve plain[XFS_RES_KINDS], full[XFS_RES_KINDS];

	for (u32 blocklog = 10; blocklog <= 12; blocklog++)
		for (u32 agblocks = 4096; agblocks <= 1u << 28; agblocks *= 4) {
			struct xfs_sb a = make(blocklog, 9, agblocks, 0, 0),
				      b = make(blocklog, 12, agblocks, XFS_RO_KNOWN, XFS_IN_KNOWN);
			struct xfs_heights h;

			xfs_heights_of(&b, &h);
			assert(h.alloc && h.ino && h.rmap && h.refc && h.alloc < 9 && h.data <= 9);
			xfs_reserve_of(&a, plain);
			xfs_reserve_of(&b, full);
			for (u32 i = 0; i < XFS_RES_KINDS; i++)
				assert(plain[i].bytes <= full[i].bytes);
			/*
			 * mkfs's smallest log is 5 MiB where it makes it itself, half of it at
			 * once.
			 */
			assert(largest(full) * 3ull < 5ull << 20);
		}
	for (u32 i = 0; i < XFS_RES_KINDS; i++)
		printf("%u: %u x %u\n", i, full[i].bytes, full[i].count);
	return 0;
}
