// SPDX-License-Identifier: MIT
/* Atomic steps on user words where the CPU has no instructions of its own for them. */
#include <arch/uaccess.h>
#include <abi/errno.h>

int arch_user_atomic_u32(struct uptr p, enum user_atomic op, u32 operand, u32 *old)
{
	u32 cur, new, was;
	int err = arch_get_user_4(&cur, p);

	while (!err) {
		switch (op) {
		case USER_ATOMIC_SET: new = operand; break;
		case USER_ATOMIC_ADD: new = cur + operand; break;
		case USER_ATOMIC_OR: new = cur | operand; break;
		case USER_ATOMIC_ANDN: new = cur & ~operand; break;
		case USER_ATOMIC_XOR: new = cur ^ operand; break;
		default: return -ENOSYS;
		}
		err = arch_user_cmpxchg_u32(p, &was, cur, new);
		if (err)
			break;
		if (was == cur) {
			*old = cur;
			break;
		}
		cur = was;
	}
	return err;
}
