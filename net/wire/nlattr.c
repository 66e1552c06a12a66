// SPDX-License-Identifier: MIT
/* Decoding netlink attributes: nlattr.h. */
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <net/nlattr.h>

const struct nlattr *nla_next(const void *data, size_t len, size_t *pos)
{
	const struct nlattr *a = (const struct nlattr *)((const u8 *)data + *pos);
	size_t whole;

	if (*pos > len || len - *pos < sizeof(*a))
		return NULL;
	if (a->nla_len < sizeof(*a) || a->nla_len > len - *pos)
		return NULL;
	whole = NLA_ALIGN((size_t)a->nla_len);
	*pos = whole < len - *pos ? *pos + whole : len;
	return a;
}

static size_t size_of(const struct nla_rule *r)
{
	switch (r->kind) {
	case NLA_K_U8:
		return 1;
	case NLA_K_U16:
		return 2;
	case NLA_K_U32:
		return 4;
	case NLA_K_U64:
		return 8;
	case NLA_K_EXACT:
	case NLA_K_LEAST:
		return r->len;
	}
	return 0;
}

static bool ends(const struct nlattr *a, size_t most)
{
	size_t n = nla_len(a);

	if (n && !((const char *)nla_data(a))[n - 1])
		n--;
	return n <= most;
}

static int check(const struct nlattr *a, const struct nla_rule *r, bool strict)
{
	size_t n = nla_len(a), want = size_of(r);

	switch (r->kind) {
	case NLA_K_U8:
	case NLA_K_U16:
	case NLA_K_U32:
	case NLA_K_U64:
		return n < want ? -ERANGE : strict && n != want ? -EINVAL : 0;
	case NLA_K_EXACT:
		return n == want ? 0 : n < want ? -ERANGE : -EINVAL;
	case NLA_K_LEAST:
		return n < want ? -ERANGE : 0;
	case NLA_K_TEXT:
		if (!n)
			return -ERANGE;
		return r->len && !ends(a, r->len) ? -ERANGE : 0;
	case NLA_K_NUL_TEXT:
		n = min(n, (size_t)r->len + 1);
		return n && memchr(nla_data(a), 0, n) ? 0 : -EINVAL;
	case NLA_K_ANY:
		return r->len && n > r->len ? -ERANGE : 0;
	case NLA_K_FLAG:
		return n ? -ERANGE : 0;
	case NLA_K_REFUSED:
		return -EINVAL;
	}
	return 0;
}

static int refuse(struct nla_error *e, int err, const char *text, const struct nlattr *at)
{
	e->text = text;
	e->at = at;
	return err;
}

int nla_parse(const struct nlattr *tb[], unsigned int most, const void *data, size_t len,
	      const struct nla_rule *rules, bool strict, struct nla_error *e)
{
	const struct nlattr *a;
	size_t pos = 0;
	int err;

	memset(tb, 0, (most + 1) * sizeof(tb[0]));
	while ((a = nla_next(data, len, &pos))) {
		unsigned int type = nla_kind_of(a);

		if (!type || type > most) {
			if (strict)
				return refuse(e, -EINVAL, "Unknown attribute type", a);
			continue;
		}
		err = check(a, &rules[type], strict);
		if (err)
			return refuse(e, err, "Attribute failed policy validation", a);
		tb[type] = a;
	}
	if (strict && pos < len)
		return refuse(e, -EINVAL, "bytes leftover after parsing attributes", NULL);
	return 0;
}

bool nla_text(const struct nlattr *a, char *to, size_t room)
{
	const char *from = nla_data(a);
	size_t n = 0, len = nla_len(a);

	while (n < len && from[n])
		n++;
	if (n >= room) {
		to[0] = 0;
		return false;
	}
	memcpy(to, from, n);
	memset(to + n, 0, room - n);
	return true;
}
