// SPDX-License-Identifier: MIT
/*
 * ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF:DNS0:DNS1:NTP0 on the command line: the
 * network as it is before the first program runs (Linux's nfsroot document). Static words alone;
 * ip=off and ip=none, and no address, mean: lo is brought up and nothing else. A device that is not
 * there is a line in the log.
 *
 * What it said of name servers stands in /proc/net/pnp, from where programs copy it to
 * /etc/resolv.conf.
 */
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <vfs/seq_file.h>
#include <net/show.h>
#include <proc/ns.h>
#include <abi/errno.h>
#include "net/conf/conf.h"
#include "net/ip4/addr.h"
#include "net/wire/ip4.h"

enum { CLIENT, SERVER, GATEWAY, NETMASK, HOST, DEVICE, AUTOCONF, DNS0, DNS1, NTP0, WORDS };

static char text[256];
static bool given;
static be32 words_at[WORDS];		/* those that are addresses */
static char host[65], device[NETDEV_NAME], autoconf[16];

bool conf_parse_ip(const char *s, be32 *out)
{
	u32 v = 0;

	for (int i = 0; i < 4; i++) {
		u32 n = 0;
		int digits = 0;

		for (; *s >= '0' && *s <= '9' && digits < 3; s++, digits++)
			n = n * 10 + (u32)(*s - '0');
		if (!digits || n > 255 || *s != (i < 3 ? '.' : 0))
			return false;
		s++;
		v = v << 8 | n;
	}
	*out = be32_make(v);
	return true;
}

static int take_word(int n, const char *w)
{
	if (!*w)
		return 0;
	switch (n) {
	case HOST:
		strscpy(host, w, sizeof(host));
		return 0;
	case DEVICE:
		strscpy(device, w, sizeof(device));
		return 0;
	case AUTOCONF:
		strscpy(autoconf, w, sizeof(autoconf));
		return 0;
	}
	return conf_parse_ip(w, &words_at[n]) ? 0 : -EINVAL;
}

static int ip_param(const char *value)
{
	char *w = text;
	int err = 0;

	given = true;
	strscpy(text, value ?: "", sizeof(text));
	if (!strchr(text, ':') && text[0] && text[0] != '.' &&
	    !(text[0] >= '0' && text[0] <= '9')) {
		strscpy(autoconf, text, sizeof(autoconf));
		return 0;
	}
	for (int n = 0; n < WORDS && w; n++) {
		char *colon = strchr(w, ':');

		if (colon)
			*colon = 0;
		err = take_word(n, w) ?: err;
		w = colon ? colon + 1 : NULL;
	}
	return err;
}
KERNEL_PARAM("ip", ip_param);

static u8 mask_bits(be32 a)
{
	u32 h = ip4_host(a);

	if (words_at[NETMASK].v)
		return (u8)(ip4_mask_bits(words_at[NETMASK]) < 0 ?
				    24 :
				    ip4_mask_bits(words_at[NETMASK]));
	return h >> 31 == 0 ? 8 : h >> 30 == 2 ? 16 : 24;
}

static int default_route(struct netdev *d)
{
	const struct fib4_config c = {
		.gateway = words_at[GATEWAY],
		.type = RTN_UNICAST,
		.scope = RT_SCOPE_UNIVERSE,
		.protocol = RTPROT_BOOT,
		.oif = d->ifindex,
		.create = true,
	};

	return words_at[GATEWAY].v ? fib4_add(&init_net, &c) : 0;
}

/* The device that was named, or the first that is not lo. rtnl. */
static struct netdev *chosen(void)
{
	struct netdev *d;

	if (device[0])
		return netdev_by_name(&init_net, device);
	list_for_each_entry(d, &init_net.devs, list)
		if (d != init_net.loopback)
			return d;
	return NULL;
}

static int set_up(struct netdev *d)
{
	struct in_device *in = in_device_get(d);
	int err = in ? netdev_open(d) : -ENOMEM;

	if (!err)
		err = in_addr_set(in, d->name, words_at[CLIENT], mask_bits(words_at[CLIENT]));
	return err ?: default_route(d);
}

static int ip_apply(void)
{
	const u8 *a = (const u8 *)&words_at[CLIENT];
	struct netdev *d;
	int err;

	if (!given)
		return 0;
	rtnl_lock();
	netdev_open(init_net.loopback);
	if (!words_at[CLIENT].v) {
		rtnl_unlock();
		if (!strcmp(autoconf, "dhcp") || !strcmp(autoconf, "on") ||
		    !strcmp(autoconf, "any") || !strcmp(autoconf, "both"))
			pr_err("ip: there is no DHCP in this kernel: give the address, or run udhcpc\n");
		return 0;
	}
	d = chosen();
	err = d ? set_up(d) : -ENODEV;
	rtnl_unlock();
	if (err)
		pr_err("ip: %s: error %d\n", device[0] ? device : "no device", -err);
	else
		pr_info("ip: %s has %u.%u.%u.%u/%u\n", d->name, a[0], a[1], a[2], a[3],
			mask_bits(words_at[CLIENT]));
	if (host[0])
		uts_set_name(false, host, strlen(host));
	return err;
}
INITCALL(late, ip_apply);

static void address(struct seq_file *m, const char *name, be32 v)
{
	const u8 *a = (const u8 *)&v;

	if (v.v)
		seq_printf(m, "%s %u.%u.%u.%u\n", name, a[0], a[1], a[2], a[3]);
}

void net_show_pnp(struct seq_file *m, struct net *net)
{
	if (net != &init_net || !given)
		return;
	seq_puts(m, "#MANUAL\n");
	address(m, "nameserver", words_at[DNS0]);
	address(m, "nameserver", words_at[DNS1]);
	address(m, "bootserver", words_at[SERVER]);
}
