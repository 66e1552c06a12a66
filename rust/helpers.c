// SPDX-License-Identifier: MIT
/* C that only Rust calls: see <rust/helpers.h>. */
#include <lib/types.h>
#include <rust/helpers.h>

#include <kernel/bug.h>
#include <kernel/printk.h>

void rust_panic_oops(const char *file, size_t file_len, u32 line, const char *text, size_t text_len)
{
	pr_emerg("rust: panic at %.*s:%u: %.*s\n", (int)file_len, file, line, (int)text_len, text);
	BUG();
}

void rust_print(int level, const char *text, size_t len)
{
	printk("\001%c%.*s", '0' + (level & 7), (int)len, text);
}

#include <alloc/slab.h>
#include <arch/io.h>
#include <arch/irq.h>

void *rust_kmalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

unsigned long rust_spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags;

	spin_lock_irqsave(l, flags);
	return flags;
}

void rust_spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	spin_unlock_irqrestore(l, flags);
}

u8 rust_inb(u16 port)
{
#ifdef ARCH_HAS_PORTS
	return inb(port);
#else
	return 0xff;
#endif
}

void rust_outb(u8 v, u16 port)
{
#ifdef ARCH_HAS_PORTS
	outb(v, port);
#endif
}

bool rust_legacy_uart(unsigned int i, u16 *port, int *irq)
{
#ifdef ARCH_HAS_PORTS
	/* The PC's four, where its BIOS has always put them. */
	static const struct { u16 port; u8 isa; } lines[4] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };
	unsigned int gsi, flags;

	if (i >= 4)
		return false;
	gsi = arch_isa_to_gsi(lines[i].isa, &flags);
	*port = lines[i].port;
	*irq = arch_irq_map_gsi(gsi, flags);
	return true;
#else
	return false;
#endif
}

#include <tty/tty.h>

void *rust_tty_data(struct tty *t)
{
	return t->driver_data;
}

u32 rust_tty_cflag(struct tty *t)
{
	return t->termios.c_cflag;
}

u32 rust_tty_speed(struct tty *t)
{
	return t->termios.c_ospeed;
}
