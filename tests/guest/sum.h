// SPDX-License-Identifier: MIT
/* The checksum of IP, ICMP, UDP and TCP (RFC 1071). */
#pragma once

#include <arpa/inet.h>

/* The ones' complement sum of the N bytes at P, in host order, on top of S. */
static inline unsigned short add_up(const void *p, unsigned int n, unsigned int s)
{
	const unsigned char *b = p;

	for (unsigned int i = 0; i < n; i++)
		s += i & 1 ? b[i] : (unsigned int)b[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (unsigned short)s;
}

/* The checksum of N bytes at P, as it stands in a header. */
static inline unsigned short sum(const void *p, unsigned int n)
{
	return htons((unsigned short)~add_up(p, n, 0));
}
