// SPDX-License-Identifier: MIT
/*
 * The EFI stub: the Image as an application of the firmware (head.S has its header). It runs where the firmware put it, before any
 * relocation: nothing here may keep an address in data. It takes the command line, the initrd and the firmware's tables, moves the image
 * to where head.S can start it (2 MiB aligned, in one GiB with all that is read early), leaves the firmware and goes on there with
 * the MMU off. What fails before that goes back to the firmware as an error, with a line that says what.
 */
#include <boot/efi.h>
#include <arch/page.h>
#include <kernel/init.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/aarch64/a64_priv.h"

#define MIB2 (2ULL << 20)
#define GIB (1ULL << 30)
#define MAP_ROOM (256ULL << 10)
#define MAX_FDT (2ULL << 20)

extern char _head[], _end[], _file_end[];

struct stub {
	void *handle;
	struct efi_system *sys;
	struct efi_boot_services *boot;
	struct efi_loaded_image *image;
	struct efi_handoff *h;
	u64 base;		/* of the image's new place */
	u64 fdt, fdt_size;	/* the firmware's */
	u64 to_fdt;		/* where its copy goes; 0: there is none */
	void *map;
};

static void say(struct stub *s, const char *text)
{
	u16 one[2] = { 0, 0 };

	while (s->sys->out && (one[0] = (u8)*text++))
		s->sys->out->output(s->sys->out, one);
}

static efi_status failed(struct stub *s, const char *what, efi_status status)
{
	say(s, "ochre: ");
	say(s, what);
	say(s, "\r\n");
	return status;
}

static bool same_guid(const struct efi_guid *a, const struct efi_guid *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static u32 get_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static u64 find_table(const struct efi_system *sys, const struct efi_guid *guid)
{
	for (u64 i = 0; i < sys->nr_tables; i++)
		if (same_guid(&sys->tables[i].guid, guid))
			return sys->tables[i].at;
	return 0;
}

static void find_fdt(struct stub *s)
{
	static const struct efi_guid guid = EFI_FDT_GUID;
	u64 at = find_table(s->sys, &guid);

	if (!at || get_be32((const u8 *)at) != 0xd00dfeed || get_be32((const u8 *)at + 4) > MAX_FDT)
		return;
	s->fdt = at;
	s->fdt_size = get_be32((const u8 *)at + 4);
}

/* Where SIZE bytes fit into free RAM, aligned, within one GiB; 0: nowhere. The lowest place. */
static u64 find_room(struct stub *s, u64 size)
{
	u64 n = MAP_ROOM, key, step;
	u8 *map = s->map;
	u64 best = 0;
	u32 version;

	if (s->boot->get_memory_map(&n, map, &key, &step, &version))
		return 0;
	for (u64 off = 0; off + step <= n; off += step) {
		const struct efi_descriptor *d = (const struct efi_descriptor *)(map + off);
		u64 end = d->start + d->pages * EFI_PAGE, at = round_up(d->start, MIB2);

		if (d->type != EFI_CONVENTIONAL)
			continue;
		if ((at ^ (at + size - 1)) & ~(GIB - 1))
			at = round_up(at, GIB);
		if (at < d->start || at > end || end - at < size || (best && best < at))
			continue;
		best = at;
	}
	return best;
}

/* One piece of memory for the image, the hand-off, the device tree's copy and the memory map. */
static efi_status take_room(struct stub *s)
{
	u64 image = round_up((u64)(_end - _head), EFI_PAGE), hand = round_up((u64)sizeof(struct efi_handoff), EFI_PAGE);
	u64 size = image + hand + round_up(s->fdt_size, EFI_PAGE) + MAP_ROOM, scratch;
	efi_status err = s->boot->allocate_pages(EFI_ANY_PAGES, EFI_LOADER_DATA, MAP_ROOM / EFI_PAGE, &scratch);

	if (err)
		return err;
	s->map = (void *)scratch;
	s->base = find_room(s, size);
	if (!s->base)
		return EFI_OUT_OF_RESOURCES;
	err = s->boot->allocate_pages(EFI_AT_ADDRESS, EFI_LOADER_DATA, size / EFI_PAGE, &s->base);
	s->boot->free_pages(scratch, MAP_ROOM / EFI_PAGE);
	if (err)
		return err;
	s->h = (struct efi_handoff *)(s->base + image);
	memset(s->h, 0, sizeof(*s->h));
	s->to_fdt = s->fdt ? s->base + image + hand : 0;
	s->map = (void *)(s->base + size - MAP_ROOM);
	return 0;
}

/* UTF-16 to ASCII: what is not ASCII has no meaning on a command line here. */
static void take_options(struct stub *s)
{
	size_t n = s->image->options ? s->image->options_size / 2 : 0, i;

	for (i = 0; i < n && i < sizeof(s->h->cmdline) - 1 && s->image->options[i]; i++)
		s->h->cmdline[i] = (char)(s->image->options[i] < 0x80 ? s->image->options[i] : '?');
	s->h->cmdline[i] = '\0';
}

static efi_status take_pages(struct stub *s, u64 size, u64 *at)
{
	return s->boot->allocate_pages(EFI_ANY_PAGES, EFI_LOADER_DATA, (size + EFI_PAGE - 1) / EFI_PAGE, at);
}

/* The initrd that a boot loader, or QEMU's firmware, offers by Linux's media GUID. False: there is none. */
static bool offered_initrd(struct stub *s, efi_status *err)
{
	static const struct {
		u8 type, subtype, length[2];
		struct efi_guid guid;
		u8 end[4];
	} __packed path = { 4, 3, { 20, 0 }, LINUX_INITRD_GUID, { 0x7f, 0xff, 4, 0 } };
	static const struct efi_guid guid = EFI_LOAD_FILE2_GUID;
	const void *p = &path;
	struct efi_load_file2 *lf;
	void *handle;
	u64 size = 0, at;

	if (s->boot->locate_device_path(&guid, &p, &handle) || s->boot->handle_protocol(handle, &guid, (void **)&lf))
		return false;
	*err = lf->load(lf, p, 0, &size, NULL);
	if (*err != EFI_BUFFER_TOO_SMALL || !size)
		return *err != 0 && *err != EFI_ERROR(14);	/* not found: it offers nothing */
	*err = take_pages(s, size, &at);
	if (!*err)
		*err = lf->load(lf, p, 0, &size, (void *)at);
	if (!*err) {
		s->h->initrd = at;
		s->h->initrd_size = size;
	}
	return true;
}

/* initrd=PATH of the command line, a file of the disk that the image came from. */
static efi_status named_initrd(struct stub *s)
{
	static const struct efi_guid guid = EFI_FILE_SYSTEM_GUID;
	const char *word = strstr(s->h->cmdline, "initrd=");
	struct efi_file_system *fs;
	struct efi_file *root, *f;
	u64 size, at;
	efi_status err;
	u16 name[256];
	size_t n = 0;

	if (!word || (word != s->h->cmdline && word[-1] != ' '))
		return 0;
	for (word += 7; word[n] && word[n] != ' ' && n < ARRAY_SIZE(name) - 1; n++)
		name[n] = word[n] == '/' ? '\\' : (u8)word[n];
	name[n] = 0;
	err = s->boot->handle_protocol(s->image->device, &guid, (void **)&fs);
	err = err ?: fs->open_volume(fs, &root);
	if (err)
		return err;
	err = root->open(root, &f, name, 1, 0);
	if (err)
		return err;
	err = f->seek(f, ~0ULL);
	err = err ?: f->position(f, &size);
	err = err ?: f->seek(f, 0);
	err = err ?: take_pages(s, size, &at);
	err = err ?: f->read(f, &size, (void *)at);
	f->close(f);
	if (!err) {
		s->h->initrd = at;
		s->h->initrd_size = size;
	}
	return err;
}

static void take_seed(struct stub *s)
{
	static const struct efi_guid guid = EFI_RNG_GUID;
	struct efi_rng *rng;

	if (!s->boot->locate_protocol(&guid, NULL, (void **)&rng) && rng->get(rng, NULL, sizeof(s->h->seed), s->h->seed))
		memset(s->h->seed, 0, sizeof(s->h->seed));
}

/* The map must be the one that is current, and asking for it may change it: as often as that happens. */
static efi_status leave(struct stub *s)
{
	efi_status err = EFI_LOAD_ERROR;
	u32 version;
	u64 key;

	for (unsigned int i = 0; i < 8 && err; i++) {
		s->h->map_size = MAP_ROOM;
		err = s->boot->get_memory_map(&s->h->map_size, s->map, &key, &s->h->desc_size, &version);
		err = err ?: s->boot->exit_boot_services(s->handle, key);
	}
	s->h->map = (u64)s->map;
	return err;
}

/* Written with the caches on, read next with them off. */
static void clean(u64 from, u64 to)
{
	u64 line = 4ULL << (read_sysreg(ctr_el0) >> 16 & 15);

	for (u64 a = from & ~(line - 1); a < to; a += line)
		__asm__ volatile("dc civac, %0" : : "r"(a) : "memory");
	__asm__ volatile("dsb sy" : : : "memory");
}

efi_status a64_efi_stub(void *handle, struct efi_system *sys)
{
	static const struct efi_guid loaded = EFI_LOADED_IMAGE_GUID, acpi = EFI_ACPI2_GUID;
	struct stub s = { .handle = handle, .sys = sys, .boot = sys->boot };
	efi_status err = s.boot->handle_protocol(handle, &loaded, (void **)&s.image);

	if (err)
		return failed(&s, "no loaded image protocol", err);
	find_fdt(&s);
	err = take_room(&s);
	if (err)
		return failed(&s, "no memory for the kernel", err);
	s.h->magic = EFI_HANDOFF_MAGIC;
	take_options(&s);
	if (!offered_initrd(&s, &err))
		err = named_initrd(&s);
	if (err)
		return failed(&s, "the initrd cannot be read", err);
	take_seed(&s);
	s.h->rsdp = find_table(sys, &acpi);
	s.h->fdt = s.to_fdt;
	memcpy((void *)s.base, _head, (size_t)(_file_end - _head));
	if (s.to_fdt)
		memcpy((void *)s.to_fdt, (const void *)s.fdt, s.fdt_size);
	err = leave(&s);
	if (err)
		return failed(&s, "the firmware does not let go", err);
	clean(s.base, (u64)s.map + MAP_ROOM);
	a64_efi_enter(s.base + (u64)(boot_entry_efi - _head), s.to_fdt, (u64)s.h);
}
