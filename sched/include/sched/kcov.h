/* SPDX-License-Identifier: MIT */
/*
 * Coverage of one task, for fuzzers (debug build): what the compiler's calls write into the area of the running task. The
 * descriptors that hand the area out are fs/kcov.c's.
 */
#pragma once

#include <lib/types.h>

#ifdef CONFIG_KCOV
enum kcov_mode { KCOV_OFF, KCOV_PCS, KCOV_COMPARISONS };

struct kcov_task {
	unsigned int mode;	/* t: enum kcov_mode; the one thing that each call looks at */
	u64 *area;		/* t: the number of entries, then the entries */
	unsigned long words;	/* t: of the area */
	void *owner;		/* t: fs/kcov.c's, which holds the area */
};

/* The running task writes from here on; stops doing so. */
void kcov_start(enum kcov_mode mode, u64 *area, unsigned long words, void *owner);
void kcov_stop(void);
#endif
