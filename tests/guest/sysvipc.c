// SPDX-License-Identifier: MIT
/*
 * System V IPC. proves: shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd
 * msgrcv msgctl
 */
#include "t.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>

#ifndef SHM_REMAP
#define SHM_REMAP 040000
#endif
#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

union arg {
	int val;
	void *ptr;
	unsigned short *array;
};

/* In a namespace of its own, so that nothing is left and keys are free. */
static void alone(void)
{
	OK(unshare(CLONE_NEWIPC));
}

/* ---- shared memory ---- */

TEST(shared_memory)
{
	struct shmid_ds d;
	int id, again, *m, *n;
	pid_t pid;

	alone();
	id = OK(shmget(0x4711, 10000, IPC_CREAT | 0600));
	again = OK(shmget(0x4711, 500, 0));
	EQ(id, again);
	ERR(shmget(0x4711, 10000, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	ERR(shmget(0x4711, 20000, 0), EINVAL);
	ERR(shmget(0x4712, 100, 0), ENOENT);
	ERR(shmget(0x4712, 0, IPC_CREAT), EINVAL);
	m = shmat(id, NULL, 0);
	CHECK(m != (void *)-1);
	EQ(m[0], 0);
	n = shmat(id, NULL, 0);
	CHECK(n != (void *)-1 && n != m);
	m[100] = 77;
	EQ(n[100], 77);					/* the same memory at two places */
	pid = OK(fork());
	if (pid == 0) {
		OK(shmctl(id, IPC_STAT, &d));
		EQ(d.shm_nattch, 4);			/* a child has its parent's */
		m[200] = n[100] + 1;
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	EQ(n[200], 78);
	OK(shmctl(id, IPC_STAT, &d));
	EQ(d.shm_nattch, 2);
	EQ(d.shm_segsz, 10000);
	EQ(d.shm_cpid, getpid());
	EQ(d.shm_perm.mode & 0777, 0600);
	CHECK(d.shm_ctime > 0 && d.shm_atime > 0);
	OK(shmdt(n));
	ERR(shmdt(n), EINVAL);
	ERR(shmdt((char *)m + 4), EINVAL);
	OK(shmctl(id, IPC_RMID, NULL));	/* lives on while it is attached, without its key */
	EQ(m[100], 77);
	ERR(shmget(0x4711, 100, 0), ENOENT);
	OK(shmctl(id, IPC_STAT, &d));
	CHECK(d.shm_perm.mode & 01000);
	OK(shmdt(m));
	EQ(d.shm_lpid, pid == 0 ? 0 : d.shm_lpid);
	errno = 0;
	CHECK(shmctl(id, IPC_STAT, &d) == -1 && (errno == EINVAL || errno == EIDRM));
	CHECK(shmat(id, NULL, 0) == (void *)-1);
}

TEST(attaching)
{
	int id, *m;
	char *at = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int st;

	alone();
	id = OK(shmget(IPC_PRIVATE, 3 * PAGE, 0600));
	OK(munmap(at, 4 * PAGE));
	CHECK(shmat(id, at + 10, 0) == (void *)-1 && errno == EINVAL);
	m = shmat(id, at + 10, SHM_RND);
	EQ((long)m, (long)at);
	m[0] = 5;
	CHECK(shmat(id, at + 4 * PAGE, 0) == (void *)-1 && errno == EINVAL);	/* taken */
	m = shmat(id, at + 4 * PAGE, SHM_REMAP);
	EQ((long)m, (long)at + 4 * PAGE);
	EQ(m[0], 5);
	m = shmat(id, NULL, SHM_RDONLY);
	EQ(m[0], 5);
	pid = OK(fork());
	if (pid == 0) {
		m[0] = 1;
		_exit(0);
	}
	st = t_wait(pid);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
	/* Cut in two, it still goes as one. */
	OK(munmap(at + PAGE, PAGE));
	OK(shmdt(at));
	EQ(mincore(at + 2 * PAGE, PAGE, (unsigned char *)&st), -1);
	OK(shmctl(id, IPC_RMID, NULL));
	CHECK(shmat(12345678, NULL, 0) == (void *)-1 && errno == EINVAL);
}

/*
 * A mapping put in the place of the last one of a removed segment comes too late; one that is
 * attached in its place does not.
 */
TEST(the_last_mapping_of_a_removed_segment)
{
	int id = OK(shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600));
	char *p = shmat(id, NULL, 0);
	struct shmid_ds ds;

	CHECK(p != (void *)-1);
	*p = 7;
	OK(syscall(SYS_remap_file_pages, p, PAGE, 0, 0, 0));
	EQ(*p, 7);
	OK(shmctl(id, IPC_RMID, NULL));
	CHECK(shmat(id, p, SHM_REMAP) == p);
	EQ(*p, 7);
	OK(shmctl(id, IPC_STAT, &ds));
	EQ(ds.shm_nattch, 1);
	ERR(syscall(SYS_remap_file_pages, p, PAGE, 0, 0, 0), EINVAL);
	ERR(shmctl(id, IPC_STAT, &ds), EINVAL);
	ERR(msync(p, PAGE, MS_ASYNC), ENOMEM);			/* nothing is mapped there */
}

TEST(shm_rights)
{
	int id, mine;
	pid_t pid;

	alone();
	id = OK(shmget(1, 4096, IPC_CREAT | 0640));
	pid = OK(fork());
	if (pid == 0) {
		struct shmid_ds d;

		if (setgid(1234) || setuid(1234))
			_exit(1);
		ERR(shmget(1, 0, 0400), EACCES);
		OK(shmget(1, 0, 0));			/* asks for nothing */
		CHECK(shmat(id, NULL, 0) == (void *)-1 && errno == EACCES);
		ERR(shmctl(id, IPC_STAT, &d), EACCES);
		ERR(shmctl(id, IPC_RMID, NULL), EPERM);
		mine = OK(shmget(2, 4096, IPC_CREAT | 0600));
		OK(shmctl(mine, IPC_STAT, &d));
		EQ(d.shm_perm.uid, 1234);
		d.shm_perm.mode = 0644;
		OK(shmctl(mine, IPC_SET, &d));
		OK(shmctl(mine, IPC_STAT, &d));
		EQ(d.shm_perm.mode & 0777, 0644);
		OK(shmctl(mine, IPC_RMID, NULL));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	ERR(shmctl(id, IPC_STAT, (void *)8), EFAULT);
	ERR(shmctl(id, 99, NULL), EINVAL);
	ERR(shmctl(-1, IPC_RMID, NULL), EINVAL);
}

/* ---- semaphores ---- */

static int op(int id, int num, int n, int flags)
{
	struct sembuf b = { (unsigned short)num, (short)n, (short)flags };

	return semop(id, &b, 1);
}

static int value(int id, int num)
{
	return semctl(id, num, GETVAL);
}

static void until_waiting(int id, int num, int cmd, int n)
{
	while (semctl(id, num, cmd) != n)
		sched_yield();
}

TEST(semaphores)
{
	struct sembuf both[2] = { { 0, -1, 0 }, { 1, -1, 0 } };
	unsigned short v[3] = { 3, 0, 7 };
	struct semid_ds d;
	int id, st;
	pid_t pid;

	alone();
	id = OK(semget(5, 3, IPC_CREAT | 0600));
	EQ(semget(5, 0, 0), id);
	ERR(semget(5, 4, 0), EINVAL);
	ERR(semget(6, 0, IPC_CREAT), EINVAL);
	EQ(value(id, 0), 0);
	OK(semctl(id, 0, SETALL, (union arg){ .array = v }));
	EQ(value(id, 2), 7);
	OK(op(id, 0, 2, 0));
	EQ(value(id, 0), 5);
	EQ(semctl(id, 0, GETPID), getpid());
	ERR(op(id, 1, -1, IPC_NOWAIT), EAGAIN);
	ERR(op(id, 0, 0, IPC_NOWAIT), EAGAIN);			/* is not zero */
	OK(op(id, 1, 0, IPC_NOWAIT));
	ERR(op(id, 3, 1, 0), EFBIG);
	ERR(semop(id, both, 0), EINVAL);
	ERR(semop(id, both, 501), E2BIG);
	ERR(semop(id, (void *)8, 1), EFAULT);
	ERR(op(id, 0, 32767, 0), ERANGE);
	EQ(value(id, 0), 5);
	/* Two at once or none: the first is not taken while the second waits. */
	pid = OK(fork());
	if (pid == 0)
		_exit(semop(id, both, 2) ? 1 : 0);
	until_waiting(id, 1, GETNCNT, 1);
	EQ(value(id, 0), 5);
	OK(op(id, 1, 1, 0));
	CHECK(t_child_ok(pid));
	EQ(value(id, 0), 4);
	EQ(value(id, 1), 0);
	/* Waiting for zero. */
	pid = OK(fork());
	if (pid == 0)
		_exit(op(id, 0, 0, 0) ? 1 : 0);
	until_waiting(id, 0, GETZCNT, 1);
	OK(op(id, 0, -4, 0));
	CHECK(t_child_ok(pid));
	OK(semctl(id, 0, IPC_STAT, (union arg){ .ptr = &d }));
	EQ(d.sem_nsems, 3);
	CHECK(d.sem_otime > 0 && d.sem_ctime > 0);
	/* A set that is removed wakes those who wait. */
	pid = OK(fork());
	if (pid == 0)
		_exit(op(id, 1, -1, 0) == -1 && errno == EIDRM ? 0 : 1);
	until_waiting(id, 1, GETNCNT, 1);
	OK(semctl(id, 0, IPC_RMID));
	EQ(waitpid(pid, &st, 0), pid);
	EQ(st, 0);
	errno = 0;
	CHECK(op(id, 1, 1, 0) == -1 && (errno == EINVAL || errno == EIDRM));
}

static void note(int sig)
{
	(void)sig;
}

TEST(semaphore_timeout_and_signal)
{
	struct timespec ms = { 0, 5000000 };
	struct sembuf b = { 0, -1, 0 };
	int id, st;
	pid_t pid;

	alone();
	id = OK(semget(IPC_PRIVATE, 1, 0600));
	ERR(semtimedop(id, &b, 1, &ms), EAGAIN);
	ms.tv_nsec = 2000000000;
	ERR(semtimedop(id, &b, 1, &ms), EINVAL);
	pid = OK(fork());
	if (pid == 0) {
		struct sigaction sa = { .sa_handler = note, .sa_flags = SA_RESTART };

		OK(sigaction(SIGTERM, &sa, NULL));
		_exit(op(id, 0, -1, 0) == -1 && errno == EINTR ? 0 : 1); /* never started again */
	}
	until_waiting(id, 0, GETNCNT, 1);
	OK(kill(pid, SIGTERM));
	EQ(waitpid(pid, &st, 0), pid);
	EQ(st, 0);
	EQ(semctl(id, 0, GETNCNT), 0);
	OK(semctl(id, 0, IPC_RMID));
}

/* What a process took with SEM_UNDO comes back when it ends, however it ends. */
TEST(undo)
{
	int id;
	pid_t pid;

	alone();
	id = OK(semget(IPC_PRIVATE, 2, 0600));
	OK(semctl(id, 0, SETVAL, 10));
	pid = OK(fork());
	if (pid == 0) {
		OK(op(id, 0, -4, SEM_UNDO));
		OK(op(id, 0, 1, SEM_UNDO));
		OK(op(id, 1, 2, 0));
		EQ(value(id, 0), 7);
		if (fork() == 0)
			_exit(0);			/* a child has no part in it */
		wait(NULL);
		EQ(value(id, 0), 7);
		raise(SIGKILL);
	}
	t_wait(pid);
	EQ(value(id, 0), 10);
	EQ(value(id, 1), 2);
	pid = OK(fork());
	if (pid == 0) {
		OK(op(id, 0, -4, SEM_UNDO));
		OK(semctl(id, 0, SETVAL, 100));		/* forgets the debt */
		_exit(0);
	}
	t_wait(pid);
	EQ(value(id, 0), 100);
	ERR(semctl(id, 0, SETVAL, 32768), ERANGE);
	ERR(semctl(id, 2, GETVAL), EINVAL);
	OK(semctl(id, 0, IPC_RMID));
}

TEST(many_compete)
{
	int id, m;
	pid_t pids[8];
	volatile int *count;

	alone();
	id = OK(semget(IPC_PRIVATE, 1, 0600));
	m = OK(shmget(IPC_PRIVATE, 4096, 0600));
	count = shmat(m, NULL, 0);
	OK(semctl(id, 0, SETVAL, 1));
	for (int i = 0; i < 8; i++) {
		pids[i] = OK(fork());
		if (pids[i] == 0) {
			for (int k = 0; k < 200; k++) {
				OK(op(id, 0, -1, 0));
				int c = *count;
				if (k % 16 == 0)
					sched_yield();
				*count = c + 1;
				OK(op(id, 0, 1, 0));
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++)
		CHECK(t_child_ok(pids[i]));
	EQ(*count, 1600);
	OK(shmctl(m, IPC_RMID, NULL));
	OK(semctl(id, 0, IPC_RMID));
}

/* ---- messages ---- */

struct msg {
	long type;
	char text[64];
};

static int send(int id, long type, const char *text, int flags)
{
	struct msg m = { .type = type };

	strcpy(m.text, text);
	return msgsnd(id, &m, strlen(text), flags);
}

static int take(int id, long type, int flags, struct msg *m)
{
	memset(m, 0, sizeof(*m));
	return (int)msgrcv(id, m, sizeof(m->text), type, flags);
}

TEST(messages)
{
	struct msqid_ds d;
	struct msg m;
	int id;

	alone();
	id = OK(msgget(9, IPC_CREAT | 0600));
	EQ(msgget(9, 0), id);
	ERR(take(id, 0, IPC_NOWAIT, &m), ENOMSG);
	OK(send(id, 3, "three", 0));
	OK(send(id, 1, "one", 0));
	OK(send(id, 2, "two", 0));
	OK(send(id, 1, "one again", 0));
	OK(msgctl(id, IPC_STAT, &d));
	EQ(d.msg_qnum, 4);
	EQ(d.msg_lspid, getpid());
	EQ(take(id, 1, MSG_COPY | IPC_NOWAIT, &m), 3);	/* a look at the second */
	CHECK(m.type == 1 && !strcmp(m.text, "one"));
	ERR(take(id, 9, MSG_COPY | IPC_NOWAIT, &m), ENOMSG);
	EQ(take(id, 2, 0, &m), 3);			/* of one type */
	CHECK(!strcmp(m.text, "two"));
	EQ(take(id, -3, 0, &m), 3);			/* the lowest type up to 3 */
	CHECK(!strcmp(m.text, "one"));
	EQ(take(id, 3, MSG_EXCEPT, &m), 9);		/* any but 3 */
	CHECK(!strcmp(m.text, "one again"));
	ERR(msgrcv(id, &m, 2, 0, 0), E2BIG);
	EQ(msgrcv(id, &m, 2, 0, MSG_NOERROR), 2);
	CHECK(m.type == 3 && m.text[0] == 't' && m.text[1] == 'h');
	ERR(send(id, 0, "x", 0), EINVAL);
	ERR(send(id, -1, "x", 0), EINVAL);
	ERR(msgsnd(id, (void *)8, 1, 0), EFAULT);
	ERR(msgsnd(id, &m, 8193, 0), EINVAL);
	ERR(msgrcv(id, &m, (size_t)-1, 0, 0), EINVAL);
	OK(send(id, 5, "", 0));
	EQ(take(id, 0, 0, &m), 0);
	EQ(m.type, 5);
	OK(msgctl(id, IPC_RMID, NULL));
	errno = 0;
	CHECK(send(id, 1, "x", 0) == -1 && (errno == EINVAL || errno == EIDRM));
}

TEST(messages_wait)
{
	struct msqid_ds d;
	static char big[8200];
	struct msg m;
	int id, n = 0;
	pid_t pid;

	alone();
	id = OK(msgget(IPC_PRIVATE, 0600));
	pid = OK(fork());
	if (pid == 0)
		_exit(take(id, 7, 0, &m) == 4 && !strcmp(m.text, "late") ? 0 : 1);
	OK(send(id, 6, "not for him", 0));
	OK(send(id, 7, "late", 0));
	CHECK(t_child_ok(pid));
	EQ(take(id, 0, 0, &m), 11);
	/* A full queue. */
	*(long *)big = 1;
	while (!msgsnd(id, big, 8192, IPC_NOWAIT))
		n++;
	EQ(errno, EAGAIN);
	EQ(n, 2);
	pid = OK(fork());
	if (pid == 0)
		_exit(send(id, 2, "when there is room", 0) ? 1 : 0);
	EQ(msgrcv(id, big, 8192, 0, 0), 8192);
	CHECK(t_child_ok(pid));
	EQ(take(id, 2, 0, &m), 18);
	OK(msgctl(id, IPC_STAT, &d));
	d.msg_qbytes = 100;
	OK(msgctl(id, IPC_SET, &d));
	EQ(msgrcv(id, big, 8192, 0, 0), 8192);
	OK(send(id, 1, "fits", 0));
	ERR(msgsnd(id, big, 100, IPC_NOWAIT), EAGAIN);
	pid = OK(fork());
	if (pid == 0)
		_exit(take(id, 9, 0, &m) == -1 && errno == EIDRM ? 0 : 1);
	t_until_asleep(pid);
	OK(msgctl(id, IPC_RMID, NULL));
	CHECK(t_child_ok(pid));
}

static long switches(pid_t pid)
{
	char path[48], line[200];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f) &&
	       sscanf(line, "voluntary_ctxt_switches: %ld", &n) != 1)
		;
	CHECK(f && n >= 0);
	fclose(f);
	return n;
}

static pid_t receiver(int id, long type, size_t size, int result)
{
	pid_t pid = OK(fork());
	struct msg m;

	if (!pid) {
		int r = (int)msgrcv(id, &m, size, type, 0);

		_exit((r < 0 ? -errno : r) == result ? 0 : 1);
	}
	t_until_asleep(pid);
	return pid;
}

/* Those who wait are served in their order; who has to wait on is left asleep. */
TEST(messages_serve_who_waits)
{
	static char big[8200];
	struct msqid_ds d;
	struct msg m;
	pid_t other, little, first, second, pid, sender[3];
	long before;
	int id;

	alone();
	id = OK(msgget(IPC_PRIVATE, 0600));
	other = receiver(id, 8, 64, 5);
	little = receiver(id, 7, 2, -E2BIG);
	first = receiver(id, -7, 64, 4);
	second = receiver(id, 7, 64, 6);
	before = switches(other);
	OK(send(id, 7, "four", 0));
	CHECK(t_child_ok(little));
	CHECK(t_child_ok(first));
	OK(msgctl(id, IPC_STAT, &d));
	EQ(d.msg_qnum, 0);
	EQ(d.msg_lrpid, first);
	OK(send(id, 7, "second", 0));
	CHECK(t_child_ok(second));
	EQ(switches(other), before);
	OK(send(id, 8, "other", 0));
	CHECK(t_child_ok(other));

	/*
	 * 16384 bytes of room are taken; a large one and a small one wait, then a small one that a
	 * signal ends.
	 */
	*(long *)big = 1;
	OK(msgsnd(id, big, 8192, 0));
	OK(msgsnd(id, big, 8192, 0));
	for (int i = 0; i < 3; i++) {
		sender[i] = OK(fork());
		if (!sender[i]) {
			*(long *)big = 2 + i;
			signal(SIGUSR1, SIG_DFL);
			_exit(msgsnd(id, big, i ? 60 : 8000, 0) ? 1 : 0);
		}
		t_until_asleep(sender[i]);
	}
	kill(sender[2], SIGUSR1);
	EQ(waitpid(sender[2], NULL, 0), sender[2]);
	OK(msgctl(id, IPC_STAT, &d));
	EQ(d.msg_qnum, 2);
	EQ(msgrcv(id, big, 8192, 1, 0), 8192);
	CHECK(t_child_ok(sender[0]));
	CHECK(t_child_ok(sender[1]));
	OK(msgctl(id, IPC_STAT, &d));
	EQ(d.msg_qnum, 3);
	EQ(msgrcv(id, big, 8192, 3, IPC_NOWAIT), 60);
	EQ(msgrcv(id, big, 8192, 2, IPC_NOWAIT), 8000);

	/* A change of the rights, and removal, are seen by those asleep. */
	pid = OK(fork());
	if (!pid) {
		OK(setuid(1000));
		_exit(take(id, 9, 0, &m) == -1 && errno == EACCES ? 0 : 1);
	}
	OK(waitpid(pid, NULL, 0));
	OK(msgctl(id, IPC_STAT, &d));
	d.msg_perm.mode = 0666;
	OK(msgctl(id, IPC_SET, &d));
	pid = OK(fork());
	if (!pid) {
		OK(setuid(1000));
		_exit(take(id, 9, 0, &m) == -1 && errno == EACCES ? 0 : 1);
	}
	t_until_asleep(pid);
	d.msg_perm.mode = 0600;
	OK(msgctl(id, IPC_SET, &d));
	CHECK(t_child_ok(pid));
	pid = receiver(id, 9, 64, -EIDRM);
	OK(msgctl(id, IPC_RMID, NULL));
	CHECK(t_child_ok(pid));
}

/* Each namespace has its own keys; what is left in it goes with it. */
TEST(namespaces)
{
	char buf[4096];
	int id, fd;
	ssize_t n;
	pid_t pid;

	alone();
	id = OK(shmget(77, 4096, IPC_CREAT | 0600));
	OK(msgget(77, IPC_CREAT | 0600));
	OK(semget(77, 3, IPC_CREAT | 0600));
	fd = OK(open("/proc/sysvipc/shm", O_RDONLY));
	n = OK(read(fd, buf, sizeof(buf) - 1));
	buf[n] = 0;
	close(fd);
	CHECK(strstr(buf, "shmid"));
	CHECK(strstr(buf, "        77 "));
	pid = OK(fork());
	if (pid == 0) {
		alone();
		ERR(shmget(77, 0, 0), ENOENT);
		ERR(msgget(77, 0), ENOENT);
		OK(shmget(77, 8192, IPC_CREAT | 0600));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	EQ(shmget(77, 0, 0), id);
}

static void want_next(const char *kind, int id)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s_next_id", kind);
	f = fopen(path, "w");
	if (!f && errno == ENOENT)
		SKIP("not built for checkpoints");
	fprintf(f, "%d", id);
	EQ(fclose(f), 0);
}

/* The next object's number can be chosen; where it is taken, the next free index has it. */
TEST(chosen_numbers)
{
	int id = OK(msgget(IPC_PRIVATE, 0600)), at = id + 7 * 32768, other, shm;

	want_next("msg", at);
	EQ(OK(msgget(IPC_PRIVATE, 0600)), at + 1);		/* the index of ID is taken */
	OK(msgctl(id, IPC_RMID, NULL));
	want_next("msg", at);
	EQ(OK(msgget(IPC_PRIVATE, 0600)), at);
	other = OK(msgget(IPC_PRIVATE, 0600));
	CHECK(other != at && other != at + 1);
	want_next("shm", at);
	shm = OK(shmget(IPC_PRIVATE, PAGE, 0600));
	OK(msgctl(at, IPC_RMID, NULL));
	OK(msgctl(at + 1, IPC_RMID, NULL));
	OK(msgctl(other, IPC_RMID, NULL));
	OK(shmctl(shm, IPC_RMID, NULL));
	EQ(shm, at);
}

TEST(limits)
{
	struct seminfo si;
	struct shm_info us;
	struct shmid_ds d;
	int id;

	alone();
	id = OK(shmget(1, PAGE * 5, IPC_CREAT | 0600));
	OK(semctl(0, 0, IPC_INFO, (union arg){ .ptr = &si }));
	EQ(si.semvmx, 32767);
	EQ(si.semopm, 500);
	OK(shmctl(0, SHM_INFO, (void *)&us));
	EQ(us.used_ids, 1);
	EQ(us.shm_tot, 5);
	EQ(shmctl(0, SHM_STAT, &d), id);
	EQ(d.shm_segsz, PAGE * 5);
	OK(shmctl(id, IPC_RMID, NULL));
	OK(shmctl(0, SHM_INFO, (void *)&us));
	EQ(us.shm_tot, 0);
}

/* Finding one by its key takes no longer where there are many. */
TEST(many_keys)
{
	static int ids[30000];
	int n;

	alone();
	for (n = 0; n < 30000; n++) {
		ids[n] = semget(0x10000 + n * 7919, 1, IPC_CREAT | IPC_EXCL | 0600);
		if (ids[n] < 0)
			break;
	}
	CHECK(n > 10000);
	for (int i = 0; i < n; i += 997)
		EQ(semget(0x10000 + i * 7919, 1, 0), ids[i]);
	ERR(semget(0x10000 + 5 * 7919, 1, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	for (int i = 0; i < n; i++)
		OK(semctl(ids[i], 0, IPC_RMID));
	ERR(semget(0x10000, 1, 0), ENOENT);
}

/* A segment is promised as a whole, unless SHM_NORESERVE says that it need not be. */
TEST(a_segment_larger_than_memory)
{
	int id;

	OK(unshare(CLONE_NEWIPC));
	ERR(shmget(IPC_PRIVATE, 1ul << 62, 0600), ENOMEM);
	ERR(shmget(IPC_PRIVATE, 1ul << 42, 0600), ENOMEM);
	CHECK(mmap(NULL, 1ul << 42, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EQ(errno, ENOMEM);
	id = OK(shmget(IPC_PRIVATE, 1ul << 42, 0600 | SHM_NORESERVE));
	OK(shmctl(id, IPC_RMID, NULL));
}

/* ---- the settings, of each namespace its own ---- */

static int setting(const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return open(path, flags);
}

static void setting_is(const char *name, const char *text)
{
	char b[64] = "";
	int fd = OK(setting(name, O_RDONLY));

	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	b[strcspn(b, "\n")] = 0;
	CHECK(!strcmp(b, text));
	close(fd);
}

static void map_root(unsigned int id)
{
	char b[32];
	int fd = OK(open("/proc/self/setgroups", O_WRONLY));

	EQ(write(fd, "deny", 4), 4);
	close(fd);
	fd = OK(open("/proc/self/uid_map", O_WRONLY));
	snprintf(b, sizeof(b), "0 %u 1", id);
	EQ(write(fd, b, strlen(b)), strlen(b));
	close(fd);
}

TEST(settings_of_a_namespace)
{
	char before[64] = "";
	int fd = OK(setting("kernel/shmmni", O_RDONLY)), inherited;

	CHECK(read(fd, before, sizeof(before) - 1) > 0);
	close(fd);
	before[strcspn(before, "\n")] = 0;
	inherited = OK(setting("kernel/shmmni", O_WRONLY));
	EQ(write(inherited, before, strlen(before)), strlen(before));
	OK(lseek(inherited, 0, SEEK_SET));
	if (fork() == 0) {
		OK(unshare(CLONE_NEWIPC));
		fd = OK(setting("kernel/shmmni", O_WRONLY));
		EQ(write(fd, "1", 1), 1);
		setting_is("kernel/shmmni", "1");
		OK(shmget(IPC_PRIVATE, PAGE, 0600));
		ERR(shmget(IPC_PRIVATE, PAGE, 0600), ENOSPC);
		fd = OK(setting("kernel/sem", O_WRONLY));
		EQ(write(fd, "7 20 3", 6), 6);
		setting_is("kernel/sem", "7\t20\t3\t32000");
		ERR(semget(IPC_PRIVATE, 8, 0600), EINVAL);
		OK(semget(IPC_PRIVATE, 7, 0600));
		OK(lseek(fd, 0, SEEK_SET));
		ERR(write(fd, "7 20 3 32769", 12), EINVAL);
		fd = OK(setting("fs/mqueue/msg_default", O_WRONLY));
		EQ(write(fd, "3", 1), 1);
		setting_is("fs/mqueue/msg_default", "3");
		_exit(0);
	}
	t_wait(-1);
	setting_is("kernel/shmmni", before);
}

/*
 * They are the root's of the user namespace that owns it; identifiers are chosen by who restores
 * processes there.
 */
TEST(settings_are_the_owners)
{
	pid_t pid;
	int fd;

	pid = OK(fork());
	if (!pid) {
		OK(setgid(1000));
		OK(setuid(1000));
		ERR(setting("kernel/shmmax", O_WRONLY), EACCES);
		OK(prctl(PR_SET_DUMPABLE, 1));
		OK(unshare(CLONE_NEWUSER));
		ERR(setting("kernel/shmmax", O_WRONLY), EACCES);
		ERR(setting("kernel/shm_next_id", O_WRONLY), EACCES);
		OK(unshare(CLONE_NEWIPC));
		OK(setting("kernel/shm_next_id", O_WRONLY));
		ERR(setting("kernel/shmmax", O_WRONLY), EACCES);	/* nobody there is root */
		map_root(1000);
		fd = OK(setting("kernel/shmmni", O_WRONLY));
		EQ(write(fd, "5", 1), 1);
		setting_is("kernel/shmmni", "5");
		OK(setting("kernel/sem", O_WRONLY));
		OK(setting("fs/mqueue/msg_max", O_WRONLY));
		ERR(setting("kernel/printk", O_WRONLY), EACCES);
		_exit(0);
	}
	EQ(t_wait(pid), 0);
}

/* A child's descriptor for its namespace's setting is none for the parent's. */
TEST(settings_by_a_descriptor_of_another)
{
	char before[64] = "", user[64] = "";
	int p[2], fd, ipc, max;
	pid_t pid;

	OK(setgid(1000));
	OK(setuid(1000));
	OK(prctl(PR_SET_DUMPABLE, 1));
	fd = OK(setting("kernel/shmmni", O_RDONLY));
	CHECK(read(fd, before, sizeof(before) - 1) > 0);
	fd = OK(setting("user/max_ipc_namespaces", O_RDONLY));
	CHECK(read(fd, user, sizeof(user) - 1) > 0);
	OK(pipe(p));
	pid = (pid_t)OK(syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0));
	if (!pid) {
		OK(unshare(CLONE_NEWUSER | CLONE_NEWIPC));
		map_root(1000);
		ipc = OK(setting("kernel/shmmni", O_WRONLY));
		max = OK(setting("user/max_ipc_namespaces", O_WRONLY));
		EQ(write(p[1], &ipc, sizeof(ipc)), sizeof(ipc));
		EQ(write(p[1], &max, sizeof(max)), sizeof(max));
		_exit(0);
	}
	EQ(read(p[0], &ipc, sizeof(ipc)), sizeof(ipc));
	EQ(read(p[0], &max, sizeof(max)), sizeof(max));
	EQ(t_wait(pid), 0);
	(void)!write(ipc, "9", 1);
	(void)!write(max, "9", 1);
	before[strcspn(before, "\n")] = 0;
	user[strcspn(user, "\n")] = 0;
	setting_is("kernel/shmmni", before);
	setting_is("user/max_ipc_namespaces", user);
}

TEST(pieces_of_a_segment_are_detached)
{
	int id = OK(shmget(IPC_PRIVATE, 4 * PAGE, 0600));
	char *p = OK((char *)shmat(id, NULL, 0)), line[300];
	struct shmid_ds d;
	unsigned long start, inode = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%*x %*s %*x %*s %lu", &start, &inode) == 2 &&
		    start == (unsigned long)p)
			break;
	fclose(f);
	EQ(inode, id);				/* pmap(1) takes the one for the other */
	OK(munmap(p, PAGE));
	OK(munmap(p + 2 * PAGE, PAGE));
	ERR(shmdt(p + PAGE), EINVAL);
	OK(shmdt(p));
	OK(shmctl(id, IPC_STAT, &d));
	EQ(d.shm_nattch, 0);
	ERR(shmdt(p), EINVAL);
	OK(shmctl(id, IPC_RMID, NULL));
}
