/* SPDX-License-Identifier: MIT */
/* A file's capabilities, as the attribute security.capability holds them (capabilities(7), "File capability extended attribute versioning"). */
#pragma once

#include <lib/types.h>

#define FCAPS_MAX 24u		/* bytes of the longest version */

struct fcaps {
	u64	permitted, inheritable;
	u32	root;		/* version 3: user 0 of the namespaces that they count in; else 0 */
	u8	version;	/* 1 to 3 */
	bool	effective;
};

/* 0; -EINVAL: no version that there is, or not of its length. */
int fcaps_decode(const void *value, size_t size, struct fcaps *out);
/* Version 2 or 3, as it says; the length. */
size_t fcaps_encode(const struct fcaps *c, u8 out[FCAPS_MAX]);
