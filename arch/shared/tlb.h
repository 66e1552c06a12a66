/* SPDX-License-Identifier: MIT */
#pragma once

struct arch_mm;

/* The space that this CPU has loaded, lazily or not; NULL: none. Preemption is off. */
struct arch_mm *tlb_loaded(void);
