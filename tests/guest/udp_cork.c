/* SPDX-License-Identifier: MIT */
/*
 * Datagrams that UDP_CORK, MSG_MORE and SPLICE_F_MORE put together (udp(7), send(2), splice(2)).
 * proves: send sendto writev splice setsockopt recv
 */
#include "t.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SA(x) ((struct sockaddr *)&(x)), sizeof(x)

static unsigned char buf[70000];

/* TO receives, FROM is connected to it. */
static void pair(int *from, int *to)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);

	*to = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(bind(*to, SA(in)));
	OK(getsockname(*to, (struct sockaddr *)&in, &len));
	*from = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(connect(*from, SA(in)));
}

static void cork(int s, int on)
{
	OK(setsockopt(s, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)));
}

static void nothing(int s)
{
	ERR(recv(s, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
}

static void in_pieces(int size, int nr)
{
	int from, to;

	pair(&from, &to);
	cork(from, 1);
	for (int i = 0; i < nr; i++) {
		memset(buf, i, (size_t)size);
		EQ(send(from, buf, (size_t)size, 0), size);
	}
	nothing(to);
	cork(from, 0);
	EQ(recv(to, buf, sizeof(buf), MSG_DONTWAIT), size * nr);
	for (int i = 0; i < size * nr; i++)
		EQ(buf[i], (i / size) & 255);
	nothing(to);
	close(from);
	close(to);
}

TEST(pieces_of_any_size)
{
	in_pieces(100, 17);
	in_pieces(100, 19);
	in_pieces(64, 100);
	in_pieces(1, 2000);
	in_pieces(1000, 60);
	in_pieces(3000, 20);
	in_pieces(9, 7000);
	in_pieces(21000, 3);
}

TEST(one_call_of_many_pieces)
{
	struct iovec v[400];
	int from, to;

	pair(&from, &to);
	for (int i = 0; i < 400; i++)
		v[i] = (struct iovec){ buf, 5 };
	EQ(writev(from, v, 400), 2000);
	EQ(recv(to, buf, sizeof(buf), MSG_DONTWAIT), 2000);
}

/* A piece that makes it too long: what was there before goes with it. */
TEST(too_long)
{
	int from, to;

	pair(&from, &to);
	EQ(send(from, buf, 60000, MSG_MORE), 60000);
	ERR(send(from, buf, 6000, MSG_MORE), EMSGSIZE);
	EQ(send(from, "", 0, 0), 0);
	EQ(recv(to, buf, sizeof(buf), MSG_DONTWAIT), 0);
	EQ(send(from, "ab", 2, MSG_MORE), 2);
	ERR(send(from, buf, 65530, MSG_MORE), EMSGSIZE);
	EQ(send(from, "cd", 2, 0), 2);
	EQ(recv(to, buf, sizeof(buf), MSG_DONTWAIT), 2);
	EQ(memcmp(buf, "cd", 2), 0);
	/* An address that cannot be read, too. */
	EQ(send(from, "ef", 2, MSG_MORE), 2);
	ERR(send(from, (void *)8, 10, MSG_MORE), EFAULT);
	EQ(send(from, "g", 1, 0), 1);
	EQ(recv(to, buf, sizeof(buf), MSG_DONTWAIT), 1);
	nothing(to);
}

TEST(splice_more)
{
	int from, to, p[2];

	pair(&from, &to);
	OK(pipe(p));
	EQ(write(p[1], "pipe", 4), 4);
	EQ(splice(p[0], NULL, from, NULL, 4, SPLICE_F_MORE), 4);
	nothing(to);
	EQ(write(p[1], "!", 1), 1);
	EQ(splice(p[0], NULL, from, NULL, 1, 0), 1);
	EQ(recv(to, buf, sizeof(buf), MSG_DONTWAIT), 5);
	EQ(memcmp(buf, "pipe!", 5), 0);
}
