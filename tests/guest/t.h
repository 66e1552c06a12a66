/* SPDX-License-Identifier: MIT */
/*
 * For guest test programs: static, each one file in tests/guest/, each exits 0 when all is well.
 *
 *	TEST(pipe_capacity)			runs by itself, in a process of its own
 *	{
 *		OK(pipe(fds));			not -1; prints errno otherwise
 *		CHECK(n == 3);			true
 *		EQ(read(fds[0], b, 9), 3);	equal integers
 *		ERR(close(99), EBADF);		-1 with this errno
 *		SKIP("no such device");		leaves, and says why
 *	}
 *
 * A failed check ends its TEST (one process), the other TESTs of the file still run. A TEST has 20 seconds, or what
 * TEST_LIMIT was defined as before the include, times what a busy host may need (BUSY). The name of a TEST as argument runs that one alone.
 * Say what is proved: a comment "proves: pipe2 read" anywhere in the file, for ./ochre coverage.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Newer C libraries have some of struct statx too; the tests take the kernel's (linux/stat.h). */
#define statx t_libc_statx
#define statx_timestamp t_libc_statx_timestamp
#include <sys/stat.h>
#undef statx
#undef statx_timestamp

/* The shortest function: it returns. */
#if defined(__x86_64__)
static const unsigned char t_return[] __attribute__((unused)) = { 0xc3 };
#elif defined(__aarch64__)
static const unsigned int t_return[] __attribute__((unused)) = { 0xd65f03c0 };
#elif defined(__riscv)
static const unsigned int t_return[] __attribute__((unused)) = { 0x00008067 };
#elif defined(__loongarch__)
static const unsigned int t_return[] __attribute__((unused)) = { 0x4c000020 };
#endif

/* Some C libraries' vfork is a fork. */
#ifdef __loongarch__
#include <sched.h>
static inline __attribute__((always_inline)) pid_t t_vfork(void)
{
	register long nr __asm__("$a7") = SYS_clone, a0 __asm__("$a0") = CLONE_VM | CLONE_VFORK | SIGCHLD;
	register long a1 __asm__("$a1") = 0, a2 __asm__("$a2") = 0, a3 __asm__("$a3") = 0, a4 __asm__("$a4") = 0;

	__asm__ volatile("syscall 0" : "+r"(a0) : "r"(nr), "r"(a1), "r"(a2), "r"(a3), "r"(a4)
			 : "memory", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8");
	return (pid_t)a0;
}
#else
#define t_vfork vfork
#endif

/* The page, a fact of each CPU's build. */
#ifdef __loongarch__
#define PAGE 16384
#else
#define PAGE 4096
#endif

/* The kernel headers' numbers, for calls that the C library does not know yet. */
#include <asm/unistd.h>
#ifndef SYS_close_range
#define SYS_close_range __NR_close_range
#endif
#ifndef SYS_openat2
#define SYS_openat2 __NR_openat2
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd __NR_pidfd_getfd
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 __NR_faccessat2
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise __NR_process_madvise
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 __NR_epoll_pwait2
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr __NR_mount_setattr
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd __NR_quotactl_fd
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset __NR_landlock_create_ruleset
#endif
#ifndef SYS_landlock_add_rule
#define SYS_landlock_add_rule __NR_landlock_add_rule
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self __NR_landlock_restrict_self
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret __NR_memfd_secret
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease __NR_process_mrelease
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv __NR_futex_waitv
#endif
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node __NR_set_mempolicy_home_node
#endif
#ifndef SYS_cachestat
#define SYS_cachestat __NR_cachestat
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 __NR_fchmodat2
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack __NR_map_shadow_stack
#endif
#ifndef SYS_futex_wake
#define SYS_futex_wake __NR_futex_wake
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait __NR_futex_wait
#endif
#ifndef SYS_futex_requeue
#define SYS_futex_requeue __NR_futex_requeue
#endif
#ifndef SYS_statmount
#define SYS_statmount __NR_statmount
#endif
#ifndef SYS_listmount
#define SYS_listmount __NR_listmount
#endif
#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr __NR_lsm_get_self_attr
#endif
#ifndef SYS_lsm_set_self_attr
#define SYS_lsm_set_self_attr __NR_lsm_set_self_attr
#endif
#ifndef SYS_lsm_list_modules
#define SYS_lsm_list_modules __NR_lsm_list_modules
#endif
#ifndef SYS_mseal
#define SYS_mseal __NR_mseal
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat __NR_setxattrat
#endif
#ifndef SYS_getxattrat
#define SYS_getxattrat __NR_getxattrat
#endif
#ifndef SYS_listxattrat
#define SYS_listxattrat __NR_listxattrat
#endif
#ifndef SYS_removexattrat
#define SYS_removexattrat __NR_removexattrat
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr __NR_open_tree_attr
#endif
#ifndef SYS_file_getattr
#define SYS_file_getattr __NR_file_getattr
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr __NR_file_setattr
#endif
#ifndef SYS_listns
#define SYS_listns __NR_listns
#endif
#ifndef SYS_rseq_slice_yield
#define SYS_rseq_slice_yield __NR_rseq_slice_yield
#endif

/* The limit is for hangs alone: a host that runs other things beside must never reach it. */
#define BUSY 10
#ifndef TEST_LIMIT
#define TEST_LIMIT 20
#endif

struct t_test {
	const char *name;
	void (*fn)(void);
	struct t_test *next;
};

static struct t_test *t_first, **t_last = &t_first;
static const char *t_name = "";

#define T_SKIPPED 77

#define TEST(tname)								\
	static void test_##tname(void);						\
	static struct t_test t_##tname = { #tname, test_##tname, NULL };	\
	__attribute__((constructor)) static void t_add_##tname(void)		\
	{									\
		*t_last = &t_##tname;						\
		t_last = &t_##tname.next;					\
	}									\
	static void test_##tname(void)

#define FAIL(...) do {								\
	fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, t_name);		\
	fprintf(stderr, __VA_ARGS__);						\
	fputc('\n', stderr);							\
	_exit(1);								\
} while (0)

#define CHECK(c) do { if (!(c)) FAIL("not true: %s", #c); } while (0)

#define EQ(a, b) do {								\
	long long t_a = (long long)(a), t_b = (long long)(b);			\
	if (t_a != t_b)								\
		FAIL("%s is %lld, not %lld (errno %d: %s)", #a, t_a, t_b, errno, strerror(errno)); \
} while (0)

#define OK(c) ({								\
	__typeof__(c) t_r = (c);						\
	if (t_r == (__typeof__(c))-1)						\
		FAIL("%s: %s", #c, strerror(errno));				\
	t_r;									\
})

#define ERR(c, want) do {							\
	errno = 0;								\
	long long t_r = (long long)(c);						\
	int t_e = errno;							\
	if (t_r != -1)								\
		FAIL("%s is %lld, not -1 with %s", #c, t_r, #want);		\
	if (t_e != (want))							\
		FAIL("%s: errno %d (%s), not %s", #c, t_e, strerror(t_e), #want); \
} while (0)

#define SKIP(why) do { fprintf(stderr, "skipped: %s: %s\n", t_name, why); _exit(T_SKIPPED); } while (0)

/* Waits for a child: its wait status. */
static inline int t_wait(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* What became of a child that calls FN: its exit status (7 when FN returned), or minus the signal. */
static inline int t_call(void (*fn)(void))
{
	pid_t pid = OK(fork());
	int status;

	if (!pid) {
		fn();
		_exit(7);
	}
	status = t_wait(pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* True when the child ended by exit(0). */
static inline bool t_child_ok(pid_t pid)
{
	int status = t_wait(pid);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline long long t_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static inline void t_sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Waits until the process sleeps, where a signal would wake it. The time limit strikes if it never does. */
static inline void t_until_asleep(pid_t pid)
{
	char path[40], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (state != 'S') {
		f = fopen(path, "r");
		if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1 || state == 'Z')
			FAIL("%d is gone, and was to sleep", pid);
		fclose(f);
		t_sleep_ms(1);
	}
}

int main(int argc, char **argv)
{
	int failed = 0, skipped = 0, ran = 0;

	for (struct t_test *t = t_first; t; t = t->next) {
		int status = 0;
		pid_t pid;

		if (argc > 1 && strcmp(argv[1], t->name))
			continue;
		t_name = t->name;
		ran++;
		fflush(NULL);
		pid = fork();
		if (pid < 0) {
			perror("fork");
			return 1;
		}
		if (pid == 0) {
			alarm(TEST_LIMIT * BUSY);
			t->fn();
			exit(0);
		}
		status = t_wait(pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == T_SKIPPED) {
			skipped++;
		} else if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			failed++;
			if (WIFSIGNALED(status))
				fprintf(stderr, "%s: ended by signal %d%s\n", t->name, WTERMSIG(status),
					WTERMSIG(status) == SIGALRM ? " (out of time)" : "");
		}
	}
	if (failed)
		fprintf(stderr, "%d of %d failed\n", failed, ran);
	return failed ? 1 : ran && skipped == ran ? T_SKIPPED : 0;
}
