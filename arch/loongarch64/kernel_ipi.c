// SPDX-License-Identifier: MIT
/*
 * Interrupts between CPUs: each CPU has a word of pending bits and mailboxes behind IOCSR (Loongson 3A5000 manual, chapter 10); any CPU
 * sends by the other's core number.
 */
#include <arch/cpu.h>
#include "arch/shared/ipi.h"
#include "arch/loongarch64/la64_priv.h"

#define IPI_STATUS 0x1000
#define IPI_ENABLE 0x1004
#define IPI_CLEAR 0x100c
#define IPI_SEND 0x1040
#define MAIL_SEND 0x1048
#define SEND_BLOCKING (1U << 31)
#define SEND_CORE(c) ((c) << 16)
#define MAIL_WORD(w) ((w) << 2)

void la64_ipi_init_cpu(void)
{
	iocsr_write(~0U, IPI_CLEAR);
	iocsr_write(~0U, IPI_ENABLE);
}

void ipi_send(unsigned int cpu, enum ipi what)
{
	__asm__ volatile("dbar 0" : : : "memory");	/* what the other side is to see */
	iocsr_write(SEND_BLOCKING | SEND_CORE(machine.core[cpu]) | (u32)what, IPI_SEND);
}

static void send_mail(u32 core, unsigned int box, u64 v)
{
	for (int half = 1; half >= 0; half--)
		iocsr_write64((v >> 32 * half) << 32 | SEND_BLOCKING | SEND_CORE(core) | MAIL_WORD(2 * box + (unsigned int)half),
			      MAIL_SEND);
}

void la64_ipi_start_core(u32 core, phys_addr_t entry, u64 arg)
{
	send_mail(core, 1, arg);
	send_mail(core, 0, entry);
	__asm__ volatile("dbar 0" : : : "memory");
	iocsr_write(SEND_BLOCKING | SEND_CORE(core), IPI_SEND);
}

void la64_ipi_handle(void)
{
	u32 bits = iocsr_read(IPI_STATUS);

	iocsr_write(bits, IPI_CLEAR);
	__asm__ volatile("dbar 0" : : : "memory");	/* pairs with ipi_send's */
	ipi_take(bits);
}
