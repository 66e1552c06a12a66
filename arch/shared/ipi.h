/* SPDX-License-Identifier: MIT */
/* Interrupts between CPUs. The CPU gives ipi_send(), which makes what was written before visible to the other side. */
#pragma once

#include <lib/types.h>

enum ipi { IPI_RESCHED, IPI_CALL, IPI_STOP, IPI_BACKTRACE };

void ipi_send(unsigned int cpu, enum ipi what);
/* What they mean on the other side, 1 << enum ipi each. */
void ipi_take(unsigned int bits);
