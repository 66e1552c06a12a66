/* SPDX-License-Identifier: MIT */
/* A vDSO's linker script up to its names: one read-execute segment; the data page lies just below it. VDSO_TEXT: where code begins, or nothing. */
SECTIONS
{
	PROVIDE_HIDDEN(vvar_page = . - VDSO_PAGE);
	. = SIZEOF_HEADERS;
	.hash : { *(.hash) } :text
	.gnu.hash : { *(.gnu.hash) }
	.dynsym : { *(.dynsym) }
	.dynstr : { *(.dynstr) }
	.gnu.version : { *(.gnu.version) }
	.gnu.version_d : { *(.gnu.version_d) }
	.dynamic : { *(.dynamic) } :text :dynamic
	.rodata : { *(.rodata*) } :text
	.note : { *(.note.*) } :text :note
	.eh_frame_hdr : { *(.eh_frame_hdr) } :text :eh_frame_hdr
	.eh_frame : { KEEP(*(.eh_frame)) } :text
	.text VDSO_TEXT : { *(.text.sigreturn) *(.text*) } :text
	/DISCARD/ : { *(.data*) *(.bss*) *(.comment) *(.note.GNU-stack) }
}
PHDRS
{
	text PT_LOAD FLAGS(5) FILEHDR PHDRS;
	dynamic PT_DYNAMIC FLAGS(4);
	note PT_NOTE FLAGS(4);
	eh_frame_hdr PT_GNU_EH_FRAME;
}
