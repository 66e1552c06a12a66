// SPDX-License-Identifier: MIT
/* Signals. proves: rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait
 * rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack kill tkill tgkill pause alarm setitimer getitimer
 * rt_sigreturn restart_syscall */
#include "t.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static volatile int hits, last;
static volatile siginfo_t info;

static void count(int sig)
{
	hits++;
	last = sig;
}

static void with_info(int sig, siginfo_t *si, void *uc)
{
	hits++;
	last = sig;
	*(siginfo_t *)&info = *si;
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	OK(sigaction(sig, &sa, NULL));
}

static void handle_info(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = with_info, .sa_flags = SA_SIGINFO | flags };

	OK(sigaction(sig, &sa, NULL));
}

TEST(delivery)
{
	struct sigaction old;

	handle(SIGUSR1, count, 0);
	OK(raise(SIGUSR1));
	EQ(hits, 1);
	EQ(last, SIGUSR1);
	OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == count);
	ERR(sigaction(SIGKILL, &old, NULL), EINVAL);
	ERR(sigaction(SIGSTOP, &old, NULL), EINVAL);
	ERR(sigaction(65, &old, NULL), EINVAL);
	ERR(kill(getpid(), 65), EINVAL);
	OK(kill(getpid(), 0));
	ERR(kill(999999, 0), ESRCH);
	handle(SIGUSR1, SIG_IGN, 0);
	OK(raise(SIGUSR1));
	EQ(hits, 1);
	handle(SIGUSR1, count, SA_RESETHAND);
	OK(raise(SIGUSR1));
	OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == SIG_DFL);
}

TEST(sender_is_told)
{
	union sigval v = { .sival_int = 4711 };

	handle_info(SIGUSR1, 0);
	OK(kill(getpid(), SIGUSR1));
	EQ(info.si_signo, SIGUSR1);
	EQ(info.si_code, SI_USER);
	EQ(info.si_pid, getpid());
	EQ(info.si_uid, getuid());
	OK(sigqueue(getpid(), SIGUSR1, v));
	EQ(info.si_code, SI_QUEUE);
	EQ(info.si_value.sival_int, 4711);
	OK((int)syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
	EQ(info.si_code, SI_TKILL);
}

/* From outside of its namespace nobody has a number there. */
TEST(sender_outside_the_namespace)
{
	int up[2], status;
	char c;
	pid_t p;

	OK(pipe(up));
	p = OK((pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL));
	if (!p) {
		siginfo_t si;
		sigset_t s;
		int all = 1;

		sigemptyset(&s);
		sigaddset(&s, SIGUSR1);
		sigprocmask(SIG_BLOCK, &s, NULL);
		write(up[1], "x", 1);
		for (int i = 0; i < 3; i++)
			all &= sigwaitinfo(&s, &si) == SIGUSR1 && !si.si_pid &&
			       si.si_uid == getuid() && write(up[1], "x", 1) == 1;
		_exit(!all);
	}
	EQ(read(up[0], &c, 1), 1);
	OK(kill(p, SIGUSR1));
	EQ(read(up[0], &c, 1), 1);
	OK(sigqueue(p, SIGUSR1, (union sigval){ .sival_int = 1 }));
	EQ(read(up[0], &c, 1), 1);
	OK((int)syscall(SYS_tgkill, p, p, SIGUSR1));
	EQ(waitpid(p, &status, 0), p);
	EQ(status, 0);
	close(up[0]);
	close(up[1]);
}

/* What a program may say of a signal that it queues: nothing unknown behind the known forms. */
TEST(queued_info_of_unknown_form)
{
	union {
		siginfo_t si;
		unsigned char b[128];
	} u = { .si = { .si_code = -40, .si_signo = SIGUSR1 } };

	handle_info(SIGUSR1, 0);
	u.b[40] = 17;
	OK((int)syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &u));
	EQ(info.si_code, -40);
	EQ(((volatile unsigned char *)&info)[40], 17);
	u.b[127] = 1;
	ERR((int)syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &u), E2BIG);
	ERR((int)syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &u), E2BIG);
	u.si.si_code = SI_QUEUE;
	OK((int)syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &u));
	EQ(info.si_code, SI_QUEUE);
	EQ(((volatile unsigned char *)&info)[127], 0);
	ERR((int)syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 16), EFAULT);
}

TEST(mask_and_pending)
{
	sigset_t set, old, pend;

	handle(SIGUSR1, count, 0);
	handle(SIGUSR2, count, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	CHECK(!sigismember(&old, SIGUSR1));
	OK(raise(SIGUSR1));
	OK(raise(SIGUSR1));
	EQ(hits, 0);
	OK(sigpending(&pend));
	CHECK(sigismember(&pend, SIGUSR1) && !sigismember(&pend, SIGUSR2));
	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	EQ(hits, 1);				/* a plain signal is pending once */
	sigfillset(&set);
	OK(sigprocmask(SIG_SETMASK, &set, NULL));
	OK(sigprocmask(SIG_SETMASK, NULL, &old));
	CHECK(!sigismember(&old, SIGKILL) && !sigismember(&old, SIGSTOP) &&
	      sigismember(&old, SIGTERM));
	ERR(sigprocmask(99, &set, NULL), EINVAL);
	/* The mask goes over fork, what is pending does not. */
	OK(raise(SIGUSR2));
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(sigpending(&pend));
		CHECK(!sigismember(&pend, SIGUSR2));
		OK(sigprocmask(SIG_SETMASK, NULL, &old));
		CHECK(sigismember(&old, SIGTERM));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

static volatile int order[10], norder;

static void note(int sig)
{
	order[norder++] = sig;
}

TEST(real_time_signals_queue_in_order)
{
	sigset_t set;

	for (int s = 0; s < 3; s++) {
		struct sigaction sa = { .sa_handler = note };

		sigfillset(&sa.sa_mask);
		OK(sigaction(SIGRTMIN + s, &sa, NULL));
	}
	sigfillset(&set);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < 3; i++) {
		OK(raise(SIGRTMIN + 2));
		OK(raise(SIGRTMIN + 1));
	}
	sigemptyset(&set);
	OK(sigprocmask(SIG_SETMASK, &set, NULL));
	EQ(norder, 6);
	for (int i = 0; i < 6; i++)
		EQ(order[i], i < 3 ? SIGRTMIN + 1 : SIGRTMIN + 2);
}

/*
 * More than a few: each number has its own order, whatever stands between; what is ignored goes,
 * the rest stays.
 */
TEST(many_are_queued)
{
	enum { MANY = 600 };
	struct timespec no = { 0, 0 };
	sigset_t all, set, pending;
	siginfo_t si;

	sigfillset(&all);
	OK(sigprocmask(SIG_SETMASK, &all, NULL));
	for (int i = 0; i < MANY; i++)
		OK(sigqueue(getpid(), SIGRTMIN + i % 3, (union sigval){ .sival_int = i }));
	raise(SIGUSR1);
	for (int sig = 1; sig >= 0; sig--) {
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN + sig);
		for (int i = sig; i < MANY / 2; i += 3) {
			EQ(sigtimedwait(&set, &si, &no), SIGRTMIN + sig);
			EQ(si.si_value.sival_int, i);
		}
	}
	handle(SIGRTMIN + 1, SIG_IGN, 0);
	OK(sigpending(&pending));
	EQ(sigismember(&pending, SIGRTMIN), 1);
	EQ(sigismember(&pending, SIGRTMIN + 1), 0);
	EQ(sigismember(&pending, SIGRTMIN + 2), 1);
	handle(SIGRTMIN + 1, SIG_DFL, 0);
	OK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = MANY }));
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	EQ(sigtimedwait(&set, &si, &no), SIGRTMIN + 1);
	EQ(si.si_value.sival_int, MANY);
	ERR(sigtimedwait(&set, &si, &no), EAGAIN);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 2);
	for (int i = MANY / 2 / 3 * 3; i < MANY; i += 3) {
		EQ(sigtimedwait(&set, &si, &no), SIGRTMIN);
		EQ(si.si_value.sival_int, i);
	}
	for (int i = 2; i < MANY; i += 3) {
		EQ(sigtimedwait(&set, &si, &no), SIGRTMIN + 2);
		EQ(si.si_value.sival_int, i);
	}
	ERR(sigtimedwait(&set, &si, &no), EAGAIN);
	OK(sigpending(&pending));
	EQ(sigismember(&pending, SIGUSR1), 1);
}

/* Each of many timers has its signal queued; those that are deleted have none any more. */
TEST(signals_of_many_timers)
{
	enum { MANY = 150 };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec at = { .it_value = { 0, 1 } };
	struct timespec no = { 0, 0 };
	timer_t id[MANY];
	sigset_t set;
	siginfo_t si;
	long sum = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < MANY; i++) {
		e.sigev_value.sival_int = i;
		OK(timer_create(CLOCK_MONOTONIC, &e, &id[i]));
		OK(timer_settime(id[i], TIMER_ABSTIME, &at, NULL));
	}
	for (int i = 0; i < MANY; i++)
		if (i % 3)
			OK(timer_delete(id[i]));
	for (int i = 0; i < MANY; i += 3) {
		EQ(sigwaitinfo(&set, &si), SIGRTMIN);
		EQ(si.si_code, SI_TIMER);
		EQ(si.si_value.sival_int % 3, 0);
		sum += si.si_value.sival_int;
	}
	EQ(sum, 3L * (MANY / 3) * (MANY / 3 - 1) / 2);
	ERR(sigtimedwait(&set, &si, &no), EAGAIN);
	for (int i = 0; i < MANY; i += 3)
		OK(timer_delete(id[i]));
}

TEST(handler_mask)
{
	sigset_t now;
	struct sigaction sa = { .sa_handler = count };

	sigaddset(&sa.sa_mask, SIGUSR2);
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(raise(SIGUSR1));
	OK(sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
}

static int nested_seen;

static void nested(int sig)
{
	static int raised;

	if (!(raised++ & 1)) {
		raise(SIGUSR1);
		nested_seen = hits;
	}
	hits++;
}

TEST(blocked_while_its_handler_runs)
{
	handle(SIGUSR1, nested, 0);
	raise(SIGUSR1);
	EQ(hits, 2);
	EQ(nested_seen, 0);
	hits = 0;
	handle(SIGUSR1, nested, SA_NODEFER);
	raise(SIGUSR1);
	EQ(hits, 2);
	EQ(nested_seen, 1);
}

TEST(restart_or_eintr)
{
	int p[2];
	char c;
	pid_t pid;

	OK(pipe(p));
	for (int flags = 0; flags <= 1; flags++) {
		handle(SIGUSR1, count, flags ? SA_RESTART : 0);
		hits = 0;
		pid = OK(fork());
		if (pid == 0) {
			t_sleep_ms(100);
			kill(getppid(), SIGUSR1);
			t_sleep_ms(100);
			write(p[1], "x", 1);
			_exit(0);
		}
		if (flags)
			EQ(read(p[0], &c, 1), 1);
		else
			ERR(read(p[0], &c, 1), EINTR);
		EQ(hits, 1);
		if (!flags)
			EQ(read(p[0], &c, 1), 1);
		t_wait(pid);
	}
}

TEST(sleep_is_cut_and_says_what_is_left)
{
	struct timespec ts = { 5, 0 }, left = { 0, 0 };

	handle(SIGALRM, count, SA_RESTART);
	struct itimerval it = { .it_value = { 0, 200000 } };

	OK(setitimer(ITIMER_REAL, &it, NULL));
	ERR(nanosleep(&ts, &left), EINTR);
	CHECK(left.tv_sec == 4 && left.tv_nsec > 100000000);
	/* Stopped and continued without a handler, it sleeps to its end. */
	pid_t pid = OK(fork());

	if (pid == 0) {
		struct timespec t = { 0, 400000000 };
		long long start = t_now_ns();

		OK(nanosleep(&t, NULL));
		_exit(t_now_ns() - start < 390000000);
	}
	t_sleep_ms(100);
	kill(pid, SIGSTOP);
	t_sleep_ms(100);
	kill(pid, SIGCONT);
	CHECK(t_child_ok(pid));
}

TEST(suspend)
{
	sigset_t set, none;

	handle(SIGUSR1, count, 0);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	OK(raise(SIGUSR1));
	ERR(sigsuspend(&none), EINTR);
	EQ(hits, 1);
	OK(sigprocmask(SIG_SETMASK, NULL, &none));
	CHECK(sigismember(&none, SIGUSR1));
}

TEST(timed_wait)
{
	struct timespec ts = { 0, 50000000 };
	sigset_t set;
	siginfo_t si;
	long long start;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	start = t_now_ns();
	ERR(sigtimedwait(&set, &si, &ts), EAGAIN);
	CHECK(t_now_ns() - start >= 50000000);
	raise(SIGUSR1);
	EQ(sigtimedwait(&set, &si, &ts), SIGUSR1);
	EQ(si.si_signo, SIGUSR1);
	union sigval v = { .sival_int = 7 };

	sigqueue(getpid(), SIGRTMIN, v);
	EQ(sigwaitinfo(&set, &si), SIGRTMIN);
	EQ(si.si_value.sival_int, 7);
	ts.tv_nsec = -1;
	ERR(sigtimedwait(&set, &si, &ts), EINVAL);
}

static sigjmp_buf jump;
static void *volatile fault_addr;
static volatile int fault_code;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	fault_addr = si->si_addr;
	fault_code = si->si_code;
	last = sig;
	siglongjmp(jump, 1);
}

TEST(faults_say_where)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	OK(sigaction(SIGSEGV, &sa, NULL));
	OK(sigaction(SIGBUS, &sa, NULL));
	OK(sigaction(SIGFPE, &sa, NULL));
	OK(sigaction(SIGILL, &sa, NULL));
	OK(sigaction(SIGTRAP, &sa, NULL));
	if (!sigsetjmp(jump, 1)) {
		*(volatile char *)0x10 = 1;
		FAIL("no fault");
	}
	EQ(last, SIGSEGV);
	EQ((long)fault_addr, 0x10);
	EQ(fault_code, SEGV_MAPERR);
	if (!sigsetjmp(jump, 1)) {
		*(volatile char *)(p + 100) = 1;
		FAIL("no fault");
	}
	EQ((long)fault_addr, (long)p + 100);
	EQ(fault_code, SEGV_ACCERR);
	/* An address that is not one at all. */
	if (!sigsetjmp(jump, 1)) {
		*(volatile char *)0x8000000000000000 = 1;
		FAIL("no fault");
	}
#ifdef __loongarch__
	EQ(last, SIGBUS);
#else
	EQ(last, SIGSEGV);
#endif
	/* Beyond the end of a mapped file. */
	int fd = OK(open("/tmp/sigbus", O_CREAT | O_RDWR | O_TRUNC, 0600));
	char *q = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(q != MAP_FAILED);
	if (!sigsetjmp(jump, 1)) {
		(void)*(volatile char *)q;
		FAIL("no fault");
	}
	EQ(last, SIGBUS);
	EQ(fault_code, BUS_ADRERR);
	unlink("/tmp/sigbus");
#ifdef __x86_64__
	if (!sigsetjmp(jump, 1)) {
		__asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" ::: "eax", "ecx", "edx");
		FAIL("no fault");
	}
	EQ(last, SIGFPE);
	EQ(fault_code, FPE_INTDIV);
	if (!sigsetjmp(jump, 1)) {
		__asm__ volatile("ud2");
		FAIL("no fault");
	}
	EQ(last, SIGILL);
	if (!sigsetjmp(jump, 1)) {
		__asm__ volatile("int3");
		FAIL("no fault");
	}
	EQ(last, SIGTRAP);
	if (!sigsetjmp(jump, 1)) {
		__asm__ volatile("cli");
		FAIL("no fault");
	}
	EQ(last, SIGSEGV);
#endif
}

static char *alt;
static volatile int on_alt;

static void use_stack(int sig)
{
	char here;

	on_alt = &here >= alt && &here < alt + 65536;
}

TEST(alternate_stack)
{
	stack_t ss = { .ss_size = 65536 }, old;

	alt = ss.ss_sp = malloc(65536);
	OK(sigaltstack(&ss, NULL));
	OK(sigaltstack(NULL, &old));
	CHECK(old.ss_sp == alt && old.ss_size == 65536 && old.ss_flags == 0);
	handle(SIGUSR1, use_stack, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(on_alt);
	handle(SIGUSR1, use_stack, 0);
	raise(SIGUSR1);
	CHECK(!on_alt);
	ss.ss_size = 2047;
	ERR(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_size = 65536;
	ss.ss_flags = 12345;
	ERR(sigaltstack(&ss, NULL), EINVAL);
}

static void on_segv(int sig)
{
	(void)sig;
	siglongjmp(jump, 1);
}

/* A handler whose stack is none: that of SIGSEGV, which has the usual one, hears of it. */
TEST(no_room_for_a_frame)
{
	stack_t ss = { .ss_size = 65536 };
	pid_t pid;

	ss.ss_sp = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(sigaltstack(&ss, NULL));
	handle(SIGUSR1, use_stack, SA_ONSTACK);
	handle(SIGSEGV, on_segv, 0);
	if (!sigsetjmp(jump, 1)) {
		raise(SIGUSR1);
		CHECK(!"it returned");
	}
	pid = OK(fork());
	if (pid == 0) {
		handle(SIGSEGV, on_segv, SA_ONSTACK);	/* has none either */
		raise(SIGUSR1);
		_exit(0);
	}
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void overflow(void)
{
	volatile char big[4096];

	big[0] = 1;
	overflow();
	big[1] = 2;
}

TEST(stack_overflow_on_the_alternate_stack)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_size = 65536, .ss_sp = malloc(65536) };

	OK(sigaltstack(&ss, NULL));
	OK(sigaction(SIGSEGV, &sa, NULL));
	if (!sigsetjmp(jump, 1))
		overflow();
	EQ(last, SIGSEGV);
}

TEST(fault_with_signal_blocked_kills)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		sigset_t set;

		handle(SIGSEGV, count, 0);
		sigfillset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL);
		*(volatile int *)8 = 1;
		_exit(0);
	}
	EQ(WTERMSIG(t_wait(pid)), SIGSEGV);
}

static void change_context(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;

	sigaddset(&uc->uc_sigmask, SIGUSR2);
#ifdef __x86_64__
	uc->uc_mcontext.gregs[REG_RIP] += 2;	/* over the ud2 */
	uc->uc_mcontext.gregs[REG_RBX] = 0x1234567;
#endif
}

TEST(context_can_be_changed)
{
#ifdef __x86_64__
	struct sigaction sa = { .sa_sigaction = change_context, .sa_flags = SA_SIGINFO };
	unsigned long rbx = 0;
	sigset_t now;

	OK(sigaction(SIGILL, &sa, NULL));
	__asm__ volatile("xorl %%ebx, %%ebx; ud2; movq %%rbx, %0" : "=r"(rbx)::"rbx");
	EQ(rbx, 0x1234567);
	OK(sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR2));
#endif
}

/*
 * Starts and stops the process's timer; what was set before is one of the two, never a part of
 * each.
 */
static void *set_and_stop(void *bad)
{
	struct itimerval on = { { 0, 1 }, { 0, 3 } }, off = { { 0, 0 }, { 0, 0 } }, old;

	for (int i = 0; i < 1000; i++) {
		setitimer(ITIMER_REAL, i & 1 ? &off : &on, &old);
		if (old.it_value.tv_usec && !old.it_interval.tv_usec)
			*(volatile int *)bad = 1;
	}
	return NULL;
}

TEST(interval_timer_of_many_threads)
{
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	pthread_t t[4];
	int bad = 0;

	handle(SIGALRM, count, SA_RESTART);
	alarm(0);
	for (int i = 0; i < 4; i++)
		EQ(pthread_create(&t[i], NULL, set_and_stop, &bad), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	OK(setitimer(ITIMER_REAL, &off, NULL));
	EQ(bad, 0);
}

TEST(interval_timer_repeats)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } }, old;
	long long start = t_now_ns();

	handle(SIGALRM, count, 0);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	while (hits < 5)
		pause();
	CHECK(t_now_ns() - start >= 95000000);
	memset(&it, 0, sizeof(it));
	OK(setitimer(ITIMER_REAL, &it, &old));
	EQ(old.it_interval.tv_usec, 20000);
	EQ(alarm(10), 0);
	EQ(alarm(0), 10);
	/* Of CPU time. */
	struct itimerval vt = { .it_value = { 0, 50000 } };

	handle(SIGVTALRM, count, 0);
	hits = 0;
	OK(setitimer(ITIMER_VIRTUAL, &vt, NULL));
	start = t_now_ns();
	while (!hits && t_now_ns() - start < 5000000000LL)
		;
	EQ(last, SIGVTALRM);
}

static pthread_t threads[2];
static volatile int who;

static void which_thread(int sig)
{
	for (int i = 0; i < 2; i++)
		if (pthread_equal(pthread_self(), threads[i]))
			who = i + 1;
}

static void *idle(void *arg)
{
	while (!who)
		usleep(1000);
	return NULL;
}

TEST(to_one_thread)
{
	handle(SIGUSR1, which_thread, 0);
	EQ(pthread_create(&threads[0], NULL, idle, NULL), 0);
	EQ(pthread_create(&threads[1], NULL, idle, NULL), 0);
	EQ(pthread_kill(threads[1], SIGUSR1), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	EQ(who, 2);
	ERR(syscall(SYS_tgkill, getpid(), 999999, SIGUSR1), ESRCH);
	ERR(syscall(SYS_tgkill, 1, getpid(), 0), ESRCH);
}

static volatile int enough;

static void stop(int sig)
{
	enough = 1;
}

TEST(storm)
{
	pid_t pid;

	handle(SIGUSR1, count, SA_RESTART);
	handle(SIGUSR2, stop, 0);
	pid = OK(fork());
	if (pid == 0) {
		while (!enough)
			kill(getppid(), SIGUSR1);
		_exit(0);
	}
	while (hits < 200)
		kill(pid, SIGUSR1);
	kill(pid, SIGUSR2);
	CHECK(t_child_ok(pid));
}

TEST(permission_to_kill)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(setuid(1000));
		ERR(kill(1, SIGTERM), EPERM);
		ERR(kill(getppid(), 0), EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(kill(-1, 0));
}

static void live_as_init(int up)
{
	struct itimerval soon = { .it_value.tv_usec = 1000 };
	sigset_t usr2;

	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	OK(sigprocmask(SIG_BLOCK, &usr2, NULL));
	OK(setitimer(ITIMER_REAL, &soon, NULL));
	do
		OK(getitimer(ITIMER_REAL, &soon));
	while (soon.it_value.tv_usec);
	raise(SIGTERM);
	for (int sig; write(up, "x", 1) == 1;)
		sigwait(&usr2, &sig);
}

/*
 * An init dies of no signal that it has no handler for, whoever sends it; from outside of its
 * namespace two are different (pid_namespaces(7)).
 */
TEST(an_init_is_protected)
{
	const int sigs[] = { SIGALRM, SIGHUP, SIGTERM, SIGQUIT, SIGUSR1, SIGTSTP, SIGRTMIN + 1 };
	int up[2], status;
	char c;
	pid_t p;

	OK(pipe(up));
	p = OK((pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL));
	if (!p) {
		live_as_init(up[1]);
		_exit(1);
	}
	EQ(read(up[0], &c, 1), 1);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		OK(kill(p, sigs[i]));
		OK(kill(p, SIGUSR2));
		EQ(read(up[0], &c, 1), 1);
	}
	OK(kill(p, SIGSTOP));
	EQ(waitpid(p, &status, WUNTRACED), p);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	OK(kill(p, SIGKILL));
	EQ(waitpid(p, &status, 0), p);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
