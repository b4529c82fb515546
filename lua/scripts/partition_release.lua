#!lua flags=allow-oom
-- Gives a partition up, so that anybody can take it at once. Works on a full server too.
--
-- KEYS[1] state: hash, the partition's state
-- ARGV[1] owner: the taking's random text
--
-- Returns: {'released'}, or {'lost'} where the owner is another one
-- Repeat: harmless.
-- Complexity: O(1)
local state = KEYS[1]
local owner = ARGV[1]

if redis.call('HGET', state, 'owner') ~= owner then
    return {'lost'}
end

-- Writes.
redis.call('HSET', state, 'owner', '', 'instance', '', 'until', '0')
return {'released'}
