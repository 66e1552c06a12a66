// SPDX-License-Identifier: MIT
/*
 * A driver that a module brings and its module lead to each other, by Linux's names:
 *
 *	/sys/bus/BUS/drivers/NAME/module -> /sys/module/MODULE
 *	/sys/module/MODULE/drivers/BUS:NAME -> /sys/bus/BUS/drivers/NAME
 *
 * The module is the one in which the driver's data or operations lie. Its directory is there before
 * its init runs and goes after its exit, between which its drivers come and go; the directory
 * "drivers" in it stays until then.
 */
#include <kernel/owner.h>
#include <kernel/show.h>
#include <lib/format.h>
#include <lib/string.h>
#include "dev/core/core_priv.h"

/* The module of DRV, by its directory, pinned; NULL: it is part of the image. */
static struct show_node *module_dir(const struct driver *drv)
{
	unsigned long offset;
	char name[64];

	if (!owner_describe((unsigned long)drv->data, name, sizeof(name), &offset) &&
	    !owner_describe((unsigned long)drv->ops, name, sizeof(name), &offset))
		return NULL;
	return show_lookup(show_path(SHOW_SYS, "module"), name, strlen(name));
}

static void name_in_module(const struct driver *drv, char *buf, size_t size)
{
	scnprintf(buf, size, "%s:%s", drv->bus->name, drv->name);
}

bool module_links_add(struct driver *drv)
{
	struct show_node *dir = module_dir(drv);
	char name[128];
	bool ok;

	if (!dir)
		return true;
	name_in_module(drv, name, sizeof(name));
	drv->in_module = show_dir_pinned(dir, "drivers");
	ok = drv->in_module && show_link_to(drv->dir, "module", dir) &&
	     show_link_to(drv->in_module, name, drv->dir);
	show_put(dir);
	return ok;
}

void module_links_remove(struct driver *drv)
{
	char name[128];

	if (!drv->in_module)
		return;
	name_in_module(drv, name, sizeof(name));
	show_remove_name(drv->in_module, name);
	show_put(drv->in_module);
	drv->in_module = NULL;
}
