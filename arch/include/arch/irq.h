/* SPDX-License-Identifier: MIT */
/*
 * Interrupt sources. An irq number is the kernel's name for a source; arch routes it to a vector of one CPU.
 *   lines   arch_irq_map_gsi(gsi, flags) of the machine's global lines
 *   MSI     arch_irq_alloc_msi(device, ...) then compose address and data for the device
 * All functions may be called from process context only, but mask/unmask from anywhere.
 */
#pragma once

#include <lib/types.h>

struct cpumask;
struct pt_regs;

/* The registers that the interrupt being handled on this CPU found; NULL outside of one. */
struct pt_regs *get_irq_regs(void);

#define NR_IRQS 512
#define IRQ_LEVEL (1U << 0)
#define IRQ_ACTIVE_LOW (1U << 1)

/* Interrupt controllers of the boot CPU, then of each further one. */
void arch_irq_init(void);

/* The irq of a global line; asking again gives the same one. -EINVAL (no controller has it), -ENOSPC. Starts masked. */
int arch_irq_map_gsi(unsigned int gsi, unsigned int flags);
/*
 * With ARCH_HAS_PIC: are 8259As what this machine has? Then their lines are the global ones, a PCI function's register for its
 * interrupt line names one (PCI 3.0, 6.2.4), and nobody takes messages.
 */
bool arch_irq_by_pic(void);
/* The global line of an ISA interrupt, with its overridden flags. */
unsigned int arch_isa_to_gsi(unsigned int isa, unsigned int *flags);
/*
 * COUNT irqs for one device (consecutive numbers), first returned. -ENOSPC. MSI-X takes them one by one: MAX is how many the device
 * will have in all. DEVICE is what the message controller knows it by; MSI_NO_DEVICE: none, it is only pretended that they come.
 */
#define MSI_NO_DEVICE 0xffffffffU
int arch_irq_alloc_msi(u32 device, unsigned int max, unsigned int count);
void arch_irq_free(unsigned int irq, unsigned int count);
struct arch_msi {
	u64 addr;
	u32 data;
};
void arch_irq_compose_msi(unsigned int irq, struct arch_msi *msg);

void arch_irq_mask(unsigned int irq);
void arch_irq_unmask(unsigned int irq);
/* Moves it to a CPU of MASK. For MSI the caller writes the new message. 0, -EINVAL (none online), -ENOSPC. */
int arch_irq_set_affinity(unsigned int irq, const struct cpumask *mask);
bool arch_irq_is_level(unsigned int irq);
/* For /proc/interrupts: "IO-APIC" or "PCI-MSI". */
const char *arch_irq_chip_name(unsigned int irq);
