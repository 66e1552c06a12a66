// SPDX-License-Identifier: MIT
/* Identity at the edge: setuid(2) and its family, groups, capabilities (credentials(7), capabilities(7)). */
#include <lib/types.h>
#include <lib/string.h>
#include <abi/syscalls.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/resource.h>

/* What a change of uids does to capabilities ("Effect of user ID changes on capabilities"). */
static void fix_caps(struct cred *n, const struct cred *old)
{
	kuid_t root = make_kuid(n->user_ns, 0);
	bool was = uid_eq(old->uid, root) || uid_eq(old->euid, root) || uid_eq(old->suid, root);
	bool is = uid_eq(n->uid, root) || uid_eq(n->euid, root) || uid_eq(n->suid, root);

	if (old->securebits & (1U << SECURE_NO_SETUID_FIXUP))
		return;
	if (was && !is) {
		if (!(old->securebits & (1U << SECURE_KEEP_CAPS))) {
			n->cap_permitted = CAP_EMPTY_SET;
			n->cap_effective = CAP_EMPTY_SET;
		}
		n->cap_ambient = CAP_EMPTY_SET;
	}
	if (uid_eq(old->euid, root) && !uid_eq(n->euid, root))
		n->cap_effective = CAP_EMPTY_SET;
	if (!uid_eq(old->euid, root) && uid_eq(n->euid, root))
		n->cap_effective = n->cap_permitted;
}

static int switch_user(struct cred *n)
{
	struct user_struct *u = alloc_uid(n->uid);

	if (!u)
		return -EAGAIN;
	free_uid(n->user);
	n->user = u;
	/* Programs do not look whether setuid() succeeded: the next exec fails (execve(2), EAGAIN). */
	if ((u64)atomic_read(&u->processes) > rlimit(RLIMIT_NPROC) && !uid_eq(u->uid, GLOBAL_ROOT_UID))
		current->flags |= PF_NPROC_EXCEEDED;
	else
		current->flags &= ~(unsigned int)PF_NPROC_EXCEEDED;
	return 0;
}

/* Takes -1 as "keep". */
static bool take_uid(kuid_t *out, kuid_t keep, uid_t uid)
{
	*out = uid == (uid_t)-1 ? keep : make_kuid(current_user_ns(), uid);
	return uid_valid(*out);
}

static bool take_gid(kgid_t *out, kgid_t keep, gid_t gid)
{
	*out = gid == (gid_t)-1 ? keep : make_kgid(current_user_ns(), gid);
	return gid_valid(*out);
}

static long finish_uid(struct cred *n, const struct cred *old)
{
	int e = uid_eq(n->uid, old->uid) ? 0 : switch_user(n);

	if (e) {
		abort_creds(n);
		return e;
	}
	n->fsuid = n->euid;
	fix_caps(n, old);
	return commit_creds(n);
}

long sys_setuid(uid_t uid)
{
	const struct cred *old = current_cred();
	kuid_t k = make_kuid(old->user_ns, uid);
	struct cred *n;

	if (!uid_valid(k))
		return -EINVAL;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	if (ns_capable(old->user_ns, CAP_SETUID)) {
		n->uid = n->suid = k;
	} else if (!uid_eq(k, old->uid) && !uid_eq(k, old->suid)) {
		abort_creds(n);
		return -EPERM;
	}
	n->euid = k;
	return finish_uid(n, old);
}

long sys_setreuid(uid_t ruid, uid_t euid)
{
	const struct cred *old = current_cred();
	bool priv = ns_capable(old->user_ns, CAP_SETUID);
	kuid_t r, e;
	struct cred *n;

	if (!take_uid(&r, old->uid, ruid) || !take_uid(&e, old->euid, euid))
		return -EINVAL;
	if (!priv && ruid != (uid_t)-1 && !uid_eq(r, old->uid) && !uid_eq(r, old->euid))
		return -EPERM;
	if (!priv && euid != (uid_t)-1 && !uid_eq(e, old->uid) && !uid_eq(e, old->euid) && !uid_eq(e, old->suid))
		return -EPERM;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	n->uid = r;
	n->euid = e;
	if (ruid != (uid_t)-1 || (euid != (uid_t)-1 && !uid_eq(e, old->uid)))
		n->suid = e;
	return finish_uid(n, old);
}

long sys_setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
	const struct cred *old = current_cred();
	bool priv = ns_capable(old->user_ns, CAP_SETUID);
	kuid_t k[3];
	const uid_t want[3] = { ruid, euid, suid };
	const kuid_t keep[3] = { old->uid, old->euid, old->suid };
	struct cred *n;

	for (int i = 0; i < 3; i++) {
		if (!take_uid(&k[i], keep[i], want[i]))
			return -EINVAL;
		if (!priv && want[i] != (uid_t)-1 && !uid_eq(k[i], old->uid) && !uid_eq(k[i], old->euid) && !uid_eq(k[i], old->suid))
			return -EPERM;
	}
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	n->uid = k[0];
	n->euid = k[1];
	n->suid = k[2];
	return finish_uid(n, old);
}

long sys_setgid(gid_t gid)
{
	const struct cred *old = current_cred();
	kgid_t k = make_kgid(old->user_ns, gid);
	struct cred *n;

	if (!gid_valid(k))
		return -EINVAL;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	if (ns_capable(old->user_ns, CAP_SETGID)) {
		n->gid = n->sgid = k;
	} else if (!gid_eq(k, old->gid) && !gid_eq(k, old->sgid)) {
		abort_creds(n);
		return -EPERM;
	}
	n->egid = n->fsgid = k;
	return commit_creds(n);
}

long sys_setregid(gid_t rgid, gid_t egid)
{
	const struct cred *old = current_cred();
	bool priv = ns_capable(old->user_ns, CAP_SETGID);
	kgid_t r, e;
	struct cred *n;

	if (!take_gid(&r, old->gid, rgid) || !take_gid(&e, old->egid, egid))
		return -EINVAL;
	if (!priv && rgid != (gid_t)-1 && !gid_eq(r, old->gid) && !gid_eq(r, old->egid))
		return -EPERM;
	if (!priv && egid != (gid_t)-1 && !gid_eq(e, old->gid) && !gid_eq(e, old->egid) && !gid_eq(e, old->sgid))
		return -EPERM;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	n->gid = r;
	n->egid = n->fsgid = e;
	if (rgid != (gid_t)-1 || (egid != (gid_t)-1 && !gid_eq(e, old->gid)))
		n->sgid = e;
	return commit_creds(n);
}

long sys_setresgid(gid_t rgid, gid_t egid, gid_t sgid)
{
	const struct cred *old = current_cred();
	bool priv = ns_capable(old->user_ns, CAP_SETGID);
	kgid_t k[3];
	const gid_t want[3] = { rgid, egid, sgid };
	const kgid_t keep[3] = { old->gid, old->egid, old->sgid };
	struct cred *n;

	for (int i = 0; i < 3; i++) {
		if (!take_gid(&k[i], keep[i], want[i]))
			return -EINVAL;
		if (!priv && want[i] != (gid_t)-1 && !gid_eq(k[i], old->gid) && !gid_eq(k[i], old->egid) && !gid_eq(k[i], old->sgid))
			return -EPERM;
	}
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	n->gid = k[0];
	n->egid = n->fsgid = k[1];
	n->sgid = k[2];
	return commit_creds(n);
}

/* Never fails: gives the former id either way. */
long sys_setfsuid(uid_t uid)
{
	const struct cred *old = current_cred();
	uid_t was = from_kuid_munged(old->user_ns, old->fsuid);
	kuid_t k = make_kuid(old->user_ns, uid), root = make_kuid(old->user_ns, 0);
	const u64 fs_caps = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_FOWNER |
		1ULL << CAP_FSETID | 1ULL << CAP_LINUX_IMMUTABLE | 1ULL << CAP_MKNOD | 1ULL << CAP_MAC_OVERRIDE;
	struct cred *n;

	if (!uid_valid(k) || uid_eq(k, old->fsuid))
		return was;
	if (!uid_eq(k, old->uid) && !uid_eq(k, old->euid) && !uid_eq(k, old->suid) && !ns_capable(old->user_ns, CAP_SETUID))
		return was;
	n = prepare_creds();
	if (!n)
		return was;
	n->fsuid = k;
	if (uid_eq(old->fsuid, root))
		n->cap_effective.val &= ~fs_caps;
	else if (uid_eq(k, root))
		n->cap_effective.val |= n->cap_permitted.val & fs_caps;
	commit_creds(n);
	return was;
}

long sys_setfsgid(gid_t gid)
{
	const struct cred *old = current_cred();
	gid_t was = from_kgid_munged(old->user_ns, old->fsgid);
	kgid_t k = make_kgid(old->user_ns, gid);
	struct cred *n;

	if (!gid_valid(k) || gid_eq(k, old->fsgid))
		return was;
	if (!gid_eq(k, old->gid) && !gid_eq(k, old->egid) && !gid_eq(k, old->sgid) && !ns_capable(old->user_ns, CAP_SETGID))
		return was;
	n = prepare_creds();
	if (n) {
		n->fsgid = k;
		commit_creds(n);
	}
	return was;
}

long sys_getuid(void) { return from_kuid_munged(current_user_ns(), current_uid()); }
long sys_geteuid(void) { return from_kuid_munged(current_user_ns(), current_euid()); }
long sys_getgid(void) { return from_kgid_munged(current_user_ns(), current_gid()); }
long sys_getegid(void) { return from_kgid_munged(current_user_ns(), current_egid()); }

long sys_getresuid(struct uptr r, struct uptr e, struct uptr s)
{
	const struct cred *c = current_cred();

	return put_user(from_kuid_munged(c->user_ns, c->uid), r) || put_user(from_kuid_munged(c->user_ns, c->euid), e) ||
	       put_user(from_kuid_munged(c->user_ns, c->suid), s) ? -EFAULT : 0;
}

long sys_getresgid(struct uptr r, struct uptr e, struct uptr s)
{
	const struct cred *c = current_cred();

	return put_user(from_kgid_munged(c->user_ns, c->gid), r) || put_user(from_kgid_munged(c->user_ns, c->egid), e) ||
	       put_user(from_kgid_munged(c->user_ns, c->sgid), s) ? -EFAULT : 0;
}

long sys_getgroups(int size, struct uptr list)
{
	const struct cred *c = current_cred();
	const struct group_info *g = c->group_info;

	if (size < 0 || (size && g->ngroups > size))
		return -EINVAL;
	for (int i = 0; size && i < g->ngroups; i++)
		if (put_user(from_kgid_munged(c->user_ns, g->gid[i]), uptr_add(list, (unsigned long)i * sizeof(gid_t))))
			return -EFAULT;
	return g->ngroups;
}

long sys_setgroups(int size, struct uptr list)
{
	struct user_namespace *ns = current_user_ns();
	struct group_info *g;
	struct cred *n;

	if (!ns_capable(ns, CAP_SETGID) || !ns->setgroups_allowed || (ns != &init_user_ns && !ns->gid_map.nr))
		return -EPERM;
	if (size < 0 || size > NGROUPS_MAX)
		return -EINVAL;
	g = groups_alloc(size);
	if (!g)
		return -ENOMEM;
	for (int i = 0; i < size; i++) {
		gid_t gid;

		if (get_user(gid, uptr_add(list, (unsigned long)i * sizeof(gid_t)))) {
			put_group_info(g);
			return -EFAULT;
		}
		g->gid[i] = make_kgid(ns, gid);
		if (!gid_valid(g->gid[i])) {
			put_group_info(g);
			return -EINVAL;
		}
	}
	groups_sort(g);
	n = prepare_creds();
	if (!n) {
		put_group_info(g);
		return -ENOMEM;
	}
	put_group_info(n->group_info);
	n->group_info = g;
	return commit_creds(n);
}

/* ---- capabilities ---- */

struct user_cap_header {
	u32 version;
	s32 pid;
};

struct user_cap_data {
	u32 effective, permitted, inheritable;
};

/* How many words each set has. -EINVAL, with the version we like stored for the caller, for an unknown one. Only the version is read. */
static int cap_version(struct uptr header, unsigned int *words)
{
	u32 version;

	if (get_user(version, header))
		return -EFAULT;
	switch (version) {
	case _LINUX_CAPABILITY_VERSION_1: *words = 1; return 0;
	case _LINUX_CAPABILITY_VERSION_2: case _LINUX_CAPABILITY_VERSION_3: *words = 2; return 0;
	}
	if (put_user((u32)_LINUX_CAPABILITY_VERSION_3, header))
		return -EFAULT;
	return -EINVAL;
}

static int cap_pid(struct uptr header, s32 *pid)
{
	return get_user(*pid, uptr_add(header, offsetof(struct user_cap_header, pid))) ? -EFAULT : 0;
}

long sys_capget(struct uptr header, struct uptr data)
{
	s32 pid;
	struct user_cap_data d[2];
	const struct cred *c;
	unsigned int words;
	int e = cap_version(header, &words);

	if (uptr_is_null(data))
		return e == -EINVAL ? 0 : e;	/* a question for the version */
	if (!e)
		e = cap_pid(header, &pid);
	if (e)
		return e;
	if (pid < 0)
		return -EINVAL;
	if (pid && pid != task_pid_vnr(current)) {
		struct task *t = find_get_task_by_vpid(pid);

		if (!t)
			return -ESRCH;
		c = get_task_cred(t);
		put_task_struct(t);
	} else {
		c = get_current_cred();
	}
	for (unsigned int i = 0; i < 2; i++)
		d[i] = (struct user_cap_data){ (u32)(c->cap_effective.val >> 32 * i), (u32)(c->cap_permitted.val >> 32 * i),
					       (u32)(c->cap_inheritable.val >> 32 * i) };
	put_cred(c);
	return copy_to_user(data, d, words * sizeof(d[0])) ? -EFAULT : 0;
}

long sys_capset(struct uptr header, struct uptr data)
{
	s32 pid;
	struct user_cap_data d[2] = { 0 };
	kernel_cap_t eff, perm, inh;
	const struct cred *old = current_cred();
	unsigned int words;
	struct cred *n;
	int e = cap_version(header, &words);

	if (!e)
		e = cap_pid(header, &pid);
	if (e)
		return e;
	if (pid && pid != task_pid_vnr(current))
		return -EPERM;
	if (copy_from_user(d, data, words * sizeof(d[0])))
		return -EFAULT;
	eff.val = (d[0].effective | (u64)d[1].effective << 32) & CAP_VALID_MASK;
	perm.val = (d[0].permitted | (u64)d[1].permitted << 32) & CAP_VALID_MASK;
	inh.val = (d[0].inheritable | (u64)d[1].inheritable << 32) & CAP_VALID_MASK;
	if (!cap_issubset(perm, old->cap_permitted) || !cap_issubset(eff, perm))
		return -EPERM;
	if (!ns_capable(old->user_ns, CAP_SETPCAP) &&
	    !cap_issubset(inh, (kernel_cap_t){ old->cap_inheritable.val | old->cap_permitted.val }))
		return -EPERM;
	if (!cap_issubset(inh, (kernel_cap_t){ old->cap_inheritable.val | old->cap_bset.val }))
		return -EPERM;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	n->cap_effective = eff;
	n->cap_permitted = perm;
	n->cap_inheritable = inh;
	n->cap_ambient.val &= perm.val & inh.val;
	return commit_creds(n);
}
