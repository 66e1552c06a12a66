/* SPDX-License-Identifier: MIT */
/*
 * How many namespaces of each kind a user has made (namespaces(7), /proc/sys/user): counted to his id in the user namespace that owns the new one, and,
 * for each user namespace on the way up, to who made that one. Each user namespace has its limits.
 */
#pragma once

#include <lib/types.h>
#include <proc/cred.h>

struct ns_count;

/* One more of KIND, owned by NS, made by UID; NULL: over a limit somewhere, or no memory. For the time that its holder holds NS. */
struct ns_count *ns_count_one(struct user_namespace *ns, kuid_t uid, enum ns_counted kind);
/* One less, before NS is put. NULL: was never counted. */
void ns_uncount_one(struct ns_count *c, enum ns_counted kind);
