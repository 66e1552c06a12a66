// SPDX-License-Identifier: MIT
#pragma once
/*
 * Allocation flags: where memory may come from and what the allocator may do to find it.
 * The names and meanings are the ones every Linux kernel programmer knows.
 */
#include <lib/types.h>
#include <lib/compiler.h>

/* gfp_t itself is in lib/types.h */

#define __GFP_DMA		((gfp_t)0x0001)	/* below 16 MiB */
#define __GFP_DMA32		((gfp_t)0x0002)	/* below 4 GiB */
#define __GFP_HIGHMEM		((gfp_t)0x0000)
#define __GFP_MOVABLE		((gfp_t)0x0008)	/* a hint; no effect today */
#define __GFP_HIGH		((gfp_t)0x0010)	/* may use the emergency reserve */
#define __GFP_IO		((gfp_t)0x0020)	/* reclaim may start I/O */
#define __GFP_FS		((gfp_t)0x0040)	/* reclaim may call filesystems */
#define __GFP_ZERO		((gfp_t)0x0080)	/* the memory is zeroed */
#define __GFP_DIRECT_RECLAIM	((gfp_t)0x0100)	/* the caller may sleep and reclaim */
#define __GFP_KSWAPD_RECLAIM	((gfp_t)0x0200)	/* wake kswapd when low */
#define __GFP_NOWARN		((gfp_t)0x0400)	/* failure is expected, stay silent */
#define __GFP_RETRY_MAYFAIL	((gfp_t)0x0800)	/* try hard, but fail rather than kill */
#define __GFP_NOFAIL		((gfp_t)0x1000)	/* never fail; the caller has no way out */
#define __GFP_NORETRY		((gfp_t)0x2000)	/* one light attempt, then fail */
#define __GFP_COMP		((gfp_t)0x4000)	/* order > 0: one folio, tails know the head */
#define __GFP_MEMALLOC		((gfp_t)0x8000)	/* the caller frees memory: all reserves */
#define __GFP_ACCOUNT		((gfp_t)0x10000) /* charge to the current control group */
#define __GFP_WRITE		((gfp_t)0x20000) /* page cache that will be dirtied */
#define __GFP_HARDWALL		((gfp_t)0)
#define __GFP_SKIP_KASAN	((gfp_t)0x40000)

#define __GFP_RECLAIM		(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_ATOMIC		(__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL		(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT		(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO		(__GFP_RECLAIM)
#define GFP_NOFS		(__GFP_RECLAIM | __GFP_IO)
#define GFP_USER		(GFP_KERNEL | __GFP_HARDWALL)
#define GFP_DMA			__GFP_DMA
#define GFP_DMA32		__GFP_DMA32
#define GFP_HIGHUSER		GFP_USER
#define GFP_HIGHUSER_MOVABLE	(GFP_USER | __GFP_MOVABLE)

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}
