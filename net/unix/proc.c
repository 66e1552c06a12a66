// SPDX-License-Identifier: MIT
/* /proc/net/unix (proc(5)). */
#include <lib/types.h>
#include <net/unix.h>
#include <vfs/seq_file.h>
#include "net/unix/unix_priv.h"

#define SO_ACCEPTCON_FLAG (1u << 16)

/* The state's number: those of a socket that somebody has open, and of one that nobody has accepted yet. */
static unsigned int state_number(const struct unix_sock *u)
{
	bool connected = u->sk.state == UNIX_CONNECTED;

	if (u->sk.socket)
		return connected ? 3 : 1;
	return connected ? 2 : 4;
}

static void show_name(struct seq_file *m, const struct unix_addr *a)
{
	const char *p = a->name.sun_path;
	int i = 0, len = a->len - (int)offsetof(struct sockaddr_un, sun_path);

	seq_putc(m, ' ');
	if (p[0])
		len--;			/* the NUL at the end of a path */
	else
		seq_putc(m, '@');
	for (i = p[0] ? 0 : 1; i < len; i++)
		seq_putc(m, p[i] ? p[i] : '@');
}

struct listing {
	struct seq_file *m;
	const struct net *net;
};

static void show_socket(struct ghash_node *n, void *arg)
{
	struct unix_sock *u = container_of(n, struct unix_sock, all_node);
	struct unix_addr *a = smp_load_acquire(&u->addr);
	const struct listing *l = arg;
	struct seq_file *m = l->m;

	if (u->sk.net != l->net)
		return;

	spin_lock(&u->sk.lock);
	/* The first column was an address once. */
	seq_printf(m, "%016lx: %08X %08X %08X %04X %02X %5lu", 0ul, refcount_read(&u->sk.refs), 0,
		   u->sk.state == UNIX_LISTEN ? SO_ACCEPTCON_FLAG : 0, (unsigned int)u->sk.type, state_number(u),
		   (unsigned long)u->sk.ino);
	spin_unlock(&u->sk.lock);
	if (a)
		show_name(m, a);
	seq_putc(m, '\n');
}

void unix_show_sockets(struct seq_file *m, const struct net *net)
{
	struct listing l = { m, net };

	seq_puts(m, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	for (u64 pos = 0; pos < GHASH_END && !seq_has_overflowed(m);)
		unix_walk(&pos, show_socket, &l);
}
