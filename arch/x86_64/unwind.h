/* SPDX-License-Identifier: MIT */
/* Where a function keeps what its caller needs, by the table that tools/mkunwind.py made. */
#pragma once

#include <lib/types.h>

#ifdef CONFIG_UNWIND_TABLE
struct unwind_state {
	u16 cfa;	/* the caller's stack pointer: this far above rsp, or above rbp where bit 0 is set */
	u16 rbp;	/* the caller's rbp: this far below that; 0: in rbp */
};

/* The state before the instruction at IP runs. False: the table does not know. *ASSEMBLY: no compiled code. */
bool x86_unwind_find(unsigned long ip, struct unwind_state *s, bool *assembly);
#endif
