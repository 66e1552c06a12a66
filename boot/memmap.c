// SPDX-License-Identifier: MIT
/*
 * The firmware's memory map made consistent. Input pieces are untrusted: sorted by insertion, then cut where they
 * overlap (reserved beats RAM, the higher type number beats the lower among reserved ones), then joined.
 */
#include <boot/memmap.h>
#include <lib/minmax.h>
#include <lib/string.h>

void boot_map_add(struct boot_info *bi, phys_addr_t start, u64 size, unsigned int type)
{
	phys_addr_t end;
	unsigned int i;

	if (!size || start == ~0ULL || bi->nr_map == BOOT_MAP_MAX)	/* the last byte of all cannot be told from none */
		return;
	if (check_add_overflow(start, size, &end))
		end = ~0ULL;
	if (!type)
		type = BOOT_MEM_RESERVED;	/* means nothing, so it is not RAM */
	for (i = bi->nr_map; i && bi->map[i - 1].start > start; i--)
		bi->map[i] = bi->map[i - 1];
	bi->map[i] = (struct boot_mem){ start, end, type };
	bi->nr_map++;
}

static void map_drop(struct boot_info *bi, unsigned int i)
{
	memmove(&bi->map[i], &bi->map[i + 1], (bi->nr_map - i - 1) * sizeof(bi->map[0]));
	bi->nr_map--;
}

/* The pieces I and I + 1 overlap: the weaker gives way. */
static void map_resolve(struct boot_info *bi, unsigned int i)
{
	struct boot_mem a = bi->map[i], b = bi->map[i + 1];

	if (a.type == b.type) {
		bi->map[i].end = max(a.end, b.end);
		map_drop(bi, i + 1);
	} else if (a.type > b.type) {		/* a wins: b starts behind it */
		map_drop(bi, i + 1);
		if (b.end > a.end)
			boot_map_add(bi, a.end, b.end - a.end, b.type);
	} else {				/* b wins: a keeps what lies before and behind */
		bi->map[i].end = b.start;
		if (bi->map[i].start == b.start)
			map_drop(bi, i);
		if (a.end > b.end)
			boot_map_add(bi, b.end, a.end - b.end, a.type);
	}
}

void boot_map_finish(struct boot_info *bi)
{
	for (unsigned int i = 0; i + 1 < bi->nr_map; ) {
		struct boot_mem *a = &bi->map[i], *b = a + 1;

		if (a->end > b->start) {
			map_resolve(bi, i);
			i = 0;
		} else if (a->end == b->start && a->type == b->type) {
			a->end = b->end;
			map_drop(bi, i + 1);
		} else {
			i++;
		}
	}
}

void boot_set_cmdline(struct boot_info *bi, const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	bi->cmdline_cut = n >= BOOT_CMDLINE_MAX;
	n = min(n, (size_t)BOOT_CMDLINE_MAX - 1);
	memcpy(bi->cmdline, s, n);
	bi->cmdline[n] = '\0';
}

bool boot_use_acpi(const char *cmdline, bool have_acpi, bool have_dt)
{
	bool use = !have_dt;

	for (const char *s = cmdline; (s = strstr(s, "acpi=")); s += 5) {
		size_t n = strcspn(s + 5, " ");

		if (s != cmdline && s[-1] != ' ')
			continue;
		if ((n == 5 && !memcmp(s + 5, "force", 5)) || (n == 2 && !memcmp(s + 5, "on", 2)))
			use = true;
		else if (n == 3 && !memcmp(s + 5, "off", 3))
			use = false;
	}
	return use && have_acpi;
}

bool boot_initrd_option(const char *cmdline, phys_addr_t *start, u64 *size)
{
	bool found = false;

	for (const char *s = cmdline; (s = strstr(s, "initrdmem=")); s += 10) {
		char *rest;
		u64 at, n, end;

		if (s != cmdline && s[-1] != ' ')
			continue;
		at = memparse(s + 10, &rest);
		if (*rest != ',')
			continue;
		n = memparse(rest + 1, &rest);
		if ((*rest && *rest != ' ') || !n || check_add_overflow(at, n, &end))
			continue;
		*start = at;
		*size = n;
		found = true;
	}
	return found;
}

/* The last mem=SIZE of the command line; 0: none that makes sense. */
u64 boot_mem_option(const char *cmdline)
{
	u64 limit = 0;

	for (const char *s = cmdline; (s = strstr(s, "mem=")); s += 4) {
		u64 n;

		if (s != cmdline && s[-1] != ' ')
			continue;
		n = memparse(s + 4, NULL);
		if (n >= 1 << 20)
			limit = n;
	}
	return limit;
}
