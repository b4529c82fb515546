import Foundation
import SagaScripts
import Testing

/// Every script says what it does, in the form that `lua/` has agreed on, and does it in the order that it must.
@Suite struct HeaderTests {
    /// One is another one's text, with a flag.
    static let names = SagaScripts.all.map(\.name).filter { $0 != "partition_settle" }
    private static let types = ["hash", "list", "sorted set", "stream", "string"]
    private static let writes = [
        "HSET", "HDEL", "HINCRBY", "RPUSH", "LPUSH", "ZADD", "ZREM", "XADD", "XTRIM", "XDEL", "XACK", "XGROUP", "SET",
        "DEL", "EXPIRE", "PEXPIREAT",
    ]

    @Test func everyFileIsAmongTheScriptsAndEveryScriptIsAFile() throws {
        #expect(try ScriptFile.names() == Self.names.sorted())
    }

    @Test(arguments: names)
    func theFirstLineSaysLuaAndTheNextOnesThePurpose(_ name: String) throws {
        let file = try ScriptFile(name)
        let flags = file.firstLine.dropFirst("#!lua".count)
        #expect(file.firstLine.hasPrefix("#!lua"))
        #expect(["", " flags=no-writes", " flags=allow-oom"].contains(String(flags)))
        let purpose = file.header.prefix { !$0.isEmpty }.joined()
        #expect(purpose.wholeMatch(of: #/ [A-Z].+\./#) != nil, "\(purpose)")
    }

    @Test(arguments: names)
    func allArgumentsAreDescribedAndOnlyThose(_ name: String) throws {
        let file = try ScriptFile(name)
        for array in ["KEYS", "ARGV"] {
            let parameters = try file.parameters(array)
            #expect(parameters.map(\.number) == Array(1..<parameters.count + 1), "\(array) in order, without a gap")
            let fixed = Set(parameters.filter { !$0.isOpen }.map(\.number))
            #expect(try file.numbers(of: array) == fixed.subtracting(Self.copied(file, array)), "\(array)")
            #expect(try file.computesIndex(of: array) == parameters.contains(where: \.isOpen), "\(array)")
            #expect(parameters.dropLast().allSatisfy { !$0.isOpen }, "\(array): only the last one is open")
            guard array == "KEYS" else { continue }
            for parameter in parameters {
                #expect(Self.types.contains { parameter.meaning.hasPrefix($0) }, "\(parameter.meaning)")
            }
        }
    }

    /// Arguments that the body reaches by a computed index only.
    private static func copied(_ file: ScriptFile, _ array: String) -> Set<Int> {
        // The dead letters' sources, which come as indexes.
        file.name == "partition_commit" && array == "KEYS" ? [6, 7, 8] : []
    }

    @Test(arguments: names)
    func statusesRepetitionAndCostAreDescribed(_ name: String) throws {
        let file = try ScriptFile(name)
        let returns = try #require(file.section("Returns"))
        #expect(try #require(file.section("Repeat")).count > 5)
        #expect(try #require(file.section("Complexity")).hasPrefix("O("))
        // Every status word in the body is described.
        for match in file.body.matches(of: #/return \{'([a-z]+)'/#) {
            #expect(returns.contains("'\(match.output.1)'"), "\(match.output.1)")
        }
    }

    @Test(arguments: names)
    func argumentsAreBoundToNamesAtTheTop(_ name: String) throws {
        let file = try ScriptFile(name)
        let lines = file.body.split(separator: "\n").filter { !$0.hasPrefix("--") }
        #expect(lines.first?.wholeMatch(of: #/local .+ = KEYS\[1\].*/#) != nil)
    }

    @Test(arguments: names)
    func includesAreResolved(_ name: String) throws {
        let script = try #require(SagaScripts.all.first { $0.name == name })
        let source = String(decoding: script.source, as: UTF8.self)
        #expect(!source.contains("--!include"))
        for match in try ScriptFile(name).body.matches(of: #/--!include (\w+)/#) {
            let part = try String(
                contentsOf: ScriptFile.folder.appending(path: "../lib/\(match.output.1).lua"), encoding: .utf8)
            #expect(source.contains(part))
        }
    }

    @Test(arguments: names)
    func noErrorOfAWriteIsSwallowed(_ name: String) throws {
        let body = try ScriptFile(name).body
        #expect(!body.contains("pcall"))
    }

    /// Scripts do not roll back, so whatever can fail or be refused comes before the first write.
    @Test(arguments: names)
    func nothingIsReadAfterTheFirstWrite(_ name: String) throws {
        let file = try ScriptFile(name)
        let parts = file.body.split(separator: "\n-- Writes.\n", maxSplits: 1).map(String.init)
        let call = #/redis\.call\('([A-Z]+)'/#
        let before = parts[0].matches(of: call).map { String($0.output.1) }
        #expect(before.allSatisfy { !Self.writes.contains($0) }, "\(before)")
        guard parts.count == 2 else {
            #expect(file.firstLine.contains("no-writes"))
            return
        }
        let after = parts[1].matches(of: call).map { String($0.output.1) }
        #expect(!after.isEmpty && after.allSatisfy { Self.writes.contains($0) }, "\(after)")
        for included in ["fence(", "clock(", "identity("] {
            #expect(!parts[1].contains(included), "\(included)")
        }
    }

    @Test func scriptsHaveNamesOfTheirOwn() {
        #expect(Set(Self.names).count == Self.names.count)
        #expect(Set(SagaScripts.all.map(\.source)).count == SagaScripts.all.count)
    }
}
