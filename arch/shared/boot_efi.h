/* SPDX-License-Identifier: MIT */
/*
 * UEFI as far as a boot stub needs it (UEFI specification 2.10, chapters 4, 7, 9 and 13), and the stub's own state. The CPU gives in <arch_cpu/efi.h>:
 *   EFI_CALL            how the firmware's functions are called, if not as C is here
 *   EFI_IMAGE_OFFSET    where in a piece of 2 MiB the image begins
 *   EFI_ROOM_FROM, _END the addresses between which it may be put
 *   EFI_ROOM_MORE       bytes beside it for arch_efi_enter()
 */
#pragma once

#include <boot/efi.h>
#include <arch_cpu/efi.h>

typedef u64 efi_status;
#define EFI_ERROR(n) (1ULL << 63 | (n))
#define EFI_LOAD_ERROR EFI_ERROR(1)
#define EFI_BUFFER_TOO_SMALL EFI_ERROR(5)
#define EFI_OUT_OF_RESOURCES EFI_ERROR(9)
#define EFI_NOT_FOUND EFI_ERROR(14)

struct efi_guid {
	u32 a;
	u16 b, c;
	u8 d[8];
};

#define EFI_FDT_GUID { 0xb1b621d5, 0xf19c, 0x41a5, { 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 } }
#define EFI_ACPI2_GUID { 0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } }
#define EFI_LOADED_IMAGE_GUID { 0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }
#define EFI_FILE_SYSTEM_GUID { 0x964e5b22, 0x6459, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }
#define EFI_LOAD_FILE2_GUID { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } }
#define EFI_RNG_GUID { 0x3152bca5, 0xeade, 0x433d, { 0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44 } }
#define LINUX_INITRD_GUID { 0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } }

enum { EFI_ANY_PAGES, EFI_MAX_ADDRESS, EFI_AT_ADDRESS };

struct efi_text_output {
	void *reset;
	efi_status (EFI_CALL *output)(struct efi_text_output *self, const u16 *s);
};

struct efi_boot_services {
	u8 header[24];
	void *raise_tpl, *restore_tpl;
	efi_status (EFI_CALL *allocate_pages)(u32 how, u32 type, u64 pages, u64 *at);
	efi_status (EFI_CALL *free_pages)(u64 at, u64 pages);
	efi_status (EFI_CALL *get_memory_map)(u64 *size, void *map, u64 *key, u64 *desc_size, u32 *desc_version);
	void *allocate_pool, *free_pool, *event[6], *protocol[3];
	efi_status (EFI_CALL *handle_protocol)(void *handle, const struct efi_guid *guid, void **out);
	void *reserved, *register_notify, *locate_handle;
	efi_status (EFI_CALL *locate_device_path)(const struct efi_guid *guid, const void **path, void **handle);
	void *install_table, *load_image, *start_image, *exit, *unload_image;
	efi_status (EFI_CALL *exit_boot_services)(void *handle, u64 key);
	void *monotonic, *stall, *watchdog, *connect, *disconnect, *open_protocol, *close_protocol, *protocol_information, *protocols, *handles;
	efi_status (EFI_CALL *locate_protocol)(const struct efi_guid *guid, void *registration, void **out);
};
static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232 && offsetof(struct efi_boot_services, locate_protocol) == 320,
	      "EFI_BOOT_SERVICES");

struct efi_table {
	struct efi_guid guid;
	u64 at;
};

struct efi_system {
	u8 header[24];
	void *vendor;
	u64 revision;
	void *in_handle, *in, *out_handle;
	struct efi_text_output *out;
	void *err_handle, *err, *runtime;
	struct efi_boot_services *boot;
	u64 nr_tables;
	const struct efi_table *tables;
};

struct efi_loaded_image {
	u64 revision;
	void *parent, *system, *device, *path, *reserved;
	u32 options_size, pad;
	const u16 *options;
	void *base;
	u64 size;
};

struct efi_load_file2 {
	efi_status (EFI_CALL *load)(struct efi_load_file2 *self, const void *path, u8 policy, u64 *size, void *to);
};

struct efi_file {
	u64 revision;
	efi_status (EFI_CALL *open)(struct efi_file *self, struct efi_file **out, const u16 *name, u64 mode, u64 attributes);
	efi_status (EFI_CALL *close)(struct efi_file *self);
	void *delete;
	efi_status (EFI_CALL *read)(struct efi_file *self, u64 *size, void *to);
	void *write;
	efi_status (EFI_CALL *position)(struct efi_file *self, u64 *at);
	efi_status (EFI_CALL *seek)(struct efi_file *self, u64 at);
};

struct efi_file_system {
	u64 revision;
	efi_status (EFI_CALL *open_volume)(struct efi_file_system *self, struct efi_file **root);
};

struct efi_rng {
	void *info;
	efi_status (EFI_CALL *get)(struct efi_rng *self, const struct efi_guid *algorithm, u64 n, void *to);
};

struct efi_stub {
	void *handle;
	struct efi_system *sys;
	struct efi_boot_services *boot;
	struct efi_loaded_image *image;
	struct efi_handoff *h;
	u64 base, size;		/* the room: the image's new place, then the rest */
	u64 fdt, fdt_size;	/* the firmware's */
	u64 to_fdt;		/* where its copy goes; 0: there is none */
	void *map;
	u64 more;		/* EFI_ROOM_MORE bytes of the room */
};

/* The firmware's call. */
efi_status EFI_CALL efi_stub(void *handle, struct efi_system *sys);

/* The CPU's part, after the firmware has let go: on in the image at S->base, with the hand-off S->h. */
void __noreturn arch_efi_enter(const struct efi_stub *s);
