// SPDX-License-Identifier: MIT
/*
 * Who made a module's file: its signature is checked over the whole file, before anything else of
 * it is looked at. One key counts, which the build made (tools/modkey.py) and the image carries.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/printk.h>
#include <lib/minmax.h>
#include <lib/modsig.h>
#include <lib/rsa.h>
#include <lib/string.h>
#include <linux/module.h>
#include <sched/task.h>
#include "dev/module/module_priv.h"

static bool same(const struct modsig_bytes *a, const struct modsig_bytes *b)
{
	return a->n == b->n && !memcmp(a->p, b->p, a->n);
}

/* By the key's id, or by the name of the certificate's issuer and its number. */
static bool is_ours(const struct modsig *s)
{
	return s->key_id.n ?
		       same(&s->key_id, &module_key.key_id) :
		       same(&s->issuer, &module_key.issuer) && same(&s->serial, &module_key.serial);
}

static void digest(const struct modsig *s, const u8 *file, u8 *out)
{
	size_t some;
	struct sha2 h;

	sha2_init(&h, s->digest);
	for (size_t at = 0; at < s->signed_size; at += some) {
		some = min(s->signed_size - at, (size_t)65536);
		sha2_update(&h, file + at, some);
		cond_resched();
	}
	sha2_final(&h, out);
}

static int check(const struct modsig *s, const u8 *file)
{
	struct rsa_work *w = kmalloc(sizeof(*w), GFP_KERNEL);
	u8 out[SHA2_MAX_SIZE];
	bool good;

	if (!w)
		return -ENOMEM;
	digest(s, file, out);
	good = rsa_verify(w, module_key.modulus.p, module_key.modulus.n, s->signature.p,
			  s->signature.n, s->digest, out);
	kfree(w);
	return good ? 0 : -EKEYREJECTED;
}

/*
 * Linux's rule: what is not signed by a key that is known may be allowed; what claims to be and is
 * wrong is refused either way.
 */
int module_verify(const void *file, size_t *size, unsigned int flags, bool enforce)
{
	const char *why = "it was changed after it was signed";
	struct modsig s;
	int err = modsig_find(&s, file, *size, &why);

	if (!err) {
		*size = s.signed_size;
		err = modsig_decode(&s, &why);
	}
	if (flags & (MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC)) {
		why = "what was signed is to be ignored";
		err = -ENODATA;
	}
	if (!err && !is_ours(&s)) {
		why = "signed by a key that is not known";
		err = -ENOKEY;
	}
	if (!err)
		err = check(&s, file);
	if (!err)
		return 0;
	if (err == -ENODATA || err == -ENOPKG || err == -ENOKEY) {
		if (!enforce)
			return 1;
		err = -EKEYREJECTED;
	}
	pr_notice("module: loading is rejected: %s\n", why);
	return err;
}
