/* SPDX-License-Identifier: MIT */
/* The page that the kernel writes and the vDSO reads. struct vdso_clock is the CPU's: how the clock is computed from its counter. */
#pragma once

struct vdso_data {
	unsigned int seq;		/* odd while the page changes */
	unsigned int ready;		/* 0: ask the kernel */
	struct vdso_clock clock;
	long long wall_ns, boot_ns;	/* what REALTIME and BOOTTIME are ahead of MONOTONIC */
	int tai_s;
	int tz_minuteswest, tz_dsttime;
};

extern struct vdso_data vdso_data_page;				/* the kernel's name for it */
extern const struct vdso_data vvar_page __attribute__((visibility("hidden")));	/* the vDSO's */

/* The kernel's side: C becomes what the vDSO is to compute with. Whether it may. */
_Bool arch_vdso_clock(struct vdso_clock *c);
