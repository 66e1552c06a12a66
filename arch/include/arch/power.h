/* SPDX-License-Identifier: MIT */
/* Turning the machine off. All return only if the machine has no such way. */
#pragma once

#include <lib/types.h>

void arch_power_off(void);
void arch_reset(void);
/* A test machine's exit status, where it has a device for that (status is (code << 1) | 1 in QEMU's). */
void arch_exit_status(unsigned int code);
