// SPDX-License-Identifier: MIT
/* /dev/kvm: there, where the CPU runs guests. */
#include <abi/errno.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kvm/cpu.h>
#include <lib/err.h>
#include <linux/kvm.h>
#include <vfs/chrdev.h>
#include <vfs/file.h>
#include "kvm/api/api_priv.h"

#define KVM_MINOR 232

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long r;

	switch (cmd) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return kvm_vm_create(arg);
	case KVM_CHECK_EXTENSION:
		return kvm_extension(NULL, arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : (long)kvm_cpu_run_size();
	default:
		r = kvm_cpu_dev_ioctl(cmd, UPTR(arg));
		return r == -ENOTTY ? -EINVAL : r;	/* as Linux answers on this file */
	}
}

static const struct file_operations dev_fops = { .llseek = noop_llseek, .ioctl = dev_ioctl };

static int __init kvm_init(void)
{
	const char *why = kvm_cpu_refusal();

	if (why) {
		pr_info("kvm: no guests: %s\n", why);
		return 0;
	}
	return PTR_ERR_OR_ZERO(misc_create("kvm", KVM_MINOR, 0600, &dev_fops, NULL));
}
INITCALL(late, kvm_init);
