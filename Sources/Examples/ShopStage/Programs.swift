import Foundation

/// The programs that lie beside this one.
package struct Programs {
    private let directory: URL

    package init() throws {
        guard let own = Bundle.main.executableURL else { throw StageError("this program cannot find itself") }
        directory = own.resolvingSymlinksInPath().deletingLastPathComponent()
        for name in ["skald", "shop-orders", "shop-inventory", "shop-payments"]
        where !FileManager.default.isExecutableFile(atPath: path(of: name)) {
            throw StageError("\(path(of: name)) is missing: build everything first (make build)")
        }
    }

    func path(of name: String) -> String { directory.appending(path: name).path }
}

/// Why a run of the shop cannot go on: one line.
package struct StageError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
