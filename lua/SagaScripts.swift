/// The atomic scripts, each as the text that is sent to Redis.
///
/// A script is addressed by its content, so two versions of Skald can run side by side on one server. The sources lie
/// in `lua/scripts`, one file an operation; a line `--!include NAME` is replaced by `lua/lib/NAME.lua`.
public enum SagaScripts {
    /// A script's name and its assembled source.
    public struct Script: Sendable, Hashable {
        public let name: String
        public let source: [UInt8]
    }

    public static let namespaceOpen = assemble("namespace_open", PackageResources.namespace_open_lua)
    public static let definitionRegister = assemble("definition_register", PackageResources.definition_register_lua)
    public static let inboxPeek = assemble("inbox_peek", PackageResources.inbox_peek_lua)
    public static let memberBeat = assemble("member_beat", PackageResources.member_beat_lua)
    public static let partitionCreate = assemble("partition_create", PackageResources.partition_create_lua)
    public static let partitionLook = assemble("partition_look", PackageResources.partition_look_lua)
    public static let partitionTake = assemble("partition_take", PackageResources.partition_take_lua)
    public static let partitionRenew = assemble("partition_renew", PackageResources.partition_renew_lua)
    public static let partitionRelease = assemble("partition_release", PackageResources.partition_release_lua)
    public static let partitionRaise = assemble("partition_raise", PackageResources.partition_raise_lua)
    public static let partitionCommit = assemble("partition_commit", PackageResources.partition_commit_lua)
    /// A commit that starts nothing, which also works on a full server.
    public static let partitionSettle = assemble(
        "partition_settle",
        Array("#!lua flags=allow-oom".utf8) + PackageResources.partition_commit_lua.dropFirst("#!lua".utf8.count))
    public static let namespaceAnnounce = assemble("namespace_announce", PackageResources.namespace_announce_lua)
    public static let partitionRetire = assemble("partition_retire", PackageResources.partition_retire_lua)
    public static let consumerRemove = assemble("consumer_remove", PackageResources.consumer_remove_lua)
    public static let partitionTrim = assemble("partition_trim", PackageResources.partition_trim_lua)

    public static let all = [
        namespaceOpen, definitionRegister, inboxPeek, memberBeat, partitionCreate, partitionLook, partitionTake,
        partitionRenew, partitionRelease, partitionRaise, partitionCommit, partitionRetire, partitionTrim,
        consumerRemove, partitionSettle, namespaceAnnounce,
    ]

    private static let library: [Substring: [UInt8]] = [
        "clock": PackageResources.clock_lua,
        "fence": PackageResources.fence_lua,
        "groups": PackageResources.groups_lua,
        "holder": PackageResources.holder_lua,
        "identity": PackageResources.identity_lua,
        "order": PackageResources.order_lua,
    ]

    private static func assemble(_ name: String, _ text: [UInt8]) -> Script {
        var source: [UInt8] = []
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let directive = "--!include "
            if line.starts(with: directive.utf8) {
                let include = Substring(decoding: line.dropFirst(directive.utf8.count), as: UTF8.self)
                // An unknown name is a mistake in our own files, which the loader's test meets first.
                guard let part = library[include] else { preconditionFailure("\(name) includes unknown \(include)") }
                source += part
            } else {
                source += line
                source.append(UInt8(ascii: "\n"))
            }
        }
        return Script(name: name, source: source)
    }
}
