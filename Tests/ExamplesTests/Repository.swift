import Foundation

/// The files of this repository.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func data(of path: String) throws -> Data { try Data(contentsOf: root.appending(path: path)) }

    static func bytes(of path: String) throws -> [UInt8] { [UInt8](try data(of: path)) }

    static func text(of path: String) throws -> String { String(decoding: try data(of: path), as: UTF8.self) }

    /// A program of this build.
    static func program(_ name: String) -> String { root.appending(path: ".build/debug/\(name)").path }
}
