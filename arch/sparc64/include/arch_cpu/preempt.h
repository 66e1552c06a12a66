/* SPDX-License-Identifier: MIT */
#pragma once

#define PREEMPT_TASK "mov %%g6, %0"
#include "arch/shared/preempt_task.h"
