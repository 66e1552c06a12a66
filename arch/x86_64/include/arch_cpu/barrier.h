/* SPDX-License-Identifier: MIT */
/* Towards devices. x86-TSO: only a store followed by a load can change places. */
#pragma once

#define mb() __asm__ volatile("mfence" ::: "memory")
#define rmb() __asm__ volatile("lfence" ::: "memory")
#define wmb() __asm__ volatile("sfence" ::: "memory")
#define dma_rmb() barrier()
#define dma_wmb() barrier()
