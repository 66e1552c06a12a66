// SPDX-License-Identifier: MIT
/* /proc/cpuinfo's text, and the auxiliary vector's view of the CPU. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/elf.h>
#include <lib/format.h>
#include <lib/string.h>
#include "arch/x86_64/x86_priv.h"

/* Names in the order of the feature words; NULL: not shown. */
static const char *const flag_names[X86_FEATURE_WORDS][32] = {
	[0] = { "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", NULL, "sep", "mtrr", "pge", "mca",
		"cmov", "pat", "pse36", "pn", "clflush", NULL, "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht",
		"tm", "ia64", "pbe" },
	[2] = { [11] = "syscall", [19] = "mp", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt", [26] = "pdpe1gb",
		[27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow" },
	[1] = { "pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est", "tm2", "ssse3", "cid", "sdbg",
		"fma", "cx16", "xtpr", "pdcm", NULL, "pcid", "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt",
		"tsc_deadline_timer", "aes", "xsave", "osxsave", "avx", "f16c", "rdrand", "hypervisor" },
	[3] = { "lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse", "3dnowprefetch",
		"osvw", "ibs", "xop", "skinit", "wdt", NULL, "lwp", "fma4", "tce", NULL, "nodeid_msr", NULL, "tbm",
		"topoext" },
	[4] = { "fsgsbase", "tsc_adjust", "sgx", "bmi1", "hle", "avx2", NULL, "smep", "bmi2", "erms", "invpcid", "rtm",
		"cqm", NULL, "mpx", "rdt_a", "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", NULL,
		"clflushopt", "clwb", "intel_pt", "avx512pf", "avx512er", "avx512cd", "sha_ni", "avx512bw", "avx512vl" },
	[5] = { NULL, "avx512vbmi", "umip", "pku", "ospke", "waitpkg", "avx512_vbmi2", NULL, "gfni", "vaes",
		"vpclmulqdq", "avx512_vnni", "avx512_bitalg", "tme", "avx512_vpopcntdq", NULL, "la57", [22] = "rdpid",
		[25] = "cldemote", [27] = "movdiri", [28] = "movdir64b" },
	[6] = { [4] = "fsrm", [10] = "md_clear", [14] = "serialize", [26] = "ibrs", [27] = "stibp", [28] = "flush_l1d",
		[29] = "arch_capabilities", [31] = "ssbd" },
	[7] = { "xsaveopt", "xsavec", "xgetbv1", "xsaves" },
	[8] = { "clzero", "irperf", "xsaveerptr", [9] = "wbnoinvd", [12] = "ibpb" },
	[9] = { [4] = "avx_vnni", [5] = "avx512_bf16" },
	[10] = { [8] = "constant_tsc" },
	[12] = { "npt", "lbrv", "svm_lock", "nrip_save", "tsc_scale", "vmcb_clean", "flushbyasid", "decodeassists",
		 [10] = "pausefilter", [12] = "pfthreshold", [13] = "avic", [15] = "v_vmsave_vmload", [16] = "vgif",
		 [18] = "x2avic", [20] = "v_spec_ctrl", [25] = "vnmi" },
};

static size_t add(char *buf, size_t size, size_t at, const char *s)
{
	return at + (size_t)snprintf(at < size ? buf + at : NULL, at < size ? size - at : 0, "%s", s);
}

static size_t add_flags(char *buf, size_t size, size_t at)
{
	static const u8 order[] = { 0, 2, 10, 1, 3, 4, 7, 9, 8, 12, 5, 6 };

	at = add(buf, size, at, "flags\t\t:");
	for (size_t w = 0; w < sizeof(order); w++)
		for (unsigned int b = 0; b < 32; b++)
			if (flag_names[order[w]][b] && (x86_features[order[w]] >> b & 1)) {
				at = add(buf, size, at, " ");
				at = add(buf, size, at, flag_names[order[w]][b]);
			}
	return add(buf, size, at, "\n");
}

static size_t add_bugs(char *buf, size_t size, size_t at)
{
	static const char *const shown[] = { "meltdown", "l1tf", "mds", "spectre_v1", "spectre_v2", "spec_store_bypass",
					     "retbleed" };
	static const char *const as[] = { "cpu_meltdown", "l1tf", "mds", "spectre_v1", "spectre_v2", "spec_store_bypass",
					  "retbleed" };
	char text[128];

	at = add(buf, size, at, "bugs\t\t:");
	for (unsigned int i = 0; arch_vulnerability_name(i); i++) {
		arch_vulnerability_show(text, sizeof(text), i);
		for (unsigned int k = 0; k < ARRAY_SIZE(shown); k++)
			if (!strcmp(shown[k], arch_vulnerability_name(i)) && strcmp(text, "Not affected\n")) {
				at = add(buf, size, at, " ");
				at = add(buf, size, at, as[k]);
			}
	}
	return add(buf, size, at, "\n");
}

int arch_cpuinfo_show(char *buf, size_t size, unsigned int cpu)
{
	const char *model = cpu_model_name;
	u64 khz = tsc_khz;
	size_t at;

	while (*model == ' ')
		model++;
	at = (size_t)snprintf(buf, size,
		"processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n"
		"cpu MHz\t\t: %llu.%03llu\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n"
		"apicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n",
		cpu, cpu_vendor, cpu_family, cpu_model, *model ? model : "unknown", cpu_stepping, khz / 1000, khz % 1000,
		machine.nr_cpus, cpu, machine.nr_cpus, machine.apic_id[cpu], machine.apic_id[cpu]);
	at = add_flags(buf, size, at);
	at = add_bugs(buf, size, at);
	at += (size_t)snprintf(at < size ? buf + at : NULL, at < size ? size - at : 0,
		"bogomips\t: %llu.%02llu\nclflush size\t: 64\ncache_alignment\t: 64\n"
		"address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
		khz / 500, khz / 5 % 100, cpu_phys_bits, cpu_virt_bits);
	return (int)at;
}

unsigned long arch_elf_hwcap(void)
{
	return x86_features[0];
}

/* HWCAP2_FSGSBASE, HWCAP2_RING3MWAIT: <asm/hwcap2.h>. */
unsigned long arch_elf_hwcap2(void)
{
	return cpu_has(X86_FEATURE_FSGSBASE) ? 1UL << 1 : 0;
}
