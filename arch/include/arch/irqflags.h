/* SPDX-License-Identifier: MIT */
/*
 * This CPU's interrupt flag: arch_irq_save() returns the former state and disables, arch_irq_restore(flags),
 * arch_irq_enable(), arch_irq_disable(), arch_irqs_flags() and arch_irqs_disabled_flags(flags). Each is a compiler barrier.
 */
#pragma once

#include <lib/types.h>
#include <arch_cpu/irqflags.h>

static inline bool arch_irqs_disabled(void)
{
	return arch_irqs_disabled_flags(arch_irqs_flags());
}
