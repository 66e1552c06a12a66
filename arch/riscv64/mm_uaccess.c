// SPDX-License-Identifier: MIT
/* Atomic steps on user words. */
#include <arch/uaccess.h>
#include <abi/errno.h>
#include "arch/riscv64/rv_priv.h"

int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new)
{
	register long err __asm__("a0") = 0;
	u32 was = 0;
	unsigned long failed;

	if (!access_ok(p, 4))
		return -EFAULT;
	arch_user_access_begin();
	__asm__ volatile("1: lr.w.aqrl %1, (%3)\n"
			 "   bne %1, %z4, 3f\n"
			 "2: sc.w.rl %2, %z5, (%3)\n"
			 "   bnez %2, 1b\n"
			 "3: fence rw, rw\n"
			 "4:\n" EXTABLE(1b, 4b, EX_EFAULT) EXTABLE(2b, 4b, EX_EFAULT)
			 : "+r"(err), "+&r"(was), "=&r"(failed) : "r"(p.addr), "rJ"((long)(s32)expect), "rJ"(new) : "memory");
	arch_user_access_end();
	*old = was;
	return (int)err;
}

/* One instruction each: OP is one of the A extension's. */
#define USER_AMO(op, operand)								\
	__asm__ volatile("1: " op ".aqrl %1, %z2, (%3)\n2:\n" EXTABLE(1b, 2b, EX_EFAULT)	\
			 : "+r"(err), "+&r"(was) : "rJ"((u32)(operand)), "r"(p.addr) : "memory")

int arch_user_atomic_u32(struct uptr p, enum user_atomic op, u32 operand, u32 *old)
{
	register long err __asm__("a0") = 0;
	u32 was = 0;

	if (!access_ok(p, 4))
		return -EFAULT;
	arch_user_access_begin();
	switch (op) {
	case USER_ATOMIC_SET: USER_AMO("amoswap.w", operand); break;
	case USER_ATOMIC_ADD: USER_AMO("amoadd.w", operand); break;
	case USER_ATOMIC_OR: USER_AMO("amoor.w", operand); break;
	case USER_ATOMIC_ANDN: USER_AMO("amoand.w", ~operand); break;
	case USER_ATOMIC_XOR: USER_AMO("amoxor.w", operand); break;
	default: err = -ENOSYS;
	}
	arch_user_access_end();
	if (!err)
		*old = was;
	return (int)err;
}
