// SPDX-License-Identifier: MIT
/*
 * Binder: a service manager, services and a caller that speak as Android's do. proves: ioctl
 */
#include "binder_manager.h"
#include <signal.h>
#include <sys/prctl.h>

#define NEED(name) do { if (!b_mount(name)) SKIP("this kernel has no Binder"); } while (0)
#define DEVICE "services"

static void start(const char *name)
{
	int ready[2];
	char c;

	OK(pipe(ready));
	if (!OK(fork())) {
		OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
		if (name)
			echo_serves(DEVICE, name, ready[1]);
		else
			manager_serves(DEVICE, ready[1]);
	}
	close(ready[1]);
	EQ(read(ready[0], &c, 1), 1);
	close(ready[0]);
}

static uint32_t call(struct b *b, uint32_t handle, uint32_t code, const struct parcel *p,
		     struct binder_transaction_data *t)
{
	return b_call(b, handle, code, p->at, p->len, p->objects, p->count, t);
}

/* The name that stands at place I of the manager's list; false: the list has less. */
static bool listed(struct b *b, uint32_t i, char name[64])
{
	struct binder_transaction_data t;
	struct parcel p = { .len = 0 };
	size_t at = 0;
	bool there;

	put_header(&p, MANAGER);
	put_int(&p, i);
	EQ(call(b, 0, LIST, &p, &t), BR_REPLY);
	there = !(t.flags & TF_STATUS_CODE);
	if (there)
		CHECK(get_string(&t, &at, name));
	else
		EQ(*(const int32_t *)b_data(&t), -1);
	b_free(b, &t);
	return there;
}

/* The service of that name, with a reference; 0: there is none. */
static uint32_t look(struct b *b, const char *name)
{
	struct binder_transaction_data t;
	struct parcel p = { .len = 0 };
	const struct flat_binder_object *o;
	uint32_t handle;

	put_header(&p, MANAGER);
	put_string(&p, name);
	EQ(call(b, 0, LOOK, &p, &t), BR_REPLY);
	EQ(t.data_size, sizeof(*o));
	o = b_data(&t);
	handle = o->hdr.type == BINDER_TYPE_HANDLE ? o->handle : 0;
	EQ(t.offsets_size, handle ? 8 : 0);
	if (handle)
		b_put32(b, BC_ACQUIRE, handle);
	else
		EQ(o->binder, 0);
	b_free(b, &t);
	return handle;
}

static void is_interface(struct b *b, uint32_t handle, const char *wanted)
{
	struct binder_transaction_data t;
	struct parcel none = { .len = 0 };
	size_t at = 0;
	char s[64];

	EQ(call(b, handle, PING, &none, &t), BR_REPLY);
	EQ(t.data_size, 0);
	EQ(t.flags & TF_STATUS_CODE, 0);
	b_free(b, &t);
	EQ(call(b, handle, INTERFACE, &none, &t), BR_REPLY);
	CHECK(get_string(&t, &at, s));
	CHECK(!strcmp(s, wanted));
	b_free(b, &t);
}

static void is_echo(struct b *b, uint32_t handle)
{
	struct binder_transaction_data t;
	struct parcel p = { .len = 0 };
	size_t from;

	put_header(&p, ECHO);
	from = p.len;
	put_int(&p, 5);
	put_string(&p, "what is said");
	EQ(call(b, handle, ECHO_BACK, &p, &t), BR_REPLY);
	EQ(t.data_size, p.len - from);
	CHECK(!memcmp(b_data(&t), p.at + from, p.len - from));
	b_free(b, &t);
}

static void refused(struct b *b, uint32_t handle, uint32_t code, const struct parcel *p,
		    int32_t error)
{
	struct binder_transaction_data t;

	EQ(call(b, handle, code, p, &t), BR_REPLY);
	EQ(t.flags & TF_STATUS_CODE, TF_STATUS_CODE);
	EQ(*(const int32_t *)b_data(&t), error);
	b_free(b, &t);
}

TEST(services)
{
	struct binder_transaction_data t;
	struct parcel wrong = { .len = 0 }, end = { .len = 0 };
	uint32_t echo, other;
	char name[64];
	struct b b;

	NEED(DEVICE);
	start(NULL);
	start("echo");
	start("other");
	b_open(&b, DEVICE);
	is_interface(&b, 0, MANAGER);
	CHECK(listed(&b, 0, name) && !strcmp(name, "echo"));
	CHECK(listed(&b, 1, name) && !strcmp(name, "other"));
	CHECK(!listed(&b, 2, name));
	echo = look(&b, "echo");
	other = look(&b, "other");
	CHECK(echo && other && echo != other);
	EQ(look(&b, "none"), 0);
	EQ(look(&b, "echo"), echo);
	is_interface(&b, echo, ECHO);
	is_echo(&b, echo);
	is_echo(&b, other);
	put_header(&wrong, "another.IEcho");
	refused(&b, echo, ECHO_BACK, &wrong, -EBADMSG);
	refused(&b, 0, LOOK, &wrong, -EPERM);
	/* A service ends: its caller gets BR_DEAD_REPLY, and the manager drops its name. */
	put_header(&end, ECHO);
	EQ(call(&b, echo, ECHO_END, &end, &t), BR_DEAD_REPLY);
	while (look(&b, "echo"))
		sched_yield();
	CHECK(listed(&b, 0, name) && !strcmp(name, "other"));
	CHECK(!listed(&b, 1, name));
	is_echo(&b, other);
	EQ(call(&b, echo, PING, &end, &t), BR_DEAD_REPLY);
}

/* A name that is added again is the new one's; the old service lives while it is held. */
TEST(another_of_a_name)
{
	uint32_t old, new;
	struct binder_transaction_data t;
	struct parcel end = { .len = 0 };
	char name[64];
	struct b b;

	NEED(DEVICE);
	start(NULL);
	start("echo");
	b_open(&b, DEVICE);
	old = look(&b, "echo");
	start("echo");
	new = look(&b, "echo");
	CHECK(old && new && old != new);
	CHECK(listed(&b, 0, name) && !listed(&b, 1, name));
	is_echo(&b, old);
	is_echo(&b, new);
	/* The manager is told no more of the old one. */
	put_header(&end, ECHO);
	EQ(call(&b, old, ECHO_END, &end, &t), BR_DEAD_REPLY);
	is_echo(&b, new);
	EQ(look(&b, "echo"), new);
	CHECK(listed(&b, 0, name) && !listed(&b, 1, name));
}
