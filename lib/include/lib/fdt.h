/* SPDX-License-Identifier: MIT */
/*
 * Reading a flattened device tree (Devicetree Specification, chapter 5). The blob is untrusted: every access is checked
 * against its bounds, and what is wrong ends the walk as if the tree ended there. A node is named by the offset of its
 * begin token in the structure block. Pure: also builds on the host.
 */
#pragma once

#include <lib/types.h>

struct fdt {
	const u8 *blob;
	u32 size;
	u32 structs, structs_end;	/* offsets in the blob */
	u32 strings, strings_end;
	u32 reserve;
};

#define FDT_NONE (-1)

/* Its size when MAX bytes at BLOB start with a header that makes sense; else -EINVAL. Needs only the header. */
s64 fdt_size(const void *blob, size_t max);
/* 0 or -EINVAL. BLOB must be readable for fdt_size() bytes and stay. */
int fdt_open(struct fdt *f, const void *blob, size_t max);
/* One root, every node closed, the end marked, and no node nested deeper than MAX_DEPTH (the root is 1). */
bool fdt_whole(const struct fdt *f, int max_depth);

/* The node after NODE in document order (FDT_NONE: the root); *DEPTH follows, 0 for the root. FDT_NONE: no more. */
int fdt_next_node(const struct fdt *f, int node, int *depth);
/* "cpu@0"; "" for the root. Ends with a NUL inside the blob. */
const char *fdt_name(const struct fdt *f, int node);
/* A property's bytes, or NULL; *LEN may be 0. */
const void *fdt_prop(const struct fdt *f, int node, const char *name, u32 *len);
/* A property that is one string, or NULL. */
const char *fdt_string(const struct fdt *f, int node, const char *name);
/* A property of one or two cells. */
bool fdt_number(const struct fdt *f, int node, const char *name, u64 *out);
/* Is WHAT one of the node's compatible strings? */
bool fdt_compatible(const struct fdt *f, int node, const char *what);
/* The next node after PREV (FDT_NONE: from the root) that is compatible with WHAT. */
int fdt_find_compatible(const struct fdt *f, int prev, const char *what);
/* By absolute path of full names ("/chosen"); FDT_NONE. */
int fdt_find_path(const struct fdt *f, const char *path);
int fdt_parent(const struct fdt *f, int node);
/* Not switched off by its status. */
bool fdt_enabled(const struct fdt *f, int node);
/* The I-th (address, size) of reg, by the parent's cell counts. Bus addresses equal physical ones: ranges are not applied. */
bool fdt_reg(const struct fdt *f, int node, unsigned int i, u64 *addr, u64 *size);
/* The I-th piece of the memory reservation block. */
bool fdt_reserved(const struct fdt *f, unsigned int i, u64 *addr, u64 *size);
