// SPDX-License-Identifier: MIT
/* Makes the mark that its argument says (begin, end), for count.c. */
#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "begin"))
		__asm__ volatile("nopl 0x6f636862(%%rax)" : : : "memory");
	else if (argc == 2 && !strcmp(argv[1], "end"))
		__asm__ volatile("nopl 0x6f636863(%%rax)" : : : "memory");
	else
		return 2;
	return 0;
}
