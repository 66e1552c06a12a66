/* SPDX-License-Identifier: MIT */
#pragma once

#define PREEMPT_TASK "mrs %0, sp_el0"
#include "arch/shared/preempt_task.h"
