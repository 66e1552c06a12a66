/* SPDX-License-Identifier: MIT */
/* Names of kernel addresses, from the table that the build's second link pass puts into the image. */
#pragma once

#include <lib/types.h>

/* "name+0x12/0x40", or the bare address when no function is there. BUF holds at least 128 bytes; returns BUF. */
const char *ksym_describe(unsigned long addr, char *buf, size_t size);
/* Start of the function that holds ADDR, its length and name (none of SIZE 0, which spares looking it up); false: there is no function. */
bool ksym_lookup(unsigned long addr, unsigned long *start, unsigned long *len, char *name, size_t size);
bool is_kernel_text(unsigned long addr);
/* Prints the current stack. */
void dump_stack(void);
/* Where the code that was interrupted with REGS stood. */
struct pt_regs;
void dump_stack_from(const struct pt_regs *regs);
