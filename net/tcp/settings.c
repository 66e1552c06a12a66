// SPDX-License-Identifier: MIT
/*
 * Settings under /proc/sys/net/ipv4 (tcp(7)), of each namespace but for those that bound the
 * machine's memory.
 */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <abi/errno.h>
#include "net/core/core_priv.h"
#include "net/tcp/tcp_priv.h"

#define MOST_REORDERING 300

static void *of_caller(void *value)
{
	return (u8 *)current_net()->tcp + ((u8 *)value - (u8 *)init_net.tcp);
}

static void setting(const char *path, int *value, int least, int most)
{
	struct show_node *n = sysctl_int(path, 0644, value, least, most);

	if (!n)
		return;
	n->of_caller = of_caller;
	net_setting(n, net_setting_rights);
}

static void attr(const char *name, umode_t mode, show_fn show, store_fn store, void *data)
{
	struct show_node *n =
		show_attr(show_path(SHOW_SYSCTL, "net/ipv4"), name, mode, show, store, data);

	net_setting(n, net_setting_rights);
}

/* Bounds of the machine's memory are settings of the first namespace alone, as on Linux. */
static bool is_elsewhere(void)
{
	return current_net() != &init_net;
}

static void hide_elsewhere(struct show_node *n)
{
	if (n)
		n->hidden = is_elsewhere;
}

/* ---- three numbers: least, at first, most ---- */

/* N's numbers: the caller's namespace has its own of all but tcp_mem. */
static int *sizes_of(const struct show_node *n)
{
	return n->data == tcp_mem_limit ? tcp_mem_limit : of_caller(n->data);
}

static ssize_t sizes_show(struct show_node *n, char *buf, size_t size)
{
	const int *v = sizes_of(n);

	return scnprintf(buf, size, "%d\t%d\t%d\n", READ_ONCE(v[0]), READ_ONCE(v[1]),
			 READ_ONCE(v[2]));
}

/* The next number of *TEXT, at least 1. 0 or -EINVAL. */
static int next_size(const char **text, int *out)
{
	char word[12];
	size_t n = strcspn(*text, " \t\n");
	int e;

	if (n >= sizeof(word))
		return -EINVAL;
	memcpy(word, *text, n);
	word[n] = 0;
	*text = skip_spaces(*text + n);
	e = kstrtoint(word, 10, out);
	return e || *out < 1 ? -EINVAL : 0;
}

/*
 * Those that TEXT does not go to are left as they are. All of it is checked before any of it
 * counts.
 */
static ssize_t sizes_store(struct show_node *n, const char *text, size_t len)
{
	int *v = sizes_of(n), now[3], nr = 0;

	text = skip_spaces(text);
	while (*text && nr < 3) {
		int e = next_size(&text, &now[nr]);

		if (e)
			return e;
		nr++;
	}
	if (!nr)
		return -EINVAL;
	for (int i = 0; i < nr; i++)
		WRITE_ONCE(v[i], now[i]);
	return (ssize_t)len;
}

/* ---- congestion control ---- */

static ssize_t cc_show(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%s\n", READ_ONCE(current_net()->tcp->cc)->name);
}

static ssize_t cc_store(struct show_node *n, const char *text, size_t len)
{
	char name[16];
	size_t word = strcspn(text, " \t\n");
	const struct tcp_cc *cc;

	if (word >= sizeof(name))
		return -ENOENT;
	memcpy(name, text, word);
	name[word] = 0;
	cc = tcp_cc_find(name);
	if (!cc)
		return -ENOENT;
	WRITE_ONCE(current_net()->tcp->cc, cc);
	return (ssize_t)len;
}

static ssize_t cc_all_show(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%s %s\n", tcp_reno.name, tcp_cubic.name);
}

/* ---- TCP_NOTSENT_LOWAT's default, which may be more than an int ---- */

static ssize_t lowat_show(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%u\n", READ_ONCE(current_net()->tcp->notsent_lowat));
}

static ssize_t lowat_store(struct show_node *n, const char *text, size_t len)
{
	unsigned int v;
	int e = kstrtouint(skip_spaces(text), 0, &v);

	if (e)
		return e;
	WRITE_ONCE(current_net()->tcp->notsent_lowat, v);
	return (ssize_t)len;
}

static int settings_init(void)
{
	struct tcp_net *n = init_net.tcp;

	setting("net/ipv4/tcp_syn_retries", &n->syn_retries, 1, 127);
	setting("net/ipv4/tcp_synack_retries", &n->synack_retries, 0, 255);
	setting("net/ipv4/tcp_retries2", &n->retries2, 0, 255);
	setting("net/ipv4/tcp_fin_timeout", &n->fin_timeout, 0, 32767);
	setting("net/ipv4/tcp_keepalive_time", &n->keep_time, 0, 32767);
	setting("net/ipv4/tcp_keepalive_intvl", &n->keep_intvl, 0, 32767);
	setting("net/ipv4/tcp_keepalive_probes", &n->keep_probes, 0, 255);
	setting("net/ipv4/tcp_window_scaling", &n->window_scaling, 0, 1);
	setting("net/ipv4/tcp_sack", &n->sack, 0, 1);
	setting("net/ipv4/tcp_timestamps", &n->timestamps, 0, 2);
	setting("net/ipv4/tcp_syncookies", &n->syncookies, 0, 255);
	setting("net/ipv4/tcp_max_syn_backlog", &n->syn_backlog, 0, S32_MAX);
	setting("net/ipv4/tcp_dsack", &n->dsack, 0, 255);
	setting("net/ipv4/tcp_reordering", &n->reordering, 1, MOST_REORDERING);
	setting("net/ipv4/tcp_ecn", &n->ecn, 0, 2);
	setting("net/ipv4/tcp_ecn_fallback", &n->ecn_fallback, 0, 255);
	setting("net/ipv4/tcp_slow_start_after_idle", &n->slow_start_after_idle, 0, 255);
	setting("net/ipv4/tcp_rfc1337", &n->rfc1337, 0, 255);
	setting("net/ipv4/tcp_moderate_rcvbuf", &n->moderate_rcvbuf, 0, 255);
	/* No connection leaves what it learned to the next: what would ask for that is refused. */
	setting("net/ipv4/tcp_no_metrics_save", &n->no_metrics_save, 1, 255);
	setting("net/ipv4/tcp_min_tso_segs", &n->min_tso_segs, 1, 255);
	setting("net/ipv4/tcp_tso_win_divisor", &n->tso_win_divisor, 0, 255);
	setting("net/ipv4/tcp_tso_rtt_log", &n->tso_rtt_log, 0, 255);
	setting("net/ipv4/tcp_pacing_ss_ratio", &n->pacing_ss_ratio, 0, 1000);
	setting("net/ipv4/tcp_pacing_ca_ratio", &n->pacing_ca_ratio, 0, 1000);
	attr("tcp_notsent_lowat", 0644, lowat_show, lowat_store, NULL);
	setting("net/ipv4/tcp_early_retrans", &n->early_retrans, 0, 4);
	setting("net/ipv4/tcp_rto_min_us", &n->rto_min_us, 1, INT_MAX);
	setting("net/ipv4/tcp_abort_on_overflow", &n->abort_on_overflow, 0, 255);
	setting("net/ipv4/tcp_tw_reuse", &n->tw_reuse, 0, 2);
	setting("net/ipv4/tcp_tw_reuse_delay", &n->tw_reuse_delay_ms, 1, 60000);
	setting("net/ipv4/tcp_max_tw_buckets", &n->max_timewait, 0, S32_MAX);
	hide_elsewhere(sysctl_int("net/ipv4/tcp_max_orphans", 0644, &tcp_max_orphans, 0, S32_MAX));
	attr("tcp_rmem", 0644, sizes_show, sizes_store, n->rmem);
	attr("tcp_wmem", 0644, sizes_show, sizes_store, n->wmem);
	hide_elsewhere(show_attr(show_path(SHOW_SYSCTL, "net/ipv4"), "tcp_mem", 0644, sizes_show,
				 sizes_store, tcp_mem_limit));
	attr("tcp_congestion_control", 0644, cc_show, cc_store, NULL);
	attr("tcp_available_congestion_control", 0444, cc_all_show, NULL, NULL);
	return 0;
}
INITCALL(late, settings_init);
