import Domain
import Testing
import Wire

@Suite struct `The image of a snapshot` {
    @Test func `brings back the snapshot, however big`() throws {
        for count in [0, 3, 2000] {
            let snapshot = try Sample.snapshot(version: 42, services: max(1, count), seed: count)
            let octets = try SnapshotImage.octets(of: snapshot)
            #expect(octets.count < SnapshotImage.longest)
            let found = try SnapshotImage.snapshot(in: octets)
            #expect(found == snapshot)
            #expect(found.digest == snapshot.digest)
        }
    }

    @Test func `is not used when a byte is wrong or missing, wherever that is`() throws {
        let octets = try SnapshotImage.octets(of: try Sample.snapshot())
        for place in octets.indices {
            #expect(throws: SealedImage.Unusable.self) {
                try SnapshotImage.snapshot(in: Array(octets.prefix(place)))
            }
            var damaged = octets
            damaged[place] ^= 0x10
            #expect(throws: SealedImage.Unusable.self) { try SnapshotImage.snapshot(in: damaged) }
        }
    }

    @Test func `says what is wrong with it`() throws {
        func problem(_ octets: [UInt8]) -> String? {
            #expect(throws: SealedImage.Unusable.self) { try SnapshotImage.snapshot(in: octets) }?.description
        }
        var octets = try SnapshotImage.octets(of: try Sample.snapshot())
        #expect(problem(Array("something else, and long enough".utf8)) == "it is no image of a snapshot")
        #expect(problem([]) == "it is no image of a snapshot")
        octets[30] ^= 1
        #expect(problem(octets)?.contains("damaged or cut short") == true)
        octets[30] ^= 1
        octets[7] = 9
        #expect(problem(octets) == "it has format 9, and this release reads format 1")
    }
}
