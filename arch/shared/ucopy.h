/* SPDX-License-Identifier: MIT */
#pragma once

#include <lib/types.h>

/* What the CPU has for mm_ucopy.c: how many bytes are left; addresses are checked already, N > 0. */
size_t __copy_from_user(void *dst, unsigned long src, size_t n);
size_t __copy_to_user(unsigned long dst, const void *src, size_t n);
size_t __copy_kernel_nofault(void *dst, const void *src, size_t n);
size_t __clear_user(unsigned long dst, size_t n);
