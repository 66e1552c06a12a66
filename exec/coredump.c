// SPDX-License-Identifier: MIT
/* Core files (core(5)): none is written, and the wait status says so. */
#include <lib/types.h>
#include <proc/upcalls.h>

bool do_coredump(int sig)
{
	return false;
}
