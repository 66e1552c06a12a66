// SPDX-License-Identifier: MIT
/* rseq(2) at the edge. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <proc/rseq.h>
#include <abi/errno.h>
#include <linux/rseq.h>

long sys_rseq(struct uptr area, unsigned int len, int flags, unsigned int sig)
{
	if (flags & ~RSEQ_FLAG_UNREGISTER)
		return -EINVAL;
	return flags ? rseq_unregister(area, len, sig) : rseq_register(area, len, sig);
}
