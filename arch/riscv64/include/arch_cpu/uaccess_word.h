/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_user.c asks. */
#pragma once

#define USER_LOAD_WORD "ld %1, 0(%2)"
#define USER_ERROR_REG "a0"
