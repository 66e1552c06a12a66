// SPDX-License-Identifier: MIT
/*
 * NETLINK_GENERIC: the controller "nlctrl", which tells which families there are. It is the only
 * one: requests to others and questions about them answer ENOENT, as on a Linux without them.
 */
#include <lib/string.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/genetlink.h>
#include <net/netlink.h>
#include <net/nlattr.h>

#define CTRL_NAME "nlctrl"
#define CTRL_VERSION 2
#define CTRL_GROUP "notify"

static const struct nla_rule rules[CTRL_ATTR_MAX + 1] = {
	[CTRL_ATTR_FAMILY_ID] = { NLA_K_U16, 0 },
	[CTRL_ATTR_FAMILY_NAME] = { NLA_K_NUL_TEXT, GENL_NAMSIZ - 1 },
	[CTRL_ATTR_OP] = { NLA_K_U32, 0 },
};

static void put_op(struct nlmsg_buf *b, unsigned int nr, u32 cmd, u32 flags)
{
	size_t op = nla_nest(b, (u16)nr | NLA_F_NESTED);

	nla_put_u32(b, CTRL_ATTR_OP_ID, cmd);
	nla_put_u32(b, CTRL_ATTR_OP_FLAGS, flags);
	nla_nest_end(b, op);
}

static bool put_family(struct nlmsg_buf *b, u32 portid, u32 seq, u16 flags)
{
	struct genlmsghdr *g = nlmsg_put(b, portid, seq, GENL_ID_CTRL, flags, sizeof(*g));
	size_t nest, one;

	if (g)
		*g = (struct genlmsghdr){ .cmd = CTRL_CMD_NEWFAMILY, .version = CTRL_VERSION };
	nla_put_text(b, CTRL_ATTR_FAMILY_NAME, CTRL_NAME);
	nla_put_u16(b, CTRL_ATTR_FAMILY_ID, GENL_ID_CTRL);
	nla_put_u32(b, CTRL_ATTR_VERSION, CTRL_VERSION);
	nla_put_u32(b, CTRL_ATTR_HDRSIZE, 0);
	nla_put_u32(b, CTRL_ATTR_MAXATTR, 0);
	nest = nla_nest(b, CTRL_ATTR_OPS | NLA_F_NESTED);
	put_op(b, 1, CTRL_CMD_GETFAMILY, GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP);
	nla_nest_end(b, nest);
	nest = nla_nest(b, CTRL_ATTR_MCAST_GROUPS | NLA_F_NESTED);
	one = nla_nest(b, 1 | NLA_F_NESTED);
	nla_put_u32(b, CTRL_ATTR_MCAST_GRP_ID, GENL_ID_CTRL);
	nla_put_text(b, CTRL_ATTR_MCAST_GRP_NAME, CTRL_GROUP);
	nla_nest_end(b, one);
	nla_nest_end(b, nest);
	return nlmsg_end(b);
}

static int dump_families(struct nlmsg_buf *b, struct nl_dump *d)
{
	if (!d->args[0] && !put_family(b, d->portid, d->hdr.nlmsg_seq, NLM_F_MULTI))
		return 1;
	d->args[0] = 1;
	return 0;
}

/* The family that R asks for: 0, -ENOENT, -EINVAL. */
static int check_family(struct nl_request *r, const struct nlattr *const *tb)
{
	char name[GENL_NAMSIZ];

	if (tb[CTRL_ATTR_FAMILY_ID])
		return nla_u16(tb[CTRL_ATTR_FAMILY_ID]) == GENL_ID_CTRL ? 0 : -ENOENT;
	if (!tb[CTRL_ATTR_FAMILY_NAME])
		return -EINVAL;
	if (!nla_text(tb[CTRL_ATTR_FAMILY_NAME], name, sizeof(name)))
		return -EINVAL;
	return strcmp(name, CTRL_NAME) ? -ENOENT : 0;
}

static int get_family(struct nl_request *r)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1];
	struct nlmsg_buf b;
	int err;

	err = nl_request_attrs(r, sizeof(struct genlmsghdr), tb, CTRL_ATTR_MAX, rules, false);
	if (!err)
		err = check_family(r, tb);
	if (!err)
		err = nlmsg_init(&b, 512, NLMSG_MOST, GFP_KERNEL);
	if (err)
		return err;
	return netlink_answer(r, &b, put_family(&b, r->portid, r->hdr->nlmsg_seq, 0));
}

static int generic_request(struct nl_request *r)
{
	const struct genlmsghdr *g = r->body;
	const struct nl_dump dump = { .fn = dump_families };

	if (r->hdr->nlmsg_type != GENL_ID_CTRL)
		return -ENOENT;
	if (r->body_len < sizeof(*g))
		return -EINVAL;
	if (g->cmd != CTRL_CMD_GETFAMILY)
		return -EOPNOTSUPP;
	return r->hdr->nlmsg_flags & NLM_F_DUMP ? netlink_start_dump(r, &dump) : get_family(r);
}

static const struct nl_protocol generic = {
	.protocol = NETLINK_GENERIC, .groups = 32, .anybody_joins = true, .request = generic_request
};

static int generic_init(void)
{
	netlink_register(&generic);
	return 0;
}
INITCALL(core, generic_init);
