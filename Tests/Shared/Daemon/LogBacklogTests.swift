import Testing

@testable import Daemon

@Suite struct `The backlog of the log` {
    private func line(_ number: Int, padding: Int = 0) -> [UInt8] {
        Array("\(number)".utf8) + [UInt8](repeating: 0x78, count: padding) + [0x0A]
    }

    @Test func `gives lines back in their order, and says when the writer must be woken`() {
        var backlog = LogBacklog()
        #expect(backlog.isEmpty && backlog.takeFirst() == nil)
        #expect(backlog.append(line(1)) == .first)
        #expect(backlog.append(line(2)) == .queued)
        #expect(backlog.takeFirst() == line(1) && backlog.takeFirst() == line(2) && backlog.takeFirst() == nil)
        #expect(backlog.append(line(3)) == .first)
        #expect(backlog.lost == 0 && backlog.lossToTell() == nil)
    }

    @Test func `keeps the order of many lines that come and go`() {
        var backlog = LogBacklog()
        var (came, gone) = (0, 0)
        for round in 0..<5000 {
            for _ in 0..<(round % 7 == 0 ? 9 : 1) where backlog.append(line(came)) != .lost { came += 1 }
            for _ in 0..<2 {
                guard let next = backlog.takeFirst() else { break }
                #expect(next == line(gone))
                gone += 1
            }
        }
        while let next = backlog.takeFirst() {
            #expect(next == line(gone))
            gone += 1
        }
        #expect(came == gone && backlog.isEmpty)
    }

    @Test func `loses what finds no room, in one gap, and tells of it when half of the room is free`() {
        var backlog = LogBacklog()
        for number in 0..<LogBacklog.mostLines { #expect(backlog.append(line(number)) != .lost) }
        #expect(backlog.append(line(0)) == .lost)
        #expect(backlog.lossToTell() == nil)
        _ = backlog.takeFirst()
        #expect(backlog.append(line(0)) == .lost, "there is room, and the gap is not said yet")
        while backlog.lossToTell() == nil { #expect(backlog.takeFirst() != nil) }
        #expect(backlog.lost == 2)
        #expect(backlog.append(line(0)) == .queued)
        #expect(backlog.lossToTell() == nil, "it is told once")
        var left = 0
        while backlog.takeFirst() != nil { left += 1 }
        #expect(left == LogBacklog.mostLines / 2 + 1)
    }

    @Test func `holds a megabyte of long lines, and no line that is longer`() {
        var backlog = LogBacklog()
        #expect(backlog.append(line(1, padding: LogBacklog.mostBytes)) == .lost)
        #expect(backlog.append(line(2)) == .first, "the long one was lost alone")
        var taken = 1
        while backlog.append(line(taken, padding: 100_000)) != .lost { taken += 1 }
        #expect(taken == LogBacklog.mostBytes / 100_002 + 1)
    }

    @Test func `counts lines that could not be written, and tells of them when one could`() {
        var backlog = LogBacklog()
        _ = backlog.append(line(1))
        _ = backlog.takeFirst()
        backlog.lose()
        #expect(backlog.lost == 1)
        #expect(backlog.append(line(2)) == .first)
        _ = backlog.takeFirst()
        #expect(backlog.lossToTell() == 1)
    }

    @Test func `is open again when nobody is there who could read of a loss`() {
        var backlog = LogBacklog()
        while backlog.append(line(1)) != .lost {}
        while backlog.takeFirst() != nil { backlog.lose() }
        #expect(backlog.append(line(2)) == .first)
    }
}
