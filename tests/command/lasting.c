// SPDX-License-Identifier: MIT
/* A user without rights fills memory with what stays when he ends: each argument names a way. For lasting.py. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };
static char zeros[CHUNK];

static void full(int sig)
{
	(void)sig;
	_exit(0);
}

/* Segments of a megabyte, all of it touched. */
static void shm(void)
{
	for (;;) {
		int id = shmget(IPC_PRIVATE, CHUNK, IPC_CREAT | 0600);
		char *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

		if (p == (void *)-1)
			return;
		for (int i = 0; i < CHUNK; i += 4096)
			p[i] = 1;
		shmdt(p);
	}
}

static void fill(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	while (write(fd, zeros, CHUNK) > 0)
		;
	close(fd);
}

static void files(void)
{
	fill("/tmp/full");
	fill("/dev/shm/full");
	fill("/var/tmp/full");
}

static void names(void)
{
	static const char *const where[] = { "/tmp", "/dev/shm" };
	char path[300];

	for (int w = 0; w < 2; w++)
		for (int i = 0;; i++) {
			int fd;

			snprintf(path, sizeof(path), "%s/%0200d", where[w], i);
			fd = open(path, O_CREAT | O_WRONLY, 0600);
			if (fd < 0)
				break;
			close(fd);
		}
}

static void messages(void)
{
	static struct { long type; char text[8192]; } m = { .type = 1 };
	int id;

	while ((id = msgget(IPC_PRIVATE, IPC_CREAT | 0600)) >= 0)
		while (msgsnd(id, &m, sizeof(m.text), IPC_NOWAIT) == 0)
			;
}

static void semaphores(void)
{
	while (semget(IPC_PRIVATE, 30000, IPC_CREAT | 0600) >= 0)
		;
	while (semget(IPC_PRIVATE, 100, IPC_CREAT | 0600) >= 0)
		;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

/* Many filesystems, each with a limit of its own. */
static void mounts(void)
{
	char path[40];

	if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER | CLONE_NEWNS))
		abort();
	put("/proc/self/setgroups", "deny");
	put("/proc/self/gid_map", "0 1000 1");
	put("/proc/self/uid_map", "0 1000 1");
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/tmp/m%d", i);
		if ((mkdir(path, 0700) && errno != EEXIST) || mount("t", path, "tmpfs", 0, "size=1g")) {
			if (errno == ENOSPC)
				return;
			abort();
		}
		strcat(path, "/full");
		fill(path);
	}
}

/* Descriptors that only messages hold, sent to oneself. */
static void flying(void)
{
	union { struct cmsghdr h; char b[CMSG_SPACE(sizeof(int))]; } c;
	struct iovec v = { "x", 1 };
	int s[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		return;
	while ((fd = memfd_create("m", 0)) >= 0) {
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.b, .msg_controllen = sizeof(c.b) };

		for (int i = 0; i < 4; i++)
			if (write(fd, zeros, CHUNK) <= 0)
				return;
		c.h = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
		if (sendmsg(s[0], &m, MSG_DONTWAIT) < 0)
			return;
		close(fd);
	}
}

static const struct { const char *name; void (*run)(void); } ways[] = {
	{ "shm", shm }, { "files", files }, { "names", names }, { "messages", messages }, { "semaphores", semaphores }, { "mounts", mounts },
	{ "flying", flying },
};

static void run(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, name))
			ways[i].run();
	_exit(0);
}

int main(int argc, char **argv)
{
	if (setgid(1000) || setuid(1000))
		return 1;
	signal(SIGBUS, full);
	for (int i = 1; i < argc; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			run(argv[i]);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 1;
		printf("%s: %s\n", argv[i], WIFEXITED(status) ? "ended" : "killed");
		fflush(stdout);
	}
	return 0;
}
