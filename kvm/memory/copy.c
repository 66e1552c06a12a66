// SPDX-License-Identifier: MIT
/* A guest's memory as KVM itself reads and writes it (kvm/memory.h). */
#include <abi/errno.h>
#include <alloc/page.h>
#include <arch/page.h>
#include <kvm/cpu.h>
#include <kvm/memory.h>
#include <kvm/vm.h>
#include <lib/atomic.h>
#include <lib/bits.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/mm.h>
#include <mm/uaccess.h>

#define FRAME_SHIFT 12			/* not a page of the host: a guest's frame */
#define FRAME_SIZE (1U << FRAME_SHIFT)

/* The slot that GPA is in, NULL: MMIO; ADDR: where the owner has it. */
static struct kvm_slot *find(struct kvm_vm *vm, u64 gpa, bool write, struct uptr *addr)
{
	struct kvm_slot *slot = kvm_slot_at(kvm_slots_active(&vm->slots), gpa >> FRAME_SHIFT);
	u32 flags = slot ? READ_ONCE(slot->flags) : 0;

	if (!slot || flags & KVM_SLOT_GOING || (write && flags & KVM_MEM_READONLY))
		return NULL;
	*addr = UPTR(slot->hva + (gpa - (slot->gfn << FRAME_SHIFT)));
	return slot;
}

/* GPA was written to. */
static void mark(struct kvm_slot *slot, u64 gpa)
{
	if (slot->dirty)
		set_bit((long)((gpa >> FRAME_SHIFT) - slot->gfn), slot->dirty);
}

/* What of N bytes at GPA is in its frame. */
static size_t in_frame(u64 gpa, size_t n)
{
	return min(n, (size_t)(FRAME_SIZE - (gpa & (FRAME_SIZE - 1))));
}

int kvm_guest_read(struct kvm_vm *vm, u64 gpa, void *to, size_t n)
{
	char *at = to;
	size_t part;

	for (; n; n -= part, gpa += part, at += part) {
		struct uptr addr;

		part = in_frame(gpa, n);
		if (!find(vm, gpa, false, &addr))
			return -ENXIO;
		if (copy_from_user(at, addr, part))
			return -EFAULT;
	}
	return 0;
}

int kvm_guest_write(struct kvm_vm *vm, u64 gpa, const void *from, size_t n)
{
	const char *at = from;
	size_t part;

	for (; n; n -= part, gpa += part, at += part) {
		struct kvm_slot *slot;
		struct uptr addr;

		part = in_frame(gpa, n);
		slot = find(vm, gpa, true, &addr);
		if (!slot)
			return -ENXIO;
		if (copy_to_user(addr, at, part))
			return -EFAULT;
		mark(slot, gpa);
	}
	return 0;
}

#define EXCHANGE(type, to, old, fresh) ({				\
	type was_, now_;						\
	memcpy(&was_, old, sizeof(was_));				\
	memcpy(&now_, fresh, sizeof(now_));				\
	try_cmpxchg((type *)(to), &was_, now_); })

static bool exchange_bytes(char *to, const char *old, const char *fresh, u32 size)
{
	for (u32 i = 0; i < size; i++)
		if (READ_ONCE(to[i]) != old[i])
			return false;
	for (u32 i = 0; i < size; i++)
		WRITE_ONCE(to[i], fresh[i]);
	return true;
}

static bool exchange(void *to, const void *old, const void *fresh, u32 size)
{
	if ((unsigned long)to & (size - 1))
		return exchange_bytes(to, old, fresh, size);
	switch (size) {
	case 1:
		return EXCHANGE(u8, to, old, fresh);
	case 2:
		return EXCHANGE(u16, to, old, fresh);
	case 4:
		return EXCHANGE(u32, to, old, fresh);
	case 8:
		return EXCHANGE(u64, to, old, fresh);
	default:
		return kvm_cpu_exchange_16(to, old, fresh);
	}
}

int kvm_guest_exchange(struct kvm_vm *vm, u64 gpa, const void *old, const void *fresh, u32 size)
{
	struct kvm_slot *slot;
	struct page *page;
	struct uptr addr;
	bool done;

	slot = find(vm, gpa, true, &addr);
	if (!slot)
		return -ENXIO;
	/* Pinned: a fork meanwhile copies the page, rather than to share it. */
	if (pin_user_pages_fast(addr.addr, 1, FOLL_WRITE, &page) != 1)
		return -EFAULT;
	done = exchange((char *)page_address(page) + (addr.addr & ~PAGE_MASK), old, fresh, size);
	unpin_user_pages_dirty_lock(&page, 1, done);
	if (done)
		mark(slot, gpa);
	return done ? 0 : -EAGAIN;
}
