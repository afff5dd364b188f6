import CLinux
import Glibc

/// A piece of memory on loan from a pool, or none.
///
/// A plain value, so that it fits into a slab's record. Whoever holds it gives it back once, and does not use it
/// afterwards.
@safe
public struct Buffer: BitwiseCopyable {
    @usableFromInline var base: UnsafeMutableRawPointer?
    /// In bytes; 0 when there is none.
    public let capacity: Int32
    /// On whose account it is lent.
    var holder = BufferAccounts.openings

    @inlinable public init() { unsafe self.init(nil, 0) }

    @usableFromInline init(_ base: UnsafeMutableRawPointer?, _ capacity: Int32) {
        unsafe self.base = base
        self.capacity = capacity
    }

    @inlinable public var exists: Bool { unsafe base != nil }

    /// Where byte `offset` lies, with at least `count` bytes behind it.
    @inlinable @inline(__always) func address(_ offset: Int, _ count: Int) -> UnsafeMutableRawPointer {
        precondition(offset >= 0 && count >= 0 && offset <= Int(capacity) - count)
        guard let base = unsafe base else { preconditionFailure("a buffer that was never taken") }
        return unsafe base + offset
    }

    /// Calls `body` with the bytes from `offset` on.
    @inlinable @inline(__always)
    public func withSpan<Result>(_ offset: Int, _ count: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        let start = unsafe UnsafePointer(address(offset, count).assumingMemoryBound(to: UInt8.self))
        return unsafe body(UnsafeBufferPointer(start: start, count: count).span)
    }

    /// Calls `body` with the bytes from `offset` on, to be written.
    @inlinable @inline(__always)
    public func withMutableSpan<Result>(_ offset: Int, _ count: Int, _ body: (inout MutableSpan<UInt8>) -> Result)
        -> Result
    {
        let start = unsafe address(offset, count).assumingMemoryBound(to: UInt8.self)
        var span = unsafe MutableSpan(_unsafeElements: UnsafeMutableBufferPointer(start: start, count: count))
        return body(&span)
    }

    /// Copies `count` bytes into this buffer; the ranges may overlap when both are of one buffer.
    public func copy(_ count: Int, from source: Buffer, at sourceOffset: Int, to offset: Int) {
        unsafe memmove(address(offset, count), source.address(sourceOffset, count), count)
    }

    public func copy(from bytes: Span<UInt8>, to offset: Int) {
        let target = unsafe address(offset, bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe memcpy(target, start, source.count)
        }
    }
}

/// A worker's buffers: three sizes, reused, and each on somebody's account.
public struct BufferPool: ~Copyable {
    /// Holds all but the largest hellos and request heads, and one page costs no more.
    @inlinable public static var small: Int32 { 4096 }
    /// 16 KiB: the heads that endpoints accept (nginx 8 KiB each line, Apache 8 KiB each field, Node 16 KiB in all),
    /// hellos with the keys of post-quantum groups, and what is left of a read for a slow peer.
    @inlinable public static var middle: Int32 { 16384 }
    /// 68 KiB: as much as one read of the relay takes, and enough for the largest hello that is accepted, in all its
    /// records.
    @inlinable public static var large: Int32 { 69632 }
    /// Idle buffers that are kept for reuse, of each size; the rest goes back to the allocator.
    private static let most = 256

    private var smalls: [Buffer] = []
    private var middles: [Buffer] = []
    private var larges: [Buffer] = []
    public private(set) var accounts: BufferAccounts

    public init(accounts: BufferAccounts) {
        self.accounts = accounts
        smalls.reserveCapacity(BufferPool.most)
        middles.reserveCapacity(BufferPool.most)
        larges.reserveCapacity(BufferPool.most)
    }

    /// The size of the buffer that `count` bytes get. More than `large` get one of just that size.
    @inlinable public static func capacity(for count: Int) -> Int {
        if count <= Int(small) { return Int(small) }
        if count <= Int(middle) { return Int(middle) }
        return max(count, Int(large))
    }

    /// A buffer of at least `count` bytes on the account of `holder`, or none when its account has no room.
    public mutating func lend(_ count: Int, for holder: Int32) -> Buffer {
        let capacity = BufferPool.capacity(for: count)
        guard accounts.hasRoom(capacity, for: holder) else { return Buffer() }
        accounts.lend(capacity, to: holder)
        var buffer: Buffer
        if capacity == Int(BufferPool.small), let idle = smalls.popLast() {
            buffer = idle
        } else if capacity == Int(BufferPool.middle), let idle = middles.popLast() {
            buffer = idle
        } else if capacity == Int(BufferPool.large), let idle = larges.popLast() {
            buffer = idle
        } else {
            buffer = unsafe Buffer(.allocate(byteCount: capacity, alignment: 64), Int32(capacity))
        }
        buffer.holder = holder
        return buffer
    }

    /// Puts a buffer on the account of another holder, even if that has no room for it.
    public mutating func move(_ buffer: inout Buffer, to holder: Int32) {
        guard buffer.exists, buffer.holder != holder else { return }
        accounts.takeBack(Int(buffer.capacity), from: buffer.holder)
        accounts.lend(Int(buffer.capacity), to: holder)
        buffer.holder = holder
    }

    /// Takes a buffer back and leaves none in its place.
    public mutating func give(_ buffer: inout Buffer) {
        guard let base = unsafe buffer.base else { return }
        accounts.takeBack(Int(buffer.capacity), from: buffer.holder)
        if buffer.capacity == BufferPool.small, smalls.count < BufferPool.most {
            smalls.append(buffer)
        } else if buffer.capacity == BufferPool.middle, middles.count < BufferPool.most {
            middles.append(buffer)
        } else if buffer.capacity == BufferPool.large, larges.count < BufferPool.most {
            larges.append(buffer)
        } else {
            unsafe base.deallocate()
        }
        buffer = Buffer()
    }

    /// A buffer outside any account, for the life of the process: a worker's scratch memory.
    public static func scratch() -> Buffer {
        unsafe Buffer(.allocate(byteCount: Int(large), alignment: 4096), large)
    }
}
