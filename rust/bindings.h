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
#include <kernel/ktest.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <kernel/uevent.h>
#include <dev/device.h>
#include <kernel/time.h>
#include <lib/rbtree.h>
#include <mm/uaccess.h>
#include <net/netdev.h>
#include <proc/cred.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/work.h>
#include <vfs/seq_file.h>
#include <rust/helpers.h>
#include <rust/helpers_dt.h>
#include <rust/helpers_net.h>
#include <fs/binderfs.h>
#include <proc/pid.h>
#include <rust/helpers_mm.h>
