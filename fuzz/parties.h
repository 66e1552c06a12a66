/* SPDX-License-Identifier: MIT */
/*
 * Attacks with two parties: what root has is staged (stage.c), programs of user 1000 are played against it (parties.c), and a referee says
 * of what root has whether it is as before (referee.c).
 *
 * A stage is a pid, a mount, an IPC, a UTS and a network namespace, owned by the machine's user namespace: root in it is the machine's root, and user
 * 1000 nobody but himself. Every name and number in it is the same each time: process ids, ids of IPC objects, terminals.
 */
#pragma once

#include "mutate.h"
#include <sys/types.h>

#define ATTACKER	1000
#define FD_FIRST	20		/* descriptors that the attacker begins with: stage_descriptors() */
#define FD_LAST		32
#define PATTERN_AT	0x30000000ul	/* in the memory of each of root's processes */
#define PATTERN_SIZE	8192ul
#define SECRET		"/v/secret"	/* whoever may open it is no attacker, and no more is who reads what lies under a mount */
#define MASKED		"/v/masked/secret"

/* Processes of the stage, in the order in which they begin. */
enum victim { STAGE_INIT = 1, SLEEPER, LOCKER, EXECUTER, SENDER, SHELL, FOREGROUND, CONTAINER, VICTIMS };

/* Stages all; the process id of its first process here, -1 with a line on stderr where something could not be staged. */
pid_t stage_set(void);
/* In the stage: opens what the attacker is given. */
bool stage_descriptors(void);
extern const struct aim stage_aims[];

/* What the stage's first process holds: a file that is under a mount, a sealed one of memory, the terminal's other end, a listener. */
#define FD_HIDDEN	50
#define FD_SEALED	51
#define FD_MASTER	52
#define FD_LISTENER	53

/* Before the first look. */
void referee_begin(void);
/* In the stage, by root, while no attacker runs: a line for each thing that root has, key and value. */
void referee_look(FILE *to);

/* fuzz parties SEED FIRST COUNT JOBS, or fuzz parties FILE [planted]. */
int parties_main(int argc, char **argv, const char *word, void (*say)(const char *text, size_t n), void (*post)(const char *text, uint32_t n, int job));
