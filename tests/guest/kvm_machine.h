/* SPDX-License-Identifier: MIT */
/*
 * A VM with one vCPU and flat memory, and guests of a few instructions (x86_64). Include t.h first.
 */
#pragma once

#include "kvm_first_cpu.h"

#define MB (1ul << 20)
#define CODE 0x1000

/* Real mode unless said otherwise; each begins at CODE. */
#define GUEST(name, mode, text)							\
	extern const char name[], name##_end[];					\
	__asm__(".pushsection .rodata\n" mode "\n" #name ":\n" text "\n"	\
		#name "_end:\n.code64\n.popsection")

struct machine {
	int vm, v;
	struct kvm_run *run;
	char *mem;
	size_t size;
};

static inline int region(struct machine *m, unsigned int slot, unsigned int flags, uint64_t at,
			 uint64_t size, void *p)
{
	struct kvm_userspace_memory_region r = { slot, flags, at, size, (uintptr_t)p };

	return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static inline void set_rip(int v, uint64_t rip)
{
	struct kvm_regs regs = { .rip = rip, .rflags = 2, .rsp = 0x8000 };

	OK(ioctl(v, KVM_SET_REGS, &regs));
}

/* All that guests can have here. */
static inline void know_all(int v)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} id = { { .nent = 256 }, { { 0 } } };
	int kvm = OK(open("/dev/kvm", O_RDWR | O_CLOEXEC));

	OK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id));
	OK(ioctl(v, KVM_SET_CPUID2, &id));
	close(kvm);
}

/* A vCPU in real mode, all segments at 0. */
static inline int vcpu(struct machine *m, unsigned long id, struct kvm_run **run)
{
	int v = OK(ioctl(m->vm, KVM_CREATE_VCPU, id));
	struct kvm_sregs s;

	know_all(v);
	*run = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v, 0);
	CHECK(*run != MAP_FAILED);
	OK(ioctl(v, KVM_GET_SREGS, &s));
	s.cs.base = s.cs.selector = 0;
	OK(ioctl(v, KVM_SET_SREGS, &s));
	set_rip(v, CODE);
	return v;
}

static inline void machine(struct machine *m, size_t size, const char *code, const char *end)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		SKIP("this CPU runs no guests");
	OK(kvm);
	avoid_first_cpu();
	m->vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));
	m->size = size;
	m->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m->mem != MAP_FAILED);
	memcpy(m->mem + CODE, code, (size_t)(end - code));
	OK(region(m, 0, 0, 0, size, m->mem));
	m->v = vcpu(m, 0, &m->run);
	close(kvm);
}

/* Flat segments of 4 GiB; ring 0. */
static inline void protected_mode(int v)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 8, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1
	};
	struct kvm_sregs s;

	OK(ioctl(v, KVM_GET_SREGS, &s));
	s.ds = s.es = s.ss = s.fs = s.gs = s.cs = flat;
	s.cs.type = 11;
	s.cr0 |= 1;
	OK(ioctl(v, KVM_SET_SREGS, &s));
}

/* Identity by entries of 2 MiB for the first GiB, tables from 0x2000 on. */
static inline void long_mode(struct machine *m)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 8, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1
	};
	uint64_t *pml4 = (void *)(m->mem + 0x2000), *pdpt = (void *)(m->mem + 0x3000),
		 *pd = (void *)(m->mem + 0x4000);
	struct kvm_sregs s;

	pml4[0] = 0x3003;
	pdpt[0] = 0x4003;
	for (uint64_t i = 0; i < 512; i++)
		pd[i] = i << 21 | 0x83;
	OK(ioctl(m->v, KVM_GET_SREGS, &s));
	s.ds = s.es = s.ss = s.fs = s.gs = s.cs = flat;
	s.cs.type = 11;
	s.cs.l = 1;
	s.cs.db = 0;
	s.cr3 = 0x2000;
	s.cr4 |= 1 << 5;
	s.efer |= 1 << 8 | 1 << 10;
	s.cr0 |= 1u << 31 | 1;
	OK(ioctl(m->v, KVM_SET_SREGS, &s));
}

#define RUN(m, why) do {							\
	OK(ioctl((m)->v, KVM_RUN, 0));						\
	EQ((m)->run->exit_reason, why);						\
} while (0)

#define MMIO 0x10000000ull
#define PORT 0x510

static inline char *io_data(struct kvm_run *run)
{
	return (char *)run + run->io.data_offset;
}

static inline int extension(struct machine *m, unsigned long what)
{
	return ioctl(m->vm, KVM_CHECK_EXTENSION, what);
}
