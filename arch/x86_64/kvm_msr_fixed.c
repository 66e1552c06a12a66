// SPDX-License-Identifier: MIT
/*
 * MSRs without a function in a guest. Firmware and kernels use them as the CPU's model says,
 * without asking CPUID, and expect no #GP. As on Linux a read gives a constant, and a write is
 * ignored, refused, or allowed with 0 alone.
 *
 * The performance counters are those of a CPU without a PMU for its guests: they never count.
 */
#include <lib/compiler.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"

enum written { REFUSED, IGNORED, ZERO_ALONE };

static const struct fixed {
	u32 first, last;
	enum written written;
	bool unreadable;
	u64 value;
} fixed[] = {
	{ 0x17, 0x17, REFUSED, false, 0 },			/* PLATFORM_ID */
	{ 0x2a, 0x2a, REFUSED, false, 0 },			/* EBL_CR_POWERON */
	{ 0x2c, 0x2c, REFUSED, false, 1ULL << 24 },		/* EBC_FREQUENCY_ID */
	{ 0x79, 0x79, IGNORED, true, 0 },			/* BIOS_UPDT_TRIG */
	{ 0xc1, 0xc2, IGNORED, false, 0 },			/* PERFCTR0, 1 */
	{ 0xcd, 0xcd, REFUSED, false, 3 },			/* FSB_FREQ */
	{ 0x11e, 0x11e, IGNORED, false, 0xbe702111 },		/* BBL_CR_CTL3 */
	{ 0x186, 0x187, IGNORED, false, 0 },			/* EVNTSEL0, 1 */
	{ 0x198, 0x198, REFUSED, false, 1000 | 4ULL << 40 },	/* PERF_STATUS */
	{ 0x199, 0x199, REFUSED, false, 0 },			/* PERF_CTL */
	{ 0x1d9, 0x1d9, IGNORED, false, 0 },			/* DEBUGCTL, without LBRs */
	{ 0x1db, 0x1de, REFUSED, false, 0 },			/* LASTBRANCH, LASTINT */
	{ 0x606, 0x606, REFUSED, false, 0 },			/* energy: units, */
	{ 0x611, 0x611, REFUSED, false, 0 },			/* package, */
	{ 0x619, 0x619, REFUSED, false, 0 },			/* memory, */
	{ 0x639, 0x639, REFUSED, false, 0 },			/* cores, */
	{ 0x641, 0x641, REFUSED, false, 0 },			/* graphics */
	{ 0xc0010000, 0xc0010007, IGNORED, false, 0 },		/* PERF_CTL0 to 3, PERF_CTR0 to 3 */
	{ 0xc001001b, 0xc001001b, IGNORED, false, 0x20000000 }, /* CLK_CTL */
	{ 0xc001001f, 0xc001001f, IGNORED, false, 0 },		/* NB_CFG */
	{ 0xc0010020, 0xc0010020, IGNORED, true, 0 },		/* PATCH_LOADER */
	{ 0xc0010055, 0xc0010055, REFUSED, false, 0 },		/* INT_PENDING_MSG */
	{ 0xc0010058, 0xc0010058, ZERO_ALONE, false, 0 },	/* MMIO_CONF_BASE */
	{ 0xc0010112, 0xc0010113, REFUSED, false, 0 },		/* TSEG: address, mask */
	{ 0xc0011022, 0xc0011023, IGNORED, false, 0 },		/* DC_CFG, TW_CFG */
	{ 0xc001102a, 0xc001102a, IGNORED, false, 0 },		/* BU_CFG2 */
	{ 0xc001102c, 0xc001102c, IGNORED, false, 0 },		/* EX_CFG */
};

static const struct fixed *find(u32 index)
{
	unsigned int low = 0, high = ARRAY_SIZE(fixed);

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (index > fixed[mid].last)
			low = mid + 1;
		else if (index < fixed[mid].first)
			high = mid;
		else
			return &fixed[mid];
	}
	return NULL;
}

bool kvm_msr_fixed_get(u32 index, u64 *value)
{
	const struct fixed *f = find(index);

	if (!f || f->unreadable)
		return false;
	*value = f->value;
	return true;
}

bool kvm_msr_fixed_set(u32 index, u64 value)
{
	const struct fixed *f = find(index);

	return f && (f->written == IGNORED || (f->written == ZERO_ALONE && !value));
}
