/* SPDX-License-Identifier: MIT */
/* The page that the kernel writes and the vDSO reads. struct vdso_clock is the CPU's: how the clock is computed from its counter. */
#pragma once

#define VDSO_CLOCKS 12			/* CLOCK_TAI, and those before it */
#define VDSO_ASK (-1LL - __LONG_LONG_MAX__)	/* this clock is the kernel's to tell */

struct vdso_data {
	unsigned int seq;		/* odd while the page changes */
	int tz_minuteswest, tz_dsttime;
	struct vdso_clock clock;
	long long ahead_ns[VDSO_CLOCKS];	/* of MONOTONIC, each CLOCK_...; or VDSO_ASK */
#ifdef VDSO_CPU
	struct vdso_cpu cpu;		/* constant, of this CPU alone */
#endif
};

extern struct vdso_data vdso_data_page;				/* the kernel's name for it */
extern const struct vdso_data vvar_page __attribute__((visibility("hidden")));	/* the vDSO's */

/* The kernel's side: C becomes what the vDSO is to compute with. Whether it may. */
_Bool arch_vdso_clock(struct vdso_clock *c);
