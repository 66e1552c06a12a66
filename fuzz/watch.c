// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "watch.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS		64
#define LOOK_S		5
#define STILL		6	/* looks at which a job has run nothing since the one before */

static uint64_t *alive;		/* programs of each job; shared */

void watch_init(void)
{
	alive = mmap(NULL, JOBS * sizeof(*alive), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (alive == MAP_FAILED)
		alive = NULL;
}

void watch_alive(int job)
{
	if (alive && job < JOBS)
		__atomic_add_fetch(&alive[job], 1, __ATOMIC_RELAXED);
}

/* Each line of a file of a task's in /proc, after WHAT, on the console. */
static void tell_file(int console, const char *pid, const char *tid, const char *name)
{
	char path[300], text[4096], *line, *save;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/%s", pid, tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		dprintf(console, "fuzz: %s/%s %s: %s\n", pid, tid, name, line);
}

static void each(const char *path, void (*fn)(int console, const char *pid, const char *name), int console, const char *pid)
{
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));)
		if (isdigit((unsigned char)*e->d_name))
			fn(console, pid, e->d_name);
	if (d)
		closedir(d);
}

static void tell_task(int console, const char *pid, const char *tid)
{
	tell_file(console, pid, tid, "stat");
	tell_file(console, pid, tid, "syscall");
	tell_file(console, pid, tid, "stack");
}

static void tell_process(int console, const char *none, const char *pid)
{
	char path[300];

	(void)none;
	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	each(path, tell_task, console, pid);
}

static void tell(int job)
{
	int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (console < 0)
		return;
	dprintf(console, "fuzz: job %d stands still after %llu programs; all tasks:\n", job, (unsigned long long)alive[job]);
	each("/proc", tell_process, console, NULL);
	dprintf(console, "fuzz: that was all\n");
	close(console);
}

int watch_wait(pid_t pid)
{
	uint64_t before[JOBS] = { 0 };
	unsigned int still[JOBS] = { 0 };
	int status = 0;

	while (!waitpid(pid, &status, WNOHANG)) {
		nanosleep(&(struct timespec){ LOOK_S, 0 }, NULL);
		for (int i = 0; alive && i < JOBS; i++) {
			uint64_t now = __atomic_load_n(&alive[i], __ATOMIC_RELAXED);

			still[i] = now && now == before[i] ? still[i] + 1 : 0;
			before[i] = now;
			if (still[i] == STILL)
				tell(i);
		}
	}
	return status;
}
