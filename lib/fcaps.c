// SPDX-License-Identifier: MIT
/*
 * File capabilities: a word with version and flags, pairs of permitted and inheritable words from the low half on (one pair in version 1), and in version 3
 * the uid that is root of the namespaces in which they count. All words are little-endian (<linux/capability.h>).
 */
#include <lib/byteorder.h>
#include <lib/fcaps.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <linux/capability.h>

static u32 word(const u8 *value, unsigned int i)
{
	u32 w;

	memcpy(&w, value + 4 * i, sizeof(w));
	return le32_raw(w);
}

static u8 version_of(u32 magic, size_t size)
{
	switch (magic & VFS_CAP_REVISION_MASK) {
	case VFS_CAP_REVISION_1:
		return size == XATTR_CAPS_SZ_1 ? 1 : 0;
	case VFS_CAP_REVISION_2:
		return size == XATTR_CAPS_SZ_2 ? 2 : 0;
	case VFS_CAP_REVISION_3:
		return size == XATTR_CAPS_SZ_3 ? 3 : 0;
	}
	return 0;
}

int fcaps_decode(const void *value, size_t size, struct fcaps *out)
{
	const u8 *v = value;

	if (size < 4)
		return -EINVAL;
	*out = (struct fcaps){ .version = version_of(word(v, 0), size) };
	if (!out->version)
		return -EINVAL;
	out->effective = word(v, 0) & VFS_CAP_FLAGS_EFFECTIVE;
	out->permitted = word(v, 1);
	out->inheritable = word(v, 2);
	if (out->version > 1) {
		out->permitted |= (u64)word(v, 3) << 32;
		out->inheritable |= (u64)word(v, 4) << 32;
	}
	if (out->version == 3)
		out->root = word(v, 5);
	return 0;
}

size_t fcaps_encode(const struct fcaps *c, u8 out[FCAPS_MAX])
{
	u32 words[] = {
		le32_raw((c->version == 3 ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2) | (c->effective ? VFS_CAP_FLAGS_EFFECTIVE : 0)),
		le32_raw((u32)c->permitted), le32_raw((u32)c->inheritable),
		le32_raw((u32)(c->permitted >> 32)), le32_raw((u32)(c->inheritable >> 32)),
		le32_raw(c->root),
	};
	size_t size = c->version == 3 ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2;

	memcpy(out, words, size);
	return size;
}
