/* SPDX-License-Identifier: MIT */
/*
 * Order towards devices: mb rmb wmb, and dma_rmb dma_wmb for memory that devices read and write. Order between CPUs is
 * <lib/atomic.h>'s.
 */
#pragma once

#include <lib/atomic.h>
#include <arch_cpu/barrier.h>
