/* SPDX-License-Identifier: MIT */
#pragma once

#include <lib/types.h>

/* The clock is (counter - *BASE) * *MULT >> 32. False: not yet. */
bool counter_scale(u64 *base, u64 *mult);
