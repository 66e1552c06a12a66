/* SPDX-License-Identifier: MIT */
/* The page that the kernel writes and the vDSO reads. SEQ is odd while it changes. */
#pragma once

#define VDSO_CLOCK_NONE 0	/* ask the kernel */
#define VDSO_CLOCK_TSC 1

struct vdso_data {
	unsigned int seq;
	unsigned int mode;
	unsigned long long base_tsc, base_ns;
	unsigned int mult, shift;
	long long wall_ns, boot_ns;	/* what REALTIME and BOOTTIME are ahead of MONOTONIC */
	int tai_s;
	int tz_minuteswest, tz_dsttime;
};

extern struct vdso_data vdso_data_page;				/* the kernel's name for it */
extern const struct vdso_data vvar_page __attribute__((visibility("hidden")));	/* the vDSO's */
