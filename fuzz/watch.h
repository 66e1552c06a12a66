/* SPDX-License-Identifier: MIT */
/* The machine's first process looks after the jobs: of one that stands still it says on the console what every task is doing. */
#pragma once

#include <sys/types.h>

/* Before the jobs are made. */
void watch_init(void);
/* JOB has run a program. */
void watch_alive(int job);
/* Waits for PID, with an eye on the jobs. Its status, as of waitpid(2). */
int watch_wait(pid_t pid);
