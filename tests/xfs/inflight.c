// SPDX-License-Identifier: MIT
/*
 * Leaves an XFS log with changes of names half done (tests/xfs/dirty.py).
 *
 *	inflight make DIR: tasks' directories, files in them with many names
 *		each and an attribute, so that their parent pointers lie in
 *		blocks of their own.
 *	inflight work DIR CHANGES: once those blocks are no longer in memory,
 *		all tasks change names and attributes at one time; reading the
 *		blocks makes them wait between the change of a directory and
 *		that of the parent pointers. After so many changes the log is
 *		forced, and after as many again shut down behind what it has.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TASKS 8u
#define FILES 12u
#define NAMES 9u
#define SHUTDOWN _IOR('X', 125, uint32_t)
#define LOGGED 1u
#define EXCHANGE 2u

static const char VALUE[120] = "a value of some length";

/* The I-th name of file F. */
static const char *name_of(char *name, unsigned int f, unsigned int i)
{
	int n = sprintf(name, "f%u_%u_", f, i);

	while (n < 45) {
		name[n] = (char)('a' + (i + (unsigned int)n) % 26);
		n++;
	}
	name[n] = 0;
	return name;
}

static int make(void)
{
	char dir[20], a[64], b[64];
	int bad = 0;

	for (unsigned int t = 0; t < TASKS; t++) {
		sprintf(dir, "t%u", t);
		bad |= mkdir(dir, 0755) | chdir(dir) | mkdir("sub", 0755);
		for (unsigned int f = 0; f < FILES; f++) {
			bad |= close(open(name_of(a, f, 0), O_CREAT | O_WRONLY, 0644));
			for (unsigned int i = 1; i < NAMES; i++)
				bad |= link(a, name_of(b, f, i));
			bad |= setxattr(a, "user.made", VALUE, f * 9, 0);
		}
		bad |= chdir("..");
	}
	return bad;
}

static void change(unsigned int f)
{
	char a[64], b[64], c[80];

	name_of(a, f, 1);
	setxattr(a, f % 2 ? "user.made" : "user.more", VALUE, 100 - f, 0);
	name_of(b, f, NAMES + 1);
	sprintf(c, "sub/%s", b);
	switch (f % 6) {
	case 0:
		unlink(a);
		break;
	case 1:
		rename(a, b);
		break;
	case 2:
		rename(a, c);
		break;
	case 3:
		link(a, c);
		break;
	case 4:
		name_of(b, f + 1 < FILES ? f + 1 : 0, 2);
		rename(a, b);
		break;
	default:
		name_of(b, f - 5, 3);
		syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE);
	}
}

static void work(unsigned int task, int done)
{
	char dir[20];

	sprintf(dir, "t%u", task);
	if (chdir(dir))
		_exit(1);
	for (unsigned int f = 0; f < FILES; f++) {
		change((f + task) % FILES);
		if (write(done, dir, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void await(int done, int changes)
{
	char byte;

	while (changes-- && read(done, &byte, 1) == 1)
		;
}

static int work_all(int fd, int changes)
{
	uint32_t how = LOGGED;
	pid_t tasks[TASKS];
	int done[2], r;

	if (pipe(done))
		return 1;
	for (unsigned int i = 0; i < TASKS; i++) {
		tasks[i] = fork();
		if (!tasks[i]) {
			close(done[0]);
			work(i, done[1]);
		}
	}
	close(done[1]);
	await(done[0], changes);
	syncfs(fd);
	await(done[0], changes);
	r = ioctl(fd, SHUTDOWN, &how);
	for (unsigned int i = 0; i < TASKS; i++) {
		kill(tasks[i], SIGKILL);
		waitpid(tasks[i], NULL, 0);
	}
	puts(r ? "no shutdown" : "shut down");
	return !!r;
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[2], O_RDONLY | O_DIRECTORY) : -1;

	if (fd < 0 || fchdir(fd))
		return 1;
	return argc == 3 ? make() : work_all(fd, atoi(argv[3]));
}
