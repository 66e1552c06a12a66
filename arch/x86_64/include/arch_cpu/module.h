/* SPDX-License-Identifier: MIT */
#pragma once

#define ARCH_MODULE_MACHINE 62U		/* EM_X86_64 */
#define ARCH_MODULE_MAGIC "x86_64"
#define ARCH_MODULE_VENEER 0U
