/* SPDX-License-Identifier: MIT */
/*
 * Checks of programs that are run in a guest, also on Linux: the first that fails says its line and
 * errno, and ends the program.
 */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(cond)                                                                 \
	do {                                                                        \
		if (!(cond)) {                                                      \
			printf("line %d: %s: errno %d\n", __LINE__, #cond, errno);  \
			exit(1);                                                    \
		}                                                                   \
	} while (0)
/* CALL returns -1 with ERROR. */
#define FAILS(call, error) CHECK((call) == -1 && errno == (error))
