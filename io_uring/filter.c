// SPDX-License-Identifier: MIT
/*
 * Rules of rings and tasks: which operations, flags and registrations a ring takes (restrictions),
 * and programs of classic BPF that look at each request (filters).
 *
 * Rules are immutable to whoever shares them: a task has some, its children share them, a ring
 * takes those of its maker. One that adds to shared rules adds to a copy. Nothing is ever taken
 * away, so that a child, or a ring, has at least the rules of its maker.
 *
 * An operation's filters are a chain, the newest first; all must say yes. IO_URING_BPF_FILTER_
 * DENY_REST puts a filter that says no under every operation that has none; what comes on top later
 * does not change that. They see the request as prepared, from copies: what is issued is what was
 * looked at, whatever the program writes into its memory meanwhile.
 */
#include <lib/cbpf.h>
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/refcount.h>
#include <mm/uaccess.h>
#include <net/socket.h>
#include <proc/cred.h>
#include <proc/upcalls.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/io_uring/bpf_filter.h>
#include "io_uring/ring_priv.h"
#include "io_uring/rules.h"

#define V6_LEN (offsetof(struct sockaddr_in6, sin6_addr) + sizeof(struct in6_addr))
#define RESTRICTIONS_MOST (IORING_RESTRICTION_LAST + IORING_REGISTER_LAST + IORING_OP_LAST)

struct uring_filter {
	refcount_t refs;		/* one of each table, one of a newer filter */
	struct uring_filter *prev;	/* c: referenced */
	unsigned int len;		/* c: 0: it says no */
	struct sock_filter insns[];	/* c: checked */
};

/* ---- life ---- */

static void filter_put(struct uring_filter *f)
{
	while (f && refcount_dec_and_test(&f->refs)) {
		struct uring_filter *prev = f->prev;

		kvfree(f);
		f = prev;
	}
}

void uring_rules_put(struct uring_rules *r)
{
	if (!r || !refcount_dec_and_test(&r->refs))
		return;
	for (unsigned int i = 0; i < IORING_OP_LAST; i++)
		filter_put(r->filters[i]);
	kfree(r);
}

struct uring_rules *uring_rules_get(struct uring_rules *r)
{
	if (r)
		refcount_inc(&r->refs);
	return r;
}

/* A copy of OLD (NULL: of none), for the caller alone. NULL without memory. */
static struct uring_rules *rules_copy(const struct uring_rules *old)
{
	struct uring_rules *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);

	if (!n)
		return NULL;
	if (old) {
		*n = *old;
		for (unsigned int i = 0; i < IORING_OP_LAST; i++)
			if (n->filters[i])
				refcount_inc(&n->filters[i]->refs);
	}
	refcount_set(&n->refs, 1);
	return n;
}

/* proc: T, which was made by fork and has not run, shares its maker's rules. */
void uring_rules_fork(struct task *t)
{
	uring_rules_get(t->uring_rules);
}

/* proc: the running task ends. */
void uring_rules_exit(struct task *t)
{
	uring_rules_put(t->uring_rules);
	t->uring_rules = NULL;
}

/* ---- what they say ---- */

static void show_connect(const struct uring_net *net, struct io_uring_bpf_ctx *c)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)net->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)net->addr;
	size_t len = (size_t)net->addr_len;

	if (len < sizeof(net->addr->ss_family))
		return;
	c->connect.family = net->addr->ss_family;
	if (c->connect.family == AF_INET && len >= sizeof(*in)) {
		c->connect.port = in->sin_port;
		c->connect.v4_addr = in->sin_addr.s_addr;
	} else if (c->connect.family == AF_INET6 && len >= V6_LEN) {
		c->connect.port = in6->sin6_port;
		memcpy(c->connect.v6_addr, &in6->sin6_addr, sizeof(c->connect.v6_addr));
	}
}

/* C is zero. */
static __always_inline void show(const struct uring_req *r, struct io_uring_bpf_ctx *c)
{
	c->user_data = r->user_data;
	c->opcode = r->op;
	c->sqe_flags = (u8)r->flags;
	switch (r->op) {
	case IORING_OP_SOCKET:
		c->pdu_size = sizeof(c->socket);
		c->socket.family = (u32)r->fd;
		c->socket.type = r->net.flags & SOCK_TYPE_MASK;
		c->socket.protocol = (u32)r->net.len;
		break;
	case IORING_OP_OPENAT:
	case IORING_OP_OPENAT2:
		c->pdu_size = sizeof(c->open);
		c->open.flags = r->name.how.flags;
		c->open.mode = r->name.how.mode;
		c->open.resolve = r->name.how.resolve;
		break;
	case IORING_OP_CONNECT:
		c->pdu_size = sizeof(c->connect);
		show_connect(&r->net, c);
	}
}

int uring_filters_ask(const struct uring_filter *f, const struct uring_req *r)
{
	struct io_uring_bpf_ctx c = {};
	const struct cbpf_input in = {
		.data = &c,
		.linear = sizeof(c),
		.len = sizeof(c),
		.native = true,
	};

	show(r, &c);
	for (; f; f = f->prev)
		if (!f->len || !cbpf_run_input(f->insns, &in))
			return -EACCES;
	return 0;
}

bool uring_restricted(const struct uring_rules *rules, u8 op, u8 flags)
{
	if (!test_bit(op, rules->ops))
		return true;
	if ((flags & rules->flags_required) != rules->flags_required)
		return true;
	return flags & ~(rules->flags_allowed | rules->flags_required);
}

bool uring_rules_register(const struct uring_rules *rules, unsigned int opcode)
{
	return !rules->registers_restricted || test_bit(opcode, rules->registers);
}

/* ---- filters ---- */

/* What show() says of OP besides: its size. */
static unsigned int payload_size(u8 op)
{
	switch (op) {
	case IORING_OP_SOCKET:
		return sizeof(((struct io_uring_bpf_ctx *)0)->socket);
	case IORING_OP_OPENAT:
	case IORING_OP_OPENAT2:
		return sizeof(((struct io_uring_bpf_ctx *)0)->open);
	case IORING_OP_CONNECT:
		return sizeof(((struct io_uring_bpf_ctx *)0)->connect);
	}
	return 0;
}

static struct uring_filter *filter_read(const struct io_uring_bpf_filter *f)
{
	size_t bytes = f->filter_len * sizeof(struct sock_filter);
	struct uring_filter *n = kvmalloc(sizeof(*n) + bytes, GFP_KERNEL_ACCOUNT);
	u16 *scratch = kvmalloc_array(f->filter_len, sizeof(u16), GFP_KERNEL);
	int e = n && scratch ? 0 : -ENOMEM;

	if (!e && copy_from_user(n->insns, UPTR((unsigned long)f->filter_ptr), bytes))
		e = -EFAULT;
	if (!e)
		e = cbpf_check_words(n->insns, f->filter_len, sizeof(struct io_uring_bpf_ctx),
				     scratch);
	kvfree(scratch);
	if (e) {
		kvfree(n);
		return ERR_PTR(e);
	}
	refcount_set(&n->refs, 1);
	n->prev = NULL;
	n->len = f->filter_len;
	return n;
}

static struct uring_filter *filter_of_no(void)
{
	struct uring_filter *n = kvmalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);

	if (!n)
		return NULL;
	refcount_set(&n->refs, 1);
	n->prev = NULL;
	n->len = 0;
	return n;
}

/* What the user asks for, checked, with the size of its payload written back. */
static int filter_ask(struct uptr arg, struct io_uring_bpf *b)
{
	struct io_uring_bpf_filter *f = &b->filter;
	unsigned int size;
	u8 theirs;

	if (copy_from_user(b, arg, sizeof(*b)))
		return -EFAULT;
	if (b->cmd_type != IO_URING_BPF_CMD_FILTER || b->cmd_flags || b->resv)
		return -EINVAL;
	if (f->opcode >= IORING_OP_LAST ||
	    f->flags & ~(u32)(IO_URING_BPF_FILTER_DENY_REST | IO_URING_BPF_FILTER_SZ_STRICT))
		return -EINVAL;
	if (memchr_inv(f->resv, 0, sizeof(f->resv)) || memchr_inv(f->resv2, 0, sizeof(f->resv2)))
		return -EINVAL;
	if (!f->filter_len || f->filter_len > BPF_MAXINSNS)
		return -EINVAL;
	size = payload_size((u8)f->opcode);
	theirs = f->pdu_size;
	if (put_user((u8)size, uptr_add(arg, offsetof(struct io_uring_bpf, filter.pdu_size))))
		return -EFAULT;
	if (theirs > size || (f->flags & IO_URING_BPF_FILTER_SZ_STRICT && theirs != size))
		return -EMSGSIZE;
	return 0;
}

/* Adds what ARG asks for to a copy of OLD: *OUT. */
static int filter_add(const struct uring_rules *old, struct uptr arg, struct uring_rules **out)
{
	struct uring_filter *f, *no = NULL;
	struct uring_rules *n;
	struct io_uring_bpf b;
	int e = filter_ask(arg, &b);

	if (e)
		return e;
	f = filter_read(&b.filter);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	n = rules_copy(old);
	if (n && b.filter.flags & IO_URING_BPF_FILTER_DENY_REST)
		no = filter_of_no();
	if (!n || (b.filter.flags & IO_URING_BPF_FILTER_DENY_REST && !no)) {
		uring_rules_put(n);
		filter_put(f);
		return -ENOMEM;
	}
	f->prev = n->filters[b.filter.opcode];
	n->filters[b.filter.opcode] = f;
	for (unsigned int i = 0; no && i < IORING_OP_LAST; i++) {
		if (n->filters[i])
			continue;
		refcount_inc(&no->refs);
		n->filters[i] = no;
	}
	filter_put(no);
	n->filtered = true;
	*out = n;
	return 0;
}

int uring_filter_ring(struct uring *u, struct uptr arg)
{
	struct uring_rules *n = NULL;
	int e = filter_add(u->rules, arg, &n);

	if (e)
		return e;
	uring_rules_put(u->rules);
	u->rules = n;
	return 0;
}

static bool may_rule(void)
{
	return current->no_new_privs || ns_capable(current_user_ns(), CAP_SYS_ADMIN);
}

int uring_filter_task(struct uptr arg, unsigned int nr)
{
	struct uring_rules *n = NULL;
	int e;

	if (!may_rule())
		return -EACCES;
	if (nr != 1)
		return -EINVAL;
	e = filter_add(current->uring_rules, arg, &n);
	if (e)
		return e;
	uring_rules_put(current->uring_rules);
	current->uring_rules = n;
	return 0;
}

/* ---- restrictions ---- */

static int add_restriction(struct uring_rules *n, const struct io_uring_restriction *x)
{
	switch (x->opcode) {
	case IORING_RESTRICTION_REGISTER_OP:
		if (x->register_op >= IORING_REGISTER_LAST)
			return -EINVAL;
		__set_bit(x->register_op, n->registers);
		n->registers_restricted = true;
		return 0;
	case IORING_RESTRICTION_SQE_OP:
		if (x->sqe_op >= IORING_OP_LAST)
			return -EINVAL;
		__set_bit(x->sqe_op, n->ops);
		break;
	case IORING_RESTRICTION_SQE_FLAGS_ALLOWED:
		n->flags_allowed = x->sqe_flags;
		break;
	case IORING_RESTRICTION_SQE_FLAGS_REQUIRED:
		n->flags_required = x->sqe_flags;
		break;
	default:
		return -EINVAL;
	}
	n->ops_restricted = true;
	return 0;
}

/* NR of them at ARG, to a copy of OLD: *OUT. */
static int restrict_rules(const struct uring_rules *old, struct uptr arg, unsigned int nr,
			  struct uring_rules **out)
{
	struct uring_rules *n;
	int e = 0;

	if (nr > RESTRICTIONS_MOST)
		return -EINVAL;
	n = rules_copy(old);
	if (!n)
		return -ENOMEM;
	for (unsigned int i = 0; i < nr && !e; i++) {
		struct io_uring_restriction x;

		if (copy_from_user(&x, uptr_add(arg, i * sizeof(x)), sizeof(x)))
			e = -EFAULT;
		else
			e = add_restriction(n, &x);
	}
	if (e) {
		uring_rules_put(n);
		return e;
	}
	/* None at all: nothing is allowed. */
	if (!nr)
		n->ops_restricted = n->registers_restricted = true;
	n->restricted = true;
	*out = n;
	return 0;
}

int uring_restrict_ring(struct uring *u, struct uptr arg, unsigned int nr)
{
	struct uring_rules *n = NULL;
	int e;

	if (!u->disabled)
		return -EBADFD;
	if (u->rules && u->rules->restricted)
		return -EBUSY;
	e = restrict_rules(u->rules, arg, nr, &n);
	if (e)
		return e;
	uring_rules_put(u->rules);
	u->rules = n;
	return 0;
}

int uring_restrict_task(struct uptr arg, unsigned int nr)
{
	struct io_uring_task_restriction r;
	struct uring_rules *n = NULL;
	int e;

	if (current->uring_rules)
		return -EPERM;
	if (!may_rule())
		return -EACCES;
	if (nr != 1)
		return -EINVAL;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.flags || memchr_inv(r.resv, 0, sizeof(r.resv)))
		return -EINVAL;
	e = restrict_rules(NULL, uptr_add(arg, sizeof(r)), r.nr_res, &n);
	if (!e)
		current->uring_rules = n;
	return e;
}
