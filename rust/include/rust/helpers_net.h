/* SPDX-License-Identifier: MIT */
/* Network devices for rust/net.rs: what a macro does, and the part of a device that C keeps. */
#pragma once

#include <net/netdev.h>

/* A device's driver in Rust, and its one queue; netdev->priv. */
struct rust_netdev {
	struct net_poll poll;
	void *driver;
};

/*
 * A device that nobody knows yet: its queue may be scheduled, which does nothing. NULL: no memory.
 */
struct netdev *rust_netdev_alloc(const char *pattern, const struct netdev_ops *ops, void *driver);
/* Registered in the initial namespace, with its poller. Sleeps. On failure D is the caller's. */
int rust_netdev_register(struct netdev *d, const struct net_poll_ops *ops);
/* The driver's functions are called no more when it returns, but for free(). Sleeps. */
void rust_netdev_unregister(struct netdev *d);
void *rust_netdev_driver(const struct netdev *d);
struct netdev *rust_poll_dev(const struct net_poll *q);
/* Before it is registered. MAC of 6 bytes; NULL: one by chance. */
void rust_netdev_setup(struct netdev *d, const char *driver, const u8 *mac, u32 mtu, u32 max_mtu,
		       u32 features);
/* Schedules the queue of D. Any context, hard interrupts too. */
void rust_netdev_schedule(struct netdev *d);
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
/*
 * The device says that a sum of P is yet to be made, from START on, to be put OFF bytes further:
 * checked against P. False: nonsense.
 */
bool rust_rx_partial(struct packet *p, u16 start, u16 off);
/* P came in by D. Within a poll(). */
void rust_rx_deliver(struct netdev *d, struct packet *p);

/* Piece I of P's memory as the device addresses it, the head first; false: no more. */
bool rust_packet_segment(const struct packet *p, u32 i, u64 *addr, u32 *len);
