// SPDX-License-Identifier: MIT
/*
 * Builds the text of events of devices; net/netlink sends them (uevent_deliver()). Events are
 * numbered, also while no socket listens. /sys/kernel/uevent_seqnum is the last number: a program
 * that has read the event with this number has seen all events before it.
 */
#include <lib/atomic.h>
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <kernel/uevent.h>
#include <kernel/upcalls.h>
#include <abi/errno.h>
#include <linux/stat.h>

static const char *const actions[UEVENT_ACTIONS] = {
	"add", "remove", "change", "move", "online", "offline", "bind", "unbind",
};

static atomic64_t seqnum;

struct text {
	char buf[UEVENT_MOST];
	size_t len;
	bool full;
};

/* LEN bytes of S and a NUL. */
static void put(struct text *t, const char *name, const char *s, size_t len)
{
	size_t head = strlen(name);

	if (t->full || head + len + 1 > sizeof(t->buf) - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->buf + t->len, name, head);
	memcpy(t->buf + t->len + head, s, len);
	t->len += head + len;
	t->buf[t->len++] = 0;
}

/* Each line of S. */
static void put_lines(struct text *t, const char *s)
{
	while (s && *s) {
		size_t len = strcspn(s, "\n");

		if (len)
			put(t, "", s, len);
		s += len + (s[len] == '\n');
	}
}

void uevent_send_net(void *net, const char *way, const char *subsystem, enum uevent_action action,
		     const char *extra, const char *own)
{
	u64 number = (u64)atomic64_inc_return(&seqnum);
	struct text *t;
	char text[32];

	if (!uevent_is_heard(net))
		return;
	t = kernel_zalloc(sizeof(*t));
	if (!t) {
		uevent_missed(net);
		return;
	}
	snprintf(text, sizeof(text), "%s@/", actions[action]);
	put(t, text, way, strlen(way));
	put(t, "ACTION=", actions[action], strlen(actions[action]));
	put(t, "DEVPATH=/", way, strlen(way));
	put(t, "SUBSYSTEM=", subsystem, strlen(subsystem));
	put_lines(t, extra);
	put_lines(t, own);
	snprintf(text, sizeof(text), "%llu", number);
	put(t, "SEQNUM=", text, strlen(text));
	if (t->full)
		uevent_missed(net);
	else
		uevent_deliver(net, t->buf, t->len);
	kernel_free(t);
}

/* The subsystem of DEV, by the last name of its link's target. */
static bool subsystem_of(struct show_node *dev, char *buf, size_t size)
{
	struct show_node *n = show_lookup(dev, "subsystem", strlen("subsystem"));
	bool is = n && S_ISLNK(n->mode);

	if (is) {
		const char *slash = strrchr(n->link_target, '/');

		strscpy(buf, slash ? slash + 1 : n->link_target, size);
	}
	show_put(n);
	return is;
}

void uevent_send(struct show_node *dev, enum uevent_action action, const char *extra)
{
	struct show_node *n = dev ? show_lookup(dev, "uevent", strlen("uevent")) : NULL;
	char *own = kernel_zalloc(UEVENT_MOST), subsystem[32];
	char way[256];
	ssize_t len;

	if (n && n->show && own && subsystem_of(dev, subsystem, sizeof(subsystem)) &&
	    show_way(dev, way, sizeof(way)) >= 0 && show_enter(n)) {
		len = n->show(n, own, UEVENT_MOST - 1);
		show_leave(n);
		if (len >= 0) {
			own[len] = 0;
			uevent_send_net(NULL, way, subsystem, action, extra, own);
		}
	}
	kernel_free(own);
	show_put(n);
}

/* ---- events that a program writes ---- */

#define UUID_LEN 36

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The letter of C, small; 0: it is none. */
static char letter(char c)
{
	char small = (char)(c | 0x20);

	return small >= 'a' && small <= 'z' ? small : 0;
}

static bool is_uuid(const char *s, size_t len)
{
	if (len < UUID_LEN)
		return false;
	for (unsigned int i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !is_digit(s[i]) && !(letter(s[i]) && letter(s[i]) <= 'f'))
			return false;
	}
	return true;
}

/* How many letters and digits S begins with, of LEN bytes. */
static size_t word(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && (is_digit(s[n]) || letter(s[n])))
		n++;
	return n;
}

/* The text behind the action: a UUID and KEY=VALUE pairs. */
static int parse_rest(const char *s, size_t len, char *extra)
{
	size_t at;

	if (!is_uuid(s, len))
		return -EINVAL;
	at = (size_t)scnprintf(extra, UEVENT_MOST, "SYNTH_UUID=%.*s\n", UUID_LEN, s);
	s += UUID_LEN;
	len -= UUID_LEN;
	while (len) {
		size_t key, value;

		if (*s++ != ' ')
			return -EINVAL;
		len--;
		key = word(s, len);
		value = key && key < len && s[key] == '=' ? word(s + key + 1, len - key - 1) : 0;
		if (!value)
			return -EINVAL;
		at += (size_t)scnprintf(extra + at, UEVENT_MOST - at, "SYNTH_ARG_%.*s\n",
					(int)(key + 1 + value), s);
		if (at >= UEVENT_MOST - 1)
			return -EINVAL;
		s += key + 1 + value;
		len -= key + 1 + value;
	}
	return 0;
}

int uevent_parse(const char *text, size_t len, enum uevent_action *action, char *extra)
{
	size_t first = 0;

	if (len && text[len - 1] == '\n')
		len--;
	while (first < len && text[first] != ' ')
		first++;
	if (!first)
		return -EINVAL;
	for (unsigned int i = 0; i < UEVENT_ACTIONS; i++) {
		if (strncmp(actions[i], text, first) || actions[i][first])
			continue;
		*action = i;
		if (first < len)
			return parse_rest(text + first + 1, len - first - 1, extra);
		strscpy(extra, "SYNTH_UUID=0\n", UEVENT_MOST);
		return 0;
	}
	return -EINVAL;
}

ssize_t uevent_store(struct show_node *n, const char *text, size_t len)
{
	char *extra = kernel_zalloc(UEVENT_MOST);
	enum uevent_action action;
	int err;

	if (!extra)
		return -ENOMEM;
	err = uevent_parse(text, len, &action, extra);
	if (!err)
		uevent_send(n->parent, action, extra);
	kernel_free(extra);
	return err ?: (ssize_t)len;
}

static ssize_t show_seqnum(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%llu\n", (u64)atomic64_read(&seqnum));
}

static int uevent_init(void)
{
	show_attr(show_path(SHOW_SYS, "kernel"), "uevent_seqnum", 0444, show_seqnum, NULL, NULL);
	return 0;
}
INITCALL(core, uevent_init);
