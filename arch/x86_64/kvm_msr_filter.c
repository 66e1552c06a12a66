// SPDX-License-Identifier: MIT
/*
 * KVM_X86_SET_MSR_FILTER: which MSRs a guest may read and write. Its owner is not concerned.
 *
 * A filter does not change once it is a VM's. Guests read it in srcu; their maps of intercepted
 * MSRs, which the CPU reads, follow it at the next entry (KVM_REQUEST_MSRS).
 */
#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <lib/err.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"

#define X2APIC_FIRST 0x800U		/* no filter is for these, as on Linux */
#define X2APIC_LAST 0x8ffU
#define BITMAP_MAX 0x600U		/* bytes, as on Linux */

struct msr_filter {
	bool deny;			/* what is in no range */
	u32 n;
	struct {
		u32 first, count, flags;
		u64 *allowed;		/* a bit each */
	} range[KVM_MSR_FILTER_MAX_RANGES];
	u8 *map;
};

bool kvm_msr_filter_allows(const struct msr_filter *f, u32 index, bool write)
{
	u32 flag = write ? KVM_MSR_FILTER_WRITE : KVM_MSR_FILTER_READ;

	if (!f || (index >= X2APIC_FIRST && index <= X2APIC_LAST))
		return true;
	for (u32 i = 0; i < f->n; i++) {
		u32 at = index - f->range[i].first;

		if (at < f->range[i].count && f->range[i].flags & flag)
			return f->range[i].allowed[at / 64] >> at % 64 & 1;
	}
	return !f->deny;
}

const u8 *kvm_msr_filter_map(const struct msr_filter *f)
{
	return f->map;
}

void kvm_msr_filter_free(struct msr_filter *f)
{
	if (!f)
		return;
	for (u32 i = 0; i < f->n; i++)
		kvfree(f->range[i].allowed);
	free_pages((unsigned long)f->map, KVM_MSR_MAP_ORDER);
	kfree(f);
}

static int add_range(struct msr_filter *f, const struct kvm_msr_filter_range *r)
{
	size_t size = ((size_t)r->nmsrs + 63) / 64 * sizeof(u64);
	u64 *allowed;

	if (!r->nmsrs)
		return 0;
	if (r->flags & ~(u32)KVM_MSR_FILTER_RANGE_VALID_MASK || !r->flags || size > BITMAP_MAX)
		return -EINVAL;
	allowed = vmemdup_user(UPTR((unsigned long)r->bitmap), size);
	if (IS_ERR(allowed))
		return (int)PTR_ERR(allowed);
	f->range[f->n].first = r->base;
	f->range[f->n].count = r->nmsrs;
	f->range[f->n].flags = r->flags;
	f->range[f->n++].allowed = allowed;
	return 0;
}

static struct msr_filter *filter_new(const struct kvm_msr_filter *k)
{
	struct msr_filter *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int e = 0;

	if (!f)
		return ERR_PTR(-ENOMEM);
	f->deny = k->flags & KVM_MSR_FILTER_DEFAULT_DENY;
	for (u32 i = 0; !e && i < KVM_MSR_FILTER_MAX_RANGES; i++)
		e = add_range(f, &k->ranges[i]);
	if (!e) {
		f->map = (u8 *)__get_free_pages(GFP_KERNEL_ACCOUNT, KVM_MSR_MAP_ORDER);
		e = f->map ? 0 : -ENOMEM;
	}
	if (e) {
		kvm_msr_filter_free(f);
		return ERR_PTR(e);
	}
	kvm_vcpu_fill_msr_map(f->map, f);
	return f;
}

long kvm_msr_filter_ioctl(struct kvm_vm *vm, struct uptr arg)
{
	struct msr_filter *f = NULL, *old;
	struct kvm_msr_filter k;
	u32 any = 0;

	if (copy_from_user(&k, arg, sizeof(k)))
		return -EFAULT;
	if (k.flags & ~(u32)KVM_MSR_FILTER_VALID_MASK)
		return -EINVAL;
	for (u32 i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		any |= k.ranges[i].nmsrs;
	if (!any && k.flags & KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	if (any)
		f = filter_new(&k);
	if (IS_ERR(f))
		return PTR_ERR(f);
	mutex_lock(&vm->lock);
	old = vm->cpu->msr_filter;
	smp_store_release(&vm->cpu->msr_filter, f);
	/* No CPU uses OLD's map when it returns; then nobody reads OLD. */
	kvm_request_all(vm, KVM_REQUEST_MSRS);
	synchronize_srcu(&vm->srcu);
	mutex_unlock(&vm->lock);
	kvm_msr_filter_free(old);
	return 0;
}
