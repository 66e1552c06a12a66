/* SPDX-License-Identifier: MIT */
/* Towards devices: i and o are device reads and writes, r and w those of memory (RISC-V unprivileged ISA, 2.7). */
#pragma once

#define mb() __asm__ volatile("fence iorw, iorw" ::: "memory")
#define rmb() __asm__ volatile("fence ir, ir" ::: "memory")
#define wmb() __asm__ volatile("fence ow, ow" ::: "memory")
#define dma_rmb() __asm__ volatile("fence r, r" ::: "memory")
#define dma_wmb() __asm__ volatile("fence w, w" ::: "memory")
