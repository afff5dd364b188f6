public import CLinux

/// Plain records on their way from one thread to another: a ring without a lock. One thread appends, one takes.
///
/// It lives as long as the process, as a slab does; places that no record has used cost nothing.
@safe
public struct RecordRing<Record: BitwiseCopyable>: @unchecked Sendable {
    // Sendable: a record is written before the mark behind it is set, and read only after that mark was seen.
    @usableFromInline let places: UnsafeMutablePointer<Record>
    /// How many were appended and, a cache line further, how many were taken.
    @usableFromInline let marks: UnsafeMutablePointer<UInt64>
    @usableFromInline let mask: UInt64
    @usableFromInline static var taken: Int { 8 }

    /// Holds `capacity` records, a power of two.
    public init(capacity: Int) throws(SystemCallError) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0)
        guard let memory = unsafe linux_reserve_memory(capacity * MemoryLayout<Record>.stride),
            let words = unsafe linux_reserve_memory(128)
        else { throw SystemCallError("mmap", code: 12) }
        unsafe places = memory.bindMemory(to: Record.self, capacity: capacity)
        unsafe marks = words.bindMemory(to: UInt64.self, capacity: 16)
        mask = UInt64(capacity - 1)
    }

    /// Appends a record; false when the ring is full. For one thread.
    @inlinable public func append(_ record: Record) -> Bool {
        let appended = unsafe linux_counter_read(marks)
        guard unsafe appended &- linux_mark_read(marks + RecordRing.taken) <= mask else { return false }
        unsafe places[Int(appended & mask)] = record
        unsafe linux_mark_set(marks, appended &+ 1)
        return true
    }

    /// Takes the record that was appended first; nil when there is none. For one thread.
    @inlinable public func takeFirst() -> Record? {
        let taken = unsafe linux_counter_read(marks + RecordRing.taken)
        guard unsafe linux_mark_read(marks) != taken else { return nil }
        let record = unsafe places[Int(taken & mask)]
        unsafe linux_mark_set(marks + RecordRing.taken, taken &+ 1)
        return record
    }
}
