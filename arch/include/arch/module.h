/* SPDX-License-Identifier: MIT */
/* What a CPU does for modules. Only of CPUs with CONFIG_MODULES. */
#pragma once

#include <arch/module_reloc.h>

/*
 * Of the CPU, in <arch_cpu/module.h>: ARCH_MODULE_MACHINE, its ELF machine; ARCH_MODULE_MAGIC, its
 * word in vermagic; ARCH_MODULE_VENEER, the bytes of a veneer (0: calls reach what they may call);
 * ARCH_MODULE_ALTERNATIVES, defined where a module may have a section .alternatives;
 * ARCH_MODULE_PAIRS, defined where relocations have second halves that name the first ones.
 */
#include <arch_cpu/module.h>

/*
 * The N bytes at TEXT were written and will run there: when this returns no CPU runs what was there
 * before. Not from an interrupt, nor with interrupts off.
 */
void arch_module_text_written(const void *text, size_t n);
/*
 * Applies a module's table of alternatives, SIZE bytes at TABLE, to its text, which is writable
 * still: TEXT_SIZE bytes at TEXT. False: the table is malformed.
 */
bool arch_module_apply_alternatives(const void *table, size_t size, void *text, size_t text_size)
	__must_check;
