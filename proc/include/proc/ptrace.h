// SPDX-License-Identifier: MIT
#pragma once
/* Who may look into or control another process (ptrace(2), "Ptrace access mode checking"). */
#include <lib/types.h>

struct task;

#define PTRACE_MODE_READ	0x01u	/* look: /proc/PID, move_pages */
#define PTRACE_MODE_ATTACH	0x02u	/* control: ptrace, process_vm_* */
#define PTRACE_MODE_NOAUDIT	0x04u
#define PTRACE_MODE_FSCREDS	0x08u	/* by the file-system ids: what goes through a file */
#define PTRACE_MODE_REALCREDS	0x10u	/* by the real ids: system calls */
#define PTRACE_MODE_READ_FSCREDS	(PTRACE_MODE_READ | PTRACE_MODE_FSCREDS)
#define PTRACE_MODE_READ_REALCREDS	(PTRACE_MODE_READ | PTRACE_MODE_REALCREDS)
#define PTRACE_MODE_ATTACH_FSCREDS	(PTRACE_MODE_ATTACH | PTRACE_MODE_FSCREDS)
#define PTRACE_MODE_ATTACH_REALCREDS	(PTRACE_MODE_ATTACH | PTRACE_MODE_REALCREDS)

/* May the running task do this to TASK? */
bool ptrace_may_access(struct task *task, unsigned int mode);
