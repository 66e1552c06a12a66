/* SPDX-License-Identifier: MIT */
/* The C headers that Rust sees: bindgen makes build/ARCH/rust/bindings.rs of what they declare. */
#pragma once

#include <lib/types.h>
#include <lib/err.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/irq.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include <tty/tty.h>
#include <arch/irq.h>
#include <alloc/vmalloc.h>
#include <block/blk.h>
#include <kernel/random.h>
#include <rust/helpers.h>
