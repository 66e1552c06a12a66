/* SPDX-License-Identifier: MIT */
/*
 * A service manager and a service as Android's programs know them: the messages are those of
 * android.os.IServiceManager, a header (flags, the interface's name) and values of four bytes each,
 * strings of UTF-16 that end with a zero.
 *
 * The manager keeps a reference to each service and asks to be told of its death; a name that is
 * added again is the new service's. binder-list, binder-ping and binder-call of libgbinder talk to
 * both.
 */
#pragma once

#include "binder.h"

#define PING 0x5f504e47u	/* '_PNG' */
#define INTERFACE 0x5f4e5446u	/* '_NTF' */
#define MANAGER "android.os.IServiceManager"
#define ECHO "ochre.IEcho"

enum { GET = 1, LOOK, ADD, LIST };
enum { ECHO_BACK = 1, ECHO_END };

/* ---- messages ---- */

struct parcel {
	unsigned char at[512];
	size_t len;		/* of what is in it; or where a reader is */
	uint64_t objects[1];
	size_t count;
};

static void put(struct parcel *p, const void *v, size_t n)
{
	CHECK(p->len + n <= sizeof(p->at));
	memcpy(p->at + p->len, v, n);
	p->len += n;
}

static void put_int(struct parcel *p, uint32_t v)
{
	put(p, &v, 4);
}

static void put_string(struct parcel *p, const char *s)
{
	size_t n = strlen(s);

	put_int(p, (uint32_t)n);
	for (size_t i = 0; i < (n + 2) / 2 * 2; i++)
		put(p, (uint16_t[]){ i < n ? (unsigned char)s[i] : 0 }, 2);
}

static void put_object(struct parcel *p, uint32_t type, uint64_t what, uint64_t cookie)
{
	struct flat_binder_object o = { .hdr.type = type,
					.flags = 0x7f | FLAT_BINDER_FLAG_ACCEPTS_FDS,
					.binder = what,
					.cookie = cookie };

	p->objects[p->count++] = p->len;
	put(p, &o, sizeof(o));
}

static void put_header(struct parcel *p, const char *interface)
{
	put_int(p, 0x100);
	put_string(p, interface);
}

/* What a call brought, from AT on; false: it is shorter. */
static bool get(const struct binder_transaction_data *t, size_t *at, void *v, size_t n)
{
	if (n > t->data_size || *at > t->data_size - n)
		return false;
	memcpy(v, (const char *)b_data(t) + *at, n);
	*at += n;
	return true;
}

static bool get_string(const struct binder_transaction_data *t, size_t *at, char s[64])
{
	uint16_t c;
	uint32_t n;

	if (!get(t, at, &n, 4) || n > 62)
		return false;
	for (uint32_t i = 0; i < (n + 2) / 2 * 2; i++) {
		if (!get(t, at, &c, 2))
			return false;
		if (i <= n)
			s[i] = (char)c;
	}
	return !s[n];
}

static bool get_header(const struct binder_transaction_data *t, size_t *at, const char *interface)
{
	uint32_t flags;
	char s[64];

	return get(t, at, &flags, 4) && get_string(t, at, s) && !strcmp(s, interface);
}

/*
 * The answer; the buffer of the call goes. That it is under way is said later, to the loops below.
 */
static void answer(struct b *b, const struct binder_transaction_data *t, const struct parcel *p)
{
	b_free(b, t);
	b_send(b, BC_REPLY, 0, 0, 0, p->at, p->len, p->objects, p->count);
}

/* The answer that is an error alone. */
static void refuse(struct b *b, const struct binder_transaction_data *t, int32_t error)
{
	b_free(b, t);
	b_send(b, BC_REPLY, 0, 0, TF_STATUS_CODE, &error, 4, NULL, 0);
}

/* ---- the manager ---- */

#define SERVICES 64

struct service {
	char name[64];
	uint32_t handle;
};

struct manager {
	struct b b;
	struct service all[SERVICES];
	uint32_t count;
};

static struct service *service_named(struct manager *m, const char *name)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (!strcmp(m->all[i].name, name))
			return &m->all[i];
	return NULL;
}

static bool service_of(const struct manager *m, uint32_t handle)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (m->all[i].handle == handle)
			return true;
	return false;
}

/* Forgets S. ALIVE: of a service with no other name nobody tells us any more. */
static void forget(struct manager *m, struct service *s, bool alive)
{
	uint32_t handle = s->handle;
	struct b_death d = { BC_CLEAR_DEATH_NOTIFICATION, handle, handle };

	*s = m->all[--m->count];
	if (alive && !service_of(m, handle))
		EQ(b_write(&m->b, &d, sizeof(d)), sizeof(d));
	b_put32(&m->b, BC_RELEASE, handle);
}

static void manager_add(struct manager *m, const struct binder_transaction_data *t, size_t at)
{
	struct parcel p = { .len = 0 };
	struct flat_binder_object o;
	struct service *s;
	char name[64];
	struct b_death d;

	if (!get_string(t, &at, name) || t->offsets_size != 8 || !get(t, &at, &o, sizeof(o)) ||
	    o.hdr.type != BINDER_TYPE_HANDLE || m->count == SERVICES) {
		refuse(&m->b, t, -EINVAL);
		return;
	}
	b_put32(&m->b, BC_ACQUIRE, o.handle);
	d = (struct b_death){ BC_REQUEST_DEATH_NOTIFICATION, o.handle, o.handle };
	if (!service_of(m, o.handle))
		EQ(b_write(&m->b, &d, sizeof(d)), sizeof(d));
	s = service_named(m, name);
	m->all[m->count].handle = o.handle;
	strcpy(m->all[m->count++].name, name);
	if (s)
		forget(m, s, true);
	put_int(&p, 0);
	answer(&m->b, t, &p);
}

static void manager_called(struct manager *m, const struct binder_transaction_data *t)
{
	struct parcel p = { .len = 0 };
	struct service *s;
	char name[64];
	size_t at = 0;
	uint32_t n;

	if (t->code == PING || t->code == INTERFACE) {
		if (t->code == INTERFACE)
			put_string(&p, MANAGER);
		answer(&m->b, t, &p);
	} else if (!get_header(t, &at, MANAGER)) {
		refuse(&m->b, t, -EPERM);
	} else if (t->code == ADD) {
		manager_add(m, t, at);
	} else if (t->code == LIST && get(t, &at, &n, 4) && n < m->count) {
		put_string(&p, m->all[n].name);
		answer(&m->b, t, &p);
	} else if ((t->code == GET || t->code == LOOK) && get_string(t, &at, name)) {
		s = service_named(m, name);
		put_object(&p, s ? BINDER_TYPE_HANDLE : BINDER_TYPE_BINDER, s ? s->handle : 0, 0);
		/* none is no object for the driver, which would take it for us */
		p.count = s != NULL;
		answer(&m->b, t, &p);
	} else {
		refuse(&m->b, t, t->code == LIST ? -1 : -EBADMSG);
	}
}

/* Does not return. READY gets a byte when calls may come. */
static void manager_serves(const char *device, int ready)
{
	static struct manager m;
	union {
		struct binder_transaction_data t;
		uint64_t cookie;
		char room[64];
	} u;
	uint32_t none = 0;

	b_open(&m.b, device);
	OK(ioctl(m.b.fd, BINDER_SET_CONTEXT_MGR, &none));
	b_code(&m.b, BC_ENTER_LOOPER);
	EQ(write(ready, "", 1), 1);
	for (;;)
		switch (b_next(&m.b, &u)) {
		case BR_TRANSACTION:
			manager_called(&m, &u.t);
			break;
		case BR_DEAD_BINDER:
			for (uint32_t i = m.count; i-- > 0;)
				if (m.all[i].handle == u.cookie)
					forget(&m, &m.all[i], false);
			b_put64(&m.b, BC_DEAD_BINDER_DONE, u.cookie);
			break;
		}
}

/* ---- a service that answers with what it was sent ---- */

static void echo_called(struct b *b, const struct binder_transaction_data *t)
{
	struct parcel p = { .len = 0 };
	size_t at = 0;

	if (t->code == INTERFACE)
		put_string(&p, ECHO);
	if (t->code == PING || t->code == INTERFACE) {
		answer(b, t, &p);
	} else if (!get_header(t, &at, ECHO) || t->offsets_size ||
		   t->data_size - at > sizeof(p.at)) {
		refuse(b, t, -EBADMSG);
	} else if (t->code == ECHO_END) {
		_exit(0);
	} else {
		put(&p, (const char *)b_data(t) + at, t->data_size - at);
		answer(b, t, &p);
	}
}

static void echo_serves(const char *device, const char *name, int ready)
{
	struct binder_transaction_data t;
	struct parcel p = { .len = 0 };
	struct b b;

	b_open(&b, device);
	put_header(&p, MANAGER);
	put_string(&p, name);
	put_object(&p, BINDER_TYPE_BINDER, 0x1000, 0x2000);
	put_int(&p, 0);
	EQ(b_call(&b, 0, ADD, p.at, p.len, p.objects, p.count, &t), BR_REPLY);
	EQ(t.flags & TF_STATUS_CODE, 0);
	b_free(&b, &t);
	b_code(&b, BC_ENTER_LOOPER);
	EQ(write(ready, "", 1), 1);
	for (;;)
		if (b_next(&b, &t) == BR_TRANSACTION)
			echo_called(&b, &t);
}
