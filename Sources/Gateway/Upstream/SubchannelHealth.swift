import Logging

// Whether an address serves, as its health service tells: one reactor watches it, and all go by that (gRFC A17).
extension Subchannel {
    /// Begins to watch the health of the address, unless another reactor does. Where no connection has room for the
    /// stream of a watch, that is done when one has.
    func watchHealth() {
        guard let service = channel.healthService, watch == nil else { return }
        guard let connection = connectionWithRoom else {
            awaitsRoomToWatch = true
            return
        }
        awaitsRoomToWatch = false
        guard endpoint.claimWatch() else { return }
        let begun = UpstreamHealthWatch(service, of: self, by: connection, reactor: reactor)
        watch = begun
        begun.start()
    }

    /// The watch may not go on by `connection`, which takes no more calls.
    func leaveWatch(by connection: UpstreamConnection) {
        guard let watch, watch.connection === connection else { return }
        if let other = connectionWithRoom {
            watch.move(to: other)
        } else {
            stopWatching()
        }
    }

    /// Leaves it to another reactor that is connected, or to the next connection.
    func stopWatching() {
        guard let ended = watch else { return }
        watch = nil
        ended.stop()
        endpoint.releaseWatch()
        channel.shared.endpoints.tellChange()
    }

    /// What the watch has heard.
    func heardHealth(_ health: HealthWatchState.Health, isOff: Bool, reason: String) {
        let before = endpoint.obstacles
        let wasUnhealthy = before.contains(.unhealthy)
        endpoint.set(health)
        if endpoint.obstacles != before {
            channel.counters.healthChanges &+= 1
            channel.shared.endpoints.tellChange()
        }
        let place = "upstream \(channel.name) (\(endpoint.address))"
        if isOff {
            guard !hasToldWatchIsOff else { return }
            hasToldWatchIsOff = true
            reactor.log.warning("\(place): \(reason); it counts as healthy")
        } else if health == .notServing, !wasUnhealthy {
            reactor.log.warning("\(place): not healthy, \(reason)")
        } else if health == .serving, wasUnhealthy {
            reactor.log.info("\(place): healthy again")
        }
    }
}
