/* SPDX-License-Identifier: MIT */
/* Parts of the lock-dependency checker. */
#pragma once

/*
 * A module goes and comes back elsewhere, while classes stay. So its locks are of one class by
 * their name, which is copied, and their line; the copy is the key: one for each text. NULL: no
 * room. The caller holds graph_lock.
 */
const char *lockdep_copied_name(const char *name);
