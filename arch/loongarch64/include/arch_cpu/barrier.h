/* SPDX-License-Identifier: MIT */
/*
 * Towards devices (Reference Manual, volume 1, 2.2.8.1): bit 4 of the hint clear waits for completion, set orders; bits 3..2 say which
 * accesses before are exempt (loads, stores), bits 1..0 which after.
 */
#pragma once

#define mb() __asm__ volatile("dbar 0" ::: "memory")
#define rmb() __asm__ volatile("dbar 0x5" ::: "memory")
#define wmb() __asm__ volatile("dbar 0xa" ::: "memory")
#define dma_rmb() __asm__ volatile("dbar 0x15" ::: "memory")
#define dma_wmb() __asm__ volatile("dbar 0x1a" ::: "memory")
