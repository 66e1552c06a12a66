/* SPDX-License-Identifier: MIT */
#pragma once

/* Makes the areas of NR_CPUS CPUs, before anything but arch code used a variable; it panics where there is no memory. */
void percpu_make_areas(unsigned int nr_cpus);
/* For each CPU beyond NR_CPUS that the firmware names: says so once. */
void cpu_left_off(void);
