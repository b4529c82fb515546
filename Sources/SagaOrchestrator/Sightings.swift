import SagaCore
import SagaStore

/// Who holds the partitions of others, and for how long nobody showed a sign of life, by this machine's own clock.
///
/// The store's clock alone is no judge: when it jumps forward, every lease has run out at once, and when it falls back,
/// a dead owner's lease goes on for as long.
struct Sightings: Sendable {
    private struct Sighting {
        var holder: TakeOutcome.Holder
        var since: Milliseconds
    }

    private var sightings: [Int: Sighting] = [:]

    /// Notes what was seen.
    ///
    /// - Returns: Whether the holder is dead: its lease has run out and it was seen not to renew it for two rounds, or it
    ///   has not renewed it for longer than the lease.
    mutating func isDead(_ partition: Int, _ occupancy: Occupancy, now: Milliseconds) -> Bool {
        let (holder, hasExpired): (TakeOutcome.Holder, Bool)
        switch occupancy {
        case .free:
            sightings[partition] = nil
            return false
        case .held(let seen): (holder, hasExpired) = (seen, false)
        case .expired(let seen): (holder, hasExpired) = (seen, true)
        }
        guard let sighting = sightings[partition], sighting.holder == holder else {
            sightings[partition] = Sighting(holder: holder, since: now)
            return false
        }
        // Owners renew each fifth of their lease.
        return now - sighting.since > (hasExpired ? holder.lease * 2 / 5 : holder.lease * 6 / 5)
    }

    mutating func forget(_ partition: Int) { sightings[partition] = nil }

    /// What was seen before the store failed says nothing: nobody could renew anything.
    mutating func forgetAll() { sightings.removeAll() }
}
