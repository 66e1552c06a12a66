/* SPDX-License-Identifier: MIT */
/* Between packet.c (heads), pieces.c (payload) and recycle.c (where both come from). */
#pragma once

#include <net/packet.h>

/* The memory of a head, of unknown content; NULL. */
struct packet *packet_head_get(gfp_t gfp) __must_check;
void packet_head_put(struct packet *p);

/*
 * The last N linear bytes, which are payload, become the first piece. It counts as part of the
 * head, where it was: P may be charged. False: no memory or no room for a piece. Atomic.
 */
bool packet_spill(struct packet *p, u16 n) __must_check;

#define SHARE_ALIGN 64
/*
 * At most WANT bytes of this CPU's page share: the page, referenced for the caller, with *OFF and
 * *LEN of what is his (LEN > 0). WANT is rounded up to SHARE_ALIGN for what the share counts:
 * packet_share(). NULL: no memory.
 */
struct page *packet_share_get(u32 want, u32 *off, u32 *len, gfp_t gfp) __must_check;
static inline u32 packet_share(u32 len)
{
	return (len + SHARE_ALIGN - 1) & ~(u32)(SHARE_ALIGN - 1);
}

/*
 * The pieces from KEEP on are P's no more; len and truesize follow. SHARES: what they counted for.
 */
void packet_drop_pieces(struct packet *p, unsigned int keep);
