/* SPDX-License-Identifier: MIT */
/* C that only Rust calls: what a macro does, and where a Rust panic goes. Nothing in C depends on Rust. */
#pragma once

#include <lib/types.h>

/* A panic in Rust is an oops of the running task. The texts are not ended by NUL. */
void rust_panic_oops(const char *file, size_t file_len, u32 line, const char *text, size_t text_len) __noreturn;

/* printk of text that is not ended by NUL. LEVEL is 0 (emergency) to 7 (debug). */
void rust_print(int level, const char *text, size_t len);

#include <kernel/spinlock.h>
#include <alloc/gfp.h>

enum { GFP_KERNEL_CONST = GFP_KERNEL, GFP_ATOMIC_CONST = GFP_ATOMIC };
void *rust_kmalloc(size_t size, gfp_t gfp);
unsigned long rust_spin_lock_irqsave(spinlock_t *l);
void rust_spin_unlock_irqrestore(spinlock_t *l, unsigned long flags);
u8 rust_inb(u16 port);
void rust_outb(u8 v, u16 port);
/* The I-th legacy serial line of the machine: first port and irq. False: no such line. */
bool rust_legacy_uart(unsigned int i, u16 *port, int *irq);

struct tty;
/* Fields of struct tty; the caller of the second and third holds termios_lock. */
void *rust_tty_data(struct tty *t);
u32 rust_tty_cflag(struct tty *t);
u32 rust_tty_speed(struct tty *t);

u8 rust_readb(const void *p);
u16 rust_readw(const void *p);
u32 rust_readl(const void *p);
void rust_writeb(u8 v, void *p);
void rust_writew(u16 v, void *p);
void rust_writel(u32 v, void *p);
/* Zeroed contiguous pages for a device; NULL: none. */
void *rust_dma_alloc(size_t len, u64 *phys, u32 *order);
void rust_dma_free(void *p, u32 order);
bool rust_acpi_ecam(u32 i, u64 *base, u8 *first_bus, u8 *last_bus);
bool rust_virtio_mmio(u32 i, u64 *base, u64 *len, int *irq);
/* The I-th enabled device of the device tree that is COMPATIBLE: its first registers and interrupt. */
bool rust_fdt_device(const char *compatible, u32 i, u64 *base, u64 *len, int *irq);
bool rust_has_ports(void);
u32 rust_pci_port_read(u8 bus, u8 devfn, u8 off);
void rust_pci_port_write(u8 bus, u8 devfn, u8 off, u32 v);
struct bio;
/* Piece I of B's memory; false: no more. */
bool rust_bio_segment(struct bio *b, u32 i, u64 *addr, u32 *len);

struct disk;
struct disk_ops;
struct rust_disk_limits {
	u64 sectors;
	u32 block_size, max_discard, max_zeroes;
	bool read_only, write_cache;
};
void *rust_disk_data(struct disk *d);
void rust_disk_setup(struct disk *d, const struct rust_disk_limits *l, const struct disk_ops *ops, void *data);
