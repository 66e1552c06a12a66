// SPDX-License-Identifier: MIT
/*
 * Loading and unloading.
 *
 * A file's signature is checked first; then it is decoded and judged; then its name is reserved, by
 * a module that is coming; then memory is made, filled and protected, and init runs. Until init has
 * returned nobody can use the module. Unloading goes the other way: no use may be left and none
 * begins any more, exit runs, callbacks of RCU and what the kernel holds of the module are waited
 * for, and the memory goes.
 *
 * module.sig_enforce=0, at boot, lets in what nobody known has signed. What a program says is to be
 * ignored of a file was in it when it was signed, and may be wrong now: that counts as unsigned.
 *
 * Locks: modules_lock guards the list and the states. It is not held while a module's code runs,
 * but for reading parameters.
 */
#include <abi/errno.h>
#include <alloc/modmem.h>
#include <alloc/slab.h>
#include <arch/module.h>
#include <dev/module.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/module.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include "dev/module/module_priv.h"

DEFINE_MUTEX(modules_lock);
LIST_HEAD(modules);
static bool enforce = true;		/* once it is true, it stays, but for the command line */
static int modules_disabled;		/* sysctl: once 1, it stays */

bool module_calls_disabled(void)
{
	return READ_ONCE(modules_disabled);
}

void module_put(struct module *m)
{
	if (!refcount_dec_and_test(&m->refs))
		return;
	kvfree(m->sections);
	kfree(m->version);
	kfree(m->srcversion);
	kfree(m);
}

static struct module *find(const char *name)
{
	struct module *m;

	list_for_each_entry(m, &modules, list)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

/* What can be judged without memory of the module's own. */
static int check_info(const struct ko *k, unsigned int flags)
{
	const char *name = ko_modinfo(k, "name", NULL), *magic = ko_modinfo(k, "vermagic", NULL);
	const char *crate = ko_modinfo(k, "rust_kernel", NULL);

	if (!name || !*name || strlen(name) >= MODULE_NAME_MAX || strchr(name, '/') ||
	    name[0] == '.') {
		pr_err("module: it has no name\n");
		return -ENOEXEC;
	}
	if (flags & MODULE_INIT_IGNORE_MODVERSIONS) {
		pr_err("%s: versions of symbols cannot be ignored\n", name);
		return -EINVAL;
	}
	if (!magic || strcmp(magic, MODULE_MAGIC) || flags & MODULE_INIT_IGNORE_VERMAGIC) {
		pr_err("%s: version magic '%s' should be '%s'\n", name, magic ?: "", MODULE_MAGIC);
		return -ENOEXEC;
	}
	if (crate && strcmp(crate, rust_kernel_hash)) {
		pr_err("%s: made with another kernel crate: it has %s, the kernel %s\n", name,
		       crate, rust_kernel_hash);
		return -EINVAL;
	}
	return 0;
}

/*
 * modules_lock. The name is free: 0. One of that name that is being loaded (-EAGAIN) is waited for,
 * so that who asked for it, too, finds it: -EEXIST, or -EBUSY where it has failed or goes.
 */
static int check_name(const char *name, bool waited)
{
	const struct module *old = find(name);

	if (!old)
		return waited ? -EBUSY : 0;
	if (old->state == MODULE_COMING)
		return -EAGAIN;
	return old->state == MODULE_LIVE ? -EEXIST : -EBUSY;
}

static struct module *reserve(const char *name, bool is_unsigned)
{
	struct module *m = kzalloc(sizeof(*m), GFP_KERNEL);
	bool waited = false;
	int err;

	if (!m)
		return ERR_PTR(-ENOMEM);
	strscpy(m->name, name, sizeof(m->name));
	m->owner.name = m->name;
	m->is_unsigned = is_unsigned;
	INIT_LIST_HEAD(&m->needs);
	INIT_LIST_HEAD(&m->users);
	refcount_set(&m->refs, 1);
	do {
		int seen = module_changes();

		mutex_lock(&modules_lock);
		err = check_name(name, waited);
		if (!err)
			list_add(&m->list, &modules);
		mutex_unlock(&modules_lock);
		waited = true;
		if (err == -EAGAIN)
			err = module_wait_change(seen) ?: -EAGAIN;
	} while (err == -EAGAIN);
	if (!err)
		return m;
	kfree(m);
	return ERR_PTR(err);
}

static void set_state(struct module *m, enum module_state state)
{
	mutex_lock(&modules_lock);
	m->state = state;
	mutex_unlock(&modules_lock);
	module_states_changed();
}

/* What the kernel is about to call in M comes to its end. False: something stays. */
static bool wait_for_holds(struct module *m)
{
	u64 until = ktime_get_ns() + 10 * NSEC_PER_SEC;

	rcu_barrier();
	while (atomic_read(&m->owner.holds)) {
		if (ktime_get_ns() > until) {
			pr_err("%s: the kernel still holds it: it stays for ever\n", m->name);
			return false;
		}
		schedule_timeout_uninterruptible(1);
	}
	/* after the last call in it, before its memory goes; pairs with owner_module_hold() */
	smp_mb();
	return true;
}

static void free_parts(struct module *m)
{
	for (int i = 0; i < KO_KINDS; i++)
		modmem_free(m->part[i]);
	kvfree(m->args);
}

static void unlist(struct module *m)
{
	module_forget_needs(m);
	mutex_lock(&modules_lock);
	list_del(&m->list);
	mutex_unlock(&modules_lock);
	module_states_changed();
	module_put(m);
}

/* From a module whose code has run, or is known to nobody, back to none. */
static void dismantle(struct module *m)
{
	if (m->dir)
		show_remove(m->dir);
	if (!owner_shut(&m->owner)) {
		pr_err("%s: its init failed, and it is used: it stays for ever\n", m->name);
		return;
	}
	if (!wait_for_holds(m))
		return;
	owner_remove(&m->owner);
	free_parts(m);
	unlist(m);
}

static int start(struct module *m)
{
	int err = m->init ? m->init() : 0;

	if (err > 0)
		pr_warn("%s: init returned %d; it is loaded all the same\n", m->name, err);
	if (err < 0)
		return err;
	owner_open(&m->owner);
	set_state(m, MODULE_LIVE);
	return 0;
}

static int get_args(struct module *m, struct uptr args)
{
	char *text = strndup_user(args, PAGE_SIZE * 16);

	if (IS_ERR(text))
		return (int)PTR_ERR(text);
	m->args = text;
	return 0;
}

static int bring_up(struct module *m, const struct ko *k, struct uptr args)
{
	int err = module_link(m, k);

	if (!err)
		err = get_args(m, args);
	if (!err)
		err = module_set_params(m);
	if (err) {
		set_state(m, MODULE_GOING);
		free_parts(m);
		unlist(m);
		return err;
	}
	if (m->is_outside && !kernel_outside_module)
		pr_warn("%s: loading out-of-tree module taints kernel.\n", m->name);
	kernel_outside_module |= m->is_outside;
	kernel_unsigned_module |= m->is_unsigned;
	owner_add(&m->owner);
	err = module_show(m);
	if (!err)
		err = start(m);
	if (err) {
		set_state(m, MODULE_GOING);
		dismantle(m);
	}
	return err;
}

int module_load(const void *file, size_t size, struct uptr args, unsigned int flags)
{
	struct ko_error e;
	struct module *m;
	struct ko k;
	int err, verdict = module_verify(file, &size, flags, READ_ONCE(enforce));

	if (verdict < 0)
		return verdict;
	err = ko_open(&k, file, size, ARCH_MODULE_MACHINE, &e);
	if (err) {
		pr_err("module: %s (%s, %llu)\n", e.what, e.section, (unsigned long long)e.index);
		return err;
	}
	err = check_info(&k, flags);
	if (err)
		return err;
	m = reserve(ko_modinfo(&k, "name", NULL), verdict);
	if (IS_ERR(m))
		return (int)PTR_ERR(m);
	m->is_rust = ko_modinfo(&k, "rust_kernel", NULL);
	m->is_outside = !ko_modinfo(&k, "intree", NULL);
	return bring_up(m, &k, args);
}

static int begin_unload(const char *name, struct module **found)
{
	struct module *m = find(name);

	if (!m)
		return -ENOENT;
	if (m->state != MODULE_LIVE || (m->init && !m->exit))
		return -EBUSY;
	if (!owner_close(&m->owner))
		return -EWOULDBLOCK;
	m->state = MODULE_GOING;
	*found = m;
	return 0;
}

int module_unload(const char *name)
{
	struct module *m = NULL;
	int err;

	mutex_lock(&modules_lock);
	err = begin_unload(name, &m);
	mutex_unlock(&modules_lock);
	if (err)
		return err;
	if (m->exit)
		m->exit();
	dismantle(m);
	return 0;
}

const char *module_taints(const struct module *m)
{
	static const char *const words[2][2] = { { "", "E" }, { "O", "OE" } };

	return words[m->is_outside][m->is_unsigned];
}

void module_for_each(void (*fn)(const struct module_facts *f, void *arg), void *arg)
{
	static const char *const names[] = { "Loading", "Live", "Unloading" };
	struct module *m;

	mutex_lock(&modules_lock);
	list_for_each_entry(m, &modules, list) {
		struct module_facts f = { .name = m->name,
					  .state = names[m->state],
					  .taints = module_taints(m),
					  .uses = max(READ_ONCE(m->owner.uses), 0),
					  .start = (unsigned long)m->part[KO_TEXT],
					  .has_users = !list_empty(&m->users),
					  .is_permanent = m->init && !m->exit,
					  .module = m };

		for (int i = 0; i < KO_KINDS; i++)
			f.size += PAGE_ALIGN(m->size[i]);
		fn(&f, arg);
	}
	mutex_unlock(&modules_lock);
}

static int set_enforce(const char *value)
{
	return value ? kstrtobool(value, &enforce) : (enforce = true, 0);
}
KERNEL_PARAM("module.sig_enforce", set_enforce);

static ssize_t show_enforce(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%c\n", READ_ONCE(enforce) ? 'Y' : 'N');
}

/* It is switched on, never off. */
static ssize_t store_enforce(struct show_node *n, const char *text, size_t len)
{
	bool value;
	int err = kstrtobool(text, &value);

	if (err)
		return err;
	if (!value && READ_ONCE(enforce))
		return -EROFS;
	if (value)
		WRITE_ONCE(enforce, true);
	return (ssize_t)len;
}

static int module_init_settings(void)
{
	struct show_node *dir = show_path(SHOW_SYS, "module/module/parameters");

	if (!dir || !show_attr(dir, "sig_enforce", 0644, show_enforce, store_enforce, NULL))
		return -ENOMEM;
	/* 1 is the only value that may be written: it cannot be undone. */
	return sysctl_int("kernel/modules_disabled", 0644, &modules_disabled, 1, 1) ? 0 : -ENOMEM;
}
INITCALL(fs, module_init_settings);
