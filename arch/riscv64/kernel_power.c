// SPDX-License-Identifier: MIT
/* Power-off and reset by the firmware (SBI SRST, else the old shutdown call); a test machine's exit status. */
#include <arch/power.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/irqflags.h>
#include "arch/riscv64/rv_priv.h"

#define SRST_SHUTDOWN 0
#define SRST_COLD 1

static void system_reset(unsigned long type)
{
	arch_irq_disable();
	if (sbi_has(SBI_EXT_SRST))
		sbi_call(SBI_EXT_SRST, 0, type, 0, 0, 0, 0);
}

void arch_power_off(void)
{
	system_reset(SRST_SHUTDOWN);
	sbi_call(SBI_LEGACY_SHUTDOWN, 0, 0, 0, 0, 0, 0);
}

void arch_reset(void)
{
	system_reset(SRST_COLD);
}

/* SiFive's test device: 0x5555 passes, 0x3333 fails with the status in the upper half. */
void arch_exit_status(unsigned int code)
{
	char __iomem *p = machine.test_device ? arch_ioremap(machine.test_device, PAGE_SIZE, PTE_P_KERNEL_IO) : NULL;

	if (p)
		writel(code ? 0x3333 | code << 16 : 0x5555, p);
}
