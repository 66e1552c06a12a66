/* SPDX-License-Identifier: MIT */
/* Sets of signals by what they do (signal(7)), and job control's per-thread state. */
#pragma once

#include <lib/types.h>
#include <linux/signal.h>

static inline u64 sigmask_of(int sig) { return 1ULL << (sig - 1); }
#define __S(s) (1ULL << ((s) - 1))
#define SIG_STOP_SET (__S(SIGSTOP) | __S(SIGTSTP) | __S(SIGTTIN) | __S(SIGTTOU))
#define SIG_DEFAULT_IGNORE (__S(SIGCONT) | __S(SIGCHLD) | __S(SIGWINCH) | __S(SIGURG))
#define SIG_COREDUMP_SET (__S(SIGQUIT) | __S(SIGILL) | __S(SIGTRAP) | __S(SIGABRT) | __S(SIGFPE) | __S(SIGSEGV) | \
	__S(SIGBUS) | __S(SIGSYS) | __S(SIGXCPU) | __S(SIGXFSZ))
#define SIG_SYNCHRONOUS (__S(SIGSEGV) | __S(SIGBUS) | __S(SIGILL) | __S(SIGTRAP) | __S(SIGFPE) | __S(SIGSYS))

#define JOBCTL_STOP_SIGMASK 0xffffUL
#define JOBCTL_STOP_DEQUEUED (1UL << 16)
#define JOBCTL_STOP_PENDING (1UL << 17)
#define JOBCTL_STOP_CONSUME (1UL << 18)
#define JOBCTL_TRAP_STOP (1UL << 19)	/* ptrace.c */
#define JOBCTL_TRAP_NOTIFY (1UL << 20)
#define JOBCTL_TRAPPING (1UL << 21)	/* a tracer waits for it to be traced */
#define JOBCTL_LISTENING (1UL << 22)	/* stopped, but the tracer is told of its group */
#define JOBCTL_FROZEN (1UL << 23)	/* the tracer works on it: nothing wakes it */
#define JOBCTL_TRAP_MASK (JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY)
#define JOBCTL_PENDING_MASK (JOBCTL_STOP_PENDING | JOBCTL_TRAP_MASK)

struct task;
struct siginfo;
/* siglock held. True when T was the last to stop, so the parent is to be told. */
bool task_participate_group_stop(struct task *t);
int dequeue_signal_unblocked(struct siginfo *info);
int kill_everybody(int sig, struct siginfo *info);
