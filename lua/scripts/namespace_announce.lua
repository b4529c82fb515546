#!lua flags=allow-oom
-- Tells starters that the namespace is overloaded, for a while, or that it no longer is. Works on a full server.
--
-- KEYS[1] meta: hash, the namespace's own
-- ARGV[1] overload: what they are told, used and allowed share of the memory in per cent, with a space between, or empty
-- ARGV[2] validity: decimal, milliseconds that it holds for; not looked at where there is no overload
--
-- Returns: {'ok', now}
-- Repeat: harmless, the validity begins anew.
-- Complexity: O(1)
--!include clock
local meta, overload, validity = KEYS[1], ARGV[1], tonumber(ARGV[2])

local now = clock(false)

-- Writes.
if overload == '' then
    redis.call('HSET', meta, 'overloaded', '')
else
    redis.call('HSET', meta, 'overloaded', overload .. ' ' .. text(now + validity))
end
return {'ok', text(now)}
