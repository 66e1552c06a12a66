// SPDX-License-Identifier: MIT
#pragma once
/* fcntl(2)'s ownership commands, below the edge. */
#include <lib/types.h>

struct file;
int f_getown(struct file *filp);
int f_setown_ex(struct file *filp, struct uptr arg);
int f_getown_ex(struct file *filp, struct uptr arg);
int f_getowner_uids(struct file *filp, struct uptr arg);
int f_setsig(struct file *filp, int sig);
int f_getsig(struct file *filp);
