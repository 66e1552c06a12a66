// SPDX-License-Identifier: MIT
/*
 * The early console: the first serial port, a polled 16550 as the firmware left it. Writes take no lock, so that panic can
 * always use it.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <kernel/init.h>
#include <lib/string.h>

#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define LSR_RX 0x01
#define LSR_TX_EMPTY 0x20

#define COM1 0x3f8

static bool present;

/* console=ttyS0 or nothing said. Another console's name leaves it silent. */
void __init arch_console_init(const char *cmdline)
{
	const char *s = strstr(cmdline, "console=");

	if (s && !strstr(cmdline, "console=ttyS0") && !strstr(cmdline, "earlycon"))
		return;
	present = true;
	outb(0, COM1 + UART_IER);
	outb(3, COM1 + UART_LCR);		/* 8n1 */
	outb(1, COM1 + UART_FCR);		/* FIFOs */
	outb(3, COM1 + UART_MCR);
}

bool arch_console_present(void)
{
	return present;
}

static void put(char c)
{
	unsigned int spins = 0;

	while (!(inb(COM1 + UART_LSR) & LSR_TX_EMPTY) && ++spins < 1000000)
		cpu_relax();
	outb((u8)c, COM1 + UART_DATA);
}

void arch_console_write(const char *s, size_t n)
{
	if (!present)
		return;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			put('\r');
		put(s[i]);
	}
}

int arch_console_poll(void)
{
	if (!present || !(inb(COM1 + UART_LSR) & LSR_RX))
		return -1;
	return inb(COM1 + UART_DATA);
}
