public import SagaCore
import SagaWire

/// How a namespace fares.
public struct NamespaceStatus: Sendable {
    public struct Partition: Sendable {
        public var index: Int
        /// The owner's name; nil where nobody owns it.
        public var owner: String?
        public var epoch: Int64
        public var era: Int64
        /// Time until the lease runs out, where it is not renewed.
        public var leaseLeft: Milliseconds
        /// Sagas that are not ended, and ended ones that are still there.
        public var open: Int
        public var ended: Int
        /// Inbox entries that are not applied. Exact up to ``NamespaceStatus/exactLag`` a stream; where there are more,
        /// those that are applied and not trimmed yet are counted, too.
        public var lag: Int
        public var dead: Int
    }

    public struct Service: Sendable {
        public var name: String
        /// Commands in its streams: not delivered, not answered, or answered and not trimmed yet.
        public var queued: Int
        /// Commands that were delivered and not answered.
        public var pending: Int
        public var consumers: [Consumer]
    }

    public struct Consumer: Sendable {
        public var name: String
        public var pending: Int
        /// Time since it last asked for commands, in whichever partition that was.
        public var idle: Milliseconds
    }

    public static let exactLag = 256

    public var partitions: [Partition]
    public var services: [Service]
    public var usedMemory: Int64
    public var maxMemory: Int64
    public var redisVersion: String

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.beginArray("partitions")
        for partition in partitions { partition.write(to: &writer) }
        writer.endArray()
        writer.beginArray("services")
        for service in services { service.write(to: &writer) }
        writer.endArray()
        writer.beginObject("redis")
        writer.field("version", redisVersion)
        writer.field("usedMemory", usedMemory)
        writer.field("maxMemory", maxMemory)
        writer.endObject()
        writer.endObject()
    }
}

extension NamespaceStatus.Partition {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("partition", index)
        writer.field("owner", owner)
        writer.field("epoch", epoch)
        writer.field("era", era)
        writer.field("leaseLeft", leaseLeft)
        writer.field("open", open)
        writer.field("ended", ended)
        writer.field("lag", lag)
        writer.field("dead", dead)
        writer.endObject()
    }
}

extension NamespaceStatus.Service {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("name", name)
        writer.field("queued", queued)
        writer.field("pending", pending)
        writer.beginArray("consumers")
        for consumer in consumers {
            writer.beginObject()
            writer.field("name", consumer.name)
            writer.field("pending", consumer.pending)
            writer.field("idle", consumer.idle)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }
}
