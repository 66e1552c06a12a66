/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_user.c asks. */
#pragma once

/* ASI 0x19 is 0x11 with the bytes the other way round. */
#define USER_LOAD_WORD "ldxa [%2] 0x19, %1"
#define USER_ERROR_REG "g1"
