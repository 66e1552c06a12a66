// SPDX-License-Identifier: MIT
/*
 * /sys/module/NAME, and what /proc/modules says. A node that is read while the module goes finds it
 * no longer there.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <dev/module.h>
#include <kernel/show.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "dev/module/module_priv.h"

static const char *const state_names[] = { "coming", "live", "going" };

const char *module_state_name(const struct module *m)
{
	return state_names[m->state];
}

static size_t total_size(const struct module *m)
{
	size_t n = 0;

	for (int i = 0; i < KO_KINDS; i++)
		n += PAGE_ALIGN(m->size[i]);
	return n;
}

static int uses_of(const struct module *m)
{
	return max(READ_ONCE(m->owner.uses), 0);
}

static ssize_t show_fact(struct show_node *n, char *buf, size_t size)
{
	const struct module *m = n->data;
	ssize_t len;

	mutex_lock(&modules_lock);
	switch (n->name[0]) {
	case 'r':
		len = scnprintf(buf, size, "%d\n", uses_of(m));
		break;
	case 'i':
		len = scnprintf(buf, size, "%s\n", module_state_name(m));
		break;
	case 'c':
		len = scnprintf(buf, size, "%zu\n", total_size(m));
		break;
	case 'v':
		len = scnprintf(buf, size, "%s\n", m->version);
		break;
	case 's':
		len = scnprintf(buf, size, "%s\n", m->srcversion);
		break;
	default:
		len = scnprintf(buf, size, "%s\n", module_taints(m));
	}
	mutex_unlock(&modules_lock);
	return len;
}

static ssize_t show_param(struct show_node *n, char *buf, size_t size)
{
	const struct module *m = n->data;
	ssize_t len = -ENODEV;

	mutex_lock(&modules_lock);
	for (u32 i = 0; m->state == MODULE_LIVE && i < m->nr_params; i++)
		if (m->params[i].perm && !strcmp(m->params[i].name, n->name))
			len = module_show_param(&m->params[i], buf, size);
	mutex_unlock(&modules_lock);
	return len;
}

static ssize_t show_section(struct show_node *n, char *buf, size_t size)
{
	const struct module *m = n->data;
	unsigned long start = 0;

	for (u32 i = 0; i < m->nr_sections; i++)
		if (!strcmp(m->sections[i].name, n->name))
			start = m->sections[i].start;
	return scnprintf(buf, size, "0x%016lx\n", module_addresses_allowed() ? start : 0);
}

static void unpin(void *data)
{
	module_put(data);
}

static bool add(struct module *m, struct show_node *dir, const char *name, umode_t mode,
		show_fn show)
{
	refcount_inc(&m->refs);
	return show_attr_pinned(dir, name, mode, show, NULL, m, unpin);
}

static bool add_facts(struct module *m)
{
	static const char *const facts[] = { "refcnt", "initstate", "coresize", "taint" };
	bool ok = true;

	for (size_t i = 0; ok && i < ARRAY_SIZE(facts); i++)
		ok = add(m, m->dir, facts[i], 0444, show_fact);
	ok = ok && (!m->version || add(m, m->dir, "version", 0444, show_fact));
	return ok && (!m->srcversion || add(m, m->dir, "srcversion", 0444, show_fact));
}

static bool add_params(struct module *m)
{
	struct show_node *params = m->nr_params ? show_dir(SHOW_SYS, m->dir, "parameters") : NULL;
	bool ok = params || !m->nr_params;

	for (u32 i = 0; ok && i < m->nr_params; i++)
		if (m->params[i].perm & 0444)
			ok = add(m, params, m->params[i].name, m->params[i].perm & 0444,
				 show_param);
	return ok;
}

static bool add_sections(struct module *m)
{
	struct show_node *dir = show_dir(SHOW_SYS, m->dir, "sections");
	bool ok = dir;

	for (u32 i = 0; ok && i < m->nr_sections; i++)
		ok = add(m, dir, m->sections[i].name, 0400, show_section);
	return ok;
}

int module_show(struct module *m)
{
	struct show_node *all = show_path(SHOW_SYS, "module"), *other;
	bool ok;

	other = all ? show_lookup(all, m->name, strlen(m->name)) : NULL;
	if (other) {			/* a part of the image has the name */
		show_put(other);
		return -EINVAL;
	}
	m->dir = all ? show_dir(SHOW_SYS, all, m->name) : NULL;
	m->holders = m->dir ? show_dir(SHOW_SYS, m->dir, "holders") : NULL;
	ok = m->holders && add_facts(m) && add_params(m) && add_sections(m) && module_show_needs(m);
	return ok ? 0 : -ENOMEM;
}
