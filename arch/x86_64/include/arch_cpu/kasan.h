/* SPDX-License-Identifier: MIT */
#pragma once

#define KASAN_SHADOW_OFFSET 0xdffffc0000000000UL
#define KASAN_COVERED_START 0xffff800000000000UL

#include "arch/shared/kasan.h"
