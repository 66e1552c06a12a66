// SPDX-License-Identifier: MIT
/*
 * Shadow stacks where the CPU has none that the kernel uses: the requests of prctl(2) are not
 * known, and no memory is had for one. proves: map_shadow_stack prctl
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include "t.h"

#ifndef PR_GET_SHADOW_STACK_STATUS
#define PR_GET_SHADOW_STACK_STATUS 74
#define PR_SET_SHADOW_STACK_STATUS 75
#define PR_LOCK_SHADOW_STACK_STATUS 76
#endif

#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv)
#define NO_MEMORY EOPNOTSUPP		/* some CPU of the kind has them */
#else
#define NO_MEMORY ENOSYS
#endif

TEST(no_shadow_stacks)
{
	unsigned long v = 7;

	ERR(prctl(PR_GET_SHADOW_STACK_STATUS, &v, 0, 0, 0), EINVAL);
	/* before the address is looked at */
	ERR(prctl(PR_GET_SHADOW_STACK_STATUS, 1, 0, 0, 0), EINVAL);
	ERR(prctl(PR_GET_SHADOW_STACK_STATUS, &v, 1, 0, 0), EINVAL);
	ERR(prctl(PR_SET_SHADOW_STACK_STATUS, 1, 0, 0, 0), EINVAL);
	ERR(prctl(PR_SET_SHADOW_STACK_STATUS, 0, 0, 0, 0), EINVAL);
	ERR(prctl(PR_SET_SHADOW_STACK_STATUS, 1UL << 63, 0, 0, 0), EINVAL);
	ERR(prctl(PR_LOCK_SHADOW_STACK_STATUS, 1, 0, 0, 0), EINVAL);
	ERR(prctl(PR_LOCK_SHADOW_STACK_STATUS, 0, 0, 0, 0), EINVAL);
	EQ(v, 7);
	ERR(syscall(SYS_map_shadow_stack, 0, PAGE, 0), NO_MEMORY);
	ERR(syscall(SYS_map_shadow_stack, 1, 0, ~0U), NO_MEMORY);
}
