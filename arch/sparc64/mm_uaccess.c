// SPDX-License-Identifier: MIT
/* Atomic steps on user words. */
#include <arch/uaccess.h>
#include <abi/errno.h>
#include "arch/sparc64/sparc_priv.h"

int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new)
{
	register long err __asm__("g1") = 0;
	u32 was = new;

	if (!access_ok(p, 4))
		return -EFAULT;
	__asm__ volatile("   membar #StoreLoad\n"
			 "1: casa [%2] 0x11, %3, %1\n"
			 "2: membar #StoreLoad | #StoreStore\n" EXTABLE(1b, 2b, EX_EFAULT)
			 : "+r"(err), "+r"(was) : "r"(p.addr), "r"(expect) : "memory");
	*old = was;
	return (int)err;
}
