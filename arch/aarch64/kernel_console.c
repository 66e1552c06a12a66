// SPDX-License-Identifier: MIT
/*
 * The early console: a polled PL011, as the firmware left it. Before the final page tables it is reached through a device
 * GiB in the early direct map, then through a window of its own. Writes take no lock, so that panic can always use it.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <kernel/init.h>
#include <lib/string.h>
#include "arch/aarch64/a64_priv.h"

#define UART_DR 0x00
#define UART_FR 0x18
#define UART_LCRH 0x2c
#define UART_CR 0x30
#define UART_IMSC 0x38
#define FR_RXFE 0x10
#define FR_TXFF 0x20

static char __iomem *regs;		/* NULL: no console */

static void __init early_window(phys_addr_t pa)
{
	pte_t *l1 = pte_table(ptep_read(&early_root[0]));
	pte_t *e = &l1[pa >> 30];

	if (pa >> 39)
		return;
	if (pte_none(ptep_read(e)))
		ptep_set(e, pte_make((unsigned long)(pa >> 30 << 30) >> PAGE_SHIFT, PTE_P_KERNEL_IO, 2));
	__asm__ volatile("dsb ishst; isb" : : : "memory");
	regs = (char __iomem __force *)phys_to_virt(pa);
}

/* console=ttyAMA0 or nothing said: the first PL011. Another console's name leaves it silent. */
static bool __init is_wanted(const char *cmdline)
{
	const char *s = strstr(cmdline, "console=");

	return machine.uart && (!s || strstr(cmdline, "console=ttyAMA0") || strstr(cmdline, "earlycon"));
}

static void __init set_up(void)
{
	writel(0, regs + UART_IMSC);
	writel(0x70, regs + UART_LCRH);		/* 8n1, FIFOs */
	writel(0x301, regs + UART_CR);
}

void __init arch_console_init(const char *cmdline)
{
	if (!is_wanted(cmdline))
		return;
	early_window(machine.uart);
	if (regs)
		set_up();
}

/* ACPI's tables are not read before there are the final page tables: then it begins here. */
void __init a64_console_window(const char *cmdline)
{
	bool begun = regs;

	if (!is_wanted(cmdline))
		return;
	regs = arch_ioremap(machine.uart, PAGE_SIZE, PTE_P_KERNEL_IO);
	if (regs && !begun)
		set_up();
}

bool arch_console_present(void)
{
	return regs;
}

static void put(char c)
{
	unsigned int spins = 0;

	while ((readl(regs + UART_FR) & FR_TXFF) && ++spins < 1000000)
		cpu_relax();
	writel((u8)c, regs + UART_DR);
}

void arch_console_write(const char *s, size_t n)
{
	if (!regs)
		return;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			put('\r');
		put(s[i]);
	}
}

int arch_console_poll(void)
{
	if (!regs || (readl(regs + UART_FR) & FR_RXFE))
		return -1;
	return (u8)readl(regs + UART_DR);
}
