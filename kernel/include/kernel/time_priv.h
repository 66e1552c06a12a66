/* SPDX-License-Identifier: MIT */
/* Between the clocks and the timers. */
#pragma once

#include <lib/types.h>

void time_update_coarse(u64 now_ns);
void tick_irq_enter(void);		/* interrupts off: an interrupt begins */
void timers_clock_was_set(void);
void timer_check_remote(void);
/* The interrupt being handled came in user mode. */
bool irq_from_user(void);
