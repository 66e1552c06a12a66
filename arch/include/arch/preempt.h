/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU count that says why this CPU may not be rescheduled, with the need-resched flag folded in (inverted,
 * so that "count is zero and a reschedule is wanted" is one test for zero).
 * The kernel room gives the fields of the count their meaning; 0 is preemptible.
 *
 * A CPU gives: preempt_count() (without the flag), preempt_count_set(n), __preempt_count_add(n), __preempt_count_sub(n),
 * __preempt_count_dec_and_test() (true: zero and a reschedule is wanted), should_resched(offset),
 * set_preempt_need_resched(), clear_preempt_need_resched(), test_preempt_need_resched(): all for this CPU.
 */
#pragma once

#include <arch/percpu.h>
#include <arch_cpu/preempt.h>
