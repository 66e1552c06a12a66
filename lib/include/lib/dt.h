/* SPDX-License-Identifier: MIT */
/*
 * What a device tree says, as facts (Devicetree Specification 0.4; the PCI bus binding of Open Firmware). <lib/fdt.h> reads the
 * blob; here a node is its number in document order (the root is 0), and an index made once answers by phandle and by
 * compatible string without walking. The tree is untrusted: what makes no sense is refused, alone where it stands alone (one
 * node's reg) and as a whole where nothing can be believed any more (cut short, nested too deep). No question loops, whatever
 * phandles say. Pure: also builds on the host.
 *
 *	boot	fdt_open, dt_first_look (memory, /chosen), then, with an allocator, dt_open
 */
#pragma once

#include <lib/fdt.h>

#define DT_NONE (~0U)
#define DT_DEPTH_MAX 64
#define DT_IRQ_CELLS_MAX 8

/* /chosen. Pointers go into the blob. */
struct dt_chosen {
	const char *bootargs;		/* NULL: none */
	u64 initrd, initrd_size;	/* size 0: none */
	const u8 *rng_seed;		/* NULL: none; to be wiped by who uses it */
	u32 rng_seed_size;
	const u8 *kaslr_seed;		/* 8 bytes; NULL: none; the same */
};

/* Of RAM (or reserved: the reservation block and /reserved-memory) [addr, addr + size), which does not wrap and is not empty. */
typedef void (*dt_memory_fn)(void *arg, u64 addr, u64 size, bool ram);

/* One walk, before there is an allocator. 0; -EINVAL: the tree is not whole, nothing was reported. */
int dt_first_look(const struct fdt *f, struct dt_chosen *chosen, dt_memory_fn memory, void *arg);

struct dt_node {
	u32 at;				/* for fdt_prop and its like */
	u32 parent;			/* DT_NONE: the root */
	u32 next;			/* the first node outside of this one's subtree */
	u8 address_cells, size_cells;	/* of children; 255: absurd */
};

struct dt_key {
	u32 key;			/* phandle; or where the string is in the blob */
	u32 node;
};

struct dt {
	struct fdt fdt;
	struct dt_node *nodes;
	struct dt_key *handles, *compatibles;	/* sorted */
	u32 nr_nodes, nr_handles, nr_compatibles;
};

/* Bytes that dt_open needs, for 8-byte aligned memory; 0: the tree is not whole. */
size_t dt_index_size(const struct fdt *f);
/* 0 or -EINVAL (not whole; MEM too small). T keeps MEM and the blob. */
int dt_open(struct dt *t, const struct fdt *f, void *mem, size_t size);

/* The I-th node (document order) that is compatible with WHAT, enabled or not; DT_NONE. */
u32 dt_compatible(const struct dt *t, const char *what, unsigned int i);
/* The first enabled node with registers that is compatible with WHAT, its first registers in *BASE and *SIZE; DT_NONE: *BASE is 0. */
u32 dt_device(const struct dt *t, const char *what, u64 *base, u64 *size);
/* DT_NONE: nobody has it, or more than one. */
u32 dt_by_phandle(const struct dt *t, u32 phandle);
/* By absolute path of full names, LEN bytes of it; DT_NONE. */
u32 dt_path(const struct dt *t, const char *path, size_t len);
/* The child of PARENT after PREV (DT_NONE: the first); DT_NONE: no more. */
u32 dt_next_child(const struct dt *t, u32 parent, u32 prev);

/* fdt_* by node number. */
const void *dt_prop(const struct dt *t, u32 node, const char *name, u32 *len);
const char *dt_string(const struct dt *t, u32 node, const char *name);
bool dt_number(const struct dt *t, u32 node, const char *name, u64 *out);
/* The I-th 32-bit cell of a property. */
bool dt_cell(const struct dt *t, u32 node, const char *name, unsigned int i, u32 *out);
/* Itself and all above it are not switched off. */
bool dt_enabled(const struct dt *t, u32 node);
/* The node that a phandle in NODE's property NAME leads to; DT_NONE. */
u32 dt_link(const struct dt *t, u32 node, const char *name);

/* The I-th piece of reg as the CPU sees it: translated by ranges of all buses above, whole inside one of each. */
bool dt_reg(const struct dt *t, u32 node, unsigned int i, u64 *addr, u64 *size);

/* An interrupt as its controller names it. */
struct dt_irq {
	u32 controller;			/* a node with interrupt-controller */
	u32 count;
	u32 cell[DT_IRQ_CELLS_MAX];
};

/* The I-th interrupt of NODE, through every map. 0, -ENOENT (it names no such), -EINVAL (what it names makes no sense). */
int dt_irq(const struct dt *t, u32 node, unsigned int i, struct dt_irq *out);
unsigned int dt_irq_count(const struct dt *t, u32 node);
/* The controller that NODE's own interrupts go to, for controllers behind controllers; DT_NONE. */
u32 dt_irq_parent(const struct dt *t, u32 node);

struct dt_cpu {
	u32 node;
	u64 id;				/* reg: MPIDR, hart, physical core number */
	const char *method;		/* enable-method; NULL: it does not say */
	bool enabled;
};
/* The CPU after PREV (DT_NONE: the first): its node, or DT_NONE. Those without a number are passed over. */
u32 dt_next_cpu(const struct dt *t, u32 prev, struct dt_cpu *cpu);

/* Where firmware wants its console; *OPTIONS is what follows the colon ("115200n8") or "". DT_NONE: nowhere. */
u32 dt_stdout(const struct dt *t, const char **options);

struct dt_pci_host {
	u32 node;
	u64 ecam;			/* configuration space of first_bus, 1 MiB a bus */
	u8 first_bus, last_bus;		/* last_bus: as far as the window goes */
	u32 domain;
};
/* pci-host-ecam-generic. 0, -ENOENT (no I-th enabled one), -EINVAL (it makes no sense). */
int dt_pci_host(const struct dt *t, unsigned int i, struct dt_pci_host *out);

enum dt_pci_space { DT_PCI_IO = 1, DT_PCI_MEM32 = 2, DT_PCI_MEM64 = 3 };
struct dt_pci_window {
	enum dt_pci_space space;
	bool prefetch;
	u64 pci, cpu, size;
};
/* The I-th window of its ranges: 0, -ENOENT (no more), -EINVAL (that one is to be passed over). */
int dt_pci_window(const struct dt *t, u32 host, unsigned int i, struct dt_pci_window *out);
/* Pin 1 to 4 of a function on the host's first bus. As dt_irq. */
int dt_pci_irq(const struct dt *t, u32 host, u8 bus, u8 devfn, u8 pin, struct dt_irq *out);
/* Who takes the messages of requester RID, and what it calls the device. DT_NONE: nobody. */
u32 dt_msi(const struct dt *t, u32 host, u32 rid, u32 *device);

struct dt_psci {
	bool smc;			/* else HVC */
	u32 cpu_on, cpu_off;		/* function numbers */
	bool system;			/* 0.2 and later: SYSTEM_OFF, SYSTEM_RESET */
};
/* 0, -ENOENT, -EINVAL. */
int dt_psci(const struct dt *t, struct dt_psci *out);

/* One write that ends it all. */
struct dt_syscon {
	u64 addr;
	u32 width;			/* bytes: 1, 2, 4 */
	u32 value, mask;		/* bits outside of MASK stay as they are */
};
/* WHAT: "syscon-poweroff", "syscon-reboot". 0, -ENOENT, -EINVAL. */
int dt_syscon(const struct dt *t, const char *what, struct dt_syscon *out);
