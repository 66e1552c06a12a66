/* SPDX-License-Identifier: MIT */
/* The running task; `current` is a struct task *, complete in <sched/task.h>. */
#pragma once

#include <arch/current.h>
