// SPDX-License-Identifier: MIT
/*
 * A guest's interrupt controllers in the kernel (x86_64): what each ioctl answers, and small guests
 * in long mode that take interrupts of the 8259A, the I/O APIC, the 8254 and local APICs.
 */
#include "t.h"
#ifdef __x86_64__
#include <pthread.h>
#include <sys/utsname.h>
#include "kvm_first_cpu.h"

#define MB (1ul << 20)
#define CODE 0x1000
#define GDT 0x2000
#define IDT 0x3000
#define COUNTS 0x5000			/* how often each vector came: 4 bytes each */
#define WORDS 0x6000			/* of the guests' own */
#define STACK 0x7ff0
#define AP_CODE 0x8000
#define STUBS 0x10000			/* 32 bytes a vector */
#define TABLES 0x20000
#define AP_VECTOR 0x61

/* Long mode unless said otherwise. r8: the local APIC's page; port 80h: the owner is told. */
#define GUEST(name, mode, text)							\
	extern const char name[], name##_end[];					\
	__asm__(".pushsection .rodata\n" mode "\n" #name ":\n" text "\n"	\
		#name "_end:\n.code64\n.popsection")

/* ICW1 to ICW4 of both chips: vectors from 20h on. All but inputs 0 and 4 are masked. */
#define PIC_SETUP								\
	"mov $0x11, %al; out %al, $0x20; out %al, $0xa0\n"			\
	"mov $0x20, %al; out %al, $0x21; mov $0x28, %al; out %al, $0xa1\n"	\
	"mov $4, %al; out %al, $0x21; mov $2, %al; out %al, $0xa1\n"		\
	"mov $1, %al; out %al, $0x21; out %al, $0xa1\n"				\
	"mov $0xee, %al; out %al, $0x21; mov $0xff, %al; out %al, $0xa1\n"
#define APIC_ON "movl $0x1ff, 0xf0(%r8)\n"
#define TELL "out %al, $0x80\n"

struct machine {
	int vm, v[2];
	struct kvm_run *run[2];
	char *mem;
};

static int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		SKIP("this CPU runs no guests");
	return OK(fd);
}

static int vm_new(void)
{
	int kvm = kvm_open(), vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));

	close(kvm);
	return vm;
}

static volatile uint32_t *word(struct machine *m, uint64_t at)
{
	return (volatile uint32_t *)(m->mem + at);
}

static uint32_t count(struct machine *m, unsigned int vector)
{
	return *word(m, COUNTS + 4 * vector);
}

static size_t put(char *to, const void *from, size_t n)
{
	memcpy(to, from, n);
	return n;
}

#define TELLS 0x46			/* its handler tells the owner too */

/* Counts, tells its chip of the end, returns. */
static void stub(struct machine *m, unsigned int vector)
{
	static const char eoi_pic[] = { 0x50, (char)0xb0, 0x20, (char)0xe6, 0x20, 0x58 },
			  eoi_apic[] = "\x41\xc7\x80\xb0\x00\x00\x00\x00\x00\x00\x00",
			  inc[] = { (char)0xff, 0x04, 0x25 }, tell[] = { (char)0xe6, (char)0x80 },
			  iretq[] = { 0x48, (char)0xcf };
	char *p = m->mem + STUBS + vector * 32;
	uint32_t at = COUNTS + 4 * vector;
	uint64_t entry = STUBS + vector * 32;
	uint64_t gate[2] = { (entry & 0xffff) | 8 << 16 | 0x8e00ull << 32 | entry >> 16 << 48, 0 };

	p += put(p, inc, sizeof(inc));
	p += put(p, &at, 4);
	if (vector == TELLS)
		p += put(p, tell, sizeof(tell));
	if (vector < 0x30)
		p += put(p, eoi_pic, sizeof(eoi_pic));
	else
		p += put(p, eoi_apic, sizeof(eoi_apic) - 1);
	put(p, iretq, sizeof(iretq));
	memcpy(m->mem + IDT + vector * 16, gate, sizeof(gate));
}

static void know_all(int v)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} id = { { .nent = 256 }, { { 0 } } };
	int kvm = kvm_open();

	OK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id));
	OK(ioctl(v, KVM_SET_CPUID2, &id));
	close(kvm);
}

static int vcpu(struct machine *m, unsigned int id)
{
	int v = OK(ioctl(m->vm, KVM_CREATE_VCPU, (unsigned long)id));

	know_all(v);
	m->run[id] = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v, 0);
	CHECK(m->run[id] != MAP_FAILED);
	m->v[id] = v;
	return v;
}

/* The first 4 GiB as they are, by entries of 2 MiB. */
static void long_mode(struct machine *m, int v)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1
	};
	uint64_t *t = (void *)(m->mem + TABLES),
		 gdt[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
	struct kvm_regs r = {
		.rip = CODE, .rflags = 2, .rsp = STACK, .r8 = 0xfee00000, .r9 = 0xfec00000
	};
	struct kvm_sregs s;

	t[0] = (TABLES + 0x1000) | 3;
	for (uint64_t i = 0; i < 4; i++)
		t[512 + i] = (TABLES + 0x2000 + i * 0x1000) | 3;
	for (uint64_t i = 0; i < 2048; i++)
		t[1024 + i] = i << 21 | 0x83;
	memcpy(m->mem + GDT, gdt, sizeof(gdt));
	OK(ioctl(v, KVM_GET_SREGS, &s));
	s.ds = s.es = s.ss = s.fs = s.gs = s.cs = flat;
	s.cs.type = 11;
	s.cs.selector = 8;
	s.cs.l = 1;
	s.cs.db = 0;
	s.gdt = (struct kvm_dtable){ .base = GDT, .limit = sizeof(gdt) - 1 };
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 4095 };
	s.cr3 = TABLES;
	s.cr4 |= 1 << 5;
	s.efer |= 1 << 8 | 1 << 10;
	s.cr0 |= 1u << 31 | 1;
	OK(ioctl(v, KVM_SET_SREGS, &s));
	OK(ioctl(v, KVM_SET_REGS, &r));
}

static void machine(struct machine *m, const char *code, const char *end)
{
	struct kvm_userspace_memory_region r = { .memory_size = MB };

	avoid_first_cpu();
	m->vm = vm_new();
	m->mem = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m->mem != MAP_FAILED);
	r.userspace_addr = (uintptr_t)m->mem;
	OK(ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &r));
	OK(ioctl(m->vm, KVM_CREATE_IRQCHIP, 0));
	memcpy(m->mem + CODE, code, (size_t)(end - code));
	for (unsigned int vector = 0x20; vector < 0x100; vector++)
		stub(m, vector);
	long_mode(m, vcpu(m, 0));
}

/* It runs until it writes to port 80h. */
static void run(struct machine *m)
{
	OK(ioctl(m->v[0], KVM_RUN, 0));
	EQ(m->run[0]->exit_reason, KVM_EXIT_IO);
	EQ(m->run[0]->io.port, 0x80);
}

static void line(struct machine *m, unsigned int gsi, unsigned int level)
{
	struct kvm_irq_level l = { .irq = gsi, .level = level };

	OK(ioctl(m->vm, KVM_IRQ_LINE, &l));
}

/* ---- what ioctls answer ---- */

TEST(kvm_irqchip_errors)
{
	int kvm = kvm_open(), vm = vm_new(), v;
	struct kvm_irqchip chip = { .chip_id = 0 };
	struct kvm_pit_config config = { .flags = 0 };
	struct kvm_pit_state2 pit2;
	struct kvm_pit_state pit;
	struct kvm_reinject_control reinject = { .pit_reinject = 1 };
	struct kvm_lapic_state apic;
	struct kvm_interrupt irq = { .irq = 0x30 };
	struct kvm_mp_state mp = { KVM_MP_STATE_HALTED };

	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP), 1);
	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_PIT2), 1);
	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_PIT_STATE2), 1);
	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_REINJECT_CONTROL), 1);
	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER), 1);

	memset(&pit, 0, sizeof(pit));
	memset(&pit2, 0, sizeof(pit2));
	ERR(ioctl(vm, KVM_GET_IRQCHIP, &chip), ENXIO);
	ERR(ioctl(vm, KVM_SET_IRQCHIP, &chip), ENXIO);
	ERR(ioctl(vm, KVM_GET_IRQCHIP, 8), EFAULT);
	ERR(ioctl(vm, KVM_SET_IRQCHIP, 8), EFAULT);
	ERR(ioctl(vm, KVM_CREATE_PIT2, &config), ENOENT);
	ERR(ioctl(vm, KVM_CREATE_PIT2, 8), EFAULT);
	ERR(ioctl(vm, KVM_CREATE_PIT, 0), ENOENT);
	ERR(ioctl(vm, KVM_GET_PIT2, &pit2), ENXIO);
	ERR(ioctl(vm, KVM_SET_PIT2, &pit2), ENXIO);
	ERR(ioctl(vm, KVM_SET_PIT2, 8), EFAULT);
	ERR(ioctl(vm, KVM_GET_PIT, &pit), ENXIO);
	ERR(ioctl(vm, KVM_GET_PIT, 8), EFAULT);
	ERR(ioctl(vm, KVM_SET_PIT, &pit), ENXIO);
	ERR(ioctl(vm, KVM_REINJECT_CONTROL, &reinject), ENXIO);
	ERR(ioctl(vm, KVM_REINJECT_CONTROL, 8), EFAULT);
	v = OK(ioctl(vm, KVM_CREATE_VCPU, 0));
	ERR(ioctl(vm, KVM_CREATE_IRQCHIP, 0), EINVAL);
	ERR(ioctl(v, KVM_GET_LAPIC, &apic), EINVAL);
	ERR(ioctl(v, KVM_SET_LAPIC, &apic), EINVAL);
	ERR(ioctl(v, KVM_SET_VAPIC_ADDR, 8), EINVAL);
	ERR(ioctl(v, KVM_SET_MP_STATE, &mp), EINVAL);
	OK(ioctl(v, KVM_INTERRUPT, &irq));
}

TEST(kvm_irqchip_errors_with_one)
{
	struct kvm_irqchip chip = { .chip_id = 3 };
	struct kvm_pit_config config = { .flags = 0 };
	struct kvm_reinject_control reinject = { .pit_reinject = 1 };
	struct kvm_interrupt irq = { .irq = 0x30 };
	struct kvm_mp_state mp = { 77 };
	struct kvm_vapic_addr none = { 0 };
	int vm = vm_new(), v;

	OK(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	ERR(ioctl(vm, KVM_CREATE_IRQCHIP, 0), EEXIST);
	v = OK(ioctl(vm, KVM_CREATE_VCPU, 0));
	ERR(ioctl(vm, KVM_CREATE_IRQCHIP, 0), EEXIST);
	OK(ioctl(vm, KVM_CREATE_PIT2, &config));
	ERR(ioctl(vm, KVM_CREATE_PIT2, &config), EEXIST);
	ERR(ioctl(vm, KVM_CREATE_PIT, 0), EEXIST);
	ERR(ioctl(vm, KVM_GET_IRQCHIP, &chip), EINVAL);
	ERR(ioctl(vm, KVM_SET_IRQCHIP, &chip), EINVAL);
	ERR(ioctl(v, KVM_INTERRUPT, &irq), ENXIO);
	ERR(ioctl(v, KVM_GET_LAPIC, 8), EFAULT);
	ERR(ioctl(v, KVM_SET_LAPIC, 8), EFAULT);
	ERR(ioctl(v, KVM_SET_VAPIC_ADDR, 8), EFAULT);
	OK(ioctl(v, KVM_SET_VAPIC_ADDR, &none));
	ERR(ioctl(v, KVM_SET_MP_STATE, &mp), EINVAL);
	OK(ioctl(vm, KVM_REINJECT_CONTROL, &reinject));
}

TEST(kvm_irqchip_states)
{
	struct kvm_irqchip chip, again;
	struct kvm_mp_state mp;
	int vm = vm_new(), v, ap;

	OK(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	v = OK(ioctl(vm, KVM_CREATE_VCPU, 0));
	ap = OK(ioctl(vm, KVM_CREATE_VCPU, 1));
	OK(ioctl(v, KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	OK(ioctl(ap, KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_UNINITIALIZED);
	mp.mp_state = KVM_MP_STATE_HALTED;
	OK(ioctl(ap, KVM_SET_MP_STATE, &mp));
	OK(ioctl(ap, KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_HALTED);

	for (unsigned int i = 0; i < 2; i++) {
		memset(&chip, 0, sizeof(chip));
		chip.chip_id = i;
		OK(ioctl(vm, KVM_GET_IRQCHIP, &chip));
		EQ(chip.chip.pic.irq_base, 0);
		chip.chip.pic.irq_base = (unsigned char)(0x50 + 8 * i);
		chip.chip.pic.imr = 0xa5;
		OK(ioctl(vm, KVM_SET_IRQCHIP, &chip));
		memset(&again, 0, sizeof(again));
		again.chip_id = i;
		OK(ioctl(vm, KVM_GET_IRQCHIP, &again));
		EQ(again.chip.pic.irq_base, 0x50 + 8 * i);
		EQ(again.chip.pic.imr, 0xa5);
	}
	memset(&chip, 0, sizeof(chip));
	chip.chip_id = KVM_IRQCHIP_IOAPIC;
	OK(ioctl(vm, KVM_GET_IRQCHIP, &chip));
	EQ(chip.chip.ioapic.redirtbl[7].bits, 1 << 16);
	EQ(chip.chip.ioapic.base_address, 0xfec00000);
	chip.chip.ioapic.redirtbl[7].bits = 0x0300000000018931;
	chip.chip.ioapic.id = 5;
	OK(ioctl(vm, KVM_SET_IRQCHIP, &chip));
	memset(&again, 0, sizeof(again));
	again.chip_id = KVM_IRQCHIP_IOAPIC;
	OK(ioctl(vm, KVM_GET_IRQCHIP, &again));
	EQ(again.chip.ioapic.redirtbl[7].bits, 0x0300000000018931);
	EQ(again.chip.ioapic.id, 5);
}

TEST(kvm_irqchip_pit_state)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_pit_state2 pit;
	int vm = vm_new();

	OK(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	OK(ioctl(vm, KVM_CREATE_PIT2, &config));
	OK(ioctl(vm, KVM_GET_PIT2, &pit));
	pit.channels[2].count = 0x1234;
	pit.channels[2].mode = 3;
	pit.channels[0].mode = 2;
	pit.channels[0].count = 50000;
	OK(ioctl(vm, KVM_SET_PIT2, &pit));
	memset(&pit, 0, sizeof(pit));
	OK(ioctl(vm, KVM_GET_PIT2, &pit));
	EQ(pit.channels[2].count, 0x1234);
	EQ(pit.channels[2].mode, 3);
	EQ(pit.channels[0].mode, 2);
	EQ(pit.channels[0].count, 50000);
	EQ(pit.flags, 0);
}

TEST(kvm_irqchip_apic_state)
{
	struct kvm_lapic_state apic, after;
	int vm = vm_new(), v, ap;

	OK(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	v = OK(ioctl(vm, KVM_CREATE_VCPU, 0));
	ap = OK(ioctl(vm, KVM_CREATE_VCPU, 1));
	OK(ioctl(ap, KVM_GET_LAPIC, &apic));
	EQ(*(uint32_t *)&apic.regs[0x20], 1 << 24);
	EQ(*(uint32_t *)&apic.regs[0xf0], 0xff);
	EQ(*(uint32_t *)&apic.regs[0x350], 0x10000);
	*(uint32_t *)&apic.regs[0x80] = 0x50;
	*(uint32_t *)&apic.regs[0xf0] = 0x1ff;
	*(uint32_t *)&apic.regs[0x320] = 0x1003c;
	OK(ioctl(ap, KVM_SET_LAPIC, &apic));
	OK(ioctl(ap, KVM_GET_LAPIC, &after));
	EQ(*(uint32_t *)&after.regs[0x80], 0x50);
	EQ(*(uint32_t *)&after.regs[0xf0], 0x1ff);
	EQ(*(uint32_t *)&after.regs[0x320], 0x1003c);
	OK(ioctl(v, KVM_GET_LAPIC, &apic));
	EQ(*(uint32_t *)&apic.regs[0x20], 0);
	EQ(*(uint32_t *)&apic.regs[0x350], 0x700);
}

/* ---- the 8259A ---- */

GUEST(pic_guest, ".code64", PIC_SETUP TELL "sti; hlt; cli\n" TELL "sti; nop; nop; cli\n" TELL);

TEST(kvm_irqchip_pic)
{
	struct machine m;

	machine(&m, pic_guest, pic_guest_end);
	run(&m);
	line(&m, 4, 1);
	run(&m);
	EQ(count(&m, 0x24), 1);
	line(&m, 4, 0);
	line(&m, 4, 1);			/* another edge, while interrupts are off */
	line(&m, 4, 0);
	EQ(count(&m, 0x24), 1);
	run(&m);
	EQ(count(&m, 0x24), 2);
	EQ(m.run[0]->ready_for_interrupt_injection, 1);
}

/* A guest that halts is woken as often as it is interrupted. */
GUEST(halts, ".code64", PIC_SETUP TELL "1: sti; hlt; cli; cmpl $300, 0x5090; jb 1b\n" TELL);

static void *runs(void *arg)
{
	struct machine *m = arg;

	return ioctl(m->v[0], KVM_RUN, 0) ? (void *)(long)errno : NULL;
}

TEST(kvm_irqchip_halt_wakes)
{
	struct machine m;
	pthread_t t;
	void *e;

	machine(&m, halts, halts_end);
	run(&m);
	EQ(pthread_create(&t, NULL, runs, &m), 0);
	for (uint32_t n = 0; n < 300; n++) {
		line(&m, 4, 1);
		line(&m, 4, 0);
		while (count(&m, 0x24) == n)
			sched_yield();
	}
	EQ(pthread_join(t, &e), 0);
	CHECK(!e);
	EQ(m.run[0]->io.port, 0x80);
	EQ(count(&m, 0x24), 300);
}

/* ---- the 8254 ---- */

GUEST(pit_guest, ".code64",
      PIC_SETUP "mov $0x34, %al; out %al, $0x43; mov $0xa9, %al; out %al, $0x40; mov $4, %al\n"
		"out %al, $0x40; 1: sti; hlt; cli; cmpl $20, 0x5080; jb 1b; in $0x61, %al\n" TELL);

TEST(kvm_irqchip_pit)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_pit_state2 pit;
	struct machine m;

	machine(&m, pit_guest, pit_guest_end);
	OK(ioctl(m.vm, KVM_CREATE_PIT2, &config));
	run(&m);
	CHECK(count(&m, 0x20) >= 20);
	OK(ioctl(m.vm, KVM_GET_PIT2, &pit));
	EQ(pit.channels[0].mode, 2);
	EQ(pit.channels[0].count, 0x4a9);
}

/* ---- the I/O APIC ---- */

/* Pin 5: vector 45h, an edge; pin 6: vector 46h, a level. The 8259A has them too: masked. */
GUEST(ioapic_guest, ".code64",
      APIC_ON
      "mov $0xff, %al; out %al, $0x21; out %al, $0xa1\n"
      "movl $0x1a, (%r9); movl $0x45, 0x10(%r9); movl $0x1c, (%r9); movl $0x8046, 0x10(%r9)\n"
      "movl $1, (%r9); movl 0x10(%r9), %eax; mov %eax, 0x6000\n"
      "1: " TELL "sti; nop; nop; nop; cli; jmp 1b");

TEST(kvm_irqchip_ioapic)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct machine m;

	machine(&m, ioapic_guest, ioapic_guest_end);
	run(&m);
	EQ(*word(&m, WORDS), 0x170011);
	line(&m, 5, 1);
	line(&m, 5, 1);
	run(&m);
	EQ(count(&m, 0x45), 1);
	run(&m);
	EQ(count(&m, 0x45), 1);
	line(&m, 5, 0);
	line(&m, 5, 1);
	run(&m);
	EQ(count(&m, 0x45), 2);
	/* A level comes again as long as it is high when its service ends. */
	line(&m, 6, 1);
	OK(ioctl(m.vm, KVM_GET_IRQCHIP, &chip));
	EQ(chip.chip.ioapic.redirtbl[6].bits & 0xffff, 0xc046);	/* remote IRR */
	run(&m);
	EQ(count(&m, 0x46), 1);
	line(&m, 6, 1);
	run(&m);
	EQ(count(&m, 0x46), 2);
	line(&m, 6, 0);
	run(&m);
	EQ(count(&m, 0x46), 2);
	OK(ioctl(m.vm, KVM_GET_IRQCHIP, &chip));
	EQ(chip.chip.ioapic.redirtbl[6].bits & 0xffff, 0x8046);
	run(&m);
	EQ(count(&m, 0x46), 2);
	EQ(count(&m, 0x45), 2);
}

/* ---- local APICs ---- */

GUEST(timer_guest, ".code64",
      APIC_ON
      "movl $0xb, 0x3e0(%r8); movl $0x50, 0x320(%r8); movl $1000000, 0x380(%r8)\n"
      "1: sti; hlt; cli; cmpl $1, 0x5140; jb 1b; movl 0x390(%r8), %eax; mov %eax, 0x6000\n" TELL
      "movl $0x20051, 0x320(%r8); movl $500000, 0x380(%r8)\n"
      "1: sti; hlt; cli; cmpl $20, 0x5144; jb 1b; movl $0, 0x380(%r8)\n" TELL
      "movl $0x40052, 0x320(%r8); mfence; rdtsc; shl $32, %rdx; or %rdx, %rax\n"
      "add $3000000, %rax; mov %rax, %rbx; mov %rax, %rdx; shr $32, %rdx; mov $0x6e0, %ecx\n"
      "wrmsr; 1: sti; hlt; cli; cmpl $1, 0x5148; jb 1b; rdtsc; shl $32, %rdx; or %rdx, %rax\n"
      "cmp %rbx, %rax; setae 0x6004; mov $0x6e0, %ecx; rdmsr; mov %eax, 0x6008\n" TELL);

TEST(kvm_irqchip_apic_timer)
{
	struct machine m;

	machine(&m, timer_guest, timer_guest_end);
	run(&m);
	EQ(count(&m, 0x50), 1);
	EQ(*word(&m, WORDS), 0);
	run(&m);
	CHECK(count(&m, 0x51) >= 20);
	*word(&m, WORDS + 8) = 1;
	run(&m);
	EQ(count(&m, 0x52), 1);
	EQ(*word(&m, WORDS + 4), 1);
	EQ(*word(&m, WORDS + 8), 0);
	EQ(count(&m, 0x50), 1);
}

/* IPIs to itself, held back by TPR, as a register and as CR8, and by what is in service. */
GUEST(priority, ".code64",
      APIC_ON
      "movl $0x40054, 0x300(%r8); sti; nop; cli\n" TELL
      "movl $0x60, 0x80(%r8); movl $0x40055, 0x300(%r8); sti; nop; nop; cli\n" TELL
      "mov %cr8, %rax; mov %eax, 0x6000; movl $0x40, 0x80(%r8); sti; nop; nop; cli\n" TELL
      "mov $0xf, %eax; mov %rax, %cr8; movl $0x40056, 0x300(%r8); sti; nop; nop; cli\n" TELL
      "sti; mov $5, %eax; mov %rax, %cr8; nop; nop; mov 0x5158, %eax; mov %eax, 0x6004\n"
      "mov $4, %eax; mov %rax, %cr8; nop; nop; cli; mov 0x80(%r8), %eax; mov %eax, 0x6008\n" TELL);

TEST(kvm_irqchip_priority)
{
	struct machine m;

	machine(&m, priority, priority_end);
	run(&m);
	EQ(count(&m, 0x54), 1);
	run(&m);
	EQ(count(&m, 0x55), 0);
	run(&m);
	EQ(*word(&m, WORDS), 6);
	EQ(count(&m, 0x55), 1);
	run(&m);
	EQ(count(&m, 0x56), 0);
	run(&m);
	EQ(*word(&m, WORDS + 4), 0);
	EQ(count(&m, 0x56), 1);
	EQ(*word(&m, WORDS + 8), 0x40);
	EQ(m.run[0]->cr8, 4);
}

/* x2APIC: the id, an IPI to itself, the page that is silent, and the end of interrupts by MSR. */
GUEST(x2_guest, ".code64",
      "mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr; mov $0x802, %ecx; rdmsr; mov %eax, 0x6000\n"
      "mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr; mov 0x20(%r8), %eax\n"
      "mov %eax, 0x6004; mov $0x83f, %ecx; mov $0x57, %eax; wrmsr; sti; nop; nop; cli\n"
      "mov $0x80d, %ecx; rdmsr; mov %eax, 0x6008\n"
      "mov $0x812, %ecx; rdmsr; mov %eax, 0x600c; mov $0x80b, %ecx; xor %eax, %eax; wrmsr\n"
      "mov $0x812, %ecx; rdmsr; mov %eax, 0x6010\n" TELL);

TEST(kvm_irqchip_x2apic)
{
	struct kvm_lapic_state apic;
	struct kvm_sregs s;
	struct machine m;

	machine(&m, x2_guest, x2_guest_end);
	run(&m);
	EQ(count(&m, 0x57), 1);
	EQ(*word(&m, WORDS), 0);
	EQ(*word(&m, WORDS + 4), 0xffffffff);
	EQ(*word(&m, WORDS + 8), 1);
	EQ(*word(&m, WORDS + 12), 1 << (0x57 & 31));	/* in service: the page's EOI is no end */
	EQ(*word(&m, WORDS + 16), 0);
	OK(ioctl(m.v[0], KVM_GET_SREGS, &s));
	EQ(s.apic_base, 0xfee00d00);
	OK(ioctl(m.v[0], KVM_GET_LAPIC, &apic));
	EQ(*(uint32_t *)&apic.regs[0xf0], 0x1ff);
	s.apic_base = 0xfee00900;	/* the owner may go back, the guest not */
	OK(ioctl(m.v[0], KVM_SET_SREGS, &s));
	OK(ioctl(m.v[0], KVM_GET_SREGS, &s));
	EQ(s.apic_base, 0xfee00900);
	s.apic_base = 0xfee00500;
	ERR(ioctl(m.v[0], KVM_SET_SREGS, &s), EINVAL);
}

/* ---- two CPUs ---- */

/* Starts the other one, then both wake each other with IPIs 500 times. */
GUEST(bsp, ".code64",
      APIC_ON
      "movl $0x1000000, 0x310(%r8); movl $0x4500, 0x300(%r8)\n" TELL
      "movl $0x4608, 0x300(%r8); movl $0x4608, 0x300(%r8)\n"
      "1: pause; cmpl $1, 0x6000; jb 1b; xor %ebx, %ebx\n"
      "2: inc %ebx; movl $0x4061, 0x300(%r8); 3: cmp %ebx, 0x5148; jae 4f; sti; hlt; cli; jmp 3b\n"
      "4: cmp $500, %ebx; jb 2b\n" TELL);

/* Real mode, at 8000h, with an x2APIC. Its handler answers each IPI with one. */
GUEST(ap_code, ".code16",
      "cli; xorw %ax, %ax; movw %ax, %ds; movw %ax, %ss; movw $0x9ff0, %sp\n"
      "movl $0x1b, %ecx; rdmsr; orl $0xc00, %eax; wrmsr; movl $0x80f, %ecx; movl $0x1ff, %eax\n"
      "xorl %edx, %edx; wrmsr; movl $1, 0x6000; 1: sti; hlt; cli; jmp 1b");
GUEST(ap_handler, ".code16",
      "incl 0x6004; movl $0x80b, %ecx; xorl %eax, %eax; xorl %edx, %edx; wrmsr\n"
      "movl $0x830, %ecx; movl $0x52, %eax; wrmsr; iretw");

#define AP_HANDLER 0x8800

static void *runs_ap(void *arg)
{
	struct machine *m = arg;
	int agains = 0;

	/* An INIT ends the first wait, as on Linux. */
	while (ioctl(m->v[1], KVM_RUN, 0) < 0 && errno == EAGAIN)
		agains++;
	return (void *)(long)(errno == EINTR ? agains : -1);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* The signal may have come between its last interrupt and its HLT. */
static void until_halted(int v)
{
	struct itimerval soon = { .it_value.tv_usec = 4000 };
	struct kvm_mp_state mp;

	OK(sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_signal }, NULL));
	for (;;) {
		OK(ioctl(v, KVM_GET_MP_STATE, &mp));
		if (mp.mp_state == KVM_MP_STATE_HALTED)
			return;
		EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
		OK(setitimer(ITIMER_REAL, &soon, NULL));
		ERR(ioctl(v, KVM_RUN, 0), EINTR);
	}
}

TEST(kvm_irqchip_two_cpus)
{
	struct kvm_mp_state mp;
	struct utsname u;
	struct machine m;
	pthread_t t;
	void *r;

	OK(uname(&u));
	OK(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL));
	machine(&m, bsp, bsp_end);
	memcpy(m.mem + AP_CODE, ap_code, (size_t)(ap_code_end - ap_code));
	memcpy(m.mem + AP_HANDLER, ap_handler, (size_t)(ap_handler_end - ap_handler));
	*word(&m, AP_VECTOR * 4) = AP_HANDLER;
	vcpu(&m, 1);
	run(&m);
	OK(ioctl(m.v[1], KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_INIT_RECEIVED);
	mp.mp_state = KVM_MP_STATE_UNINITIALIZED;
	OK(ioctl(m.v[1], KVM_SET_MP_STATE, &mp));
	EQ(pthread_create(&t, NULL, runs_ap, &m), 0);
	long_mode(&m, m.v[0]);
	run(&m);
	run(&m);
	/* In an emulated machine Linux's KVM delivers some interrupts twice. */
	CHECK(count(&m, 0x52) >= 500);
	if (strstr(u.release, "ochre")) {
		EQ(*word(&m, WORDS + 4), 500);
		EQ(count(&m, 0x52), 500);
	}
	EQ(pthread_kill(t, SIGUSR1), 0);
	EQ(pthread_join(t, &r), 0);
	EQ((long)r, 1);
	until_halted(m.v[1]);
}

/* Timers that run when their VM goes. */
TEST(kvm_irqchip_ends)
{
	struct kvm_pit_config config = { .flags = 0 };

	for (int i = 0; i < 20; i++) {
		struct machine m;

		machine(&m, timer_guest, timer_guest_end);
		OK(ioctl(m.vm, KVM_CREATE_PIT2, &config));
		run(&m);
		munmap(m.run[0], 3 * PAGE);
		munmap(m.mem, MB);
		if (i & 1)
			close(m.vm);
		close(m.v[0]);
		if (!(i & 1))
			close(m.vm);
	}
}
#else
TEST(kvm_irqchip)
{
	SKIP("only x86_64 has KVM here");
}
#endif
