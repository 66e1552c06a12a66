/* SPDX-License-Identifier: MIT */
/* What uname(2) says: the Linux release whose ABI this is, and what kernel answers. */
#pragma once

#define OCHRE_RELEASE "7.2.0-ochre"
#define OCHRE_VERSION "#1 SMP PREEMPT_DYNAMIC Ochre 0.1"
