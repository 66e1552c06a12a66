/* SPDX-License-Identifier: MIT */
/* Network devices for rust/net.rs: what a macro does, and the part of a device that C keeps. */
#pragma once

#include <net/netdev.h>

/* A device's driver in Rust, and a poller for each pair of queues; netdev->priv. */
struct rust_netdev {
	void *driver;
	struct net_poll polls[];	/* nr_rx of them */
};

/*
 * A device that nobody knows yet, with QUEUES queues each way, of which ACTIVE are in use: they may
 * be scheduled, which does nothing. NULL: no memory.
 */
struct netdev *rust_netdev_alloc(const char *pattern, const struct netdev_ops *ops, void *driver,
				 u16 queues, u16 active);
/*
 * Registered in the initial namespace, with its poller, as a part of the device PARENT, which may
 * be NULL. Sleeps. On failure D is the caller's.
 */
int rust_netdev_register(struct netdev *d, const struct net_poll_ops *ops,
			 struct show_node *parent);
/* The driver's functions are called no more when it returns, but for free(). Sleeps. */
void rust_netdev_unregister(struct netdev *d);
void *rust_netdev_driver(const struct netdev *d);
struct netdev *rust_poll_dev(const struct net_poll *q);
/* The number of Q among those of its device. */
u16 rust_poll_index(const struct net_poll *q);
/* Before it is registered. MAC of 6 bytes; NULL: one by chance. */
void rust_netdev_setup(struct netdev *d, const char *driver, const u8 *mac, u32 mtu, u32 max_mtu,
		       u32 features);
/* rtnl. Whether D is to receive all frames; all of groups. */
void rust_netdev_mode(const struct netdev *d, bool *promiscuous, bool *all_groups);
/* The address that D was made with, 6 bytes. */
void rust_netdev_address(const struct netdev *d, u8 *to);
/* rtnl. The link's groups of D, MOST at most, to TO, 6 bytes each: how many there are. */
u32 rust_netdev_groups(struct netdev *d, u8 *to, u32 most);
/* Schedules queue I of D, if there is one. Any context, hard interrupts too. */
void rust_netdev_schedule(struct netdev *d, u16 i);
/* As netdev_wake_queue() and netdev_stop_queue(), if there is a queue I. */
void rust_netdev_wake(struct netdev *d, u16 i);
void rust_netdev_stop(struct netdev *d, u16 i);
/* Between open() and stop(). */
void rust_netdev_poll_on(struct netdev *d);
void rust_netdev_poll_off(struct netdev *d);

/*
 * Memory that a device writes packets to: a share of a page, whose address it may have. NULL: no
 * memory now.
 */
#define RUST_RX_BUFFER 2048
struct page *rust_rx_alloc(u32 *off, u64 *phys);
void rust_rx_free(struct page *page);
/* Bytes of the buffer, copied once. */
void rust_rx_read(const struct page *page, u32 off, void *to, u32 len);
/*
 * A packet of LEN bytes at OFF of PAGE: the headers, or all where it is short, are copied, the rest
 * is a piece. The reference to PAGE goes. NULL: no memory; the reference has gone all the same.
 */
struct packet *rust_rx_packet(struct page *page, u32 off, u32 len);
/* LEN bytes more behind P. The reference to PAGE goes. False: too many pieces. */
bool rust_rx_add(struct packet *p, struct page *page, u32 off, u32 len);
/* Bytes of the longest packet in buffers that do not lie one behind the other. */
#define RUST_RX_MOST (65535u + 18)
/* Heeds HEADER, virtio_net's of 10 bytes, as gso_heed_vnet() does. False: it is not true of P. */
bool rust_rx_heed(struct packet *p, const void *header);
/* For tests: the bytes that a device would write. */
void rust_rx_pretend(struct page *page, u32 off, const void *from, u32 len);
/* P came in by Q. Within its poll(). */
void rust_rx_deliver(struct net_poll *q, struct packet *p);

/* Piece I of P's memory as the device addresses it, the head first; false: no more. */
bool rust_packet_segment(const struct packet *p, u32 i, u64 *addr, u32 *len);
/* P's header for the device, 10 bytes. */
void rust_packet_vnet(const struct packet *p, void *header);
