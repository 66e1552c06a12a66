/* SPDX-License-Identifier: MIT */
#pragma once

#define PREEMPT_TASK "move %0, $tp"
#include "arch/shared/preempt_task.h"
