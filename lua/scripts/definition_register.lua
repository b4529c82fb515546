#!lua
-- Registers a definition. A registered name and version never change.
--
-- KEYS[1] definitions: hash, name@version to canonical JSON
-- ARGV[1] id: name@version
-- ARGV[2] canonical: the definition's canonical JSON, at most 1 MiB
--
-- Returns: {'registered'} where it is stored with this content now, {'conflict'} where it has another
-- Repeat: harmless, the same content is registered once.
-- Complexity: O(1)
local definitions = KEYS[1]
local id, canonical = ARGV[1], ARGV[2]

local stored = redis.call('HGET', definitions, id)
if stored and stored ~= canonical then
    return {'conflict'}
end

-- Writes.
if not stored then
    redis.call('HSET', definitions, id, canonical)
end
return {'registered'}
