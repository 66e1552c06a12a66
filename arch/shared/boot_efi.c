// SPDX-License-Identifier: MIT
/*
 * The EFI stub: the kernel as an application of the firmware. It runs where the firmware put it, before any relocation: nothing here may keep
 * an address in data, and a CPU whose code is not position independent compiles it so. It takes the command line, the initrd and
 * the firmware's tables, moves the image to where its first code can start it, in one GiB with all that is read early, and leaves the
 * firmware; arch_efi_enter() goes on there. What fails before that goes back to the firmware as an error, with a line that says what.
 */
#pragma GCC visibility push(hidden)	/* nothing is looked up in a table of addresses */
#include <arch/page.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/shared/boot_efi.h"

#define MIB2 (2ULL << 20)
#define GIB (1ULL << 30)
#define MAP_ROOM (256ULL << 10)
#define MAX_FDT (2ULL << 20)

extern char _text[], _end[], _file_end[];

static void say(struct efi_stub *s, const char *text)
{
	u16 one[2] = { 0, 0 };

	while (s->sys->out && (one[0] = (u8)*text++))
		s->sys->out->output(s->sys->out, one);
}

static efi_status failed(struct efi_stub *s, const char *what, efi_status status)
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

static void find_fdt(struct efi_stub *s)
{
	static const struct efi_guid guid = EFI_FDT_GUID;
	u64 at = find_table(s->sys, &guid);

	if (!at || get_be32((const u8 *)at) != 0xd00dfeed || get_be32((const u8 *)at + 4) > MAX_FDT)
		return;
	s->fdt = at;
	s->fdt_size = get_be32((const u8 *)at + 4);
}

/* The first place from AT on where an image may begin. */
static u64 aligned(u64 at)
{
	return round_up(at + MIB2 - EFI_IMAGE_OFFSET, MIB2) - MIB2 + EFI_IMAGE_OFFSET;
}

/* Where SIZE bytes fit into free RAM, aligned, within one GiB; 0: nowhere. The lowest place. */
static u64 find_room(struct efi_stub *s, u64 size)
{
	u64 n = MAP_ROOM, key, step;
	u8 *map = s->map;
	u64 best = 0;
	u32 version;

	if (s->boot->get_memory_map(&n, map, &key, &step, &version))
		return 0;
	for (u64 off = 0; off + step <= n; off += step) {
		const struct efi_descriptor *d = (const struct efi_descriptor *)(map + off);
		u64 end = min(d->start + d->pages * EFI_PAGE, EFI_ROOM_END), at = aligned(max(d->start, EFI_ROOM_FROM));

		if (d->type != EFI_CONVENTIONAL)
			continue;
		if ((at ^ (at + size - 1)) & ~(GIB - 1))
			at = aligned(round_up(at, GIB));
		if (at < d->start || at > end || end - at < size || (best && best < at))
			continue;
		best = at;
	}
	return best;
}

/* One piece of memory for the image, the hand-off, the device tree's copy, the memory map and what the CPU wants. */
static efi_status take_room(struct efi_stub *s)
{
	u64 image = round_up((u64)(_end - _text), EFI_PAGE), hand = round_up((u64)sizeof(struct efi_handoff), EFI_PAGE);
	u64 size = image + hand + round_up(s->fdt_size, EFI_PAGE) + MAP_ROOM + EFI_ROOM_MORE, scratch, at;
	efi_status err = s->boot->allocate_pages(EFI_ANY_PAGES, EFI_LOADER_DATA, MAP_ROOM / EFI_PAGE, &scratch);

	if (err)
		return err;
	s->map = (void *)scratch;
	at = find_room(s, size);
	err = at ? s->boot->allocate_pages(EFI_AT_ADDRESS, EFI_LOADER_DATA, size / EFI_PAGE, &at) : EFI_OUT_OF_RESOURCES;
	s->boot->free_pages(scratch, MAP_ROOM / EFI_PAGE);
	if (err)
		return err;
	s->base = at;
	s->size = size;
	s->h = (struct efi_handoff *)(at + image);
	memset(s->h, 0, sizeof(*s->h));
	s->to_fdt = s->fdt ? at + image + hand : 0;
	s->more = at + size - EFI_ROOM_MORE;
	s->map = (void *)(s->more - MAP_ROOM);
	return 0;
}

/* UTF-16 to ASCII: what is not ASCII has no meaning on a command line here. */
static void take_options(struct efi_stub *s)
{
	size_t n = s->image->options ? s->image->options_size / 2 : 0, i;

	for (i = 0; i < n && i < sizeof(s->h->cmdline) - 1 && s->image->options[i]; i++)
		s->h->cmdline[i] = (char)(s->image->options[i] < 0x80 ? s->image->options[i] : '?');
	s->h->cmdline[i] = '\0';
}

static u64 pages_of(u64 size)
{
	return (size + EFI_PAGE - 1) / EFI_PAGE;
}

/* Memory for an initrd of SIZE bytes; ERR is what reading it then came to, so that the hand-off has all of it or the firmware its memory back. */
static efi_status take_initrd(struct efi_stub *s, u64 size, u64 *at)
{
	return s->boot->allocate_pages(EFI_ANY_PAGES, EFI_LOADER_DATA, pages_of(size), at);
}

static efi_status keep_initrd(struct efi_stub *s, u64 at, u64 room, u64 size, efi_status err)
{
	if (err) {
		s->boot->free_pages(at, pages_of(room));
		return err;
	}
	s->h->initrd = at;
	s->h->initrd_size = size;
	return 0;
}

/* The initrd that a boot loader, or QEMU's firmware, offers by Linux's media GUID. False: there is none. */
static bool offered_initrd(struct efi_stub *s, efi_status *err)
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
	u64 size = 0, room, at;

	if (s->boot->locate_device_path(&guid, &p, &handle) || s->boot->handle_protocol(handle, &guid, (void **)&lf))
		return false;
	*err = lf->load(lf, p, 0, &size, NULL);
	if (*err == EFI_NOT_FOUND || (!*err && !size))
		return false;		/* it offers nothing */
	if (*err == EFI_BUFFER_TOO_SMALL) {
		room = size;
		*err = take_initrd(s, room, &at);
		if (!*err)
			*err = keep_initrd(s, at, room, size, lf->load(lf, p, 0, &size, (void *)at));
	}
	if (*err)
		failed(s, "the initrd that the firmware offers cannot be read", *err);
	return true;
}

static efi_status read_initrd(struct efi_stub *s, struct efi_file *f)
{
	u64 size, room, at;
	efi_status err = f->seek(f, ~0ULL);

	err = err ?: f->position(f, &room);
	err = err ?: f->seek(f, 0);
	err = err ?: take_initrd(s, room, &at);
	if (err)
		return err;
	size = room;
	err = f->read(f, &size, (void *)at);
	return keep_initrd(s, at, room, size, err);
}

/* initrd=PATH of the command line; NULL: it has none. */
static const char *initrd_word(const char *cmdline)
{
	for (const char *p = cmdline; (p = strstr(p, "initrd=")); p += 7)
		if (p == cmdline || p[-1] == ' ')
			return p + 7;
	return NULL;
}

/* Which is a file of the disk that the image came from. */
static efi_status named_initrd(struct efi_stub *s)
{
	static const struct efi_guid guid = EFI_FILE_SYSTEM_GUID;
	const char *word = initrd_word(s->h->cmdline);
	struct efi_file_system *fs;
	struct efi_file *root, *f;
	efi_status err;
	u16 name[256];
	size_t n = 0;

	if (!word)
		return 0;
	for (; word[n] && word[n] != ' ' && n < ARRAY_SIZE(name) - 1; n++)
		name[n] = word[n] == '/' ? '\\' : (u8)word[n];
	name[n] = 0;
	err = s->boot->handle_protocol(s->image->device, &guid, (void **)&fs);
	err = err ?: fs->open_volume(fs, &root);
	if (!err) {
		err = root->open(root, &f, name, 1, 0);
		root->close(root);
	}
	if (!err) {
		err = read_initrd(s, f);
		f->close(f);
	}
	if (err) {
		say(s, "ochre: initrd=");
		if (s->sys->out)
			s->sys->out->output(s->sys->out, name);
		say(s, err == EFI_NOT_FOUND ? ": there is no such file\r\n" : ": it cannot be read\r\n");
	}
	return err;
}

static void take_seed(struct efi_stub *s)
{
	static const struct efi_guid guid = EFI_RNG_GUID;
	struct efi_rng *rng;

	if (!s->boot->locate_protocol(&guid, NULL, (void **)&rng) && rng->get(rng, NULL, sizeof(s->h->seed), s->h->seed))
		memset(s->h->seed, 0, sizeof(s->h->seed));
}

/* The map must be the one that is current, and asking for it may change it: as often as that happens. */
static efi_status leave(struct efi_stub *s)
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

efi_status EFI_CALL efi_stub(void *handle, struct efi_system *sys)
{
	static const struct efi_guid loaded = EFI_LOADED_IMAGE_GUID, acpi = EFI_ACPI2_GUID;
	struct efi_stub s = { .handle = handle, .sys = sys, .boot = sys->boot };
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
	if (err) {
		s.boot->free_pages(s.base, s.size / EFI_PAGE);
		return err;
	}
	take_seed(&s);
	s.h->rsdp = find_table(sys, &acpi);
	s.h->fdt = s.to_fdt;
	memcpy((void *)s.base, _text, (size_t)(_file_end - _text));
	if (s.to_fdt)
		memcpy((void *)s.to_fdt, (const void *)s.fdt, s.fdt_size);
	err = leave(&s);
	if (err)
		return failed(&s, "the firmware does not let go", err);
	arch_efi_enter(&s);
}
