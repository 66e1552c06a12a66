/* SPDX-License-Identifier: MIT */
/*
 * Memory that may outlive who made it, so that killing him gives nothing back: pages of files in memory (tmpfs, memfd, shared anonymous and System V
 * memory), their inodes, attributes and names, System V messages and semaphores. What users without CAP_SYS_ADMIN have of it ends where a quarter of
 * what was free after boot is left (vm.user_lasting_kbytes): the rest is for programs, which can be killed.
 */
#pragma once

#include <lib/types.h>

/* -ENOSPC: only a privileged caller gets more. May sleep or not. */
int lasting_charge(size_t bytes);
void lasting_uncharge(size_t bytes);
/* Boot is over: from now on there is a limit, beyond what there is. */
void lasting_begin_limit(void);
extern unsigned long sysctl_user_lasting_kbytes;
