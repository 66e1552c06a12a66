/* SPDX-License-Identifier: MIT */
/* The device tree's part of the hand-off, the same on each CPU that is started with one. */
#pragma once

#include <lib/dt.h>

/*
 * First: the tree at PA, of which MAX bytes can be read at BLOB (for ever), becomes boot_info's memory map, command line, initrd and
 * seeds; boot_map_finish() is the caller's. 0; -EINVAL: no tree, or not a whole one.
 */
int boot_dt_look(const void *blob, phys_addr_t pa, size_t max);
/* Once memblock knows RAM: reserves the tree and indexes it in memory of [LO, HI), after which arch_dt() has it. 0, -ENOENT, -ENOMEM. */
int boot_dt_open(phys_addr_t lo, phys_addr_t hi);
