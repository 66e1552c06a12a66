/* SPDX-License-Identifier: MIT */
/*
 * Netlink attributes (netlink(7)): decoding what a program wrote. Pure. Nothing is copied: the
 * pointers that come out lie in the bytes that went in, which are aligned to 4 and stay.
 */
#pragma once

#include <lib/types.h>
#include <linux/netlink.h>

enum nla_kind {
	NLA_K_ANY,			/* len: at most, 0: any */
	NLA_K_U8,
	NLA_K_U16,
	NLA_K_U32,
	NLA_K_U64,
	NLA_K_TEXT,			/* a NUL within the first len bytes, or len bytes; 0: any */
	NLA_K_NUL_TEXT,			/* a NUL within the first len + 1 bytes */
	NLA_K_NESTED,
	NLA_K_EXACT,			/* len bytes */
	NLA_K_LEAST,			/* len bytes or more */
	NLA_K_FLAG,
	NLA_K_REFUSED,
};
struct nla_rule {
	u8 kind;			/* enum nla_kind */
	u16 len;
};

/* What is wrong, for an extended ACK. */
struct nla_error {
	const char *text;		/* static; NULL: nothing to say */
	const struct nlattr *at;	/* NULL: nowhere */
};

/*
 * DATA's LEN bytes as attributes: tb[0..MOST] point at the last one of each type, or are NULL.
 * RULES has MOST + 1 entries. Types above MOST and bytes behind the last attribute are ignored,
 * unless STRICT. 0; -EINVAL, -ERANGE (too short) with the reason in E.
 */
int nla_parse(const struct nlattr *tb[], unsigned int most, const void *data, size_t len,
	      const struct nla_rule *rules, bool strict, struct nla_error *e) __must_check;

static inline unsigned int nla_kind_of(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

static inline const void *nla_data(const struct nlattr *a)
{
	return a + 1;
}

static inline size_t nla_len(const struct nlattr *a)
{
	return a->nla_len - sizeof(*a);
}

/* Of attributes that a rule has checked. */
static inline u8 nla_u8(const struct nlattr *a)
{
	return *(const u8 *)nla_data(a);
}

static inline u16 nla_u16(const struct nlattr *a)
{
	return *(const u16 *)nla_data(a);
}

static inline u32 nla_u32(const struct nlattr *a)
{
	return *(const u32 *)nla_data(a);
}

/* The text of A into TO of ROOM bytes, always ended. False: it is longer. */
bool nla_text(const struct nlattr *a, char *to, size_t room) __must_check;
/* The attribute at *POS of LEN bytes, and *POS behind it; NULL: no whole one is left. */
const struct nlattr *nla_next(const void *data, size_t len, size_t *pos);
