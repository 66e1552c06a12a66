/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_user.c asks. */
#pragma once

#define USER_LOAD_WORD "ld.d %1, %2, 0"
#define USER_ERROR_REG "$a0"
