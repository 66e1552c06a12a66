/* SPDX-License-Identifier: MIT */
/* Texts of /proc/PID/net, each of one namespace, which the caller keeps from ending. May sleep. */
#pragma once

struct net;
struct seq_file;

void net_show_dev(struct seq_file *m, struct net *net);
void net_show_dev_mcast(struct seq_file *m, struct net *net);
void net_show_psched(struct seq_file *m, struct net *net);
void net_show_fib_trie(struct seq_file *m, struct net *net);
void net_show_route(struct seq_file *m, struct net *net);
void net_show_igmp(struct seq_file *m, struct net *net);
void net_show_mcfilter(struct seq_file *m, struct net *net);
void net_show_igmp6(struct seq_file *m, struct net *net);
void net_show_mcfilter6(struct seq_file *m, struct net *net);
void net_show_arp(struct seq_file *m, struct net *net);
void net_show_tcp(struct seq_file *m, struct net *net);
void net_show_udp(struct seq_file *m, struct net *net);
void net_show_raw(struct seq_file *m, struct net *net);
void net_show_icmp(struct seq_file *m, struct net *net);
void net_show_snmp(struct seq_file *m, struct net *net);
void net_show_netstat(struct seq_file *m, struct net *net);
void net_show_sockstat(struct seq_file *m, struct net *net);
void net_show_packet(struct seq_file *m, struct net *net);
void net_show_ptype(struct seq_file *m, struct net *net);
/* IPv6's. */
void net_show_if_inet6(struct seq_file *m, struct net *net);
void net_show_ipv6_route(struct seq_file *m, struct net *net);
void net_show_tcp6(struct seq_file *m, struct net *net);
void net_show_udp6(struct seq_file *m, struct net *net);
void net_show_raw6(struct seq_file *m, struct net *net);
void net_show_icmp6(struct seq_file *m, struct net *net);
void net_show_snmp6(struct seq_file *m, struct net *net);
void net_show_sockstat6(struct seq_file *m, struct net *net);
/* /proc/net/pnp: what ip= said of name servers; the initial namespace's alone. */
void net_show_netlink(struct seq_file *m, struct net *net);
void net_show_pnp(struct seq_file *m, struct net *net);
