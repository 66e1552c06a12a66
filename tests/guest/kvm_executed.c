// SPDX-License-Identifier: MIT
/*
 * Instructions of a guest (x86_64) that the kernel executes for it: moves of vector registers to
 * and from devices, debug registers and traps behind them. Also on Linux.
 */
#include "t.h"
#ifdef __x86_64__
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "kvm_machine.h"

#define IDT 0x9000
#define GDT 0xa000
#define HANDLER 0x3000
#define DATA 0x5000
#define CR4_OSFXSR (1 << 9)

static void long_machine(struct machine *m, const char *code, const char *end)
{
	struct kvm_sregs s;

	machine(m, MB, code, end);
	long_mode(m);
	OK(ioctl(m->v, KVM_GET_SREGS, &s));
	s.cr4 |= CR4_OSFXSR;
	OK(ioctl(m->v, KVM_SET_SREGS, &s));
	for (unsigned int i = 0; i < 64; i++)
		m->mem[DATA + i] = (char)(0x40 + i);
}

/* A device's write of WANT, SIZE bytes at MMIO + OFFSET, in parts of 8. */
static void stored(struct machine *m, uint64_t offset, const void *want, unsigned int size)
{
	for (unsigned int at = 0; at < size; at += 8) {
		RUN(m, KVM_EXIT_MMIO);
		EQ(m->run->mmio.is_write, 1);
		EQ(m->run->mmio.phys_addr, MMIO + offset + at);
		EQ(m->run->mmio.len, 8);
		CHECK(!memcmp(m->run->mmio.data, (const char *)want + at, 8));
	}
}

static void loaded(struct machine *m, uint64_t offset, const void *give, unsigned int size)
{
	for (unsigned int at = 0; at < size; at += 8) {
		RUN(m, KVM_EXIT_MMIO);
		EQ(m->run->mmio.is_write, 0);
		EQ(m->run->mmio.phys_addr, MMIO + offset + at);
		memcpy(m->run->mmio.data, (const char *)give + at, 8);
	}
}

GUEST(sse, ".code64",
      "mov $0x10000000, %rbx; movdqu 0x5000, %xmm1; movdqu %xmm1, (%rbx); movdqu 0x20(%rbx), %xmm9\n"
      "movups %xmm9, 0x5100; movaps %xmm9, 0x40(%rbx); movapd 0x60(%rbx), %xmm1\n"
      "movupd %xmm1, 0x5110; hlt");

TEST(kvm_moves_sse_registers_to_devices)
{
	char first[16] = "sixteen of them", second[16] = "and once more..";
	struct machine m;

	long_machine(&m, sse, sse_end);
	stored(&m, 0, m.mem + DATA, 16);
	loaded(&m, 0x20, first, 16);
	stored(&m, 0x40, first, 16);
	loaded(&m, 0x60, second, 16);
	RUN(&m, KVM_EXIT_HLT);
	CHECK(!memcmp(m.mem + DATA + 0x100, first, 16));
	CHECK(!memcmp(m.mem + DATA + 0x110, second, 16));
}

/* With a value on the stack its top is 7: MM3 is ST(4) by then. */
GUEST(mmx, ".code64",
      "mov $0x10000000, %rbx; fninit; movq 0x5008, %mm3; movq 0x5010, %mm6; emms; fld1; movq %mm3, (%rbx)\n"
      "movq 0x10(%rbx), %mm5; movq %mm5, 0x5100; movq %mm3, 0x5108\n"
      "movq %mm6, 0x5110; hlt");

TEST(kvm_moves_mmx_registers_to_devices)
{
	char given[8] = "an mmx.";
	struct kvm_fpu f;
	struct machine m;

	long_machine(&m, mmx, mmx_end);
	stored(&m, 0, m.mem + DATA + 8, 8);
	OK(ioctl(m.v, KVM_GET_FPU, &f));
	EQ(f.fsw >> 11 & 7, 0);
	EQ(f.ftwx, 0xff);
	loaded(&m, 0x10, given, 8);
	RUN(&m, KVM_EXIT_HLT);
	CHECK(!memcmp(m.mem + DATA + 0x100, given, 8));
	CHECK(!memcmp(m.mem + DATA + 0x108, m.mem + DATA + 8, 16));
}

GUEST(avx, ".code64",
      "mov $0x10000000, %rbx; xor %ecx, %ecx; xgetbv; or $7, %eax; xsetbv\n"
      "vmovdqu 0x5000, %ymm2; vmovdqu %ymm2, (%rbx); vmovdqu 0x20(%rbx), %ymm3\n"
      "vmovdqu %ymm3, 0x5100; vmovdqu 0x40(%rbx), %xmm2; vmovdqu %ymm2, 0x5120; hlt");

TEST(kvm_moves_avx_registers_to_devices)
{
	static const char zero[16];
	char given[32] = "thirty-two bytes for a register";
	struct kvm_sregs s;
	struct machine m;

	if (!__builtin_cpu_supports("avx2"))
		SKIP("this CPU has no AVX2");
	long_machine(&m, avx, avx_end);
	OK(ioctl(m.v, KVM_GET_SREGS, &s));
	s.cr4 |= 1 << 18;
	OK(ioctl(m.v, KVM_SET_SREGS, &s));
	stored(&m, 0, m.mem + DATA, 32);
	loaded(&m, 0x20, given, 32);
	loaded(&m, 0x40, given + 8, 16);
	RUN(&m, KVM_EXIT_HLT);
	CHECK(!memcmp(m.mem + DATA + 0x100, given, 32));
	CHECK(!memcmp(m.mem + DATA + 0x120, given + 8, 16));
	CHECK(!memcmp(m.mem + DATA + 0x130, zero, 16));
}

GUEST(detects, ".code32", "mov %dr7, %eax; hlt; hlt");
GUEST(traced, ".code32", "cpuid; hlt; hlt");
GUEST(handler, ".code32", "mov %dr6, %ebx; mov %dr7, %ecx; out %al, $0x80");

/* The guest's DR6 in #DB's handler, where it had DR6 and DR7; *DR7 is the handler's. */
static uint32_t dr6_of(const char *code, const char *end, uint32_t rflags, uint32_t dr6,
		       uint64_t *dr7)
{
	static const uint64_t gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff };
	uint64_t gate = (uint64_t)HANDLER | 8 << 16 | 0x8e00ull << 32;
	struct kvm_debugregs d;
	struct kvm_sregs s;
	struct kvm_regs r = { .rip = CODE, .rflags = 2 | rflags, .rsp = 0x8000 };
	struct machine m;

	machine(&m, MB, code, end);
	memcpy(m.mem + HANDLER, handler, (size_t)(handler_end - handler));
	memcpy(m.mem + GDT, gdt, sizeof(gdt));
	memcpy(m.mem + IDT + 8, &gate, sizeof(gate));
	protected_mode(m.v);
	OK(ioctl(m.v, KVM_GET_SREGS, &s));
	s.ss.selector = 16;
	s.gdt = (struct kvm_dtable){ .base = GDT, .limit = sizeof(gdt) - 1 };
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 15 };
	OK(ioctl(m.v, KVM_SET_SREGS, &s));
	OK(ioctl(m.v, KVM_SET_REGS, &r));
	OK(ioctl(m.v, KVM_GET_DEBUGREGS, &d));
	d.dr6 = dr6;
	d.dr7 = *dr7;
	OK(ioctl(m.v, KVM_SET_DEBUGREGS, &d));
	RUN(&m, KVM_EXIT_IO);
	OK(ioctl(m.v, KVM_GET_REGS, &r));
	*dr7 = r.rcx;
	return (uint32_t)r.rbx;
}

/* A use of a debug register that DR7.GD catches: the handler may use them. */
TEST(kvm_general_detect_is_over_in_the_handler)
{
	uint64_t dr7 = 0x2400;

	EQ(dr6_of(detects, detects_end, 0, 0xffff0ff0, &dr7), 0xffff2ff0);
	EQ(dr7, 0x400);
}

/* What DR6 said of breakpoints before is gone; the rest stays. */
TEST(kvm_a_trap_forgets_older_breakpoints)
{
	uint64_t dr7 = 0x400;

	EQ(dr6_of(traced, traced_end, 0x100, 0xffff2ff5, &dr7), 0xffff6ff0);
}
#else
TEST(kvm_executed)
{
	SKIP("guests of x86_64");
}
#endif
