// SPDX-License-Identifier: MIT
#pragma once
/*
 * The memory calls below the system-call edge: arguments are raw numbers, checked here; results are
 * those of the man pages. mm is the space to work on (the current one, or another's for process_madvise).
 */
#include <lib/types.h>

struct mm;

unsigned long mm_mremap(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_len,
			unsigned long flags, unsigned long new_addr);
int mm_madvise(struct mm *mm, unsigned long start, size_t len, int behavior);
/* May a process_madvise caller apply this to another process? */
bool madvise_allowed_remote(int behavior);
int mm_mlock(struct mm *mm, unsigned long start, size_t len, bool on_fault);
int mm_munlock(struct mm *mm, unsigned long start, size_t len);
int mm_mlockall(struct mm *mm, int flags);
int mm_munlockall(struct mm *mm);
int mm_msync(struct mm *mm, unsigned long start, size_t len, int flags);
int mm_mseal(struct mm *mm, unsigned long start, size_t len);
/* One byte a page into vec, at most nr pages from addr: how many, or -ENOMEM. */
long mm_mincore(struct mm *mm, unsigned long addr, unsigned long nr, unsigned char *vec);
/* prctl(PR_SET_VMA_ANON_NAME): name NULL clears it. */
int mm_set_anon_name(struct mm *mm, unsigned long start, unsigned long len, const char *name);
/* mbind(2): the range's policy is MODE with its flags. -EFAULT: a hole in it. */
int mm_set_policy(struct mm *mm, unsigned long start, unsigned long len, unsigned int mode);
/* remap_file_pages(2), emulated by mmap. */
int mm_remap_file_pages(struct mm *mm, unsigned long start, unsigned long size, unsigned long pgoff,
			unsigned long flags);
