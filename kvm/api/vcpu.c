// SPDX-License-Identifier: MIT
/*
 * A vCPU's descriptor: KVM_RUN, the thread's signal mask for it, and the mapping of kvm_run. A vCPU
 * lives as long as its VM, which the descriptor holds.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kvm/cpu.h>
#include <lib/err.h>
#include <lib/format.h>
#include <linux/kvm.h>
#include <mm/fault.h>
#include <mm/mm.h>
#include <vfs/file.h>
#include "kvm/api/api_priv.h"

/* ---- ioctls ---- */

static long set_sigmask(struct kvm_vcpu *v, struct uptr arg)
{
	struct kvm_signal_mask head;
	u64 mask;

	if (uptr_is_null(arg)) {
		v->has_sigmask = false;
		return 0;
	}
	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (head.len != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, uptr_add(arg, sizeof(head)), sizeof(mask)))
		return -EFAULT;
	v->sigmask = mask;
	v->has_sigmask = true;
	return 0;
}

static long cpu_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg)
{
	int idx = srcu_read_lock(&v->vm->srcu);
	long r = kvm_cpu_vcpu_ioctl(v, cmd, arg);

	srcu_read_unlock(&v->vm->srcu, idx);
	return r == -ENOTTY ? -EINVAL : r;	/* as Linux answers on this file */
}

static long locked_ioctl(struct kvm_vcpu *v, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVM_RUN:
		return arg ? -EINVAL : kvm_vcpu_run(v);
	case KVM_SET_SIGNAL_MASK:
		return set_sigmask(v, UPTR(arg));
	case KVM_GET_STATS_FD:
		return kvm_vcpu_stats_fd(v);
	default:
		return cpu_ioctl(v, cmd, UPTR(arg));
	}
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kvm_vcpu *v = file->private_data;
	long r;

	if (kvm_vm_check_owner(v->vm))
		return -EIO;
	if (_IOC_TYPE(cmd) != KVMIO)
		return -EINVAL;
	if (mutex_lock_killable(&v->lock))
		return -EINTR;
	r = locked_ioctl(v, cmd, arg);
	mutex_unlock(&v->lock);
	return r;
}

/* ---- the mapping ---- */

static vm_fault_t run_fault(struct vm_fault *f)
{
	struct kvm_vcpu *v = f->vma->vm_file->private_data;

	if (f->pgoff >= kvm_cpu_run_size() >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	if (f->pgoff == KVM_COALESCED_MMIO_PAGE_OFFSET)
		f->page = kvm_coalesced_page(v->vm);
	else
		f->page = vmalloc_to_page((char *)v->run + (f->pgoff << PAGE_SHIFT));
	get_page(f->page);
	return 0;
}

static const struct vm_operations run_vm_ops = { .fault = run_fault };

static int vcpu_mmap(struct file *file, struct vma *vma)
{
	vma->vm_flags |= VM_MIXEDMAP;	/* its pages are no file's: nothing is written back */
	vma->vm_ops = &run_vm_ops;
	return 0;
}

/* ---- lives ---- */

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct kvm_vcpu *v = file->private_data;

	kvm_vm_put(v->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.llseek = noop_llseek, .ioctl = vcpu_ioctl, .mmap = vcpu_mmap, .release = vcpu_release
};

static void vcpu_free(struct kvm_vcpu *v)
{
	kvm_cpu_vcpu_free(v);
	vfree(v->run);
	kfree(v);
}

void kvm_vcpus_free(struct kvm_vm *vm)
{
	struct kvm_vcpu *v;
	unsigned long i;

	xa_for_each(&vm->vcpus, i, v)
		vcpu_free(v);
	xa_destroy(&vm->vcpus);
	xa_destroy(&vm->by_id);
}

/* ERR_PTR(-ENOMEM), or as kvm_cpu_vcpu_new(). */
static struct kvm_vcpu *vcpu_new(struct kvm_vm *vm, u32 id)
{
	struct kvm_vcpu *v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	int e = -ENOMEM;

	if (!v)
		return ERR_PTR(e);
	v->vm = vm;
	v->id = id;
	v->cpu = -1;
	mutex_init(&v->lock);
	init_waitqueue_head(&v->halted);
	v->run = __vmalloc(kvm_cpu_run_size(), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (v->run)
		e = kvm_cpu_vcpu_new(v);
	if (!e)
		return v;
	vfree(v->run);
	kfree(v);
	return ERR_PTR(e);
}

/* Its descriptor's file, which holds the VM; the caller's descriptor holds it too. Or ERR_PTR. */
static struct file *vcpu_file(struct kvm_vcpu *v)
{
	char name[24];
	struct file *f;

	snprintf(name, sizeof(name), "kvm-vcpu:%u", v->id);
	refcount_inc(&v->vm->refs);
	f = anon_inode_getfile(name, &vcpu_fops, v, O_RDWR);
	if (IS_ERR(f))
		refcount_dec(&v->vm->refs);
	return f;
}

/*
 * V's place in its VM, and its descriptor, which is -errno where there is none. nr_vcpus comes
 * before the descriptor: no vCPU runs that kvm_request_all() does not see.
 */
static int publish(struct kvm_vcpu *v)
{
	struct kvm_vm *vm = v->vm;
	struct file *f;
	int fd;

	lockdep_assert_held(&vm->lock);
	if (vm->nr_vcpus >= KVM_VCPUS_MAX)
		return -EINVAL;
	if (xa_load(&vm->by_id, v->id))
		return -EEXIST;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	v->index = vm->nr_vcpus;
	if (kvm_cpu_vcpu_join(v))
		f = ERR_PTR(-ENOMEM);
	else if (xa_err(xa_store(&vm->vcpus, v->index, v, GFP_KERNEL_ACCOUNT)) ||
		 xa_err(xa_store(&vm->by_id, v->id, v, GFP_KERNEL_ACCOUNT)))
		f = ERR_PTR(-ENOMEM);
	else
		f = vcpu_file(v);
	if (IS_ERR(f)) {
		xa_erase(&vm->vcpus, v->index);
		xa_erase(&vm->by_id, v->id);
		put_unused_fd((unsigned int)fd);
		return (int)PTR_ERR(f);
	}
	smp_store_release(&vm->nr_vcpus, v->index + 1);
	kvm_cpu_vcpu_joined(v);
	fd_install((unsigned int)fd, f);
	return fd;
}

long kvm_vcpu_create(struct kvm_vm *vm, unsigned long id)
{
	struct kvm_vcpu *v;
	int fd;

	if (id >= KVM_VCPU_IDS_MAX)
		return -EINVAL;
	v = vcpu_new(vm, (u32)id);
	if (IS_ERR(v))
		return PTR_ERR(v);
	mutex_lock(&vm->lock);
	fd = publish(v);
	mutex_unlock(&vm->lock);
	if (fd < 0)
		vcpu_free(v);
	return fd;
}
