// SPDX-License-Identifier: MIT
/* Makes the mark that its argument says (begin, end), for count.c. */
#include <string.h>
#include "cpu.h"

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "begin"))
		MARK_BEGIN();
	else if (argc == 2 && !strcmp(argv[1], "end"))
		MARK_END();
	else
		return 2;
	return 0;
}
