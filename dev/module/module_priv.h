/* SPDX-License-Identifier: MIT */
/*
 * A module, between its parts: load.c makes and ends one, verify.c asks who signed it, link.c fills
 * its memory, param.c sets its parameters, show.c shows it.
 */
#pragma once

#include <arch/module.h>
#include <kernel/export.h>
#include <kernel/module.h>
#include <kernel/owner.h>
#include <kernel/refcount.h>
#include <lib/ko.h>
#include <lib/ko_pairs.h>
#include <lib/list.h>
#include <lib/modsig.h>
#include <sched/mutex.h>

#define MODULE_NAME_MAX 56	/* with the NUL: 64 bytes less a word, as Linux's */

enum module_state { MODULE_COMING, MODULE_LIVE, MODULE_GOING };

/* A module's code or data are used by another one: a use of NEEDED. */
struct module_need {
	struct list_head of;		/* USER's needs; by who loads or unloads it alone */
	struct list_head in;		/* modules_lock; users of NEEDED */
	struct module *user, *needed;	/* c */
};

/* Where a section lies, for debuggers. */
struct module_section {
	unsigned long start;
	char name[32];
};

struct module {
	struct list_head list;		/* modules_lock */
	enum module_state state;	/* modules_lock */
	char name[MODULE_NAME_MAX];	/* c */
	struct owner owner;
	void *part[KO_KINDS];		/* c until it is freed; by rights */
	u32 size[KO_KINDS];		/* c */
	int (*init)(void);		/* c */
	void (*exit)(void);		/* c */
	const struct module_param *params;	/* in its memory */
	u32 nr_params;
	char *args;			/* c: values of text parameters lie in it */
	const struct export_entry *exports;	/* in its memory; for other modules */
	u32 nr_exports;
	struct list_head needs;		/* loader and unloader: struct module_need, by .of */
	struct list_head users;		/* modules_lock: the same of others, by .in */
	struct module_section *sections;	/* c; NR_SECTIONS, until its nodes go */
	u32 nr_sections;
	char *version, *srcversion;	/* c; NULL: not said */
	struct show_node *dir;		/* loader and unloader */
	struct show_node *holders;	/* c once it is live, until nobody uses it */
	bool is_unsigned;			/* c: by no key that is known */
	bool is_outside;			/* c: not of this tree */
	bool is_rust;			/* c: its imports are the kernel crate's */
	refcount_t refs;		/* the list's, and of each node shown */
};

static_assert(KO_KINDS == OWNER_PARTS && KO_TEXT == 0, "a module's parts");
extern struct mutex modules_lock;
extern struct list_head modules;	/* modules_lock; the latest first */

/* The key that signs modules: a modulus, and whose it is as signatures say it. */
struct module_key {
	struct modsig_bytes modulus, issuer, serial, key_id;
};
extern const struct module_key module_key;	/* made by tools/modkey.py */

void module_put(struct module *m);
/*
 * The address of what a loaded module exports as NAME, with the hash of its type to TYPE; M has
 * a use of it from then on, until module_forget_needs(). 0: no module exports it. -EBUSY, to *ERR:
 * one does whose init has not ended in 30 s, or before a signal; -ENOMEM. Sleeps.
 */
unsigned long module_find_export(struct module *m, const char *name, u64 *type, int *err);
void module_forget_needs(struct module *m);
/* A module's state is another one, or it has gone. */
void module_states_changed(void);
/* How often that was; and waits until it is not SEEN any more: 0, or what a signal asks for. */
int module_changes(void);
int module_wait_change(int seen) __must_check;
/* M's links in the directories of what it needs. */
bool module_show_needs(struct module *m);
/*
 * Checks the signature of FILE, *SIZE bytes, to be loaded with FLAGS, and takes it off *SIZE. 0:
 * good; 1: none of a known key, which passes as ENFORCE is false. -EKEYREJECTED, -EBADMSG
 * (unreadable), -ENOMEM; told to the log.
 */
int module_verify(const void *file, size_t *size, unsigned int flags, bool enforce) __must_check;
/*
 * Places, copies, relocates and protects. 0, -ENOEXEC, -ENOENT, -EINVAL (a type differs), -ENOMEM;
 * told to the log.
 */
int module_link(struct module *m, const struct ko *k) __must_check;
/* Sets parameters by m->args. 0, -EINVAL; told to the log. */
int module_set_params(struct module *m) __must_check;
/* P's value to BUF. */
ssize_t module_show_param(const struct module_param *p, char *buf, size_t size);
/* /sys/module/NAME. */
int module_show(struct module *m) __must_check;
/* The letters of how it taints the kernel. */
const char *module_taints(const struct module *m);
const char *module_state_name(const struct module *m);

/* The first halves of one section's pairs of relocations, by where they lie. */
struct module_halves {
	struct ko_half *half;	/* kvfree */
	u32 nr;
};
#ifdef ARCH_MODULE_PAIRS
/* Those that the relocations in SECTION name; what they change begins at BASE. 0, -ENOMEM. */
int module_find_first_halves(const struct ko *k, u32 section, u64 base, const u64 *value,
			     struct module_halves *out) __must_check;
/* Tells F, if it is a second half, what the first one says. */
void module_join_halves(const struct module_halves *in, struct module_fix *f);
#else
static inline int __must_check module_find_first_halves(const struct ko *k, u32 section, u64 base,
							const u64 *value, struct module_halves *out)
{
	*out = (struct module_halves){ 0 };
	return 0;
}

static inline void module_join_halves(const struct module_halves *in, struct module_fix *f)
{
}
#endif
