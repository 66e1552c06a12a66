/* SPDX-License-Identifier: MIT */
#pragma once

#define NR_CPUS 512		/* what a mask can name; areas exist, and words are looked at, only for CPUs that the machine names */
