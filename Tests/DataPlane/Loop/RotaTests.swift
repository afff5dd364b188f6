import Testing

@testable import DataPlane

@Suite struct `A rota` {
    @Test func `gives each item when its turn has come, and not again until another is set`() {
        var rota = Rota<String, String>()
        rota.add("second", for: "b", at: 20)
        rota.add("first", for: "a", at: 10)
        #expect(rota.next == 10)
        #expect(rota.takeDue(now: 9) == nil)
        let first = rota.takeDue(now: 10)
        #expect(first.flatMap { rota[$0] } == "first")
        #expect(rota.takeDue(now: 10) == nil)
        #expect(rota.takeDue(now: 20).flatMap { rota[$0] } == "second")
        #expect(rota.takeDue(now: .max - 1) == nil)
    }

    @Test func `a turn that is set anew replaces the one before, sooner or later`() throws {
        var rota = Rota<String, String>()
        rota.add("item", for: "a", at: 10)
        let number = try #require(rota.number(of: "a"))
        rota.setTurn(number, at: 30)
        #expect(rota.takeDue(now: 29) == nil)
        rota.setTurn(number, at: 5)
        #expect(rota.takeDue(now: 5) == number)
        #expect(rota.takeDue(now: 100) == nil)
        // The same time once more is another turn.
        rota.setTurn(number, at: 5)
        #expect(rota.takeDue(now: 100) == number)
        #expect(rota.takeDue(now: 100) == nil)
    }

    @Test func `an item that is taken out has no turn, and its number goes to another`() throws {
        var rota = Rota<String, String>()
        rota.add("one", for: "a", at: 10)
        let number = try #require(rota.number(of: "a"))
        #expect(rota.remove("a") == "one")
        #expect(rota.remove("a") == nil)
        #expect(rota.isEmpty)
        rota.setTurn(number, at: 1)
        #expect(rota.takeDue(now: 100) == nil)
        rota.add("two", for: "b", at: 50)
        #expect(rota.number(of: "b") == number)
        #expect(rota.takeDue(now: 49) == nil)
        #expect(rota.takeDue(now: 50).flatMap { rota[$0] } == "two")
        #expect(Array(rota.keys) == ["b"])
    }
}
