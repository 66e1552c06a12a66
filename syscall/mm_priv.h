// SPDX-License-Identifier: MIT
#pragma once
#include <lib/types.h>

/* Node masks of the policy calls (syscall/mm.c): one node, so only bit 0 may be set. 0 or -errno. */
long mm_read_nodes(struct uptr nmask, unsigned long maxnode, unsigned long *nodes);
