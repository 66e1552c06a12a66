/* SPDX-License-Identifier: MIT */
#pragma once

#include <lib/types.h>

/* The CPU's part of keeping young and dirty. True: the entry for ADDR was marked, try again. */
bool mark_access(unsigned long addr, bool write);
