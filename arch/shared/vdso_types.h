/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/time.h>
#include <asm/unistd.h>
#include <arch_cpu/vdso_data.h>

typedef unsigned long long u64;
typedef long long s64;

struct timespec64 {
	s64 tv_sec, tv_nsec;
};
struct timeval64 {
	s64 tv_sec, tv_usec;
};
