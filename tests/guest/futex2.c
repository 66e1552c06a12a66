// SPDX-License-Identifier: MIT
/* The futex calls of one operation each. proves: futex_waitv futex_wake futex_wait futex_requeue */
#include "t.h"
#include <pthread.h>
#include <sched.h>

#define U32 2
#define PRIV 128

struct waiter {
	uint64_t val, uaddr;
	uint32_t flags, pad;
};

static volatile uint32_t a, b, c;
static volatile int ready;
static volatile long result[4];

static long wake(volatile uint32_t *p, int nr)
{
	return syscall(SYS_futex_wake, p, 0xffffffffUL, nr, U32 | PRIV);
}

static void need(void)
{
	if (wake(&a, 1) < 0 && errno == ENOSYS)
		SKIP("older than these");
}

static void *wait_on_a(void *arg)
{
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	result[(long)arg] =
		syscall(SYS_futex_wait, &a, 0UL, 0xffffffffUL, U32 | PRIV, NULL, CLOCK_MONOTONIC);
	return NULL;
}

TEST(wait_and_wake)
{
	struct timespec past = { 0, 1 };
	pthread_t t;

	need();
	ERR(syscall(SYS_futex_wait, &a, 1UL, 0xffffffffUL, U32 | PRIV, NULL, CLOCK_MONOTONIC),
	    EAGAIN);
	ERR(syscall(SYS_futex_wait, &a, 0UL, 0xffffffffUL, U32 | PRIV, &past, CLOCK_MONOTONIC),
	    ETIMEDOUT);
	ERR(syscall(SYS_futex_wait, &a, 0UL, 0UL, U32 | PRIV, NULL, CLOCK_MONOTONIC), EINVAL);
	ERR(syscall(SYS_futex_wait, &a, 1UL << 32, 0xffffffffUL, U32 | PRIV, NULL, CLOCK_MONOTONIC),
	    EINVAL);
	ERR(syscall(SYS_futex_wait, &a, 0UL, 0xffffffffUL, 1, NULL, CLOCK_MONOTONIC), EINVAL);
	ERR(syscall(SYS_futex_wait, &a, 0UL, 0xffffffffUL, U32 | 0x1000, NULL, CLOCK_MONOTONIC),
	    EINVAL);
	ERR(syscall(SYS_futex_wait, (char *)&a + 1, 0UL, 0xffffffffUL, U32, NULL, CLOCK_MONOTONIC),
	    EINVAL);
	ERR(syscall(SYS_futex_wait, 8, 0UL, 0xffffffffUL, U32 | PRIV, NULL, CLOCK_MONOTONIC),
	    EFAULT);
	ERR(syscall(SYS_futex_wait, &a, 0UL, 0xffffffffUL, U32 | PRIV, &past, 99), EINVAL);
	EQ(wake(&a, 1), 0);
	EQ(pthread_create(&t, NULL, wait_on_a, NULL), 0);
	while (wake(&a, 1) != 1)
		sched_yield();
	EQ(pthread_join(t, NULL), 0);
	EQ(result[0], 0);
}

static struct waiter three[3];

static void *wait_many(void *arg)
{
	(void)arg;
	result[0] = syscall(SYS_futex_waitv, three, 3, 0, NULL, CLOCK_MONOTONIC);
	return NULL;
}

TEST(several_at_once)
{
	struct timespec past = { 0, 1 };
	volatile uint32_t *w[3] = { &a, &b, &c };
	pthread_t t;

	need();
	for (int i = 0; i < 3; i++)
		three[i] = (struct waiter){ 0, (uint64_t)(uintptr_t)w[i], U32 | PRIV, 0 };
	for (int i = 0; i < 3; i++) {
		EQ(pthread_create(&t, NULL, wait_many, NULL), 0);
		while (wake(w[i], 1) != 1)
			sched_yield();
		EQ(pthread_join(t, NULL), 0);
		EQ(result[0], i);
	}
	ERR(syscall(SYS_futex_waitv, three, 3, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
	b = 7;
	ERR(syscall(SYS_futex_waitv, three, 3, 0, NULL, CLOCK_MONOTONIC), EAGAIN);
	EQ(wake(&a, 1), 0);				/* nobody was left waiting */
	b = 0;
	ERR(syscall(SYS_futex_waitv, three, 0, 0, NULL, CLOCK_MONOTONIC), EINVAL);
	ERR(syscall(SYS_futex_waitv, three, 129, 0, NULL, CLOCK_MONOTONIC), EINVAL);
	ERR(syscall(SYS_futex_waitv, three, 3, 1, NULL, CLOCK_MONOTONIC), EINVAL);
	ERR(syscall(SYS_futex_waitv, 8, 1, 0, NULL, CLOCK_MONOTONIC), EFAULT);
	three[1].pad = 1;
	ERR(syscall(SYS_futex_waitv, three, 3, 0, NULL, CLOCK_MONOTONIC), EINVAL);
}

TEST(requeue)
{
	struct waiter two[2] = { { 0, (uint64_t)(uintptr_t)&a, U32 | PRIV, 0 },
				 { 0, (uint64_t)(uintptr_t)&b, U32 | PRIV, 0 } };
	pthread_t t[3];
	long moved = 0;

	need();
	for (long i = 0; i < 3; i++)
		EQ(pthread_create(&t[i], NULL, wait_on_a, (void *)i), 0);
	two[0].val = 5;
	ERR(syscall(SYS_futex_requeue, two, 0, 1, 10), EAGAIN);
	two[0].val = 0;
	ERR(syscall(SYS_futex_requeue, two, 1, 1, 10), EINVAL);
	while (moved < 3) /* one woken, the others to the second word */
		moved += OK(syscall(SYS_futex_requeue, two, 0, moved ? 0 : 1, 10));
	EQ(wake(&a, 10), 0);
	EQ(wake(&b, 10), 2);
	for (int i = 0; i < 3; i++)
		EQ(pthread_join(t[i], NULL), 0);
}
