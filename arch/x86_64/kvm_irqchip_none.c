// SPDX-License-Identifier: MIT
/* A VM without controllers of its own: its owner has them (kvm/cpu.h). */
#include <abi/errno.h>
#include <kvm/cpu.h>

bool kvm_cpu_has_irqchip(const struct kvm_vm *vm)
{
	return false;
}

int kvm_cpu_route(const struct kvm_vm *vm, const struct kvm_irq_routing_entry *from,
		  struct kvm_route *to)
{
	return -EINVAL;
}

int kvm_cpu_route_set(struct kvm_vm *vm, const struct kvm_route *r, unsigned int source,
		      bool level)
{
	return -1;
}

int kvm_cpu_route_fast(struct kvm_vm *vm, const struct kvm_route *r)
{
	return -EWOULDBLOCK;
}
