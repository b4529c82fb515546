package import Foundation

/// The files of this repository, and the programs of this build.
package enum Repository {
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    package static func path(of file: String) -> String { root.appending(path: file).path }

    package static func bytes(of file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: file)))
    }

    package static func text(of file: String) throws -> String {
        String(decoding: try bytes(of: file), as: UTF8.self)
    }

    /// A program of this build.
    package static func program(_ name: String) -> String { path(of: ".build/debug/\(name)") }
}
