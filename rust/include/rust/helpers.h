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
