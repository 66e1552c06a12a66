// SPDX-License-Identifier: MIT
/*
 * ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF:DNS0:DNS1:NTP0 on the command line: the
 * network as it is before the first program runs (Linux's nfsroot document). Without an address,
 * ip=dhcp (or on, any, both) asks a DHCP server for what the words leave open; ip=off and ip=none
 * mean: lo is brought up and nothing else. The last ip= counts. A device that is not there, or a
 * server, is a line in the log.
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
#include "net/conf/dhcp.h"
#include "net/ip4/addr.h"
#include "net/wire/ip4.h"

enum { CLIENT, SERVER, GATEWAY, NETMASK, HOST, DEVICE, AUTOCONF, DNS0, DNS1, NTP0, WORDS };

static char text[256];
static bool given;
static be32 words_at[WORDS];		/* those that are addresses */
static char host[65], device[NETDEV_NAME], autoconf[16], domain[DHCP_NAME + 1];
static bool by_dhcp;

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
	memset(words_at, 0, sizeof(words_at));
	host[0] = device[0] = autoconf[0] = 0;
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

static bool wants_dhcp(void)
{
	return !strcmp(autoconf, "dhcp") || !strcmp(autoconf, "on") || !strcmp(autoconf, "any") ||
	       !strcmp(autoconf, "both");
}

static void fill(int word, be32 v)
{
	if (!words_at[word].v)
		words_at[word] = v;
}

/* What R says becomes what the command line leaves open. */
static void take_lease(const struct dhcp_reply *r)
{
	by_dhcp = true;
	fill(CLIENT, r->address);
	fill(NETMASK, r->mask);
	fill(GATEWAY, r->gateway);
	fill(SERVER, r->boot_server);
	fill(DNS0, r->names[0]);
	fill(DNS1, r->names[1]);
	if (!host[0])
		strscpy(host, r->host, sizeof(host));
	strscpy(domain, r->domain, sizeof(domain));
}

/* rtnl, which is let go meanwhile. D comes up and gets a lease. */
static int ask_server(struct netdev *d)
{
	struct dhcp_reply r;
	int err = netdev_open(d);

	if (err)
		return err;
	netdev_get(d);
	rtnl_unlock();
	err = conf_dhcp(d, &r);
	rtnl_lock();
	if (!err && d->dismantling)
		err = -ENODEV;
	if (!err)
		take_lease(&r);
	if (!err && r.mtu && netdev_set_mtu(d, r.mtu))
		pr_warn("ip: %s: an MTU of %u is none for it\n", d->name, r.mtu);
	netdev_put(d);
	return err;
}

static int ip_apply(void)
{
	const u8 *a = (const u8 *)&words_at[CLIENT];
	bool ask = !words_at[CLIENT].v && wants_dhcp();
	struct netdev *d;
	int err;

	if (!given)
		return 0;
	rtnl_lock();
	netdev_open(init_net.loopback);
	if (!words_at[CLIENT].v && !ask) {
		rtnl_unlock();
		return 0;
	}
	d = chosen();
	err = d ? 0 : -ENODEV;
	if (!err && ask)
		err = ask_server(d);
	if (!err)
		err = set_up(d);
	rtnl_unlock();
	if (err)
		pr_err("ip: %s: error %d%s\n", device[0] ? device : "no device", -err,
		       ask && err == -ETIMEDOUT ? ": no DHCP server answered" : "");
	else
		pr_info("ip: %s has %u.%u.%u.%u/%u%s\n", d->name, a[0], a[1], a[2], a[3],
			mask_bits(words_at[CLIENT]), ask ? " by DHCP" : "");
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
	seq_puts(m, by_dhcp ? "#PROTO: DHCP\n" : "#MANUAL\n");
	if (domain[0])
		seq_printf(m, "domain %s\n", domain);
	address(m, "nameserver", words_at[DNS0]);
	address(m, "nameserver", words_at[DNS1]);
	address(m, "bootserver", words_at[SERVER]);
}
