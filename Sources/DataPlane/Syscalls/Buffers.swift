import CLinux
import Glibc

/// A piece of memory on loan from a pool, or none.
///
/// A plain value, so that it fits into a slab's record. Whoever holds it gives it back once, and does not use it afterwards.
@safe
public struct Buffer: BitwiseCopyable {
    @usableFromInline var base: UnsafeMutableRawPointer?
    /// In bytes; 0 when there is none.
    public let capacity: Int32

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

/// A worker's buffers: two sizes, reused, and a bound on the sum of those on loan.
public struct BufferPool: ~Copyable {
    /// Holds all but the largest hellos and request heads, and one page costs no more.
    @inlinable public static var small: Int32 { 4096 }
    /// 68 KiB: as much as one read of the relay takes, and enough for the largest hello that is accepted, in all its records.
    @inlinable public static var large: Int32 { 69632 }
    /// Idle buffers that are kept for reuse, of each size; the rest goes back to the allocator.
    private static let most = 256

    private var smalls: [Buffer] = []
    private var larges: [Buffer] = []
    public private(set) var bytesOnLoan = 0
    public let bytesLimit: Int

    public init(bytesLimit: Int) {
        self.bytesLimit = bytesLimit
        smalls.reserveCapacity(BufferPool.most)
        larges.reserveCapacity(BufferPool.most)
    }

    /// Whether more than half of the limit is on loan, to slow peers and to those who have not said yet where they want to go. Then
    /// nobody gets a large buffer, so that the other half goes to many small ones rather than to a few who hoard.
    public var isScarce: Bool { bytesOnLoan > bytesLimit / 2 }

    /// How much to read at a time, since all of it may have to be kept.
    @inlinable public var mostToRead: Int { Int(isScarce ? BufferPool.small : BufferPool.large) }

    /// A buffer of at least `count` bytes (at most `large`), or none when the limit is reached.
    public mutating func take(_ count: Int) -> Buffer {
        let capacity = count <= Int(BufferPool.small) ? BufferPool.small : BufferPool.large
        precondition(count <= Int(capacity))
        guard bytesOnLoan + Int(capacity) <= bytesLimit else { return Buffer() }
        bytesOnLoan += Int(capacity)
        if capacity == BufferPool.small, let buffer = smalls.popLast() { return buffer }
        if capacity == BufferPool.large, let buffer = larges.popLast() { return buffer }
        return unsafe Buffer(.allocate(byteCount: Int(capacity), alignment: 64), capacity)
    }

    /// A buffer of just that size, for once, or none when the limit is reached.
    public mutating func take(exactly count: Int) -> Buffer {
        guard bytesOnLoan + count <= bytesLimit else { return Buffer() }
        bytesOnLoan += count
        return unsafe Buffer(.allocate(byteCount: count, alignment: 64), Int32(count))
    }

    /// Takes a buffer back and leaves none in its place.
    public mutating func give(_ buffer: inout Buffer) {
        guard let base = unsafe buffer.base else { return }
        bytesOnLoan -= Int(buffer.capacity)
        if buffer.capacity == BufferPool.small, smalls.count < BufferPool.most {
            smalls.append(buffer)
        } else if buffer.capacity == BufferPool.large, larges.count < BufferPool.most {
            larges.append(buffer)
        } else {
            unsafe base.deallocate()
        }
        buffer = Buffer()
    }

    /// A buffer outside any limit, for the life of the process: a worker's scratch memory.
    public static func scratch() -> Buffer {
        unsafe Buffer(.allocate(byteCount: Int(large), alignment: 4096), large)
    }
}
