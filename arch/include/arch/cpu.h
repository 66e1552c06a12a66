/* SPDX-License-Identifier: MIT */
/* One CPU: its number, its features, waiting and stopping. */
#pragma once

#include <lib/types.h>

#include <arch/nr_cpus.h>
#include <arch_cpu/cpu.h>	/* cpu_relax(), smp_processor_id() (raw), __cpu_number */

#define raw_smp_processor_id() arch_cpu_number()

/* Waits for an interrupt. Called with interrupts off, returns with them on; none that came in between is lost. */
void arch_cpu_idle(void);
/* Stops this CPU for good, interrupts off. */
void __noreturn arch_cpu_halt(void);

/* Set-up after the first C function of each CPU: tables, features, per-CPU base. */
void arch_cpu_init(unsigned int cpu);
/* After the last initialisation level: seals what may not change any more and unmaps init's sections, unless KEEP_INIT. */
void arch_finish_boot(bool keep_init);
/* The physical ranges that may then be given back; false: there is no I-th. */
bool arch_init_memory(unsigned int i, phys_addr_t *start, phys_addr_t *end);

/* Text of /proc/cpuinfo for one CPU; returns what snprintf would. */
int arch_cpuinfo_show(char *buf, size_t size, unsigned int cpu);
/* Text of /sys/devices/system/cpu/vulnerabilities/NAME: names by index (NULL at the end), text by index. */
const char *arch_vulnerability_name(unsigned int i);
int arch_vulnerability_show(char *buf, size_t size, unsigned int i);

/* Cycle counter for statistics and entropy; may be unordered and differ between CPUs. */
static inline u64 arch_cycles(void);
/* Up to 8 bytes of hardware randomness; false when there is none. */
bool arch_random_u64(u64 *out);
