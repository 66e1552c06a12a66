// SPDX-License-Identifier: MIT
/* A VM's descriptor: how a VM begins, what is asked of it, how it ends. */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kvm/bus.h>
#include <kvm/cpu.h>
#include <kvm/event.h>
#include <kvm/memory.h>
#include <lib/err.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/mm.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <vfs/file.h>
#include "kvm/api/api_priv.h"

static void vm_free(struct kvm_vm *vm)
{
	/* Both reach vCPUs, and the first one the second's routes. */
	kvm_cpu_vm_stop(vm);
	kvm_events_free(vm);
	/* The pages that its guests wrote to are told of; its owner may live on. */
	kvm_cpu_mirror_ends(vm);
	mm_notify_unregister(&vm->notify);
	kvm_vcpus_free(vm);
	kvm_buses_free(vm);
	kvm_regions_free(vm);
	kvm_cpu_vm_free(vm);
	kvm_cpu_put();
	cleanup_srcu_struct(&vm->srcu);
	kfree(vm);
}

void kvm_vm_put(struct kvm_vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		vm_free(vm);
}

/* ERR_PTR(-ENOMEM), or as kvm_cpu_get() and kvm_cpu_vm_new(). */
static struct kvm_vm *vm_new(unsigned long type)
{
	struct kvm_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int e = vm ? init_srcu_struct(&vm->srcu) : -ENOMEM;

	if (e)
		goto free;
	refcount_set(&vm->refs, 1);
	mutex_init(&vm->lock);
	mutex_init(&vm->slots_lock);
	kvm_slots_init(&vm->slots);
	xa_init(&vm->slot_by_id);
	xa_init(&vm->vcpus);
	xa_init(&vm->by_id);
	vm->mm = current->mm;
	vm->pid = task_pid_nr_ns(current, &init_pid_ns);
	vm->notify.ops = &kvm_notify_ops;
	e = kvm_buses_new(vm);
	if (e)
		goto srcu;
	e = kvm_events_new(vm);
	if (e)
		goto buses;
	e = kvm_cpu_get();
	if (e)
		goto events;
	e = kvm_cpu_vm_new(vm, type);
	if (e)
		goto put;
	e = mm_notify_register(&vm->notify, vm->mm);
	if (!e)
		return vm;
	kvm_cpu_vm_free(vm);
put:
	kvm_cpu_put();
events:
	kvm_events_free(vm);
buses:
	kvm_buses_free(vm);
srcu:
	cleanup_srcu_struct(&vm->srcu);
free:
	kfree(vm);
	return ERR_PTR(e);
}

/* ---- regions ---- */

static long set_region(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	/* The second form begins as the first. */
	struct kvm_userspace_memory_region2 r = { 0 };
	struct kvm_userspace_memory_region first;
	bool second = cmd == KVM_SET_USER_MEMORY_REGION2;

	if (copy_from_user(&r, arg, second ? sizeof(r) : sizeof(first)))
		return -EFAULT;
	memcpy(&first, &r, sizeof(first));
	return kvm_region_set(vm, &first);
}

static long get_log(struct kvm_vm *vm, struct uptr arg)
{
	struct kvm_dirty_log log;

	if (copy_from_user(&log, arg, sizeof(log)))
		return -EFAULT;
	return kvm_region_log(vm, &log);
}

/* ---- the file ---- */

/* Each room's own, until one knows it. */
static long other_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	long r = kvm_bus_ioctl(vm, cmd, arg);

	if (r == -ENOTTY)
		r = kvm_event_ioctl(vm, cmd, arg);
	return r == -ENOTTY ? kvm_cpu_vm_ioctl(vm, cmd, arg) : r;
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kvm_vm *vm = file->private_data;

	if (kvm_vm_check_owner(vm))
		return -EIO;
	switch (cmd) {
	case KVM_CREATE_VCPU:
		return kvm_vcpu_create(vm, arg);
	case KVM_CHECK_EXTENSION:
		return kvm_extension(vm, arg);
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		return set_region(vm, cmd, UPTR(arg));
	case KVM_GET_STATS_FD:
		return kvm_vm_stats_fd(vm);
	case KVM_GET_DIRTY_LOG:
		return get_log(vm, UPTR(arg));
	default:
		return other_ioctl(vm, cmd, UPTR(arg));
	}
}

static int vm_release(struct inode *inode, struct file *file)
{
	kvm_vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_fops = { .llseek = noop_llseek,
						.ioctl = vm_ioctl,
						.release = vm_release };

long kvm_vm_create(unsigned long type)
{
	struct kvm_vm *vm = vm_new(type);
	int fd;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("kvm-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		kvm_vm_put(vm);
	return fd;
}
