/* SPDX-License-Identifier: MIT */
/*
 * Alpha Architecture Handbook, 5.6.4: mb orders all accesses, wmb stores among themselves; nothing else orders anything, not even a load by the
 * pointer that another load brought. What needs that loads with __ATOMIC_CONSUME, for which the compiler puts an mb here.
 */
#pragma once

#define mb() __asm__ volatile("mb" ::: "memory")
#define rmb() __asm__ volatile("mb" ::: "memory")
#define wmb() __asm__ volatile("wmb" ::: "memory")
#define dma_rmb() rmb()
#define dma_wmb() wmb()
