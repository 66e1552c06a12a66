// SPDX-License-Identifier: MIT
/* The table of what modules may use. */
#include <kernel/export.h>

#ifdef CONFIG_MODULES
#include <kernel/printk.h>
#include <lib/format.h>
#include <lib/siphash.h>
#include <lib/string.h>

extern const struct export_entry __start_export[], __stop_export[];

static u64 hash_name(const char *name)
{
	u64 h = 0xcbf29ce484222325ULL;

	while (*name)
		h = (h ^ (u8)*name++) * 0x100000001b3ULL;
	return h;
}

unsigned long export_find_in(const struct export_entry *e, size_t n, const char *name, u64 *type)
{
	const struct export_entry *end = e + n;
	u64 hash = hash_name(name);

	for (; n; n >>= 1) {
		const struct export_entry *mid = e + (n >> 1);

		if (mid->hash < hash) {
			e = mid + 1;
			n--;
		} else if (mid->hash == hash) {
			e = mid;
			break;
		}
	}
	if (e == end || e->hash != hash || strcmp((const char *)&e->name + e->name, name))
		return 0;
	*type = e->type;
	return (unsigned long)&e->place + (unsigned long)(long)e->place;
}

unsigned long export_find(const char *name, u64 *type)
{
	return export_find_in(__start_export, (size_t)(__stop_export - __start_export), name, type);
}

/* Of tools/rustexports.py: sorted by the hash of the names. */
extern const struct rust_export rust_exports[], rust_exports_end[];

unsigned long export_find_rust(const char *name)
{
	size_t from = 0, to = (size_t)(rust_exports_end - rust_exports);
	u64 hash = hash_name(name);

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct rust_export *e = &rust_exports[mid];
		u64 h = (u64)e->hash_high << 32 | e->hash_low;

		if (h == hash)
			return (unsigned long)&e->place + (unsigned long)(long)e->place;
		if (h < hash)
			from = mid + 1;
		else
			to = mid;
	}
	return 0;
}

EXPORT(printk);
EXPORT(snprintf);
EXPORT(scnprintf);
EXPORT(memcpy);
EXPORT(memset);
EXPORT(memmove);
EXPORT(memcmp);
EXPORT(strlen);
EXPORT(strcmp);
EXPORT(siphash_13);
#endif
