// SPDX-License-Identifier: MIT
/*
 * The early console: a polled 16550 as the firmware left it. Writes take no lock, so that panic can always use it. arch_cpu/uart.h gives
 * uart_regs(), where its registers are, a byte each, from the first instruction on; NULL: there is none.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <kernel/init.h>
#include <lib/string.h>
#include <arch_cpu/uart.h>
#include "arch/shared/uart.h"

#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define LSR_RX 0x01
#define LSR_TX_EMPTY 0x20

static char __iomem *regs;		/* NULL: no console */

/* console=ttyS0 or nothing said. Another console's name leaves it silent. */
void __init arch_console_init(const char *cmdline)
{
	const char *s = strstr(cmdline, "console=");

	if (s && !strstr(cmdline, "console=ttyS0") && !strstr(cmdline, "earlycon"))
		return;
	regs = uart_regs();
	if (!regs)
		return;
	writeb(0, regs + UART_IER);
	writeb(3, regs + UART_LCR);		/* 8n1 */
	writeb(1, regs + UART_FCR);		/* FIFOs */
	writeb(3, regs + UART_MCR);
}

bool arch_console_present(void)
{
	return regs;
}

void uart_put(char c)
{
	unsigned int spins = 0;

	while (!(readb(regs + UART_LSR) & LSR_TX_EMPTY) && ++spins < 1000000)
		cpu_relax();
	writeb((u8)c, regs + UART_DATA);
}

void arch_console_write(const char *s, size_t n)
{
	if (!regs)
		return;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			uart_put('\r');
		uart_put(s[i]);
	}
}

int arch_console_poll(void)
{
	if (!regs || !(readb(regs + UART_LSR) & LSR_RX))
		return -1;
	return readb(regs + UART_DATA);
}
