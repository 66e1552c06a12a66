// SPDX-License-Identifier: MIT
/*
 * The early console: a polled 16550. One port, chosen once from the command line; writes take no lock, so that panic can
 * always use it. The tty driver drives the same chip later with interrupts; both only ever append to its FIFO.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <lib/string.h>

#define UART_THR 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCR 7
#define LSR_DR 0x01
#define LSR_THRE 0x20
#define UART_FIFO 16

static const u16 com_ports[4] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
static u16 port;		/* 0: no console */

/* A scratch register that keeps what is written says that there is a chip. */
static bool uart_present(u16 p)
{
	outb(0x5a, p + UART_SCR);
	return inb(p + UART_SCR) == 0x5a;
}

static void uart_setup(u16 p, unsigned int baud)
{
	unsigned int div = baud ? 115200 / baud : 1;

	outb(0, p + UART_IER);
	outb(0x80, p + UART_LCR);
	outb(div & 0xff, p + UART_THR);
	outb(div >> 8, p + UART_IER);
	outb(0x03, p + UART_LCR);
	outb(0x07, p + UART_FCR);
	outb(0x0b, p + UART_MCR);
}

/* The last console=ttySn that names a chip; ttyS0 where nothing is said. */
void arch_console_init(const char *cmdline)
{
	const char *s = cmdline;
	unsigned int n = 0, baud = 115200;

	while ((s = strstr(s, "console=ttyS"))) {
		const char *e;

		s += strlen("console=ttyS");
		if (*s < '0' || *s > '3')
			continue;
		n = *s++ - '0';
		for (e = s, baud = 115200; *e == ','; ) {
			char *end;

			baud = (unsigned int)simple_strtoull(e + 1, &end, 10);
			break;
		}
	}
	if (!baud || baud > 115200)
		baud = 115200;
	if (!uart_present(com_ports[n]))
		return;
	uart_setup(com_ports[n], baud);
	port = com_ports[n];
}

bool arch_console_present(void)
{
	return port;
}

static void uart_wait(void)
{
	unsigned int spins = 0;

	while (!(inb(port + UART_LSR) & LSR_THRE) && ++spins < 1000000)
		cpu_relax();
}

/* Once the FIFO is empty it takes 16 bytes without asking again. */
void arch_console_write(const char *s, size_t n)
{
	unsigned int room = 0;

	if (!port)
		return;
	for (size_t i = 0; i < n; i++) {
		if (room < 2) {
			uart_wait();
			room = UART_FIFO;
		}
		if (s[i] == '\n') {
			outb('\r', port + UART_THR);
			room--;
		}
		outb((u8)s[i], port + UART_THR);
		room--;
	}
}

int arch_console_poll(void)
{
	if (!port || !(inb(port + UART_LSR) & LSR_DR))
		return -1;
	return inb(port + UART_THR);
}
