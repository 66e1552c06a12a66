/* SPDX-License-Identifier: MIT */
/*
 * The network before the first program: lo is up, eth0 is as the kernel's ip= says also where the
 * kernel ignores that word, and /etc/resolv.conf, where the root has none, is what the kernel knows
 * of name servers. All of it is left alone where the kernel has no network.
 */
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* 0, or -1 with errno: one of SIOCSIFADDR and its like. */
static int set_address(int s, unsigned long request, const char *name, const char *address)
{
	struct ifreq r = { 0 };
	struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;

	strncpy(r.ifr_name, name, sizeof(r.ifr_name) - 1);
	a->sin_family = AF_INET;
	return inet_aton(address, &a->sin_addr) ? ioctl(s, request, &r) : -1;
}

static int set_up(int s, const char *name)
{
	struct ifreq r = { 0 };

	strncpy(r.ifr_name, name, sizeof(r.ifr_name) - 1);
	if (ioctl(s, SIOCGIFFLAGS, &r))
		return -1;
	r.ifr_flags |= IFF_UP;
	return ioctl(s, SIOCSIFFLAGS, &r);
}

static void add_default_route(int s, const char *gateway)
{
	struct rtentry r = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in *to = (struct sockaddr_in *)&r.rt_dst,
			   *mask = (struct sockaddr_in *)&r.rt_genmask,
			   *by = (struct sockaddr_in *)&r.rt_gateway;

	to->sin_family = mask->sin_family = by->sin_family = AF_INET;
	if (inet_aton(gateway, &by->sin_addr) && ioctl(s, SIOCADDRT, &r) && errno != EEXIST)
		say(gateway);
}

/* The fields of the command line's ip=, which are divided by colons; 0: there is no such word. */
static int ip_words(char *line, char *field[10])
{
	char *at = strncmp(line, "ip=", 3) ? strstr(line, " ip=") : line - 1;
	int n = 0;

	if (!at)
		return 0;
	at += 4;
	at[strcspn(at, " \n")] = '\0';
	while (at && n < 10)
		field[n++] = strsep(&at, ":");
	return n;
}

/* eth0 has an address already where the kernel heeded ip=. */
static void configure(int s)
{
	char line[4096], *field[10] = { 0 };
	struct ifreq r = { .ifr_name = "eth0" };
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC), n;

	n = fd < 0 ? 0 : (int)read(fd, line, sizeof(line) - 1);
	close(fd);
	line[n > 0 ? n : 0] = '\0';
	if (!ioctl(s, SIOCGIFADDR, &r) || ioctl(s, SIOCGIFFLAGS, &r) || ip_words(line, field) < 4 ||
	    !inet_addr(field[0]))
		return;
	if (set_address(s, SIOCSIFADDR, "eth0", field[0]) ||
	    set_address(s, SIOCSIFNETMASK, "eth0", field[3]) || set_up(s, "eth0"))
		say("eth0");
	else if (field[2] && *field[2])
		add_default_route(s, field[2]);
	if (field[7] && *field[7] &&
	    (fd = open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) >= 0) {
		dprintf(fd, "nameserver %s\n", field[7]);
		close(fd);
	}
}

static void prepare_network(void)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return;
	set_up(s, "lo");
	if (access("/etc/resolv.conf", F_OK) && !access("/proc/net/pnp", R_OK))
		symlink("/proc/net/pnp", "/etc/resolv.conf");
	configure(s);
	close(s);
}
