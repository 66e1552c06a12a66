/* SPDX-License-Identifier: MIT */
/*
 * Devices that the machine's tables name, for Rust (rust/helpers_dt.c). A device is a node of the
 * device tree; or, where there is no tree, the NTH device of one of ACPI's names. Nothing here
 * sleeps or changes anything, but for interrupts, which are mapped.
 */
#pragma once

#include <lib/types.h>

struct rust_fw {
	u32 node;		/* of the tree; RUST_NO_NODE: of ACPI */
	u32 hid, nth;		/* of ACPI: which name, and the how manieth device of it */
};

#define RUST_NO_NODE 0xffffffffU

/* The next enabled device with registers that is COMPATIBLE; *NEXT starts as 0. */
bool rust_fw_compatible(const char *compatible, u32 *next, struct rust_fw *out);
/*
 * The next enabled node with the property "compatible" below PARENT (0: the root), of the tree;
 * *PREV starts as RUST_NO_NODE.
 */
bool rust_fw_child(u32 parent, u32 *prev, struct rust_fw *out);
/* The I-th of all devices of ACPI that are known by name. */
bool rust_fw_acpi(u32 i, struct rust_fw *out);
/* ACPI's name of D, and what a tree would call it; NULL: D is a node. */
const char *rust_fw_hid(const struct rust_fw *d);
const char *rust_fw_like(const struct rust_fw *d);
/* Its I-th registers: not empty, and they do not wrap. */
bool rust_fw_range(const struct rust_fw *d, u32 i, u64 *base, u64 *len);
/* Its I-th interrupt, or -errno. */
int rust_fw_irq(const struct rust_fw *d, u32 i);
/* A node's name with its unit address, for ever (LEN bytes); the root's is empty. */
const u8 *rust_fw_name(u32 node, u32 *len);
/* RUST_NO_NODE: it is the root. */
u32 rust_fw_parent(u32 node);
/* A property, for ever (LEN bytes); NULL: there is none. */
const u8 *rust_fw_property(u32 node, const char *name, u32 *len);
bool rust_fw_number(u32 node, const char *name, u64 *out);
