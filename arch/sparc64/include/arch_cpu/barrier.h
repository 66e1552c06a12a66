/* SPDX-License-Identifier: MIT */
/* Total store order (SPARC V9, 8.4.4): only a store and a later load may pass each other. Device accesses are side-effect ordered. */
#pragma once

#define mb() __asm__ volatile("membar #LoadLoad | #LoadStore | #StoreStore | #StoreLoad" ::: "memory")
#define rmb() __asm__ volatile("membar #LoadLoad" ::: "memory")
#define wmb() __asm__ volatile("membar #StoreStore" ::: "memory")
#define dma_rmb() rmb()
#define dma_wmb() wmb()
