// SPDX-License-Identifier: MIT
#pragma once
/* Who may look into or control another process (ptrace(2), "Ptrace access mode checking"). */
#include <lib/types.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <proc/signal.h>

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

/* May the running task do this to TASK? True says nothing of the next program that TASK executes: to take something, begin. */
bool ptrace_may_access(struct task *task, unsigned int mode);
/*
 * 0 when it may: TASK keeps its program, memory, descriptors and credentials until ptrace_end_access(). -EPERM; -EINTR when the
 * running task is killed meanwhile. Sleeps; take no more than references inside.
 */
int __must_check ptrace_begin_access(struct task *task, unsigned int mode);
void ptrace_end_access(struct task *task);
/* Both processes at one moment. */
int __must_check ptrace_begin_access_both(struct task *a, struct task *b, unsigned int mode);
void ptrace_end_access_both(struct task *a, struct task *b);
/* Its address space, referenced, if it may; NULL when there is none (any more), whoever asks. Else ERR_PTR as above. */
struct mm *ptrace_get_mm(struct task *task, unsigned int mode);

/* ---- a traced task ---- */

struct pid;
struct siginfo;
struct pt_regs;

/* task->ptrace: 0, or PT_PTRACED with the options of PTRACE_SETOPTIONS from PT_OPT_SHIFT on. */
#define PT_PTRACED 1u
#define PT_SEIZED 2u
#define PT_OPT_SHIFT 2

/* Whose the private files of TASK in /proc are: the root of its namespace, for what is not dumpable or has ended. Else as they are. */
void proc_private_owner(struct task *task, kuid_t *uid, kgid_t *gid);
struct user_namespace;
/* Had who began to trace TASK CAP_SYS_PTRACE over NS then? True without a tracer. */
bool ptracer_capable(struct task *task, struct user_namespace *ns);

/* Reports EVENT if the tracer asked for it; sleeps until it says to go on. */
void ptrace_event(int event, unsigned long message);
void ptrace_event_pid(int event, struct pid *pid);
bool ptrace_event_enabled(const struct task *t, int event);
/* siglock held, released while stopped: the task stops for its tracer with CODE; what the tracer says instead. */
int ptrace_stop(int code, int why, unsigned long message, struct siginfo *info) __must_hold(me->sighand->siglock);
/* A stop that is no signal: CODE in wait status form's upper part. */
int ptrace_notify(int code, unsigned long message);
/* siglock held: stops that others asked for (jobctl). */
void ptrace_do_trap(void);
/* siglock held, released inside: the tracer sees SIG first. The signal to take instead; 0: none. */
int ptrace_signal(int sig, struct siginfo *info);
/* The two stops of a system call. The first: false when the call is not to be made. */
bool ptrace_syscall_entry(struct pt_regs *regs);
void ptrace_syscall_exit(struct pt_regs *regs);
/* siglock held: T is to look at its group's stop or go anew. */
void ptrace_trap_notify(struct task *t);
/* Whoever attaches to T and waits for its stop need not: it stands, or ends. */
void ptrace_done_trapping(struct task *t);

/* tasklist_lock write-held. A new child of a traced task is traced too. */
void ptrace_child(struct task *child);
/* The tracer ends: its tracees go free; those to be released are put on DEAD by ptrace_entry. */
/* Some of its tracees; those on DEAD are to be released. False: there are more. */
bool ptrace_exit_some(struct task *tracer, struct list_head *dead);
void ptrace_unlink(struct task *t);
static inline bool ptrace_reparented(const struct task *t)
{
	return task_real_parent(t)->signal != task_parent(t)->signal;
}

/* ptrace(2) on CHILD, which is referenced. */
struct uptr;
long ptrace_attach(struct task *child, long request, unsigned long options);
long ptrace_traceme(void);
long ptrace_request(struct task *child, long request, unsigned long addr, unsigned long data);
