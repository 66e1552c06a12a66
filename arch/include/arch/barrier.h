/* SPDX-License-Identifier: MIT */
/*
 * Order between CPUs and towards devices: smp_mb smp_rmb smp_wmb, smp_load_acquire, smp_store_release,
 * mb rmb wmb (devices too), dma_rmb dma_wmb, smp_mb__before_atomic smp_mb__after_atomic.
 */
#pragma once

#include <lib/compiler.h>
#include <arch_cpu/barrier.h>

#ifndef smp_load_acquire
#define smp_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#endif
