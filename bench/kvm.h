/* SPDX-License-Identifier: MIT */
/*
 * Operations of /dev/kvm, for ops.c (x86_64): guests of a few instructions, in real mode or with
 * flat segments. Where there is no /dev/kvm they are left out.
 */
#pragma once

#include <linux/kvm.h>

#define KVM_CODE 0x1000
#define KVM_PAGES 256
#define KVM_MEMORY ((KVM_PAGES + 16) * 4096ul)	/* 64 KiB for code, and what is touched */

#define GUEST(name, mode, text)							\
	extern const char name[], name##_end[];					\
	__asm__(".pushsection .rodata\n" mode "\n" #name ":\n" text "\n"	\
		#name "_end:\n.code64\n.popsection")

GUEST(guest_cpuid, ".code16", "1: cpuid; dec %esi; jnz 1b; hlt");
GUEST(guest_out, ".code16", "1: out %al, $0x10; jmp 1b");
GUEST(guest_hlt, ".code16", "1: hlt; jmp 1b");
GUEST(guest_touch, ".code32", "1: movb %al, (%edi); add $4096, %edi; dec %esi; jnz 1b; hlt");

static struct {
	int dev, vm, v;
	char *mem;
	unsigned long ids;
} kvm;

static void kvm_region(unsigned int slot, uint64_t at, uint64_t size)
{
	struct kvm_userspace_memory_region r = { slot, 0, at, size, (uintptr_t)kvm.mem };

	must(!ioctl(kvm.vm, KVM_SET_USER_MEMORY_REGION, &r), "memory region");
}

static void kvm_open(void)
{
	kvm.dev = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	must(kvm.dev >= 0, "/dev/kvm");
}

static void kvm_close(void)
{
	close(kvm.dev);
}

static void kvm_make_vm(void)
{
	kvm_open();
	kvm.vm = ioctl(kvm.dev, KVM_CREATE_VM, 0);
	must(kvm.vm >= 0, "VM");
	kvm.ids = 0;
	kvm.mem =
		mmap(NULL, KVM_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(kvm.mem != MAP_FAILED, "mmap");
	madvise(kvm.mem, KVM_MEMORY, MADV_NOHUGEPAGE);
}

static void kvm_drop_vm(void)
{
	close(kvm.vm);
	munmap(kvm.mem, KVM_MEMORY);
	kvm_close();
}

static void kvm_begin(uint64_t si, uint64_t di)
{
	struct kvm_regs r = { .rip = KVM_CODE, .rflags = 2, .rsi = si, .rdi = di };

	must(!ioctl(kvm.v, KVM_SET_REGS, &r), "registers");
}

static void kvm_make(const char *code, const char *end)
{
	struct kvm_sregs s;

	kvm_make_vm();
	memcpy(kvm.mem + KVM_CODE, code, (size_t)(end - code));
	kvm_region(0, 0, KVM_MEMORY);
	kvm.v = ioctl(kvm.vm, KVM_CREATE_VCPU, 0);
	must(kvm.v >= 0 && !ioctl(kvm.v, KVM_GET_SREGS, &s), "vCPU");
	s.cs.base = s.cs.selector = 0;
	must(!ioctl(kvm.v, KVM_SET_SREGS, &s), "segments");
	kvm_begin(0, 0);
}

static void kvm_drop(void)
{
	close(kvm.v);
	kvm_drop_vm();
}

static void kvm_make_cpuid(void)
{
	kvm_make(guest_cpuid, guest_cpuid_end);
}

static void kvm_make_out(void)
{
	kvm_make(guest_out, guest_out_end);
}

static void kvm_make_hlt(void)
{
	kvm_make(guest_hlt, guest_hlt_end);
}

static void kvm_make_touch(void)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 8, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1
	};
	struct kvm_sregs s;

	kvm_make(guest_touch, guest_touch_end);
	ioctl(kvm.v, KVM_GET_SREGS, &s);
	s.ds = s.es = s.ss = s.cs = flat;
	s.cs.type = 11;
	s.cr0 |= 1;
	must(!ioctl(kvm.v, KVM_SET_SREGS, &s), "segments");
}

OP(op_kvm_cpuid)
{
	kvm_begin((uint64_t)n, 0);
	must(!ioctl(kvm.v, KVM_RUN, 0), "run");
}
OP(op_kvm_exit)
{
	LOOP ioctl(kvm.v, KVM_RUN, 0);
}
OP(op_kvm_get_regs)
{
	struct kvm_regs r;
	LOOP ioctl(kvm.v, KVM_GET_REGS, &r);
}
OP(op_kvm_create_vm)
{
	LOOP close(ioctl(kvm.dev, KVM_CREATE_VM, 0));
}
OP(op_kvm_create_vcpu)
{
	LOOP close(ioctl(kvm.vm, KVM_CREATE_VCPU, kvm.ids++));
}
OP(op_kvm_region)
{
	LOOP kvm_region(1, 0, i & 1 ? 0 : KVM_MEMORY);
}

OP(op_kvm_touch)
{
	for (long i = 0; i < n; i += KVM_PAGES) {
		madvise(kvm.mem + KVM_MEMORY - KVM_PAGES * 4096, KVM_PAGES * 4096, MADV_DONTNEED);
		kvm_begin(KVM_PAGES, KVM_MEMORY - KVM_PAGES * 4096);
		must(!ioctl(kvm.v, KVM_RUN, 0), "run");
	}
}
