/* SPDX-License-Identifier: MIT */
/* Zeroed memory for ever, before the page allocator is up; panics when there is none. */
#pragma once

#include <lib/types.h>

void *boot_alloc(size_t size, size_t align);
