// SPDX-License-Identifier: MIT
/*
 * Threads and clone. proves: clone clone3 set_tid_address gettid exit set_robust_list
 * get_robust_list membarrier rseq
 */
#include "t.h"
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>

#ifndef CLONE_VM
#define CLONE_VM 0x100
#define CLONE_FS 0x200
#define CLONE_FILES 0x400
#define CLONE_SIGHAND 0x800
#define CLONE_PARENT 0x8000
#define CLONE_THREAD 0x10000
#define CLONE_SETTLS 0x80000
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter;
static __thread int local = 5;

static void *add(void *arg)
{
	CHECK(local == 5);
	local = (long)arg;
	for (int i = 0; i < 10000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	EQ(local, (long)arg);
	return (void *)(counter ? 7L : 0L);
}

TEST(mutex_counts_exactly)
{
	pthread_t t[8];
	void *r;

	for (long i = 0; i < 8; i++)
		EQ(pthread_create(&t[i], NULL, add, (void *)(i + 100)), 0);
	for (int i = 0; i < 8; i++) {
		EQ(pthread_join(t[i], &r), 0);
		EQ((long)r, 7);
	}
	EQ(counter, 80000);
	EQ(local, 5);
}

static int turn;

static void *ping(void *arg)
{
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&lock);
		while (turn != (long)arg)
			pthread_cond_wait(&cond, &lock);
		turn = !turn;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

TEST(condition_ping_pong)
{
	pthread_t a, b;

	EQ(pthread_create(&a, NULL, ping, (void *)0L), 0);
	EQ(pthread_create(&b, NULL, ping, (void *)1L), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

static volatile pid_t tids[3];

static void *ids(void *arg)
{
	tids[0] = getpid();
	tids[1] = syscall(SYS_gettid);
	tids[2] = getppid();
	return NULL;
}

TEST(threads_share_the_process)
{
	pthread_t t;

	EQ(pthread_create(&t, NULL, ids, NULL), 0);
	pthread_join(t, NULL);
	EQ(tids[0], getpid());
	CHECK(tids[1] != getpid());
	EQ(tids[2], getppid());
	EQ(syscall(SYS_gettid), getpid());
}

static sem_t sem;
static int shared_fd = -1;

static void *opener(void *arg)
{
	shared_fd = open("/dev/null", O_RDWR);
	OK(chdir("/proc"));
	sem_post(&sem);
	for (;;)
		pause();
}

TEST(files_and_directory_are_shared)
{
	char b[100];
	pthread_t t;

	sem_init(&sem, 0, 0);
	EQ(pthread_create(&t, NULL, opener, NULL), 0);
	sem_wait(&sem);
	EQ(write(shared_fd, "x", 1), 1);
	CHECK(getcwd(b, sizeof(b)) && !strcmp(b, "/proc"));
	/* The other one still pauses: exit takes all. */
}

static void *exec_in_thread(void *arg)
{
	execl("/bin/busybox", "sh", "-c", "exit 33", (char *)NULL);
	return NULL;
}

static void *forever(void *arg)
{
	for (;;)
		sched_yield();
	return NULL;
}

TEST(exec_and_exit_end_all_threads)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		pthread_t t;

		for (int i = 0; i < 4; i++)
			pthread_create(&t, NULL, forever, NULL);
		pthread_create(&t, NULL, exec_in_thread, NULL);
		pause();
	}
	EQ(WEXITSTATUS(t_wait(pid)), 33);
	pid = OK(fork());
	if (pid == 0) {
		pthread_t t;

		for (int i = 0; i < 4; i++)
			pthread_create(&t, NULL, forever, NULL);
		_exit(12);
	}
	EQ(WEXITSTATUS(t_wait(pid)), 12);
	pid = OK(fork());
	if (pid == 0) {
		pthread_t t;

		for (int i = 0; i < 4; i++)
			pthread_create(&t, NULL, forever, NULL);
		pause();
	}
	t_sleep_ms(50);
	OK(kill(pid, SIGKILL));
	EQ(WTERMSIG(t_wait(pid)), SIGKILL);
}

static void *late(void *arg)
{
	t_sleep_ms(100);
	_exit(21);
}

TEST(leader_may_end_first)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		pthread_t t;

		pthread_create(&t, NULL, late, NULL);
		syscall(SYS_exit, 0);
	}
	EQ(WEXITSTATUS(t_wait(pid)), 21);
}

TEST(many_come_and_go)
{
	for (int i = 0; i < 300; i++) {
		pthread_t t[4];

		for (int k = 0; k < 4; k++)
			EQ(pthread_create(&t[k], NULL, ids, NULL), 0);
		for (int k = 0; k < 4; k++)
			EQ(pthread_join(t[k], NULL), 0);
	}
}

TEST(clone3_fork)
{
	int ctid = -1;
	struct clone_args a = { .flags = 0x100000 /* PARENT_SETTID */,
				.parent_tid = (unsigned long)&ctid,
				.exit_signal = SIGCHLD };
	pid_t pid = OK((pid_t)syscall(SYS_clone3, &a, sizeof(a)));

	if (pid == 0)
		_exit(3);
	EQ(ctid, pid);
	EQ(WEXITSTATUS(t_wait(pid)), 3);
	a.flags = 1ULL << 60;
	ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
	ERR(syscall(SYS_clone3, &a, 10), EINVAL);
	a.flags = CLONE_THREAD;
	ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
	a.flags = CLONE_SIGHAND;
	ERR(syscall(SYS_clone3, &a, sizeof(a)), EINVAL);
	char big[200] = { 0 };

	memset(&a, 0, sizeof(a));
	a.exit_signal = SIGCHLD;
	memcpy(big, &a, sizeof(a));
	big[150] = 1;
	ERR(syscall(SYS_clone3, big, sizeof(big)), E2BIG);
}

TEST(child_tid_is_cleared_and_woken)
{
	int *tid = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = (pid_t)syscall(
		SYS_clone, SIGCHLD | 0x1000000 /* CHILD_SETTID */ | 0x200000 /* CHILD_CLEARTID */,
		0, NULL, tid,
		tid /* the order of the last two is the CPU's; no new TLS is asked for */);

	if (pid == 0) {
		EQ(*tid, getpid());
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	/* memory of its own was cleared only where it is shared with others still there */
	EQ(*tid, pid);
}

TEST(barriers)
{
	long q = syscall(SYS_membarrier, 0, 0, 0);
	pid_t pid;

	CHECK(q > 0);
	EQ(syscall(SYS_membarrier, 1, 0, 0), 0);
	EQ(syscall(SYS_membarrier, 16, 0, 0), 0);
	EQ(syscall(SYS_membarrier, 8, 0, 0), 0);	/* registered */
	pid = OK(fork());
	if (pid == 0)
		_exit(syscall(SYS_membarrier, 8, 0, 0) ? 1 : 0);
	EQ(t_wait(pid), 0);			/* a copy is, too */
	ERR(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);
}

static int kept;
static volatile bool over;

static void *use_kept(void *arg)
{
	while (!over)
		OK(lseek(kept, 0, SEEK_CUR));
	return NULL;
}

/*
 * A descriptor that is only ever replaced is always there, whatever becomes of the memory of the
 * file that it named before.
 */
TEST(replaced_descriptor_is_always_one)
{
	pthread_t t[2];

	kept = OK(open("/tmp/kept", O_RDWR | O_CREAT, 0600));
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, use_kept, NULL);
	for (int i = 0; i < 3000; i++) {
		int a = OK(open("/tmp/kept", O_RDWR)), p;

		OK(dup2(a, kept));
		p = OK(open("/tmp", O_PATH));
		close(p);
		close(a);
	}
	over = true;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}
