/* SPDX-License-Identifier: MIT */
/* POSIX timers (timer_create(2)) of the running process. */
#pragma once

#include <lib/types.h>
#include <proc/signal.h>

struct posix_timer;

struct posix_timer_spec {
	s64 value_ns, interval_ns;	/* value 0: off */
};

/* CLOCK as in clock_gettime(2). The number, -EINVAL, -EAGAIN, -EOPNOTSUPP, -EPERM, -ENOMEM. SE: NULL for SIGALRM with the number. */
int posix_timer_create(clockid_t clock, const struct sigevent *se);
/* -EINVAL: no such timer. */
int posix_timer_set(int id, bool absolute, const struct posix_timer_spec *n, struct posix_timer_spec *old);
int posix_timer_get(int id, struct posix_timer_spec *out);
int posix_timer_overrun(int id);
int posix_timer_remove(int id);
/*
 * Sleeps until the processor-time CLOCK has counted NS more, or, ABSOLUTE, says NS. 0; -EINVAL: no such clock, or the caller's own
 * thread's, which stands still meanwhile; -EINTR: a signal, and *WHEN is what the clock was to say.
 */
int posix_cpu_sleep(clockid_t clock, bool absolute, s64 ns, s64 *when);
/* What CLOCK says now. -EINVAL: there is none such. */
int posix_cpu_now(clockid_t clock, s64 *now);
/* siglock held, the process's last task goes: who sleeps by its time is in no tree any more. */
void posix_sleepers_leave(struct signal_struct *s);
/* All of the process go: exit, exec. */
void posix_timers_drop_all(struct signal_struct *s);
/* The tick: those that count processor time. Interrupts off, T is current. */
void posix_timers_tick(struct task *t);
/* siglock held. The timer's signal is being taken: the next one may come; INFO gets its overrun count. */
void posix_timer_taken(struct posix_timer *p, struct siginfo *info);
/* siglock held. The timer's signal was thrown away unseen (it is ignored now). */
void posix_timer_discarded(struct posix_timer *p);
