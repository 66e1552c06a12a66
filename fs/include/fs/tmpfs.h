// SPDX-License-Identifier: MIT
#pragma once
/* What other rooms use of tmpfs: unnamed files in memory, and placing an initramfs member in a file. */
#include <lib/types.h>

struct file;

/* An unlinked file on the kernel's own mount, read-write. @seals: F_SEAL_* it starts with. */
struct file *tmpfs_unlinked_file(const char *name, loff_t size, umode_t mode, unsigned int seals, int flags);
/* memfd_create(2) below the edge: name without prefix, MFD_* flags checked. A file. */
struct file *tmpfs_memfd(const char *name, unsigned int flags);
/* Whole pages of boot memory become the start of an empty tmpfs file of @size bytes, in place. */
int tmpfs_adopt_pages(struct file *file, phys_addr_t pa, unsigned long nr, loff_t size);
