/* SPDX-License-Identifier: MIT */
/* The C headers that Rust sees: bindgen makes build/ARCH/rust/bindings.rs of what they declare. */
#pragma once

#include <lib/types.h>
#include <lib/err.h>
#include <kernel/printk.h>
#include <rust/helpers.h>
