// SPDX-License-Identifier: MIT
/* The vDSO's image and its data page. One writer at a time (the caller's clock lock); readers use the sequence count. */
#include <arch/vdso.h>
#include <arch/barrier.h>
#include <arch/page.h>
#include <arch_cpu/vdso_data.h>
#include <linux/time.h>

extern const char vdso_image_start[], vdso_image_end[];

const void *arch_vdso_image(size_t *size)
{
	*size = PAGE_ALIGN((size_t)(vdso_image_end - vdso_image_start));
	return vdso_image_start;
}

phys_addr_t arch_vdso_image_page(unsigned int i)
{
	return image_to_phys(vdso_image_start) + (phys_addr_t)i * PAGE_SIZE;
}

phys_addr_t arch_vdso_data_page(void)
{
	return image_to_phys(&vdso_data_page);
}

unsigned long arch_vdso_sigreturn(void)
{
	return VDSO_SIGRETURN;
}

static void begin(struct vdso_data *d)
{
	WRITE_ONCE(d->seq, d->seq + 1);
	smp_wmb();
}

static void end(struct vdso_data *d)
{
	smp_wmb();
	WRITE_ONCE(d->seq, d->seq + 1);
}

void arch_vdso_update(s64 wall_offset_ns, s64 boot_offset_ns, s32 tai_offset)
{
	struct vdso_data *d = &vdso_data_page;
	bool ours;

	begin(d);
	ours = arch_vdso_clock(&d->clock);
	for (int clock = 0; clock < VDSO_CLOCKS; clock++)
		switch (ours ? clock : -1) {
		case CLOCK_MONOTONIC:
		case CLOCK_MONOTONIC_RAW: d->ahead_ns[clock] = 0; break;
		case CLOCK_REALTIME: d->ahead_ns[clock] = wall_offset_ns; break;
		case CLOCK_BOOTTIME: d->ahead_ns[clock] = boot_offset_ns; break;
		case CLOCK_TAI: d->ahead_ns[clock] = wall_offset_ns + tai_offset * 1000000000LL; break;
		default: d->ahead_ns[clock] = VDSO_ASK;
		}
	end(d);
}

void arch_vdso_set_timezone(int minuteswest, int dsttime)
{
	struct vdso_data *d = &vdso_data_page;

	begin(d);
	d->tz_minuteswest = minuteswest;
	d->tz_dsttime = dsttime;
	end(d);
}
