/* SPDX-License-Identifier: MIT */
/* Where the firmware's tables are, and how to read them. */
#pragma once

#include <lib/types.h>

/* Physical address of ACPI's RSDP; 0: this machine has none (or none that is sound). */
phys_addr_t arch_acpi_rsdp(void);
/* LEN bytes of firmware data at PA, mapped read-only for ever; NULL when that cannot be. */
const void *arch_map_firmware(u64 pa, size_t len);

struct dt;
struct dt_irq;
/* The device tree that the machine was started with, indexed; NULL: it has none. The same for all CPUs (boot/dt.c). */
const struct dt *arch_dt(void);
/* The irq of what dt_irq() found, masked as yet. -EINVAL (not a controller of ours, or it has no such line), -ENOSPC. */
int arch_dt_irq(const struct dt_irq *irq);
/* Are messages to that node of the tree (dt_msi()) taken, by arch_irq_alloc_msi()? */
bool arch_dt_msi(u32 controller);
