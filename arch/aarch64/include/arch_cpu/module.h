/* SPDX-License-Identifier: MIT */
#pragma once

#define ARCH_MODULE_MACHINE 183U	/* EM_AARCH64 */
#define ARCH_MODULE_MAGIC "aarch64"
#define ARCH_MODULE_VENEER 12U
#define ARCH_MODULE_ALTERNATIVES 1
