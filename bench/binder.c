// SPDX-License-Identifier: MIT
/*
 * ops.c with the operations of binder.h alone: those of a module, which the other ones' machine has
 * not.
 */
#define BINDER
#include "ops.c"
