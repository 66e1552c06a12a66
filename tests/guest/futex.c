// SPDX-License-Identifier: MIT
/* Futexes. proves: futex futex_waitv futex_wake futex_wait futex_requeue */
#include "t.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

static long futex(volatile uint32_t *u, int op, uint32_t val, const void *t, volatile uint32_t *u2,
		  uint32_t val3)
{
	return syscall(SYS_futex, u, op, val, t, u2, val3);
}

static volatile uint32_t word, word2, woken;

static void *wait_one(void *arg)
{
	if (futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == 0)
		__sync_fetch_and_add(&woken, 1);
	return NULL;
}

static void until(volatile uint32_t *w, uint32_t n)
{
	for (int i = 0; i < 1000 && *w != n; i++)
		t_sleep_ms(2);
	EQ(*w, n);
}

TEST(wait_and_wake)
{
	pthread_t t[5];

	ERR(futex(&word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EAGAIN);
	EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
	for (int i = 0; i < 5; i++)
		EQ(pthread_create(&t[i], NULL, wait_one, NULL), 0);
	t_sleep_ms(100);
	EQ(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
	until(&woken, 2);
	EQ(futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 3);
	until(&woken, 5);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
}

TEST(timeout)
{
	struct timespec ts = { 0, 60000000 };
	long long a = t_now_ns();

	ERR(futex(&word, FUTEX_WAIT, 0, &ts, NULL, 0), ETIMEDOUT);
	CHECK(t_now_ns() - a >= 60000000);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 50000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	ERR(futex(&word, FUTEX_WAIT_BITSET, 0, &ts, NULL, ~0u), ETIMEDOUT);
	ERR(futex(&word, FUTEX_WAIT_BITSET, 0, &ts, NULL, 0), EINVAL);
	ts.tv_nsec = -1;
	ERR(futex(&word, FUTEX_WAIT, 0, &ts, NULL, 0), EINVAL);
	ERR(futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	ERR(futex((uint32_t *)8, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	ERR(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
}

TEST(requeue)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		EQ(pthread_create(&t[i], NULL, wait_one, NULL), 0);
	t_sleep_ms(100);
	ERR(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10L, &word2, 7), EAGAIN);
	EQ(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10L, &word2, 0), 4);
	until(&woken, 1);
	EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
	EQ(futex(&word2, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 3);
	until(&woken, 4);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

static void *wait_bits(void *arg)
{
	if (futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (long)arg) == 0)
		__sync_fetch_and_add(&woken, (uint32_t)(long)arg);
	return NULL;
}

TEST(bitsets)
{
	pthread_t a, b;

	pthread_create(&a, NULL, wait_bits, (void *)1L);
	pthread_create(&b, NULL, wait_bits, (void *)16L);
	t_sleep_ms(100);
	EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2), 0);
	EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 16), 1);
	until(&woken, 16);
	EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, ~0u), 1);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

TEST(wake_op)
{
	pthread_t t;

	pthread_create(&t, NULL, wait_one, NULL);
	t_sleep_ms(80);
	word2 = 5;
	/* word2 += 3; wakes 1 of word; and of word2 if it was > 4 */
	EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1L, &word2,
		 FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 4)),
	   1);
	EQ(word2, 8);
	pthread_join(t, NULL);
}

TEST(between_processes)
{
	volatile uint32_t *u =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = OK(fork());

	if (pid == 0) {
		while (*u == 0)
			futex(u, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(*u == 1 ? 0 : 1);
	}
	t_sleep_ms(100);
	*u = 1;
	EQ(futex(u, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	CHECK(t_child_ok(pid));
	/* The same file mapped at two places is one futex. */
	int fd = OK(open("/tmp/fx", O_CREAT | O_RDWR, 0600));

	OK(ftruncate(fd, 4096));
	u = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pid = OK(fork());
	if (pid == 0) {
		volatile uint32_t *v = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		CHECK(v != u);
		_exit(futex(v, FUTEX_WAIT, 0, NULL, NULL, 0) ? 1 : 0);
	}
	t_sleep_ms(100);
	EQ(futex(u, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	CHECK(t_child_ok(pid));
	OK(ftruncate(fd, 0));
	ERR(futex(u, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);	/* nothing is there */
	unlink("/tmp/fx");
}

/* A task that may only read the file waits for the same word as the file's writer. */
TEST(a_reader_of_a_file_waits)
{
	int fd = OK(open("/tmp/fr", O_CREAT | O_RDWR, 0600)), ro = OK(open("/tmp/fr", O_RDONLY));
	volatile uint32_t *u;
	pid_t pid;

	OK(ftruncate(fd, PAGE));
	u = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(u != MAP_FAILED);
	pid = OK(fork());
	if (pid == 0) {
		volatile uint32_t *v = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);

		_exit(v == MAP_FAILED || futex(v, FUTEX_WAIT, 0, NULL, NULL, 0) ? 1 : 0);
	}
	t_until_asleep(pid);
	EQ(futex(u, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
	CHECK(t_child_ok(pid));
	unlink("/tmp/fr");
}

static pthread_mutex_t *robust;

static void *die_holding(void *arg)
{
	pthread_mutex_lock(robust);
	return NULL;
}

TEST(robust_list)
{
	pthread_mutexattr_t a;
	pthread_t t;

	robust = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	EQ(pthread_mutex_init(robust, &a), 0);
	pthread_create(&t, NULL, die_holding, NULL);
	pthread_join(t, NULL);
	EQ(pthread_mutex_lock(robust), EOWNERDEAD);
	EQ(pthread_mutex_consistent(robust), 0);
	pthread_mutex_unlock(robust);
	pid_t pid = OK(fork());

	if (pid == 0) {
		pthread_mutex_lock(robust);
		raise(SIGKILL);
	}
	t_wait(pid);
	EQ(pthread_mutex_lock(robust), EOWNERDEAD);
}

static volatile uint32_t turn;
static volatile long rounds;

static void *player(void *arg)
{
	uint32_t me = (long)arg;

	for (int i = 0; i < 3000; i++) {
		while (turn != me)
			futex(&turn, FUTEX_WAIT_PRIVATE, !me, NULL, NULL, 0);
		rounds++;
		turn = !me;
		futex(&turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

TEST(no_wake_is_lost)
{
	pthread_t a, b;

	pthread_create(&a, NULL, player, (void *)0L);
	pthread_create(&b, NULL, player, (void *)1L);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	EQ(rounds, 6000);
}

static struct {
	struct {
		void *next;
	} list;
	long offset;
	void *pending;
} head;

/* Dies between giving a robust lock back and waking who waits for it. */
static void *die_before_waking(void *arg)
{
	head.list.next = &head.list;
	head.offset = 0;
	head.pending = (void *)&word;
	syscall(SYS_set_robust_list, &head, sizeof(head));
	until(&word2, 1);
	syscall(SYS_exit, 0);
	return NULL;
}

static void *wait_for_free(void *arg)
{
	struct timespec limit = { 10, 0 };

	word2 = 1;
	if (futex(&word, FUTEX_WAIT, 0, &limit, NULL, 0) == 0)
		woken = 1;
	return NULL;
}

TEST(robust_between_release_and_wake)
{
	pthread_t w, d;

	pthread_create(&w, NULL, wait_for_free, NULL);
	until(&word2, 1);
	t_sleep_ms(50);		/* if it does not wait yet, nothing is proved */
	pthread_create(&d, NULL, die_before_waking, NULL);
	pthread_join(w, NULL);
	EQ(woken, 1);
}

/* --- more waiters than are looked at, woken or moved under the lock at a time --- */

#define MANY 1500

static void *wait_with_bits(void *arg)
{
	return (void *)futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t)(long)arg);
}

static long move(volatile uint32_t *from, volatile uint32_t *to, uint32_t wake, long most)
{
	return futex(from, FUTEX_CMP_REQUEUE_PRIVATE, wake, (void *)most, to, 0);
}

/* Moves all to and fro, while others do the same and some are woken. */
static void *move_to_and_fro(void *arg)
{
	long *bad = arg;

	for (int i = 0; i < 40; i++)
		if (move(&word, &word2, 0, 1 << 30) < 0 || move(&word2, &word, 0, 1 << 30) < 0 ||
		    futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1 << 30, NULL, NULL, 4) != 0)
			++*bad;
	return NULL;
}

TEST(many_waiters)
{
	static pthread_t t[MANY], mover[3];
	static long bad[3];
	pthread_attr_t small;
	void *r;

	pthread_attr_init(&small);
	EQ(pthread_attr_setstacksize(&small, 16384), 0);
	for (long i = 0; i < MANY; i++)
		EQ(pthread_create(&t[i], &small, wait_with_bits, (void *)(i < MANY / 2 ? 1L : 2L)),
		   0);
	while (move(&word, &word, 0, 1 << 30) != MANY)		/* counts them, moves none */
		sched_yield();
	EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1 << 30, NULL, NULL, 4), 0);
	EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 40, NULL, NULL, 2), 40);
	EQ(move(&word, &word2, 20, 500), 520);
	EQ(move(&word2, &word, 0, 300), 300);
	EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 100, (void *)100L, &word2,
		 FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)),
	   200);
	for (int i = 0; i < 3; i++)
		EQ(pthread_create(&mover[i], NULL, move_to_and_fro, &bad[i]), 0);
	for (int i = 0; i < 3; i++) {
		EQ(pthread_join(mover[i], NULL), 0);
		EQ(bad[i], 0);
	}
	EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0) +
		   futex(&word2, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0),
	   MANY - 260);
	for (int i = 0; i < MANY; i++) {
		EQ(pthread_join(t[i], &r), 0);
		CHECK(!r);
	}
}
