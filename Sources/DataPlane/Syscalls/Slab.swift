public import CLinux

/// What names a place in a slab. Each kind of record has an index type of its own, so that two of them cannot change
/// places.
public protocol SlabIndex: BitwiseCopyable, Sendable {
    /// From 0 up to the slab's capacity.
    var place: Int32 { get }
}

extension Int32: SlabIndex {
    @inlinable public var place: Int32 { @inline(__always) get { self } }
}

/// A fixed number of plain records in memory of their own; those never touched cost nothing.
///
/// A slab lives as long as the process: it is a view that may be copied freely, and copying one into a local keeps its
/// base in a register. An index outside it is a mistake of ours and stops the process.
@safe
public struct Slab<Index: SlabIndex, Element: BitwiseCopyable>: @unchecked Sendable {
    // Shared by reference on purpose; who may touch which record is the owner's rule (one worker, one slab).
    @usableFromInline let base: UnsafeMutablePointer<Element>
    public let capacity: Int32

    /// Reserves room for `capacity` records, all bits zero.
    public init(capacity: Int) throws(SystemCallError) {
        let bytes = max(1, capacity) * MemoryLayout<Element>.stride
        guard let memory = unsafe linux_reserve_memory(bytes) else { throw SystemCallError("mmap", code: 12) }
        unsafe base = memory.bindMemory(to: Element.self, capacity: capacity)
        self.capacity = Int32(capacity)
    }

    @inlinable public subscript(_ index: Index) -> Element {
        @inline(__always) unsafeAddress {
            precondition(UInt32(bitPattern: index.place) < UInt32(bitPattern: capacity))
            return unsafe UnsafePointer(base + Int(index.place))
        }
        @inline(__always) nonmutating unsafeMutableAddress {
            precondition(UInt32(bitPattern: index.place) < UInt32(bitPattern: capacity))
            return unsafe base + Int(index.place)
        }
    }
}

/// Records that are written once, before they are shared, and then only read, by any thread, without a lock or a
/// reference count.
///
/// The owner (a class, on whose `deinit` it calls `free()`) must outlive every reader.
@safe
public struct FrozenArray<Element: BitwiseCopyable>: @unchecked Sendable, BitwiseCopyable {
    // Sendable: nothing is written after `init`.
    @usableFromInline let base: UnsafeMutablePointer<Element>
    public let count: Int

    /// Copies `elements` as one block: one by one each would cost several calls, since this generic is not specialised
    /// for other modules.
    public init(_ elements: [Element]) {
        let room = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        unsafe elements.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe room.initialize(from: start, count: source.count)
        }
        unsafe base = room
        count = elements.count
    }

    /// Gives the memory back. Nothing may read the array afterwards.
    public func free() { unsafe base.deallocate() }

    @inlinable public subscript(_ index: Int) -> Element {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe base[index]
        }
    }

    /// The elements of `range` as a span; valid while the array is.
    @inlinable public func withSpan<Result>(_ start: Int, _ length: Int, _ body: (Span<Element>) -> Result) -> Result {
        precondition(start >= 0 && length >= 0 && start <= count - length)
        return unsafe body(UnsafeBufferPointer(start: base + start, count: length).span)
    }
}

/// Counters that one thread adds to and any thread may read.
@safe
public struct CounterBlock: @unchecked Sendable {
    // Sendable: every access is a relaxed atomic; one thread writes.
    @usableFromInline let base: UnsafeMutablePointer<UInt64>
    public let count: Int

    public init(count: Int) throws(SystemCallError) {
        guard let memory = unsafe linux_reserve_memory(max(1, count) * 8) else {
            throw SystemCallError("mmap", code: 12)
        }
        unsafe base = memory.bindMemory(to: UInt64.self, capacity: count)
        self.count = count
    }

    /// Only the thread that owns the block may add.
    @inlinable @inline(__always) public func add(_ amount: UInt64, at index: Int) {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        unsafe linux_counter_add(base + index, amount)
    }

    @inlinable public func read(_ index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        return unsafe linux_counter_read(base + index)
    }
}

/// Numbers that every thread may change, without a lock. Those never touched are 0 and cost nothing.
@safe
public struct AtomicWords: @unchecked Sendable {
    // Sendable: every access is a relaxed atomic. No word says anything about another one.
    @usableFromInline let base: UnsafeMutablePointer<UInt64>
    public let count: Int

    public init(count: Int) throws(SystemCallError) {
        guard let memory = unsafe linux_reserve_memory(max(1, count) * 8) else {
            throw SystemCallError("mmap", code: 12)
        }
        unsafe base = memory.bindMemory(to: UInt64.self, capacity: count)
        self.count = count
    }

    @inlinable @inline(__always) public subscript(_ index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        return unsafe linux_counter_read(base + index)
    }

    /// Makes the word `new` if it is `old` still.
    @inlinable @inline(__always) public func replace(_ index: Int, _ old: UInt64, with new: UInt64) -> Bool {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        return unsafe linux_word_replace(base + index, old, new) != 0
    }

    /// Adds, wrapping, and tells the sum.
    @inlinable @inline(__always) @discardableResult
    public func add(_ amount: UInt64, at index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        return unsafe linux_word_add(base + index, amount)
    }
}
