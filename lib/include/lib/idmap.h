/* SPDX-License-Identifier: MIT */
/* The ids of a user namespace as those of its parent, in pieces. */
#pragma once

#include <lib/types.h>

#define UID_GID_MAP_MAX_EXTENTS 340

struct uid_gid_extent {
	u32 first, lower_first, count;
};

/*
 * Decodes a map's text, which is written over, into EXT, room for UID_GID_MAP_MAX_EXTENTS: at least one piece, in order of first, none
 * empty, none beyond 2^32 - 1, no two that overlap on either side. 0 or -EINVAL.
 */
int idmap_parse(char *text, struct uid_gid_extent *ext, u32 *nr);
