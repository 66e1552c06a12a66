// SPDX-License-Identifier: MIT
/* Interrupts of a VM with controllers in the kernel (x86_64): routes, messages, eventfds. */
#include "t.h"
#ifdef __x86_64__
#include "kvm_machine.h"
#include <pthread.h>
#include <sys/eventfd.h>

static int event(void)
{
	return OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/* How often FD was signalled since the last time. */
static uint64_t signals(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void expect_out(struct machine *m, uint16_t port, unsigned int size)
{
	RUN(m, KVM_EXIT_IO);
	EQ(m->run->io.direction, KVM_EXIT_IO_OUT);
	EQ(m->run->io.port, port);
	EQ(m->run->io.size, size);
}

GUEST(nothing, ".code16", "hlt");

#define EVENTS 0x5000			/* how many messages came */
#define GDT 0x6000
#define IDT 0x7000
#define MESSAGE 0x40			/* vectors */
#define INPUT 0x41
#define MSI_GSI 30
#define PIN 10

/* Entry, a message's handler at +0x10, an input's at +0x40: it says so before and after its EOI. */
GUEST(waits, ".code32",
      "1: sti; hlt; jmp 1b\n"
      ".org waits + 0x10\n"
      "incl 0x5000; movl $0, 0xfee000b0; outb %al, $0x80; iretl\n"
      ".org waits + 0x40\n"
      "outb %al, $0x81; movl $0, 0xfee000b0; outb %al, $0x82; iretl");

static void gate(struct machine *m, unsigned int vector, uint32_t to)
{
	*(uint64_t *)(m->mem + IDT + 8 * vector) = (to & 0xffff) | 8 << 16 | 0x8e00ull << 32;
}

/* Controllers in the kernel, a vCPU whose APIC is on, an input of the I/O APIC that is a level. */
static void interrupts(struct machine *m)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct kvm_lapic_state lapic;
	struct kvm_sregs s;

	if (kvm < 0)
		SKIP("this CPU runs no guests");
	if (!ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP))
		SKIP("no controllers in the kernel");
	m->vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(m->vm, KVM_CREATE_IRQCHIP));
	m->size = MB;
	m->mem = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m->mem != MAP_FAILED);
	memcpy(m->mem + CODE, waits, (size_t)(waits_end - waits));
	OK(region(m, 0, 0, 0, MB, m->mem));
	m->v = vcpu(m, 0, &m->run);
	protected_mode(m->v);
	*(uint64_t *)(m->mem + GDT + 8) = 0x00cf9b000000ffff;
	gate(m, MESSAGE, CODE + 0x10);
	gate(m, INPUT, CODE + 0x40);
	OK(ioctl(m->v, KVM_GET_SREGS, &s));
	s.gdt.base = GDT;
	s.gdt.limit = 15;
	s.idt.base = IDT;
	s.idt.limit = 0x7ff;
	OK(ioctl(m->v, KVM_SET_SREGS, &s));
	OK(ioctl(m->v, KVM_GET_LAPIC, &lapic));
	*(uint32_t *)(lapic.regs + 0xf0) = 0x1ff;
	OK(ioctl(m->v, KVM_SET_LAPIC, &lapic));
	OK(ioctl(m->vm, KVM_GET_IRQCHIP, &chip));
	chip.chip.ioapic.redirtbl[PIN].bits = INPUT | 1 << 15;
	OK(ioctl(m->vm, KVM_SET_IRQCHIP, &chip));
	close(kvm);
}

struct routes {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry e[4];
};

static struct kvm_irq_routing_entry message(uint32_t gsi)
{
	return (struct kvm_irq_routing_entry){ .gsi = gsi,
					       .type = KVM_IRQ_ROUTING_MSI,
					       .u.msi = { .address_lo = 0xfee00000,
							  .data = MESSAGE } };
}

static struct kvm_irq_routing_entry input(uint32_t gsi, uint32_t chip, uint32_t pin)
{
	return (struct kvm_irq_routing_entry){ .gsi = gsi,
					       .type = KVM_IRQ_ROUTING_IRQCHIP,
					       .u.irqchip = { chip, pin } };
}

static int set_routes(struct machine *m, struct routes *r, unsigned int nr)
{
	r->head.nr = nr;
	return ioctl(m->vm, KVM_SET_GSI_ROUTING, r);
}

static void some_routes(struct machine *m)
{
	struct routes r = { .e = { message(MSI_GSI), input(PIN, KVM_IRQCHIP_IOAPIC, PIN) } };

	OK(set_routes(m, &r, 2));
}

static int irqfd(struct machine *m, int fd, uint32_t gsi, uint32_t flags, int resamplefd)
{
	struct kvm_irqfd i = {
		.fd = (uint32_t)fd, .gsi = gsi, .flags = flags, .resamplefd = (uint32_t)resamplefd
	};

	return ioctl(m->vm, KVM_IRQFD, &i);
}

static void signal_event(int fd)
{
	uint64_t one = 1;

	EQ(write(fd, &one, 8), 8);
}

static void *signal_later(void *arg)
{
	usleep(20000);			/* in most runs it sleeps by then: either is right */
	signal_event(*(int *)arg);
	return NULL;
}

static uint32_t events(struct machine *m)
{
	return *(volatile uint32_t *)(m->mem + EVENTS);
}

TEST(kvm_no_irqchip)
{
	struct machine m;
	struct routes r = { .e = { message(MSI_GSI) } };
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = MESSAGE };
	struct kvm_irq_level level = { .irq = 1, .level = 1 };

	machine(&m, MB, nothing, nothing_end);
	ERR(set_routes(&m, &r, 1), EINVAL);
	ERR(ioctl(m.vm, KVM_SET_GSI_ROUTING, NULL), EFAULT);
	ERR(ioctl(m.vm, KVM_SIGNAL_MSI, &msi), EINVAL);
	ERR(ioctl(m.vm, KVM_IRQ_LINE, &level), ENXIO);
	ERR(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level), ENXIO);
	ERR(ioctl(m.vm, KVM_IRQ_LINE, NULL), EFAULT);
	ERR(irqfd(&m, event(), 1, 0, -1), EINVAL);
	ERR(irqfd(&m, 9999, 1, 0, -1), EINVAL);
	ERR(irqfd(&m, 9999, 1, KVM_IRQFD_FLAG_DEASSIGN, -1), EBADF);
	ERR(ioctl(m.vm, KVM_IRQFD, NULL), EFAULT);
}

TEST(kvm_routes)
{
	struct machine m;
	struct routes r;
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = MESSAGE };
	struct kvm_irq_level level = { .irq = MSI_GSI, .level = 1 };

	interrupts(&m);
	EQ(extension(&m, KVM_CAP_IRQ_ROUTING), 4096);
	EQ(extension(&m, KVM_CAP_SIGNAL_MSI), 1);
	EQ(extension(&m, KVM_CAP_IRQ_INJECT_STATUS), 1);
	some_routes(&m);
	r = (struct routes){ .head.flags = 1 };
	ERR(set_routes(&m, &r, 0), EINVAL);
	r = (struct routes){ .e = { message(4096) } };
	ERR(set_routes(&m, &r, 1), EINVAL);
	ERR(set_routes(&m, &r, 4097), EINVAL);
	r.e[0].gsi = 4095;
	OK(set_routes(&m, &r, 1));
	r.e[0].flags = 2;
	ERR(set_routes(&m, &r, 1), EINVAL);
	r = (struct routes){ .e = { message(1), message(1) } };
	ERR(set_routes(&m, &r, 2), EINVAL);
	r = (struct routes){ .e = { input(1, KVM_IRQCHIP_IOAPIC, 1), message(1) } };
	ERR(set_routes(&m, &r, 2), EINVAL);
	r.e[1] = input(1, KVM_IRQCHIP_IOAPIC, 2);
	ERR(set_routes(&m, &r, 2), EINVAL);
	r.e[1] = input(1, KVM_IRQCHIP_PIC_MASTER, 2);
	OK(set_routes(&m, &r, 2));
	r.e[1] = input(2, KVM_IRQCHIP_IOAPIC, 24);
	ERR(set_routes(&m, &r, 2), EINVAL);
	r.e[1].type = 77;
	ERR(set_routes(&m, &r, 2), EINVAL);
	/* What failed has changed nothing; a message by its GSI, and alone. */
	OK(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level));
	EQ(level.status, -1);
	some_routes(&m);
	level = (struct kvm_irq_level){ .irq = MSI_GSI, .level = 1 };
	OK(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level));
	EQ(level.status, 1);
	expect_out(&m, 0x80, 1);
	EQ(events(&m), 1);
	EQ(ioctl(m.vm, KVM_SIGNAL_MSI, &msi), 1);
	expect_out(&m, 0x80, 1);
	EQ(events(&m), 2);
	msi.flags = 2;
	ERR(ioctl(m.vm, KVM_SIGNAL_MSI, &msi), EINVAL);
	/* An empty table. */
	OK(set_routes(&m, &r, 0));
	level = (struct kvm_irq_level){ .irq = MSI_GSI, .level = 1 };
	OK(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level));
	EQ(level.status, -1);
}

TEST(kvm_irqfd)
{
	struct machine m;
	int fd = event(), other = event(), before = event();
	int null = OK(open("/dev/null", O_RDWR));
	pthread_t t;

	interrupts(&m);
	EQ(extension(&m, KVM_CAP_IRQFD), 1);
	EQ(extension(&m, KVM_CAP_IRQFD_RESAMPLE), 1);
	some_routes(&m);
	ERR(irqfd(&m, fd, MSI_GSI, 4, -1), EINVAL);
	ERR(irqfd(&m, 9999, MSI_GSI, 0, -1), EBADF);
	ERR(irqfd(&m, null, MSI_GSI, 0, -1), EINVAL);
	ERR(irqfd(&m, fd, MSI_GSI, KVM_IRQFD_FLAG_RESAMPLE, 9999), EBADF);
	ERR(irqfd(&m, fd, MSI_GSI, KVM_IRQFD_FLAG_RESAMPLE, null), EINVAL);
	ERR(irqfd(&m, 9999, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN, -1), EBADF);
	ERR(irqfd(&m, null, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN, -1), EINVAL);
	OK(irqfd(&m, fd, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN, -1));
	OK(irqfd(&m, fd, MSI_GSI, 0, -1));
	ERR(irqfd(&m, fd, MSI_GSI, 0, -1), EBUSY);
	ERR(irqfd(&m, fd, 1, 0, -1), EBUSY);
	OK(irqfd(&m, fd, 1, KVM_IRQFD_FLAG_DEASSIGN, -1));
	ERR(irqfd(&m, fd, MSI_GSI, 0, -1), EBUSY);
	/* Each signal is one interrupt, and is taken. */
	for (uint32_t i = 1; i <= 5; i++) {
		signal_event(fd);
		EQ(signals(fd), 0);
		expect_out(&m, 0x80, 1);
		EQ(events(&m), i);
	}
	/* Out of its sleep. */
	EQ(pthread_create(&t, NULL, signal_later, &fd), 0);
	expect_out(&m, 0x80, 1);
	EQ(pthread_join(t, NULL), 0);
	EQ(events(&m), 6);
	/* What was there before it was assigned. */
	signal_event(before);
	OK(irqfd(&m, before, MSI_GSI, 0, -1));
	expect_out(&m, 0x80, 1);
	EQ(events(&m), 7);
	/* No more: the count stays; elsewhere. */
	OK(irqfd(&m, fd, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN, -1));
	signal_event(fd);
	EQ(signals(fd), 1);
	OK(irqfd(&m, other, MSI_GSI, 0, -1));
	close(before);
	close(fd);
	signal_event(other);
	expect_out(&m, 0x80, 1);
	EQ(events(&m), 8);
}

TEST(kvm_irqfd_resample)
{
	struct machine m;
	int a = event(), b = event(), again_a = event(), again_b = event(), fd = event();

	interrupts(&m);
	some_routes(&m);
	OK(irqfd(&m, a, PIN, KVM_IRQFD_FLAG_RESAMPLE, again_a));
	OK(irqfd(&m, b, PIN, KVM_IRQFD_FLAG_RESAMPLE, again_b));
	OK(irqfd(&m, fd, MSI_GSI, 0, -1));
	for (unsigned int i = 0; i < 3; i++) {
		signal_event(a);
		expect_out(&m, 0x81, 1);
		EQ(signals(again_a), 0);
		expect_out(&m, 0x82, 1);
		EQ(signals(again_a), 1);
		EQ(signals(again_b), 1);
	}
	/* It is low again: the next interrupt is another one. */
	signal_event(fd);
	expect_out(&m, 0x80, 1);
	/* The last one that leaves lowers it. */
	OK(irqfd(&m, a, PIN, KVM_IRQFD_FLAG_DEASSIGN, -1));
	signal_event(b);
	expect_out(&m, 0x81, 1);
	expect_out(&m, 0x82, 1);
	EQ(signals(again_a), 0);
	EQ(signals(again_b), 1);
	OK(irqfd(&m, b, PIN, KVM_IRQFD_FLAG_DEASSIGN, -1));
	signal_event(fd);
	expect_out(&m, 0x80, 1);
}

/* A VM ends with all that is assigned, and with signals in flight; the eventfds live on. */
TEST(kvm_irqfd_ends)
{
	struct machine m;
	int fd[64];

	interrupts(&m);
	some_routes(&m);
	for (int i = 0; i < 64; i++) {
		fd[i] = event();
		OK(irqfd(&m, fd[i], i % 2 ? MSI_GSI : PIN, i % 4 ? 0 : KVM_IRQFD_FLAG_RESAMPLE,
			 fd[i / 2]));
	}
	for (int i = 0; i < 64; i++)
		signal_event(fd[i]);
	for (int i = 0; i < 32; i++)
		close(fd[i]);
	OK(munmap(m.run, 3 * PAGE));
	close(m.v);
	close(m.vm);
	for (int i = 32; i < 64; i++) {
		signals(fd[i]);
		signal_event(fd[i]);
		EQ(signals(fd[i]), 1);
	}
}
#else
TEST(kvm_irqfd)
{
	SKIP("these guests are x86_64's");
}
#endif
