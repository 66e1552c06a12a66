// SPDX-License-Identifier: MIT
//! Binder's protocol 8 as bytes: numbers of `<linux/android/binder.h>`, its structures by hand. All in the CPU's own byte order.

use kernel::user::UserPtr;
use kernel::Result;

const fn ioc(dir: u32, kind: u8, nr: u32, size: u32) -> u32 {
    dir << 30 | size << 16 | (kind as u32) << 8 | nr
}
const fn io(kind: u8, nr: u32) -> u32 {
    ioc(0, kind, nr, 0)
}
const fn iow(kind: u8, nr: u32, size: u32) -> u32 {
    ioc(1, kind, nr, size)
}
const fn ior(kind: u8, nr: u32, size: u32) -> u32 {
    ioc(2, kind, nr, size)
}
const fn iowr(kind: u8, nr: u32, size: u32) -> u32 {
    ioc(3, kind, nr, size)
}

/// ioctls.
pub const WRITE_READ: u32 = iowr(b'b', 1, 48);
pub const SET_MAX_THREADS: u32 = iow(b'b', 5, 4);
pub const SET_CONTEXT_MGR: u32 = iow(b'b', 7, 4);
pub const THREAD_EXIT: u32 = iow(b'b', 8, 4);
pub const VERSION: u32 = iowr(b'b', 9, 4);
pub const SET_CONTEXT_MGR_EXT: u32 = iow(b'b', 13, 24);
pub const ONEWAY_SPAM_DETECTION: u32 = iow(b'b', 16, 4);
pub const GET_NODE_DEBUG_INFO: u32 = iowr(b'b', 11, 24);
pub const GET_NODE_INFO_FOR_REF: u32 = iowr(b'b', 12, 24);
pub const GET_EXTENDED_ERROR: u32 = iowr(b'b', 17, 12);

/// What programs are answered.
pub const BR_OK: u32 = io(b'r', 1);
pub const BR_TRANSACTION: u32 = ior(b'r', 2, TRANSACTION);
pub const BR_REPLY: u32 = ior(b'r', 3, TRANSACTION);
pub const BR_DEAD_REPLY: u32 = io(b'r', 5);
pub const BR_TRANSACTION_COMPLETE: u32 = io(b'r', 6);
pub const BR_INCREFS: u32 = ior(b'r', 7, 16);
pub const BR_ACQUIRE: u32 = ior(b'r', 8, 16);
pub const BR_RELEASE: u32 = ior(b'r', 9, 16);
pub const BR_DECREFS: u32 = ior(b'r', 10, 16);
pub const BR_NOOP: u32 = io(b'r', 12);
pub const BR_SPAWN_LOOPER: u32 = io(b'r', 13);
pub const BR_DEAD_BINDER: u32 = ior(b'r', 15, 8);
pub const BR_CLEAR_DEATH_NOTIFICATION_DONE: u32 = ior(b'r', 16, 8);
pub const BR_FAILED_REPLY: u32 = io(b'r', 17);
pub const BR_ONEWAY_SPAM_SUSPECT: u32 = io(b'r', 19);

/// What programs command.
pub const BC_TRANSACTION: u32 = iow(b'c', 0, TRANSACTION);
pub const BC_REPLY: u32 = iow(b'c', 1, TRANSACTION);
pub const BC_FREE_BUFFER: u32 = iow(b'c', 3, 8);
pub const BC_INCREFS: u32 = iow(b'c', 4, 4);
pub const BC_ACQUIRE: u32 = iow(b'c', 5, 4);
pub const BC_RELEASE: u32 = iow(b'c', 6, 4);
pub const BC_DECREFS: u32 = iow(b'c', 7, 4);
pub const BC_INCREFS_DONE: u32 = iow(b'c', 8, 16);
pub const BC_ACQUIRE_DONE: u32 = iow(b'c', 9, 16);
pub const BC_REGISTER_LOOPER: u32 = io(b'c', 11);
pub const BC_ENTER_LOOPER: u32 = io(b'c', 12);
pub const BC_EXIT_LOOPER: u32 = io(b'c', 13);
pub const BC_REQUEST_DEATH_NOTIFICATION: u32 = iow(b'c', 14, 12);
pub const BC_CLEAR_DEATH_NOTIFICATION: u32 = iow(b'c', 15, 12);
pub const BC_DEAD_BINDER_DONE: u32 = iow(b'c', 16, 8);
pub const BC_TRANSACTION_SG: u32 = iow(b'c', 17, TRANSACTION_SG);
pub const BC_REPLY_SG: u32 = iow(b'c', 18, TRANSACTION_SG);

/// Bytes of a binder_transaction_data, of one with buffers beside it, and of the largest answer with its number (that with a security context).
pub const TRANSACTION: u32 = 64;
pub const TRANSACTION_SG: u32 = 72;
pub const LARGEST: usize = 4 + 72;

/// Flags of transactions.
pub const TF_ONE_WAY: u32 = 1;
pub const TF_ACCEPT_FDS: u32 = 0x10;
pub const TF_CLEAR_BUF: u32 = 0x20;

/// Objects.
pub const BINDER: u32 = u32::from_be_bytes([b's', b'b', b'*', 0x85]);
pub const WEAK_BINDER: u32 = u32::from_be_bytes([b'w', b'b', b'*', 0x85]);
pub const HANDLE: u32 = u32::from_be_bytes([b's', b'h', b'*', 0x85]);
pub const WEAK_HANDLE: u32 = u32::from_be_bytes([b'w', b'h', b'*', 0x85]);
pub const DESCRIPTOR: u32 = u32::from_be_bytes([b'f', b'd', b'*', 0x85]);
pub const DESCRIPTORS: u32 = u32::from_be_bytes([b'f', b'd', b'a', 0x85]);
pub const POINTER: u32 = u32::from_be_bytes([b'p', b't', b'*', 0x85]);
/// Bytes of a flat_binder_object, and of a binder_fd_object; of a binder_fd_array_object; of a binder_buffer_object, the largest.
pub const OBJECT: usize = 24;
pub const OBJECT_OF_DESCRIPTORS: usize = 32;
pub const OBJECT_OF_POINTER: usize = 40;
/// Flags of a flat_binder_object: the node takes descriptors; it wants its callers' security contexts.
pub const FLAG_ACCEPTS_FDS: u32 = 0x100;
pub const FLAG_SECURITY_CTX: u32 = 0x1000;
/// Flag of a binder_buffer_object: another one's bytes hold its address.
pub const FLAG_HAS_PARENT: u32 = 1;

/// Takes numbers from the front; behind the end there are zeroes.
pub struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    pub fn u32(&mut self) -> u32 {
        let Some((v, rest)) = self.0.split_first_chunk() else { return 0 };
        self.0 = rest;
        u32::from_ne_bytes(*v)
    }

    pub fn u64(&mut self) -> u64 {
        let Some((v, rest)) = self.0.split_first_chunk() else { return 0 };
        self.0 = rest;
        u64::from_ne_bytes(*v)
    }
}

/// Puts numbers one behind the other; what does not fit is left out.
pub struct Writer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Writer<N> {
    pub fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    fn put(&mut self, v: &[u8]) {
        if let Some(to) = self.bytes.get_mut(self.len..self.len + v.len()) {
            to.copy_from_slice(v);
            self.len += v.len();
        }
    }

    pub fn u32(mut self, v: u32) -> Self {
        self.put(&v.to_ne_bytes());
        self
    }

    pub fn u64(mut self, v: u64) -> Self {
        self.put(&v.to_ne_bytes());
        self
    }

    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// A number of a program's. `EFAULT`.
pub fn read_u32(at: UserPtr) -> Result<u32> {
    let mut b = [0; 4];
    at.read(&mut b)?;
    Ok(u32::from_ne_bytes(b))
}

/// binder_transaction_data, as a command.
pub struct Transaction {
    pub handle: u32,
    pub code: u32,
    pub flags: u32,
    pub data_size: u64,
    pub offsets_size: u64,
    pub buffer: u64,
    pub offsets: u64,
    pub buffers_size: u64, // of those beside it
}

impl Transaction {
    /// Of as many bytes as the command has.
    pub fn decode(b: &[u8]) -> Self {
        let mut r = Reader(b);
        let (target, _cookie) = (r.u64(), r.u64());
        let (code, flags) = (r.u32(), r.u32());
        let _sender = r.u64();
        Self {
            handle: Reader(&target.to_ne_bytes()).u32(), // the union's first four bytes
            code,
            flags,
            data_size: r.u64(),
            offsets_size: r.u64(),
            buffer: r.u64(),
            offsets: r.u64(),
            buffers_size: r.u64(),
        }
    }
}

/// flat_binder_object.
#[derive(Clone, Copy)]
pub struct Object {
    pub kind: u32,
    pub flags: u32,
    pub binder: u64, // or a handle, in the first four bytes
    pub cookie: u64,
}

impl Object {
    pub fn decode(b: &[u8]) -> Self {
        let mut r = Reader(b);
        Self { kind: r.u32(), flags: r.u32(), binder: r.u64(), cookie: r.u64() }
    }

    pub fn encode(self) -> Writer<OBJECT> {
        Writer::new().u32(self.kind).u32(self.flags).u64(self.binder).u64(self.cookie)
    }

    pub fn handle(self) -> u32 {
        Reader(&self.binder.to_ne_bytes()).u32()
    }

    /// The same as a handle of another process.
    pub fn as_handle(self, strong: bool, handle: u32) -> Self {
        let w = Writer::<8>::new().u32(handle).u32(0);
        Self {
            kind: if strong { HANDLE } else { WEAK_HANDLE },
            binder: Reader(w.bytes()).u64(),
            cookie: 0,
            ..self
        }
    }
}

/// binder_buffer_object.
pub struct Pointer {
    pub flags: u32,
    pub buffer: u64,
    pub length: u64,
    pub parent: u64, // an index of an object
    pub parent_offset: u64,
}

impl Pointer {
    pub fn decode(b: &[u8]) -> Self {
        let mut r = Reader(b);
        let _kind = r.u32();
        Self {
            flags: r.u32(),
            buffer: r.u64(),
            length: r.u64(),
            parent: r.u64(),
            parent_offset: r.u64(),
        }
    }

    pub fn encode(&self) -> Writer<OBJECT_OF_POINTER> {
        Writer::new()
            .u32(POINTER)
            .u32(self.flags)
            .u64(self.buffer)
            .u64(self.length)
            .u64(self.parent)
            .u64(self.parent_offset)
    }

    pub fn has_parent(&self) -> bool {
        self.flags & FLAG_HAS_PARENT != 0
    }
}

/// binder_fd_array_object.
pub struct Descriptors {
    pub count: u64,
    pub parent: u64,
    pub parent_offset: u64,
}

impl Descriptors {
    pub fn decode(b: &[u8]) -> Self {
        let mut r = Reader(b);
        let _kind = r.u64(); // and nothing
        Self { count: r.u64(), parent: r.u64(), parent_offset: r.u64() }
    }
}
