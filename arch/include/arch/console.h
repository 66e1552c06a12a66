/* SPDX-License-Identifier: MIT */
/* A console that needs nothing: polled, no locks, usable from the first instruction to the last and in panic. */
#pragma once

#include <lib/types.h>

/* Picks the port from the command line's console= (last one that it can drive) or earlycon. */
void arch_console_init(const char *cmdline);
bool arch_console_present(void);
/* Adds the carriage returns. Callers serialise. */
void arch_console_write(const char *s, size_t n);
/* A received byte, or -1. For debugging; the tty driver takes over reading. */
int arch_console_poll(void);
