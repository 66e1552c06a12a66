/* SPDX-License-Identifier: MIT */
/* Towards devices (Arm ARM, B2.3.12): dsb waits for completion, dmb orders what the outer domain sees. */
#pragma once

#define mb() __asm__ volatile("dsb sy" ::: "memory")
#define rmb() __asm__ volatile("dsb ld" ::: "memory")
#define wmb() __asm__ volatile("dsb st" ::: "memory")
#define dma_rmb() __asm__ volatile("dmb oshld" ::: "memory")
#define dma_wmb() __asm__ volatile("dmb oshst" ::: "memory")
