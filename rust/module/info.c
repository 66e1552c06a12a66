// SPDX-License-Identifier: MIT
/*
 * What the file of a module in Rust says of the kernel it is for: linked into each of them
 * (config/modules.mk), which says its name and the hash of the kernel crate.
 */
#include <kernel/module.h>

MODULE_INFO(vermagic, MODULE_MAGIC);
MODULE_INFO(name, MODULE_NAME);
MODULE_ORIGIN;
MODULE_INFO(rust_kernel, MODULE_RUST_KERNEL);
