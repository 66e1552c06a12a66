// SPDX-License-Identifier: MIT
/* Atomic steps on user words. */
#include <arch/uaccess.h>
#include <abi/errno.h>

int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new)
{
	int err = 0;
	u32 was = expect;

	if (!access_ok(p, 4))
		return -EFAULT;
	/* rax is the compared value, so the fault cannot be told there: it sets edx through the fix-up's path. */
	arch_user_access_begin();
	__asm__ volatile("1: lock; cmpxchgl %3, (%2)\n"
			 "   jmp 3f\n"
			 "2: movl $-14, %1\n"
			 "3:\n" EXTABLE(1b, 2b, EX_JUMP)
			 : "+a"(was), "+r"(err) : "r"(p.addr), "r"(new) : "memory", "cc");
	arch_user_access_end();
	*old = was;
	return err;
}
