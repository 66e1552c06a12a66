/* SPDX-License-Identifier: MIT */
/* The words of one object, embedded in it; zeroes: nothing is known. Pure: tx/ has AGs. */
#pragma once

#include "fs/xfs/format/sick.h"
#include <lib/list.h>

struct xfs_marks {
	u32 sick;			/* health->lock, all three: XFS_SICK_* */
	u32 checked;			/* that a check has looked at, whatever it found */
	s64 since;   /* s of real time: the first of SICK was found; 0: SICK is 0 */
	/* Of repairs by the kernel's own thread (todo.h); health->lock, all. */
	u32 met;			/* of SICK: met at work */
	u32 said;			/* of MET: the log has it */
	u32 tries;			/* of each part of MET two bits: failures; 3: given up */
	u32 domain;			/* enum xfs_domain and number, while it is queued */
	u64 who;
	struct list_head todo;		/* NULL or empty: in no queue */
};
