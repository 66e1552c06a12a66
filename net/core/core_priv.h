/* SPDX-License-Identifier: MIT */
/* Between socket.c and what serves the sockets of all families. */
#pragma once

#include <lib/types.h>

/* An ioctl about network interfaces (netdevice(7)), on a socket of any family. 0 or -errno; -ENOTTY: it is none. */
long interface_ioctl(unsigned int cmd, struct uptr arg);
