// SPDX-License-Identifier: MIT
/*
 * ttyS0 for programs: what they write goes out byte by byte through the early console's port. Nothing can be read yet, since no interrupt
 * of a device is taken (kernel_irq.c); the 16550's driver takes over with the first one.
 */
#include <arch/console.h>
#include <arch/irqflags.h>
#include <abi/errno.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/kdev.h>
#include <tty/tty.h>
#include "arch/shared/uart.h"
#include "arch/sparc64/sparc_priv.h"

#define ROOM 256U		/* bytes at a time, a millisecond or two of a real line */

static size_t send(struct tty *t, const u8 *buf, size_t n)
{
	unsigned long flags = arch_irq_save();

	n = n < ROOM ? n : ROOM;
	/* The line discipline has added the carriage returns. */
	for (size_t i = 0; i < n; i++)
		uart_put((char)buf[i]);
	arch_irq_restore(flags);
	return n;
}

static size_t room(struct tty *t)
{
	return ROOM;
}

static size_t nothing_waits(struct tty *t)
{
	return 0;
}

static int open_port(struct tty *t)
{
	return 0;
}

static void close_port(struct tty *t)
{
}

static const struct tty_ops console_ops = {
	.open = open_port,
	.close = close_port,
	.write = send,
	.write_room = room,
	.chars_in_buffer = nothing_waits,
};

static int __init console_tty_init(void)
{
	struct tty *t;
	int err;

	if (!arch_console_present())
		return 0;
	t = tty_alloc(&console_ops, "ttyS0", MKDEV(4, 64), NULL);
	if (!t)
		return -ENOMEM;
	err = tty_register(t);
	if (err) {
		tty_put(t);
		return err;
	}
	tty_offer_console(t, false);
	pr_info("serial: ttyS0 by polling, for output alone\n");
	return 0;
}
INITCALL(device, console_tty_init);
