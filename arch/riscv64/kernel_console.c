// SPDX-License-Identifier: MIT
/*
 * The early console: a polled 16550 of the device tree, as the firmware left it, or the firmware itself (SBI) where there is none.
 * Before the final page tables the UART is reached through a device GiB in the early direct map, then through a window of its own.
 * Writes take no lock, so that panic can always use it.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <kernel/init.h>
#include <lib/string.h>
#include "arch/riscv64/rv_priv.h"

#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LSR 5
#define LSR_DATA 0x01
#define LSR_EMPTY 0x20

static char __iomem *regs;		/* NULL: no UART */
static bool sbi;			/* by firmware calls */
static bool sbi_dbcn;			/* they are those of SBI 2.0 */

static void __init early_window(phys_addr_t pa)
{
	pte_t *e = rv_early_gib(pa);

	if (!e)
		return;
	if (pte_none(ptep_read(e)))
		ptep_set(e, pte_make((unsigned long)(pa >> 30 << 30) >> PAGE_SHIFT, PTE_P_KERNEL_IO, 2));
	__asm__ volatile("sfence.vma" : : : "memory");
	regs = (char __iomem __force *)phys_to_virt(pa);
}

static u8 get(unsigned int reg)
{
	char __iomem *p = regs + (reg << machine.uart_shift);

	return machine.uart_width == 4 ? (u8)readl(p) : readb(p);
}

static void set(unsigned int reg, u8 v)
{
	char __iomem *p = regs + (reg << machine.uart_shift);

	if (machine.uart_width == 4)
		writel(v, p);
	else
		writeb(v, p);
}

/* console=ttyS0 or nothing said: the first UART, else the firmware. Another console's name leaves both silent. */
void __init arch_console_init(const char *cmdline)
{
	const char *s = strstr(cmdline, "console=");
	bool firmware = strstr(cmdline, "earlycon=sbi") || strstr(cmdline, "console=hvc0") || !machine.uart;

	if (s && !strstr(cmdline, "console=ttyS0") && !strstr(cmdline, "earlycon") && !firmware)
		return;
	if (!firmware)
		early_window(machine.uart);
	sbi = !regs;
	sbi_dbcn = sbi && sbi_has(SBI_EXT_DBCN);
	if (regs) {
		set(UART_IER, 0);
		set(UART_FCR, 1);
	}
}

void __init rv_console_window(void)
{
	if (regs)
		regs = arch_ioremap(machine.uart, PAGE_SIZE, PTE_P_KERNEL_IO);
}

bool arch_console_present(void)
{
	return regs || sbi;
}

static void put(char c)
{
	unsigned int spins = 0;

	if (!regs) {
		if (sbi_dbcn)
			sbi_call(SBI_EXT_DBCN, 2, (u8)c, 0, 0, 0, 0);
		else
			sbi_call(SBI_LEGACY_PUTCHAR, 0, (u8)c, 0, 0, 0, 0);
		return;
	}
	while (!(get(UART_LSR) & LSR_EMPTY) && ++spins < 1000000)
		cpu_relax();
	set(UART_DATA, (u8)c);
}

void arch_console_write(const char *s, size_t n)
{
	if (!arch_console_present())
		return;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			put('\r');
		put(s[i]);
	}
}

/* The firmware's console is for output alone: SBI 2.0 reads into memory, which a poll in a panic should not need. */
int arch_console_poll(void)
{
	if (sbi && !sbi_dbcn)
		return (int)sbi_call(SBI_LEGACY_GETCHAR, 0, 0, 0, 0, 0, 0).error;
	if (!regs || !(get(UART_LSR) & LSR_DATA))
		return -1;
	return get(UART_DATA);
}
