/* SPDX-License-Identifier: MIT */
#pragma once

#define ARCH_MODULE_MACHINE 243U	/* EM_RISCV */
#define ARCH_MODULE_MAGIC "riscv64"
#define ARCH_MODULE_VENEER 0U
#define ARCH_MODULE_PAIRS 1
