#!lua
-- Begins the history of a new namespace's partition, before the namespace is there for anybody. A partition of which
-- nothing is stored later on is not a new one, then, but one that was lost.
--
-- KEYS[1] state: hash, the partition's state
--
-- Returns: {'created'}, or {'exists'} where anything is stored already
-- Repeat: harmless, a second call changes nothing.
-- Complexity: O(1)
--!include clock
--!include identity
local state = KEYS[1]

if redis.call('HLEN', state) > 0 then
    return {'exists'}
end
local now = text(clock(false))
local run, replication = identity()

-- Writes.
redis.call('HSET', state, 'epoch', '0', 'sequence', '0', 'era', now, 'verified', now, 'clock', now, 'run_id', run,
    'replication_id', replication)
return {'created'}
