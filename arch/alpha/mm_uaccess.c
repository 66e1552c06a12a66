// SPDX-License-Identifier: MIT
/* Atomic steps on user words. */
#include <arch/uaccess.h>
#include <abi/errno.h>
#include "arch/alpha/alpha_priv.h"

int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new)
{
	register long err __asm__("$0") = 0;
	u32 was = 0, stored;

	if (!access_ok(p, 4))
		return -EFAULT;
	__asm__ volatile("   mb\n"
			 "1: ldl_l %1, 0(%3)\n"
			 "   cmpeq %1, %4, %2\n"
			 "   beq %2, 3f\n"
			 "   mov %5, %2\n"
			 "2: stl_c %2, 0(%3)\n"
			 "   beq %2, 1b\n"
			 "3: mb\n"
			 "4:\n" EXTABLE(1b, 4b, EX_EFAULT) EXTABLE(2b, 4b, EX_EFAULT)
			 : "+r"(err), "+&r"(was), "=&r"(stored) : "r"(p.addr), "r"((long)(s32)expect), "r"(new) : "memory");
	*old = was;
	return (int)err;
}
