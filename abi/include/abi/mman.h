/* SPDX-License-Identifier: MIT */
/* Flags of mmap(2) that not every CPU's ABI has: where there is no such bit none can be asked for. */
#pragma once

#include <linux/mman.h>

#ifndef MAP_SYNC
#define MAP_SYNC 0
#endif
#ifndef MAP_UNINITIALIZED
#define MAP_UNINITIALIZED 0
#endif
