/* SPDX-License-Identifier: MIT */
/*
 * Time: one monotonic count of nanoseconds since boot that all CPUs agree on, and one deadline a CPU.
 */
#pragma once

#include <lib/types.h>

/* Chooses and calibrates the source; before it arch_clock_ns() is 0. */
void arch_clock_init(void);
/* Nanoseconds since boot. From anywhere, NMI included. */
u64 arch_clock_ns(void);
/* "tsc", "kvm-clock", "hpet", "acpi_pm", "pit". */
const char *arch_clock_name(void);
unsigned long arch_clock_khz(void);

void arch_timer_init_cpu(void);
/* timer_interrupt() on this CPU at or soon after DEADLINE_NS (of arch_clock_ns); U64_MAX: never. Interrupts off. */
void arch_timer_set_deadline(u64 deadline_ns);
/* Busy waiting for devices. */
void arch_udelay(unsigned long us);
