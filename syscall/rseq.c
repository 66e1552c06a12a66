// SPDX-License-Identifier: MIT
/* rseq(2) and rseq_slice_yield(2) at the edge. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <proc/rseq.h>
#include <abi/errno.h>
#include <linux/rseq.h>

long sys_rseq(struct uptr area, unsigned int len, int flags, unsigned int sig)
{
	if (flags & RSEQ_FLAG_UNREGISTER)
		return flags & ~RSEQ_FLAG_UNREGISTER ? -EINVAL : rseq_unregister(area, len, sig);
	if (flags & ~RSEQ_FLAG_SLICE_EXT_DEFAULT_ON)
		return -EINVAL;
	return rseq_register(area, len, sig, flags & RSEQ_FLAG_SLICE_EXT_DEFAULT_ON);
}

long sys_rseq_slice_yield(void) { return rseq_slice_yielded(); }
