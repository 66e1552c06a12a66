/* SPDX-License-Identifier: MIT */
/* What arch/shared/mm_user.c asks. */
#pragma once

#define USER_LOAD_WORD "ldtr %1, [%2]"
#define USER_ERROR_REG "x0"
