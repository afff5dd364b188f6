import JSON
import Testing

@Suite struct `A JSON value` {
    let value: JSONValue = [
        "text": "a", "integer": 3, "number": .number(0.5), "bool": false, "null": .null, "list": ["a", 1, .null, "b"],
        "object": ["inner": [["deep": true]]],
    ]

    @Test func `gives what it holds, and nothing where that is of another kind`() {
        #expect(value["text"].text == "a" && value["integer"].text == nil)
        #expect(value["integer"].integer == 3 && value["number"].integer == nil && value["text"].integer == nil)
        #expect(value["number"].number == 0.5 && value["integer"].number == 3 && value["text"].number == nil)
        #expect(value["bool"].bool == false && value["null"].bool == nil)
        #expect(value["list"].items.count == 4 && value["object"].items.isEmpty)
        #expect(value["list"].texts == ["a", "b"] && value["text"].texts.isEmpty)
        #expect(value["object"].members.keys == ["inner"] && value["list"].members.isEmpty)
        #expect(value["object"].object != nil && value["list"].object == nil)
        #expect(value["null"].isNull && !value["bool"].isNull)
    }

    @Test func `has null for a member or an element that is not there, however deep one asks`() {
        #expect(value["object"]["inner"][0]["deep"] == true)
        #expect(value["object"]["inner"][1]["deep"].isNull)
        #expect(value["list"][1] == 1 && value["list"][4].isNull && value["list"][-1].isNull)
        #expect(value["text"]["host"][0]["deeper"].isNull)
        #expect(value["object"][0].isNull && value["list"]["a"].isNull)
    }

    @Test func `is the same in a set, whatever the order of its members`() {
        let values: Set<JSONValue> = [["a": 1, "b": [.null]], ["b": [.null], "a": 1], ["a": 1, "b": []]]
        #expect(values.count == 2)
    }
}

@Suite struct `A JSON object` {
    @Test func `keeps its members in the order in which they were added`() {
        var object: JSONObject = ["b": 1, "a": 2]
        object["c"] = .null
        object["b"] = 3
        #expect(object.keys == ["b", "a", "c"])
        object["b"] = nil
        #expect(object.keys == ["a", "c"] && object["b"] == nil && object["c"] == .null)
    }

    @Test func `has of several members of one name the last`() {
        #expect(JSONObject([("a", 1), ("b", 2), ("a", 3)]) == ["a": 3, "b": 2])
    }

    @Test func `is joined with another, whose members count`() {
        let object: JSONObject = ["a": 1, "b": 2]
        #expect(object.adding(["b": .null, "c": 3]) == ["a": 1, "b": .null, "c": 3])
        #expect(object.adding([:]) == object && !object.isEmpty && JSONObject().isEmpty)
    }
}
