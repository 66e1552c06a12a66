// SPDX-License-Identifier: MIT
/*
 * Settings of /proc/sys/net/core, and those of local sockets. Each network namespace has its own
 * net_conf, which the root of the user namespace that owns it may change (network_namespaces(7)).
 * The sizes of buffers are the machine's, since they bound what any user's sockets can hold: other
 * namespaces see them, and cannot write.
 */
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <net/netns.h>
#include <net/sock.h>
#include <proc/cred.h>
#include <sched/task.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "net/core/core_priv.h"

#define MIN_SNDBUF 4608		/* doubled; socket(7) */
#define MIN_RCVBUF 2304
#define SOMAXCONN 4096		/* not a page */

struct net_limits net_limits = {
	.wmem_default = 212992, .wmem_max = 4 << 20, .rmem_default = 212992, .rmem_max = 4 << 20
};
static const struct net_conf defaults = { .somaxconn = SOMAXCONN,
					  .optmem_max = 131072,
					  .unix_max_dgram_qlen = 10 };
static struct net_conf init_conf;

static int conf_begin(struct net *net)
{
	net->conf = net == &init_net ? &init_conf : kmalloc(sizeof(*net->conf), GFP_KERNEL_ACCOUNT);
	if (!net->conf)
		return -ENOMEM;
	*net->conf = defaults;
	return 0;
}

/* Read by sockets until the last is gone: freed with the namespace (net_free()). */
void net_conf_free(struct net *net)
{
	kfree(net->conf);
}

static struct net_ops conf_ops = { .init = conf_begin };

/* Where the caller's namespace has what the initial one has at VALUE. */
static void *of_caller(void *value)
{
	return (u8 *)current_net()->conf + ((u8 *)value - (u8 *)&init_conf);
}

/* The owner's root, by his id or by CAP_NET_ADMIN, reads and writes. */
unsigned int net_setting_rights(const struct cred *cred)
{
	struct user_namespace *ns = current_net()->user_ns;
	kuid_t root = make_kuid(ns, 0);

	if (uid_valid(root) && uid_eq(cred->euid, root))
		return 06;
	return cred_capable(cred, ns, CAP_NET_ADMIN) ? 06 : 04;
}

unsigned int net_memory_rights(const struct cred *cred)
{
	return current_net()->user_ns == &init_user_ns ? net_setting_rights(cred) : 04;
}

static unsigned int limit_rights(const struct cred *cred)
{
	return current_net() == &init_net ? net_setting_rights(cred) : 04;
}

/* ---- the namespace of an open setting ---- */

static void *scope_open(void)
{
	return net_pin(current_net());
}

static int scope_enter(void *pin)
{
	if (!get_net_unless_zero(pin))
		return -ENOENT;
	current->acting_net = pin;
	return 0;
}

static void scope_leave(void *pin)
{
	current->acting_net = NULL;
	put_net(pin);
}

static void scope_close(void *pin)
{
	net_unpin(pin);
}

static const struct show_scope scope = {
	.open = scope_open, .enter = scope_enter, .leave = scope_leave, .close = scope_close
};

void net_setting(struct show_node *n, unsigned int (*rights)(const struct cred *cred))
{
	if (!n)
		return;
	n->rights = rights;
	n->scope = &scope;
}

static void setting(struct show_node *n)
{
	if (n)
		n->of_caller = of_caller;
	net_setting(n, net_setting_rights);
}

static void limit(const char *path, int *value, int least)
{
	struct show_node *n = sysctl_int(path, 0644, value, least, INT_MAX / 2);

	net_setting(n, limit_rights);
}

static int conf_init(void)
{
	return net_register_ops(&conf_ops);
}
INITCALL(core, conf_init);

static int settings_init(void)
{
	setting(sysctl_int("net/core/somaxconn", 0644, &init_conf.somaxconn, 0, INT_MAX));
	setting(sysctl_int("net/core/optmem_max", 0644, &init_conf.optmem_max, 0, INT_MAX));
	setting(sysctl_int("net/unix/max_dgram_qlen", 0644, &init_conf.unix_max_dgram_qlen, 0,
			   INT_MAX));
	limit("net/core/wmem_max", &net_limits.wmem_max, MIN_SNDBUF);
	limit("net/core/rmem_max", &net_limits.rmem_max, MIN_RCVBUF);
	limit("net/core/rmem_default", &net_limits.rmem_default, MIN_RCVBUF);
	limit("net/core/wmem_default", &net_limits.wmem_default, MIN_SNDBUF);
	return 0;
}
INITCALL(fs, settings_init);
