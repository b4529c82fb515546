import ArgumentParser
import Crypto
import Foundation
import SagaCore
import SagaRedis

/// Prints Redis ACL rules.
struct AccessControl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acl",
        abstract: "Print the Redis ACL rule that lets a role do its part in the namespace, and no more.",
        discussion: """
            The line is a command for redis-cli ('skald acl viewer --password-file F | redis-cli'); with --file it is \
            one for an ACL file. Needs no connection, and changes nothing. Without --password-file, the rule holds \
            '#\(AccessRules.placeholder)' in place of the password's SHA-256, and Redis refuses it: put '#' and 64 hex \
            digits there, or '>' and the password. Switch the user 'default' off once your own can connect.
            """,
        subcommands: [
            ServiceRule.self, OrchestratorRule.self, StarterRule.self, OperatorRule.self, ViewerRule.self,
        ])
}

/// What all roles take.
struct RuleOptions: ParsableArguments {
    @OptionGroup var global: GlobalOptions
    @Option(help: ArgumentHelp("The user's name.", discussion: "Default: skald- and the role.")) var user: String?
    @Option(help: ArgumentHelp("Take the password from this file; - is standard input.", valueName: "file"))
    var passwordFile: String?
    @Flag(name: .customLong("file"), help: "A line for an ACL file, not a command.") var isForFile = false

    func printRule(of role: AccessRole) throws {
        let name = user ?? role.defaultUser
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != 0x22 && $0 != 0x27 }) else {
            throw ValidationError("--user takes a name without spaces, quotes and control characters, not '\(name)'")
        }
        let rules = AccessRules(role, in: try global.checkedNamespace)
        let rule = rules.user(name, passwordDigest: try passwordDigest() ?? AccessRules.placeholder)
        if global.json {
            printJSON { writer in
                writer.beginObject()
                writer.field("user", name)
                writer.field("namespace", rules.namespace)
                writer.field("rule", rule)
                writer.endObject()
            }
        } else {
            print((isForFile ? "user " : "ACL SETUSER ") + rule)
        }
        guard passwordFile == nil else { return }
        let note =
            "'#\(AccessRules.placeholder)' stands for the password's SHA-256: put it there, or use --password-file"
        FileHandle.standardError.write(Data("skald: \(note)\n".utf8))
    }

    /// The SHA-256 of the file's content, without the line end that editors put there.
    private func passwordDigest() throws -> String? {
        guard let passwordFile else { return nil }
        let content =
            passwordFile == "-"
            ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: passwordFile)
        guard var password = content else { throw fail("the file '\(passwordFile)' cannot be read") }
        if password.last == UInt8(ascii: "\n") { password.removeLast() }
        if password.last == UInt8(ascii: "\r") { password.removeLast() }
        guard !password.isEmpty else { throw fail("the file '\(passwordFile)' holds no password") }
        guard !password.contains(UInt8(ascii: "\n")) else {
            throw fail("the file '\(passwordFile)' holds more than one line: it should hold the password alone")
        }
        let digits = Array("0123456789abcdef")
        return String(SHA256.hash(data: password).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

struct ServiceRule: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service", abstract: "All instances of a service: its commands, its replies.")
    @OptionGroup var options: RuleOptions
    @Argument(help: "The service's name, as definitions have it.") var name: String

    func run() throws {
        guard Names.isName(name) else {
            throw ValidationError("'\(name)' is no service's name: use 1 to 64 of A-Z a-z 0-9 . _ -")
        }
        try options.printRule(of: .service(name))
    }
}

struct OrchestratorRule: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orchestrator", abstract: "The coordinator: everything in the namespace, nothing outside.")
    @OptionGroup var options: RuleOptions

    func run() throws { try options.printRule(of: .orchestrator) }
}

struct StarterRule: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "starter", abstract: "Starts sagas and waits for their ends.")
    @OptionGroup var options: RuleOptions

    func run() throws { try options.printRule(of: .starter) }
}

struct OperatorRule: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Sees, registers definitions, starts and steers sagas.")
    @OptionGroup var options: RuleOptions

    func run() throws { try options.printRule(of: .operator) }
}

struct ViewerRule: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "viewer", abstract: "Sees everything but secrets, changes nothing.")
    @OptionGroup var options: RuleOptions

    func run() throws { try options.printRule(of: .viewer) }
}
