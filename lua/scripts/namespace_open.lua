#!lua
-- Opens a namespace: the first caller fixes its number of partitions and its protocol, all others read them.
--
-- KEYS[1] meta: hash, the namespace's fixed properties
-- ARGV[1] partitions: decimal, used where the namespace is new
-- ARGV[2] protocol: decimal, the protocol's version
-- ARGV[3] incarnation: random text that tells this namespace from a later one of the same name
--
-- Returns: {partitions, protocol, incarnation} as stored
-- Repeat: harmless, a second call changes nothing.
-- Complexity: O(1)
local meta = KEYS[1]
local partitions, protocol, incarnation = ARGV[1], ARGV[2], ARGV[3]

local stored = redis.call('HMGET', meta, 'partitions', 'protocol', 'incarnation')
if stored[1] then
    return stored
end

-- Writes.
redis.call('HSET', meta, 'partitions', partitions, 'protocol', protocol, 'incarnation', incarnation)
return {partitions, protocol, incarnation}
