// SPDX-License-Identifier: MIT
/*
 * Messages under construction (<net/netlink.h>). A buffer holds whole messages one behind the
 * other, and at its end the one that is being built, which begins at b->start.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <net/netlink.h>
#include <net/nlattr.h>
#include <abi/errno.h>

int nlmsg_init(struct nlmsg_buf *b, size_t room, size_t most, gfp_t gfp)
{
	DEBUG_ON(room > most || most > NLMSG_MOST);
	*b = (struct nlmsg_buf){ .room = room, .most = most, .gfp = gfp };
	b->data = kmalloc(room, gfp);
	return b->data ? 0 : -ENOMEM;
}

void nlmsg_free(struct nlmsg_buf *b)
{
	kfree(b->data);
	b->data = NULL;
	b->len = b->room = 0;
}

static bool grow(struct nlmsg_buf *b, size_t want)
{
	size_t room = b->room;
	u8 *data;

	if (want > b->most)
		return false;
	while (room < want)
		room = min(room * 2, b->most);
	data = kmalloc(room, b->gfp);
	if (!data)
		return false;
	memcpy(data, b->data, b->len);
	kfree(b->data);
	b->data = data;
	b->room = room;
	return true;
}

/* LEN bytes more, zeroed, with what aligns them. NULL: no room. */
static void *take(struct nlmsg_buf *b, size_t len)
{
	size_t whole = NLMSG_ALIGN(len);
	u8 *at;

	if (b->failed)
		return NULL;
	if (b->room - b->len < whole && !grow(b, b->len + whole)) {
		b->failed = true;
		return NULL;
	}
	at = b->data + b->len;
	memset(at, 0, whole);
	b->len += whole;
	return at;
}

void *nlmsg_put(struct nlmsg_buf *b, u32 portid, u32 seq, u16 type, u16 flags, size_t body)
{
	struct nlmsghdr *h;

	b->start = b->len;
	h = take(b, NLMSG_HDRLEN + body);
	if (!h)
		return NULL;
	h->nlmsg_len = (u32)(NLMSG_HDRLEN + body);
	h->nlmsg_type = type;
	h->nlmsg_flags = flags;
	h->nlmsg_seq = seq;
	h->nlmsg_pid = portid;
	return NLMSG_DATA(h);
}

void nlmsg_cancel(struct nlmsg_buf *b)
{
	b->len = b->start;
	b->failed = false;
}

bool nlmsg_end(struct nlmsg_buf *b)
{
	struct nlmsghdr *h;

	if (b->failed) {
		nlmsg_cancel(b);
		return false;
	}
	h = (struct nlmsghdr *)(b->data + b->start);
	if (b->len - b->start > NLMSG_ALIGN(h->nlmsg_len))
		h->nlmsg_len = (u32)(b->len - b->start);
	b->start = b->len;
	return true;
}

void *nla_reserve(struct nlmsg_buf *b, u16 type, size_t len)
{
	struct nlattr *a = take(b, NLA_HDRLEN + len);

	if (!a)
		return NULL;
	a->nla_type = type;
	a->nla_len = (u16)(NLA_HDRLEN + len);
	return a + 1;
}

void nla_put_bytes(struct nlmsg_buf *b, u16 type, const void *data, size_t len)
{
	void *to = nla_reserve(b, type, len);

	if (to)
		memcpy(to, data, len);
}

void nla_put_u8(struct nlmsg_buf *b, u16 type, u8 v)
{
	nla_put_bytes(b, type, &v, sizeof(v));
}
EXPORT(nla_put_u8);

void nla_put_u16(struct nlmsg_buf *b, u16 type, u16 v)
{
	nla_put_bytes(b, type, &v, sizeof(v));
}

void nla_put_u32(struct nlmsg_buf *b, u16 type, u32 v)
{
	nla_put_bytes(b, type, &v, sizeof(v));
}
EXPORT(nla_put_u32);

void nla_put_text(struct nlmsg_buf *b, u16 type, const char *s)
{
	nla_put_bytes(b, type, s, strlen(s) + 1);
}

size_t nla_nest(struct nlmsg_buf *b, u16 type)
{
	size_t at = b->len;

	(void)nla_reserve(b, type, 0);
	return at;
}

void nla_nest_end(struct nlmsg_buf *b, size_t nest)
{
	if (!b->failed)
		((struct nlattr *)(b->data + nest))->nla_len = (u16)(b->len - nest);
}

EXPORT(nla_parse);
