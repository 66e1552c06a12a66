/* SPDX-License-Identifier: MIT */
#pragma once

#define PREEMPT_TASK "mov $8, %0"
#include "arch/shared/preempt_task.h"
