// SPDX-License-Identifier: MIT
/* vhangup(2): the caller's terminal is taken from everybody, so that a new login has it alone. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <proc/cred.h>
#include <tty/tty.h>
#include <abi/errno.h>
#include <linux/capability.h>

long sys_vhangup(void)
{
	struct tty *t;

	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	t = get_current_tty();
	if (t) {
		tty_hangup(t);
		tty_put(t);
	}
	return 0;
}
