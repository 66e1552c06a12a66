/* SPDX-License-Identifier: MIT */
/*
 * C that only Rust calls, for memory that a program maps, and for who a program is: see
 * <rust/helpers.h>.
 */
#pragma once

#include <lib/types.h>

struct file;
struct pid;
struct rust_area;
struct uptr;
struct vma;

size_t rust_vma_size(const struct vma *vma);  /* bytes */
bool rust_vma_writable(const struct vma *vma);

/*
 * Memory that one program reads through its mapping and the kernel writes; pages come as the kernel
 * first writes them. SIZE is a number of pages, in bytes. The mapping and the caller hold a
 * reference each. Once some part of it was unmapped GONE(ARG) runs, once, in a thread of the
 * kernel's; until it has returned its module is held. -EPERM: the mapping may be written; -ENOMEM.
 * Under mmap_lock, from a file's mmap().
 */
int rust_area_map(struct vma *vma, size_t size, void (*gone)(void *arg), void *arg,
		  struct rust_area **out);
unsigned long rust_area_base(const struct rust_area *a); /* where the program sees its first byte */
size_t rust_area_size(const struct rust_area *a); /* bytes */
bool rust_area_mapped(const struct rust_area *a); /* no part was unmapped */
void rust_area_get(struct rust_area *a);
void rust_area_put(struct rust_area *a);
/*
 * The three that follow: bytes OFF to OFF + N lie in the area. Sleep. -ENOMEM: a page that was not
 * there.
 */
int rust_area_write(struct rust_area *a, size_t off, const void *from, size_t n);
int rust_area_zero(struct rust_area *a, size_t off, size_t n);
int rust_area_from_user(struct rust_area *a, size_t off, struct uptr from, size_t n); /* -EFAULT */

/* The file of a descriptor of the running program, referenced. NULL: none, or one of O_PATH. */
struct file *rust_file_of(u32 fd);
void rust_file_put(struct file *f);
int rust_reserve_fd(void); /* to be closed by exec; -EMFILE, -ENOMEM, -EBADF: no table */
int rust_close_fd(u32 fd); /* its file ends with the call that runs at the earliest; -EBADF */

struct pid *rust_process(void); /* the running process, referenced */
u32 rust_process_euid(void); /* its first thread's effective user: a kuid_t */
u32 rust_euid(void); /* the running thread's */
u32 rust_uid_here(u32 kuid); /* as the running program's user namespace has it; -1: not mapped */
