/* SPDX-License-Identifier: MIT */
#pragma once

#define PREEMPT_TASK "mv %0, tp"
#include "arch/shared/preempt_task.h"
