/* SPDX-License-Identifier: MIT */
/* The page that the kernel writes and the vDSO reads. SEQ is odd while it changes. */
#pragma once

#define VDSO_SIGRETURN 0x800		/* where the linker script puts __vdso_rt_sigreturn */

struct vdso_data {
	unsigned int seq;
	unsigned int ready;		/* 0: ask the kernel */
	unsigned long long base, mult;	/* ns = (counter - base) * mult >> 32 */
	long long wall_ns, boot_ns;	/* what REALTIME and BOOTTIME are ahead of MONOTONIC */
	int tai_s;
	int tz_minuteswest, tz_dsttime;
};

extern struct vdso_data vdso_data_page;				/* the kernel's name for it */
extern const struct vdso_data vvar_page __attribute__((visibility("hidden")));	/* the vDSO's */
