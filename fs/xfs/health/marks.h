/* SPDX-License-Identifier: MIT */
/* The words of one object, embedded in it; zeroes: nothing is known. Pure: tx/ has AGs. */
#pragma once

#include "fs/xfs/format/sick.h"

struct xfs_marks {
	u32 sick;			/* health->lock, all three: XFS_SICK_* */
	u32 checked;			/* that a check has looked at, whatever it found */
	s64 since;   /* s of real time: the first of SICK was found; 0: SICK is 0 */
};
