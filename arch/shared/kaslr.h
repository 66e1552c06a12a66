/* SPDX-License-Identifier: MIT */
/*
 * The image at a place of its own each time (KASLR). A CPU maps it at the new place beside the old one while the very first C code runs, works
 * the relocations in and goes on there; nothing on the way may keep an address.
 */
#pragma once

#include <lib/types.h>

extern unsigned long kernel_image_slide;	/* how far it moved from where it was linked */

/* *V with LEN bytes at P in it, by whole words. */
void kaslr_mix(u64 *v, const void *p, size_t len);
/* The device tree's seeds, into *V. BLOB may be NULL. False: its command line says nokaslr, and counts (ARGS). */
bool kaslr_tree(const void *blob, size_t room, bool args, u64 *v);
/* Everything in the image that holds an address of it, changed by SLIDE (tools/mkrelocs.py). */
void kaslr_relocate(u64 slide);
