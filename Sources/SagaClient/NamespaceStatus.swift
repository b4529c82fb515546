public import SagaCore
import SagaWire

/// How a namespace fares.
public struct NamespaceStatus: Sendable {
    public struct Partition: Sendable {
        public var index: Int
        /// The owner's name; nil where nobody owns it.
        public var owner: String?
        /// The owner's process, as in ``NamespaceStatus/members``; empty where it doesn't tell.
        public var instance: String
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

        package init(
            index: Int, owner: String? = nil, instance: String = "", epoch: Int64 = 0, era: Int64 = 0,
            leaseLeft: Milliseconds = 0,
            open: Int = 0, ended: Int = 0, lag: Int = 0, dead: Int = 0
        ) {
            self.index = index
            self.owner = owner
            self.instance = instance
            self.epoch = epoch
            self.era = era
            self.leaseLeft = leaseLeft
            self.open = open
            self.ended = ended
            self.lag = lag
            self.dead = dead
        }
    }

    /// An orchestrator, as its heartbeats tell it.
    public struct Member: Sendable, Hashable {
        public var name: String
        /// Random text: tells two processes of one name apart.
        public var instance: String
        /// Time since its last heartbeat.
        public var age: Milliseconds
        /// Time without a heartbeat after which it counts as gone.
        public var lease: Milliseconds
        /// Whether it is handing its partitions over.
        public var isLeaving: Bool
        /// Partitions that it owns, and that it is to own.
        public var held: Int
        public var share: Int

        public var isGone: Bool { age > lease }

        package init(
            name: String, instance: String, age: Milliseconds = 0, lease: Milliseconds = 3_000,
            isLeaving: Bool = false, held: Int = 0, share: Int = 0
        ) {
            self.name = name
            self.instance = instance
            self.age = age
            self.lease = lease
            self.isLeaving = isLeaving
            self.held = held
            self.share = share
        }
    }

    public struct Service: Sendable {
        public var name: String
        /// Commands in its streams: not delivered, not answered, or answered and not trimmed yet.
        public var queued: Int
        /// Commands that were delivered and not answered.
        public var pending: Int
        public var consumers: [Consumer]

        package init(name: String, queued: Int = 0, pending: Int = 0, consumers: [Consumer] = []) {
            self.name = name
            self.queued = queued
            self.pending = pending
            self.consumers = consumers
        }
    }

    public struct Consumer: Sendable {
        public var name: String
        public var pending: Int
        /// Time since it last asked for commands, in whichever partition that was.
        public var idle: Milliseconds

        package init(name: String, pending: Int, idle: Milliseconds) {
            self.name = name
            self.pending = pending
            self.idle = idle
        }
    }

    public static let exactLag = 256

    public var partitions: [Partition]
    /// Orchestrators by name: those that run, and those that have not been heard of for less than twenty leases.
    public var members: [Member]
    public var services: [Service]
    public var usedMemory: Int64
    public var maxMemory: Int64
    public var redisVersion: String
    /// Why no sagas are begun; nil where they are.
    public var overload: String?

    package init(
        partitions: [Partition], members: [Member] = [], services: [Service] = [], usedMemory: Int64 = 0,
        maxMemory: Int64 = 0, redisVersion: String = "", overload: String? = nil
    ) {
        self.overload = overload
        self.partitions = partitions
        self.members = members
        self.services = services
        self.usedMemory = usedMemory
        self.maxMemory = maxMemory
        self.redisVersion = redisVersion
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.beginArray("partitions")
        for partition in partitions { partition.write(to: &writer) }
        writer.endArray()
        writer.beginArray("members")
        for member in members { member.write(to: &writer) }
        writer.endArray()
        writer.beginArray("services")
        for service in services { service.write(to: &writer) }
        writer.endArray()
        writer.beginObject("redis")
        writer.field("version", redisVersion)
        writer.field("usedMemory", usedMemory)
        writer.field("maxMemory", maxMemory)
        writer.field("overloaded", overload)
        writer.endObject()
        writer.endObject()
    }
}

extension NamespaceStatus.Partition {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("partition", index)
        writer.field("owner", owner)
        writer.field("instance", owner == nil ? nil : instance)
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

extension NamespaceStatus.Member {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("name", name)
        writer.field("instance", instance)
        writer.field("heartbeatAge", age)
        writer.field("lease", lease)
        writer.field("state", isGone ? "gone" : isLeaving ? "leaving" : "present")
        writer.field("held", held)
        writer.field("share", share)
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
