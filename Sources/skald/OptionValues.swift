import ArgumentParser
import Foundation
import SagaCore

/// What options take, and what they say of a value that they don't.

/// A label: `tier=gold`.
func label(_ text: String) throws -> (name: String, value: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, Names.isName(parts[0]) else {
        throw ValidationError("--label takes NAME=VALUE, not '\(text)'")
    }
    return (String(parts[0]), String(parts[1]))
}

/// A duration.
func milliseconds(_ text: String, _ option: String) throws -> Milliseconds {
    guard let span = DurationText.parse(text) else {
        throw ValidationError("\(option) takes a duration such as 250ms, 30s, 15m, 48h or 7d, not '\(text)'")
    }
    return span
}

/// An instant.
///
/// - Parameter now: Where present, a duration is as long before it.
func instant(_ text: String, _ option: String, now: Milliseconds? = nil) throws -> Milliseconds {
    if let instant = InstantText.parse(text) { return instant }
    if let instant = Milliseconds(text), instant >= 0 { return instant }
    if let now, let ago = DurationText.parse(text) { return max(0, now - ago) }
    let ago = now == nil ? "" : ", or a duration ago such as 2h"
    throw ValidationError(
        "\(option) takes a time such as 2026-12-24T18:00:00Z, or Unix milliseconds\(ago), not '\(text)'")
}

/// A payload: JSON as it was written, or whatever a file or standard input holds.
func payload(_ text: String, _ option: String) throws -> [UInt8] {
    if text == "-" { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
    guard text.hasPrefix("@") else {
        do {
            _ = try JSON.parse(Array(text.utf8))
        } catch {
            throw ValidationError("\(option) takes JSON, @FILE or -: \(error)")
        }
        return Array(text.utf8)
    }
    let file = String(text.dropFirst())
    guard let content = FileManager.default.contents(atPath: file) else {
        throw fail("the file '\(file)' cannot be read")
    }
    return Array(content)
}
