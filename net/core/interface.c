// SPDX-License-Identifier: MIT
/*
 * Network interfaces as ioctls see them (netdevice(7)). There is none: a name or a number finds no device, the list of
 * addresses is empty. Who may not change an interface hears of that first, as on Linux.
 */
#include <lib/types.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include "net/core/core_priv.h"

/* The layouts of <linux/if.h>, which only user programs can include. */
struct user_ifreq {
	char name[16];
	u8 value[24];
};

struct user_ifconf {
	s32 ifc_len;
	u32 pad;
	u64 addresses;
};

/* SIOCGIFCONF: no addresses. */
static long no_addresses(struct uptr arg)
{
	struct user_ifconf c;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	c.ifc_len = 0;
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

static bool asks_an_interface(unsigned int cmd)
{
	switch (cmd) {
	case SIOCGIFNAME:
	case SIOCGIFFLAGS:
	case SIOCGIFMETRIC:
	case SIOCGIFMTU:
	case SIOCGIFHWADDR:
	case SIOCGIFSLAVE:
	case SIOCGIFMAP:
	case SIOCGIFINDEX:
	case SIOCGIFTXQLEN:
	case SIOCETHTOOL:
	case SIOCBONDSLAVEINFOQUERY:
	case SIOCBONDINFOQUERY:
	case SIOCWANDEV:
	case SIOCGHWTSTAMP:
		return true;
	}
	return cmd >= SIOCDEVPRIVATE && cmd <= SIOCDEVPRIVATE + 15;
}

/* Most of these are given back to the caller's own network; the others are the whole machine's. */
static bool changes_an_interface(unsigned int cmd)
{
	switch (cmd) {
	case SIOCGMIIPHY:
	case SIOCGMIIREG:
	case SIOCSIFNAME:
	case SIOCSIFMAP:
	case SIOCSIFTXQLEN:
	case SIOCSIFFLAGS:
	case SIOCSIFMETRIC:
	case SIOCSIFMTU:
	case SIOCSIFHWADDR:
	case SIOCSIFSLAVE:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
	case SIOCSIFHWBROADCAST:
	case SIOCSMIIREG:
	case SIOCBONDENSLAVE:
	case SIOCBONDRELEASE:
	case SIOCBONDSETHWADDR:
	case SIOCBONDCHANGEACTIVE:
	case SIOCSHWTSTAMP:
		return true;
	}
	return false;
}

long interface_ioctl(unsigned int cmd, struct uptr arg)
{
	struct user_ifreq r;

	if (cmd == SIOCGIFCONF)
		return no_addresses(arg);
	if (!asks_an_interface(cmd) && !changes_an_interface(cmd))
		return -ENOTTY;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (changes_an_interface(cmd) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	return -ENODEV;
}
