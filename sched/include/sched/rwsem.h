/* SPDX-License-Identifier: MIT */
/* Read-write semaphores live beside the mutex. */
#pragma once
#include <sched/mutex.h>
