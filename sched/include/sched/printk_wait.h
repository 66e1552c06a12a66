/* SPDX-License-Identifier: MIT */
/* Readers of the kernel log wait here for records that come after those they have seen. */
#pragma once

#include <sched/wait.h>

extern wait_queue_head_t printk_wait;
