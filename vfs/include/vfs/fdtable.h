// SPDX-License-Identifier: MIT
#pragma once
/* dup3(2) and close_range(2) below the edge. */
int do_dup3(unsigned int oldfd, unsigned int newfd, int flags);
int do_close_range(unsigned int fd, unsigned int max_fd, unsigned int flags);
