/* SPDX-License-Identifier: MIT */
/*
 * Fault injection (debug build): places where something may fail ask whether it is to fail now. Who asks for it says so in debugfs
 * (/sys/kernel/debug/failslab and its kin) or of one task (/proc/PID/fail-nth).
 */
#pragma once

#include <lib/types.h>

#ifdef CONFIG_FAULT_INJECTION
/* A copy from or to user memory is to fail. */
bool fault_usercopy(void);
/* A transfer of BYTES from or to a disk that may fail is to. OP: 0 reads, 1 writes, 2 discards, 3 flushes. */
bool fault_make_request(size_t bytes, unsigned int op);
#else
static inline bool fault_usercopy(void) { return false; }
#endif
