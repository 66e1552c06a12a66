// SPDX-License-Identifier: MIT
/*
 * Semaphore undos end with their set; MSG_COPY leaves the queue as it was. proves: semop semctl
 * msgrcv
 */
#include "t.h"
#include <pthread.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

#define SETS 100
#define MOST 32000		/* semaphores of a set (SEMMSL) */

static long plus_one(int id)
{
	struct sembuf s = { 0, 1, SEM_UNDO };

	return semop(id, &s, 1);
}

static long available_kb(void)
{
	char line[200];
	FILE *f = fopen("/proc/meminfo", "r");
	long kb = -1;

	CHECK(f);
	while (kb < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemAvailable: %ld", &kb);
	fclose(f);
	return kb;
}

/*
 * A process keeps no undo of a set that it removed: the undos of these sets would have 57 MB.
 */
TEST(undos_of_removed_sets_go)
{
	long before = 0, after = 0;

	OK(unshare(CLONE_NEWIPC));
	for (int i = 0; i < SETS + 1; i++) {
		int id = OK(semget(IPC_PRIVATE, MOST, 0600));

		OK(plus_one(id));
		OK(semctl(id, 0, IPC_RMID));
		ERR(plus_one(id), EINVAL);
		if (!i)
			before = available_kb();
	}
	for (int i = 0; i < 2000 && (after = available_kb()) < before - 24000; i++)
		t_sleep_ms(5);
	CHECK(after >= before - 24000);
}

static void *use(void *arg)
{
	int id = *(int *)arg;

	while (!plus_one(id))
		;
	CHECK(errno == EIDRM || errno == EINVAL);
	return NULL;
}

/* Threads share their undos; the set goes while they use it, and while processes end that did. */
TEST(sets_go_while_they_are_used)
{
	OK(unshare(CLONE_NEWIPC));
	for (int i = 0; i < 40; i++) {
		int id = OK(semget(IPC_PRIVATE, 4, 0600));
		pthread_t t[2];
		pid_t pid[3];

		for (int k = 0; k < 3; k++) {
			pid[k] = OK(fork());
			if (!pid[k]) {
				for (int n = 0; n < (i + k) % 7 * 20; n++)
					plus_one(id);
				_exit(0);
			}
		}
		for (int k = 0; k < 2; k++)
			EQ(pthread_create(&t[k], NULL, use, &id), 0);
		if (i & 1)
			EQ(t_wait(pid[0]), 0);
		OK(semctl(id, 0, IPC_RMID));
		for (int k = 0; k < 2; k++)
			EQ(pthread_join(t[k], NULL), 0);
		for (int k = i & 1; k < 3; k++)
			EQ(t_wait(pid[k]), 0);
	}
}

/* MSG_COPY changes nothing, and copies a whole message or fails. */
TEST(copies_of_messages)
{
	struct {
		long type;
		char text[16];
	} m = { 3, "three" };
	struct msqid_ds d;
	int id;

	OK(unshare(CLONE_NEWIPC));
	id = OK(msgget(IPC_PRIVATE, 0600));
	OK(msgsnd(id, &m, 5, 0));
	m.type = 4;
	OK(msgsnd(id, &m, 4, 0));
	ERR(msgrcv(id, &m, 16, 0, MSG_COPY), EINVAL);
	ERR(msgrcv(id, &m, 16, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
	ERR(msgrcv(id, &m, 16, 2, MSG_COPY | IPC_NOWAIT), ENOMSG);
	ERR(msgrcv(id, &m, 16, -1, MSG_COPY | IPC_NOWAIT), ENOMSG);
	ERR(msgrcv(id, &m, 4, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
	ERR(msgrcv(id, &m, 4, 0, MSG_COPY | MSG_NOERROR | IPC_NOWAIT), EINVAL);
	EQ(msgrcv(id, &m, 5, 0, MSG_COPY | IPC_NOWAIT), 5);
	EQ(m.type, 3);
	EQ(msgrcv(id, &m, 16, 1, MSG_COPY | IPC_NOWAIT), 4);
	EQ(m.type, 4);
	OK(msgctl(id, IPC_STAT, &d));
	EQ(d.msg_qnum, 2);
	EQ(d.msg_rtime, 0);
	EQ(d.msg_lrpid, 0);
	EQ(d.msg_lspid, getpid());
}
