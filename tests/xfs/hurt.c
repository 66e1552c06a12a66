// SPDX-License-Identifier: MIT
/*
 * Run in a guest: hurt DEVICE FILE damages the root's first block of the tree of FILE's extents,
 * which nobody has read yet; once more makes it whole.
 */
#include "harm.h"

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	open_device(argv[1]);
	damage(fork_at(argv[2], false, 3) + 16);
	return 0;
}
