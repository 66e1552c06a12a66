/* SPDX-License-Identifier: MIT */
#pragma once

#define KASAN_SHADOW_OFFSET 0xdfff800000000000UL
#define KASAN_COVERED_START DIRECT_MAP_START

#include <arch_cpu/page.h>
#include "arch/shared/kasan.h"
