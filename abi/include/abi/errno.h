/* SPDX-License-Identifier: MIT */
/* The error numbers of the user ABI, and those that never leave the kernel. */
#pragma once

#ifdef __KERNEL_OCHRE__
#include <asm/errno.h>
#else
#include <errno.h>
#endif

/* How a system call that a signal interrupted asks to be started again (signal(7)). */
#define ERESTARTSYS 512			/* if SA_RESTART, else EINTR */
#define ERESTARTNOINTR 513		/* always */
#define ERESTARTNOHAND 514		/* only if no handler ran */
#define ENOIOCTLCMD 515			/* no such ioctl here: ENOTTY */
#define ERESTART_RESTARTBLOCK 516	/* through restart_syscall */
#define EPROBE_DEFER 517
#define EOPENSTALE 518
#define ENOPARAM 519
#define ENOTSUPP 524
#define EIOCBQUEUED 529
