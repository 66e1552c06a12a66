// SPDX-License-Identifier: MIT
// Rules of our own, for spatch: docs/static-analysis.md. They see a function's text and its ways, no headers.
virtual report

// What was allocated is not freed where a copy from or to user memory fails.
@leak@
local idexpression p;
expression e;
position at;
identifier alloc = {kmalloc, kzalloc, kmalloc_array, kcalloc, kvmalloc, kvzalloc, kvmalloc_array, kvcalloc, kmemdup, memdup_user};
identifier copy = {copy_from_user, copy_to_user, clear_user};
@@
p = alloc(...)
... when != kfree(p)
    when != kvfree(p)
    when != e = p
if (<+... copy(...) ...+>) {
  ... when != kfree(p)
      when != kvfree(p)
  return@at ...;
}

@script:python depends on report@
at << leak.at;
p << leak.p;
@@
print("%s:%s:1: warning: '%s' is not freed where the copy fails [leak]" % (at[0].file, at[0].line, p))

// A product is computed in an allocation's size: kmalloc_array() and kcalloc() notice that it does not fit.
@length@
identifier n, m;
expression e, f;
type t;
position at;
identifier alloc = {kmalloc, kzalloc, kvmalloc, kvzalloc, vmalloc};
@@
alloc@at(\(n\|f->m\) * \(sizeof(t)\|sizeof(e)\), ...)

@script:python depends on report@
at << length.at;
@@
print("%s:%s:1: warning: a product in a size that may not fit [length]" % (at[0].file, at[0].line))

// A lock that one way out does not let go, and the end does.
@unlock@
expression l;
position at;
identifier lock = {spin_lock, spin_lock_irq, mutex_lock, down_read, down_write, inode_lock, read_lock, write_lock};
identifier unlock = {spin_unlock, spin_unlock_irq, mutex_unlock, up_read, up_write, inode_unlock, read_unlock, write_unlock};
@@
lock(l);
... when != unlock(l)
if (...) {
  ... when != unlock(l)
  return@at ...;
}
... when any
unlock(l);

@script:python depends on report@
at << unlock.at;
l << unlock.l;
@@
print("%s:%s:1: warning: '%s' is held at this return [unlock]" % (at[0].file, at[0].line, l))

// A descriptor is in its table before the user is told its number: where that fails it stays, and nobody knows.
@commit@
position at;
identifier copy = {copy_to_user, put_user};
@@
fd_install(...);
...
if (<+... copy(...) ...+>) { ... return@at ...; }

@script:python depends on report@
at << commit.at;
@@
print("%s:%s:1: warning: fd_install() comes before the copy that fails here [commit]" % (at[0].file, at[0].line))
