/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_user.c asks. */
#pragma once

#define USER_LOAD_WORD "movq (%2), %1"
#define USER_ERROR_REG "rax"
