// SPDX-License-Identifier: MIT
/* seccomp(2) at the edge. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <mm/uaccess.h>
#include <proc/seccomp.h>
#include <abi/errno.h>
#include <linux/seccomp.h>

/* partial: seccomp: SECCOMP_FILTER_FLAG_NEW_LISTENER (SECCOMP_RET_USER_NOTIF) */
long sys_seccomp(unsigned int op, unsigned int flags, struct uptr args)
{
	u32 action;

	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || !uptr_is_null(args) ? -EINVAL : seccomp_set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return seccomp_set_filter(flags, args);
	case SECCOMP_GET_ACTION_AVAIL:
		if (flags)
			return -EINVAL;
		if (get_user(action, args))
			return -EFAULT;
		return seccomp_knows_action(action) ? 0 : -EOPNOTSUPP;
	}
	return -EINVAL;
}
