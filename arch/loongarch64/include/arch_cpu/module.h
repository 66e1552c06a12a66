/* SPDX-License-Identifier: MIT */
#pragma once

#define ARCH_MODULE_MACHINE 258U	/* EM_LOONGARCH */
#define ARCH_MODULE_MAGIC "loongarch64"
#define ARCH_MODULE_VENEER 8U
