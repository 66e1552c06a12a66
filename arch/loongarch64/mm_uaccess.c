// SPDX-License-Identifier: MIT
/* Atomic steps on user words. */
#include <arch/uaccess.h>
#include <abi/errno.h>
#include "arch/loongarch64/la64_priv.h"

int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new)
{
	register long err __asm__("$a0") = 0;
	u32 was = 0, stored;

	if (!access_ok(p, 4))
		return -EFAULT;
	__asm__ volatile("   dbar 0\n"
			 "1: ll.w %1, %3, 0\n"
			 "   bne %1, %4, 3f\n"
			 "   move %2, %5\n"
			 "2: sc.w %2, %3, 0\n"
			 "   beqz %2, 1b\n"
			 "3: dbar 0\n"
			 "4:\n" EXTABLE(1b, 4b, EX_EFAULT) EXTABLE(2b, 4b, EX_EFAULT)
			 : "+r"(err), "+&r"(was), "=&r"(stored) : "r"(p.addr), "r"((long)(s32)expect), "r"(new) : "memory");
	*old = was;
	return (int)err;
}
